"""Operation → httpx.Request. Pure: nothing is sent, and nothing but the arguments is read."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote

import httpx

from sqlprovider.catalog.model import Method, Parameter, Path, Place, Wire
from sqlprovider.errors import InternalError, ProgrammingError
from sqlprovider.plan.batch import render_rows
from sqlprovider.plan.model import Operation
from sqlprovider.values import JSON

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate", "User-Agent": "sqlprovider"}


def build_request(
    operation: Operation,
    *,
    base_url: str,
    page: Mapping[str, JSON] | None = None,
    version: str = "",
) -> httpx.Request:
    """The request for one page of an operation; `page` is what the paginator adds, by parameter name."""
    method = operation.method
    said = {**dict(operation.arguments), **_fields(operation), **(page or {})}
    arguments = {name: value for name, value in said.items() if value is not None}
    try:
        url = base_url + _path(method, arguments, version)
        if query := "&".join(_query(method, arguments)):
            url += f"?{query}"
        headers = {**_HEADERS, **method.headers, **dict(_headers(method, arguments))}
        content, kind = _content(operation, arguments)
        if content is not None:
            headers["Content-Type"] = kind
        encoded = [(name.encode("ascii"), value.encode()) for name, value in headers.items()]
        return httpx.Request(method.http_method, url, headers=encoded, content=content)
    except UnicodeEncodeError:
        raise ProgrammingError(
            "an argument holds text that is not valid Unicode", reason="wrong_value"
        ) from None
    except httpx.InvalidURL:
        raise ProgrammingError(
            f"the request's URL would have {len(url)} characters, more than can be sent", reason="too_long"
        ) from None


def build_poll(path: str, *, base_url: str, name: str, version: str) -> httpx.Request:
    """The request that asks for a long-running operation; each segment of its name is quoted whole."""
    quoted = "/".join(quote_segment(segment, name="name") for segment in name.split("/"))
    values = {"name": quoted, "version": quote(version, safe="")}
    filled = _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), path)
    return httpx.Request("GET", base_url + filled, headers=_HEADERS)


def quote_segment(value: str, *, name: str) -> str:
    """A value as one path segment. Raises ProgrammingError for what would change the path itself."""
    if value in ("", ".", ".."):
        raise ProgrammingError(
            f"{name} cannot be {value!r}: it stands in the URL's path", reason="wrong_value"
        )
    return quote(value, safe="")


def _fields(operation: Operation) -> Mapping[str, JSON]:
    """The argument that names the fields wanted."""
    spelling = operation.method.push.fields
    return {} if spelling is None or operation.fields is None else {spelling.parameter: operation.fields}


def _parameter(method: Method, name: str) -> Parameter:
    if (found := method.parameters.get(name)) is not None:
        return found
    for parameter in method.parameters.values():
        if parameter.wire_name == name:
            return parameter
    raise InternalError(f"{method.name} has no parameter {name!r}")


def _placed(method: Method, arguments: Mapping[str, JSON], place: Place) -> Iterator[tuple[Parameter, JSON]]:
    """The arguments that go to one place, in the document's order."""
    given = {_parameter(method, name).name: value for name, value in arguments.items()}
    for parameter in method.parameters.values():
        if parameter.place is place and parameter.name in given:
            yield parameter, given[parameter.name]


def _path(method: Method, arguments: Mapping[str, JSON], version: str) -> str:
    values = {parameter.name: value for parameter, value in _placed(method, arguments, Place.PATH)}
    by_wire_name = {p.wire_name: p.name for p in method.parameters.values() if p.place is Place.PATH}

    def fill(found: re.Match[str]) -> str:
        name = by_wire_name.get(found[1], found[1])
        if name in values:
            text = _text(values[name], name=name)
            segments = text.split("/") if method.parameters[name].slashes else [text]
            return "/".join(quote_segment(segment, name=name) for segment in segments)
        if name == "version" and version:
            return quote_segment(version, name=name)
        raise ProgrammingError(f"{name} is not given", reason="missing_parameter")

    return _PLACEHOLDER.sub(fill, method.path)


def _query(method: Method, arguments: Mapping[str, JSON]) -> Iterator[str]:
    for parameter, value in _placed(method, arguments, Place.QUERY):
        name = quote(parameter.wire_name, safe="")
        for text in _query_texts(parameter, value):
            yield f"{name}={quote(text, safe='')}"


def _query_texts(parameter: Parameter, value: JSON) -> list[str]:
    if parameter.join == "json" and (parameter.repeated or isinstance(value, list | dict)):
        return [_dump(_as_list(value) if parameter.repeated else value)]
    if not parameter.repeated and not isinstance(value, list):
        return [_dump(value) if isinstance(value, dict) else _text(value, name=parameter.name)]
    texts = [
        _dump(v) if isinstance(v, dict | list) else _text(v, name=parameter.name) for v in _as_list(value)
    ]
    return [",".join(texts)] if parameter.join == "comma" and texts else texts


