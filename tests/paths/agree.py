"""One statement by every way, and by plain SQLite: the rows are the same, and little is asked for in vain."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import apsw

from sqlprovider.catalog.model import Resource
from sqlprovider.errors import Error
from sqlprovider.execute.feed import IN_FLIGHT
from sqlprovider.session import Paths
from sqlprovider.values import Row, SQLValue
from sqlprovider.vtab.rehearsal import WINDOW
from tests.oracle import Oracle, typed
from tests.paths.drawn import LabTable
from tests.paths.lab import objects
from tests.paths.open import ALONE, EVERY, NONE, Jittery, open_lab
from tests.statements import DataTable, Drawn

WAYS: Mapping[str, Paths] = {"none": NONE, "every": EVERY, **ALONE}
NAMES = ("things", "parts", "bits", "numbers", "ranked", "marks", "items", "picks")
_SORTS = {"ranked": ("rank", "score", "id")}
_GIVEN = {"items": ("id",), "picks": ("id",)}
_SHARED = {"things": ("id",), "ranked": ("id",), "items": ("id",), "picks": ("id",), "numbers": ("thing",)}
_COMPOUND = (" UNION ", " INTERSECT ", " EXCEPT ")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a way made of a statement. `pages` are those that were wanted, `asked` the requests."""

    rows: list[Row]
    error: Error | None
    pages: int
    asked: list[str]


class Disagreement(AssertionError):
    """Two ways, or a way and SQLite, differ; the message is all that is needed to see it again."""


class Way:
    """A session with some of the ways open."""

    def __init__(self, folder: Path, paths: Paths, seed: int) -> None:
        self.transport = Jittery(seed)
        self.session = open_lab(folder, paths, transport=self.transport)

    def ask(self, drawn: Drawn) -> Ran:
        """Runs a statement."""
        before = len(self.transport.lines)
        rows: list[Row] = []
        error, pages = None, 0
        try:
            (result,) = self.session.run(drawn.sql, drawn.params)
            rows = list(result.rows)
            pages = 0 if result.calls is None else result.calls.pages_used.total()
        except Error as failed:
            error = failed
        return Ran(rows, error, pages, self.transport.lines[before:])


