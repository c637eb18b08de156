"""Values that may be asked for again, beyond what memory holds."""

from __future__ import annotations

from sqlprovider.execute.rows import PageRows
from sqlprovider.execute.shelf import Shelf


def test_what_is_beyond_the_bound_comes_back_from_a_file() -> None:
    shelf = Shelf(limit=100)
    tickets = [shelf.put([number], 40) for number in range(10)]
    assert [shelf.get(ticket) for ticket in reversed(tickets)] == [[number] for number in reversed(range(10))]
    assert [shelf.get(ticket) for ticket in tickets] == [[number] for number in range(10)]
    shelf.close()


def test_one_value_larger_than_the_bound_is_held() -> None:
    shelf = Shelf(limit=10)
    value = object()
    assert shelf.get(shelf.put(value, 1000)) is value


def test_rows_keep_their_rowids_on_the_shelf() -> None:
    shelf = Shelf(limit=1)
    first = shelf.put(PageRows([("a",), ("b",)], lambda: [7, 8]), 10)
    shelf.put(PageRows([], list), 10)
    page = shelf.get(first)
    assert isinstance(page, PageRows)
    assert (page.rows, page.rowids) == ([("a",), ("b",)], [7, 8])
    shelf.close()
