"""Resources on someone else's apsw connection: readable, and writable by plain INSERT, UPDATE, DELETE.

xUpdate cannot tell an omitted column from NULL and has no RETURNING; changes are buffered, sent when SQLite
syncs the statement, and dropped when it rolls back. A session plans its writes from the text instead.
"""

from __future__ import annotations

import weakref
from collections.abc import Generator, Sequence
from dataclasses import replace

import apsw

from sqlprovider.catalog.catalog import Catalog
from sqlprovider.catalog.model import Resource, Role, Verb
from sqlprovider.config import Config, Settings
from sqlprovider.errors import NotSupportedError
from sqlprovider.execute.executor import Executor, StatementCalls
from sqlprovider.plan.bind import Argument
from sqlprovider.plan.model import Operation, Refusal, Scan
from sqlprovider.plan.mutation import (
    delete_operation,
    insert_operation,
    plan_delete,
    plan_insert,
    plan_update,
    update_operations,
)
from sqlprovider.values import Row, SQLValue
from sqlprovider.vtab.engine import Engine
from sqlprovider.vtab.table import Module, Source, Table

SQLiteConnection = apsw.Connection


class Registration(Engine):
    """Every resource of a configuration as a table of a given connection."""

    def __init__(
        self, catalog: Catalog, executor: Executor, settings: Settings, connection: apsw.Connection
    ) -> None:
        super().__init__(catalog, connection=connection)
        self._executor = executor
        self._settings = settings

    @property
    def calls(self) -> StatementCalls:
        """The calls of one scan or one flush: SQLite does not say where a statement begins."""
        return self._executor.begin(self._settings)

    def module(self, resource: Resource, *, verb: Verb) -> Module:
        """A module whose table takes writes."""
        return WritableModule(resource, self, verb=verb)


class WritableModule(Module):
    """A module whose table takes writes."""

    is_writable = True

    def __init__(self, resource: Resource, source: Source, *, verb: Verb = Verb.SELECT) -> None:
        self.table = WritableTable(resource, source, verb=verb)


class WritableTable(Table):
    """Buffers xUpdate's changes as operations; Sync sends them in order."""

    def __init__(self, resource: Resource, source: Source, *, verb: Verb) -> None:
        super().__init__(resource, source, verb=verb)
        self._seen: dict[int, Row] = {}
        self._changes = False
        """Whether a statement that may change rows is under way: SQLite calls Begin before it scans."""
        self._staged: list[Operation] = []

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

    def read(self, number: int, arguments: Sequence[Argument], calls: StatementCalls) -> Generator[Row]:
        """The rows, remembered while a change may name them by rowid."""
        for row in super().read(number, arguments, calls):
            if self._changes:
                self._seen[int(row[-1] or 0)] = row
            yield row

    def Begin(self) -> None:
        self._changes = True
        self._staged.clear()

    def Sync(self) -> None:
        calls = self.calls
        staged, self._staged = self._staged, []
        for operation in staged:
            calls.call(operation)

    def Commit(self) -> None:
        self._changes = False
        self._seen.clear()

    def Rollback(self) -> None:
        self._staged.clear()
        self.Commit()

    def UpdateInsertRow(self, rowid: int | None, fields: Sequence[SQLValue]) -> int:
        self._refuse_in_transaction()
        given = self._values(fields)
        mutation = plan_insert(self.resource, list(given), self._defaults)
        self._staged.append(insert_operation(mutation, given))
        return len(self._staged)

    def UpdateChangeRow(self, rowid: int, new_rowid: int, fields: Sequence[SQLValue]) -> None:
        self._refuse_in_transaction()
        old = self._old(rowid)
        names = [column.name for column in self.resource.columns]
        changed = {name: value for name, value in zip(names, fields, strict=True) if value != old.get(name)}
        if changed:
            mutation = plan_update(self.resource, list(changed), self._defaults)
            self._staged.extend(update_operations(mutation, old, changed, {}))

    def UpdateDeleteRow(self, rowid: int) -> None:
        self._refuse_in_transaction()
        mutation = plan_delete(self.resource, self._defaults)
        self._staged.append(delete_operation(mutation, self._old(rowid), {}))

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

    def _refuse_in_transaction(self) -> None:
        if self._source.in_transaction:
            raise NotSupportedError(
                f"a write to {self.resource.name} inside a transaction is not supported yet",
                reason="remote_write_in_transaction",
                hint="COMMIT first",
            )


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
