"""The transport over real sockets, judged by httpx's own: the same bytes out, the same answer in."""

from __future__ import annotations

import gzip
import http.client
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from sqlprovider.execute import transport as transports
from sqlprovider.execute.failure import MEANINGS
from sqlprovider.execute.transport import (
    CONNECTING,
    FAILURES,
    READING,
    SENDING,
    Certificates,
    Phase,
    Transport,
    as_httpx,
)
from tests.execute.wires import OK, Wire, self_signed
from tests.fakes.loopback import free_port

TIMEOUT = httpx.Timeout(5).as_dict()


@pytest.fixture
def ours() -> Iterator[Transport]:
    with Transport(Certificates(), direct=["127.0.0.1"]) as made:
        yield made


@pytest.fixture
def httpxs() -> Iterator[httpx.HTTPTransport]:
    with httpx.HTTPTransport(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) as made:
        yield made


def get(
    transport: httpx.BaseTransport, port: int, path: str = "/", *, method: str = "GET", read: float = 5
) -> httpx.Response:
    request = httpx.Request(
        method, f"http://127.0.0.1:{port}{path}", extensions={"timeout": {**TIMEOUT, "read": read}}
    )
    response = transport.handle_request(request)
    response.request = request
    return response


def got(transport: httpx.BaseTransport, port: int, method: str = "GET") -> object:
    """How an exchange ends: the answer, or the kind of failure."""
    try:
        response = get(transport, port, method=method)
        try:
            response.read()
        finally:
            response.close()
    except httpx.HTTPError as error:
        return type(error)
    return response.status_code, response.headers.multi_items(), response.content


# ---- what goes out


@pytest.mark.parametrize(
    "request_",
    [
        *(
            pytest.param(httpx.Request("GET", f"http://h{path}"), id=path or "no path")
            for path in (
                "",
                "/a%2Fb%2fc/%20/%zz",
                "/a/../b/./c",
                "//a///b//",
                "/v1/r:setTags",
                "/ü/日本",
                "/[a]|b^c\\d{e}",
                "/a;b=c,d@e!f$g&h'(i)*+",
                "/?a=%2f%2F&b=c+d&&e=/?&f=ü",
                "/?filter=a%20%3D%20'b'",
            )
        ),
        pytest.param(
            httpx.Request(
                "GET",
                "http://h/",
                headers=[("Host", "other"), ("x-b", "2"), ("X-A", "1"), ("x-b", "3"), ("e", "")],
            ),
            id="headers, their order and their case",
        ),
        pytest.param(httpx.Request("GET", "http://h/", headers=[(b"X", "Zürich".encode())]), id="bytes"),
        pytest.param(httpx.Request("POST", "http://h/", json={"a": ["ü"]}), id="body"),
        pytest.param(httpx.Request("POST", "http://h/"), id="no body"),
        pytest.param(httpx.Request("PATCH", "http://h/", content=b"x" * 300_000), id="large body"),
        pytest.param(
            httpx.Request("PUT", "http://h/", content=iter([b"ab", b"c"])), id="body of unknown length"
        ),
        pytest.param(httpx.Request("DELETE", "http://h/"), id="DELETE"),
        pytest.param(httpx.Request("HEAD", "http://h/"), id="HEAD"),
    ],
)
def test_a_request_goes_out_as_httpx_built_it(
    request_: httpx.Request, ours: Transport, httpxs: httpx.HTTPTransport
) -> None:
    request_.read()
    with Wire() as wire:
        request_.url = request_.url.copy_with(host="127.0.0.1", port=wire.port)
        request_.extensions = {"timeout": TIMEOUT}
        for transport in (httpxs, ours):
            response = transport.handle_request(request_)
            response.read()
            response.close()
        first, second = (_chunks_joined(sent) for sent in wire.requests)
    assert first == second


