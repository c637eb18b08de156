"""Which live object an entry means: by its key, by an id that the client chooses, or by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlprovider.errors import ManifestError
from sqlprovider.surfaces.deploy.model import Entry
from sqlprovider.surfaces.deploy.values import Known, bound, own_name, type_of
from sqlprovider.values import JSON, SQLValue

if TYPE_CHECKING:
    from sqlprovider.session import ResourceFacts

Desired = Mapping[str, Known]
"""Column (in the row's own spelling) → what the entry wants there."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The columns that name one object, with their values; None where a value is known only after apply."""

    columns: tuple[str, ...]
    values: tuple[SQLValue, ...] | None
    known: Mapping[str, SQLValue]
    """Those of the values that are known."""
    secret: frozenset[str] = frozenset()
    content: Mapping[str, JSON] | None = None
    """Of rows without a key, which may repeat: what a row must hold to be this one."""

    @property
    def text(self) -> str:
        """`experiment_id=1, run_name=base`, as far as it is known."""
        return ", ".join(
            f"{name}={self._shown(name)}"
            for name in self.columns
            if name in self.known or self.values is None or name in self.secret
        )

    def _shown(self, name: str) -> str:
        if name in self.secret:
            return "(secret)"
        return str(self.known[name]) if name in self.known else "(known after apply)"


def identify(entry: Entry, facts: ResourceFacts, desired: Desired) -> Identity:
    """The identity that an entry gives. Raises ManifestError if it gives none."""
    by_name = tuple(dict.fromkeys((*facts.parents, *facts.identity)))
    if not facts.key and not facts.identity:
        return _by_content(entry, facts, desired)
    for columns in (facts.key, by_name if facts.identity else ()):
        if columns and all(_given(facts, desired, name) is not None for name in columns):
            return _identity(facts, desired, columns)
    raise _no_identity(entry, facts, desired)


def _by_content(entry: Entry, facts: ResourceFacts, desired: Desired) -> Identity:
    """A row that has no key is there if one is that holds what is given."""
    columns = tuple(name for name, column in facts.columns.items() if column.role == "parameter")
    if not columns or any(_given(facts, desired, name) is None for name in columns):
        raise _no_identity(entry, facts, desired)
    content = {
        name: known.value
        for name, known in desired.items()
        if name in facts.columns and facts.columns[name].role == "item" and not known.unknown
    }
    return replace(_identity(facts, desired, columns), content=content)


def _no_identity(entry: Entry, facts: ResourceFacts, desired: Desired) -> ManifestError:
    return ManifestError(
        [f"{entry.place}: {entry.label}: nothing says which of {facts.name} it is{_lacking(facts, desired)}"]
    )


def _given(facts: ResourceFacts, desired: Desired, name: str) -> Known | None:
    """What the entry, or else a default of the connection, gives for a column."""
    known = desired.get(name)
    if known is not None and (known.unknown or known.value not in (None, "")):
        return known
    default = facts.defaults.get(name)
    return None if default is None else Known(default)


def _identity(facts: ResourceFacts, desired: Desired, columns: tuple[str, ...]) -> Identity:
    known: dict[str, SQLValue] = {}
    secret = set()
    for name in columns:
        given = _given(facts, desired, name)
        if given is None:
            continue
        if given.secret:
            secret.add(name)
        if not given.unknown:
            known[name] = bound(given.value, type_of(facts, name))
    values = tuple(known[name] for name in columns) if len(known) == len(columns) else None
    return Identity(columns, values, known, frozenset(secret))


def _lacking(facts: ResourceFacts, desired: Desired) -> str:
    ways = []
    by_name = (*facts.parents, *facts.identity) if facts.identity else ()
    by_content = () if facts.key else facts.parents
    for columns in (facts.key, by_name, by_content):
        if columns:
            lacking = [name for name in dict.fromkeys(columns) if _given(facts, desired, name) is None]
            ways.append(" and ".join(_written(facts, name) for name in lacking))
    if not ways:
        return ": its rows have no key"
    return f"; it lacks {', or '.join(dict.fromkeys(ways))}"


def _written(facts: ResourceFacts, name: str) -> str:
    """The property that gives a column: the id of a create where the client chooses it."""
    if facts.chosen_id is not None and facts.chosen_id[1] == name:
        return facts.chosen_id[0]
    return name


def by_column(facts: ResourceFacts, given: Mapping[str, Known]) -> dict[str, Known]:
    """The values by the row's column: the id of a create is the value of the column that it names."""
    return {own_name(facts, name): known for name, known in given.items()}


def key_text(facts: ResourceFacts, row: Mapping[str, SQLValue]) -> str | None:
    """`projectsId=acme, runsId=base`: the key of a row that is there."""
    found = [f"{name}={row[name]!s}" for name in facts.key if row.get(name) is not None]
    return ", ".join(found) or None


def is_parent(parent: ResourceFacts, row: Mapping[str, SQLValue], child: Identity, child_name: str) -> bool:
    """Whether an object is a parent of another: the same connection, and its key is a part of the other's."""
    if parent.name.partition(".")[0] != child_name.partition(".")[0] or not parent.key:
        return False
    if not set(parent.key) <= set(child.columns):
        return False
    return all(
        name not in row or name not in child.known or row[name] == child.known[name] for name in parent.key
    )
