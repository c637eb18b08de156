"""httpx's exceptions as ours, in one place; and the operation's name on every error that leaves here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from sqlprovider.errors import DataError, Error, InternalError, ProgrammingError, TransportError
from sqlprovider.plan.model import Operation

NOT_SENT = "not_sent"
"""The reason of a TransportError: there was no connection, so nothing was sent."""
TIMED_OUT = "timed_out"
CONNECTION_LOST = "connection_lost"


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What one of httpx's exceptions means: our error's reason, and its text with `{host}` and `{why}`."""

    reason: str
    text: str
    error: type[TransportError | ProgrammingError | DataError | InternalError] = TransportError


_OUR_FAULT = _Meaning("internal", "httpx was used wrongly: {kind}; please report it", InternalError)

MEANINGS: Mapping[type[Exception], _Meaning] = {
    httpx.ConnectTimeout: _Meaning(NOT_SENT, "no connection to {host} in time"),
    httpx.PoolTimeout: _Meaning(NOT_SENT, "no free connection to {host} in time"),
    httpx.ReadTimeout: _Meaning(TIMED_OUT, "no answer from {host} in time"),
    httpx.WriteTimeout: _Meaning(TIMED_OUT, "{host} did not take the request in time"),
    httpx.TimeoutException: _Meaning(TIMED_OUT, "no answer from {host} in time"),
    httpx.ConnectError: _Meaning(NOT_SENT, "no connection to {host}: {why}"),
    httpx.ReadError: _Meaning(CONNECTION_LOST, "the connection to {host} was lost: {why}"),
    httpx.WriteError: _Meaning(CONNECTION_LOST, "the connection to {host} was lost: {why}"),
    httpx.CloseError: _Meaning(CONNECTION_LOST, "the connection to {host} was lost: {why}"),
    httpx.RemoteProtocolError: _Meaning(CONNECTION_LOST, "the answer of {host} was cut off or is not HTTP"),
    httpx.ProxyError: _Meaning(CONNECTION_LOST, "the proxy did not connect to {host}: {why}"),
    # Its text can hold a header's value.
    httpx.LocalProtocolError: _Meaning(
        "unsendable", "the request to {host} cannot be sent over HTTP", ProgrammingError
    ),
    httpx.UnsupportedProtocol: _Meaning("unsendable", "only http and https can be asked", ProgrammingError),
    httpx.DecodingError: _Meaning("unreadable", "the answer of {host} cannot be decompressed", DataError),
    httpx.TooManyRedirects: _OUR_FAULT,
    httpx.HTTPStatusError: _OUR_FAULT,
    httpx.InvalidURL: _OUR_FAULT,
    httpx.CookieConflict: _OUR_FAULT,
    httpx.StreamConsumed: _OUR_FAULT,
    httpx.StreamClosed: _OUR_FAULT,
    httpx.ResponseNotRead: _OUR_FAULT,
    httpx.RequestNotRead: _OUR_FAULT,
}
"""Most specific first where one is the base of another."""


@contextmanager
def mapped_failures(host: str) -> Iterator[None]:
    """Raises our error for any of httpx's, the original as its cause."""
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError) as exc:
        raise _mapped(exc, host) from exc


@contextmanager
def operation_context(operation: Operation) -> Iterator[None]:
    """Names the operation on every error of ours that passes."""
    try:
        yield
    except Error as error:
        if error.context is None:
            error.context = operation.name
        raise


def _mapped(exc: Exception, host: str) -> Error:
    meaning = next((m for kind, m in MEANINGS.items() if isinstance(exc, kind)), None)
    if meaning is None:
        return TransportError(f"{host}: {type(exc).__name__}", reason=CONNECTION_LOST)
    text = meaning.text.format(host=host, why=str(exc) or type(exc).__name__, kind=type(exc).__name__)
    return meaning.error(text, reason=meaning.reason)
