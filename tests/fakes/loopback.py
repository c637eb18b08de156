"""A WSGI app on a free loopback port, served by threads over HTTP/1.1 with keep-alive, that can misbehave.

    with Loopback(app) as server:
        server.misbehave(Status(503, retry_after=1), nth=2)     # the second request from now
        server.misbehave(Cut(), times=3, path="/runs")          # the next three whose path holds /runs
        server.misbehave(Acted(Reset()), when=lambda seen: b"r7" in seen.body)
        httpx.get(f"{server.base_url}/runs")
        assert [seen.path for seen in server.requests] == ["/runs"]

Faults: `Status` `Html` `Cut` `Truncated` `Stall` `Delay` `Reset`. Each stands in for the app's answer, or
(`Cut`, `Truncated`, `Delay`) spoils it. `Acted` has the app carry the request out first, `Late` long after,
`Within` inside a context. Leaving the block frees what stalls and closes every connection.
"""

from __future__ import annotations

import io
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from types import TracebackType
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

WSGIApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True)
class Status:
    """An error answer, as JSON where `body` is given."""

    status: int
    retry_after: str | int | None = None
    body: object = None
    """JSON; or what makes it of the request."""


@dataclass(frozen=True)
class Html:
    """A page for people, as a proxy or a wrong address gives it."""

    status: int = 200


@dataclass(frozen=True)
class Cut:
    """Closes the connection in the middle of the app's body."""

    after: int = 10


@dataclass(frozen=True)
class Truncated:
    """Ends the app's body early and says so: whole for HTTP, no JSON."""

    keep: int = 10


@dataclass(frozen=True)
class Stall:
    """Never answers. `in_body`: sends the headers and half of the body first."""

    in_body: bool = False


@dataclass(frozen=True)
class Delay:
    """Answers late."""

    seconds: float


@dataclass(frozen=True)
class Reset:
    """Resets the connection before any answer."""


@dataclass(frozen=True)
class Acted:
    """Carries the request out and drops the app's answer for the fault's."""

    fault: Status | Html | Stall | Reset


@dataclass(frozen=True, eq=False)
class Late:
    """Carries the request out once `go` is set, when the client has long given up; never answers."""

    go: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)
    """Set when the request was carried out."""


@dataclass(frozen=True, eq=False)
class Within:
    """Carries the request out inside a context, and answers."""

    context: Callable[[], AbstractContextManager[object]]


Fault = Status | Html | Cut | Truncated | Stall | Delay | Reset | Acted | Late | Within


@dataclass(frozen=True)
class Seen:
    """One request as the server got it."""

    method: str
    path: str
    """As it was on the wire, percent-encoded, without the query."""
    query: str
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class _Planned:
    fault: Fault
    skip: int
    left: int
    when: Callable[[Seen], bool]


@dataclass
class _Faults:
    planned: list[_Planned] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def draw(self, seen: Seen) -> Fault | None:
        """The fault that a request meets."""
        with self.lock:
            for planned in self.planned:
                if not planned.left or not planned.when(seen):
                    continue
                if planned.skip:
                    planned.skip -= 1
                    continue
                planned.left -= 1
                return planned.fault
        return None


