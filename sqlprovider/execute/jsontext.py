"""JSON text ↔ values: what `json` reads and writes, by orjson wherever the two agree.

orjson is several times faster, and differs in a few places: it refuses NaN, a byte order mark and half a
surrogate pair, reads an integer beyond 64 bits as a fraction, and writes very small and very large fractions
in another form. Those go through `json`, and so does everything where orjson is not installed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache, partial
from types import ModuleType
from typing import TypeVar

from sqlprovider.values import JSON

_T = TypeVar("_T")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_DIGITS = bytes.maketrans(b"0123456789-", b"0" * 11)
_LONG = b"0" * 20
"""The shortest integer beyond 64 bits, its digits and its sign as zeros."""
_EXPONENT = re.compile(rb"e[-+]?[0-9]+(?:[,\]}\n]|\Z)")
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def load_json(body: bytes) -> JSON:
    """The value of a JSON text in UTF-8.

    Raises UnicodeError (also for half a surrogate pair, which is no text that SQLite could hold),
    json.JSONDecodeError, and ValueError or RecursionError for what is beyond all measure.
    """
    fast = _orjson()
    if fast is not None and not _may_hold_long_integer(body):
        with suppress(ValueError):  # `json` reads it after all, or says what is wrong
            found: JSON = fast.loads(body)
            return found
    decoded: JSON = json.loads(body.decode("utf-8-sig"))
    if _SURROGATE.search(body):
        json.dumps(decoded, ensure_ascii=False).encode()
    return decoded


def dump_json(value: JSON) -> str:
    """Compact JSON in raw UTF-8, in the order given; NaN and ±Infinity are null."""
    try:
        return _encode(value)
    except ValueError:
        return _encode(_finite(value))


def dump_all(values: Sequence[JSON]) -> list[str]:
    """`dump_json` of each."""
    fast = _orjson()
    return _dump_each(values, dump_json, None if fast is None else fast.dumps)


def dump_maps(maps: Sequence[dict[str, JSON]]) -> list[str]:
    """`dump_json` of each, its keys in order. What is under them is text or numbers."""
    fast = _orjson()
    dumps = None if fast is None else partial(fast.dumps, option=fast.OPT_SORT_KEYS)
    return _dump_each(maps, lambda found: dump_json(dict(sorted(found.items()))), dumps)


def _dump_each(
    values: Sequence[_T], dump: Callable[[_T], str], fast: Callable[[_T], bytes] | None
) -> list[str]:
    """The text of each as `dump` writes it; by `fast` where that is the same."""
    if fast is None:
        return list(map(dump, values))
    try:
        texts = list(map(fast, values))
    except TypeError:  # an integer beyond 64 bits, or nested too deeply
        return list(map(dump, values))
    joined = b"\n".join(texts)
    if not texts or _may_hold_other_form(joined):
        pairs = zip(values, texts, strict=True)
        return [dump(value) if _may_hold_other_form(text) else text.decode() for value, text in pairs]
    return joined.decode().split("\n")


@cache
def _orjson() -> ModuleType | None:
    try:
        import orjson  # noqa: PLC0415  a statement that reads no page has no use for it
    except ImportError:
        return None
    return orjson


def _may_hold_long_integer(body: bytes) -> bool:
    """Whether there may be an integer beyond 64 bits: one outside quotes and left of a decimal point."""
    flat = body.translate(_DIGITS)
    at = flat.find(_LONG)
    while at >= 0:
        if at == 0 or flat[at - 1] in b":,[ \t\r\n":
            return True
        at = flat.find(_LONG, at + len(_LONG))
    return False


def _may_hold_other_form(text: bytes) -> bool:
    """Whether there may be a fraction that `json` writes in another form (1e-05, 1e+16)."""
    return b"0.0000" in text or _EXPONENT.search(text) is not None


def _finite(value: JSON) -> JSON:
    match value:
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {name: _finite(item) for name, item in value.items()}
        case list():
            return [_finite(item) for item in value]
        case _:
            return value
