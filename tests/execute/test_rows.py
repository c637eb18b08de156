"""Page → rows: the columns a scan reads, decoded."""

from __future__ import annotations

from typing import Any

import pytest

from sqlprovider.catalog.model import Column, Drop, Role, View, Wire
from sqlprovider.errors import DataError
from sqlprovider.execute.response import Page
from sqlprovider.execute.rows import RowDecoder, decode_column, decode_item, dump_json
from sqlprovider.plan.model import Operation
from sqlprovider.values import JSON, Row, SQLValue, Type
from tests.plan.build import item, key, method, option, resource, scan

INFINITE = 1.7976931348623157e308
MAP = item("c", Type.JSON, wire=Wire.KEY_VALUE, infinite=INFINITE)
TEXTS = item("c", Type.JSON, wire=Wire.KEY_VALUE, numeric_keys=False, key_names=("k", "v"))
WORD = item("c", Type.TEXT, wire=Wire.NUMBER_TEXT, infinite=INFINITE)
MS = item("c", Type.DATETIME, wire=Wire.EPOCH_MS, zero_is_null=True)


@pytest.mark.parametrize(
    ("column", "value", "cell"),
    [
        pytest.param(item("c"), "x", "x", id="text"),
        pytest.param(item("c"), 1.5, "1.5", id="a number as text"),
        pytest.param(item("c"), True, "true", id="a truth value as text"),
        pytest.param(item("c"), False, "false", id="an untruth as text"),
        pytest.param(item("c"), None, None, id="null"),
        pytest.param(item("c", zero_is_null=True), "", None, id="nothing written as an empty text"),
        pytest.param(item("c", Type.INTEGER), "12", 12, id="int64"),
        pytest.param(item("c", Type.INTEGER), 12, 12, id="an integer"),
        pytest.param(item("c", Type.INTEGER), 2.0, 2, id="a whole number"),
        pytest.param(item("c", Type.REAL), 1, 1.0, id="a number"),
        pytest.param(item("c", Type.REAL), "NaN", None, id="NaN"),
        pytest.param(item("c", Type.REAL, infinite=INFINITE), INFINITE, None, id="as good as infinite"),
        pytest.param(WORD, "NaN", "NaN", id="which: NaN"),
        pytest.param(WORD, "Infinity", "Infinity", id="which: infinity"),
        pytest.param(WORD, -INFINITE, "-Infinity", id="which: as good as -infinite"),
        pytest.param(WORD, 2, "2.0", id="which: a number"),
        pytest.param(item("c", Type.BOOLEAN), True, 1, id="true"),
        pytest.param(item("c", Type.BOOLEAN), 0, 0, id="0"),
        pytest.param(item("c", Type.BOOLEAN), "true", 1, id="true as text"),
        pytest.param(item("c", Type.BOOLEAN), "False", 0, id="false as text"),
        pytest.param(MS, 1767323045678, "2026-01-02 03:04:05.678", id="milliseconds"),
        pytest.param(MS, "1767323045678", "2026-01-02 03:04:05.678", id="milliseconds as text"),
        pytest.param(MS, 0, None, id="no time"),
        pytest.param(
            item("c", Type.DATETIME), "2026-01-02T03:04:05+01:00", "2026-01-02 02:04:05.000", id="RFC 3339"
        ),
        pytest.param(
            item("c", Type.JSON), {"b": 1, "a": "é"}, '{"b":1,"a":"é"}', id="JSON in the API's order"
        ),
        pytest.param(item("c", Type.JSON), {"a": [float("inf")]}, '{"a":[null]}', id="JSON has no infinity"),
        pytest.param(
            item("c", Type.JSON, keep=("a",)), {"b": 1, "a": 2}, '{"a":2}', id="the keys that are kept"
        ),
        pytest.param(item("c", Type.JSON, keep=("a",)), [1], "[1]", id="what has no keys"),
        pytest.param(MAP, None, "{}", id="an absent map is empty"),
        pytest.param(MAP, [{"key": "b", "value": 2}, {"key": "a"}], '{"a":null,"b":2}', id="a map by key"),
        pytest.param(
            MAP,
            [{"key": "n", "value": "nan"}, {"key": "i", "value": INFINITE}],
            '{"i":null,"n":null}',
            id="no numbers",
        ),
        pytest.param(TEXTS, [{"k": "a", "v": "NaN"}], '{"a":"NaN"}', id="a text that looks like one"),
    ],
)
def test_a_value_of_the_answer_is_a_cell(column: Column, value: JSON, cell: SQLValue) -> None:
    decoded = decode_column(column, value)
    assert (decoded, type(decoded)) == (cell, type(cell))


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        pytest.param(item("c"), [1], "which is no TEXT: it is an object or a list", id="no text"),
        pytest.param(item("c", Type.INTEGER), True, "it is a truth value", id="a truth value"),
        pytest.param(item("c", Type.INTEGER), 1.5, "it is no whole number", id="a fraction"),
        pytest.param(item("c", Type.INTEGER), "x", "invalid literal", id="no integer"),
        pytest.param(item("c", Type.INTEGER), 2**63, "it does not fit 64 bits", id="too large"),
        pytest.param(item("c", Type.REAL), True, "it is no number", id="no number"),
        pytest.param(WORD, [], "it is no number", id="no number either"),
        pytest.param(item("c", Type.BOOLEAN), 2, "it is neither true nor false", id="neither"),
        pytest.param(MS, [], "it is no number of milliseconds", id="no milliseconds"),
        pytest.param(MS, 10**17, "is no date of the years 1 to 9999", id="beyond the years"),
        pytest.param(MS, float("inf"), "cannot convert float infinity", id="the end of time"),
        pytest.param(item("c", Type.DATETIME), 1, "it is no text", id="no text of a time"),
        pytest.param(MAP, {"a": 1}, "it is no list of keys and values", id="no list"),
        pytest.param(MAP, [{"value": 1}], "one of its entries has no 'key'", id="no key"),
        pytest.param(
            item("c"), ["x" * 99], "… (103 characters), which is no TEXT", id="a long one is shortened"
        ),
    ],
)
def test_a_value_of_another_type_is_an_error_that_says_where(column: Column, value: JSON, said: str) -> None:
    with pytest.raises(DataError, match="c is ") as raised:
        decode_column(column, value)
    assert said in raised.value.message
    assert (raised.value.pointer, raised.value.reason) == ("/c", "wrong_type")


