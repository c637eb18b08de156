"""The pages of operations, each operation asked once in a SELECT however often it is read.

`Feed` is one operation's pages, `Feeds` all those of one SELECT, `Pages` what one scan reads of them.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import cast

from sqlprovider.catalog.model import Resource
from sqlprovider.errors import Error
from sqlprovider.execute.failure import operation_context
from sqlprovider.execute.known import KnownRows
from sqlprovider.execute.listing import Fetched, Listing
from sqlprovider.execute.pool import Tasks
from sqlprovider.execute.response import Page
from sqlprovider.execute.shelf import Shelf
from sqlprovider.plan.model import Operation, Reads
from sqlprovider.values import JSON, Name

_Held = tuple[list[JSON], list[tuple[JSON, ...]] | None, dict[str, JSON]]
_Key = tuple[str, Reads | None]
IN_FLIGHT = 32
"""Operations that one scan has under way at once, and pages of one operation."""


class Feed:
    """The pages of one operation, taken in their order by one reader, or by several where they are kept."""

    def __init__(
        self, listing: Listing, tasks: Tasks, shelf: Shelf | None, *, done: Callable[[Tasks], None]
    ) -> None:
        self.operation = listing.operation
        self.is_eager = listing.is_eager
        self.used = 0
        """How many of its pages somebody wanted."""
        self.answered: Callable[[object], None] | None = None
        """Called after each exchange, in its thread."""
        self._listing = listing
        self._tasks = tasks
        self._shelf = shelf
        self._done = done
        self._asked: deque[Future[Page]] = deque()
        self._kept: list[tuple[Fetched, int]] = []
        self._taken = 0
        self._is_over = False

    @property
    def is_kept(self) -> bool:
        """Whether every page can be taken again."""
        return self._shelf is not None

    def start(self) -> None:
        """Has the next pages fetched, as many as are known to follow."""
        wanted = max(1, min(IN_FLIGHT, self._listing.upcoming)) if self.is_eager else 1
        while not self._is_over and len(self._asked) < wanted:
            fetch = partial(self._listing.fetcher(len(self._asked)), self._tasks.stop)
            self._asked.append(future := self._tasks.submit(fetch))
            if self.answered is not None:
                future.add_done_callback(self.answered)

    def is_ready(self, place: int) -> bool:
        """Whether a page is at hand."""
        return place < self._taken or (bool(self._asked) and self._asked[0].done())

    def take(self, place: int) -> Fetched:
        """The page at a place, once it is there. Raises what its exchange failed with."""
        if place < self._taken:
            return self._kept_page(place)
        self.start()
        with operation_context(self.operation):
            fetched = self._listing.advance(self._tasks.result(self._asked.popleft()))
        self._taken += 1
        self._is_over = not fetched.goes_on
        while self._asked and not self._listing.upcoming:
            self._asked.pop().cancel()
        if self._shelf is not None:
            self._keep(fetched, self._shelf)
        if self._is_over:
            self.close()
        return fetched

    def go_on(self) -> None:
        """Has the pages after the last one fetched, where that is done ahead."""
        if self.is_eager:
            self.start()

    def close(self) -> None:
        """Drops what is queued; nobody takes more of what is under way."""
        self._is_over = True
        self._tasks.drop()
        self._done(self._tasks)

    def _keep(self, fetched: Fetched, shelf: Shelf) -> None:
        page = fetched.page
        held = (page.items, page.parents, page.answer)
        # What is large lies on the shelf, by itself: the operation is the same on every page.
        husk = replace(fetched, page=replace(page, items=[], parents=None, answer={}))
        self._kept.append((husk, shelf.put(held, page.size)))

    def _kept_page(self, place: int) -> Fetched:
        assert self._shelf is not None
        husk, ticket = self._kept[place]
        items, parents, answer = cast(_Held, self._shelf.get(ticket))
        return replace(husk, page=replace(husk.page, items=items, parents=parents, answer=answer))


class Feeds:
    """The operations of one SELECT.

    `keeps`: the resources whose pages may be asked for again; `parents`: those whose rows are asked for only
    to know whether they exist.
    """

    def __init__(
        self,
        make: Callable[[Operation, Shelf | None], Feed | None],
        used: Callable[[Operation], None],
        *,
        keeps: Collection[str] = (),
        parents: Iterable[Resource] = (),
    ) -> None:
        self.shelf = Shelf()
        self.rows = KnownRows(parents)
        self.arrived = 0
        """Answers so far; roughly, for the threads of the pool count it."""
        self._make = make
        self._used = used
        self._keeps = keeps
        self._known: dict[_Key, Feed] = {}
        self._open: set[Feed] = set()

    def open(self, operation: Operation) -> Feed | None:
        """The feed of an operation; None for one that is not to be sent."""
        is_kept = self.keeps(operation.resource)
        operation = self._shared(operation)
        key = _key(operation)
        feed = self._known.get(key) if is_kept else self._known.pop(key, None)
        if feed is None:
            feed = self._make(operation, self.shelf if is_kept else None)
            if feed is None:
                return None
            self._open.add(feed)
            feed.answered = self._count
            feed.start()
            if is_kept:
                self._known[key] = feed
        return feed

    def ask(self, operation: Operation) -> None:
        """Has an operation begun for whoever opens it later."""
        key = _key(self._shared(operation))
        if key not in self._known and (feed := self.open(operation)) is not None:
            self._known[key] = feed

    def _shared(self, operation: Operation) -> Operation:
        """Who reads a resource for the second time may want other fields of it: all of them come at once."""
        is_kept = self.keeps(operation.resource)
        if operation.reads is not None and (is_kept or self.rows.are_asked):
            operation = replace(operation, reads=None)
        return replace(operation, fields=None) if is_kept and operation.fields is not None else operation

    def keeps(self, resource: Name) -> bool:
        """Whether a resource is read more than once."""
        return str(resource) in self._keeps

    def use(self, feed: Feed, place: int) -> None:
        """Counts a page as wanted, once."""
        if place >= feed.used:
            feed.used = place + 1
            self._used(feed.operation)

    def leave(self, feed: Feed) -> None:
        """A reader wants no more of a feed."""
        if not feed.is_kept:
            feed.close()
            self._open.discard(feed)

    def _count(self, _: object) -> None:
        self.arrived += 1

    def close(self) -> None:
        """Drops everything."""
        for feed in self._open:
            feed.close()
        self._open.clear()
        self._known.clear()
        self.shelf.close()


class Pages:
    """The pages of operations, in the operations' order; up to `IN_FLIGHT` operations are under way.

    `operations` is pulled from as room is made, and may have more after it had none.
    """

    def __init__(self, feeds: Feeds, operations: Iterable[Operation]) -> None:
        self._feeds = feeds
        self._source = iter(operations)
        self._window: deque[tuple[Feed, Operation]] = deque()
        self._place = 0
        self._room = 1
        self._error: Error | None = None

    def __iter__(self) -> Iterator[tuple[Page, Feed, int]]:
        return self

    def start(self) -> None:
        """Begins operations while there is room for them.

        A statement that wants few rows has most often got them from the first operations: it starts with one
        and doubles.
        """
        while len(self._window) < self._most:
            if (operation := next(self._source, None)) is None:
                break
            if (feed := self._feeds.open(operation)) is not None:
                self._window.append((feed, operation))

    @property
    def _most(self) -> int:
        return IN_FLIGHT if not self._window or self._window[0][0].is_eager else self._room

    @property
    def is_ready(self) -> bool:
        """Whether the next page is at hand."""
        return bool(self._window) and self._window[0][0].is_ready(self._place)

    def __next__(self) -> tuple[Page, Feed, int]:
        """The next page, and its place in its feed."""
        if self._error is not None:
            raise self._error
        self.start()
        if not self._window:
            raise StopIteration
        (feed, operation), place = self._window[0], self._place
        fetched = feed.take(place)
        self._place += 1
        if not fetched.goes_on:
            self._window.popleft()
            self._feeds.leave(feed)
            self._place = 0
            self._room = min(2 * self._room, IN_FLIGHT)
        page = fetched.page
        if page.operation is not operation:
            page = replace(page, operation=operation)
        if fetched.error is not None:
            fetched.error.context = fetched.error.context or operation.name
            self._error = fetched.error
        return page, feed, place

    @property
    def is_over(self) -> bool:
        """Whether the operations begun so far are read to their ends, and there was room for more."""
        return not self._window and self._error is None

    def go_on(self) -> None:
        """Has fetched what comes after the page that was taken last."""
        if self._window:
            self._window[0][0].go_on()

    def close(self) -> None:
        """Leaves what it reads."""
        for feed, _ in self._window:
            self._feeds.leave(feed)
        self._window.clear()
        self._source = iter(())


def _key(operation: Operation) -> _Key:
    """What is the same for operations that are one and the same request, and of which the same is read."""
    said = (str(operation.resource), operation.method.name, operation.arguments, operation.page_size)
    return json.dumps([*said, operation.body, operation.fields]), operation.reads
