"""plan_scan: which method answers, with what, and why none does."""

from __future__ import annotations

from typing import Any

import pytest

from sqlprovider.catalog.model import (
    Column,
    Parent,
    Resource,
    Role,
    Verb,
    View,
)
from sqlprovider.catalog.push import Order, Push
from sqlprovider.plan.model import PushedOrder
from sqlprovider.plan.refusal import refusal_error
from sqlprovider.plan.scan import estimate
from sqlprovider.values import Const, Opaque, Predicate, Ref, Slot, Type
from tests.plan.build import (
    TOKEN,
    item,
    key,
    method,
    option,
    refusal,
    required,
    resource,
    scan,
    takes,
    where,
)

VIEW = View("view", "LIVE", ("stage",), {"LIVE": ("live",), "ALL": None}, column="stage")
RUNS = resource(
    [key("group"), key("id"), item("stage"), item("at", Type.DATETIME), option("view"), option("size")],
    method("list", required("group"), takes("view"), takes("size"), pages=TOKEN),
    method("get", required("id")),
    key=("id",),
    view=VIEW,
)


@pytest.mark.parametrize(
    ("predicates", "method_"),
    [
        pytest.param((where("group", "=", "g"),), "list", id="the one that is bound"),
        pytest.param((where("group", "=", "g"), where("id", "=", "i")), "get", id="the cheaper of two"),
        pytest.param((where("id", "IS", "i"),), "get", id="IS binds"),
        pytest.param((where("id", "IN", ("i", "j")),), "get", id="IN binds"),
        pytest.param(
            (where("group", "=", "g"), where("id", "=", "i"), where("size", "=", 5)),
            "list",
            id="takes the option",
        ),
        pytest.param(
            (where("group", "=", "g"), where("id", "=", "i"), where("view", "=", "ALL")),
            "get",
            id="a view needs none",
        ),
    ],
)
def test_the_method_that_answers_best_is_chosen(predicates: tuple[Predicate, ...], method_: str) -> None:
    assert scan(RUNS, *predicates).method.name == method_


@pytest.mark.parametrize(
    "predicate",
    [
        pytest.param(where("id", "=", None), id="NULL"),
        pytest.param(where("id", ">", "i"), id="no equality"),
        pytest.param(where("id", "=", "i", key="k"), id="a key of it"),
        pytest.param(where("id", "=", Slot(0), usable=False), id="not usable"),
        pytest.param(where("id", "=", Ref("t", "id")), id="another table's column"),
        pytest.param(where("id", "=", Opaque()), id="an expression"),
    ],
)
def test_what_does_not_bind_a_parameter(predicate: Predicate) -> None:
    refused = refusal(RUNS, predicate)
    assert [(c.method.name, c.missing) for c in refused.candidates] == [
        ("list", ("group",)),
        ("get", ("id",)),
    ]


def test_one_value_binds_before_a_set_of_them() -> None:
    planned = scan(RUNS, where("id", "IN", ("i", "j")), where("id", "=", "i"))
    assert [(binding.operand, binding.many) for binding in planned.bindings] == [(Const("i"), False)]


def test_a_default_binds_what_the_statement_does_not() -> None:
    assert scan(RUNS, defaults={"group": "d"}).bindings[0].operand == Const("d")
    assert scan(RUNS, where("group", "=", "g"), defaults={"group": "d"}).bindings[0].operand == Const("g")


def test_an_option_whose_value_is_an_expression_is_not_sent() -> None:
    planned = scan(RUNS, where("group", "=", "g"), where("size", "=", Opaque()), where("view", "=", Opaque()))
    assert (planned.options, planned.echoes, planned.view) == ((), (), Const("LIVE"))


def test_times_and_the_views_column_are_looked_at_when_their_values_are_at_hand() -> None:
    planned = scan(
        RUNS,
        where("group", "=", "g"),
        where("at", ">", Slot(0)),
        where("at", "LIKE", "2026%"),
        where("at", "<", Opaque()),
        where("stage", "=", Slot(1)),
        where("stage", ">", "a"),
        where("stage", "=", Opaque()),
    )
    assert [term.operand for term in planned.times] == [Slot(0)]
    assert [term.operand for term in planned.viewed] == [Slot(1)]


