"""HTTP/1.1 over sockets that are kept open: `httpx.BaseTransport` on the standard library's `http.client`.

A request goes out as httpx built it: its method, its `raw_path`, its headers in their order, and nothing
else. Nothing is repeated, redirected, decompressed. Errors are httpx's, as `failure.py` expects them. What
goes through a proxy goes through httpx's own transport.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from email.errors import (
    FirstHeaderLineIsContinuationDefect,
    MisplacedEnvelopeHeaderDefect,
    MissingHeaderBodySeparatorDefect,
)
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection

import httpx

from sqlprovider.errors import ConfigError
from sqlprovider.execute.proxies import Proxies

KEPT = 64
"""Idle sockets of one origin."""
IDLE_SECONDS = 4.0
"""How long a socket stays idle before it is given up: many servers close theirs after 5 s."""

_PIECE = 65536
_LARGEST_PIECE = 1 << 20
_NO_TIMEOUT = {"connect": 30.0, "read": 30.0, "write": 30.0}
_NOT_HEADERS = (
    FirstHeaderLineIsContinuationDefect,
    MisplacedEnvelopeHeaderDefect,
    MissingHeaderBodySeparatorDefect,
)

Phase = tuple[tuple[type[Exception], type[httpx.TransportError]], ...]
"""What an exception means at one time of an exchange; the first that fits."""
CONNECTING: Phase = (
    (TimeoutError, httpx.ConnectTimeout),
    (OSError, httpx.ConnectError),
    (ValueError, httpx.ConnectError),
)
SENDING: Phase = (
    (TimeoutError, httpx.WriteTimeout),
    (OSError, httpx.WriteError),
    (HTTPException, httpx.LocalProtocolError),
    (ValueError, httpx.LocalProtocolError),
)
READING: Phase = (
    (TimeoutError, httpx.ReadTimeout),
    (HTTPException, httpx.RemoteProtocolError),
    (OSError, httpx.ReadError),
    (ValueError, httpx.RemoteProtocolError),
)
FAILURES = (OSError, HTTPException, ValueError)
"""What sockets, TLS and `http.client` raise."""


def as_httpx(error: Exception, phase: Phase) -> httpx.TransportError:
    """httpx's exception for one of a socket, of TLS or of `http.client`."""
    kind = next(meant for found, meant in phase if isinstance(error, found))
    # What cannot be sent is quoted by its error, and can be a secret.
    return kind("it cannot be sent" if kind is httpx.LocalProtocolError else str(error))


