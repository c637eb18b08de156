"""Every operation of Google's APIs as we send it and as Google's own API client does: method, path, query.

The client is google-api-python-client, built from the discovery document in its package; it makes an
HttpRequest and sends nothing. Ours is what an EXEC of the operation's method sends to a transport that only
writes down.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import httpx

from sqlprovider.catalog.load import load_provider
from sqlprovider.catalog.model import Method, Resource
from sqlprovider.config import load_config
from sqlprovider.errors import Error
from sqlprovider.session import Session, provider_names
from sqlprovider.values import JSON
from tests.contracts.comparison import Comparison
from tests.fakes.google_discovery import discovery_content
from tests.fakes.proto_json import Object
from tests.fakes.wsgi import canonical_path

_PLACEHOLDER = re.compile(r"\{(\+?)([^{}]+)\}")
_WILDCARD = re.compile(r"\[\^/\]\+")
SHADOWED = "equal to the description; the client has only the resource of this name"
ODD_IDS = (
    "p",
    "it's naïve ☕",
    "a+b~c*d",
    "x=1&y;z,$!(@)",
    "12345678901",
    "..a.",
    "a:b",
    "ümlaut 漢字",
    "-_.",
)
"""Ids as they may be, in turn. `/`, `%`, `?` and `#` are left out: the client lets them change the path."""


class Sent(NamedTuple):
    """What is compared of a request."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Described:
    """One method of a discovery document."""

    chain: tuple[str, ...]
    name: str
    said: Mapping[str, Any]
    shadowed: bool
    """A nested resource has the method's name: the client has the resource only."""

    @property
    def id(self) -> str:
        """Its key here and in the documents: HTTP method and path."""
        return f"{self.said['httpMethod']} /{self.path}"

    @property
    def path(self) -> str:
        """`v1/projects/{projectsId}/…`."""
        return str(self.said.get("flatPath", self.said["path"]))


def compare(service: str, version: str) -> list[Comparison]:
    """Every operation that the vendor describes of `aiplatform` or `ml`, in its order."""
    ours = _our_methods(service, version)
    clients: dict[tuple[str, ...], Any] = {(): _client(service, version)}
    found = []
    with closing(_Sender(service, version)) as sender:
        for described in _described(_object(discovery_content(service, version).get("resources"))):
            operation = str(described.said["id"])
            theirs = (
                _described_request(described) if described.shadowed else _their_request(clients, described)
            )
            for resource, method in ours.get(described.id, []):
                name = f"{resource.name}.{method.name}"
                difference = sender.difference(name, described, theirs)
                reason = difference or (SHADOWED if described.shadowed else "")
                found.append(Comparison(operation, name, not difference, reason))
            if described.id not in ours:
                found.append(Comparison(operation, None, False, "no resource has it"))
    return found


def arguments_of(described: Described) -> tuple[dict[str, str], dict[str, JSON]]:
    """Sample ids for the path, by name, and a sample value for every query parameter, by its wire name."""
    names = [found[2] for found in _PLACEHOLDER.finditer(described.path)]
    ids = {name: ODD_IDS[index % len(ODD_IDS)] for index, name in enumerate(names)}
    parameters = _object(described.said.get("parameters"))
    query = {n: _sample(_object(p)) for n, p in parameters.items() if _object(p).get("location") == "query"}
    return ids, query


def _sample(parameter: Object) -> JSON:
    value: JSON
    enum = parameter.get("enum")
    match parameter.get("type"):
        case "boolean":
            value = True
        case "integer" | "number":
            value = 7
        case _ if isinstance(enum, list):
            value = enum[-1]
        case _ if parameter.get("format") in ("int64", "uint64"):
            value = "12345678901"
        case _ if parameter.get("format") == "google-datetime":
            value = "2026-01-02T03:04:05.678Z"
        case _ if parameter.get("format") == "google-duration":
            value = "3.5s"
        case _:
            value = "a b/c+d=1&é☕*~"
    return [value, value] if parameter.get("repeated") else value


def _described(resources: Object, chain: tuple[str, ...] = ()) -> Iterator[Described]:
    for name, resource in resources.items():
        below = _object(resource)
        nested = _object(below.get("resources"))
        for method, said in _object(below.get("methods")).items():
            yield Described((*chain, name), method, _object(said), method in nested)
        yield from _described(nested, (*chain, name))


