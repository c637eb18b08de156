"""`python -m tests.bench.vertex_server`: the stand-in for Vertex AI in a process of its own.

Below `/-/` it says how many requests it had (`counts`), what points and runs it holds (`points`, `runs`), and
begins anew (`new`).
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sqlprovider.values import JSON
from tests.bench.wire import CONTROL
from tests.fakes.loopback import Loopback
from tests.fakes.proto_json import Object
from tests.fakes.vertex import VertexState, rows, vertex_app, vertex_small

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SERIES = "projects/p/locations/l/tensorboards/t/experiments/e1/runs/r01/timeSeries/loss"
EMPTY_EXPERIMENT = "e-empty"


class _Vertex:
    """The app over a state that can be begun anew."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._begin()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = str(environ["PATH_INFO"])
        if not path.startswith(CONTROL):
            return self._app(environ, start_response)
        body = json.dumps(self._told(path.removeprefix(CONTROL))).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response("200 OK", headers)
        return [body]

    def _begin(self) -> None:
        self._state: VertexState = vertex_small()
        self._app: WSGIApplication = vertex_app(self._state)

    def _told(self, asked: str) -> JSON:
        match asked:
            case "counts":
                return dict(self._counts + self._new_counts())
            case "points":
                return [[step, _value(point)] for step, point in self._state.points[SERIES].items()]
            case "runs":
                runs = rows(self._state, "runs")
                return [[run["displayName"]] for run in runs if run["experimentsId"] == EMPTY_EXPERIMENT]
            case _:
                self._counts += self._new_counts()
                self._begin()
                return None

    def _new_counts(self) -> Counter[str]:
        return Counter(request.path for request in self._state.requests)


def _value(point: Object) -> JSON:
    scalar = point["scalar"]
    assert isinstance(scalar, dict)
    return scalar.get("value", 0)


def main() -> None:
    """Serves until stdin ends."""
    with Loopback(_Vertex()) as server:
        print(server.port, flush=True)
        sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
