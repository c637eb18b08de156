"""What table the calls of one chain of collections make: its item, and the ids that tell one from another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlprovider.catalog.collections import Chain
from sqlprovider.catalog.discovery import Call, Discovery, Members, reference

ROOTS = ("projectsId", "locationsId")
"""The ids that a statement or the configuration gives: nothing lists them usefully."""

_NAME = "name"
_LOOK_ALIKE = re.compile(r"(search|query|lookup|list)([A-Z].*)?")
_SEGMENT = re.compile(r"/([^/{}:]+)/\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Table:
    """The calls of one chain, and what they say of its rows."""

    document: Discovery
    chain: Chain
    calls: Mapping[str, Call]
    """By wire name."""
    item: str | None
    """The schema of a row."""
    key: tuple[str, ...]
    """The ids in the path of one thing; empty where no call is of one thing."""
    row_ids: tuple[str, ...]
    """The ids that are columns of a row: those of the key, else those that the list is asked with."""

    @property
    def fields(self) -> Mapping[str, Members]:
        """The fields of a row."""
        return self.document.fields(self.item)

    @property
    def own_id(self) -> str | None:
        """The id of one thing among those of its collection."""
        return self.row_ids[-1] if self.row_ids and self.row_ids[-1] not in self.collection_ids else None

    @property
    def collection_ids(self) -> tuple[str, ...]:
        """The ids that a list is asked with; all but the last of the key, where there is no list."""
        listing = self.listing
        return listing.path_names if listing is not None else self.key[:-1]

    @property
    def listing(self) -> Call | None:
        """The call that answers with the rows of the collection."""
        return next((call for call in self.calls.values() if is_list(call, self)), None)

    @property
    def has_resource_names(self) -> bool:
        """Whether the `name` of an item is a path of collections and ids, as calls of one thing take it."""
        single = [call for call in self.calls.values() if not call.on_collection]
        return _NAME in self.fields and (not single or any(_NAME in call.patterns for call in single))

    def segment(self, name: str) -> str | None:
        """The collection before an id in the path: `runs` of `/runs/{runsId}`."""
        pairs = (pair for call in self.calls.values() for pair in segments(call.path))
        return next((collection for collection, held in pairs if held == name), None)

    def identity(self, name: str) -> Members:
        """Where an item has an id: `path` and, where that is a resource name, `segment`; empty: nowhere."""
        if self.has_resource_names:
            return {"path": _NAME, "segment": self.segment(name) or self.chain[-1]}
        if name != self.own_id:
            return {}
        own = f"{self.chain[-1].removesuffix('s')}Id"
        held = next((known for known in (own, _NAME, "id") if known in self.fields), None)
        return {} if held is None else {"path": held}


def tables_of(document: Discovery) -> dict[Chain, Table]:
    """Every chain of the document that has calls, as a table."""
    by_chain: dict[Chain, dict[str, Call]] = {}
    for call in document.calls:
        by_chain.setdefault(call.chain, {})[call.wire_name] = call
    return {chain: _table(document, chain, calls) for chain, calls in by_chain.items()}


def segments(path: str) -> tuple[tuple[str, str], ...]:
    """(collection, id) for each id in a path.

    >>> segments("/{version}/projects/{projectsId}/jobs/{jobsId}:cancel")
    (('projects', 'projectsId'), ('jobs', 'jobsId'))
    """
    return tuple(_SEGMENT.findall(path))


def is_list(call: Call, table: Table) -> bool:
    """Whether a call answers with the rows of its collection: `list`, or a search where there is no list."""
    found = table.document.rows(call.response)
    if not call.on_collection or found is None or found[1] != table.item:
        return False
    if call.wire_name == "list":
        return call.http_method == "GET"
    return is_look_alike(call) and "list" not in table.calls


def is_look_alike(call: Call) -> bool:
    """Whether a call is named as one that finds rows is."""
    return _LOOK_ALIKE.fullmatch(call.wire_name) is not None


def is_get(call: Call, table: Table) -> bool:
    """Whether a call answers with one row, by its ids."""
    is_named = call.wire_name == "get" and call.http_method == "GET" and not call.on_collection
    return is_named and table.item is not None and call.response == table.item


def is_lookup(call: Call, table: Table) -> bool:
    """Whether a call answers with one row, by fields that the row has."""
    asked = set(table.document.fields(call.request))
    is_named = call.wire_name != "list" and is_look_alike(call) and call.on_collection
    return is_named and bool(asked) and call.response == table.item and asked <= set(table.fields)


def held_item(call: Call, table: Table) -> str | None:
    """The one field of a request that holds the item; None if none does, or the request is the item."""
    fields = table.document.fields(call.request)
    holders = [name for name, field in fields.items() if reference(field) == table.item]
    return holders[0] if len(holders) == 1 and call.request != table.item else None


def _table(document: Discovery, chain: Chain, calls: Mapping[str, Call]) -> Table:
    item = next(_items(document, calls), None)
    single = [calls[name] for name in ("get", "patch", "delete") if name in calls]
    key = next((call.path_names for call in single if not call.on_collection), ())
    bare = Table(document, chain, calls, item, key, key)
    return Table(document, chain, calls, item, key, key or _list_ids(bare))


def _list_ids(table: Table) -> tuple[str, ...]:
    """The ids of rows that are only listed: their names hold an id of their own."""
    listing = table.listing
    if listing is None:
        return ()
    own = f"{listing.place.rpartition('/')[2]}Id"
    return (*listing.path_names, own) if table.has_resource_names else listing.path_names


def _items(document: Discovery, calls: Mapping[str, Call]) -> Iterator[str]:
    """The schemas that may be the item, the surest first."""
    if (get := calls.get("get")) is not None and document.is_object(get.response):
        yield get.response or ""
    for name, call in calls.items():
        found = document.rows(call.response)
        searches = is_look_alike(call) and name != "lookup"
        if found is not None and call.on_collection and (name == "list" or searches):
            yield found[1]
    if (create := calls.get("create")) is None:
        return
    for schema in _created(document, create):
        if document.is_object(schema) and not document.is_operation(schema):
            yield schema


def _created(document: Discovery, create: Call) -> Sequence[str]:
    """The schema that a create takes and answers with."""
    held = [reference(field) for field in document.fields(create.request).values()]
    taken = [schema for schema in (create.request, *held) if schema is not None]
    return [schema for schema in taken if schema == create.response]
