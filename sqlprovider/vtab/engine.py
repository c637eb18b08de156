"""The SQLite connection: resources become tables when a text names them, and apsw's errors become ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain

import apsw
import apsw.ext

from sqlprovider.catalog.catalog import Catalog
from sqlprovider.catalog.model import Column, Parent, Resource, Verb
from sqlprovider.errors import (
    Error,
    InternalError,
)
from sqlprovider.execute.executor import StatementCalls
from sqlprovider.plan.forecast import value_in_hand
from sqlprovider.plan.model import Refusal
from sqlprovider.plan.refusal import refusal_error
from sqlprovider.sql.statement import NOTHING, Query, Shape, TableRef
from sqlprovider.values import Name, Operand, Row, SQLValue, Type
from sqlprovider.vtab.cursors import OpenCursors
from sqlprovider.vtab.direct import answer_directly
from sqlprovider.vtab.early import begin_early
from sqlprovider.vtab.files import FileModule
from sqlprovider.vtab.paths import EVERY_PATH, Paths
from sqlprovider.vtab.queryplan import PlannedScan, Step, may_have_empty_set, read_again
from sqlprovider.vtab.reading import Asked, Reading
from sqlprovider.vtab.rehearsal import Rehearsal
from sqlprovider.vtab.rows import MakeRows, RowsModule, column
from sqlprovider.vtab.sqlite_errors import named_bindings, sqlite_errors
from sqlprovider.vtab.table import PACK_WORD, PUSH_WORD, Module, pack_word, push_word, quote, table_name

Bindings = Sequence[SQLValue] | Mapping[str, SQLValue]
RETURNING_SUFFIX = ":RETURNING"
"""The rows that a write answers with: their columns are a resource's."""
_CHECK_EVERY = 50_000
"""SQLite steps between two looks for Ctrl-C while it computes without asking a table."""


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """A column of a result; `type` where it is a resource's column."""

    name: str
    type: Type | None


@dataclass(slots=True)
class Selected:
    """What SQLite answers. `columns` is None where there is no result set."""

    columns: tuple[ResultColumn, ...] | None
    rows: Iterator[Row]
    changes: Callable[[], int]


