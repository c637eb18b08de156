"""What is the same value in two forms, and what is not."""

from __future__ import annotations

import pytest

from sqlprovider.session import ColumnFacts
from sqlprovider.surfaces.deploy.equal import is_same
from sqlprovider.values import JSON, SQLValue, Type


def column(type_: Type, *, is_map: bool = False) -> ColumnFacts:
    return ColumnFacts("c", type_, False, "item", True, True, is_map, False, False, ())


@pytest.mark.parametrize(
    ("type_", "wanted", "live"),
    [
        pytest.param(Type.INTEGER, "9007199254740993", 9007199254740993, id="an int64 in a text"),
        pytest.param(Type.REAL, 1, 1.0, id="a whole number in a REAL"),
        pytest.param(Type.REAL, "1.50", 1.5, id="a number in a text"),
        pytest.param(Type.TEXT, 7, "7", id="a number where a text is"),
        pytest.param(Type.TEXT, True, "true", id="a truth where a text is"),
        pytest.param(Type.BOOLEAN, True, 1, id="true is 1"),
        pytest.param(Type.BOOLEAN, "false", 0, id="a text of a truth"),
        pytest.param(Type.DATETIME, "2026-01-02T03:04:05Z", "2026-01-02 03:04:05.000", id="RFC 3339"),
        pytest.param(Type.DATETIME, "2026-01-02T05:04:05+02:00", "2026-01-02 03:04:05.000", id="an offset"),
        pytest.param(Type.DATETIME, 1767323045678, "2026-01-02 03:04:05.678", id="epoch ms"),
        pytest.param(Type.JSON, {"b": 1, "a": [{}]}, '{"a":[null],"b":"1"}', id="order, int64 and empties"),
        pytest.param(Type.JSON, '{"a": 1}', '{"a":1}', id="a text of JSON"),
        pytest.param(
            Type.JSON, {"t": "2026-01-02T03:04:05Z"}, '{"t":"2026-01-02T03:04:05.000Z"}', id="times"
        ),
        pytest.param(Type.JSON, {}, None, id="an empty map is absent"),
        pytest.param(Type.JSON, [], "", id="an empty list is absent"),
        pytest.param(Type.TEXT, "", None, id="an empty text is absent"),
        pytest.param(Type.TEXT, None, "", id="null is an empty text"),
    ],
)
def test_two_forms_of_a_value_are_the_same(type_: Type, wanted: JSON, live: SQLValue) -> None:
    assert is_same(wanted, {"c": live}, column(type_))


@pytest.mark.parametrize(
    ("type_", "wanted", "live"),
    [
        pytest.param(
            Type.INTEGER, "9007199254740993", 9007199254740992, id="int64s that one REAL stands for"
        ),
        pytest.param(Type.JSON, {"a": 9007199254740993}, '{"a":"9007199254740992"}', id="the same in JSON"),
        pytest.param(Type.REAL, 0, None, id="zero is not absent"),
        pytest.param(Type.BOOLEAN, False, None, id="false is not absent"),
        pytest.param(Type.TEXT, "a", "A", id="case"),
        pytest.param(Type.TEXT, "1.0", "1", id="texts are texts"),
        pytest.param(Type.DATETIME, "2026-01-02 03:04:05", "2026-01-02 03:04:05.001", id="a millisecond"),
        pytest.param(Type.JSON, {"a": 1}, '{"a":1,"b":2}', id="a key more is a change of the whole"),
        pytest.param(Type.JSON, [1, 2], "[2,1]", id="the order of a list"),
        pytest.param(Type.JSON, {"a": True}, '{"a":1}', id="true in JSON is not 1"),
    ],
)
def test_two_values_are_not_the_same(type_: Type, wanted: JSON, live: SQLValue) -> None:
    assert not is_same(wanted, {"c": live}, column(type_))


def test_a_number_that_is_none_is_the_same_as_what_stands_beside_it() -> None:
    assert is_same("NaN", {"c": None, "c_text": "NaN"}, column(Type.REAL))
    assert not is_same("NaN", {"c": None, "c_text": "Infinity"}, column(Type.REAL))


def test_what_the_server_adds_within_what_cannot_be_changed_is_no_change() -> None:
    live: SQLValue = '{"pools":[{"image":"x","disk":{"gb":100}}]}'
    assert is_same({"pools": [{"image": "x"}]}, {"c": live}, column(Type.JSON), whole=False)
    assert not is_same({"pools": [{"image": "y"}]}, {"c": live}, column(Type.JSON), whole=False)
