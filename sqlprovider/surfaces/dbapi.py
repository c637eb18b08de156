"""PEP 249: connect(), Connection and Cursor.

One deviation from the PEP: autocommit is on. `connect(autocommit=False)` gives its implicit transaction.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from sqlprovider import errors
from sqlprovider.config import load_config
from sqlprovider.surfaces.binding import bind_all
from sqlprovider.surfaces.opening import open_session
from sqlprovider.surfaces.rows import exhaust, let_go, started
from sqlprovider.surfaces.tracing import watch_requests
from sqlprovider.values import Row, SQLValue

if TYPE_CHECKING:
    from types import TracebackType

    import apsw
    import httpx

    from sqlprovider.config import Settings
    from sqlprovider.session import Result, Session

apilevel: Final = "2.0"
threadsafety: Final = 1
paramstyle: Final = "qmark"

Description = tuple[tuple[str, str | None, None, None, None, None, None], ...]
Parameters = Sequence[object] | Mapping[str, object]
_NOT_OURS = "rows_iterator"


def connect(
    config: str | Path | Mapping[str, object] | None = None,
    *,
    database: str = ":memory:",
    listed: bool = False,
    autocommit: bool = True,
    transport: httpx.BaseTransport | None = None,
    **settings: object,
) -> Connection:
    """A connection on the configured providers.

    `config` is a path, a mapping shaped as the TOML file, or None for the search order; `settings` are the
    configuration's settings (`max_requests`, `timeout`, …).
    """
    session = open_session(
        config,
        environ=os.environ,
        settings=settings,
        database=database,
        listed=listed,
        autocommit=autocommit,
        transport=transport,
    )
    watch_requests(session, sys.stderr)
    return Connection(session)


def register(
    connection: apsw.Connection,
    config: str | Path | Mapping[str, object] | None = None,
    listed: bool = False,
) -> None:
    """Put the resources on someone's own apsw connection, as tables named `"mlflow.tracking.runs"`."""
    from sqlprovider.session import provider_names  # noqa: PLC0415  a session loads every library
    from sqlprovider.session import register as register_on  # noqa: PLC0415  a session loads every library

    loaded = load_config(config, environ=os.environ, providers=provider_names())
    register_on(connection, loaded, listed=listed)


