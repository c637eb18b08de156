"""Rows of one method into the fewest calls: those whose shared arguments are equal go out together.

In a batch's body template every list of one element with arguments is filled: an element for each distinct
combination of the arguments outside deeper such lists, so in the innermost one for each row.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlprovider.catalog.model import Batch, Method, Place
from sqlprovider.plan.model import Operation
from sqlprovider.values import JSON

Arguments = Mapping[str, JSON]

_NAME = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_IN_TEXT = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Unit:
    """Rows that go out as one call: their places among the rows, and the call."""

    places: tuple[int, ...]
    operation: Operation


def units(method: Method, operations: Sequence[Operation]) -> Iterator[Unit]:
    """The calls that make these operations of one method, each row in one of them."""
    batch = method.batch
    if batch is None or len(operations) < 2:
        yield from (Unit((place,), operation) for place, operation in enumerate(operations))
        return
    shared, taken = _shared_names(batch), _taken_names(batch)
    groups: dict[str, list[int]] = {}
    for place, operation in enumerate(operations):
        given = dict(operation.arguments)
        fits = operation.body is None and set(given) <= taken
        key = _key(given, shared) if fits else f"alone {place}"
        groups.setdefault(key, []).append(place)
    for places in groups.values():
        for part in _parts(batch, operations, places):
            yield unit(batch, operations, part)


def unit(batch: Batch, operations: Sequence[Operation], places: Sequence[int]) -> Unit:
    """One call for these rows; of one row, its own."""
    first = operations[places[0]]
    if len(places) == 1:
        return Unit((places[0],), first)
    rows = tuple(dict(operations[place].arguments) for place in places)
    return Unit(tuple(places), replace(first, method=batch.call, rows=rows, echo=()))


def render_rows(template: JSON, rows: Sequence[Arguments]) -> JSON:
    """The template filled with rows; None for what holds arguments and had none of them given.

    >>> render_rows({"metrics": [{"key": "$k"}], "run": "$r"}, [{"k": "a", "r": 1}, {"k": "b", "r": 1}])
    {'metrics': [{'key': 'a'}, {'key': 'b'}], 'run': 1}
    """
    match template:
        case str() if (found := _NAME.fullmatch(template)) is not None:
            return rows[0].get(found[1])
        case str():
            return _IN_TEXT.sub(lambda found: _text(rows[0].get(found[1])), template)
        case [element] if _names(element):
            return [render_rows(element, group) for group in _grouped(element, rows)]
        case list():
            return [render_rows(element, rows) for element in template]
        case dict():
            fields = {key: render_rows(value, rows) for key, value in template.items()}
            kept: dict[str, JSON] = {k: v for k, v in fields.items() if v is not None or template[k] is None}
            return kept if kept or not template else None
        case _:
            return template


def _parts(batch: Batch, operations: Sequence[Operation], places: list[int]) -> Iterator[list[int]]:
    """Places cut so that no call has too many rows or too long a body."""
    part: list[int] = []
    size = 0
    for place in places:
        more = 0
        if batch.max_bytes is not None:
            alone = render_rows(batch.call.body, [dict(operations[place].arguments)])
            # What one row's body has, two bodies joined have at most together.
            more = len(json.dumps(alone, ensure_ascii=False, separators=(",", ":")).encode()) + 1
        if part and (len(part) == batch.max_rows or size + more > (batch.max_bytes or size + more)):
            yield part
            part, size = [], 0
        part.append(place)
        size += more
    yield part


def _grouped(element: JSON, rows: Sequence[Arguments]) -> Iterator[list[Arguments]]:
    """The rows of each element of a list: each alone, or together by what tells the elements apart."""
    if not _has_list(element):
        yield from ([row] for row in rows)
        return
    direct = _direct_names(element)
    groups: dict[str, list[Arguments]] = {}
    for row in rows:
        groups.setdefault(_key(row, direct), []).append(row)
    yield from groups.values()


def _key(given: Arguments, names: frozenset[str]) -> str:
    return json.dumps({name: given[name] for name in sorted(names) if name in given}, sort_keys=True)


def _shared_names(batch: Batch) -> frozenset[str]:
    """The arguments that every row of a call has alike: those outside the body and outside its lists.

    A token made for each row is none: the call has that of its first.
    """
    outside = {
        p.name for p in batch.call.parameters.values() if p.place is not Place.BODY and p.default != "token()"
    }
    return frozenset(outside) | _direct_names(batch.call.body)


def _taken_names(batch: Batch) -> frozenset[str]:
    """The arguments that the call can hold."""
    in_path = frozenset(_IN_TEXT.findall(batch.call.path))
    others = {p.name for p in batch.call.parameters.values() if p.place in (Place.QUERY, Place.HEADER)}
    return in_path | others | _names(batch.call.body)


def _names(template: JSON) -> frozenset[str]:
    match template:
        case str():
            found = _NAME.fullmatch(template)
            return frozenset([found[1]] if found else _IN_TEXT.findall(template))
        case list():
            return frozenset().union(*map(_names, template))
        case dict():
            return frozenset().union(*map(_names, template.values()))
        case _:
            return frozenset()


def _direct_names(template: JSON) -> frozenset[str]:
    """The names outside the lists that are filled."""
    match template:
        case [element] if _names(element):
            return frozenset()
        case list():
            return frozenset().union(*map(_direct_names, template))
        case dict():
            return frozenset().union(*map(_direct_names, template.values()))
        case _:
            return _names(template)


def _has_list(template: JSON) -> bool:
    match template:
        case [element] if _names(element):
            return True
        case list():
            return any(map(_has_list, template))
        case dict():
            return any(map(_has_list, template.values()))
        case _:
            return False


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else json.dumps(value)
