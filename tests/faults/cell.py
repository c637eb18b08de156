"""One cell: a scenario is set up, a fault planned, the statement run, the state read, the verdict given."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from sqlprovider.config import load_config
from sqlprovider.errors import Error
from sqlprovider.execute.clock import Clock
from sqlprovider.session import Session, provider_names
from sqlprovider.values import JSON
from tests.fakes.loopback import Late, Loopback, Seen
from tests.faults.judge import Case, Wrong, judge
from tests.faults.kinds import Kind, Scene, Truth
from tests.faults.model import Facts, Lab, Outcome, Scenario, Shape, Stage, writes
from tests.faults.wire import Router

_NO_TIMEOUT = 60.0
_SHORT_WAIT = 5.0


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the matrix."""

    scenario: Scenario
    kind: Kind
    shape: Shape

    @property
    def name(self) -> str:
        return f"{self.scenario.name} / {self.shape.label} / {self.kind.name}"

    @property
    def platform(self) -> str:
        return self.scenario.platform.provider


def run_cell(cell: Cell, lab: Lab) -> tuple[Case, list[Wrong]]:
    """What came of a cell, and every disagreement."""
    stage = cell.scenario.stage(lab, cell.shape.rows)
    marked = stage.markers[min(cell.shape.marked, len(stage.markers) - 1)]
    with Loopback(stage.app) as server:
        router = Router()
        cell.kind.plan(Scene(cell.scenario.platform, stage, marked, server, router))
        with closing(_session(cell, server, router)) as session:
            outcome = _run(session, stage.sql)
        for _, fault in list(server.spoiled):
            if isinstance(fault, Late):
                fault.go.set()
                fault.done.wait(10)
        facts = _facts(stage, server, router)
    case = Case(cell.scenario, cell.kind, cell.shape, tuple(stage.markers), marked, outcome, facts)
    return case, judge(case)


def _facts(stage: Stage, server: Loopback, router: Router) -> Facts:
    spoiled = [seen for seen, _ in server.spoiled if writes(seen)]
    sent = [seen for seen in server.requests if writes(seen)]
    by_chance = list(_by_chance(spoiled, router.timed_out))
    met = [*spoiled, *router.diverted, *filter(writes, by_chance)]
    is_slow = not all(map(writes, by_chance))
    return Facts(stage.counts(), [*sent, *router.diverted], met, is_slow=is_slow)


def _by_chance(spoiled: Sequence[Seen], timed_out: Sequence[Seen]) -> Iterator[Seen]:
    """What timed out though no fault had it do so."""
    own = Counter((seen.path, seen.body) for seen in spoiled)
    for seen in timed_out:
        if own[seen.path, seen.body]:
            own[seen.path, seen.body] -= 1
        else:
            yield seen


def _session(cell: Cell, server: Loopback, router: Router) -> Session:
    platform = cell.scenario.platform
    connection: dict[str, JSON] = {**platform.connection, "base_url": server.base_url}
    mapping: dict[str, JSON] = {
        "timeout": platform.patience if cell.kind.is_timed else _NO_TIMEOUT,
        "journal": False,
        "connections": {platform.provider: connection},
    }
    if cell.shape is Shape.GOING_ON:
        mapping["on_error"] = "continue"
    if cell.kind.truth is Truth.AIR:
        mapping["wait"] = _SHORT_WAIT
    config = load_config(mapping, environ={}, providers=provider_names())
    return Session(config, transport=router, environ=platform.environ, clock=hasty_clock())


def _run(session: Session, sql: str) -> Outcome:
    rowcount, rows, raised = -1, session.last_write, None
    try:
        for result in session.run(sql):
            list(result.rows)
            rowcount, rows = result.rowcount, session.last_write
    except Error as error:
        rows, raised = error.rows, error
    except Exception as error:
        # A crash is a finding of the matrix, not its end.
        return Outcome(session.last_write, -1, error)
    return Outcome(tuple(rows), rowcount, raised)


def hasty_clock() -> Clock:
    """Nobody sleeps: whoever pauses finds that for him the time has passed, and for nobody else."""
    passed = threading.local()

    def slept() -> float:
        return float(getattr(passed, "seconds", 0.0))

    def pause(stop: threading.Event, seconds: float) -> None:
        passed.seconds = slept() + seconds

    def shifted(clock: Callable[[], float]) -> float:
        return clock() + slept()

    return Clock(
        monotonic=partial(shifted, time.monotonic),
        now=partial(shifted, time.time),
        pause=pause,
        random=lambda: 0.0,
    )
