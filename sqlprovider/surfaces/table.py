"""Results as tables: as wide as they are, or, on a terminal, no wider than it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import IO, TYPE_CHECKING

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sqlprovider.surfaces.render import plain_text
from sqlprovider.surfaces.visible import visible
from sqlprovider.values import Row, SQLValue

if TYPE_CHECKING:
    from sqlprovider.session import ResultColumn

_UNLIMITED = 2**31
_LEAST_WIDTH = 10
"""What a column is given at least; where a terminal has not that much, a result is printed as records."""
_BORDER = 3


class PlainConsole(Console):
    """A Console that leaves a closed stdout to its caller; rich would end the program with status 1."""

    def on_broken_pipe(self) -> None:
        """Say what happened, as any other file would."""
        raise BrokenPipeError


class TablePrinter:
    """Prints a table a result, or its rows as records where the columns do not fit beside each other."""

    streams = False

    def __init__(self, stdout: IO[str]) -> None:
        is_terminal = stdout.isatty()
        self._console = PlainConsole(
            file=stdout, width=None if is_terminal else _UNLIMITED, markup=False, highlight=False, emoji=False
        )
        self._is_terminal = is_terminal
        self._printed = False

    def write(self, columns: Sequence[ResultColumn], rows: Iterable[Row]) -> int:
        found = list(rows)
        names = [visible(column.name) for column in columns]
        if self._printed:
            self._console.print()
        self._printed = True
        if self._is_terminal and found and not _fits(names, found, self._console.width):
            self._write_records(names, found)
        else:
            self._console.print(_table(names, found))
        self._console.file.flush()
        return len(found)

    def _write_records(self, names: Sequence[str], rows: Sequence[Row]) -> None:
        for number, row in enumerate(rows, start=1):
            record = Table(box=None, show_header=False, pad_edge=False)
            record.add_column(style="bold", no_wrap=True)
            record.add_column(overflow="fold")
            for name, value in zip(names, row, strict=True):
                record.add_row(Text(name), _cell(value))
            self._console.print(Text(f"─── {number} ───", style="dim"))
            self._console.print(record)


def _fits(names: Sequence[str], rows: Sequence[Row], width: int) -> bool:
    needed = 1
    for position, name in enumerate(names):
        natural = max(cell_len(name), *(len(plain_text(row[position])) for row in rows))
        needed += min(natural, max(_LEAST_WIDTH, cell_len(name))) + _BORDER
    return needed <= width


def _table(names: Sequence[str], rows: Sequence[Row]) -> Table:
    table = Table(box=box.SQUARE, header_style="bold", show_edge=True)
    for position, name in enumerate(names):
        is_number = bool(rows) and all(isinstance(row[position], int | float | None) for row in rows)
        table.add_column(Text(name), justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(_cell, row))
    return table


def _cell(value: SQLValue) -> Text:
    return Text("NULL", style="dim") if value is None else Text(visible(plain_text(value)))
