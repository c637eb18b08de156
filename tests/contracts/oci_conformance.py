"""Every documented operation of Oracle's AI Data Platform, as its SDK sends it and as SQL does.

Both are made to send one request with everything that the operation takes. Compared are the HTTP method, the
path, the query, the declared headers and the body, after what two right clients may do differently is made
the same: how a path is encoded, the order of the query, `True` for `true`, digits of a second, `{}` for none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime
from functools import cache
from urllib.parse import parse_qsl

import httpx

from sqlprovider.catalog.load import load_provider
from sqlprovider.catalog.model import Method, Parameter, Place, Resource, Wire
from sqlprovider.config import load_config
from sqlprovider.errors import Error
from sqlprovider.session import Session, provider_names
from sqlprovider.values import JSON
from tests.contracts.comparison import Comparison
from tests.contracts.oci_calls import CONTENT, NOT_FOUND, SERVICES, Called, Value, body_of, called
from tests.fakes.wsgi import RecordedRequest, canonical_path

Comparable = Mapping[str, object]
"""Part of a request → what is compared of it."""

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def compare() -> list[Comparison]:
    """Every operation of both services."""
    with closing(_Asker()) as asker:
        return [_compared(asker, call) for service in SERVICES for call in called(service)]


@cache
def sql_names() -> Mapping[tuple[str, str], tuple[tuple[Resource, Method], ...]]:
    """(service, the API's name of a method) → the methods of that name."""
    found: dict[tuple[str, str], tuple[tuple[Resource, Method], ...]] = {}
    for service in load_provider("oci", {}).services.values():
        for resource in service.resources.values():
            for method in resource.methods.values():
                key = (service.name, method.wire_name)
                found[key] = (*found.get(key, ()), (resource, method))
    return found


def statement(call: Called, resource: Resource, method: Method) -> str:
    """The EXEC that gives a method all that the SDK was given."""
    given = ", ".join(f"@{name} = {_literal(value)}" for name, value in _arguments(call, method))
    return f"EXEC {resource.name}.{method.name} {given}".rstrip()


def comparable(request: RecordedRequest, headers: frozenset[str]) -> Comparable:
    """A request without what two right clients may do differently."""
    return {
        "method": request.method,
        "path": canonical_path(request.path),
        "query": tuple(sorted((name, _same(value)) for name, value in request.query)),
        "headers": {name: _same(request.headers[name]) for name in headers if name in request.headers},
        "body": _same_body(request),
    }


class _Asker:
    """A session on a server that keeps each request and knows nothing."""

    def __init__(self) -> None:
        self.requests: list[RecordedRequest] = []
        connection = {"base_url": "http://127.0.0.1:9", "auth": {"type": "none"}}
        config = load_config({"connections": {"oci": connection}}, environ={}, providers=provider_names())
        transport = httpx.MockTransport(self._answer)
        self._session = Session(config, transport=transport, environ={})

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        pairs = tuple(parse_qsl(query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append(RecordedRequest(request.method, path, pairs, headers, request.content))
        return httpx.Response(404, json=NOT_FOUND)

    def ask(self, sql: str) -> RecordedRequest:
        """The one request that a statement makes."""
        before = len(self.requests)
        try:
            for result in self._session.run(sql):
                list(result.rows)
        except Error:
            if len(self.requests) == before:
                raise
        (request,) = self.requests[before:]
        return request

    def close(self) -> None:
        """Closes the session."""
        self._session.close()


def _compared(asker: _Asker, call: Called) -> Comparison:
    name = f"{call.service}.{call.operation.client}.{call.operation.name}"
    found = sql_names().get((call.service, call.operation.name), ())
    if len(found) != 1:
        return Comparison(name, None, equal=False, reason=f"{len(found)} methods are this operation")
    ((resource, method),) = found
    sql_name = f"{resource.name}.{method.name}"
    try:
        ours = asker.ask(statement(call, resource, method))
    except Error as error:
        return Comparison(name, sql_name, equal=False, reason=str(error).partition("\n")[0])
    declared = frozenset(field.wire_name for field in call.operation.header_fields)
    sent, wanted = comparable(ours, declared), comparable(call.request, declared)
    different = [
        f"{part}: {sent[part]!r} for {wanted[part]!r}" for part in wanted if sent[part] != wanted[part]
    ]
    told = different or _allowances(ours, call.request)
    return Comparison(name, sql_name, equal=not different, reason="; ".join(told))


def _allowances(ours: RecordedRequest, theirs: RecordedRequest) -> list[str]:
    """What differs between two requests that are taken to be equal, beside the order and the encoding."""
    kinds = [request.headers.get("content-type") for request in (ours, theirs)]
    named = f"the body is called {kinds[0]}, and {kinds[1]} by the client"
    return [named] if ours.body and kinds[0] != kinds[1] else []


def _arguments(call: Called, method: Method) -> Iterator[tuple[str, JSON | Value]]:
    """Every argument by the method's own name for it. KeyError where it has none."""
    for place, values in ((Place.PATH, call.path), (Place.QUERY, call.query), (Place.HEADER, call.headers)):
        for wire_name, value in values.items():
            parameter = _by_wire_name(method, place, wire_name)
            yield parameter.name, _in_sql(parameter, value)
    if call.operation.body == "stream":
        yield "content", CONTENT
        return
    for field, given in body_of(call.request).items():
        parameter = _of_body(method, field)
        if parameter.place is Place.BODY:
            yield parameter.name, _in_sql(parameter, given)


def _by_wire_name(method: Method, place: Place, wire_name: str) -> Parameter:
    found = (p for p in method.parameters.values() if p.place is place and p.wire_name == wire_name)
    return next(found, None) or _lacking(method, wire_name)


def _of_body(method: Method, field: str) -> Parameter:
    """The parameter that goes to a field of the body, by its place or by the body's template."""
    template = method.body if isinstance(method.body, dict) else {}
    named = str(template.get(field, "")).removeprefix("$")
    found = (p for p in method.parameters.values() if p.at == (field,) or p.name == named)
    return next(found, None) or _lacking(method, field)


def _lacking(method: Method, name: str) -> Parameter:
    raise Error(f"{method.name} takes no {name}")


def _in_sql(parameter: Parameter, value: object) -> JSON | Value:
    """A list of keys and values as the object that it is in SQL."""
    if parameter.wire is Wire.KEY_VALUE and isinstance(value, list):
        return {str(item["key"]): item["value"] for item in value}
    if parameter.repeated and parameter.type.value == "TEXT" and isinstance(value, list):
        (value,) = value
    return value  # type: ignore[return-value]  # what JSON decodes to


def _literal(value: JSON | Value) -> str:
    match value:
        case None:
            return "NULL"
        case bool():
            return str(value).upper()
        case int() | float():
            return repr(value)
        case datetime():
            return f"'{value:%Y-%m-%d %H:%M:%S.}{value.microsecond // 1000:03}'"
        case list() | dict():
            return _literal(json.dumps(value, ensure_ascii=False))
        case _:
            text = value.replace("'", "''")
            return f"'{text}'"


def _same(text: str) -> str:
    """A word of the query or of a header: truth values and times in one form."""
    if _TIME.fullmatch(text):
        return datetime.fromisoformat(text).isoformat(timespec="milliseconds")
    return text.lower() if text in ("True", "False") else text


def _same_body(request: RecordedRequest) -> object:
    try:
        decoded = request.json() or {}
    except ValueError:
        return request.body
    return _same_json(decoded)


def _same_json(value: JSON) -> JSON:
    match value:
        case str():
            return _same(value) if _TIME.fullmatch(value) else value
        case list():
            return [_same_json(item) for item in value]
        case dict():
            return {key: _same_json(item) for key, item in value.items()}
        case _:
            return value
