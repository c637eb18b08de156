"""Fields of a discovery document that hold a credential, by their names, and the objects that hold them.

The documents do not mark them. A field that says where one is kept (a version in Secret Manager) is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from sqlprovider.values import JSON

Members = Mapping[str, JSON]

_NAMED = re.compile(
    r"\w*(?:password|passphrase|private_?key|client_?secret|secret_?value|api_?key(?:_?string)?"
    r"|(?:access|auth|bearer|face|id|read|refresh|vm)_?token)",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(r"secret ?manager", re.IGNORECASE)


def is_secret(name: str, field: Members) -> bool:
    """Whether a field is a text that nobody else may read.

    >>> is_secret("apiKey", {"type": "string"}), is_secret("pageToken", {"type": "string"})
    (True, False)
    """
    if field.get("type") != "string" or _NAMED.fullmatch(name) is None:
        return False
    return _ELSEWHERE.search(str(field.get("description", ""))) is None


def secret_schemas(schemas: Mapping[str, Members]) -> frozenset[str]:
    """The schemas that hold a secret, however deep."""
    holders: dict[str, set[str]] = {}
    found: list[str] = []
    for schema, members in schemas.items():
        if any(is_secret(name, field) for name, field in properties(members)):
            found.append(schema)
        for held in references(members):
            holders.setdefault(held, set()).add(schema)
    known = set(found)
    while found:
        above = holders.get(found.pop(), set()) - known
        known |= above
        found += above
    return frozenset(known)


def references(value: JSON | Members) -> Iterator[str]:
    """The schemas that a value of a document refers to."""
    if isinstance(value, Mapping):
        if isinstance(held := value.get("$ref"), str):
            yield held
        for below in value.values():
            yield from references(below)


def properties(value: JSON | Members) -> Iterator[tuple[str, Members]]:
    """(name, field) of the properties of a schema and of the objects written out in it."""
    if not isinstance(value, Mapping):
        return
    held = value.get("properties")
    if isinstance(held, Mapping):
        for name, field in held.items():
            if isinstance(field, Mapping):
                yield name, field
    for below in value.values():
        yield from properties(below)
