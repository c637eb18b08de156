"""SQLite's open cursors: closed in the thread that opened them, whichever thread drops a result."""

from __future__ import annotations

import threading

import apsw


class OpenCursors:
    """The cursors of one connection whose rows are not read to the end.

    A result that nobody reads on may be dropped by Python's garbage collector in any thread, one of the pool
    too, while SQLite works in its own: closing the cursor there fails, and one that dies there unclosed makes
    SQLite refuse to close the connection. So a dropped cursor waits here for its own thread.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._thread = threading.get_ident()
        self._open: set[apsw.Cursor] = set()
        self._dropped: list[apsw.Cursor] = []

    def open(self) -> apsw.Cursor:
        """A new cursor."""
        while self._dropped:
            self._close(self._dropped.pop())
        cursor = self._connection.cursor()
        self._open.add(cursor)
        return cursor

    def drop(self, cursor: apsw.Cursor) -> None:
        """Closes a cursor, at once in its own thread, at the next chance otherwise."""
        if threading.get_ident() == self._thread:
            self._close(cursor)
        else:
            self._dropped.append(cursor)

    def close(self) -> None:
        """Closes what is open."""
        for cursor in tuple(self._open):
            self._close(cursor)

    def _close(self, cursor: apsw.Cursor) -> None:
        self._open.discard(cursor)
        cursor.close(True)
