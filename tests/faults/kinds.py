"""The faults. Each is met by the writing requests that hold the marked row: the first of them, or every one.

Reads are never hit: whoever asks afterwards is answered.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from tests.fakes.google_api import ApiError
from tests.fakes.google_state import GoogleState
from tests.fakes.loopback import Acted, Cut, Fault, Html, Late, Loopback, Reset, Seen, Stall, Status, Within
from tests.faults.model import Platform, Scenario, Shape, Stage, holds, text_of, writes
from tests.faults.wire import Router

ALWAYS = 10**6
_SECONDS = 10.0


class Truth(Enum):
    """What a fault leaves to be known."""

    PASSES = "the engine may send it again and must: every row is accepted"
    REFUSED = "nothing happened, and the client was told"
    LOST = "the client was not told what happened"
    SILENT = "no answer in time: the server may still be at it"
    AIR = "the server is still at it"


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a fault is planned."""

    platform: Platform
    stage: Stage
    marker: str
    server: Loopback
    router: Router

    def hits(self, seen: Seen) -> bool:
        """Whether a request writes the marked row."""
        return writes(seen) and holds(self.marker, text_of(seen))

    def meet(self, fault: Fault, times: int) -> None:
        self.server.misbehave(fault, times=times, when=self.hits)


@dataclass(frozen=True, slots=True)
class Kind:
    """One fault."""

    name: str
    plan: Callable[[Scene], None]
    truth: Truth
    always: bool = False
    """Every request of the row meets it, not only the first."""
    acted: bool = False
    """The request is carried out all the same."""
    status: int | None = None
    fits: Callable[[Scenario, Shape], bool] = lambda scenario, shape: True
    ends_rows: bool = False
    """The row does not go through: whether the others go on is worth a cell of its own."""
    is_met: bool = True
    """A request meets it at the latest when the row is written."""

    def suits(self, scenario: Scenario, shape: Shape) -> bool:
        """Whether a cell of these makes sense."""
        return self.fits(scenario, shape) and (self.ends_rows or shape is not Shape.GOING_ON)

    @property
    def is_timed(self) -> bool:
        """Whether it takes the whole `timeout`."""
        return self.truth is Truth.SILENT


def _meeting(fault: Fault, times: int) -> Callable[[Scene], None]:
    return lambda scene: scene.meet(fault, times)


def _both(name: str, fault: Fault, truth: Truth, *, acted: bool = False) -> Iterator[Kind]:
    """Met by the first request only, and by every one."""
    yield Kind(name, _meeting(fault, 1), truth, acted=acted)
    ends = truth is Truth.LOST
    yield Kind(f"{name} always", _meeting(fault, ALWAYS), truth, always=True, acted=acted, ends_rows=ends)


def _overtaken(scene: Scene) -> None:
    """The first request is carried out at the last moment: just before the second."""
    late = Late()

    @contextmanager
    def after_the_first() -> Iterator[None]:
        late.go.set()
        late.done.wait(_SECONDS)
        yield

    scene.meet(late, 1)
    scene.meet(Within(after_the_first), 1)


def _refused(status: int) -> Kind:
    def plan(scene: Scene) -> None:
        body = scene.platform.refusal(status, "The row is refused, as was asked for.")
        scene.meet(Status(status, body=body), ALWAYS)

    is_plain = status in (400, 404)
    return Kind(str(status), plan, Truth.REFUSED, always=True, status=status, ends_rows=is_plain)


def _named(scene: Scene) -> None:
    """A refusal of a batch that names the row by its place in the body."""

    def body(seen: Seen) -> object:
        place = place_in(json.loads(seen.body), scene.marker)
        return scene.platform.refusal(400, f"{place}: the row is refused, as was asked for.")

    scene.meet(Status(400, body=body), ALWAYS)


def place_in(body: object, marker: str) -> str:
    """`requests[2]`: the innermost list element of a body that holds the marker; empty if there is none."""
    match body:
        case dict():
            for key, value in body.items():
                if holds(marker, json.dumps(value)):
                    below = place_in(value, marker)
                    return f"{key}{below}" if below.startswith("[") else f"{key}.{below}".rstrip(".")
        case list():
            for index, value in enumerate(body):
                if holds(marker, json.dumps(value)):
                    below = place_in(value, marker)
                    deeper = below[below.rfind("[", 0) :] if "[" in below else ""
                    return f"[{index}].{below}" if deeper else f"[{index}]"
    return ""


def _throttled(times: int) -> Callable[[Scene], None]:
    def plan(scene: Scene) -> None:
        body = scene.platform.refusal(429, "Too many requests.")
        scene.meet(Status(429, retry_after=1, body=body), times)

    return plan


def _failing(status: int, *, times: int, acted: bool) -> Callable[[Scene], None]:
    def plan(scene: Scene) -> None:
        fault = Status(status, body=scene.platform.refusal(status, "The service failed."))
        scene.meet(Acted(fault) if acted else fault, times)

    return plan