class Certificates:
    """What TLS trusts: as httpx, SSL_CERT_FILE and SSL_CERT_DIR first. Loading them takes 20 ms and more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None

    def context(self) -> ssl.SSLContext:
        """Made when it is first asked for."""
        with self._lock:
            if self._context is None:
                context = httpx.create_ssl_context()
                context.set_alpn_protocols(["http/1.1"])
                self._context = context
            return self._context


class Transport(httpx.BaseTransport):
    """Every origin's sockets, for as long as it is open. `direct` are hosts that go through no proxy."""

    def __init__(self, certificates: Certificates, *, direct: Iterable[str] = ()) -> None:
        self._certificates = certificates
        self._proxies = Proxies(direct)
        self._origins: dict[tuple[bytes, bytes, int | None], httpx.BaseTransport] = {}
        self._lock = threading.Lock()
        self._closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, its body unread. Raises httpx.TransportError; ConfigError for a proxy of no use."""
        url = request.url
        key = url.raw_scheme, url.raw_host, url.port
        if self._closed:
            raise httpx.ConnectError("the connection is closed")
        origin = self._origins.get(key)
        if origin is None:
            with self._lock:
                if (origin := self._origins.get(key)) is None:
                    origin = self._origins[key] = self._origin(url)
        return origin.handle_request(request)

    def close(self) -> None:
        """Closes every socket; what is under way fails."""
        with self._lock:
            self._closed = True
            origins = list(self._origins.values())
        for origin in origins:
            origin.close()

    def _origin(self, url: httpx.URL) -> httpx.BaseTransport:
        if url.scheme not in ("http", "https") or not url.host:
            raise httpx.UnsupportedProtocol("only http:// and https:// with a host can be asked")
        if (proxy := self._proxies.of(url)) is not None:
            return self._through(proxy, is_https=url.scheme == "https")
        return Origin(url, self._certificates)

    def _through(self, proxy: str, *, is_https: bool) -> httpx.BaseTransport:
        # The empty context trusts nobody: it fails closed, should it ever meet TLS.
        trusted = self._certificates.context() if is_https else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=KEPT)
        try:
            return httpx.HTTPTransport(verify=trusted, limits=limits, proxy=httpx.Proxy(proxy))
        except ImportError:
            raise ConfigError(
                "the environment names a SOCKS proxy", reason="wrong_proxy", hint="pip install 'httpx[socks]'"
            ) from None
        except (ValueError, httpx.InvalidURL):
            raise ConfigError(
                "the environment names a proxy that is no http, https or socks5 URL", reason="wrong_proxy"
            ) from None


class Origin(httpx.BaseTransport):
    """One scheme, host and port: its sockets, used again in turn."""

    def __init__(self, url: httpx.URL, certificates: Certificates) -> None:
        self._is_https = url.scheme == "https"
        self._host = url.raw_host.decode("ascii")
        self._port = url.port or (443 if self._is_https else 80)
        self._certificates = certificates
        self._idle: deque[tuple[HTTPConnection, float]] = deque()
        # Of those under way; http.client forgets a socket before its last answer is read.
        self._busy: dict[HTTPConnection, socket.socket] = {}
        self._closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, its body unread. Raises httpx.TransportError."""
        timeout = request.extensions.get("timeout") or _NO_TIMEOUT
        connection = self._kept() or self._opened(timeout)
        try:
            is_sound = _send(connection, request, timeout)
            answer = _answer(connection, timeout)
        except BaseException:
            self._drop(connection)
            raise
        return httpx.Response(
            answer.status,
            headers=[(name.encode("latin-1"), _unfolded(value)) for name, value in answer.getheaders()],
            stream=_Body(self, connection, answer, is_sound=is_sound),
            extensions={"http_version": b"HTTP/1.1" if answer.version == 11 else b"HTTP/1.0"},
        )

    def close(self) -> None:
        """Closes what is idle; reading from what is under way fails."""
        self._closed = True
        while self._idle:
            self._drop(self._idle.pop()[0])
        for busy in list(self._busy.values()):
            try:
                # Closing would not wake the thread that reads. Not TLS's own: it would let plain bytes pass.
                socket.socket.shutdown(busy, socket.SHUT_RDWR)
            except OSError:
                continue

    def release(self, connection: HTTPConnection, *, is_sound: bool) -> None:
        """Takes a socket back; one whose answer was not read to its end is closed."""
        if not is_sound or connection.sock is None or self._closed or len(self._idle) >= KEPT:
            self._drop(connection)
            return
        now = time.monotonic()
        self._busy.pop(connection, None)
        self._idle.append((connection, now))
        if now - self._idle[0][1] > IDLE_SECONDS:
            self._drop(self._idle.popleft()[0])
        if self._closed:  # meanwhile
            self.close()

    def _kept(self) -> HTTPConnection | None:
        """The socket that was used last, if the server has not closed it."""
        while self._idle:
            try:
                connection, since = self._idle.pop()
            except IndexError:  # another thread was quicker
                break
            self._busy[connection] = connection.sock
            if time.monotonic() - since < IDLE_SECONDS and not _has_ended(connection.sock):
                return connection
            self._drop(connection)
        return None

    def _opened(self, timeout: Mapping[str, float | None]) -> HTTPConnection:
        connect = timeout.get("connect")
        if self._is_https:
            context = self._certificates.context()
            connection: HTTPConnection = HTTPSConnection(
                self._host, self._port, timeout=connect, context=context
            )
        else:
            connection = HTTPConnection(self._host, self._port, timeout=connect)
        try:
            connection.connect()
        except FAILURES as error:
            connection.close()
            raise as_httpx(error, CONNECTING) from error
        self._busy[connection] = connection.sock
        if self._closed:
            self._drop(connection)
            raise httpx.ConnectError("the connection is closed")
        return connection

    def _drop(self, connection: HTTPConnection) -> None:
        connection.close()
        self._busy.pop(connection, None)


