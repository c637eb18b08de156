"""Entries as a file gives them: which resource or call, under which id, with which properties."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlprovider.errors import Error, did_you_mean
from sqlprovider.surfaces.deploy.model import Place
from sqlprovider.surfaces.deploy.needs import MethodFacts, Reader, ResourceFacts
from sqlprovider.surfaces.deploy.nodes import Items, Map, Node, Scalar
from sqlprovider.surfaces.deploy.placeholders import holds
from sqlprovider.surfaces.deploy.problems import Problems, told
from sqlprovider.surfaces.deploy.properties import Given, merged, read_properties

_WORDS = ("name", "exec", "id", "props", "items", "when", "owner", "protect")
_CALL_WORDS = ("exec", "id", "props", "items", "when")
_ID = re.compile(r"[A-Za-z_][\w.-]*")
ITEM_ID = re.compile(r"[^\s{}'\"|()]+")


@dataclass(frozen=True, slots=True)
class Written:
    """One entry, or one item of one, before its placeholders are filled in."""

    id: str
    item: str | None
    resource: str
    """The full name; the one written where there is no such resource."""
    method: MethodFacts | None
    facts: ResourceFacts | None
    given: tuple[Given, ...]
    place: Place
    when: Scalar | None = None
    owner: Scalar | None = None
    protect: bool = False
    number: int = 0
    """Of a SQL file: which of its entries this is, from 1."""


@dataclass(frozen=True, slots=True)
class Group:
    """What stands under one id."""

    id: str
    place: Place
    facts: ResourceFacts | None
    is_call: bool
    entries: tuple[Written, ...]
    has_items: bool
    from_sql: bool = False


class Resources:
    """What the session knows of resources; each is asked for once."""

    def __init__(self, session: Reader) -> None:
        self._session = session
        self._names: dict[tuple[str, tuple[str, ...]], str] = {}
        self._facts: dict[str, ResourceFacts] = {}

    def find(self, name: str, use: tuple[str, ...]) -> ResourceFacts:
        """The resource of a name, written as short as `use` allows. Raises ProgrammingError."""
        if (name, use) not in self._names:
            self._names[name, use] = self._session.resolve(name, use)
        full = self._names[name, use]
        if full not in self._facts:
            self._facts[full] = self._session.facts(full)
        return self._facts[full]


class EntryReader:
    """Reads the entries of one file."""

    def __init__(
        self, resources: Resources, use: tuple[str, ...], owner: Scalar | None, problems: Problems
    ) -> None:
        self._resources = resources
        self._use = use
        self._owner = owner
        self._problems = problems

    def read(self, resources: Node | None) -> Iterator[Group]:
        """The groups of a list of entries. What is no entry becomes a problem."""
        match resources:
            case None | Scalar(value=None):
                return
            case Items():
                for node in resources.items:
                    if (group := self._entry(node)) is not None:
                        yield group
            case _:
                self._problems.add(resources.place, "resources are a list of entries: - name: …")

    def _entry(self, node: Node) -> Group | None:
        if not isinstance(node, Map):
            self._problems.add(node.place, "an entry is a map: name, id, props, …")
            return None
        name, call = self._text(node, "name"), self._text(node, "exec")
        if (name is None) == (call is None):
            what = "an entry has a name or an exec" + (", not both" if name is not None else "")
            self._problems.add(node.place, what)
            return None
        self._refuse_unknown(node, _WORDS if call is None else _CALL_WORDS)
        if call is not None:
            return self._group(node, call, *self._call(call))
        assert name is not None
        return self._group(node, name, *self._resource(name.text, name.place), None)

    def _group(
        self, node: Map, name: Scalar, resource: str, facts: ResourceFacts | None, method: MethodFacts | None
    ) -> Group:
        id_ = self._id(node, name)
        when = self._text(node, "when")
        owner = self._text(node, "owner") or self._owner
        protect = self._flag(node, "protect")
        given = read_properties(node.get("props"), self._problems)
        items = node.get("items")
        rows: list[tuple[str | None, Place, tuple[Given, ...]]] = [(None, node.place, given)]
        if items is not None:
            rows = [(item, at, merged(given, more)) for item, at, more in self._items(items)]
        entries = tuple(
            Written(id_, item, resource, method, facts, own, place, when, owner, protect)
            for item, place, own in rows
        )
        is_call = node.get("exec") is not None
        return Group(id_, node.place, facts, is_call, entries, has_items=items is not None)

    def _items(self, node: Node) -> Iterator[tuple[str, Place, tuple[Given, ...]]]:
        if isinstance(node, Scalar) and node.value is None:
            return
        if not isinstance(node, Map):
            self._problems.add(node.place, "items are a map: id → properties")
            return
        for key, value in node.pairs:
            if ITEM_ID.fullmatch(key.text) is None or ".." in f".{key.text}.":
                self._problems.add(key.place, f"{key.text!r} cannot be the id of an item")
            yield key.text, key.place, read_properties(value, self._problems)

    def _resource(self, name: str, place: Place) -> tuple[str, ResourceFacts | None]:
        try:
            facts = self._resources.find(name, self._use)
        except Error as error:
            self._problems.add(place, told(error))
            return name, None
        return facts.name, facts

    def _call(self, call: Scalar) -> tuple[str, ResourceFacts | None, MethodFacts | None]:
        name, _, written = call.text.rpartition(".")
        if not name:
            self._problems.add(call.place, "exec names a method: connection.service.resource.method")
            return call.text, None, None
        full, facts = self._resource(name, call.place)
        if facts is None:
            return full, None, None
        return full, facts, self._method(facts, written, call.place)

    def _method(self, facts: ResourceFacts, written: str, place: Place) -> MethodFacts | None:
        method = find_method(facts, written)
        if method is None:
            near = did_you_mean(written, tuple(facts.methods))
            self._problems.add(place, f"{facts.name} has no method {written}{near}")
        return method

    def _id(self, node: Map, name: Scalar) -> str:
        given = self._text(node, "id")
        if given is None:
            return name.text
        if _ID.fullmatch(given.text) is None or ".." in f"{given.text}." or given.text == "env":
            message = f"{given.text!r} cannot be an id: it is made of letters, digits, _, - and ."
            self._problems.add(given.place, message)
        return given.text

    def _text(self, node: Map, word: str) -> Scalar | None:
        """The text of a word; None where it is not there. Placeholders stand in `when` and `owner` only."""
        found = node.get(word)
        if found is None:
            return None
        if not isinstance(found, Scalar) or not found.text.strip():
            self._problems.add(found.place, f"{word} is a text")
            return None if word not in ("name", "exec") else Scalar("", "", found.place)
        if word not in ("when", "owner") and holds(found.text):
            self._problems.add(found.place, f"{word} holds no placeholder")
        return found

    def _flag(self, node: Map, word: str) -> bool:
        found = node.get(word)
        if found is None:
            return False
        if isinstance(found, Scalar) and isinstance(found.value, bool):
            return found.value
        self._problems.add(found.place, f"{word} is true or false")
        return False

    def _refuse_unknown(self, node: Map, words: tuple[str, ...]) -> None:
        for key, _ in node.pairs:
            if key.text in words:
                continue
            if key.text in _WORDS:
                self._problems.add(key.place, f"{key.text} is not for a call: nothing of it stays")
            else:
                near = did_you_mean(key.text, words)
                self._problems.add(key.place, f"unknown word {key.text} of an entry{near}")


def find_method(facts: ResourceFacts, written: str) -> MethodFacts | None:
    """The method of a name, whatever its case; a wire name (`batchCreate`) is its snake_case name too."""
    wanted = written.lower().replace("_", "")
    return next((m for name, m in facts.methods.items() if name.lower().replace("_", "") == wanted), None)
