"""What a stack owns and no longer has in its file: rows with the owner's label below the file's parents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from sqlprovider.surfaces.deploy.change import Action, Change
from sqlprovider.surfaces.deploy.decide import can_delete
from sqlprovider.surfaces.deploy.identity import key_text
from sqlprovider.surfaces.deploy.live import read_owned
from sqlprovider.surfaces.deploy.model import Entry, Manifest
from sqlprovider.surfaces.deploy.values import LiveRow
from sqlprovider.surfaces.deploy.wanted import owner_column
from sqlprovider.surfaces.deploy.workers import Workers
from sqlprovider.values import SQLValue, cast

if TYPE_CHECKING:
    from sqlprovider.session import ResourceFacts

_Scope = tuple[str, str, tuple[tuple[str, SQLValue], ...]]
"""Resource, owner, and the parents' columns with their values."""


def owner_of(entry: Entry, manifest: Manifest) -> str | None:
    """The stack that an entry belongs to."""
    return entry.owner or manifest.owner


class Orphans:
    """The owner's objects that the file no longer has."""

    def __init__(self, manifest: Manifest, changes: Mapping[str, Change], workers: Workers) -> None:
        self._manifest = manifest
        self._changes = changes
        self._workers = workers
        self.warnings: list[str] = []

    def changes(self, *, prune: bool) -> list[Change]:
        """Their deletion, children first, with `prune`; else a warning that lists them."""
        scopes = self._scopes()
        works = [
            partial(read_owned, facts, dict(scope[2]), _labels(facts), scope[1])
            for scope, facts in scopes.items()
        ]
        found = [
            Change(
                f"{facts.name} {key_text(facts, row)}",
                facts,
                Action.DELETE,
                key=key_text(facts, row),
                reason=f"{scope[1]} no longer has it in its file",
                row=row,
            )
            for (scope, facts), rows in zip(scopes.items(), self._workers.map(works), strict=True)
            for row in rows
            if not any(_is_same(change, facts, row) for change in self._changes.values())
        ]
        found.sort(key=lambda change: (-len(change.facts.key), change.id))
        if not found or prune:
            return found
        listed = "; ".join(change.id for change in found)
        self.warnings.append(f"no longer in the file and still there (--prune deletes them): {listed}")
        return []

    def _scopes(self) -> dict[_Scope, ResourceFacts]:
        found: dict[_Scope, ResourceFacts] = {}
        # What a `when` skips is still in the file; where it cannot be told from others, nothing is an orphan.
        unsure = {
            change.facts.name
            for change in self._changes.values()
            if change.identity is not None and change.identity.values is None and not change.absent
        }
        for entry in self._manifest.entries:
            change = self._changes[entry.label]
            owner = owner_of(entry, self._manifest)
            if owner is None or entry.method is not None:
                continue
            if owner_column(change.facts) is None:
                continue  # such objects go with the parents that have an owner
            scope = self._scope(change, owner)
            if scope is not None and can_delete(change.facts) and change.facts.name not in unsure:
                found[scope] = change.facts
        return found

    def _scope(self, change: Change, owner: str) -> _Scope | None:
        """Where to look: below the parents of an object, if these are there."""
        identity, facts = change.identity, change.facts
        if identity is None or any(self._changes[label].absent for label in change.parents):
            return None
        known = {**identity.known, **(change.row or {})}
        if any(known.get(name) is None for name in facts.parents):
            return None
        return facts.name, owner, tuple((name, known[name]) for name in facts.parents)


def _labels(facts: ResourceFacts) -> str:
    column = owner_column(facts)
    return "" if column is None else column.name


def _is_same(change: Change, facts: ResourceFacts, row: LiveRow) -> bool:
    """Whether a live row is the one that an entry of the file means."""
    if change.facts.name != facts.name or change.identity is None or change.identity.values is None:
        return False
    pairs: Iterator[tuple[str, SQLValue]] = zip(change.identity.columns, change.identity.values, strict=True)
    return all(_as_read(facts, name, value) == row.get(name) for name, value in pairs)


def _as_read(facts: ResourceFacts, name: str, value: SQLValue) -> SQLValue:
    column = facts.columns.get(name)
    return value if column is None else cast(value, column.type)