@pytest.mark.parametrize(
    ("found", "cell"),
    [
        pytest.param({"scalar": {"value": 0.5}}, 0.5, id="there"),
        pytest.param({"scalar": {}}, 0.0, id="left out"),
        pytest.param({"scalar": {"value": None}}, 0.0, id="null"),
        pytest.param({"tensor": {}}, None, id="nothing that could hold it"),
        pytest.param({"scalar": "text"}, None, id="no object that could hold it"),
    ],
)
def test_what_is_left_out_is_what_its_absence_means(found: JSON, cell: SQLValue) -> None:
    column = Column("c", Type.REAL, Role.ITEM, path=("scalar", "value"), absent=0)
    assert decode_item(resource([column]), found, {}).get("c") == cell


def test_json_is_compact_and_raw() -> None:
    assert dump_json({"a": [1, "é"], "b": None}) == '{"a":[1,"é"],"b":null}'
    assert dump_json([float("nan"), {"x": float("-inf")}]) == '[null,{"x":null}]'


COLUMNS = [
    Column("project", Type.TEXT, Role.PARAMETER, path=("name",), segment="projects"),
    Column("run", Type.TEXT, Role.PARAMETER, path=("^", "info", "id")),
    Column("bound", Type.TEXT, Role.PARAMETER),
    item("label"),
    Column("deep", Type.TEXT, Role.ITEM, path=("a", "b")),
    Column("whole", Type.JSON, Role.ITEM, whole_item=True),
    option("filter"),
    Column("total", Type.INTEGER, Role.RESPONSE, hidden=True, path=("meta", "total")),
]


def rows(
    items: list[JSON], *, echo: dict[str, SQLValue] | None = None, parents: Any = None, **facts: Any
) -> list[Row]:
    """The rows of a page, without their rowids."""
    return [row[:-1] for row in pages([items], echo=echo, parents=parents, **facts)]


def pages(
    found: list[list[JSON]],
    *,
    echo: dict[str, SQLValue] | None = None,
    parents: Any = None,
    columns: Any = COLUMNS,
    used: Any = None,
    answer: Any = None,
    **facts: Any,
) -> list[Row]:
    listing = method("list")
    made = resource(columns, listing, **facts)
    planned = scan(made, used=frozenset(range(min(7, len(columns))) if used is None else used))
    decoder = RowDecoder(planned)
    operation = Operation(made.name, listing, (), echo=tuple((echo or {}).items()))
    read = [Page(operation, items, parents, answer or {}, 200, None, {}, 0.0) for items in found]
    decoded = (decoder.decode(page) for page in read)
    return [(*row, rowid) for page in decoded for row, rowid in zip(page.rows, page.rowids, strict=True)]


def test_a_row_is_read_from_the_item_its_name_its_enclosing_items_and_what_was_bound() -> None:
    found: JSON = {"name": "projects/p/runs/r", "label": "l", "a": {"b": "deep"}}
    cells = rows([found], echo={"bound": "b", "filter": "f"}, parents=[({"info": {"id": "r1"}},)])
    assert cells == [("p", "r1", "b", "l", "deep", dump_json(found), "f", None)]


def test_what_is_nowhere_is_null() -> None:
    assert rows([{"name": "odd/one/p", "a": 1}]) == [
        (None, None, None, None, None, '{"name":"odd/one/p","a":1}', None, None)
    ]
    assert rows([{"name": 5}, "text"])[1] == (None, None, None, None, None, '"text"', None, None)


def test_a_segment_is_what_was_bound_where_it_was() -> None:
    assert rows([{"name": "projects/123"}], echo={"project": "mine"})[0][0] == "mine"


