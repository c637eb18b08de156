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
from typing import TYPE_CHECKING

from sqlprovider.execute.rows import PageRows
from sqlprovider.plan.forecast import Given, value_in_hand
from sqlprovider.plan.model import PushedOrder, Scan
from sqlprovider.plan.pushdown import orders_by_key
from sqlprovider.plan.scan import is_one_list
from sqlprovider.sql.statement import Top
from sqlprovider.values import Const, Row

if TYPE_CHECKING:
    from sqlprovider.vtab.asked import Asked
    from sqlprovider.vtab.reading import Reading

LARGEST = 1000
"""Rows wanted at most: who wants more reads everything as quickly."""


def first_rows(top: Top, asked: Asked, reading: Reading, given: Given) -> tuple[PageRows, int] | None:
    """The rows that can be the first ones, and how many SQLite must give; None where everything is needed.

    0 stands for "as many as there are": the page was the last.
    """
    limit, offset = value_in_hand(top.limit, given), value_in_hand(top.offset, given)
    offset = 0 if top.offset == Const(None) else offset
    if not isinstance(limit, int) or not isinstance(offset, int) or limit < 1 or offset < 0:
        return None
    order = PushedOrder(top.column, top.direction, top.key)
    if not is_one_list(asked.scan) or not orders_by_key(asked.scan.method, top.column, top.key):
        return None
    # One more tells whether the last row is equal to others that were not read.
    ordered = ordered_scan(asked.scan, order, limit + offset + top.has_more_terms)
    if ordered is None:
        return None
    reading.check(asked)
    reader = reading.read(asked, ordered)
    try:
        page = next(reader, None)
        if page is None:
            return None
        reader.use()
        if reader.is_last:
            return page, 0
    finally:
        reader.close()
    kept = in_order(page, ordered, order, drops_last=top.has_more_terms)
    return None if kept is None else (kept, limit)


def ordered_scan(scan: Scan, order: PushedOrder, rows: int) -> Scan | None:
    """The scan in the API's order, in pages of so many rows; None where a page cannot hold them."""
    pages = scan.method.pages
    largest = LARGEST if pages is None or pages.size_max is None else min(LARGEST, pages.size_max)
    if rows > largest:
        return None
    used = scan.used | {_position(scan, order)}
    return replace(scan, order=(order,), limit=(Const(rows),), used=used)


def in_order(page: PageRows, scan: Scan, order: PushedOrder, *, drops_last: bool = False) -> PageRows | None:
    """The rows that have a number under the key; None where they are not in order.

    `drops_last`: without those that are equal to the last one.
    """
    keys = list(_numbers(page.rows, _position(scan, order), order.key or ""))
    found = [key for key in keys if key is not None]
    if found != sorted(found, reverse=order.direction == "DESC"):
        return None
    if drops_last and found:
        keys = [None if key == found[-1] else key for key in keys]
    return page.only([key is not None for key in keys])


def _position(scan: Scan, order: PushedOrder) -> int:
    return next(n for n, column in enumerate(scan.resource.columns) if column.name == order.column)


def _numbers(rows: list[Row], position: int, key: str) -> Iterator[float | None]:
    """What SQLite will order the rows by."""
    for row in rows:
        cell = row[position]
        number = json.loads(cell).get(key) if isinstance(cell, str) else None
        yield number if isinstance(number, int | float) and not isinstance(number, bool) else None
