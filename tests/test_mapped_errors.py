"""Each of apsw's exceptions is one of ours; what SQLite itself refuses has the class a caller expects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

import sqlprovider
from sqlprovider import errors
from sqlprovider.vtab.sqlite_errors import map_sqlite_error, sqlite_errors

MEANINGS: dict[type[errors.Error], set[type[apsw.Error]]] = {
    # The file, the disk, the memory, another process.
    errors.OperationalError: {
        apsw.AbortError,
        apsw.BusyError,
        apsw.CantOpenError,
        apsw.CorruptError,
        apsw.EmptyError,
        apsw.Error,
        apsw.ExecutionCompleteError,
        apsw.ExtensionLoadingError,
        apsw.FormatError,
        apsw.FullError,
        apsw.IOError,
        apsw.LockedError,
        apsw.NoMemError,
        apsw.NotADBError,
        apsw.NotFoundError,
        apsw.PermissionsError,
        apsw.ProtocolError,
        apsw.VFSFileClosedError,
    },
    # The statement, or how the library is used.
    errors.ProgrammingError: {
        apsw.AuthError,
        apsw.BindingsError,
        apsw.ConnectionClosedError,
        apsw.ConnectionNotClosedError,
        apsw.CursorClosedError,
        apsw.ForkingViolationError,
        apsw.IncompleteExecutionError,
        apsw.MisuseError,
        apsw.SQLError,
        apsw.SchemaChangeError,
        apsw.ThreadingViolationError,
    },
    errors.DataError: {apsw.MismatchError, apsw.RangeError, apsw.TooBigError},
    errors.IntegrityError: {apsw.ConstraintError},
    errors.StatementInterrupted: {apsw.InterruptError},
    errors.NotSupportedError: {
        apsw.NoFTS5Error,
        apsw.NoLFSError,
        apsw.ReadOnlyError,
        apsw.VFSNotImplementedError,
    },
    errors.InternalError: {apsw.ExecTraceAbort, apsw.InternalError, apsw.InvalidContextError},
}
KINDS = sorted(
    {
        kind
        for kind in vars(apsw).values()
        if isinstance(kind, type) and issubclass(kind, Exception) and kind.__module__ == "apsw"
    },
    key=lambda kind: kind.__name__,
)


@pytest.fixture
def connection() -> Iterator[sqlprovider.Connection]:
    with closing(sqlprovider.connect({})) as connection:
        yield connection


def refusal(connection: sqlprovider.Connection, sql: str, *params: object) -> errors.Error:
    with pytest.raises(errors.Error) as caught:
        connection.execute(sql, params).fetchall()
    return caught.value


def test_apsw_has_the_exceptions_this_test_walks() -> None:
    assert len(KINDS) >= 40


@pytest.mark.parametrize("kind", KINDS)
def test_every_exception_of_apsw_has_its_meaning_here(kind: type[Exception]) -> None:
    assert [error for error, kinds in MEANINGS.items() if kind in kinds] != []


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        pytest.param(kind, error, id=kind.__name__)
        for error, kinds in MEANINGS.items()
        for kind in sorted(kinds, key=lambda kind: kind.__name__)
    ],
)
def test_an_exception_of_apsw_becomes_ours(kind: type[apsw.Error], error: type[errors.Error]) -> None:
    found = map_sqlite_error(kind("why"), "SELECT 1")
    assert (type(found), found.reason != "") == (error, True)


def test_the_original_is_the_cause() -> None:
    original = apsw.BusyError("BusyError: database is locked")
    with pytest.raises(errors.OperationalError) as caught, sqlite_errors("SELECT 1"):
        raise original
    assert caught.value.__cause__ is original


def test_our_own_errors_pass_as_they_are() -> None:
    original = errors.BackendError("500", status=500)
    with pytest.raises(errors.BackendError) as caught, sqlite_errors("SELECT 1"):
        raise original
    assert caught.value is original


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        pytest.param("SELEC 1", errors.SQLSyntaxError, id="a wrong word"),
        pytest.param("SELECT (1", errors.SQLSyntaxError, id="unfinished"),
        pytest.param("SELECT * FROM nowhere", errors.UnknownNameError, id="table"),
        pytest.param("SELECT unknown()", errors.UnknownNameError, id="function"),
        pytest.param("SELECT unknown", errors.UnknownColumnError, id="column"),
        pytest.param("INSERT INTO t(z) VALUES (1)", errors.UnknownColumnError, id="column of an INSERT"),
        pytest.param("INSERT INTO t VALUES (1)", errors.IntegrityError, id="unique"),
        pytest.param("INSERT INTO t VALUES (0)", errors.IntegrityError, id="check"),
        pytest.param("INSERT INTO t VALUES ('x')", errors.DataError, id="datatype mismatch"),
        pytest.param("SELECT zeroblob(2000000000)", errors.DataError, id="too big"),
        pytest.param("SELECT abs(-9223372036854775808)", errors.ProgrammingError, id="overflow"),
        pytest.param("COMMIT", errors.ProgrammingError, id="no transaction"),
        pytest.param("SELECT json('{')", errors.ProgrammingError, id="no JSON"),
        pytest.param("ATTACH '/nowhere/x.db' AS x", errors.OperationalError, id="no such folder"),
    ],
)
def test_what_sqlite_refuses(connection: sqlprovider.Connection, sql: str, error: type[errors.Error]) -> None:
    connection.execute("CREATE TABLE t(x INTEGER PRIMARY KEY CHECK (x > 0)); INSERT INTO t VALUES (1)")
    assert type(refusal(connection, sql)) is error


def test_a_locked_file(tmp_path: Path, connection: sqlprovider.Connection) -> None:
    path = str(tmp_path / "x.db")
    connection.execute("PRAGMA busy_timeout = 1")
    with closing(apsw.Connection(path)) as other:
        other.execute("CREATE TABLE t(x); BEGIN EXCLUSIVE")
        assert type(refusal(connection, "ATTACH ? AS x", path)) is errors.OperationalError


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_text("not a database " * 100)
    with closing(sqlprovider.connect({}, database=str(path))) as connection:
        assert type(refusal(connection, "SELECT * FROM sqlite_schema")) is errors.OperationalError
