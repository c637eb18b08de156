"""A result that is dropped half-read closes its cursor, in whichever thread it is dropped."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing

import apsw
import pytest

import sqlprovider
from sqlprovider.vtab.cursors import OpenCursors


@pytest.fixture
def connection() -> Iterator[apsw.Connection]:
    connection = apsw.Connection(":memory:")
    connection.execute("CREATE TABLE t(x); INSERT INTO t VALUES (1), (2)")
    yield connection
    connection.close(True)


def half_read(cursors: OpenCursors) -> apsw.Cursor:
    cursor = cursors.open()
    next(iter(cursor.execute("SELECT x FROM t")))
    return cursor


def test_a_cursor_dropped_in_its_thread_is_closed_at_once(connection: apsw.Connection) -> None:
    cursors = OpenCursors(connection)
    cursors.drop(half_read(cursors))
    connection.execute("DROP TABLE t")


def test_a_cursor_dropped_in_another_thread_is_closed_by_the_next_one(connection: apsw.Connection) -> None:
    cursors = OpenCursors(connection)
    thread = threading.Thread(target=cursors.drop, args=(half_read(cursors),))
    thread.start()
    thread.join()
    with pytest.raises(apsw.LockedError):
        connection.execute("DROP TABLE t")
    cursors.open()
    connection.execute("DROP TABLE t")


def test_closing_closes_what_is_open_and_what_was_dropped_elsewhere(connection: apsw.Connection) -> None:
    cursors = OpenCursors(connection)
    half_read(cursors)
    dropped = half_read(cursors)
    thread = threading.Thread(target=cursors.drop, args=(dropped,))
    thread.start()
    thread.join()
    cursors.close()
    connection.execute("DROP TABLE t")


@pytest.mark.parametrize("read", [pytest.param(0, id="unread"), pytest.param(1, id="half read")])
def test_a_result_that_is_let_go_holds_no_lock(read: int) -> None:
    with closing(sqlprovider.connect({})) as connection:
        connection.execute("CREATE TABLE t(x)")
        connection.execute("INSERT INTO t VALUES (1), (2)")
        cursor = connection.execute("SELECT x FROM t")
        cursor.fetchmany(read)
        del cursor
        connection.execute("DROP TABLE t")
        assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == []


def test_a_statement_that_fails_holds_no_lock() -> None:
    with closing(sqlprovider.connect({})) as connection:
        connection.execute("CREATE TABLE t(x)")
        connection.execute("INSERT INTO t VALUES (1), ('{')")
        with pytest.raises(sqlprovider.Error):
            connection.execute("SELECT json(x) FROM t").fetchall()
        connection.execute("DROP TABLE t")
