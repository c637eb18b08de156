"""Compiles the facts of `schemas/oci`: the operations of Oracle's SDK as resources, in a document's words.

`python -m tests.contracts.oci_facts` writes them again; a test compares. Which resource an operation belongs
to is said in `oci_places.py`. The operations of the MLOps client are written by hand in the documents: they
behave as MLflow does, which no SDK knows.

A row is the same whichever method answers: its columns are the fields that both the list's items and the
single object have (where a field tells one of several models, those of all of them count). A field that only
the single object has and that an UPDATE sets is a hidden column, NULL in lists; any other is in `item_`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlprovider.catalog.facts import write_facts
from sqlprovider.values import JSON
from tests.contracts.oci_places import Placed, place
from tests.contracts.oci_sdk import CONTROL_PLANE, DATA_PLANE, Field, Sdk, read_sdk, shape_of
from tests.contracts.oci_secrets import holds_secret

SCHEMAS = Path(__file__).parents[2] / "schemas" / "oci"
BY_HAND = "MLOpsClient"
ROOTS = ("aiDataPlatformId",)
_SAME_BODY = "opc-retry-token"
_ETAG = "if-match"
_ID_FIELDS = ("key", "id")
_NAMES = ("displayName", "name")
_TYPES = {
    "text": "TEXT",
    "integer": "INTEGER",
    "real": "REAL",
    "boolean": "BOOLEAN",
    "datetime": "DATETIME",
    "json": "JSON",
}
Words = dict[str, JSON]


@dataclass(frozen=True, slots=True)
class Compiled:
    """The facts of one service."""

    service: str
    version: str
    text: str

    @property
    def file(self) -> Path:
        """Where they are kept."""
        return SCHEMAS / f"{self.service}.{self.version}.json"


@dataclass(frozen=True, slots=True)
class Table:
    """What the methods of one resource have in common."""

    sdk: Sdk
    name: str
    placed: tuple[Placed, ...]
    ids: tuple[str, ...]
    """The path's parameters that tell a row, in order."""
    own_id: str | None
    """The one of them that tells the item itself."""
    fields: Mapping[str, Field]
    """What every reading method answers with."""
    single: Mapping[str, Field]
    """What the single object has."""

    def method(self, name: str) -> Placed | None:
        """The reading method of that name."""
        return next((p for p in self.placed if p.method == name and p.verb == "SELECT"), None)

    @property
    def id_field(self) -> str | None:
        """The item's field that is its own id."""
        if self.own_id is None:
            return None
        wanted = ("path",) if self.own_id.endswith("Path") else (self.own_id, *_ID_FIELDS)
        return next((name for name in wanted if name in self.fields), None)

    @property
    def columns(self) -> dict[str, Field]:
        """The fields that are columns of their own."""
        held = {*self.ids, self.id_field}
        if (listing := self.method("list")) is not None:  # a filter by the id would hide its field
            held -= {field.wire_name for field in listing.operation.query_fields}
        return {name: field for name, field in self.fields.items() if name not in held}

    @property
    def hidden(self) -> dict[str, Field]:
        """Fields of the single object alone that an UPDATE sets."""
        updates = [p for p in self.placed if p.verb == "UPDATE"]
        told = {name for p in updates for name in body_fields(self.sdk, p)}
        others = {name: f for name, f in self.single.items() if name not in self.fields}
        return {name: f for name, f in others.items() if name in told and name not in self.ids}

    @property
    def has_etag(self) -> bool:
        """Whether a write takes the etag that the single object's answer has in a header."""
        writes = [p for p in self.placed if p.verb in ("UPDATE", "DELETE")]
        return self.method("get") is not None and any(p.operation.header(_ETAG) for p in writes)


