"""The first rows by a key inside a loop: one small page a time where that proves enough, else everything."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from sqlprovider.execute.feed import Feed
from sqlprovider.execute.reader import ScanReader
from sqlprovider.execute.rows import PageRows
from sqlprovider.plan.model import PushedOrder, Scan
from sqlprovider.vtab.top import in_order, ordered_scan


class TopReader:
    """Reads as `ScanReader` does; what it gives are the rows that can be the first ones, or all of them.

    `said` is what the push-down word says: direction, rows wanted, and how many conditions there are.
    """

    def __init__(self, scan: Scan, said: str, read: Callable[[Scan], ScanReader]) -> None:
        assert scan.top is not None
        direction, rows, conditions = json.loads(said)[2]
        self._order = PushedOrder(scan.top.column, direction, scan.top.key)
        self._scan = scan
        self._read = read
        self._wanted = int(rows)
        ordered = ordered_scan(scan, self._order, self._wanted) if rows else None
        # A condition that SQLite did not tell the table of might drop a row.
        self._ordered = ordered if conditions == len(scan.bindings) else None
        self._reader = read(self._ordered or scan)
        self._is_first = self._ordered is not None
        self._is_over = False

    def start(self) -> None:
        """Asks for what can be asked for without waiting for an answer."""
        self._reader.start()

    @property
    def is_ready(self) -> bool:
        """Whether the next page is at hand."""
        return not self._is_over and self._reader.is_ready

    def __iter__(self) -> Iterator[PageRows]:
        return self

    def __next__(self) -> PageRows:
        if self._is_over:
            raise StopIteration
        page = next(self._reader)
        if not self._is_first or self._ordered is None:
            return page
        self._is_first = False
        if self._reader.is_last:
            self._is_over = True
            return page
        kept = in_order(page, self._ordered, self._order)
        if kept is not None and len(kept) >= self._wanted:
            self._is_over = True
            return kept
        self._reader.close()
        self._reader = self._read(self._scan)
        return next(self._reader)

    @property
    def origin(self) -> tuple[Feed, int, int]:
        """Where the page that was taken last came from."""
        return self._reader.origin

    def go_on(self) -> None:
        """Has the next page fetched."""
        if not self._is_over:
            self._reader.go_on()

    def use(self) -> None:
        """Counts the page that was taken last as wanted."""
        self._reader.use()

    def close(self) -> None:
        """Ends the reading."""
        self._reader.close()
