"""One statement on a session: its rows by column, and what a write did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sqlprovider.values import SQLValue

if TYPE_CHECKING:
    from sqlprovider.errors import Warning
    from sqlprovider.session import Session

OnWarning = Callable[["Warning"], None]
_QUIET = frozenset({"missing_parent"})
"""That a parent is not there yet is what a plan is about."""


def read_rows(
    session: Session, sql: str, params: Sequence[SQLValue], on_warning: OnWarning
) -> list[dict[str, SQLValue]]:
    """Every row of a statement, by column."""
    found: list[dict[str, SQLValue]] = []
    for result in session.run(sql, tuple(params)):
        if result.columns is not None:
            names = [column.name for column in result.columns]
            found = [dict(zip(names, row, strict=True)) for row in result.rows]
        for warning in result.warnings:
            if warning.reason not in _QUIET:
                on_warning(warning)
    return found


def quoted(name: str) -> str:
    """A column's name as an identifier."""
    return '"' + name.replace('"', '""') + '"'
