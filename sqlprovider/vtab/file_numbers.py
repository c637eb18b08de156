"""Which texts are numbers, and columns of them.

A number is what loses nothing when it becomes one: no leading zero (`01234`), no plus sign, no integer of more
than 64 bits. `0.10` and `1e5` are numbers. NaN and ±Infinity are in a column of numbers: NaN stays the text
'NaN', which SQLite has no number for and which a write takes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlprovider.values import Type
from sqlprovider.vtab.file_reader import Cells

Number = int | float | str

_WORDS: Mapping[str, Number] = {
    "nan": "NaN",
    **dict.fromkeys(("inf", "infinity", "+inf", "+infinity"), math.inf),
    **dict.fromkeys(("-inf", "-infinity"), -math.inf),
}
_EXACT = 2**53
"""Up to here a REAL is exact."""

# Those a conversion cannot go wrong on, tried first.
_short_integer = re.compile(r" *(?:0|-?[1-9][0-9]{0,17}) *").fullmatch
_short_real = re.compile(r" *-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]*)?(?:[eE][-+]?[0-9]{1,3})? *").fullmatch
_long_integer = re.compile(r" *-?[1-9][0-9]* *").fullmatch
_real = re.compile(r" *-?(?:0|[1-9][0-9]*|(?=\.[0-9]))(?:\.[0-9]*)?(?:[eE][-+]?[0-9]{1,3})? *").fullmatch


def number(text: str) -> Number | None:
    """The number that a text is; None if it is none, or could not be written back.

    >>> [number(text) for text in ("7", "-0.50", "1e3", "nan", "007", "+7", "1_000", "12345678901234567890")]
    [7, -0.5, 1000.0, 'NaN', None, None, None, None]
    """
    if _short_integer(text):
        return int(text)
    if _long_integer(text):
        value = int(text)
        return value if -(2**63) <= value < 2**63 else None
    return float(text) if _real(text) else _WORDS.get(text.strip(" ").lower())


def kind_of(cells: Sequence[str | None]) -> set[str]:
    """What the cells are: of `integer`, `real`, `word` (NaN, Infinity), "" for text; nothing if all are empty."""
    given = [cell for cell in cells if cell]
    if all(map(_short_integer, given)):
        return {"integer"} if given else set()
    if all(map(_short_real, given)):
        return {"real"}
    return set(map(_kind, given))


def _kind(text: str) -> str:
    match number(text):
        case None:
            return ""
        case int():
            return "integer"
        case float() as value if math.isfinite(value):
            return "real"
        case _:
            return "word"


@dataclass(frozen=True, slots=True)
class NumberKind:
    """A type of numbers, with its quick way from text."""

    type: Type
    is_short: Callable[[str], object]
    short: Callable[[str], Number]

    def cells(self, cells: Sequence[str | None]) -> Cells:
        """The numbers of a column; nothing, quoted or not, is NULL. Raises ValueError for what is none."""
        if all(cells) and all(map(self.is_short, cells)):  # type: ignore[arg-type]  # there is no None
            return list(map(self.short, cells))  # type: ignore[arg-type]
        return [self._cell(cell) if cell else None for cell in cells]

    def takes(self, cell: str | None) -> bool:
        """Whether a cell is nothing or a number."""
        return not cell or number(cell) is not None

    def _cell(self, text: str) -> Number:
        value = number(text)
        if value is None:
            raise ValueError(text)
        if self.type is Type.REAL and isinstance(value, int) and abs(value) <= _EXACT:
            return float(value)
        return value


_INTEGER = NumberKind(Type.INTEGER, _short_integer, int)
_REAL = NumberKind(Type.REAL, _short_real, float)
KINDS: Mapping[frozenset[str], NumberKind] = {
    frozenset({"integer"}): _INTEGER,
    frozenset({"real"}): _REAL,
    frozenset({"integer", "real"}): _REAL,
}
"""What a column is by the kinds of its cells."""