class Ways:
    """All of them and the oracle, for many statements."""

    def __init__(self, folder: Path, seed: int = 0) -> None:
        self.tally: Counter[str] = Counter()
        """Statements and refusals, and by way the requests and the pages that were wanted."""
        self._ways = {name: Way(folder, paths, seed) for name, paths in WAYS.items()}
        catalog = self._ways["none"].session.catalog
        self._oracle = Oracle(catalog, objects)
        self._resources = [catalog.resource("p", "s", name) for name in NAMES]

    def close(self) -> None:
        for way in self._ways.values():
            way.session.close()
        self._oracle.connection.close()

    def lab_tables(self) -> dict[str, LabTable]:
        """The tables for statements that have ways round."""
        return {resource.name.resource: self._lab_table(resource) for resource in self._resources}

    def data_tables(self) -> list[DataTable]:
        """The same tables for statements of any kind."""
        from tests.agreement import data_table

        roots: dict[str, dict[str, tuple[str, ...]]] = {
            name: {"id": ("t1", "t3", "t4", "T1")} for name in ("items", "picks")
        }
        return [
            data_table(
                self._oracle,
                resource,
                _SHARED.get(resource.name.resource, resource.key[:2]),
                roots=roots.get(resource.name.resource),
            )
            for resource in self._resources
            if resource.key
        ]

    def _lab_table(self, resource: Resource) -> LabTable:
        name = resource.name.resource
        visible = [column for column in resource.columns if not column.hidden]
        rows = self._oracle.rows(self._oracle.sql_of(f"SELECT * FROM {resource.name}"))
        samples = {
            column.name: tuple(dict.fromkeys(row[place] for row in rows))
            for place, column in enumerate(visible)
        }
        kinds = {column.name: column.type.value for column in visible}
        return LabTable(
            str(resource.name), kinds, samples, resource.key, _SORTS.get(name, ()), _GIVEN.get(name, ())
        )

    def check(self, drawn: Drawn, names: Sequence[str] = tuple(WAYS)) -> None:
        """Runs a statement by those ways, the plain one first. Raises Disagreement."""
        sql = self._oracle.sql_of(drawn.sql)
        expected, refused = self._expected(sql, drawn.params)
        found = {name: self._ways[name].ask(drawn) for name in names}
        self.tally["statements"] += 1
        plain = found["none"]
        for name, ran in found.items():
            self.tally[f"{name}: requests"] += len(ran.asked)
            self.tally[f"{name}: pages"] += ran.pages
            problem = self._problem(drawn, ran, expected, refused, plain)
            if problem is not None:
                raise Disagreement(_told(drawn, sql, name, problem, ran, plain, expected))
        if plain.error is not None:
            self.tally["refused"] += 1
            self.tally[f"refused: {plain.error.reason or type(plain.error).__name__}"] += 1

    def _problem(
        self, drawn: Drawn, ran: Ran, expected: list[Row], refused: str | None, plain: Ran
    ) -> str | None:
        if ran.error is not None:
            if refused is not None or (plain.error is not None and type(ran.error) is type(plain.error)):
                return None if may_be_refused(ran.error) or refused is not None else f"{ran.error!r}"
            return f"fails, but not by the plain way: {type(ran.error).__name__}: {ran.error}"
        if refused is not None:
            return f"SQLite refuses: {refused}"
        return self._differ(drawn, ran.rows, expected) or too_many(drawn, ran, plain)

    def _expected(self, sql: str, params: Mapping[str, SQLValue]) -> tuple[list[Row], str | None]:
        try:
            return self._oracle.rows(sql, params), None
        except apsw.SQLError as error:
            return [], str(error)

    def _differ(self, drawn: Drawn, found: list[Row], expected: list[Row]) -> str | None:
        told = _valued if any(word in drawn.sql for word in _COMPOUND) else typed
        if drawn.exact:
            same = [told(row) for row in found] == [told(row) for row in expected]
            return None if same else "the rows or their order differ"
        if drawn.unlimited is not None:
            every = self._oracle.rows(self._oracle.sql_of(drawn.unlimited), drawn.params)
            surplus = Counter(map(told, found)) - Counter(map(told, every))
            if len(found) != len(expected):
                return f"{len(found)} rows instead of {len(expected)}"
            return f"rows that are none: {list(surplus)}" if surplus else None
        if Counter(map(told, found)) != Counter(map(told, expected)):
            return "the rows differ"
        order = [[_valued(row)[p] for p in drawn.ordered] for row in found]
        wanted = [[_valued(row)[p] for p in drawn.ordered] for row in expected]
        return None if order == wanted else "the order differs"


def too_many(drawn: Drawn, ran: Ran, plain: Ran) -> str | None:
    """Requests beyond those of the plain way that no look-ahead explains.

    No way may want a page that the plain one does not want. What was asked for in vain is guesses that nobody
    asked for (`WINDOW` at most), the operations that a scan begins before SQLite comes to it (`IN_FLIGHT` a
    table), and a page after the last one wanted, which numbered lists have `IN_FLIGHT` of.
    """
    if plain.error is None and ran.pages > plain.pages:
        return f"{ran.pages} pages are wanted, {plain.pages} by the plain way"
    allowed = WINDOW + IN_FLIGHT * (1 + drawn.sql.count("p.s."))
    wasted = len(ran.asked) - ran.pages
    return f"{wasted} requests in vain, {allowed} are allowed" if wasted > allowed else None


def may_be_refused(error: Error) -> bool:
    """Unbound, a time that would compare wrongly, or a key that no URL can hold."""
    from tests.agreement import _may_be_refused

    return _may_be_refused(error)


def _valued(row: Row) -> tuple[SQLValue, ...]:
    """A row in which 1 and 1.0 are one, for which of two equal values a compound keeps is open."""
    return row


def _told(
    drawn: Drawn,
    sql: str,
    name: str,
    problem: str,
    ran: Ran,
    plain: Ran,
    expected: Sequence[Row],
) -> str:
    def lines(rows: Iterable[object]) -> str:
        return os.linesep.join(f"  {row}" for row in rows) or "  none"

    return os.linesep.join(
        [
            f"by the way {name!r}: {problem}",
            f"{drawn!r}",
            f"on the oracle: {sql}",
            f"rows:\n{lines(ran.rows)}",
            f"by the plain way:\n{lines(plain.rows)}",
            f"plain SQLite:\n{lines(expected)}",
            f"asked for:\n{lines(ran.asked)}",
            f"by the plain way:\n{lines(plain.asked)}",
        ]
    )
