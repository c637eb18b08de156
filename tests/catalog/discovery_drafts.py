"""Small discovery documents, written as calls: what the compiler makes of one shape at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from sqlprovider.catalog.collections import name_chains
from sqlprovider.catalog.discovery import Discovery, read_discovery
from sqlprovider.catalog.discovery_facts import compile_resources
from sqlprovider.catalog.document import ResourceDocument, validate
from sqlprovider.values import JSON

Fields = dict[str, JSON]

NAME: JSON = {"type": "string", "description": "Output only. The resource name of the Box.", "readOnly": True}
SCHEMAS: dict[str, Fields] = {
    "Box": {
        "name": NAME,
        "displayName": {"type": "string", "description": "Required. How it is called."},
        "etag": {"type": "string"},
        "kind": {"type": "string", "description": "Immutable. What it is.", "enum": ["FLAT", "DEEP"]},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "ListBoxesResponse": {
        "boxes": {"type": "array", "items": {"$ref": "Box"}},
        "nextPageToken": {"type": "string"},
    },
    "Operation": {name: {"type": "any"} for name in ("name", "done", "error", "metadata", "response")},
    "HttpBody": {name: {"type": "any"} for name in ("contentType", "data", "extensions")},
    "Empty": {},
}


def call(
    http: str,
    *,
    request: str | None = None,
    response: str = "Empty",
    query: Mapping[str, JSON] | None = None,
    taken_apart: str | None = "name",
) -> Fields:
    """A method: `GET v1/projects/{projectsId}/boxes`; the ids come in one parameter, `taken_apart`."""
    method, path = http.split(" ")
    pattern = re.sub(r"\{[^{}]*\}", "[^/]+", path.partition("/")[2].partition(":")[0])
    parameters: Fields = {name: {"location": "path"} for name in re.findall(r"\{([^{}]*)\}", path)}
    if taken_apart is not None:
        parameters = {taken_apart: {"type": "string", "location": "path", "pattern": f"^{pattern}$"}}
    for name, said in (query or {}).items():
        assert isinstance(said, dict)
        parameters[name] = {"type": "string", "location": "query", **said}
    said = {"httpMethod": method, "flatPath": path, "parameters": parameters, "response": {"$ref": response}}
    return said if request is None else {**said, "request": {"$ref": request}}


def document(calls: Mapping[str, JSON], schemas: Mapping[str, Fields] | None = None) -> Fields:
    """A document; the keys are chains and names (`projects.boxes.get`)."""
    resources: Fields = {}
    for path, method in calls.items():
        *collections, name = path.split(".")
        place: Fields = {"resources": resources}
        for collection in collections:
            below = place.setdefault("resources", {})
            assert isinstance(below, dict)
            place = below.setdefault(collection, {})  # type: ignore[assignment]  # what we put there
        methods = place.setdefault("methods", {})
        assert isinstance(methods, dict)
        methods[name] = method
    shapes: Fields = {}
    for name, fields in {**SCHEMAS, **(schemas or {})}.items():
        shapes[name] = {"type": "object", "properties": fields}
    return {"name": "store", "version": "v1", "revision": "7", "resources": resources, "schemas": shapes}


def discovered(
    folder: Path, calls: Mapping[str, JSON], schemas: Mapping[str, Fields] | None = None
) -> Discovery:
    """The document, written and read."""
    file = folder / "store.v1.json"
    file.write_text(json.dumps(document(calls, schemas)), encoding="utf-8")
    return read_discovery(file)


def compiled(
    folder: Path, calls: Mapping[str, JSON], schemas: Mapping[str, Fields] | None = None
) -> dict[str, ResourceDocument]:
    """The resources of a document as the engine reads them."""
    found = discovered(folder, calls, schemas)
    resources = {}
    for name, words in compile_resources(found, name_chains({c.chain for c in found.calls}, {})).items():
        resource = validate(ResourceDocument, words)
        assert isinstance(resource, ResourceDocument), resource
        resources[name] = resource
    return resources
