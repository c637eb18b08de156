"""A SELECT run ahead over the rows at hand, so that what it will ask for is asked for now.

The inner table of a dependent join needs a key from each outer row, and SQLite asks for one key at a time. So
the same text is run once more, over the rows that the open cursors hold: SQLite itself says which keys the
rows that pass its WHERE lead to, whatever the expression, the kind of join or the depth. What such a run asks
for and nobody has asked for yet is begun, and counts as having no rows. Its rows go nowhere, and nothing
depends on it: a wrong guess costs a request.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress

import apsw

from sqlprovider.errors import Error
from sqlprovider.execute.feed import IN_FLIGHT
from sqlprovider.vtab.asked import Asked, Key
from sqlprovider.vtab.kept import Rows
from sqlprovider.vtab.reading import Reading

WINDOW = 4 * IN_FLIGHT
"""Guesses at most that nobody has asked for yet."""
_KNOWN = 2 * WINDOW
"""Scans in a row that were begun already, beside as many as were asked for: where the outer table is one of
SQLite's own, a run begins at its first row."""
_FREE_SECONDS = 0.25
"""What the runs may take beside half of the statement's time: SQLite may have much to do before it asks."""
_FIRST = 4
"""Guesses at first where the statement may end soon."""
_ROWS = 20_000
"""Rows that one run may look at: it is to save time."""


class _Enough(Exception):
    """Ends a run."""


class Rehearsal:
    """Runs a SELECT ahead. `run` runs its text once; `limit`: it ends when its user has so many rows.

    `is_deep`: what arrives in an inner loop may lead to what is asked for in one further in.
    """

    def __init__(
        self, reading: Reading, run: Callable[[], None], *, limit: int | None, is_deep: bool
    ) -> None:
        self.is_running = False
        self._reading = reading
        self._run = run
        self._limit = limit
        self._is_deep = is_deep
        self._window = IN_FLIGHT if limit is None else _FIRST
        self._guesses: dict[str, set[Key]] = {}
        """Table → what was begun and not asked for yet."""
        self._is_over = False
        self._looked = 0
        self._known = 0
        self._began = time.monotonic()
        self._spent = 0.0
        """Seconds that the runs have taken."""
        self._idle_at: tuple[int, int] | None = None
        """What was there when a run found nothing to begin."""

    def asked(self, asked: Asked, *, is_new: bool) -> None:
        """SQLite has asked for something inside a loop: makes sure of what it will ask for next."""
        guesses = self._guesses.setdefault(asked.table.name, set())
        if asked.key in guesses:
            guesses.discard(asked.key)
            self._window = min(2 * self._window, WINDOW)
        elif is_new and guesses:
            # What was guessed instead may never be asked for.
            guesses.clear()
            self._window = max(_FIRST, self._window // 2)
        if self._is_over or 2 * len(guesses) > self._room or self._there == self._idle_at:
            return
        if self._spent <= _FREE_SECONDS + (time.monotonic() - self._began) / 2:
            self._rehearse()

    def pages(self, asked: Asked) -> Generator[Rows]:
        """What a run is given for a scan: what is at hand."""
        self._known += 1
        if self._known > _KNOWN + self._reading.asked_for:
            raise _Enough
        if (cursor := self._reading.cursor(asked)) is not None:
            return self._counted(cursor.at_hand())
        if (kept := self._reading.kept(asked)) is not None:
            return self._counted(kept.at_hand(asked.probe))
        guesses = self._guesses.setdefault(asked.table.name, set())
        if len(guesses) >= self._room or self._count >= self._reading.calls.to_spare:
            raise _Enough
        guesses.add(asked.key)
        self._known = 0
        self._reading.want(asked)
        return self._counted(iter(()))

    @property
    def _room(self) -> int:
        if self._limit is None:
            return self._window
        return min(self._window, self._limit - self._reading.given)

    @property
    def _there(self) -> tuple[int, int]:
        """Changes as there is more for a run to look at."""
        return self._reading.turned, self._reading.feeds.arrived if self._is_deep else 0

    def _rehearse(self) -> None:
        there, before = self._there, self._count
        self.is_running, self._looked, self._known = True, 0, 0
        started = time.monotonic()
        try:
            with suppress(_Enough):
                self._run()
            self._reading.keep_wanted()
        except (Error, apsw.Error):
            # Whatever it is, it will be met again where it counts.
            self._is_over = True
        finally:
            self.is_running = False
            self._spent += time.monotonic() - started
        if self._count == before:
            self._idle_at = there

    @property
    def _count(self) -> int:
        return sum(map(len, self._guesses.values()))

    def _counted(self, pages: Iterator[Rows]) -> Generator[Rows]:
        for page in pages:
            self._looked += len(page.rows)
            if self._looked > _ROWS:
                raise _Enough
            yield page
