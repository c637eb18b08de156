"""The only place that sends requests: counts, sends, retries, pages, waits, and maps pages over threads.

`Executor.begin` gives one `StatementCalls` a statement. A task of the pool makes one page's exchanges and
never waits for another task or for a consumer, so any number of scans can be open at once.
"""

from __future__ import annotations

import threading
import weakref
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

import httpx

from sqlprovider.catalog.catalog import Catalog
from sqlprovider.config import ConnectionConfig, Settings
from sqlprovider.errors import InternalError, NotSupportedError, StatementInterrupted, Warning
from sqlprovider.execute.address import resolve_base_url
from sqlprovider.execute.cache import Cache
from sqlprovider.execute.clients import Client, Clients
from sqlprovider.execute.clock import Clock
from sqlprovider.execute.events import (
    DryRequest,
    OnDryRun,
    OnEvent,
    OnProgress,
    RequestRecord,
    WaitProgress,
    WriteProgress,
)
from sqlprovider.execute.exchange import Address, Call, Target
from sqlprovider.execute.failure import operation_context
from sqlprovider.execute.feed import IN_FLIGHT, Feed, Feeds, Pages
from sqlprovider.execute.items import items_at
from sqlprovider.execute.ledger import Ledger
from sqlprovider.execute.limits import Limits
from sqlprovider.execute.listing import Listing
from sqlprovider.execute.operations import Following, Operations
from sqlprovider.execute.paginate import paginator
from sqlprovider.execute.pool import DaemonPool, Tasks, interrupted
from sqlprovider.execute.request import build_poll, build_request
from sqlprovider.execute.response import Answer, Page
from sqlprovider.execute.sender import Sender, record_of
from sqlprovider.execute.shelf import Shelf
from sqlprovider.execute.wait import Waiting, operation_result
from sqlprovider.plan.model import Operation, without_secrets
from sqlprovider.values import JSON

__all__ = ["Answer", "Executor", "Page", "StatementCalls"]


