"""Rows as text: csv, json, jsonl, markdown; `table.py` has the table.

csv, jsonl and markdown stream. A result's head is held back until its first row is there, so that a statement
which fails before any row prints nothing.
"""

from __future__ import annotations

import base64
import json
import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol, TextIO

from sqlprovider.errors import ConfigError, did_you_mean
from sqlprovider.surfaces.formats import FORMATS
from sqlprovider.surfaces.rows import started
from sqlprovider.surfaces.visible import visible
from sqlprovider.values import Row, SQLValue, Type, distinct_names

if TYPE_CHECKING:
    from sqlprovider.session import ResultColumn

_FLUSH_SECONDS = 0.2


class Printer(Protocol):
    """Prints results one after the other."""

    streams: bool
    """Rows are printed before the last one is there."""

    def write(self, columns: Sequence[ResultColumn], rows: Iterable[Row]) -> int:
        """Print one result; the number of its rows."""


def open_printer(name: str, stdout: TextIO) -> Printer:
    """The printer of a format."""
    match name:
        case "csv":
            return LinePrinter(stdout, head=_csv_head, line=_csv_line, between="\n")
        case "markdown":
            return LinePrinter(stdout, head=_markdown_head, line=_markdown_line, between="\n")
        case "jsonl":
            return JsonLinesPrinter(stdout)
        case "json":
            return JsonPrinter(stdout)
        case "table":
            from sqlprovider.surfaces.table import TablePrinter  # noqa: PLC0415  rich, for tables alone

            return TablePrinter(stdout)
        case _:
            raise ConfigError(f"no output format {name!r}{did_you_mean(name, FORMATS)}")


class LinePrinter:
    """A head, then a line a row; `between` two results."""

    streams = True

    def __init__(
        self,
        stdout: TextIO,
        *,
        head: Callable[[Sequence[str]], str],
        line: Callable[[Row], str],
        between: str,
    ) -> None:
        self._stdout = stdout
        self._head = head
        self._line = line
        self._between = between
        self._before = ""

    def write(self, columns: Sequence[ResultColumn], rows: Iterable[Row]) -> int:
        begun = started(rows)
        self._stdout.write(self._before + self._head([column.name for column in columns]))
        self._before = self._between
        return _write_lines(self._stdout, map(self._line, begun))


class JsonLinesPrinter:
    """One object a line."""

    streams = True

    def __init__(self, stdout: TextIO) -> None:
        self._stdout = stdout

    def write(self, columns: Sequence[ResultColumn], rows: Iterable[Row]) -> int:
        to_object = _object_writer(columns)
        return _write_lines(self._stdout, (f"{to_object(row)}\n" for row in rows))


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


def _write_lines(stdout: TextIO, lines: Iterable[str]) -> int:
    """Write and count, and let a reader at the other end of a pipe see rows while later pages are fetched."""
    count, flushed = 0, 0.0
    try:
        for line in lines:
            stdout.write(line)
            count += 1
            if (now := time.monotonic()) - flushed > _FLUSH_SECONDS:
                stdout.flush()
                flushed = now
    finally:
        stdout.flush()
    return count


def plain_text(value: SQLValue) -> str:
    """A value as text, as SQLite would write it. NULL is the empty text.

    >>> plain_text(b"\\x00A"), plain_text(float("inf")), plain_text(1.0)
    ("X'0041'", 'Inf', '1.0')
    """
    match value:
        case None:
            return ""
        case bytes():
            return f"X'{value.hex().upper()}'"
        case float() if math.isinf(value):
            return "Inf" if value > 0 else "-Inf"
        case _:
            return str(value)


def _csv_head(names: Sequence[str]) -> str:
    return _csv_line(tuple(names))


def _csv_line(row: Row) -> str:
    return ",".join(map(_csv_field, row)) + "\n"


def _csv_field(value: SQLValue) -> str:
    text = plain_text(value)
    if isinstance(value, str) and (text == "" or any(character in text for character in ',"\r\n')):
        return '"' + text.replace('"', '""') + '"'
    return text


def _markdown_head(names: Sequence[str]) -> str:
    return _markdown_line(tuple(names)) + "|" + " --- |" * len(names) + "\n"


def _markdown_line(row: Row) -> str:
    return "| " + " | ".join(map(_markdown_cell, row)) + " |\n"


def _markdown_cell(value: SQLValue) -> str:
    text = "NULL" if value is None else plain_text(value)
    text = text.replace("\\", "\\\\").replace("|", "\\|").replace("\r\n", "\n")
    return visible(text).replace("\n", "<br>")


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
