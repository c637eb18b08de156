"""How far an apply has come, on a terminal."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self, TextIO

_REFRESH_SECONDS = 0.1
_DELAY_SECONDS = 1.0


class ApplyProgress:
    """Shows `12 of 60 done` while a block runs, after a second."""

    def __init__(self, stderr: TextIO, *, shown: bool) -> None:
        self._stderr = stderr
        self._text = "applying"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._show, name="sqlprovider-progress", daemon=True)
        self._shown = shown

    def note(self, done: int, total: int) -> None:
        """So many steps are done, of so many."""
        self._text = f"{done} of {total} done"

    def __enter__(self) -> Self:
        if self._shown:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._shown:
            self._thread.join()

    def _show(self) -> None:
        if self._over.wait(_DELAY_SECONDS):
            return
        from rich.console import Console  # noqa: PLC0415  only an apply that takes long pays for it

        with Console(file=self._stderr).status(self._text) as status:
            while not self._over.wait(_REFRESH_SECONDS):
                status.update(self._text)
