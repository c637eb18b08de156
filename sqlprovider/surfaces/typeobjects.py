"""PEP 249's type objects, and its constructors of values."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Final

from sqlprovider.values import Type


class TypeObject:
    """Equal to the `type_code` of each column type it stands for."""

    def __init__(self, name: str, *types: str) -> None:
        self._name = name
        self._types = frozenset(types)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, str) and str(other) in self._types)

    def __hash__(self) -> int:
        return hash(self._name)

    def __repr__(self) -> str:
        return f"sqlprovider.{self._name}"


STRING: Final = TypeObject("STRING", Type.TEXT, Type.JSON)
BINARY: Final = TypeObject("BINARY", "BLOB")
NUMBER: Final = TypeObject("NUMBER", Type.INTEGER, Type.REAL, Type.BOOLEAN)
DATETIME: Final = TypeObject("DATETIME", Type.DATETIME)
ROWID: Final = TypeObject("ROWID")

Date = date
Time = time
Timestamp = datetime
Binary = bytes


def DateFromTicks(ticks: float) -> date:  # noqa: N802, RUF100  PEP 249's name
    """The UTC date of a number of seconds since 1970."""
    return TimestampFromTicks(ticks).date()


def TimeFromTicks(ticks: float) -> time:  # noqa: N802, RUF100  PEP 249's name
    """The UTC time of day of a number of seconds since 1970."""
    return TimestampFromTicks(ticks).time()


def TimestampFromTicks(ticks: float) -> datetime:  # noqa: N802, RUF100  PEP 249's name
    """The UTC time of a number of seconds since 1970."""
    return datetime.fromtimestamp(ticks, UTC)
