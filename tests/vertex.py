"""The stand-ins for Vertex AI and for ml v1 as backends of cases and of the oracle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import httpx

from sqlprovider.catalog.model import Resource
from sqlprovider.values import JSON, SQLValue, Type
from tests.cases import Backend
from tests.fakes.ml import MlState, ml_app, ml_rows, ml_small
from tests.fakes.proto_json import Object
from tests.fakes.vertex import VertexState, rows, vertex_app, vertex_large, vertex_small
from tests.fakes.vertex_platform import platform_app, platform_rows
from tests.fakes.vertex_platform_data import vertex_jobs
from tests.fakes.vertex_platform_state import PlatformState
from tests.fakes.vertex_points import without_data
from tests.fakes.vertex_state import parameters_of
from tests.oracle import sql_value

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Found = Callable[[str], Iterable[Object]]
"""The true rows of a resource by its name."""


STATES: Mapping[str, Callable[[], VertexState | MlState]] = {
    "vertex_small": vertex_small,
    "vertex_large": vertex_large,
    "vertex_empty": VertexState,
    "vertex_jobs": vertex_jobs,
    "ml_small": ml_small,
}
"""What a case's `-- backend:` begins with."""


def vertex_backend(state: VertexState | MlState) -> Backend:
    """The stand-in over that state: TensorBoards alone, all of Vertex AI, or ml v1."""
    match state:
        case MlState():
            return _backend(ml_app(state, token="secret"), lambda name: ml_rows(state, name))
        case PlatformState():
            return _backend(platform_app(state, token="secret"), lambda name: _platform_rows(state, name))
        case _:
            return _backend(vertex_app(state, token="secret"), lambda name: _board_rows(state, name))


def point_rows(state: VertexState) -> Iterable[Object]:
    """Every point of every series, as `time_series_points` shows it; what is left out of a point is 0."""
    for series, points in state.points.items():
        for point in points.values():
            kind = next(kind for kind in _KINDS if kind in point)
            scalar = point.get("scalar")
            value: JSON = scalar.get("value", 0.0) if isinstance(scalar, dict) else None
            yield {
                **parameters_of(series),
                **without_data(point),
                "step": point.get("step", "0"),
                "valueType": _KINDS[kind],
                "value": None if value in _NOT_FINITE else value,
                "value_text": value if value in _NOT_FINITE else None if value is None else repr(value),
            }


_KINDS = {"scalar": "SCALAR", "tensor": "TENSOR", "blobs": "BLOB_SEQUENCE"}
_NOT_FINITE = ("NaN", "Infinity", "-Infinity")


def _board_rows(state: VertexState, resource: str) -> Iterable[Object]:
    return point_rows(state) if resource == "time_series_points" else rows(state, resource)


def _platform_rows(state: PlatformState, resource: str) -> Iterable[Object]:
    return point_rows(state) if resource == "time_series_points" else platform_rows(state, resource)


def _backend(app: WSGIApplication, found: Found) -> Backend:
    def objects(resource: Resource) -> Iterable[Mapping[str, SQLValue]]:
        types = {column.name: column.type for column in resource.columns}
        for row in found(resource.name.resource):
            yield {name: _sql_value(value, types[name]) for name, value in row.items()}

    return Backend(
        "google",
        {"base_url": "http://127.0.0.1:9", "auth": {"type": "token", "env": "GOOGLE_TOKEN"}},
        RawTarget(app),
        objects,
        environ={"GOOGLE_TOKEN": "secret"},
    )


def _sql_value(value: JSON, type_: Type) -> SQLValue:
    if type_ is Type.REAL and value is not None:
        return None if value in _NOT_FINITE else float(str(value))
    return sql_value(value, type_)


class RawTarget(httpx.BaseTransport):
    """WSGI without a server, with the target as it was sent: PATH_INFO alone takes `%2F` for a border."""

    def __init__(self, app: WSGIApplication) -> None:
        self._inner = httpx.WSGITransport(self._with_target)
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.headers["x-target"] = request.url.raw_path.decode("ascii")
        return self._inner.handle_request(request)

    def _with_target(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["REQUEST_URI"] = environ["HTTP_X_TARGET"]
        return self._app(environ, start_response)
