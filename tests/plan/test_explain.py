"""Plans as the rows of EXPLAIN."""

from __future__ import annotations

import pytest

from sqlprovider.catalog.model import (
    Batch,
    Column,
    Parent,
    Role,
    Verb,
    View,
)
from sqlprovider.catalog.push import Filter, Order, Push, Term
from sqlprovider.plan.explain import Step, explain_mutation, explain_scan
from sqlprovider.plan.model import PushedOrder
from sqlprovider.plan.mutation import plan_delete, plan_insert, plan_update
from sqlprovider.values import Const, Listed, Operand, Param, Predicate, Ref, Slot, Type
from tests.plan.build import item, key, method, option, required, resource, scan, takes, where

VIEW = View("view", "LIVE", ("stage",), {"LIVE": ("live",), "ALL": None})
PUSH = Push(
    filter=Filter("filter", {"name": Term("name", {"=": "="}, exact=True)}),
    order=Order("order", {"name": "name"}, {"name": ("ASC",)}),
)
THINGS = resource(
    [
        key("group"),
        key("id"),
        item("name"),
        item("size"),
        option("view"),
        option("filter"),
        option("order"),
        Column("total", Type.INTEGER, Role.RESPONSE, hidden=True, path=("total",)),
    ],
    method("list", required("group"), takes("view"), takes("filter"), takes("order"), push=PUSH),
    method("get", required("id")),
    view=VIEW,
    parents=(Parent("s", "groups", {"group": "group"}),),
)
GROUPS = resource([key("group")], method("list"), name="groups")
ABOVE = {"groups": GROUPS}


def test_a_line_is_numbered() -> None:
    assert Step("r", "m", 1, "t", "p", "c", "n").row(3) == (3, "r", "m", 1, "t", "p", "c", "n")


def test_a_scan_is_a_line_that_says_what_is_pushed_and_what_is_checked_again() -> None:
    planned = scan(
        THINGS,
        where("group", "IN", ("g", "h")),
        where("name", "=", "x"),
        where("size", ">", 1),
        where("view", "=", "ALL"),
    )
    (step,) = explain_scan(planned)
    assert (step.resource, step.method, step.requests) == ("c.s.r", "list", None)
    assert (step.pushed, step.rechecked, step.note) == ("group IN, view =, name =", "size", None)


def test_the_notes_say_order_page_size_and_the_view() -> None:
    planned = scan(THINGS, where("group", "=", "g"), order=(PushedOrder("name", "ASC"),), limit=(Slot(0),))
    (step,) = explain_scan(planned)
    assert step.note == "page size from LIMIT; in the API's order by name ASC; view = 'LIVE'"


def test_a_row_that_is_a_page_says_so() -> None:
    (step,) = explain_scan(scan(THINGS, where("group", "=", "g"), used=frozenset({7})))
    assert step.note == "a row is a page; view = 'LIVE'"


def test_the_parents_of_a_walk_come_first() -> None:
    parent, step = explain_scan(scan(THINGS, parents=ABOVE))
    assert (parent.resource, parent.requests) == ("c.s.groups", None)
    assert (step.requests, step.note) == (None, "per row of groups, which gives group; view = 'LIVE'")


@pytest.mark.parametrize(
    ("said", "requests"),
    [
        pytest.param((where("id", "IN", ("a", "b", "a", None)),), 2, id="literals, each once"),
        pytest.param((where("id", "IN", Listed((Param(1), Const("b")))),), None, id="parameters"),
        pytest.param((where("id", "IN", Const("a")),), None, id="no list"),
        pytest.param((), None, id="not in the text"),
        pytest.param((where("id", "IN", ("a",)), where("id", "IN", ("b",))), None, id="two lists"),
    ],
)
def test_the_requests_of_a_set_are_counted_where_the_text_says_it(
    said: tuple[Predicate, ...], requests: int | None
) -> None:
    (step,) = explain_scan(scan(THINGS, where("id", "IN", Slot(0)), parents=ABOVE), said)
    assert step.requests == requests


