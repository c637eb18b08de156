"""Threads that each have a session of their own: what runs concurrently, runs here."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import closing
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:
    from sqlprovider.session import Session

_Given = TypeVar("_Given")
_MAX_WORKERS = 8
_Task = Callable[["Session | BaseException"], None]
"""Takes the worker's session, or why it has none."""


class Workers:
    """At most eight threads, started as they are needed; each forks the session for itself."""

    def __init__(self, session: Session, *, count: int = _MAX_WORKERS) -> None:
        self._session = session
        self._count = count
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._forks: list[Session] = []
        self._idle = 0
        self._lock = threading.Lock()

    def submit(self, work: Callable[[Session], _Given]) -> Future[_Given]:
        """The future of a piece of work; it is run with a worker's own session."""
        future: Future[_Given] = Future()

        def task(session: Session | BaseException) -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                if isinstance(session, BaseException):
                    raise session
                future.set_result(work(session))
            except BaseException as error:
                future.set_exception(error)

        self._tasks.put(task)
        with self._lock:
            if self._idle > 0:
                self._idle -= 1
            elif len(self._threads) < self._count:
                self._start()
        return future

    def map(self, works: Iterable[Callable[[Session], _Given]]) -> list[_Given]:
        """The results in the order of the works; the first error is raised when all have ended."""
        futures = [self.submit(work) for work in works]
        for future in futures:
            future.exception()
        return [future.result() for future in futures]

    def interrupt(self) -> None:
        """Stops the statements that are running."""
        with self._lock:
            forks = tuple(self._forks)
        for fork in forks:
            fork.interrupt()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.interrupt()
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            thread.join()

    def _start(self) -> None:
        thread = threading.Thread(target=self._work, name=f"sqlprovider-deploy-{len(self._threads)}")
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        # SQLite's connection is opened, used and closed in one thread.
        try:
            fork = self._session.fork()
        except BaseException as error:
            while (task := self._tasks.get()) is not None:
                task(error)
            return
        with self._lock:
            self._forks.append(fork)
        with closing(fork):
            while (task := self._tasks.get()) is not None:
                task(fork)
                with self._lock:
                    self._idle += 1
            with self._lock:
                self._forks.remove(fork)
