"""A discovery document as a stand-in needs it: which method a request names, and its messages.

The documents are those inside google-api-python-client, a vendor's own description of its API.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from sqlprovider.values import JSON
from tests.fakes.proto_json import (
    BOOL,
    BYTES,
    DOUBLE,
    INT32,
    INT64,
    STRING,
    TEXT_MAP,
    TIMESTAMP,
    Enumeration,
    FieldType,
    Message,
    Object,
    Repeated,
    Scalar,
    decode,
)

_DURATION = re.compile(r"(-?\d+)(?:\.(\d{1,9}))?s")


def _read_duration(value: JSON) -> JSON:
    """`3.5s` with no, 3, 6 or 9 digits behind the point, as many as are needed."""
    if not isinstance(value, str) or (match := _DURATION.fullmatch(value)) is None:
        raise ValueError
    digits = (match[2] or "").ljust(9, "0")
    for _ in range(3):
        digits = digits.removesuffix("000")
    return f"{match[1]}{'.' + digits if digits else ''}s"


ANY = Scalar("any", lambda value: value)
_OF_FORMAT = {
    "byte": BYTES,
    "int64": INT64,
    "uint64": INT64,
    "google-datetime": TIMESTAMP,
    "google-duration": Scalar("duration", _read_duration),
}
_OF_TYPE = {"string": STRING, "integer": INT32, "number": DOUBLE, "boolean": BOOL, "any": ANY}


@dataclass(frozen=True, slots=True)
class ApiMethod:
    """One method. `chain` are the collections that lead to it, `projects` first."""

    chain: tuple[str, ...]
    name: str
    http_method: str
    path: str
    """`v1/projects/{projectsId}/jobs/{jobsId}:cancel`."""
    query: frozenset[str]
    request: str | None
    response: str

    @property
    def id(self) -> str:
        """`projects.locations.customJobs.cancel`."""
        return ".".join((*self.chain, self.name))


class Found(NamedTuple):
    """A request's method, and what its path names: without version and verb, ids decoded."""

    method: ApiMethod
    name: str
    version: str


@dataclass(slots=True)
class _Node:
    literal: dict[str, _Node] = field(default_factory=dict)
    parameter: _Node | None = None
    methods: dict[tuple[str, str], ApiMethod] = field(default_factory=dict)
    """By HTTP method and verb."""


class Document:
    """One version of an API."""

    def __init__(self, content: Mapping[str, JSON]) -> None:
        self._schemas = _dict(content.get("schemas"))
        self._messages: dict[str, Message] = {}
        self._root = _Node()
        self.methods = {method.id: method for method in _methods(_dict(content.get("resources")))}
        for method in self.methods.values():
            self._enter(method)

    def find(self, http_method: str, path: str) -> Found | None:
        """The method that answers a request, if there is one. `path` is percent-encoded."""
        last, colon, verb = path.rpartition(":")
        for target, said in ((last, verb), (path, "")) if colon and "/" not in verb else ((path, ""),):
            root, version, *parts = (unquote(part) for part in target.split("/"))
            node = None if root else _walk(self._root, [version, *parts])
            if node is not None and (method := node.methods.get((http_method, said))) is not None:
                return Found(method, "/".join(parts), version)
        return None

    def message(self, schema: str) -> Message:
        """A schema as a message; its fields are read when they are asked for, for some hold themselves."""
        if schema not in self._messages:
            properties = _dict(_dict(self._schemas[schema]).get("properties"))
            self._messages[schema] = Message(_short(schema), _Fields(self, properties))
        return self._messages[schema]

    def roles(self, schema: str) -> Mapping[str, str]:
        """Field → `output`, `immutable`, `required` or `optional`."""
        properties = _dict(_dict(self._schemas[schema]).get("properties"))
        return {name: _role(_dict(said)) for name, said in properties.items()}

    def type_of(self, said: Mapping[str, JSON]) -> FieldType:
        """The type that a schema's property has."""
        if isinstance(reference := said.get("$ref"), str):
            return self.message(reference)
        if isinstance(names := said.get("enum"), list):
            return Enumeration(tuple(map(str, names)))
        match said.get("type"):
            case "array":
                return Repeated(self.type_of(_dict(said.get("items"))))
            case "object":
                return self._map_of(_dict(said.get("additionalProperties")))
            case type_:
                return _OF_FORMAT.get(str(said.get("format")), _OF_TYPE[str(type_)])

    def _map_of(self, values: Mapping[str, JSON]) -> FieldType:
        of = self.type_of(values) if values else ANY
        if of is STRING:
            return TEXT_MAP
        if not isinstance(of, Message):
            return Scalar("map", _read_map, {})
        return Scalar("map", lambda value: {k: decode(of, v, at=k) for k, v in _read_map(value).items()}, {})

    def _enter(self, method: ApiMethod) -> None:
        path, _, verb = method.path.partition(":")
        node = self._root
        for segment in path.split("/"):
            if segment.startswith("{"):
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literal.setdefault(segment, _Node())
        node.methods[method.http_method, verb] = method


