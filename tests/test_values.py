"""The words every layer shares: affinities as SQLite applies them, times, names."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from sqlprovider.values import (
    Name,
    SQLValue,
    Type,
    cast,
    datetime_from_epoch_ms,
    datetime_from_text,
    epoch_ms_from_text,
)

VALUES: list[SQLValue] = [
    None,
    b"1",
    0,
    -7,
    2**62,
    1.0,
    1.5,
    -0.25,
    1e20,
    1e15,
    123456789012345680.0,
    1e-7,
    "",
    "1",
    " 12 ",
    "+3",
    "-4.0",
    "1.5",
    "1e3",
    ".5",
    "5.",
    "0x10",
    "1_000",
    "x",
    "1x",
    "9223372036854775807",
    "9223372036854775808",
    "inf",
    "٣",
]


@pytest.mark.parametrize("type_", [pytest.param(type_, id=type_.value) for type_ in Type])
def test_a_value_gets_the_affinity_that_sqlite_would_give_it(type_: Type) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"CREATE TABLE t(a {type_.declared})")
        for value in VALUES:
            connection.execute("DELETE FROM t")
            connection.execute("INSERT INTO t VALUES (?)", (value,))
            ((stored,),) = connection.execute("SELECT a FROM t")
            found = cast(value, type_)
            assert (value, found, type(found)) == (value, stored, type(stored))


@pytest.mark.parametrize(
    "value", [pytest.param(float("inf"), id="infinite"), pytest.param(float("-inf"), id="minus")]
)
def test_an_infinity_as_text_is_sqlites(value: float) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        ((text,),) = connection.execute("SELECT CAST(? AS TEXT)", (value,))
    assert cast(value, Type.TEXT) == text


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        pytest.param("2026-01-02T03:04:05Z", "2026-01-02 03:04:05.000", id="RFC 3339"),
        pytest.param("2026-01-02 03:04:05.1", "2026-01-02 03:04:05.100", id="digits are filled up"),
        pytest.param("2026-01-02T03:04:05.123456789Z", "2026-01-02 03:04:05.123456789", id="more are kept"),
        pytest.param("2026-01-02", "2026-01-02 00:00:00.000", id="a day"),
        pytest.param("2026-01-02 03:04", "2026-01-02 03:04:00.000", id="a minute"),
        pytest.param("2026-01-02T00:30:00+01:00", "2026-01-01 23:30:00.000", id="east"),
        pytest.param("2026-12-31T23:30:00-0100", "2027-01-01 00:30:00.000", id="west"),
        pytest.param(" 2026-01-02 03:04:05z ", "2026-01-02 03:04:05.000", id="blanks"),
        pytest.param("0001-01-01 00:00:00", "0001-01-01 00:00:00.000", id="the first year"),
    ],
)
def test_a_time_as_sqlites_own_text(text: str, normal: str) -> None:
    assert datetime_from_text(text) == normal


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("soon", id="no time"),
        pytest.param("2026-13-01", id="no month"),
        pytest.param("2026-01-02T25:00:00Z", id="no hour"),
        pytest.param("0001-01-01T00:00:00+01:00", id="before the first year"),
        pytest.param("9999-12-31T23:59:59-01:00", id="after the last"),
        pytest.param("", id="empty"),
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        datetime_from_text(text)


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        pytest.param(0, "1970-01-01 00:00:00.000", id="zero"),
        pytest.param(-1, "1969-12-31 23:59:59.999", id="before"),
        pytest.param(1767323045678, "2026-01-02 03:04:05.678", id="now"),
        pytest.param(253402300799999, "9999-12-31 23:59:59.999", id="the last"),
    ],
)
def test_milliseconds_go_to_text_and_back(milliseconds: int, text: str) -> None:
    assert datetime_from_epoch_ms(milliseconds) == text
    assert epoch_ms_from_text(text) == milliseconds


@pytest.mark.parametrize(
    "milliseconds", [pytest.param(253402300800000, id="after"), pytest.param(-(10**17), id="before")]
)
def test_milliseconds_beyond_the_years_are_refused(milliseconds: int) -> None:
    with pytest.raises(ValueError, match="no date of the years 1 to 9999"):
        datetime_from_epoch_ms(milliseconds)


def test_a_fraction_of_a_millisecond_is_rounded_down() -> None:
    assert epoch_ms_from_text("1970-01-01 00:00:00.9999") == 999
    assert epoch_ms_from_text("1969-12-31T23:59:59.9991Z") == -1


def test_a_name_is_its_parts() -> None:
    assert str(Name("c", "s", "r")) == "c.s.r"
    assert str(Name("c", "s", "r", "m")) == "c.s.r.m"


def test_json_and_times_are_text_to_sqlite() -> None:
    assert [type_.declared for type_ in Type] == [
        "TEXT",
        "INTEGER",
        "REAL",
        "BOOLEAN",
        "DATETIME TEXT",
        "JSON TEXT",
    ]