def _our_methods(service: str, version: str) -> dict[str, list[tuple[Resource, Method]]]:
    found: dict[str, list[tuple[Resource, Method]]] = {}
    for resource in load_provider("google", {service: version}).services[service].resources.values():
        for method in resource.methods.values():
            found.setdefault(f"{method.http_method} {method.path}", []).append((resource, method))
    return found


def _client(service: str, version: str) -> Any:
    """The client, which no call makes send anything."""
    from google.auth.credentials import AnonymousCredentials
    from googleapiclient.discovery import build_from_document  # type: ignore[import-untyped]  # it has no stubs

    credentials = AnonymousCredentials()  # type: ignore[no-untyped-call]  # google-auth has no annotation here
    return build_from_document(discovery_content(service, version), credentials=credentials)


def _described_request(described: Described) -> Sent:
    """What the description says is to be sent."""
    ids, query = arguments_of(described)
    path = _PLACEHOLDER.sub(lambda found: quote(ids[found[2]], safe=""), described.path)
    return _sent(
        str(described.said["httpMethod"]), f"/{path}?{urlencode(query, doseq=True)}".replace("=True", "=true")
    )


def _their_request(clients: dict[tuple[str, ...], Any], described: Described) -> Sent:
    """What the client would send. `clients` are those of the chains so far: each takes long to make."""
    from googleapiclient.discovery import fix_method_name, key2param

    ids, query = arguments_of(described)
    given = {key2param(name): value for name, value in {**_their_ids(described, ids), **query}.items()}
    for depth, collection in enumerate(described.chain):
        above, chain = described.chain[:depth], described.chain[: depth + 1]
        if chain not in clients:
            clients[chain] = getattr(clients[above], fix_method_name(collection))()
    request = getattr(clients[described.chain], fix_method_name(described.name))(**given)
    return _sent(str(request.method), str(request.uri))


def _their_ids(described: Described, ids: Mapping[str, str]) -> dict[str, JSON]:
    """The client's path parameters: `name` is a pattern, whose wildcards are the ids in turn."""
    left = iter(ids.values())
    parameters = _object(described.said["parameters"])
    found: dict[str, JSON] = {}
    for placeholder in _PLACEHOLDER.finditer(str(described.said["path"])):
        name = placeholder[2]
        pattern = str(_object(parameters[name]).get("pattern", "^[^/]+$")).replace(".*", "[^/]+")
        found[name] = _WILDCARD.sub(lambda _: next(left), pattern.strip("^$"))
    return found


def _sent(method: str, url: str) -> Sent:
    parts = urlsplit(url)
    pairs = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair != ("alt", "json")]
    return Sent(method, canonical_path(parts.path), tuple(sorted(pairs)))


class _Sender(httpx.BaseTransport):
    """A session whose requests go nowhere, and the last one that it made."""

    def __init__(self, service: str, version: str) -> None:
        connection = {
            "base_url": "http://127.0.0.1:9",
            "auth": {"type": "none"},
            "version": {service: version},
        }
        config = load_config({"connections": {"google": connection}}, environ={}, providers=provider_names())
        self._session = Session(config, transport=self, environ={})
        self._last: Sent | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Writes down; the answer is that of an operation that is done, or of an empty list."""
        self._last = _sent(request.method, str(request.url))
        return httpx.Response(200, json={"name": "operations/1", "done": True})

    def difference(self, name: str, described: Described, theirs: Sent) -> str:
        """How our request differs; empty where it does not."""
        ids, query = arguments_of(described)
        words = ", ".join(f'@"{key}" = {_literal(value)}' for key, value in {**ids, **query}.items())
        # An empty body stands for the fields of the body, which are not compared here.
        words += " @@json = '{}'" if "request" in described.said else ""
        self._last = None
        try:
            for result in self._session.run(f"EXEC {name} {words}"):
                list(result.rows)
        except Error as error:
            if self._last is None:
                return f"{type(error).__name__}: {error}"
        if self._last is None:
            return "nothing was sent"
        return "" if self._last == theirs else f"{self._last} is not {theirs}"

    def close(self) -> None:
        """Closes the session."""
        self._session.close()


def _literal(value: JSON) -> str:
    match value:
        case bool() | int():
            return str(int(value))
        case str():
            return "'" + value.replace("'", "''") + "'"
        case _:
            return _literal(json.dumps(value, ensure_ascii=False))


def _object(value: JSON) -> Object:
    return value if isinstance(value, dict) else {}
