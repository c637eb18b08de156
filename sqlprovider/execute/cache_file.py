"""The cache's file: pages of answers and what has been written since, shared by threads and processes.

One SQLite file for this user alone. A write to a resource raises the numbers of
its marks; a page holds the sum of its own marks' numbers as it was asked for, and counts for as long as the
sum stays. So a page that was asked for before a write and comes after it is not kept, whoever wrote.
Every method raises CacheFault; `cache.py` says what becomes of it.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import threading
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

MAX_BYTES = 100_000_000
"""Of all pages together."""
MAX_PAGES = 20_000
MAX_PAGE_BYTES = 5_000_000

_VERSION = 1
_TOUCH = 5.0
"""Seconds: a page that is used more often is not marked as used each time."""
_AGAIN = 0.01
"""Seconds between two tries where SQLite itself does not wait."""
_SCHEMA = """
CREATE TABLE facts (salt BLOB NOT NULL);
CREATE TABLE marks (mark TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE pages (
    key BLOB PRIMARY KEY, connection TEXT, resource TEXT, method TEXT, http_method TEXT, url TEXT,
    status INTEGER, headers TEXT, etag TEXT, asked_at REAL, used_at REAL, keep REAL, until REAL,
    list TEXT, number INTEGER, is_last INTEGER, total INTEGER, items INTEGER, marks TEXT, generation INTEGER,
    bytes INTEGER, checksum INTEGER, body BLOB
);
CREATE INDEX by_use ON pages (used_at, bytes);
CREATE INDEX by_end ON pages (until);
CREATE INDEX by_list ON pages (list);
"""
_FIELDS = [
    "key",
    "connection",
    "resource",
    "method",
    "http_method",
    "url",
    "status",
    "headers",
    "etag",
    "asked_at",
    "used_at",
    "keep",
    "until",
    "list",
    "number",
    "is_last",
    "total",
    "items",
    "marks",
    "generation",
    "bytes",
    "checksum",
    "body",
]
_READ = (
    "SELECT status, headers, etag, asked_at, used_at, keep, list, number, is_last, total, items, "
    "generation, checksum, body FROM pages WHERE key = ?"
)


@dataclass(frozen=True, slots=True)
class Label:
    """What a page is, for people."""

    connection: str
    resource: str
    method: str
    http_method: str
    url: str


@dataclass(frozen=True, slots=True)
class Stored:
    """One page as it was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    etag: str | None
    asked_at: float
    """When it was asked for, in seconds since 1970: it can be no older."""
    keep: float
    """Seconds it may be used, whatever the settings say; 0: as they say."""
    list: str
    """Pages of one reading of a list have it in common."""
    number: int
    """How many pages of that reading came before, in the order in which they were answered."""
    is_last: bool
    total: int | None
    """The rows of the whole list, where the answer says so."""
    items: int


@dataclass(frozen=True, slots=True)
class CachedPage:
    """A page that counts: a row of `sqlprovider.cache`."""

    label: Label
    asked_at: float
    keep: float
    items: int
    bytes: int
    etag: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """The page of a key, where there is one that counts, and the sum of the marks."""

    page: Stored | None
    generation: int


class CacheFault(Exception):
    """The file cannot be used. `is_busy`: others use it just now; `is_damaged`: it is not what it was."""

    def __init__(self, error: Exception) -> None:
        why = error.strerror if isinstance(error, OSError) else None
        super().__init__(why or str(error))
        code = getattr(error, "sqlite_errorcode", -1) & 0xFF
        self.is_busy = code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
        self.is_damaged = isinstance(error, ValueError | TypeError) or code in (
            sqlite3.SQLITE_CORRUPT,
            sqlite3.SQLITE_NOTADB,
        )


class PageFile:
    """The file, which is made at the first use, with its folder."""

    def __init__(
        self,
        path: Path,
        *,
        max_bytes: int = MAX_BYTES,
        max_pages: int = MAX_PAGES,
        patience: float = 2.0,
    ) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._max_pages = max_pages
        self._patience = patience
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._inode: tuple[int, int] | None = None
        self._salt = b""
        self._added = 1.0

    def salt(self) -> bytes:
        """What the keys of this file are made with."""
        with self._opened():
            return self._salt

    def find(self, key: bytes, marks: Sequence[str], now: float) -> Found:
        """The page of a key; one that does not count any more, or is damaged, is dropped."""
        with self._opened() as connection:
            generation = _generation(connection, marks)
            row = connection.execute(_READ, (key,)).fetchone()
            if row is None:
                return Found(None, generation)
            *kept, held, checksum, body = row
            status, headers, etag, asked_at, used_at, keep, list_, number, is_last, total, items = kept
            if held != generation or zlib.crc32(body) != checksum:
                with _writing(connection):
                    connection.execute("DELETE FROM pages WHERE key = ?", (key,))
                return Found(None, generation)
            if abs(now - used_at) >= _TOUCH:
                with _writing(connection):
                    connection.execute("UPDATE pages SET used_at = ? WHERE key = ?", (now, key))
            named = dict(json.loads(headers))
            read = (list_, number, bool(is_last), total, items)
            return Found(Stored(status, named, body, etag, asked_at, keep, *read), generation)

    def store(
        self, key: bytes, label: Label, page: Stored, marks: Sequence[str], generation: int, *, until: float
    ) -> bool:
        """Keeps a page, and drops those used least recently; False: something was written meanwhile."""
        if len(page.body) > min(MAX_PAGE_BYTES, self._max_bytes):
            return False
        values = (
            key,
            *(label.connection, label.resource, label.method, label.http_method, label.url),
            *(page.status, json.dumps(dict(page.headers)), page.etag),
            *(page.asked_at, page.asked_at, page.keep, until),
            *(page.list, page.number, page.is_last, page.total, page.items),
            *(json.dumps(list(marks)), generation),
            *(len(page.body), zlib.crc32(page.body), page.body),
        )
        insert = f"INSERT OR REPLACE INTO pages ({', '.join(_FIELDS)}) VALUES ({_places(len(_FIELDS))})"
        with self._opened() as connection, _writing(connection):
            if _generation(connection, marks) != generation:
                return False
            connection.execute("DELETE FROM pages WHERE until < ? OR key = ?", (page.asked_at, key))
            self._make_room(connection, len(page.body))
            connection.execute(insert, values)
        return True

    def forget(self, key: bytes) -> None:
        """Drops a page."""
        with self._opened() as connection, _writing(connection):
            connection.execute("DELETE FROM pages WHERE key = ?", (key,))

    def raise_marks(self, marks: Sequence[str]) -> None:
        """No page that has one of these marks counts any more."""
        with self._opened() as connection, _writing(connection):
            connection.executemany(
                "INSERT INTO marks VALUES (?, 1) ON CONFLICT (mark) DO UPDATE SET number = number + 1",
                [(mark,) for mark in marks],
            )

    def is_whole(self, list_: str) -> bool:
        """Whether every page of one reading of a list is there, as it was then."""
        with self._opened() as connection:
            count, last, is_last, total, items = connection.execute(
                "SELECT count(*), max(number), max(is_last), max(total), sum(items) FROM pages "
                "WHERE list = ?",
                (list_,),
            ).fetchone()
        is_ended = is_last or (total is not None and items >= total)
        return bool(is_ended and count == last + 1)

    def pages(self) -> list[CachedPage]:
        """The pages that count, the latest first."""
        sql = (
            "SELECT connection, resource, method, http_method, url, asked_at, keep, items, bytes, etag "
            "FROM pages WHERE generation = (SELECT coalesce(sum(m.number), 0) FROM marks AS m "
            "WHERE m.mark IN (SELECT value FROM json_each(pages.marks))) ORDER BY asked_at DESC, rowid DESC"
        )
        with self._opened() as connection:
            return [CachedPage(Label(*row[:5]), *row[5:]) for row in connection.execute(sql)]

    def close(self) -> None:
        """Closes the file; it is opened again where it is used again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def give_up(self, why: object) -> None:
        """Closes the file; one that is damaged is removed, for whoever comes next."""
        self.close()
        if not isinstance(why, CacheFault) or not why.is_damaged:
            return
        for end in ("", "-wal", "-shm"):
            with suppress(OSError):
                self.path.with_name(self.path.name + end).unlink(missing_ok=True)

    def _make_room(self, connection: sqlite3.Connection, wanted: int) -> None:
        # Counting reads a whole index: it is done after every hundredth of what may be there.
        self._added += max(wanted / self._max_bytes, 1 / self._max_pages)
        if self._added < 0.01:
            return
        self._added = 0.0
        count, size = connection.execute("SELECT count(*), total(bytes) FROM pages").fetchone()
        if count < self._max_pages and size + wanted <= self._max_bytes:
            return
        # A tenth more than needed, so that not every page that comes has to make room.
        least = min(self._max_bytes - wanted, int(self._max_bytes * 0.9))
        most = max(0, int(self._max_pages * 0.9) - 1)
        for row, bytes_ in connection.execute("SELECT rowid, bytes FROM pages ORDER BY used_at").fetchall():
            if count <= most and size <= least:
                return
            connection.execute("DELETE FROM pages WHERE rowid = ?", (row,))
            count, size = count - 1, size - bytes_

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one thread at a time. A file that somebody removed is made again."""
        with self._lock:
            try:
                if self._connection is None or self._inode != _inode(self.path):
                    self.close()
                    self._open()
                assert self._connection is not None
                yield self._connection
            except (sqlite3.Error, OSError, ValueError, TypeError) as error:
                # The last two: a row that is not what was written.
                raise CacheFault(error) from error

    def _open(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives its other files the rights of this one.
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            _check_private(descriptor, self.path)
        finally:
            os.close(descriptor)
        connection = sqlite3.connect(
            self.path, timeout=self._patience, isolation_level=None, check_same_thread=False
        )
        try:
            _log_ahead(connection, self._patience)
            self._salt = _prepared(connection)
        except BaseException:
            connection.close()
            raise
        self._connection, self._inode = connection, _inode(self.path)


def _log_ahead(connection: sqlite3.Connection, patience: float) -> None:
    """Lets readers and a writer work at once; for this change alone SQLite waits for no other connection."""
    give_up_at = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= give_up_at:
                raise
        time.sleep(_AGAIN)


def _prepared(connection: sqlite3.Connection) -> bytes:
    """Makes the tables where they are not there or of another version; the salt."""
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA journal_size_limit = 4000000")
    # What was dropped may hold what is secret by now.
    connection.execute("PRAGMA secure_delete = FAST")
    if connection.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
        with _writing(connection):
            if connection.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
                for table in ("facts", "marks", "pages"):
                    connection.execute(f"DROP TABLE IF EXISTS {table}")
                for statement in filter(str.strip, _SCHEMA.split(";")):
                    connection.execute(statement)
                connection.execute("INSERT INTO facts VALUES (?)", (secrets.token_bytes(32),))
                connection.execute(f"PRAGMA user_version = {_VERSION}")
    (salt,) = connection.execute("SELECT salt FROM facts").fetchone()
    return bytes(salt)


@contextmanager
def _writing(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # Some failures have ended it already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _generation(connection: sqlite3.Connection, marks: Sequence[str]) -> int:
    sql = f"SELECT coalesce(sum(number), 0) FROM marks WHERE mark IN ({_places(len(marks))})"
    return int(connection.execute(sql, tuple(marks)).fetchone()[0])


def _places(count: int) -> str:
    return ", ".join("?" * count)


def _check_private(descriptor: int, path: Path) -> None:
    """Raises PermissionError where the file is somebody else's."""
    if not hasattr(os, "geteuid"):
        return
    found = os.fstat(descriptor)
    if found.st_uid != os.geteuid():
        raise PermissionError(1, "it belongs to another user", str(path))
    if found.st_mode & 0o077:
        os.fchmod(descriptor, 0o600)


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
