"""SQLite's own lexical grammar, so that a name's place in the text is exactly where SQLite sees it.

sqlglot's tokenizer is not used for this: it takes the rest of an EXPLAIN, a SHOW or a CALL as one string,
joins `GROUP  BY` into one token that is not in the text, and splits `?1`. What is added to SQLite's tokens is
EXEC's `@@json` and `@"wire-name"`, which SQLite does not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlprovider.values import Span, SQLValue


class Kind(StrEnum):
    """What a token is."""

    WORD = "word"
    QUOTED = "quoted"
    STRING = "string"
    BLOB = "blob"
    NUMBER = "number"
    PARAMETER = "parameter"
    ARGUMENT = "argument"  # `@@json`, `@"opc-retry-token"`: EXEC only
    PUNCTUATION = "punctuation"
    ILLEGAL = "illegal"  # from here on SQLite reads no token


@dataclass(frozen=True, slots=True)
class Token:
    """One token of `text[start:end]`."""

    kind: Kind
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + len(self.text)

    @property
    def span(self) -> Span:
        """Where it stands."""
        return Span(self.start, self.end)

    @property
    def word(self) -> str:
        """A bare word in capitals; "" for anything else."""
        return self.text.upper() if self.kind is Kind.WORD else ""

    @property
    def is_name(self) -> bool:
        """Whether it can be a part of a name."""
        return self.kind in (Kind.WORD, Kind.QUOTED)

    @property
    def name(self) -> str:
        """The name it writes, without quotes. After AS a string can be one."""
        return unquoted(self.text) if self.kind in (Kind.QUOTED, Kind.STRING) else self.text


# By what they are not: a range up to \U0010ffff takes Python thirty times as long to compile.
_FIRST = r"[^\x00-@\[-\^`{-\x7f]"  # a letter, _, or anything beyond ASCII
_REST = r"[^\x00-#%-/:-@\[-\^`{-\x7f]"  # or a digit, or $
_DIGITS = r"\d(?:_?\d)*"

_TOKEN = re.compile(
    rf"""
    (?P<space>[ \t\n\f\r][ \t\n\v\f\r]*|\ufeff|--[^\n]*|/\*(?=.).*?(?:\*/|\Z))
  | (?P<blob>[xX]'(?:[0-9a-fA-F]{{2}})*')
  | (?P<word>(?![xX]'){_FIRST}{_REST}*)
  | (?P<string>'(?:[^']|'')*+')
  | (?P<quoted>"(?:[^"]|"")*+"|`(?:[^`]|``)*+`|\[[^\]]*\])
  | (?P<number>(?>0[xX][0-9a-fA-F](?:_?[0-9a-fA-F])*
               |(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?)(?!{_REST}))
  | (?P<parameter>\?[0-9]*|[@:$](?:::)*{_REST}(?>{_REST}|::)*(?:\([^\s)]*\))?)
  | (?P<argument>@@{_REST}+|@(?:"(?:[^"]|"")*+"|`(?:[^`]|``)*+`|\[[^\]]*\]))
  | (?P<punctuation>->>|->|\|\||<>|<=|<<|>=|>>|!=|==|[-+*/%=<>&|~(),.;])
  | (?P<illegal>.+)
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)


def keywords(text: str) -> frozenset[str]:
    """The words of a text, to be looked up."""
    return frozenset(text.split())


RESERVED = keywords(
    "ADD ALL ALTER AND AS AUTOINCREMENT BETWEEN CASE CHECK COLLATE COMMIT CONSTRAINT CREATE CROSS DEFAULT"
    " DEFERRABLE DELETE DISTINCT DROP ELSE ESCAPE EXCEPT EXISTS FOREIGN FROM FULL GROUP HAVING IN INDEX"
    " INDEXED INNER INSERT INTERSECT INTO IS ISNULL JOIN LEFT LIMIT NATURAL NOT NOTHING NOTNULL NULL ON OR"
    " ORDER OUTER PRIMARY REFERENCES RETURNING RIGHT SELECT SET TABLE THEN TO TRANSACTION UNION UNIQUE UPDATE"
    " USING VALUES WHEN WHERE"
)
"""The keywords that SQLite never takes for a name without AS (tried on each of its keywords)."""

_NO_QUALIFIER = keywords("CAST RAISE CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a text, without blanks and comments. An ILLEGAL token holds all that follows."""
    for match in _TOKEN.finditer(text):
        group = match.lastgroup
        if group is not None and group != "space":
            yield Token(Kind(group), match.group(), match.start())


def closing(words: Sequence[Token]) -> dict[int, int]:
    """The index of each `(` with the index of its `)`. One that is left open closes at the end."""
    pairs: dict[int, int] = {}
    opened: list[int] = []
    for index, token in enumerate(words):
        if token.text == "(":
            opened.append(index)
        elif token.text == ")" and opened:
            pairs[opened.pop()] = index
    return pairs | dict.fromkeys(opened, len(words))


def unquoted(text: str) -> str:
    """What a quoted name or string says.

    >>> unquoted('"a""b"'), unquoted("[x]"), unquoted("'it''s'")
    ('a"b', 'x', "it's")
    """
    mark = text[0]
    return text[1:-1] if mark == "[" else text[1:-1].replace(mark * 2, mark)


def quoted(name: str) -> str:
    """A name in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def quoted_if_needed(name: str) -> str:
    """A name as it can stand anywhere: bare if it is plain and no keyword."""
    plain = _PLAIN_NAME.fullmatch(name) and name.upper() not in RESERVED | _NO_QUALIFIER
    return name if plain else quoted(name)


def string_literal(value: str) -> str:
    """A text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def literal_value(token: Token) -> SQLValue:
    """What a string, blob or number token says.

    >>> literal_value(Token(Kind.STRING, "'it''s'", 0)), literal_value(Token(Kind.NUMBER, "0x1F", 0))
    ("it's", 31)
    """
    match token.kind:
        case Kind.STRING:
            return unquoted(token.text)
        case Kind.BLOB:
            return bytes.fromhex(token.text[2:-1])
    text = token.text.replace("_", "")
    if text[:2].lower() == "0x":
        return int(text, 16)
    # An integer that SQLite cannot hold is a REAL to it.
    return int(text) if text.isdigit() and int(text) < 2**63 else float(text)
