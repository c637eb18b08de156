"""What an entry's values are once references are read: known, unknown until apply, or secret."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlprovider.surfaces.deploy.model import Manifest, Reference, Secret, Text, Value
from sqlprovider.surfaces.deploy.order import references
from sqlprovider.values import JSON, SQLValue, Type, cast

if TYPE_CHECKING:
    from sqlprovider.session import ResourceFacts

LiveRow = Mapping[str, SQLValue]
"""Column → value, as SQL reads it."""


@dataclass(frozen=True, slots=True)
class Known:
    """A value as far as it is known."""

    value: JSON = field(default=None, repr=False)
    unknown: bool = False
    """It is known only when what it refers to has been made."""
    secret: bool = False


UNKNOWN = Known(unknown=True)


@dataclass(frozen=True, slots=True)
class _Held:
    facts: ResourceFacts
    row: LiveRow
    whole: bool
    secret: frozenset[str]


class Rows:
    """The rows that references read, by label: live, just made, or (in part) as they will be made."""

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}

    def put(self, label: str, facts: ResourceFacts, row: LiveRow, *, whole: bool, secret: set[str]) -> None:
        """`whole`: what the row has not is NULL; else it is not known yet."""
        hidden = {name for name, column in facts.columns.items() if column.secret} | secret
        self._held[label] = _Held(facts, row, whole, frozenset(name.lower() for name in hidden))

    def get(self, label: str) -> LiveRow | None:
        """The row of an entry, as far as it is known."""
        return None if (held := self._held.get(label)) is None else held.row

    def read(self, reference: Reference) -> Known:
        """The value that a reference stands for."""
        if (held := self._held.get(label_of(reference))) is None:
            return UNKNOWN
        name = own_name(held.facts, reference.column)
        secret = name.lower() in held.secret
        if name not in held.row:
            return Known(secret=secret) if held.whole else Known(unknown=True, secret=secret)
        return Known(as_json(held.row[name], type_of(held.facts, name)), secret=secret)


def own_name(facts: ResourceFacts, written: str) -> str:
    """The column that a name means: in its own spelling, and the row's column for the id of a create."""
    lowered = written.lower()
    if facts.chosen_id is not None and lowered == facts.chosen_id[0].lower():
        return facts.chosen_id[1]
    return next((name for name in facts.columns if name.lower() == lowered), written)


def type_of(facts: ResourceFacts, name: str) -> Type | None:
    """The type of a column, if there is one of that name."""
    return None if (column := facts.columns.get(name)) is None else column.type


def as_json(value: SQLValue, type_: Type | None) -> JSON:
    """A value as SQL reads it, as JSON: a JSON column's text is what it says, a BOOLEAN true or false."""
    if isinstance(value, bytes):
        return value.hex()
    if type_ is Type.BOOLEAN and value in (0, 1) and isinstance(value, int):
        return bool(value)
    if type_ is Type.JSON and isinstance(value, str):
        return parsed(value)
    return value


def parsed(text: str) -> JSON:
    """The JSON that a text holds, else the text."""
    try:
        found: JSON = json.loads(text)
    except ValueError:
        return text
    return found


def resolve(value: Value, rows: Rows) -> Known:
    """The value with its references read; unknown as a whole if a part of it is."""
    match value:
        case Reference():
            return rows.read(value)
        case Secret(value=held):
            return Known(held, secret=True)
        case Text(parts=parts):
            return _text([Known(part) if isinstance(part, str) else resolve(part, rows) for part in parts])
        case list():
            items = [resolve(item, rows) for item in value]
            return _whole([item.value for item in items], items)
        case dict():
            found = {key: resolve(item, rows) for key, item in value.items()}
            return _whole({key: item.value for key, item in found.items()}, list(found.values()))
        case _:
            return Known(value)


def _whole(value: JSON, parts: list[Known]) -> Known:
    unknown = any(part.unknown for part in parts)
    return Known(None if unknown else value, unknown, any(part.secret for part in parts))


def _text(parts: list[Known]) -> Known:
    whole = _whole(None, parts)
    return whole if whole.unknown else Known("".join(text_of(p.value) for p in parts), secret=whole.secret)


def text_of(value: JSON) -> str:
    """A value as it stands within a text."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool | list | dict):
        return compact(value)
    return str(value)


def compact(value: JSON) -> str:
    """JSON as columns hold it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def bound(value: JSON, type_: Type | None) -> SQLValue:
    """The value as a statement binds it for a column of that type."""
    if isinstance(value, list | dict):
        return compact(value)
    if isinstance(value, bool):
        return ("true" if value else "false") if type_ in (Type.TEXT, Type.JSON) else int(value)
    if type_ is None or value is None:
        return value
    if type_ is Type.JSON and not isinstance(value, str):
        return compact(value)
    return value if type_ is Type.DATETIME else cast(value, type_)


def label_of(reference: Reference) -> str:
    """The label of the entry that a reference means."""
    return reference.entry if reference.item is None else f"{reference.entry}.{reference.item}"


def referenced(manifest: Manifest) -> dict[str, set[str]]:
    """By label, the columns of its row that something else refers to."""
    found: dict[str, set[str]] = {}
    for value in _values(manifest):
        for reference in references(value):
            found.setdefault(label_of(reference), set()).add(reference.column)
    return found


def _values(manifest: Manifest) -> Iterator[Value]:
    for entry in manifest.entries:
        yield from (property_.value for property_ in entry.properties.values())
        yield from entry.when_values.values()
    for values in manifest.output_values.values():
        yield from values.values()
