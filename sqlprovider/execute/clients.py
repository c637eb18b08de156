"""One httpx.Client per connection, made at its first request: auth, transport, limits."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from sqlprovider.auth import TokenAuth, auth_flow, found_auth, places
from sqlprovider.catalog.model import Provider
from sqlprovider.config import AUTH_OPTIONS, AuthSpec, ConnectionConfig
from sqlprovider.errors import AuthError, ConfigError, CredentialsError, StatementInterrupted, TransportError
from sqlprovider.execute.failure import CONNECTION_LOST, NOT_SENT, mapped_failures

# The pool's threads bound how many requests are under way. With a bound here as well, a statement would wait
# for the connections of one that was interrupted.
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=32)
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_VARIABLES = {"password_env": "PASSWORD", "id_env": "ACCESS_KEY_ID", "secret_env": "ACCESS_KEY_SECRET"}
"""What the variables of a `--set` line end with."""


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
                self._clients[key] = _Client(
                    connection, provider, self._environ, self._transport, is_https=is_https
                )
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
    """What signs a connection's requests: as configured, else as found, else the provider's default.

    Raises ConfigError, or CredentialsError where there is nothing: before anything is sent.
    """
    with _named(connection, provider):
        if connection.auth is not None:
            return auth_flow(connection.auth, environ, types=provider.auth_types)
        if (found := found_auth(provider.auth_found, environ)) is not None:
            return found
        if provider.auth_default is not None:
            return auth_flow(AuthSpec(provider.auth_default, {}), environ, types=provider.auth_types)
        tried = ", ".join(places(provider.auth_found, environ))
        raise CredentialsError(
            f"there is no auth, and no credentials were found; looked for: {tried}"
            if tried
            else f"there is no auth; {provider.title} takes: {', '.join(provider.auth_types)}"
        )


@contextmanager
def _named(connection: ConnectionConfig, provider: Provider) -> Iterator[None]:
    """Errors about credentials name the connection; where there are none, the hint sets some."""
    try:
        yield
    except (ConfigError, CredentialsError, AuthError) as error:
        error.message = f"connection {connection.name!r}: {error.message}"
        if isinstance(error, CredentialsError) and error.hint is None and connection.auth is None:
            error.hint = _set_line(connection, provider)
        raise


def _set_line(connection: ConnectionConfig, provider: Provider) -> str:
    """The `--set`s of the provider's plainest type: one that needs something, and as little as may be."""
    needed = {
        kind: [name for name, is_required in AUTH_OPTIONS[kind].items() if is_required]
        for kind in provider.auth_types
        if kind != "none"
    }
    kind = min(needed, key=lambda kind: (not needed[kind], kind != "token"), default="none")
    variable = f"{connection.name.upper().replace('-', '_')}_"
    values = {
        name: variable + _VARIABLES.get(name, "TOKEN") if name.endswith("env") else "…"
        for name in needed.get(kind, ())
    }
    settings = [("type", kind), *values.items()]
    return " ".join(f"--set {connection.name}.auth.{name}={value}" for name, value in settings)


def trusted_certificates(*, is_https: bool) -> ssl.SSLContext | bool:
    """What a client trusts. True: what httpx does, which loads the certificates: 20 ms and more."""
    # The empty context trusts nobody: it fails closed, should it ever meet TLS.
    return True if is_https else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class _Client(httpx.Client):
    """httpx's, for one connection: what fails on the way to an access token is no failure of the API."""

    def __init__(
        self,
        connection: ConnectionConfig,
        provider: Provider,
        environ: Mapping[str, str],
        transport: httpx.BaseTransport | None,
        *,
        is_https: bool,
    ) -> None:
        self._connection = connection
        self._provider = provider
        auth = connection_auth(connection, provider, environ)
        source = auth.source if isinstance(auth, TokenAuth) else None
        direct = _LOOPBACK if source is None else (*_LOOPBACK, *source.hosts_unproxied)
        super().__init__(
            auth=auth,
            transport=transport,
            # A proxy cannot reach this machine's own loopback, nor its own link.
            mounts=None if transport is not None else dict.fromkeys(f"all://{host}" for host in direct),
            verify=trusted_certificates(is_https=is_https or (source is not None and source.is_https)),
            limits=_LIMITS,
            follow_redirects=False,
            trust_env=True,
        )

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """As httpx's. Raises AuthError or CredentialsError where no access token is to be had."""
        with _named(self._connection, self._provider):
            try:
                return super().send(request, **options)
            except httpx.TransportError as failure:
                if not isinstance(self.auth, TokenAuth) or failure.request is request:
                    raise
                raise _no_token(self.auth, failure) from failure


def _no_token(auth: TokenAuth, failure: httpx.TransportError) -> Exception:
    asked = failure.request
    try:
        with mapped_failures(asked.url.netloc.decode("ascii")):
            raise failure
    except TransportError as error:
        # Nothing reached the API, so asking again cannot act twice.
        reason = NOT_SENT if error.reason == CONNECTION_LOST else error.reason
        return auth.unreachable(asked, error.message, reason=reason)
