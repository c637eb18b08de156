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
    """A SELECT: none or 0 skips the entry. Its placeholders are parameters `:placeholder_1`, …"""
    owner: str | None = None
    protect: bool = False
    when_values: Mapping[str, Value] = field(default_factory=dict)
    """Parameter of `when` (`placeholder_1`) → the value to bind: a value never becomes a part of SQL text."""

    @property
    def label(self) -> str:
        """`id` or `id.item`: how plans and references call it."""
        return self.id if self.item is None else f"{self.id}.{self.item}"


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything that the files ask for together, in dependency order (`order.py`)."""

    entries: tuple[Entry, ...]
    outputs: Mapping[str, str] = field(default_factory=dict)
    """Name → SELECT. Its placeholders are parameters `:placeholder_1`, …"""
    owner: str | None = None
    preparations: tuple[str, ...] = ()
    """USE, and `CREATE TEMP TABLE … AS SELECT` of SQL files: run first on every session that reads values."""
    warnings: tuple[str, ...] = ()
    output_values: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    """Output → parameter of its SELECT → the value to bind."""
    preparation_values: tuple[Mapping[str, Value], ...] = ()
    """For each preparation the values to bind: constants only, neither references nor secrets."""
    dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Label → the labels that must be done before it: of its references and of its parents, in file order.
    Every entry is here. What does not depend on one another may run concurrently; destroy goes backwards."""
    secrets: tuple[Secret, ...] = ()
    """Every secret that the files name, so that whatever prints can hide their values."""
    unsettled: tuple[str, ...] = ()
    """Statements of SQL files (`file:line`) that read a resource which the same files write: their rows may
    be others once this manifest is applied. Then it is read and applied again, without its calls, until
    nothing is left to do."""
