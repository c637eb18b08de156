"""A bounded pool of daemon threads, and the tasks of one caller in it.

`concurrent.futures.ThreadPoolExecutor` joins its threads when the interpreter ends: a hanging request would
hold up Ctrl-C. Its `Future` is used all the same.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, InvalidStateError
from types import TracebackType
from typing import Any, TypeVar

from sqlprovider.errors import StatementInterrupted

T = TypeVar("T")

_IDLE_SECONDS = 10.0


class _Worker:
    """A thread's place in the pool; given up while its task hangs, it ends after that task."""

    abandoned = False


class DaemonPool:
    """At most `size` threads, made when there is work and ended when there is none."""

    def __init__(self, size: int = 16) -> None:
        self.size = size
        self._changed = threading.Condition()
        # A queue of tasks of any type: each future and its task agree, which the type system cannot say here.
        self._queue: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._running: dict[Future[Any], _Worker] = {}
        self._threads = 0
        self._idle = 0
        self._closed = False

    def submit(self, task: Callable[[], T]) -> Future[T]:
        """Has a thread run the task."""
        future: Future[T] = Future()
        with self._changed:
            if self._closed:
                raise StatementInterrupted("the connection is closed", reason="closed")
            self._queue.append((future, task))
            self._grow()
            self._changed.notify()
        return future

    def abandon(self, future: Future[Any], error: BaseException) -> None:
        """Gives a running task up: its future fails now, and another thread takes its thread's place."""
        with self._changed:
            worker = self._running.pop(future, None)
            if worker is not None:
                worker.abandoned = True
                self._threads -= 1
                self._grow()
        _settle(future, lambda: future.set_exception(error))

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """While the block waits for its turn, another thread may take this one's place."""
        with self._changed:
            self._threads -= 1
            self._grow()
        try:
            yield
        finally:
            with self._changed:
                self._threads += 1

    def close(self) -> None:
        """Cancels what is queued; threads end after their task. Waits for nothing."""
        with self._changed:
            self._closed = True
            waiting, self._queue = self._queue, deque()
            self._changed.notify_all()
        for future, _ in waiting:
            future.cancel()

    def _grow(self) -> None:
        if len(self._queue) > self._idle and self._threads < self.size:
            self._threads += 1
            threading.Thread(target=self._work, args=(_Worker(),), name="sqlprovider", daemon=True).start()

    def _work(self, worker: _Worker) -> None:
        while (taken := self._take(worker)) is not None:
            future, task = taken
            _run(future, task)
            with self._changed:
                self._running.pop(future, None)
                if worker.abandoned:
                    return
            # A thread at rest must not keep the last page alive.
            del taken, future, task

    def _take(self, worker: _Worker) -> tuple[Future[Any], Callable[[], Any]] | None:
        with self._changed:
            while True:
                while self._queue:
                    future, task = self._queue.popleft()
                    if future.set_running_or_notify_cancel():
                        self._running[future] = worker
                        return future, task
                self._idle += 1
                woken = not self._closed and self._changed.wait(_IDLE_SECONDS)
                self._idle -= 1
                if not woken and not self._queue:
                    self._threads -= 1
                    return None


def _run(future: Future[Any], task: Callable[[], Any]) -> None:
    try:
        result = task()
    except BaseException as error:  # the waiting thread raises it
        failure = error
        _settle(future, lambda: future.set_exception(failure))
    else:
        _settle(future, lambda: future.set_result(result))


def _settle(future: Future[Any], settle: Callable[[], None]) -> None:
    # An abandoned task may end all the same; the first outcome stands.
    with contextlib.suppress(InvalidStateError):
        settle()


class Tasks:
    """The tasks of one scan or call. Leaving the block cancels those queued and stops those that wait."""

    def __init__(self, pool: DaemonPool) -> None:
        self._pool = pool
        self._futures: set[Future[Any]] = set()
        self.stop = threading.Event()
        """Set when nobody wants the results any more."""

    def __enter__(self) -> Tasks:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and issubclass(kind, KeyboardInterrupt | StatementInterrupted):
            self.interrupt()
            return
        self.drop()

    def drop(self) -> None:
        """Cancels what is queued; what runs ends without anybody waiting for it."""
        self.stop.set()
        for future in tuple(self._futures):
            future.cancel()

    def submit(self, task: Callable[[], T]) -> Future[T]:
        """Starts a task."""
        if self.stop.is_set():
            raise interrupted()
        future = self._pool.submit(task)
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)
        return future

    def result(self, future: Future[T]) -> T:
        """Waits for a task. A KeyboardInterrupt ends the wait at once."""
        try:
            return future.result()
        except CancelledError:
            raise interrupted() from None

    def interrupt(self) -> None:
        """Fails every task now, whoever waits for it and however long its request hangs."""
        self.stop.set()
        for future in tuple(self._futures):
            if not future.cancel():
                self._pool.abandon(future, interrupted())


def interrupted() -> StatementInterrupted:
    """What a statement that was stopped ends with."""
    return StatementInterrupted("the statement was interrupted")
