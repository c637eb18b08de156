"""The tables that a statement names."""

from __future__ import annotations

from sqlprovider.sql.statement import Delete, Explain, Insert, Query, Statement, TableRef, Update


def named_in(statement: Statement) -> tuple[TableRef, ...]:
    """The tables that a text names, its target among them."""
    match statement:
        case Query() | Insert():
            return tables_of(statement)
        case Update(target=target) | Delete(target=target):
            return (target, *tables_of(statement))
        case Explain(statement=inner):
            return named_in(inner)
        case _:
            return ()


def tables_of(statement: Query | Insert | Update | Delete) -> tuple[TableRef, ...]:
    """The tables that a statement reads."""
    match statement:
        case Query(tables=tables):
            return tables
        case Insert(source_tables=tables):
            return tables
        case Update(tables=tables, where=where) | Delete(tables=tables, where=where):
            return tables if where is None else (*tables, *where.tables)
