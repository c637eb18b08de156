"""Properties: which column (of a call: which parameter) a name means, and what that takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlprovider.errors import did_you_mean
from sqlprovider.surfaces.deploy.fill import Filler
from sqlprovider.surfaces.deploy.model import Place, Property, Value
from sqlprovider.surfaces.deploy.needs import ColumnFacts, MethodFacts, ResourceFacts
from sqlprovider.surfaces.deploy.nodes import Items, Map, Node, Scalar
from sqlprovider.surfaces.deploy.problems import Problems
from sqlprovider.surfaces.deploy.shapes import UNFILLED, Shape
from sqlprovider.values import Type

_WORDS = ("name", "value", "description", "merge")
_PREFIX = "data__"
_MAPS_OF_TEXTS = ("labels", "tags")
_NO_NAME_CHARACTER = re.compile(r"[^A-Za-z0-9_]")


@dataclass(frozen=True, slots=True)
class Given:
    """One property as a file gives it."""

    name: str
    node: Node
    place: Place
    merge: bool | None = None


@dataclass(frozen=True, slots=True)
class _Target:
    """A column or parameter, in its own spelling."""

    name: str
    shape: Shape


class _RefusedError(ValueError):
    """A property that cannot be taken; the message says why."""


def read_properties(node: Node | None, problems: Problems) -> tuple[Given, ...]:
    """`props`: a list of {name, value, description}, or a map column → value."""
    match node:
        case None | Scalar(value=None):
            return ()
        case Map():
            return tuple(Given(key.text, value, key.place) for key, value in node.pairs)
        case Items():
            given = (_read(item, problems) for item in node.items)
            return tuple(one for one in given if one is not None)
    problems.add(node.place, "properties are a list of {name, value}, or a map: column → value")
    return ()


def _read(node: Node, problems: Problems) -> Given | None:
    if not isinstance(node, Map):
        problems.add(node.place, "a property is a map: {name, value}")
        return None
    for word, _ in node.pairs:
        if word.text not in _WORDS:
            near = did_you_mean(word.text, _WORDS)
            problems.add(word.place, f"unknown word {word.text} of a property{near}")
    name, value, merge = node.get("name"), node.get("value"), node.get("merge")
    if not isinstance(name, Scalar) or not name.text:
        problems.add(node.place, "a property has a name")
        return None
    if value is None:
        problems.add(node.place, f"{name.text}: the property has no value")
        return None
    if merge is None:
        return Given(name.text, value, name.place)
    if not isinstance(merge, Scalar) or not isinstance(merge.value, bool):
        problems.add(merge.place, f"{name.text}: merge is true or false")
        return Given(name.text, value, name.place)
    return Given(name.text, value, name.place, merge.value)


def merged(first: Iterable[Given], more: Iterable[Given]) -> tuple[Given, ...]:
    """An item's properties with the entry's: where both have one, the item's counts."""
    own = tuple(more)
    names = {_bare(given.name) for given in own}
    return (*(given for given in first if _bare(given.name) not in names), *own)


def _bare(name: str) -> str:
    return name.lower().removeprefix(_PREFIX)


