"""An INSERT, UPDATE or DELETE cut into its clauses, by tokens."""

from __future__ import annotations

from dataclasses import dataclass

from sqlprovider.sql.outline import Place, Source, cte_names, starts_upsert
from sqlprovider.sql.script import Piece


@dataclass(frozen=True, slots=True)
class Range:
    """`tokens[start:stop]`."""

    start: int
    stop: int

    @property
    def is_empty(self) -> bool:
        """Whether the clause is not there."""
        return self.start >= self.stop


_NONE = Range(0, 0)


@dataclass(frozen=True, slots=True)
class WriteClauses:
    """Where each clause stands, its keyword left out unless said otherwise."""

    verb: str
    """INSERT, UPDATE or DELETE."""
    target: Source
    conflict: str | None
    with_: Range = _NONE
    """With its WITH."""
    columns: Range = _NONE
    source: Range = _NONE
    """VALUES or SELECT with its keyword; empty for DEFAULT VALUES."""
    set_: Range = _NONE
    from_: Range = _NONE
    where: Range = _NONE
    returning: Range = _NONE
    tail: Range = _NONE
    """`ORDER BY … LIMIT …` with its keywords."""
    upsert: Range = _NONE
    """What comes after ON CONFLICT."""


def cut_clauses(piece: Piece, target: Source, start: int = 0) -> WriteClauses:
    """The clauses of a write that begins at `tokens[start]`. Raises SQLSyntaxError."""
    for opened, close in piece.closing.items():
        if close == len(piece.tokens):
            raise piece.unexpected(opened, "it is never closed")
    at, with_ = start, _NONE
    if piece.word(at) == "WITH":
        _, at = cte_names(piece, at)
        with_ = Range(start, at)
    verb = piece.word(at)
    conflict = None
    if verb == "REPLACE":
        conflict = "OR REPLACE"
    elif piece.word(at + 1) == "OR":
        conflict = f"OR {piece.word(at + 2)}"
    after = target.stop
    if target.alias is not None:
        after += 2
    if target.place is Place.INTO:
        return _cut_insert(piece, target, conflict, with_, after)
    found = _cut_by_keyword(piece, after, _UPDATE_ORDER if verb == "UPDATE" else _DELETE_ORDER)
    if verb == "UPDATE" and found["set_"].is_empty:
        raise piece.unexpected(after, "an UPDATE needs SET column = value")
    return WriteClauses(verb, target, conflict, with_, **found)


_UPDATE_ORDER = ("set_", "from_", "where", "returning", "tail")
_DELETE_ORDER = ("where", "returning", "tail")
_CLAUSE_WORDS = {
    "SET": "set_",
    "FROM": "from_",
    "WHERE": "where",
    "RETURNING": "returning",
    "ORDER": "tail",
    "LIMIT": "tail",
}


def _cut_by_keyword(piece: Piece, after: int, order: tuple[str, ...]) -> dict[str, Range]:
    """The clauses of an UPDATE or DELETE; each once and in order."""
    starts: list[tuple[str, int]] = []
    at = after
    while at < len(piece.tokens):
        clause = _CLAUSE_WORDS.get(piece.word(at))
        is_operator = piece.word(at) == "FROM" and piece.word(at - 1) == "DISTINCT"
        if clause is not None and not is_operator and (clause != "tail" or "tail" not in dict(starts)):
            last = order.index(starts[-1][0]) if starts else -1
            if clause not in order or order.index(clause) <= last:
                raise piece.unexpected(at, f"{piece.word(at)} cannot stand here")
            starts.append((clause, at))
        elif not starts:
            raise piece.unexpected(at, "this does not belong to the name of the table")
        at = piece.closing.get(at, at) + 1
    ends = [*(at for _, at in starts[1:]), len(piece.tokens)][: len(starts)]
    found = dict.fromkeys(order, _NONE)
    for (clause, begin), end in zip(starts, ends, strict=True):
        first = begin if clause == "tail" else begin + 1
        if first >= end:
            raise piece.unexpected(end, f"{piece.word(begin)} needs something after it")
        found[clause] = Range(first, end)
    return found


def _cut_insert(piece: Piece, target: Source, conflict: str | None, with_: Range, after: int) -> WriteClauses:
    columns = _NONE
    at = after
    if piece.is_text(at, "(") and piece.word(at + 1) not in ("SELECT", "VALUES", "WITH"):
        columns = Range(at + 1, piece.closing[at])
        at = columns.stop + 1
    if piece.word(at) == "DEFAULT" and piece.word(at + 1) == "VALUES":
        source, at = _NONE, at + 2
    elif piece.word(at) in ("VALUES", "SELECT", "WITH"):
        begin = at
        while at < len(piece.tokens) and piece.word(at) != "RETURNING" and not starts_upsert(piece, at):
            at = piece.closing.get(at, at) + 1
        source = Range(begin, at)
    else:
        raise piece.unexpected(at, "an INSERT needs VALUES (…), SELECT … or DEFAULT VALUES")
    upsert = _NONE
    if starts_upsert(piece, at):
        conflict, begin = "ON CONFLICT", at + 2
        while at < len(piece.tokens) and piece.word(at) != "RETURNING":
            at = piece.closing.get(at, at) + 1
        upsert = Range(begin, at)
    returning = _NONE
    if piece.word(at) == "RETURNING":
        returning = Range(at + 1, len(piece.tokens))
        if returning.is_empty:
            raise piece.unexpected(at + 1, "RETURNING needs an expression")
    elif at < len(piece.tokens):
        raise piece.unexpected(at, "the INSERT should have ended here")
    return WriteClauses(
        "INSERT", target, conflict, with_, columns, source, returning=returning, upsert=upsert
    )


def split_list(piece: Piece, whole: Range) -> list[Range]:
    """The parts of a list between its commas. Raises SQLSyntaxError where one is empty."""
    parts: list[Range] = []
    begin = at = whole.start
    while at < whole.stop:
        if piece.is_text(at, ","):
            parts.append(Range(begin, at))
            begin = at + 1
        at = piece.closing.get(at, at) + 1
    parts.append(Range(begin, whole.stop))
    for part in parts:
        if part.is_empty:
            raise piece.unexpected(part.stop, "a list has an empty place")
    return parts
