"""The only place that sends requests: counts, sends, retries, pages, waits, and maps pages over threads.

`Executor.begin` gives one `StatementCalls` a statement. A task of the pool makes one page's exchanges and
never waits for another task or for a consumer, so any number of scans can be open at once.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace

import httpx

from sqlprovider.catalog.catalog import Catalog
from sqlprovider.config import ConnectionConfig, Settings
from sqlprovider.errors import CredentialsError, DataError, Error, InternalError, NotSupportedError, Warning
from sqlprovider.execute.address import resolve_base_url
from sqlprovider.execute.clients import Clients
from sqlprovider.execute.clock import Clock
from sqlprovider.execute.events import DryRequest, OnDryRun, OnEvent, RequestRecord
from sqlprovider.execute.exchange import Address, Call, Target, TimedStream
from sqlprovider.execute.failure import mapped_failures, operation_context
from sqlprovider.execute.items import items_at
from sqlprovider.execute.ledger import Ledger
from sqlprovider.execute.paginate import Paginator, paginator
from sqlprovider.execute.pool import DaemonPool, Tasks, interrupted
from sqlprovider.execute.request import build_poll, build_request
from sqlprovider.execute.response import Answer, Page, decode_answer, decode_page, error_of, request_id
from sqlprovider.execute.retry import Outcome, is_repeatable, outcome_of, retry_delay
from sqlprovider.execute.wait import Waiting, operation_error, operation_result, wait_until_done
from sqlprovider.plan.model import Operation
from sqlprovider.values import JSON

__all__ = ["Answer", "Executor", "Page", "StatementCalls"]

_IN_FLIGHT = 16


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
        self.pool = DaemonPool(_IN_FLIGHT)
        self._connections = {name.lower(): connection for name, connection in connections.items()}
        self._catalog = catalog
        self._environ = environ
        self._clients = Clients(transport=transport, environ=environ)
        self._statements: weakref.WeakSet[StatementCalls] = weakref.WeakSet()

    def begin(
        self, settings: Settings, *, on_event: OnEvent | None = None, on_dry_run: OnDryRun | None = None
    ) -> StatementCalls:
        """The calls of one statement."""
        calls = StatementCalls(self, settings, on_event=on_event, on_dry_run=on_dry_run)
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
        provider = self._catalog.provider(connection.name)
        service = self._catalog.service(connection.name, operation.resource.service)
        base_url = resolve_base_url(
            operation, connection, provider=provider, service=service, environ=self._environ
        )
        return Address(connection, provider, service, base_url)

    def client(self, address: Address) -> httpx.Client:
        """What sends there. Raises ConfigError or CredentialsError."""
        is_https = address.base_url[:6].lower() == "https:"
        return self._clients.client(address.connection, address.provider, is_https=is_https)


class StatementCalls:
    """The calls of one statement: they share its request limit, its records and its end."""

    def __init__(
        self, executor: Executor, settings: Settings, *, on_event: OnEvent | None, on_dry_run: OnDryRun | None
    ) -> None:
        self.warnings: list[Warning] = []
        self.limited = False
        """Whether a scan was ended before its end, by the statement's own LIMIT."""
        self.pages_used: Counter[tuple[str, str]] = Counter()
        """(resource, method) → pages that were taken; what was sent beyond them was fetched in vain."""
        self._executor = executor
        self._settings = settings
        self._on_dry_run = on_dry_run
        self._clock = executor.clock
        self._ledger = Ledger(settings, on_event)
        self._sender = _Sender(executor.clock, settings.timeout, self._ledger)
        self._open: set[Tasks] = set()
        self._cancelled = False

    @property
    def records(self) -> list[RequestRecord]:
        """What was sent, in the order in which it was answered."""
        return self._ledger.records

    def pages(self, operations: Iterable[Operation]) -> Generator[Page, None, None]:
        """The pages of the operations, in their order; as many as 16 operations are under way at once.

        `operations` is pulled from as room is made. Closing the iterator drops what is queued.
        """
        source, window = iter(operations), deque[_Listing]()
        with self._tasks() as tasks:
            room = 1
            while self._fill(window, source, tasks, room):
                listing = window[0]
                with operation_context(listing.operation):
                    fetched = listing.take(tasks)
                self.pages_used[str(listing.operation.resource), listing.operation.method.name] += 1
                if not fetched.goes_on:
                    window.popleft()
                    room = min(2 * room, _IN_FLIGHT)
                elif listing.is_eager:
                    listing.start(tasks)
                yield fetched.page
                if fetched.error is not None:
                    with operation_context(listing.operation):
                        raise fetched.error

    def call(self, operation: Operation) -> Answer:
        """One write or EXEC, waited for where it is a long-running operation. A list is read to its end."""
        with operation_context(operation):
            if self._is_dry(operation):
                return self._dry_run(operation)
            if operation.method.effect == "read" and operation.method.pages is not None:
                return _joined(list(self.pages([operation])))
            with self._tasks() as tasks:
                listing = self._listing(operation, tasks)
                page = listing.take(tasks).page
                answer = Answer(
                    page.items,
                    page.parents,
                    page.answer,
                    page.status,
                    page.request_id,
                    page.missing,
                    headers=page.headers,
                )
                if operation.method.wait and not page.missing:
                    return self._wait(listing, answer, tasks)
                return answer

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
    def _tasks(self) -> Iterator[Tasks]:
        tasks = Tasks(self._executor.pool)
        self._open.add(tasks)
        try:
            with tasks:
                if self._cancelled:
                    raise interrupted()
                yield tasks
        finally:
            self._open.discard(tasks)

    def _fill(self, window: deque[_Listing], source: Iterator[Operation], tasks: Tasks, room: int) -> bool:
        """Starts operations while there is room for them; False: there are none left.

        A statement that wants few rows has most often got them from the first operations: it starts with one
        and doubles.
        """
        while len(window) < (_IN_FLIGHT if not window or window[0].is_eager else room):
            if (operation := next(source, None)) is None:
                break
            with operation_context(operation):
                if self._is_dry(operation):
                    self._dry_run(operation)
                    continue
                window.append(self._listing(operation, tasks))
        return bool(window)

    def _listing(self, operation: Operation, tasks: Tasks) -> _Listing:
        """An operation with its first page asked for."""
        address = self._executor.address(operation)
        target = Target(self._executor.client(address), address)
        listing = _Listing(self._sender, operation, target, paginator(operation))
        listing.start(tasks)
        return listing

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
        request = build_request(operation, base_url=address.base_url, version=address.service.version)
        self._ledger.add(_record(operation, request, sequence=len(self.records) + 1, attempt=0))
        if self._on_dry_run is not None:
            body = request.content.decode()
            self._on_dry_run(DryRequest(operation.name, request.method, str(request.url), body))
        return Answer([], None, {}, None, None, sent=False)

    def _wait(self, listing: _Listing, started: Answer, tasks: Tasks) -> Answer:
        """The answer of the long-running operation that a call started."""
        operation, address = listing.operation, listing.target.address
        if (shape := address.provider.wait) is None:
            raise InternalError(f"{operation.name} waits, but {address.provider.name} does not say how")

        def ask(name: str) -> dict[str, JSON]:
            request = build_poll(
                shape.path, base_url=address.base_url, name=name, version=address.service.version
            )
            poll = Call(operation, listing.target, request, is_repeatable=True)
            return tasks.result(tasks.submit(lambda: self._sender.ask(poll, tasks.stop)))

        def pause(seconds: float) -> None:
            self._clock.pause(tasks.stop, seconds)
            if tasks.stop.is_set():
                raise interrupted()

        done = wait_until_done(started.answer, shape, Waiting(ask, pause, self._clock.monotonic))
        errors = address.provider.errors
        if (error := operation_error(done, shape, errors)) is not None:
            if operation.method.missing and error.reason == "missing":
                return replace(started, items=[], parents=None, answer={}, missing=True)
            raise error
        result = operation_result(done, shape)
        items, parents = items_at(result, operation.method)
        return replace(started, items=items, parents=parents, answer=result)


