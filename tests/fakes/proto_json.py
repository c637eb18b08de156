"""The part of proto3's JSON mapping that Google's REST front-ends apply: names, types, defaults, masks."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from sqlprovider.values import JSON
from tests.fakes.google_api import ApiError

Object: TypeAlias = dict[str, JSON]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar type: `read` gives its one JSON form or raises ValueError; `default` is not sent."""

    name: str
    read: Callable[[JSON], JSON]
    default: JSON = None


@dataclass(frozen=True, slots=True)
class Enumeration:
    """An enum, its names in order of their numbers from 0. Read from a name or a number, kept as the name."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Repeated:
    """A list."""

    of: FieldType


@dataclass(frozen=True, slots=True)
class Message:
    """An object: field → type, in the order in which the fields are printed."""

    name: str
    fields: Mapping[str, FieldType]


FieldType: TypeAlias = Scalar | Enumeration | Repeated | Message


def decode(message: Message, value: JSON, *, at: str = "") -> Object:
    """The object in its one form: camelCase, enum names, int64 as text, defaults dropped, fields in order."""
    if not isinstance(value, dict):
        raise _invalid(f"Invalid value at {at or message.name!r}: an object is expected.")
    given: Object = {}
    for key, item in value.items():
        if (field := message.fields.get(camel(key))) is None:
            raise _invalid(
                f'Invalid JSON payload received. Unknown name "{key}" at {at!r}: Cannot find field.'
            )
        if item is not None and not _is_default(field, read := _decode_value(field, item, f"{at}.{key}")):
            given[camel(key)] = read
    return {name: given[name] for name in message.fields if name in given}


def _decode_value(field: FieldType, value: JSON, at: str) -> JSON:
    match field:
        case Message():
            return decode(field, value, at=at)
        case Repeated(of=of):
            if not isinstance(value, list):
                raise _invalid(f"Invalid value at {at!r}: a list is expected.")
            return [_decode_value(of, item, f"{at}[{index}]") for index, item in enumerate(value)]
        case Enumeration(names=names):
            return _enum_name(names, value, at)
        case Scalar(name=name, read=read):
            try:
                return read(value)
            except (ValueError, OverflowError):
                raise _invalid(f"Invalid value at {at!r} (TYPE_{name.upper()}), {value!r}") from None


def _is_default(field: FieldType, value: JSON) -> bool:
    match field:
        case Message():
            return False
        case Repeated():
            return value == []
        case Enumeration(names=names):
            return value == names[0]
        case Scalar(default=default):
            return value == default


def _enum_name(names: tuple[str, ...], value: JSON, at: str) -> str:
    if isinstance(value, str) and value in names:
        return value
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(names):
        return names[value]
    raise _invalid(f"Invalid value at {at!r} (TYPE_ENUM), {value!r}")


def with_enum_numbers(message: Message, value: Object) -> Object:
    """The object with its enums as numbers: what `$alt=json;enum-encoding=int` asks for."""
    return {
        key: _numbered(message.fields[key], item) if key in message.fields else item
        for key, item in value.items()
    }


def _numbered(field: FieldType, value: JSON) -> JSON:
    match field, value:
        case Message(), dict():
            return with_enum_numbers(field, value)
        case Repeated(of=of), list():
            return [_numbered(of, item) for item in value]
        case Enumeration(names=names), str():
            return names.index(value)
    return value


def mask_paths(text: str, message: Message) -> list[tuple[str, ...]]:
    """The paths of a field mask: `display_name,labels.team` → `[(displayName,), (labels, team)]`."""
    paths: list[tuple[str, ...]] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        field, _, key = part.partition(".")
        if part != "*" and camel(field) not in message.fields:
            raise _invalid(f"Invalid field mask: {part!r} is no field of {message.name}.")
        paths.append((camel(field), key) if key else (camel(field),))
    return paths


def camel(name: str) -> str:
    """`display_name` → `displayName`; a camelCase name stays."""
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)


def timestamp_text(nanoseconds: int) -> str:
    """Nanoseconds since 1970 as RFC 3339 with 0, 3, 6 or 9 digits, as many as are needed."""
    seconds, rest = divmod(nanoseconds, 10**9)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    digits = f"{rest:09d}"
    for _ in range(3):
        digits = digits.removesuffix("000")
    return f"{moment.replace(tzinfo=None).isoformat()}{'.' + digits if digits else ''}Z"


def _invalid(message: str) -> ApiError:
    return ApiError("INVALID_ARGUMENT", message)


def _read_string(value: JSON) -> JSON:
    if not isinstance(value, str):
        raise ValueError
    return value


def _read_bool(value: JSON) -> JSON:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _read_integer(value: JSON) -> int:
    if isinstance(value, str):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise ValueError
    return int(value)


def _read_int32(value: JSON) -> JSON:
    if not -(2**31) <= (number := _read_integer(value)) < 2**31:
        raise ValueError
    return number


def _read_int64(value: JSON) -> JSON:
    if not -(2**63) <= (number := _read_integer(value)) < 2**63:
        raise ValueError
    return str(number)


def _read_double(value: JSON) -> JSON:
    if value in ("NaN", "Infinity", "-Infinity"):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError
    return float(value)


_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")


def _read_timestamp(value: JSON) -> JSON:
    if not isinstance(value, str) or (match := _TIMESTAMP.fullmatch(value)) is None:
        raise ValueError
    moment = datetime.fromisoformat(match[1] + match[3])
    seconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    return timestamp_text(seconds * 10**9 + int((match[2] or "0").ljust(9, "0")))


def _read_bytes(value: JSON) -> JSON:
    if not isinstance(value, str):
        raise ValueError
    try:
        raw = base64.b64decode(
            value.replace("-", "+").replace("_", "/") + "=" * (-len(value) % 4), validate=True
        )
    except binascii.Error:
        raise ValueError from None
    return base64.b64encode(raw).decode()


def _read_text_map(value: JSON) -> JSON:
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise ValueError
    return value


STRING = Scalar("string", _read_string, "")
BOOL = Scalar("bool", _read_bool, False)
INT32 = Scalar("int32", _read_int32, 0)
INT64 = Scalar("int64", _read_int64, "0")
DOUBLE = Scalar("double", _read_double, 0.0)
TIMESTAMP = Scalar("timestamp", _read_timestamp)
BYTES = Scalar("bytes", _read_bytes, "")
TEXT_MAP = Scalar("map", _read_text_map, {})
