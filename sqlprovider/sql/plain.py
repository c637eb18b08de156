"""Whether a text can be SQLite's alone, told without reading it: most scripts of a local database are."""

from __future__ import annotations

import re
from functools import lru_cache

from sqlprovider.sql.statement import FILE_FUNCTIONS, Names

_OUR_WORDS = ("exec", "use", "show", "describe", "set", "explain", "sqlprovider", *FILE_FUNCTIONS)
_THREE_PARTS = r"""["`\]\w]\s*\.\s*["`\[]?\w+["`\]]?\s*\.\s*["`\[]?[^\W\d]"""


def is_plain(text: str, names: Names) -> bool:
    """True if no word of ours and no name of a resource can be in it; False decides nothing.

    After USE any word may be a resource. A name of three parts is looked at even if its first is no
    connection: it may be a misspelt one.
    """
    return not names.used and _signs(names.connections).search(text) is None


@lru_cache(maxsize=8)
def _signs(connections: tuple[str, ...]) -> re.Pattern[str]:
    ours = "|".join(_OUR_WORDS)
    known = "".join(f"|{re.escape(name)}" for name in connections)
    return re.compile(rf"\b(?:{ours})\b|{_THREE_PARTS}{known}", re.IGNORECASE)
