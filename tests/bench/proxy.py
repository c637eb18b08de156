"""`python -m tests.bench.proxy HOST:PORT`: stands before a real server, delays each request, and counts them.

Requests are read whole and passed on as they came; what comes back is passed back as it comes.
"""

from __future__ import annotations

import asyncio
import sys

from tests.bench.wire import CONTROL, Request, Site, serve, take_request


class _Client(asyncio.Protocol):
    """The connection of a client, with one of its own to the server."""

    _transport: asyncio.WriteTransport

    def __init__(self, site: Site, host: str, port: int) -> None:
        self._site = site
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._server = self._loop.create_task(
            self._loop.create_connection(lambda: _Server(self._transport), host, port)
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (request := take_request(self._buffer)) is not None:
            if request.path.startswith(CONTROL):
                self._transport.write(self._site.control(request))
                continue
            self._site.counts[request.path] += 1
            self._loop.call_later(self._site.latency, self._pass_on, request)

    def connection_lost(self, error: Exception | None) -> None:
        self._server.add_done_callback(lambda done: done.result()[0].close())

    def _pass_on(self, request: Request) -> None:
        self._server.add_done_callback(lambda done: done.result()[0].write(request.raw))


class _Server(asyncio.Protocol):
    """The connection to the server."""

    def __init__(self, client: asyncio.WriteTransport) -> None:
        self._client = client

    def data_received(self, data: bytes) -> None:
        if not self._client.is_closing():
            self._client.write(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._client.close()


def main() -> None:
    """Serves until stdin ends."""
    host, _, port = sys.argv[1].partition(":")
    site = Site()
    asyncio.run(serve(lambda: _Client(site, host, int(port))))


if __name__ == "__main__":
    main()
