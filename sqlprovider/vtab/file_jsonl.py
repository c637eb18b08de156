"""`read_jsonl`: one JSON object a line, in UTF-8.

The columns are the keys of the sample's objects in the order in which they come up; a key that comes up
later is an error, so that it is not lost. A value is what JSON says it is: an object or a list is JSON text,
a boolean 0 or 1, an integer of more than 64 bits its digits. With the argument 'text' the one column `item`
is the line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from itertools import islice
from typing import BinaryIO, TypeAlias

from sqlprovider.errors import DataError
from sqlprovider.values import JSON, SQLValue, Type
from sqlprovider.vtab.file_csv import not_utf8
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

Object: TypeAlias = dict[str, JSON]
ITEM = "item"

_FIRST_BATCH = 32
_LARGEST_BATCH = 128
_MANY_ROWS = 1_000_000
_EXACT = 2**53
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Word(str):
    """NaN, Infinity or -Infinity as a bare word, which Python writes where JSON has no number."""

    __slots__ = ()


class JsonlReader:
    """A file of JSON lines whose first lines were read."""

    def __init__(self, call: FileCall, source: Source) -> None:
        self._call = call
        self._source = source
        kinds: dict[str, set[type]] = {}
        self.rows = 0
        with reading(call.where), source.peek() as stream:
            characters = 0
            for batch in _batches(stream, call.where):
                if call.as_text:
                    break
                for item in batch.objects():
                    for key, value in item.items():
                        kinds.setdefault(key, set()).add(_kind(value))
                self.rows += len(batch.lines)
                characters += batch.characters
                if self.rows >= SAMPLE_ROWS or characters >= SAMPLE_CHARACTERS:
                    self.rows = _MANY_ROWS
                    break
        if not kinds and not call.as_text:
            raise DataError(f"{call.where}: it has no object, so there are no columns", reason="file")
        checked_count(tuple(kinds), call.where)
        self._keys = tuple(kinds)
        types = [_type(found) for found in kinds.values()]
        self.columns = (
            (FileColumn(ITEM, Type.JSON),)
            if call.as_text
            else tuple(map(FileColumn, named(self._keys), types))
        )
        self.rows = self.rows or _MANY_ROWS

    def batches(self, used: frozenset[int]) -> Generator[list[Cells]]:
        """The rows. Raises DataError for a line that is no object, and for a key that no column is of."""
        known = frozenset(self._keys)
        with reading(self._call.where), self._source.open() as stream:
            for batch in _batches(stream, self._call.where):
                if self._call.as_text:
                    yield [batch.texts()]
                    continue
                objects = batch.objects()
                if not all(map(known.issuperset, objects)):
                    raise self._unknown_key(batch, objects, known)
                nothing: Cells = (None,) * len(objects)
                yield [
                    _cells([item.get(key) for item in objects], column.type) if place in used else nothing
                    for place, (key, column) in enumerate(zip(self._keys, self.columns, strict=True))
                ]

    def _unknown_key(self, batch: _Batch, objects: Sequence[Object], known: frozenset[str]) -> DataError:
        for (line, _), item in zip(batch.lines, objects, strict=True):
            for key in item.keys() - known:
                return DataError(
                    f"{self._call.where}: line {line} has the key {key!r}, which none of the first"
                    f" {SAMPLE_ROWS:,} lines has",
                    reason="file_value",
                    hint=f"SELECT {ITEM}->>{_json_path(key)} FROM {self._call.text_call}",
                )
        raise AssertionError("every key is known")


class _Batch:
    """Some lines with their numbers."""

    def __init__(self, lines: list[tuple[int, str]], where: str) -> None:
        self.lines = lines
        self.characters = sum(len(line) for _, line in lines)
        self._where = where

    def objects(self) -> list[Object]:
        """What the lines say. Raises DataError."""
        objects: list[Object] = []
        for number, line in self.lines:
            found = self._decoded(number, line)
            if not isinstance(found, dict):
                raise self._error(number, f"it is {_called(found)}, not an object")
            objects.append(found)
        return objects

    def texts(self) -> list[str]:
        """The lines themselves. Raises DataError for one that is no JSON."""
        for number, line in self.lines:
            self._decoded(number, line)
        return [line for _, line in self.lines]

    def _decoded(self, number: int, line: str) -> JSON:
        try:
            found: JSON = _decoder.decode(line)
            if _SURROGATE.search(line):
                _compact(found).encode()
        except json.JSONDecodeError as error:
            raise self._error(number, f"it is not JSON: {error.msg} at column {error.colno}") from None
        except UnicodeEncodeError:
            raise self._error(number, "it holds half of a surrogate pair, which is no character") from None
        except RecursionError:
            raise self._error(number, "it is nested too deeply") from None
        return found

    def _error(self, number: int, message: str) -> DataError:
        return DataError(f"{self._where}: line {number}: {message}", reason="file_row")


_decoder = json.JSONDecoder(parse_constant=Word)


def _batches(stream: BinaryIO, where: str) -> Iterator[_Batch]:
    """The lines that are not blank; small batches first, so that a LIMIT reads little."""
    lines = map(bytes.decode, stream)
    count, before = _FIRST_BATCH, 0
    while True:
        try:
            found = list(islice(lines, count))
        except UnicodeDecodeError as error:
            raise not_utf8(where, stream, error) from None
        if not found:
            return
        if before == 0:
            found[0] = found[0].removeprefix("\ufeff")
        stripped = enumerate((line.strip() for line in found), before + 1)
        yield _Batch([(number, line) for number, line in stripped if line], where)
        before += len(found)
        count = min(2 * count, _LARGEST_BATCH)


def _kind(value: JSON) -> type:
    """The type of a value; an integer that SQLite cannot hold is text."""
    return str if type(value) is int and not -(2**63) <= value < 2**63 else type(value)


def _type(kinds: set[type]) -> Type | None:
    """What a column is by the types of its values; None where they are of several."""
    kinds = kinds - {type(None)}
    if kinds & {dict, list}:
        return Type.JSON
    if kinds and kinds <= {int, float, Word}:
        return Type.INTEGER if kinds == {int} else Type.REAL
    return _ALONE.get(next(iter(kinds))) if len(kinds) == 1 else None


_ALONE: Mapping[type, Type] = {str: Type.TEXT, bool: Type.BOOLEAN}


def _cells(values: list[JSON], of: Type | None) -> Cells:
    kinds = set(map(type, values))
    if of is Type.JSON:
        return [None if value is None else _compact(value) for value in values]
    if kinds <= {str, float, type(None)} or (kinds == {int} and of is not Type.REAL and _fits(values)):
        return values  # type: ignore[return-value]  # nothing but what SQLite has
    return [_cell(value, of) for value in values]


def _fits(values: Sequence[JSON]) -> bool:
    numbers: Sequence[int] = values  # type: ignore[assignment]  # the caller has looked
    return min(numbers) >= -(2**63) and max(numbers) < 2**63


def _cell(value: JSON, of: Type | None) -> SQLValue:
    match value:
        case bool():
            return int(value)
        case int() if of is Type.REAL and abs(value) <= _EXACT:
            return float(value)
        case int():
            return value if -(2**63) <= value < 2**63 else str(value)
        case Word():
            return str(value)
        case dict() | list():
            return _compact(value)
        case _:
            return value


def _called(value: JSON) -> str:
    match value:
        case list():
            return "a list"
        case None:
            return "null"
        case str():
            return "a text"
        case bool():
            return "a boolean"
        case _:
            return "a number"


def _json_path(key: str) -> str:
    return "'" + key.replace("'", "''") + "'"
