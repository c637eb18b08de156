"""What a column makes of what stands in a file: text stays the very text written, a number becomes a number.

Messages name no value: it may be secret.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlprovider.errors import did_you_mean
from sqlprovider.surfaces.deploy.nodes import Scalar
from sqlprovider.values import JSON, NOT_FINITE, Type, datetime_from_epoch_ms, datetime_from_text

UNFILLED = ("string", "integer", "boolean", "object", "array")
"""A value that is just this word was never filled in."""
_TRUTH = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}
_INTEGER = re.compile(r"[+-]?[0-9]{1,400}")
_LARGEST = 2**63


class ShapeError(ValueError):
    """A value that a column cannot hold; the message says what it takes."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What is wanted in a place. `type` None: whatever YAML reads."""

    type: Type | None = None
    is_map: bool = False
    """A map of texts (labels, tags)."""
    enum: tuple[str, ...] = ()

    @property
    def nests(self) -> bool:
        """It can be a map or a list."""
        return self.type in (None, Type.JSON)

    def refuse_nested(self, what: str) -> None:
        """Raises ShapeError where a map, or a list, cannot be."""
        if not self.nests:
            raise ShapeError(f"it takes {self.type}, not a {what}")
        if self.is_map and what != "map":
            raise ShapeError(f"it takes a map, not a {what}")

    def read(self, node: Scalar) -> JSON:
        """The value of a word or text. Raises ShapeError."""
        if node.value is None:
            return None
        if self.is_map:
            value = _json(node, numbers=str)
        else:
            value = node.value if self.type is None else _READ[self.type](node)
        if self.type is None or (self.type is Type.JSON and not isinstance(value, dict | list)):
            _refuse_doubt(node)
        if self.is_map and not isinstance(value, dict):
            raise ShapeError("it takes a map")
        if self.enum and isinstance(value, str) and value not in self.enum:
            raise ShapeError(f"it takes one of {', '.join(self.enum)}{did_you_mean(value, self.enum)}")
        return value


INSIDE = Shape()
"""Within a map or list."""


@dataclass(frozen=True, slots=True)
class _Texts(Shape):
    """Within a map of texts: `1.10` is the text 1.10."""

    def read(self, node: Scalar) -> JSON:
        return None if node.value is None else node.text


TEXTS = _Texts()


def _refuse_doubt(node: Scalar) -> None:
    if node.doubt is not None:
        raise ShapeError(node.doubt)


def _text(node: Scalar) -> JSON:
    return node.text


def _integer(node: Scalar) -> JSON:
    _refuse_doubt(node)
    value = node.value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -_LARGEST <= value < _LARGEST:
        raise ShapeError("it takes INTEGER, a whole number of 64 bits")
    return value


def _real(node: Scalar) -> JSON:
    _refuse_doubt(node)
    value = node.value
    if value in NOT_FINITE:
        return value
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            value = None
    if value is None or isinstance(value, bool | str) or not math.isfinite(value):
        raise ShapeError("it takes REAL: a number, NaN, Infinity or -Infinity")
    return value


def _boolean(node: Scalar) -> JSON:
    truth = _TRUTH.get(node.text.strip().lower())
    if truth is None:
        raise ShapeError("it takes BOOLEAN: true or false")
    return truth


def _datetime(node: Scalar) -> JSON:
    _refuse_doubt(node)
    value = node.value
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        value = int(value)
    try:
        if isinstance(value, str):
            return datetime_from_text(value)
        if not isinstance(value, bool) and isinstance(value, int | float):
            return datetime_from_epoch_ms(value)
    except ValueError:
        pass
    raise ShapeError(
        "it takes DATETIME: 2026-01-31 09:30:00, 2026-01-31T09:30:00Z, or milliseconds since 1970"
    )


def _json(node: Scalar, numbers: Callable[[str], str] | None = None) -> JSON:
    """Text that holds a map or a list is one. `numbers`: what is made of its numbers."""
    if isinstance(node.value, str) and node.value.lstrip()[:1] in ("{", "["):
        try:
            found: JSON = json.loads(node.value, parse_constant=str, parse_int=numbers, parse_float=numbers)
        except (ValueError, RecursionError):
            return node.value
        return found
    return node.value


_READ: Mapping[Type, Callable[[Scalar], JSON]] = {
    Type.TEXT: _text,
    Type.INTEGER: _integer,
    Type.REAL: _real,
    Type.BOOLEAN: _boolean,
    Type.DATETIME: _datetime,
    Type.JSON: _json,
}
