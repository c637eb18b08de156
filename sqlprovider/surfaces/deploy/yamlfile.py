"""YAML text → nodes with their lines. JSON is YAML too.

PyYAML's parser gives the events; the tree is built here, because a manifest wants what PyYAML's own does not
keep: the text of each word, its line, keys given twice, and an end to nesting and to aliases of aliases.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

from sqlprovider.surfaces.deploy.model import Place
from sqlprovider.surfaces.deploy.nodes import Items, Map, Node, Scalar, plain_scalar
from sqlprovider.surfaces.deploy.problems import Problems

if TYPE_CHECKING:
    from yaml import SafeLoader as Loader
else:
    Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times as quick, where it is there

MAX_DEPTH = 100
MAX_SIZE = 32_000_000
"""Characters, and 16 for each node, with every alias written out."""
_TAG = "tag:yaml.org,2002:"
_SCALAR_TAGS = {None, "!", *(_TAG + word for word in ("str", "int", "float", "bool", "null", "timestamp"))}
_TEXT_TAGS = {"!", _TAG + "str", _TAG + "timestamp"}
_NEST_TAGS = {None, "!", _TAG + "seq", _TAG + "map"}


class _StopError(Exception):
    """The rest of the file is not read."""


@dataclass(frozen=True, slots=True)
class _Built:
    """A node with what it costs: how deep it goes and how large it is with its aliases written out."""

    node: Node
    depth: int
    size: int
    merge: bool = False
    """It is the key `<<`."""


@dataclass(slots=True)
class _Frame:
    """A list or map that is open. A map's children are keys and values in turn."""

    is_map: bool
    place: Place
    anchor: str | None
    children: list[_Built] = field(default_factory=list)


def read_yaml(data: bytes, file: str, problems: Problems) -> Node | None:
    """The one document of a file; None where there is none or it cannot be read (a problem says so)."""
    try:
        return _Builder(file, problems).build(_events(data))
    except _StopError:
        return None
    except yaml.MarkedYAMLError as exc:
        line = 1 if exc.problem_mark is None else exc.problem_mark.line + 1
        problems.add(Place(file, line), exc.problem or exc.context or "this is no YAML")
    except (yaml.YAMLError, UnicodeDecodeError):
        problems.add(Place(file, 1), "this is no YAML: it holds bytes that are no text")
    return None


def _events(data: bytes) -> Iterator[yaml.Event]:
    events: Iterator[yaml.Event] = yaml.parse(data, Loader=Loader)
    return events


class _Builder:
    """Events → nodes, without recursion."""

    def __init__(self, file: str, problems: Problems) -> None:
        self._file = file
        self._problems = problems
        self._anchors: dict[str, _Built | None] = {}
        self._frames: list[_Frame] = []
        self._size = 0
        self._root: Node | None = None

    def build(self, events: Iterator[yaml.Event]) -> Node | None:
        """The first document's root."""
        documents = 0
        for event in events:
            place = Place(self._file, 1 if event.start_mark is None else event.start_mark.line + 1)
            match event:
                case yaml.DocumentStartEvent():
                    documents += 1
                    if documents > 1:
                        self._stop(place, "a file holds one document: leave out the line ---")
                case yaml.AliasEvent():
                    self._put(self._alias(event.anchor or "", place))
                case yaml.ScalarEvent():
                    self._scalar(event, place)
                case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                    self._open(event, place)
                case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                    self._close()
                case _:
                    pass
        return self._root

    def _stop(self, place: Place, message: str) -> None:
        self._problems.add(place, message)
        raise _StopError

    def _alias(self, anchor: str, place: Place) -> _Built:
        built = self._anchors.get(anchor)
        if built is None:
            what = "holds itself" if anchor in self._anchors else "has no anchor before it"
            self._stop(place, f"the alias *{anchor} {what}")
            raise _StopError
        return built

    def _scalar(self, event: yaml.ScalarEvent, place: Place) -> None:
        if event.tag not in _SCALAR_TAGS:
            self._problems.add(place, f"the tag {event.tag} is not understood")
        is_plain = event.implicit[0] if event.tag is None else event.tag not in _TEXT_TAGS
        node = plain_scalar(event.value, place) if is_plain else Scalar(event.value, event.value, place)
        is_merge = event.tag is None and is_plain and event.value == "<<"
        self._done(_Built(node, 0, 16 + len(event.value), merge=is_merge), event.anchor)

    def _open(self, event: yaml.SequenceStartEvent | yaml.MappingStartEvent, place: Place) -> None:
        if event.tag not in _NEST_TAGS:
            self._problems.add(place, f"the tag {event.tag} is not understood")
        if len(self._frames) >= MAX_DEPTH:
            self._stop(place, f"this is nested more than {MAX_DEPTH} deep")
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._frames.append(_Frame(isinstance(event, yaml.MappingStartEvent), place, event.anchor))

    def _close(self) -> None:
        frame = self._frames.pop()
        depth = 1 + max((child.depth for child in frame.children), default=0)
        if depth > MAX_DEPTH:
            self._stop(frame.place, f"this is nested more than {MAX_DEPTH} deep")
        size = 16 + sum(child.size for child in frame.children)
        node: Node
        if frame.is_map:
            node = Map(self._pairs(frame.children), frame.place)
        else:
            node = Items(tuple(child.node for child in frame.children), frame.place)
        self._done(_Built(node, depth, size), frame.anchor)

    def _done(self, built: _Built, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = built
        self._put(built)

    def _put(self, built: _Built) -> None:
        self._size += 16 if isinstance(built.node, Items | Map) else built.size
        if max(built.size, self._size) > MAX_SIZE:
            self._stop(built.node.place, "this is too large, with its aliases written out")
        if self._frames:
            self._frames[-1].children.append(built)
        else:
            self._root = built.node

    def _pairs(self, children: list[_Built]) -> tuple[tuple[Scalar, Node], ...]:
        own: dict[str, tuple[Scalar, Node]] = {}
        merged: dict[str, tuple[Scalar, Node]] = {}
        for key, value in zip(children[::2], children[1::2], strict=True):
            if key.merge:
                merged = {**dict(self._merged(value.node)), **merged}
            elif not isinstance(key.node, Scalar):
                message = "a key is a text; a placeholder stands in quotes: '{{ … }}'"
                self._problems.add(key.node.place, message)
            elif key.node.text in own:
                first = own[key.node.text][0].place.line
                message = f"the key {key.node.text!r} stands here twice (first in line {first})"
                self._problems.add(key.node.place, message)
            else:
                own[key.node.text] = (key.node, value.node)
        return tuple({**merged, **own}.values())

    def _merged(self, node: Node) -> Iterator[tuple[str, tuple[Scalar, Node]]]:
        """What `<<` brings: a map, or a list of maps of which the first counts most."""
        for part in reversed(node.items) if isinstance(node, Items) else (node,):
            if isinstance(part, Map):
                yield from ((key.text, (key, value)) for key, value in part.pairs)
            else:
                self._problems.add(part.place, "`<<` takes a map")
