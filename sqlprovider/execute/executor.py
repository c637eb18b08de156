"""The only place that sends requests: counts, sends, retries, pages, waits, and maps pages over threads.

`Executor.begin` gives one `StatementCalls` a statement. Most statements on a local database make no call:
what makes one is loaded with the first, `platforms.py` for the session and `calling.py` for the statement. A
task of the pool makes one page's exchanges and never waits for another task or for a consumer, so any number
of scans can be open at once.
"""

from __future__ import annotations

import threading
import weakref
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlprovider.errors import StatementInterrupted
from sqlprovider.execute.clock import Clock
from sqlprovider.execute.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
    from concurrent.futures import Future
    from contextlib import AbstractContextManager

    import httpx

    from sqlprovider.catalog.catalog import Catalog
    from sqlprovider.catalog.model import Resource
    from sqlprovider.config import ConnectionConfig, Settings
    from sqlprovider.errors import Warning
    from sqlprovider.execute.cache import Cache, StatementCache
    from sqlprovider.execute.calling import Calling
    from sqlprovider.execute.events import (
        OnDryRun,
        OnEvent,
        OnProgress,
        RequestRecord,
        WaitProgress,
        WriteProgress,
    )
    from sqlprovider.execute.feed import Feeds
    from sqlprovider.execute.journal import Journal
    from sqlprovider.execute.limits import Limits
    from sqlprovider.execute.operations import Operations
    from sqlprovider.execute.platforms import Platforms
    from sqlprovider.execute.pool import DaemonPool, Tasks
    from sqlprovider.execute.response import Answer, Page
    from sqlprovider.plan.model import Operation


