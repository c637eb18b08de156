"""The words every layer shares: SQL values, column types, names, spans, predicates and their operands."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

SQLValue: TypeAlias = int | float | str | bytes | None
Row: TypeAlias = tuple[SQLValue, ...]
JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"
Params: TypeAlias = "tuple[SQLValue, ...] | dict[str, SQLValue]"

NOT_FINITE = ("NaN", "Infinity", "-Infinity")
"""What is written for numbers that JSON has not."""


class Type(StrEnum):
    """The type of a column, as DESCRIBE and the DB-API's description name it."""

    TEXT = "TEXT"
    INTEGER = "INTEGER"
    REAL = "REAL"
    BOOLEAN = "BOOLEAN"
    DATETIME = "DATETIME"
    JSON = "JSON"

    @property
    def declared(self) -> str:
        """What SQLite is told: plain DATETIME and JSON would have numeric affinity and change values."""
        return f"{self.value} TEXT" if self in (Type.DATETIME, Type.JSON) else self.value


class Op(StrEnum):
    """A comparison between a column and an operand."""

    EQ = "="
    IS = "IS"
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    LIKE = "LIKE"
    IN = "IN"
    IS_NULL = "IS NULL"
    NOT_NULL = "IS NOT NULL"
    TOP = "top"
    """No comparison: the first rows by the number under a key are enough."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where something stands in the user's text: `text[start:end]`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Name:
    """The four-part name `connection.service.resource[.method]`."""

    connection: str
    service: str
    resource: str
    method: str | None = None

    def __str__(self) -> str:
        parts = (self.connection, self.service, self.resource, self.method)
        return ".".join(part for part in parts if part is not None)


@dataclass(frozen=True, slots=True)
class Const:
    """A value that stands in the statement (or a default of the connection). A tuple is the set of an IN."""

    value: SQLValue | tuple[SQLValue, ...]


@dataclass(frozen=True, slots=True)
class Param:
    """A bound parameter of the statement: 1 for `?1`, "name" for `:name`."""

    key: int | str


@dataclass(frozen=True, slots=True)
class Ref:
    """A column of another table of the statement."""

    table: str
    column: str


@dataclass(frozen=True, slots=True)
class Slot:
    """The n-th argument (from 0) that SQLite gives to the virtual table's Filter."""

    position: int


@dataclass(frozen=True, slots=True)
class Opaque:
    """An operand that is an expression: it can be evaluated, not read (`lower('X')`, a subquery)."""


@dataclass(frozen=True, slots=True)
class Listed:
    """The list of an IN that holds parameters (`IN (?, 'x')`); one of literals alone is a Const."""

    items: tuple[Const | Param, ...]


Operand: TypeAlias = Const | Param | Ref | Slot | Opaque | Listed


@dataclass(frozen=True, slots=True)
class Predicate:
    """`column op operand`. `key` names one key of a JSON column (`metrics->>'val_acc'`)."""

    column: str
    op: Op
    operand: Operand
    key: str | None = None
    span: Span | None = None
    usable: bool = True
    """False where SQLite names a predicate whose operand it cannot give in the plan at hand."""


def cast(value: SQLValue, type_: Type) -> SQLValue:
    """The value with the affinity of a column of that type applied, as SQLite does before it compares.

    >>> cast(1, Type.TEXT), cast("12", Type.INTEGER), cast("x", Type.INTEGER), cast(2, Type.REAL)
    ('1', 12, 'x', 2.0)
    """
    if value is None or isinstance(value, bytes):
        return value
    if type_ in (Type.TEXT, Type.DATETIME, Type.JSON):
        return value if isinstance(value, str) else _number_text(value)
    number = _as_number(value)
    if number is None:
        return value
    if type_ is Type.REAL:
        return float(number)
    if isinstance(number, float) and number.is_integer() and abs(number) < 2**63:
        return int(number)
    return number


def _number_text(value: int | float) -> str:
    if isinstance(value, int):
        return str(int(value))
    text = f"{value:.15g}"
    if "inf" in text or "nan" in text:
        return text.replace("inf", "Inf")
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}{e}{exponent}"


def _as_number(value: int | float | str) -> int | float | None:
    if not isinstance(value, str):
        return value
    text = value.strip(" \t\n\f\r")
    if not _NUMBER.fullmatch(text):
        return None
    if _INTEGER.fullmatch(text) and -(2**63) <= int(text) < 2**63:
        return int(text)
    return float(text)


_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)"
    r"(?:[T ](?P<time>\d\d:\d\d(?::\d\d)?)(?:\.(?P<fraction>\d+))?)?"
    r"\s*(?P<zone>[Zz]|[+-]\d\d:?\d\d)?",
    re.ASCII,
)


def datetime_from_epoch_ms(milliseconds: int | float) -> str:
    """Milliseconds since 1970 as SQLite's own text in UTC. Raises ValueError outside years 1–9999.

    >>> datetime_from_epoch_ms(1767323045678)
    '2026-01-02 03:04:05.678'
    """
    try:
        moment = _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        raise ValueError(f"{milliseconds} ms since 1970 is no date of the years 1 to 9999") from None
    text = f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"
    return f"{moment.year:04d}-{moment.month:02d}-{moment.day:02d} {text}"


def datetime_from_text(text: str) -> str:
    """RFC 3339, or SQLite's own form, as SQLite's own text in UTC; digits beyond milliseconds are kept.

    >>> datetime_from_text("2026-01-02T03:04:05.123456Z"), datetime_from_text("2026-01-02T03:04:05+02:00")
    ('2026-01-02 03:04:05.123456', '2026-01-02 01:04:05.000')
    """
    if (match := _INSTANT.fullmatch(text.strip())) is None:
        raise ValueError(f"{text!r} is no date and time")
    time = match["time"] or "00:00"
    moment = datetime.fromisoformat(f"{match['date']} {time if time.count(':') == 2 else time + ':00'}")
    if (zone := match["zone"]) is not None and zone not in "Zz":
        hours, minutes = int(zone[1:3]), int(zone[-2:])
        offset = timedelta(hours=hours, minutes=minutes)
        try:
            moment = moment - offset if zone[0] == "+" else moment + offset
        except OverflowError:
            raise ValueError(f"{text!r} is outside the years 1 to 9999") from None
    fraction = (match["fraction"] or "").ljust(3, "0")
    return f"{moment.year:04d}-{moment.month:02d}-{moment.day:02d} {moment:%H:%M:%S}.{fraction}"


def epoch_ms_from_text(text: str) -> int:
    """SQLite's text (or RFC 3339) as whole milliseconds since 1970, rounded down.

    >>> epoch_ms_from_text("2026-01-02 03:04:05.678")
    1767323045678
    """
    normal = datetime_from_text(text)
    seconds, _, fraction = normal.partition(".")
    moment = datetime.fromisoformat(seconds).replace(tzinfo=UTC)
    return int((moment - _EPOCH).total_seconds()) * 1000 + int(fraction[:3])


def distinct_names(names: Iterable[str]) -> list[str]:
    """The names as SQLite's `CREATE TABLE AS` makes them.

    >>> distinct_names(["id", "ID", "x", "id"])
    ['id', 'ID:1', 'x', 'id:2']
    """
    taken: set[str] = set()
    found = []
    for name in names:
        candidate, count = name, 0
        while candidate.lower() in taken:
            stem, colon, digits = candidate.rpartition(":")
            count += 1
            candidate = f"{stem if colon and digits.isdecimal() else candidate}:{count}"
        taken.add(candidate.lower())
        found.append(candidate)
    return found
