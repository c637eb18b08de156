"""Resources on someone else's apsw connection: readable, and writable by plain INSERT, UPDATE, DELETE.

xUpdate cannot tell an omitted column from NULL and has no RETURNING; changes are buffered, sent one by one as
SQLite syncs the statement or the transaction, and dropped when it rolls back. A session plans its writes from
the text instead.
"""

from __future__ import annotations

import weakref
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import apsw

from sqlprovider.catalog.catalog import Catalog
from sqlprovider.catalog.model import Resource, Role, Verb
from sqlprovider.config import Config, Settings
from sqlprovider.errors import Error
from sqlprovider.execute.executor import Executor
from sqlprovider.plan.model import Operation, Refusal, Scan
from sqlprovider.plan.mutation import (
    Mutation,
    delete_operation,
    insert_operation,
    plan_delete,
    plan_insert,
    plan_update,
    update_operations,
)
from sqlprovider.values import Row, SQLValue
from sqlprovider.vtab.engine import Engine
from sqlprovider.vtab.kept import Rows
from sqlprovider.vtab.reading import Reading
from sqlprovider.vtab.rowwrite import Report, RowWrite, is_lost
from sqlprovider.vtab.table import Module, Table

SQLiteConnection = apsw.Connection


class Registration(Engine):
    """Every resource of a configuration as a table of a given connection."""

    def __init__(
        self, catalog: Catalog, executor: Executor, settings: Settings, connection: apsw.Connection
    ) -> None:
        super().__init__(catalog, connection=connection)
        self._executor = executor
        self._settings = settings
        self.staged: list[Staged] = []
        """The changes of every table, in the order in which they were made."""

    def send_staged(self) -> None:
        """Sends what is staged, in order. A failure says what became of each change."""
        calls = self._executor.begin(self._settings)
        staged, self.staged = self.staged, []
        for place, change in enumerate(staged):
            try:
                change.row.answer = calls.call(change.operation)
                change.row.state = "accepted"
            except Error as error:
                change.row.fail(error, "unknown" if is_lost(error) else "failed")
                error.rows = tuple(
                    row for sequence, done in enumerate(staged, 1) for row in _reported(sequence, done)
                )
                error.context = f"{change.mutation.where}: change {place + 1} of {len(staged)}"
                raise

    @property
    def reading(self) -> Reading:
        """One scan's: SQLite does not say where a statement begins."""
        return Reading(self._executor.begin(self._settings))

    def module(self, resource: Resource, *, verb: Verb) -> Module:
        """A module whose table takes writes."""
        return WritableModule(resource, self, verb=verb)


@dataclass(frozen=True, slots=True)
class Staged:
    """One request that a change needs, and the row that it is of."""

    table: WritableTable
    mutation: Mutation
    operation: Operation
    row: RowWrite


def _reported(sequence: int, change: Staged) -> tuple[dict[str, SQLValue], ...]:
    change.row.sequence = sequence
    return Report(change.mutation, (change.row,)).last_write()


class WritableModule(Module):
    """A module whose table takes writes."""

    is_writable = True

    def __init__(self, resource: Resource, source: Registration, *, verb: Verb = Verb.SELECT) -> None:
        self.table = WritableTable(resource, source, verb=verb)