class Executor:
    """The calls of one session's statements, and the platforms that they go to."""

    def __init__(
        self,
        connections: Mapping[str, ConnectionConfig],
        catalog: Catalog,
        *,
        transport: httpx.BaseTransport | None = None,
        environ: Mapping[str, str],
        clock: Clock | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.catalog = catalog
        self._connections = connections
        self._transport = transport
        self._environ = environ
        self._platforms: Platforms | None = None
        self._journal: Journal | None = None
        self._statements: weakref.WeakSet[StatementCalls] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._closed = False

    @property
    def platforms(self) -> Platforms:
        """What the first call of the session makes."""
        from sqlprovider.execute.platforms import Platforms  # noqa: PLC0415  who sends nothing does without it

        with self._lock:  # forked sessions share it, each in a thread of its own
            if self._platforms is None:
                self._platforms = Platforms(
                    self._connections,
                    self.catalog,
                    transport=self._transport,
                    environ=self._environ,
                    clock=self.clock,
                )
                if self._closed:
                    self._platforms.close()
            return self._platforms

    @property
    def journal(self) -> Journal:
        """The journal of writes."""
        from sqlprovider.execute.journal import Journal  # noqa: PLC0415  who writes nothing does without it

        with self._lock:
            if self._journal is None:
                self._journal = Journal(environ=self._environ, now=self.clock.now)
            return self._journal

    @property
    def pool(self) -> DaemonPool:
        """The threads that send."""
        return self.platforms.pool

    @property
    def limits(self) -> Limits:
        """What keeps the calls within the platforms' limits."""
        return self.platforms.limits

    @property
    def operations(self) -> Operations:
        """The long-running operations that calls have begun."""
        return self.platforms.operations

    @property
    def cache(self) -> Cache:
        """The pages that were kept."""
        return self.platforms.cache

    def begin(
        self,
        settings: Settings,
        *,
        on_event: OnEvent | None = None,
        on_dry_run: OnDryRun | None = None,
        on_progress: OnProgress | None = None,
        cached: bool = False,
    ) -> StatementCalls:
        """The calls of one statement. `cached`: it only reads, so it may be shown pages that were kept."""
        calls = StatementCalls(
            self,
            settings,
            on_event=on_event,
            on_dry_run=on_dry_run,
            on_progress=on_progress,
            cached=cached,
        )
        self._statements.add(calls)
        return calls

    def close(self) -> None:
        """Closes the connections and ends what uses them. Waits for nothing."""
        for calls in tuple(self._statements):
            calls.cancel()
        with self._lock:
            self._closed = True
            platforms = self._platforms
        # Not under the lock: a transport that was handed in may close what it is part of.
        if platforms is not None:
            platforms.close()


class StatementCalls:
    """The calls of one statement: they share its request limit, its records and its end."""

    def __init__(
        self,
        executor: Executor,
        settings: Settings,
        *,
        on_event: OnEvent | None,
        on_dry_run: OnDryRun | None,
        on_progress: OnProgress | None = None,
        cached: bool = False,
    ) -> None:
        self.warnings: list[Warning] = []
        self.limited = False
        """Whether a scan was ended before its end, by the statement's own LIMIT."""
        self.pages_used: Counter[tuple[str, str]] = Counter()
        """(resource, method) → pages that were taken; what was sent beyond them was fetched in vain."""
        self._executor = executor
        self._settings = settings
        self._on_dry_run = on_dry_run
        self._on_progress = on_progress
        self._cached = cached
        self._ledger = Ledger(settings, on_event)
        self._calling: Calling | None = None
        self._cancelled = False

    @property
    def records(self) -> list[RequestRecord]:
        """What was sent, in the order in which it was answered."""
        return self._ledger.records

    @property
    def cache(self) -> StatementCache:
        """The kept pages that the statement may be shown."""
        return self._made().cache

    @property
    def to_spare(self) -> int:
        """How many requests may be made on a guess."""
        return self._ledger.to_spare

    def feeds(self, keeps: Collection[str] = (), parents: Iterable[Resource] = ()) -> Feeds:
        """The operations of one SELECT, as `Feeds` says."""
        return self._made().feeds(keeps, parents)

    def pages(self, operations: Iterable[Operation]) -> Generator[Page, None, None]:
        """The pages of the operations, in their order; up to `IN_FLIGHT` operations are under way at once.

        `operations` is pulled from as room is made. Closing the iterator drops what is queued.
        """
        return self._made().pages(operations)

    def call(self, operation: Operation) -> Answer:
        """One write or EXEC, waited for where it is a long-running operation. A list is read to its end."""
        return self._made().call(operation)

    def start(
        self, operation: Operation, tasks: Tasks, *, before: Callable[[], None] | None = None
    ) -> Future[Answer]:
        """Has an operation made in the pool; `before` is called there, right before the first exchange."""
        return self._made().start(operation, tasks, before=before)

    def tasks(self) -> AbstractContextManager[Tasks]:
        """What is under way together; leaving the block ends what is not done."""
        return self._made().tasks()

    @contextmanager
    def named_when_stopped(self) -> Iterator[None]:
        """Ctrl-C in the block names the operations that go on."""
        try:
            yield
        except (StatementInterrupted, KeyboardInterrupt):
            if self._calling is None:
                raise
            with self._calling.following.named_when_stopped():
                raise

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Ctrl-C in the block ends every call of the statement."""
        try:
            with self.named_when_stopped():
                yield
        except KeyboardInterrupt:
            self.cancel()
            raise StatementInterrupted("interrupted") from None

    def tell(self, progress: WriteProgress | WaitProgress) -> None:
        """Says how far a write or a wait has come, to whoever watches."""
        if self._on_progress is not None:
            self._on_progress(progress)

    def warn(self, warning: Warning) -> None:
        """Keeps a warning; the same one is kept once."""
        if all(str(warning) != str(known) for known in self.warnings):
            self.warnings.append(warning)

    def cancel(self) -> None:
        """Ends every call now, from any thread; whoever waits for one gets StatementInterrupted."""
        self._cancelled = True
        if self._calling is not None:
            self._calling.cancel()

    def _made(self) -> Calling:
        """What makes the calls, made with the first of them."""
        from sqlprovider.execute.calling import Calling  # noqa: PLC0415  who sends nothing does without it

        if self._calling is None:
            self._calling = Calling(
                self._executor.platforms,
                self,
                self._settings,
                self._ledger,
                on_dry_run=self._on_dry_run,
                cached=self._cached,
            )
            if self._cancelled:
                self._calling.cancel()
        return self._calling
