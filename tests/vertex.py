"""The Vertex stand-in as a backend of cases and of the oracle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import httpx

from sqlprovider.catalog.model import Resource
from sqlprovider.values import SQLValue
from tests.cases import Backend
from tests.fakes.vertex import VertexState, rows, vertex_app
from tests.oracle import sql_value

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def vertex_backend(state: VertexState) -> Backend:
    """The stand-in over that state."""

    def objects(resource: Resource) -> Iterable[Mapping[str, SQLValue]]:
        types = {column.name: column.type for column in resource.columns}
        for found in rows(state, resource.name.resource):
            yield {name: sql_value(value, types[name]) for name, value in found.items()}

    return Backend(
        "google",
        {"base_url": "http://127.0.0.1:9", "auth": {"type": "token", "env": "GOOGLE_TOKEN"}},
        _RawTarget(vertex_app(state, token="secret")),
        objects,
        environ={"GOOGLE_TOKEN": "secret"},
    )


class _RawTarget(httpx.BaseTransport):
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
