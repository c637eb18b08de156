"""What a terminal shows while a statement takes its time: requests done, rows so far, what is waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from sqlprovider.surfaces.visible import visible

if TYPE_CHECKING:
    from types import TracebackType

    from sqlprovider.session import WaitProgress, WriteProgress
    from sqlprovider.values import Row

_REFRESH_SECONDS = 0.1


class Progress:
    """Counts while a statement runs; as a context manager shows the counts after `delay` seconds."""

    def __init__(
        self,
        stderr: TextIO,
        *,
        shown: bool,
        delay: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.requests = 0
        self.rows = 0
        self.held = 0.0
        """Seconds for which something else had the terminal."""
        self._write: WriteProgress | None = None
        self._waits: dict[str, float] = {}
        """Operation → when waiting for it began, the oldest first."""
        self._stderr = stderr
        self._shown = shown
        self._delay = delay
        self._monotonic = monotonic
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Progress:
        self._start()
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

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Leave the terminal to something else until the block ends."""
        began, was_over = self._monotonic(), self._over.is_set()
        self.stop()
        try:
            yield
        finally:
            self.held += self._monotonic() - began
            if not was_over:
                self._over.clear()
                self._start()

    def note(self, event: WriteProgress | WaitProgress) -> None:
        """Keep what a write or a wait has come to, from any thread."""
        from sqlprovider.session import WaitProgress, WriteProgress  # noqa: PLC0415  few statements have any

        match event:
            case WriteProgress():
                self._write = event
            case WaitProgress(operation=name, is_over=True):
                self._waits.pop(name, None)
            case WaitProgress(operation=name, seconds=seconds):
                self._waits.setdefault(name, self._monotonic() - seconds)

    def count(self, rows: Iterator[Row], *, stop_at_first: bool) -> Iterator[Row]:
        """The rows, counted. The line is gone before anything is printed beside it."""
        for row in rows:
            self.rows += 1
            if stop_at_first:
                self.stop()
            yield row
        self.stop()

    def text(self) -> str:
        """`3 requests, 12 of 50 rows sent, waiting 8 s for projects/p/operations/7 and 2 more`."""
        parts = [counted(self.requests, "request"), self._rows_text()]
        # A copy: other threads begin and end their waits meanwhile.
        waits = tuple(self._waits.copy().items())
        if waits:
            operation, began = waits[0]
            more = f" and {len(waits) - 1} more" if len(waits) > 1 else ""
            parts.append(f"waiting {self._monotonic() - began:.0f} s for {operation}{more}")
        return visible(", ".join(parts))

    def _rows_text(self) -> str:
        if (write := self._write) is None:
            return counted(self.rows, "row")
        if write.known is None:
            return f"{counted(write.sent, 'row')} sent"
        return f"{write.sent} of {counted(write.known, 'row')} sent"

    def _start(self) -> None:
        if self._shown:
            self._thread = threading.Thread(target=self._show, name="sqlprovider-progress", daemon=True)
            self._thread.start()

    def _show(self) -> None:
        if self._over.wait(self._delay):
            return
        from rich.console import Console  # noqa: PLC0415  only a statement that takes long pays for it
        from rich.text import Text  # noqa: PLC0415  rich, too

        def line() -> Text:
            # An operation's name is the backend's: no markup, and no line break.
            return Text(self.text().replace("\n", " "), no_wrap=True, overflow="ellipsis")

        with Console(file=self._stderr).status(line()) as status:
            while not self._over.wait(_REFRESH_SECONDS):
                status.update(line())


def counted(number: int, noun: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
