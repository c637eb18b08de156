"""The JSON values of one column over a page → its cells, in bulk where the values are of the usual kind.

What a value means is said in `cells.py`, one value at a time. Here a column whose values are all of one kind
is taken as it is, or changed by a few calls for the whole page; any other goes there, so that conversions and
errors are always those of `decode_column`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from types import NoneType
from typing import Any

from sqlprovider.catalog.model import Column, Wire
from sqlprovider.execute.cells import decode_column, json_shape
from sqlprovider.execute.jsontext import dump_all, dump_maps
from sqlprovider.values import JSON, SQLValue, Type

Convert = Callable[[Sequence[JSON]], Sequence[SQLValue]]
"""The values of a column → its cells. Raises DataError that names the column."""

_Bulk = Callable[[Column, Sequence[Any]], Sequence[SQLValue] | None]
"""Values that are there, of the kinds it is for → their cells. None, or a ValueError: they go one by one."""

_Ways = Mapping[frozenset[type], _Bulk]
"""Kinds of values → what is done with them."""

_LEAST, _MOST = -(2**63), 2**63 - 1
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  in UTC, as all our text is
_HOUR = 3_600_000
_CLOCK = [f"{second // 60:02}:{second % 60:02}" for second in range(3600)]
_THOUSANDTHS = [f".{ms:03}" for ms in range(1000)]
_DIGITS = bytes.maketrans(b"0123456789", b"0" * 10)
_TRUTHS: dict[JSON, SQLValue] = {True: 1, False: 0, None: None}


def converter(column: Column) -> Convert:
    """How the values of a column become cells, for a whole page."""
    in_bulk = _json_in_bulk if column.type is Type.JSON else partial(_in_bulk, _ways(column))

    def convert(values: Sequence[JSON]) -> Sequence[SQLValue]:
        cells = None
        with suppress(LookupError, ValueError, TypeError, OverflowError, RecursionError):
            cells = in_bulk(column, values)
        # What was wrong is met again, one by one, and named.
        return [decode_column(column, value) for value in values] if cells is None else cells

    return convert


def _in_bulk(ways: _Ways, column: Column, values: Sequence[JSON]) -> Sequence[SQLValue] | None:
    if column.zero_is_null:
        values = [None if value in (0, "", "0") else value for value in values]
    if column.type is Type.BOOLEAN:
        return list(map(_TRUTHS.__getitem__, values))
    kinds = _kinds(values)
    bulk = ways.get(kinds - {NoneType})
    if bulk is None or bulk is _as_they_are:
        return None if bulk is None else bulk(column, values)
    return bulk(column, values) if NoneType not in kinds else _where_given(partial(bulk, column), values)


def _kinds(values: Sequence[JSON]) -> frozenset[type]:
    kinds = list(map(type, values))
    return frozenset(kinds[:1] if kinds and kinds.count(kinds[0]) == len(kinds) else kinds)


def _where_given(
    bulk: Callable[[list[Any]], Sequence[SQLValue] | None], values: Sequence[JSON]
) -> Sequence[SQLValue] | None:
    """The cells of the values that are there, and NULL for the others."""
    cells = bulk([value for value in values if value is not None])
    if cells is None:
        return None
    rest = iter(cells)
    return [None if value is None else next(rest) for value in values]


def _as_they_are(column: Column, values: Sequence[Any]) -> Sequence[SQLValue]:
    return values


def _integers(column: Column, values: Sequence[Any]) -> Sequence[SQLValue] | None:
    return values if min(values) >= _LEAST and max(values) <= _MOST else None


def _integer_texts(column: Column, values: Sequence[Any]) -> Sequence[SQLValue] | None:
    return _integers(column, list(map(int, values)))


def _fractions(column: Column, values: Sequence[Any]) -> Sequence[SQLValue] | None:
    # A sum is finite only if each number is.
    return values if _are_within(column, values) and math.isfinite(sum(values)) else None


def _are_within(column: Column, numbers: Sequence[Any]) -> bool:
    """Whether none is as good as infinite."""
    most = column.infinite
    return most is None or (min(numbers) > -most and max(numbers) < most)


def _numbers(column: Column, values: Sequence[Any]) -> Sequence[SQLValue] | None:
    return _fractions(column, list(map(float, values)))


def _epochs(column: Column, values: Sequence[Any]) -> Sequence[SQLValue]:
    starts = {value // _HOUR for value in values}
    hours = {hour: (_EPOCH + timedelta(hours=hour)).isoformat(" ", "hours") for hour in starts}
    return [f"{hours[v // _HOUR]}:{_CLOCK[v // 1000 % 3600]}{_THOUSANDTHS[v % 1000]}" for v in values]


def _epoch_texts(column: Column, values: Sequence[Any]) -> Sequence[SQLValue]:
    return _epochs(column, list(map(int, values)))


def _instants(column: Column, values: Sequence[Any]) -> Sequence[SQLValue] | None:
    """RFC 3339 in UTC; values with equally many digits are read together."""
    lengths = set(map(len, values))
    if len(lengths) == 1:
        return _alike(values)
    groups = {length: _alike([value for value in values if len(value) == length]) for length in lengths}
    rest = {length: iter(cells) for length, cells in groups.items() if cells is not None}
    return [next(rest[len(value)]) for value in values] if len(rest) == len(lengths) else None


def _alike(values: Sequence[str]) -> list[str] | None:
    """`2026-01-02T03:04:05.123Z` as `2026-01-02 03:04:05.123`; None where one of them has another shape."""
    digits = len(values[0]) - len("0000-00-00T00:00:00.Z")
    fraction = "." + "0" * digits if digits > 0 else ""
    shape = f"0000-00-00T00:00:00{fraction}Z"
    joined = "\n".join(values)
    if joined.encode().translate(_DIGITS) != "\n".join([shape] * len(values)).encode():
        return None
    if "T24" in joined:  # some versions of Python read it as the next day
        return None
    for value in values:
        datetime.fromisoformat(value)  # is there such a day, and such an hour?
    end = "0" * (3 - digits) if fraction else ".000"
    return joined.replace("T", " ").replace("Z", end).split("\n")


def _json_in_bulk(column: Column, values: Sequence[JSON]) -> Sequence[SQLValue] | None:
    if column.zero_is_null:
        return None
    if column.wire is Wire.KEY_VALUE:
        return _maps_in_bulk(column, values)
    if not column.keep and column.sort is None:
        return _where_given(dump_all, values)
    return _where_given(lambda given: dump_all([json_shape(column, value) for value in given]), values)


def _maps_in_bulk(column: Column, values: Sequence[Any]) -> Sequence[SQLValue] | None:
    """Lists of keys and values, all of them texts or all of them numbers."""
    if not _kinds(values) <= {list, NoneType}:
        return None
    key, value = column.key_names
    maps = [{entry[key]: entry[value] for entry in entries or ()} for entries in values]
    held = list(chain.from_iterable(map(dict.values, maps)))
    usual = {int, float} if column.numeric_keys else {str}
    if not (_kinds(list(chain.from_iterable(maps))) <= {str} and _kinds(held) <= usual):
        return None
    if column.numeric_keys and held and not _are_within(column, held):
        return None
    return dump_maps(maps)


def _ways(column: Column) -> _Ways:
    if column.type is Type.TEXT and column.wire is Wire.NUMBER_TEXT:
        return {}
    if column.type is Type.DATETIME and column.wire is Wire.EPOCH_MS:
        return {_INT: _epochs, _STR: _epoch_texts, _NOTHING: _as_they_are}
    return _WAYS.get(column.type, {})


_NOTHING: frozenset[type] = frozenset()
_STR: frozenset[type] = frozenset({str})
_INT: frozenset[type] = frozenset({int})
_FLOAT: frozenset[type] = frozenset({float})

_WAYS: dict[Type, _Ways] = {
    Type.TEXT: {_STR: _as_they_are, _NOTHING: _as_they_are},
    Type.INTEGER: {_INT: _integers, _STR: _integer_texts, _NOTHING: _as_they_are},
    Type.REAL: {_FLOAT: _fractions, _INT: _numbers, _INT | _FLOAT: _numbers, _NOTHING: _as_they_are},
    Type.DATETIME: {_STR: _instants, _NOTHING: _as_they_are},
}
