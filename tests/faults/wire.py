"""The client's side of the wire: requests that find nobody, or somebody who hangs up at once."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx

from tests.fakes.loopback import Seen, free_port

When = Callable[[Seen], bool]


@dataclass(slots=True)
class _Diversion:
    when: When
    port: int
    left: int


class Router(httpx.BaseTransport):
    """Real sockets; a request that is to fail goes to another port of loopback, whose system fails it."""

    def __init__(self) -> None:
        self._inner = httpx.HTTPTransport()
        self._lock = threading.Lock()
        self._diversions: list[_Diversion] = []
        self._closer: _Closer | None = None
        self.diverted: list[Seen] = []
        """The requests that never came to the server."""
        self.timed_out: list[Seen] = []
        """Those that nobody answered in time: beside the fault, a busy machine is too slow."""

    def refuse(self, when: When, times: int) -> None:
        """The next requests of that kind meet a port on which nobody listens."""
        self._diversions.append(_Diversion(when, free_port(), times))

    def hang_up(self, when: When, times: int) -> None:
        """The next requests of that kind meet somebody who resets the connection as soon as it is there."""
        self._closer = _Closer()
        self._diversions.append(_Diversion(when, self._closer.port, times))

    def close(self) -> None:
        self._inner.close()
        if self._closer is not None:
            self._closer.end()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        seen = seen_of(request)
        with self._lock:
            found = next((d for d in self._diversions if d.left and d.when(seen)), None)
            if found is not None:
                found.left -= 1
                self.diverted.append(seen)
        if found is None:
            try:
                return self._inner.handle_request(request)
            except httpx.ReadTimeout:
                self.timed_out.append(seen)
                raise
        elsewhere = httpx.Request(
            request.method,
            request.url.copy_with(port=found.port),
            headers=request.headers,
            content=request.content,
            extensions=request.extensions,
        )
        return self._inner.handle_request(elsewhere)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        self.close()


def seen_of(request: httpx.Request) -> Seen:
    """A request about to be sent, as a server would see it."""
    parts = urlsplit(request.url.raw_path.decode("ascii"))
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Seen(request.method, parts.path, parts.query, headers, request.read())


class _Closer:
    """Accepts connections and resets each at once."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            # Lingering for zero seconds makes close() send RST.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

    def end(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
