"""Changes of a text by position. Nothing else of the text is touched."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """`text[start:end]` becomes `new`; an insertion where both are equal."""

    start: int
    end: int
    new: str


class Edits:
    """The edits of one text. They do not overlap; an insertion may touch another edit."""

    def __init__(self, text: str, edits: Iterable[Edit] = ()) -> None:
        self.text = text
        self._edits = sorted(edits)
        self._starts = [edit.start for edit in self._edits]

    def with_more(self, edits: Iterable[Edit]) -> Edits:
        """These edits and more."""
        return Edits(self.text, [*self._edits, *edits])

    def cut(self, start: int, end: int) -> str:
        """`text[start:end]` with the edits that lie in it."""
        pieces: list[str] = []
        at = start
        for edit in self._edits[bisect_left(self._starts, start) :]:
            if edit.end > end:
                break
            pieces += (self.text[at : edit.start], edit.new)
            at = edit.end
        pieces.append(self.text[at:end])
        return "".join(pieces)
