"""The bytes of a file, of a bounded size."""

from __future__ import annotations

from pathlib import Path

from sqlprovider.surfaces.deploy.model import Place
from sqlprovider.surfaces.deploy.problems import Problems

MAX_BYTES = 10_000_000


def read_bytes(path: Path, problems: Problems) -> bytes | None:
    """A file's (or a pipe's) bytes; None where they cannot be read or are too many: a problem says so."""
    place = Place(str(path), 1)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        problems.add(place, f"it cannot be read: {error.strerror}")
        return None
    if len(data) > MAX_BYTES:
        problems.add(place, f"it is larger than {MAX_BYTES} bytes")
        return None
    return data
