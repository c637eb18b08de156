"""`python -m tests.bench.server '{"rows": 100000}'`: the pages of `store.py`, answered after a set latency.

One thread and an event loop, a protocol written by hand and bodies made beforehand: some 10,000 small
requests a second without latency, so that what is measured is the client. It alone counts the requests.
"""

from __future__ import annotations

import asyncio
import sys
from urllib.parse import parse_qs

import orjson

from tests.bench.store import Scale, Store
from tests.bench.wire import CONTROL, Request, Site, http_answer, serve, take_request


class _Exchange(asyncio.Protocol):
    """One connection."""

    _transport: asyncio.WriteTransport

    def __init__(self, site: Site, store: Store) -> None:
        self._site = site
        self._store = store
        self._buffer = bytearray()

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
            answer = self._answer(request)
            self._site.sent += len(answer)
            if self._site.latency:
                asyncio.get_running_loop().call_later(self._site.latency, self._write, answer)
            else:
                self._transport.write(answer)

    def _answer(self, request: Request) -> bytes:
        query = parse_qs(request.query) if request.query else {}
        body = self._store.answer(request.path, lambda name: query[name][0] if name in query else "")
        if body is None:
            return http_answer(404, b'{"code":"missing","message":"no such thing"}')
        return http_answer(200, body)

    def _write(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


def main() -> None:
    """Serves until stdin ends."""
    site, store = Site(), Store(Scale(**orjson.loads(sys.argv[1])))
    asyncio.run(serve(lambda: _Exchange(site, store)))


if __name__ == "__main__":
    main()