class Loopback:
    """Serves `app` inside a `with` block."""

    def __init__(self, app: WSGIApp) -> None:
        self.app = app
        self.requests: list[Seen] = []
        self.spoiled: list[tuple[Seen, Fault]] = []
        """The requests that met a fault."""
        self.connections = 0
        """How many were opened."""
        self.ended = threading.Event()
        self.faults = _Faults()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def misbehave(
        self,
        fault: Fault,
        *,
        nth: int = 1,
        times: int = 1,
        path: str = "",
        when: Callable[[Seen], bool] = lambda seen: True,
    ) -> None:
        """From the nth request to `path` on (counted from now), `times` of them get the fault.

        `when` says of such a request whether it counts.
        """
        with self.faults.lock:
            self.faults.planned.append(
                _Planned(fault, nth - 1, times, lambda seen: path in seen.path and when(seen))
            )

    def behave(self) -> None:
        """No fault that is planned is met any more."""
        with self.faults.lock:
            self.faults.planned.clear()

    def __enter__(self) -> Loopback:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Server(ThreadingMixIn, TCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, loopback: Loopback) -> None:
        self.loopback = loopback
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Exchange)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.loopback.connections += 1
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        for connection in tuple(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are what the tests are about."""


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # One write a response: otherwise Nagle's algorithm adds 40 ms to each.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._exchange
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:
        """Tests read `Loopback.requests`."""

    def _exchange(self) -> None:
        loopback = self.server.loopback
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            # One that is sent twice is seen to be, as servers give it to WSGI.
            known = headers.get(name.lower())
            headers[name.lower()] = value if known is None else f"{known},{value}"
        seen = Seen(self.command, parts.path, parts.query, headers, body)
        loopback.requests.append(seen)
        if (fault := loopback.faults.draw(seen)) is not None:
            loopback.spoiled.append((seen, fault))
        self._meet(fault, seen)

    def _meet(self, fault: Fault | None, seen: Seen) -> None:
        match fault:
            case Acted(instead):
                self._call_app(seen.body, seen.headers)
                self._meet(instead, seen)
            case Late(go, done):
                go.wait()
                self._call_app(seen.body, seen.headers)
                done.set()
                self.close_connection = True
            case Within(context):
                with context():
                    answer = self._call_app(seen.body, seen.headers)
                self._answer(*answer)
            case Reset():
                self._reset()
            case Stall(in_body=False):
                self.server.loopback.ended.wait()
                self.close_connection = True
            case Status(status, retry_after, content):
                extra = {} if retry_after is None else {"Retry-After": str(retry_after)}
                content = content(seen) if callable(content) else content
                text = b"" if content is None else json.dumps(content).encode()
                self._answer(status, {"Content-Type": "application/json", **extra}, text)
            case Html(status):
                self._answer(status, {"Content-Type": "text/html"}, b"<!doctype html><title>Hello</title>")
            case _:
                self._spoiled(fault, *self._call_app(seen.body, seen.headers))

    def _spoiled(self, fault: Fault | None, status: int, headers: dict[str, str], body: bytes) -> None:
        match fault:
            case Truncated(keep):
                self._answer(status, headers, body[:keep])
            case Cut(after):
                self._answer(status, headers, body, sent=after)
                self.close_connection = True
            case Stall():
                self._answer(status, headers, body, sent=len(body) // 2)
                self.server.loopback.ended.wait()
                self.close_connection = True
            case Delay(seconds):
                self.server.loopback.ended.wait(seconds)
                self._answer(status, headers, body)
            case _:
                self._answer(status, headers, body)

    def _answer(
        self, status: int, headers: Mapping[str, str], body: bytes, *, sent: int | None = None
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() != "content-length":
                self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if sent is None else body[:sent])
        self.wfile.flush()

    def _reset(self) -> None:
        # Lingering for zero seconds makes close() send RST.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _call_app(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
        started: dict[str, Any] = {}

        def start_response(status: str, pairs: list[tuple[str, str]], exc_info: Any = None) -> None:
            started.update(status=int(status.split()[0]), headers=dict(pairs))

        answer = self.server.loopback.app(self._environ(body, headers), start_response)
        try:
            content = b"".join(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()
        return started["status"], started["headers"], content

    def _environ(self, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        parts = urlsplit(self.path)
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(parts.path).decode("latin-1"),
            "QUERY_STRING": parts.query,
            "REQUEST_URI": self.path,
            "RAW_URI": self.path,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self.server.loopback.port),
            "SERVER_PROTOCOL": self.request_version,
            "CONTENT_TYPE": headers.get("content-type", ""),
            # As it was sent: it can be one of the headers that are signed.
            "CONTENT_LENGTH": headers.get("content-length", ""),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in headers.items():
            if name not in ("content-type", "content-length"):
                environ["HTTP_" + name.upper().replace("-", "_")] = value
        return environ
