"""Rows that a SELECT may ask for again: read once, a page at a time, and found by value in each page."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Protocol, cast

from sqlprovider.errors import Error
from sqlprovider.execute.feed import Feed, Feeds
from sqlprovider.execute.reader import ScanReader
from sqlprovider.values import Row, SQLValue
from sqlprovider.vtab.topreader import TopReader


class Rows(Protocol):
    """Some rows of a page, each with its rowid."""

    @property
    def rows(self) -> Sequence[Row]:
        """The rows."""

    @property
    def rowids(self) -> Sequence[int]:
        """Their rowids."""


class Picked:
    """Some rows of a page, by place."""

    __slots__ = ("_page", "_places", "rows")

    def __init__(self, page: Rows, places: Sequence[int]) -> None:
        self._page = page
        self._places = places
        rows = page.rows
        self.rows: Sequence[Row] = [rows[place] for place in places]
        """The rows."""

    @property
    def rowids(self) -> Sequence[int]:
        """Their rowids."""
        return [self._page.rowids[place] for place in self._places]


class Scattered:
    """Rows of several pages: (page, place)."""

    __slots__ = ("_found", "rows")

    def __init__(self, found: Sequence[tuple[Rows, int]]) -> None:
        self._found = found
        self.rows: Sequence[Row] = [page.rows[place] for page, place in found]
        """The rows."""

    @property
    def rowids(self) -> Sequence[int]:
        """Their rowids."""
        return [page.rowids[place] for page, place in self._found]


Probe = tuple[int, SQLValue]
"""A column's position and the value that a row must have there."""


class KeptRows:
    """The rows of one scan under given values, read as far as somebody wanted them."""

    def __init__(self, reader: ScanReader | TopReader, feeds: Feeds) -> None:
        self._reader = reader
        self._feeds = feeds
        self._pages: list[tuple[int, Feed, int]] = []
        """Ticket, and where the page came from."""
        self.times = 0
        """How often its rows were asked for."""
        self._used = 0
        """How many of the pages somebody wanted."""
        self._indexes: dict[int, dict[SQLValue, list[tuple[int, int]]]] = {}
        """Column → value → the rows that have it there: (page, place)."""
        self._error: Error | None = None
        self._is_over = False

    @property
    def count(self) -> int:
        """How many rows were read."""
        return sum(len(self._page(place).rows) for place in range(len(self._pages)))

    def start(self) -> None:
        """Asks for what can be asked for without waiting."""
        self._reader.start()

    def pages(self, probe: Probe | None = None) -> Generator[Rows]:
        """The pages, read on as they are wanted; with a probe only the rows that it finds."""
        place = 0
        self.times += 1
        if probe is not None and self._used and self._used == len(self._pages):
            place = self._used
            yield from (rows for _, rows in self._found(probe))
        while place < len(self._pages) or self._read():
            self._use(place)
            page = self._page(place)
            yield page
            place += 1

    def read_all(self) -> None:
        """Reads on to the end. What fails fails again."""
        try:
            while self._read():
                self._reader.go_on()
        except Error as error:
            self._error = error
            raise

    def picked(self, probe: Probe) -> Iterator[Rows]:
        """The rows that a probe finds, once everything was read. It wants no page that has none."""
        for place, rows in self._found(probe):
            self._use(place)
            yield rows

    def found(self, probe: Probe) -> Rows | None:
        """The rows that a probe finds; None where not everything was read and wanted yet."""
        if not self._is_over or self._used < len(self._pages):
            return None
        column, value = probe
        places = self._index(column).get(value, ())
        return Scattered([(self._page(place), number) for place, number in places])

    def at_hand(self, probe: Probe | None = None) -> Iterator[Rows]:
        """The pages that need not be waited for. What fails here is raised to who reads on."""
        while self._reader.is_ready and self._error is None and not self._is_over:
            try:
                self._read()
            except Error as error:
                self._error = error
        if probe is not None:
            yield from (rows for _, rows in self._found(probe))
            return
        for place in range(len(self._pages)):
            yield self._page(place)

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
        for column, index in self._indexes.items():
            _add(index, page, column, len(self._pages) - 1)
        return True

    def _use(self, place: int) -> None:
        if place >= self._used:
            self._used = place + 1
            _, feed, number = self._pages[place]
            self._feeds.use(feed, number)
            self._reader.go_on()

    def _found(self, probe: Probe) -> Iterator[tuple[int, Rows]]:
        """The rows of the pages so far that a probe finds, and the place of their page."""
        column, value = probe
        # A copy: pages that are read while these rows are looked at are given as pages.
        places = tuple(self._index(column).get(value, ()))
        for place, found in groupby(places, itemgetter(0)):
            yield place, Picked(self._page(place), [number for _, number in found])

    def _index(self, column: int) -> dict[SQLValue, list[tuple[int, int]]]:
        index = self._indexes.get(column)
        if index is None:
            index = self._indexes[column] = {}
            for place in range(len(self._pages)):
                _add(index, self._page(place), column, place)
        return index

    def _page(self, place: int) -> Rows:
        return cast(Rows, self._feeds.shelf.get(self._pages[place][0]))


def _add(index: dict[SQLValue, list[tuple[int, int]]], page: Rows, column: int, place: int) -> None:
    for number, row in enumerate(page.rows):
        index.setdefault(row[column], []).append((place, number))