class Engine:
    """One apsw connection on which every resource of the catalog can be a table."""

    def __init__(
        self,
        catalog: Catalog,
        *,
        database: str = ":memory:",
        connection: apsw.Connection | None = None,
        paths: Paths = EVERY_PATH,
    ) -> None:
        self.paths = paths
        self.refusal: Refusal | None = None
        self.takes_sets = False
        self._catalog = catalog
        self._reading: Reading | None = None
        self._modules: dict[str, Module] = {}
        self._rows_modules: dict[str, RowsModule] = {}
        self._files: set[str] = set()
        with sqlite_errors(""):
            self.connection = connection or apsw.Connection(database)
            self.connection.set_busy_timeout(5000)
            self.connection.set_progress_handler(_look_for_interrupt, _CHECK_EVERY)
            self.connection.create_scalar_function(PUSH_WORD, push_word, 2, deterministic=True)
            self.connection.create_scalar_function(PACK_WORD, pack_word, 3, deterministic=True)
        self._cursors = OpenCursors(self.connection)
        self.add_rows(NOTHING, (column("nothing"),), lambda given: [(None,)])

    @property
    def reading(self) -> Reading:
        """The SELECT that is running."""
        if self._reading is None:
            raise InternalError("a resource was read outside a statement")
        return self._reading

    @property
    def in_transaction(self) -> bool:
        """Whether BEGIN or SAVEPOINT is open."""
        return bool(self.connection.in_transaction)

    def resource(self, name: Name) -> Resource:
        """The resource of a name."""
        return self._catalog.find(name)

    def parent(self, resource: Resource, parent: Parent) -> Resource:
        """The parent's resource, on the same connection."""
        return self._catalog.resource(resource.name.connection, parent.service, parent.resource)

    def defaults(self, resource: Resource) -> Mapping[str, str]:
        """The defaults of the resource's connection."""
        return self._catalog.connection(resource.name.connection).defaults

    def add_resource(self, resource: Resource, *, verb: Verb = Verb.SELECT) -> str:
        """Makes a resource a table, once; its name in SQLite."""
        name = table_name(resource, verb)
        if name.lower() not in self._modules:
            module = self.module(resource, verb=verb)
            self._modules[name.lower()] = module
            self._create_module(name, module)
        return name

    def module(self, resource: Resource, *, verb: Verb) -> Module:
        """What makes a resource a table."""
        return Module(resource, self, verb=verb)

    def add_rows(self, name: str, columns: Sequence[Column], rows: MakeRows) -> None:
        """Makes rows in memory a table. One of that name keeps its columns and gets these rows."""
        if name in self._rows_modules:
            # SQLite keeps an eponymous table open: a module put in its place would not be asked.
            self._rows_modules[name].table.rows = rows
            return
        self._rows_modules[name] = RowsModule(columns, rows)
        self._create_module(name, self._rows_modules[name])

    def add_file(self, name: str, module: FileModule) -> None:
        """Makes a file a table."""
        self._files.add(name.lower())
        self._create_module(name, module)

    def has_module(self, name: str) -> bool:
        """Whether somebody gave the connection a table-valued function of that name."""
        query = "SELECT 1 FROM pragma_module_list WHERE name = ? COLLATE NOCASE"
        return self.connection.execute(query, (name,)).fetchone() is not None

    def _create_module(self, name: str, module: Module | RowsModule | FileModule) -> None:
        with sqlite_errors(""):
            self.connection.create_module(
                name,
                module,  # type: ignore[arg-type]  # apsw's protocol demands what SQLite makes optional
                use_bestindex_object=True,
                eponymous=True,
                read_only=not module.is_writable,
                iVersion=2,  # savepoints are told of
            )

    def list_resource(self, resource: Resource, *, temporary: bool) -> None:
        """Makes a resource a table that `sqlite_schema` shows."""
        name = self.add_resource(resource)
        place = "temp." if temporary else ""
        with sqlite_errors(""):
            self.connection.execute(
                f"CREATE VIRTUAL TABLE IF NOT EXISTS {place}{quote(name)} USING {quote(name)}()"
            )

    def query(self, query: Query, bindings: Bindings, calls: StatementCalls) -> Selected:
        """Runs a SELECT up to its first row, in the shortest way that gives its rows."""
        if query.shape is not None and self.paths.direct:
            return self._directly(query.shape, query, bindings, calls)
        return self.select(query.sql, bindings, calls, tables=query.tables, limit=query.limit)

    def _directly(self, shape: Shape, query: Query, bindings: Bindings, calls: StatementCalls) -> Selected:
        captured: list[Asked] = []
        selected = self.select(query.sql, bindings, calls, captured=captured)
        if not captured:
            return selected
        for _ in selected.rows:
            pass
        reading = Reading(calls)
        pages = answer_directly(shape, captured[0], reading, bindings) if len(captured) == 1 else None
        if pages is None:
            return self.select(query.sql, bindings, calls, tables=query.tables, limit=query.limit)
        first = next(pages, ())
        return Selected(selected.columns, chain(first, chain.from_iterable(pages)), lambda: 0)

    def select(
        self,
        sql: str,
        bindings: Bindings,
        calls: StatementCalls,
        *,
        tables: Sequence[TableRef] = (),
        limit: Operand | None = None,
        captured: list[Asked] | None = None,
    ) -> Selected:
        """Runs one text up to its first row. With `captured` nothing is read, but noted there."""
        cursor = self._cursors.open()
        described: list[tuple[ResultColumn, ...]] = []
        self.refusal = None
        before = self.connection.total_changes()
        reading = Reading(calls)
        try:
            with self._errors(sql), named_bindings(bindings):
                scans = self._planned(self._survey(sql, bindings))
                reading = self._reading = Reading(calls, keeps=read_again(scans))
                reading.captured = captured
                ahead = self._ahead(reading, scans, sql, bindings, limit)
                if captured is None and limit is None and self.paths.early:
                    begin_early(reading, scans[1:], tables, bindings)
                cursor.exec_trace = partial(self._begun, described, reading, ahead)
                rows = iter(cursor.execute(sql, _sqlite_bindings(bindings)))
        except BaseException:
            self._cursors.drop(cursor)
            reading.close()
            raise
        read = self._rows(cursor, rows, sql, reading)
        next(read)
        return Selected(
            columns=described[-1] if described and described[-1] else None,
            rows=read,
            changes=lambda: self.connection.total_changes() - before,
        )

    def select_piece(self, sql: str, bindings: Bindings, calls: StatementCalls) -> Selected:
        """Runs a piece of a statement: of the statement's positional parameters it takes the first few."""
        if not isinstance(bindings, Mapping) and bindings:
            with self._errors(sql):
                needed = apsw.ext.query_info(self.connection, sql).bindings_count
            bindings = tuple(bindings)[:needed]
        return self.select(sql, bindings, calls)

    def split(self, sql: str) -> Iterator[tuple[str, int]]:
        """The statements of a text that SQLite runs alone, each with how many parameters it takes.

        Each is prepared when it is asked for: the one before may create its tables.
        """
        rest = sql
        while rest.strip():
            with self._errors(rest):
                found = apsw.ext.query_info(self.connection, rest)
            left = found.query_remaining or ""
            yield rest.removesuffix(left), found.bindings_count
            rest = left

    def only_reads(self, sql: str) -> bool:
        """Whether a text changes nothing in SQLite."""
        with self._errors(sql):
            return bool(apsw.ext.query_info(self.connection, sql).is_readonly)

    def begin(self) -> None:
        """Opens a transaction."""
        with sqlite_errors("BEGIN"):
            self.connection.execute("BEGIN")

    def rollback(self) -> None:
        """Ends the transaction, if one is open, and undoes what it did."""
        if self.in_transaction:
            with sqlite_errors("ROLLBACK"):
                self.connection.execute("ROLLBACK")

    def list_resources(self, *, temporary: bool) -> None:
        """Makes every resource of every connection a table that `sqlite_schema` shows."""
        for resource in self._catalog.resources():
            self.list_resource(resource, temporary=temporary)

    def plans(self, sql: str) -> tuple[PlannedScan, ...]:
        """The plans SQLite chose for a text, in join order; nothing is run and nothing sent."""
        self.refusal = None
        with self._errors(sql):
            unbound = (None,) * apsw.ext.query_info(self.connection, sql).bindings_count
            self._survey(sql, unbound)
            return self._planned(self._steps(sql, unbound))

    def is_local(self, schema_name: str | None, table: str) -> bool:
        """Whether SQLite has a table or view of that name (in that schema)."""
        schemas = [schema_name] if schema_name else self.connection.db_names()
        for name in schemas:
            source = f"{quote(name)}.sqlite_schema"
            query = f"SELECT 1 FROM {source} WHERE name = ? COLLATE NOCASE AND type IN ('table', 'view')"
            try:
                if self.connection.execute(query, (table,)).fetchone() is not None:
                    return True
            except apsw.SQLError:
                continue
        return False

    def interrupt(self) -> None:
        """Stops what SQLite is doing."""
        self.connection.interrupt()

    def close(self) -> None:
        """Closes the connection; open at exit, apsw's connections can crash the interpreter."""
        self._cursors.close()
        self.connection.close(True)

    def _survey(self, sql: str, bindings: Bindings) -> tuple[Step, ...]:
        """What SQLite means to do; `takes_sets` is set by it."""
        self.takes_sets = True
        if not self._modules:
            return ()
        try:
            steps = self._steps(sql, bindings)
        except apsw.Error:  # what cannot be explained says so when it is run
            return ()
        self.takes_sets = not may_have_empty_set(steps)
        return steps

    def _steps(self, sql: str, bindings: Bindings) -> tuple[Step, ...]:
        cursor = self.connection.cursor()
        rows = cursor.execute(f"EXPLAIN QUERY PLAN {sql}", _sqlite_bindings(bindings))
        return tuple(Step(int(number), int(parent), str(text)) for number, parent, _, text in rows)

    def _ahead(
        self,
        reading: Reading,
        scans: Sequence[PlannedScan],
        sql: str,
        bindings: Bindings,
        limit: Operand | None,
    ) -> Rehearsal | None:
        """What runs ahead of a text; None where it has no loop in which to."""
        if len(scans) < 2 or not self.paths.ahead:
            return None
        wanted = None if limit is None else value_in_hand(limit, bindings)
        rows = wanted if isinstance(wanted, int) and wanted >= 0 else None
        run = partial(self._rehearse, sql, bindings)
        return Rehearsal(reading, run, limit=rows, is_deep=len(scans) > 2)

    def _rehearse(self, sql: str, bindings: Bindings) -> None:
        """Runs a text for what it asks its tables for."""
        cursor = self.connection.cursor()
        try:
            for _ in cursor.execute(sql, _sqlite_bindings(bindings)):
                pass
        finally:
            cursor.close(True)

    def _rows(self, cursor: apsw.Cursor, rows: Iterator[Row], sql: str, reading: Reading) -> Iterator[Row]:
        try:
            yield ()  # for select(): once begun, it closes the cursor even if nobody asks for a row
            with self._errors(sql):
                while True:
                    self._reading = reading
                    row = next(rows, None)
                    if row is None:
                        return
                    reading.given += 1
                    yield row
        finally:
            self._cursors.drop(cursor)
            reading.close()

    def _begun(
        self,
        described: list[tuple[ResultColumn, ...]],
        reading: Reading,
        ahead: Rehearsal | None,
        cursor: apsw.Cursor,
        sql: str,
        bindings: object,
    ) -> bool:
        """SQLite has prepared a text and takes its first step next."""
        if cursor.is_readonly:
            reading.rehearsal = ahead
        described.append(tuple(self._result_column(*facts) for facts in cursor.description_full))
        return True

    def _result_column(
        self, name: str, declared: str | None, database: str | None, table: str | None, origin: str | None
    ) -> ResultColumn:
        of_resource = table is not None and (
            table.lower() in self._modules or table.lower() in self._files or table.endswith(RETURNING_SUFFIX)
        )
        return ResultColumn(name, Type(declared.split(" ")[0]) if of_resource and declared else None)

    def _planned(self, steps: tuple[Step, ...]) -> tuple[PlannedScan, ...]:
        found = ((read, self._modules.get(read.table.lower())) for step in steps if (read := step.read))
        return tuple(
            PlannedScan(read.alias, module.table.plans[read.number]) for read, module in found if module
        )

    @contextmanager
    def _errors(self, sql: str) -> Iterator[None]:
        with sqlite_errors(sql, self._refused):
            yield

    def _refused(self) -> Error | None:
        return None if self.refusal is None else refusal_error(self.refusal)


def _sqlite_bindings(bindings: Bindings) -> Bindings:
    return dict(bindings) if isinstance(bindings, Mapping) else tuple(bindings)


def _look_for_interrupt() -> bool:
    """Python runs its signal handlers between bytecodes: these are some."""
    return False
