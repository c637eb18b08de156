"""What the official client sends, and the form in which its requests and ours are compared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlprovider.values import JSON
from tests.fakes.google_rest import read_body as read_rest_body
from tests.fakes.loopback import Loopback
from tests.fakes.proto_json import Object, camel
from tests.fakes.sdk_calls import SdkCall
from tests.fakes.vertex import find_method, read_body
from tests.fakes.vertex_platform import VERTEX, platform_app
from tests.fakes.vertex_platform_data import vertex_jobs
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
    headers: tuple[tuple[str, str], ...]


def record_sdk_request(call: SdkCall) -> RecordedRequest:
    """The request that the official client makes for a call: its first, before pages and polls."""
    return record_sdk_requests(call)[0]


def record_sdk_requests(call: SdkCall) -> list[RecordedRequest]:
    """Every request that the official client makes for a call on `vertex_jobs()`."""
    state = vertex_jobs()
    with service_client(platform_app(state), call.service) as client:
        call(client)
    return state.requests


@contextmanager
def sdk_client(app: WSGIApplication, *, token: str = "t0ken") -> Iterator[TensorboardServiceClient]:
    """The official client of TensorBoards over REST, with a token that it never renews."""
    with service_client(app, "Tensorboard", token=token) as client:
        yield client


@contextmanager
def service_client(app: WSGIApplication, service: str, *, token: str = "t0ken") -> Iterator[Any]:
    """An official client, `Job` for JobServiceClient, over REST, speaking to that app."""
    from google.auth.credentials import Credentials
    from google.cloud import aiplatform_v1

    class StaticToken(Credentials):
        def __init__(self) -> None:
            super().__init__()  # type: ignore[no-untyped-call]  # google-auth has no annotation here
            self.token = token

        def refresh(self, request: object) -> None:
            """A 401 makes the client ask for a new token; it has to do with this one."""

    with Loopback(app) as server:
        options = {"api_endpoint": server.base_url}
        of_service = getattr(aiplatform_v1, f"{service}ServiceClient")
        with of_service(transport="rest", credentials=StaticToken(), client_options=options) as client:
            yield client


def normalise(request: RecordedRequest) -> ComparableRequest:
    """The request as a value to compare: encodings, orders and defaults that mean the same are made the same.

    The path is encoded in one way. System parameters (`$alt`, `alt`) and empty values are left out of the
    query, which is sorted; a mask's paths are camelCase and sorted. The body is read as proto3 JSON: enums as
    names, int64 as text, times in one form, defaults dropped, and without the fields that the path gives. Of
    the headers, those count that say who asks and what the body is: the rest describe the client, or repeat
    the path for gRPC's routers.
    """
    return ComparableRequest(
        request.method,
        canonical_path(request.path),
        _comparable_query(request),
        _comparable_body(request),
        _comparable_headers(request),
    )


def _comparable_headers(request: RecordedRequest) -> tuple[tuple[str, str], ...]:
    names = ("authorization", "content-type") if request.body else ("authorization",)
    return tuple((name, request.headers.get(name, "")) for name in names)


def _comparable_query(request: RecordedRequest) -> tuple[tuple[str, str], ...]:
    pairs = (
        (key, ",".join(sorted(map(camel, value.split(",")))) if key in _MASKS else value)
        for key, value in request.query
        if value and key not in ("$alt", "alt")
    )
    return tuple(sorted(pairs))


def _comparable_body(request: RecordedRequest) -> JSON:
    if (found := find_method(request)) is not None:
        _, method = found
        body: Object = read_body(request, method)
        return {key: value for key, value in body.items() if key not in method.path_bound}
    document = VERTEX.document("v1" if "/v1/" in request.path else "v1beta1")
    if (named := document.find(request.method, request.path)) is None:
        return request.json()
    body = read_rest_body(request, document, named.method)
    # What the path gives, an official client leaves out of the body.
    return {key: value for key, value in body.items() if value != named.name}
