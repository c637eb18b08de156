"""`read_parquet` against files that pyarrow itself wrote."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from sqlprovider.errors import DataError
from tests.vtab.files import selected

pytestmark = pytest.mark.slow


def write(path: Path, **columns: object) -> str:
    """A file of these columns; its name as an SQL text."""
    import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types
    import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it comes without types

    pq.write_table(pa.table(columns), str(path), row_group_size=2)
    return "'" + str(path).replace("'", "''") + "'"


def test_every_type_has_its_sql_form(tmp_path: Path) -> None:
    import pyarrow as pa

    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    file = write(
        tmp_path / "types of 'all'.parquet",
        id=pa.array([2**62, None], pa.int64()),
        big=pa.array([2**64 - 1, 1], pa.uint64()),
        lr=pa.array([0.5, float("nan")], pa.float32()),
        name=pa.array(["größe", ""], pa.string()),
        kind=pa.array(["a", "b"]).dictionary_encode(),
        done=pa.array([True, False]),
        raw=pa.array([b"\x00\xff", None], pa.binary()),
        at=pa.array([moment, None], pa.timestamp("us", tz="UTC")),
        day=pa.array([date(2026, 1, 2), None]),
        took=pa.array([timedelta(seconds=2), None], pa.duration("ms")),
        price=pa.array([Decimal("1.50"), None], pa.decimal128(10, 2)),
        tags=pa.array([{"k": "v"}, None], pa.struct([("k", pa.string())])),
        steps=pa.array([[1, 2], []], pa.list_(pa.int32())),
    )
    first, second = selected(f"SELECT * FROM read_parquet({file})")
    assert first == (
        2**62,
        str(2**64 - 1),
        0.5,
        "größe",
        "a",
        1,
        b"\x00\xff",
        "2026-01-02 03:04:05.678901",
        "2026-01-02",
        2000,
        1.5,
        '{"k":"v"}',
        "[1,2]",
    )
    assert second == (None, 1, "NaN", "", "b", 0, None, None, None, None, None, None, "[]")


def test_only_the_columns_used_are_asked_for_and_all_rows_come(tmp_path: Path) -> None:
    file = write(tmp_path / "many.parquet", n=list(range(5000)), text=["x"] * 5000)
    assert selected(f"SELECT count(*), sum(n), max(n) FROM read_parquet({file})") == [(5000, 12497500, 4999)]
    assert selected(f"SELECT n FROM read_parquet({file}) LIMIT 1 OFFSET 4000") == [(4000,)]


def test_a_file_that_is_none_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_text("id\n1\n")
    with pytest.raises(DataError, match="it is no Parquet"):
        selected(f"SELECT * FROM read_parquet('{tmp_path / 'x.parquet'}')")
