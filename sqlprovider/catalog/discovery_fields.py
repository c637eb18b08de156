"""A field of a discovery schema → the words of a column or a parameter: its type, and the part it plays.

Descriptions are read for the parts only ("Required.", "Output only.", …) and never kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from sqlprovider.catalog.discovery import Discovery, Members, members, reference
from sqlprovider.catalog.discovery_secrets import is_secret, properties, references
from sqlprovider.catalog.model import Wire
from sqlprovider.values import JSON, Type

Words = dict[str, JSON]
"""What a facts file says of something, in the words of `document.py`."""

_PART = re.compile(
    r"(Required|Optional|Output only|Input only|Immutable|Identifier|Unordered list|Deprecated)[.:;,]\s*",
    re.IGNORECASE,
)
_PATTERN = re.compile(r"((?:projects|publishers)/\{[^`'\"\s]*\})")
_FORMATS: Mapping[str, tuple[Type, Wire]] = {
    "int64": (Type.INTEGER, Wire.INT64),
    "uint64": (Type.INTEGER, Wire.INT64),
    "google-datetime": (Type.DATETIME, Wire.RFC3339),
    "date-time": (Type.DATETIME, Wire.RFC3339),
}
_TYPES: Mapping[str, tuple[Type, Wire]] = {
    "string": (Type.TEXT, Wire.PLAIN),
    "integer": (Type.INTEGER, Wire.PLAIN),
    "number": (Type.REAL, Wire.NUMBER),
    "boolean": (Type.BOOLEAN, Wire.PLAIN),
}


def parts(field: Members) -> frozenset[str]:
    """The parts a field plays, in lower case: what its description begins with, and `readOnly`.

    >>> sorted(parts({"description": "Required. Immutable. The kind of value."}))
    ['immutable', 'required']
    """
    text, found = description(field), set[str]()
    while (part := _PART.match(text)) is not None:
        found.add(part[1].lower())
        text = text[part.end() :]
    if field.get("readOnly") is True:
        found.add("output only")
    return frozenset(found)


def description(field: Members) -> str:
    """What the document says of a field; to be read, not to be kept."""
    found = field.get("description")
    return found if isinstance(found, str) else ""


def is_output(field: Members) -> bool:
    """Whether only the server sets it."""
    return "output only" in parts(field)


def is_input(field: Members) -> bool:
    """Whether the server takes it and never answers with it."""
    return "input only" in parts(field)


def is_required(field: Members) -> bool:
    """Whether a request without it is refused."""
    return "required" in parts(field) and not is_output(field)


def is_fixed(field: Members) -> bool:
    """Whether it never changes once the thing is made."""
    return bool({"output only", "immutable", "identifier"} & parts(field))


def named_collections(field: Members) -> tuple[tuple[str, ...], ...]:
    """The collections of each resource name whose form a description gives.

    >>> named_collections({"description": "Format: `projects/{project}/locations/{location}`"})
    (('projects', 'locations'),)
    """
    return tuple(tuple(form.split("/")[::2]) for form in _PATTERN.findall(description(field)))


def column_words(field: Members, document: Discovery) -> Words:
    """A column's words, without those that are the default."""
    type_, wire = _type(field)
    words: Words = {} if type_ is Type.TEXT else {"type": type_.value}
    if wire is not Wire.PLAIN:
        words["wire"] = wire.value
    if (values := _enum(field)) and type_ is Type.TEXT:
        words["enum"] = values
    if type_ is Type.JSON and _holds_texts(field, document):
        words["numeric_keys"] = False
    return words


def holds_secret(name: str, field: Members, document: Discovery) -> bool:
    """Whether a credential is in a field, or somewhere below one that is sent."""
    if is_secret(name, field):
        return True
    if is_output(field):
        return False
    written_out = any(is_secret(inner, held) for inner, held in properties(field))
    return written_out or not document.secret_schemas.isdisjoint(references(field))


def field_words(name: str, field: Members, document: Discovery) -> Words:
    """The words of a column of the item: its type, and whether it is a secret or never answered."""
    words = column_words(field, document)
    if holds_secret(name, field, document):
        words["secret"] = True
    if is_input(field):
        words["write_only"] = True
    return words


def parameter_words(field: Members, document: Discovery, column: Words | None, *, body: bool) -> Words:
    """A parameter's words, without those that it has by default or from the column that it is."""
    said = column_words(field, document)
    like = dict(column or {})
    words: Words = {}
    type_, its_type = said.get("type", Type.TEXT.value), like.get("type", Type.TEXT.value)
    if type_ != its_type:
        words["type"] = type_
        like = {}
    wire = said.get("wire") if body or type_ == Type.DATETIME.value else None
    if wire != like.get("wire"):
        words["wire"] = wire or Wire.PLAIN.value
    if said.get("enum") != like.get("enum"):
        words["enum"] = said.get("enum", [])
    return words


def query_words(field: Members, document: Discovery, column: Words | None) -> Words:
    """A query parameter's words; one that may stand there several times is a JSON list."""
    if field.get("repeated") is not True:
        return parameter_words(field, document, column, body=False)
    return {"type": Type.JSON.value, "repeated": True}


def shortened(words: Words) -> JSON:
    """`{"type": "JSON"}` as `"JSON"`."""
    return words["type"] if list(words) == ["type"] else words


def _enum(field: Members) -> list[JSON]:
    values = field.get("enum")
    return list(values) if isinstance(values, list) else []


def _type(field: Members) -> tuple[Type, Wire]:
    kind, form = str(field.get("type")), str(field.get("format"))
    if kind not in _TYPES:
        return Type.JSON, Wire.PLAIN
    return _FORMATS.get(form, _TYPES[kind])


def _holds_texts(field: Members, document: Discovery) -> bool:
    """Whether all there is under the keys of an object is text: labels, and numbers that travel as text."""
    values = list(_values(field, document))
    return bool(values) and all(value.get("type") == "string" for value in values)


def _values(field: Members, document: Discovery) -> Iterator[Members]:
    if (schema := reference(field)) is not None:
        field = document.schemas.get(schema, {})
    if field.get("type") == "object":
        if additional := members(field.get("additionalProperties")):
            yield additional
        yield from map(members, members(field.get("properties")).values())
