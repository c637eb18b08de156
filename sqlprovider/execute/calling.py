"""How the calls of one statement are made: sent, retried, paged, waited for, or only shown (`dry_run`)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlprovider.config import Settings
from sqlprovider.errors import InternalError, NotSupportedError, StatementInterrupted
from sqlprovider.execute.events import DryRequest, OnDryRun
from sqlprovider.execute.exchange import Call, Target
from sqlprovider.execute.failure import operation_context
from sqlprovider.execute.feed import Feed, Feeds, Pages
from sqlprovider.execute.items import items_at
from sqlprovider.execute.ledger import Ledger
from sqlprovider.execute.listing import Listing
from sqlprovider.execute.operations import Following
from sqlprovider.execute.paginate import paginator
from sqlprovider.execute.platforms import Platforms
from sqlprovider.execute.pool import Tasks, interrupted
from sqlprovider.execute.request import build_poll, build_request
from sqlprovider.execute.response import Answer, Page
from sqlprovider.execute.sender import Sender, record_of
from sqlprovider.execute.shelf import Shelf
from sqlprovider.execute.wait import Waiting, operation_result
from sqlprovider.plan.model import Operation, without_secrets
from sqlprovider.values import JSON

if TYPE_CHECKING:
    from sqlprovider.catalog.model import Resource
    from sqlprovider.execute.executor import StatementCalls


class Calling:
    """Makes the calls of one statement."""

    def __init__(
        self,
        platforms: Platforms,
        calls: StatementCalls,
        settings: Settings,
        ledger: Ledger,
        *,
        on_dry_run: OnDryRun | None,
        cached: bool,
    ) -> None:
        self.cache = platforms.cache.statement(settings, shows=cached, warn=calls.warn)
        self.following = Following(platforms.operations, platforms.catalog)
        self._platforms = platforms
        self._calls = calls
        self._settings = settings
        self._ledger = ledger
        self._on_dry_run = on_dry_run
        self._sender = Sender(platforms.clock, settings.timeout, ledger, platforms.limits, self.cache)
        self._open: set[Tasks] = set()
        self._cancelled = False

    def cancel(self) -> None:
        """Ends every call now, from any thread; whoever waits for one gets StatementInterrupted."""
        self._cancelled = True
        for tasks in tuple(self._open):
            tasks.interrupt()

    def feeds(self, keeps: Collection[str] = (), parents: Iterable[Resource] = ()) -> Feeds:
        """The operations of one SELECT, as `Feeds` says."""
        return Feeds(self._feed, self._use, keeps=keeps, parents=parents)

    def pages(self, operations: Iterable[Operation]) -> Generator[Page, None, None]:
        """The pages of the operations, in their order; up to `IN_FLIGHT` operations are under way at once.

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
            self._calls.cancel()
            raise
        finally:
            feeds.close()

    def call(self, operation: Operation) -> Answer:
        """One write or EXEC, waited for where it is a long-running operation. A list is read to its end."""
        if operation.method.effect == "read" and operation.method.pages is not None:
            return _joined(list(self.pages([operation])))
        with self.following.named_when_stopped(), self.tasks() as tasks:
            return tasks.result(self.start(operation, tasks))

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
            fetch = listing.fetcher(before=before)

        def perform() -> Answer:
            with operation_context(operation):
                page = fetch(tasks.stop)
                answer = _answer_of(page)
                if operation.method.wait and not page.missing:
                    return self._wait(listing, answer, tasks.stop)
                return answer

        return tasks.submit(perform)

    @contextmanager
    def tasks(self) -> Iterator[Tasks]:
        """What is under way together; leaving the block ends what is not done."""
        tasks = Tasks(self._platforms.pool)
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
        tasks = Tasks(self._platforms.pool)
        self._open.add(tasks)
        return Feed(listing, tasks, shelf, done=self._open.discard)

    def _use(self, operation: Operation) -> None:
        self._calls.pages_used[str(operation.resource), operation.method.name] += 1

    def _listing(self, operation: Operation) -> Listing:
        """An operation, its connection resolved."""
        address = self._platforms.address(operation)
        target = Target(self._platforms.client(address), address)
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
        address = self._platforms.address(operation)
        shown = without_secrets(operation)
        request = build_request(shown, base_url=address.base_url, version=address.service.version)
        self._ledger.add(record_of(operation, request, sequence=len(self._ledger.records) + 1, attempt=0))
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
            self._platforms.clock.pause(stop, seconds)
            if stop.is_set():
                raise interrupted()

        waiting = Waiting(
            ask, pause, self._platforms.clock.monotonic, limit=self._settings.wait, tell=self._calls.tell
        )
        errors = address.provider.errors
        ended = self.following.follow(operation, started.answer, shape, waiting, errors=errors)
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
