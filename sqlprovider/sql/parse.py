"""Text in, Statements out: start reading at `parse`, and go on in `reading.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlprovider.sql.plain import is_plain
from sqlprovider.sql.query import Query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlprovider.sql.statement import Names, Statement

_SIGNS = frozenset("?:@$")


def parse(text: str, names: Names) -> Iterator[Statement]:
    """The statements of a text, one at a time: each is read with what `names` says when it is asked for.

    Spans are places in the statement's own `text`. Raises SQLSyntaxError, UnknownNameError, ProgrammingError,
    NotSupportedError; what is wrong in SQLite's own SQL is left to SQLite.
    """
    if ";" not in text and is_plain(text, names):
        if text.strip():
            yield Query(text, text, parameters=_count_parameters(text))
        return
    from sqlprovider.sql.reading import read_pieces  # noqa: PLC0415  SQLite's own texts do without it

    yield from read_pieces(text, names)


def _count_parameters(text: str) -> int:
    if _SIGNS.isdisjoint(text):
        return 0
    from sqlprovider.sql.parameters import count_parameters  # noqa: PLC0415  few texts have any

    return count_parameters(text)
