"""THE LIFE OF A STATEMENT; read this first.

text ─parse→ Statement ─SQLite→ Predicates ─plan_scan→ Scan ─bind→ Operation ─request→ HTTP
rows ←SQLite─ rows ←decode─ Page ←response─ HTTP
Insert/Update/Delete/Exec ─plan→ Operations → the same road

Most of it is loaded with the first text that is not SQLite's alone (`_engine`), the rest with the first
statement that is more than a SELECT (`_commands`).
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cached_property
from importlib import import_module
from itertools import chain, islice
from typing import TYPE_CHECKING

from sqlprovider.catalog.catalog import Catalog, ConnectionSpec
from sqlprovider.catalog.load import load_provider, provider_names
from sqlprovider.config import apply_set
from sqlprovider.errors import Error, UnknownNameError, Warning
from sqlprovider.execute.executor import Executor
from sqlprovider.sql.dealer import Dealer, deal_all
from sqlprovider.sql.parse import parse
from sqlprovider.sql.query import Query
from sqlprovider.sql.transactions import read_transaction
from sqlprovider.vtab.database import Database, ResultColumn, Selected
from sqlprovider.vtab.explaining import explaining
from sqlprovider.vtab.names import SessionNames, words_below
from sqlprovider.vtab.paths import EVERY_PATH, Paths
from sqlprovider.vtab.result import Result
from sqlprovider.vtab.run import Run, WritePlan
from sqlprovider.vtab.staging import Staging

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import httpx

    from sqlprovider.catalog.catalog import LoadProvider
    from sqlprovider.config import Config, Settings
    from sqlprovider.errors import Problem
    from sqlprovider.execute.clock import Clock
    from sqlprovider.execute.events import (
        DryRequest,
        OnEvent,
        OnProgress,
        RequestRecord,
        WaitProgress,
        WriteProgress,
    )
    from sqlprovider.execute.executor import StatementCalls
    from sqlprovider.execute.journal import Journal
    from sqlprovider.plan.facts import ColumnFacts, MethodFacts, ResourceFacts
    from sqlprovider.sql.statement import Command, Delete, Exec, Explain, Insert, TableRef, Update
    from sqlprovider.values import Row, SQLValue
    from sqlprovider.vtab.commands import Commands
    from sqlprovider.vtab.database import Bindings
    from sqlprovider.vtab.desired import Desired
    from sqlprovider.vtab.engine import Engine
    from sqlprovider.vtab.registered import SQLiteConnection
    from sqlprovider.vtab.writer import Written

__all__ = [
    "ColumnFacts",
    "Desired",
    "MethodFacts",
    "Paths",
    "RequestRecord",
    "ResourceFacts",
    "Result",
    "ResultColumn",
    "Session",
    "WaitProgress",
    "WritePlan",
    "WriteProgress",
    "check_document",
    "provider_names",
    "register",
]


_VALUES = {
    "sqlprovider.execute.events": ("RequestRecord", "WaitProgress", "WriteProgress"),
    "sqlprovider.plan.facts": ("ColumnFacts", "MethodFacts", "ResourceFacts"),
    "sqlprovider.vtab.desired": ("Desired",),
}


def __getattr__(name: str) -> object:
    """The values that only some statements give, looked up at their first use."""
    for module, names in _VALUES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class Session:
    """One user's engine: a catalog, a SQLite connection, and the connections to the platforms."""

    def __init__(
        self,
        config: Config,
        *,
        database: str = ":memory:",
        listed: bool = False,
        autocommit: bool = True,
        transport: httpx.BaseTransport | None = None,
        environ: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        load: LoadProvider = load_provider,
        shared: Session | None = None,
        paths: Paths = EVERY_PATH,
    ) -> None:
        environ = os.environ if environ is None else environ
        self.settings: Settings = config.settings
        self.conceal = False
        """Whether bound values may be secret: then the journal keeps nothing that could quote one."""
        self.last_write: tuple[dict[str, SQLValue], ...] = ()
        self.autocommit = autocommit
        self._records: list[RequestRecord] = []
        self._event: OnEvent | None = None
        self._dry_run: Callable[[str], None] | None = None
        self._confirm: Callable[[WritePlan], bool] | None = None
        self._progress: OnProgress | None = None
        self._staging = Staging()
        self._calls: StatementCalls | None = None
        self._config = config
        self._environ = environ
        self._is_fork = shared is not None
        if shared is None:
            self.catalog = _catalog(config, load)
            self._executor = Executor(
                config.connections, self.catalog, transport=transport, environ=environ, clock=clock
            )
        else:
            self.catalog, self._executor = shared.catalog, shared._executor
        self._database = Database(database)
        self._paths = paths
        self._resources: Engine | None = None
        self._names = SessionNames(self.catalog, lambda: self._engine)
        if listed:
            self._engine.list_resources(temporary=database not in ("", ":memory:"))

    def run(self, text: str, params: Bindings = ()) -> Iterator[Result]:
        """One Result a statement, each run when it is asked for. The first failure ends the text."""
        dealt = Dealer(params)
        for statement in dealt.checked(self._names.dealing(dealt, parse(text, self._names))):
            with explaining(statement, self.catalog):
                if isinstance(statement, Query):
                    yield from self._query(statement, dealt)
                else:
                    yield self._command(statement, dealt)
        dealt.refuse_surplus(0)

    def run_many(self, text: str, sets: Iterable[Bindings]) -> Iterator[Result]:
        """The text once for each set of parameters; an INSERT into a resource is one, with one report."""
        from sqlprovider.sql.statement import Insert  # noqa: PLC0415  as in _command()

        source = iter(sets)
        if (first := next(source, None)) is None:
            return
        statements = list(islice(parse(text, self._names), 2))
        if len(statements) != 1 or not isinstance(insert := statements[0], Insert):
            for bindings in chain([first], source):
                yield from self.run(text, bindings)
            return
        run = self._begin(deal_all(first, insert.parameters), named=True)
        with explaining(insert, self.catalog):
            yield self._write(
                insert, replace(run, more=(deal_all(more, insert.parameters) for more in source))
            )

    def _command(self, statement: Command, dealt: Dealer) -> Result:
        from sqlprovider.sql.statement import Exec, Explain, Set, Use  # noqa: PLC0415  no Query needs them

        match statement:
            case Exec():
                return self._exec(statement, self._begin(dealt.deal(statement.parameters), named=True))
            case Explain():
                return self._explain(statement, dealt)
            case Use(names=names):
                self._names.use(names)
                return Result(None, iter(()), [], rowcount=0)
            case Set(name=name, value=value):
                self.settings = apply_set(self.settings, name, value)
                return Result(None, iter(()), [], rowcount=0)
            case _:
                return self._write(statement, self._begin(dealt.deal(statement.parameters), named=True))

    def fork(self) -> Session:
        """A session on the same connections, with a SQLite of its own: for one other thread."""
        forked = Session(self._config, environ=self._environ, shared=self)
        forked.settings, forked.conceal = self.settings, self.conceal
        forked._event, forked._dry_run = self._event, self._dry_run
        return forked

    def facts(self, name: str) -> ResourceFacts:
        """What is known of the resource of a full name. Raises UnknownNameError."""
        from sqlprovider.plan.facts import resource_facts  # noqa: PLC0415  a stack's files alone ask for it

        parts = name.split(".")
        if len(parts) != 3:
            raise UnknownNameError(f"{name!r} is not connection.service.resource")
        resource = self.catalog.resource(*parts)
        return resource_facts(resource, self.catalog.connection(parts[0]).defaults)

    def resolve(self, name: str, use: tuple[str, ...] = ()) -> str:
        """The full name of `a.b.c`, or of less below `use`; alone it must be one among all connections.

        Raises UnknownNameError, ProgrammingError.
        """
        from sqlprovider.catalog.resolve import resolve_name  # noqa: PLC0415  as in facts()

        return resolve_name(self.catalog, name, use)

    def desired(
        self, text: str, values: Mapping[str, SQLValue], use: tuple[str, ...] = ()
    ) -> Iterator[Desired]:
        """The statements of a text of desired state, evaluated one by one; nothing is sent for them."""
        from sqlprovider.vtab.desired import desired  # noqa: PLC0415  as in facts()

        if use:
            self._names.use(use)

        def begin(bindings: Mapping[str, SQLValue]) -> Run:
            return self._begin(bindings, named=True)

        yield from desired(
            text, values, names=self._names, engine=self._engine, catalog=self.catalog, begin=begin
        )

    def on_event(self, hook: OnEvent | None) -> None:
        """Calls `hook` after each HTTP exchange, in the thread that made it."""
        self._event = hook

    def on_dry_run(self, hook: Callable[[str], None] | None) -> None:
        """Calls `hook` with each request that a dry run would have sent, as text."""
        self._dry_run = hook

    def on_progress(self, hook: OnProgress | None) -> None:
        """Calls `hook` as a write or a wait goes on, in the thread that sees it."""
        self._progress = hook

    def on_write(self, hook: Callable[[WritePlan], bool] | None) -> None:
        """Asks `hook` before the first request of each write; where it says False, nothing is sent."""
        if hook is None:
            self._confirm = None
            return

        def ask(plan: WritePlan) -> bool:
            # The hook may run an EXPLAIN here, whose calls are not those that Ctrl-C is to end.
            calls = self._calls
            try:
                return hook(plan)
            finally:
                self._calls = calls

        self._confirm = ask

    @property
    def _engine(self) -> Engine:
        """The database with the resources as tables: loaded when a text first goes beyond SQLite's own."""
        if self._resources is None:
            from sqlprovider.vtab.opening import open_engine  # noqa: PLC0415  most of what reads resources

            self._resources = open_engine(
                self._database,
                self._executor,
                self._config.connections,
                paths=self._paths,
                requests=lambda: self._records,
                last_write=lambda: self.last_write,
                journal=lambda: self._journal.read(),
            )
        return self._resources

    @cached_property
    def _commands(self) -> Commands:
        """Whatever is more than a SELECT: loaded with the first of them."""
        from sqlprovider.vtab.commands import Commands  # noqa: PLC0415  most of what writes

        return Commands(self.catalog, self._engine, self._staging)

    @property
    def _journal(self) -> Journal:
        """The journal, whose warnings are the running statement's."""
        journal = self._executor.journal
        journal.on_warning = None if self._calls is None else self._calls.warn
        return journal

    @property
    def staged(self) -> int:
        """How many rows wait for COMMIT."""
        return self._staging.count

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._database.in_transaction

    def completion_words(self, path: tuple[str, ...]) -> list[str]:
        """The names below a path: connections, services, resources, and a resource's columns and methods."""
        return words_below(self.catalog, path)

    def interrupt(self) -> None:
        """Stops the statement that is running, from another thread."""
        if self._calls is not None:
            self._calls.cancel()
        self._database.interrupt()

    def close(self) -> None:
        """Closes SQLite's connection and the clients."""
        if self._calls is not None:
            self._calls.cancel()
        self._database.close()
        if not self._is_fork:
            self._executor.close()

    def _begin(self, bindings: Bindings, *, named: bool, cached: bool = False) -> Run:
        """The calls of one statement; `named`: it names a resource, so its requests are the last ones.

        `cached`: it only reads, so it may be shown pages that were kept. What is to be written is read anew.
        """
        calls = self._executor.begin(
            self.settings,
            on_event=self._event,
            on_dry_run=self._on_dry,
            on_progress=self._progress,
            cached=cached,
        )
        self._calls = calls
        if named:
            self._records = calls.records
        if not self.autocommit and not self._database.in_transaction:
            self._database.begin()
            self._staging.begun()
        journal = self._journal if named and not cached else None
        return Run(
            bindings, calls, self.settings, journal=journal, confirm=self._confirm, conceal=self.conceal
        )

    def _on_dry(self, request: DryRequest) -> None:
        if self._dry_run is not None:
            self._dry_run(
                f"{request.http_method} {request.url}" + (f"\n{request.body}" if request.body else "")
            )

    def _query(self, statement: Query, dealt: Dealer) -> Iterator[Result]:
        self._add_tables(statement.tables)
        named = any(table.name is not None for table in statement.tables)
        if statement.tables:
            run = self._begin(dealt.deal(statement.parameters), named=named, cached=True)
            with run.calls.interruptible():
                selected = self._engine.query(statement, run.bindings, run.calls)
            yield self._selected(selected, run, statement.warnings)
            return
        for sql, parameters in self._database.split(statement.sql):
            run = self._begin(dealt.deal(parameters), named=False)
            yield self._local(sql, run)

    def _local(self, sql: str, run: Run) -> Result:
        """A statement of SQLite's own; one that ends a transaction has what is staged sent first."""
        transaction = read_transaction(sql)
        is_sent = self._database.in_transaction and self._staging.is_sent_by(transaction)
        accepted = self._send_staged(run) if is_sent else None
        result = self._selected(self._select(sql, run), run)
        if accepted is not None:
            result.rowcount = accepted
        if transaction is not None:
            self._staging.followed(transaction)
        if not self._database.in_transaction:
            self._staging.clear()
        return result

    def _send_staged(self, run: Run) -> int:
        """Sends what is staged; how many rows. A failure rolls the local part back and ends it."""
        self._records = run.calls.records
        try:
            with run.calls.interruptible():
                self.last_write = self._commands.send_staged(replace(run, journal=self._journal))
                return len(self.last_write)
        except Error as error:
            self.last_write = error.rows
            self._database.rollback()
            self._staging.clear()
            raise

    def _select(self, sql: str, run: Run) -> Selected:
        with run.calls.interruptible():
            if self._resources is None:
                return self._database.run_alone(sql, run.bindings)
            return self._resources.select(sql, run.bindings, run.calls)

    def _selected(self, selected: Selected, run: Run, warnings: Sequence[tuple[str, str]] = ()) -> Result:
        rows = self._stream(selected, run)
        result = Result(
            selected.columns, rows, run.calls.warnings, records=run.calls.records, calls=run.calls
        )
        run.calls.warnings.extend(
            Warning(message, reason="comparison", hint=hint) for message, hint in warnings
        )
        if selected.columns is None:
            result.rowcount = selected.changes()
        return result

    def _stream(self, selected: Selected, run: Run) -> Iterator[Row]:
        with run.calls.interruptible():
            yield from selected.rows

    def _write(self, statement: Insert | Update | Delete, run: Run) -> Result:
        self._add_tables(self._commands.tables(statement))
        try:
            with run.calls.interruptible():
                written = self._commands.send(self._commands.plan(statement, run), run)
        except Error as error:
            self.last_write = error.rows
            raise
        self.last_write = written.last_write
        return self._written(written, run)

    def _written(self, written: Written, run: Run) -> Result:
        result = Result(None, iter(()), run.calls.warnings, records=run.calls.records)
        if written.returned is not None:
            result = self._selected(written.returned, run)
        result.rowcount = written.rowcount
        result.notices.extend(self._commands.notices(written))
        return result

    def _exec(self, statement: Exec, run: Run) -> Result:
        try:
            with run.calls.interruptible():
                planned = self._commands.plan_exec(statement, run)
                if isinstance(planned, Selected):
                    return self._selected(planned, run)
                written = self._commands.send(planned, run)
        except Error as error:
            if error.rows:
                self.last_write = error.rows
            raise
        self.last_write = written.last_write
        return self._selected(self._commands.answer(written), run)

    def _explain(self, statement: Explain, dealt: Dealer) -> Result:
        inner = statement.statement
        self._add_tables(self._commands.tables(inner))
        run = self._begin(
            dealt.deal(inner.parameters), named=statement.analyze, cached=isinstance(inner, Query)
        )
        with run.calls.interruptible():
            return self._selected(self._commands.explain(statement, run), run)

    def _add_tables(self, tables: Sequence[TableRef]) -> None:
        for table in tables:
            if table.name is not None:
                self._engine.add_resource(self.catalog.find(table.name))


