"""Answers read into what a scan looks at: a slot for each of those places in an item, nothing for the rest.

What comes of it are the values that `json` would give, for `msgspec` reads JSON as it does or not at all. An
answer that is not laid out as the document says is read whole, and what is wrong with it is said there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress
from operator import attrgetter
from types import GenericAlias
from typing import Annotated, Any

import msgspec

from sqlprovider.catalog.model import Column, Method, Path
from sqlprovider.execute.fields import Items, below
from sqlprovider.plan.model import Operation, Reads
from sqlprovider.plan.projection import is_as_is
from sqlprovider.values import JSON, SQLValue, Type

_Tree = dict[str, "_Tree | Type | None"]
"""Key → what is under it; None: a value of any kind."""
_KINDS = {
    Type.TEXT: str | None,
    Type.INTEGER: Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | None,
    Type.REAL: float | None,
}
"""What JSON holds where it is the cell of a column."""


def layout_of(operation: Operation) -> Layout | None:
    """How the pages of an operation are read; None where their items are wanted as they are."""
    method, reads = operation.method, operation.reads
    if reads is None or method.rows is None:
        return None
    return _layout(method.rows[0][:-2], _beside(method), reads)


class Layout:
    """Where in an answer the items are, and the places in them; `beside` are the other keys that are wanted.

    `rows` is the key of the list, "" where the answer is the list.
    """

    def __init__(self, rows: str, beside: Sequence[str], reads: Reads) -> None:
        tree: _Tree = {}
        for path, kind in sorted(reads, key=lambda read: (len(read[0]), read[0])):
            _plant(tree, path, kind)
        self._places = {path: _place(tree, path) for path, _ in reads}
        self._rows = rows
        self._beside = {key: f"f{place}" for place, key in enumerate(beside)}
        items: Any = GenericAlias(list, (_struct(tree),))
        fields = [("rows", items | None, None), *((name, Any, None) for name in self._beside.values())]
        names = {"rows": rows, **{name: key for key, name in self._beside.items()}}
        whole = msgspec.defstruct("Answer", fields, rename=names) if rows else items
        self._read = msgspec.json.Decoder(whole).decode

    def read(self, body: bytes) -> tuple[list[Any], dict[str, JSON]] | None:
        """The items, each with its slots, and what is beside them; None where the body is something else."""
        try:
            answer = self._read(body)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        if not self._rows:
            return answer, {}
        if answer.rows is None:
            return None
        return answer.rows, {key: getattr(answer, name) for key, name in self._beside.items()}

    def items(self, items: Sequence[Any]) -> Items:
        """The items that were read, as columns find their values in them."""
        return _LaidItems(items, self._places)


class _LaidItems(Items):
    """Items with a slot for each place that is looked at."""

    def __init__(self, items: Sequence[Any], places: Mapping[Path, _Place]) -> None:
        super().__init__(items)
        self._places = places

    def only(self, keep: Iterable[object]) -> Items:
        return _LaidItems(list(compress(self._items, keep)), self._places)

    def one(self, ordinal: int) -> Items:
        return _LaidItems([self._items[ordinal]], self._places)

    def at(self, path: Path) -> Sequence[JSON]:
        if not path:
            return self._items
        if path not in self._known:
            place = self._places[path]
            values = _slots(self._items, place.slot)
            for key in place.rest:
                values = below(values, key)
            self._known[path] = values
        return self._known[path]

    def objects(self, path: Path) -> Sequence[bool]:
        return super().objects(path) if path else [True] * len(self)

    def as_is(self, column: Column) -> Iterable[SQLValue] | None:
        place = self._places.get(column.path)
        if place is None or place.kind is not column.type or not is_as_is(column):
            return None
        # Gone through together, an item is looked at once.
        get = attrgetter(place.slot)
        return _slots(self._items, place.slot) if "." in place.slot else map(get, self._items)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value is: its slot, and the keys that lead on from what is there."""

    slot: str
    rest: Path = ()
    kind: Type | None = None


def _slots(items: Sequence[Any], slot: str) -> Sequence[Any]:
    try:
        return list(map(attrgetter(slot), items))
    except AttributeError:  # an object on the way is not there, or null
        values = items
        for name in slot.split("."):
            values = [getattr(value, name, None) for value in values]
        return values


@lru_cache(128)
def _layout(rows: str, beside: tuple[str, ...], reads: Reads) -> Layout:
    return Layout(rows, beside, reads)


def _beside(method: Method) -> tuple[str, ...]:
    """The keys of an answer that say how the list goes on, and whether it is complete."""
    paths = [method.incomplete]
    if (pages := method.pages) is not None:
        paths += [pages.total, () if pages.style == "header" else pages.token]
    return tuple(dict.fromkeys(path[0] for path in paths if path))


def _plant(tree: _Tree, path: Path, kind: Type | None) -> None:
    """Puts a path into the tree after those that are shorter."""
    key, rest = path[0], path[1:]
    if not rest:
        tree[key] = kind
        return
    under = tree.setdefault(key, {})
    if isinstance(under, dict):
        _plant(under, rest, kind)
    else:  # the path leads on from a value that is wanted itself
        tree[key] = None


def _place(tree: _Tree, path: Path) -> _Place:
    names: list[str] = []
    node: _Tree | Type | None = tree
    for depth, key in enumerate(path):
        if not isinstance(node, dict):
            return _Place(".".join(names), path[depth:])
        names.append(f"f{list(node).index(key)}")
        node = node[key]
    return _Place(".".join(names), kind=node if isinstance(node, Type) else None)


def _struct(tree: _Tree) -> type[msgspec.Struct]:
    """A slot for each key, in their order. What is absent is None, as what is null."""
    names = {f"f{place}": key for place, key in enumerate(tree)}
    fields = [(name, _kind(under), None) for name, under in zip(names, tree.values(), strict=True)]
    # Values out of JSON have no cycles.
    return msgspec.defstruct("Item", fields, rename=names, gc=False)


def _kind(under: _Tree | Type | None) -> Any:
    match under:
        case None:
            return Any
        case dict():
            return _struct(under) | None
        case _:
            return _KINDS[under]
