"""Scan + values → Operations."""

from __future__ import annotations

import pytest

from sqlprovider.catalog.model import Pages, Parent, View
from sqlprovider.catalog.push import Filter, Order, Push, Term
from sqlprovider.errors import ProgrammingError
from sqlprovider.plan.bind import (
    Argument,
    bind_scan,
    check_times,
    comparable_time,
    hidden_by_view,
    scans_by_view,
)
from sqlprovider.plan.model import Scan
from sqlprovider.values import JSON, Const, Op, Slot, SQLValue, Type
from tests.plan.build import TOKEN, item, key, method, option, required, resource, scan, takes, where

VIEW = View("view", "LIVE", ("stage",), {"LIVE": ("live",), "ALL": None}, column="stage")
RUNS = resource(
    [
        key("group"),
        key("id"),
        item("stage"),
        item("at", Type.DATETIME),
        item("size", Type.INTEGER),
        option("page"),
    ],
    method(
        "list", required("group"), takes("page", type=Type.INTEGER), takes("rank", column=None), pages=TOKEN
    ),
    method("get", required("id", pattern="[0-9]+")),
    key=("id",),
)


def arguments(planned: Scan, *given: Argument) -> list[dict[str, JSON]]:
    return [dict(operation.arguments) for operation in bind_scan(planned, given)]


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        pytest.param("7", ["7"], id="a value"),
        pytest.param(7, ["7"], id="cast to the column's affinity"),
        pytest.param(frozenset({"2", 1, None, "1"}), ["1", "2"], id="a set, sorted, each once"),
        pytest.param(None, [], id="NULL"),
        pytest.param("x", [], id="a value that the pattern rules out"),
        pytest.param(b"7", [], id="a BLOB"),
        pytest.param(frozenset(), [], id="an empty set"),
    ],
)
def test_a_value_of_a_key_is_an_operation(value: Argument, ids: list[str]) -> None:
    op = "IN" if isinstance(value, frozenset) else "="
    assert [found["id"] for found in arguments(scan(RUNS, where("id", op, Slot(0))), value)] == ids


def test_sets_are_combined() -> None:
    planned = scan(RUNS, where("group", "IN", ("a", "b")), where("page", "IN", (2, 1)))
    assert arguments(planned) == [{"group": group, "page": page} for group in ("a", "b") for page in (1, 2)]


def test_what_was_bound_comes_back_with_its_affinity() -> None:
    (operation,) = bind_scan(scan(RUNS, where("group", "=", 5), where("page", "=", "2")), ())
    assert operation.echo == (("group", "5"), ("page", "2"))
    assert operation.name == "c.s.r.list"


@pytest.mark.parametrize(
    ("limit", "size"),
    [
        pytest.param((3,), 3, id="LIMIT"),
        pytest.param((3, 4), 7, id="with OFFSET"),
        pytest.param((0,), 1, id="none"),
        pytest.param((-1,), None, id="negative"),
        pytest.param(("x",), None, id="no number"),
    ],
)
def test_the_page_size_is_what_the_statement_needs(limit: tuple[SQLValue, ...], size: int | None) -> None:
    slots = tuple(Slot(number) for number in range(len(limit)))
    (operation,) = bind_scan(scan(RUNS, where("group", "=", "g"), limit=slots), limit)
    assert operation.page_size == size


GROUPS = resource([key("group")], method("list"), name="groups", key=("group",))
BELOW = resource(
    [key("group"), key("id")],
    method("list", required("group")),
    parents=(Parent("s", "groups", {"group": "group", "other": "group"}),),
)


def test_the_parents_row_gives_what_is_walked() -> None:
    planned = scan(BELOW, parents={"groups": GROUPS})
    (operation,) = bind_scan(planned, (), {"group": "g"})
    assert (operation.arguments, operation.echo) == ((("group", "g"),), (("group", "g"),))


def test_a_parents_row_that_the_statement_does_not_want_is_not_asked_below() -> None:
    above = Parent("s", "groups", {"group": "group"}, confirm=True)
    confirmed = resource(BELOW.columns, *BELOW.methods.values(), parents=(above,))
    planned = scan(confirmed, where("group", "IN", ("g", "h")), parents={"groups": GROUPS})
    assert len(list(bind_scan(planned, (), {"group": "g"}))) == 1
    assert list(bind_scan(planned, (), {"group": "other"})) == []


EQUALS = resource(
    [key("id"), item("state", enum=("ON", "OFF")), item("size", Type.INTEGER), item("tags", Type.JSON)],
    method(
        "list",
        takes("status", enum=("ON",), column=None),
        takes("size_is", type=Type.INTEGER, column=None),
        takes("order", default="UP", column=None),
        push=Push(equals={"state": "status", "size": "size_is", "tags": "order"}),
    ),
)


