"""Rows that stream: begun, read to their end, let go."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlprovider.values import Row


def started(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows, the first of them already fetched: what refuses the statement has been raised by then."""
    iterator = iter(rows)
    for row in iterator:
        return chain((row,), iterator)
    return iterator


def exhaust(rows: Iterable[Row]) -> None:
    """Read and forget them."""
    for _ in rows:
        pass


def let_go(iterator: Iterator[object]) -> None:
    """End a generator now and not when it is collected: SQLite's statement ends with it."""
    if (close := getattr(iterator, "close", None)) is not None:
        close()
