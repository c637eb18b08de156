"""PEP 249 on the real engine, over the Vertex stand-in; and the resources on someone's own connection."""

from __future__ import annotations

import gc
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import apsw
import httpx
import pytest

import sqlprovider
from sqlprovider.config import load_config
from sqlprovider.session import provider_names, register
from sqlprovider.surfaces.dbapi import Connection
from tests.fakes.loopback import Loopback
from tests.fakes.vertex import VertexState, vertex_app, vertex_small

CONFIG = {"connections": {"google": {"auth": {"type": "none"}}}}
EXPERIMENT = "projects/p/locations/l/tensorboards/t/experiments/e1"
KEYS = "projectsId = 'p' AND locationsId = 'l' AND tensorboardsId = 't' AND experimentsId = 'e1'"
RUNS = f"FROM google.aiplatform.runs WHERE {KEYS}"
COLUMNS = "projectsId, locationsId, tensorboardsId, experimentsId, tensorboardRunId, displayName"
INSERT = f"INSERT INTO google.aiplatform.runs ({COLUMNS}) VALUES ('p', 'l', 't', 'e1', ?, ?)"
SERIES = """INSERT INTO google.aiplatform.time_series_points
(projectsId, locationsId, tensorboardsId, experimentsId, runsId, timeSeriesId, step, wallTime, value)"""
POINTS = f"{SERIES} VALUES ('p', 'l', 't', 'e1', 'r01', 'loss', ?, '2026-01-01', ?)"
OWN = '"google.aiplatform.runs"'


@pytest.fixture
def state() -> VertexState:
    return vertex_small()


@pytest.fixture
def connection(state: VertexState) -> Iterator[Connection]:
    with closing(connect(state)) as connection:
        yield connection


def connect(
    state: VertexState, *, database: str = ":memory:", listed: bool = False, autocommit: bool = True
) -> Connection:
    transport = httpx.WSGITransport(vertex_app(state))
    return sqlprovider.connect(
        CONFIG, database=database, listed=listed, autocommit=autocommit, transport=transport
    )


def methods(state: VertexState) -> list[str]:
    return [request.method for request in state.requests]


# ---- results


def test_description_has_the_types_of_the_columns(connection: Connection) -> None:
    cursor = connection.execute(f"SELECT displayName, createTime, labels, count(*) {RUNS}")
    assert cursor.description == (
        ("displayName", "TEXT", None, None, None, None, None),
        ("createTime", "DATETIME", None, None, None, None, None),
        ("labels", "JSON", None, None, None, None, None),
        ("count(*)", None, None, None, None, None, None),
    )


def test_type_codes_equal_the_type_objects(connection: Connection) -> None:
    sql = "SELECT name, createTime, isDefault, runCount FROM google.aiplatform.tensorboards"
    cursor = connection.execute(f"{sql} WHERE projectsId = 'p' AND locationsId = 'l'")
    assert cursor.description is not None
    assert [column[1] for column in cursor.description] == [
        sqlprovider.STRING,
        sqlprovider.DATETIME,
        sqlprovider.NUMBER,
        sqlprovider.NUMBER,
    ]


def test_values_are_python_s_own(connection: Connection) -> None:
    sql = "SELECT isDefault, runCount, createTime, blobStoragePathPrefix FROM google.aiplatform.tensorboards"
    row = connection.execute(f"{sql} WHERE projectsId = 'p' AND locationsId = 'l' LIMIT 1").fetchone()
    assert row is not None
    assert [type(value) for value in row] == [int, int, str, type(None)]


def test_rowcount_is_minus_one_for_a_select(connection: Connection) -> None:
    cursor = connection.execute(f"SELECT name {RUNS}")
    cursor.fetchall()
    assert cursor.rowcount == -1


