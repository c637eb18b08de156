"""A call of a discovery document → the words of a method."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlprovider.catalog.collections import snake_case
from sqlprovider.catalog.discovery import Call, Discovery, Members
from sqlprovider.catalog.discovery_fields import (
    Words,
    column_words,
    description,
    holds_secret,
    is_output,
    is_required,
    named_collections,
    parameter_words,
    query_words,
    shortened,
)
from sqlprovider.catalog.discovery_ids import chosen_id, is_repeat_token
from sqlprovider.catalog.discovery_tables import Table, held_item, segments
from sqlprovider.catalog.discovery_verbs import (
    SELECTS,
    Kind,
    is_read,
    is_wait,
    kind_of,
    page_tokens,
    settable,
)
from sqlprovider.catalog.model import Verb
from sqlprovider.values import JSON

_MASK = "updateMask"
_ETAG = "etag"
_UNREACHABLE = "unreachable"
_SIZES = ("pageSize", "limit")
_LARGEST = re.compile(
    r"maximum(?: value| page size)?(?: is)? (\d+)|range 1-(\d+)|between 1 and (\d+)"
    r"|values (?:above|greater than) (\d+)",
    re.IGNORECASE,
)
_ONE_ROW = (Kind.GET, Kind.LIST, Kind.LOOKUP, Kind.PATCH, Kind.DELETE)


@dataclass(frozen=True, slots=True)
class Rows:
    """The table that a method stands in, as its facts have it."""

    table: Table
    parameters: Mapping[str, JSON]
    columns: Mapping[str, Words]


def method_words(call: Call, rows: Rows, kind: Kind | None = None, *, name: str | None = None) -> Words:
    """The method of a call, in the words of a document; `name` is its own, if it is not the call's."""
    document, kind = rows.table.document, kind or kind_of(call, rows.table)
    wire_name = call.wire_name
    words: Words = {"verb": kind.verb.value, "http": f"{call.http_method} {call.path}"}
    if (name or snake_case(wire_name)) != wire_name:
        words["wire_name"] = wire_name
    reads = kind in SELECTS or (kind is Kind.EXEC and is_read(call, rows.table))
    if reads is not (call.http_method == "GET") and kind.verb in (Verb.SELECT, Verb.EXEC):
        words["effect"] = "read" if reads else "write"
    if kind in _ONE_ROW:
        words["missing"] = True
    if is_wait(call, document):
        words["wait"] = True
    if kind is Kind.CREATE and any(map(is_repeat_token, call.query.values())):
        words["repeat"] = "same_body"
    parameters, body_columns = _parameters(call, rows, kind, reads=reads)
    if parameters:
        words["parameters"] = {name: shortened(said) for name, said in parameters.items()}
    if body_columns:
        words["body_columns"] = list(body_columns)
    words |= _answer(call, document, kind)
    return words | _update(call, rows, kind, parameters, body_columns)


def response_words(call: Call, document: Discovery, columns: Mapping[str, Words]) -> Words:
    """The columns of the answer around the rows of a list."""
    words: Words = {}
    for name, field in document.fields(call.response).items():
        said = column_words(field, document)
        said.pop("numeric_keys", None)
        if name in columns:
            words[f"{name}_"] = {**said, "path": name}
        else:
            words[name] = _plain(said)
    return words


def _plain(words: Words) -> JSON:
    return shortened(words) if words else "TEXT"


def _parameters(
    call: Call, rows: Rows, kind: Kind, *, reads: bool
) -> tuple[dict[str, Words], tuple[str, ...]]:
    """What a method takes beside the row's own ids, and the columns that go in its body as they are."""
    parameters: dict[str, Words] = {name: {} for name in call.path_names if name not in rows.parameters}
    chosen = chosen_id(call, rows.table) if kind is Kind.CREATE else None
    for name, field in call.query.items():
        parameters[name] = _query(call, rows, kind, name, field, reads=reads)
        parameters[name] |= _write_words(name, field, rows, None, chosen)
    body_columns: list[str] = []
    for name, field, at in _body(call, rows.table, kind):
        needed = kind is not Kind.PATCH and is_required(field) and not _repeats(call, name, field)
        column = _column(rows, name, is_written=not reads or needed)
        words = parameter_words(field, rows.table.document, column, body=True)
        if at:
            words["at"] = at
        if needed:
            words["required"] = True
        words |= _write_words(name, field, rows, column, chosen)
        if name in parameters:
            raise ValueError(f"{call.http_method} {call.path} takes {name} in its query and in its body")
        if words or column is None:
            parameters[name] = words
        else:
            body_columns.append(name)
    return parameters, tuple(body_columns)