def _headers(method: Method, arguments: Mapping[str, JSON]) -> Iterator[tuple[str, str]]:
    for parameter, value in _placed(method, arguments, Place.HEADER):
        items = [
            _dump(v) if isinstance(v, dict | list) else _text(v, name=parameter.name) for v in _as_list(value)
        ]
        text = ",".join(items)
        # A line end would begin a header of the value's own.
        if any(ord(character) < 32 or ord(character) == 127 for character in text):
            raise ProgrammingError(f"{parameter.name} goes into a header and cannot hold control characters")
        yield parameter.wire_name, text.strip()


def _content(operation: Operation, arguments: Mapping[str, JSON]) -> tuple[bytes | None, str]:
    """The body, and what it is."""
    method = operation.method
    if operation.rows:
        return _dump(render_rows(method.body, operation.rows)).encode(), "application/json"
    for parameter, value in _placed(method, arguments, Place.BODY):
        if parameter.wire is Wire.RAW:
            return base64.b64decode(str(value)), "application/octet-stream"
    placed = {parameter.name: value for parameter, value in _placed(method, arguments, Place.BODY)}
    body = _body(method, {**arguments, **placed}, placed)
    if operation.body is not None:
        body = operation.body if body in (None, {}, []) else _merge(operation.body, body)
    if body is None and _wants_body(method):
        body = {}
    return None if body is None else _dump(body).encode(), "application/json"


def _wants_body(method: Method) -> bool:
    # Some servers take a POST without a body for an empty question and answer `{}`; none refuses `{}`.
    if method.body is False:
        return False
    takes_body = any(parameter.place is Place.BODY for parameter in method.parameters.values())
    return method.http_method == "POST" or (takes_body and method.http_method in ("PUT", "PATCH"))


def _body(method: Method, arguments: Mapping[str, JSON], placed: Mapping[str, JSON]) -> JSON:
    """The body of the template and of the parameters with a place of their own; None where there is none."""
    names = {f"${name}": name for name in method.parameters}
    body = None if method.body in (None, False) else _render(method.body, names, arguments)
    in_template = _names_in(method.body, names)
    for name, value in placed.items():
        parameter = method.parameters[name]
        if name in in_template:
            continue
        path = parameter.at or (parameter.wire_name,)
        sent: JSON = _as_list(value) if parameter.repeated else value
        body = _merge(body if body is not None else {}, _nested(path, sent))
    return body


def _render(template: JSON, names: Mapping[str, str], arguments: Mapping[str, JSON]) -> JSON:
    """The template with its arguments; None for what holds arguments and had none of them given."""
    match template:
        case str() if template in names:
            return arguments.get(names[template])
        case dict():
            fields = {key: _render(value, names, arguments) for key, value in template.items()}
            kept: dict[str, JSON] = {k: v for k, v in fields.items() if v is not None or template[k] is None}
            return kept if kept or not template else None
        case list():
            items = [_render(item, names, arguments) for item in template]
            left = [
                item for item, asked in zip(items, template, strict=True) if item is not None or asked is None
            ]
            return left if left or not template else None
        case _:
            return template


def _names_in(template: JSON, names: Mapping[str, str]) -> frozenset[str]:
    match template:
        case str():
            return frozenset({names[template]} if template in names else ())
        case dict():
            return frozenset().union(*(_names_in(value, names) for value in template.values()))
        case list():
            return frozenset().union(*(_names_in(value, names) for value in template))
        case _:
            return frozenset()


def _nested(path: Path, value: JSON) -> JSON:
    for key in reversed(path):
        value = {key: value}
    return value


def _merge(below: JSON, above: JSON) -> JSON:
    """`above` laid over `below`: objects key by key, anything else replaced."""
    if not isinstance(above, dict):
        return above
    if not isinstance(below, dict):
        raise ProgrammingError(
            "arguments of the body cannot be added to a body that is no JSON object", reason="wrong_value"
        )
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _as_list(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else [value]


def _text(value: JSON, *, name: str) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | float():
            return _dump(_finite(value)).strip('"')
        case _:
            raise ProgrammingError(f"{name} must be one value, not a list or an object", reason="wrong_value")


def _dump(value: JSON) -> str:
    """Compact JSON, never with a literal NaN: servers take one for a wrong body, or store 0."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _finite(value: JSON) -> JSON:
    match value:
        case float() if math.isnan(value):
            return "NaN"
        case float() if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        case dict():
            return {key: _finite(item) for key, item in value.items()}
        case list():
            return [_finite(item) for item in value]
        case _:
            return value
