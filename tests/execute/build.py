"""The values these tests are made of: a method, an operation, an executor, a clock that does not wait."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx

from sqlprovider.catalog.catalog import Catalog, ConnectionSpec
from sqlprovider.catalog.model import (
    ErrorShape,
    Method,
    Pages,
    Parameter,
    Place,
    Provider,
    Resource,
    Resources,
    Service,
    Summary,
    Verb,
    WaitShape,
)
from sqlprovider.config import ConnectionConfig
from sqlprovider.execute.clock import Clock
from sqlprovider.execute.executor import Executor
from sqlprovider.plan.model import Operation
from sqlprovider.values import JSON, Name

ERRORS = ErrorShape(
    code=("error_code",),
    message=("message",),
    missing=("RESOURCE_DOES_NOT_EXIST",),
    exists=("RESOURCE_ALREADY_EXISTS",),
)
TOKENS = Pages("token", parameter="page_token", token=("next_page_token",), size="max_results", size_max=100)
ITEMS: list[dict[str, Any]] = [{"name": f"r{n}"} for n in range(7)]
DEAD = {"error_code": "INTERNAL_ERROR", "message": "down"}
NOT_FOUND = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such experiment"}


def parameters(place: Place, *names: str, **options: Any) -> dict[str, Parameter]:
    """One parameter a name, all alike."""
    return {name: Parameter(name, name, place, **options) for name in names}


def make_method(
    http_method: str = "GET",
    path: str = "/v1/runs",
    *,
    name: str = "list",
    effect: Literal["read", "write"] = "read",
    takes: Mapping[str, Parameter] | None = None,
    rows: tuple[str, ...] | None = ("runs[]",),
    **options: Any,
) -> Method:
    verb = Verb.SELECT if effect == "read" else Verb.EXEC
    return Method(name, name, verb, effect, http_method, path, takes or {}, rows=rows, **options)


def list_method(**options: Any) -> Method:
    """A list by tokens that takes an experiment."""
    takes = parameters(Place.QUERY, "experiment", "page_token", "max_results")
    return make_method(takes=takes, **{"pages": TOKENS, **options})


def write_method(**options: Any) -> Method:
    takes = parameters(Place.BODY, "name", "labels")
    return make_method(
        "POST", "/v1/runs", **{"name": "create", "effect": "write", "takes": takes, "rows": None, **options}
    )


def make_operation(
    method: Method, *, body: JSON = None, page_size: int | None = None, service: str = "s", **arguments: Any
) -> Operation:
    return Operation(
        Name("c", service, "runs"), method, tuple(sorted(arguments.items())), body=body, page_size=page_size
    )


def make_service(**options: Any) -> Service:
    """A service of one resource, which has nothing."""
    runs = Resource(Name("c", "s", "runs"), "Runs", (), {})
    return Service(
        "s",
        "v1",
        "S",
        Resources(("runs",), {"runs": runs}.__getitem__, dict[str, Summary]().__getitem__),
        **options,
    )


def make_provider(**options: Any) -> Provider:
    service = make_service()
    values: dict[str, Any] = {
        "services": {"s": service},
        "errors": ERRORS,
        "auth_types": ("none", "basic", "token"),
        "auth_default": "none",
        "wait": WaitShape("/{version}/{name}"),
    }
    return Provider("p", "The Platform", **{**values, **options})


@dataclass
class FakeClock:
    """Time passes only where something waits."""

    time: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def clock(self, random: Callable[[], float] = lambda: 1.0) -> Clock:
        return Clock(monotonic=lambda: self.time, now=lambda: self.time, pause=self._pause, random=random)

    def _pause(self, stop: threading.Event, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds


def make_executor(
    answer: Callable[[httpx.Request], httpx.Response] | None = None,
    *,
    base_url: str = "http://127.0.0.1:9",
    environ: Mapping[str, str] | None = None,
    provider: Provider | None = None,
    clock: Clock | None = None,
    **connection: Any,
) -> Executor:
    """An executor of one connection `c`, over a function that answers or over real sockets."""
    found = provider or make_provider()
    config = ConnectionConfig("c", "p", base_url=base_url, **connection)
    catalog = Catalog({"c": ConnectionSpec("c", "p")}, lambda name, versions: found)
    transport = None if answer is None else httpx.MockTransport(answer)
    return Executor({"c": config}, catalog, transport=transport, environ=environ or {}, clock=clock)


def json_answer(
    body: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Callable[[httpx.Request], httpx.Response]:
    """Answers every request alike."""
    return lambda request: httpx.Response(status, json=body, headers=headers)


def pages_of(items: list[Any], size: int) -> Callable[[httpx.Request], httpx.Response]:
    """A list server: `page_token` is an offset; each experiment has the same items."""

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=page_of(items, size, dict(request.url.params)))

    return answer


def page_of(items: list[Any], size: int, query: Mapping[str, str]) -> dict[str, Any]:
    start = int(query.get("page_token") or 0)
    size = min(size, int(query.get("max_results") or size))
    answer: dict[str, Any] = {"runs": items[start : start + size]}
    if start + size < len(items):
        answer["next_page_token"] = str(start + size)
    return answer


def list_app(items: list[Any], size: int) -> Callable[..., list[bytes]]:
    """The same as a WSGI app."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        query = dict(httpx.QueryParams(environ["QUERY_STRING"]))
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(page_of(items, size, query)).encode()]

    return app


def names(items: list[JSON]) -> list[JSON]:
    return [item["name"] for item in items if isinstance(item, dict)]


class Script:
    """Answers one after the other; notes what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers = iter(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


def ok(body: object = None, **headers: str) -> httpx.Response:
    return httpx.Response(200, json=body if body is not None else {"runs": ITEMS[:1]}, headers=headers)


def failed(status: int, body: object = DEAD, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=body, headers={k.replace("_", "-"): v for k, v in headers.items()})


def lists(*experiments: str, method: Method | None = None, **options: Any) -> list[Operation]:
    return [make_operation(method or list_method(), experiment=name, **options) for name in experiments]


def refuse_all(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"{request.url} was sent")
