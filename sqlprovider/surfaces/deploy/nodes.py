"""What a file holds, as values that know their place and, where they are one word, the very text written.

Plain words are read by YAML 1.2's core schema: `yes`, `on`, `1e3x` and dates are text; `true`, `null`, `12`,
`0x1f`, `1.5`, `1e3` are not. What a column makes of a word is decided by the column (`columns.py`).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TypeAlias

from sqlprovider.surfaces.deploy.model import Place
from sqlprovider.values import JSON


@dataclass(frozen=True, slots=True)
class Scalar:
    """One word or text."""

    text: str
    """As written."""
    value: bool | int | float | str | None
    """What YAML makes of it."""
    place: Place
    literal: bool = False
    """No placeholders are looked for: it comes from a variable or from SQL."""
    doubt: str | None = None
    """Why it may not be read as a number (`0123`); text columns take the text."""


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Map:
    """A map; its keys are texts as written and differ."""

    pairs: tuple[tuple[Scalar, Node], ...]
    place: Place

    def get(self, name: str) -> Node | None:
        """The value of a key."""
        return next((value for key, value in self.pairs if key.text == name), None)


Node: TypeAlias = "Scalar | Items | Map"

_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_OCTAL_LIKE = re.compile(r"[-+]?0[0-9]+")
_WORDS: dict[str, bool | str | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), "Infinity"),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), "-Infinity"),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), "NaN"),
}
_LONGEST_NUMBER = 400


def plain_scalar(text: str, place: Place) -> Scalar:
    """A word without quotes."""
    if text in _WORDS:
        return Scalar(text, _WORDS[text], place)
    if _INTEGER.fullmatch(text):
        if _OCTAL_LIKE.fullmatch(text):
            doubt = f"{text} begins with 0: put it in quotes, or write the number without the 0"
            return Scalar(text, text, place, doubt=doubt)
        if len(text) > _LONGEST_NUMBER:
            return Scalar(text, text, place, doubt="the number is too long")
        return Scalar(text, int(text, 0), place)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if math.isinf(number):
            return Scalar(text, text, place, doubt=f"{text[:20]} is too large a number")
        return Scalar(text, number, place)
    return Scalar(text, text, place)


def given_text(text: str, place: Place) -> Scalar:
    """A text that is meant as it is, without placeholders."""
    return Scalar(text, text, place, literal=True)


def node_of(value: object, place: Place, *, literal: bool = True) -> Node:
    """A decoded JSON or TOML value as a node. What neither has (a date) is its ISO text."""
    match value:
        case dict():
            pairs = ((_key(key, place), node_of(item, place, literal=literal)) for key, item in value.items())
            return Map(tuple(pairs), place)
        case list():
            return Items(tuple(node_of(item, place, literal=literal) for item in value), place)
        case None | bool():
            return Scalar("null" if value is None else str(value).lower(), value, place, literal=literal)
        case Number():
            return Scalar(value.text, plain_scalar(value.text, place).value, place, literal=literal)
        case int() | float():
            return Scalar(str(value), value, place, literal=literal)
        case str():
            return Scalar(value, value, place, literal=literal)
        case _:
            text = value.isoformat() if hasattr(value, "isoformat") else str(value)
            return Scalar(str(text), str(text), place, literal=literal)


@dataclass(frozen=True, slots=True)
class Number:
    """A decimal number of TOML or JSON with the text written, for their `parse_float`."""

    text: str


def _key(key: object, place: Place) -> Scalar:
    return Scalar(str(key), str(key), place, literal=True)


def plain(node: Node) -> JSON:
    """The JSON value of a node, its placeholders as text."""
    match node:
        case Scalar():
            return node.value
        case Items():
            return [plain(item) for item in node.items]
        case Map():
            return {key.text: plain(value) for key, value in node.pairs}
