"""What the rows of SQL files are called: the id is the resource's (the call's) full name, the item is what
identifies the row where that is one word and no other row has it, else the row's number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from sqlprovider.surfaces.deploy.entries import ITEM_ID, Group, Written
from sqlprovider.surfaces.deploy.needs import ResourceFacts
from sqlprovider.surfaces.deploy.nodes import Scalar


def grouped(entries: Iterable[Written]) -> tuple[Group, ...]:
    """The entries under their ids, in the order in which these come."""
    by_id: dict[str, list[Written]] = {}
    for entry in entries:
        by_id.setdefault(entry.id, []).append(entry)
    return tuple(_group(id_, rows) for id_, rows in by_id.items())


def _group(id_: str, entries: list[Written]) -> Group:
    names = [_item_name(entry) for entry in entries]
    often = Counter(name for name in names if name is not None)
    taken = {name for name, times in often.items() if times == 1}
    named: list[Written] = []
    number = 0
    for entry, name in zip(entries, names, strict=True):
        if name is None or often[name] > 1:
            number += 1
            while str(number) in taken:
                number += 1
            name = str(number)
        named.append(replace(entry, item=name))
    first = entries[0]
    return Group(id_, first.place, first.facts, first.method is not None, tuple(named), True, from_sql=True)


def _item_name(entry: Written) -> str | None:
    """What people would call the row, in one word."""
    if entry.method is not None or entry.facts is None:
        return None
    given = {one.name.lower().removeprefix("data__"): one.node for one in entry.given}
    for column in _naming(entry.facts):
        node = given.get(column.lower())
        if isinstance(node, Scalar) and node.literal and ITEM_ID.fullmatch(node.text):
            return node.text
    return None


def _naming(facts: ResourceFacts) -> Iterator[str]:
    yield from facts.chosen_id or ()
    yield from reversed(facts.identity)
    yield from reversed(facts.key)
