"""Values that may be asked for again: in memory up to a bound, beyond it in a file that nobody else sees."""

from __future__ import annotations

import pickle
import tempfile
from collections import OrderedDict
from typing import IO

KEPT_BYTES = 8 * 2**20
"""How much of what the APIs answered is held in memory; decoded it takes several times as much."""


class Shelf:
    """Takes a value for a ticket, and gives it back as often as it is asked for."""

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self._limit = limit
        self._held: OrderedDict[int, tuple[object, int]] = OrderedDict()
        self._size = 0
        self._places: dict[int, tuple[int, int]] = {}
        self._file: IO[bytes] | None = None
        self._next = 0

    def put(self, value: object, size: int) -> int:
        """Keeps a value of about so many bytes; its ticket."""
        ticket, self._next = self._next, self._next + 1
        self._held[ticket] = (value, size)
        self._size += size
        while self._size > self._limit and len(self._held) > 1:
            self._spill()
        return ticket

    def get(self, ticket: int) -> object:
        """The value of a ticket."""
        if ticket in self._held:
            self._held.move_to_end(ticket)
            return self._held[ticket][0]
        assert self._file is not None
        offset, length = self._places[ticket]
        self._file.seek(offset)
        # Only this process could write to the file: it has no name.
        return pickle.loads(self._file.read(length))

    def close(self) -> None:
        """Forgets everything."""
        self._held.clear()
        self._places.clear()
        if self._file is not None:
            self._file.close()

    def _spill(self) -> None:
        """Moves the value that was not asked for the longest to the file."""
        ticket, (value, size) = self._held.popitem(last=False)
        self._size -= size
        if ticket in self._places:
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115  closed with the shelf
        offset = self._file.seek(0, 2)
        self._places[ticket] = (offset, self._file.write(pickle.dumps(value, pickle.HIGHEST_PROTOCOL)))
