"""Two who make the same object at once, where the API takes both: it is looked for, and said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlprovider.errors import IntegrityError
from sqlprovider.surfaces.deploy.change import Action, Change
from sqlprovider.surfaces.deploy.identity import identify, key_text
from sqlprovider.surfaces.deploy.live import Lookup, read_live
from sqlprovider.surfaces.deploy.wanted import Wanted
from sqlprovider.surfaces.deploy.workers import Workers


def doubled(made: Sequence[tuple[Change, Wanted]], workers: Workers) -> Iterator[tuple[str, IntegrityError]]:
    """The objects, of those just made by a name that the API does not hold unique, that are there twice."""
    lookups = [lookup for change, wanted in made if (lookup := _lookup(change, wanted)) is not None]
    for label, found in read_live(lookups, workers, lambda warning: None).items():
        if len(found.live) > 1:
            facts = next(lookup.facts for lookup in lookups if lookup.label == label)
            keys = "; ".join(key_text(facts, row) or "?" for row in found.live)
            yield (
                label,
                IntegrityError(
                    f"it was made, and someone else made one of the same name meanwhile: {keys}",
                    reason="made_twice",
                    hint="delete one of them",
                ),
            )


def _lookup(change: Change, wanted: Wanted) -> Lookup | None:
    facts = change.facts
    if change.action is not Action.CREATE or change.entry is None or facts.identity_unique:
        return None
    identity = identify(change.entry, facts, wanted.values)
    is_by_name = identity.values is not None and identity.columns != facts.key and identity.content is None
    return Lookup(change.id, facts, identity) if is_by_name else None
