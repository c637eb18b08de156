"""PEP 249, line by line."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time

import apsw
import pytest

import sqlprovider
from sqlprovider.errors import (
    ConfigError,
    Error,
    InterfaceError,
    MissingParameterError,
    ProgrammingError,
    Warning,
)
from sqlprovider.surfaces.dbapi import Connection
from sqlprovider.values import Row, Type
from tests.surfaces.fake_session import Answer, FakeSession, as_session, request


@pytest.fixture
def connection() -> Iterator[Connection]:
    connection = sqlprovider.connect({})
    yield connection
    connection.close()


@pytest.fixture
def filled(connection: Connection) -> Connection:
    connection.execute("CREATE TABLE t(x INTEGER, y TEXT)")
    connection.executemany("INSERT INTO t VALUES (?, ?)", [(1, "a"), (2, "b"), (3, None)])
    return connection


def over(fake: FakeSession) -> Connection:
    return Connection(as_session(fake))


# ---- module


def test_the_module_says_what_it_is() -> None:
    said = (sqlprovider.apilevel, sqlprovider.threadsafety, sqlprovider.paramstyle)
    assert said == ("2.0", 1, "qmark")


@pytest.mark.parametrize(
    ("type_object", "types"),
    [
        pytest.param(sqlprovider.STRING, {"TEXT", "JSON"}, id="STRING"),
        pytest.param(sqlprovider.NUMBER, {"INTEGER", "REAL", "BOOLEAN"}, id="NUMBER"),
        pytest.param(sqlprovider.DATETIME, {"DATETIME"}, id="DATETIME"),
        pytest.param(sqlprovider.BINARY, set(), id="BINARY"),
        pytest.param(sqlprovider.ROWID, set(), id="ROWID"),
    ],
)
def test_type_objects_equal_the_type_codes_they_stand_for(type_object: object, types: set[str]) -> None:
    assert {of.value for of in Type if of == type_object} == types


def test_constructors_make_values_that_can_be_bound(connection: Connection) -> None:
    values = (
        sqlprovider.Date(2026, 1, 2),
        sqlprovider.Time(3, 4, 5),
        sqlprovider.Timestamp(2026, 1, 2, 3, 4, 5),
        sqlprovider.Binary(b"\x00"),
    )
    row = connection.execute("SELECT ?, ?, ?, ?", values).fetchone()
    assert row == ("2026-01-02", "03:04:05", "2026-01-02 03:04:05.000", b"\x00")


def test_ticks_are_utc() -> None:
    assert sqlprovider.TimestampFromTicks(0) == datetime(1970, 1, 1, tzinfo=UTC)
    assert sqlprovider.DateFromTicks(86_399) == date(1970, 1, 1)
    assert sqlprovider.TimeFromTicks(86_399) == time(23, 59, 59)


@pytest.mark.parametrize(
    "name",
    [
        "Warning",
        "Error",
        "InterfaceError",
        "DatabaseError",
        "DataError",
        "OperationalError",
        "IntegrityError",
        "InternalError",
        "ProgrammingError",
        "NotSupportedError",
    ],
)
def test_the_exceptions_are_attributes_of_the_connection(name: str) -> None:
    assert getattr(Connection, name) is getattr(sqlprovider, name)


def test_connect_takes_settings() -> None:
    with sqlprovider.connect({"max_requests": 1}, timeout=2, read_only=True) as connection:
        settings = connection.settings
        assert (settings.max_requests, settings.timeout, settings.read_only) == (1, 2.0, True)
        connection.close()


def test_connect_refuses_an_unknown_keyword() -> None:
    with pytest.raises(ConfigError, match="did you mean timeout"):
        sqlprovider.connect({}, time_out=1)


# ---- cursor


def test_description_is_seven_values_a_column() -> None:
    cursor = over(FakeSession({"q": Answer(("a", "b"))})).execute("q")
    assert cursor.description == (("a", *[None] * 6), ("b", *[None] * 6))


def test_description_names_the_type_of_a_resources_column(connection: Connection) -> None:
    cursor = connection.execute("SELECT status, start_time, metrics, 1 FROM mlflow.tracking.runs LIMIT 0")
    assert cursor.description is not None
    assert [column[1] for column in cursor.description] == ["TEXT", "DATETIME", "JSON", None]


def test_description_is_none_where_there_is_no_result(connection: Connection) -> None:
    cursor = connection.cursor()
    assert cursor.description is None
    assert cursor.execute("CREATE TABLE t(x)").description is None


def test_fetchone_gives_none_after_the_last_row(filled: Connection) -> None:
    cursor = filled.execute("SELECT x FROM t WHERE x = ?", (2,))
    assert [cursor.fetchone(), cursor.fetchone(), cursor.fetchone()] == [(2,), None, None]


def test_fetchmany_takes_arraysize_unless_told(filled: Connection) -> None:
    cursor = filled.execute("SELECT x FROM t")
    assert cursor.arraysize == 1
    assert (cursor.fetchmany(), cursor.fetchmany(5), cursor.fetchmany()) == ([(1,)], [(2,), (3,)], [])


def test_fetchall_gives_what_is_left(filled: Connection) -> None:
    cursor = filled.execute("SELECT x FROM t")
    cursor.fetchone()
    assert (cursor.fetchall(), cursor.fetchall()) == ([(2,), (3,)], [])


def test_a_cursor_is_its_rows(filled: Connection) -> None:
    assert list(filled.execute("SELECT x, y FROM t")) == [(1, "a"), (2, "b"), (3, None)]


def test_two_cursors_of_a_connection_do_not_share_rows(filled: Connection) -> None:
    first, second = filled.execute("SELECT x FROM t"), filled.execute("SELECT y FROM t")
    assert (first.fetchone(), second.fetchone(), first.fetchone()) == ((1,), ("a",), (2,))


def test_a_cursor_can_be_used_again(filled: Connection) -> None:
    cursor = filled.execute("SELECT x FROM t")
    cursor.fetchone()
    assert cursor.execute("SELECT y FROM t").fetchall() == [("a",), ("b",), (None,)]


def test_parameters_may_have_names(connection: Connection) -> None:
    assert connection.execute("SELECT :a || @b", {"a": "x", "b": "y"}).fetchone() == ("xy",)


@pytest.mark.parametrize("method", ["fetchone", "fetchmany", "fetchall", "__next__"])
@pytest.mark.parametrize(
    "sql", [pytest.param(None, id="nothing run"), pytest.param("CREATE TABLE t(x)", id="no rows")]
)
def test_fetching_without_a_result_is_an_error(connection: Connection, method: str, sql: str | None) -> None:
    cursor = connection.cursor()
    if sql is not None:
        cursor.execute(sql)
    with pytest.raises(Error):
        getattr(cursor, method)()


def test_rowcount_is_minus_one_for_a_query_and_before_any(filled: Connection) -> None:
    cursor = filled.cursor()
    assert cursor.rowcount == -1
    assert cursor.execute("SELECT x FROM t").rowcount == -1


def test_rowcount_is_the_rows_of_a_write(filled: Connection) -> None:
    assert filled.execute("UPDATE t SET y = 'z' WHERE x > 1").rowcount == 2


def test_a_refusal_is_raised_by_execute_and_not_by_fetch(connection: Connection) -> None:
    with pytest.raises(MissingParameterError):
        connection.execute("SELECT * FROM google.aiplatform.runs WHERE projectsId = 'p'")


def test_only_the_first_row_is_fetched_before_it_is_asked_for() -> None:
    cursor = over(FakeSession({"q": Answer(("a",), [(1,)], error=ProgrammingError("later"))})).execute("q")
    assert cursor.fetchone() == (1,)
    with pytest.raises(ProgrammingError, match="later"):
        cursor.fetchone()


@pytest.mark.parametrize("params", [pytest.param((), id="too few"), pytest.param((1, 2), id="too many")])
def test_the_number_of_parameters_is_checked(connection: Connection, params: tuple[int, ...]) -> None:
    with pytest.raises(ProgrammingError):
        connection.execute("SELECT ?", params)


def test_a_script_is_run_whole_and_gives_the_last_rows(connection: Connection) -> None:
    cursor = connection.execute("CREATE TABLE t(x); INSERT INTO t VALUES (1); SELECT 5; SELECT x FROM t;")
    assert cursor.fetchall() == [(1,)]


def test_a_semicolon_in_a_text_makes_no_script(connection: Connection) -> None:
    assert connection.execute("SELECT 'a;b'").fetchall() == [("a;b",)]


def test_a_script_that_ends_without_rows_has_none(connection: Connection) -> None:
    assert connection.execute("SELECT 5; CREATE TABLE t(x)").description is None


def test_executemany_adds_up_the_rows(filled: Connection) -> None:
    cursor = filled.executemany("UPDATE t SET y = ? WHERE x >= ?", [("p", 1), ("q", 3)])
    assert cursor.rowcount == 4


def test_executemany_of_nothing_runs_nothing(connection: Connection) -> None:
    assert connection.executemany("INSERT INTO nowhere VALUES (?)", []).rowcount == 0


def test_executemany_takes_an_iterator(filled: Connection) -> None:
    assert filled.executemany("INSERT INTO t(x) VALUES (?)", ((x,) for x in range(4))).rowcount == 4


def test_executemany_checks_every_row_before_it_runs_one() -> None:
    fake = FakeSession()
    with pytest.raises(InterfaceError):
        over(fake).executemany("q", [(1,), ({},)])
    assert fake.ran == []


def test_executemany_keeps_what_returning_gives(filled: Connection) -> None:
    cursor = filled.executemany("INSERT INTO t(x) VALUES (?) RETURNING x", [(7,), (8,)])
    assert cursor.fetchall() == [(7,), (8,)]


def test_sizes_are_taken_and_ignored(connection: Connection) -> None:
    cursor = connection.cursor()
    cursor.setinputsizes([10])
    cursor.setoutputsize(10, 1)
    assert cursor.execute("SELECT 1").fetchone() == (1,)


def test_warnings_are_those_of_the_statement() -> None:
    warning = Warning("odd")
    cursor = over(FakeSession({"q": Answer(("a",), warnings=[warning])})).execute("q")
    assert cursor.warnings == (warning,)


def test_last_write_is_the_sessions() -> None:
    fake = FakeSession(last_write=({"state": "accepted"},))
    assert over(fake).cursor().last_write == ({"state": "accepted"},)


# ---- transactions


def test_autocommit_is_on(filled: Connection) -> None:
    filled.rollback()
    assert filled.execute("SELECT count(*) FROM t").fetchone() == (3,)


@pytest.mark.parametrize(("end", "rows"), [("commit", 1), ("rollback", 0)])
def test_begin_is_ended_by(connection: Connection, end: str, rows: int) -> None:
    connection.execute("CREATE TABLE t(x)")
    connection.execute("BEGIN")
    connection.execute("INSERT INTO t VALUES (1)")
    getattr(connection, end)()
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (rows,)


def test_without_autocommit_rollback_undoes_what_was_written() -> None:
    connection = sqlprovider.connect({}, autocommit=False)
    connection.execute("CREATE TABLE t(x)")
    connection.commit()
    connection.execute("INSERT INTO t VALUES (1)")
    connection.rollback()
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)
    connection.close()


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_ending_no_transaction_does_nothing(connection: Connection, end: str) -> None:
    getattr(connection, end)()


def test_a_connection_as_context_commits() -> None:
    fake = FakeSession(in_transaction=True)
    with over(fake):
        pass
    assert fake.ran == [("COMMIT", ())]


def test_a_connection_as_context_rolls_back_after_an_error() -> None:
    fake = FakeSession(in_transaction=True)
    with pytest.raises(KeyError), over(fake):
        raise KeyError
    assert fake.ran == [("ROLLBACK", ())]


# ---- closed things and other threads


def test_closing_twice_is_no_fault() -> None:
    connection = sqlprovider.connect({})
    cursor = connection.cursor()
    for _ in range(2):
        cursor.close()
        connection.close()


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda c: c.cursor(), id="cursor"),
        pytest.param(lambda c: c.commit(), id="commit"),
        pytest.param(lambda c: c.rollback(), id="rollback"),
        pytest.param(lambda c: c.execute("SELECT 1"), id="execute"),
        pytest.param(lambda c: c.__enter__(), id="with"),
    ],
)
def test_a_closed_connection_is_used_no_more(use: Callable[[Connection], object]) -> None:
    connection = over(FakeSession())
    connection.close()
    with pytest.raises(InterfaceError, match="the connection is closed"):
        use(connection)


def test_the_cursors_of_a_closed_connection_are_closed_too() -> None:
    connection = over(FakeSession({"q": Answer(("a",), [(1,)])}))
    cursor = connection.execute("q")
    connection.close()
    with pytest.raises(InterfaceError):
        cursor.fetchone()


def test_a_cursor_as_context_is_closed() -> None:
    with over(FakeSession({"q": Answer(("a",), [(1,)])})).cursor() as cursor:
        cursor.execute("q")
    with pytest.raises(InterfaceError, match="the cursor is closed"):
        cursor.fetchone()


def test_closing_a_cursor_ends_its_rows() -> None:
    ended: list[bool] = []

    def rows() -> Iterator[Row]:
        try:
            yield (1,)
            yield (2,)
        finally:
            ended.append(True)

    class Streaming(FakeSession):
        def _rows(self, answer: Answer) -> Iterator[Row]:
            return rows()

    cursor = over(Streaming({"q": Answer(("a",))})).execute("q")
    cursor.close()
    assert ended == [True]


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda c: c.cursor(), id="cursor"),
        pytest.param(lambda c: c.execute("q"), id="execute"),
        pytest.param(lambda c: c.close(), id="close"),
    ],
)
def test_another_thread_is_refused_clearly(use: Callable[[Connection], object]) -> None:
    connection = over(FakeSession())
    caught: list[Exception] = []

    def work() -> None:
        try:
            use(connection)
        except ProgrammingError as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert "by the thread that made it" in str(caught[0])


def test_any_thread_may_interrupt() -> None:
    fake = FakeSession()
    connection = over(fake)
    thread = threading.Thread(target=connection.interrupt)
    thread.start()
    thread.join()
    assert fake.interrupted.is_set()


def test_trace_prints_requests_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    connection = sqlprovider.connect({}, trace=True, max_requests=1)
    session = connection._session
    assert session._event is not None
    session._event(request())
    connection.close()
    assert capsys.readouterr().err == "GET http://h/runs 200 12 ms\n"


def test_register_puts_resources_on_someone_elses_connection() -> None:
    own = apsw.Connection(":memory:")
    sqlprovider.register(own, {})
    cursor = own.execute('SELECT run_id FROM "mlflow.tracking.runs" LIMIT 0')
    assert list(cursor) == []
    own.close()
