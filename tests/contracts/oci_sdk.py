"""The operations and models of Oracle's SDK, read out of its source; nothing of it is imported.

The source says everything: the path, the dicts of path, query and header parameters, and in the docstrings
the types, what is required and the values there are. Prose is read for those and never kept.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Literal

DATA_PLANE = ("aidp-python-client", "aidp_python_client/aidataplatform_dp")
CONTROL_PLANE = ("oci", "oci/ai_data_platform")
"""(distribution, folder in it) of each service's SDK."""

_UNKNOWN = "UNKNOWN_ENUM_VALUE"
"""What the SDK itself makes of a word that it does not know; no service sends it."""
_PARAMETER = re.compile(
    r"^\s*:param (?P<type>\S.*?) (?P<name>\w+): \((?P<need>required|optional)\)(?P<text>.*?)"
    r"(?=^\s*:param |^\s*:return:|\Z)",
    re.MULTILINE | re.DOTALL,
)
_FIELD = re.compile(r"^\s*:param (?P<name>\w+):(?P<text>.*?)(?=^\s*:param |\Z)", re.MULTILINE | re.DOTALL)
_ALLOWED = re.compile(
    r"Allowed values (?:are|for (?:this property|items in this list) are): (?P<values>[^\n]*)"
)
_QUOTED = re.compile(r"""["']([^"']+)["']""")


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter or a field of a model."""

    wire_name: str
    python_name: str
    type: str
    """`str`, `int`, `float`, `bool`, `datetime`, `object`, `list[…]`, `dict(str, …)`, or a model's name."""
    required: bool
    enum: tuple[str, ...] = ()
    collection: str | None = None
    """How a list stands in the query: `multi`, or another word for comma-joined."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a client."""

    client: str
    name: str
    method: str
    path: str
    """With the base path: `/20260430/aiDataPlatforms/{aiDataPlatformId}/…`."""
    path_fields: tuple[Field, ...]
    query_fields: tuple[Field, ...]
    header_fields: tuple[Field, ...]
    body: str | None
    """The model of the body; `stream` where it is bytes."""
    body_argument: str | None
    response: str | None
    """The model of the answer; `stream` where it is bytes."""

    def header(self, name: str) -> Field | None:
        """The header parameter of that name."""
        return next((field for field in self.header_fields if field.wire_name == name), None)


@dataclass(frozen=True, slots=True)
class Model:
    """A model: its fields, and the models that it stands for where one field tells which."""

    name: str
    fields: Mapping[str, Field]
    """By wire name."""
    subtypes: tuple[str, ...] = ()
    told_by: str | None = None
    """The field that tells which of them it is."""
    tells: tuple[str, ...] = ()
    """Its words for them."""


@dataclass(frozen=True, slots=True)
class Sdk:
    """One package of clients."""

    distribution: str
    version: str
    folder: Path

    @property
    def operations(self) -> tuple[Operation, ...]:
        """Every operation of every client."""
        files = sorted(self.folder.glob("*_client.py"))
        return tuple(operation for file in files for operation in _operations(file))

    def model(self, name: str) -> Model:
        """The model of that name."""
        return _model(self.folder / "models" / f"{_model_files(self.folder)[name]}.py", name)

    def is_model(self, name: str) -> bool:
        """Whether a type's name is a model's."""
        return name in _model_files(self.folder)


@cache
def read_sdk(source: tuple[str, str]) -> Sdk:
    """The SDK of a service, as it is installed."""
    found = distribution(source[0])
    return Sdk(source[0], found.version, Path(str(found.locate_file(source[1]))))