@pytest.mark.parametrize(
    ("column", "value", "sent"),
    [
        pytest.param("state", "ON", {"order": "UP", "status": "ON"}, id="a value"),
        pytest.param("state", "OFF", {"order": "UP"}, id="outside the parameter's enum"),
        pytest.param("state", None, {"order": "UP"}, id="NULL"),
        pytest.param("size", "3", {"order": "UP", "size_is": 3}, id="with the column's affinity"),
        pytest.param("size", "big", {"order": "UP"}, id="what cannot be sent"),
    ],
)
def test_an_equality_is_sent_as_the_parameter_that_means_it(
    column: str, value: SQLValue, sent: dict[str, JSON]
) -> None:
    assert arguments(scan(EQUALS, where(column, "=", Slot(0))), value) == [sent]


def test_a_key_of_a_column_is_no_equality_of_it() -> None:
    planned = scan(EQUALS, where("tags", "=", Slot(0), key="*"))
    assert arguments(planned, '["k", "=", "v"]') == [{"order": "UP"}]


VIEWED = resource(
    [key("id"), item("stage"), option("view")],
    method("list", takes("view")),
    method("find", required("id")),
    view=VIEW,
)


@pytest.mark.parametrize(
    ("view", "sent"),
    [pytest.param(None, "LIVE", id="the default"), pytest.param("ALL", "ALL", id="as given")],
)
def test_the_view_in_force_is_sent(view: str | None, sent: str) -> None:
    predicates = () if view is None else (where("view", "=", view),)
    (operation,) = bind_scan(scan(VIEWED, *predicates), ())
    assert (dict(operation.arguments), operation.view) == ({"view": sent}, sent)


@pytest.mark.parametrize("value", [pytest.param("OLD", id="unknown"), pytest.param(b"ALL", id="a BLOB")])
def test_a_view_that_there_is_not_is_refused(value: SQLValue) -> None:
    with pytest.raises(ProgrammingError, match="it is one of LIVE, ALL") as raised:
        list(bind_scan(scan(VIEWED, where("view", "=", Slot(0))), (value,)))
    assert raised.value.hint == "AND view = 'LIVE'"


def test_a_scan_without_a_walk_is_the_same_in_every_view() -> None:
    planned = scan(VIEWED, where("view", "=", Slot(0)))
    assert list(scans_by_view(planned, ("ALL",))) == [planned]


@pytest.mark.parametrize(
    ("value", "hidden"),
    [
        pytest.param("dead", "dead", id="hidden"),
        pytest.param("live", None, id="shown"),
        pytest.param(frozenset({"live", "dead"}), "dead", id="one of a set"),
    ],
)
def test_what_the_default_view_hides_is_warned_about(value: Argument, hidden: str | None) -> None:
    op = "IN" if isinstance(value, frozenset) else "="
    warning = hidden_by_view(scan(VIEWED, where("stage", op, Slot(0))), (value,))
    assert (None if warning is None else warning.message) == (
        f"c.s.r: stage = {hidden!r} is hidden by the API's own view (view = 'LIVE')" if hidden else None
    )
    assert warning is None or warning.hint == "AND view = 'ALL'"


def test_where_the_default_view_shows_everything_nothing_is_hidden() -> None:
    everything = View("view", "ALL", ("stage",), {"ALL": None}, column="stage")
    found = resource(VIEWED.columns, method("list", takes("view")), view=everything)
    assert hidden_by_view(scan(found, where("stage", "=", "dead")), ()) is None


@pytest.mark.parametrize(
    ("value", "right"),
    [
        pytest.param("2026-01-02T03:04:05Z", "2026-01-02 03:04:05.000", id="RFC 3339"),
        pytest.param("2026-01-02 03:04:05+01:00", "2026-01-02 02:04:05.000", id="an offset"),
        pytest.param(0, "1970-01-01 00:00:00.000", id="milliseconds"),
        pytest.param("2026-13-02T00:00:00Z", "2026-01-02 03:04:05.678", id="no date"),
        pytest.param(1e30, "2026-01-02 03:04:05.678", id="beyond all years"),
        pytest.param("2026-01-02 03:04:05", None, id="SQLite's own form"),
        pytest.param("2026-01", None, id="the beginning of one"),
        pytest.param("soon", None, id="no time at all"),
        pytest.param(None, None, id="NULL"),
        pytest.param(b"2026-01-02T03:04:05Z", None, id="a BLOB"),
    ],
)
def test_the_form_of_a_time_that_compares_rightly(value: SQLValue, right: str | None) -> None:
    assert comparable_time(value) == right


