"""The calls of Alibaba Cloud's own PAI-DLC client: each operation with every parameter filled, by its models.

What there is to fill is read from the client's methods and the annotations of its models, so nothing here is
taken from our document.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from sqlprovider.values import JSON
from tests.fakes.loopback import Loopback
from tests.fakes.wsgi import RecordedRequest, Response, give, read_request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PACKAGE = "alibabacloud_pai_dlc20201203"
_DEEPEST = 6
"""Models may hold themselves."""
_ODD = "a/b c+%2F*~'ü☕"
_FORMS: Mapping[str, JSON] = {
    # Texts that the API wants in a form of its own.
    "start_time": "2026-01-02T03:04:05Z",
    "end_time": "2026-02-03T04:05:06Z",
    "page_number": "3",
    "page_size": "20",
    "priority": "5",
}


@dataclass(frozen=True, slots=True)
class SdkCall:
    """One call of the client: `get_tensorboard` with its ids, in the path's order, and its request."""

    method: str
    ids: tuple[str, ...]
    request: Any
    values: Mapping[str, JSON]
    """The fields of the request under the names that the API has for them."""

    @property
    def operation(self) -> str:
        """`GetTensorboard` of `get_tensorboard`."""
        return "".join(word.capitalize() for word in self.method.split("_"))

    def __call__(self, client: Any) -> None:
        arguments = list(self.ids) if self.request is None else [*self.ids, self.request]
        getattr(client, self.method)(*arguments)


@cache
def sdk_calls() -> tuple[SdkCall, ...]:
    """Every operation of the client, its parameters filled."""
    client = import_module(f"{_PACKAGE}.client").Client
    return tuple(_call(client, method) for method in sdk_methods())


@cache
def sdk_methods() -> tuple[str, ...]:
    """The names of the client's methods, one an operation."""
    client = import_module(f"{_PACKAGE}.client").Client
    ending = "_with_options"
    return tuple(sorted(name.removesuffix(ending) for name in dir(client) if name.endswith(ending)))


@contextmanager
def sdk_client(app: WSGIApplication, *, key_id: str = "id", secret: str = "secret") -> Iterator[Any]:
    """The vendor's client, speaking to that app."""
    models = import_module("alibabacloud_tea_openapi.utils_models")
    with Loopback(app) as server:
        config = models.Config(
            protocol="http",
            endpoint=server.base_url.removeprefix("http://"),
            access_key_id=key_id,
            access_key_secret=secret,
        )
        yield import_module(f"{_PACKAGE}.client").Client(config)


def sdk_models() -> Any:
    """The models of the client's requests and answers."""
    return import_module(f"{_PACKAGE}.models")


def model_fields(name: str) -> set[str]:
    """The fields of one of the client's models, under the names that the API has for them."""
    filled = _filled(getattr(sdk_models(), name), "", 0)
    return set(filled.to_map())


def recording_app(requests: list[RecordedRequest]) -> WSGIApplication:
    """Writes down what it is asked and answers that there is nothing."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        requests.append(read_request(environ))
        return give(Response.of_json(200, {"RequestId": "r", "TotalCount": 0}), start_response)

    return app


@cache
def recorded_sdk_requests() -> Mapping[str, RecordedRequest]:
    """Operation → the request that the client makes for it."""
    recorded: dict[str, RecordedRequest] = {}
    requests: list[RecordedRequest] = []
    with sdk_client(recording_app(requests)) as client:
        for call in sdk_calls():
            call(client)
            (recorded[call.operation],) = requests
            requests.clear()
    return recorded


def _call(client: type, method: str) -> SdkCall:
    hints = get_type_hints(getattr(client, method))
    hints.pop("return")
    names = [name for name in inspect.signature(getattr(client, method)).parameters if name in hints]
    ids = tuple(f"{name} {_ODD}" for name in names if hints[name] is str)
    models = [hints[name] for name in names if hints[name] is not str]
    request = _filled(models[0], "", 0) if models else None
    return SdkCall(method, ids, request, {} if request is None else request.to_map())


def _filled(hint: Any, name: str, depth: int) -> Any:
    """A value of an annotated type; `name` is the field's."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is list:
        return [_filled(arguments[0], name, depth)]
    if origin is dict:
        return {f"{name} {_ODD}": _filled(arguments[1], name, depth)}
    if isinstance(hint, type) and hasattr(hint, "from_map"):
        if depth > _DEEPEST:
            return None
        hints = get_type_hints(inspect.unwrap(vars(hint)["__init__"]))
        return hint(
            **{field: _filled(kind, field, depth + 1) for field, kind in hints.items() if field != "return"}
        )
    if hint is str:
        return _FORMS.get(name, f"{name} {_ODD}") if depth == 1 else f"{name} {_ODD}"
    plain: Mapping[Any, JSON] = {int: 7, float: 0.5, bool: True, types.NoneType: None}
    return plain.get(hint, {"any": ["thing", 1]})
