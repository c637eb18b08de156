"""Sessions side by side: two connections in two threads, many threads, forks of one session."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from sqlprovider import connect
from sqlprovider.errors import StatementInterrupted
from sqlprovider.session import Session
from sqlprovider.values import Row
from tests.fakes.loopback import Loopback
from tests.fakes.vertex import vertex_app, vertex_small
from tests.oracle import Oracle, difference
from tests.paths.lab import objects, wsgi_app
from tests.paths.left import busy_threads, eventually, open_sockets
from tests.paths.open import Jittery, open_lab

STATEMENTS = (
    "SELECT * FROM p.s.things",
    "SELECT id, name FROM p.s.things LIMIT 5",
    "SELECT count(*) FROM p.s.numbers",
    "SELECT max(rank), min(rank) FROM p.s.ranked",
    "SELECT * FROM p.s.ranked ORDER BY id",
    "SELECT t.id, p.part, p.weight FROM p.s.things t LEFT JOIN p.s.parts p ON p.thing = t.id",
    "SELECT * FROM p.s.bits",
    "SELECT n.num, m.a FROM p.s.numbers n JOIN p.s.marks m ON m.b = n.big",
    "SELECT n.num, i.label FROM p.s.numbers n LEFT JOIN p.s.items i ON i.id = 't' || n.num",
    "SELECT a.id, b.id FROM p.s.ranked a JOIN p.s.ranked b ON a.rank = b.rank",
    "SELECT id FROM p.s.things t WHERE EXISTS (SELECT 1 FROM p.s.parts p WHERE p.thing = t.id)",
    "SELECT thing, count(*) FROM p.s.parts GROUP BY thing",
)


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback(wsgi_app) as serving:
        yield serving


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Row]]:
    with closing(open_lab(tmp_path_factory.mktemp("oracle"), transport=Jittery(0))) as session:
        oracle = Oracle(session.catalog, objects)
        return {sql: oracle.rows(oracle.sql_of(sql)) for sql in STATEMENTS}


def wrong(session: Session, expected: dict[str, list[Row]], seed: int, count: int) -> list[str]:
    """The statements of which a session gave other rows, run in an order of its own."""
    dice = random.Random(seed)
    found = []
    for _ in range(count):
        sql = dice.choice(STATEMENTS)
        (result,) = session.run(sql)
        if dice.random() < 0.2:  # one that nobody reads to its end
            next(result.rows, None)
            continue
        if (differs := difference(result.rows, expected[sql])) is not None:
            found.append(f"{sql}\n{differs}")
    return found


def in_threads(count: int, work: Callable[[int], list[str]]) -> list[str]:
    """What all of them found; they begin together."""
    gate = threading.Barrier(count)

    def run(number: int) -> list[str]:
        gate.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return [problem for found in pool.map(run, range(count)) for problem in found]


@pytest.mark.parametrize("count", [2, 32])
def test_threads_with_a_session_each(
    count: int, server: Loopback, tmp_path: Path, expected: dict[str, list[Row]]
) -> None:
    def work(number: int) -> list[str]:
        with closing(open_lab(tmp_path, base_url=server.base_url)) as session:
            return wrong(session, expected, number, 24 if count == 2 else 6)

    open_lab(tmp_path).close()  # the documents are there before all threads write them
    assert in_threads(count, work) == []
    assert eventually(lambda: not busy_threads())
    assert eventually(lambda: not open_sockets(server.port))


@pytest.mark.parametrize("count", [2, 8])
def test_forks_of_one_session(
    count: int, server: Loopback, tmp_path: Path, expected: dict[str, list[Row]]
) -> None:
    session = open_lab(tmp_path, base_url=server.base_url)

    def work(number: int) -> list[str]:
        with closing(session.fork()) as forked:
            return wrong(forked, expected, number, 12)

    with closing(session):
        assert in_threads(count, work) == []
        assert wrong(session, expected, 99, 3) == []
    assert eventually(lambda: not busy_threads())
    assert eventually(lambda: not open_sockets(server.port))


def test_answers_in_any_order_to_many_threads(tmp_path: Path, expected: dict[str, list[Row]]) -> None:
    def work(number: int) -> list[str]:
        with closing(open_lab(tmp_path, transport=Jittery(number))) as session:
            return wrong(session, expected, number, 6)

    open_lab(tmp_path).close()
    assert in_threads(16, work) == []


def test_a_fork_that_is_interrupted_does_not_end_the_others(
    server: Loopback, tmp_path: Path, expected: dict[str, list[Row]]
) -> None:
    session = open_lab(tmp_path, base_url=server.base_url)
    over = threading.Event()

    def disturb() -> list[str]:
        with closing(session.fork()) as forked:
            while not over.is_set():
                interrupter = threading.Thread(target=forked.interrupt)
                try:
                    (result,) = forked.run(STATEMENTS[5])
                    next(result.rows, None)
                    interrupter.start()
                    list(result.rows)
                except StatementInterrupted:
                    pass
                finally:
                    if interrupter.ident is not None:
                        interrupter.join()
        return []

    def work(number: int) -> list[str]:
        if number == 0:
            return disturb()
        try:
            with closing(session.fork()) as forked:
                return wrong(forked, expected, number, 12)
        finally:
            over.set()

    with closing(session):
        assert in_threads(3, work) == []


@pytest.mark.parametrize("count", [2, 32])
def test_threads_that_connect(count: int) -> None:
    keys = "projectsId = 'p' AND locationsId = 'l' AND tensorboardsId = 't' AND experimentsId = 'e1'"
    sql = f"SELECT name, displayName FROM google.aiplatform.runs WHERE {keys}"

    with Loopback(vertex_app(vertex_small())) as serving:
        config = {
            "connections": {
                "google": {"provider": "google", "base_url": serving.base_url, "auth": {"type": "none"}}
            }
        }

        def rows(limit: str = "") -> list[Row]:
            with connect(config) as connection:
                found = connection.execute(sql + limit).fetchall()
                connection.close()
                return found

        everything = rows()

        def work(number: int) -> list[str]:
            limit = number % 4
            found = rows(f" LIMIT {limit}" if limit else "")
            wanted = everything[:limit] if limit else everything
            return [] if found == wanted else [f"{number}: {found}"]

        assert len(everything) > 4
        assert in_threads(count, work) == []
        assert eventually(lambda: not open_sockets(serving.port))
