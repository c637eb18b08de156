"""Where names stand in a statement: its SELECTs, their FROM lists, and the dotted names elsewhere.

This reads tokens, not a tree, so that it works on every text SQLite takes. What names mean is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from sqlprovider.sql.script import Piece
from sqlprovider.sql.tokens import RESERVED, Kind

_COMPOUND = frozenset({"UNION", "EXCEPT", "INTERSECT"})
_FROM_ENDS = _COMPOUND | {"WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "RETURNING", "SET"}
_QUERY_STARTS = frozenset({"SELECT", "VALUES", "WITH"})
_MATERIALIZED = frozenset({"NOT", "MATERIALIZED"})


class Place(Enum):
    """How a name stands in table position."""

    FROM = auto()
    IN = auto()  # `x IN a.b.c`
    INTO = auto()  # the target of INSERT and REPLACE
    TARGET = auto()  # the target of UPDATE and DELETE


@dataclass(frozen=True, slots=True)
class Arm:
    """One SELECT (of a compound, a subquery, a CTE), or the level of an INSERT, UPDATE or DELETE."""

    parent: int | None
    ctes: frozenset[str]
    """The names of the CTEs in scope, in lower case."""


@dataclass(frozen=True, slots=True)
class Source:
    """`tokens[start:stop]` in table position; no parts for a subquery."""

    place: Place
    arm: int
    start: int
    stop: int
    parts: tuple[str, ...]
    alias: str | None = None
    called: bool = False
    """`a.b.c(…)`."""


@dataclass(frozen=True, slots=True)
class Mention:
    """`a.b.c.col` or `a.b.c.*` in `tokens[start:stop]`, in an expression."""

    arm: int
    start: int
    stop: int
    parts: tuple[str, ...]
    """Without the column."""
    column: str
    """As written; `*` for all."""


@dataclass(slots=True)
class Outline:
    """What was found, in the order of the text as far as one SELECT goes."""

    arms: list[Arm] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)

    @property
    def target(self) -> Source | None:
        """What an INSERT, UPDATE or DELETE writes to."""
        return next((s for s in self.sources if s.place in (Place.INTO, Place.TARGET)), None)


def outline_statement(piece: Piece, start: int = 0) -> Outline:
    """The outline of a SELECT, VALUES, INSERT, REPLACE, UPDATE or DELETE that begins at `tokens[start]`."""
    reader = _Reader(piece)
    reader.body(start, len(piece.tokens), parent=None, ctes=frozenset())
    return reader.found


def outline_expressions(piece: Piece, start: int) -> Outline:
    """The outline of expressions with subqueries, from `tokens[start]` to the end."""
    reader = _Reader(piece)
    reader.expressions(start, len(piece.tokens), reader.new_arm(None, frozenset()))
    return reader.found


def cte_names(piece: Piece, start: int) -> tuple[list[tuple[str, int]], int]:
    """The CTEs of the WITH at `start`, each with the index of its body's `(`; the index after the WITH."""
    at = start + 2 if piece.word(start + 1) == "RECURSIVE" and piece.is_name(start + 2) else start + 1
    names: list[tuple[str, int]] = []
    while piece.is_name(at):
        name = piece.tokens[at].name
        at += 1
        if piece.is_text(at, "("):
            at = piece.closing[at] + 1
        if piece.word(at) != "AS":
            break
        at += 1
        while piece.word(at) in _MATERIALIZED:
            at += 1
        if not piece.is_text(at, "("):
            break
        names.append((name, at))
        at = piece.closing[at] + 1
        if not piece.is_text(at, ","):
            break
        at += 1
    return names, at


