"""The items that an API would answer for rows: decoding, the other way round."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlprovider.catalog.model import ITSELF, Column, Parameter, Path, Place, Resource, Wire
from sqlprovider.exercise.made import DROP, VIEW, Values, dump, names_at, row_columns
from sqlprovider.plan.wire import to_wire
from sqlprovider.values import JSON, SQLValue, Type

_LEVELS = 3
"""How many items an item may lie in."""


@dataclass(frozen=True, slots=True)
class Item:
    """One object of an API, and those it lies in, nearest first."""

    body: JSON
    around: tuple[dict[str, JSON], ...]

    def at(self, path: Path) -> JSON:
        """What is at a path, whose leading `^` are the items it lies in; None where there is nothing."""
        level = sum(key == "^" for key in path)
        value: JSON = self.around[level - 1] if level else self.body
        for key in path[level:]:
            value = value.get(key) if isinstance(value, dict) else None
        return value


def encode(resource: Resource, values: Mapping[str, SQLValue]) -> Item:
    """The item that an API would show for a row."""
    body: dict[str, JSON] = {}
    item = Item(body, tuple({} for _ in range(_LEVELS)))
    itself: JSON = None
    for column in sorted(row_columns(resource), key=lambda c: len(c.path)):
        if not column.path or column.segment is not None or column.write_only:
            continue
        wire = wire_value(column, values.get(column.name))
        if column.path == ITSELF:
            itself = wire
        else:
            _set(item, column.path, _with_surplus(column, wire))
    for path, text in names_at(resource, values).items():
        _set(item, path, text)
    _mark(resource, values, item)
    return item if itself is None else Item(itself, item.around)


def shown(resource: Resource, values: Mapping[str, SQLValue]) -> Values:
    """What SQL shows of a row: a JSON column at whose path others lie holds theirs too."""
    item = encode(resource, values)
    found: Values = {}
    for column in resource.columns:
        found[column.name] = None if column.write_only else values.get(column.name)
        if column.present and isinstance(item.body, dict):
            found[column.name] = next((t for key, t in column.present.items() if key in item.body), None)
        elif column.wire is Wire.NUMBER_TEXT:
            number = item.at(column.path)
            found[column.name] = None if number is None else json.dumps(float(str(number)))
        elif _holds_others(column):
            at = item.at(column.path)
            found[column.name] = None if at is None else dump(at)
    return found


def wire_value(column: Column, value: SQLValue) -> JSON:
    """A column's value as the API writes it."""
    if column.wire is Wire.KEY_VALUE and isinstance(value, str):
        key, held = column.key_names
        return [{key: name, held: item} for name, item in json.loads(value).items()]
    plain = Parameter(column.name, column.name, Place.BODY, type=column.type, wire=column.wire)
    return to_wire(value, plain, where=column.name)


def put(target: dict[str, JSON], path: Path, value: JSON) -> None:
    """Sets the value at a path of keys; an object is laid over the one there is."""
    *above, last = path
    for key in above:
        below = target.get(key)
        if not isinstance(below, dict):
            below = target[key] = {}
        target = below
    held = target.get(last)
    target[last] = {**held, **value} if isinstance(held, dict) and isinstance(value, dict) else value


def take(target: JSON, path: Path) -> None:
    """Takes away what is at a path of keys."""
    for key in path[:-1]:
        target = target.get(key) if isinstance(target, dict) else None
    if isinstance(target, dict):
        target.pop(path[-1], None)


def _holds_others(column: Column) -> bool:
    by_rule = column.keep or column.sort or column.wire is not Wire.PLAIN
    return column.type is Type.JSON and bool(column.path) and column.path != ITSELF and not by_rule


def _with_surplus(column: Column, wire: JSON) -> JSON:
    """What some methods answer beside a value, or in another order, and no row may show."""
    if column.keep and isinstance(wire, dict):
        return {"surplus": 1, **wire}
    return wire[::-1] if column.sort is not None and isinstance(wire, list) else wire


def _mark(resource: Resource, values: Mapping[str, SQLValue], item: Item) -> None:
    """What makes an item live, and what makes it no row."""
    view, drop = resource.view, resource.drop
    if view is not None and view.path:
        column = resource.column(view.column or "")
        live = values.get(VIEW) if column is None else values.get(column.name)
        _set(item, view.path, None if live is None else str(live))
    if drop is None or values.get(DROP) is None:
        return
    marked: JSON = str(values[DROP])
    if drop.key is not None:
        held = item.at(drop.path)
        marked = [*(held if isinstance(held, list) else ()), {"key": drop.key, "value": marked}]
    _set(item, drop.path, marked)


def _set(item: Item, path: Path, value: JSON) -> None:
    level = sum(key == "^" for key in path)
    target = item.around[level - 1] if level else item.body
    if isinstance(target, dict):
        put(target, path[level:], value)
