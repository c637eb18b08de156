"""The short ways of a SELECT of one resource: each gives the rows that SQLite would, or is not taken."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from sqlprovider.execute.executor import StatementCalls
from sqlprovider.sql.statement import Query, Shape, Top
from sqlprovider.vtab.asked import Asked
from sqlprovider.vtab.database import Bindings, Selected
from sqlprovider.vtab.direct import answer_directly
from sqlprovider.vtab.reading import Reading
from sqlprovider.vtab.top import first_rows

if TYPE_CHECKING:
    from sqlprovider.vtab.engine import Engine


def run_shortly(engine: Engine, query: Query, bindings: Bindings, calls: StatementCalls) -> Selected | None:
    """What a short way gives; None where there is none."""
    if query.shape is None and query.top is None:
        return None
    captured: list[Asked] = []
    selected = engine.select(query.sql, bindings, calls, reading=Reading(calls, captured=captured))
    if not captured:
        return selected
    for _ in selected.rows:
        pass
    if len(captured) > 1:
        return None
    if query.shape is not None:
        return _from_the_pages(query.shape, captured[0], selected, bindings, calls)
    assert query.top is not None
    return _from_one_page(engine, query, query.top, captured[0], bindings, calls)


def _from_the_pages(
    shape: Shape, asked: Asked, selected: Selected, bindings: Bindings, calls: StatementCalls
) -> Selected | None:
    """The rows of the pages as they come. The first page's are read here: a failure is the statement's."""
    pages = answer_directly(shape, asked, Reading(calls), bindings)
    if pages is None:
        return None
    first = next(pages, ())
    return Selected(selected.columns, chain(first, chain.from_iterable(pages)), lambda: 0)


def _from_one_page(
    engine: Engine, query: Query, top: Top, asked: Asked, bindings: Bindings, calls: StatementCalls
) -> Selected | None:
    """What SQLite makes of the rows that can be the first ones, where these are enough."""
    reading = Reading(calls)
    try:
        found = first_rows(top, asked, reading, bindings)
    finally:
        reading.close()
    if found is None:
        return None
    fed, needed = found
    selected = engine.select(query.sql, bindings, calls, reading=Reading(calls, fed=fed))
    rows = list(selected.rows)
    if len(rows) < needed:
        return None
    calls.limited = calls.limited or needed > 0
    return Selected(selected.columns, iter(rows), lambda: 0)
