"""`read_parquet`: Apache Parquet by pyarrow, an extra. Only the columns that a statement uses are read.

Times are DATETIME in UTC, with every digit; a decimal without fraction is INTEGER, any other REAL; bytes are
BLOBs; lists, structs and maps are JSON; NaN is the text 'NaN'.
"""

from __future__ import annotations

import json
import math
from collections.abc import Generator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from importlib import import_module
from types import ModuleType
from typing import Any

from sqlprovider.errors import DataError, InterfaceError, NotSupportedError
from sqlprovider.values import SQLValue, Type
from sqlprovider.vtab.file_reader import Cells, FileCall, FileColumn, checked_count, named
from sqlprovider.vtab.file_source import DiskFile, Source, reading

_BATCH_ROWS = 1024
_Arrow = Any
"""An object of pyarrow's, which comes without types and may not be there."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}
"""The digits after the point of an Arrow time unit."""


class ParquetReader:
    """A Parquet file whose schema was read. Raises InterfaceError where pyarrow is not installed."""

    def __init__(self, call: FileCall, source: Source) -> None:
        if not isinstance(source, DiskFile):
            raise NotSupportedError(
                f"{call.where}: Parquet is read from its end, which a pipe has not", reason="file"
            )
        self._call = call
        self._source = source
        file = self._opened()
        try:
            schema, self.rows = file.schema_arrow, int(file.metadata.num_rows)
        finally:
            file.close(force=True)
        checked_count(schema.names, call.where)
        self._names: list[str] = list(schema.names)
        self.columns = tuple(map(FileColumn, named(self._names), map(_type, schema.types)))

    def batches(self, used: frozenset[int]) -> Generator[list[Cells]]:
        """The rows. Raises DataError for a file that is broken."""
        arrow_error: type[Exception] = _pyarrow().ArrowException
        file = self._opened()
        try:
            if list(file.schema_arrow.names) != self._names:
                raise DataError(f"{self._call.where}: its columns have changed since they were first read")
            wanted = self._wanted(used)
            with reading(self._call.where):
                for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=wanted):
                    yield self._cells(batch, used, wanted is None)
        except arrow_error as error:
            raise DataError(f"{self._call.where}: {error}", reason="file") from error
        finally:
            file.close(force=True)

    def _opened(self) -> _Arrow:
        arrow_error: type[Exception] = _pyarrow().ArrowException
        with reading(self._call.where):
            opened = self._source.open()
            try:
                return _pyarrow("parquet").ParquetFile(opened)
            except arrow_error as error:
                opened.close()
                raise DataError(f"{self._call.where}: it is no Parquet: {error}", reason="file") from error

    def _wanted(self, used: frozenset[int]) -> list[str] | None:
        """The names of the columns to read; None for all. pyarrow takes `a.b` for a field of `a`."""
        if len(set(self._names)) < len(self._names) or any("." in name for name in self._names):
            return None
        return [self._names[place] for place in sorted(used)] or self._names[:1]

    def _cells(self, batch: _Arrow, used: frozenset[int], is_whole: bool) -> list[Cells]:
        nothing: Cells = (None,) * batch.num_rows
        places = range(len(self._names)) if is_whole else sorted(used)
        found = {place: batch.column(at) for at, place in enumerate(places)}
        return [_values(found[place]) if place in used else nothing for place in range(len(self._names))]


def _pyarrow(part: str = "") -> ModuleType:
    """pyarrow, or a module of it, at its first use."""
    try:
        return import_module(f"pyarrow.{part}" if part else "pyarrow")
    except ImportError:
        raise InterfaceError(
            "read_parquet needs the package pyarrow", hint="pip install 'sqlprovider[parquet]'"
        ) from None


def _type(of: _Arrow) -> Type | None:
    """The SQL type of an Arrow type; None for bytes and what has none."""
    t = _pyarrow("types")
    if t.is_dictionary(of):
        return _type(of.value_type)
    if t.is_boolean(of):
        return Type.BOOLEAN
    if t.is_integer(of) or t.is_duration(of) or (t.is_decimal(of) and of.scale <= 0):
        return Type.INTEGER
    if t.is_floating(of) or t.is_decimal(of):
        return Type.REAL
    if t.is_timestamp(of):
        return Type.DATETIME
    if t.is_nested(of):
        return Type.JSON
    if t.is_binary(of) or t.is_large_binary(of) or t.is_fixed_size_binary(of) or t.is_null(of):
        return None
    return Type.TEXT


def _values(column: _Arrow) -> Cells:
    pa, t, of = _pyarrow(), _pyarrow("types"), column.type
    if t.is_dictionary(of):
        return _values(column.dictionary_decode())
    if t.is_timestamp(of):
        digits = _DIGITS[of.unit]
        numbers: Sequence[int | None] = column.cast(pa.int64()).to_pylist()
        return [None if number is None else _moment(number, digits) for number in numbers]
    if t.is_duration(of):
        return list(column.cast(pa.int64()).to_pylist())
    if t.is_time(of):
        return list(column.cast(pa.string()).to_pylist())
    if t.is_float16(of):
        column = column.cast(pa.float32())
    return [_value(value) for value in column.to_pylist()]


def _moment(number: int, digits: int) -> str:
    """A time since 1970 in units of 10^-digits seconds as SQLite's own text, every digit kept."""
    seconds, fraction = divmod(number, 10**digits)
    try:
        moment = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        raise DataError(f"{seconds} s since 1970 is no date of the years 1 to 9999") from None
    text = f"{fraction:0{digits}d}" if digits else ""
    return f"{moment.year:04d}-{moment:%m-%d %H:%M:%S}.{text.ljust(3, '0')}"


def _value(value: object) -> SQLValue:
    match value:
        case None | str() | bytes():
            return value
        case bool():
            return int(value)
        case int():
            return value if -(2**63) <= value < 2**63 else str(value)
        case float():
            return "NaN" if math.isnan(value) else value
        case Decimal() if value == value.to_integral_value() and value.as_tuple().exponent == 0:
            return _value(int(value))
        case Decimal():
            return float(value)
        case date():
            return value.isoformat()
        case dict() | list() | tuple():
            return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))
        case _:
            return str(value)


def _plain(value: object) -> object:
    """A nested value as JSON can say it."""
    match value:
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case bool() | int() | str() | None:
            return value
        case float():
            return value if math.isfinite(value) else None
        case Decimal():
            return float(value)
        case datetime() | date() | time():
            return value.isoformat()
        case bytes():
            return value.hex()
        case _:
            return str(value)
