"""The live state: the rows that entries mean, read concurrently; those that share parents, as one list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from sqlprovider.surfaces.deploy.ask import OnWarning, quoted, read_rows
from sqlprovider.surfaces.deploy.equal import is_same
from sqlprovider.surfaces.deploy.identity import Identity
from sqlprovider.surfaces.deploy.values import LiveRow
from sqlprovider.surfaces.deploy.workers import Workers
from sqlprovider.values import SQLValue, cast

if TYPE_CHECKING:
    from sqlprovider.session import ResourceFacts, Session

_ASKED_ONE_BY_ONE = 4
"""So many objects of one parent are asked for by their key; more are taken out of the parent's list."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """What to look for on behalf of one entry."""

    label: str
    facts: ResourceFacts
    identity: Identity
    below_restored: bool = False
    """Rows that are as deleted as what is above them count."""


@dataclass(slots=True)
class Found:
    """The rows of one identity."""

    live: list[LiveRow] = field(default_factory=list)
    deleted: list[LiveRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Group:
    """Lookups of one resource that differ in the last column of their identity only."""

    facts: ResourceFacts
    columns: tuple[str, ...]
    shared: tuple[SQLValue, ...]
    lookups: tuple[Lookup, ...]


def read_live(lookups: Sequence[Lookup], workers: Workers, on_warning: OnWarning) -> dict[str, Found]:
    """By label what is there, live or deleted. Identities must be known."""
    groups = _grouped(lookups)
    answers = workers.map([partial(_read, group, on_warning) for group in groups])
    return {label: found for answer in answers for label, found in answer.items()}


def read_row(
    session: Session, facts: ResourceFacts, where: Mapping[str, SQLValue], on_warning: OnWarning
) -> LiveRow | None:
    """The live row with those values; None where there is none."""
    sql, params = _select(facts, {name: (value,) for name, value in where.items()})
    return next(iter(read_rows(session, sql, params, on_warning)), None)


def read_owned(
    facts: ResourceFacts, where: Mapping[str, SQLValue], labels: str, owner: str, session: Session
) -> list[LiveRow]:
    """The live rows below those parents that have the owner's label."""
    sql, params = _select(facts, {name: (value,) for name, value in where.items()})
    test = f"{quoted(labels)} ->> '{OWNER}' = ?"
    sql += f" AND {test}" if where else f" WHERE {test}"
    return list(read_rows(session, sql, (*params, owner), lambda warning: None))


OWNER = "sqlprovider-owner"
"""The label or tag that says which stack an object belongs to."""


def columns_of(facts: ResourceFacts) -> tuple[str, ...]:
    """The columns of a row: what identifies it and what its item has."""
    return tuple(
        name
        for name, column in facts.columns.items()
        if column.role in ("parameter", "item") and name != "item_" and not column.write_only
    )


def _grouped(lookups: Sequence[Lookup]) -> list[_Group]:
    found: dict[tuple[object, ...], list[Lookup]] = defaultdict(list)
    for lookup in lookups:
        values = lookup.identity.values
        assert values is not None
        shared = (lookup.facts.name, lookup.identity.columns, values[:-1], lookup.below_restored)
        found[shared].append(lookup)
    return [
        _Group(same[0].facts, same[0].identity.columns, (same[0].identity.values or ())[:-1], tuple(same))
        for same in found.values()
    ]


def _read(group: _Group, on_warning: OnWarning, session: Session) -> dict[str, Found]:
    facts, last = group.facts, group.columns[-1]
    wanted = tuple(dict.fromkeys((lookup.identity.values or ())[-1] for lookup in group.lookups))
    where: dict[str, tuple[SQLValue, ...]] = {
        name: (value,) for name, value in zip(group.columns[:-1], group.shared, strict=True)
    }
    listed = len(wanted) > _ASKED_ONE_BY_ONE
    # Where a row does not tell whether it is deleted, the widest view is asked only if it does not matter.
    widest = group.lookups[0].below_restored or facts.state_column is not None
    sql, params = _select(facts, {**where, ("+" if listed else "") + last: wanted}, widest=widest)
    found = {lookup.label: Found() for lookup in group.lookups}
    by_value = defaultdict(list)
    for lookup in group.lookups:
        by_value[_cast(facts, last, (lookup.identity.values or ())[-1])].append(lookup)
    for row in read_rows(session, sql, params, on_warning):
        for lookup in by_value[row[last]]:
            if _holds(lookup, row):
                kept = found[lookup.label]
                (kept.live if is_live(facts, row) else kept.deleted).append(row)
    return found


def _holds(lookup: Lookup, row: LiveRow) -> bool:
    content = lookup.identity.content
    columns = lookup.facts.columns
    return content is None or all(is_same(value, row, columns[name]) for name, value in content.items())


def is_live(facts: ResourceFacts, row: LiveRow) -> bool:
    """Whether a row of the widest view is live."""
    if facts.state_column is None:
        return True
    name, live = facts.state_column
    return row.get(name) in live


def _select(
    facts: ResourceFacts, where: Mapping[str, tuple[SQLValue, ...]], *, widest: bool = False
) -> tuple[str, list[SQLValue]]:
    """`+name` is compared here and not asked for: unary plus keeps SQLite from offering it."""
    tests, params = [], []
    for written, values in where.items():
        plus, name = ("+", written[1:]) if written.startswith("+") else ("", written)
        marks = ", ".join("?" * len(values))
        tests.append(
            f"{plus}{quoted(name)} = ?" if len(values) == 1 else f"{plus}{quoted(name)} IN ({marks})"
        )
        params += [_cast(facts, name, value) for value in values]
    if widest and facts.view is not None:
        tests.append(f"{quoted(facts.view[0])} = ?")
        params.append(facts.view[1])
    columns = ", ".join(map(quoted, columns_of(facts)))
    sql = f"SELECT {columns} FROM {facts.name}" + (f" WHERE {' AND '.join(tests)}" if tests else "")
    return sql, params


def _cast(facts: ResourceFacts, name: str, value: SQLValue) -> SQLValue:
    column = facts.columns.get(name)
    return value if column is None else cast(value, column.type)