def test_a_statement_that_gives_the_view_is_not_warned() -> None:
    assert (
        scan(RUNS, where("group", "=", "g"), where("view", "=", "ALL"), where("stage", "=", "x")).viewed == ()
    )


def test_options_that_no_one_method_takes_are_refused_together() -> None:
    found = resource(
        [key("id"), option("a"), option("b")], method("list", takes("a")), method("find", takes("b"))
    )
    error = refusal_error(refusal(found, where("a", "=", "1"), where("b", "=", "2")))
    assert error.message == "SELECT on c.s.r: no method takes a, b together with what is given"
    assert error.hint == "SHOW METHODS IN c.s.r"


def test_a_method_that_lacks_nothing_but_takes_not_the_option_is_no_candidate() -> None:
    found = resource([key("id"), option("b")], method("list"), method("get", required("id"), takes("b")))
    assert [c.method.name for c in refusal(found, where("b", "=", "2")).candidates] == ["get"]


def test_a_resource_without_a_reading_method_is_refused() -> None:
    refused = refusal(resource([key("id")], method("stop", verb=Verb.EXEC)))
    assert refused.message == "SELECT on c.s.r: no method reads it; it has EXEC"


PAGED = resource(
    [key("id"), item("at"), option("order"), option("other")],
    method(
        "list", takes("order"), pages=TOKEN, push=Push(order=Order("order", {"at": "at"}, {"at": ("ASC",)}))
    ),
)
AT = (PushedOrder("at", "ASC"),)


def test_limit_and_order_are_the_apis_for_one_operation() -> None:
    planned = scan(PAGED, order=AT, limit=(Slot(0),))
    assert (planned.order, planned.limit) == (AT, (Slot(0),))


@pytest.mark.parametrize(
    ("predicate", "order"),
    [
        pytest.param(where("at", "=", "x"), AT, id="a filter that is checked again"),
        pytest.param(where("at", "=", Slot(0), usable=False), AT, id="one that is not usable"),
        pytest.param(where("order", "=", "own"), AT, id="an order of the statement's own"),
        pytest.param(where("order", "IN", ("a", "b")), (), id="several operations"),
        pytest.param(where("order", "=", "own"), (PushedOrder("id", "ASC"),), id="another order"),
    ],
)
def test_limit_is_left_to_sqlite_where_a_row_could_be_lost(
    predicate: Predicate, order: tuple[PushedOrder, ...]
) -> None:
    assert scan(PAGED, predicate, order=order, limit=(Slot(1),)).limit == ()


def test_an_options_value_from_a_table_read_later_is_refused() -> None:
    late = where("order", "=", Slot(0), usable=False)
    assert (
        refusal(PAGED, late).message == "SELECT on c.s.r: nothing gives the value of order before it is read"
    )
    assert scan(PAGED, late, where("order", "=", "own")).options[0].operand == Const("own")


GROUPS = resource([key("group")], method("list"), name="groups", key=("group",))
MEMBERS = resource(
    [key("group"), key("id"), option("view")],
    method("list", required("group")),
    method("get", required("site", root=True), required("id")),
    parents=(Parent("s", "other", {"thing": "thing"}), Parent("s", "groups", {"group": "group"})),
)


def test_what_is_missing_is_walked() -> None:
    walk = scan(MEMBERS, parents={"groups": GROUPS}).walk
    assert walk is not None
    assert (walk.parent.resource, walk.bind, walk.views) == (GROUPS, (("group", "group"),), ())


def test_nothing_is_walked_for_a_write_nor_for_a_root() -> None:
    refused = refusal(MEMBERS, parents={"groups": GROUPS}, verb=Verb.DELETE)
    assert not refused.walks
    rooted = resource(MEMBERS.columns, MEMBERS.methods["get"], parents=MEMBERS.parents)
    assert refusal(rooted, where("id", "=", "i"), parents={"groups": GROUPS}).candidates[0].missing == (
        "site",
    )