def check_document(path: Path) -> tuple[Problem, ...]:
    """Every problem of a provider document (a folder, a provider.yaml or a service's file)."""
    from sqlprovider.catalog.check import check_document  # noqa: PLC0415  loads pydantic

    return check_document(path)


def compile_facts(documents: Sequence[str | Path], *, names: Path, folder: Path) -> tuple[Path, ...]:
    """Makes facts files of discovery documents, the versions of one service; the files written."""
    from sqlprovider.catalog.discovery_facts import compile_facts  # noqa: PLC0415  a command of its own

    return compile_facts(documents, names=names, folder=folder)


def register(
    connection: SQLiteConnection,
    config: Config,
    *,
    listed: bool = False,
    transport: httpx.BaseTransport | None = None,
    environ: Mapping[str, str] | None = None,
) -> None:
    """Puts the resources on someone's own connection, under `"connection.service.resource"`."""
    from sqlprovider.vtab.registered import register_resources  # noqa: PLC0415  on a connection of no session

    catalog = _catalog(config)
    environ = os.environ if environ is None else environ
    executor = Executor(config.connections, catalog, transport=transport, environ=environ)
    temporary = connection.filename not in ("", ":memory:")
    register_resources(connection, catalog, executor, config, listed=listed, temporary=temporary)


def _catalog(config: Config, load: LoadProvider = load_provider) -> Catalog:
    specs = {
        name: ConnectionSpec(name, c.provider, c.versions, c.defaults)
        for name, c in config.connections.items()
    }
    return Catalog(specs, load)