@pytest.mark.parametrize("value", [pytest.param(5, id="one"), pytest.param(frozenset({5}), id="in a set")])
def test_a_time_in_another_form_is_refused_with_the_right_one(value: Argument) -> None:
    planned = scan(RUNS, where("group", "=", "g"), where("at", Op.GT, Slot(0)))
    with pytest.raises(ProgrammingError, match="5 would compare wrongly with it") as raised:
        check_times(planned, (value,))
    assert raised.value.hint == "at > '1970-01-01 00:00:00.005'"
    check_times(planned, ("2026-01-01",))


def test_an_operand_of_the_plan_needs_no_argument() -> None:
    planned = scan(RUNS, where("group", "=", Const("g")))
    assert arguments(planned) == [{"group": "g"}]


def test_a_walk_is_made_for_each_view_that_is_given() -> None:
    parent = Parent("s", "groups", {"id": "id"}, view={"LIVE": "LIVE", "ALL": "ALL"})
    columns = [key("id"), item("at"), option("view")]
    above = resource(VIEWED.columns, method("list", takes("view")), name="groups", view=VIEW)
    below = resource(columns, method("list", required("id"), takes("view")), view=VIEW, parents=(parent,))
    planned = scan(below, where("view", "IN", Slot(0)), parents={"groups": above})
    found = list(scans_by_view(planned, (frozenset({"LIVE", "ALL"}),)))
    assert [(known.options[0].operand, known.walk and known.walk.parent.view) for known in found] == [
        (Const("ALL"), Const("ALL")),
        (Const("LIVE"), Const("LIVE")),
    ]
    with pytest.raises(ProgrammingError, match=r"SELECT on c\.s\.r: view cannot be 'OLD'"):
        list(scans_by_view(planned, (frozenset({"OLD"}),)))


def test_a_default_for_what_is_no_column_is_sent_and_does_not_come_back() -> None:
    found = resource([key("id")], method("list", required("zone", column=None)))
    (operation,) = bind_scan(scan(found, defaults={"zone": "z"}), ())
    assert (operation.arguments, operation.echo) == ((("zone", "z"),), ())


FILTERED = resource(
    [key("id"), option("filter"), option("order")],
    method(
        "list",
        takes("filter"),
        takes("order"),
        push=Push(
            filter=Filter("filter", {"id": Term("id", {"IN": "IN"})}),
            order=Order("order", {"id": "id"}, {"id": ("ASC",)}, stable=("id ASC",)),
        ),
    ),
)


def test_a_set_is_said_in_one_filter_sorted_and_without_null() -> None:
    planned = scan(FILTERED, where("id", "IN", Slot(0)))
    assert arguments(planned, frozenset({"b", "a", None})) == [
        {"filter": "id IN ('a', 'b')", "order": "id ASC"}
    ]


def test_an_order_of_the_statements_own_is_sent_as_it_is() -> None:
    assert arguments(scan(FILTERED, where("order", "=", "own"))) == [{"order": "own"}]


MANY = resource(
    [key("id"), option("ids"), item("n", Type.INTEGER)],
    method(
        "list",
        required("id", several="ids"),
        takes("ids"),
        pages=Pages("token", parameter="token", token=("next",), size_max=2),
    ),
    key=("id",),
)


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        pytest.param("a", [{"id": "a"}], id="one"),
        pytest.param(frozenset("a"), [{"id": "a"}], id="a set of one"),
        pytest.param(frozenset("bca"), [{"ids": "a,b"}, {"id": "c"}], id="as many as a page has"),
        pytest.param(frozenset(["a", 1, None]), [{"ids": "1,a"}], id="cast, without NULL"),
        pytest.param(frozenset(["a,b", "c", "d"]), [{"ids": "c,d"}, {"id": "a,b"}], id="a comma"),
    ],
)
def test_several_values_go_together(value: Argument, sent: list[dict[str, JSON]]) -> None:
    op = Op.IN if isinstance(value, frozenset) else Op.EQ
    planned = scan(MANY, where("id", op, Slot(0)))
    operations = list(bind_scan(planned, [value]))
    assert [dict(operation.arguments) for operation in operations] == sent
    # Where there are several the item says which one it is of.
    assert all(("id" in dict(o.arguments)) == ("id" in dict(o.echo)) for o in operations)


def test_values_go_alone_where_the_statement_says_the_several_itself() -> None:
    planned = scan(MANY, where("id", Op.IN, Slot(0)), where("ids", Op.EQ, "x"))
    sent = [dict(operation.arguments) for operation in bind_scan(planned, [frozenset("ab")])]
    assert sent == [{"id": "a", "ids": "x"}, {"id": "b", "ids": "x"}]
