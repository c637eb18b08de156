"""Where a column's cells come from: a path in the items of a page, an enclosing item, a part of a name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import compress
from operator import itemgetter
from typing import Any

from sqlprovider.catalog.model import ITSELF, Column, Path, Role
from sqlprovider.execute.columnar import converter
from sqlprovider.execute.jsontext import dump_all
from sqlprovider.values import JSON, SQLValue


class Items:
    """The items of a page and, for each, the items it lies in, nearest first."""

    def __init__(self, items: Sequence[JSON], parents: Sequence[Sequence[JSON]] | None = None) -> None:
        self._items = items
        self._parents = parents
        self._known: dict[Path, Sequence[JSON]] = {(): items, ITSELF: items}

    def __len__(self) -> int:
        return len(self._items)

    def only(self, keep: Iterable[object]) -> Items:
        """Those for which `keep` is true."""
        kept = list(keep)
        parents = None if self._parents is None else list(compress(self._parents, kept))
        return Items(list(compress(self._items, kept)), parents)

    def one(self, ordinal: int) -> Items:
        """One of them."""
        return Items([self._items[ordinal]], None if self._parents is None else [self._parents[ordinal]])

    def at(self, path: Path) -> Sequence[JSON]:
        """The values at a path, None where there is none; a leading `^` steps to the enclosing item."""
        if path in self._known:
            return self._known[path]
        if path[-1] == "^" and set(path) == {"^"}:
            return self._enclosing(len(path))
        around = path[:-1]
        if around not in self._known:  # several columns lie in the same object
            self._known[around] = self.at(around)
        return below(self._known[around], path[-1])

    def objects(self, path: Path) -> Sequence[bool]:
        """For each item whether there is an object at a path."""
        return [isinstance(value, dict) for value in self.at(path)]

    def as_is(self, column: Column) -> Iterable[SQLValue] | None:
        """The cells of a column, once, where they are known to be the values there; else None."""
        return None

    def _enclosing(self, level: int) -> Sequence[JSON]:
        if self._parents is None:
            return [None] * len(self)
        return [parents[level - 1] if level <= len(parents) else None for parents in self._parents]


Read = Callable[[Items], Sequence[SQLValue]]
"""The items → the cells of a column. Raises DataError that names it."""


def is_bound(column: Column, echo: Mapping[str, SQLValue]) -> bool:
    """Whether a column of the rows is what was bound, `echo`, and not what the items hold."""
    if column.role in (Role.OPTION, Role.RESPONSE):
        return True
    replaced = not column.path or column.segment is not None
    return column.name in echo and replaced and not column.whole_item


def bound_value(column: Column, echo: Mapping[str, SQLValue]) -> SQLValue:
    """The cell of such a column, on every row."""
    return None if column.role is Role.RESPONSE else echo.get(column.name)


def read_item(column: Column) -> Read:
    """How the cells of a column are read from the items."""
    path, convert = column.path, converter(column)
    if column.whole_item:
        return lambda found: dump_all(found.at(()))
    if column.present:
        return lambda found: _present(column.present, found)
    if not path:
        return lambda found: [None] * len(found)
    if path == ITSELF:
        return lambda found: convert(found.at(()))
    if column.absent is not None:
        return lambda found: convert(_or_absent(column, found))
    if (segment := column.segment) is not None:
        return lambda found: [_after(segment, text) for text in found.at(path)]
    return lambda found: convert(found.at(path))


def below(values: Sequence[Any], key: str) -> Sequence[JSON]:
    """The value under a key of each; None where there is none."""
    try:
        return list(map(itemgetter(key), values))
    except (KeyError, TypeError):  # one has no such key, or no keys
        return [value.get(key) if isinstance(value, dict) else None for value in values]


def _present(texts: Mapping[str, str], found: Items) -> Sequence[SQLValue]:
    """For each item the text of the first key that it has."""
    return [
        next((text for key, text in texts.items() if isinstance(item, dict) and key in item), None)
        for item in found.at(())
    ]


def _or_absent(column: Column, found: Items) -> Sequence[JSON]:
    """The values, or what their absence means where the object that would hold one is there."""
    return [
        column.absent if value is None and is_there else value
        for value, is_there in zip(found.at(column.path), found.objects(column.path[:-1]), strict=True)
    ]


def _after(segment: str, text: JSON) -> SQLValue:
    """`r1` for segment `runs` of `…/runs/r1`."""
    if not isinstance(text, str):
        return None
    parts = text.split("/")
    for position in range(0, len(parts) - 1, 2):
        if parts[position] == segment:
            return parts[position + 1]
    return None
