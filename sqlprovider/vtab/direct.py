"""Statements that one scan answers completely: their rows come from the pages, and SQLite is not asked.

SQLite has prepared such a statement and has said, by its Filter, what it would read and with which values.
Nothing would be left for it to do but to hand the rows on: every condition is a value that the scan binds or
that the API applies exactly, ORDER BY is the API's own order, and LIMIT counts rows.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from sqlprovider.catalog.model import Role
from sqlprovider.execute.paginate import read_total
from sqlprovider.execute.reader import Check, ScanReader
from sqlprovider.plan.bind import bind_scan, bound_values, is_applied
from sqlprovider.plan.forecast import Given, value_in_hand
from sqlprovider.plan.model import Scan
from sqlprovider.sql.statement import Shape
from sqlprovider.values import Const, Op, Row
from sqlprovider.vtab.asked import Asked
from sqlprovider.vtab.reading import GLANCE, Reading

Pages = Generator[Sequence[Row]]


@dataclass(frozen=True, slots=True)
class Window:
    """How many rows are wanted after how many."""

    offset: int
    limit: int | None


def answer_directly(shape: Shape, asked: Asked, reading: Reading, bindings: Given) -> Pages | None:
    """The rows, some at a time; None where SQLite has something to do."""
    window = _window(shape, bindings)
    if window is None or not _is_complete(shape, asked):
        return None
    reading.check(asked)
    match shape.aggregate:
        case None:
            return _rows(shape, asked, reading, window)
        case ("count", _):
            return _count(asked, reading) if _is_counted(shape, asked.scan) else None
        case _:
            return _extreme(shape, asked, reading)


def _window(shape: Shape, bindings: Given) -> Window | None:
    limit, offset = value_in_hand(shape.limit, bindings), value_in_hand(shape.offset, bindings)
    unlimited = shape.limit == Const(None)
    if shape.offset == Const(None):
        offset = 0
    if not isinstance(offset, int) or offset < 0 or not (unlimited or isinstance(limit, int)):
        return None
    if unlimited:
        return Window(offset, None)
    return Window(offset, limit) if isinstance(limit, int) and limit >= 0 else None


def _is_complete(shape: Shape, asked: Asked) -> bool:
    """Whether the scan does all that the statement asks for."""
    scan = asked.scan
    bound = {binding.column for binding in (*scan.bindings, *scan.options, *scan.echoes)}
    exact = {
        (term.column, term.op)
        for term in scan.pushed
        if term.exact and is_applied(scan, term, asked.arguments)
    }
    order = len(scan.order) if shape.aggregate is None else 0
    return (
        not scan.pages_as_rows
        and order == shape.order
        and all(
            (condition.op in (Op.EQ, Op.IN) and condition.column in bound)
            or (condition.column, condition.op) in exact
            for condition in shape.conditions
        )
    )


def _checks(shape: Shape, scan: Scan) -> Iterator[tuple[int, str]]:
    """The bound columns whose cells are the item's own: (position, column)."""
    asked = {condition.column for condition in shape.conditions}
    bound = {binding.column for binding in (*scan.bindings, *scan.options, *scan.echoes)} & asked
    for position, column in enumerate(scan.resource.columns):
        if column.name in bound and column.role is not Role.OPTION and column.path and column.segment is None:
            yield position, column.name


def _reader(shape: Shape, asked: Asked, reading: Reading, columns: Sequence[str]) -> ScanReader:
    scan = asked.scan
    names = [column.name for column in scan.resource.columns]
    bindings = {binding.column: binding for binding in (*scan.bindings, *scan.options, *scan.echoes)}
    checks = tuple(
        Check(position, frozenset(bound_values(scan, bindings[name], asked.arguments)))
        for position, name in _checks(shape, scan)
    )
    # What is selected is used, and what is checked.
    used = scan.used | {names.index(name) for name in columns} | {check.position for check in checks}
    return ScanReader(
        replace(scan, used=used),
        asked.arguments,
        reading.calls,
        reading.feeds,
        [names.index(name) for name in columns],
        checks,
    )


def _rows(shape: Shape, asked: Asked, reading: Reading, window: Window) -> Pages:
    reader = _reader(shape, asked, reading, shape.columns)
    left, skip = window.limit, window.offset
    try:
        while left is None or left > 0:
            if (page := next(reader, None)) is None:
                return
            reader.use()
            rows = page.rows
            if skip:
                rows, skip = rows[skip:], max(0, skip - len(rows))
            if left is not None:
                rows, left = rows[:left], max(0, left - len(rows))
            yield rows[:GLANCE]
            if left != 0:
                reader.go_on()
            yield rows[GLANCE:]
        reading.calls.limited = True
    finally:
        reader.close()
        reading.close()


def _is_counted(shape: Shape, scan: Scan) -> bool:
    """Whether the API's total is the number of rows."""
    pages, resource = scan.method.pages, scan.resource
    shown = None if resource.view is None else scan.view
    sees_all = shown is None or (
        isinstance(shown, Const)
        and resource.view is not None
        and resource.view.values.get(str(shown.value)) is None
    )
    return (
        pages is not None
        and pages.style == "number"
        and bool(pages.total)
        and sees_all
        and resource.drop is None
        and scan.method.tree is None
        and scan.walk is None
        and not any(_checks(shape, scan))
    )


def _count(asked: Asked, reading: Reading) -> Pages:
    """The totals of the operations, each asked for a page as small as may be."""
    count = 0
    try:
        for operation in bind_scan(asked.scan, asked.arguments):
            feed = reading.feeds.open(replace(operation, page_size=1))
            if feed is not None:
                page = feed.take(0).page
                reading.feeds.use(feed, 0)
                pages = operation.method.pages
                count += 0 if page.missing or pages is None else read_total(page, pages)
        yield [(count,)]
    finally:
        reading.close()


def _extreme(shape: Shape, asked: Asked, reading: Reading) -> Pages | None:
    """`max` or `min` of the column by which the API orders: its first row that has a value."""
    assert shape.aggregate is not None
    kind, column = shape.aggregate
    order = [(term.column, term.direction) for term in asked.scan.order]
    if order != [(column, "DESC" if kind == "max" else "ASC")]:
        return None
    small = replace(asked, scan=replace(asked.scan, limit=(Const(1),)))

    def first(asked: Asked) -> Iterator[Row]:
        reader = _reader(shape, asked, reading, (column,))
        try:
            for page in reader:
                reader.use()
                yield from page.rows
        finally:
            reader.close()

    def found() -> Pages:
        try:
            rows = list(islice(first(small), 1))
            if rows and rows[0][0] is None and kind == "min":
                rows = list(islice((row for row in first(asked) if row[0] is not None), 1))
            yield rows or [(None,)]
        finally:
            reading.close()

    return found()
