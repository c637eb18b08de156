"""Module, Table, Cursor: a few lines each between SQLite and plan/ and execute/.

BestIndex asks `plan_scan` and keeps the Scan under a number; Filter hands it to the statement's `Reading`.
The cursor's methods are C callables bound in Filter, so that Python runs once a page and not once a cell.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice, repeat
from operator import length_hint, not_
from typing import Protocol

import apsw

from sqlprovider.catalog.model import Parent, Resource, Verb
from sqlprovider.plan.bind import Argument
from sqlprovider.plan.model import Refusal, Scan
from sqlprovider.plan.scan import Estimate, Wish, estimate, plan_scan
from sqlprovider.values import Predicate, Row, SQLValue
from sqlprovider.vtab.asked import Asked
from sqlprovider.vtab.constraints import PUSH_FUNCTION, answer, offered
from sqlprovider.vtab.database import quote
from sqlprovider.vtab.kept import Picked, Rows
from sqlprovider.vtab.reading import GLANCE, Reading

PUSH_WORD = "sqlprovider_push"
PACK_WORD = "sqlprovider_pack"

_UNBOUND = Estimate(requests=1e12, rows=1e6)
_PLANS_KEPT = 256
_REQUEST = 10_000.0
"""A request in SQLite's cost units, which are about a row each."""


class Source(Protocol):
    """What a table needs of the engine around it."""

    @property
    def reading(self) -> Reading:
        """The SELECT that is running."""

    refusal: Refusal | None
    """The last plan that was turned down, for `no query solution`."""
    takes_sets: bool
    """Whether Filter may be given the whole set of an IN."""

    @property
    def in_transaction(self) -> bool:
        """Whether BEGIN or SAVEPOINT is open."""

    def parent(self, resource: Resource, parent: Parent) -> Resource:
        """The parent's resource."""

    def defaults(self, resource: Resource) -> Mapping[str, str]:
        """The connection's defaults."""


def table_name(resource: Resource, verb: Verb) -> str:
    """Its name in SQLite. UPDATE and DELETE find their rows in a table of its own, which is never walked."""
    return str(resource.name) if verb is Verb.SELECT else f"{resource.name}:{verb.value}"


def schema(resource: Resource) -> str:
    """The CREATE TABLE that SQLite reads the columns from."""
    columns = [
        f"{quote(column.name)} {column.type.declared}{' HIDDEN' if column.hidden else ''}"
        for column in resource.columns
    ]
    return f"CREATE TABLE x({', '.join(columns)})"


class Module:
    """One resource as a module; eponymous, so that its name is its table."""

    is_writable = False

    def __init__(self, resource: Resource, source: Source, *, verb: Verb = Verb.SELECT) -> None:
        self.table = Table(resource, source, verb=verb)

    def Connect(self, connection: apsw.Connection, *args: str) -> tuple[str, Table]:
        return schema(self.table.resource), self.table

    Create = Connect


class Table:
    """The plans SQLite was offered for one resource, by number."""

    def __init__(self, resource: Resource, source: Source, *, verb: Verb) -> None:
        self.resource = resource
        self.name = table_name(resource, verb)
        self.plans: list[Scan | Refusal] = []
        self._numbers: dict[Scan, int] = {}
        self._planned: dict[tuple[tuple[Predicate, ...], Wish], Scan | Refusal] = {}
        self._source = source
        self._verb = verb

    def BestIndexObject(self, info: apsw.IndexInfo) -> bool:
        sets = self._source.takes_sets
        offer = offered(info, self.resource, verb=self._verb, sets=sets)
        plan = self._plan(offer.predicates, offer.wish)
        if isinstance(plan, Refusal):
            return self._refuse(info, plan)
        plan = answer(info, plan, sets=sets)
        if plan not in self._numbers:
            self._numbers[plan] = len(self.plans)
            self.plans.append(plan)
        _set_plan(info, self._numbers[plan], f"{self.name} {plan.key}", estimate(plan))
        return True

    def _plan(self, predicates: tuple[Predicate, ...], wish: Wish) -> Scan | Refusal:
        # SQLite asks the same again for each join order, and a statement is prepared more than once.
        asked = (predicates, wish)
        if asked not in self._planned:
            if len(self._planned) >= _PLANS_KEPT:
                self._planned.clear()
            self._planned[asked] = self._new_plan(predicates, wish)
        return self._planned[asked]

    def _new_plan(self, predicates: tuple[Predicate, ...], wish: Wish) -> Scan | Refusal:
        return plan_scan(
            self.resource,
            predicates,
            find=partial(self._source.parent, self.resource),
            defaults=self._source.defaults(self.resource),
            wish=wish,
        )

    def _refuse(self, info: apsw.IndexInfo, refusal: Refusal) -> bool:
        """Turned down only if another join order may give what is missing; else Filter says what is."""
        hoped = tuple(replace(predicate, usable=True) for predicate in refusal.offered)
        if hoped != refusal.offered and isinstance(self._plan(hoped, Wish(verb=self._verb)), Scan):
            self._source.refusal = refusal
            return False
        self.plans.append(refusal)
        _set_plan(info, len(self.plans) - 1, f"{self.name} refused", _UNBOUND)
        return True

    def FindFunction(self, name: str, arguments: int) -> tuple[int, Callable[..., SQLValue]] | None:
        return (PUSH_FUNCTION, push_word) if name == PUSH_WORD and arguments == 2 else None

    def Open(self) -> Cursor:
        return Cursor(self)

    @property
    def reading(self) -> Reading:
        """The SELECT that is running."""
        return self._source.reading

    def plan(self, number: int) -> Scan | Refusal:
        """The plan that SQLite chose."""
        return self.plans[number]

    def watched(self, pages: Generator[Rows]) -> Generator[Rows]:
        """The pages that a cursor reads, as they pass."""
        return pages

    def Disconnect(self) -> None:
        pass

    Destroy = Disconnect


