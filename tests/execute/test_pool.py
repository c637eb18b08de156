from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from sqlprovider.errors import StatementInterrupted
from sqlprovider.execute.pool import DaemonPool, Tasks


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a hanging task waits for; opened at the end, so that no thread is left behind."""
    event = threading.Event()
    yield event
    event.set()


def hang(started: threading.Event, gate: threading.Event) -> None:
    started.set()
    gate.wait(5)


def wait_until(happened: threading.Event) -> None:
    assert happened.wait(5)


def test_a_task_gives_its_result() -> None:
    assert DaemonPool().submit(lambda: 7).result(5) == 7


def test_a_task_gives_its_exception() -> None:
    with pytest.raises(ZeroDivisionError):
        DaemonPool().submit(lambda: 1 // 0).result(5)


def test_threads_are_daemons_and_made_when_needed() -> None:
    pool = DaemonPool()
    before = threading.active_count()
    assert pool.submit(lambda: threading.current_thread().daemon).result(5)
    assert threading.active_count() <= before + 1


def test_an_idle_thread_is_used_again() -> None:
    pool = DaemonPool()
    first = pool.submit(threading.get_ident).result(5)
    time.sleep(0.02)
    assert pool.submit(threading.get_ident).result(5) == first


def test_no_more_tasks_run_at_once_than_there_are_threads(gate: threading.Event) -> None:
    pool, started = DaemonPool(2), threading.Semaphore(0)

    def count_and_hang() -> None:
        started.release()
        gate.wait(5)

    futures = [pool.submit(count_and_hang) for _ in range(5)]
    assert started.acquire(timeout=5) and started.acquire(timeout=5)
    assert not started.acquire(timeout=0.05)
    gate.set()
    for future in futures:
        future.result(5)


def test_an_abandoned_task_frees_its_place(gate: threading.Event) -> None:
    pool, started = DaemonPool(1), threading.Event()
    hanging = pool.submit(lambda: hang(started, gate))
    queued = pool.submit(lambda: "next")
    wait_until(started)
    pool.abandon(hanging, StatementInterrupted("stop"))
    with pytest.raises(StatementInterrupted):
        hanging.result(0)
    assert queued.result(5) == "next"


def test_an_abandoned_thread_ends_after_its_task() -> None:
    pool, started, gate = DaemonPool(1), threading.Event(), threading.Event()
    threads: list[threading.Thread] = []

    def note_and_hang() -> None:
        threads.append(threading.current_thread())
        hang(started, gate)

    hanging = pool.submit(note_and_hang)
    wait_until(started)
    pool.abandon(hanging, StatementInterrupted("stop"))
    gate.set()
    threads[0].join(5)
    assert not threads[0].is_alive()
    assert pool.submit(lambda: "on").result(5) == "on"


def test_closing_cancels_what_is_queued_and_waits_for_nothing(gate: threading.Event) -> None:
    pool, started = DaemonPool(1), threading.Event()
    pool.submit(lambda: hang(started, gate))
    queued = pool.submit(lambda: 1)
    wait_until(started)
    pool.close()
    assert queued.cancelled()
    with pytest.raises(StatementInterrupted, match="closed"):
        pool.submit(lambda: 1)


def test_threads_at_rest_end_when_the_pool_closes() -> None:
    pool = DaemonPool()
    thread = pool.submit(threading.current_thread).result(5)
    pool.close()
    thread.join(5)
    assert not thread.is_alive()


def test_leaving_the_block_cancels_queued_tasks_and_sets_stop(gate: threading.Event) -> None:
    pool = DaemonPool(1)
    with Tasks(pool) as tasks:
        running, queued = tasks.submit(lambda: gate.wait(5)), tasks.submit(lambda: 1)
        while not running.running():
            time.sleep(0.001)
    assert tasks.stop.is_set()
    assert queued.cancelled()
    assert not running.done()


def test_an_interrupt_fails_running_tasks_at_once(gate: threading.Event) -> None:
    pool = DaemonPool(1)
    with pytest.raises(KeyboardInterrupt), Tasks(pool) as tasks:
        running = tasks.submit(lambda: gate.wait(5))
        while not running.running():
            time.sleep(0.001)
        raise KeyboardInterrupt
    assert isinstance(running.exception(0), StatementInterrupted)


def test_whoever_waits_for_an_interrupted_task_is_interrupted(gate: threading.Event) -> None:
    tasks = Tasks(DaemonPool(1))
    running, queued = tasks.submit(lambda: gate.wait(5)), tasks.submit(lambda: True)
    threading.Timer(0.02, tasks.interrupt).start()
    for future in (running, queued):
        with pytest.raises(StatementInterrupted):
            tasks.result(future)


def test_nothing_starts_after_an_interrupt() -> None:
    tasks = Tasks(DaemonPool(1))
    tasks.interrupt()
    with pytest.raises(StatementInterrupted):
        tasks.submit(lambda: 1)
