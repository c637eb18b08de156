"""Access tokens: fetched by the flow itself, kept, and shared by every thread that asks.

`TokenAuth` yields the requests for a token as it yields the API's, so that one client sends both; what is
yielded for a token carries nothing of the API's request. Where tokens come from is a `TokenSource`'s affair.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from sqlprovider.errors import AuthError, CredentialsError, Error

Asking = Generator[httpx.Request, httpx.Response, "Token"]
"""Yields requests, takes their answers, returns a token."""

UNAUTHORIZED = 401

_EARLY = 225.0
"""Seconds before its end at which a token is replaced: the metadata server gives a new one at 240."""
_NO_TIMEOUT = 30.0
_AT_LEAST = 0.01
"""Seconds: with none at all, a socket would not wait but fail."""
_LONGEST_ANSWER = 1 << 20


@dataclass(frozen=True, slots=True)
class Token:
    """An access token. `until` is when it should be replaced, in seconds since 1970; None: nobody said."""

    value: str = field(repr=False)
    until: float | None = None

    @classmethod
    def lasting(cls, value: str, seconds: float | None, *, now: float) -> Token:
        """A token that ends after so many seconds; a short-lived one is replaced halfway."""
        return cls(value, None if seconds is None else now + seconds - min(_EARLY, seconds / 2))


class TokenSource(Protocol):
    """Where tokens come from."""

    @property
    def hosts_unproxied(self) -> tuple[str, ...]:
        """Hosts that no proxy can reach for us, as they stand in a URL."""

    @property
    def is_https(self) -> bool:
        """Whether its requests need the certificates of this machine."""

    def principal(self) -> str | None:
        """What tells whose tokens it gives from any others, secrets included; None: it cannot say."""

    def ask(self, now: float) -> Asking:
        """The exchange that gives a token. Raises AuthError, CredentialsError."""

    def unreachable(self, request: httpx.Request, why: str, *, reason: str) -> Error:
        """What it means that one of its requests was not answered."""


class TokenAuth(httpx.Auth):
    """Sends `Authorization: Bearer …`, with a token that is fetched when there is none that lasts.

    Threads that need a token at once wait for the first one's, and fail with it. A 401 to a token that was
    kept means one new token and one more try. `headers` go with every request.
    """

    # `requires_response_body` stays off: httpx would read the API's own answer without a deadline.

    def __init__(
        self,
        source: TokenSource,
        *,
        headers: Mapping[str, str] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.source = source
        self._headers = headers or {}
        self._now = now
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._failures = 0
        self._failure: Error | None = None

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Yields what asks for a token where that is needed, then the request itself."""
        wait = _Wait(request)
        kept = self._kept(refused=None)
        token = kept or (yield from self._fetch(wait, refused=None))
        response = yield self._signed(request, token)
        if response.status_code != UNAUTHORIZED or kept is None:
            return
        wait.read(response)
        token = self._kept(refused=kept) or (yield from self._fetch(wait, refused=kept))
        yield self._signed(request, token)

    def principal(self) -> str | None:
        """What tells who asks from anybody else, secrets included; None: only the tokens would say."""
        who = self.source.principal()
        return None if who is None else repr((who, sorted(self._headers.items())))

    def unreachable(self, request: httpx.Request, why: str, *, reason: str) -> Error:
        """What it means that a request for a token was not answered; `reason` is how it ended."""
        return self.source.unreachable(request, why, reason=reason)

    def _signed(self, request: httpx.Request, token: Token) -> httpx.Request:
        request.headers.update({**self._headers, "Authorization": f"Bearer {token.value}"})
        return request

    def _kept(self, *, refused: Token | None) -> Token | None:
        """The token in hand, if it lasts and is not the one just refused."""
        token = self._token
        if token is None or token is refused:
            return None
        return token if token.until is None or self._now() < token.until else None

    def _fetch(self, wait: _Wait, *, refused: Token | None) -> Asking:
        """A new token, or the one that another thread has fetched meanwhile, or that one's failure."""
        failures = self._failures
        if not self._lock.acquire(timeout=wait.left()):
            raise AuthError("no access token in time: another request waits for it", reason="timed_out")
        try:
            if (token := self._kept(refused=refused)) is not None:
                return token
            if self._failures != failures and self._failure is not None:
                raise _again(self._failure)
            self._token = yield from self._ask(wait)
            return self._token
        finally:
            self._lock.release()

    def _ask(self, wait: _Wait) -> Asking:
        asking = self.source.ask(self._now())
        request = next(asking)
        try:
            while True:
                request.extensions = wait.extensions(request)
                response = yield request
                try:
                    wait.read(response)
                except httpx.HTTPError as error:
                    raise self.unreachable(request, str(error), reason="timed_out") from None
                request = asking.send(response)
        except StopIteration as done:
            token: Token = done.value
            return token
        except GeneratorExit:
            # httpx drops the flow where a request is not answered: who waits must hear of it.
            reason = "not_sent" if wait.left() else "timed_out"
            self._fail(self.unreachable(request, "no answer", reason=reason))
            raise
        except Error as error:
            self._fail(error)
            raise

    def _fail(self, error: Error) -> None:
        # A copy: the error itself is about to be told where it happened.
        self._failure = _again(error)
        self._failures += 1


class _Wait:
    """How long one request may take with everything it needs: its own time-out."""

    def __init__(self, request: httpx.Request) -> None:
        self._timeout = _timeout(request) or httpx.Timeout(_NO_TIMEOUT).as_dict()
        self._end = time.monotonic() + (self._timeout.get("read") or _NO_TIMEOUT)

    def extensions(self, request: httpx.Request) -> dict[str, Any]:
        """Those of a request for a token: its time-outs are what is left, or its own if shorter."""
        own = _timeout(request)
        shorter = {
            key: max(_AT_LEAST, min(filter(None, (seconds, own.get(key), self.left())), default=_AT_LEAST))
            for key, seconds in self._timeout.items()
        }
        return {**request.extensions, "timeout": shorter}

    def left(self) -> float:
        """Seconds."""
        return max(0.0, self._end - time.monotonic())

    def read(self, response: httpx.Response) -> None:
        """Reads an answer to its end. Raises httpx.ReadTimeout where that takes too long, or never ends."""
        if isinstance(response.stream, httpx.SyncByteStream) and not response.is_stream_consumed:
            response.stream = _Bounded(response.stream, self, response.request)
        response.read()


class _Bounded(httpx.SyncByteStream):
    """A body that must end in time: httpx's read time-out is one for each piece."""

    def __init__(self, stream: httpx.SyncByteStream, wait: _Wait, request: httpx.Request) -> None:
        self._stream = stream
        self._wait = wait
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for piece in self._stream:
            size += len(piece)
            if not self._wait.left() or size > _LONGEST_ANSWER:
                raise httpx.ReadTimeout("the answer has no end", request=self._request)
            yield piece

    def close(self) -> None:
        self._stream.close()


def _timeout(request: httpx.Request) -> dict[str, float | None]:
    return dict(request.extensions.get("timeout") or {})


def _again(error: Error) -> Error:
    """The same failure for another thread: an exception that two threads raise grows two tracebacks."""
    if isinstance(error, AuthError):
        return AuthError(error.message, status=error.status, code=error.code, reason=error.reason)
    return CredentialsError(error.message, reason=error.reason, hint=error.hint)
