"""Walks on trial: rows are found by their parents, where what names the parents is not given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlprovider.catalog.model import Method, Parent, Resource, Verb
from sqlprovider.exercise.made import argument
from sqlprovider.exercise.platform import is_list
from sqlprovider.exercise.trial import Trial


@dataclass(slots=True)
class _Way:
    """What must be given for a resource to be read by a walk."""

    columns: set[str] = field(default_factory=set)
    """Its columns that the statement gives."""
    defaults: dict[str, str] = field(default_factory=dict)
    """What only the connection's defaults can give its parents."""


def walks(trial: Trial) -> Iterator[str]:
    """Rows are found by their parents where no more is given than what no parent has."""
    for method in trial.lists:
        way = _way(trial, trial.resource, method, walking=True)
        if way is None:
            continue
        rows = trial.rows(2 if trial.has_room() else 1)
        said = {
            p.column or p.name: p for p in method.parameters.values() if (p.column or p.name) in way.columns
        }
        given = [trial.shared[name] if name in trial.shared else argument(p, 1) for name, p in said.items()]
        where = " AND ".join(["1", *(f'"{name}" = ?' for name in said)])
        names = ", ".join(f'"{column.name}"' for column in trial.columns) or "1"
        with trial.table(rows, defaults=way.defaults) as table:
            found = table.run(f"SELECT {names} FROM {trial.name} WHERE {where}", given)
            if sorted(map(repr, found)) != sorted(map(repr, trial.expected(rows))):
                yield f"the walk over the parents found {len(found)} rows, and not the {len(rows)} there are"
            yield from table.platform.faults


def _way(trial: Trial, resource: Resource, method: Method, *, walking: bool) -> _Way | None:
    """What a method of a resource needs; `walking`: only if a parent gives some of it."""
    needed = {p.name: p for p in method.parameters.values() if p.required}
    for parent in resource.parents:
        bound = {name for name in needed if name in parent.bind and not needed[name].root}
        if bound and (way := _way_by(trial, parent, bound)) is not None:
            way.columns |= {p.column or p.name for name, p in needed.items() if name not in bound}
            return way
    return None if walking else _Way({p.column or p.name for p in needed.values()})


def _way_by(trial: Trial, parent: Parent, bound: set[str]) -> _Way | None:
    """What the statement gives for the parent to be listed; None if it cannot be, or finds nothing."""
    above = trial.stage.provider.services[parent.service].resources[parent.resource]
    listed = next((m for m in above.verb_methods(Verb.SELECT) if is_list(m)), None)
    way = None if listed is None else _way(trial, above, listed, walking=False)
    if listed is None or way is None:
        return None
    names = {column: name for name, column in parent.bind.items()}
    given = {names[column] for column in way.columns if column in names}
    defaults, row = dict(way.defaults), trial.ancestors().get(above, {})
    for parameter in listed.parameters.values():
        column = parameter.column or parameter.name
        if column in way.columns and column not in names:
            defaults[parameter.name] = str(row.get(column, argument(parameter, 1)))
    bound -= given
    return _Way(given, defaults) if bound else None