@dataclass(frozen=True, slots=True)
class _Fetched:
    """A page, and whether the list goes on; `error` is why that is not sure."""

    page: Page
    goes_on: bool
    error: Error | None = None


class _Listing:
    """One operation on its way through its pages."""

    def __init__(self, sender: _Sender, operation: Operation, target: Target, state: Paginator) -> None:
        self.operation = operation
        self.target = target
        self.is_eager = operation.page_size is None
        """Whether the page after the one in hand is fetched ahead."""
        self._sender = sender
        self._paginator = state
        self._is_first = True
        self._future: Future[_Fetched] | None = None

    def start(self, tasks: Tasks) -> None:
        """Has the next page fetched."""
        self._future = tasks.submit(lambda: self._fetch(tasks.stop))

    def take(self, tasks: Tasks) -> _Fetched:
        """The next page, once it is there."""
        if self._future is None:
            self.start(tasks)
        future, self._future = self._future, None
        assert future is not None
        return tasks.result(future)

    def _fetch(self, stop: threading.Event) -> _Fetched:
        address = self.target.address
        request = build_request(
            self.operation,
            base_url=address.base_url,
            page=self._paginator.parameters(),
            version=address.service.version,
        )
        repeatable = is_repeatable(self.operation.method)
        call = Call(self.operation, self.target, request, repeatable, is_first=self._is_first)
        page = self._sender.page(call, stop)
        self._is_first = False
        if page.missing:
            return _Fetched(page, goes_on=False)
        try:
            return _Fetched(page, self._paginator.advance(page))
        except DataError as error:
            return _Fetched(page, goes_on=False, error=error)


