"""Python's values as SQL values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from numbers import Integral, Real

from sqlprovider.errors import DataError, InterfaceError
from sqlprovider.values import SQLValue


def as_sql(value: object, *, name: str | int) -> SQLValue:
    """The SQL value of parameter `name`. A datetime becomes UTC text in SQLite's own form.

    >>> as_sql(datetime(2026, 1, 2, 3, 4, 5), name=1)
    '2026-01-02 03:04:05.000'
    """
    match value:
        case None | float() | bytes():
            return value
        case str():
            return str(value)
        case Integral():
            return _as_integer(int(value), name=name)
        case Real():
            return float(value)
        case bytearray() | memoryview():
            return bytes(value)
        case datetime():
            return _as_utc_text(value)
        case date() | time():
            return value.isoformat()
        case _:
            raise InterfaceError(
                f"parameter {name}: cannot bind {type(value).__name__}; "
                "there are: None, int, float, str, bytes, datetime, date, time"
            )


def bind_all(params: object) -> tuple[SQLValue, ...] | dict[str, SQLValue]:
    """The parameters of one execution: a sequence, or a mapping by name."""
    match params:
        case Mapping():
            return {str(name): as_sql(value, name=str(name)) for name, value in params.items()}
        case Sequence() if not isinstance(params, str | bytes | bytearray):
            return tuple(as_sql(value, name=number) for number, value in enumerate(params, start=1))
        case _:
            raise InterfaceError(
                f"parameters must be a sequence or a mapping, not {type(params).__name__}",
                hint="cursor.execute(sql, (value,))",
            )


def _as_integer(value: int, *, name: str | int) -> int:
    if not -(2**63) <= value < 2**63:
        raise DataError(f"parameter {name}: {value} does not fit 64 bits")
    return value


def _as_utc_text(value: datetime) -> str:
    moment = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo is not None else value
    digits = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.isoformat(sep=" ", timespec=digits)
