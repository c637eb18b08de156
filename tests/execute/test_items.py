from __future__ import annotations

from typing import Any

import pytest

from sqlprovider.errors import DataError
from sqlprovider.execute.items import items_at
from tests.execute.build import make_method

NESTED: dict[str, Any] = {
    "runs": [
        {"id": 1, "data": {"metrics": [{"key": "a"}, {"key": "b"}]}},
        {"id": 2},
        {"id": 3, "data": {}},
        {"id": 4, "data": {"metrics": [{"key": "c"}]}},
    ]
}


def taken(answer: dict[str, Any], *path: str, **options: Any) -> tuple[list[Any], list[Any] | None]:
    return items_at(answer, make_method(rows=path or None, **options))


def test_no_path_is_the_answer_itself() -> None:
    assert taken({"a": 1}) == ([{"a": 1}], None)


def test_a_list() -> None:
    assert taken({"runs": [{"a": 1}, {"a": 2}]}, "runs[]") == ([{"a": 1}, {"a": 2}], None)


@pytest.mark.parametrize("answer", [{}, {"runs": None}, {"runs": []}])
def test_an_absent_list_is_empty(answer: dict[str, Any]) -> None:
    assert taken(answer, "runs[]") == ([], None)


def test_an_absent_list_is_an_error_where_the_document_says_it_is_there() -> None:
    with pytest.raises(DataError, match="no /runs"):
        taken({}, "runs[]", optional_rows=False)


def test_one_object() -> None:
    assert taken({"run": {"a": 1}}, "run") == ([{"a": 1}], None)


@pytest.mark.parametrize("answer", [{}, {"run": None}])
def test_an_absent_object_is_an_error(answer: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="no /run,") as caught:
        taken(answer, "run")
    assert caught.value.reason == "missing_rows"


def test_an_absent_object_in_the_answer_to_a_write_is_nothing() -> None:
    assert taken({}, "run", effect="write") == ([], None)


def test_items_of_a_nested_list_know_the_items_they_lie_in() -> None:
    items, parents = taken(NESTED, "runs[]", "data", "metrics[]")
    assert items == [{"key": "a"}, {"key": "b"}, {"key": "c"}]
    runs = NESTED["runs"]
    assert parents == [(runs[0],), (runs[0],), (runs[3],)]


def test_parents_come_nearest_first() -> None:
    answer = {"a": [{"n": 1, "b": [{"n": 2, "c": [{"n": 3}]}]}]}
    items, parents = taken(answer, "a[]", "b[]", "c[]")
    assert items == [{"n": 3}]
    assert parents is not None
    assert [parent["n"] for parent in parents[0]] == [2, 1]


def test_a_list_within_one_object_lies_in_that_object() -> None:
    run = {"info": {"id": 1}, "data": {"metrics": [{"key": "a"}]}}
    assert taken({"run": run}, "run", "data", "metrics[]") == ([{"key": "a"}], [(run,)])


def test_an_object_within_an_object_lies_in_nothing() -> None:
    assert taken({"a": {"b": {"c": 1}}}, "a", "b") == ([{"c": 1}], None)


@pytest.mark.parametrize(
    ("answer", "path", "pointer"),
    [
        pytest.param({"run": []}, ("run",), "/run", id="a list for an object"),
        pytest.param({"run": 1}, ("run", "data", "metrics[]"), "/run", id="a number on the way"),
        pytest.param(
            {"runs": [{"data": 1}]}, ("runs[]", "data", "metrics[]"), "/runs/0/data", id="within an item"
        ),
        pytest.param(
            {"runs": [{}, {"data": {"metrics": {}}}]},
            ("runs[]", "data", "metrics[]"),
            "/runs/1/data/metrics",
            id="an inner list",
        ),
        pytest.param({"runs": [[]]}, ("runs[]", "metrics[]"), "/runs/0", id="an item"),
    ],
)
def test_the_wrong_shape_is_pointed_at(answer: dict[str, Any], path: tuple[str, ...], pointer: str) -> None:
    with pytest.raises(DataError) as caught:
        taken(answer, *path)
    assert (caught.value.pointer, caught.value.reason) == (pointer, "wrong_shape")
