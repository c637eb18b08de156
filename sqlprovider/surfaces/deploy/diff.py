"""What an entry would change of a live row, field by field; only properties that are given are compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlprovider.surfaces.deploy.equal import is_same, texts
from sqlprovider.surfaces.deploy.identity import Identity
from sqlprovider.surfaces.deploy.model import Entry
from sqlprovider.surfaces.deploy.values import Known, LiveRow, as_json
from sqlprovider.values import JSON

if TYPE_CHECKING:
    from sqlprovider.session import ColumnFacts, ResourceFacts

_MERGED = ("labels", "tags")
ETAG = "etag"
"""What the API makes anew with each change is no desired state: it goes along as a condition."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a change. The values of a secret are None."""

    name: str
    old: JSON = field(default=None, repr=False)
    new: JSON = field(default=None, repr=False)
    unknown: bool = False
    secret: bool = False
    settable: bool = True
    """An UPDATE can set it (or an INSERT that overwrites)."""
    merged: bool = False
    """Only the keys that are given are compared and set."""


def diff(
    entry: Entry,
    facts: ResourceFacts,
    desired: Mapping[str, Known],
    identity: Identity,
    row: LiveRow,
    *,
    resend: bool,
) -> tuple[Field, ...]:
    """The fields in which a live row is not what the entry wants, in the file's order."""
    found = []
    for column, known in _compared(facts, desired, identity):
        if is_write_only(column):
            if resend and is_settable(facts, column):
                found.append(_field(facts, column, known, None, merged=False))
            continue
        merged = is_merged(entry, column)
        if known.unknown or not _is_met(known.value, row, column, merged=merged):
            found.append(_field(facts, column, known, row, merged=merged))
    return tuple(found)


def is_merged(entry: Entry, column: ColumnFacts) -> bool:
    """Whether an entry speaks of some keys of a map only."""
    property_ = entry.properties.get(column.name)
    return is_labels(column) and (property_ is None or property_.merge)


def is_labels(column: ColumnFacts) -> bool:
    """Whether it is the map of labels or tags."""
    return column.name.lower() in _MERGED and column.type.value == "JSON"


def is_write_only(column: ColumnFacts) -> bool:
    """Whether the API never answers with it; an option has no field in the row."""
    return column.write_only or column.role == "option"


def is_settable(facts: ResourceFacts, column: ColumnFacts) -> bool:
    """Whether a write can change it in a row that is there."""
    return column.settable or (facts.overwrites and column.insertable)


def merged_keys(wanted: JSON, live: JSON) -> dict[str, str | None]:
    """The keys that differ among those given; None: to be taken away."""
    have = texts(live)
    given = wanted if isinstance(wanted, dict) else {}
    found: dict[str, str | None] = {}
    for key, value in given.items():
        text = None if value is None else texts({key: value})[key]
        if have.get(key) != text:
            found[key] = text
    return found


def _compared(
    facts: ResourceFacts, desired: Mapping[str, Known], identity: Identity
) -> Iterator[tuple[ColumnFacts, Known]]:
    for name, known in desired.items():
        column = facts.columns.get(name)
        if column is None or name in identity.columns or name in (facts.precondition, ETAG):
            continue
        if name not in facts.key:
            yield column, known


def _is_met(wanted: JSON, row: LiveRow, column: ColumnFacts, *, merged: bool) -> bool:
    if merged:
        return not merged_keys(_map(wanted), as_json(row.get(column.name), column.type))
    # What cannot be set would be replaced again and again for the defaults that the server adds within it.
    return is_same(wanted, row, column, whole=column.settable)


def _map(wanted: JSON) -> JSON:
    return dict(texts(wanted)) if isinstance(wanted, str) else wanted


def _field(
    facts: ResourceFacts, column: ColumnFacts, known: Known, row: LiveRow | None, *, merged: bool
) -> Field:
    settable = is_settable(facts, column)
    if known.secret or column.secret:
        return Field(column.name, None, None, known.unknown, True, settable, merged)
    live = None if row is None else as_json(row.get(column.name), column.type)
    new = known.value
    if merged and not known.unknown:
        new = _merged(_map(new), live)
    return Field(column.name, live, None if known.unknown else new, known.unknown, False, settable, merged)


def _merged(wanted: JSON, live: JSON) -> JSON:
    """The map as it will be: the live one with the keys that differ."""
    found: dict[str, str] = texts(live)
    for key, text in merged_keys(wanted, live).items():
        if text is None:
            found.pop(key, None)
        else:
            found[key] = text
    return dict(found)
