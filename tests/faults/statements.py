"""SQL of the scenarios' rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlprovider.values import SQLValue

Row = dict[str, SQLValue]


def literal(value: object) -> str:
    """A value as it stands in SQL."""
    if isinstance(value, int | float):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"


def insert(table: str, rows: Sequence[Mapping[str, object]]) -> str:
    """One INSERT of all the rows, which give the same columns."""
    values = ", ".join(f"({', '.join(map(literal, row.values()))})" for row in rows)
    return f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES {values}"


def update(table: str, new: Mapping[str, object], where: Mapping[str, object]) -> str:
    """One UPDATE of the rows that the WHERE names."""
    assignments = ", ".join(f"{name} = {literal(value)}" for name, value in new.items())
    return f"UPDATE {table} SET {assignments} WHERE {condition(where)}"


def delete(table: str, where: Mapping[str, object]) -> str:
    """One DELETE of the rows that the WHERE names."""
    return f"DELETE FROM {table} WHERE {condition(where)}"


def execute(method: str, arguments: Mapping[str, object]) -> str:
    """One call."""
    return f"EXEC {method} " + ", ".join(f"@{name}={literal(value)}" for name, value in arguments.items())


def condition(where: Mapping[str, object]) -> str:
    """Equalities, and IN where there is a list."""
    return " AND ".join(
        f"{name} IN ({', '.join(map(literal, value))})"
        if isinstance(value, list)
        else f"{name} = {literal(value)}"
        for name, value in where.items()
    )
