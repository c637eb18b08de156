"""units(): which rows go out as one call; render_rows(): what the call's body holds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from sqlprovider.catalog.model import Batch, Method, Parameter, Place, Verb
from sqlprovider.plan.batch import Unit, render_rows, unit, units
from sqlprovider.plan.model import Operation, without_secrets
from sqlprovider.values import JSON, Name
from tests.plan.build import method, required, takes

NAME = Name("c", "s", "points")
NESTED: JSON = {
    "run": "runs/{run}",
    "series": [{"id": "$series", "kind": "$kind", "values": [{"step": "$step", "value": "$value"}]}],
    "fixed": ["a", "b"],
    "none": None,
}


def calls(body: JSON, *parameters: Parameter, max_rows: int = 100, **options: Any) -> Method:
    """A method whose rows go out by a call with this body."""
    path = options.pop("path", "/x")
    call = method("many", *parameters, verb=Verb.INSERT, body=body)
    call = Method("many", "many", Verb.INSERT, "write", "POST", path, call.parameters, body=body)
    return method("one", *parameters, verb=Verb.INSERT, batch=Batch(call, max_rows, **options))


def rows(one: Method, *given: Mapping[str, JSON]) -> list[Operation]:
    return [Operation(NAME, one, tuple(sorted(arguments.items()))) for arguments in given]


def places(found: Sequence[Unit]) -> list[tuple[int, ...]]:
    return [part.places for part in found]


LOG = calls(
    {"run": "$run", "metrics": [{"key": "$key", "value": "$value"}]},
    required("run", place=Place.BODY),
    required("key", place=Place.BODY),
    takes("value", place=Place.BODY),
    takes("note", place=Place.BODY),
    max_rows=3,
)


def points(count: int, run: str = "r") -> list[Operation]:
    given: list[dict[str, JSON]] = [{"run": run, "key": f"k{n}", "value": n} for n in range(count)]
    return rows(LOG, *given)


def test_rows_of_a_method_without_a_batch_go_alone() -> None:
    one = method("one", takes("a"), verb=Verb.INSERT)
    found = list(units(one, rows(one, {"a": 1}, {"a": 2})))
    assert places(found) == [(0,), (1,)]
    assert [part.operation.method.name for part in found] == ["one", "one"]


def test_one_row_goes_by_its_own_method() -> None:
    (found,) = units(LOG, points(1))
    assert (found.places, found.operation.method.name, found.operation.rows) == ((0,), "one", ())


def test_no_call_holds_more_rows_than_the_api_takes() -> None:
    found = list(units(LOG, points(7)))
    assert places(found) == [(0, 1, 2), (3, 4, 5), (6,)]
    assert [part.operation.method.name for part in found] == ["many", "many", "one"]
    assert [len(part.operation.rows) for part in found] == [3, 3, 0]


@pytest.mark.parametrize(("count", "requests"), [(2500, 3), (1000, 1), (1001, 2), (2000, 2)])
def test_a_batch_is_filled_before_the_next_begins(count: int, requests: int) -> None:
    many = calls([{"a": "$a"}], takes("a", place=Place.BODY), max_rows=1000)
    assert len(list(units(many, rows(many, *({"a": n} for n in range(count)))))) == requests


def test_rows_share_a_call_where_what_is_outside_the_lists_is_equal() -> None:
    mixed = [*points(2, "r"), *points(2, "s"), *points(1, "r")]
    assert places(list(units(LOG, mixed))) == [(0, 1, 4), (2, 3)]


@pytest.mark.parametrize("place", [Place.PATH, Place.QUERY, Place.HEADER])
def test_rows_with_other_arguments_beside_the_body_go_in_other_calls(place: Place) -> None:
    many = calls([{"a": "$a"}], takes("p", place=place), takes("a", place=Place.BODY), path="/{p}/x")
    found = units(many, rows(many, {"p": 1, "a": 1}, {"p": 2, "a": 2}, {"p": 1, "a": 3}, {"a": 4}))
    assert places(list(found)) == [(0, 2), (1,), (3,)]


def test_a_row_with_what_the_batch_cannot_hold_goes_alone() -> None:
    operations = points(3)
    operations[1] = rows(LOG, {"run": "r", "key": "k", "note": "n"})[0]
    assert places(list(units(LOG, operations))) == [(0, 2), (1,)]


def test_a_row_whose_body_the_statement_gives_goes_alone() -> None:
    operations = points(3)
    operations[0] = Operation(NAME, LOG, operations[0].arguments, body={"run": "r"})
    assert places(list(units(LOG, operations))) == [(0,), (1, 2)]


def test_no_body_is_longer_than_the_api_takes() -> None:
    long = calls(
        {"run": "$run", "metrics": [{"key": "$key"}]},
        takes("run", place=Place.BODY),
        takes("key", place=Place.BODY),
        max_rows=100,
        max_bytes=200,
    )
    operations = rows(long, *({"run": "r", "key": "é" * (10 + n % 40)} for n in range(60)))
    found = list(units(long, operations))
    assert sorted(place for part in found for place in part.places) == list(range(60))
    for part in found:
        given = [dict(operations[place].arguments) for place in part.places]
        assert len(json.dumps(render_rows(part.operation.method.body, given), ensure_ascii=False)) <= 200
    assert max(len(part.places) for part in found) > 1


def test_a_row_that_is_too_long_alone_is_sent_alone() -> None:
    long = calls([{"a": "$a"}], takes("a", place=Place.BODY), max_bytes=5)
    assert places(list(units(long, rows(long, {"a": "x" * 9}, {"a": 1}, {"a": 2})))) == [(0,), (1,), (2,)]


def test_a_call_of_some_rows_is_made_again_of_fewer() -> None:
    assert LOG.batch is not None
    operations = points(3)
    part = unit(LOG.batch, operations, [2, 0])
    assert (part.places, part.operation.method.name, part.operation.echo) == ((2, 0), "many", ())
    assert [row["key"] for row in part.operation.rows] == ["k2", "k0"]
    assert unit(LOG.batch, operations, [1]) == Unit((1,), operations[1])


def test_lists_in_lists_hold_an_element_for_each_of_what_is_outside_deeper_ones() -> None:
    given: list[dict[str, JSON]] = [
        {"run": "r", "series": "a", "kind": "S", "step": 1, "value": 0.5},
        {"run": "r", "series": "b", "kind": "S", "step": 1, "value": 1.5},
        {"run": "r", "series": "a", "kind": "S", "step": 2, "value": 2.5},
    ]
    nested = calls(NESTED, *(takes(name, place=Place.BODY) for name in given[0]))
    assert places(list(units(nested, rows(nested, *given)))) == [(0, 1, 2)]
    assert render_rows(NESTED, given) == {
        "run": "runs/r",
        "series": [
            {"id": "a", "kind": "S", "values": [{"step": 1, "value": 0.5}, {"step": 2, "value": 2.5}]},
            {"id": "b", "kind": "S", "values": [{"step": 1, "value": 1.5}]},
        ],
        "fixed": ["a", "b"],
        "none": None,
    }


def test_what_is_not_given_is_left_out_with_the_objects_that_hold_nothing_else() -> None:
    template: JSON = {"points": [{"step": "$step", "scalar": {"value": "$value"}, "tensor": "$tensor"}]}
    assert render_rows(template, [{"step": 1, "value": 2}, {"step": 3, "tensor": {}}]) == {
        "points": [{"step": 1, "scalar": {"value": 2}}, {"step": 3, "tensor": {}}]
    }


@pytest.mark.parametrize(
    ("template", "body"),
    [
        pytest.param("$a", 1, id="an argument"),
        pytest.param("x/{a}/{b}", "x/1/two", id="a text with arguments"),
        pytest.param(["p/{a}"], ["p/1", "p/2"], id="texts, one a row"),
        pytest.param({}, {}, id="an object of nothing"),
        pytest.param({"k": 7, "l": [True, None]}, {"k": 7, "l": [True, None]}, id="what holds no argument"),
        pytest.param([["$a"]], [[1, 2]], id="a list in a list"),
        pytest.param(["$a", "$b"], [1, "two"], id="a list of two is not filled"),
        pytest.param({"o": {"in": [{"a": "$a"}]}}, {"o": {"in": [{"a": 1}, {"a": 2}]}}, id="deep"),
        pytest.param(
            [{"a": "$b", "l": [["x"], "y"]}], [{"a": "two", "l": [["x"], "y"]}] * 2, id="fixed lists"
        ),
        pytest.param(
            [["$a", ["$b"]]], [[1, ["two"]], [2, ["two"]]], id="a list of two, of which one is filled"
        ),
    ],
)
def test_a_template_is_filled_with_rows(template: JSON, body: JSON) -> None:
    assert render_rows(template, [{"a": 1, "b": "two"}, {"a": 2, "b": "two"}]) == body


def test_a_text_takes_a_value_that_is_no_text_as_json() -> None:
    assert render_rows("{a}|{b}|{c}", [{"a": True, "b": {"k": 1}}]) == 'true|{"k": 1}|null'


def test_what_is_shown_of_a_call_holds_no_secret_of_any_row() -> None:
    many = calls([{"a": "$a", "key": "$key"}], takes("a", place=Place.BODY), takes("key", secret=True))
    (part,) = units(many, rows(many, {"a": 1, "key": "hush"}, {"a": 2, "key": "hush"}))
    shown = without_secrets(part.operation)
    assert [dict(row) for row in shown.rows] == [{"a": 1, "key": "***"}, {"a": 2, "key": "***"}]
    assert "hush" not in repr((shown.arguments, shown.rows))


def test_what_is_shown_of_a_given_body_holds_no_secret() -> None:
    one = method("one", takes("key", secret=True, place=Place.BODY), verb=Verb.INSERT)
    given = Operation(NAME, one, (), body={"key": "hush", "a": 1})
    assert without_secrets(given).body == {"key": "***", "a": 1}
    assert without_secrets(Operation(NAME, one, (), body=["hush"])).body == ["hush"]


def test_an_operation_without_secrets_is_shown_as_it_is() -> None:
    (first,) = points(1)
    assert without_secrets(first) is first


def test_a_list_of_several_arguments_is_no_list_of_rows() -> None:
    many = calls(
        {"between": ["$low", "$high"], "rows": [{"a": "$a"}]},
        *(takes(name, place=Place.BODY) for name in ("low", "high", "a")),
    )
    found = units(many, rows(many, *({"low": 1, "high": h, "a": h} for h in (2, 3, 2))))
    assert places(list(found)) == [(0, 2), (1,)]
