"""Ctrl-C at whatever a statement is waiting for: exit code 130 at once, one line, nothing half printed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.fakes.loopback import Loopback, Stall, Status
from tests.fakes.vertex import vertex_app, vertex_large, vertex_small

pytestmark = pytest.mark.slow

KEYS = "projectsId = 'p' AND locationsId = 'l' AND tensorboardsId = 't' AND experimentsId = 'e1'"
RUNS = f"SELECT name FROM google.aiplatform.runs WHERE {KEYS}"
DELETE = f"DELETE FROM google.aiplatform.runs WHERE {KEYS} AND runsId = 'r01'"
ENDLESS = "WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t) SELECT max(x) FROM t"
SAID = "error: StatementInterrupted: "
LONGEST = 0.5
"""Seconds from the signal to the end of the process."""


@contextmanager
def started(sql: str, base_url: str, *flags: str) -> Iterator[subprocess.Popen[str]]:
    """The command as a user runs it, in a process of its own."""
    settings = ("auth.type=none", f"base_url={base_url}")
    argv = [word for setting in settings for word in ("--set", f"google.{setting}")]
    with subprocess.Popen(
        [sys.executable, "-m", "sqlprovider", "query", *argv, *flags, sql],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "SQLPROVIDER_CONFIG": os.devnull},
        text=True,
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def interrupt(running: subprocess.Popen[str], *, when: Callable[[], bool] = lambda: True) -> str:
    """Presses Ctrl-C once that holds; what the process says on stderr, once it has ended soon and well."""
    deadline = time.monotonic() + 10
    while not when():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(0.2)
    assert running.poll() is None
    pressed = time.monotonic()
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=10)
    assert time.monotonic() - pressed < LONGEST
    assert (running.returncode, out) == (130, "")
    return err


def assert_one_line(err: str) -> None:
    assert err.startswith(SAID)
    assert err.count("\n") == 1


@pytest.mark.parametrize("output", ["json", "csv", "table"])
def test_a_request_that_hangs(output: str) -> None:
    with Loopback(vertex_app(vertex_small())) as server:
        server.misbehave(Stall(), times=99)
        with started(RUNS, server.base_url, "-o", output) as running:
            assert_one_line(interrupt(running, when=lambda: len(server.requests) == 1))


def test_an_answer_that_stops_in_the_middle() -> None:
    with Loopback(vertex_app(vertex_small())) as server:
        server.misbehave(Stall(in_body=True), times=99)
        with started(RUNS, server.base_url) as running:
            assert_one_line(interrupt(running, when=lambda: len(server.requests) == 1))


def test_many_requests_that_hang_at_once() -> None:
    sql = "SELECT count(*) FROM google.aiplatform.runs WHERE projectsId = 'p' AND locationsId = 'l'"
    with Loopback(vertex_app(vertex_small())) as server:
        server.misbehave(Stall(), times=99, path="/runs")
        with started(sql, server.base_url) as running:
            assert_one_line(interrupt(running, when=lambda: len(server.requests) >= 4))


def test_a_later_page_that_hangs_prints_no_partial_json() -> None:
    with Loopback(vertex_app(vertex_small())) as server:
        server.misbehave(Stall(), nth=2, times=99)
        with started(f"{RUNS} AND pageSize = 5", server.base_url, "-o", "json") as running:
            assert_one_line(interrupt(running, when=lambda: len(server.requests) == 2))


def test_a_wait_before_the_next_try() -> None:
    with Loopback(vertex_app(vertex_small())) as server:
        server.misbehave(Status(429, retry_after=50), times=99)
        with started(RUNS, server.base_url) as running:
            assert_one_line(interrupt(running, when=lambda: len(server.requests) == 1))


def test_a_write_that_hangs_is_named() -> None:
    with Loopback(vertex_app(vertex_small())) as server:
        server.misbehave(Stall(), times=99)
        with started(DELETE, server.base_url) as running:
            err = interrupt(running, when=lambda: len(server.requests) == 1)
    assert_one_line(err)
    assert "DELETE" in err


def test_a_long_running_operation() -> None:
    state = vertex_small()
    state.polls = 1000
    with Loopback(vertex_app(state)) as server, started(DELETE, server.base_url) as running:
        said, hint = interrupt(running, when=lambda: len(server.requests) >= 2).splitlines()
    assert said.startswith(SAID)
    assert "goes on at the backend" in said
    assert hint.startswith("hint: SELECT name, done, error FROM google.aiplatform.")


def test_what_sqlite_computes_alone() -> None:
    with started(ENDLESS, "http://127.0.0.1:9") as running:
        time.sleep(1)
        assert_one_line(interrupt(running))


def test_what_sqlite_computes_over_rows_of_an_api() -> None:
    sql = f"{ENDLESS}, ({RUNS})"
    with Loopback(vertex_app(vertex_small())) as server, started(sql, server.base_url) as running:
        assert_one_line(interrupt(running, when=lambda: len(server.requests) >= 1))


def test_the_statement_after_an_interrupted_one_is_not_run() -> None:
    with Loopback(vertex_app(vertex_small())) as server:
        server.misbehave(Stall(), times=1)
        with started(f"{RUNS}; {DELETE}", server.base_url) as running:
            assert_one_line(interrupt(running, when=lambda: len(server.requests) == 1))
        assert [request.method for request in server.requests] == ["GET"]


# ---- a reader that goes away


@pytest.mark.parametrize("output", ["csv", "json", "jsonl", "markdown", "table"])
def test_a_closed_stdout_ends_quietly(output: str) -> None:
    sql = f"{RUNS} AND pageSize = 100"
    server = Loopback(vertex_app(vertex_large(2500)))
    with server, started(sql, server.base_url, "-o", output) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.read(1)
        running.stdout.close()
        err = running.stderr.read()
        assert (running.wait(10), err) == (0, "")