class Cursor:
    """Zero frames a cell: `Next` overwrites one list with the next row, an empty one is the end."""

    __slots__ = (
        "Column",
        "Eof",
        "Next",
        "_current",
        "_page",
        "_pages",
        "_reading",
        "_rest",
        "_table",
        "asked",
        "go_on",
        "was_asked",
    )

    Column: Callable[[int], SQLValue]
    Eof: Callable[[], bool]
    Next: Callable[[], None]

    def __init__(self, table: Table) -> None:
        self._table = table
        self._reading: Reading | None = None
        self._pages: Generator[Rows] | None = None
        self.asked: Asked | None = None
        """What is read."""
        self.was_asked = False
        """Whether something was read before: it is inside a loop, perhaps over a table of SQLite's own."""
        self.go_on: Callable[[], None] = _nothing
        """Has the next page fetched."""

    def Filter(self, number: int, text: str, arguments: Sequence[Argument | set[SQLValue]]) -> None:
        self.Close()
        self.was_asked = self.asked is not None
        reading = self._table.reading
        held = [frozenset(a) if isinstance(a, set) else a for a in arguments]
        asked = reading.asked(self._table, number, held)
        self._current: list[SQLValue] = []
        self.Column = self._current.__getitem__
        self.Eof = partial(not_, self._current)
        self._page: Rows | None = None
        self._rest: Iterator[Row] = iter(())
        self.go_on = _nothing
        self._reading, self.asked = reading, asked
        if (found := reading.found(self, asked)) is not None:
            self._page, self._rest, self._pages = found, iter(found.rows), None
            self.Next = bound_rows(self._current, self._rest)
        else:
            self._pages = self._table.watched(reading.pages(self, asked))
            self.Next = bound_rows(self._current, chain.from_iterable(self._iterators(self._pages)))
        self.Next()

    def Rowid(self) -> int:
        assert self._page is not None
        return self._page.rowids[len(self._page.rows) - length_hint(self._rest) - 1]

    def at_hand(self) -> Iterator[Rows]:
        """The row it stands at, and those after it that need not be waited for."""
        if self._page is not None:
            here = len(self._page.rows) - length_hint(self._rest) - bool(self._current)
            yield Picked(self._page, range(max(here, 0), len(self._page.rows)))

    def Close(self) -> None:
        """Stops the fetching. A cursor that is not at its end was stopped by the statement's own LIMIT."""
        if self._reading is not None:
            self._reading.leave(self, at_end=self.Eof())
            self._reading = None
            if self._pages is not None:
                self._pages.close()

    def _iterators(self, pages: Iterator[Rows]) -> Iterator[Iterator[Row]]:
        for page in pages:
            self._page, self._rest = page, iter(page.rows)
            # Many a statement stops at once: only who reads on needs the next page.
            yield islice(self._rest, GLANCE)
            self.go_on()
            yield self._rest


class RowsCursor(Protocol):
    """The four callables SQLite steps a cursor by."""

    Column: Callable[[int], SQLValue]
    Eof: Callable[[], bool]
    Next: Callable[[], None]
    Rowid: Callable[[], int]


def bind_rows(cursor: RowsCursor, rows: Iterable[Row]) -> None:
    """Binds a cursor's callables to rows whose last cell is the rowid, and steps to the first."""
    current: list[SQLValue] = []
    cursor.Column = current.__getitem__
    cursor.Rowid = partial(current.__getitem__, -1)  # type: ignore[assignment]  # the last cell is an int
    cursor.Eof = partial(not_, current)
    cursor.Next = bound_rows(current, rows)
    cursor.Next()


def bound_rows(current: list[SQLValue], rows: Iterable[Row]) -> Callable[[], None]:
    """What puts the next row into `current`; after the last one nothing."""
    return map(current.__setitem__, repeat(slice(None)), chain(rows, ((),))).__next__


def push_word(*said: object) -> int:
    """`sqlprovider_push(c.metrics, '["val_acc", ">", 0.9]')`: true; the table may read what was said."""
    return 1


def pack_word(*said: object) -> str | None:
    """`sqlprovider_pack('val_acc', '>', ?1)`: what the push-down word says of a value only known later."""
    value = said[2]
    if isinstance(value, bytes) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return json.dumps(said)


def _nothing() -> None:
    pass


def _set_plan(info: apsw.IndexInfo, number: int, text: str, cost: Estimate) -> None:
    info.idxNum, info.idxStr = number, text
    info.estimatedCost = cost.requests * _REQUEST + cost.rows
    info.estimatedRows = int(cost.rows)
