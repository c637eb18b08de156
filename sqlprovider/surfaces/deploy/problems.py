"""What is wrong with the files: every problem is collected, and one error carries them all."""

from __future__ import annotations

from sqlprovider.errors import Error, ManifestError
from sqlprovider.surfaces.deploy.model import Place


def told(error: Error) -> str:
    """An error as a problem tells it: on one line, with its hint."""
    return error.message if error.hint is None else f"{error.message} ({error.hint})"


class Problems:
    """The problems found so far. Messages never hold a value that may be secret."""

    def __init__(self) -> None:
        self._found: list[tuple[Place | None, str]] = []
        self._files: dict[str, int] = {}

    def add(self, place: Place | None, message: str) -> None:
        """One problem; `place` is None where it is on the command line."""
        if place is not None:
            self._files.setdefault(place.file, len(self._files))
        self._found.append((place, message))

    def __len__(self) -> int:
        return len(self._found)

    def check(self) -> None:
        """Raises ManifestError, the problems in the order of the files and lines, if there are any."""
        if not self._found:
            return
        found = sorted(self._found, key=lambda problem: self._rank(problem[0]))
        lines = (message if place is None else f"{place}: {message}" for place, message in found)
        raise ManifestError(dict.fromkeys(lines))

    def _rank(self, place: Place | None) -> tuple[int, int]:
        return (-1, 0) if place is None else (self._files[place.file], place.line)
