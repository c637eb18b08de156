"""BEGIN, COMMIT, SAVEPOINT and their kin: what SQLite runs itself, and what staged writes must follow."""

from __future__ import annotations

import re
from typing import NamedTuple

_WORDS = ("BEGIN", "COMMIT", "END", "SAVEPOINT", "RELEASE", "ROLLBACK")
_COMMENT = r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?(?:\*/|$))"
_STATEMENT = rf"{_COMMENT}*(?P<word>{'|'.join(_WORDS)})\b(?P<rest>.*)"
_NAME = (
    r"""^(?:"(?P<double>(?:[^"]|"")*)"|'(?P<single>(?:[^']|'')*)'|`(?P<back>(?:[^`]|``)*)`"""
    r"""|\[(?P<square>[^\]]*)\]|(?P<plain>[^\s;]+))"""
)


class Transaction(NamedTuple):
    """`word` is BEGIN, COMMIT, END, SAVEPOINT, RELEASE or ROLLBACK; `name` a savepoint's, in lower case."""

    word: str
    name: str = ""


def read_transaction(sql: str) -> Transaction | None:
    """What one statement of SQLite's says of transactions; None for any other.

    >>> read_transaction("ROLLBACK TRANSACTION TO SAVEPOINT a;"), read_transaction("SELECT 1")
    (Transaction(word='ROLLBACK', name='a'), None)
    """
    upper = sql.upper()
    if not any(word in upper for word in _WORDS):
        return None
    found = re.match(_STATEMENT, sql, re.IGNORECASE | re.DOTALL)
    if found is None:
        return None
    word = found["word"].upper()
    rest = re.sub(_COMMENT, " ", found["rest"], flags=re.DOTALL).strip().rstrip(";").strip()
    if word == "ROLLBACK":
        to = re.match(
            r"(?:TRANSACTION\s+)?TO\s+(?:SAVEPOINT\s+)?(?P<name>.*)", rest, re.IGNORECASE | re.DOTALL
        )
        return Transaction(word, _name(to["name"]) if to else "")
    if word == "RELEASE":
        rest = re.sub(r"^SAVEPOINT\s+", "", rest, flags=re.IGNORECASE)
    return Transaction(word, _name(rest) if word in ("SAVEPOINT", "RELEASE") else "")


def _name(text: str) -> str:
    found = re.match(_NAME, text)
    if found is None:
        return ""
    return next((part for part in found.groups() if part is not None), "").lower()
