"""What a manifest asks for, as frozen values: entries whose values may hold references to other entries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from sqlprovider.values import JSON


@dataclass(frozen=True, slots=True)
class Reference:
    """`{{ id.column }}` or `{{ id.item.column }}`: a column of the live or just-made row of an entry."""

    entry: str
    """The entry's id."""
    item: str | None
    column: str

    def __str__(self) -> str:
        return ".".join(part for part in (self.entry, self.item, self.column) if part is not None)


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that nothing prints: of `{{ env.NAME }}` or of a variable marked secret."""

    name: str
    """`env.NAME` or the variable's name: what a PLAN keeps in the place of the value."""
    value: JSON = field(repr=False)

    def __str__(self) -> str:
        return "(secret)"


@dataclass(frozen=True, slots=True)
class Text:
    """A text with placeholders in it, in order: `"run of {{ base.run_id }}"`."""

    parts: tuple[str | Reference | Secret, ...]


Value: TypeAlias = "JSON | Reference | Secret | Text | list[Value] | dict[str, Value]"
"""Variables are filled in already; references and secrets are left."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which file something stands, for messages."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Property:
    """One column's desired value."""

    name: str
    """As written; the column's own spelling once it is resolved."""
    value: Value
    merge: bool = True
    """For labels and tags: only the keys given are compared and set; False: the map is replaced whole."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One object (or, with `method`, one call) that a file asks for."""

    id: str
    item: str | None
    """The item's id, where the entry has `items`: each item is an Entry of its own."""
    resource: str
    """The full name `connection.service.resource`."""
    method: str | None
    """For `exec`: the method's name. None: desired state of a row."""
    properties: Mapping[str, Property]
    """By the column's (for `exec`: the parameter's) own name."""
    place: Place
    when: str | None = None
    """A SELECT: none or 0 skips the entry."""
    owner: str | None = None
    protect: bool = False

    @property
    def label(self) -> str:
        """`id` or `id.item`: how plans and references call it."""
        return self.id if self.item is None else f"{self.id}.{self.item}"


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything that the files ask for together, in dependency order (`order.py`)."""

    entries: tuple[Entry, ...]
    outputs: Mapping[str, str] = field(default_factory=dict)
    """Name → SELECT, placeholders still in it."""
    owner: str | None = None
    preparations: tuple[str, ...] = ()
    """`CREATE TEMP TABLE … AS SELECT` of SQL files: run first on every session that reads values."""
    warnings: tuple[str, ...] = ()