class _Sender:
    """Makes exchanges: counted, timed, recorded, and repeated where that is right."""

    def __init__(self, clock: Clock, timeout: float, ledger: Ledger) -> None:
        self._clock = clock
        self._timeout = timeout
        self._ledger = ledger

    def page(self, call: Call, stop: threading.Event) -> Page:
        """The page that a call is answered with."""
        sent = self._send(call, stop)
        page: Page | None = None
        try:
            page = decode_page(
                call.operation,
                sent.response_or_raise(),
                errors=call.target.errors,
                is_first=call.is_first,
                elapsed_ms=sent.ms,
                retry_after=sent.outcome.retry_after,
            )
            return page
        finally:
            self._record(call, sent, stop, rows=None if page is None else len(page.items))

    def ask(self, call: Call, stop: threading.Event) -> dict[str, JSON]:
        """The whole answer to a call."""
        sent = self._send(call, stop)
        self._record(call, sent, stop)
        response = sent.response_or_raise()
        if not response.is_success:
            raise error_of(response, call.target.errors, retry_after=sent.outcome.retry_after)
        return decode_answer(response)

    def _send(self, call: Call, stop: threading.Event) -> _Sent:
        """The last attempt; those before it are recorded here."""
        waited = 0.0
        for attempt in itertools.count(1):
            if stop.is_set():
                raise interrupted()
            sent = self._attempt(call, stop, attempt)
            delay = retry_delay(
                attempt,
                sent.outcome,
                repeatable=call.is_repeatable,
                waited=waited,
                random=self._clock.random,
            )
            if delay is None:
                break
            self._record(call, sent, stop)
            self._clock.pause(stop, delay)
            waited += delay
        return sent

    def _attempt(self, call: Call, stop: threading.Event, attempt: int) -> _Sent:
        sequence, started = self._ledger.take(), self._clock.monotonic()
        request = call.request
        request.extensions = {**request.extensions, "timeout": httpx.Timeout(self._timeout).as_dict()}
        response, failure, outcome = None, None, Outcome()
        try:
            with mapped_failures(request.url.netloc.decode("ascii")):
                response = self._exchange(call, stop, started + self._timeout)
            self._count_repeats(call, response, stop, attempt)
            outcome = outcome_of(response, call.target.errors, self._clock.now())
        except Error as error:
            failure, outcome = error, Outcome(reason=error.reason)
        ms = (self._clock.monotonic() - started) * 1000
        return _Sent(sequence, attempt, ms, outcome, response, failure)

    def _count_repeats(
        self, call: Call, response: httpx.Response, stop: threading.Event, attempt: int
    ) -> None:
        """An auth flow may send a request again, with new credentials: that is an exchange of its own."""
        for earlier in response.history:
            if earlier.request is call.request:
                sent = _Sent(self._ledger.take(), attempt, 0.0, Outcome(earlier.status_code), earlier, None)
                self._record(call, sent, stop)

    def _exchange(self, call: Call, stop: threading.Event, deadline: float) -> httpx.Response:
        response = call.target.client.send(call.request, stream=True)
        assert isinstance(response.stream, httpx.SyncByteStream)
        response.stream = TimedStream(response.stream, deadline=deadline, clock=self._clock, stop=stop)
        try:
            response.read()
        finally:
            response.close()
        return response

    def _record(self, call: Call, sent: _Sent, stop: threading.Event, rows: int | None = None) -> None:
        if isinstance(sent.failure, CredentialsError):
            return  # nothing was sent
        identity = None if sent.response is None else request_id(sent.response, call.target.errors)
        record = _record(
            call.operation,
            call.request,
            sequence=sent.sequence,
            attempt=sent.attempt,
            ms=round(sent.ms, 1),
            status=None if sent.response is None else sent.response.status_code,
            rows=rows,
            request_id=identity,
        )
        # A thread that outlives its statement must not write to a terminal that others use now.
        self._ledger.add(record, silent=stop.is_set())


@dataclass(frozen=True, slots=True)
class _Sent:
    """How one attempt ended: with a response or a failure."""

    sequence: int
    attempt: int
    ms: float
    outcome: Outcome
    response: httpx.Response | None
    failure: Error | None

    def response_or_raise(self) -> httpx.Response:
        """The response, whatever its status."""
        if self.response is None:
            raise self.failure or InternalError("an exchange ended with nothing")
        return self.response


def _record(
    operation: Operation,
    request: httpx.Request,
    *,
    sequence: int,
    attempt: int,
    ms: float = 0.0,
    status: int | None = None,
    rows: int | None = None,
    request_id: str | None = None,
) -> RequestRecord:
    return RequestRecord(
        sequence=sequence,
        connection=operation.resource.connection,
        resource=str(operation.resource),
        method=operation.method.name,
        http_method=request.method,
        url=str(request.url),
        status=status,
        attempt=attempt,
        ms=ms,
        rows=rows,
        request_id=request_id,
    )


def _joined(pages: list[Page]) -> Answer:
    """A list read by EXEC: the items of every page, the answer of the last."""
    items = [item for page in pages for item in page.items]
    nested = any(page.parents is not None for page in pages)
    parents = [enclosing for page in pages for enclosing in page.parents or ()] if nested else None
    last = pages[-1]
    return Answer(items, parents, last.answer, last.status, last.request_id, last.missing)
