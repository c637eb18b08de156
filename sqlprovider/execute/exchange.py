"""One HTTP exchange: what goes into it, how it ended, and the deadline it has as a whole."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx

from sqlprovider.catalog.model import ErrorShape, Provider, Service
from sqlprovider.config import ConnectionConfig
from sqlprovider.execute.clients import Client
from sqlprovider.execute.clock import Clock
from sqlprovider.execute.pool import interrupted
from sqlprovider.plan.model import Operation


@dataclass(frozen=True, slots=True)
class Address:
    """Where an operation goes."""

    connection: ConnectionConfig
    provider: Provider
    service: Service
    base_url: str


@dataclass(frozen=True, slots=True)
class Target:
    """Everything an operation needs of its connection, resolved before its first request."""

    client: Client
    address: Address

    @property
    def errors(self) -> ErrorShape:
        """How the API says what went wrong."""
        return self.address.provider.errors


@dataclass(frozen=True, slots=True)
class Call:
    """One request of an operation, sent until it is answered or given up."""

    operation: Operation
    target: Target
    request: httpx.Request
    is_repeatable: bool
    is_first: bool = True
    before: Callable[[], None] | None = None
    """Called when the first attempt has its turn, right before it is sent."""


class TimedStream(httpx.SyncByteStream):
    """A response's body, which must end before the deadline and stops when nobody wants it.

    httpx's read timeout is one for each piece: a server that drips would be read for ever.
    """

    def __init__(
        self, stream: httpx.SyncByteStream, *, deadline: float, clock: Clock, stop: threading.Event
    ) -> None:
        self._stream = stream
        self._deadline = deadline
        self._clock = clock
        self._stop = stop

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._stream:
            if self._stop.is_set():
                raise interrupted()
            if self._clock.monotonic() > self._deadline:
                raise httpx.ReadTimeout("the answer took too long")
            yield piece

    def close(self) -> None:
        """Gives the connection back, or closes it if the body was not read to its end."""
        self._stream.close()