@pytest.mark.parametrize(
    ("sql", "count"),
    [
        pytest.param(INSERT.replace("?, ?", "'new-1', 'x'"), 1, id="insert"),
        pytest.param(f"UPDATE google.aiplatform.runs SET description = 'x' WHERE {KEYS}", 12, id="update"),
        pytest.param(f"DELETE {RUNS} AND runsId IN ('r01', 'r02', 'nowhere')", 2, id="delete"),
        pytest.param(f"DELETE {RUNS} AND displayName = 'nobody'", 0, id="delete of nothing"),
    ],
)
def test_rowcount_is_the_rows_of_a_write(connection: Connection, sql: str, count: int) -> None:
    cursor = connection.execute(sql)
    assert (cursor.rowcount, cursor.description) == (count, None)


def test_parameters_are_bound_by_place_and_by_name(connection: Connection) -> None:
    by_place = connection.execute(f"SELECT displayName {RUNS} AND runsId = ?", ("r02",)).fetchall()
    by_name = connection.execute(f"SELECT displayName {RUNS} AND runsId = :run", {"run": "r02"}).fetchall()
    assert by_place == by_name == [("seed 2",)]


def test_rows_stream_and_a_closed_cursor_asks_for_no_more(connection: Connection, state: VertexState) -> None:
    cursor = connection.execute(f"SELECT name {RUNS} AND pageSize = 2")
    assert len(cursor.fetchmany(2)) == 2
    cursor.close()
    assert len(state.requests) < 6
    with pytest.raises(sqlprovider.InterfaceError):
        cursor.fetchone()


def test_two_cursors_read_side_by_side(connection: Connection) -> None:
    first = connection.execute(f"SELECT runsId {RUNS} AND pageSize = 5")
    second = connection.execute(f"SELECT runsId {RUNS} AND pageSize = 3")
    assert list(zip(first, second, strict=True)) == [
        (row, row) for row in connection.execute(f"SELECT runsId {RUNS}")
    ]


# ---- writes


def test_executemany_takes_an_iterator(connection: Connection, state: VertexState) -> None:
    rows = ((f"many-{number}", f"run {number}") for number in range(3))
    cursor = connection.cursor().executemany(INSERT, rows)
    assert cursor.rowcount == 3
    assert [state.get(f"{EXPERIMENT}/runs/many-{number}")["displayName"] for number in range(3)] == [
        "run 0",
        "run 1",
        "run 2",
    ]


@pytest.mark.slow
def test_rows_of_an_iterator_are_sent_as_they_come(connection: Connection, state: VertexState) -> None:
    sent_before_the_last = 0

    def points() -> Iterator[tuple[int, float]]:
        nonlocal sent_before_the_last
        for step in range(10_001):
            sent_before_the_last = len(state.requests)
            yield step, 0.5

    assert connection.executemany(POINTS, points()).rowcount == 10_001
    assert (sent_before_the_last, len(state.requests)) == (2, 3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("last", "error"),
    [
        pytest.param(ValueError("of the caller"), ValueError, id="the iterator itself"),
        pytest.param(KeyboardInterrupt(), sqlprovider.StatementInterrupted, id="Ctrl-C in the iterator"),
        pytest.param((1.5, "no number"), sqlprovider.ProgrammingError, id="a wrong value"),
        pytest.param((0, 0.5), sqlprovider.IntegrityError, id="a key that was sent"),
        pytest.param((0,), sqlprovider.ProgrammingError, id="too few values"),
    ],
)
def test_what_fails_after_rows_were_sent_does_not_hide_them(
    connection: Connection, last: BaseException | tuple[object, ...], error: type[Exception]
) -> None:
    def points() -> Iterator[tuple[object, ...]]:
        for step in range(10_002):
            yield step, 0.5
        if isinstance(last, BaseException):
            raise last
        yield last

    cursor = connection.cursor()
    with pytest.raises(error):
        cursor.executemany(POINTS, points())
    said = Counter(row["state"] for row in cursor.last_write)
    assert said["accepted"] == 10_000
    assert said["not_tried"] in (2, 3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("on_error", "tried"),
    [pytest.param("stop", False, id="stop"), pytest.param("continue", True, id="continue")],
)
def test_every_row_of_a_select_is_told_of_after_a_failure(
    connection: Connection, on_error: str, tried: bool
) -> None:
    connection.execute(f"SET on_error = '{on_error}'")
    rows = "SELECT 0 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 10000"
    with pytest.raises(sqlprovider.Error):
        connection.execute(
            f"WITH RECURSIVE n AS ({rows}) {SERIES} "
            "SELECT 'p', 'l', 't', 'e1', 'r01', iif(i, 'loss', 'nope'), i, '2026-01-01', 0.5 FROM n"
        )
    said = Counter(row["state"] for row in connection.cursor().last_write)
    assert sum(said.values()) == 10_001
    assert (said["failed"], said["not_tried"] == 0) == (1, tried)