@cache
def _operations(file: Path) -> tuple[Operation, ...]:
    """The operations of one client's file, in its order."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    (client,) = (node for node in tree.body if isinstance(node, ast.ClassDef))
    methods = [node for node in client.body if isinstance(node, ast.FunctionDef)]
    base = next(
        text
        for node in ast.walk(methods[0])
        if isinstance(node, ast.Dict) and (text := _texts(node).get("base_path")) is not None
    )
    return tuple(_operation(client.name, base, method) for method in methods if method.name[0] != "_")


def _operation(client: str, base: str, method: ast.FunctionDef) -> Operation:
    documented = {found["name"]: found for found in _PARAMETER.finditer(ast.get_docstring(method) or "")}
    assigned = _assigned(method)
    call = next(keywords for node in ast.walk(method) if (keywords := _keywords(node)).keys() >= {"method"})
    positional = {argument.arg for argument in method.args.args}
    body = call.get("body")
    argument = body.id if isinstance(body, ast.Name) else None

    def fields(name: str) -> tuple[Field, ...]:
        return tuple(_parameters(assigned.get(name), documented, positional))

    return Operation(
        client=client,
        name=method.name,
        method=_text(assigned["method"]),
        path=base + _text(assigned["resource_path"]),
        path_fields=fields("path_params"),
        query_fields=fields("query_params"),
        header_fields=fields("header_params"),
        body=None if argument is None else _type(documented[argument]["type"]),
        body_argument=argument,
        response=_text(call["response_type"]) if "response_type" in call else None,
    )


def _parameters(
    node: ast.expr | None, documented: Mapping[str, re.Match[str]], positional: set[str]
) -> Iterator[Field]:
    """The parameters of a dict `{"wireName": kwargs.get("python_name", missing)}`; constants are left out."""
    assert node is None or isinstance(node, ast.Dict)
    for key, value in zip(node.keys, node.values, strict=True) if node is not None else ():
        if isinstance(value, ast.Constant) or key is None:
            continue
        inner, collection = value, None
        if isinstance(value, ast.Call) and _called(value) == "generate_collection_format_param":
            inner, collection = value.args[0], _text(value.args[1])
        name = inner.id if isinstance(inner, ast.Name) else _text(_first(inner))
        said = documented[name]
        required = name in positional
        yield Field(_text(key), name, _type(said["type"]), required, _enum(said["text"]), collection)


@cache
def _model_files(folder: Path) -> Mapping[str, str]:
    """Model → the name of its file."""
    tree = ast.parse((folder / "models" / "__init__.py").read_text(encoding="utf-8"))
    imports = (node for node in tree.body if isinstance(node, ast.ImportFrom) and node.level == 1)
    return {alias.name: str(node.module) for node in imports for alias in node.names}


@cache
def _model(file: Path, name: str) -> Model:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    (found,) = (node for node in tree.body if isinstance(node, ast.ClassDef))
    # A property comes before its setter, which has its name.
    methods = {node.name: node for node in reversed(found.body) if isinstance(node, ast.FunctionDef)}
    making = methods.get("__init__")
    if making is None:
        return Model(name, {})
    told = {match["name"]: match["text"] for match in _FIELD.finditer(ast.get_docstring(making) or "")}
    types = _texts(_attribute(making, "swagger_types"))
    wire_names = _texts(_attribute(making, "attribute_map"))
    fields = {}
    for python_name, type_ in types.items():
        about = ast.get_docstring(methods[python_name]) or "" if python_name in methods else ""
        required, enum = about.startswith("**[Required]**"), _enum(told.get(python_name, ""))
        wire_name = wire_names[python_name]
        fields[wire_name] = Field(wire_name, python_name, _type(type_), required, enum)
    telling = methods.get("get_subtype")
    if telling is None:
        return Model(name, fields)
    return Model(name, fields, _subtypes(telling, name), _told_by(telling), _tells(telling))


def _subtypes(method: ast.FunctionDef, name: str) -> tuple[str, ...]:
    returned = (node.value for node in ast.walk(method) if isinstance(node, ast.Return))
    names = (_text(value) for value in returned if isinstance(value, ast.Constant))
    return tuple(subtype for subtype in names if subtype != name)


def _told_by(method: ast.FunctionDef) -> str:
    return next(_text(node.slice) for node in ast.walk(method) if isinstance(node, ast.Subscript))


def _tells(method: ast.FunctionDef) -> tuple[str, ...]:
    return tuple(_text(node.comparators[0]) for node in ast.walk(method) if isinstance(node, ast.Compare))


def _attribute(method: ast.FunctionDef, name: str) -> ast.Dict:
    return next(
        node.value
        for node in ast.walk(method)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Attribute)
        and node.targets[0].attr == name
        and isinstance(node.value, ast.Dict)
    )


def _assigned(method: ast.FunctionDef) -> dict[str, ast.expr]:
    """Name → what it is set to first."""
    found: dict[str, ast.expr] = {}
    for node in ast.walk(method):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, node.value)
    return found


def _keywords(node: ast.AST) -> dict[str, ast.expr]:
    keywords = node.keywords if isinstance(node, ast.Call) else []
    return {keyword.arg: keyword.value for keyword in keywords if keyword.arg is not None}


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def _first(node: ast.expr) -> ast.expr:
    assert isinstance(node, ast.Call)
    return node.args[0]


def _text(node: ast.expr) -> str:
    assert isinstance(node, ast.Constant)
    return str(node.value)


def _texts(node: ast.Dict) -> dict[str, str]:
    """The entries of a dict whose keys and values are texts."""
    pairs = zip(node.keys, node.values, strict=True)
    return {
        str(key.value): str(value.value)
        for key, value in pairs
        if isinstance(key, ast.Constant) and isinstance(value, ast.Constant)
    }


def _type(text: str) -> str:
    """`oci.aidataplatform_dp.models.list[str]` is `list[str]`."""
    return re.sub(r"~?oci\.\w+\.models\.", "", text).strip()


def _enum(text: str) -> tuple[str, ...]:
    found = _ALLOWED.search(text)
    values = _QUOTED.findall(found["values"]) if found else []
    return tuple(value for value in values if value != _UNKNOWN)


Shape = Literal["text", "integer", "real", "boolean", "datetime", "json"]


def shape_of(sdk: Sdk, type_: str) -> Shape:
    """What a type is in JSON; a model without fields is a set of words."""
    plain: dict[str, Shape] = {
        "str": "text",
        "int": "integer",
        "float": "real",
        "bool": "boolean",
        "datetime": "datetime",
    }
    if type_ in plain:
        return plain[type_]
    return "text" if sdk.is_model(type_) and not sdk.model(type_).fields else "json"
