"""`read_csv`: RFC 4180 in UTF-8, with a header. Python's csv module reads it, strictly.

An empty cell is NULL, `""` is the empty text. A column whose cells are all numbers in the sample is INTEGER
or REAL; every other one is TEXT, as it is written. What does not fit its column later on is an error, so that
no digit is lost silently; the argument 'text' makes every column TEXT.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, tee
from typing import BinaryIO, TypeVar

from sqlprovider.errors import DataError
from sqlprovider.values import Type
from sqlprovider.vtab.file_numbers import KINDS, NumberKind, kind_of
from sqlprovider.vtab.file_reader import (
    SAMPLE_CHARACTERS,
    SAMPLE_ROWS,
    Cells,
    FileCall,
    FileColumn,
    checked_count,
    named,
)
from sqlprovider.vtab.file_source import Source, reading

DELIMITERS = (",", ";", "\t", "|")
_LONGEST_FIELD = 1_000_000_000
"""SQLite's own limit. Python's is 131,072 characters, and one for the whole process."""
_LONGEST_HEADER = 1000
_FIRST_BATCH = 32
_LARGEST_BATCH = 128
_BATCH_CHARACTERS = 1 << 18
_MANY_ROWS = 1_000_000

T = TypeVar("T")
Cell = str | None


class CsvReader:
    """A CSV file whose header and first rows were read."""

    def __init__(self, call: FileCall, source: Source) -> None:
        self._call = call
        self._source = source
        with reading(call.where), source.peek() as stream:
            records = _Records(stream, call)
            self._delimiter = records.delimiter
            self._header = records.header
            names = named(name.strip() for name in records.header)
            checked_count(names, call.where)
            # As text a file is not sampled: nothing depends on its cells.
            batches = iter(()) if call.as_text else records.batches()
            self._kinds, self.rows = _sampled(batches, len(names))
        types = (Type.TEXT if kind is None else kind.type for kind in self._kinds)
        self.columns = tuple(map(FileColumn, names, types))

    def batches(self, used: frozenset[int]) -> Generator[list[Cells]]:
        """The rows. Raises DataError for one that is too short or too long, and for what is no number."""
        with reading(self._call.where), self._source.open() as stream:
            records = _Records(stream, self._call, self._delimiter)
            if records.header != self._header:
                raise DataError(f"{self._call.where}: its header has changed since it was first read")
            for batch in records.batches():
                yield [
                    self._converted(batch, place, cells) if place in used else cells
                    for place, cells in enumerate(batch.columns())
                ]

    def _converted(self, batch: _Batch, place: int, cells: Sequence[Cell]) -> Cells:
        kind = self._kinds[place]
        if kind is None:
            return cells
        try:
            return kind.cells(cells)
        except ValueError:
            at = next(row for row, cell in enumerate(cells) if not kind.takes(cell))
            name = self.columns[place].name
            raise DataError(
                f"{self._call.where}: line {batch.line_of(at)}: {_shortened(cells[at])} is no number, as all"
                f" in the column {name!r} of the first {SAMPLE_ROWS:,} rows are",
                reason="file_value",
                hint=f"SELECT … FROM {self._call.text_call}",
            ) from None


def _sampled(batches: Iterator[_Batch], width: int) -> tuple[list[NumberKind | None], int]:
    """What the columns are by the first rows (None: text), and about how many rows there are."""
    found = [set[str]() for _ in range(width)]
    rows = characters = 0
    for batch in batches:
        for seen, cells in zip(found, batch.columns(), strict=True):
            if "" not in seen:
                seen |= kind_of(cells)
        rows += len(batch.rows)
        characters += batch.characters
        if rows >= SAMPLE_ROWS or characters >= SAMPLE_CHARACTERS:
            rows = _MANY_ROWS
            break
    return [KINDS.get(frozenset(seen - {"word"})) for seen in found], rows or _MANY_ROWS


@dataclass(slots=True)
class _Batch:
    """Some records, and the lines they were read from."""

    rows: list[list[str]]
    lines: list[str]
    first_line: int
    delimiter: str
    characters: int
    has_quoted_empty: bool

    def columns(self) -> list[tuple[Cell, ...] | list[Cell]]:
        """The cells by column. An empty one is None unless it is written `""`."""
        if self.has_quoted_empty:
            return list(zip(*self._marked(), strict=True))
        return [
            [c or None for c in cells] if "" in cells else cells for cells in zip(*self.rows, strict=True)
        ]

    def line_of(self, row: int) -> int:
        """The number of the line at which a row begins."""
        return next(islice((line for line, _ in self._records()), row, None))

    def _records(self) -> Iterator[tuple[int, str]]:
        """The number of the first line and the text of each record."""
        again = csv.reader(self.lines, delimiter=self.delimiter, strict=True)
        at = 0
        for _ in again:
            yield self.first_line + at, "".join(self.lines[at : again.line_num])
            at = again.line_num

    def _marked(self) -> Iterator[list[Cell]]:
        for row, (_, text) in zip(self.rows, self._records(), strict=True):
            if "" not in row:
                yield list[Cell](row)
                continue
            quoted = set(_quoted_empties(text, self.delimiter)) if '""' in text else set[int]()
            yield [None if cell == "" and place not in quoted else cell for place, cell in enumerate(row)]


class _Records:
    """The records of a CSV text after its header. Raises DataError for what is none."""

    def __init__(self, stream: BinaryIO, call: FileCall, delimiter: str | None = None) -> None:
        self._stream = stream
        self._where = call.where
        if csv.field_size_limit() < _LONGEST_FIELD:
            csv.field_size_limit(_LONGEST_FIELD)
        lines = map(bytes.decode, stream)
        head = self._checked(lambda: _head(lines))
        self.delimiter = delimiter or call.delimiter or _sniffed(head)
        fed, self._kept = tee(chain(head, lines))
        self._reader = csv.reader(fed, delimiter=self.delimiter, strict=True)
        self.header = self._named()

    def batches(self) -> Iterator[_Batch]:
        """Small ones first, so that a LIMIT reads little."""
        count = _FIRST_BATCH
        while (batch := self._batch(count)) is not None:
            if batch.rows:
                yield batch
            if batch.characters > 2 * _BATCH_CHARACTERS:
                count = max(1, count // 2)
            elif batch.characters < _BATCH_CHARACTERS:
                count = min(2 * count, _LARGEST_BATCH)

    def _named(self) -> list[str]:
        batch = self._read(1)
        if batch is None:
            raise DataError(
                f"{self._where}: it is empty; the first line should name the columns", reason="file"
            )
        if not batch.rows[0]:
            raise DataError(
                f"{self._where}: line 1 is blank; the first line should name the columns", reason="file"
            )
        return batch.rows[0]

    def _batch(self, count: int) -> _Batch | None:
        """The next records, each as wide as the header."""
        if (batch := self._read(count)) is None:
            return None
        width = len(self.header)
        if set(map(len, batch.rows)) == {width}:
            return batch
        for row, cells in enumerate(batch.rows):
            if not cells and width == 1:
                cells.append("")
            elif not cells and self._ends(batch, row):
                del batch.rows[row:]
                return batch
            elif len(cells) != width:
                line = batch.line_of(row)
                has = "is blank, and more lines follow" if not cells else f"has {_fields(len(cells))}"
                raise DataError(
                    f"{self._where}: line {line} {has}; the header has {_fields(width)}", reason="file_row"
                )
        return batch

    def _ends(self, batch: _Batch, row: int) -> bool:
        """Whether nothing but blank lines follows."""
        if any(batch.rows[row:]):
            return False
        more = iter(lambda: self._read(_LARGEST_BATCH), None)
        return not any(any(later.rows) for later in more if later is not None)

    def _read(self, count: int) -> _Batch | None:
        before = self._reader.line_num
        rows = self._checked(lambda: list(islice(self._reader, count)))
        if not rows:
            return None
        lines = list(islice(self._kept, self._reader.line_num - before))
        text = "".join(lines)
        batch = _Batch(rows, lines, before + 1, self.delimiter, len(text), '""' in text)
        if "\0" in text:
            at = before + text[: text.index("\0")].count("\n") + 1
            raise DataError(
                f"{self._where}: line {at} holds a NUL: this is no text in UTF-8", reason="file_encoding"
            )
        return batch

    def _checked(self, read: Callable[[], T]) -> T:
        try:
            return read()
        except csv.Error as error:
            raise DataError(
                f"{self._where}: line {self._reader.line_num}: {error}", reason="file_row"
            ) from None
        except UnicodeDecodeError as error:
            raise not_utf8(self._where, self._stream, error) from None


def not_utf8(where: str, stream: BinaryIO, error: UnicodeDecodeError) -> DataError:
    """The error for a line that is not UTF-8, with the place of the byte in the file."""
    at = stream.tell() - len(error.object) + error.start
    return DataError(
        f"{where}: it is not UTF-8: byte {error.object[error.start]:#04x} at offset {at}",
        reason="file_encoding",
    )


def _head(lines: Iterator[str]) -> list[str]:
    """The lines of the header, of which there are several if a name holds a line break."""
    head: list[str] = []
    for line in islice(lines, _LONGEST_HEADER):
        head.append(line if head else line.removeprefix("\ufeff"))
        if sum(text.count('"') for text in head) % 2 == 0:
            break
    return head


def _sniffed(head: list[str]) -> str:
    """The delimiter that makes the most of the header; the comma where none does."""
    return max(DELIMITERS, key=lambda delimiter: _width(head, delimiter))


def _width(head: Iterable[str], delimiter: str) -> int:
    try:
        return len(next(csv.reader(head, delimiter=delimiter, strict=True), ()))
    except csv.Error:
        return 0


def _quoted_empties(text: str, delimiter: str) -> Iterator[int]:
    """The places of the fields of one record that are written `""`."""
    at, place = 0, 0
    while True:
        begin = at
        if text.startswith('"', at):
            at += 1
            while text[at] != '"' or text.startswith('""', at):
                at += 2 if text[at] == '"' else 1
            at += 1
            if at - begin == 2:
                yield place
        found = text.find(delimiter, at)
        if found < 0:
            return
        at, place = found + 1, place + 1


def _fields(count: int) -> str:
    return f"{count} field{'' if count == 1 else 's'}"


def _shortened(cell: Cell) -> str:
    text = cell or ""
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
