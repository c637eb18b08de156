"""Resources on someone else's apsw connection."""

from __future__ import annotations

from collections.abc import Iterator

import apsw
import httpx
import pytest

from sqlprovider.config import Config, Settings
from sqlprovider.errors import BackendError, ProgrammingError
from sqlprovider.vtab.registered import register_resources
from tests.vtab.jobs import ITEMS, JOBS, ROUTES
from tests.vtab.world import Asked, MakeWorld, World

REFUSED = httpx.Response(400, json={"code": "bad", "message": "no"})
TABLE = '"p.s.jobs"'


@pytest.fixture
def connection() -> Iterator[apsw.Connection]:
    opened = apsw.Connection(":memory:")
    yield opened
    opened.close(True)


def registered(world: World, connection: apsw.Connection, *, listed: bool = False) -> World:
    register_resources(
        connection,
        world.catalog,
        world.executor,
        Config(Settings(), world.connections, None),
        listed=listed,
        temporary=False,
    )
    return world


def test_a_registered_resource_is_a_table(make_world: MakeWorld, connection: apsw.Connection) -> None:
    registered(make_world(JOBS, ROUTES), connection)
    found = connection.execute(f"SELECT id, name FROM {TABLE} WHERE size > 1").fetchall()
    assert found == [("b", "two")]


@pytest.mark.parametrize(
    ("listed", "count"), [pytest.param(True, 1, id="listed"), pytest.param(False, 0, id="not")]
)
def test_a_listed_resource_is_in_the_schema(
    make_world: MakeWorld, connection: apsw.Connection, listed: bool, count: int
) -> None:
    registered(make_world(JOBS, ROUTES), connection, listed=listed)
    assert len(connection.execute("SELECT * FROM sqlite_schema").fetchall()) == count


@pytest.mark.parametrize(
    ("sql", "lines"),
    [
        pytest.param(
            f"INSERT INTO {TABLE} (name, at) VALUES ('n', 0), ('m', 0)",
            ['POST /jobs {"at":0,"name":"n"}', 'POST /jobs {"at":0,"name":"m"}'],
            id="insert",
        ),
        pytest.param(
            f"UPDATE {TABLE} SET name = 'x' WHERE id = 'a'",
            ["GET /jobs/a", 'PATCH /jobs/a?mask=job.name {"etag":"e1","name":"x"}'],
            id="update",
        ),
        pytest.param(f"UPDATE {TABLE} SET name = 'one' WHERE id = 'a'", ["GET /jobs/a"], id="no change"),
        pytest.param(f"DELETE FROM {TABLE} WHERE size = 1", ["GET /jobs", "DELETE /jobs/a"], id="delete"),
    ],
)
def test_writes_are_sent_when_the_statement_ends(
    make_world: MakeWorld, connection: apsw.Connection, sql: str, lines: list[str]
) -> None:
    world = registered(make_world(JOBS, ROUTES), connection)
    connection.execute(sql)
    assert world.lines == lines


def test_a_failed_write_fails_the_statement_and_is_forgotten(
    make_world: MakeWorld, connection: apsw.Connection
) -> None:
    routes = {**ROUTES, "POST /jobs": REFUSED}
    world = registered(make_world(JOBS, routes), connection)
    with pytest.raises(BackendError):
        connection.execute(f"INSERT INTO {TABLE} (name) VALUES ('n')")
    connection.execute(f"DELETE FROM {TABLE} WHERE id = 'a'")
    assert world.lines[-1] == "DELETE /jobs/a"
    assert sum(line.startswith("POST") for line in world.lines) == 1


def test_a_statement_that_fails_halfway_sends_nothing(
    make_world: MakeWorld, connection: apsw.Connection
) -> None:
    world = registered(make_world(JOBS, ROUTES), connection)
    with pytest.raises(ProgrammingError, match="one of OPEN, SHUT"):
        connection.execute(f"INSERT INTO {TABLE} (name, state) VALUES ('n', 'OPEN'), ('m', 'X')")
    assert world.lines == []
    connection.execute(f"INSERT INTO {TABLE} (name, at) VALUES ('n', 0)")
    assert world.lines == ['POST /jobs {"at":0,"name":"n"}']


def written(world: World) -> list[str]:
    return [line for line in world.lines if not line.startswith("GET")]


def test_writes_in_a_transaction_are_sent_when_it_is_committed(
    make_world: MakeWorld, connection: apsw.Connection
) -> None:
    world = registered(make_world(JOBS, ROUTES), connection)
    connection.execute(
        f"BEGIN; UPDATE {TABLE} SET name = 'x' WHERE id = 'a'; SAVEPOINT s;"
        f"DELETE FROM {TABLE} WHERE id = 'b'; ROLLBACK TO s; INSERT INTO {TABLE} (id, name) VALUES ('c', 'y')"
    )
    assert written(world) == []
    connection.execute("COMMIT")
    assert [line.partition(" {")[0] for line in written(world)] == [
        "PATCH /jobs/a?mask=job.name",
        "POST /jobs?id=c",
    ]


def test_a_rollback_sends_nothing(make_world: MakeWorld, connection: apsw.Connection) -> None:
    world = registered(make_world(JOBS, ROUTES), connection)
    connection.execute(f"BEGIN; DELETE FROM {TABLE} WHERE id = 'b'; ROLLBACK; BEGIN; COMMIT")
    assert written(world) == []


def test_a_failure_at_commit_says_what_became_of_each_change(
    make_world: MakeWorld, connection: apsw.Connection
) -> None:
    def drop(asked: Asked) -> object:
        return httpx.Response(400, json={"code": "bad", "message": "no"}) if asked.groups[0] == "b" else {}

    world = registered(make_world(JOBS, {**ROUTES, "DELETE /jobs/([^/]+)": drop}), connection)
    connection.execute("CREATE TABLE t(a)")
    with pytest.raises(BackendError, match=r"change [12] of 2") as raised:
        connection.execute(f"BEGIN; INSERT INTO t VALUES (1); DELETE FROM {TABLE}; COMMIT")
    states = [row["state"] for row in raised.value.rows]
    assert states in (["accepted", "failed"], ["failed", "not_tried"])  # SQLite says in which order
    assert len(written(world)) == states.index("failed") + 1


def test_the_rows_are_those_of_the_api(make_world: MakeWorld, connection: apsw.Connection) -> None:
    registered(make_world(JOBS, ROUTES), connection)
    ((count,),) = connection.execute(f"SELECT count(*) FROM {TABLE}").fetchall()
    assert count == len(ITEMS)
