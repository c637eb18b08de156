"""Filters and orders: what is said to the API, and what is better not said."""

from __future__ import annotations

from typing import Any

import pytest

from sqlprovider.catalog.push import Filter, Order, Push, Term
from sqlprovider.plan.bind import bind_scan
from sqlprovider.plan.model import PushedOrder
from sqlprovider.plan.pushdown import order_argument, orders_by_key, push_order
from sqlprovider.values import JSON, Predicate, Slot, SQLValue, Type
from tests.plan.build import item, key, method, option, resource, scan, takes, where

TEXTS = {
    "=": "=",
    "!=": "<>",
    "LIKE": "ILIKE",
    "IN": "IN",
    "IS NULL": "IS NULL",
    "IS NOT NULL": "IS NOT NULL",
}
BOUNDS = {op: op for op in ("=", "<", "<=", ">", ">=")}
COLUMNS = [
    key("id"),
    item("name"),
    item("state", enum=("ON", "OFF")),
    item("size", Type.INTEGER),
    item("score", Type.REAL),
    item("at", Type.DATETIME),
    item("till", Type.DATETIME),
    item("bare"),
    item("tags", Type.JSON),
    item("metrics", Type.JSON),
    item("plain"),
    item("word"),
    option("filter"),
]
TERMS = {
    "name": Term("name", TEXTS),
    "state": Term("state", TEXTS, exact=True),
    "size": Term("size", {**BOUNDS, "IN": "IN"}, value="number"),
    "score": Term("score", BOUNDS, value="number"),
    "at": Term("at", BOUNDS, value="number", exact=True),
    "till": Term("till", {"=": "="}, value="number"),
    "word": Term("word", {"=": "="}, forbidden="0123456789"),
    "bare": Term("bare", {"=": ":"}, value="bare"),
    "tags": Term("tags.`{key}`", TEXTS, key_forbidden="`"),
    "metrics": Term("m.{key}", BOUNDS, value="number"),
}


def said(*predicates: Predicate, arguments: tuple[SQLValue, ...] = (), **spelling: Any) -> JSON:
    """The filter that is sent for the predicates."""
    listing = method("list", takes("filter"), push=Push(filter=Filter("filter", TERMS, **spelling)))
    (operation,) = bind_scan(scan(resource(COLUMNS, listing), *predicates), arguments)
    return dict(operation.arguments).get("filter")


@pytest.mark.parametrize(
    ("predicate", "text"),
    [
        pytest.param(where("name", "=", "x"), "name = 'x'", id="equality"),
        pytest.param(where("name", "!=", "x"), "name <> 'x'", id="the API's operator"),
        pytest.param(where("name", "LIKE", "x%"), "name ILIKE 'x%'", id="LIKE"),
        pytest.param(where("name", "IN", ("b", "a", None)), None, id="IN with NULL"),
        pytest.param(where("name", "IN", ("b", "a")), "name IN ('b', 'a')", id="IN"),
        pytest.param(where("name", "IN", ()), None, id="IN of nothing"),
        pytest.param(where("name", "IN", ("a", "b'c", 'd"')), None, id="IN that cannot all be said"),
        pytest.param(where("name", "IS NULL", None), "name IS NULL", id="IS NULL"),
        pytest.param(where("name", ">", "x"), None, id="an operator the API has not"),
        pytest.param(where("name", "=", None), None, id="NULL"),
        pytest.param(where("name", "=", b"x"), None, id="a BLOB"),
        pytest.param(where("name", "=", 1), None, id="a number beside a text"),
        pytest.param(where("name", "=", "a\nb"), None, id="a line end"),
        pytest.param(where("plain", "=", "x"), None, id="a column the API cannot filter by"),
        pytest.param(where("nosuch", "=", "x"), None, id="no column"),
        pytest.param(where("state", "=", "ON"), "state = 'ON'", id="in the enum"),
        pytest.param(where("state", "=", "X"), None, id="outside the enum"),
        pytest.param(where("state", "IN", ("ON", "X")), None, id="one outside the enum"),
        pytest.param(where("size", ">", 3), "size > 3", id="an integer"),
        pytest.param(where("size", ">", 2**60 + 1), None, id="one that no double holds"),
        pytest.param(where("size", "IN", (1, 2)), "size IN (1, 2)", id="a set of integers"),
        pytest.param(where("size", "=", "x"), None, id="a text beside a number"),
        pytest.param(where("score", ">", 1e20), "score > 1e20", id="no + in an exponent"),
        pytest.param(where("score", ">", float("inf")), None, id="infinity"),
        pytest.param(where("bare", "=", "x y"), "bare : x y", id="a bare word"),
        pytest.param(where("bare", "=", 1.5), None, id="a REAL is no bare word"),
        pytest.param(where("at", ">", "1970-01-01 00:00:01"), "at >= 999", id="a time after, widened"),
        pytest.param(where("at", "<=", "1970-01-01 00:00:01"), "at <= 1001", id="a time before, widened"),
        pytest.param(where("at", "=", "1970-01-01 00:00:01"), "at >= 999 AND at <= 1001", id="that time"),
        pytest.param(where("at", ">", "tomorrow"), None, id="no time"),
        pytest.param(where("at", ">", 5), None, id="a number beside a time"),
        pytest.param(where("till", "=", "1970-01-01 00:00:01"), None, id="a time the API knows no bounds of"),
        pytest.param(where("tags", "=", "x"), None, id="a JSON column without a key"),
    ],
)  # fmt: skip
def test_a_predicate_is_said_where_no_row_can_be_lost(predicate: Predicate, text: str | None) -> None:
    assert said(predicate) == text


