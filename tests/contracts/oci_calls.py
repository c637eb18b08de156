"""Every operation of Oracle's SDK called once with everything it takes, and what that sends.

The values are made from the types alone; a word that an enum knows is taken from it. The server answers each
request with the same error, so that no call makes a second one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from sqlprovider.values import JSON
from tests.contracts.oci_sdk import CONTROL_PLANE, DATA_PLANE, Field, Operation, Sdk, read_sdk
from tests.fakes.loopback import Loopback
from tests.fakes.wsgi import RecordedRequest, Response, give, read_request
from tests.oci import oracle, sdk_client

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Value = bool | int | float | str | datetime | list["Value"] | dict[str, "Value"]
SERVICES: Mapping[str, tuple[str, str]] = {
    "aidataplatform": DATA_PLANE,
    "aidataplatform_control": CONTROL_PLANE,
}
"""Service → where its SDK is."""
MODULES: Mapping[str, str] = {
    "aidataplatform": "aidp_python_client.aidataplatform_dp",
    "aidataplatform_control": "oci.ai_data_platform",
}
CONTENT = "a few bytes, some of them an ü"
"""What goes up where an operation takes bytes."""
NOT_FOUND: dict[str, JSON] = {"code": "NotAuthorizedOrNotFound", "message": "there is no such thing"}
"""The answer to every request."""
_MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
_DEPTH = 3
"""Models in models in models: what lies deeper is left out."""


@dataclass(frozen=True, slots=True)
class Called:
    """One call: what was given, by wire name, and what went over the wire."""

    service: str
    operation: Operation
    path: Mapping[str, Value]
    query: Mapping[str, Value]
    headers: Mapping[str, Value]
    request: RecordedRequest


def called(service: str) -> tuple[Called, ...]:
    """Every operation of a service, called."""
    return _called(service)


def answer_not_found(requests: list[RecordedRequest]) -> WSGIApplication:
    """A server that keeps each request and knows nothing."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        requests.append(read_request(environ))
        return give(Response.of_json(404, NOT_FOUND), start_response)

    return app


@cache
def _called(service: str) -> tuple[Called, ...]:
    sdk, requests = read_sdk(SERVICES[service]), list[RecordedRequest]()
    with Loopback(answer_not_found(requests)) as server:
        names = {operation.client for operation in sdk.operations}
        clients = {name: sdk_client(name, server.base_url) for name in names}
        return tuple(
            _call(service, sdk, clients[operation.client], operation, requests)
            for operation in sdk.operations
        )


def _call(
    service: str, sdk: Sdk, client: object, operation: Operation, requests: list[RecordedRequest]
) -> Called:
    places = (operation.path_fields, operation.query_fields, operation.header_fields)
    path, query, headers = ({field.wire_name: _value(sdk, field) for field in fields} for fields in places)
    headers = {name: _in_ascii(value) for name, value in headers.items()}
    # Without it the SDK leaves `/` and `..` in an id as they are.
    arguments: dict[str, object] = {"enable_strict_url_encoding": True}
    for fields, values in zip(places, (path, query, headers), strict=True):
        arguments |= {field.python_name: values[field.wire_name] for field in fields}
    if operation.body_argument is not None:
        arguments[operation.body_argument] = _body(sdk, service, operation, path)
    before = len(requests)
    service_error: type[Exception] = oracle("oci").exceptions.ServiceError
    with pytest.raises(service_error):
        getattr(client, operation.name)(**arguments)
    (request,) = requests[before:]
    return Called(service, operation, path, query, headers, request)


def _body(sdk: Sdk, service: str, operation: Operation, path: Mapping[str, Value]) -> object:
    """The body: bytes, or an object of its model, which says the same as the path where both have a field."""
    if operation.body == "stream":
        return CONTENT.encode()
    body = _model(sdk, oracle(MODULES[service]), operation.body or "", 1)
    for field in operation.path_fields:
        if hasattr(body, field.python_name):
            setattr(body, field.python_name, path[field.wire_name])
    return body


def _value(sdk: Sdk, field: Field) -> Value:
    """A value for a parameter of the path, the query or a header."""
    if field.type.startswith("list["):
        return [*field.enum[:2]] if field.enum else [f"{field.wire_name} ü/1"]
    if field.enum:
        return field.enum[0]
    return _plain(sdk, field.type, f"{field.wire_name} ü/+&:%2F")


def _in_ascii(value: Value) -> Value:
    """What a header can hold."""
    return value.replace("ü", "u") if isinstance(value, str) else value


def _plain(sdk: Sdk, type_: str, text: str) -> Value:
    plain: dict[str, Value] = {"int": 7, "bool": True, "float": 0.5, "datetime": _MOMENT}
    return plain.get(type_, text)


def _model(sdk: Sdk, module: ModuleType, name: str, depth: int) -> object:
    """An object of a model with all its fields; of the first of several where a field tells which."""
    model = sdk.model(name)
    if model.subtypes:
        return _model(sdk, module, model.subtypes[0], depth)
    made = dict(_fields(sdk, module, model.fields.values(), depth))
    own = getattr(module.models, name)()
    # The field that tells which of several models it is has its value already.
    told = {n: v for n, v in made.items() if getattr(own, n) is None}
    return getattr(module.models, name)(**told)


def _fields(
    sdk: Sdk, module: ModuleType, fields: Iterable[Field], depth: int
) -> Iterator[tuple[str, object]]:
    for field in fields:
        value = _field(sdk, module, field, field.type, depth)
        if value is not None:
            yield field.python_name, value


def _field(sdk: Sdk, module: ModuleType, field: Field, type_: str, depth: int) -> object:
    """A value of a type; None where it would be a model too deep."""
    if type_.startswith("list["):
        item = _field(sdk, module, field, type_[5:-1], depth)
        return None if item is None else [item]
    if type_.startswith("dict("):
        item = _field(sdk, module, field, type_[5:-1].partition(", ")[2], depth)
        return None if item is None else {"a key": item}
    if type_ == "object":
        return {"any": ["thing", 1, None]}
    if sdk.is_model(type_) and sdk.model(type_).fields:
        return _model(sdk, module, type_, depth + 1) if depth < _DEPTH else None
    return field.enum[0] if field.enum else _plain(sdk, type_, f"{field.wire_name} 'ü'")


def body_of(request: RecordedRequest) -> dict[str, object]:
    """The fields of a recorded body."""
    found: object = json.loads(request.body) if request.body else {}
    assert isinstance(found, dict)
    return found
