"""Compiled facts: a file that holds one resource a line, so that opening one parses no other.

The file is one JSON object. Its first member, `""`, is the index: what SHOW RESOURCES says of every resource.
Every other member is a resource in the words of a YAML document. A command of the project writes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeGuard

from sqlprovider.catalog.document import Fault, ResourceDocument, validate
from sqlprovider.catalog.model import Summary, Verb
from sqlprovider.errors import CatalogError, Problem
from sqlprovider.values import JSON

Members = Mapping[str, JSON]
_INDEX = ""


def write_facts(index: Members, resources: Mapping[str, Members]) -> str:
    """The text of a facts file; `index` is its first member without `resources`, which this adds."""
    summaries = {name: _summarised(resource) for name, resource in sorted(resources.items())}
    members: dict[str, JSON] = {_INDEX: {**index, "resources": summaries}}
    members |= {name: dict(resource) for name, resource in sorted(resources.items())}
    lines = (f"{_dump(name)}:{_dump(member)}" for name, member in members.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


class Facts:
    """A facts file, read: the text of each resource by its name."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lines = dict(_members(file.read_text(encoding="utf-8")))
        index = json.loads(self._lines.pop(_INDEX, "{}"))
        self.index: Members = index.get("resources", {})

    def __contains__(self, name: object) -> bool:
        return name in self._lines

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def resource(self, name: str) -> Members:
        """The words of a resource, none where the file has it not. CatalogError where they are spoiled."""
        try:
            found: Members = json.loads(self._lines.get(name, "{}"))
        except ValueError as error:
            message = f"the line of {name!r} is no JSON: {error}"
            raise CatalogError((Problem(str(self.file), "", message),)) from None
        return found

    def summary(self, name: str) -> Summary:
        """What the index says of a resource."""
        said = self.index.get(name)
        methods = said.get("methods") if _is_mapping(said) else None
        verbs = {m: Verb(str(v)) for m, v in methods.items()} if _is_mapping(methods) else {}
        return Summary(str(said.get("title", "")) if _is_mapping(said) else "", verbs)


class FactResources(Mapping[str, ResourceDocument]):
    """The resources of a service with facts, each made a document at its first use.

    `overlay` are the words that a YAML document lays over the facts; a resource there with routes of its own
    need not be in the facts.
    """

    def __init__(self, facts: Facts, overlay: Mapping[str, JSON], file: str) -> None:
        self._facts = facts
        self._overlay = {name: said for name, said in overlay.items() if name in facts or _is_whole(said)}
        self.strays = frozenset(_strays(facts, overlay))
        """The keys that lead to what is said of resources and methods which these facts have not."""
        self._file = file
        self._made: dict[str, ResourceDocument] = {}

    def __iter__(self) -> Iterator[str]:
        yield from self._facts
        yield from (name for name in self._overlay if name not in self._facts)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, name: str) -> ResourceDocument:
        if (made := self._made.get(name)) is None:
            made = self._made[name] = self._make(name)
        return made

    def summary(self, name: str) -> Summary:
        """What SHOW RESOURCES says, from the index and the words laid over it: nothing is opened."""
        known, said = self._facts.summary(name), self._overlay.get(name)
        if not _is_mapping(said):
            return known
        verbs: dict[str, Verb] = dict(known.methods)
        methods = said.get("methods")
        for method, words in methods.items() if _is_mapping(methods) else ():
            if words is None:
                verbs.pop(method, None)
            elif _is_mapping(words) and "verb" in words and (method in verbs or "http" in words):
                verbs[method] = Verb(str(words["verb"]))
        return Summary(str(said.get("title", known.title)), verbs)

    def _make(self, name: str) -> ResourceDocument:
        if name not in self._overlay and name not in self._facts:
            raise KeyError(name)
        own = self._overlay.get(name, {})
        words = laid_over(self._facts.resource(name), own) if name in self._facts else own
        if _is_mapping(words) and _is_mapping(methods := words.get("methods")):
            # What is said of a method that only another version has.
            kept = {m: said for m, said in methods.items() if not _is_mapping(said) or "http" in said}
            words = {**words, "methods": kept}
        found = validate(ResourceDocument, words)
        if isinstance(found, tuple):
            at = ("resources", name)
            raise CatalogError(
                tuple(Problem(self._file, Fault((*at, *f.at), "").pointer, f.message) for f in found)
            )
        return found


def laid_over(below: JSON | Members, above: JSON | Members) -> JSON:
    """`above` over `below`: mappings key by key, anything else replaced; a null takes a key away.

    >>> laid_over({"a": {"b": 1, "c": 2}, "d": [3]}, {"a": {"b": 4, "c": None}, "d": [5]})
    {'a': {'b': 4}, 'd': [5]}
    """
    if not _is_mapping(above):
        return above  # type: ignore[return-value]  # what is no mapping is JSON
    merged: dict[str, JSON] = dict(below) if _is_mapping(below) else {}
    for key, value in above.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = laid_over(merged.get(key), value)
    return merged


def summarise(resources: Mapping[str, ResourceDocument], name: str) -> Summary:
    """What SHOW RESOURCES says of a resource, opened only where no index says it."""
    if isinstance(resources, FactResources):
        return resources.summary(name)
    document = resources[name]
    return Summary(document.title, {m: shape.verb for m, shape in document.methods.items()})


def _strays(facts: Facts, overlay: Mapping[str, JSON]) -> Iterator[tuple[str, ...]]:
    for name, said in overlay.items():
        if name not in facts and not _is_whole(said):
            yield (name,)
        if name in facts and _is_mapping(said) and _is_mapping(methods := said.get("methods")):
            known = facts.summary(name).methods
            for method, words in methods.items():
                if method not in known and not (_is_mapping(words) and "http" in words):
                    yield (name, "methods", method)


def _is_whole(said: JSON) -> bool:
    """Whether every method has a route: a resource of the document's own."""
    methods = said.get("methods") if _is_mapping(said) else None
    return _is_mapping(methods) and all(_is_mapping(m) and "http" in m for m in methods.values())


def _members(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, colon, value = line.partition('":')
        if colon:
            yield name[1:], value.removesuffix(",")


def _summarised(resource: Members) -> JSON:
    methods = resource.get("methods")
    verbs: dict[str, JSON] = {}
    for name, said in methods.items() if _is_mapping(methods) else ():
        verbs[name] = said.get("verb") if _is_mapping(said) else None
    return {"title": resource.get("title", ""), "methods": verbs}


def _is_mapping(value: object) -> TypeGuard[Mapping[str, JSON]]:
    return isinstance(value, Mapping)


def _dump(value: JSON) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
