"""What every fake takes and gives: a request as it came in, a response, and the way between them and WSGI."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from sqlprovider.values import JSON

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request as it came in: `path` percent-encoded, `query` decoded in order, header names lower-case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes = b""

    def values(self, name: str) -> list[str]:
        """Every value of a query parameter."""
        return [value for key, value in self.query if key == name]

    def value(self, name: str) -> str:
        """The first value of a query parameter, or the empty string."""
        return next(iter(self.values(name)), "")

    def json(self) -> JSON:
        """The body; NaN and Infinity are refused, as they are not JSON. An empty body is None."""
        if not self.body:
            return None
        value: JSON = json.loads(self.body, parse_constant=_refuse_constant)
        return value


def _refuse_constant(text: str) -> JSON:
    raise ValueError(f"{text} is not JSON")


@dataclass(frozen=True, slots=True)
class Response:
    """What a fake answers."""

    status: int
    body: bytes
    content_type: str = "application/json; charset=UTF-8"
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of_json(cls, status: int, value: JSON, *, headers: tuple[tuple[str, str], ...] = ()) -> Response:
        """A JSON answer, printed over several lines as Google prints it."""
        return cls(status, json.dumps(value, indent=2, ensure_ascii=False).encode(), headers=headers)

    @classmethod
    def of_html(cls, status: int) -> Response:
        """The page that a front-end or a proxy gives where no API answers."""
        title = f"Error {status} ({HTTPStatus(status).phrase})"
        page = (
            f"<!DOCTYPE html>\n<html lang=en><title>{title}!!1</title><p><b>{status}.</b> That’s an error.\n"
        )
        return cls(status, page.encode(), content_type="text/html; charset=UTF-8")


def read_request(environ: WSGIEnvironment) -> RecordedRequest:
    """The request of a WSGI call."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    headers = {
        key.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for key, value in environ.items()
        if key.startswith("HTTP_") or key in ("CONTENT_TYPE", "CONTENT_LENGTH")
    }
    return RecordedRequest(
        method=environ["REQUEST_METHOD"],
        path=_path_on_the_wire(environ),
        query=tuple(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)),
        headers=headers,
        body=environ["wsgi.input"].read(length) if length else b"",
    )


def wire_target(environ: WSGIEnvironment) -> str:
    """The request's target as it was sent, path and query, percent-encoded: signatures are over it."""
    raw = environ.get("REQUEST_URI") or environ.get("RAW_URI")
    if isinstance(raw, str) and raw.startswith("/"):
        return raw
    query: str = environ.get("QUERY_STRING", "")
    return _path_on_the_wire(environ) + (f"?{query}" if query else "")


def _path_on_the_wire(environ: WSGIEnvironment) -> str:
    """PATH_INFO is decoded, so that `%2F` in an id looks like a border: the raw target is better."""
    raw = environ.get("REQUEST_URI") or environ.get("RAW_URI")
    if isinstance(raw, str):
        return urlsplit(raw).path if "://" in raw else raw.partition("?")[0]
    path: str = environ.get("PATH_INFO", "")
    try:
        return quote(path.encode("latin-1"), safe="/:")
    except UnicodeEncodeError:
        return quote(path, safe="/:")


def give(response: Response, start_response: StartResponse) -> Iterable[bytes]:
    """Hand a response to the WSGI server."""
    headers = [
        ("Content-Type", response.content_type),
        ("Content-Length", str(len(response.body))),
        *response.headers,
    ]
    start_response(f"{response.status} {HTTPStatus(response.status).phrase}", headers)
    return [response.body]


def canonical_path(path: str) -> str:
    """The path with each segment encoded in one way, whatever the sender left raw."""
    return "/".join(quote(unquote(segment), safe=":") for segment in path.split("/"))