class Executor:
    """The connections of one session: their clients, and the threads that use them."""

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
        self.pool = DaemonPool(IN_FLIGHT)
        self.limits = Limits(self.clock, self.pool.aside)
        self._connections = {name.lower(): connection for name, connection in connections.items()}
        self.catalog = catalog
        self._environ = environ
        self._clients = Clients(transport=transport, environ=environ)
        self.operations = Operations(self.clock.now)
        self.cache = Cache(connections, catalog, environ=environ, now=self.clock.now)
        self._statements: weakref.WeakSet[StatementCalls] = weakref.WeakSet()

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
        self.pool.close()
        self._clients.close()

    def address(self, operation: Operation) -> Address:
        """Where an operation goes. Raises ConfigError where nothing says so."""
        connection = self._connections[operation.resource.connection.lower()]
        provider = self.catalog.provider(connection.name)
        service = self.catalog.service(connection.name, operation.resource.service)
        base_url = resolve_base_url(
            operation, connection, provider=provider, service=service, environ=self._environ
        )
        return Address(connection, provider, service, base_url)

    def client(self, address: Address) -> Client:
        """What sends there. Raises ConfigError or CredentialsError."""
        return self._clients.client(address.connection, address.provider)


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
        self._clock = executor.clock
        self._ledger = Ledger(settings, on_event)
        self.cache = executor.cache.statement(settings, shows=cached, warn=self.warn)
        self._sender = Sender(executor.clock, settings.timeout, self._ledger, executor.limits, self.cache)
        self._following = Following(executor.operations, executor.catalog)
        self._open: set[Tasks] = set()
        self._cancelled = False

    @property
    def records(self) -> list[RequestRecord]:
        """What was sent, in the order in which it was answered."""
        return self._ledger.records

    def feeds(self, keeps: Collection[str] = ()) -> Feeds:
        """The operations of one SELECT; `keeps`: the resources that it reads more than once."""
        return Feeds(self._feed, self._use, keeps=keeps)

    def pages(self, operations: Iterable[Operation]) -> Generator[Page, None, None]:
        """The pages of the operations, in their order; as many as 16 operations are under way at once.

        `operations` is pulled from as room is made. Closing the iterator drops what is queued.
        """
        feeds = self.feeds()
        try:
            pages = Pages(feeds, operations)
            for page, feed, place in pages:
                feeds.use(feed, place)
                pages.go_on()
                yield page
        except (KeyboardInterrupt, StatementInterrupted):
            self.cancel()
            raise
        finally:
            feeds.close()

    def call(self, operation: Operation) -> Answer:
        """One write or EXEC, waited for where it is a long-running operation. A list is read to its end."""
        if operation.method.effect == "read" and operation.method.pages is not None:
            return _joined(list(self.pages([operation])))
        with self.named_when_stopped(), self.tasks() as tasks:
            return tasks.result(self.start(operation, tasks))

    def named_when_stopped(self) -> AbstractContextManager[None]:
        """Ctrl-C in the block names the operations that go on."""
        return self._following.named_when_stopped()

    def start(
        self, operation: Operation, tasks: Tasks, *, before: Callable[[], None] | None = None
    ) -> Future[Answer]:
        """Has an operation made in the pool; `before` is called there, right before the first exchange."""
        with operation_context(operation):
            if self._is_dry(operation):
                dry: Future[Answer] = Future()
                dry.set_result(self._dry_run(operation))
                return dry
            listing = self._listing(operation)
            fetch = listing.fetcher()

        def perform() -> Answer:
            with operation_context(operation):
                if before is not None:
                    before()
                page = fetch(tasks.stop)
                answer = _answer_of(page)
                if operation.method.wait and not page.missing:
                    return self._wait(listing, answer, tasks.stop)
                return answer

        return tasks.submit(perform)

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
        for tasks in tuple(self._open):
            tasks.interrupt()

    @contextmanager
    def tasks(self) -> Iterator[Tasks]:
        """What is under way together; leaving the block ends what is not done."""
        tasks = Tasks(self._executor.pool)
        self._open.add(tasks)
        try:
            with tasks:
                if self._cancelled:
                    raise interrupted()
                yield tasks
        finally:
            self._open.discard(tasks)

    def _feed(self, operation: Operation, shelf: Shelf | None) -> Feed | None:
        """The feed of an operation, its first page asked for; None for one that is only shown."""
        with operation_context(operation):
            if self._is_dry(operation):
                self._dry_run(operation)
                return None
            listing = self._listing(operation)
        if self._cancelled:
            raise interrupted()
        tasks = Tasks(self._executor.pool)
        self._open.add(tasks)
        return Feed(listing, tasks, shelf, done=self._open.discard)

    def _use(self, operation: Operation) -> None:
        self.pages_used[str(operation.resource), operation.method.name] += 1

    def _listing(self, operation: Operation) -> Listing:
        """An operation, its connection resolved."""
        address = self._executor.address(operation)
        target = Target(self._executor.client(address), address)
        return Listing(self._sender, operation, target, paginator(operation))

    def _is_dry(self, operation: Operation) -> bool:
        """Whether it is only shown. Raises NotSupportedError where it must not be made at all."""
        if operation.method.effect == "read":
            return False
        if self._settings.read_only:
            raise NotSupportedError(
                f"{operation.method.name} writes, and the session is read-only", reason="read_only"
            )
        return self._settings.dry_run

    def _dry_run(self, operation: Operation) -> Answer:
        address = self._executor.address(operation)
        shown = without_secrets(operation)
        request = build_request(shown, base_url=address.base_url, version=address.service.version)
        self._ledger.add(record_of(operation, request, sequence=len(self.records) + 1, attempt=0))
        if self._on_dry_run is not None:
            body = request.content.decode()
            self._on_dry_run(DryRequest(operation.name, request.method, str(request.url), body))
        return Answer([], None, {}, None, None, sent=False)

    def _wait(self, listing: Listing, started: Answer, stop: threading.Event) -> Answer:
        """What the long-running operation that a call started gave, or its name where nobody waits for it."""
        operation, address = listing.operation, listing.target.address
        if (shape := address.provider.wait) is None:
            raise InternalError(f"{operation.name} waits, but {address.provider.name} does not say how")

        def ask(name: str) -> dict[str, JSON]:
            request = build_poll(
                shape.path, base_url=address.base_url, name=name, version=address.service.version
            )
            poll = Call(operation, listing.target, request, is_repeatable=True)
            return self._sender.ask(poll, stop)

        def pause(seconds: float) -> None:
            self._clock.pause(stop, seconds)
            if stop.is_set():
                raise interrupted()

        waiting = Waiting(ask, pause, self._clock.monotonic, limit=self._settings.wait, tell=self.tell)
        errors = address.provider.errors
        ended = self._following.follow(operation, started.answer, shape, waiting, errors=errors)
        if ended.state == "running":
            return replace(started, items=[], parents=None, operation=ended.name)
        if ended.error is not None:
            if operation.method.missing and ended.error.reason == "missing":
                return replace(started, items=[], parents=None, answer={}, missing=True)
            raise ended.error
        done = ended.answer
        result = operation_result(done, shape)
        items, parents = items_at(result, operation.method)
        return replace(started, items=items, parents=parents, answer=result)


def _answer_of(page: Page) -> Answer:
    return Answer(
        page.items,
        page.parents,
        page.answer,
        page.status,
        page.request_id,
        page.missing,
        headers=page.headers,
        repeated=page.repeated,
    )


def _joined(pages: list[Page]) -> Answer:
    """A list read by EXEC: the items of every page, the answer of the last."""
    items = [item for page in pages for item in page.items]
    nested = any(page.parents is not None for page in pages)
    parents = [enclosing for page in pages for enclosing in page.parents or ()] if nested else None
    last = pages[-1]
    return Answer(items, parents, last.answer, last.status, last.request_id, last.missing)
