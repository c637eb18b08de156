"""What a terminal shows while a statement takes its time: requests done, rows so far."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from types import TracebackType

    from sqlprovider.values import Row

_REFRESH_SECONDS = 0.1


class Progress:
    """Counts while a statement runs; as a context manager shows the counts after `delay` seconds."""

    def __init__(self, stderr: TextIO, *, shown: bool, delay: float = 1.0) -> None:
        self.requests = 0
        self.rows = 0
        self._stderr = stderr
        self._delay = delay
        self._over = threading.Event()
        self._thread = (
            threading.Thread(target=self._show, name="sqlprovider-progress", daemon=True) if shown else None
        )

    def __enter__(self) -> Progress:
        if self._thread is not None:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Take the line away, for good."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def count(self, rows: Iterator[Row], *, stop_at_first: bool) -> Iterator[Row]:
        """The rows, counted. The line is gone before anything is printed beside it."""
        for row in rows:
            self.rows += 1
            if stop_at_first:
                self.stop()
            yield row
        self.stop()

    def _show(self) -> None:
        if self._over.wait(self._delay):
            return
        from rich.console import Console  # noqa: PLC0415  only a statement that takes long pays for it

        with Console(file=self._stderr).status(self._text()) as status:
            while not self._over.wait(_REFRESH_SECONDS):
                status.update(self._text())

    def _text(self) -> str:
        return f"{counted(self.requests, 'request')}, {counted(self.rows, 'row')}"


def counted(number: int, noun: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
