"""The executor over real sockets: what only a connection can do wrong."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sqlprovider.config import Settings
from sqlprovider.errors import BackendError, DataError, TransportError
from sqlprovider.execute.clock import Clock
from sqlprovider.execute.executor import Executor, StatementCalls
from sqlprovider.execute.failure import CONNECTION_LOST, NOT_SENT, TIMED_OUT
from tests.execute.build import list_app, list_method, make_executor, make_operation, names, write_method
from tests.fakes.loopback import Cut, Fault, Html, Loopback, Reset, Stall, Status, Truncated, free_port

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


def test_one_connection_serves_all_pages_of_a_list() -> None:
    with serving() as (server, executor):
        assert len(read(executor.begin(Settings()))) == 25
        assert (len(server.requests), server.connections) == (3, 1)


@pytest.mark.parametrize(
    "fault", [Cut(), Reset(), Status(503), Status(429), Status(500), Status(429, retry_after=0)], ids=str
)
def test_a_passing_fault_on_a_later_page_loses_no_row(fault: Fault) -> None:
    with serving(fault, nth=2, times=2) as (server, executor):
        assert len(read(executor.begin(Settings()))) == 25
        assert len(server.requests) == 5


def test_a_stall_is_timed_out_and_repeated() -> None:
    with serving(Stall(), nth=2) as (_, executor):
        assert len(read(executor.begin(Settings(timeout=0.5)))) == 25


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [
        pytest.param(Cut(), TransportError, CONNECTION_LOST, id="cut"),
        pytest.param(Reset(), TransportError, CONNECTION_LOST, id="reset"),
        pytest.param(Stall(), TransportError, TIMED_OUT, id="stall"),
        pytest.param(Stall(in_body=True), TransportError, TIMED_OUT, id="stall in the body"),
        pytest.param(Html(), DataError, "not_json", id="HTML"),
        pytest.param(Truncated(), DataError, "cut", id="truncated"),
        pytest.param(Status(500), BackendError, "backend", id="500"),
    ],
)
def test_a_lasting_fault_fails_the_list(fault: Fault, kind: type[Exception], reason: str) -> None:
    with serving(fault, nth=2, times=99) as (_, executor), pytest.raises(kind) as caught:
        # A slow machine must not take an answer's own time for a stall.
        read(executor.begin(Settings(timeout=0.5 if isinstance(fault, Stall) else 5)))
    assert vars(caught.value)["reason"] == reason


def test_a_dead_port_is_found_soon() -> None:
    executor, began = make_executor(base_url=f"http://127.0.0.1:{free_port()}"), time.monotonic()
    calls = executor.begin(Settings())
    with pytest.raises(
        TransportError, match=r"c\.s\.runs\.list: no connection to 127\.0\.0\.1:\d+: "
    ) as caught:
        read(calls)
    assert caught.value.reason == NOT_SENT
    assert time.monotonic() - began < 2
    assert len(calls.records) == 3
    executor.close()


@pytest.mark.parametrize("fault", [Cut(), Reset(), Status(503)], ids=str)
def test_a_write_that_may_have_acted_is_sent_once(fault: Fault) -> None:
    with serving(fault) as (server, executor):
        with pytest.raises((TransportError, BackendError)):
            executor.begin(Settings()).call(make_operation(write_method(), name="n"))
        assert len(server.requests) == 1


def test_an_answer_that_drips_ends_at_the_timeout() -> None:
    with Dripping() as port:
        executor, began = make_executor(base_url=f"http://127.0.0.1:{port}", clock=SOON), time.monotonic()
        with pytest.raises(TransportError) as caught:
            read(executor.begin(Settings(timeout=0.2)))
        assert caught.value.reason == TIMED_OUT
        assert time.monotonic() - began < 2
        executor.close()


class Dripping:
    """A server that sends one byte at a time, each well within the read timeout, and never ends."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> int:
        threading.Thread(target=self._serve, daemon=True).start()
        return int(self._listener.getsockname()[1])

    def __exit__(self, *details: object) -> None:
        self._ended.set()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._drip, args=(connection,), daemon=True).start()

    def _drip(self, connection: Any) -> None:
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not self._ended.wait(0.02):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return


@pytest.mark.parametrize("is_sound", [True, False])
def test_a_compressed_answer_is_read_or_refused(is_sound: bool) -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [("Content-Encoding", "gzip")])
        body = json.dumps({"runs": ITEMS}).encode()
        return [gzip.compress(body) if is_sound else body]

    with Loopback(app) as server:
        executor = make_executor(base_url=server.base_url, clock=SOON)
        if is_sound:
            assert len(read(executor.begin(Settings()))) == 25
        else:
            with pytest.raises(DataError, match="decompressed"):
                read(executor.begin(Settings()))
        executor.close()