@pytest.mark.parametrize(
    ("column", "word", "text"),
    [
        pytest.param("tags", '["k", "=", "v"]', "tags.`k` = 'v'", id="a text"),
        pytest.param("tags", '["k", "IS NULL", null]', "tags.`k` IS NULL", id="IS NULL"),
        pytest.param("tags", '["k", ">", "v"]', None, id="an operator the API has not"),
        pytest.param("tags", '["k`", "=", "v"]', None, id="a key it cannot take"),
        pytest.param("tags", '["", "=", "v"]', None, id="an empty key"),
        pytest.param("metrics", '["acc", ">", 0.5]', "m.acc > 0.5", id="a number"),
        pytest.param("metrics", '["acc", ">", "x"]', None, id="no number"),
        pytest.param("name", '["k", "=", "v"]', None, id="no JSON column"),
        pytest.param("metrics", None, None, id="a value that could not be packed"),
    ],
)
def test_a_key_of_a_json_column_is_said_by_its_word(column: str, word: SQLValue, text: str | None) -> None:
    predicate = where(column, "=", Slot(0), key="*")
    assert said(predicate, arguments=(word,)) == text


@pytest.mark.parametrize(
    ("value", "spelling", "text"),
    [
        pytest.param("it's", {}, None, id="no escape"),
        pytest.param("it's", {"quotes": ("'", '"')}, 'name = "it\'s"', id="the other quote"),
        pytest.param("it's", {"escape": "double"}, "name = 'it''s'", id="doubled"),
        pytest.param("it's", {"escape": "backslash"}, "name = 'it\\'s'", id="by a backslash"),
        pytest.param("a\\b", {"escape": "backslash"}, "name = 'a\\\\b'", id="a backslash itself"),
        pytest.param("a\\b", {}, "name = 'a\\b'", id="a backslash that means nothing"),
        pytest.param("a[b", {"forbidden": "\\["}, None, id="a forbidden character"),
    ],
)
def test_a_quote_is_written_as_the_api_reads_it(
    value: str, spelling: dict[str, Any], text: str | None
) -> None:
    assert said(where("name", "=", value), **spelling) == text


def test_a_term_may_forbid_more_than_its_filter() -> None:
    assert said(where("word", "=", "adam"), where("name", "=", "10")) == "word = 'adam' AND name = '10'"
    assert said(where("word", "=", "10"), where("name", "=", "10")) == "name = '10'"


def test_terms_are_joined_and_each_is_said_once() -> None:
    predicates = (where("name", "=", "x"), where("size", ">", 1), where("name", "=", "x"))
    assert said(*predicates, conjunction=" & ") == "name = 'x' & size > 1"


