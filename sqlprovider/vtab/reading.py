"""What one SELECT reads: its open cursors, the rows it may ask for again, and what is asked for ahead."""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from sqlprovider.errors import Error
from sqlprovider.execute.executor import StatementCalls
from sqlprovider.execute.reader import ScanReader
from sqlprovider.plan.bind import Argument, check_times, hidden_by_view
from sqlprovider.plan.model import Refusal, Scan
from sqlprovider.plan.refusal import refusal_error
from sqlprovider.values import Slot
from sqlprovider.vtab.asked import Asked, Key, Template
from sqlprovider.vtab.crossing import crossing
from sqlprovider.vtab.kept import KeptRows, Rows
from sqlprovider.vtab.topreader import TopReader

if TYPE_CHECKING:
    from sqlprovider.catalog.model import Resource
    from sqlprovider.vtab.rehearsal import Rehearsal
    from sqlprovider.vtab.table import Cursor, Table

GLANCE = 16
"""Rows of a page that are looked at before the next page is fetched."""


class Reading:
    """One SELECT on its way.

    With `captured` what SQLite asks for is only noted there and has no rows; `fed` are the rows of the one
    scan that there is.
    """

    def __init__(
        self, calls: StatementCalls, *, captured: list[Asked] | None = None, fed: Rows | None = None
    ) -> None:
        self.calls = calls
        self.feeds = calls.feeds()
        self.rehearsal: Rehearsal | None = None
        """What runs ahead of it; None where nothing may."""
        self.turned = 0
        """Pages that the cursors in no loop have come to."""
        self.given = 0
        """Rows that its user has got."""
        self.unrelated = frozenset[str]()
        """The tables that nothing joins to others."""
        self._in_loops = frozenset[tuple[str, int]]()
        self._captured = captured
        self._fed = fed
        self._cursors: list[Cursor] = []
        self._kept: dict[Key, KeptRows] = {}
        self._groups: set[KeptRows] = set()
        """Those that are of several values."""
        self._wanted: dict[Key, Asked] = {}
        """What is to be read together with others."""
        self._templates: dict[tuple[str, int], Template] = {}

    @property
    def is_live(self) -> bool:
        """Whether what is asked for is read."""
        return self._captured is None and self._fed is None

    def expect(
        self, again: Collection[str], parents: Sequence[Resource], in_loops: frozenset[tuple[str, int]]
    ) -> None:
        """Says which resources are read more than once, which only to know whether a row is there, and which
        reads (table, plan) stand inside loops."""
        self.feeds = self.calls.feeds(again, parents)
        self._in_loops = in_loops

    @property
    def is_rehearsing(self) -> bool:
        """Whether it is being run ahead."""
        return self.rehearsal is not None and self.rehearsal.is_running

    def asked(self, table: Table, number: int, arguments: Sequence[Argument]) -> Asked:
        """What SQLite asks a table for. Raises what the plan was refused for."""
        plan = table.plan(number)
        if isinstance(plan, Refusal):
            raise refusal_error(plan)
        template = self._templates.get((table.name, number))
        if template is None:
            template = self._templates[table.name, number] = Template(table, number, plan)
        return template.asked(arguments)

    def found(self, cursor: Cursor, asked: Asked) -> Rows | None:
        """The rows that a probe finds where everything was read already; None where it was not."""
        if asked.probe is None or self.is_rehearsing or (kept := self._kept.get(asked.key)) is None:
            return None
        rows = kept.found(asked.probe)
        if rows is not None:
            self._cursors.append(cursor)
        return rows

    def pages(self, cursor: Cursor, asked: Asked) -> Generator[Rows]:
        """The pages of what a cursor is asked for; kept where the cursor is inside the loop of another."""
        if self._fed is not None:
            return self._given_rows(self._fed)
        if self._captured is not None:
            self._captured.append(asked)
            return self._none()
        if self.rehearsal is not None and self.is_rehearsing:
            return self.rehearsal.pages(asked)
        is_nested = cursor.was_asked or (asked.table.name, asked.number) in self._in_loops
        self._cursors.append(cursor)
        self.check(asked)
        if not is_nested and asked.key not in self._kept:
            reader = self.reader(asked)
            cursor.go_on = reader.go_on
            return self._once(reader)
        known = self._kept.get(asked.key)
        if known is not None and asked.table.name in self.unrelated and asked.probe is None:
            self._warn_crossing(asked, known)
        kept = known or self.keep(asked)
        if self.rehearsal is not None:
            self.rehearsal.asked(asked, is_new=known is None)
        return self._of_group(asked, kept) if kept in self._groups else kept.pages(asked.probe)

    @property
    def asked_for(self) -> int:
        """How many different scans were asked for inside loops."""
        return len(self._kept)

    def keep(self, asked: Asked) -> KeptRows:
        """Begins to read what may be asked for again."""
        kept = self._kept[asked.key] = KeptRows(self.reader(asked), self.feeds)
        kept.start()
        return kept

    def want(self, asked: Asked) -> None:
        """Has something read as `keep` does, by one call with what else is wanted where the API has one."""
        if asked.several is None:
            self.keep(asked)
        else:
            self._wanted[asked.key] = asked

    def keep_wanted(self) -> None:
        """Begins to read what is wanted."""
        groups: dict[Key, list[Asked]] = {}
        for asked in self._wanted.values():
            like = tuple((type(a), a) for place, a in enumerate(asked.arguments) if place != asked.several)
            groups.setdefault((asked.table.name, asked.number, like), []).append(asked)
        self._wanted.clear()
        for first, *others in groups.values():
            if others:
                self._keep_group([first, *others])
            else:
                self.keep(first)

    def _keep_group(self, group: Sequence[Asked]) -> None:
        first, place = group[0], group[0].several
        assert place is not None
        values = frozenset(value for asked in group if isinstance(value := asked.arguments[place], str))
        arguments = (*first.arguments[:place], values, *first.arguments[place + 1 :])
        kept = KeptRows(self.reader(replace(first, arguments=arguments)), self.feeds)
        kept.start()
        self._groups.add(kept)
        self._kept.update((asked.key, kept) for asked in group)

    def _of_group(self, asked: Asked, kept: KeptRows) -> Generator[Rows]:
        """The rows of one value of several. Should the call fail, another value may be to blame."""
        assert asked.probe is not None
        try:
            kept.read_all()
        except Error:
            yield from self.keep(asked).pages(asked.probe)
            return
        yield from kept.picked(asked.probe)

    def kept(self, asked: Asked) -> KeptRows | None:
        """What was read already, or is being read."""
        return self._kept.get(asked.key)

    def cursor(self, asked: Asked) -> Cursor | None:
        """The open cursor that reads just this."""
        for cursor in reversed(self._cursors):
            if cursor.asked is not None and cursor.asked.is_same(asked):
                return cursor
        return None

    def reader(self, asked: Asked) -> ScanReader | TopReader:
        """Reads a scan from its beginning."""
        if asked.scan.top is not None and isinstance(asked.scan.top.operand, Slot):
            said = asked.arguments[asked.scan.top.operand.position]
            if isinstance(said, str):
                return TopReader(asked.scan, said, partial(self.read, asked))
        return self.read(asked, asked.scan)

    def read(self, asked: Asked, scan: Scan) -> ScanReader:
        """Reads a scan like the one that is asked for, with its values."""
        return ScanReader(scan, asked.arguments, self.calls, self.feeds)

    def leave(self, cursor: Cursor, *, at_end: bool) -> None:
        """A cursor is closed or asked for something else: before its end if the statement's LIMIT says so."""
        if cursor not in self._cursors:
            return
        self._cursors.remove(cursor)
        if not at_end:
            self.calls.limited = True

    def close(self) -> None:
        """Drops everything that is under way."""
        for kept in self._kept.values():
            kept.close()
        self._kept.clear()
        self.feeds.close()

    def _given_rows(self, rows: Rows) -> Generator[Rows]:
        yield rows

    def _none(self) -> Generator[Rows]:
        yield from ()

    def _once(self, reader: ScanReader | TopReader) -> Generator[Rows]:
        try:
            for page in reader:
                reader.use()
                self.turned += 1
                yield page
        finally:
            reader.close()

    def _warn_crossing(self, asked: Asked, kept: KeptRows) -> None:
        """Warns once of a table that is read through again and again, with the sizes that are known."""
        outer = next((c.asked.table.name for c in self._cursors if c.asked is not None and not c.Eof()), "")
        if (warning := crossing(asked.table.name, kept.count, outer, kept.times)) is not None:
            self.unrelated -= {asked.table.name}
            self.calls.warn(warning)

    def check(self, asked: Asked) -> None:
        """Refuses what would compare wrongly, and warns of what is hidden."""
        check_times(asked.scan, asked.arguments)
        if (warning := hidden_by_view(asked.scan, asked.arguments)) is not None:
            self.calls.warn(warning)
