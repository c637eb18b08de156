"""A stand-in for Vertex AI's TensorBoard service, v1 and v1beta1: one WSGI app over a VertexState.

It keeps state, pages, checks the bearer token and refuses what the live service documents as wrong. What the
service does not document (the grammar of `filter`, the order of a list) is chosen here: do not rely on it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from sqlprovider.values import JSON
from tests.fakes import vertex_messages as messages
from tests.fakes import vertex_points as points
from tests.fakes.faults import Fault
from tests.fakes.google_api import ApiError
from tests.fakes.google_app import check_permission, check_query, google_app
from tests.fakes.google_query import partial
from tests.fakes.proto_json import Message, Object, decode, with_enum_numbers
from tests.fakes.vertex_data import rows, vertex_large, vertex_small
from tests.fakes.vertex_items import Effect, create_batch, list_items, plan_create, plan_patch, remove_item
from tests.fakes.vertex_state import VertexState
from tests.fakes.wsgi import RecordedRequest, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = [
    "Fault",
    "Method",
    "VertexState",
    "find_method",
    "rows",
    "vertex_app",
    "vertex_large",
    "vertex_small",
]


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names: a collection or an item (`name`, with the project as it was sent), and a `:verb`."""

    version: str
    name: str
    collection: str
    item: bool
    verb: str


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a method: the request read."""

    state: VertexState
    name: str
    version: str
    request: RecordedRequest
    body: Object
    rows: int | None
    """A fault's: at most so many rows on this page."""


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the API: what it does, what its query may hold, the messages it takes and gives."""

    run: Callable[[Call], JSON]
    query: frozenset[str] = frozenset()
    body: Message | None = None
    answer: Message | None = None
    """Named only where the answer holds an enum."""
    path_bound: tuple[str, ...] = ()
    """Fields of the body that the path gives; an official client leaves them out of it."""


def vertex_app(state: VertexState, *, token: str | None = None) -> WSGIApplication:
    """The service over that state. With a token, requests must carry it as bearer."""

    def dispatch(request: RecordedRequest, rows: int | None) -> Response:
        if (response := answer_boards(state, request, rows)) is None:
            return Response.of_html(404)
        return response

    return google_app(state, dispatch, token=token)


def answer_boards(state: VertexState, request: RecordedRequest, rows_cap: int | None) -> Response | None:
    """The answer to a request that is about TensorBoards; None to any other."""
    if (found := find_method(request)) is None:
        return None
    target, method = found
    name = state.stored_name(target.name)
    check_permission(state, name, host="aiplatform.googleapis.com")
    check_query(request, method.query)
    call = Call(state, name, target.version, request, read_body(request, method), rows_cap)
    value = method.run(call)
    if method.answer is not None and request.value("$alt").endswith("enum-encoding=int"):
        value = with_enum_numbers(method.answer, value) if isinstance(value, dict) else value
    if fields := request.value("fields"):
        value = partial(value, fields)
    return Response.of_json(200, value)


def find_method(request: RecordedRequest) -> tuple[Target, Method] | None:
    """What the request names and the method that answers it; None where the API has nothing."""
    if (target := _target(request.path)) is None:
        return None
    if target.collection == "operations":
        found = _OPERATIONS.get((request.method, target.item, target.verb))
    elif target.version == "ui":
        return None
    else:
        found = _METHODS.get((request.method, target.collection, target.item, target.verb))
    return None if found is None else (target, found)


def _target(path: str) -> Target | None:
    """`/v1/projects/p/locations/l/…[:verb]`; None for a path of another shape."""
    last, colon, verb = path.rpartition(":")
    if not colon or "/" in verb:
        last, verb = path, ""
    root, version, *parts = (unquote(part) for part in last.split("/"))
    collections = tuple(parts[0::2])
    depth = len(collections)
    if root or version not in ("v1", "v1beta1", "ui") or depth < 3 or not all(parts):
        return None
    chain = messages.CHAIN[:depth]
    if collections not in (chain, (*messages.CHAIN[: depth - 1], "operations")):
        return None
    return Target(version, "/".join(parts), collections[-1], len(parts) % 2 == 0, verb)


def read_body(request: RecordedRequest, method: Method) -> Object:
    """The body in its one form, read as the message that the method takes."""
    try:
        value = request.json()
    except (ValueError, json.JSONDecodeError):
        raise ApiError("INVALID_ARGUMENT", "Invalid JSON payload received.") from None
    if method.body is None:
        if value not in (None, {}):
            raise ApiError("INVALID_ARGUMENT", "Invalid JSON payload received. This method takes no body.")
        return {}
    return decode(method.body, {} if value is None else value)


def _list(call: Call) -> JSON:
    return list_items(call.state, call.name, call.request, rows=call.rows)


def _get(call: Call) -> JSON:
    return call.state.view(call.name)


def _create(call: Call) -> JSON:
    collection = messages.COLLECTIONS[call.name.rpartition("/")[2]]
    id_ = call.request.value(collection.id_parameter) if collection.id_parameter else ""
    effect = plan_create(call.state, call.name, id_, call.body)
    if not collection.operations:
        return effect()
    location = call.name.rpartition("/")[0]
    return _start(call, location, "CreateTensorboardOperationMetadata", _typed(call, "Tensorboard", effect))


def _patch(call: Call) -> JSON:
    effect = plan_patch(call.state, call.name, call.request.value("updateMask"), call.body)
    if not messages.COLLECTIONS[call.name.split("/")[-2]].operations:
        return effect()
    return _start(call, call.name, "UpdateTensorboardOperationMetadata", _typed(call, "Tensorboard", effect))


def _delete(call: Call) -> JSON:
    return _start(call, call.name, "DeleteOperationMetadata", remove_item(call.state, call.name))


def _start(call: Call, name: str, metadata: str, effect: Effect) -> JSON:
    return call.state.start(name, effect, metadata_type=_type_url(call, metadata))


def _typed(call: Call, message: str, effect: Effect) -> Effect:
    return lambda: {"@type": _type_url(call, message), **effect()}


def _type_url(call: Call, message: str) -> str:
    return f"type.googleapis.com/google.cloud.aiplatform.{call.version}.{message}"


def _batch_create_runs(call: Call) -> JSON:
    def path(parent: str) -> str:
        if f"{parent}/runs" != call.name:
            raise ApiError(
                "INVALID_ARGUMENT", f"The parent {parent!r} of a request is not that of the batch."
            )
        return call.name

    return create_batch(call.state, messages.COLLECTIONS["runs"], call.body, paths=path)


def _batch_create_time_series(call: Call) -> JSON:
    call.state.get(call.name)

    def path(parent: str) -> str:
        if not parent.startswith(f"{call.name}/runs/"):
            raise ApiError(
                "INVALID_ARGUMENT", f"The parent {parent!r} of a request is no run of the experiment."
            )
        return f"{parent}/timeSeries"

    return create_batch(call.state, messages.COLLECTIONS["timeSeries"], call.body, paths=path)


def _get_operation(call: Call) -> JSON:
    operation = call.state.operation(call.name)
    operation.advance()
    return operation.view()


def _collection_methods(name: str) -> dict[tuple[str, str, bool, str], Method]:
    collection = messages.COLLECTIONS[name]
    message = collection.message
    with_enum = name == "timeSeries"
    item = message if with_enum else None
    listed = messages.TIME_SERIES_LIST if with_enum else None
    listing = frozenset({"filter", "orderBy", "pageSize", "pageToken", "readMask"})
    creating = frozenset(filter(None, [collection.id_parameter]))
    return {
        ("GET", name, False, ""): Method(_list, listing, answer=listed),
        ("GET", name, True, ""): Method(_get, answer=item),
        ("POST", name, False, ""): Method(_create, creating, message, answer=item),
        ("PATCH", name, True, ""): Method(
            _patch, frozenset({"updateMask"}), message, answer=item, path_bound=("name",)
        ),
        ("DELETE", name, True, ""): Method(_delete),
    }


_METHODS: dict[tuple[str, str, bool, str], Method] = {
    **_collection_methods("tensorboards"),
    **_collection_methods("experiments"),
    **_collection_methods("runs"),
    **_collection_methods("timeSeries"),
    ("POST", "runs", False, "batchCreate"): Method(_batch_create_runs, body=messages.BATCH_CREATE_RUNS),
    ("POST", "experiments", True, "batchCreate"): Method(
        _batch_create_time_series, body=messages.BATCH_CREATE_TIME_SERIES, answer=messages.TIME_SERIES_LIST
    ),
    ("POST", "runs", True, "write"): Method(
        lambda call: points.write_run(call.state, call.name, call.body),
        body=messages.WRITE_RUN,
        path_bound=("tensorboardRun",),
    ),
    ("POST", "experiments", True, "write"): Method(
        lambda call: points.write_experiment(call.state, call.name, call.body),
        body=messages.WRITE_EXPERIMENT,
        path_bound=("tensorboardExperiment",),
    ),
    ("GET", "timeSeries", True, "read"): Method(
        lambda call: points.read(call.state, call.name, call.request),
        frozenset({"maxDataPoints", "filter"}),
        answer=messages.READ,
    ),
    ("GET", "timeSeries", True, "readBlobData"): Method(
        lambda call: points.read_blobs(call.state, call.name, call.request.values("blobIds")),
        frozenset({"blobIds"}),
    ),
    ("POST", "timeSeries", True, "exportTensorboardTimeSeries"): Method(
        lambda call: points.export(call.state, call.name, call.body, rows=call.rows),
        body=messages.EXPORT,
        path_bound=("tensorboardTimeSeries",),
    ),
    ("GET", "tensorboards", True, "batchRead"): Method(
        lambda call: points.batch_read(call.state, call.name, call.request.values("timeSeries")),
        frozenset({"timeSeries"}),
        answer=messages.BATCH_READ,
    ),
    ("GET", "tensorboards", True, "readSize"): Method(
        lambda call: points.storage_size(call.state, call.name)
    ),
    ("GET", "tensorboards", True, "readUsage"): Method(lambda call: points.usage(call.state, call.name)),
}
_OPERATIONS: dict[tuple[str, bool, str], Method] = {("GET", True, ""): Method(_get_operation)}
