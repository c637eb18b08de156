"""Filter texts and orders, read as the documents say they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlprovider.catalog.push import Filter, Order, Term
from sqlprovider.values import JSON

_FREE = ("IN", "IS NULL", "IS NOT NULL")
"""Operators that do not take exactly one value."""


@dataclass(frozen=True, slots=True)
class Test:
    """`column op value`, on a key of it where the column is JSON; the value None for IS NULL and its like."""

    column: str
    key: str | None
    op: str
    values: tuple[str, ...]


def read_filter(spelling: Filter, text: str) -> list[Test]:
    """The tests that a filter text makes. Raises ValueError for one that is not written so."""
    return [_read_term(spelling, said.strip()) for said in _split(spelling, text)]


def read_order(order: Order, said: JSON) -> list[tuple[str, bool]]:
    """(column, whether descending) for each term that names a column."""
    terms = said if isinstance(said, list) else str(said).split(",")
    named = {name: column for column, name in order.columns.items()}
    down = order.directions[1]
    found = []
    for term in terms:
        name, _, direction = str(term).strip().partition(" ")
        if name in named:
            found.append((named[name], bool(direction) and direction.strip() == down.strip()))
    return found


def _split(spelling: Filter, text: str) -> Iterator[str]:
    """The terms between conjunctions that stand in no quotes."""
    begin, position, quote = 0, 0, ""
    while position < len(text):
        character = text[position]
        if quote:
            if spelling.escape == "backslash" and character == "\\":
                position += 1
            elif character == quote:
                quote = ""
        elif character in spelling.quotes or character == "`":
            quote = character
        elif text.startswith(spelling.conjunction, position):
            yield text[begin:position]
            position += len(spelling.conjunction)
            begin = position
            continue
        position += 1
    if quote:
        raise ValueError(f"a quote is not closed in {text!r}")
    yield text[begin:]


def _read_term(spelling: Filter, said: str) -> Test:
    for column, term in spelling.terms.items():
        before, keyed, after = term.name.partition("{key}")
        name = re.escape(before) + ("(?P<key>.+?)" + re.escape(after) if keyed else "(?P<key>)")
        for op, word in sorted(term.ops.items(), key=lambda pair: -len(pair[1])):
            found = re.fullmatch(rf"{name} ?{re.escape(word)}(?: ?(?P<rest>.+))?", said, re.DOTALL)
            if found is not None:
                values = tuple(_literals(spelling, term, found["rest"]))
                if len(values) != 1 and op not in _FREE:
                    raise ValueError(f"{said!r} has {len(values)} values")
                return Test(column, found["key"] or None, op, values)
    raise ValueError(f"{said!r} is no term of the filter")


def _literals(spelling: Filter, term: Term, said: str | None) -> Iterator[str]:
    if said is None:
        return
    rest = said[1:-1] if said.startswith("(") and said.endswith(")") else said
    while rest:
        if rest[0] in spelling.quotes:
            literal, end = _quoted(spelling, rest)
            after, rest = rest[end:].strip(), ""
        elif term.value == "string":
            raise ValueError(f"the text {rest!r} stands in no quotes")
        else:
            literal, comma, after = rest.partition(",")
            after = comma + after
        yield literal.strip() if term.value != "string" else literal
        if after and not after.startswith(","):
            raise ValueError(f"{after!r} stands after a value")
        rest = after.removeprefix(",").strip()


def _quoted(spelling: Filter, text: str) -> tuple[str, int]:
    """The text in quotes at the start, and where it ends."""
    quote, position, found = text[0], 1, ""
    while position < len(text):
        character, following = text[position], text[position + 1 : position + 2]
        if (spelling.escape == "backslash" and character == "\\") or (
            spelling.escape == "double" and character == quote == following
        ):
            found, position = found + following, position + 2
        elif character == quote:
            return found, position + 1
        else:
            found, position = found + character, position + 1
    raise ValueError(f"a quote is not closed in {text!r}")