def compile_facts(service: str) -> Compiled:
    """The facts of `aidataplatform` or `aidataplatform_control`."""
    sdk = read_sdk(DATA_PLANE if service == "aidataplatform" else CONTROL_PLANE)
    wanted = [o for o in sdk.operations if o.client != BY_HAND]
    placed = [place(operation) for operation in wanted]
    (version,) = {operation.path.split("/")[1] for operation in sdk.operations}
    names = list(dict.fromkeys(p.resource for p in placed))
    tables = {name: _table(sdk, name, tuple(p for p in placed if p.resource == name)) for name in names}
    index: Words = {"source": f"{sdk.distribution} {sdk.version}", "version": version}
    resources = {name: _resource(table, tables) for name, table in tables.items()}
    return Compiled(service, version, write_facts(index, resources))


def body_fields(sdk: Sdk, placed: Placed) -> dict[str, Field]:
    """The fields of an operation's body."""
    body = placed.operation.body
    return {} if body in (None, "stream") else model_fields(sdk, body)


def model_fields(sdk: Sdk, name: str | None) -> dict[str, Field]:
    """The fields of a model; those of all where one field tells which, required only where all say so."""
    if name is None or not sdk.is_model(name):
        return {}
    model = sdk.model(name)
    fields = dict(model.fields)
    if (told_by := fields.get(model.told_by or "")) is not None and told_by.enum:
        words = tuple(dict.fromkeys((*told_by.enum, *sorted(model.tells))))
        fields[told_by.wire_name] = replace(told_by, enum=words)
    for subtype in model.subtypes:
        for wire_name, field in model_fields(sdk, subtype).items():
            fields.setdefault(wire_name, Field(wire_name, field.python_name, field.type, False, field.enum))
    return fields


def _table(sdk: Sdk, name: str, placed: tuple[Placed, ...]) -> Table:
    readers = [p for p in placed if p.verb == "SELECT"]
    items = [model_fields(sdk, _item_model(sdk, p)) for p in readers]
    both = {n: f for n, f in items[0].items() if all(n in other for other in items)} if items else {}
    gets = [model_fields(sdk, p.operation.response) for p in readers if p.method == "get"]
    routes = [[link.id for link in p.chain if link.id] for p in placed if p.verb != "EXEC"] or [
        [link.id for link in p.chain if link.id] for p in placed
    ]
    longest = max(routes, key=len)
    own = next((p.chain[-1].id for p in placed if p.is_item and p.verb != "EXEC"), None)
    shared = [id_ for id_ in longest if id_ == own or all(id_ in route for route in routes)]
    return _settled(Table(sdk, name, placed, tuple(shared), own, both, gets[0] if gets else {}))


def _settled(table: Table) -> Table:
    """A PUT or PATCH that sets no column of the rows is no UPDATE."""
    kept = [replace(p, verb="EXEC") if p.verb == "UPDATE" and not _set(table, p) else p for p in table.placed]
    return replace(table, placed=tuple(kept))


def _item_model(sdk: Sdk, placed: Placed) -> str | None:
    """The model of one row of a reading method."""
    fields = model_fields(sdk, placed.operation.response)
    if placed.method == "get" or "items" not in fields:
        return placed.operation.response
    return fields["items"].type.removeprefix("list[").removesuffix("]")


def _resource(table: Table, tables: Mapping[str, Table]) -> Words:
    """The words of one resource."""
    title = next(_item_model(table.sdk, p) for p in [*_readers(table), table.placed[0]])
    return _without_empty(
        {
            "title": (title or table.name).removesuffix("Summary"),
            "key": _key(table),
            "identity": _identity(table),
            "parents": _parents(table, tables),
            "parameters": {name: _row_parameter(table, name) for name in table.ids},
            "columns": _columns(table),
            "methods": {p.method: _method(table, p) for p in sorted(table.placed, key=_order)},
        }
    )


def _order(placed: Placed) -> tuple[int, str]:
    verbs = ("SELECT", "INSERT", "UPDATE", "DELETE", "EXEC")
    return verbs.index(placed.verb), placed.method


def _readers(table: Table) -> list[Placed]:
    return [p for p in table.placed if p.verb == "SELECT"]


def _key(table: Table) -> list[JSON]:
    """The ids; of a list without an own one, the item's `key` beside them, and none if it has none."""
    if not _readers(table):
        return []
    if table.own_id is not None or (table.method("get") and not table.method("list")):
        return [*table.ids]
    return [*table.ids, "key"] if "key" in table.fields else []


