"""Which verb a call is, by its shape: what it takes and answers with proves what its name says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlprovider.catalog.collections import Chain
from sqlprovider.catalog.discovery import Call, Discovery, members, reference
from sqlprovider.catalog.discovery_fields import is_fixed
from sqlprovider.catalog.discovery_tables import Table, held_item, is_get, is_list, is_lookup
from sqlprovider.catalog.model import Verb

_READS = re.compile(
    r"(streaming)?(?i:get|read|fetch|search|lookup|find|retrieve|count|list|compute|test)([A-Z].*)?"
)
_PAGE_TOKENS = (("pageToken", "nextPageToken"), ("page", "next_page"))


class Kind(StrEnum):
    """What a call does, finer than a verb."""

    GET = "get"
    LIST = "list"
    LOOKUP = "lookup"
    CREATE = "create"
    PATCH = "patch"
    DELETE = "delete"
    BATCH_CREATE = "batch create"
    BATCH_DELETE = "batch delete"
    EXEC = "exec"

    @property
    def verb(self) -> Verb:
        """What it is in SQL."""
        return _VERBS.get(self, Verb.EXEC)


_VERBS: Mapping[Kind, Verb] = {
    Kind.GET: Verb.SELECT,
    Kind.LIST: Verb.SELECT,
    Kind.LOOKUP: Verb.SELECT,
    Kind.CREATE: Verb.INSERT,
    Kind.BATCH_CREATE: Verb.INSERT,
    Kind.PATCH: Verb.UPDATE,
    Kind.DELETE: Verb.DELETE,
    Kind.BATCH_DELETE: Verb.DELETE,
}


@dataclass(frozen=True, slots=True)
class PageTokens:
    """How the pages of a list follow each other."""

    parameter: str
    token: str


def kind_of(call: Call, table: Table) -> Kind:
    """What a call does; EXEC where nothing else is proven."""
    if is_get(call, table):
        return Kind.GET
    if is_list(call, table):
        return Kind.LIST
    if is_lookup(call, table):
        return Kind.LOOKUP
    for kind, proves in _WRITES.items():
        if proves(call, table):
            return kind
    return Kind.EXEC


def settable(call: Call, table: Table) -> tuple[str, ...]:
    """The fields that a patch can set: neither the server's, nor fixed, nor what the path says already."""
    identities = {table.identity(name).get("path") for name in table.row_ids}
    fields = table.fields.items() if call.request == table.item else ()
    return tuple(name for name, field in fields if not is_fixed(field) and name not in identities)


def page_tokens(call: Call, document: Discovery) -> PageTokens | None:
    """The parameter and the field of the answer by which a list goes on."""
    taken = {*call.query, *document.fields(call.request)}
    answered = document.fields(call.response)
    for parameter, token in _PAGE_TOKENS:
        if parameter in taken and token in answered:
            return PageTokens(parameter, token)
    return None


def is_wait(call: Call, document: Discovery) -> bool:
    """Whether the answer is an operation to wait for, not one that was asked for by its name."""
    asks = call.chain[-1] == "operations" or "operationName" in document.fields(call.request)
    return document.is_operation(call.response) and not asks


def is_read(call: Call, table: Table) -> bool:
    """Whether a call certainly changes nothing: it answers at once, and reads by its name or its pages."""
    if is_wait(call, table.document):
        return False
    if call.http_method == "GET":
        return True
    if call.http_method != "POST":
        return False
    waits = call.chain[-1] == "operations" and call.wire_name == "wait"
    answers = bool(table.document.fields(call.response))
    named = _READS.fullmatch(call.wire_name) is not None
    return waits or (answers and (named or page_tokens(call, table.document) is not None))


def batch_target(call: Call, table: Table, tables: Mapping[Chain, Table]) -> Table | None:
    """The table whose items a `batchCreate` makes: its own, else the nearest below; None if it makes none."""
    made = tuple(_made(call, table.document))
    if table.item in made:
        return table
    below = [
        found
        for chain, found in tables.items()
        if found.item in made and "create" in found.calls and chain[: len(table.chain)] == table.chain
    ]
    return min(below, key=lambda found: len(found.chain), default=None)


def _made(call: Call, document: Discovery) -> Iterator[str]:
    """The schemas that the requests of a `batchCreate` hold."""
    if not call.wire_name.startswith("batchCreate") or call.http_method != "POST":
        return
    requests = document.fields(call.request).get("requests", {})
    for field in document.fields(reference(members(requests.get("items")))).values():
        if (schema := reference(field)) is not None:
            yield schema


def _creates(call: Call, table: Table) -> bool:
    document = table.document
    answers = call.response == table.item or document.is_operation(call.response)
    takes = call.request == table.item or held_item(call, table) is not None or call.request is None
    is_named = call.wire_name == "create" and call.http_method == "POST" and call.on_collection
    return is_named and table.item is not None and answers and takes


def _patches(call: Call, table: Table) -> bool:
    document = table.document
    answers = call.response == table.item or document.is_operation(call.response)
    is_named = call.wire_name == "patch" and call.http_method == "PATCH" and not call.on_collection
    return is_named and answers and bool(settable(call, table))


def _deletes(call: Call, table: Table) -> bool:
    is_named = call.wire_name == "delete" and call.http_method in ("DELETE", "POST")
    return is_named and not call.on_collection and call.path_names == table.key


def _batch_creates(call: Call, table: Table) -> bool:
    return call.on_collection and table.item is not None and table.item in tuple(_made(call, table.document))


def _batch_deletes(call: Call, table: Table) -> bool:
    names = table.document.fields(call.request).get("names", {})
    is_named = call.wire_name == "batchDelete" and call.http_method == "POST" and call.on_collection
    return is_named and table.item is not None and names.get("type") == "array" and "delete" in table.calls


_WRITES = {
    Kind.CREATE: _creates,
    Kind.PATCH: _patches,
    Kind.DELETE: _deletes,
    Kind.BATCH_CREATE: _batch_creates,
    Kind.BATCH_DELETE: _batch_deletes,
}
SELECTS: Sequence[Kind] = (Kind.GET, Kind.LIST, Kind.LOOKUP)
