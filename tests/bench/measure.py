"""Both sides of a work, run in turn; the seconds are the clock's, the requests the server's."""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from sqlprovider.errors import Error
from sqlprovider.values import Row
from tests.bench.goals import Answer, Figures, Goal, Side

Run = Callable[[], Answer]
_SETTLE = 0.005
"""Seconds for a request that was on its way when a statement ended early: it counts for that statement."""


@dataclass(frozen=True, slots=True)
class Sides:
    """A work that is ready to run. Without a peer, `accepts` says whether our rows are right."""

    ours: Run
    against: Run | None
    requests: Callable[[], int]
    """How many requests the server has had."""
    accepts: Callable[[Sequence[Row]], bool] | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """One line of the table."""

    id: int
    title: str
    against: str
    """What it is compared with; empty without a peer."""
    goals: tuple[Goal, ...]
    sides: Callable[[], AbstractContextManager[Sides]]
    latency: float = 0.02
    note: str = ""
    """What holds it back, shown as long as a goal is missed."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What became of a work. `problem`: why its answer is no answer, or not the peer's."""

    work: Work
    figures: Figures
    problem: str = ""

    @property
    def met(self) -> bool:
        return not self.problem and all(goal.is_met(self.figures) for goal in self.work.goals)


@dataclass(slots=True)
class _Runner:
    """One side on its way to its number of runs.

    A first run opens connections and reads documents: it is not counted if there is a second one. A side that
    has taken `most_seconds` is run no more, so that what waits for 400 answers in turn does so once.
    """

    run: Run
    requests: Callable[[], int]
    runs: int
    most_seconds: float
    all: Side = field(default_factory=Side)
    spent: float = 0.0

    @property
    def is_done(self) -> bool:
        return self.spent >= self.most_seconds or len(self.all.seconds) > self.runs

    def step(self) -> Sequence[Row]:
        """One run; its rows."""
        before = self.requests()
        # What the bench holds is not for the collector to look through while a side runs.
        gc.collect()
        gc.freeze()
        started = time.perf_counter()
        answer = self.run()
        elapsed = time.perf_counter() - started
        self.spent += elapsed
        self.all.seconds.append(elapsed if answer.seconds is None else answer.seconds)
        time.sleep(_SETTLE)
        self.all.requests.append(self.requests() - before)
        if answer.megabytes is not None:
            self.all.megabytes.append(answer.megabytes)
        return answer.rows

    @property
    def counted(self) -> Side:
        """Its runs without the first one."""
        return replace(self.all, seconds=self.all.seconds[1:] or self.all.seconds)


def measure(work: Work, *, runs: int, most_seconds: float) -> Measured:
    """The work's figures. An error of ours ends it and is its problem: the other works go on."""
    with work.sides() as sides:
        ours = _Runner(sides.ours, sides.requests, runs, most_seconds)
        peer = _Runner(sides.against, sides.requests, runs, most_seconds) if sides.against else None
        expected: Counter[Row] | None = None
        problem = ""
        while not problem and not (ours.is_done and (peer is None or peer.is_done)):
            if peer is not None and not peer.is_done:
                expected = Counter(peer.step())
            if not ours.is_done:
                try:
                    rows = ours.step()
                except Error as error:
                    problem = f"{type(error).__name__}: {error}"
                    break
                problem = _problem(rows, expected, sides)
    against = peer.counted if peer is not None else Side()
    return Measured(work, Figures(ours.counted, against, work.latency), problem)


def _problem(rows: Sequence[Row], expected: Counter[Row] | None, sides: Sides) -> str:
    if expected is not None and (found := Counter(rows)) != expected:
        more, fewer = (found - expected).total(), (expected - found).total()
        return f"other rows than the peer's: {more} more, {fewer} missing"
    if sides.accepts is not None and not sides.accepts(rows):
        return "the rows are not right"
    return ""