def test_executemany_of_an_insert_is_one_report(connection: Connection) -> None:
    cursor = connection.cursor().executemany(INSERT, [("many-1", "a"), ("many-2", "b")])
    assert [row["state"] for row in cursor.last_write] == ["accepted", "accepted"]


def test_executemany_checks_every_set_before_the_first_is_sent(
    connection: Connection, state: VertexState
) -> None:
    with pytest.raises(sqlprovider.ProgrammingError):
        connection.cursor().executemany(INSERT, [("many-1", "a"), ("many-2",)])
    assert state.requests == []


def test_returning_gives_what_the_api_made(connection: Connection, state: VertexState) -> None:
    cursor = connection.execute(f"{INSERT} RETURNING name, etag", ("new-1", "x"))
    stored = state.get(f"{EXPERIMENT}/runs/new-1")
    assert (cursor.fetchall(), cursor.rowcount) == ([(stored["name"], stored["etag"])], 1)


def test_a_failed_write_says_what_became_of_each_row(connection: Connection) -> None:
    sql = INSERT + ", ('p', 'l', 't', 'e1', 'r01', 'y'), ('p', 'l', 't', 'e1', 'new-3', 'z')"
    with pytest.raises(connection.IntegrityError) as caught:
        connection.execute(sql, ("new-1", "x"))
    states = [row["state"] for row in caught.value.rows]
    assert states == ["accepted", "failed", "not_tried"]
    assert [row["state"] for row in connection.cursor().last_write] == states


def test_without_autocommit_a_remote_write_is_sent_at_commit(state: VertexState) -> None:
    with closing(connect(state, autocommit=False)) as connection:
        cursor = connection.execute(INSERT.replace("?, ?", "'new-1', 'x'"))
        assert (cursor.rowcount, [row["state"] for row in cursor.last_write]) == (0, ["staged"])
        assert state.requests == []
        connection.commit()
        assert [row["state"] for row in cursor.last_write] == ["accepted"]
        connection.execute(f"DELETE {RUNS} AND runsId = 'new-1'")
        connection.rollback()
    assert methods(state)[0] == "POST"
    assert "DELETE" not in methods(state)


def test_without_autocommit_what_is_local_is_undone(state: VertexState) -> None:
    with closing(connect(state, autocommit=False)) as connection:
        connection.execute("CREATE TABLE names(name)")
        connection.commit()
        connection.execute(f"INSERT INTO names SELECT displayName {RUNS}")
        connection.rollback()
        assert connection.execute("SELECT count(*) FROM names").fetchone() == (0,)


def test_a_connection_as_context_ends_its_transaction_and_stays_open(connection: Connection) -> None:
    with connection:
        connection.execute("BEGIN; CREATE TABLE names(name)")
        connection.execute(f"INSERT INTO names SELECT displayName {RUNS}")
    assert connection.execute("SELECT count(*) FROM names").fetchone() == (12,)


# ---- errors


def test_errors_are_caught_by_the_connection_s_attributes(connection: Connection) -> None:
    with pytest.raises(connection.ProgrammingError):
        connection.execute("SELECT * FROM google.aiplatform.runs")
    with pytest.raises(connection.DatabaseError):
        connection.execute("SELEC 1")
    with pytest.raises(connection.Error):
        connection.execute(INSERT, ("r01", "x"))


