"""What the text alone says of the values that SQLite will hand to Filter."""

from __future__ import annotations

from typing import Any

import pytest

from sqlprovider.catalog.model import Parent
from sqlprovider.catalog.push import Filter, Push, Term
from sqlprovider.plan.bind import bound_parent_key, is_applied
from sqlprovider.plan.forecast import Given, forecast_arguments, value_in_hand
from sqlprovider.plan.model import Scan
from sqlprovider.values import Const, Listed, Opaque, Operand, Param, Predicate, Ref, Slot, Type
from tests.plan.build import item, key, method, option, required, resource, scan, takes, where

SCORES = Filter(
    "filter",
    {
        "scores": Term("scores.{key}", {">": ">"}, "number"),
        "name": Term("name", {"=": "=", "IN": "IN"}, exact=True),
    },
)
COLUMNS = (key("group"), key("id"), item("name"), item("scores", Type.JSON), option("filter"), option("size"))
LIST = method("list", required("group"), takes("filter"), takes("size"), push=Push(filter=SCORES))
FOUND = resource(COLUMNS, LIST, key=("group", "id"))


def planned(*predicates: Predicate, **options: Any) -> Scan:
    return scan(FOUND, *predicates, **options)


@pytest.mark.parametrize(
    ("said", "given", "arguments"),
    [
        pytest.param(where("group", "=", "g"), (), ("g",), id="a literal"),
        pytest.param(where("group", "IS", "g"), (), ("g",), id="IS"),
        pytest.param(where("group", "=", Param(1)), ("g",), ("g",), id="a parameter by number"),
        pytest.param(where("group", "=", Param("a")), {"a": "g"}, ("g",), id="a parameter by name"),
        pytest.param(where("group", "=", Param(2)), ("g",), None, id="a parameter that is not given"),
        pytest.param(where("group", "=", Param("a")), ("g",), None, id="a name among numbers"),
        pytest.param(where("group", "=", Ref("o", "x")), (), None, id="another table's column"),
        pytest.param(where("group", "=", Opaque()), (), None, id="an expression"),
        pytest.param(where("group", "IN", ("g", "h")), (), None, id="a set where one value is bound"),
        pytest.param(where("name", "=", "g"), (), None, id="nothing of that column"),
    ],
)
def test_one_value(said: Predicate, given: Given, arguments: tuple[object, ...] | None) -> None:
    assert forecast_arguments(planned(where("group", "=", Slot(0))), [said], given) == arguments


def test_a_set_is_forecast_for_a_set() -> None:
    several = planned(where("group", "IN", Slot(0)))
    listed = where("group", "IN", Listed((Const("g"), Param(1))))
    assert forecast_arguments(several, [listed], ("h",)) == (frozenset({"g", "h"}),)
    assert forecast_arguments(several, [where("group", "=", "g")], ()) is None


def test_two_values_of_one_column_cannot_be_told_apart() -> None:
    said = [where("group", "=", "g"), where("group", "=", "h")]
    assert forecast_arguments(planned(where("group", "=", Slot(0))), said, ()) is None


def test_what_is_pushed_by_key_is_said_as_the_push_word_says_it() -> None:
    found = planned(where("group", "=", "g"), where("scores", ">", Slot(0), key="acc"))
    said = [where("scores", ">", 0.5, key="acc")]
    assert forecast_arguments(found, said, ()) == ('["acc", ">", 0.5]',)
    assert forecast_arguments(found, [where("scores", ">", (1, 2), key="acc")], ()) is None


def test_a_pushed_set_is_a_set() -> None:
    found = planned(where("group", "=", "g"), where("name", "IN", Slot(0)))
    assert forecast_arguments(found, [where("name", "IN", ("a", "b"))], ()) == (frozenset({"a", "b"}),)


def test_a_scan_of_literals_needs_nothing() -> None:
    assert forecast_arguments(planned(where("group", "=", "g")), [], ()) == ()


def test_a_limit_is_left_to_sqlite() -> None:
    found = planned(where("group", "=", "g"), limit=(Slot(0),))
    assert forecast_arguments(found, [], ()) is None


def test_the_values_of_a_walk_are_those_of_its_parents() -> None:
    above = resource([key("site"), key("group")], method("list", required("site")), name="groups")
    below = resource(
        [key("site"), key("group"), key("id")],
        method("list", required("site"), required("group")),
        parents=(Parent("s", "groups", {"site": "site", "group": "group"}),),
    )
    found = scan(below, where("site", "=", Slot(0)), parents={"groups": above})
    assert forecast_arguments(found, [where("site", "=", "s")], ()) == ("s",)


@pytest.mark.parametrize(
    ("operand", "value"),
    [
        pytest.param(Const(1), 1, id="a literal"),
        pytest.param(Const((1, 2)), frozenset({1, 2}), id="literals"),
        pytest.param(Slot(0), None, id="what only SQLite knows"),
    ],
)
def test_values_in_hand(operand: Operand, value: object) -> None:
    assert value_in_hand(operand, ()) == value


def test_the_key_of_the_one_parent_there_can_be() -> None:
    above = resource([key("group")], method("list"), name="groups", key=("group",))
    below = resource(
        [key("group"), key("id")],
        method("list", required("group")),
        parents=(Parent("s", "groups", {"group": "group"}, confirm=True),),
    )
    found = scan(below, where("group", "=", Slot(0)), parents={"groups": above})
    assert bound_parent_key(found, ("g",)) == {"group": "g"}
    assert bound_parent_key(found, (None,)) is None
    assert bound_parent_key(scan(below, parents={"groups": above}), ()) is None
    assert bound_parent_key(planned(where("group", "=", "g")), ()) is None


def test_a_term_that_cannot_be_said_is_not_applied() -> None:
    found = planned(where("group", "=", "g"), where("name", "=", Slot(0)))
    (term,) = found.pushed
    assert is_applied(found, term, ("a",))
    assert not is_applied(found, term, (None,))
    equals = method("list", required("group"), takes("size"), push=Push(equals={"name": "size"}))
    other = scan(resource(COLUMNS, equals), where("group", "=", "g"), where("name", "=", Slot(0)))
    assert not is_applied(other, other.pushed[0], ("a",))
