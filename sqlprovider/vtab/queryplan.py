"""What SQLite's EXPLAIN QUERY PLAN says of a text, as far as it concerns resources."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlprovider.catalog.model import Resource
from sqlprovider.plan.model import Refusal, Scan
from sqlprovider.sql.statement import NOTHING

_SET = re.compile(r"(?:CORRELATED )?LIST SUBQUERY")
_READ = re.compile(r"(?:SCAN|SEARCH) (?P<alias>.+?) VIRTUAL TABLE INDEX (?P<number>\d+):(?P<table>\S+) ")


@dataclass(frozen=True, slots=True)
class Read:
    """A table that SQLite will read, and by which plan."""

    alias: str
    table: str
    number: int


@dataclass(frozen=True, slots=True)
class Step:
    """One line: its number, the number of the one it is part of, and what is done."""

    number: int
    parent: int
    text: str

    @property
    def is_loop(self) -> bool:
        """Whether it reads a table, a subquery or a list of values."""
        return self.text.startswith(("SCAN ", "SEARCH "))

    @property
    def read(self) -> Read | None:
        """The virtual table that it reads."""
        match = _READ.match(self.text)
        return None if match is None else Read(match["alias"], match["table"], int(match["number"]))


@dataclass(frozen=True, slots=True)
class PlannedScan:
    """One table of a prepared statement, in join order: the alias and the plan SQLite chose."""

    alias: str
    plan: Scan | Refusal


def loops(steps: Sequence[Step]) -> int:
    """How many tables are read, SQLite's own among them."""
    return sum(step.is_loop for step in steps)


def in_loops(steps: Sequence[Step]) -> frozenset[tuple[str, int]]:
    """The reads (table, plan) that are made for each row of another table, or of another query."""
    parents = {step.number: step for step in steps}
    outermost: set[int] = set()
    found: set[tuple[str, int]] = set()
    for step in steps:
        if not step.is_loop:
            continue
        above, is_correlated = parents.get(step.parent), False
        while above is not None:
            is_correlated = is_correlated or above.text.startswith("CORRELATED")
            above = parents.get(above.parent)
        if (is_correlated or step.parent in outermost) and step.read is not None:
            found.add((step.read.table, step.read.number))
        outermost.add(step.parent)
    return frozenset(found)


def may_have_empty_set(steps: Sequence[Step]) -> bool:
    """Whether the set of an IN comes from a query that may give no value.

    apsw 3.54 crashes on an empty set, before Filter is called: such statements get values one by one.
    """
    parents = {step.number: step.parent for step in steps}
    filled = {step.number for step in steps if step.text.startswith(f"SCAN {NOTHING} ")}
    while wider := {parents[number] for number in filled if number in parents} - filled:
        filled |= wider
    return any(_SET.match(step.text) and step.number not in filled for step in steps)


def read_again(scans: Sequence[PlannedScan]) -> frozenset[str]:
    """The resources that more than one scan reads, walks included."""
    counted = Counter(name for scan in scans for name in _resources(scan.plan))
    return frozenset(name for name, count in counted.items() if count > 1)


def asked_whether(scans: Sequence[PlannedScan]) -> tuple[Resource, ...]:
    """The resources whose rows are asked for beside another scan's, to know whether they exist."""
    if len(scans) < 2:
        return ()
    walks = (scan.plan.walk for scan in scans if isinstance(scan.plan, Scan))
    found = {walk.parent.resource.name: walk.parent.resource for walk in walks if walk is not None}
    return tuple(found.values())


def _resources(plan: Scan | Refusal) -> Iterator[str]:
    yield str(plan.resource.name)
    if isinstance(plan, Scan) and plan.walk is not None:
        yield from _resources(plan.walk.parent)
