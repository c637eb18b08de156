"""Whether a row is one that a request asks for: by its arguments, by its filter, in its order."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlprovider.catalog.model import Column, Parameter, Resource, Role, View
from sqlprovider.catalog.push import Term
from sqlprovider.exercise.grammar import Test, read_filter, read_order
from sqlprovider.exercise.made import VIEW, Values
from sqlprovider.exercise.routes import Call
from sqlprovider.plan.wire import to_wire
from sqlprovider.values import JSON, SQLValue, Type

Comparable = float | str


def answered(call: Call, rows: Sequence[Values]) -> list[Values]:
    """The rows that a reading call asks for, in its order. Raises ValueError for what it cannot mean."""
    found = [row for row in rows if is_of(call, row) and _is_in_view(call, row)]
    filter_, order = call.method.push.filter, call.method.push.order
    if filter_ is not None and (said := call.arguments.get(filter_.parameter)) is not None:
        tests = read_filter(filter_, str(said))
        found = [r for r in found if all(_holds(call.resource, filter_.terms, t, r) for t in tests)]
    if order is not None and (said := call.arguments.get(order.parameter)) is not None:
        for column, is_down in reversed(read_order(order, said)):
            found.sort(key=lambda row, name=column: _sortable(row.get(name)), reverse=is_down)  # type: ignore[misc]  # the default argument has no type of its own
    return found


def is_of(call: Call, row: Values) -> bool:
    """Whether the arguments that name rows, or say what they equal, fit a row."""
    equal = {parameter: column for column, parameter in call.method.push.equals.items()}
    for name, argument in call.arguments.items():
        parameter = call.method.parameters[name]
        column = call.resource.column(equal.get(name) or parameter.column or "")
        if column is None or column.role not in (Role.PARAMETER, Role.ITEM) or column.name not in row:
            continue
        is_test = name in equal or (parameter.required and column.name not in call.method.sets)
        if is_test and not _same(parameter, row[column.name], argument):
            return False
    return True


def shows(view: View, option: str, row: Values) -> bool:
    """Whether a view shows a row."""
    allowed = view.values.get(option)
    return allowed is None or str(row.get(view.column or VIEW)) in allowed


def _is_in_view(call: Call, row: Values) -> bool:
    """A method without the option shows every row, whatever its state."""
    view = call.resource.view
    if view is None or not (view.path or view.column) or view.option not in call.method.parameters:
        return True
    return shows(view, str(call.arguments.get(view.option, view.default)), row)


def _same(parameter: Parameter, value: SQLValue, argument: JSON) -> bool:
    wire = to_wire(value, parameter, where="")
    given = argument if isinstance(argument, list) else [argument]
    return _text(wire[0] if isinstance(wire, list) and len(wire) == 1 else wire) in map(_text, given)


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _holds(resource: Resource, terms: Mapping[str, Term], test: Test, row: Values) -> bool:
    column, term = resource.column(test.column), terms[test.column]
    value: JSON = _json(row.get(test.column))
    if column is None:
        raise ValueError(f"the filter names {test.column}, which is no column")
    is_keyed = test.key is not None
    if test.key is not None:
        held = json.loads(str(value or "{}"))
        value = held.get(test.key) if isinstance(held, dict) else None
    if test.op in ("IS NULL", "IS NOT NULL"):
        return (value is None) == (test.op == "IS NULL")
    if value is None:
        return False
    given = [_read(column, term, text, keyed=is_keyed) for text in test.values]
    return _compare(test.op, _comparable(column, term, value, keyed=is_keyed), given)


def _json(value: SQLValue) -> JSON:
    return value.hex() if isinstance(value, bytes) else value


def _compare(op: str, held: Comparable, given: Sequence[Comparable]) -> bool:
    match op:
        case "IN":
            return held in given
        case "LIKE":
            pattern = re.escape(str(given[0])).replace("%", ".*").replace("_", ".")
            return re.fullmatch(pattern, str(held), re.IGNORECASE | re.DOTALL) is not None
        case "=" | "IS":
            return held == given[0]
        case "!=":
            return held != given[0]
        case _:
            return _is_ordered(op, held, given[0])


def _is_ordered(op: str, one: Comparable, other: Comparable) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        below, equal = one < other, one == other
    else:
        below, equal = str(one) < str(other), str(one) == str(other)
    return {"<": below, "<=": below or equal, ">": not (below or equal), ">=": not below}[op]


def _comparable(column: Column, term: Term, value: JSON, *, keyed: bool) -> Comparable:
    if column.type is Type.DATETIME and not keyed:
        return datetime.fromisoformat(f"{value}+00:00").timestamp() * 1000
    return float(str(value)) if term.value == "number" else _text(value)


def _read(column: Column, term: Term, text: str, *, keyed: bool) -> Comparable:
    if column.type is Type.DATETIME and not keyed and term.value != "number":
        return datetime.fromisoformat(text).timestamp() * 1000
    return float(text) if term.value == "number" else text


def _sortable(value: SQLValue) -> tuple[int, float, str]:
    """NULLs first, as SQLite has them."""
    if value is None:
        return (0, 0.0, "")
    return (1, float(value), "") if isinstance(value, int | float) else (2, 0.0, str(value))
