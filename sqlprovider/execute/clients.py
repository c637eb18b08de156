"""One client per connection, made at its first request: auth and transport."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import httpx

from sqlprovider.auth import TokenAuth, auth_flow, found_auth, places
from sqlprovider.catalog.model import Provider
from sqlprovider.config import AUTH_OPTIONS, AuthSpec, ConnectionConfig
from sqlprovider.errors import AuthError, ConfigError, CredentialsError, StatementInterrupted, TransportError
from sqlprovider.execute.failure import CONNECTION_LOST, NOT_SENT, mapped_failures
from sqlprovider.execute.transport import Certificates, Transport

_LOG = logging.getLogger(__name__)
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_VARIABLES = {"password_env": "PASSWORD", "id_env": "ACCESS_KEY_ID", "secret_env": "ACCESS_KEY_SECRET"}
"""What the variables of a `--set` line end with."""


class Clients:
    """The clients of one executor."""

    def __init__(self, *, transport: httpx.BaseTransport | None, environ: Mapping[str, str]) -> None:
        self._transport = transport
        self._environ = environ
        self._certificates = Certificates()
        self._clients: dict[str, Client] = {}
        self._lock = threading.Lock()
        self._closed = False

    def client(self, connection: ConnectionConfig, provider: Provider) -> Client:
        """The connection's client. Raises ConfigError or CredentialsError before anything is sent."""
        with self._lock:
            if self._closed:
                raise StatementInterrupted("the connection is closed", reason="closed")
            if connection.name not in self._clients:
                self._clients[connection.name] = Client(
                    connection, provider, self._environ, self._transport_for
                )
            return self._clients[connection.name]

    def _transport_for(self, direct: tuple[str, ...]) -> httpx.BaseTransport:
        return self._transport or Transport(self._certificates, direct=direct)

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


class Client:
    """One connection's: what it sends is signed, and neither redirected nor given cookies."""

    def __init__(
        self,
        connection: ConnectionConfig,
        provider: Provider,
        environ: Mapping[str, str],
        transport: Callable[[tuple[str, ...]], httpx.BaseTransport],
    ) -> None:
        self._connection = connection
        self._provider = provider
        auth = connection_auth(connection, provider, environ)
        # A proxy cannot reach this machine's own loopback, nor its own link.
        direct = (*_LOOPBACK, *auth.source.hosts_unproxied) if isinstance(auth, TokenAuth) else _LOOPBACK
        self.auth = auth
        """What signs its requests; None: nothing does."""
        self._auth = auth or httpx.Auth()
        self._transport = transport(direct)

    def send(self, request: httpx.Request) -> httpx.Response:
        """The answer, its body unread; `history` has those to the requests that the auth flow sent before.

        Raises httpx's errors, or AuthError or CredentialsError where no access token is to be had.
        """
        with _named(self._connection, self._provider):
            try:
                return self._send(request)
            except httpx.TransportError as failure:
                if not isinstance(self._auth, TokenAuth) or failure.request is request:
                    raise
                raise _no_token(self._auth, failure) from failure

    def close(self) -> None:
        """Closes the sockets; requests under way fail."""
        self._transport.close()

    def _send(self, request: httpx.Request) -> httpx.Response:
        history: list[httpx.Response] = []
        flow = self._auth.sync_auth_flow(request)
        try:
            asked = next(flow)
            while True:
                response = self._answer(asked)
                try:
                    asked = flow.send(response)
                    response.read()
                except StopIteration:
                    response.history = history
                    return response
                except BaseException:
                    response.close()
                    raise
                history.append(response)
        finally:
            flow.close()

    def _answer(self, request: httpx.Request) -> httpx.Response:
        try:
            response = self._transport.handle_request(request)
        except httpx.RequestError as failure:
            failure.request = request
            raise
        response.request = request
        _LOG.debug("%s %s %d", request.method, request.url, response.status_code)
        return response


def _no_token(auth: TokenAuth, failure: httpx.TransportError) -> Exception:
    asked = failure.request
    try:
        with mapped_failures(asked.url.netloc.decode("ascii")):
            raise failure
    except TransportError as error:
        # Nothing reached the API, so asking again cannot act twice.
        reason = NOT_SENT if error.reason == CONNECTION_LOST else error.reason
        return auth.unreachable(asked, error.message, reason=reason)
