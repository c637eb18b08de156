"""However and whenever a statement is ended, no thread works on, no socket is open, nothing more is asked."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from sqlprovider.errors import StatementInterrupted
from sqlprovider.session import Result, Session
from sqlprovider.surfaces.dbapi import Connection, Cursor
from tests.fakes.loopback import Fault, Loopback, Stall, Status
from tests.paths.child import NEXT
from tests.paths.lab import MARKS, wsgi_app
from tests.paths.left import busy_threads, eventually, open_sockets
from tests.paths.open import open_lab

ROOT = Path(__file__).parents[2]
JOIN = "SELECT t.id, p.part FROM p.s.things t LEFT JOIN p.s.parts p ON p.thing = t.id"


@dataclass(frozen=True, slots=True)
class Phase:
    """A statement that comes to a halt: from the `nth` request to `path` on each meets the fault.

    `spared`: but for those paths, whose answers the first row needs.
    """

    sql: str
    fault: Fault
    path: str
    nth: int = 1
    spared: str = "nothing"

    def halt(self, server: Loopback) -> None:
        """Makes the server be so."""
        spared = re.compile(self.spared)
        server.misbehave(
            self.fault,
            path=self.path,
            nth=self.nth,
            times=999,
            when=lambda seen: spared.search(seen.path) is None,
        )


TOO_MANY, DOWN = Status(429, retry_after=50), Status(503, retry_after=50)
HALTED = {
    "first request": Phase("SELECT length(name) FROM p.s.things WHERE n + 0 > 0", Stall(), "/things"),
    "first request, directly": Phase("SELECT * FROM p.s.things", Stall(), "/things"),
    "middle of an answer": Phase("SELECT * FROM p.s.things", Stall(in_body=True), "/things"),
    "count(*)": Phase("SELECT count(*) FROM p.s.numbers", Stall(), "/numbers"),
    "max of an order": Phase("SELECT max(rank) FROM p.s.ranked", Stall(), "/ranked"),
    "look-ahead": Phase(JOIN, Stall(), "/parts"),
    "walk": Phase("SELECT count(*) FROM p.s.bits", Stall(), "/bits"),
    "walk, upper level": Phase("SELECT count(*) FROM p.s.bits", Stall(), "/parts", nth=3),
    "IN of keys": Phase("SELECT * FROM p.s.items WHERE id IN ('t1', 't3', 't5')", Stall(), "/items"),
    "gate after 429": Phase(JOIN, TOO_MANY, "/parts"),
    "gate, directly": Phase("SELECT * FROM p.s.things", TOO_MANY, "/things"),
    "pause before a retry": Phase(JOIN, DOWN, "/parts"),
    "pause, count(*)": Phase("SELECT count(*) FROM p.s.numbers", DOWN, "/numbers"),
}
"""Where a statement can wait for its first row."""
READING = {
    "between pages": Phase("SELECT length(name) FROM p.s.things WHERE n + 0 >= 0", Stall(), "/things", nth=2),
    "between pages, directly": Phase("SELECT * FROM p.s.things", Stall(), "/things", nth=2),
    "numbered pages": Phase("SELECT * FROM p.s.numbers", Stall(), "/numbers", nth=2),
    "look-ahead": Phase(JOIN, Stall(), "/parts", spared="/t1/"),
    "look-ahead over keys": Phase(
        "SELECT i.n FROM p.s.numbers n JOIN p.s.items i ON i.id = 't' || n.num",
        Stall(),
        "/items",
        spared="/t-?[0-3]$",
    ),
    "walk": Phase("SELECT * FROM p.s.bits", Stall(), "/bits", spared="/t[23]/parts/p0/"),
    "gate": Phase(JOIN, TOO_MANY, "/parts", spared="/t1/"),
    "pause": Phase(JOIN, DOWN, "/parts", spared="/t1/"),
    "nothing hangs": Phase(JOIN, Stall(), "/nowhere"),
}
"""Where it can wait when it has given a row."""


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback(wsgi_app) as serving:
        yield serving


def ask(session: Session, sql: str) -> list[object]:
    (result,) = session.run(sql)
    return list(result.rows)


def assert_nothing_is_left(session: Session, server: Loopback, asked: int) -> None:
    """The next statement runs; after it, and once the session is closed, there is nothing."""
    server.behave()
    assert ask(session, NEXT) == [(len(MARKS),)]
    session.close()
    assert eventually(lambda: not busy_threads()), f"{busy_threads()} threads are at work"
    assert eventually(lambda: not open_sockets(server.port)), f"{open_sockets(server.port)} sockets are open"
    assert len(server.requests) == asked + 1, [seen.path for seen in server.requests[asked:]]


def is_still(server: Loopback) -> bool:
    """Whether the server is asked for nothing more."""
    before = len(server.requests)
    return not eventually(lambda: len(server.requests) > before, 0.1)


@pytest.mark.slow
@pytest.mark.parametrize("name", HALTED)
def test_ctrl_c(name: str, server: Loopback, tmp_path: Path) -> None:
    phase = HALTED[name]
    phase.halt(server)
    command = [sys.executable, "-m", "tests.paths.child", str(tmp_path), server.base_url, phase.sql]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        try:
            assert eventually(lambda: bool(server.spoiled), 20)
            assert eventually(lambda: is_still(server), 10)
            asked = len(server.requests)
            server.behave()
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=10)
        finally:
            child.kill()
    assert (out.splitlines(), err) == (
        ["ready", "interrupted", f"[({len(MARKS)},)]", "0 threads at work, 0 sockets"],
        "",
    )
    assert len(server.requests) == asked + 1, [seen.path for seen in server.requests[asked:]]


@pytest.mark.parametrize("name", HALTED)
def test_an_interrupt_from_another_thread(name: str, server: Loopback, tmp_path: Path) -> None:
    phase = HALTED[name]
    phase.halt(server)
    asked: list[int] = []
    session = open_lab(tmp_path, base_url=server.base_url)

    def interrupt() -> None:
        assert eventually(lambda: bool(server.spoiled))
        assert eventually(lambda: is_still(server))
        asked.append(len(server.requests))
        session.interrupt()

    other = threading.Thread(target=interrupt)
    other.start()
    with pytest.raises(StatementInterrupted):
        ask(session, phase.sql)
    other.join()
    assert_nothing_is_left(session, server, asked[0])


def close_rows(result: Result) -> None:
    result.rows.close()  # type: ignore[attr-defined]  # it is a generator


def drop_result(result: Result) -> None:
    result.rows = iter(())


@pytest.mark.parametrize("end", [close_rows, drop_result])
@pytest.mark.parametrize("name", READING)
def test_rows_that_nobody_reads_on(
    name: str, end: Callable[[Result], None], server: Loopback, tmp_path: Path
) -> None:
    phase = READING[name]
    phase.halt(server)
    session = open_lab(tmp_path, base_url=server.base_url)
    (result,) = session.run(phase.sql)
    next(result.rows)
    assert eventually(lambda: is_still(server))
    asked = len(server.requests)
    end(result)
    assert_nothing_is_left(session, server, asked)


@pytest.mark.parametrize("name", READING)
def test_a_session_that_is_closed_over_rows(name: str, server: Loopback, tmp_path: Path) -> None:
    phase = READING[name]
    phase.halt(server)
    session = open_lab(tmp_path, base_url=server.base_url)
    (result,) = session.run(phase.sql)
    next(result.rows)
    assert eventually(lambda: is_still(server))
    asked = len(server.requests)
    session.close()
    assert eventually(lambda: not busy_threads())
    assert eventually(lambda: not open_sockets(server.port))
    assert len(server.requests) == asked


@pytest.mark.parametrize("name", READING)
def test_a_cursor_that_is_closed(name: str, server: Loopback, tmp_path: Path) -> None:
    phase = READING[name]
    phase.halt(server)
    session = open_lab(tmp_path, base_url=server.base_url)
    connection = Connection(session)
    cursor: Cursor = connection.execute(phase.sql)
    assert cursor.fetchone() is not None
    assert eventually(lambda: is_still(server))
    asked = len(server.requests)
    cursor.close()
    assert_nothing_is_left(session, server, asked)


@pytest.mark.parametrize("name", [name for name in READING if name != "nothing hangs"])
def test_ctrl_c_while_rows_are_read(name: str, server: Loopback, tmp_path: Path) -> None:
    phase = READING[name]
    phase.halt(server)
    session = open_lab(tmp_path, base_url=server.base_url)
    main = threading.main_thread().ident or 0
    asked: list[int] = []

    def press() -> None:
        assert eventually(lambda: bool(server.spoiled))
        assert eventually(lambda: is_still(server))
        asked.append(len(server.requests))
        signal.pthread_kill(main, signal.SIGINT)

    other = threading.Thread(target=press)
    other.start()
    with pytest.raises(StatementInterrupted):
        ask(session, phase.sql)
    other.join()
    assert_nothing_is_left(session, server, asked[0])


def test_rows_read_to_the_end_leave_nothing(server: Loopback, tmp_path: Path) -> None:
    with closing(open_lab(tmp_path, base_url=server.base_url)) as session:
        for phase in READING.values():
            ask(session, phase.sql)
        assert eventually(lambda: not busy_threads())
        assert open_sockets(server.port) > 0
    assert eventually(lambda: not open_sockets(server.port))