def test_another_thread_is_refused(connection: Connection) -> None:
    cursor = connection.execute(f"SELECT name {RUNS}")
    caught: list[Exception] = []

    def use() -> None:
        for call in (connection.cursor, cursor.fetchone, lambda: connection.execute("SELECT 1")):
            try:
                call()
            except sqlprovider.ProgrammingError as error:
                caught.append(error)

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert len(caught) == 3
    assert len(cursor.fetchall()) == 12


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda connection, cursor: connection.cursor(), id="cursor"),
        pytest.param(lambda connection, cursor: connection.execute("SELECT 1"), id="execute"),
        pytest.param(lambda connection, cursor: cursor.fetchall(), id="fetch"),
        pytest.param(lambda connection, cursor: connection.commit(), id="commit"),
    ],
)
def test_a_connection_closed_in_the_middle_of_rows_is_used_no_more(
    use: Callable[[Connection, sqlprovider.Cursor], object], state: VertexState
) -> None:
    connection = connect(state)
    cursor = connection.execute(f"SELECT name {RUNS} AND pageSize = 2")
    cursor.fetchone()
    connection.close()
    connection.close()
    with pytest.raises(sqlprovider.InterfaceError):
        use(connection, cursor)


# ---- listed


def test_unlisted_resources_are_not_in_the_schema(connection: Connection) -> None:
    connection.execute(f"SELECT count(*) {RUNS}").fetchall()
    assert connection.execute("SELECT * FROM sqlite_schema").fetchall() == []


def test_listed_resources_are_tables_of_the_schema(state: VertexState) -> None:
    with closing(connect(state, listed=True)) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'google.%' ORDER BY 1"
        ).fetchall()
        columns = connection.execute(f"PRAGMA table_xinfo({OWN})").fetchall()
        assert connection.execute(f"SELECT count(*) {RUNS}").fetchone() == (12,)
    assert len(names) > 220
    assert {
        (f"google.aiplatform.{name}",) for name in ("experiments", "runs", "tensorboards", "time_series")
    } <= set(names)
    assert [column[1:3] for column in columns][:2] == [("projectsId", "TEXT"), ("locationsId", "TEXT")]
    hidden = {str(column[1]): bool(column[6]) for column in columns}
    assert (hidden["displayName"], hidden["item_"], hidden["pageSize"]) == (False, True, True)
    assert len(state.requests) == 1


