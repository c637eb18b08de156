"""SQL values into what goes over the wire, by the parameter that takes them."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import uuid4

from sqlprovider.catalog.model import Parameter, Wire
from sqlprovider.errors import ProgrammingError
from sqlprovider.values import (
    JSON,
    NOT_FINITE,
    SQLValue,
    Type,
    cast,
    datetime_from_epoch_ms,
    datetime_from_text,
    epoch_ms_from_text,
)


def to_wire(value: SQLValue, parameter: Parameter, *, where: str) -> JSON:
    """The JSON value a parameter is sent as. Raises ProgrammingError that names `where` and the parameter."""
    if value is None:
        return None
    if parameter.wire is Wire.RAW:
        return base64.b64encode(value if isinstance(value, bytes) else str(value).encode()).decode()
    try:
        wire = _convert(value, parameter)
    except (ValueError, TypeError) as error:
        raise ProgrammingError(
            f"{where}: {parameter.name} cannot be {shorten(value)}: {error}", reason="wrong_value"
        ) from None
    if parameter.enum and not (set(_scalars(wire)) <= set(parameter.enum)):
        raise ProgrammingError(
            f"{where}: {parameter.name} cannot be {shorten(value)}; it is one of {', '.join(parameter.enum)}",
            reason="not_in_enum",
        )
    if isinstance(wire, str) and len(wire) < parameter.min_chars:
        raise ProgrammingError(
            f"{where}: {parameter.name} has {len(wire)} characters; the API forgets less than "
            f"{parameter.min_chars} silently",
            reason="too_short",
        )
    if parameter.max_chars is not None:
        _refuse_long(wire, parameter.max_chars, where=f"{where}: {parameter.name}")
    return wire


def _refuse_long(wire: JSON, longest: int, *, where: str) -> None:
    """The API would cut a longer text off silently; in a list of keys and values, each value."""
    match wire:
        case str() if len(wire) > longest:
            raise ProgrammingError(
                f"{where} has {len(wire)} characters; the API takes {longest} and cuts off the rest silently",
                reason="too_long",
            )
        case dict():
            for name, item in wire.items():
                _refuse_long(item, longest, where=f"{where}.{name}")
        case list():
            for item in wire:
                _refuse_long(item, longest, where=where)


def default_value(parameter: Parameter, now: datetime | None = None) -> JSON:
    """What is sent when nothing is given: `now()` is the statement's time, `token()` a text like no other."""
    if parameter.default == "token()":
        return uuid4().hex
    if parameter.default != "now()":
        return parameter.default
    moment = now or datetime.now(UTC)
    if parameter.wire is Wire.RFC3339:
        return moment.isoformat().replace("+00:00", "Z")
    return int(moment.timestamp() * 1000)


def shorten(value: object, limit: int = 60) -> str:
    """The value as it may stand in a message."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def _scalars(wire: JSON) -> list[JSON]:
    return wire if isinstance(wire, list) else [wire]


def _convert(value: int | float | str | bytes, parameter: Parameter) -> JSON:
    if isinstance(value, bytes):
        raise ValueError("a BLOB cannot be sent")
    match parameter.type:
        case Type.JSON:
            return _json(value, parameter)
        case Type.DATETIME:
            return _datetime(value, parameter.wire)
        case Type.BOOLEAN:
            return _boolean(value)
        case Type.INTEGER:
            return _integer(value, parameter.wire)
        case Type.REAL:
            return _real(value)
        case _:
            text = str(cast(value, Type.TEXT))
            return [text] if parameter.repeated else text


def _json(value: int | float | str, parameter: Parameter) -> JSON:
    """Text that holds JSON goes out as JSON where the field is an object or a list; other text as it is."""
    decoded: JSON
    if isinstance(value, str):
        try:
            decoded = json.loads(value, parse_constant=str)
        except ValueError:
            decoded = value
    else:
        decoded = value
    if parameter.wire is Wire.KEY_VALUE:
        return key_values(decoded, parameter.key_names)
    if parameter.repeated and not isinstance(decoded, list):
        return [decoded]
    return decoded


def key_values(decoded: JSON, names: tuple[str, str]) -> JSON:
    """`{"a": "x"}` as `[{"key": "a", "value": "x"}]`; a list goes as it is."""
    if isinstance(decoded, list):
        return decoded
    if not isinstance(decoded, Mapping):
        raise ValueError('it takes a JSON object, for example {"key": "value"}')
    key, value = names
    return [{key: name, value: key_text(item)} for name, item in decoded.items()]


def key_text(item: JSON) -> str:
    """Tag and param values are texts: `{"lr": 0.1}` means "0.1", `{"on": true}` means "true"."""
    return item if isinstance(item, str) else json.dumps(item, ensure_ascii=False, separators=(",", ":"))


def _datetime(value: SQLValue, wire: Wire) -> JSON:
    if isinstance(value, float):
        if not value.is_integer():
            raise ValueError("a time is text such as '2026-01-02 03:04:05.678', or whole milliseconds")
        value = int(value)
    if isinstance(value, int):
        normal = datetime_from_epoch_ms(value)
        return value if wire is Wire.EPOCH_MS else rfc3339(normal)
    text = str(value)
    if text.isdigit():
        return _datetime(int(text), wire)
    if wire is Wire.EPOCH_MS:
        return epoch_ms_from_text(text)
    return rfc3339(datetime_from_text(text))


def rfc3339(normal: str) -> str:
    """`2026-01-02T03:04:05Z`: some servers refuse a fraction, so one that is nothing is left out."""
    return normal.replace(" ", "T").removesuffix(".000") + "Z"


def _boolean(value: SQLValue) -> JSON:
    match value:
        case 0 | 1:
            return bool(value)
        case str() if value.lower() in ("true", "1"):
            return True
        case str() if value.lower() in ("false", "0"):
            return False
        case _:
            raise ValueError("it is TRUE or FALSE")


def _integer(value: SQLValue, wire: Wire) -> JSON:
    number = cast(value, Type.INTEGER)
    if not isinstance(number, int):
        raise ValueError("it takes an integer")
    return str(number) if wire is Wire.INT64 else number


def _real(value: SQLValue) -> JSON:
    number = cast(value, Type.REAL)
    if isinstance(number, float):
        if math.isnan(number):
            return "NaN"
        return number if math.isfinite(number) else ("Infinity" if number > 0 else "-Infinity")
    for name in NOT_FINITE:
        if isinstance(number, str) and number.strip().lower() == name.lower():
            return name
    raise ValueError("it takes a number, 'NaN', 'Infinity' or '-Infinity'")
