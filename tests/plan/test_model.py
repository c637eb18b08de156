"""Plans as data: what they need of SQLite, and how they read."""

from __future__ import annotations

from sqlprovider.catalog.model import (
    Parent,
)
from sqlprovider.catalog.push import Filter, Order, Push, Term
from sqlprovider.plan.model import PushedOrder
from sqlprovider.values import Slot, Type
from tests.plan.build import ONE, item, key, method, option, required, resource, scan, takes, where

PUSH = Push(
    filter=Filter("filter", {"name": Term("name", {"=": "="}, exact=True), "m": Term("m.{key}", {">": ">"})}),
    order=Order("order", {"name": "name"}, {"name": ("ASC",)}),
)
THINGS = resource(
    [
        key("group"),
        item("name"),
        item("m", Type.JSON),
        item("at", Type.DATETIME),
        option("filter"),
        option("order"),
        option("size"),
    ],
    method("list", required("group"), takes("filter"), takes("order"), takes("size"), pages=ONE, push=PUSH),
)


def test_a_scan_says_which_values_it_needs_and_takes_them_elsewhere() -> None:
    planned = scan(
        THINGS,
        where("group", "=", Slot(3)),
        where("name", "=", Slot(5)),
        where("at", ">", Slot(7)),
        where("size", "=", Slot(9)),
    )
    assert planned.slots == {3, 5, 7, 9}
    moved = planned.renumbered({3: 0, 5: 1, 7: 2, 9: 3})
    assert moved.slots == {0, 1, 2, 3}
    assert [binding.operand for binding in moved.bindings] == [Slot(0)]


def test_a_scan_reads_as_its_method_and_what_it_pushes() -> None:
    planned = scan(
        THINGS,
        where("group", "IN", ("a", "b")),
        where("name", "=", "x"),
        where("m", ">", Slot(0), key="acc"),
    )
    assert planned.key == "list(group in) push(m->>'acc' >, name =)"


def test_order_and_limit_are_read_too() -> None:
    planned = scan(
        THINGS, where("group", "=", "g"), order=(PushedOrder("name", "ASC"),), limit=(Slot(0), Slot(1))
    )
    assert planned.key == "list(group) order(name ASC) limit"
    assert planned.renumbered({0: 4, 1: 2}).limit == (Slot(4), Slot(2))


def test_a_walk_reads_as_its_parents_scan() -> None:
    groups = resource([key("group")], method("list"), name="groups")
    below = resource(
        [key("group")],
        method("list", required("group")),
        parents=(Parent("s", "groups", {"group": "group"}),),
    )
    assert scan(below, parents={"groups": groups}).key == "list() walk c.s.groups.list()"


def test_equal_plans_are_one_plan() -> None:
    one, other = scan(THINGS, where("group", "=", Slot(0))), scan(THINGS, where("group", "=", Slot(0)))
    assert len({one, other}) == 1
