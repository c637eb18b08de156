"""Rows as text: csv and markdown; `jsonrows.py` has json and jsonl, `table.py` has the table.

csv, jsonl and markdown stream. A result's head is held back until its first row is there, so that a statement
which fails before any row prints nothing.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Protocol, TextIO

from sqlprovider.errors import ConfigError, did_you_mean
from sqlprovider.surfaces.formats import FORMATS
from sqlprovider.surfaces.rows import started
from sqlprovider.surfaces.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlprovider.session import ResultColumn
    from sqlprovider.values import Row, SQLValue

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
        case "json" | "jsonl":
            from sqlprovider.surfaces.jsonrows import JsonLinesPrinter, JsonPrinter  # noqa: PLC0415  JSON alone

            return JsonPrinter(stdout) if name == "json" else JsonLinesPrinter(stdout)
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
        return write_lines(self._stdout, map(self._line, begun))


def write_lines(stdout: TextIO, lines: Iterable[str]) -> int:
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
