"""Streams as a test wants them: texts that claim to be terminals, pipes that are closed."""

from __future__ import annotations

import io


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class ClosedPipe(io.StringIO):
    """A stdout whose reader has gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


class FullDisk(io.StringIO):
    """A stdout that cannot take any more."""

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")
