"""What must be done before what: references, parents, the order of a script; and an order by it."""

from __future__ import annotations

import heapq
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlprovider.surfaces.deploy.model import Entry, Reference, Secret, Text, Value
from sqlprovider.surfaces.deploy.needs import ResourceFacts
from sqlprovider.surfaces.deploy.problems import Problems

Dependencies = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry with what is known of its resource. `before`: what the order of its script puts before it."""

    entry: Entry
    facts: ResourceFacts
    before: tuple[str, ...] = ()


class Script:
    """The order within a SQL file: a call comes after all that stands before it, and before all after it."""

    def __init__(self) -> None:
        self._call: tuple[str, ...] = ()
        self._since: list[str] = []

    def add(self, label: str, *, is_call: bool) -> tuple[str, ...]:
        """Takes the file's next entry; the labels that come before it."""
        if not is_call:
            self._since.append(label)
            return self._call
        before = (*self._call, *self._since)
        self._call, self._since = (label,), []
        return before


def references(value: Value) -> Iterator[Reference]:
    """Every reference in a value."""
    match value:
        case Reference():
            yield value
        case Text(parts=parts):
            yield from (part for part in parts if isinstance(part, Reference))
        case list():
            for item in value:
                yield from references(item)
        case dict():
            for item in value.values():
                yield from references(item)
        case _:
            return


def dependencies(placed: Sequence[Placed], problems: Problems) -> Dependencies:
    """Label → the labels before it, in file order. The same object asked for twice is a problem."""
    position = {one.entry.label: number for number, one in enumerate(placed)}
    keyed = _by_key(placed, problems)
    found: Dependencies = {}
    for one in placed:
        before = {*_referred(one.entry), *_parents(one, keyed), *one.before}
        # Of what is not there, a problem tells elsewhere.
        found[one.entry.label] = tuple(sorted((b for b in before if b in position), key=position.__getitem__))
    return found


def _referred(entry: Entry) -> Iterator[str]:
    values = [property_.value for property_ in entry.properties.values()]
    for value in (*values, *entry.when_values.values()):
        for reference in references(value):
            parts = (reference.entry, reference.item)
            yield ".".join(part for part in parts if part is not None)


_Keyed = Mapping[tuple[str, tuple[str, ...]], Mapping[str, str]]
"""(connection, columns of a key) → their values → label."""


def _by_key(placed: Sequence[Placed], problems: Problems) -> _Keyed:
    """The entries whose key is known from the file. One object that two entries ask for is a problem."""
    keyed: dict[tuple[str, tuple[str, ...]], dict[str, str]] = defaultdict(dict)
    objects: dict[tuple[str, tuple[str, ...], str], Entry] = {}
    for one in placed:
        if one.entry.method is not None:
            continue
        values = _known(one, one.facts.key)
        if values is not None:
            keyed[_connection(one), one.facts.key].setdefault(values, one.entry.label)
        # Of entries that ask for one object under opposite conditions only one is there at a time.
        if one.entry.when is None:
            _refuse_twice(one, objects, problems)
    return keyed


def _refuse_twice(
    one: Placed, objects: dict[tuple[str, tuple[str, ...], str], Entry], problems: Problems
) -> None:
    facts = one.facts
    by_name: tuple[str, ...] = ()
    if facts.identity and (facts.identity_unique or _known(one, facts.key) is None):
        by_name = tuple(dict.fromkeys((*facts.parents, *facts.identity)))
    for columns in (facts.key, by_name):
        values = _known(one, columns)
        if values is None:
            continue
        first = objects.setdefault((facts.name, columns, values), one.entry)
        if first is not one.entry:
            message = f"{one.entry.label} is the same object as {first.label} ({first.place}): equal in "
            problems.add(one.entry.place, message + ", ".join(columns))
            return


def _parents(one: Placed, keyed: _Keyed) -> Iterator[str]:
    """The entries whose key is a part of what says where this one is (of a call: of its parameters)."""
    facts = one.facts
    for (connection, key), labels in keyed.items():
        if one.entry.method is not None:
            is_part = set(key) <= {*one.entry.properties, *facts.defaults}
        else:
            is_part = set(key) <= set(facts.parents) or set(key) < set(facts.key)
        if not is_part or connection != _connection(one):
            continue
        values = _known(one, key)
        if values is not None and (label := labels.get(values, one.entry.label)) != one.entry.label:
            yield label


def _connection(one: Placed) -> str:
    return one.facts.name.partition(".")[0]


def _known(one: Placed, columns: tuple[str, ...]) -> str | None:
    """The values of columns as a text to compare by; None where one is not given, or is no constant."""
    values = [_value(one, name) for name in columns]
    if not columns or any(value is None for value in values):
        return None
    return json.dumps(values, sort_keys=True)


def _value(one: Placed, column: str) -> str | None:
    """A column's value, given under its own name or as the id of the create, else a default."""
    chosen = one.facts.chosen_id
    names = [column, *([chosen[0]] if chosen is not None and chosen[1] == column else [])]
    for name in names:
        if (property_ := one.entry.properties.get(name)) is not None:
            return _text(property_.value)
    return one.facts.defaults.get(column)


def _text(value: Value) -> str | None:
    match value:
        case Secret():
            return _text(value.value)
        case Reference():
            # The same reference is the same value; a text of a file is never this.
            return f"\ue000{value}\ue001"
        case str():
            return value or None
        case None | Text() | list() | dict():
            return None
        case _:
            return str(value)


def ordered(placed: Sequence[Placed], before: Dependencies, problems: Problems) -> tuple[Entry, ...]:
    """The entries, each after what it depends on and else in file order. A cycle is a problem."""
    entries = {one.entry.label: one.entry for one in placed}
    position = {label: number for number, label in enumerate(entries)}
    waiting = {label: len(before[label]) for label in entries}
    after: dict[str, list[str]] = defaultdict(list)
    for label, firsts in before.items():
        for first in firsts:
            after[first].append(label)
    ready = [position[label] for label, count in waiting.items() if count == 0]
    labels = list(entries)
    done: list[Entry] = []
    while ready:
        label = labels[heapq.heappop(ready)]
        done.append(entries[label])
        for follower in after[label]:
            waiting[follower] -= 1
            if waiting[follower] == 0:
                heapq.heappush(ready, position[follower])
    if len(done) < len(entries):
        _tell_cycle([label for label, count in waiting.items() if count > 0], before, entries, problems)
    return tuple(done)


def _tell_cycle(
    stuck: list[str], before: Dependencies, entries: Mapping[str, Entry], problems: Problems
) -> None:
    """Each entry that is stuck waits for another one that is: following them ends in a cycle."""
    remaining = set(stuck)
    seen: dict[str, int] = {}
    path: list[str] = []
    label = stuck[0]
    while label not in seen:
        seen[label] = len(path)
        path.append(label)
        label = next(first for first in before[label] if first in remaining)
    cycle = [*path[seen[label] :], label]
    told = " → ".join(f"{one} ({entries[one].place})" for one in cycle)
    problems.add(entries[label].place, f"a cycle, each needs the next: {told}")
