"""Resources, methods and scans of a few words each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlprovider.catalog.model import Column, Method, Pages, Parameter, Parent, Place, Resource, Role, Verb
from sqlprovider.plan.model import Refusal, Scan
from sqlprovider.plan.scan import Wish, plan_scan
from sqlprovider.values import Const, Name, Op, Operand, Predicate, SQLValue, Type

ONE = Pages("one")
TOKEN = Pages("token", parameter="token", token=("next",))


def item(name: str, type_: Type = Type.TEXT, **options: Any) -> Column:
    return Column(name, type_, Role.ITEM, path=(name,), **options)


def key(name: str, **options: Any) -> Column:
    return Column(name, Type.TEXT, Role.PARAMETER, path=(name,), **options)


def option(name: str, type_: Type = Type.TEXT, **options: Any) -> Column:
    return Column(name, type_, Role.OPTION, hidden=True, **options)


def takes(name: str, *, column: str | None = "", **options: Any) -> Parameter:
    """A parameter; its column has its name where nothing else is said."""
    place = options.pop("place", Place.QUERY)
    return Parameter(name, name, place, column=name if column == "" else column, **options)


def required(name: str, **options: Any) -> Parameter:
    return takes(name, required=True, **options)


def method(name: str, *parameters: Parameter, verb: Verb = Verb.SELECT, **options: Any) -> Method:
    effect = options.pop("effect", "read" if verb is Verb.SELECT else "write")
    rows = options.pop("rows", ("items[]",) if name == "list" else None)
    pages = options.pop("pages", ONE if verb is Verb.SELECT else None)
    taken = {parameter.name: parameter for parameter in parameters}
    return Method(name, name, verb, effect, "GET", "/x", taken, rows=rows, pages=pages, **options)


def resource(columns: Sequence[Column], *methods: Method, name: str = "r", **options: Any) -> Resource:
    return Resource(Name("c", "s", name), name, tuple(columns), {m.name: m for m in methods}, **options)


def where(
    column: str, op: Op | str, value: SQLValue | tuple[SQLValue, ...] | Operand, **options: Any
) -> Predicate:
    operand = value if not isinstance(value, int | float | str | bytes | tuple | None) else Const(value)
    return Predicate(column, Op(op), operand, **options)


def no_parent(parent: Parent) -> Resource:
    raise AssertionError(f"{parent} was looked for")


def plan(
    found: Resource,
    *predicates: Predicate,
    defaults: Mapping[str, str] | None = None,
    parents: Mapping[str, Resource] | None = None,
    **wish: Any,
) -> Scan | Refusal:
    def find(parent: Parent) -> Resource:
        return (parents or {})[parent.resource]

    return plan_scan(found, predicates, find=find, defaults=defaults or {}, wish=Wish(**wish))


def scan(found: Resource, *predicates: Predicate, **options: Any) -> Scan:
    """The plan, which must be a scan."""
    planned = plan(found, *predicates, **options)
    assert isinstance(planned, Scan), planned
    return planned


def refusal(found: Resource, *predicates: Predicate, **options: Any) -> Refusal:
    """The plan, which must be a refusal."""
    planned = plan(found, *predicates, **options)
    assert isinstance(planned, Refusal), planned
    return planned
