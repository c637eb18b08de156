"""Push-down on trial: whatever a method is asked to do itself, the rows are those of a plain SQLite table."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from sqlprovider.catalog.model import Column, Method
from sqlprovider.catalog.push import Term
from sqlprovider.exercise.made import Values
from sqlprovider.exercise.trial import Table, Trial
from sqlprovider.values import Row, SQLValue, Type

_QUOTED = 'it\'s "q" \\ 50% `x`'
_KEYS = ("k", "é", "odd `key`", "a.b", 'q"')


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition, its parameters, and whether it is tried with a LIMIT, too."""

    text: str
    params: list[SQLValue]
    limited: bool = False


@dataclass(frozen=True, slots=True)
class _Comparison:
    """One list, and the same rows in SQLite."""

    trial: Trial
    method: Method
    table: Table
    reference: sqlite3.Connection

    def rows(self, select: str, tail: str, params: list[SQLValue]) -> tuple[list[Row], list[Row]]:
        """What SQLite has, and what was found."""
        where, given = self.trial.where(self.method, self.trial.shared)
        expected = self.reference.execute(f"SELECT {select} FROM reference WHERE 1 {tail}", params).fetchall()
        sql = f"SELECT {select} FROM {self.trial.name} WHERE {where} {tail}"
        return [tuple(row) for row in expected], self.table.run(sql, [*given, *params])


def pushes(trial: Trial) -> Iterator[str]:
    """Every term, equal parameter and order that a list declares."""
    for method in trial.lists:
        push = method.push
        if push.filter is None and push.order is None and not push.equals:
            continue
        rows = [*trial.rows(6 if trial.has_room() else 1), *_empty(trial)]
        with trial.table(rows, page_size=4) as table, closing(_reference(trial, rows)) as reference:
            comparison = _Comparison(trial, method, table, reference)
            for condition in _conditions(trial, method):
                yield from _compared(comparison, condition)
            yield from _ordered(comparison)
            yield from table.platform.faults


def _reference(trial: Trial, rows: list[Values]) -> sqlite3.Connection:
    reference = sqlite3.connect(":memory:")
    names = ", ".join(f'"{column.name}" {column.type.declared}' for column in trial.columns)
    reference.execute(f"CREATE TABLE reference ({names})")
    marks = ", ".join("?" * len(trial.columns))
    reference.executemany(f"INSERT INTO reference VALUES ({marks})", trial.expected(rows))
    return reference


def _empty(trial: Trial) -> list[Values]:
    """A row whose fields are NULL, but for what names it and makes it live."""
    if not trial.has_room():
        return []
    row, keep = trial.row(9), {*trial.resource.key, *trial.shared}
    view = trial.resource.view
    keep |= set() if view is None or view.column is None else {view.column}
    paths = {c.path for c in trial.columns if c.path and (c.segment is not None or c.name in keep)}
    kept = keep | {c.name for c in trial.columns if c.path in paths}
    columns = {column.name for column in trial.resource.columns}
    return [{name: value if name in kept or name not in columns else None for name, value in row.items()}]


def _conditions(trial: Trial, method: Method) -> Iterator[Condition]:
    held, one, other = {column.name for column in trial.columns}, trial.row(2), trial.row(5)
    for name in method.push.equals:
        if name in held:
            yield Condition(f'"{name}" = ?', [one.get(name)], limited=True)
    for name, term in () if method.push.filter is None else method.push.filter.terms.items():
        column = trial.resource.column(name)
        if column is not None and name in held:
            is_json = column.type is Type.JSON
            yield from _keyed(column, term) if is_json else _plain(column, term, one[name], other[name])


def _plain(column: Column, term: Term, one: SQLValue, other: SQLValue) -> Iterator[Condition]:
    for n, op in enumerate(term.ops):
        limited = n == 0 or term.exact
        match op:
            case "IN":
                yield Condition(f'"{column.name}" IN (?, ?)', [one, other], limited)
            case "LIKE":
                yield Condition(f'"{column.name}" LIKE ?', [f"{str(one)[:3].upper()}%"], limited)
            case "IS NULL" | "IS NOT NULL":
                yield Condition(f'"{column.name}" {op}', [], limited)
            case _:
                yield Condition(f'"{column.name}" {op} ?', [one], limited)
                if column.type is Type.TEXT and not column.enum:
                    yield Condition(f'"{column.name}" {op} ?', [_QUOTED])


def _keyed(column: Column, term: Term) -> Iterator[Condition]:
    for key in _KEYS:
        arrow = f"\"{column.name}\"->>'{key}'"
        for n, op in enumerate(term.ops):
            limited = key == _KEYS[0] and (n == 0 or term.exact)
            match op:
                case "LIKE":
                    yield Condition(f"{arrow} LIKE 'V%'", [], limited)
                case "IS NULL" | "IS NOT NULL":
                    yield Condition(f"{arrow} {op}", [], limited)
                case "IN":
                    yield Condition(f"{arrow} IN ('v2', 'x')", [], limited)
                case _ if column.numeric_keys:
                    yield Condition(f"{arrow} {op} 2.5", [], limited)
                case _:
                    yield Condition(f"{arrow} {op} 'v2'", [], limited)
                    yield Condition(f"{arrow} {op} 'it''s'", [])


def _compared(comparison: _Comparison, condition: Condition) -> Iterator[str]:
    names = _key(comparison.trial)
    what = f"{comparison.method.name} WHERE {condition.text} {condition.params}"
    expected, found = comparison.rows(names, f"AND {condition.text}", condition.params)
    if Counter(expected) != Counter(found):
        lost = (Counter(expected) - Counter(found)).total()
        yield f"{what}: {len(found)} rows, SQLite has {len(expected)}, {lost} of them are lost"
    if condition.limited:
        _, few = comparison.rows(names, f"AND {condition.text} LIMIT 2", condition.params)
        if len(few) != min(2, len(expected)) or Counter(few) - Counter(expected):
            yield f"{what} LIMIT 2: {few} of {expected}"


def _ordered(comparison: _Comparison) -> Iterator[str]:
    order, held = comparison.method.push.order, {column.name for column in comparison.trial.columns}
    for name in () if order is None else order.columns:
        for direction in ("ASC", "DESC") if name in held else ():
            tail = f'ORDER BY "{name}" {direction} LIMIT 3'
            expected, found = comparison.rows(f'"{name}"', tail, [])
            if expected != found:
                yield f"{comparison.method.name} {tail}: {found}, SQLite has {expected}"


def _key(trial: Trial) -> str:
    """The columns that tell rows apart, where all of them are compared."""
    held = {column.name for column in trial.columns}
    names = trial.resource.key if trial.resource.key and set(trial.resource.key) <= held else held
    return ", ".join(f'"{name}"' for name in names)