class _Reader:
    """Reads token ranges; the parts of a range that are ranges themselves are read by a call of their own."""

    def __init__(self, piece: Piece) -> None:
        self.piece = piece
        self.found = Outline()

    def new_arm(self, parent: int | None, ctes: frozenset[str]) -> int:
        self.found.arms.append(Arm(parent, ctes))
        return len(self.found.arms) - 1

    def body(self, start: int, stop: int, *, parent: int | None, ctes: frozenset[str]) -> None:
        """A statement or a subquery: `[WITH …] SELECT … UNION SELECT …`."""
        at = start
        if self.piece.word(at) == "WITH":
            bodies, at = cte_names(self.piece, at)
            ctes |= {name.lower() for name, _ in bodies}
            for _, opened in bodies:
                self.body(opened + 1, self.piece.closing[opened], parent=parent, ctes=ctes)
        level = arm = self.new_arm(parent, ctes)
        at, place = self.target(at, stop, arm)
        if place is Place.INTO:
            # What INSERT writes to cannot be read by its SELECT, only by its RETURNING.
            arm = self.new_arm(parent, ctes)
        while at < stop:
            word = self.piece.word(at)
            if word in _COMPOUND:
                arm = self.new_arm(parent, ctes)
                at += 1
            elif word == "RETURNING":
                arm = level
                at += 1
            elif word == "FROM" and self.piece.word(at - 1) != "DISTINCT":
                at = self.from_clause(at + 1, stop, arm)
            else:
                at = self.expression(at, arm)

    def target(self, at: int, stop: int, arm: int) -> tuple[int, Place | None]:
        """`INSERT INTO x`, `REPLACE INTO x`, `UPDATE x`, `DELETE FROM x`; what stands after it."""
        verb = self.piece.word(at)
        if verb not in ("INSERT", "REPLACE", "UPDATE", "DELETE"):
            return at, None
        at += 3 if self.piece.word(at + 1) == "OR" else 1
        place = Place.TARGET if verb in ("UPDATE", "DELETE") else Place.INTO
        if verb != "UPDATE":
            if self.piece.word(at) not in ("INTO", "FROM"):
                return at, None
            at += 1
        return (self.table(at, stop, arm, place) if self.piece.is_name(at) else at), place

    def from_clause(self, start: int, stop: int, arm: int) -> int:
        """A FROM list with its joins; the index at which it ends."""
        at = self.table(start, stop, arm, Place.FROM)
        while at < stop and not self.ends_from(at):
            if self.piece.word(at) == "JOIN" or self.piece.is_text(at, ","):
                at = self.table(at + 1, stop, arm, Place.FROM)
            else:
                at = self.expression(at, arm)
        return at

    def ends_from(self, at: int) -> bool:
        word = self.piece.word(at)
        if word == "WINDOW":
            return self.piece.is_name(at + 1) and self.piece.word(at + 2) == "AS"
        return word in _FROM_ENDS or starts_upsert(self.piece, at)

    def table(self, at: int, stop: int, arm: int, place: Place) -> int:
        """One table, subquery or nested join with its alias; the index after it."""
        if at >= stop:
            return at
        if self.piece.is_text(at, "("):
            return self.nested(at, arm)
        if not self.piece.is_name(at):
            return at + 1
        after = self.piece.chain(at)
        stop_of_name = after
        if called := place is not Place.INTO and self.piece.is_text(after, "("):
            close = self.piece.closing[after]
            self.expressions(after + 1, close, arm)
            after = close + 1
        # A target's alias needs its AS: `INSERT INTO r WITH …` has none.
        has_alias = place is Place.FROM or self.piece.word(after) == "AS"
        alias, after = self.alias(after) if has_alias else (None, after)
        parts = self.piece.parts(at, stop_of_name)
        self.found.sources.append(Source(place, arm, at, stop_of_name, parts, alias, called))
        if self.piece.word(after) == "INDEXED" and self.piece.word(after + 1) == "BY":
            return after + 3
        return after + 2 if self.piece.word(after + 1) == "INDEXED" else after

    def nested(self, opened: int, arm: int) -> int:
        """A subquery or a join in parentheses."""
        close = self.piece.closing[opened]
        level = self.found.arms[arm]
        is_query = self.piece.word(opened + 1) in _QUERY_STARTS
        if is_query:
            # A subquery in FROM sees what the whole SELECT sees, not the tables beside it.
            self.body(opened + 1, close, parent=level.parent, ctes=level.ctes)
        else:
            self.from_clause(opened + 1, close, arm)
        alias, after = self.alias(close + 1)
        if is_query:
            self.found.sources.append(Source(Place.FROM, arm, opened, close + 1, (), alias))
        return after

    def alias(self, at: int) -> tuple[str | None, int]:
        piece = self.piece
        if piece.word(at) == "AS" and at + 1 < len(piece.tokens):
            return piece.tokens[at + 1].name, at + 2
        is_string = at < len(piece.tokens) and piece.tokens[at].kind is Kind.STRING
        is_word = piece.is_name(at) and piece.word(at) not in RESERVED and not self.ends_from(at)
        if not is_string and not is_word:
            return None, at
        return piece.tokens[at].name, at + 1

    def expressions(self, start: int, stop: int, arm: int) -> None:
        at = start
        while at < stop:
            at = self.expression(at, arm)

    def expression(self, at: int, arm: int) -> int:
        """One token of an expression, a group in parentheses or a name; the index after it."""
        piece = self.piece
        if piece.is_text(at, "("):
            self.group(at, arm)
            return piece.closing[at] + 1
        if piece.word(at) == "IN" and piece.is_name(at + 1):
            stop = piece.chain(at + 1)
            called, parts = piece.is_text(stop, "("), piece.parts(at + 1, stop)
            self.found.sources.append(Source(Place.IN, arm, at + 1, stop, parts, called=called))
            return stop
        if not piece.is_name(at):
            return at + 1
        stop = piece.chain(at)
        starred = piece.is_text(stop, ".") and piece.is_text(stop + 1, "*")
        parts = piece.parts(at, stop)
        if starred:
            self.found.mentions.append(Mention(arm, at, stop + 2, parts, "*"))
        elif len(parts) > 2:
            self.found.mentions.append(Mention(arm, at, stop, parts[:-1], piece.tokens[stop - 1].text))
        return stop + 2 if starred else stop

    def group(self, opened: int, arm: int) -> None:
        """What stands in parentheses in an expression: a subquery, or more expressions."""
        close = self.piece.closing[opened]
        if self.piece.word(opened + 1) in _QUERY_STARTS:
            self.body(opened + 1, close, parent=arm, ctes=self.found.arms[arm].ctes)
        else:
            self.expressions(opened + 1, close, arm)


def starts_upsert(piece: Piece, at: int) -> bool:
    """Whether `ON CONFLICT …` of an INSERT begins here, not the ON of a join on a column `conflict`."""
    if piece.word(at) != "ON" or piece.word(at + 1) != "CONFLICT":
        return False
    return piece.word(at + 2) == "DO" or piece.is_text(at + 2, "(")
