"""A plan as frozen values: what is to be done with each object, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlprovider.surfaces.deploy.diff import Field
from sqlprovider.surfaces.deploy.identity import Identity
from sqlprovider.surfaces.deploy.model import Entry
from sqlprovider.surfaces.deploy.values import LiveRow, Rows

if TYPE_CHECKING:
    from sqlprovider.session import ResourceFacts


class Action(StrEnum):
    """What is done with an object."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    RESTORE = "restore"
    DELETE = "delete"
    EXEC = "exec"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be done with one object, or one call."""

    id: str
    """The entry's label; of what is no longer in the file its resource and key."""
    facts: ResourceFacts
    action: Action
    key: str | None = None
    reason: str | None = None
    fields: tuple[Field, ...] = ()
    entry: Entry | None = None
    """None for what is no longer in the file."""
    identity: Identity | None = None
    row: LiveRow | None = field(default=None, repr=False)
    """As it was read: live, or deleted where it is to be restored."""
    parents: tuple[str, ...] = ()
    """The labels of the objects below which it is."""
    secrets: frozenset[str] = frozenset()
    """The columns whose values are secret."""
    below_restored: bool = False
    """It is, or will be, as live as something above it that is restored."""
    absent: bool = False
    """Nothing of that identity is there."""
    undecided: bool = False
    """Its `when` reads what is not made yet: it is asked again before it is done."""

    @property
    def resource(self) -> str:
        """The full name of the resource; of a call, of the method."""
        method = None if self.entry is None else self.entry.method
        return self.facts.name if method is None else f"{self.facts.name}.{method}"


@dataclass(frozen=True, slots=True)
class Plan:
    """Every object of a manifest in the file's order, and what has to come before what."""

    changes: tuple[Change, ...]
    dependencies: Mapping[str, tuple[str, ...]]
    """Label → the labels before it, of those that are in the plan."""
    warnings: tuple[str, ...]
    rows: Rows
    """What references read: the live rows, and those to come as far as they are known."""

    def summary(self) -> dict[str, int]:
        """How many there are of each action."""
        return {action.value: sum(c.action is action for c in self.changes) for action in Action}

    def with_earlier(
        self, earlier: Mapping[str, tuple[Change, str]], states: Mapping[str, str]
    ) -> tuple[Plan, dict[str, str]]:
        """This plan and its states with what earlier plans did to what is now as it should be, or gone."""
        own = {change.id: change for change in self.changes}
        taken = {
            label: done
            for label, done in earlier.items()
            if label not in own or own[label].action is Action.NOTHING
        }
        merged = {label: (change, states[label]) for label, change in own.items()} | taken
        plan = replace(self, changes=tuple(change for change, _ in merged.values()))
        return plan, {label: state for label, (_, state) in merged.items()}

    def has_changes(self, *, strict: bool = False) -> bool:
        """Whether there is anything to do; a call counts only if `strict`."""
        idle = {Action.NOTHING} if strict else {Action.NOTHING, Action.EXEC}
        return any(change.action not in idle for change in self.changes)