def test_a_parent_that_cannot_be_read_gives_nothing() -> None:
    unread = resource([key("group")], method("get", required("group")), name="groups")
    refused = refusal(MEMBERS, parents={"groups": unread})
    assert [c.missing for c in refused.candidates] == [("group",), ("site", "id")]


def test_a_predicate_on_a_key_does_not_prune_the_walk() -> None:
    walk = scan(MEMBERS, where("group", "=", "x", key="k"), parents={"groups": GROUPS}).walk
    assert walk is not None and walk.parent.bindings == ()


def test_a_row_under_a_confirming_parent_is_refused_if_the_parent_cannot_be_read() -> None:
    confirmed = resource(
        MEMBERS.columns,
        method("list", required("group")),
        parents=(Parent("s", "groups", {"group": "group"}, confirm=True),),
    )
    unread = resource([key("group")], method("list", required("site", root=True)), name="groups")
    assert (
        refusal(confirmed, where("group", "=", "g"), parents={"groups": unread}).candidates[0].missing == ()
    )


def viewed(**parent: Any) -> tuple[Resource, Resource]:
    """The (resource, parent) of a view passed on."""
    above = resource([key("group"), option("view")], method("list", takes("view")), name="groups", view=VIEW)
    below = resource(
        [key("group"), key("id"), option("view")],
        method("list", required("group"), takes("view")),
        view=VIEW,
        parents=(Parent("s", "groups", {"group": "group"}, **parent),),
    )
    return below, above


@pytest.mark.parametrize(
    ("predicates", "parent", "view"),
    [
        pytest.param((), {"view": {"LIVE": "ALL"}}, "ALL", id="by its words"),
        pytest.param((), {}, "LIVE", id="its default"),
        pytest.param((), {"fixed_view": "ALL"}, "ALL", id="whatever is given"),
        pytest.param((where("view", "=", "ALL"),), {"view": {"ALL": "ALL"}}, "ALL", id="as it is given"),
    ],
)
def test_the_parents_are_asked_for_in_the_view_in_force(
    predicates: tuple[Predicate, ...], parent: dict[str, Any], view: str
) -> None:
    below, above = viewed(**parent)
    walk = scan(below, *predicates, parents={"groups": above}).walk
    assert walk is not None and walk.parent.view == Const(view)


def test_a_resource_without_a_view_walks_the_parents_of_their_default_view() -> None:
    _, above = viewed()
    walk = scan(MEMBERS, parents={"groups": above}).walk
    assert walk is not None
    assert walk.parent.view == Const("LIVE")


def test_the_view_of_a_slot_has_a_walk_for_each_view() -> None:
    below, above = viewed(view={"LIVE": "LIVE", "ALL": "ALL"})
    planned = scan(below, where("view", "=", Slot(4)), parents={"groups": above})
    assert planned.walk is not None
    assert [(view, parent.view) for view, parent in planned.walk.views] == [
        ("LIVE", Const("LIVE")),
        ("ALL", Const("ALL")),
    ]
    assert planned.slots == frozenset({4})
    assert planned.renumbered({4: 0}).slots == frozenset({0})


def test_a_view_that_shows_everything_needs_no_confirmation() -> None:
    below, above = viewed(confirm=True, view={"LIVE": "LIVE", "ALL": "ALL"})
    given = where("group", "=", "g")
    assert scan(below, given, where("view", "=", "ALL"), parents={"groups": above}).walk is None
    assert scan(below, given, where("view", "=", "LIVE"), parents={"groups": above}).walk is not None


def test_a_scan_costs_its_requests_and_rows() -> None:
    single = estimate(scan(RUNS, where("id", "=", "i")))
    listing = estimate(scan(RUNS, where("group", "=", "g")))
    several = estimate(scan(RUNS, where("id", "IN", ("i", "j"))))
    walked = estimate(scan(MEMBERS, parents={"groups": GROUPS}))
    assert (single.requests, single.rows) == (1, 1)
    assert (listing.requests, listing.rows) == (2, 50)
    assert (several.requests, several.rows) == (10, 10)
    assert walked.requests > listing.requests