class WritableTable(Table):
    """Buffers xUpdate's changes as operations; Sync sends them in order."""

    def __init__(self, resource: Resource, source: Registration, *, verb: Verb) -> None:
        super().__init__(resource, source, verb=verb)
        self._registration = source
        self._marks: dict[int, int] = {}
        """Level of a savepoint → how many changes were staged when it was set."""
        self._seen: dict[int, Row] = {}
        self._changes = False
        """Whether a statement that may change rows is under way: SQLite calls Begin before it scans."""

    def plan(self, number: int) -> Scan | Refusal:
        """The plan SQLite chose; a row to change is needed whole, whatever the statement reads of it."""
        plan = self.plans[number]
        if isinstance(plan, Refusal) or not self._changes:
            return plan
        needed = frozenset(
            position
            for position, column in enumerate(self.resource.columns)
            if column.role in (Role.PARAMETER, Role.ITEM) and not column.whole_item
        )
        return replace(plan, used=plan.used | needed)

    def watched(self, pages: Generator[Rows]) -> Generator[Rows]:
        """The pages, their rows remembered while a change may name them by rowid."""
        for page in pages:
            if self._changes:
                self._seen.update(zip(page.rowids, page.rows, strict=True))
            yield page

    def Begin(self) -> None:
        self._changes = True

    def Sync(self) -> None:
        self._registration.send_staged()

    def Commit(self) -> None:
        self._changes = False
        self._seen.clear()
        self._marks.clear()

    def Rollback(self) -> None:
        self._drop(0)
        self.Commit()

    def Savepoint(self, level: int) -> None:
        self._marks[level] = len(self._registration.staged)

    def Release(self, level: int) -> None:
        self._marks = {known: mark for known, mark in self._marks.items() if known < level}

    def RollbackTo(self, level: int) -> None:
        self._drop(self._marks.get(level, 0))
        self._marks = {known: mark for known, mark in self._marks.items() if known <= level}

    def UpdateInsertRow(self, rowid: int | None, fields: Sequence[SQLValue]) -> int:
        given = self._values(fields)
        mutation = plan_insert(self.resource, list(given), self._defaults)
        self._stage(mutation, [insert_operation(mutation, given)], given, given)
        return len(self._registration.staged)

    def UpdateChangeRow(self, rowid: int, new_rowid: int, fields: Sequence[SQLValue]) -> None:
        old = self._old(rowid)
        names = [column.name for column in self.resource.columns]
        changed = {name: value for name, value in zip(names, fields, strict=True) if value != old.get(name)}
        if changed:
            mutation = plan_update(self.resource, list(changed), self._defaults)
            self._stage(mutation, list(update_operations(mutation, old, changed, {})), old, changed)

    def UpdateDeleteRow(self, rowid: int) -> None:
        mutation, old = plan_delete(self.resource, self._defaults), self._old(rowid)
        self._stage(mutation, [delete_operation(mutation, old, {})], old, {})

    def _stage(
        self,
        mutation: Mutation,
        operations: list[Operation],
        row: dict[str, SQLValue],
        given: dict[str, SQLValue],
    ) -> None:
        write = RowWrite(tuple(operations), dict(row), given)
        self._registration.staged += [Staged(self, mutation, operation, write) for operation in operations]

    def _drop(self, mark: int) -> None:
        """Drops this table's changes after the first `mark` of all."""
        staged = self._registration.staged
        self._registration.staged = staged[:mark] + [c for c in staged[mark:] if c.table is not self]

    @property
    def _defaults(self) -> dict[str, str]:
        return dict(self._source.defaults(self.resource))

    def _old(self, rowid: int) -> dict[str, SQLValue]:
        row = self._seen[rowid]
        return {column.name: row[position] for position, column in enumerate(self.resource.columns)}

    def _values(self, fields: Sequence[SQLValue]) -> dict[str, SQLValue]:
        """What is not NULL: xUpdate says NULL for an omitted column too."""
        named = zip(self.resource.columns, fields, strict=True)
        return {column.name: value for column, value in named if value is not None}


def register_resources(
    connection: apsw.Connection,
    catalog: Catalog,
    executor: Executor,
    config: Config,
    *,
    listed: bool,
    temporary: bool,
) -> Registration:
    """Makes every resource of the configuration a table of the connection, under its dotted name."""
    registration = Registration(catalog, executor, config.settings, connection)
    # Its modules keep it alive; SQLite drops them as the connection is closed, and tells nobody else.
    weakref.finalize(registration, executor.close)
    for resource in catalog.resources():
        registration.add_resource(resource)
    if listed:
        registration.list_resources(temporary=temporary)
    return registration
