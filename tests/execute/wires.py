"""A server that says the bytes it is given, and notes those it was sent: what no HTTP library would do."""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
Answer = Callable[[bytes], bytes]
"""A request's bytes → its answer's."""


class Wire:
    """Serves inside a `with` block. A connection is closed once it was given `closing` in an answer."""

    def __init__(
        self, answer: bytes | Answer = OK, *, closes: bool = False, tls: ssl.SSLContext | None = None
    ):
        self._answer: Answer = (lambda request: answer) if isinstance(answer, bytes) else answer
        self._closes = closes
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.port = int(self._listener.getsockname()[1])
        self.requests: list[bytes] = []
        self.connections = 0
        self.ended = threading.Semaphore(0)
        """Released once for every connection that the client closed."""

    def __enter__(self) -> Wire:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        self.hang_up()

    def hang_up(self) -> None:
        """Closes every connection."""
        while self._open:
            try:
                self._open.pop().shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection if self._tls is None else self._tls.wrap_socket(connection, True) as peer:
                self._open.append(peer)
                while request := _request(peer):
                    self.requests.append(request)
                    peer.sendall(self._answer(request))
                    if self._closes:
                        break
        except OSError:
            connection.close()
        self.ended.release()


def _request(peer: socket.socket) -> bytes:
    """One request's bytes; none at the end."""
    read = b""
    while b"\r\n\r\n" not in read:
        if not (piece := peer.recv(65536)):
            return b""
        read += piece
    head, _, _ = read.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *(\d+)", head.lower())
    end = len(head) + 4 + (int(length[1]) if length else 0)
    while len(read) < end or (b"transfer-encoding" in head.lower() and not read.endswith(b"0\r\n\r\n")):
        if not (piece := peer.recv(65536)):
            break
        read += piece
    return read


def self_signed(path: Path) -> ssl.SSLContext:
    """A server's context for 127.0.0.1; its certificate, which nobody else signed, is put at `path`."""
    key = generate_private_key(65537, 2048)
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "wire")]), datetime.now(UTC)
    hosts = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(
            name, name, key.public_key(), 1, now - timedelta(hours=1), now + timedelta(hours=1)
        )
        .add_extension(hosts, critical=False)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + made.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    context.set_alpn_protocols(["http/1.1"])
    return context
