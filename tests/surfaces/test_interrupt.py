"""Ctrl-C ends a statement, not the process."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from sqlprovider.errors import StatementInterrupted
from sqlprovider.surfaces.interrupt import interrupting
from sqlprovider.surfaces.render import open_printer
from sqlprovider.surfaces.statements import Watched
from tests.surfaces.fake_session import Answer, FakeSession, as_session


def press_ctrl_c(when: Callable[[], bool]) -> threading.Thread:
    """A thread that presses it once that holds."""

    def press() -> None:
        deadline = time.monotonic() + 5
        while not when() and time.monotonic() < deadline:
            time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    return thread


def watched(fake: FakeSession, stdout: io.StringIO) -> Watched:
    return Watched(as_session(fake), open_printer("csv", stdout), stdout=stdout, stderr=io.StringIO())


def test_ctrl_c_interrupts_the_session() -> None:
    fake = FakeSession({"slow": Answer(("a",), [(1,)], waits=True)})
    stdout = io.StringIO()
    thread = press_ctrl_c(fake.waiting.is_set)
    with pytest.raises(StatementInterrupted):
        watched(fake, stdout).run("slow", ())
    thread.join()
    assert stdout.getvalue() == "a\n1\n"


def test_the_statement_after_an_interrupted_one_is_not_run() -> None:
    fake = FakeSession({"slow": Answer(("a",), waits=True)})
    fake.interrupted.clear()
    thread = press_ctrl_c(fake.waiting.is_set)
    with pytest.raises(StatementInterrupted):
        watched(fake, io.StringIO()).run("slow; next", ())
    thread.join()
    assert [text for text, _ in fake.ran] == ["slow"]


def test_ctrl_c_while_rows_are_printed_ends_the_script() -> None:
    fake = FakeSession({"first": Answer(("a",), [(1,)])})

    class PressedWhilePrinting(io.StringIO):
        def flush(self) -> None:
            if not fake.interrupted.is_set():
                os.kill(os.getpid(), signal.SIGINT)
                fake.interrupted.wait(5)

    with pytest.raises(StatementInterrupted):
        watched(fake, PressedWhilePrinting()).run("first; next", ())
    assert [text for text, _ in fake.ran] == ["first"]


def test_the_second_ctrl_c_raises_even_if_the_session_does_not_hear_the_first() -> None:
    fake = FakeSession()
    with pytest.raises(KeyboardInterrupt), interrupting(as_session(fake)):
        os.kill(os.getpid(), signal.SIGINT)
        fake.interrupted.wait(5)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)


def test_ctrl_c_is_what_it_was_afterwards() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interrupting(as_session(FakeSession())):
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before


def test_another_thread_leaves_ctrl_c_alone() -> None:
    seen: list[object] = []

    def run() -> None:
        with interrupting(as_session(FakeSession())):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]


def test_ctrl_c_in_the_middle_of_sqlite_ends_within_half_a_second() -> None:
    endless = "WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t) SELECT count(*) FROM t"
    with subprocess.Popen(
        [sys.executable, "-m", "sqlprovider", "query", f"SELECT 'ready' AS a; {endless}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "SQLPROVIDER_CONFIG": os.devnull},
        text=True,
    ) as running:
        assert running.stdout is not None
        assert [running.stdout.readline() for _ in range(2)] == ["a\n", "ready\n"]
        time.sleep(0.2)
        pressed = time.monotonic()
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=10)
    assert time.monotonic() - pressed < 0.5
    assert (running.returncode, err) == (130, "error: StatementInterrupted: interrupted\n")
