"""A page decoded a column at a time is what it is one cell at a time, errors included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlprovider.catalog.model import ITSELF, Column, Role, Wire
from sqlprovider.errors import DataError
from sqlprovider.execute.response import Page
from sqlprovider.execute.rows import RowDecoder
from sqlprovider.plan.model import Operation
from sqlprovider.values import JSON, Row, Type
from tests.execute.percell import rows_of
from tests.plan.build import item, key, method, resource, scan

INFINITE = 1.7976931348623157e308
KINDS = [
    (Type.TEXT, Wire.PLAIN),
    (Type.TEXT, Wire.NUMBER_TEXT),
    (Type.INTEGER, Wire.PLAIN),
    (Type.INTEGER, Wire.INT64),
    (Type.REAL, Wire.PLAIN),
    (Type.REAL, Wire.NUMBER),
    (Type.BOOLEAN, Wire.PLAIN),
    (Type.DATETIME, Wire.RFC3339),
    (Type.DATETIME, Wire.EPOCH_MS),
    (Type.JSON, Wire.PLAIN),
    (Type.JSON, Wire.KEY_VALUE),
]

WHOLE = st.one_of(
    st.integers(-9, 9),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([2**63, 2**63 - 1, -(2**63), -(2**63) - 1, 2**70]),
)
REALS = st.floats() | st.sampled_from([INFINITE, -INFINITE, 1e308, 2.0])
TEXTS = st.text(max_size=5) | st.sampled_from(
    ["", "0", "12", " 7 ", "NaN", "-Infinity", "true", "False", "1.5", "x/1/y/2"]
)
INSTANTS = """
2026-01-02T03:04:05Z 2026-01-02T03:04:05.1Z 2026-01-02T03:04:05.123Z 2026-01-02T23:59:59.123456Z
2026-01-02T03:04:05.123456789Z 2026-02-29T03:04:05Z 2024-02-29T03:04:05Z 2026-01-02T24:00:00Z
0000-01-01T00:00:00Z 2026-01-02T03:04:05+01:00 2026-01-02 2026-01-02T03:04:60Z 2026-01-02T03:04:05z
2026-01-02T03:04:05.Z 9999-12-31T23:59:59Z 2026-W01-1T03:04:05Z
"""
TIMES = st.sampled_from(INSTANTS.split())
STAMPS = st.sampled_from(
    [0, 1767323045678, -1, -62135596800000, -62135596800001, 253402300799999, 253402300800000]
)
PAIRS = st.lists(
    st.fixed_dictionaries(
        {"key": st.text(max_size=3)},
        optional={"value": REALS | WHOLE | TEXTS | st.none(), "more": st.just(1)},
    ),
    max_size=4,
)
ODD = st.sampled_from(
    [None, True, 0, [], {}, "NaN", [1], [{"value": 1}], [{"key": 1, "value": 2}], {"b": 1.5, "k": "v"}]
)


VALUES = {
    Type.TEXT: TEXTS,
    Type.INTEGER: WHOLE | WHOLE.map(str),
    Type.REAL: REALS | WHOLE,
    Type.BOOLEAN: st.booleans(),
    Type.DATETIME: TIMES,
    Type.JSON: PAIRS,
}


@st.composite
def _column(draw: st.DrawFn, name: str) -> Column:
    type_, wire = draw(st.sampled_from(KINDS))
    rarely = draw(st.integers(0, 9))
    return Column(
        name,
        type_,
        Role.ITEM,
        path=draw(
            st.sampled_from([(name,), ("o", name), ("o", "o", name), ("^", name), ("^", "^", "o", name)])
        ),
        wire=wire,
        segment="x" if rarely == 0 else None,
        zero_is_null=draw(st.booleans()),
        absent=0 if rarely == 1 else None,
        infinite=draw(st.sampled_from([None, INFINITE])),
        numeric_keys=draw(st.booleans()),
        keep=draw(st.sampled_from([(), ("k",)])),
        sort=draw(st.sampled_from([None, "key"])),
        whole_item=rarely == 2,
        present={name: "has it", "o": "has another"} if rarely == 3 else {},
    )


@st.composite
def _values(draw: st.DrawFn, column: Column, count: int) -> list[JSON]:
    """What the items hold for a column: values of its kind, maybe some null, maybe anything among them."""
    usual: st.SearchStrategy[Any] = STAMPS if column.wire is Wire.EPOCH_MS else VALUES[column.type]
    usual = draw(st.sampled_from([usual, usual.filter(lambda value: not isinstance(value, str)), usual]))
    chosen = draw(st.sampled_from([usual, usual, st.none() | usual, st.one_of(usual, usual, usual, ODD)]))
    return draw(st.lists(chosen, min_size=count, max_size=count))


def _put(holder: Any, path: Sequence[str], value: JSON) -> None:
    *around, last = path
    for name in around:
        holder = holder.setdefault(name, {})
        if not isinstance(holder, dict):
            return
    holder[last] = value


@st.composite
def pages(draw: st.DrawFn) -> tuple[list[Column], list[JSON], list[tuple[JSON, ...]]]:
    """Columns, items that hold what those want, and what the items lie in."""
    count = draw(st.integers(0, 6))
    columns = [draw(_column(f"c{n}")) for n in range(draw(st.integers(1, 3)))]
    levels: list[list[dict[str, Any]]] = [[{} for _ in range(3)] for _ in range(count)]
    for column in columns:
        level = column.path.count("^")
        for ordinal, value in enumerate(draw(_values(column, count))):
            if draw(st.integers(0, 19)):
                _put(levels[ordinal][level], column.path[level:], value)
    lost = draw(st.sampled_from([0, 0, 0, 1, 2]))
    items: list[Any] = [item if draw(st.integers(0, 49)) else draw(ODD) for item, *_ in levels]
    return columns, items, [tuple(around[: 2 - lost]) for _, *around in levels]


def decoded(
    columns: list[Column], found: list[JSON], above: list[tuple[JSON, ...]] | None, *wanted: int
) -> list[Row]:
    made = resource(columns, method("list"))
    operation = Operation(made.name, made.methods["list"], ())
    page = Page(operation, found, above, {}, 200, None, {}, 0.0)
    planned = scan(made, used=frozenset(range(len(columns))))
    return RowDecoder(planned, wanted or None).decode(page).rows


def outcome(run: Any, *given_: Any) -> object:
    """The rows and the types in them, or the error."""
    try:
        return repr(run(*given_))
    except DataError as error:
        return error.message, error.pointer, error.reason


@given(pages())
def test_a_page_is_the_same_a_column_and_a_cell_at_a_time(
    page: tuple[list[Column], list[JSON], list[tuple[JSON, ...]]],
) -> None:
    assert outcome(decoded, *page) == outcome(rows_of, *page)


@given(
    st.sampled_from(KINDS).flatmap(
        lambda kind: st.tuples(st.just(kind), st.lists(TIMES | STAMPS, max_size=8))
    )
)
def test_times_are_the_same_a_column_and_a_cell_at_a_time(found: tuple[tuple[Type, Wire], list[Any]]) -> None:
    (type_, wire), values = found
    columns, items = [item("a", type_, wire=wire)], [{"a": value} for value in values]
    none: list[tuple[JSON, ...]] = [() for _ in items]
    assert outcome(decoded, columns, items, none) == outcome(rows_of, columns, items, none)


BOUND = item("a", Type.REAL, infinite=INFINITE)
MAP = item("a", Type.JSON, wire=Wire.KEY_VALUE, infinite=INFINITE)
TEXT_MAP = item("a", Type.JSON, wire=Wire.KEY_VALUE, numeric_keys=False)


def _map(**values: Any) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in values.items()]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        pytest.param(item("a", Type.REAL), [1.5, float("nan"), 2.5], id="NaN among numbers"),
        pytest.param(item("a", Type.REAL), [1.5, float("-inf")], id="infinity among numbers"),
        pytest.param(item("a", Type.REAL), [1e308, 1e308], id="a sum beyond all measure"),
        pytest.param(item("a", Type.REAL), [1, 10**400], id="an integer beyond all measure"),
        pytest.param(BOUND, [1.5, -INFINITE], id="as good as -infinite"),
        pytest.param(BOUND, [float("nan"), INFINITE], id="as good as infinite after NaN"),
        pytest.param(MAP, [_map(b=1.5, a=2), None, _map(c=INFINITE)], id="as good as infinite in a map"),
        pytest.param(MAP, [_map(a=float("nan"), b=1.5)], id="NaN in a map"),
        pytest.param(MAP, [_map(a="NaN", b=1.5)], id="NaN as text in a map"),
        pytest.param(MAP, [[{"key": 1, "value": 1.5}]], id="a key that is no text"),
        pytest.param(MAP, [[{"key": "a"}], _map(a=1)], id="a key without a value"),
        pytest.param(MAP, [_map(a=1), {}], id="no list of keys and values"),
        pytest.param(MAP, [_map(a=2**70)], id="a large integer in a map"),
        pytest.param(TEXT_MAP, [_map(b="x", a="y"), _map(a="1e-5")], id="texts in a map"),
        pytest.param(TEXT_MAP, [_map(b={"d": 1, "c": 2}, a="y")], id="an object in a map"),
        pytest.param(item("a", Type.INTEGER), [1, True], id="a truth value among integers"),
    ],
)
def test_one_odd_value_among_usual_ones(column: Column, values: list[Any]) -> None:
    items = [{"a": value} for value in values]
    none: list[tuple[JSON, ...]] = [() for _ in items]
    assert outcome(decoded, [column], items, none) == outcome(rows_of, [column], items, none)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        pytest.param([item("a", Type.INTEGER), item("b", Type.INTEGER)], "b is ", id="the first row"),
        pytest.param([item("b", Type.INTEGER), item("a", Type.INTEGER)], "b is ", id="whichever column"),
        pytest.param(
            [item("a", Type.INTEGER), item("c", Type.REAL)], "c is ", id="the first column of the row"
        ),
    ],
)
def test_the_error_is_of_the_first_row_that_is_wrong(columns: list[Column], said: str) -> None:
    items: list[JSON] = [{"a": 1, "b": 1, "c": 0}, {"a": 1, "b": "x", "c": "y"}, {"a": "z", "b": 1, "c": 0}]
    with pytest.raises(DataError, match=said):
        decoded(columns, items, None)


def test_columns_come_in_the_order_that_is_asked_for() -> None:
    columns = [key("a"), item("b", Type.INTEGER), item("c", Type.BOOLEAN)]
    items: list[JSON] = [{"a": "x", "b": 1, "c": True}, {"a": "y", "b": 2}]
    assert decoded(columns, items, None, 2, 0, 2) == [(1, "x", 1), (None, "y", None)]


def test_what_is_not_asked_for_is_not_decoded() -> None:
    columns = [key("a"), item("b", Type.INTEGER)]
    assert decoded(columns, [{"a": "x", "b": "odd"}], None, 0) == [("x",)]


def test_rows_of_no_columns_are_counted() -> None:
    planned = scan(resource([key("a")], method("list")), used=frozenset())
    page = Page(Operation(planned.resource.name, planned.method, ()), [{}, {}], None, {}, 200, None, {}, 0.0)
    assert RowDecoder(planned, []).decode(page).rows == [(), ()]


def test_plain_items_are_cells() -> None:
    columns = [
        Column("value", Type.TEXT, Role.ITEM, path=ITSELF),
        Column("n", Type.TEXT, Role.ITEM, path=("n",)),
    ]
    assert decoded(columns, ["a", 1.5, None], None) == [("a", None), ("1.5", None), (None, None)]