def _identity(table: Table) -> list[JSON]:
    """The name that people give it, where a create takes one."""
    taken = {name for p in table.placed if p.verb == "INSERT" for name in body_fields(table.sdk, p)}
    found = [name for name in _NAMES if name in table.columns and name in taken]
    return [*found[:1]] if _readers(table) else []


def _parents(table: Table, tables: Mapping[str, Table]) -> list[JSON]:
    """The resource whose items the ids are; for a required id in a list's query, the one that has it."""
    if not _readers(table):
        return []
    found: list[JSON] = []
    above = [id_ for id_ in table.ids if id_ != table.own_id]
    queried = [f.wire_name for f in _query(table) if f.required and f.wire_name.endswith("Key")]
    for wanted in [*queried, *reversed(above)]:
        parent = next((t for t in tables.values() if t.own_id == wanted and t.method("list")), None)
        if parent is None or parent is table or (wanted in queried and len(queried) > 1):
            continue
        shared = [id_ for id_ in parent.ids if id_ in (*above, wanted)]
        found.append({"resource": parent.name, "bind": {id_: id_ for id_ in shared}})
        break
    return found


def _query(table: Table) -> Sequence[Field]:
    listing = table.method("list")
    return listing.operation.query_fields if listing is not None else ()


def _row_parameter(table: Table, name: str) -> Words:
    if name in ROOTS and name != table.own_id:
        return {"root": True}
    field = table.id_field if name == table.own_id else None
    return {"path": field} if field is not None else {}


def _columns(table: Table) -> Words:
    columns: Words = {name: _shape(table.sdk, field) for name, field in table.columns.items()}
    for name, field in table.hidden.items():
        words = _shape(table.sdk, field)
        columns[name] = {**(words if isinstance(words, dict) else {"type": words}), "hidden": True}
    if table.has_etag:
        columns["etag"] = {"header": "etag", "hidden": True}
    return columns


def _shape(sdk: Sdk, field: Field) -> JSON:
    """A column's words; a type alone where it says all."""
    words = _typed(sdk, field)
    if field.type in ("dict(str, str)", "dict(str, dict(str, str))"):
        words["numeric_keys"] = False
    if field.enum and field.type == "str":
        words["enum"] = [*field.enum]
    if holds_secret(sdk, field):
        words["secret"] = True
    return words["type"] if len(words) == 1 else words


def _typed(sdk: Sdk, field: Field) -> Words:
    type_ = _TYPES[shape_of(sdk, field.type)]
    return {"type": type_, "wire": "rfc3339"} if type_ == "DATETIME" else {"type": type_}


def _method(table: Table, placed: Placed) -> Words:
    """The words of one method."""
    operation = placed.operation
    path = "/{version}/" + operation.path.split("/", 2)[2]
    words: Words = {
        "verb": placed.verb,
        "http": f"{operation.method} {path}",
        "wire_name": operation.name if operation.name != placed.method else None,
        "effect": "read" if placed.reads and operation.method == "POST" else None,
        "missing": True if placed.verb == "SELECT" and "{" in path.removeprefix("/{version}") else None,
        "repeat": "same_body" if operation.header(_SAME_BODY) else None,
        "parameters": dict(_parameters(table, placed)),
        **_rows(table, placed),
        **_changes(table, placed),
    }
    fields = body_fields(table.sdk, placed)
    if any(field.wire_name in fields for field in operation.path_fields):
        words["body"] = {name: f"${name}" for name in fields}  # what stands in the path, too
    return _without_empty(words)


def _rows(table: Table, placed: Placed) -> Words:
    """Where the rows are, and how a list goes on."""
    operation = placed.operation
    is_paged = any(field.wire_name == "page" for field in operation.query_fields)
    if "items" not in model_fields(table.sdk, operation.response):
        return {}
    words: Words = {"rows": "items[]"}
    if is_paged and placed.reads:
        pages = {"style": "header", "parameter": "page", "token": "opc-next-page", "size": "limit"}
        words["pages"] = {**pages}
    if placed.verb == "SELECT":
        words["push"] = _without_empty({"equals": [*_equals(table, placed)]})
    return words


