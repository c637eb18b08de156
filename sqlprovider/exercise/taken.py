"""What a row may not share with one that is there, and what makes a deleted one live again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlprovider.exercise.holds import is_of
from sqlprovider.exercise.made import Values, plain_state
from sqlprovider.exercise.routes import Call
from sqlprovider.plan.identity import chosen_column, identity_columns
from sqlprovider.values import SQLValue


def clashing(call: Call, given: Mapping[str, SQLValue], rows: Sequence[Values]) -> bool:
    """Whether a row is there that has the id which the client chose, or the identity that is given once."""
    if call.method.overwrites:
        return False
    resource, chosen = call.resource, chosen_column(call.resource)
    sets = [resource.key] if chosen is not None and given.get(chosen) is not None else []
    if resource.identity is not None and resource.identity.unique:
        sets.append(identity_columns(resource))
    return any(_is_there([n for n in names if n in given], given, rows) for names in sets)


def restored(call: Call, rows: Sequence[Values]) -> None:
    """Makes the row of a call live, if that is what the method does."""
    if call.method.name != call.resource.restore:
        return
    for row in rows:
        if is_of(call, row):
            row |= plain_state(call.resource)


def _is_there(names: Sequence[str], given: Mapping[str, SQLValue], rows: Sequence[Values]) -> bool:
    return bool(names) and any(all(row.get(name) == given[name] for name in names) for row in rows)
