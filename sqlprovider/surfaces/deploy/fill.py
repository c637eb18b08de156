"""Nodes → values: variables are filled in, what is known only later stays a Reference, Secret or Text."""

from __future__ import annotations

from collections.abc import Mapping

from sqlprovider.surfaces.deploy.model import Place, Reference, Secret, Text, Value
from sqlprovider.surfaces.deploy.nodes import Items, Map, Node, Scalar, given_text
from sqlprovider.surfaces.deploy.placeholders import Parts, Placeholder, PlaceholderError, holds, split
from sqlprovider.surfaces.deploy.problems import Problems
from sqlprovider.surfaces.deploy.references import Ids
from sqlprovider.surfaces.deploy.shapes import INSIDE, TEXTS, Shape, ShapeError
from sqlprovider.surfaces.deploy.sqltext import Slot
from sqlprovider.surfaces.deploy.variables import Filled, Variables
from sqlprovider.values import JSON

_ENV = "env"


class Filler:
    """Fills in the placeholders of one run."""

    def __init__(
        self, variables: Variables, ids: Ids, environ: Mapping[str, str], problems: Problems
    ) -> None:
        self._variables = variables
        self._ids = ids
        self._environ = environ
        self._problems = problems
        self.secrets: dict[str, Secret] = {}
        """Those that were filled in, by name."""

    def value(self, node: Node, shape: Shape = INSIDE, *, what: str = "") -> Value:
        """The value of a node in the shape that its place wants. What is wrong is a problem of `what`."""
        try:
            return self._value(node, shape)
        except (ShapeError, PlaceholderError) as error:
            self._problems.add(node.place, f"{what}: {error}" if what else str(error))
            return None

    def slot(self, slot: Slot, place: Place) -> Value:
        """The value that a parameter of a SELECT is bound to: in quotes a text, else as its type is."""
        first = slot.parts[0]
        if len(slot.parts) > 1 or not isinstance(first, Placeholder):
            return self._joined(slot.parts, place)
        return self._whole(first.path, place, TEXTS if slot.is_text else INSIDE)

    def text(self, node: Scalar) -> str:
        """A text in which only variables may stand that are not secret."""
        try:
            value = self._value(node, TEXTS)
        except PlaceholderError as error:
            self._problems.add(node.place, str(error))
            return node.text
        if isinstance(value, str | None):
            return value or ""
        self._problems.add(node.place, "only variables that are not secret may stand here")
        return node.text

    def _value(self, node: Node, shape: Shape) -> Value:
        match node:
            case Scalar():
                return self._scalar(node, shape)
            case Items():
                shape.refuse_nested("list")
                return [self.value(item) for item in node.items]
            case Map():
                shape.refuse_nested("map")
                inside = TEXTS if shape.is_map else INSIDE
                return {self._key(key): self.value(value, inside) for key, value in node.pairs}

    def _key(self, key: Scalar) -> str:
        if not key.literal and holds(key.text):
            self._problems.add(key.place, "a key holds no placeholder")
        return key.text

    def _scalar(self, node: Scalar, shape: Shape) -> Value:
        if node.literal or not holds(node.text):
            return shape.read(node)
        parts = split(node.text)
        if len(parts) == 1 and isinstance(parts[0], Placeholder):
            return self._whole(parts[0].path, node.place, shape)
        joined = self._joined(parts, node.place)
        return shape.read(given_text(joined, node.place)) if isinstance(joined, str) else joined

    def _whole(self, path: str, place: Place, shape: Shape) -> Value:
        found = self._look_up(path, place)
        if found is None or isinstance(found, Reference):
            return found
        # The place is the placeholder's: where the value itself stands (a file of variables) is no help.
        value = self._value(_moved(found.node, place), shape)
        return self._secret(found.name, _known(value)) if found.secret else value

    def _joined(self, parts: Parts, place: Place) -> Value:
        """Texts and placeholders as one text, as far as it is known."""
        joined: list[str | Reference | Secret] = []
        for part in parts:
            piece = part if isinstance(part, str) else self._piece(part.path, place)
            if isinstance(piece, str) and joined and isinstance(before := joined[-1], str):
                joined[-1] = before + piece
            else:
                joined.append(piece)
        if all(isinstance(piece, str) for piece in joined):
            return "".join(piece for piece in joined if isinstance(piece, str))
        return Text(tuple(joined))

    def _piece(self, path: str, place: Place) -> str | Reference | Secret:
        found = self._look_up(path, place)
        if found is None:
            return ""
        if isinstance(found, Reference):
            return found
        if isinstance(found.node, Scalar):
            text = "" if found.node.value is None else found.node.text
            return self._secret(found.name, text) if found.secret else text
        self._problems.add(place, f"the variable {path} is a map or list: it cannot stand within a text")
        return ""

    def _look_up(self, path: str, place: Place) -> Filled | Reference | None:
        if "." not in path:
            return self._variables.get(path, place)
        head, _, name = path.partition(".")
        if head != _ENV:
            return self._ids.resolve(path, place)
        if name not in self._environ:
            self._problems.add(place, f"the environment has no variable {name}")
            return None
        return Filled(path, given_text(self._environ[name], place), secret=True)

    def _secret(self, name: str, value: JSON) -> Secret:
        secret = Secret(name, value)
        self.secrets.setdefault(name, secret)
        return secret


def _moved(node: Node, place: Place) -> Node:
    """A variable's value as if it stood at the placeholder."""
    match node:
        case Scalar():
            return Scalar(node.text, node.value, place, literal=True, doubt=node.doubt)
        case Items():
            return Items(node.items, place)
        case Map():
            return Map(node.pairs, place)


def _known(value: Value) -> JSON:
    """A variable's value holds no placeholders, so it is JSON."""
    match value:
        case Reference() | Secret() | Text():
            return None
        case list():
            return [_known(item) for item in value]
        case dict():
            return {key: _known(item) for key, item in value.items()}
        case _:
            return value
