"""Where a file's bytes come from: a path, a name that ends in `.gz`, or a pipe, which can be read once."""

from __future__ import annotations

import gzip
import io
import stat
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from sqlprovider.errors import DataError, OperationalError, ProgrammingError

STANDARD_INPUT = ("-", "/dev/stdin")
_BUFFER = 1 << 18


class Source(Protocol):
    """A file that is looked at when a statement is prepared, and read once for each scan."""

    def peek(self) -> BinaryIO:
        """From the beginning, and nothing of it is used up."""

    def open(self) -> BinaryIO:
        """From the beginning, to be read to the end and closed."""


@contextmanager
def reading(where: str) -> Iterator[None]:
    """Maps what the system says of a file to our errors. `where` is the call as it was written."""
    try:
        yield
    except FileNotFoundError:
        raise ProgrammingError(f"{where}: there is no such file", reason="no_such_file") from None
    except IsADirectoryError:
        raise ProgrammingError(f"{where}: it is a directory, not a file", reason="no_such_file") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{where}: it is no whole gzip file: {error}", reason="file") from error
    except OSError as error:
        raise OperationalError(f"{where}: {error.strerror or error}", reason="file") from error


class DiskFile:
    """A file that each scan reads anew."""

    def __init__(self, path: str) -> None:
        self._path = path

    def open(self) -> BinaryIO:
        return _unpacked(Path(self._path).open("rb", buffering=_BUFFER), self._path)

    peek = open


class Pipe:
    """Standard input or a named pipe: what was looked at is kept for the one scan that there can be."""

    def __init__(self, path: str, where: str) -> None:
        self._path = path
        self._where = where
        self._stream = _stream(path, where)
        self._seen = bytearray()
        self.is_spent = False

    def peek(self) -> BinaryIO:
        return self._opened(keeps=True)

    def open(self) -> BinaryIO:
        if self.is_spent:
            raise OperationalError(
                f"{self._where}: a pipe can be read once, and it was",
                reason="file",
                hint=f"CREATE TEMP TABLE input AS SELECT * FROM {self._where}",
            )
        self.is_spent = True
        return self._opened(keeps=False)

    def close(self) -> None:
        """Closes what is not standard input, which is not ours to close."""
        if self._path not in STANDARD_INPUT:
            self._stream.close()

    __del__ = close
    """A pipe that was looked at may never be read."""

    def _opened(self, *, keeps: bool) -> BinaryIO:
        raw = _Replay(self._seen, self._stream, keeps=keeps, close=_nothing if keeps else self.close)
        return _unpacked(cast(BinaryIO, io.BufferedReader(raw, _BUFFER)), self._path)


class _Replay(io.RawIOBase):
    """The bytes that were seen already, then those of the stream."""

    def __init__(
        self, seen: bytearray, stream: io.BufferedIOBase, *, keeps: bool, close: Callable[[], None]
    ) -> None:
        self._seen = seen
        self._stream = stream
        self._keeps = keeps
        self._close = close
        self._at = 0

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        if not self.closed:
            self._close()
        super().close()

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # its own is Any-like
        wanted = len(buffer)
        given = bytes(self._seen[self._at : self._at + wanted])
        if not given:
            given = self._stream.read1(wanted)
            if self._keeps:
                self._seen += given
        buffer[: len(given)] = given
        self._at += len(given)
        return len(given)


class Pipes:
    """The pipes of one session by name, so that a second look finds what the first one kept."""

    def __init__(self) -> None:
        self._pipes: dict[str, Pipe] = {}

    def source(self, path: str, where: str) -> Source:
        """A path as a source. Raises ProgrammingError, OperationalError."""
        is_input = path in STANDARD_INPUT
        with reading(where):
            if not is_input:
                path = str(Path(path).expanduser())
                mode = Path(path).stat().st_mode
                if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
                    return DiskFile(path)
            name = STANDARD_INPUT[0] if is_input else path
            known = self._pipes.get(name)
            if known is None or (known.is_spent and not is_input):
                known = self._pipes[name] = Pipe(name, where)
            return known


def _nothing() -> None:
    pass


def _stream(path: str, where: str) -> io.BufferedIOBase:
    if path not in STANDARD_INPUT:
        return Path(path).open("rb")
    if sys.stdin is None:
        raise OperationalError(f"{where}: there is no standard input", reason="file")
    return cast(io.BufferedIOBase, sys.stdin.buffer)


def _unpacked(stream: BinaryIO, path: str) -> BinaryIO:
    return cast(BinaryIO, _Unpacked(stream)) if path.lower().endswith(".gz") else stream


class _Unpacked(gzip.GzipFile):
    """Closes the packed file too."""

    def __init__(self, packed: BinaryIO) -> None:
        super().__init__(fileobj=packed, mode="rb")
        self._packed = packed

    def close(self) -> None:
        super().close()
        self._packed.close()
