"""A script, statement by statement, split where SQLite splits it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from sqlprovider.errors import SQLSyntaxError
from sqlprovider.sql.tokens import Kind, Token, closing, tokens
from sqlprovider.values import Span


@dataclass(frozen=True)
class Piece:
    """One statement: its text without the `;`, and its tokens, whose positions are positions in that text."""

    text: str
    tokens: tuple[Token, ...]

    @property
    def illegal(self) -> Token | None:
        """The token that SQLite cannot read, if there is one; it is the last."""
        last = self.tokens[-1]
        return last if last.kind is Kind.ILLEGAL else None

    @cached_property
    def closing(self) -> dict[int, int]:
        """The index of each `(` with the index of its `)`."""
        return closing(self.tokens)

    def word(self, index: int) -> str:
        """The bare word at an index in capitals, else ""."""
        return self.tokens[index].word if 0 <= index < len(self.tokens) else ""

    def is_text(self, index: int, text: str) -> bool:
        """Whether the token at an index is exactly that text."""
        return 0 <= index < len(self.tokens) and self.tokens[index].text == text

    def is_name(self, index: int) -> bool:
        """Whether the token at an index can be a part of a name."""
        return 0 <= index < len(self.tokens) and self.tokens[index].is_name

    def chain(self, start: int) -> int:
        """The index after the name that begins at `start`: `a`, `a.b`, `a.b.c`, …"""
        at = start + 1
        while self.is_text(at, ".") and self.is_name(at + 1):
            at += 2
        return at

    def parts(self, start: int, stop: int) -> tuple[str, ...]:
        """The parts of the name in `tokens[start:stop]`."""
        return tuple(token.name for token in self.tokens[start:stop:2])

    def span(self, start: int, stop: int) -> Span:
        """Where `tokens[start:stop]` stand; the end of the text if there are none."""
        if start >= len(self.tokens):
            return Span(len(self.text), len(self.text))
        return Span(self.tokens[start].start, self.tokens[max(start, stop - 1)].end)

    def slice(self, start: int, stop: int) -> str:
        """The text of `tokens[start:stop]`, as the user wrote it."""
        span = self.span(start, stop)
        return self.text[span.start : span.end]

    def after(self, start: int) -> Piece:
        """The statement that begins at `tokens[start]`, on its own."""
        return _piece(self.text, list(self.tokens[start:]))

    def unexpected(self, index: int, wanted: str) -> SQLSyntaxError:
        """The error for a token that should be something else."""
        found = f"near {self.tokens[index].text[:40]!r}" if index < len(self.tokens) else "at the end"
        return SQLSyntaxError(
            f"syntax error {found}: {wanted}", span=self.span(index, index + 1), text=self.text
        )


def pieces(text: str) -> Iterator[Piece]:
    """The statements of a script. What cannot be tokenized is, with all that follows, the last one."""
    current: list[Token] = []
    for token in tokens(text):
        if token.text == ";" and not _inside_trigger(current):
            if current:
                yield _piece(text, current)
            current = []
        else:
            current.append(token)
    if current:
        yield _piece(text, current)


def _piece(text: str, current: list[Token]) -> Piece:
    start, end = current[0].start, current[-1].end
    moved = (replace(token, start=token.start - start) for token in current)
    return Piece(text[start:end], tuple(moved))


def _inside_trigger(current: list[Token]) -> bool:
    """Whether a `;` after these tokens ends a statement of a trigger's body, not the CREATE TRIGGER."""
    head = [token.word for token in current[:6]]
    while head and head[0] in ("EXPLAIN", "QUERY", "PLAN"):
        head.pop(0)
    if head[:1] != ["CREATE"] or "TRIGGER" not in head[1:3]:
        return False
    return not (len(current) > 1 and current[-1].word == "END" and current[-2].text == ";")
