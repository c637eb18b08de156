"""Exchanges: each counted, timed, recorded, and repeated where that is right."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import httpx

from sqlprovider.catalog.quota import Quota
from sqlprovider.errors import ConfigError, CredentialsError, Error, InternalError
from sqlprovider.execute.clock import Clock
from sqlprovider.execute.events import RequestRecord
from sqlprovider.execute.exchange import Call, TimedStream
from sqlprovider.execute.failure import mapped_failures
from sqlprovider.execute.ledger import Ledger
from sqlprovider.execute.limits import Gate, Limits
from sqlprovider.execute.pool import interrupted
from sqlprovider.execute.response import Page, decode_answer, decode_page, error_of, request_id
from sqlprovider.execute.retry import Outcome, is_unsent, outcome_of, retry_delay
from sqlprovider.plan.model import Operation
from sqlprovider.values import JSON

if TYPE_CHECKING:
    from sqlprovider.execute.cache import StatementCache
    from sqlprovider.execute.cache_call import Asked


class Sender:
    """Makes exchanges: counted, timed, recorded, and repeated where that is right."""

    def __init__(
        self,
        clock: Clock,
        timeout: float,
        ledger: Ledger,
        limits: Limits,
        cache: StatementCache | None = None,
    ) -> None:
        self._clock = clock
        self._timeout = timeout
        self._each_step = httpx.Timeout(timeout).as_dict()
        self._ledger = ledger
        self._limits = limits
        self._cache = cache

    def page(self, call: Call, stop: threading.Event) -> Page:
        """The page that a call is answered with; one that the cache has is no exchange and in no record."""
        asked = None if self._cache is None else self._cache.ask(call)
        if asked is None:
            return self._page(call, stop, None)
        if asked.page is not None:
            return asked.page
        try:
            return self._page(call, stop, asked)
        except Error as error:
            if (page := asked.instead_of(error)) is None:
                raise
            return page
        finally:
            asked.end()

    def _page(self, call: Call, stop: threading.Event, asked: Asked | None) -> Page:
        sent = self._send(call, stop)
        page: Page | None = None
        try:
            response = sent.response_or_raise()
            if asked is not None:
                response = asked.answered(response)
            decoded = decode_page(
                call.operation,
                response,
                errors=call.target.errors,
                is_first=call.is_first,
                elapsed_ms=sent.ms,
                retry_after=sent.outcome.retry_after,
            )
            page = replace(decoded, repeated=True) if sent.repeated else decoded
            if asked is not None:
                asked.keep(response, page)
            return page
        except Error as error:
            error.repeated = sent.repeated
            raise
        finally:
            self._record(call, sent, stop, rows=None if page is None else len(page.items))

    def ask(self, call: Call, stop: threading.Event) -> dict[str, JSON]:
        """The whole answer to a call that asks for a long-running operation."""
        sent = self._send(call, stop, polls=True)
        self._record(call, sent, stop)
        response = sent.response_or_raise()
        if not response.is_success:
            raise error_of(response, call.target.errors, retry_after=sent.outcome.retry_after)
        if self._cache is not None:
            # What a write began has gone on meanwhile: pages that were asked for since then are old.
            self._cache.ask(call)
        return decode_answer(response)

    def _send(self, call: Call, stop: threading.Event, *, polls: bool = False) -> _Sent:
        """The last attempt; those before it are recorded here."""
        gate = self._gate(call, polls=polls)
        waited, lost = 0.0, False
        for attempt in itertools.count(1):
            if stop.is_set():
                raise interrupted()
            sent = self._in_turn(gate, call, stop, attempt)
            if lost:
                sent = replace(sent, repeated=True)
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
            lost = lost or not is_unsent(sent.outcome)
        return sent

    def _gate(self, call: Call, *, polls: bool) -> Gate:
        """Where the call waits for its turn. A poll is a read, whatever started the operation."""
        service = call.target.address.service
        quota = service.quota if polls else call.operation.method.quota
        return self._limits.gate(call.operation.resource.connection, quota or Quota(service.name))

    def _in_turn(self, gate: Gate, call: Call, stop: threading.Event, attempt: int) -> _Sent:
        """One attempt. It is counted and timed from its turn on."""
        turn, outcome = gate.enter(stop), Outcome()
        try:
            sent = self._attempt(call, stop, attempt)
            outcome = sent.outcome
        finally:
            gate.leave(turn, outcome)
        return sent

    def _attempt(self, call: Call, stop: threading.Event, attempt: int) -> _Sent:
        sequence = self._ledger.take()
        if attempt == 1 and call.before is not None:
            call.before()
        started = self._clock.monotonic()
        request = call.request
        request.extensions = {**request.extensions, "timeout": self._each_step}
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
        response = call.target.client.send(call.request)
        assert isinstance(response.stream, httpx.SyncByteStream)
        response.stream = TimedStream(response.stream, deadline=deadline, clock=self._clock, stop=stop)
        try:
            response.read()
        finally:
            response.close()
        return response

    def _record(self, call: Call, sent: _Sent, stop: threading.Event, rows: int | None = None) -> None:
        if isinstance(sent.failure, CredentialsError | ConfigError):
            return  # nothing was sent
        identity = None if sent.response is None else request_id(sent.response, call.target.errors)
        record = record_of(
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
    repeated: bool = False
    """The answer to an earlier attempt was lost."""

    def response_or_raise(self) -> httpx.Response:
        """The response, whatever its status."""
        if self.response is None:
            raise self.failure or InternalError("an exchange ended with nothing")
        return self.response


def record_of(
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
    """The record of one exchange."""
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