def _write_words(name: str, field: Members, rows: Rows, column: Words | None, chosen: str | None) -> Words:
    """Whether a parameter is the id that the client chooses, or a secret beside the column that it is."""
    words: Words = {}
    if name == chosen:
        words["names"] = rows.table.own_id
    if holds_secret(name, field, rows.table.document) and "secret" not in (column or {}):
        words["secret"] = True
    return words


def _query(call: Call, rows: Rows, kind: Kind, name: str, field: Members, *, reads: bool) -> Words:
    """A parameter of the query; a field of the item there (`box.size` of a create) is the column."""
    document = rows.table.document
    _, dot, tail = name.partition(".")
    is_field = kind is Kind.CREATE and bool(dot) and tail in rows.columns
    is_own = is_required(field) and not dot
    column = _column(rows, tail if is_field else name, is_written=not reads or is_own)
    words = query_words(field, document, column)
    if call.http_method not in ("GET", "DELETE"):
        words["in"] = "query"
    if is_field:
        words["is"] = tail
    if is_own and kind is not Kind.PATCH:
        words["required"] = True
    if kind is Kind.CREATE and is_repeat_token(field):
        words["default"] = "token()"
    return words


def _body(call: Call, table: Table, kind: Kind) -> Iterator[tuple[str, Members, str]]:
    """(name, field, where it goes in the body) of all that a request's body takes."""
    document = table.document
    fields = document.fields(call.request)
    if document.is_raw(call.request):
        return
    if kind is Kind.PATCH:
        yield from ((name, fields[name], "") for name in settable(call, table))
        return
    holder = held_item(call, table) if kind is Kind.CREATE else None
    for name, field in fields.items():
        if name == holder:
            for inner, its_field in table.fields.items():
                if not is_output(its_field):
                    yield inner, its_field, f"{name}.{inner}"
        elif not is_output(field) and name not in call.path_names:
            yield name, field, ""


def _column(rows: Rows, name: str, *, is_written: bool) -> Words | None:
    """The column that a parameter is: of a write, or where a read cannot do without it."""
    return rows.columns.get(name) if is_written else None


def _repeats(call: Call, name: str, field: Members) -> bool:
    """Whether a field of the body says again what the path says: its collections are the path's."""
    if field.get("type") != "string":
        return False
    if named_collections(field):
        return tuple(collection for collection, _ in segments(call.place)) in named_collections(field)
    return name == "parent" or (name == "name" and not call.on_collection)


def _answer(call: Call, document: Discovery, kind: Kind) -> Words:
    """Where the rows are in an answer, and how a list goes on."""
    found = document.rows(_answered(call, document))
    if kind in (Kind.GET, Kind.LOOKUP, Kind.DELETE, Kind.BATCH_DELETE):
        return {}
    if kind in (Kind.CREATE, Kind.PATCH):
        return {"answers": "item"}
    if found is None or not _is_only_rows(call, document, kind, found[0]):
        return {}
    words: Words = {"rows": f"{found[0]}[]"}
    if (tokens := page_tokens(call, document)) is not None:
        style: Words = {"style": "token", "parameter": tokens.parameter, "token": tokens.token}
        words["pages"] = {**style, **_size(call, document)}
    elif kind is Kind.LIST:
        words["pages"] = "one"
    if document.fields(call.response).get(_UNREACHABLE, {}).get("type") == "array" and kind is Kind.LIST:
        words["incomplete"] = _UNREACHABLE
    return words


def _answered(call: Call, document: Discovery) -> str | None:
    """The schema of an answer; of a batch's operation, the one that its result has by the API's own rule."""
    if document.is_operation(call.response) and call.request is not None:
        return f"{call.request.removesuffix('Request')}Response"
    return call.response


def _size(call: Call, document: Discovery) -> Words:
    """The parameter that says how long a page may be, and the most that the API takes."""
    taken = {**document.fields(call.request), **call.query}
    size = next((name for name in _SIZES if name in taken), None)
    if size is None:
        return {}
    largest = _LARGEST.search(description(taken[size]))
    return (
        {"size": size}
        if largest is None
        else {"size": size, "size_max": int(next(filter(None, largest.groups())))}
    )


def _is_only_rows(call: Call, document: Discovery, kind: Kind, rows: str) -> bool:
    """Whether an answer says nothing that is lost if only its rows are taken."""
    if kind is not Kind.EXEC or page_tokens(call, document) is not None:
        return True
    return set(document.fields(call.response)) == {rows}


def _update(
    call: Call, rows: Rows, kind: Kind, parameters: Mapping[str, Words], body_columns: tuple[str, ...]
) -> Words:
    """What an UPDATE says of the fields that it sets, and what a write is refused for."""
    words: Words = {}
    if kind is Kind.PATCH and _MASK in call.query:
        words["mask"] = _MASK
    held = (*parameters, *body_columns)
    if kind in (Kind.PATCH, Kind.DELETE) and _ETAG in held and _ETAG in rows.columns:
        words["precondition"] = _ETAG
    return words
