"""A statement as a sqlglot tree, to be read only. The one place that parses with sqlglot and maps its errors.

sqlglot is given a text of our own making that means the same: every literal and parameter is a placeholder
that carries its token's index (so that a tree's leaf is a place in the user's text, and no literal is read
twice), every word that is no keyword is quoted (`filter`, `key` and `show` are columns to SQLite), a resource
is `"@3"` (the third that was found), and the type in a CAST is TEXT.
"""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.dialects.sqlite import SQLite
from sqlglot.errors import SqlglotError

from sqlprovider.errors import SQLSyntaxError
from sqlprovider.sql.outline import Place
from sqlprovider.sql.rewrite import Resolved
from sqlprovider.sql.tokens import Kind, Token, keywords, quoted, unquoted

_KEYWORDS = keywords(
    "ALL AND AS ASC BETWEEN BY CASE CAST COLLATE CROSS CURRENT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP"
    " DEFAULT DESC DISTINCT ELSE END ESCAPE EXCEPT EXCLUDE EXISTS FALSE FILTER FIRST FOLLOWING FROM FULL GLOB"
    " GROUP GROUPS HAVING IN INNER INTERSECT INTO IS ISNULL JOIN LAST LEFT LIKE LIMIT MATCH MATERIALIZED"
    " NATURAL NO NOT NOTNULL NULL NULLS OFFSET ON OR ORDER OTHERS OUTER OVER PARTITION PRECEDING RANGE"
    " RECURSIVE REGEXP RIGHT ROW ROWS SELECT THEN TIES TRUE UNBOUNDED UNION USING VALUES WHEN WHERE WINDOW"
    " WITH"
)
_AFTER_CALL = frozenset({"FILTER", "OVER"})
_CALLED_LIKE = frozenset({"GLOB", "LIKE", "MATCH", "REGEXP", "ROW", "LEFT", "RIGHT"})
_LITERALS = (Kind.STRING, Kind.BLOB, Kind.NUMBER, Kind.PARAMETER)
_BEFORE_TABLES = frozenset({"INTO", "FROM", "JOIN", "WITH", "RECURSIVE", "TABLE"})
_OWN_GRAMMAR = frozenset(SQLite.Parser.FUNCTION_PARSERS) | frozenset(SQLite.Parser.FUNCTIONS)
CALL_MARK = "call_"
TABLE_MARK = "@"
_LITERAL_MARK = "t"


