"""The one statement that every text of SQLite's own is; `statement.py` has the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlprovider.sql.statement import Shape, TableRef, Top
    from sqlprovider.values import Operand


@dataclass(frozen=True, slots=True)
class Query:
    """What SQLite runs itself: SELECT, VALUES, DDL, local writes, transactions. No `tables`: local."""

    text: str
    sql: str
    tables: tuple[TableRef, ...] = ()
    parameters: int = 0
    """How many positional parameters it takes."""
    warnings: tuple[tuple[str, str], ...] = ()
    """(message, hint) of comparisons that run but do not mean what they seem to."""
    source: str | None = None
    """The SELECT within it, where it puts rows into a table of SQLite's."""
    shape: Shape | None = None
    top: Top | None = None
    limit: Operand | None = None
    """The LIMIT of a SELECT that ends as soon as it has so many rows."""
