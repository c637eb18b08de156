"""Rows as JSON: an array of objects, or one object a line."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TextIO

from sqlprovider.surfaces.render import write_lines
from sqlprovider.values import Row, SQLValue, Type, distinct_names

if TYPE_CHECKING:
    from sqlprovider.session import ResultColumn


class JsonLinesPrinter:
    """One object a line."""

    streams = True

    def __init__(self, stdout: TextIO) -> None:
        self._stdout = stdout

    def write(self, columns: Sequence[ResultColumn], rows: Iterable[Row]) -> int:
        to_object = _object_writer(columns)
        return write_lines(self._stdout, (f"{to_object(row)}\n" for row in rows))


class JsonPrinter:
    """One array of objects a result, on a line of its own; nothing of it if a row fails."""

    streams = False

    def __init__(self, stdout: TextIO) -> None:
        self._stdout = stdout

    def write(self, columns: Sequence[ResultColumn], rows: Iterable[Row]) -> int:
        objects = list(map(_object_writer(columns), rows))
        self._stdout.write(f"[{', '.join(objects)}]\n")
        self._stdout.flush()
        return len(objects)


def _object_writer(columns: Sequence[ResultColumn]) -> Callable[[Row], str]:
    encode = json.JSONEncoder(ensure_ascii=False).encode
    keys = [encode(name) for name in distinct_names([column.name for column in columns])]
    types = [column.type for column in columns]

    def to_object(row: Row) -> str:
        cells = zip(keys, types, row, strict=True)
        return "{" + ", ".join(f"{key}: {_json_text(value, of, encode)}" for key, of, value in cells) + "}"

    return to_object


def _json_text(value: SQLValue, of: Type | None, encode: Callable[[object], str]) -> str:
    match value:
        case bytes():
            return encode(base64.b64encode(value).decode("ascii"))
        case float() if not math.isfinite(value):
            return "null"
        case str() if of is Type.JSON and _is_json(value):
            # The text itself and not what Python would make of it: its numbers keep every digit.
            return value.replace("\n", " ").replace("\r", " ")
        case 0 | 1 if of is Type.BOOLEAN:
            return "true" if value else "false"
        case _:
            return encode(value)


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_int=str, parse_float=str, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
