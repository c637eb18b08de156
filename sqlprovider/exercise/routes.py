"""Requests read back: which method they call, and with what."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, unquote

import httpx

from sqlprovider.catalog.model import Column, Method, Parameter, Place, Resource, Wire
from sqlprovider.exercise.batches import read_rows
from sqlprovider.values import JSON

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Call:
    """One request of one method, its arguments by the parameters' names."""

    resource: Resource
    method: Method
    arguments: Mapping[str, JSON]
    request: httpx.Request
    rows: tuple[Mapping[str, JSON], ...] = ()
    """Of a batch, the arguments of each of its rows; `arguments` are the first one's."""


def read_calls(request: httpx.Request, resources: Iterable[Resource]) -> list[Call]:
    """What a request can be read as, the likeliest first: a batch of several rows; of several methods with
    its route, the one that takes all of it; of several such, one that changes a key of a map; of several
    such, the first."""
    resources, path = list(resources), request.url.raw_path.decode("ascii").partition("?")[0]
    fitting = [
        (resource, method, found)
        for resource in resources
        for method in resource.methods.values()
        if method.http_method == request.method and (found := _pattern(method).fullmatch(path)) is not None
    ]
    calls = [
        Call(resource, method, dict(_arguments(method, found, request)), request)
        for resource, method, found in sorted(fitting, key=lambda fit: -len(_literal(fit[1])))
    ]
    calls.sort(key=lambda call: (not _is_whole(call), _unread(call), keyed_column(call) is None))
    return [*_batches(request, path, resources), *calls]


def keyed_column(call: Call) -> Column | None:
    """The map that a call changes one key of."""
    keyed = (c for c in call.resource.columns if call.method.name in (c.set_key, c.delete_key))
    return next(keyed, None)


def _batches(request: httpx.Request, path: str, resources: Iterable[Resource]) -> Iterator[Call]:
    """The request as the rows of a batch, where it holds several whole ones."""
    for resource in resources:
        for method in resource.methods.values():
            call = None if method.batch is None else method.batch.call
            if call is None or call.http_method != request.method or not request.content:
                continue
            found = _pattern(call).fullmatch(path)
            if found is None:
                continue
            shared = dict(_arguments(replace(call, body=False), found, request))
            rows = [{**shared, **row} for row in read_rows(call.body, json.loads(request.content))]
            needed = {p.name for p in method.parameters.values() if p.required}
            if len(rows) > 1 and all(needed <= set(row) for row in rows):
                yield Call(resource, method, rows[0], request, tuple(rows))


def _pattern(method: Method) -> re.Pattern[str]:
    """A value is quoted whole: it holds no `:`, and `/` only where it stands for several segments."""
    found = ""
    for place, piece in enumerate(_PLACEHOLDER.split(method.path)):
        if place % 2:
            parameter = method.parameters.get(piece)
            value = "[^:]+" if parameter is not None and parameter.slashes else "[^/:]+"
            found += f"(?P<g{place}>{value})"
        else:
            found += re.escape(piece)
    return re.compile(found)


def _literal(method: Method) -> str:
    return _PLACEHOLDER.sub("", method.path)


def _is_whole(call: Call) -> bool:
    return all(name in call.arguments for name in call.method.required)


def _unread(call: Call) -> int:
    """How much of the query and the body no parameter takes."""
    wire_names = {p.wire_name for p in call.method.parameters.values() if p.place is Place.QUERY}
    return sum(name not in wire_names for name, _ in _query(call.request))


def _arguments(method: Method, found: re.Match[str], request: httpx.Request) -> Iterator[tuple[str, JSON]]:
    by_wire_name = {p.wire_name: p for p in method.parameters.values() if p.place is Place.PATH}
    for place, name in enumerate(_PLACEHOLDER.findall(method.path)):
        parameter = method.parameters.get(name) or by_wire_name.get(name)
        if parameter is not None:
            yield parameter.name, unquote(found[f"g{2 * place + 1}"])
    is_raw = any(parameter.wire is Wire.RAW for parameter in method.parameters.values())
    body: JSON = json.loads(request.content) if request.content and not is_raw else None
    in_template = dict(_template_values(method, method.body, body))
    for parameter in method.parameters.values():
        match parameter.place:
            case Place.QUERY:
                yield from _query_argument(parameter, _query(request))
            case Place.HEADER if parameter.wire_name in request.headers:
                yield parameter.name, request.headers[parameter.wire_name]
            case Place.BODY if parameter.wire is Wire.RAW:
                yield parameter.name, base64.b64encode(request.content).decode("ascii")
            case Place.BODY if parameter.name in in_template:
                yield parameter.name, in_template[parameter.name]
            case Place.BODY if parameter.at:
                value = _at(body, parameter.at)
                if value is not None:
                    yield parameter.name, value


def _query(request: httpx.Request) -> list[tuple[str, str]]:
    return parse_qsl(request.url.query.decode("ascii"), keep_blank_values=True)


def _query_argument(parameter: Parameter, query: list[tuple[str, str]]) -> Iterator[tuple[str, JSON]]:
    given = [value for name, value in query if name == parameter.wire_name]
    if given and parameter.repeated:
        texts = given[0].split(",") if parameter.join == "comma" else given
        yield parameter.name, json.loads(given[0]) if parameter.join == "json" else list[JSON](texts)
    elif given:
        yield parameter.name, given[-1]


def _template_values(method: Method, template: JSON, body: JSON) -> Iterator[tuple[str, JSON]]:
    """The arguments where the body's template has their names."""
    match template:
        case str() if template.startswith("$") and template[1:] in method.parameters and body is not None:
            yield template[1:], body
        case dict() if isinstance(body, dict):
            for key, below in template.items():
                yield from _template_values(method, below, body.get(key))
        case list() if isinstance(body, list):
            for below, value in zip(template, body, strict=False):
                yield from _template_values(method, below, value)


def _at(body: JSON, path: tuple[str, ...]) -> JSON:
    for key in path:
        body = body.get(key) if isinstance(body, dict) else None
    return body
