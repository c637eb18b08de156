"""A statement's text without its values, to be kept where no secret may be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlprovider.sql.tokens import Kind, Token, keywords, tokens

MASK = "'***'"

_LITERALS = (Kind.STRING, Kind.BLOB, Kind.NUMBER)
_BEFORE_A_NAME = keywords("INTO UPDATE JOIN AS")


def mask_literals(text: str) -> str:
    """Every literal as `'***'`, without comments; the whole text is `'***'` where SQLite cannot read it.

    >>> mask_literals("INSERT INTO a.b (k, v) VALUES ('it''s', -1.5, x'00', NULL, :v) -- mine")
    "INSERT INTO a.b (k, v) VALUES ('***', -'***', '***', NULL, :v)"
    """
    read = list(tokens(text))
    if any(token.kind is Kind.ILLEGAL for token in read):
        return MASK
    return "".join(_masked(text, read)).strip()


def _masked(text: str, read: Sequence[Token]) -> Iterator[str]:
    at = 0
    for index, token in enumerate(read):
        gap = text[at : token.start]
        yield gap if gap.isspace() or not gap else " "
        yield MASK if token.kind in _LITERALS or _may_be_text(read, index) else token.text
        at = token.end


def _may_be_text(read: Sequence[Token], index: int) -> bool:
    """Whether a token in double quotes does not stand where only a name can.

    SQLite takes `"x"` for a string where no column has that name.
    """
    if not read[index].text.startswith('"'):
        return False
    before = read[index - 1] if index else None
    after = read[index + 1] if index + 1 < len(read) else None
    is_part = any(token is not None and token.text == "." for token in (before, after))
    return not is_part and (before is None or before.word not in _BEFORE_A_NAME)