def _equals(table: Table, placed: Placed) -> Iterator[str]:
    """The optional filters with a column's name: they keep the rows that have that value."""
    fields = [*placed.operation.query_fields, *body_fields(table.sdk, placed).values()]
    for field in fields:
        column = table.columns.get(field.wire_name)
        if column is None or field.required or "list" in column.type:
            continue
        if shape_of(table.sdk, column.type) in ("text", "boolean"):
            yield field.wire_name


def _changes(table: Table, placed: Placed) -> Words:
    """What a write sets and answers, and under which condition it is made."""
    words: Words = {}
    if placed.verb == "UPDATE":
        words["sets"] = [*_set(table, placed)]
    if placed.verb in ("INSERT", "UPDATE") and table.single:
        single = table.method("get")
        if single is not None and placed.operation.response == single.operation.response:
            words["answers"] = "item"
    if placed.verb in ("UPDATE", "DELETE") and table.has_etag and placed.operation.header(_ETAG):
        words["precondition"] = "etag"
    return words


def _set(table: Table, placed: Placed) -> list[str]:
    known = {**table.columns, **table.hidden}
    return [name for name in body_fields(table.sdk, placed) if name in known]


def _parameters(table: Table, placed: Placed) -> Iterator[tuple[str, JSON]]:
    """Everything that a method takes, beside the row's own parameters in its path."""
    operation = placed.operation
    for field in operation.path_fields:
        if field.wire_name not in table.ids:
            yield field.wire_name, {"in": "path"}
    in_path = [field.wire_name for field in operation.path_fields]
    for place_, fields in (
        ("query", operation.query_fields),
        ("header", operation.header_fields),
        ("body", tuple(body_fields(table.sdk, placed).values())),
    ):
        for field in fields:
            if field.wire_name not in in_path:
                words = _parameter(table, placed, field, place_)
                yield field.wire_name, {**words, **_secrecy(table, field)}
    if operation.body == "stream":
        yield "content", {"in": "body", "wire": "raw", "required": True}


def _secrecy(table: Table, field: Field) -> Words:
    """`secret`, where no column says it."""
    held = field.wire_name in table.columns or field.wire_name in table.hidden
    return {"secret": True} if not held and holds_secret(table.sdk, field) else {}


def _parameter(table: Table, placed: Placed, field: Field, place_: str) -> Words:
    """The words of one parameter."""
    words: Words = {"in": place_}
    known = {**table.columns, **table.hidden}.get(field.wire_name)
    typed = _typed(table.sdk, field)
    is_list = field.type.startswith("list[")
    if is_list and known is not None and placed.verb == "SELECT" and not field.enum:
        typed = {"type": "TEXT"}  # the column's own: the value of one row, which may look like JSON
    if typed["type"] != "TEXT" or (known is not None and shape_of(table.sdk, known.type) != "text"):
        words |= typed
    if field.required:
        words["required"] = True
    if field.enum or (known is not None and known.enum):
        words["enum"] = [*field.enum]  # not the column's, where this takes any
    if is_list:
        words["repeated"] = True
        if place_ == "query" and field.collection != "multi":
            words["join"] = "comma"
    if field.wire_name == _SAME_BODY:
        words["default"] = "token()"
    if place_ == "body" and placed.verb == "INSERT" and field.wire_name == table.id_field:
        words["is"] = table.own_id
    if field.wire_name == _ETAG and placed.verb in ("UPDATE", "DELETE") and table.has_etag:
        words["is"] = "etag"
    return words


def _without_empty(words: Words) -> Words:
    return {name: value for name, value in words.items() if value is not None and value not in ({}, [], "")}


def main() -> None:
    """Writes the facts of both services."""
    for service in ("aidataplatform", "aidataplatform_control"):
        compiled = compile_facts(service)
        compiled.file.write_text(compiled.text, encoding="utf-8")
        sys.stdout.write(f"{compiled.file.name}: {len(compiled.text)} characters\n")


if __name__ == "__main__":
    main()