class Resolver:
    """Makes properties of what the files give."""

    def __init__(self, filler: Filler, problems: Problems) -> None:
        self._filler = filler
        self._problems = problems

    def properties(
        self, given: Iterable[Given], facts: ResourceFacts | None, method: MethodFacts | None
    ) -> dict[str, Property]:
        """The properties by their columns' own names, filled in. `method`: they are a call's parameters.

        Without facts (nothing is known of the resource) they are filled in too, to find every problem.
        """
        found: dict[str, Property] = {}
        for one in given:
            target = self._target(one, facts, method)
            if target.name in found:
                self._problems.add(one.place, f"{target.name} is given twice")
            value = self._value(one, target)
            found[target.name] = Property(target.name, value, one.merge is not False)
        return found

    def _target(self, one: Given, facts: ResourceFacts | None, method: MethodFacts | None) -> _Target:
        if facts is None:
            return _Target(one.name, Shape())
        try:
            target = _parameter(facts, method, one.name) if method else _column(facts, one.name)
        except _RefusedError as error:
            self._problems.add(one.place, str(error))
            return _Target(one.name, Shape())
        if one.merge is not None and not target.shape.nests:
            self._problems.add(one.place, f"{target.name}: merge is for maps such as labels and tags")
        return target

    def _value(self, one: Given, target: _Target) -> Value:
        node = one.node
        if isinstance(node, Scalar) and not node.literal and node.text in UNFILLED:
            message = (
                f"{target.name}: {node.text} is the name of a type, a placeholder that nobody filled in: "
                "put the value in its place, or leave the property out"
            )
            self._problems.add(node.place, message)
            return None
        return self._filler.value(node, target.shape, what=target.name)


def _spellings(written: str) -> Iterator[str]:
    """The names that a written one may mean, in lower case: itself, without data__, as an identifier."""
    lowered = written.lower()
    for name in (lowered, lowered.removeprefix(_PREFIX)):
        yield name
        yield _NO_NAME_CHARACTER.sub("_", name)


def _column(facts: ResourceFacts, written: str) -> _Target:
    """The column of a row that an entry may give. Raises _RefusedError."""
    by_name = {name.lower(): column for name, column in facts.columns.items()}
    batch = _batch_words(facts)
    accepted = {name.lower() for name in _accepted(facts)} - batch
    for name in _spellings(written):
        if name in accepted and name in by_name:
            column = by_name[name]
            return _Target(column.name, _shape(column))
    for name in _spellings(written):
        if name in batch:
            raise _RefusedError(f"{written} is the body of a batch: use items, one for each row")
        if name in by_name:
            raise _RefusedError(_why_not(facts, by_name[name]))
    known = tuple(by_name[name].name for name in by_name if name in accepted)
    near = did_you_mean(written.removeprefix(_PREFIX), known)
    raise _RefusedError(f"{facts.name} has no method that takes {written}{near}")


def _accepted(facts: ResourceFacts) -> Iterator[str]:
    """The columns that an INSERT or an UPDATE takes, and those that say which row is meant."""
    yield from (c.name for c in facts.columns.values() if c.insertable or c.settable)
    yield from (*facts.key, *facts.parents, *facts.identity)
    yield from facts.chosen_id or ()


def _batch_words(facts: ResourceFacts) -> frozenset[str]:
    """What only the methods that take many rows at once take."""
    batch: set[str] = set()
    rows: set[str] = set()
    for method in facts.methods.values():
        words = {name.lower() for name in (*method.required, *method.optional)}
        (batch if method.has_batch_body else rows).update(words)
    return frozenset(batch - rows)


def _why_not(facts: ResourceFacts, column: ColumnFacts) -> str:
    takers = [
        method.name
        for method in facts.methods.values()
        if column.name.lower() in {name.lower() for name in (*method.required, *method.optional)}
    ]
    if takers:
        return (
            f"{column.name} is an option of {', '.join(takers)}: no INSERT or UPDATE of {facts.name} takes it"
        )
    return f"{column.name} is output only: no method of {facts.name} takes it"


def _parameter(facts: ResourceFacts, method: MethodFacts, written: str) -> _Target:
    """The parameter of a call. Raises _RefusedError."""
    names = (*method.required, *method.optional)
    by_name = {name.lower(): name for name in names}
    for spelling in _spellings(written):
        if (name := by_name.get(spelling)) is not None:
            return _Target(name, Shape(method.types.get(name)))
    near = did_you_mean(written, names)
    raise _RefusedError(f"{facts.name}.{method.name} takes no parameter {written}{near}")


def _shape(column: ColumnFacts) -> Shape:
    is_map = column.is_map or (column.type is Type.JSON and column.name.lower() in _MAPS_OF_TEXTS)
    return Shape(column.type, is_map, column.enum)
