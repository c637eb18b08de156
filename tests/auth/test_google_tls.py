"""A token endpoint over TLS beside an API on loopback: its certificate is checked, SSL_CERT_FILE obeyed."""

from __future__ import annotations

import ipaddress
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID

from sqlprovider.errors import AuthError
from tests.auth.google import api_of, bearers, executor_of, read
from tests.fakes.google_tokens import TokenServer, key_pair


class _Tokens(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"access_token": "over-tls", "expires_in": 3600}')

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key and a certificate for 127.0.0.1 that it signed itself."""
    key = load_pem_private_key(key_pair()[0].encode(), password=None)
    assert isinstance(key, RSAPrivateKey)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tokens")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, SHA256())
    )
    path = tmp_path / "tls.pem"
    path.write_bytes(key_pair()[0].encode() + made.public_bytes(Encoding.PEM))
    return path


@pytest.fixture
def endpoint(certificate: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = HTTPServer(("127.0.0.1", 0), _Tokens)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_address[1]}/token"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("is_known", [True, False])
def test_the_endpoint_s_certificate_is_checked(
    endpoint: str, certificate: Path, tmp_path: Path, is_known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = TokenServer()
    tokens.valid = {"over-tls"}
    key = tokens.key_file(tmp_path, token_uri=endpoint)
    if is_known:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with api_of(tokens) as api, executor_of(api, key=key) as executor:
        if is_known:
            assert (read(executor), set(bearers(api))) == (7, {"over-tls"})
        else:
            with pytest.raises(AuthError, match="CERTIFICATE_VERIFY_FAILED"):
                read(executor)
            assert api.requests == []
