"""The warning for a table that is read through for each row of another, because nothing joins the two."""

from __future__ import annotations

from collections.abc import Sequence

from sqlprovider.errors import Warning
from sqlprovider.sql.statement import TableRef
from sqlprovider.values import Opaque, Ref

_MANY = 1000
"""Pairs of rows that are nothing to speak of."""


def unrelated(tables: Sequence[TableRef]) -> frozenset[str]:
    """The tables that no condition of the text compares with anything of another."""
    named = {
        predicate.operand.table.lower()
        for table in tables
        for predicate in table.predicates
        if isinstance(predicate.operand, Ref)
    }
    return frozenset(
        table.table
        for table in tables
        if table.alias.lower() not in named
        and not any(isinstance(predicate.operand, Ref | Opaque) for predicate in table.predicates)
    )


def crossing(inner: str, rows: int, outer: str, times: int) -> Warning | None:
    """What to say of `rows` that were read through so many times; None while these are few pairs."""
    if rows * times <= _MANY:
        return None
    return Warning(
        f"nothing joins {inner} to {outer}: its {rows:,} rows come with every row there, "
        f"{rows * times:,} pairs so far",
        reason="cross_join",
        hint=f"JOIN {inner} ON … = …",
    )