class _Fields(Mapping[str, FieldType]):
    def __init__(self, document: Document, properties: Mapping[str, JSON]) -> None:
        self._document, self._properties = document, properties
        self._types: dict[str, FieldType] = {}

    def __getitem__(self, name: str) -> FieldType:
        if name not in self._types:
            self._types[name] = self._document.type_of(_dict(self._properties[name]))
        return self._types[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._properties)

    def __len__(self) -> int:
        return len(self._properties)


@cache
def discovery_document(api: str, version: str) -> Document:
    """`aiplatform`, `v1`: the document of the installed client."""
    return Document(discovery_content(api, version))


def discovery_content(api: str, version: str) -> Object:
    """The same as JSON. The client itself is not imported: that takes seconds."""
    spec = find_spec("googleapiclient")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    folder = Path(spec.submodule_search_locations[0]) / "discovery_cache" / "documents"
    content: Object = json.loads((folder / f"{api}.{version}.json").read_text(encoding="utf-8"))
    return content


def _methods(resources: Mapping[str, JSON], chain: tuple[str, ...] = ()) -> Iterator[ApiMethod]:
    for name, resource in resources.items():
        below = _dict(resource)
        for method, said in _dict(below.get("methods")).items():
            yield _method((*chain, name), method, _dict(said))
        yield from _methods(_dict(below.get("resources")), (*chain, name))


def _method(chain: tuple[str, ...], name: str, said: Mapping[str, JSON]) -> ApiMethod:
    parameters = _dict(said.get("parameters"))
    request, response = _dict(said.get("request")), _dict(said.get("response"))
    return ApiMethod(
        chain,
        name,
        str(said["httpMethod"]),
        str(said.get("flatPath", said["path"])),
        frozenset(key for key, value in parameters.items() if _dict(value).get("location") == "query"),
        str(request["$ref"]) if "$ref" in request else None,
        str(response.get("$ref", "")),
    )


def _walk(node: _Node, segments: list[str]) -> _Node | None:
    """The node of a path; a name that is spelled out is preferred to an id."""
    if not segments:
        return node
    head, *rest = segments
    if not head:
        return None
    found = _walk(node.literal[head], rest) if head in node.literal else None
    if found is None and node.parameter is not None:
        return _walk(node.parameter, rest)
    return found


def _role(said: Mapping[str, JSON]) -> str:
    text = str(said.get("description", ""))
    if said.get("readOnly") or text.startswith("Output only."):
        return "output"
    for role in ("Immutable", "Required"):
        if text.startswith((f"{role}.", f"Required. {role}.")):
            return role.lower()
    return "optional"


def _read_map(value: JSON) -> Object:
    if not isinstance(value, dict):
        raise ValueError
    return value


def _short(schema: str) -> str:
    """`GoogleCloudAiplatformV1CustomJob` → `CustomJob`; `GoogleCloudMlV1__Job` → `Job`."""
    for prefix in ("GoogleCloudAiplatformV1beta1", "GoogleCloudAiplatformV1", "GoogleCloudMlV1__"):
        if schema.startswith(prefix):
            return schema.removeprefix(prefix)
    return schema


def _dict(value: JSON) -> Object:
    return value if isinstance(value, dict) else {}
