"""The ids of all entries, and what `{{ id.column }}` and `{{ id.item.column }}` mean by them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlprovider.errors import did_you_mean
from sqlprovider.surfaces.deploy.model import Place, Reference
from sqlprovider.surfaces.deploy.needs import ResourceFacts
from sqlprovider.surfaces.deploy.problems import Problems


@dataclass(slots=True)
class Named:
    """One id. `items` is None where the entry is one object; `facts` where its name is unknown."""

    place: Place
    facts: ResourceFacts | None
    is_call: bool
    items: dict[str, Place] | None
    from_sql: bool = False


class Ids:
    """The ids of one run."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._named: dict[str, Named] = {}
        self._labels: dict[str, Place] = {}

    def add(self, id_: str, named: Named) -> bool:
        """Takes an id with its items; False, and a problem, where it is taken."""
        first = self._named.get(id_)
        if first is not None and not (first.from_sql and named.from_sql):
            message = f"the id {id_} stands at {first.place} already: give one of them an id of its own"
            self._problems.add(named.place, message)
            return False
        labels = {id_: named.place}
        if named.items is not None:
            labels = {f"{id_}.{item}": place for item, place in named.items.items()}
        for label, place in labels.items():
            if label in self._labels:
                message = f"the id {label} stands at {self._labels[label]} already"
                self._problems.add(place, message)
                return False
        self._labels |= labels
        if first is not None and first.items is not None and named.items is not None:
            first.items |= named.items
        else:
            self._named[id_] = named
        return True

    def resolve(self, path: str, place: Place) -> Reference | None:
        """What a path with dots refers to; None, and a problem, where that is nothing."""
        found = [(id_, rest) for id_, rest in _cuts(path) if id_ in self._named]
        if not found:
            known = tuple(self._named)
            near = did_you_mean(path.split(".")[0], known)
            self._problems.add(place, f"{{{{ {path} }}}}: there is no such id{near}")
            return None
        for id_, rest in found:
            if (reference := self._reference(id_, rest)) is not None:
                return self._checked(reference, path, place)
        id_, rest = found[0]
        self._problems.add(place, f"{{{{ {path} }}}}: {self._why_not(id_, rest)}")
        return None

    def _reference(self, id_: str, rest: str) -> Reference | None:
        named = self._named[id_]
        item, _, column = rest.rpartition(".")
        if named.items is None:
            return None if item else Reference(id_, None, column)
        return Reference(id_, item, column) if item in named.items else None

    def _why_not(self, id_: str, rest: str) -> str:
        named = self._named[id_]
        item, _, column = rest.rpartition(".")
        if named.items is None:
            return f"{id_} has no items: write {{{{ {id_}.{column} }}}}"
        if not item:
            return f"{id_} has items: write {{{{ {id_}.item.{column} }}}}"
        return f"{id_} has no item {item}{did_you_mean(item, tuple(named.items))}"

    def _checked(self, reference: Reference, path: str, place: Place) -> Reference | None:
        named = self._named[reference.entry]
        if named.is_call:
            self._problems.add(place, f"{{{{ {path} }}}}: {reference.entry} is a call and has no row")
            return None
        if named.facts is None:
            return reference
        own = _own_column(named.facts, reference.column)
        if own is None:
            known = tuple(named.facts.columns)
            near = did_you_mean(reference.column, known)
            message = f"{{{{ {path} }}}}: {named.facts.name} has no column {reference.column}{near}"
            self._problems.add(place, message)
            return None
        return Reference(reference.entry, reference.item, own)


def _own_column(facts: ResourceFacts, written: str) -> str | None:
    """The column in its own spelling; the id that a create takes is the column of the row that holds it."""
    lowered = written.lower()
    if facts.chosen_id is not None and lowered == facts.chosen_id[0].lower():
        return facts.chosen_id[1]
    return next((name for name in facts.columns if name.lower() == lowered), None)


def _cuts(path: str) -> Iterator[tuple[str, str]]:
    """Each way to cut a path into an id and the rest, the longest id first: ids may hold dots."""
    at = len(path)
    while (at := path.rfind(".", 0, at)) != -1:
        yield path[:at], path[at + 1 :]
