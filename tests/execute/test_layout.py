"""Answers read into the places that a scan looks at give the rows that they give when they are read whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlprovider.catalog.model import Column, Drop, ErrorShape, Method, Pages, Role, View, Wire
from sqlprovider.errors import DataError
from sqlprovider.execute.jsontext import SMALL
from sqlprovider.execute.response import Page, decode_page
from sqlprovider.execute.rows import RowDecoder
from sqlprovider.plan.model import Operation, Scan
from sqlprovider.plan.projection import wanted_reads
from sqlprovider.values import JSON, Row, Type
from tests.execute.test_columnar import pages
from tests.plan.build import TOKEN, item, key, method, resource, scan

ERRORS = ErrorShape(code=("code",), message=("message",))
NUMBERED = Pages("number", parameter="page", total=("total",))


def listed(*columns: Column, used: Sequence[int] | None = None, **options: Any) -> Scan:
    """The scan of a list that looks at some of the columns, or at all."""
    called = method("list", pages=options.pop("pages", TOKEN), **options.pop("method", {}))
    made = resource(columns, called, **options)
    return scan(made, used=frozenset(range(len(columns)) if used is None else used))


def page_of(planned: Scan, body: bytes, *, whole: bool = False) -> Page:
    reads = None if whole else wanted_reads(planned)
    operation = Operation(planned.resource.name, planned.method, (), reads=reads)
    return decode_page(operation, large(body), errors=ERRORS)


def large(body: bytes) -> httpx.Response:
    """An answer that is large enough to be worth it."""
    return httpx.Response(200, content=body + b" " * SMALL if body else body)


def outcome(planned: Scan, body: bytes, *, whole: bool = False) -> object:
    """The rows, the types in them and their numbers, or the error."""
    try:
        found = RowDecoder(planned).decode(page_of(planned, body, whole=whole))
        return repr(found.rows), found.rowids
    except DataError as error:
        return error.message, error.pointer, error.reason


def rows(planned: Scan, body: bytes) -> list[Row]:
    """The rows of a page that was read by its layout; the same as when it is read whole."""
    page = page_of(planned, body)
    assert page.layout is not None
    assert outcome(planned, body) == outcome(planned, body, whole=True)
    return RowDecoder(planned).decode(page).rows


@given(pages(), st.data())
def test_rows_are_the_same_when_answers_are_read_whole(
    page: tuple[list[Column], list[JSON], list[tuple[JSON, ...]]], data: st.DataObject
) -> None:
    columns, items, _ = page
    used = data.draw(st.sets(st.integers(0, len(columns) - 1)))
    planned = listed(*columns, used=sorted(used))
    body = json.dumps({"items": items, "next": "t", "more": items}).encode()
    assert outcome(planned, body) == outcome(planned, body, whole=True)


A, N, X, J = key("a"), item("n", Type.INTEGER), item("x", Type.REAL), item("j", Type.JSON)
P = Column("p", Type.TEXT, Role.ITEM, path=("o", "p"))
USUAL = b'{"items":[{"a":"1","n":1,"x":1,"j":{"b":[1]},"o":{"p":"q"}},{"a":"2"}],"next":"t","total":2}'


def test_only_what_is_looked_at_is_made_into_values() -> None:
    page = page_of(listed(A, N, X, J, used=(1,), key=("a",)), USUAL)
    assert [repr(found) for found in page.items] == ["Item(f0='1', f1=1)", "Item(f0='2', f1=None)"]
    assert page.answer == {"next": "t"}


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        pytest.param((A, N, X), [("1", 1, 1.0), ("2", None, None)], id="values as they are"),
        pytest.param((A, J), [("1", '{"b":[1]}'), ("2", None)], id="JSON"),
        pytest.param((A, replace(J, path=("j", "b"))), [("1", "[1]"), ("2", None)], id="below"),
        pytest.param(
            (A, J, replace(J, name="k", path=("j", "b"))),
            [("1", '{"b":[1]}', "[1]"), ("2", None, None)],
            id="one path within another",
        ),
        pytest.param(
            (replace(A, path=("o", "p")), replace(N, path=("o", "q"), absent=0)),
            [("q", 0), (None, None)],
            id="what absence means",
        ),
        pytest.param((A, replace(N, absent=7)), [("1", 1), ("2", 7)], id="what absence means in the item"),
        pytest.param(
            (A, replace(A, name="b")),
            [("1", "1"), ("2", "2")],
            id="one value, two columns",
        ),
        pytest.param(
            (A, Column("i", Type.INTEGER, Role.ITEM, path=("a",), wire=Wire.INT64)),
            [("1", 1), ("2", 2)],
            id="one value, two types",
        ),
    ],
)
def test_columns_find_their_values(columns: tuple[Column, ...], found: list[Row]) -> None:
    assert rows(listed(*columns), USUAL) == found


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"items":[{"a":1}]}', id="a number where text is usual"),
        pytest.param(b'{"items":[{"a":"x","n":"7"},{"a":"y","n":1.0}]}', id="numbers of another form"),
        pytest.param(b'{"items":[{"a":"x","n":1.5}]}', id="no whole number"),
        pytest.param(b'{"items":[{"a":"x","n":9223372036854775808}]}', id="beyond 64 bits"),
        pytest.param(b'{"items":[{"a":"x","x":NaN},{"a":"y","x":1e999}]}', id="no finite numbers"),
        pytest.param(b'{"items":[{"a":"x","j":123456789012345678901234567890}]}', id="a long number"),
        pytest.param(b'{"items":[{"a":"x","a":"y"}]}', id="a key twice"),
        pytest.param(b'{"items":[{"a":"x"}],"items":[]}', id="a list twice"),
        pytest.param(b'{"items":[1]}', id="an item that is no object"),
        pytest.param(b'{"items":[null]}', id="an item that is null"),
        pytest.param(b'{"items":{}}', id="no list"),
        pytest.param(b'{"items":null}', id="null"),
        pytest.param(b"{}", id="nothing"),
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"items":[{"a":"x"}]', id="cut"),
        pytest.param(b"<html>", id="HTML"),
        pytest.param(b'\xef\xbb\xbf{"items":[{"a":"x"}]}', id="a byte order mark"),
        pytest.param(b'{"items":[{"a":"\\ud800"}]}', id="half a pair"),
        pytest.param(b'{"items":[{"a":"\xff"}]}', id="not UTF-8"),
        pytest.param(b'{"items":[{"a":"x","o":1}]}', id="no object on the way"),
        pytest.param(b'{"items":[{"a":"x","o":null},{"a":"y","o":{"p":1}}]}', id="null on the way"),
    ],
)
def test_an_unusual_answer_is_what_it_is_when_read_whole(body: bytes) -> None:
    for planned in (listed(A, N, X, J), listed(A, P)):
        assert outcome(planned, body) == outcome(planned, body, whole=True)


def test_a_column_may_come_twice() -> None:
    planned = listed(A, N, key=("a",))
    decoder = RowDecoder(planned, [1, 0, 1, 0])
    assert decoder.decode(page_of(planned, USUAL)).rows == [(1, "1", 1, "1"), (None, "2", None, "2")]


def test_an_answer_may_be_the_list() -> None:
    planned = listed(A, P, pages=Pages("header", parameter="t", token=("Next",)), method={"rows": ("[]",)})
    assert rows(planned, b'[{"a":"1","o":{"p":"q"}},{"a":"2","o":null}]') == [("1", "q"), ("2", None)]


def test_rows_that_are_hidden_or_dropped_are_looked_at_for_that() -> None:
    view = View("shown", "live", ("o", "p"), {"live": ("ok",), "all": None})
    planned = listed(A, view=view, drop=Drop(("a",), ("2",)))
    operation = Operation(planned.resource.name, planned.method, (), view="live", reads=wanted_reads(planned))
    body = b'{"items":[{"a":"1","o":{"p":"ok"}},{"a":"2","o":{"p":"ok"}},{"a":"3","o":{}}]}'
    page = decode_page(operation, large(body), errors=ERRORS)
    assert page.layout is not None
    assert RowDecoder(planned).decode(page).rows == [("1",)]


def _nested() -> Method:
    return method("list", rows=("items[]", "o[]"))


@pytest.mark.parametrize(
    "planned",
    [
        pytest.param(listed(A, replace(N, whole_item=True)), id="the whole item"),
        pytest.param(listed(A, replace(N, present={"a": "has it"})), id="which keys it has"),
        pytest.param(listed(A, replace(N, path=("^", "n"))), id="what it lies in"),
        pytest.param(replace(listed(A), whole=True), id="rows that are found to be written"),
        pytest.param(replace(listed(A), method=_nested()), id="lists in lists"),
        pytest.param(listed(N, pages=NUMBERED), id="numbered pages without a key"),
    ],
)
def test_items_are_wanted_as_they_are(planned: Scan) -> None:
    assert wanted_reads(planned) is None


def test_the_key_is_looked_at_where_pages_are_numbered() -> None:
    reads = wanted_reads(listed(A, N, used=(1,), pages=NUMBERED, key=("a",)))
    assert reads == frozenset([(("a",), Type.TEXT), (("n",), Type.INTEGER)])