class _Body(httpx.SyncByteStream):
    """An answer's body, in pieces as they come, still compressed if it was."""

    def __init__(
        self, origin: Origin, connection: HTTPConnection, answer: HTTPResponse, *, is_sound: bool
    ) -> None:
        self._origin = origin
        self._connection = connection
        self._answer = answer
        self._is_sound = is_sound
        self._is_read = False
        self._is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        answer = self._answer
        while True:
            try:
                # What is known to come is taken at once, if it is there.
                piece = answer.read1(min(max(_PIECE, answer.length or 0), _LARGEST_PIECE))
            except FAILURES as error:
                raise as_httpx(error, READING) from error
            if piece:
                yield piece
            if not piece or answer.length == 0:
                break
        if answer.length:
            raise httpx.RemoteProtocolError("the answer was cut off")
        self._is_read = True

    def close(self) -> None:
        """Gives the socket back, or closes it if the body was not read to its end."""
        if not self._is_closed:
            self._is_closed = True
            self._answer.close()
            self._origin.release(self._connection, is_sound=self._is_sound and self._is_read)


def _send(connection: HTTPConnection, request: httpx.Request, timeout: Mapping[str, float | None]) -> bool:
    """Whether all of it was taken."""
    url = request.url
    try:
        _wait(connection, timeout.get("write"))
        connection.putrequest(
            request.method, url.raw_path.decode("ascii"), skip_host=True, skip_accept_encoding=True
        )
        for name, value in request.headers.raw:
            connection.putheader(name, value)
        connection.endheaders(request.read(), encode_chunked="transfer-encoding" in request.headers)
    except OSError as error:
        if isinstance(error, TimeoutError):
            raise as_httpx(error, SENDING) from error
        # The server can have answered before it closed: too large, or no such method.
        return False
    except (HTTPException, ValueError) as error:
        raise as_httpx(error, SENDING) from None
    return True


def _answer(connection: HTTPConnection, timeout: Mapping[str, float | None]) -> HTTPResponse:
    """The status and the headers."""
    try:
        _wait(connection, timeout.get("read"))
        answer = connection.getresponse()
    except FAILURES as error:
        raise as_httpx(error, READING) from error
    if (wrong := _malformed(answer)) is not None:
        answer.close()
        raise httpx.RemoteProtocolError(wrong)
    return answer


def _malformed(answer: HTTPResponse) -> str | None:
    """What `http.client` lets pass, and would read wrongly."""
    headers = answer.headers
    if answer.status < 200:
        return "an interim answer"
    if headers.defects and any(isinstance(defect, _NOT_HEADERS) for defect in headers.defects):
        return "a header that is none"
    if answer.chunked:
        return None
    if "transfer-encoding" in headers:
        return "an unknown Transfer-Encoding"
    lengths = headers.get_all("content-length", ())
    if len(set(lengths)) > 1 or (lengths and answer.length is None):
        return "a Content-Length that is none"
    return None


def _unfolded(value: str) -> bytes:
    return value.replace("\r\n", "").strip(" \t").encode("latin-1")


def _wait(connection: HTTPConnection, seconds: float | None) -> None:
    """Sets how long the next step may wait."""
    sock: socket.socket = connection.sock
    if sock.gettimeout() != seconds:
        sock.settimeout(seconds)


def _has_ended(sock: socket.socket) -> bool:
    """Whether an idle socket has something to say: that it was closed, or what nobody asked for."""
    if not hasattr(select, "poll"):
        return bool(select.select([sock], [], [], 0)[0])
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))