def test_listing_writes_nothing_into_a_file(state: VertexState, tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with closing(connect(state, database=str(path), listed=True)) as connection:
        listed = connection.execute(f"SELECT 1 FROM sqlite_temp_schema WHERE name = '{OWN[1:-1]}'")
        assert listed.fetchall() == [(1,)]
        assert connection.execute(f"SELECT count(*) {RUNS}").fetchone() == (12,)
    assert path.read_bytes() == b""


def test_local_tables_of_a_file_are_kept_and_resources_are_not(state: VertexState, tmp_path: Path) -> None:
    path = str(tmp_path / "x.db")
    with closing(connect(state, database=path, listed=True)) as connection:
        connection.execute(f"CREATE TABLE names AS SELECT displayName {RUNS}")
    with closing(apsw.Connection(path)) as plain:
        assert plain.execute("SELECT name FROM sqlite_schema").fetchall() == [("names",)]
        assert plain.execute("SELECT count(*) FROM names").fetchall() == [(12,)]


# ---- register


@pytest.fixture(params=[False, True], ids=["unlisted", "listed"])
def own(request: pytest.FixtureRequest, state: VertexState) -> Iterator[apsw.Connection]:
    config = load_config(CONFIG, environ={}, providers=provider_names())
    with closing(apsw.Connection(":memory:")) as own:
        transport = httpx.WSGITransport(vertex_app(state))
        register(own, config, listed=request.param, transport=transport)
        yield own


def test_own_connections_read(own: apsw.Connection) -> None:
    assert own.execute(f"SELECT displayName FROM {OWN} WHERE {KEYS} AND runsId = 'r02'").get == "seed 2"


def test_own_connections_join_their_own_tables(own: apsw.Connection) -> None:
    own.execute("CREATE TABLE wanted(runsId TEXT); INSERT INTO wanted VALUES ('r02'), ('r03')")
    sql = f"SELECT displayName FROM wanted JOIN {OWN} USING (runsId) WHERE {KEYS} ORDER BY 1"
    assert own.execute(sql).fetchall() == [("seed 2",), ("seed 3",)]


def test_own_connections_insert(own: apsw.Connection, state: VertexState) -> None:
    sql = f"INSERT INTO {OWN} ({COLUMNS}) VALUES ('p', 'l', 't', 'e1', ?, ?), ('p', 'l', 't', 'e1', ?, ?)"
    own.execute(sql, ("n1", "one", "n2", "two"))
    assert methods(state) == ["POST", "POST"]
    assert [state.get(f"{EXPERIMENT}/runs/{id_}")["displayName"] for id_ in ("n1", "n2")] == ["one", "two"]


def test_own_connections_update_what_changes(own: apsw.Connection, state: VertexState) -> None:
    own.execute(f"UPDATE {OWN} SET description = 'new' WHERE {KEYS} AND displayName IN ('seed 2', 'seed 3')")
    assert methods(state) == ["GET", "PATCH", "PATCH"]
    assert state.get(f"{EXPERIMENT}/runs/r02")["description"] == "new"
    assert {request.value("updateMask") for request in state.requests[1:]} == {"description"}


def test_own_connections_delete(own: apsw.Connection, state: VertexState) -> None:
    own.execute(f"DELETE FROM {OWN} WHERE {KEYS} AND displayName LIKE 'seed 1%'")
    assert methods(state) == ["GET", "DELETE", "DELETE", "DELETE", "DELETE"]
    assert state.find(f"{EXPERIMENT}/runs/r01") is None


def test_a_statement_that_fails_sends_none_of_its_writes(own: apsw.Connection, state: VertexState) -> None:
    own.execute("CREATE TABLE new(id TEXT); INSERT INTO new VALUES ('n1'), ('not JSON')")
    sql = f"INSERT INTO {OWN} ({COLUMNS}) SELECT 'p', 'l', 't', 'e1', id, json('\"' || id) FROM new"
    with pytest.raises(apsw.SQLError):
        own.execute(sql)
    own.execute(f"DELETE FROM {OWN} WHERE {KEYS} AND displayName = 'nobody'")
    assert methods(state) == ["GET"]


def test_own_connections_send_what_a_transaction_wrote_when_it_is_committed(
    own: apsw.Connection, state: VertexState
) -> None:
    own.execute("BEGIN")
    own.execute(f"INSERT INTO {OWN} ({COLUMNS}) VALUES ('p', 'l', 't', 'e1', 'n1', 'one')")
    assert state.requests == []
    own.execute("COMMIT")
    assert methods(state) == ["POST"]


def test_an_error_of_the_api_is_ours_on_own_connections_too(own: apsw.Connection) -> None:
    with pytest.raises(sqlprovider.IntegrityError):
        own.execute(f"INSERT INTO {OWN} ({COLUMNS}) VALUES ('p', 'l', 't', 'e1', 'r01', 'x')")
    with pytest.raises(sqlprovider.MissingParameterError):
        own.execute(f"SELECT * FROM {OWN}").fetchall()
    assert own.execute(f"SELECT count(*) FROM {OWN} WHERE {KEYS}").get == 12


def test_register_is_public_reads_over_a_real_socket_and_leaves_none_open(state: VertexState) -> None:
    with Loopback(vertex_app(state)) as server:
        google = {"auth": {"type": "none"}, "base_url": server.base_url}
        with closing(apsw.Connection(":memory:")) as own:
            sqlprovider.register(own, {"connections": {"google": google}})
            assert own.execute(f"SELECT count(*) FROM {OWN} WHERE {KEYS}").get == 12
        with warnings.catch_warnings(record=True, action="always") as caught:
            gc.collect()
    assert [str(warning.message) for warning in caught] == []
