"""Ctrl-C, and its like from another thread, while requests hang or wait."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sqlprovider.config import Settings
from sqlprovider.errors import StatementInterrupted
from sqlprovider.execute.clock import Clock
from sqlprovider.execute.executor import Executor, StatementCalls
from tests.execute.build import list_app, list_method, make_executor, make_operation, names, write_method
from tests.fakes.loopback import Fault, Loopback, Stall, Status

ITEMS = [{"name": f"r{n}"} for n in range(25)]
SOON = Clock(random=lambda: 0.0)
"""Retries at once."""


@contextmanager
def serving(
    *faults: Fault, nth: int = 1, times: int = 1, size: int = 10
) -> Iterator[tuple[Loopback, Executor]]:
    with Loopback(list_app(ITEMS, size)) as server:
        for fault in faults:
            server.misbehave(fault, nth=nth, times=times)
        executor = make_executor(base_url=server.base_url, clock=SOON)
        yield server, executor
        executor.close()


def read(calls: StatementCalls, *experiments: str) -> list[Any]:
    operations = [make_operation(list_method(), experiment=name) for name in experiments or ("e",)]
    return [name for page in calls.pages(operations) for name in names(page.items)]


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    """Every module that a request needs is there: one that is just being imported can swallow a Ctrl-C."""
    with serving(Status(429, retry_after=0)) as (_, executor):
        assert len(read(executor.begin(Settings()))) == len(ITEMS)


@contextmanager
def ctrl_c_after(seconds: float) -> Iterator[None]:
    """Sends this process what the terminal sends; the block must end by it, and soon."""
    main, began = threading.main_thread().ident or 0, time.monotonic()
    timer = threading.Timer(seconds, lambda: signal.pthread_kill(main, signal.SIGINT))
    timer.start()
    with pytest.raises((KeyboardInterrupt, StatementInterrupted)):
        yield
    assert time.monotonic() - began < seconds + 0.5


def test_ctrl_c_ends_a_scan_whose_requests_hang() -> None:
    with serving(Stall(), times=99) as (_, executor):
        calls = executor.begin(Settings())
        with ctrl_c_after(0.1):
            read(calls, *map(str, range(40)))


def test_ctrl_c_ends_a_scan_that_waits_to_repeat() -> None:
    with serving(Status(429, retry_after=20), times=99) as (_, executor), ctrl_c_after(0.1):
        read(executor.begin(Settings()), *map(str, range(40)))


def test_ctrl_c_ends_a_write_that_hangs() -> None:
    with serving(Stall(), times=99) as (_, executor), ctrl_c_after(0.1):
        executor.begin(Settings()).call(make_operation(write_method()))


def test_ctrl_c_ends_the_wait_for_a_long_running_operation() -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [])
        return [b'{"name": "operations/1"}']

    with Loopback(app) as server:
        executor = make_executor(base_url=server.base_url)
        with ctrl_c_after(0.8):
            executor.begin(Settings()).call(make_operation(write_method(wait=True)))
        executor.close()


def test_after_ctrl_c_the_next_statement_has_every_thread() -> None:
    with serving(Stall(), times=16) as (server, executor):
        with ctrl_c_after(0.1):
            read(executor.begin(Settings()), *map(str, range(16)))
        server.behave()  # on a slow machine not all of the 16 have arrived
        began = time.monotonic()
        assert len(read(executor.begin(Settings()), "e")) == 25
        assert time.monotonic() - began < 0.5


def test_cancel_from_another_thread_interrupts_whoever_waits() -> None:
    with serving(Stall(), times=99) as (_, executor):
        calls = executor.begin(Settings())
        threading.Timer(0.05, calls.cancel).start()
        began = time.monotonic()
        with pytest.raises(StatementInterrupted):
            read(calls)
        assert time.monotonic() - began < 0.5
        with pytest.raises(StatementInterrupted):
            read(calls)


def test_closing_the_executor_ends_what_uses_it() -> None:
    with serving(Stall(), times=99) as (_, executor):
        threading.Timer(0.05, executor.close).start()
        with pytest.raises(StatementInterrupted):
            read(executor.begin(Settings()))


def test_an_interrupted_statement_tells_its_listener_nothing_more() -> None:
    events: list[object] = []
    with serving(Stall(), times=99) as (server, executor):
        with ctrl_c_after(0.1):
            read(executor.begin(Settings(), on_event=events.append))
        server.ended.set()
        time.sleep(0.05)
    assert events == []


def test_hanging_threads_do_not_keep_the_interpreter_alive() -> None:
    with Loopback(list_app(ITEMS, 10)) as server:
        server.misbehave(Stall(), times=99)
        code = f"""
import os, signal, threading
from tests.execute.build import make_executor, make_operation, list_method
from sqlprovider.config import Settings
threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    list(make_executor(base_url={server.base_url!r}).begin(Settings()).pages([make_operation(list_method())]))
except KeyboardInterrupt:
    print("interrupted")
"""
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=10, check=True
        )
    assert (done.stdout, done.stderr) == ("interrupted\n", "")
