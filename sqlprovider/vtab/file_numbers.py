"""Which texts are numbers, and columns of them.

A number is what means the same when it becomes one: no leading zero (`01234`), no plus sign, no integer of
more than 64 bits. `0.10` and `1e5` are numbers. NaN and ±Infinity may stand in a column of numbers; NaN is
the text 'NaN' there, for which SQLite has no number and which a write takes.
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

# Lines of numbers on which a conversion cannot go wrong: one look at a whole column, tried first.
_integers = re.compile(r"(?:(?:0|-?+[1-9][0-9]{0,17}+)(?:\n|\Z))++").fullmatch
_reals = re.compile(
    r"(?:-?+(?:0|[1-9][0-9]{0,14}+)(?:\.[0-9]*+)?+(?:[eE][-+]?[0-9]{1,3}+)?+(?:\n|\Z))++"
).fullmatch
_integer = re.compile(r" *(?:0|-?[1-9][0-9]{0,18}) *").fullmatch
_real = re.compile(
    r" *-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*|(?=[eE]))|\.[0-9]+|0)(?:[eE][-+]?[0-9]{1,3})? *"
).fullmatch


def number(text: str) -> Number | None:
    """The number that a text is; None if it is none, or could not be written back.

    >>> [number(text) for text in ("7", "-0.50", "1e3", "nan", "007", "+7", "1_000", "12345678901234567890")]
    [7, -0.5, 1000.0, 'NaN', None, None, None, None]
    """
    if _integer(text):
        value = int(text)
        return value if -(2**63) <= value < 2**63 else None
    return float(text) if _real(text) else _WORDS.get(text.strip(" ").lower())


def kind_of(cells: Sequence[str | None]) -> set[str]:
    """What the cells are: `integer`, `real`, `word` (NaN, Infinity), "" for text; {} if all are empty."""
    given = [cell for cell in cells if cell]
    if not given:
        return set()
    if _all(_integers, given):
        return {"integer"}
    return {"real"} if _all(_reals, given) else set(map(_kind, given))


def _all(lines: Callable[[str], object], cells: Sequence[str]) -> bool:
    text = "\n".join(cells)
    return lines(text) is not None and text.count("\n") == len(cells) - 1


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
    lines: Callable[[str], object]
    convert: Callable[[str], Number]

    def cells(self, cells: Sequence[str | None]) -> Cells:
        """The numbers of a column; nothing, quoted or not, is NULL. Raises ValueError for what is none."""
        given = [cell for cell in cells if cell]
        if not _all(self.lines, given):
            return [self._cell(cell) if cell else None for cell in cells]
        if len(given) == len(cells):
            return list(map(self.convert, given))
        return [self.convert(cell) if cell else None for cell in cells]

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


_INTEGER = NumberKind(Type.INTEGER, _integers, int)
_REAL = NumberKind(Type.REAL, _reals, float)
KINDS: Mapping[frozenset[str], NumberKind] = {
    frozenset({"integer"}): _INTEGER,
    frozenset({"real"}): _REAL,
    frozenset({"integer", "real"}): _REAL,
}
"""What a column is by the kinds of its cells."""
