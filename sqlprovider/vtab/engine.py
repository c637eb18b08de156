"""The SQLite connection: resources become tables when a text names them, and apsw's errors become ours."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import apsw

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
from sqlprovider.sql.statement import NOTHING, Query
from sqlprovider.values import Name, Row, Type
from sqlprovider.vtab.crossing import unrelated
from sqlprovider.vtab.database import Bindings, Database, ResultColumn, Selected, quote, sqlite_bindings
from sqlprovider.vtab.early import begin_early
from sqlprovider.vtab.paths import EVERY_PATH, Paths
from sqlprovider.vtab.queryplan import (
    PlannedScan,
    Step,
    asked_whether,
    in_loops,
    loops,
    may_have_empty_set,
    read_again,
)
from sqlprovider.vtab.reading import Reading
from sqlprovider.vtab.rehearsal import Rehearsal
from sqlprovider.vtab.rows import MakeRows, RowsModule, column
from sqlprovider.vtab.sqlite_errors import named_bindings, sqlite_errors
from sqlprovider.vtab.table import PACK_WORD, PUSH_WORD, Module, pack_word, push_word, table_name
from sqlprovider.vtab.ways import run_shortly

if TYPE_CHECKING:
    from sqlprovider.vtab.files import FileModule, Files

__all__ = ["RETURNING_SUFFIX", "Bindings", "Engine", "ResultColumn", "Selected"]

RETURNING_SUFFIX = ":RETURNING"
"""The rows that a write answers with: their columns are a resource's."""


_REHEARSAL_SECONDS = 1.0
"""What takes SQLite longer is not run ahead again."""
_CHECK_EVERY = 10_000
"""SQLite steps between two looks at the clock."""


@dataclass(frozen=True, slots=True)
class Running:
    """A text that is being run. `query`: what is known of it; `loops`: how many tables it reads."""

    sql: str
    bindings: Bindings
    reading: Reading
    loops: int
    query: Query | None


class Engine(Database):
    """A database on which every resource of the catalog can be a table."""

    def __init__(
        self,
        catalog: Catalog,
        *,
        database: str = ":memory:",
        connection: apsw.Connection | None = None,
        opened: Database | None = None,
        paths: Paths = EVERY_PATH,
    ) -> None:
        super().__init__(database, connection=connection, opened=opened)
        self.paths = paths
        self.refusal: Refusal | None = None
        self.takes_sets = False
        self._catalog = catalog
        self._reading: Reading | None = None
        self._modules: dict[str, Module] = {}
        self._rows_modules: dict[str, RowsModule] = {}
        self._files: set[str] = set()
        with sqlite_errors(""):
            self.connection.create_scalar_function(PUSH_WORD, push_word, 2, deterministic=True)
            self.connection.create_scalar_function(PACK_WORD, pack_word, 3, deterministic=True)
        self.add_rows(NOTHING, (column("nothing"),), lambda given: [(None,)])

    @property
    def reading(self) -> Reading:
        """The SELECT that is running."""
        if self._reading is None:
            raise InternalError("a resource was read outside a statement")
        return self._reading

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

    @cached_property
    def files(self) -> Files:
        """The files that its texts have named."""
        from sqlprovider.vtab.files import Files  # noqa: PLC0415  few statements name one

        return Files(self.add_file)

    def add_file(self, name: str, module: FileModule) -> None:
        """Makes a file a table."""
        self._files.add(name.lower())
        self._create_module(name, module)

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
        if self.paths.direct and (selected := run_shortly(self, query, bindings, calls)) is not None:
            return selected
        return self.select(query.sql, bindings, calls, query=query)

    def select(
        self,
        sql: str,
        bindings: Bindings,
        calls: StatementCalls,
        *,
        query: Query | None = None,
        reading: Reading | None = None,
    ) -> Selected:
        """Runs one text up to its first row. `query`: what is known of it; `reading`: how it is read."""
        cursor = self.cursors.open()
        described: list[tuple[ResultColumn, ...]] = []
        self.refusal = None
        before = self.connection.total_changes()
        reading = reading or Reading(calls)
        try:
            with self._errors(sql), named_bindings(bindings):
                steps = self._survey(sql, bindings)
                scans = self._planned(steps)
                self._reading = reading
                reading.expect(read_again(scans), asked_whether(scans), in_loops(steps))
                if query is not None:
                    reading.unrelated = unrelated(query.tables)
                if query is not None and reading.is_live and self.paths.early:
                    begin_early(reading, scans[1:], query, bindings)
                running = Running(sql, bindings, reading, loops(steps) if scans else 0, query)
                cursor.exec_trace = partial(self._begun, described, running)
                rows = iter(cursor.execute(sql, sqlite_bindings(bindings)))
        except BaseException:
            self.cursors.drop(cursor)
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
                needed = self._prepared(sql).bindings_count
            bindings = tuple(bindings)[:needed]
        return self.select(sql, bindings, calls)

    def only_reads(self, sql: str) -> bool:
        """Whether a text changes nothing in SQLite."""
        with self._errors(sql):
            return bool(self._prepared(sql).is_readonly)

    def list_resources(self, *, temporary: bool) -> None:
        """Makes every resource of every connection a table that `sqlite_schema` shows."""
        for resource in self._catalog.resources():
            self.list_resource(resource, temporary=temporary)

    def plans(self, sql: str) -> tuple[PlannedScan, ...]:
        """The plans SQLite chose for a text, in join order; nothing is run and nothing sent."""
        self.refusal = None
        with self._errors(sql):
            unbound = (None,) * self._prepared(sql).bindings_count
            self._survey(sql, unbound)
            return self._planned(self._steps(sql, unbound))

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
        rows = cursor.execute(f"EXPLAIN QUERY PLAN {sql}", sqlite_bindings(bindings))
        return tuple(Step(int(number), int(parent), str(text)) for number, parent, _, text in rows)

    def _ahead(self, running: Running, *, is_readonly: bool) -> Rehearsal | None:
        """What runs ahead of a text; None where it has no loop in which to, or would change something."""
        query = running.query
        text = running.sql if is_readonly else None if query is None else query.source
        if running.loops < 2 or not self.paths.ahead or text is None:
            return None
        said = None if query is None else query.limit
        limit = None if said is None else value_in_hand(said, running.bindings)
        return Rehearsal(
            running.reading,
            partial(self._rehearse, text, running.bindings),
            limit=limit if isinstance(limit, int) and limit >= 0 else None,
            is_deep=running.loops > 2,
        )

    def _rehearse(self, sql: str, bindings: Bindings) -> None:
        """Runs a text for what it asks its tables for."""
        if not isinstance(bindings, Mapping) and bindings:
            bindings = tuple(bindings)[: self._prepared(sql).bindings_count]
        cursor, late = self.connection.cursor(), time.monotonic() + _REHEARSAL_SECONDS
        self.connection.set_progress_handler(lambda: time.monotonic() > late, _CHECK_EVERY, id=self)
        try:
            for _ in cursor.execute(sql, sqlite_bindings(bindings)):
                pass
        finally:
            self.connection.set_progress_handler(None, id=self)
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
            self.cursors.drop(cursor)
            reading.close()

    def _begun(
        self,
        described: list[tuple[ResultColumn, ...]],
        running: Running,
        cursor: apsw.Cursor,
        sql: str,
        bindings: object,
    ) -> bool:
        """SQLite has prepared a text and takes its first step next."""
        if running.reading.is_live:
            running.reading.rehearsal = self._ahead(running, is_readonly=cursor.is_readonly)
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
