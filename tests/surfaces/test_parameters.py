"""Parameters as text, and Python's values as SQL's."""

from __future__ import annotations

import decimal
from datetime import UTC, date, datetime, time, timedelta, timezone
from fractions import Fraction

import pytest

from sqlprovider.errors import DataError, Error, InterfaceError
from sqlprovider.surfaces.binding import as_sql, bind_all
from sqlprovider.surfaces.parameters import read_parameter
from sqlprovider.values import SQLValue


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        pytest.param("a=1", "a", "1", id="text"),
        pytest.param("a=", "a", "", id="empty text"),
        pytest.param("a=b=c", "a", "b=c", id="equals sign"),
        pytest.param(":a=x", "a", "x", id="colon before"),
        pytest.param("a:=1", "a", 1, id="integer"),
        pytest.param("a:=1.5", "a", 1.5, id="float"),
        pytest.param("a:=true", "a", 1, id="boolean"),
        pytest.param("a:='x'", "a", "x", id="quoted text"),
        pytest.param("a:=[1, 'é']", "a", '[1,"é"]', id="list"),
        pytest.param("a:={ x = 1 }", "a", '{"x":1}', id="table"),
        pytest.param("a:=2026-01-02T03:04:05+01:00", "a", "2026-01-02 02:04:05.000", id="time"),
        pytest.param("a:=2026-01-02", "a", "2026-01-02", id="date"),
    ],
)
def test_a_parameter_is_read(text: str, name: str, value: SQLValue) -> None:
    assert read_parameter(text) == (name, value)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a", id="no value"),
        pytest.param("=1", id="no name"),
        pytest.param("1=1", id="no identifier"),
        pytest.param("a b=1", id="blank"),
        pytest.param("a:=", id="no TOML"),
        pytest.param("a:=x", id="bare word"),
        pytest.param("a:=1\nb=2", id="two values"),
        pytest.param("a:=9223372036854775808", id="too large"),
    ],
)
def test_a_parameter_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(Error):
        read_parameter(text)


@pytest.mark.parametrize(
    ("value", "sql"),
    [
        pytest.param(None, None, id="None"),
        pytest.param(True, 1, id="bool"),
        pytest.param(Fraction(1, 2), 0.5, id="a real of another type"),
        pytest.param(bytearray(b"a"), b"a", id="bytearray"),
        pytest.param(memoryview(b"a"), b"a", id="memoryview"),
        pytest.param(
            datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), "2026-01-02 03:04:05.678901", id="UTC"
        ),
        pytest.param(
            datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))),
            "2026-01-02 01:00:00.000",
            id="offset",
        ),
        pytest.param(date(2026, 1, 2), "2026-01-02", id="date"),
        pytest.param(time(3, 4), "03:04:00", id="time"),
    ],
)
def test_a_python_value_is_bound_as(value: object, sql: SQLValue) -> None:
    bound = as_sql(value, name=1)
    assert (bound, type(bound)) == (sql, type(sql))


def test_a_value_that_sql_has_not_is_refused_by_its_number() -> None:
    with pytest.raises(InterfaceError, match="parameter 2: cannot bind Decimal"):
        bind_all((1, decimal.Decimal("1.5")))


def test_an_integer_of_more_than_64_bits_is_refused() -> None:
    with pytest.raises(DataError, match="parameter big"):
        bind_all({"big": 2**63})


@pytest.mark.parametrize("params", [pytest.param("abc", id="text"), pytest.param({1}, id="set"), None, 5])
def test_parameters_are_a_sequence_or_a_mapping(params: object) -> None:
    with pytest.raises(InterfaceError, match="sequence or a mapping"):
        bind_all(params)
