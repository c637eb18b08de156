"""Whether a text can be SQLite's alone, told without reading it: most scripts of a local database are."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlprovider.sql.statement import Names

FILE_FUNCTIONS = ("read_csv", "read_jsonl", "read_parquet")
"""Table-valued functions whose columns are a file's."""
_OUR_WORDS = ("exec", "use", "show", "describe", "set", "explain", "sqlprovider", *FILE_FUNCTIONS)
_THREE_PARTS = r"""["`\]\w]\s*\.\s*["`\[]?\w+["`\]]?\s*\.\s*["`\[]?[^\W\d]"""


def is_plain(text: str, names: Names) -> bool:
    """True if no word of ours and no name of a resource can be in it; False decides nothing.

    After USE any word may be a resource. A name of three parts is looked at even if its first is no
    connection: it may be a misspelt one.
    """
    return not names.used and (_has_no_word(text, names) or _signs(names.connections).search(text) is None)


def _has_no_word(text: str, names: Names) -> bool:
    """The same for short and simple texts, sooner than a pattern is compiled; False decides nothing."""
    if not text.isascii() or "." in text:
        return False
    lowered = text.lower()
    return not any(word.lower() in lowered for word in (*_OUR_WORDS, *names.connections))


@lru_cache(maxsize=8)
def _signs(connections: tuple[str, ...]) -> re.Pattern[str]:
    ours = "|".join(_OUR_WORDS)
    known = "".join(f"|{re.escape(name)}" for name in connections)
    return re.compile(rf"\b(?:{ours})\b|{_THREE_PARTS}{known}", re.IGNORECASE)
