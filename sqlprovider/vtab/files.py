"""`read_csv('f')`, `read_jsonl('f')`, `read_parquet('f')`: files as tables.

A table-valued function of SQLite has the same columns at every call; a file has its own. So each file becomes
an eponymous table while the statement that names it is being read, and its name is spliced into the text:
`FROM read_csv('runs.csv')` → `FROM "read_csv('runs.csv')"('runs.csv') AS read_csv`. The arguments stay where
they are, for hidden columns, so that parameters keep their places; the table itself does not look at them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import chain, count, repeat

import apsw

from sqlprovider.errors import ProgrammingError
from sqlprovider.values import Row, SQLValue
from sqlprovider.vtab.database import quote
from sqlprovider.vtab.file_csv import CsvReader
from sqlprovider.vtab.file_jsonl import JsonlReader
from sqlprovider.vtab.file_parquet import ParquetReader
from sqlprovider.vtab.file_reader import Cells, FileCall, FileColumn, FileReader, named
from sqlprovider.vtab.file_source import Pipes
from sqlprovider.vtab.table import bind_rows

_TEXT = "text"
_MOST_ARGUMENTS = 3
_TAKES = {
    "read_csv": "a file's name, then a delimiter of one character, then 'text'",
    "read_jsonl": "a file's name, then 'text'",
    "read_parquet": "a file's name",
}


class Files:
    """The files that one session's statements named."""

    def __init__(self, add: Callable[[str, FileModule], None]) -> None:
        self._add = add
        self._pipes = Pipes()
        self._known: dict[tuple[FileCall, tuple[FileColumn, ...]], tuple[str, FileModule]] = {}

    def table(self, function: str, arguments: Sequence[SQLValue]) -> str:
        """The name of the table that a call is. Raises ProgrammingError, DataError, OperationalError.

        The file is looked at each time. One whose columns are as before keeps its table; otherwise it gets
        another one, since SQLite does not ask for an eponymous table's columns again.
        """
        call = read_call(function.lower(), arguments)
        reader = self._reader(call)
        known = self._known.get((call, reader.columns))
        if known is None:
            name = f"{call.where}" if not self._known else f"{call.where} #{len(self._known) + 1}"
            known = self._known[call, reader.columns] = (name, FileModule(reader))
            self._add(*known)
        name, module = known
        module.table.reader = reader
        return name

    def _reader(self, call: FileCall) -> FileReader:
        source = self._pipes.source(call.path, call.where)
        match call.function:
            case "read_csv":
                return CsvReader(call, source)
            case "read_jsonl":
                return JsonlReader(call, source)
            case _:
                return ParquetReader(call, source)


def read_call(function: str, arguments: Sequence[SQLValue]) -> FileCall:
    """A call with its arguments checked. Raises ProgrammingError."""
    path, *rest = arguments or (None,)
    if not isinstance(path, str) or not path or "\0" in path:
        raise _wrong(function, f"{path!r} names no file")
    delimiter = None
    if function == "read_csv" and rest and isinstance(rest[0], str) and len(rest[0]) == 1:
        delimiter = rest.pop(0)
        if isinstance(delimiter, str) and delimiter in '"\r\n\0 ':
            raise _wrong(function, f"{delimiter!r} cannot be a delimiter")
    as_text = function != "read_parquet" and rest[:1] == [_TEXT]
    if rest[as_text:]:
        raise _wrong(function, f"{rest[as_text]!r} is not one of these")
    return FileCall(function, path, delimiter if isinstance(delimiter, str) else None, as_text)


def _wrong(function: str, message: str) -> ProgrammingError:
    return ProgrammingError(f"{function} takes {_TAKES[function]}: {message}", reason="file_argument")


class FileModule:
    """One file as a read-only eponymous table. Its hidden columns are the arguments of the call."""

    is_writable = False

    def __init__(self, reader: FileReader) -> None:
        self.table = FileTable(reader)

    def Connect(self, connection: apsw.Connection, *args: str) -> tuple[str, FileTable]:
        columns = self.table.reader.columns
        names = named(
            [column.name for column in columns] + [f"argument_{n}" for n in range(1, _MOST_ARGUMENTS + 1)]
        )
        types = ["" if column.type is None else f" {column.type.declared}" for column in columns]
        declared = map(str.__add__, map(quote, names), types + [" HIDDEN"] * _MOST_ARGUMENTS)
        return f"CREATE TABLE x({', '.join(declared)})", self.table

    Create = Connect


class FileTable:
    """Gives the columns that a statement uses to each of its cursors."""

    def __init__(self, reader: FileReader) -> None:
        self.reader = reader

    def BestIndexObject(self, info: apsw.IndexInfo) -> bool:
        """Takes the call's arguments, and nothing else; idxStr is the columns that are used."""
        width, taken = len(self.reader.columns), 0
        for position in range(info.nConstraint):
            is_argument = info.get_aConstraint_iColumn(position) >= width
            is_equality = info.get_aConstraint_op(position) == apsw.SQLITE_INDEX_CONSTRAINT_EQ
            if not is_argument or not is_equality:
                continue
            if not info.get_aConstraint_usable(position):
                return False
            taken += 1
            info.set_aConstraintUsage_argvIndex(position, taken)
            info.set_aConstraintUsage_omit(position, True)
        info.idxStr = ",".join(map(str, _used(info.colUsed, width)))
        info.estimatedRows = self.reader.rows
        info.estimatedCost = 10.0 * self.reader.rows
        return True

    def Open(self) -> FileCursor:
        return FileCursor(self)

    def Disconnect(self) -> None:
        pass

    Destroy = Disconnect


class FileCursor:
    """Zero frames a cell, as `table.Cursor`; a frame a batch."""

    __slots__ = ("Column", "Eof", "Next", "Rowid", "_batches", "_table")

    Column: Callable[[int], SQLValue]
    Eof: Callable[[], bool]
    Next: Callable[[], None]
    Rowid: Callable[[], int]

    def __init__(self, table: FileTable) -> None:
        self._table = table
        self._batches: Generator[list[Cells]] | None = None

    def Filter(self, number: int, text: str | None, arguments: Sequence[SQLValue]) -> None:
        self.Close()
        used = frozenset(map(int, text.split(","))) if text else frozenset[int]()
        self._batches = self._table.reader.batches(used)
        bind_rows(self, _rows(self._batches))

    def Close(self) -> None:
        """Closes the file."""
        if self._batches is not None:
            self._batches.close()
            self._batches = None


def _rows(batches: Iterator[list[Cells]]) -> Iterator[Row]:
    """The rows of the batches, with the hidden columns and the rowid."""
    hidden = [repeat(None)] * _MOST_ARGUMENTS
    numbers = count(1)
    return chain.from_iterable(zip(*columns, *hidden, numbers, strict=False) for columns in batches)


def _used(seen: set[int], width: int) -> Iterator[int]:
    """The places of the columns that a statement reads; SQLite's 63 stands for all from there on."""
    return (place for place in range(width) if min(place, 63) in seen)