def test_response_fields_beside_item_columns_are_refused() -> None:
    total = Column("total", Type.INTEGER, Role.RESPONSE, hidden=True, path=("total",))
    found = resource([key("id"), item("at"), total], method("list"))
    assert scan(found, used=frozenset({0, 2})).pages_as_rows
    refused = refusal(found, used=frozenset({1, 2}))
    assert refused.hint == "SELECT total FROM c.s.r …, without at"


def test_a_list_is_not_asked_about_a_header_of_the_answer_to_one_row() -> None:
    found = resource(
        [key("group"), key("id"), item("etag", header="etag")],
        method("list", required("group")),
        method("get", required("id")),
        key=("group", "id"),
    )
    refused = refusal(found, where("group", "=", "g"), where("etag", "=", "x"))
    assert "a list does not say etag" in str(refusal_error(refused))
    assert refusal_error(refused).hint == "group = '…' AND id = '…'"
    assert scan(found, where("id", "=", "i"), where("etag", "=", "x")).method.name == "get"


def test_an_equality_on_a_field_only_picks_rows() -> None:
    found = resource([key("id"), item("name")], method("list"))
    probing = scan(found, where("name", "=", Slot(3)))
    assert [term.column for term in probing.probes] == ["name"]
    assert (probing.slots, probing.read_slots) == (frozenset({3}), frozenset())
    assert probing.renumbered({3: 0}).probe_slots == frozenset({0})
    assert estimate(probing).rows < estimate(scan(found)).rows


def test_one_value_of_an_in_after_the_other_picks_nothing() -> None:
    found = resource([key("id"), item("name")], method("list"))
    assert scan(found, where("name", "=", Slot(3)), listed=frozenset({3})).probes == ()


BY_KEY = Push(order=Order("order", {}, {}, keys={"scores": "{key}"}))
ORDERED = method("list", required("group"), takes("order"), push=BY_KEY)
SCORED = resource([key("group"), key("id"), item("size"), item("scores", Type.JSON)], ORDERED)
TOP = where("scores", "top", Slot(1), key="acc")


def test_the_first_rows_of_one_list_are_all_that_is_wanted() -> None:
    found = scan(SCORED, where("group", "=", Slot(0)), TOP)
    assert found.top is not None
    assert (found.slots, found.residual) == (frozenset({0, 1}), ())
    assert found.key == "list(group) first(scores->>'acc')"
    assert found.renumbered({0: 1, 1: 0}).slots == frozenset({0, 1})


@pytest.mark.parametrize(
    "predicates",
    [
        pytest.param((where("group", "=", "g"),), id="nobody wants them"),
        pytest.param((where("group", "=", "g"), TOP, where("size", "=", "1")), id="a condition is left"),
        pytest.param((where("group", "=", "g"), TOP, where("group", "=", "h")), id="two of one column"),
        pytest.param((where("group", "=", "g"), TOP, where("size", ">", "1")), id="no equality"),
        pytest.param((where("group", "IN", ("g", "h")), TOP), id="several lists"),
        pytest.param((where("group", "=", "g"), where("scores", "top", Slot(1), key="")), id="no such key"),
        pytest.param((where("group", "=", "g"), TOP, TOP), id="twice"),
        pytest.param((where("group", "=", "g"), where("scores", "top", "x", key="acc")), id="a literal"),
    ],
)
def test_otherwise_every_row_is_wanted(predicates: tuple[Predicate, ...]) -> None:
    assert scan(SCORED, *predicates).top is None


def test_a_method_without_an_order_is_read_whole() -> None:
    found = resource([key("group"), item("scores", Type.JSON)], method("list", required("group")))
    assert scan(found, where("group", "=", "g"), TOP).top is None
