"""Google discovery documents, read: the calls of an API and the schemas they speak of.

The documents are the JSON files in `googleapiclient/discovery_cache/documents/` of google-api-python-client;
their form: https://developers.google.com/discovery/v1/reference/apis. Nothing else of them is looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from sqlprovider.catalog.collections import Chain, chain_of
from sqlprovider.catalog.discovery_secrets import secret_schemas
from sqlprovider.errors import CatalogError, Problem
from sqlprovider.values import JSON

Members = Mapping[str, JSON]

_CLIENT = "googleapiclient"
_CACHE = "discovery_cache/documents"
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_OPERATION = frozenset({"done", "error", "metadata", "name", "response"})
_RAW = frozenset({"contentType", "data", "extensions"})


@dataclass(frozen=True, slots=True)
class Call:
    """One method of a discovery document."""

    chain: Chain
    wire_name: str
    http_method: str
    path: str
    """`/{version}/projects/{projectsId}/jobs`: `flatPath`, one segment a placeholder."""
    patterns: Mapping[str, str]
    """The parameters that `flatPath` takes apart (`name`, `parent`), and what their values look like."""
    query: Mapping[str, Members]
    request: str | None
    """The schema of the body."""
    response: str | None

    @property
    def path_names(self) -> tuple[str, ...]:
        """The names of the placeholders, the version aside."""
        return tuple(name for name in _PLACEHOLDER.findall(self.path) if name != "version")

    @property
    def place(self) -> str:
        """The path without `:verb`."""
        head, slash, tail = self.path.rpartition("/")
        return head + slash + tail.partition(":")[0]

    @property
    def on_collection(self) -> bool:
        """Whether it is a call of a collection, not of one thing in it."""
        return not self.place.removesuffix("{version}").endswith("}")


@dataclass(frozen=True, slots=True)
class Discovery:
    """One discovery document."""

    service: str
    version: str
    revision: str
    calls: tuple[Call, ...]
    schemas: Mapping[str, Members] = field(repr=False)
    secret_schemas: frozenset[str] = field(repr=False)
    """Those that hold a credential."""

    def fields(self, schema: str | None) -> Mapping[str, Members]:
        """The properties of a schema, `name` first; none where there is no such schema."""
        found = members(self.schemas.get(schema or "", {}).get("properties"))
        first = {name: value for name, value in found.items() if name == "name"}
        return {name: members(value) for name, value in {**first, **found}.items()}

    def is_operation(self, schema: str | None) -> bool:
        """Whether a schema is a long-running operation."""
        return frozenset(self.fields(schema)) == _OPERATION

    def is_raw(self, schema: str | None) -> bool:
        """Whether a schema stands for a body of any kind (`HttpBody`), not for a JSON object."""
        return frozenset(self.fields(schema)) == _RAW

    def is_object(self, schema: str | None) -> bool:
        """Whether a schema is an object with fields that are known."""
        return bool(self.fields(schema)) and not self.is_raw(schema)

    def rows(self, schema: str | None) -> tuple[str, str] | None:
        """The one list of objects in an answer: its field and its items' schema; None if none or several."""
        lists = [
            (name, item)
            for name, value in self.fields(schema).items()
            if (item := reference(value.get("items"))) is not None
        ]
        return lists[0] if len(lists) == 1 else None


def find_document(given: str | Path) -> Path:
    """The file given; `aiplatform.v1` is the one of that name in the installed google-api-python-client.

    CatalogError where it is neither. The client is looked for and never imported.
    """
    if (file := Path(given)).is_file():
        return file
    client = find_spec(_CLIENT)
    for folder in () if client is None else client.submodule_search_locations or ():
        if (installed := Path(folder) / _CACHE / f"{given}.json").is_file():
            return installed
    raise _no_document(file, f"no such file, and {_CLIENT} has no discovery document of that name")


def read_discovery(file: Path) -> Discovery:
    """The document in a file. CatalogError where it is no discovery document."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise _no_document(file, f"it cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise _no_document(file, f"it is no JSON: {error}") from None
    if not isinstance(document, dict) or not {"name", "version", "resources", "schemas"} <= set(document):
        raise _no_document(file, "it is no discovery document: name, version, resources, schemas")
    version = str(document["version"])
    schemas = {name: members(schema) for name, schema in members(document["schemas"]).items()}
    return Discovery(
        service=str(document["name"]),
        version=version,
        revision=str(document.get("revision", "")),
        calls=tuple(_calls(members(document["resources"]), (), version)),
        schemas=schemas,
        secret_schemas=secret_schemas(schemas),
    )


def members(value: JSON | Members) -> Members:
    """A JSON object; an empty one where there is something else."""
    return value if isinstance(value, Mapping) else {}


def reference(value: JSON | Members) -> str | None:
    """The schema that a value refers to, if it is nothing but that."""
    found = members(value).get("$ref")
    return found if isinstance(found, str) else None


def _no_document(file: Path, message: str) -> CatalogError:
    return CatalogError((Problem(str(file), "", message),))


def _calls(resources: Members, above: Chain, version: str) -> Iterator[Call]:
    for name, value in resources.items():
        resource, collections = members(value), (*above, name)
        for wire_name, method in members(resource.get("methods")).items():
            yield _call(wire_name, members(method), chain_of(collections, version), version)
        yield from _calls(members(resource.get("resources")), collections, version)


def _call(wire_name: str, method: Members, chain: Chain, version: str) -> Call:
    parameters = {name: members(value) for name, value in members(method.get("parameters")).items()}
    return Call(
        chain=chain,
        wire_name=wire_name,
        http_method=str(method["httpMethod"]),
        path="/{version}" + str(method["flatPath"]).removeprefix(version),
        patterns={name: str(value["pattern"]) for name, value in parameters.items() if "pattern" in value},
        query={name: value for name, value in parameters.items() if value.get("location") == "query"},
        request=reference(method.get("request")),
        response=reference(method.get("response")),
    )
