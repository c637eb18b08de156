"""The parameters of a statement, numbered as SQLite numbers them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from sqlprovider.sql.script import Piece, pieces
from sqlprovider.sql.splice import Edit
from sqlprovider.sql.tokens import Kind, Token


@dataclass(frozen=True, slots=True)
class Parameters:
    """`numbers`: index of the token of each anonymous `?` → its number. `count`: values in a sequence."""

    numbers: dict[int, int]
    count: int
    named: dict[str, int] = field(default_factory=dict)
    """`:a` → its number."""

    def key(self, piece: Piece, index: int) -> tuple[str | None, int]:
        """The name (without its sign, None for `?`) and the number of the parameter at an index."""
        text = piece.tokens[index].text
        if text[0] != "?":
            return text[1:], self.named[text]
        return None, self.numbers[index] if text == "?" else int(text[1:])

    def edits(self, piece: Piece) -> Iterator[Edit]:
        """`?` → `?3`, so that pieces of the statement can be run apart."""
        for index, number in self.numbers.items():
            token = piece.tokens[index]
            yield Edit(token.start, token.end, f"?{number}")


def read_parameters(tokens: Sequence[Token], *, but: Collection[int] = ()) -> Parameters:
    """As SQLite: `?` is one more than the largest so far, a new name likewise, `?7` is 7.

    `but`: indexes of tokens that only look like parameters.
    """
    numbers: dict[int, int] = {}
    named: dict[str, int] = {}
    largest = 0
    for index, token in enumerate(tokens):
        if token.kind is not Kind.PARAMETER or index in but:
            continue
        if token.text == "?":
            largest += 1
            numbers[index] = largest
        elif token.text[0] == "?":
            largest = max(largest, int(token.text[1:]))
        elif token.text not in named:
            largest += 1
            named[token.text] = largest
    return Parameters(numbers, largest, named)


def count_parameters(text: str) -> int:
    """How many values a sequence must have for one statement."""
    return sum(read_parameters(piece.tokens).count for piece in pieces(text))
