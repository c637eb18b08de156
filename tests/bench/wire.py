"""HTTP/1.1 in as few lines as the bench's servers need: requests read and counted, answers written."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import orjson

CONTROL = "/-/"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Request:
    """One request: its line, and all of its bytes."""

    method: str
    path: str
    query: str
    raw: bytes


@dataclass(slots=True)
class Site:
    """What a server counts, and how late it answers. The paths below CONTROL are its own and not counted."""

    latency: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    """Bytes of answers."""

    def control(self, request: Request) -> bytes:
        """`/-/counts`, `/-/sent`, and `/-/latency?seconds=0.02`."""
        if request.path == "/-/sent":
            return http_answer(200, b"%d" % self.sent)
        if request.path == "/-/latency":
            self.latency = float(parse_qs(request.query)["seconds"][0])
        return http_answer(200, orjson.dumps(self.counts))


def take_request(buffer: bytearray) -> Request | None:
    """The first whole request of the buffer, taken out of it."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    length = _LENGTH.search(buffer, 0, end)
    size = end + 4 + (int(length[1]) if length else 0)
    if len(buffer) < size:
        return None
    raw = bytes(buffer[:size])
    del buffer[:size]
    method, target, _ = raw[: raw.index(b"\r\n")].decode("ascii").split(" ")
    path, _, query = target.partition("?")
    return Request(method, path, query, raw)


def http_answer(status: int, body: bytes) -> bytes:
    """A whole answer of JSON."""
    head = b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % (status, b"OK" if status == 200 else b"Not Found", len(body)) + body


async def serve(protocol: Callable[[], asyncio.Protocol]) -> None:
    """Serves on a free port, which is printed, until stdin ends: no server outlives who started it."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    await server.serve_forever()


def _exit_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)
