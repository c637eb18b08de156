"""Placeholders in SQL become parameters `:placeholder_1`, …: a value never becomes a part of the text.

`'{{ name }}'` (in quotes, as in `'run of {{ name }}'`) is a text, `{{ name }}` keeps its type. Comments
become blanks; a name cannot come from a placeholder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlprovider.surfaces.deploy.placeholders import (
    PLACEHOLDER,
    Parts,
    Placeholder,
    PlaceholderError,
    holds,
    split,
)

PREFIX = "placeholder_"
PARAMETER = re.compile(rf":({PREFIX}[0-9]+)\b")
# Possessive, and each ends at the end of the text if it must: a broken text costs no more than a whole one.
_TOKEN = re.compile(
    r"""(?P<json>@@json\s*+=\s*+'(?:[^']|'')*+'?)
    |(?P<text>'(?:[^']|'')*+'?)
    |(?P<name>"(?:[^"]|"")*+"?|`(?:[^`]|``)*+`?|\[[^\]]*+\]?)
    |(?P<comment>--[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/)?)
    |(?P<blank>\s++)
    |(?P<braces>\{\{)
    |(?P<word>[\w$@:]++)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_ENDS = re.compile("FROM|WHERE|GROUP|HAVING|ORDER|LIMIT|UNION|INTERSECT|EXCEPT|RETURNING|ON|WINDOW|JOIN")


@dataclass(frozen=True, slots=True)
class Slot:
    """One parameter that stands for placeholders."""

    name: str
    source: str
    """The text with its placeholders, as it would stand in YAML."""
    parts: Parts
    line: int
    is_text: bool
    """It stood in quotes."""
    is_whole: bool
    """It is a whole value: of a row of VALUES, of a SELECT's list, of an EXEC's argument."""
    is_body: bool = False
    """It is the literal of `@@json`: placeholders stand in the texts of the JSON."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A text without placeholders; its lines are those of the file."""

    sql: str
    slots: tuple[Slot, ...]
    starts: tuple[int, ...]
    """Where each statement begins, in `sql`."""


class SQLPlaceholderError(PlaceholderError):
    """A placeholder that cannot stand where it is; `line` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(slots=True)
class _Token:
    kind: str
    text: str
    line: int


def bind(text: str) -> Bound:
    """The text with parameters in the place of its placeholders. Raises SQLPlaceholderError."""
    tokens = list(_tokens(text))
    whole = _wholes(tokens)
    pieces: list[str] = []
    slots: list[Slot] = []
    for number, token in enumerate(tokens):
        replaced = _slot(token, f"{PREFIX}{len(slots) + 1}", number in whole)
        if isinstance(replaced, Slot):
            slots.append(replaced)
            head = "@@json=" if token.kind == "json" else ""
            # The lines that the placeholder took stay, so that those of what follows do not change.
            pieces.append(f"{head}:{replaced.name}" + "\n" * token.text.count("\n"))
        else:
            pieces.append(replaced)
    return Bound("".join(pieces), tuple(slots), tuple(_starts(tokens, pieces)))


def _tokens(text: str) -> Iterator[_Token]:
    at, line, before = 0, 1, ""
    while (match := _TOKEN.match(text, at)) is not None:
        kind, end = match.lastgroup or "other", match.end()
        if kind == "braces":
            placeholder = PLACEHOLDER.match(text, at)
            end = end if placeholder is None else placeholder.end()
            after = text[end : end + 1]
            if before[-1:] in (".", '"') or re.match(r'[\w."$]', after):
                raise SQLPlaceholderError("a name in SQL cannot come from a placeholder", line)
        token = _Token(kind, text[at:end], line)
        yield token
        line += token.text.count("\n")
        at, before = end, token.text


def _slot(token: _Token, name: str, is_whole: bool) -> Slot | str:
    """What stands in a token's place: a parameter, or its text."""
    if token.kind == "comment":
        return " " + "\n" * token.text.count("\n")
    if not holds(token.text):
        return token.text
    if token.kind == "name":
        raise SQLPlaceholderError("a name in SQL cannot come from a placeholder", token.line)
    source = token.text
    if token.kind != "braces":
        source = token.text[token.text.index("'") + 1 :].removesuffix("'").replace("''", "'")
    try:
        parts = split(source)
    except PlaceholderError as error:
        raise SQLPlaceholderError(str(error), token.line) from None
    is_plain = not any(isinstance(part, Placeholder) for part in parts)
    if is_plain and token.kind == "text":
        return "'" + "".join(str(part) for part in parts).replace("'", "''") + "'"
    is_text = token.kind != "braces"
    is_body = token.kind == "json"
    return Slot(name, source, parts, token.line, is_text, is_whole or is_body, is_body)


def _starts(tokens: list[_Token], pieces: list[str]) -> Iterator[int]:
    at, is_new = 0, True
    for token, piece in zip(tokens, pieces, strict=True):
        if token.text == ";":
            is_new = True
        elif is_new and token.kind not in ("blank", "comment"):
            yield at
            is_new = False
        at += len(piece)


def _wholes(tokens: list[_Token]) -> frozenset[int]:
    """The tokens that are whole values."""
    found, scan = set(), _Scan()
    for number, token in enumerate(tokens):
        if token.kind in ("blank", "comment"):
            continue
        if (waiting := scan.waiting) is not None and scan.ends(token.text):
            found.add(waiting)
        scan.take(number, token)
    if scan.waiting is not None:
        found.add(scan.waiting)
    return frozenset(found)


@dataclass(slots=True)
class _Scan:
    """Where in a statement a token stands."""

    head: str = ""
    clause: str = ""
    depth: int = 0
    before: str = ""
    waiting: int | None = None
    """A token that begins as a whole value does."""

    def take(self, number: int, token: _Token) -> None:
        """Goes on by one token."""
        text = token.text
        word = text.upper() if token.kind == "word" else ""
        self.waiting = number if holds(text) and self._begins() else None
        if text == ";":
            self.head = self.clause = self.before = ""
            self.depth = 0
            return
        self.head = self.head or word
        if text in "()":
            self.depth += 1 if text == "(" else -1
        elif self.depth == 0 and word in ("VALUES", "SELECT"):
            self.clause = word
        elif self.depth == 0 and _ENDS.fullmatch(word):
            self.clause = ""
        self.before = word or text

    def _begins(self) -> bool:
        if self.head == "EXEC":
            return self.before == "=" and self.depth == 0
        if self.head not in ("INSERT", "REPLACE", "WITH"):
            return False
        if self.clause == "VALUES":
            return self.depth == 1 and self.before in ("(", ",")
        return self.clause == "SELECT" and self.depth == 0 and self.before in ("SELECT", ",")

    def ends(self, text: str) -> bool:
        """Whether the value that waits ends before this token."""
        if self.head == "EXEC":
            return text in (",", ";") or text.startswith("@")
        if self.clause == "VALUES":
            return text in (",", ")")
        return text in (",", ";") or text.upper() == "AS" or _ENDS.fullmatch(text.upper()) is not None