class Connection:
    """One session. It belongs to the thread that made it."""

    Warning: ClassVar = errors.Warning
    Error: ClassVar = errors.Error
    InterfaceError: ClassVar = errors.InterfaceError
    DatabaseError: ClassVar = errors.DatabaseError
    DataError: ClassVar = errors.DataError
    OperationalError: ClassVar = errors.OperationalError
    IntegrityError: ClassVar = errors.IntegrityError
    InternalError: ClassVar = errors.InternalError
    ProgrammingError: ClassVar = errors.ProgrammingError
    NotSupportedError: ClassVar = errors.NotSupportedError

    def __init__(self, session: Session) -> None:
        self._session = session
        self._thread = threading.get_ident()
        self._is_closed = False

    @property
    def settings(self) -> Settings:
        """The settings in force; SET changes them."""
        return self._open_session().settings

    def cursor(self) -> Cursor:
        """A new cursor."""
        self._open_session()
        return Cursor(self)

    def execute(self, sql: str, params: Parameters = ()) -> Cursor:
        """`cursor().execute(sql, params)`."""
        return self.cursor().execute(sql, params)

    def executemany(self, sql: str, params: Iterable[Parameters]) -> Cursor:
        """`cursor().executemany(sql, params)`."""
        return self.cursor().executemany(sql, params)

    def commit(self) -> None:
        """End the transaction, if there is one, and keep what it did."""
        self._end_transaction("COMMIT")

    def rollback(self) -> None:
        """End the transaction, if there is one, and undo what it did."""
        self._end_transaction("ROLLBACK")

    def interrupt(self) -> None:
        """End the statement that runs. The one method that any thread may call."""
        self._session.interrupt()

    def close(self) -> None:
        """Close for good; an open transaction is rolled back."""
        if self._is_closed:
            return
        self._open_session().close()
        self._is_closed = True

    def __enter__(self) -> Connection:
        self._open_session()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commit, or roll back after an error. The connection stays open."""
        if self._is_closed:
            return
        if error is None:
            self.commit()
        else:
            self.rollback()

    def _end_transaction(self, statement: str) -> None:
        session = self._open_session()
        if session.in_transaction:
            for result in session.run(statement):
                exhaust(result.rows)

    def _open_session(self) -> Session:
        if threading.get_ident() != self._thread:
            raise errors.ProgrammingError(
                "a connection is used by the thread that made it, and by no other",
                reason="wrong_thread",
                hint="sqlprovider.connect() in each thread",
            )
        if self._is_closed:
            raise errors.InterfaceError("the connection is closed", reason="closed")
        return self._session


class Cursor:
    """Runs statements and hands out their rows, which stream."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.arraysize = 1
        self.lastrowid: int | None = None
        self._is_closed = False
        self._result: Result | None = None
        self._rows: Iterator[Row] | None = None
        self._rowcount: int | None = None

    @property
    def description(self) -> Description | None:
        """Seven values a column: its name, its type's name where it is a resource's column, and five None."""
        if self._result is None or self._result.columns is None:
            return None
        return tuple(
            (column.name, None if column.type is None else str(column.type), None, None, None, None, None)
            for column in self._result.columns
        )

    @property
    def rowcount(self) -> int:
        """The rows that a write's backend accepted; -1 while unknown."""
        if self._rowcount is not None:
            return self._rowcount
        return -1 if self._result is None else self._result.rowcount

    @property
    def warnings(self) -> tuple[errors.Warning, ...]:
        """The warnings of the statement, complete when its rows are."""
        return () if self._result is None else tuple(self._result.warnings)

    @property
    def last_write(self) -> tuple[dict[str, SQLValue], ...]:
        """The rows of `sqlprovider.last_write`: what the last write did, one row an input row."""
        return self._session().last_write

    def execute(self, sql: str, params: Parameters = ()) -> Cursor:
        """Run a statement. Its first row is fetched here, so that a refusal is raised here.

        A script is run whole, the rows of each statement read to their end; the cursor holds the last one's.
        """
        session = self._session()
        bound = bind_all(params)
        self._forget()
        # Only a script's next statement needs the one before it read to its end; a single one's rows stream.
        may_be_script = ";" in sql.rstrip("; \t\r\n")
        for result in session.run(sql, bound):
            self._result = result
            self._rows = None
            rows = iter(list(result.rows)) if may_be_script else started(result.rows)
            if result.columns is None:
                exhaust(rows)
            else:
                self._rows = rows
        return self

    def executemany(self, sql: str, params: Iterable[Parameters]) -> Cursor:
        """Run a statement once for each set of parameters.

        An INSERT into a resource is one statement: its rows go out in batches and are one report. The sets of
        a sequence are all checked first; those of an iterator as they come.
        """
        session = self._session()
        sets: Iterable[tuple[SQLValue, ...] | dict[str, SQLValue]] = _bound(params)
        if isinstance(params, Sequence):
            sets = list(sets)
        self._forget()
        rows: list[Row] = []
        accepted = 0
        try:
            for result in session.run_many(sql, sets):
                self._result = result
                rows.extend(result.rows)
                accepted += max(result.rowcount, 0)
        except errors.InterfaceError as error:
            # The caller's own iterator failed: its exception comes back as it was, `last_write` is true.
            if error.reason == _NOT_OURS and error.__cause__ is not None:
                raise error.__cause__ from None
            raise
        self._rowcount = accepted
        if self._result is not None and self._result.columns is not None:
            self._rows = iter(rows)
        return self

    def fetchone(self) -> Row | None:
        """The next row; None after the last."""
        return next(self._open_rows(), None)

    def fetchmany(self, size: int | None = None) -> list[Row]:
        """The next `size` rows, `arraysize` if it is not given; fewer at the end."""
        return list(islice(self._open_rows(), self.arraysize if size is None else size))

    def fetchall(self) -> list[Row]:
        """All rows that are left."""
        return list(self._open_rows())

    def setinputsizes(self, sizes: Sequence[object]) -> None:
        """Nothing: values have no sizes."""

    def setoutputsize(self, size: int, column: int | None = None) -> None:
        """Nothing: values have no sizes."""

    def close(self) -> None:
        """Let go of the rows, for good."""
        if not self._is_closed:
            self._forget()
            self._is_closed = True

    def __iter__(self) -> Cursor:
        return self

    def __next__(self) -> Row:
        return next(self._open_rows())

    def __enter__(self) -> Cursor:
        self._session()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _session(self) -> Session:
        session = self.connection._open_session()
        if self._is_closed:
            raise errors.InterfaceError("the cursor is closed", reason="closed")
        return session

    def _open_rows(self) -> Iterator[Row]:
        self._session()
        if self._rows is None:
            raise errors.ProgrammingError("there is no result set to fetch from", reason="no_result")
        return self._rows

    def _forget(self) -> None:
        result, self._result = self._result, None
        self._rows, self._rowcount = None, None
        if result is not None:
            let_go(result.rows)


def _bound(params: Iterable[Parameters]) -> Iterator[tuple[SQLValue, ...] | dict[str, SQLValue]]:
    """Each set of parameters; what the iterator raises becomes an error that a write takes note of."""
    source = iter(params)
    while True:
        try:
            one = next(source)
        except StopIteration:
            return
        except Exception as error:
            raise errors.InterfaceError("the iterator of rows failed", reason=_NOT_OURS) from error
        yield bind_all(one)
