"""What the official client sends, and the form in which its requests and ours are compared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from sqlprovider.values import JSON
from tests.fakes.loopback import Loopback
from tests.fakes.proto_json import Object, camel
from tests.fakes.sdk_calls import SdkCall
from tests.fakes.vertex import find_method, read_body, vertex_app, vertex_small
from tests.fakes.wsgi import RecordedRequest, canonical_path

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from google.cloud.aiplatform_v1.services.tensorboard_service import TensorboardServiceClient

_MASKS = ("updateMask", "readMask")


class ComparableRequest(NamedTuple):
    """A request without what two correct clients may do differently."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    body: JSON


def record_sdk_request(call: SdkCall) -> RecordedRequest:
    """The request that the official client makes for a call: its first, before pages and polls."""
    return record_sdk_requests(call)[0]


def record_sdk_requests(call: SdkCall) -> list[RecordedRequest]:
    """Every request that the official client makes for a call on `vertex_small()`."""
    state = vertex_small()
    with sdk_client(vertex_app(state)) as client:
        call(client)
    return state.requests


@contextmanager
def sdk_client(app: WSGIApplication, *, token: str = "t0ken") -> Iterator[TensorboardServiceClient]:
    """The official client over REST, speaking to that app, with a token that it never renews."""
    from google.auth.credentials import Credentials
    from google.cloud.aiplatform_v1.services.tensorboard_service import TensorboardServiceClient

    class StaticToken(Credentials):
        def __init__(self) -> None:
            super().__init__()  # type: ignore[no-untyped-call]  # google-auth has no annotation here
            self.token = token

        def refresh(self, request: object) -> None:
            """A 401 makes the client ask for a new token; it has to do with this one."""

    with Loopback(app) as server:
        options = {"api_endpoint": server.base_url}
        client = TensorboardServiceClient(transport="rest", credentials=StaticToken(), client_options=options)
        with client:
            yield client


def normalise(request: RecordedRequest) -> ComparableRequest:
    """The request as a value to compare: encodings, orders and defaults that mean the same are made the same.

    The path is encoded in one way. System parameters (`$alt`, `alt`) and empty values are left out of the
    query, which is sorted; a mask's paths are camelCase and sorted. The body is read as proto3 JSON: enums as
    names, int64 as text, times in one form, defaults dropped, and without the fields that the path gives.
    """
    return ComparableRequest(
        request.method, canonical_path(request.path), _comparable_query(request), _comparable_body(request)
    )


def _comparable_query(request: RecordedRequest) -> tuple[tuple[str, str], ...]:
    pairs = (
        (key, ",".join(sorted(map(camel, value.split(",")))) if key in _MASKS else value)
        for key, value in request.query
        if value and key not in ("$alt", "alt")
    )
    return tuple(sorted(pairs))


def _comparable_body(request: RecordedRequest) -> JSON:
    if (found := find_method(request)) is None:
        return request.json()
    _, method = found
    body: Object = read_body(request, method)
    return {key: value for key, value in body.items() if key not in method.path_bound}
