"""The first rows by a key of a JSON column, asked for in the API's order: one page where that proves enough.

The API puts rows without a number under the key last, and so does such an ORDER BY. What it calls a number
may be none to us (±Infinity), so the rows of the page that have one are taken as the first ones, in an order
that is checked; those that have none would come after every row that was not read. SQLite runs the statement
over them: if it gives as many rows as were wanted, no row that was not read could be among them. If not, or
where the page is not in order, everything is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from sqlprovider.execute.rows import PageRows
from sqlprovider.plan.forecast import Given, value_in_hand
from sqlprovider.plan.model import PushedOrder
from sqlprovider.plan.pushdown import orders_by_key
from sqlprovider.sql.statement import Top
from sqlprovider.values import Const, Row
from sqlprovider.vtab.reading import Asked, Reading

LARGEST = 1000
"""Rows wanted at most: who wants more reads everything as quickly."""


def first_rows(top: Top, asked: Asked, reading: Reading, given: Given) -> tuple[PageRows, int] | None:
    """The rows that can be the first ones, and how many SQLite must give; None where everything is needed.

    Too many to give stands for "as many as there are": the page was the last.
    """
    limit, offset = value_in_hand(top.limit, given), value_in_hand(top.offset, given)
    offset = 0 if top.offset == Const(None) else offset
    if not isinstance(limit, int) or not isinstance(offset, int) or limit < 1 or offset < 0:
        return None
    wanted = limit + offset
    pages = asked.scan.method.pages
    largest = LARGEST if pages is None or pages.size_max is None else min(LARGEST, pages.size_max)
    if wanted > largest or not _is_one_list(top, asked):
        return None
    # One more tells whether the last row is equal to others that were not read.
    ordered = _ordered(top, asked, wanted + top.has_more_terms)
    reading.check(ordered)
    reader = reading.reader(ordered)
    try:
        page = next(reader, None)
        if page is None:
            return None
        reader.use()
        is_last = reader.is_last
    finally:
        reader.close()
    if is_last:
        return page, 0
    keys = list(_numbers(page.rows, asked, top))
    found = [key for key in keys if key is not None]
    if found != sorted(found, reverse=top.direction == "DESC"):
        return None
    if top.has_more_terms and found:
        keys = [None if key == found[-1] else key for key in keys]
    return page.only([key is not None for key in keys]), limit


def _is_one_list(top: Top, asked: Asked) -> bool:
    """Whether one operation answers, in no order of the statement's own."""
    scan = asked.scan
    order = scan.method.push.order
    many = any(binding.many for binding in (*scan.bindings, *scan.options, *scan.echoes))
    given = {option.parameter for option in scan.options}
    return (
        orders_by_key(scan.method, top.column, top.key)
        and order is not None
        and order.parameter not in given
        and scan.walk is None
        and scan.method.tree is None
        and not (many or scan.order or scan.pages_as_rows)
    )


def _ordered(top: Top, asked: Asked, rows: int) -> Asked:
    position = next(n for n, c in enumerate(asked.scan.resource.columns) if c.name == top.column)
    scan = replace(
        asked.scan,
        order=(PushedOrder(top.column, top.direction, top.key),),
        limit=(Const(rows),),
        used=asked.scan.used | {position},
    )
    return replace(asked, scan=scan)


def _numbers(rows: list[Row], asked: Asked, top: Top) -> Iterator[float | None]:
    """What SQLite will order the rows by."""
    position = next(n for n, c in enumerate(asked.scan.resource.columns) if c.name == top.column)
    for row in rows:
        cell = row[position]
        number = json.loads(cell).get(top.key) if isinstance(cell, str) else None
        yield number if isinstance(number, int | float) and not isinstance(number, bool) else None
