"""What of a plan has to be done before what: the steps of each object and their order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from sqlprovider.surfaces.deploy.change import Action, Change, Plan
from sqlprovider.surfaces.deploy.decide import can_delete


class Kind(StrEnum):
    """One step of an object."""

    DELETE = "delete"
    PUT = "put"
    """Made, changed, restored or called."""


class Step(NamedTuple):
    """A step by its kind and the object's label."""

    kind: Kind
    label: str


def build_graph(plan: Plan) -> dict[Step, set[Step]]:
    """Step → the steps before it, in the plan's order."""
    changes = {change.id: change for change in plan.changes}
    steps = [step for change in plan.changes for step in _steps(change)]
    graph: dict[Step, set[Step]] = {step: set() for step in steps}
    dependents = _dependents(plan)
    for step in steps:
        change = changes[step.label]
        before = graph[step]
        if step.kind is Kind.DELETE:
            before.update(Step(Kind.DELETE, label) for label in dependents.get(step.label, ()))
            before.update(_below(change, plan))
            if change.entry is None:
                before.update(other for other in steps if other.kind is Kind.PUT)
        else:
            before.add(Step(Kind.DELETE, step.label))
            before.update(Step(Kind.PUT, label) for label in plan.dependencies.get(step.label, ()))
        before.intersection_update(graph)
        before.discard(step)
    return graph


def _steps(change: Change) -> Iterator[Step]:
    # What goes with its parent is not deleted by itself.
    if change.action in (Action.DELETE, Action.REPLACE) and can_delete(change.facts):
        yield Step(Kind.DELETE, change.id)
    if change.action not in (Action.DELETE, Action.NOTHING):
        yield Step(Kind.PUT, change.id)


def _dependents(plan: Plan) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for label, before in plan.dependencies.items():
        for other in before:
            found.setdefault(other, []).append(label)
    return found


def _below(change: Change, plan: Plan) -> Iterator[Step]:
    """Of what is no longer in the file: the objects below it, by their key."""
    if change.entry is not None or change.row is None:
        return
    for other in plan.changes:
        if other.entry is None and other.row is not None and len(other.facts.key) > len(change.facts.key):
            names = change.facts.key
            if names and all(other.row.get(name) == change.row.get(name) for name in names):
                yield Step(Kind.DELETE, other.id)
