"""Which parameter of a create is the id that the client chooses, and which makes it safe to repeat."""

from __future__ import annotations

import re

from sqlprovider.catalog.discovery import Call, Members
from sqlprovider.catalog.discovery_fields import description, is_output
from sqlprovider.catalog.discovery_tables import Table, held_item

_ID = "Id"
_PLURALS = (("ies", "y"), ("s", ""))
_REPEATS_SAFELY = re.compile("idempotency token", re.IGNORECASE)


def chosen_id(create: Call, table: Table) -> str | None:
    """The parameter that becomes the last part of the new thing's name; None where the server gives it.

    It is called as one thing of the collection is, with or without the vendor's word before it: `artifactId`
    of `artifacts`, `tensorboardRunId` of `runs`; in the query, beside the item in the body, or in the item,
    where it may be `id`.
    """
    if table.own_id is None:
        return None
    one = _singular(table.chain[-1])
    holder = held_item(create, table)
    beside = () if holder is None else tuple(table.document.fields(create.request))
    for name in (*create.query, *beside):
        if name.endswith(_ID) and _is_called(name.removesuffix(_ID), one):
            return name
    taken = create.request == table.item or holder is not None
    inside = (f"{one}{_ID}", "id") if taken else ()
    return next((name for name in inside if name in table.fields and not is_output(table.fields[name])), None)


def is_repeat_token(field: Members) -> bool:
    """Whether a parameter is a text by which the server knows a call that comes again."""
    return _REPEATS_SAFELY.search(description(field)) is not None


def _singular(collection: str) -> str:
    """`memory` of `memories`, `run` of `runs`, `timeSeries` of itself.

    >>> _singular("memories"), _singular("runs"), _singular("timeSeries")
    ('memory', 'run', 'timeSeries')
    """
    if collection.endswith("Series"):
        return collection
    for plural, singular in _PLURALS:
        if collection.endswith(plural):
            return collection.removesuffix(plural) + singular
    return collection


def _is_called(stem: str, one: str) -> bool:
    return stem == one or stem.endswith(one[:1].upper() + one[1:])
