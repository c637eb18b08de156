"""One JSON value → one cell, by the type of its column."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

from sqlprovider.catalog.model import Column, Wire
from sqlprovider.errors import DataError
from sqlprovider.execute.items import value_at
from sqlprovider.execute.jsontext import dump_json
from sqlprovider.plan.wire import shorten
from sqlprovider.values import JSON, SQLValue, Type, datetime_from_epoch_ms, datetime_from_text


def decode_column(column: Column, value: JSON) -> SQLValue:
    """One JSON value as a column's SQL value. Raises DataError that names the column."""
    if value is None and column.wire is Wire.KEY_VALUE and column.type is Type.JSON:
        return "{}"  # an API leaves empty lists out of its answers
    if value is None or (column.zero_is_null and value in (0, "", "0")):
        return None
    try:
        return _DECODERS[column.type](column, value)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise DataError(
            f"{column.name} is {shorten(value)}, which is no {column.type.value}: {error}",
            pointer="/" + "/".join(column.path),
            reason="wrong_type",
        ) from None


def _text(column: Column, value: JSON) -> SQLValue:
    if column.wire is Wire.NUMBER_TEXT:
        return _number_word(column, value)
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return json.dumps(value)
        case _:
            raise ValueError("it is an object or a list")


def _integer(column: Column, value: JSON) -> SQLValue:
    match value:
        case bool():
            raise ValueError("it is a truth value")
        case int():
            number = value
        case float() if value.is_integer():
            number = int(value)
        case str():
            number = int(value)
        case _:
            raise ValueError("it is no whole number")
    if not -(2**63) <= number < 2**63:
        raise ValueError("it does not fit 64 bits")
    return number


def _real(column: Column, value: JSON) -> SQLValue:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("it is no number")
    number = float(value)
    beyond = column.infinite is not None and abs(number) >= column.infinite
    return number if math.isfinite(number) and not beyond else None


def _number_word(column: Column, value: JSON) -> SQLValue:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("it is no number")
    number = float(value)
    if math.isnan(number):
        return "NaN"
    if math.isinf(number) or (column.infinite is not None and abs(number) >= column.infinite):
        return "Infinity" if number > 0 else "-Infinity"
    return json.dumps(number)


def _boolean(column: Column, value: JSON) -> SQLValue:
    match value:
        case bool():
            return int(value)
        case 0 | 1:
            return value
        case "true" | "True":
            return 1
        case "false" | "False":
            return 0
        case _:
            raise ValueError("it is neither true nor false")


def _datetime(column: Column, value: JSON) -> SQLValue:
    if column.wire is Wire.EPOCH_MS:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError("it is no number of milliseconds")
        return datetime_from_epoch_ms(int(value))
    if not isinstance(value, str):
        raise ValueError("it is no text")
    return datetime_from_text(value)


def _json(column: Column, value: JSON) -> SQLValue:
    return dump_json(json_shape(column, value))


def json_shape(column: Column, value: JSON) -> JSON:
    """What the text of a JSON column is made of. Raises ValueError."""
    if column.wire is Wire.KEY_VALUE:
        return _pairs(column, value)
    if column.keep and isinstance(value, dict):
        return {name: value[name] for name in column.keep if name in value}
    if column.sort is not None and isinstance(value, list):
        return sorted(value, key=lambda item: str(value_at(item, (column.sort or "",))))
    return value


def _pairs(column: Column, value: JSON) -> JSON:
    """A list of keys and values as an object in the order of the keys."""
    if not isinstance(value, list):
        raise ValueError("it is no list of keys and values")
    key_name, value_name = column.key_names
    pairs: dict[str, JSON] = {}
    for entry in value:
        if not isinstance(entry, dict) or not isinstance(key := entry.get(key_name), str):
            raise ValueError(f"one of its entries has no {key_name!r}")
        held = entry.get(value_name)
        pairs[key] = _finite_number(column, held) if column.numeric_keys else held
    return dict(sorted(pairs.items()))


def _finite_number(column: Column, value: JSON) -> JSON:
    """A number under a key; NaN and ±Infinity, however they travel, are null."""
    if isinstance(value, str) and value.strip("+-").lower() in ("nan", "infinity", "inf"):
        return None
    if isinstance(value, float | int) and column.infinite is not None and abs(value) >= column.infinite:
        return None
    return value


_DECODERS: dict[Type, Callable[[Column, JSON], SQLValue]] = {
    Type.TEXT: _text,
    Type.INTEGER: _integer,
    Type.REAL: _real,
    Type.BOOLEAN: _boolean,
    Type.DATETIME: _datetime,
    Type.JSON: _json,
}
