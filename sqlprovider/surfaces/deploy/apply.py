"""apply_plan(): sends a plan, concurrently where nothing depends, and keeps the truth about each object."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
from typing import Protocol

from sqlprovider.errors import Error, OperationalError
from sqlprovider.surfaces.deploy.change import Action, Change, Plan
from sqlprovider.surfaces.deploy.doubles import doubled
from sqlprovider.surfaces.deploy.graph import Kind, Step, build_graph
from sqlprovider.surfaces.deploy.model import Manifest
from sqlprovider.surfaces.deploy.outcome import Outcome, of_error
from sqlprovider.surfaces.deploy.ownership import owner_of
from sqlprovider.surfaces.deploy.put import put_all
from sqlprovider.surfaces.deploy.reader import Reader
from sqlprovider.surfaces.deploy.steps import Statements
from sqlprovider.surfaces.deploy.values import referenced
from sqlprovider.surfaces.deploy.wanted import Wanted, want
from sqlprovider.surfaces.deploy.workers import Workers

ACCEPTED, FAILED, UNKNOWN, NOT_TRIED, NOTHING = "accepted", "failed", "unknown", "not_tried", "nothing"
_MAX_ROWS = 1000
"""Rows that go out as one statement; the API's own batches are made of them."""


@dataclass(slots=True)
class Applied:
    """What became of each change, by id."""

    states: dict[str, str]
    failures: list[tuple[str, Error]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    interrupted: bool = False
    """Ctrl-C was pressed."""

    @property
    def is_done(self) -> bool:
        """Whether everything was accepted, and no conflict was found."""
        return not self.failures and all(state in (ACCEPTED, NOTHING) for state in self.states.values())


OnDone = Callable[[int, int], None]
"""Called with how many steps are done, and of how many."""


class Stop(Protocol):
    """Whether the user wants no more of it."""

    @property
    def pressed(self) -> bool: ...


def apply_plan(
    plan: Plan, manifest: Manifest, reader: Reader, workers: Workers, *, on_done: OnDone, stop: Stop
) -> Applied:
    """Sends the plan; the first failure lets what is in flight end, and the rest is not tried."""
    return _Applier(plan, manifest, reader, workers, on_done, stop).run()


class _Applier:
    def __init__(
        self,
        plan: Plan,
        manifest: Manifest,
        reader: Reader,
        workers: Workers,
        on_done: OnDone,
        stop: Stop,
    ) -> None:
        self._plan = plan
        self._manifest = manifest
        self._referenced = referenced(manifest)
        self._reader = reader
        self._workers = workers
        self._on_done = on_done
        self._stop = stop
        self._changes = {change.id: change for change in plan.changes}
        self._waiting = build_graph(plan)
        self._total = len(self._waiting)
        self._running: dict[Future[list[Outcome]], tuple[Step, ...]] = {}
        self._ended: SimpleQueue[Future[list[Outcome]]] = SimpleQueue()
        self._made: list[Change] = []
        self._applied = Applied({change.id: _first_state(change) for change in plan.changes})

    def run(self) -> Applied:
        """Every step whose turn comes."""
        while self._waiting or self._running:
            if not self._applied.failures and not self._stop.pressed:
                self._send_ready()
            if not self._running:
                break
            for future in self._next_ended():
                self._take(self._running.pop(future), future)
            self._on_done(self._total - len(self._waiting) - len(self._running), self._total)
        self._applied.interrupted = self._stop.pressed
        self._name_gone_along()
        if self._applied.is_done:
            self._applied.failures += doubled([(c, self._want(c)) for c in self._made], self._workers)
        self._name_half_done()
        return self._applied

    def _next_ended(self) -> Iterator[Future[list[Outcome]]]:
        """What has ended, once anything has: what depends on it goes out together."""
        yield self._ended.get()
        while not self._ended.empty():
            yield self._ended.get()

    def _send_ready(self) -> None:
        ready = [step for step, before in self._waiting.items() if not before]
        puts = []
        for step in ready:
            del self._waiting[step]
            change = self._changes[step.label]
            if step.kind is Kind.DELETE:
                self._submit((step,), partial(_delete, change))
            elif change.undecided and change.entry is not None and not self._is_wanted(change):
                self._finish(step)
            else:
                puts.append((step, change))
        for group in _grouped([(step, change, self._want(change)) for step, change in puts]):
            steps = tuple(step for step, _, _ in group)
            pairs = [(change, wanted) for _, change, wanted in group]
            self._submit(steps, partial(put_all, pairs, self._referenced))

    def _is_wanted(self, change: Change) -> bool:
        assert change.entry is not None
        if self._reader.is_wanted(change.entry, self._plan.rows):
            return True
        self._applied.states[change.id] = NOTHING
        return False

    def _want(self, change: Change) -> Wanted:
        assert change.entry is not None
        return want(change.entry, change.facts, self._plan.rows, owner_of(change.entry, self._manifest))

    def _submit(self, steps: tuple[Step, ...], work: Callable[[Statements], list[Outcome]]) -> None:
        future = self._workers.submit(lambda session: work(Statements(session)))
        self._running[future] = steps
        future.add_done_callback(self._ended.put)

    def _take(self, steps: tuple[Step, ...], future: Future[list[Outcome]]) -> None:
        for step, outcome in zip(steps, future.result(), strict=True):
            self._applied.warnings += outcome.notes
            if outcome.error is not None:
                self._applied.failures.append((step.label, outcome.error))
            self._applied.states[step.label] = outcome.state
            if outcome.state == ACCEPTED:
                self._keep_row(step, outcome)
                self._finish(step)

    def _keep_row(self, step: Step, outcome: Outcome) -> None:
        change = self._changes[step.label]
        if change.action is Action.CREATE:
            self._made.append(change)
        if step.kind is Kind.PUT and outcome.row is not None and change.entry is not None:
            secrets = self._want(change).secrets
            self._plan.rows.put(step.label, change.facts, outcome.row, whole=True, secret=secrets)

    def _finish(self, step: Step) -> None:
        for before in self._waiting.values():
            before.discard(step)

    def _name_gone_along(self) -> None:
        """What the API deletes with what is above it has the state of that."""
        states, own = self._applied.states, {step.label for step in build_graph(self._plan)}
        for change in reversed(self._plan.changes):
            if change.action is Action.DELETE and change.id not in own:
                above = {states[label] for label in change.parents}
                states[change.id] = ACCEPTED if ACCEPTED in above else next(iter(above), NOT_TRIED)

    def _name_half_done(self) -> None:
        """An object of which one step was accepted and the next not tried is neither here nor there."""
        for step in self._waiting:
            change = self._changes[step.label]
            if self._applied.states[step.label] == ACCEPTED and change.action is Action.REPLACE:
                self._applied.states[step.label] = FAILED
                error = OperationalError("it is deleted, and not made again yet", reason="half_done")
                self._applied.failures.append((step.label, error))


def _first_state(change: Change) -> str:
    return NOTHING if change.action is Action.NOTHING else NOT_TRIED


def _delete(change: Change, statements: Statements) -> list[Outcome]:
    assert change.row is not None
    try:
        statements.delete(change, change.row)
    except Error as error:
        return [of_error(error)]
    return [Outcome(ACCEPTED, notes=tuple(statements.notes))]


_Put = tuple[Step, Change, Wanted]


def _grouped(puts: Sequence[_Put]) -> Iterator[list[_Put]]:
    """What is made of one resource and with the same columns goes out together; all else by itself."""
    groups: dict[tuple[str, tuple[str, ...]], list[_Put]] = {}
    for put in puts:
        _, change, wanted = put
        is_made = change.action in (Action.CREATE, Action.REPLACE) and not wanted.is_unknown
        if not is_made:
            yield [put]
            continue
        groups.setdefault((change.facts.name, tuple(wanted.inserted())), []).append(put)
    for group in groups.values():
        for start in range(0, len(group), _MAX_ROWS):
            yield group[start : start + _MAX_ROWS]