class TreeText:
    """Collects the text of a tree from token ranges and words of our own."""

    def __init__(self, resolved: Resolved) -> None:
        self.resolved = resolved
        self.tokens = resolved.piece.tokens
        self.token_at: dict[int, int] = {}
        """Where in the text a token begins → its index."""
        self._pieces: list[str] = []
        self._length = 0
        self._replaced = dict(self._replacements())

    def say(self, text: str, *, index: int | None = None) -> None:
        """Add words of our own, or those of a token."""
        if index is not None:
            self.token_at[self._length] = index
        self._pieces.append(text)
        self._length += len(text) + 1

    def add(self, start: int, stop: int) -> None:
        """Add `tokens[start:stop]`."""
        at = start
        while at < stop:
            if at in self._replaced:
                at, words = self._replaced[at]
                for index, text in words:
                    self.say(text, index=index)
            else:
                self._token(at)
                at += 1

    def parse(self) -> Tree:
        """The tree. Raises SQLSyntaxError."""
        text = " ".join(self._pieces)
        try:
            roots = sqlglot.parse(text, read="sqlite")
        except (SqlglotError, RecursionError) as error:
            raise self._error(error) from error
        if len(roots) != 1 or roots[0] is None or isinstance(roots[0], exp.Command):
            raise self._error(None)
        return Tree(self, roots[0])

    def _replacements(self) -> list[tuple[int, tuple[int, list[tuple[int, str]]]]]:
        """First token of what is written in another way → (the token after it, what is written for which)."""
        replaced = []
        for number, found in enumerate(self.resolved.found):
            source = found.source
            words = [(source.start, quoted(f"{TABLE_MARK}{number}"))]
            if source.alias is None and source.place is not Place.IN:
                words += [(source.start, "AS"), (source.start, quoted(found.alias))]
            replaced.append((source.start, (found.stop, words)))
        for qualified in self.resolved.qualified:
            mention = qualified.mention
            column = "*" if mention.column == "*" else quoted(self.tokens[mention.stop - 1].name)
            words = [
                (mention.start, quoted(qualified.alias)),
                (mention.start, "."),
                (mention.stop - 1, column),
            ]
            replaced.append((mention.start, (mention.stop, words)))
        for opened, close in self.resolved.piece.closing.items():
            if self.resolved.piece.word(opened - 1) == "CAST" and (as_ := self._cast_as(opened, close)):
                replaced.append((as_ + 1, (close, [(as_ + 1, "TEXT")])))
        return replaced

    def _cast_as(self, opened: int, close: int) -> int | None:
        """The index of the AS in `CAST(… AS type)`."""
        at = opened + 1
        while at < close and self.tokens[at].word != "AS":
            at = self.resolved.piece.closing.get(at, at) + 1
        return at if at < close else None

    def _token(self, index: int) -> None:
        token = self.tokens[index]
        if token.kind in _LITERALS:
            # After AS a string is a name.
            is_name = token.kind is Kind.STRING and self.resolved.piece.word(index - 1) == "AS"
            self.say(quoted(unquoted(token.text)) if is_name else f":{_LITERAL_MARK}{index}", index=index)
        elif token.is_name and not self._is_keyword(index, token):
            self.say(quoted(f"{CALL_MARK if self._is_call(index) else ''}{token.name}"), index=index)
        else:
            self.say(token.text, index=index)

    def _is_call(self, index: int) -> bool:
        """Whether a name is a function that sqlglot has a grammar of its own for (`json_object`)."""
        piece = self.resolved.piece
        is_called = piece.is_text(index + 1, "(") and piece.word(index - 1) not in _BEFORE_TABLES
        return is_called and self.tokens[index].name.upper() in _OWN_GRAMMAR

    def _is_keyword(self, index: int, token: Token) -> bool:
        piece = self.resolved.piece
        if token.word not in _KEYWORDS or piece.is_text(index - 1, ".") or piece.is_text(index + 1, "."):
            return False
        if token.word in _AFTER_CALL:
            return piece.is_text(index - 1, ")")
        if token.word in _CALLED_LIKE and piece.is_text(index + 1, "("):
            # `glob('a*', x)` is a call; `x GLOB ('a*')` is not.
            before = self.tokens[index - 1]
            is_operand = before.is_name and before.word not in _KEYWORDS
            return is_operand or before.kind in _LITERALS or before.text == ")"
        return True

    def _error(self, error: Exception | None) -> SQLSyntaxError:
        piece = self.resolved.piece
        details: dict[str, object] = next(iter(getattr(error, "errors", ())), {})
        column, highlight = details.get("col"), str(details.get("highlight") or "")
        if isinstance(column, int):
            # A placeholder is two tokens to sqlglot, its colon and its name.
            starts = (column - len(highlight), column - len(highlight) - 1)
            index = next((self.token_at[start] for start in starts if start in self.token_at), None)
            if index is not None:
                return piece.unexpected(index, "the statement cannot be read any further")
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else "it cannot be parsed"
        return SQLSyntaxError(
            f"syntax error: {reason}", span=piece.span(0, len(piece.tokens)), text=piece.text
        )


class Tree:
    """A parsed statement, and where its leaves stand in the user's text."""

    def __init__(self, text: TreeText, root: exp.Expr) -> None:
        self.root = root
        self.tokens = text.tokens
        self.resolved = text.resolved
        self._token_at = text.token_at

    def literal(self, node: exp.Expr | None) -> tuple[int, Token] | None:
        """The index and token of a literal or parameter; None for any other node."""
        if not isinstance(node, exp.Placeholder) or not node.name[1:].isdigit():
            return None
        index = int(node.name[1:])
        return index, self.tokens[index]

    def extent(self, node: exp.Expr) -> tuple[int, int] | None:
        """The first token of a node's names and literals, and the one after its last; None if it has none."""
        places = (self._place(leaf) for leaf in node.find_all(exp.Identifier, exp.Placeholder))
        known = [place for place in places if place is not None]
        return (min(known), max(known) + 1) if known else None

    def _place(self, leaf: exp.Expr) -> int | None:
        literal = self.literal(leaf)
        return self._token_at.get(leaf.meta.get("start", -1)) if literal is None else literal[0]