def _chunks_joined(sent: bytes) -> bytes:
    """How a body of unknown length is cut is nobody's business."""
    head, mark, body = sent.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" not in head.lower():
        return sent
    lines = body.split(b"\r\n")
    assert lines[-3:] == [b"0", b"", b""]
    return head + mark + b"".join(lines[1:-3:2])


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([(b"X", b"a\r\nY: t0ken")], id="line end in a value"),
        pytest.param([(b"X\r\nY", b"t0ken")], id="line end in a name"),
    ],
)
def test_what_is_no_header_is_not_sent_and_not_told(
    headers: list[tuple[bytes, bytes]], ours: Transport
) -> None:
    with Wire() as wire:
        request = httpx.Request("GET", f"http://127.0.0.1:{wire.port}/", headers=headers)
        with pytest.raises(httpx.LocalProtocolError) as caught:
            ours.handle_request(request)
        assert wire.requests == []
    assert "t0ken" not in str(caught.value)
    assert caught.value.__suppress_context__


# ---- what comes in

_GZIP = gzip.compress(b"[1]")
ANSWERS = {
    "plain": OK,
    "headers twice": b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-b: \xfc\r\nX-A:2 \r\nContent-Length: 0\r\n\r\n",
    "error": b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 1\r\n\r\nx",
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
    "redirect": b"HTTP/1.1 302 Found\r\nLocation: http://h/\r\nContent-Length: 0\r\n\r\n",
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "304": b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n"
    b"0\r\n\r\n",
    "trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-T: 1\r\n\r\n",
    "gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s"
    % (len(_GZIP), _GZIP),
    "no gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    "100": b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
    "large": b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"y" * 300_000,
    "no HTTP": b"SSH-2.0-OpenSSH\r\n\r\n",
    "no status": b"HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n",
    "no header": b"HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 2\r\n\r\n{}",
    "no length": b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}",
    "negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}",
    "lengths that differ": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "strange encoding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "no chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
}
"""By what is remarkable about them."""
ENDED = {
    "to the end": b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nabc",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "said to close": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
    "nothing": b"",
    "half a status": b"HTTP/1.1 20",
    "half the headers": b"HTTP/1.1 200 OK\r\nContent-Le",
    "half the body": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
    "half a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
    "no last chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
}
"""After these the server closes."""


@pytest.mark.parametrize(
    ("answer", "closes"),
    [
        *(pytest.param(answer, False, id=name) for name, answer in ANSWERS.items()),
        *(pytest.param(answer, True, id=name) for name, answer in ENDED.items()),
    ],
)
def test_an_answer_is_read_or_refused_as_httpx_does(
    answer: bytes, closes: bool, ours: Transport, httpxs: httpx.HTTPTransport
) -> None:
    with Wire(answer, closes=closes) as wire:
        assert got(ours, wire.port) == got(httpxs, wire.port)


