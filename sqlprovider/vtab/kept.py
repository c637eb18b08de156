"""Rows that a SELECT may ask for again: read once, a page at a time, and found by value in each page."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from sqlprovider.errors import Error
from sqlprovider.execute.feed import Feed, Feeds
from sqlprovider.execute.reader import ScanReader
from sqlprovider.values import Row, SQLValue


class Rows(Protocol):
    """Some rows of a page, each with its rowid."""

    @property
    def rows(self) -> Sequence[Row]:
        """The rows."""

    @property
    def rowids(self) -> Sequence[int]:
        """Their rowids."""


@dataclass(frozen=True, slots=True)
class Picked:
    """Some rows of a page, by place."""

    page: Rows
    places: Sequence[int]

    @property
    def rows(self) -> Sequence[Row]:
        """The rows."""
        return [self.page.rows[place] for place in self.places]

    @property
    def rowids(self) -> Sequence[int]:
        """Their rowids."""
        return [self.page.rowids[place] for place in self.places]


Probe = tuple[int, SQLValue]
"""A column's position and the value that a row must have there."""


class KeptRows:
    """The rows of one scan under given values, read as far as somebody wanted them."""

    def __init__(self, reader: ScanReader, feeds: Feeds) -> None:
        self._reader = reader
        self._feeds = feeds
        self._pages: list[tuple[int, Feed, int]] = []
        """Ticket, and where the page came from."""
        self._indexes: dict[tuple[int, int], dict[SQLValue, list[int]]] = {}
        """(page, column) → value → places."""
        self._error: Error | None = None
        self._is_over = False

    def start(self) -> None:
        """Asks for what can be asked for without waiting."""
        self._reader.start()

    def pages(self, probe: Probe | None = None) -> Generator[Rows]:
        """The pages, read on as they are wanted; with a probe only the rows that it finds."""
        place = 0
        while place < len(self._pages) or self._read():
            _, feed, number = self._pages[place]
            self._feeds.use(feed, number)
            self._reader.go_on()
            yield from self._found(place, probe)
            place += 1

    def at_hand(self, probe: Probe | None = None) -> Iterator[Rows]:
        """The pages that need not be waited for. What fails here is raised to who reads on."""
        while self._reader.is_ready and self._error is None and not self._is_over:
            try:
                self._read()
            except Error as error:
                self._error = error
        for place in range(len(self._pages)):
            yield from self._found(place, probe)

    def close(self) -> None:
        """Ends the reading."""
        self._reader.close()

    def _read(self) -> bool:
        """Reads one page on; False: there is none."""
        if self._error is not None:
            raise self._error
        if self._is_over or (page := next(self._reader, None)) is None:
            self._is_over = True
            return False
        feed, number, size = self._reader.origin
        self._pages.append((self._feeds.shelf.put(page, size), feed, number))
        return True

    def _found(self, place: int, probe: Probe | None) -> Iterator[Rows]:
        if probe is None:
            yield self._page(place)
            return
        column, value = probe
        index = self._indexes.get((place, column))
        if index is None:
            index = self._indexes[place, column] = {}
            for number, row in enumerate(self._page(place).rows):
                index.setdefault(row[column], []).append(number)
        if places := index.get(value):
            yield Picked(self._page(place), places)

    def _page(self, place: int) -> Rows:
        return cast(Rows, self._feeds.shelf.get(self._pages[place][0]))
