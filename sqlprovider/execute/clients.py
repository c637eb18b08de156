"""One httpx.Client per connection, made at its first request: auth, transport, limits."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Mapping

import httpx

from sqlprovider.auth import auth_flow
from sqlprovider.catalog.model import Provider
from sqlprovider.config import AuthSpec, ConnectionConfig
from sqlprovider.errors import CredentialsError, Error, StatementInterrupted

# The pool's threads bound how many requests are under way. With a bound here as well, a statement would wait
# for the connections of one that was interrupted.
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=32)
_LOOPBACK = ("all://localhost", "all://127.0.0.1", "all://[::1]")


class Clients:
    """The clients of one executor."""

    def __init__(self, *, transport: httpx.BaseTransport | None, environ: Mapping[str, str]) -> None:
        self._transport = transport
        self._environ = environ
        self._clients: dict[tuple[str, bool], httpx.Client] = {}
        self._lock = threading.Lock()
        self._closed = False

    def client(self, connection: ConnectionConfig, provider: Provider, *, is_https: bool) -> httpx.Client:
        """The connection's client. Raises ConfigError or CredentialsError before anything is sent."""
        key = (connection.name, is_https)
        with self._lock:
            if self._closed:
                raise StatementInterrupted("the connection is closed", reason="closed")
            if key not in self._clients:
                auth = connection_auth(connection, provider, self._environ)
                self._clients[key] = _make_client(auth, self._transport, is_https=is_https)
            return self._clients[key]

    def close(self) -> None:
        """Closes every connection; requests under way fail."""
        with self._lock:
            self._closed = True
            clients = list(self._clients.values())
            self._clients.clear()
        for client in clients:
            client.close()


def connection_auth(
    connection: ConnectionConfig, provider: Provider, environ: Mapping[str, str]
) -> httpx.Auth | None:
    """What signs a connection's requests: as configured, else the provider's default."""
    spec = connection.auth
    if spec is None and provider.auth_default is not None:
        spec = AuthSpec(provider.auth_default, {})
    if spec is None:
        variable = f"{connection.name.upper().replace('-', '_')}_TOKEN"
        raise CredentialsError(
            f"connection {connection.name!r} has no auth; {provider.title} takes: "
            f"{', '.join(provider.auth_types)}",
            hint=f"--set {connection.name}.auth.type=token --set {connection.name}.auth.env={variable}",
        )
    try:
        return auth_flow(spec, environ, types=provider.auth_types)
    except Error as error:
        error.message = f"connection {connection.name!r}: {error.message}"
        raise


def trusted_certificates(*, is_https: bool) -> ssl.SSLContext | bool:
    """What a client trusts. True: what httpx does, which loads the certificates: 20 ms and more."""
    # The empty context trusts nobody: it fails closed, should it ever meet TLS.
    return True if is_https else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _make_client(
    auth: httpx.Auth | None, transport: httpx.BaseTransport | None, *, is_https: bool
) -> httpx.Client:
    return httpx.Client(
        auth=auth,
        transport=transport,
        # A proxy cannot reach this machine's own loopback.
        mounts=None if transport is not None else dict.fromkeys(_LOOPBACK),
        verify=trusted_certificates(is_https=is_https),
        limits=_LIMITS,
        follow_redirects=False,
        trust_env=True,
    )