def test_nothing_is_pushed_into_an_option_that_the_statement_gives() -> None:
    assert said(where("filter", "=", "own"), where("name", "=", "x")) == "own"


def test_what_only_sqlite_can_evaluate_is_not_pushed() -> None:
    assert said(where("name", "=", Slot(0), usable=False)) is None


def test_an_exact_term_needs_no_recheck_but_a_widened_time_does() -> None:
    listing = method("list", takes("filter"), push=Push(filter=Filter("filter", TERMS)))
    planned = scan(resource(COLUMNS, listing), where("state", "=", "ON"), where("at", ">", "2026-01-01"))
    assert planned.residual == ("at",)
    assert [(term.column, term.exact) for term in planned.pushed] == [("state", True), ("at", False)]


ORDER = Order("order", {"a": "x.a", "b": "b"}, {"a": ("ASC", "DESC"), "b": ("DESC",)}, stable=("id ASC",))


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        pytest.param((), (), id="none wanted"),
        pytest.param((PushedOrder("a", "DESC"),), (PushedOrder("a", "DESC"),), id="exact"),
        pytest.param((PushedOrder("b", "ASC"),), None, id="another direction"),
        pytest.param((PushedOrder("a", "ASC"), PushedOrder("c", "ASC")), None, id="a column it cannot"),
    ],
)
def test_an_order_is_taken_whole_or_not_at_all(
    wanted: tuple[PushedOrder, ...], taken: tuple[PushedOrder, ...] | None
) -> None:
    assert push_order(method("list", push=Push(order=ORDER)), (), wanted) == taken


def test_a_method_without_an_order_takes_none() -> None:
    assert push_order(method("list"), (), (PushedOrder("a", "ASC"),)) is None
    assert order_argument(method("list"), ()) is None


@pytest.mark.parametrize(
    ("order", "terms", "argument"),
    [
        pytest.param(ORDER, (), "id ASC", id="the stable one"),
        pytest.param(
            ORDER, (PushedOrder("a", "ASC"), PushedOrder("b", "DESC")), "x.a ASC, b DESC", id="as text"
        ),
        pytest.param(
            Order("o", {"a": "a"}, {}, as_list=True), (PushedOrder("a", "ASC"),), ["a ASC"], id="as a list"
        ),
        pytest.param(
            Order("o", {"a": "a"}, {}, directions=("", "desc")), (PushedOrder("a", "ASC"),), "a", id="no word"
        ),
        pytest.param(Order("o", {"a": "a"}, {}), (), None, id="nothing to ask for"),
    ],
)
def test_an_order_is_said_as_the_api_reads_it(
    order: Order, terms: tuple[PushedOrder, ...], argument: JSON
) -> None:
    assert order_argument(method("list", push=Push(order=order)), terms) == argument


def test_a_time_may_be_said_in_quotes() -> None:
    """A store of another precision keeps what SQL keeps: a millisecond more on each side."""
    terms = {"at": Term("at", BOUNDS)}
    listing = method("list", takes("filter"), push=Push(filter=Filter("filter", terms, quotes=('"',))))
    found = scan(resource(COLUMNS, listing), where("at", ">=", "2026-01-02 03:04:05.678"))
    (operation,) = bind_scan(found, ())
    assert dict(operation.arguments) == {"filter": 'at >= "2026-01-02T03:04:05.677Z"'}


def test_a_method_orders_by_the_keys_it_can_say() -> None:
    order = Order("order", {}, {}, keys={"scores": "scores.{key}"}, key_forbidden="`")
    ordering = method("list", takes("order"), push=Push(order=order))
    assert orders_by_key(ordering, "scores", "a b")
    assert not orders_by_key(ordering, "scores", "a`b")
    assert not orders_by_key(ordering, "scores", "a\n")
    assert not orders_by_key(ordering, "scores", "")
    assert not orders_by_key(ordering, "name", "a")
    assert not orders_by_key(method("list"), "scores", "a")
    assert order_argument(ordering, (PushedOrder("scores", "DESC", "acc"),)) == "scores.acc DESC"
