"""Values that an encoder, a canonicaliser or a server between the two would most likely spoil."""

from __future__ import annotations

from urllib.parse import quote, quote_plus

VALUES = {
    "plain": "run-1",
    "slash": "tb/1",
    "dots": "ws/../k",
    "encoded-slash": "a%2Fb",
    "percent": "100%",
    "space": "a b",
    "plus": "a+b",
    "plus-space": "+ +",
    "star": "*",
    "tilde": "~a~",
    "ampersand": "a&b=c",
    "equals": "=",
    "question": "a?b#c",
    "quotes": "'\"`",
    "brackets": "[{(!)}]",
    "semicolon-comma": "a;b,c:d@e",
    "utf8": "Prüfung–日本",
    "emoji": "🦀 ok",
    "combining": "e\u0301",
    "backslash-pipe": "a\\b|c^d",
}
"""For a path segment and for a query's value."""
QUERY_ONLY = {"empty": ""}


def wire_path(value: str) -> str:
    """The value as the second segment of a path of three, as our requests quote it."""
    return f"/api/{quote(value, safe='')}/end"


def wire_query(value: str, *, plus: bool = False) -> str:
    """The value among others; a space is `%20`, as our requests have it, or `+`, as forms do."""
    encoded = quote_plus(value, safe="") if plus else quote(value, safe="")
    # `a1` and `a-b` sort differently by name and by the whole of `name=value`.
    return f"b={encoded}&a1=x&a={encoded}&a-b=&A=1"
