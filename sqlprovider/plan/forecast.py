"""What the text alone says of a scan's values: enough to begin a read before SQLite asks for it, or not."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sqlprovider.plan.bind import Argument
from sqlprovider.plan.model import Binding, PushedTerm, Scan
from sqlprovider.values import Const, Listed, Op, Operand, Param, Predicate, Slot, SQLValue

Given = Sequence[SQLValue] | Mapping[str, SQLValue]
"""The values of a statement's parameters."""


def forecast_arguments(
    scan: Scan, predicates: Sequence[Predicate], given: Given
) -> tuple[Argument, ...] | None:
    """What SQLite will hand to Filter; None where a value comes from another table, or cannot be told."""
    if scan.limit:
        return None
    found: dict[int, Argument] = {}
    sources: tuple[Binding | PushedTerm, ...] = (*_bindings(scan), *scan.pushed)
    for given_by in sources:
        if isinstance(given_by.operand, Slot):
            value = _value(given_by, predicates, given)
            if value is None:
                return None
            found[given_by.operand.position] = value
    return tuple(found.get(position) for position in range(max(scan.slots, default=-1) + 1))


def value_in_hand(operand: Operand, given: Given) -> Argument:
    """The value of a literal, a parameter or a list of them; None for anything else."""
    match operand:
        case Const(value=tuple(values)):
            return frozenset(values)
        case Const(value=value) if not isinstance(value, tuple):
            return value
        case Listed(items=items):
            listed = [value_in_hand(item, given) for item in items]
            return frozenset(value for value in listed if not isinstance(value, frozenset))
        case Param(key=str(name)) if isinstance(given, Mapping):
            return given.get(name)
        case Param(key=int(number)) if not isinstance(given, Mapping) and number <= len(given):
            return given[number - 1]
    return None


def _bindings(scan: Scan) -> tuple[Binding, ...]:
    own = (*scan.bindings, *scan.options, *scan.echoes)
    return own if scan.walk is None else (*own, *_bindings(scan.walk.parent))


def _value(given_by: Binding | PushedTerm, predicates: Sequence[Predicate], given: Given) -> Argument:
    key = None if isinstance(given_by, Binding) else given_by.key
    ops = {Op.EQ, Op.IS, Op.IN} if isinstance(given_by, Binding) else {given_by.op}
    said = [p for p in predicates if p.column == given_by.column and p.key == key and p.op in ops]
    if len(said) != 1:
        return None
    value = value_in_hand(said[0].operand, given)
    if key is None:
        is_set = given_by.many if isinstance(given_by, Binding) else given_by.op is Op.IN
        return value if isinstance(value, frozenset) == is_set else None
    return None if isinstance(value, frozenset) else json.dumps([key, said[0].op.value, value])
