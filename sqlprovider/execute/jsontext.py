"""JSON text ↔ values: what `json` reads and writes, by msgspec wherever the two agree.

msgspec is several times faster. It reads what `json` would, and refuses some of it: NaN, numbers beyond a
double, a byte order mark, half a surrogate pair. It writes very small and very large fractions in another
form. Those go through `json`, and so does what is small: msgspec takes some milliseconds to load.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from sqlprovider.values import JSON

if TYPE_CHECKING:
    import msgspec

_T = TypeVar("_T")
SMALL = 4096
"""Bytes of a text that is read by `json`."""
FEW = 16
"""Values that are written by `json`."""
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_EXPONENT = re.compile(rb"e[-+]?[0-9]+(?:[,\]}\n]|\Z)")
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def load_json(body: bytes) -> JSON:
    """The value of a JSON text in UTF-8.

    Raises UnicodeError (also for half a surrogate pair, which is no text that SQLite could hold),
    json.JSONDecodeError, and ValueError or RecursionError for what is beyond all measure.
    """
    if len(body) > SMALL:
        decoder, refusals = _reader()
        with suppress(*refusals):  # `json` reads it after all, or says what is wrong
            found: JSON = decoder.decode(body)
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
    if len(values) <= FEW:
        return list(map(dump_json, values))
    return _dump_each(values, dump_json, _writer(is_sorted=False).encode)


def dump_maps(maps: Sequence[dict[str, JSON]]) -> list[str]:
    """`dump_json` of each, its keys in order. What is under them is text or numbers."""
    if len(maps) <= FEW:
        return list(map(_dump_sorted, maps))
    return _dump_each(maps, _dump_sorted, _writer(is_sorted=True).encode)


def _dump_sorted(found: dict[str, JSON]) -> str:
    return dump_json(dict(sorted(found.items())))


def _dump_each(values: Sequence[_T], dump: Callable[[_T], str], fast: Callable[[_T], bytes]) -> list[str]:
    """The text of each as `dump` writes it; by `fast` where that is the same."""
    try:
        texts = list(map(fast, values))
    except RecursionError:
        return list(map(dump, values))
    joined = b"\n".join(texts)
    if _may_hold_other_form(joined):
        pairs = zip(values, texts, strict=True)
        return [dump(value) if _may_hold_other_form(text) else text.decode() for value, text in pairs]
    return joined.decode().split("\n")


@cache
def _reader() -> tuple[msgspec.json.Decoder[JSON], tuple[type[Exception], ...]]:
    """The decoder, and what it raises."""
    import msgspec  # noqa: PLC0415  what is small does without it

    return msgspec.json.Decoder(), (msgspec.MsgspecError, ValueError, RecursionError)


@cache
def _writer(*, is_sorted: bool) -> msgspec.json.Encoder:
    import msgspec  # noqa: PLC0415  the same

    return msgspec.json.Encoder(order="sorted" if is_sorted else None)


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
