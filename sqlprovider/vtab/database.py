"""One SQLite connection, and the texts that it runs alone; `engine.py` makes tables of the resources."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import apsw

from sqlprovider.vtab.cursors import OpenCursors
from sqlprovider.vtab.sqlite_errors import named_bindings, sqlite_errors

if TYPE_CHECKING:
    import apsw.ext

    from sqlprovider.values import Row, SQLValue, Type

Bindings: TypeAlias = "Sequence[SQLValue] | Mapping[str, SQLValue]"
_MORE_SIGNS = frozenset(";?:@$")
"""Without one of them a text is one statement and takes no parameter."""
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


class Database:
    """SQLite's own part of a session. `opened`: one whose connection this is to use."""

    def __init__(
        self,
        name: str = ":memory:",
        *,
        connection: apsw.Connection | None = None,
        opened: Database | None = None,
    ) -> None:
        if opened is not None:
            connection = opened.connection
        with sqlite_errors(""):
            self.connection: apsw.Connection = connection or apsw.Connection(name)
            self.connection.set_busy_timeout(5000)
            self.connection.set_progress_handler(_look_for_interrupt, _CHECK_EVERY)
        self.cursors: OpenCursors = OpenCursors(self.connection) if opened is None else opened.cursors

    @property
    def in_transaction(self) -> bool:
        """Whether BEGIN or SAVEPOINT is open."""
        return bool(self.connection.in_transaction)

    def run_alone(self, sql: str, bindings: Bindings) -> Selected:
        """Runs one text that reads no resource up to its first row."""
        cursor = self.cursors.open()
        described: list[tuple[ResultColumn, ...]] = []
        before = self.connection.total_changes()
        try:
            with sqlite_errors(sql), named_bindings(bindings):
                cursor.exec_trace = partial(_describe, described)
                rows = iter(cursor.execute(sql, sqlite_bindings(bindings)))
        except BaseException:
            self.cursors.drop(cursor)
            raise
        read = self._read(cursor, rows, sql)
        next(read)
        return Selected(
            columns=described[-1] if described and described[-1] else None,
            rows=read,
            changes=lambda: self.connection.total_changes() - before,
        )

    def split(self, sql: str) -> Iterator[tuple[str, int]]:
        """The statements of a text that SQLite runs alone, each with how many parameters it takes.

        Each is prepared when it is asked for: the one before may create its tables.
        """
        if _MORE_SIGNS.isdisjoint(sql):
            yield sql, 0
            return
        rest = sql
        while rest.strip():
            with sqlite_errors(rest):
                found = self._prepared(rest)
            left = found.query_remaining or ""
            yield rest.removesuffix(left), found.bindings_count
            rest = left

    def begin(self) -> None:
        """Opens a transaction."""
        with sqlite_errors("BEGIN"):
            self.connection.execute("BEGIN")

    def rollback(self) -> None:
        """Ends the transaction, if one is open, and undoes what it did."""
        if self.in_transaction:
            with sqlite_errors("ROLLBACK"):
                self.connection.execute("ROLLBACK")

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

    def has_module(self, name: str) -> bool:
        """Whether somebody gave the connection a table-valued function of that name."""
        query = "SELECT 1 FROM pragma_module_list WHERE name = ? COLLATE NOCASE"
        return self.connection.execute(query, (name,)).fetchone() is not None

    def interrupt(self) -> None:
        """Stops what SQLite is doing."""
        self.connection.interrupt()

    def close(self) -> None:
        """Closes the connection; open at exit, apsw's connections can crash the interpreter."""
        self.cursors.close()
        self.connection.close(True)

    def _prepared(self, sql: str) -> apsw.ext.QueryDetails:
        """What SQLite makes of the first statement of a text."""
        import apsw.ext  # noqa: PLC0415  takes longer to load than all of apsw

        return apsw.ext.query_info(self.connection, sql)

    def _read(self, cursor: apsw.Cursor, rows: Iterator[Row], sql: str) -> Iterator[Row]:
        try:
            yield ()  # once begun, it closes the cursor even if nobody asks for a row
            with sqlite_errors(sql):
                # Not `yield from`: it would close the cursor in whichever thread drops it.
                while (row := next(rows, None)) is not None:
                    yield row
        finally:
            self.cursors.drop(cursor)


def _describe(
    described: list[tuple[ResultColumn, ...]], cursor: apsw.Cursor, sql: str, bindings: object
) -> bool:
    described.append(tuple(ResultColumn(facts[0], None) for facts in cursor.description_full))
    return True


def quote(name: str) -> str:
    """An identifier as SQLite reads it whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def sqlite_bindings(bindings: Bindings) -> Bindings:
    return dict(bindings) if isinstance(bindings, Mapping) else tuple(bindings)


def _look_for_interrupt() -> bool:
    """Python runs its signal handlers between bytecodes: these are some."""
    return False