def test_columns_that_are_not_read_are_not_decoded() -> None:
    assert rows([{"label": [1], "a": {"b": "x"}}], used={4}) == [
        (None, None, None, None, "x", None, None, None)
    ]


def test_a_page_is_a_row_where_only_the_answers_own_fields_are_read() -> None:
    found = pages(
        [[{"label": "l"}, {"label": "m"}]], used={6, 7}, answer={"meta": {"total": 2}}, echo={"filter": "f"}
    )
    assert [row[:-1] for row in found] == [(None, None, None, None, None, None, "f", 2)]


KEYED = [key("id"), item("stage")]


def test_a_rowid_is_of_the_key_and_the_same_in_every_scan() -> None:
    one = pages([[{"id": "a"}], [{"id": "b"}]], columns=KEYED, key=("id",))
    other = pages([[{"id": "b"}], [{"id": "a"}]], columns=KEYED, key=("id",))
    assert {row[0]: row[-1] for row in one} == {row[0]: row[-1] for row in other}
    assert one[0][-1] != one[1][-1]


def test_without_a_key_a_rowid_is_of_the_place() -> None:
    one = pages([[{"id": "a"}, {"id": "a"}], [], [{"id": "a"}]], columns=KEYED)
    assert len({row[-1] for row in one}) == 3
    assert [row[-1] for row in one] == [row[-1] for row in pages([[{}, {}], [], [{}]], columns=KEYED)]


def test_rowids_stay_with_their_rows() -> None:
    made = resource(KEYED, method("list"), key=("id",))
    items: list[JSON] = [{"id": "a", "stage": "x"}, {"id": "b", "stage": "y"}, {"id": "c", "stage": "z"}]
    page = Page(Operation(made.name, made.methods["list"], ()), items, None, {}, 200, None, {}, 0.0)
    whole = RowDecoder(scan(made, used=frozenset({0, 1}))).decode(page)
    other = RowDecoder(scan(made, used=frozenset({1})), [1]).decode(page)
    assert (other.rows, other.rowids) == ([("x",), ("y",), ("z",)], whole.rowids)
    picked = other.only([True, False, True])
    assert (picked.rows, picked.rowids) == ([("x",), ("z",)], [whole.rowids[0], whole.rowids[2]])


VIEW = View("view", "LIVE", ("stage",), {"LIVE": ("live",), "ALL": None})
STAGES: list[JSON] = [{"id": "a", "stage": "live"}, {"id": "b", "stage": "dead"}]


@pytest.mark.parametrize(
    ("view", "shape", "ids"),
    [
        pytest.param("LIVE", VIEW, ["a"], id="what it shows"),
        pytest.param("ALL", VIEW, ["a", "b"], id="everything"),
        pytest.param(None, VIEW, ["a", "b"], id="no view in force"),
        pytest.param(
            "LIVE", View("view", "LIVE", (), {"LIVE": ("live",)}), ["a", "b"], id="a view of the parent"
        ),
    ],
)
def test_a_view_drops_what_it_does_not_show(view: str | None, shape: View, ids: list[str]) -> None:
    listing = method("list")
    made = resource(KEYED, listing, view=shape)
    operation = Operation(made.name, listing, (), view=view)
    page = Page(operation, STAGES, None, {}, 200, None, {}, 0.0)
    assert [row[0] for row in RowDecoder(scan(made, used=frozenset({0}))).decode(page).rows] == ids


DROP = Drop(("^", "tags"), ("true",), key="prompt", unless="filter")
TAGGED: list[JSON] = [{"id": "a"}, {"id": "b"}, {"id": "c"}]
ABOVE = [
    ({"tags": [{"key": "prompt", "value": "true"}]},),
    ({"tags": [{"key": "x", "value": "true"}, 5]},),
    ({},),
]


@pytest.mark.parametrize(
    ("drop", "echo", "ids"),
    [
        pytest.param(DROP, {}, ["b", "c"], id="dropped by a key of the enclosing item"),
        pytest.param(DROP, {"filter": "x"}, ["a", "b", "c"], id="unless asked for"),
        pytest.param(Drop(("id",), ("a", "c")), {}, ["b"], id="dropped by a value"),
    ],
)
def test_items_that_are_no_rows_are_dropped(drop: Drop, echo: dict[str, SQLValue], ids: list[str]) -> None:
    assert [row[0] for row in rows(TAGGED, columns=KEYED, drop=drop, echo=echo, parents=ABOVE)] == ids


def test_an_answer_says_what_it_holds_of_a_row() -> None:
    made = resource([*COLUMNS, item("gone", Type.INTEGER)], method("list"))
    said: JSON = {"name": "projects/p", "label": None, "a": {"b": None}}
    assert decode_item(made, said, {"bound": "b"}) == {
        "project": "p",
        "bound": "b",
        "label": None,
        "deep": None,
        "gone": None,
    }
    assert decode_item(made, {}, {}) == {"project": None, "label": None, "gone": None}
