"""Type-checked and never run: what the types of the public names promise."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

import sqlprovider
from sqlprovider.errors import Warning
from sqlprovider.values import Row, SQLValue


def connections() -> None:
    connection = sqlprovider.connect()
    assert_type(connection, sqlprovider.Connection)
    sqlprovider.connect("sqlprovider.toml", timeout=3)
    sqlprovider.connect(Path("x"), database="x.db", listed=True, autocommit=False, transport=None)
    sqlprovider.connect({"connections": {"mlflow": {"base_url": "http://127.0.0.1:5000"}}}, max_requests=10)
    with connection as same:
        assert_type(same, sqlprovider.Connection)
    connection.commit()
    connection.rollback()
    connection.close()


def cursors(connection: sqlprovider.Connection) -> None:
    cursor = connection.cursor()
    assert_type(cursor.execute("SELECT ?", (1,)), sqlprovider.Cursor)
    assert_type(cursor.execute("SELECT :a", {"a": 1}), sqlprovider.Cursor)
    assert_type(cursor.executemany("INSERT INTO t VALUES (?)", ((x,) for x in range(3))), sqlprovider.Cursor)
    assert_type(cursor.fetchone(), Row | None)
    assert_type(cursor.fetchmany(10), list[Row])
    assert_type(cursor.fetchall(), list[Row])
    assert_type(cursor.rowcount, int)
    assert_type(cursor.warnings, tuple[Warning, ...])
    assert_type(cursor.last_write, tuple[dict[str, SQLValue], ...])
    for row in cursor:
        assert_type(row, Row)


def errors(error: sqlprovider.Error) -> None:
    assert_type(error.reason, str)
    assert_type(error.hint, str | None)
    assert_type(error.retryable, bool)
    assert_type(error.sqlstate, str)


def names() -> None:
    assert_type(sqlprovider.__version__, str)
    assert_type(sqlprovider.NUMBER == "INTEGER", bool)
