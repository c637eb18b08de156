"""The `type` of a variable: text from the command line is read as it, any other value must be of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from sqlprovider.surfaces.deploy.nodes import Items, Map, Node, Number, Scalar, given_text, node_of

TYPE_NAMES = ("string", "integer", "number", "boolean", "object", "array")


def typed_node(node: Node, type_: str) -> Node | None:
    """The value as a variable of that type; None if it is none. Text of `--var` is read as the type."""
    if isinstance(node, Scalar):
        return _TYPED[type_](node)
    return node if type_ == ("object" if isinstance(node, Map) else "array") else None


def _as_string(node: Scalar) -> Node | None:
    return given_text(node.text, node.place)


def _as_integer(node: Scalar) -> Node | None:
    if isinstance(node.value, str) and re.fullmatch(r"[+-]?[0-9]{1,400}", node.value.strip()):
        return replace(node, value=int(node.value), doubt=None)
    return node if isinstance(node.value, int) and not isinstance(node.value, bool) else None


def _as_number(node: Scalar) -> Node | None:
    if isinstance(node.value, str):
        try:
            number = float(node.value)
        except ValueError:
            return None
        whole = _as_integer(node)
        return whole or (replace(node, value=number, doubt=None) if abs(number) < float("inf") else None)
    return node if isinstance(node.value, int | float) and not isinstance(node.value, bool) else None


def _as_boolean(node: Scalar) -> Node | None:
    if isinstance(node.value, str) and node.value.strip().lower() in ("true", "false"):
        return replace(node, value=node.value.strip().lower() == "true")
    return node if isinstance(node.value, bool) else None


def _as_nested(kind: type[Map] | type[Items]) -> Callable[[Scalar], Node | None]:
    def read(node: Scalar) -> Node | None:
        try:
            found = node_of(json.loads(node.text, parse_float=Number), node.place)
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, kind) else None

    return read


_TYPED: Mapping[str, Callable[[Scalar], Node | None]] = {
    "string": _as_string,
    "integer": _as_integer,
    "number": _as_number,
    "boolean": _as_boolean,
    "object": _as_nested(Map),
    "array": _as_nested(Items),
}
