"""One step of an apply: the statements that make, change, restore or delete one object, or call a method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlprovider.errors import IntegrityError
from sqlprovider.surfaces.deploy.ask import quoted, read_rows
from sqlprovider.surfaces.deploy.change import Action, Change
from sqlprovider.surfaces.deploy.diff import Field, diff, merged_keys
from sqlprovider.surfaces.deploy.live import read_row
from sqlprovider.surfaces.deploy.values import LiveRow, as_json, bound, compact, type_of
from sqlprovider.surfaces.deploy.wanted import Wanted
from sqlprovider.values import JSON, SQLValue

if TYPE_CHECKING:
    from sqlprovider.errors import Warning
    from sqlprovider.session import ResourceFacts, Session


@dataclass(slots=True)
class Statements:
    """Runs the statements of steps on one session; `notes` are the warnings that came."""

    session: Session
    notes: list[str] = field(default_factory=list)

    def insert(self, facts: ResourceFacts, rows: Sequence[Mapping[str, SQLValue]]) -> list[LiveRow]:
        """Makes rows of the same columns with one statement; the rows as the API answers them."""
        columns = tuple(rows[0])
        values: list[JSON] = [[_plain(row[name]) for name in columns] for row in rows]
        # One parameter for all rows, so that the statement is short whatever their number.
        picked = ", ".join(f"value ->> {position}" for position in range(len(columns)))
        names = ", ".join(map(quoted, columns))
        sql = f"INSERT INTO {facts.name} ({names}) SELECT {picked} FROM json_each(?) ORDER BY key RETURNING *"
        return list(read_rows(self.session, sql, [compact(values)], self._warn))

    def update(self, change: Change, wanted: Wanted, row: LiveRow, fields: Sequence[Field]) -> list[LiveRow]:
        """Sets the fields of a row that is still as it was read. Raises IntegrityError where it is not."""
        facts = change.facts
        sets, params = _assignments(facts, wanted, fields)
        where, values = _conditions(change, wanted, row, fields)
        sql = f"UPDATE {facts.name} SET {sets} WHERE {where} RETURNING *"
        found = read_rows(self.session, sql, [*params, *values], self._warn)
        if not found:
            raise _moved(change)
        return list(found)

    def delete(self, change: Change, row: LiveRow) -> None:
        """Deletes a row; that it has gone already is as good."""
        where, params = _key_conditions(change, row)
        for result in self.session.run(f"DELETE FROM {change.facts.name} WHERE {where}", tuple(params)):
            self.notes += map(str, result.warnings)

    def restore(self, change: Change, row: LiveRow) -> LiveRow:
        """Makes a deleted row live, unless something else has; the row as it is then."""
        facts = change.facts
        now = self.read(change, row)
        if now is None and facts.restore is not None:
            self.call(facts, facts.restore, {name: row[name] for name in _restored_by(facts)})
            now = self.read(change, row)
        if now is None:
            raise _moved(change)
        return now

    def call(self, facts: ResourceFacts, method: str, arguments: Mapping[str, SQLValue]) -> None:
        """Calls a method; its answer is of no interest."""
        given = ", ".join(f"@{quoted(name)} = ?" for name in arguments)
        for result in self.session.run(f"EXEC {facts.name}.{method} {given}", tuple(arguments.values())):
            for _ in result.rows:
                pass

    def find(self, facts: ResourceFacts, where: Mapping[str, SQLValue]) -> LiveRow | None:
        """The live row with those values."""
        return read_row(self.session, facts, where, self._warn)

    def read(self, change: Change, row: LiveRow) -> LiveRow | None:
        """The live row with the key of another."""
        where = {name: row[name] for name in key_columns(change)}
        return read_row(self.session, change.facts, where, self._warn)

    @contextmanager
    def without_bodies(self) -> Iterator[None]:
        """What is written here holds a secret: the journal keeps no rows, whatever it keeps else."""
        if not self.session.settings.journal_bodies:
            yield
            return
        self._do("SET journal_bodies = 0")
        try:
            yield
        finally:
            self._do("SET journal_bodies = 1")

    def _do(self, sql: str) -> None:
        for _ in self.session.run(sql):
            pass

    def _warn(self, warning: Warning) -> None:
        self.notes.append(str(warning))


def fields_to_set(change: Change, wanted: Wanted, row: LiveRow) -> tuple[Field, ...]:
    """What of a change is to be set, now that every reference is known."""
    assert change.identity is not None and change.entry is not None
    resend = tuple(field for field in change.fields if _is_resent(change, field))
    if not any(field.unknown for field in change.fields) and change.action is Action.UPDATE:
        return change.fields
    found = diff(change.entry, change.facts, wanted.values, change.identity, row, resend=False)
    if fixed := [field.name for field in found if not field.settable]:
        raise IntegrityError(
            f"{', '.join(fixed)} cannot be changed, and is another one now that it is known",
            reason="moved",
            hint="apply again",
        )
    return (*found, *resend)


def _is_resent(change: Change, field_: Field) -> bool:
    column = change.facts.columns.get(field_.name)
    return column is not None and column.write_only


def _assignments(facts: ResourceFacts, wanted: Wanted, fields: Sequence[Field]) -> tuple[str, list[SQLValue]]:
    sets: list[str] = []
    params: list[SQLValue] = []
    for field_ in fields:
        column, known = facts.columns[field_.name], wanted.values[field_.name]
        name = quoted(column.name)
        if field_.merged and isinstance(known.value, dict):
            # The map as it is when it is written, so that what others set in it stays.
            sets.append(f"{name} = json_patch(coalesce({name}, '{{}}'), ?)")
        else:
            sets.append(f"{name} = ?")
        params.append(bound(known.value, column.type))
    return ", ".join(sets), params


def _conditions(
    change: Change, wanted: Wanted, row: LiveRow, fields: Sequence[Field]
) -> tuple[str, list[SQLValue]]:
    """The key, and what must not have moved: the etag, and the columns that are set."""
    facts = change.facts
    where, params = _key_conditions(change, row)
    etag = facts.precondition
    if etag is not None and row.get(etag) is not None:
        given = wanted.values.get(etag)
        where += f" AND {quoted(etag)} = ?"
        params.append(row[etag] if given is None else bound(given.value, type_of(facts, etag)))
    for field_ in fields:
        column, known = facts.columns[field_.name], wanted.values[field_.name]
        if field_.name not in row:
            continue
        if field_.merged and isinstance(known.value, dict):
            live = as_json(row[field_.name], column.type)
            for key in merged_keys(known.value, live):
                where += f" AND (SELECT value FROM json_each({quoted(column.name)}) WHERE key = ?) IS ?"
                params += [key, _map_value(live, key)]
        else:
            where += f" AND {quoted(column.name)} IS ?"
            params.append(row[field_.name])
    return where, params


def _map_value(live: JSON, key: str) -> SQLValue:
    value = live.get(key) if isinstance(live, dict) else None
    return compact(value) if isinstance(value, dict | list) else value


def key_columns(change: Change) -> tuple[str, ...]:
    """The columns that name one row: the key, else what identifies it for people."""
    return change.facts.key or (() if change.identity is None else change.identity.columns)


def _key_conditions(change: Change, row: LiveRow) -> tuple[str, list[SQLValue]]:
    names = key_columns(change)
    return " AND ".join(f"{quoted(name)} = ?" for name in names), [row[name] for name in names]


def _restored_by(facts: ResourceFacts) -> tuple[str, ...]:
    """The parameters of the method that restores: columns of the row."""
    method = facts.methods[facts.restore or ""]
    return tuple(name for name in (*method.required, *method.optional) if name in facts.key)


def _plain(value: SQLValue) -> JSON:
    return value.hex() if isinstance(value, bytes) else value


def _moved(change: Change) -> IntegrityError:
    return IntegrityError(
        f"{change.id} ({change.facts.name}) has been changed by someone else since it was read; "
        "nothing of it was written",
        reason="moved",
        hint="apply again",
    )