def _operation(error: ApiError | None, polls: int) -> Callable[[Scene], None]:
    """The operation that the request starts is done after so many polls, or fails then."""

    def plan(scene: Scene) -> None:
        state = _operations(scene)

        @contextmanager
        def steered() -> Iterator[None]:
            with state.lock:
                state.polls, state.operation_error = polls, error
                try:
                    yield
                finally:
                    state.polls, state.operation_error = 0, None

        scene.meet(Within(steered), ALWAYS)

    return plan


def _after_start(then: Callable[[GoogleState, str], None]) -> Callable[[Scene], None]:
    """What becomes of the operation that the request starts, once its name was answered."""

    def plan(scene: Scene) -> None:
        state = _operations(scene)

        @contextmanager
        def steered() -> Iterator[None]:
            with state.lock:
                known, state.polls = set(state.operations), 10**9
                try:
                    yield
                finally:
                    state.polls = 0
                for name in set(state.operations) - known:
                    then(state, name)

        scene.meet(Within(steered), ALWAYS)

    return plan


def _cancelled(state: GoogleState, name: str) -> None:
    state.operations[name].cancel()


def _lost_operation(scene: Scene) -> None:
    """It does what it should, and nobody can ask for it."""
    started: list[str] = []

    def finished(state: GoogleState, name: str) -> None:
        state.operations[name].polls = 1
        state.operations[name].advance()
        started.append(name)

    _after_start(finished)(scene)
    body = scene.platform.refusal(503, "The service failed.")
    asked: Callable[[Seen], bool] = lambda seen: any(name in seen.path for name in started)  # noqa: E731  typed
    scene.server.misbehave(Status(503, body=body), times=ALWAYS, when=asked)


def _operations(scene: Scene) -> GoogleState:
    assert scene.stage.state is not None
    return scene.stage.state


def _occupied(*then: tuple[Fault, int]) -> Callable[[Scene], None]:
    """The row's key is somebody else's already; the first request may be lost, too."""

    def plan(scene: Scene) -> None:
        assert scene.stage.occupy is not None
        scene.stage.occupy(scene.marker)
        for fault, times in then:
            scene.meet(fault, times)

    return plan


def _is_batch(scenario: Scenario, shape: Shape) -> bool:
    return scenario.batch is not None and shape is not Shape.ONE


def _waits(scenario: Scenario, shape: Shape) -> bool:
    return scenario.waits


def _is_keyed(scenario: Scenario, shape: Shape) -> bool:
    return scenario.keyed


def _all() -> Iterator[Kind]:
    refused, lost, silent = Truth.REFUSED, Truth.LOST, Truth.SILENT
    yield Kind("no fault", lambda scene: None, Truth.PASSES, is_met=False)
    yield Kind("connection refused", lambda scene: scene.router.refuse(scene.hits, 1), Truth.PASSES)
    yield Kind(
        "connection refused always",
        lambda scene: scene.router.refuse(scene.hits, ALWAYS),
        refused,
        always=True,
        ends_rows=True,
    )
    yield Kind("closed at accept", lambda scene: scene.router.hang_up(scene.hits, 1), lost)
    yield from _both("reset before it acted", Reset(), lost)
    yield from _both("reset after it acted", Acted(Reset()), lost, acted=True)
    yield from _both("cut in mid-answer", Cut(1), lost, acted=True)
    yield from _both("time-out before it acted", Stall(), silent)
    yield from _both("time-out after it acted", Acted(Stall()), silent, acted=True)
    yield Kind("time-out, acted later", lambda scene: scene.meet(Late(), 1), silent)
    yield Kind("time-out, acted before it is sent again", _overtaken, silent)
    yield from map(_refused, (400, 401, 403, 404, 409, 412))
    yield Kind(
        "400 that names the row", _named, refused, always=True, status=400, ends_rows=True, fits=_is_batch
    )
    yield Kind("429", _throttled(1), Truth.PASSES)
    yield Kind("429 always", _throttled(ALWAYS), refused, always=True, ends_rows=True)
    yield Kind("500 before it acted", _failing(500, times=1, acted=False), lost)
    yield Kind("500 after it acted", _failing(500, times=1, acted=True), lost, acted=True)
    yield Kind("503 always", _failing(503, times=ALWAYS, acted=False), lost, always=True, ends_rows=True)
    yield Kind("503 always, acted", _failing(503, times=ALWAYS, acted=True), lost, always=True, acted=True)
    yield from _both("no JSON", Acted(Html(200)), lost, acted=True)
    error = ApiError("FAILED_PRECONDITION", "The operation fails, as was asked for.")
    yield Kind("operation fails", _operation(error, 2), refused, always=True, fits=_waits)
    yield Kind("operation never ends", _operation(None, 10**9), Truth.AIR, always=True, fits=_waits)
    yield Kind("operation is cancelled", _after_start(_cancelled), refused, always=True, fits=_waits)
    yield Kind("operation is lost", _lost_operation, lost, always=True, acted=True, fits=_waits)
    yield Kind(
        "somebody else's", _occupied(), refused, always=True, fits=_is_keyed, is_met=False, ends_rows=True
    )
    yield Kind("somebody else's, reset", _occupied((Reset(), 1)), lost, fits=_is_keyed)
    yield Kind(
        "somebody else's, cut off always",
        _occupied((Cut(1), ALWAYS)),
        lost,
        always=True,
        fits=_is_keyed,
    )


KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _all()}
