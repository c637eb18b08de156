from __future__ import annotations

import httpx
import pytest

from sqlprovider.errors import (
    BackendError,
    DataError,
    Error,
    InternalError,
    ProgrammingError,
    TransportError,
)
from sqlprovider.execute.failure import (
    CONNECTION_LOST,
    MEANINGS,
    NOT_SENT,
    TIMED_OUT,
    mapped_failures,
    operation_context,
)
from tests.execute.build import make_method, make_operation

# Bases that httpx never raises themselves; whatever it adds below them must be mapped by name.
BASES: set[type[Exception]] = {
    httpx.HTTPError,
    httpx.RequestError,
    httpx.TransportError,
    httpx.NetworkError,
    httpx.ProtocolError,
    httpx.StreamError,
}
RAISED = [
    kind
    for name in httpx.__all__
    if isinstance(kind := getattr(httpx, name), type) and issubclass(kind, Exception) and kind not in BASES
]


def mapped(exc: Exception) -> Error:
    with pytest.raises(Error) as caught, mapped_failures("host:1"):
        raise exc
    assert caught.value.__cause__ is exc
    return caught.value


def make(kind: type[Exception], text: str = "why") -> Exception:
    """httpx's exceptions differ in what they are made of."""
    if kind is httpx.HTTPStatusError:
        request = httpx.Request("GET", "http://h/")
        return httpx.HTTPStatusError(text, request=request, response=httpx.Response(500))
    # Each of the stream errors has its own text.
    return kind(*([] if issubclass(kind, httpx.StreamError) else [text]))


def test_httpx_has_the_exceptions_this_test_walks() -> None:
    assert len(RAISED) >= 20


@pytest.mark.parametrize("kind", RAISED)
def test_every_exception_of_httpx_is_mapped(kind: type[Exception]) -> None:
    assert kind in MEANINGS
    assert isinstance(mapped(make(kind)), MEANINGS[kind].error)


def test_the_most_specific_meaning_comes_first() -> None:
    kinds = list(MEANINGS)
    for position, kind in enumerate(kinds):
        assert not any(issubclass(later, kind) for later in kinds[position + 1 :])


@pytest.mark.parametrize(
    ("kind", "error", "reason"),
    [
        pytest.param(httpx.ConnectError, TransportError, NOT_SENT, id="dead port"),
        pytest.param(httpx.ConnectTimeout, TransportError, NOT_SENT, id="no connection in time"),
        pytest.param(httpx.PoolTimeout, TransportError, NOT_SENT, id="no free connection"),
        pytest.param(httpx.ReadTimeout, TransportError, TIMED_OUT, id="no answer in time"),
        pytest.param(httpx.ReadError, TransportError, CONNECTION_LOST, id="reset"),
        pytest.param(httpx.WriteError, TransportError, CONNECTION_LOST, id="lost while sending"),
        pytest.param(httpx.RemoteProtocolError, TransportError, CONNECTION_LOST, id="cut"),
        pytest.param(httpx.ProxyError, TransportError, CONNECTION_LOST, id="proxy"),
        pytest.param(httpx.DecodingError, DataError, "unreadable", id="compressed wrongly"),
        pytest.param(httpx.LocalProtocolError, ProgrammingError, "unsendable", id="unsendable"),
        pytest.param(httpx.CookieConflict, InternalError, "internal", id="ours"),
    ],
)
def test_an_exception_has_its_class_and_reason(
    kind: type[Exception], error: type[Error], reason: str
) -> None:
    found = mapped(make(kind))
    assert (type(found), found.reason) == (error, reason)


def test_an_exception_that_does_not_exist_yet_is_a_lost_connection() -> None:
    class NewError(httpx.TransportError):
        pass

    assert mapped(NewError("x")).reason == CONNECTION_LOST


def test_what_could_hold_a_header_is_not_shown() -> None:
    assert "t0ken" not in str(mapped(httpx.LocalProtocolError("Illegal header value b'Bearer t0ken'")))


def test_other_exceptions_pass() -> None:
    with pytest.raises(KeyError), mapped_failures("h"):
        raise KeyError("x")


def test_an_error_gets_the_operations_name_once() -> None:
    inner, outer = make_operation(make_method(name="get")), make_operation(make_method(name="list"))
    with pytest.raises(BackendError) as caught, operation_context(outer), operation_context(inner):
        raise BackendError("500")
    assert str(caught.value) == "c.s.runs.get: 500"