@pytest.mark.parametrize(
    ("said", "outer", "times"),
    [
        pytest.param(Ref("e", "id"), None, "per row of e", id="as the text says"),
        pytest.param(None, "e", "per row of e", id="the table before"),
        pytest.param(None, None, None, id="nothing said"),
        pytest.param(Param(1), "e", None, id="a parameter"),
    ],
)
def test_what_an_inner_table_is_read_for(said: Operand | None, outer: str | None, times: str | None) -> None:
    predicates = () if said is None else (where("id", "=", said),)
    (step,) = explain_scan(scan(THINGS, where("id", "=", Slot(0)), parents=ABOVE), predicates, outer=outer)
    assert (step.requests, step.times) == (1, times)


def test_a_constant_is_read_once() -> None:
    (step,) = explain_scan(
        scan(THINGS, where("id", "=", "x"), parents=ABOVE), (where("id", "=", Ref("e", "id")),), outer="e"
    )
    assert step.times is None


def test_the_key_of_a_walks_parent_counts() -> None:
    below = scan(THINGS, where("group", "=", Slot(0)))
    confirmed = resource(
        [key("group"), key("id")],
        method("list", required("group")),
        parents=(Parent("s", "groups", {"group": "group"}, confirm=True),),
    )
    walked = scan(confirmed, where("group", "=", Slot(0)), parents=ABOVE)
    said = (where("group", "=", Ref("e", "g")),)
    assert [step.times for step in explain_scan(below, said)] == ["per row of e"]
    assert [step.times for step in explain_scan(walked, said)] == [None, "per row of e"]


WRITTEN = resource(
    [key("id"), item("name"), item("tags", Type.JSON, set_key="set_tag")],
    method("update", required("id"), takes("name"), verb=Verb.UPDATE, sets=("name",)),
    method("delete", required("id"), verb=Verb.DELETE),
    method("set_tag", required("id"), required("key"), required("value"), verb=Verb.EXEC),
)


@pytest.mark.parametrize(
    ("unread", "note"),
    [pytest.param(True, "the rows are not read first", id="unread"), pytest.param(False, None, id="read")],
)
def test_a_write_is_a_line_for_each_row(unread: bool, note: str | None) -> None:
    (step,) = explain_mutation(plan_delete(WRITTEN, {}), alias="r", unread=unread)
    assert (step.method, step.requests, step.times, step.note) == ("delete", 1, "per row of r", note)


def test_a_map_is_a_line_for_each_key_that_differs() -> None:
    steps = list(explain_mutation(plan_update(WRITTEN, ["name", "tags"], {}), alias="r", unread=False))
    assert [(s.method, s.requests, s.pushed) for s in steps] == [
        ("update", 1, "name, tags"),
        ("set_tag", None, "name, tags"),
    ]
    assert steps[1].note == "for each key of tags that differs"
    (alone,) = explain_mutation(plan_update(WRITTEN, ["tags"], {}), alias="r", unread=False)
    assert alone.method == "set_tag"


def test_a_write_that_goes_out_together_says_how_many_rows_a_request_holds() -> None:
    many = method("many", required("a"), verb=Verb.INSERT)
    logged = resource([item("a")], method("log", required("a"), verb=Verb.INSERT, batch=Batch(many, 7)))
    (step,) = explain_mutation(plan_insert(logged, ["a"], {}), alias="r", unread=False)
    assert (step.method, step.note) == ("log", "up to 7 rows a request")


def test_what_is_sent_though_nobody_gave_it_is_said() -> None:
    found = resource(
        [key("group"), option("since")], method("list", required("group"), takes("since", default="2000"))
    )
    given = explain_scan(scan(found, where("group", "=", "g"), where("since", "=", "2020")))
    left = explain_scan(scan(found, where("group", "=", "g")))
    assert [step.note for step in (*left, *given)] == ["since = '2000'", None]