def test_an_answer_to_head_has_no_body(ours: Transport, httpxs: httpx.HTTPTransport) -> None:
    with Wire(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n") as wire:
        assert got(ours, wire.port, "HEAD") == got(httpxs, wire.port, "HEAD")
        assert got(ours, wire.port, "HEAD") == got(httpxs, wire.port, "HEAD")


def test_a_folded_header_is_one_line(ours: Transport) -> None:
    with Wire(b"HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n") as wire:
        response = get(ours, wire.port)
        response.close()
    assert response.headers["x-a"] == "1 2"


def test_interim_answers_but_100_are_refused(ours: Transport) -> None:
    """httpx skips them; nobody sends one to a client that did not ask."""
    with Wire(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK) as wire:
        assert got(ours, wire.port) is httpx.RemoteProtocolError


# ---- sockets


def test_a_socket_is_used_again(ours: Transport) -> None:
    with Wire() as wire:
        for _ in range(5):
            assert got(ours, wire.port) != httpx.RemoteProtocolError
        assert (len(wire.requests), wire.connections) == (5, 1)


def test_a_socket_that_the_server_closed_while_idle_is_replaced(ours: Transport) -> None:
    with Wire() as wire:
        got(ours, wire.port)
        wire.hang_up()
        wire.ended.acquire(timeout=5)
        response = get(ours, wire.port)
        assert response.read() == b"{}"
        assert (len(wire.requests), wire.connections) == (2, 2)


def test_an_answer_that_was_not_read_costs_the_socket(ours: Transport) -> None:
    with Wire(ANSWERS["large"]) as wire:
        get(ours, wire.port).close()
        assert wire.ended.acquire(timeout=5)
        got(ours, wire.port)
        assert wire.connections == 2


def test_an_answer_before_the_request_was_taken_is_read(ours: Transport) -> None:
    """A server may refuse a large body and close; its answer says why."""
    refusal = b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def refuse() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(1000)
                peer.sendall(refusal)
                peer.shutdown(socket.SHUT_WR)
                while peer.recv(1 << 20):
                    pass

        thread = threading.Thread(target=refuse, daemon=True)
        thread.start()
        request = httpx.Request("POST", f"http://127.0.0.1:{port}/", content=b"x" * 3_000_000)
        response = ours.handle_request(request)
        response.close()
        thread.join(5)
    assert response.status_code == 413


def test_closing_closes_idle_sockets_and_wakes_who_reads() -> None:
    go, failures = threading.Event(), list[Exception]()

    def stall(request: bytes) -> bytes:
        if b"/slow" in request:
            go.set()
            threading.Event().wait(5)
        return OK

    transport = Transport(Certificates(), direct=["127.0.0.1"])
    with Wire(stall) as wire:
        responses = [get(transport, wire.port) for _ in range(2)]
        for response in responses:
            response.read()
            response.close()

        def read() -> None:
            try:
                get(transport, wire.port, "/slow", read=30)
            except httpx.TransportError as error:
                failures.append(error)

        thread = threading.Thread(target=read)
        thread.start()
        assert go.wait(5)
        transport.close()
        thread.join(2)
        assert not thread.is_alive()
        assert wire.ended.acquire(timeout=5)
        with pytest.raises(httpx.ConnectError):
            get(transport, wire.port)
    assert len(failures) == 1


def test_sixteen_threads_each_get_their_own_answers(ours: Transport) -> None:
    """Some leave an answer unread, and some answers end the connection."""

    def echo(request: bytes) -> bytes:
        target = request.split(b" ")[1]
        close = b"Connection: close\r\n" if target.endswith(b"7") else b""
        return b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (close, len(target), target)

    def ask(number: int) -> bytes:
        response = get(ours, wire.port, f"/{number}")
        try:
            return b"/%d" % number if number % 10 == 3 else response.read()
        finally:
            response.close()

    with Wire(echo) as wire, ThreadPoolExecutor(16) as pool:
        assert list(pool.map(ask, range(400))) == [b"/%d" % number for number in range(400)]
        assert 80 <= wire.connections <= 96


# ---- TLS


def secure_get(port: int) -> tuple[httpx.BaseTransport, httpx.Response]:
    transport = Transport(Certificates(), direct=["127.0.0.1"])
    try:
        return transport, transport.handle_request(httpx.Request("GET", f"https://127.0.0.1:{port}/"))
    except httpx.TransportError:
        transport.close()
        raise


def test_a_certificate_that_the_environment_names_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = self_signed(tmp_path / "tls.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "tls.pem"))
    with Wire(tls=tls) as wire:
        transport, response = secure_get(wire.port)
        with transport:
            assert response.read() == b"{}"
            response.close()
            again = transport.handle_request(httpx.Request("GET", f"https://127.0.0.1:{wire.port}/"))
            again.read()
            again.close()
    assert (len(wire.requests), wire.connections) == (2, 1)


def test_a_certificate_that_nobody_knows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with (
        Wire(tls=self_signed(tmp_path / "tls.pem")) as wire,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        secure_get(wire.port)
    assert wire.requests == []


def test_a_certificate_of_another_host_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls = self_signed(tmp_path / "tls.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "tls.pem"))
    with (
        Wire(tls=tls) as wire,
        Transport(Certificates(), direct=["localhost"]) as transport,
        pytest.raises(httpx.ConnectError, match="not valid for 'localhost'"),
    ):
        transport.handle_request(httpx.Request("GET", f"https://localhost:{wire.port}/"))
    assert wire.requests == []


# ---- failures


def test_nobody_listens(ours: Transport) -> None:
    with pytest.raises(httpx.ConnectError, match="refused"):
        get(ours, free_port())


@pytest.mark.parametrize("url", ["ftp://h/", "http:///x", "//h/"])
def test_only_http_is_asked(url: str, ours: Transport) -> None:
    with pytest.raises(httpx.UnsupportedProtocol):
        ours.handle_request(httpx.Request("GET", url))


def test_a_server_that_says_nothing_is_timed_out(ours: Transport) -> None:
    with Wire(b"") as wire, pytest.raises(httpx.ReadTimeout):
        get(ours, wire.port, read=0.1)


def test_a_server_that_stops_in_the_body_is_timed_out(ours: Transport) -> None:
    with Wire(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc") as wire:
        response = get(ours, wire.port, read=0.1)
        with pytest.raises(httpx.ReadTimeout):
            response.read()
        response.close()


def test_a_server_that_takes_nothing_is_timed_out(ours: Transport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        timeout = {**TIMEOUT, "write": 0.1}
        request = httpx.Request("POST", url, content=b"x" * 30_000_000, extensions={"timeout": timeout})
        with pytest.raises(httpx.WriteTimeout):
            ours.handle_request(request)


def below(kind: type[Exception]) -> set[type[Exception]]:
    return {kind}.union(*map(below, kind.__subclasses__()))


@pytest.mark.parametrize("phase", [CONNECTING, SENDING, READING], ids=["connecting", "sending", "reading"])
def test_every_failure_of_a_socket_has_a_meaning(phase: Phase) -> None:
    assert {meant for _, meant in phase} <= set(MEANINGS)
    kinds = below(OSError) | below(UnicodeError)
    if phase is not CONNECTING:
        kinds |= below(http.client.HTTPException)
    kinds = {kind for kind in kinds if kind.__module__ in ("builtins", "socket", "ssl", "http.client")}
    assert len(kinds) > 20
    caught = tuple(found for found, _ in phase)
    assert [kind for kind in kinds if not issubclass(kind, FAILURES) or not issubclass(kind, caught)] == []


@pytest.mark.parametrize(
    ("error", "phase", "meant"),
    [
        pytest.param(TimeoutError(), CONNECTING, httpx.ConnectTimeout, id="no connection in time"),
        pytest.param(socket.gaierror(), CONNECTING, httpx.ConnectError, id="no such host"),
        pytest.param(ssl.SSLCertVerificationError(), CONNECTING, httpx.ConnectError, id="certificate"),
        pytest.param(UnicodeError(), CONNECTING, httpx.ConnectError, id="label too long"),
        pytest.param(TimeoutError(), SENDING, httpx.WriteTimeout, id="not taken in time"),
        pytest.param(http.client.InvalidURL(), SENDING, httpx.LocalProtocolError, id="unsendable"),
        pytest.param(TimeoutError(), READING, httpx.ReadTimeout, id="no answer in time"),
        pytest.param(ConnectionResetError(), READING, httpx.ReadError, id="reset"),
        pytest.param(ssl.SSLEOFError(), READING, httpx.ReadError, id="TLS cut"),
        pytest.param(http.client.RemoteDisconnected(""), READING, httpx.RemoteProtocolError, id="closed"),
        pytest.param(http.client.IncompleteRead(b""), READING, httpx.RemoteProtocolError, id="cut"),
    ],
)
def test_what_a_failure_means(error: Exception, phase: Phase, meant: type[Exception]) -> None:
    assert type(as_httpx(error, phase)) is meant


# ---- what is loaded, and when


def test_plain_http_loads_neither_certificates_nor_httpx_s_own_sockets() -> None:
    with Wire() as wire:
        code = f"""
import sys, httpx
from sqlprovider.execute.transport import Certificates, Transport
with Transport(Certificates(), direct=["127.0.0.1"]) as transport:
    print(transport.handle_request(httpx.Request("GET", "http://127.0.0.1:{wire.port}/")).read())
print(sorted({{"httpcore", "h11", "certifi", "urllib3"}} & set(sys.modules)))
"""
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "b'{}'\n[]\n"


def test_idle_sockets_are_given_up_before_common_servers_close_theirs() -> None:
    assert transports.IDLE_SECONDS < 5
