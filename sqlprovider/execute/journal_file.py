"""The journal's file: whole lines, appended by any number of threads and processes, of bounded size.

`journal.jsonl` becomes `journal.1.jsonl` before it outgrows the bound, and the one before that is dropped. A
file is open only while it is used. Without `fcntl` (Windows) the lines are whole too, but two processes that
rotate at the same moment may drop a file too many.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # mypy reads the module of the platform that it runs on

MAX_BYTES = 10_000_000

_NAME, _OLD_NAME = "journal.jsonl", "journal.1.jsonl"
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
_PAUSE = 0.001


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which file something is written."""

    device: int
    inode: int
    offset: int

    def is_before(self, other: Place) -> bool:
        """Whether it is in the same file, further up. The inode of a dropped file may come again, shorter."""
        return (self.device, self.inode) == (other.device, other.inode) and self.offset < other.offset


MakeLine = Callable[[Place], bytes]
"""The place where it will stand → a line with its line break. It may be asked for another place again."""


@dataclass(slots=True)
class _Group:
    """Lines that are written and synced together: the first thread that gets to write takes them all."""

    lines: list[MakeLine] = field(default_factory=list)
    is_done: bool = False
    error: OSError | None = None


class JournalFile:
    """The two files of a folder, which is made at the first write."""

    def __init__(self, folder: Path, *, max_bytes: int = MAX_BYTES, patience: float = 1.0) -> None:
        self._folder = folder
        self._path = folder / _NAME
        self._old = folder / _OLD_NAME
        self._max_bytes = max_bytes
        self._patience = patience
        self._group = _Group()
        self._joining = threading.Lock()
        self._writing = threading.Lock()

    def append(self, line: MakeLine) -> None:
        """Writes a line; it is on the disk when this returns. Raises OSError."""
        with self._joining:
            group = self._group
            group.lines.append(line)
        with self._writing:
            if not group.is_done:
                with self._joining:
                    self._group = _Group()
                try:
                    self._write(group.lines)
                except OSError as error:
                    group.error = error
                group.is_done = True
        if group.error is not None:
            raise group.error

    def lines(self) -> Iterator[bytes]:
        """The lines of both files as they are now, oldest first. Raises OSError."""
        with ExitStack() as stack:
            found: list[BufferedReader] = []
            # The new one is opened first: one that is rotated meanwhile is found twice, and not missed.
            for path in (self._path, self._old):
                with suppress(FileNotFoundError, NotADirectoryError):
                    found.append(stack.enter_context(open(path, "rb", opener=_without_waiting)))
            ends = [os.fstat(file.fileno()) for file in found]
            if len(found) == 2 and os.path.samestat(*ends):
                del found[1], ends[1]
            for file, end in reversed(list(zip(found, ends, strict=True))):
                yield from _lines_within(file, end.st_size)

    def _write(self, makers: Sequence[MakeLine]) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if fcntl is None:
            self._rotate_closed()
        while not self._write_to_current(makers):
            pass

    def _write_to_current(self, makers: Sequence[MakeLine]) -> bool:
        """False: the file that was opened is the old one by now, and nothing was written."""
        descriptor = os.open(self._path, _FLAGS, 0o600)
        try:
            is_locked = _lock(descriptor, self._patience)
            end = _own_end(descriptor)
            if not self._is_current(descriptor):
                return False
            data = _joined(makers, end, descriptor)
            is_full = end.offset > 0 and end.offset + len(data) > self._max_bytes
            if is_full and is_locked and self._rotate():
                return False
            _write_whole(descriptor, data)
            _unlock(descriptor)
            os.fsync(descriptor)
            if end.offset == 0:
                _sync_folder(self._folder)
            return True
        finally:
            os.close(descriptor)

    def _is_current(self, descriptor: int) -> bool:
        """Whether no other process rotated the file after it was opened."""
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except FileNotFoundError:
            return False

    def _rotate(self) -> bool:
        """False: it cannot be done, and the file grows."""
        try:
            self._path.replace(self._old)
        except OSError:
            return False
        return True

    def _rotate_closed(self) -> None:
        """Rotates before the file is opened: Windows renames no open file."""
        with suppress(OSError):
            if self._path.stat().st_size >= self._max_bytes:
                self._rotate()


def _joined(makers: Sequence[MakeLine], end: Place, descriptor: int) -> bytes:
    """The lines as they stand one after the other at the end of the file."""
    # What was killed in the middle of a line must not spoil the next one.
    data = bytearray() if _ends_a_line(descriptor, end) else bytearray(b"\n")
    for make in makers:
        data += make(Place(end.device, end.inode, end.offset + len(data)))
    return bytes(data)


def _ends_a_line(descriptor: int, end: Place) -> bool:
    if end.offset == 0:
        return True
    os.lseek(descriptor, -1, os.SEEK_END)
    return os.read(descriptor, 1) == b"\n"


def _write_whole(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _without_waiting(path: str, flags: int) -> int:
    """Opens what may be a pipe that nobody writes to."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _lines_within(file: BufferedReader, left: int) -> Iterator[bytes]:
    """The lines of the first `left` bytes: a statement that reads and writes does not chase its own lines."""
    while left > 0 and (line := file.readline()):
        left -= len(line)
        yield line


def _own_end(descriptor: int) -> Place:
    """The end of the file, which is for its owner alone from now on."""
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    if os.name == "posix" and found.st_mode & 0o077:
        os.chmod(descriptor, 0o600)
    return Place(found.st_dev, found.st_ino, found.st_size)


def _lock(descriptor: int, patience: float) -> bool:
    """Keeps other processes out. False: one that was stopped in here keeps us out, so nothing is renamed."""
    if fcntl is None:
        return False
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE)
        except OSError:
            return True  # A file system without locks: its files are bounded too.
        else:
            return True
    return False


def _unlock(descriptor: int) -> None:
    if fcntl is not None:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)


def _sync_folder(folder: Path) -> None:
    """Has the name of a new file on the disk too, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
