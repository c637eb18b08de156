"""The gates that calls pass: one a connection and quota scope, shared by every statement of a session.

A call enters its scope's gate before it is counted and sent, and leaves it with the answer. Calls wait in the
order in which they came; one that waits spends neither attempts nor the seconds that retries may take.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from sqlprovider.catalog.quota import Quota
from sqlprovider.execute.clock import Clock
from sqlprovider.execute.pace import Allowance, Bucket
from sqlprovider.execute.pool import interrupted
from sqlprovider.execute.retry import POLICY, Outcome
from sqlprovider.values import datetime_from_epoch_ms

_LOOK_SECONDS = 0.05
"""How often one that waits for a place looks whether its statement has ended."""
_HANGING_SECONDS = 0.2
"""A call that goes on for so long after its statement has ended holds no place: it may hang for ever."""
_REFUSED = (429, 503)

Aside = Callable[[], AbstractContextManager[None]]
"""The block in which a thread waits for its turn."""


@dataclass(frozen=True, slots=True)
class LimitRecord:
    """One gate as it is now."""

    connection: str
    scope: str
    in_flight: int
    concurrency: int
    """Calls that may be under way at once, as the API's refusals have taught."""
    concurrency_max: int | None
    """… as the document says."""
    per_minute: float | None
    waiting: int
    throttled: int
    """Answers so far that refused a call: 429, 503, and the API's own words for them."""
    paused_until: str | None
    """DATETIME: no call starts before."""


@dataclass(slots=True, eq=False)
class Turn:
    """One call's place at a gate."""

    epoch: int
    stop: threading.Event
    """Set when nobody wants the answer any more."""
    unwanted_at: float | None = None
    """When that was seen."""


@dataclass(slots=True, eq=False)
class _Waiter:
    """A call that waits for its turn."""

    stop: threading.Event
    woken: threading.Condition
    turn: Turn | None = None
    """Given to it by whoever makes room: did it take it itself, each would wait until the one before runs."""


class Limits:
    """The gates of a session. `aside` is entered around a wait: a pool may lend the place meanwhile."""

    def __init__(self, clock: Clock, aside: Aside = nullcontext) -> None:
        self._clock = clock
        self._aside = aside
        self._gates: dict[tuple[str, str], Gate] = {}
        self._lock = threading.Lock()

    def gate(self, connection: str, quota: Quota) -> Gate:
        """The gate of a connection's scope, with the numbers of the quota that first named it."""
        key = (connection, quota.scope)
        with self._lock:
            if (gate := self._gates.get(key)) is None:
                gate = self._gates[key] = Gate(connection, quota, self._clock, self._aside)
            return gate

    def records(self) -> list[LimitRecord]:
        """Every gate that was passed so far."""
        with self._lock:
            gates = list(self._gates.values())
        return [gate.record() for gate in gates]


class Gate:
    """Lets calls of one scope start: as many at once, and as often, as the API takes."""

    def __init__(self, connection: str, quota: Quota, clock: Clock, aside: Aside = nullcontext) -> None:
        self._connection = connection
        self._quota = quota
        self._clock = clock
        self._aside = aside
        self._lock = threading.Lock()
        self._waiting: deque[_Waiter] = deque()
        self._allowance = Allowance(quota.concurrency)
        per_minute = quota.per_minute
        self._bucket = None if per_minute is None else Bucket(per_minute, clock.monotonic())
        self._turns: set[Turn] = set()
        self._throttled = 0
        self._paused_until = float("-inf")

    def enter(self, stop: threading.Event) -> Turn:
        """Waits for a turn, after those that came before. Raises StatementInterrupted once `stop` is set."""
        with self._lock:
            if not self._waiting and self._has_room() and self._seconds() <= 0:
                return self._admit(stop)
        with self._aside():
            return self._wait(stop)

    def leave(self, turn: Turn, outcome: Outcome) -> None:
        """The call has ended so; what the API said of its limits holds for every call that waits."""
        now = self._clock.monotonic()
        with self._lock:
            if outcome.status in _REFUSED:
                self._throttled += 1
                others = len(self._turns - {turn})
                rest = outcome.retry_after or 0.0
                pause = self._allowance.refused(epoch=turn.epoch, others=others, now=now, rest=rest)
                self._pause(now, _asked(outcome, pause))
            elif outcome.status is not None and outcome.status < 500:
                self._allowance.accepted(in_flight=len(self._turns), now=now)
            self._turns.discard(turn)
            self._hand_out()

    def record(self) -> LimitRecord:
        """The gate as it is now."""
        with self._lock:
            left = self._paused_until - self._clock.monotonic()
            until = datetime_from_epoch_ms((self._clock.now() + left) * 1000) if left > 0 else None
            return LimitRecord(
                connection=self._connection,
                scope=self._quota.scope,
                in_flight=len(self._turns),
                concurrency=self._allowance.now,
                concurrency_max=self._quota.concurrency,
                per_minute=self._quota.per_minute,
                waiting=len(self._waiting),
                throttled=self._throttled,
                paused_until=until,
            )

    def _wait(self, stop: threading.Event) -> Turn:
        with self._lock:
            mine = _Waiter(stop, threading.Condition(self._lock))
            self._waiting.append(mine)
            try:
                while True:
                    self._hand_out()
                    if stop.is_set():
                        raise interrupted()
                    if mine.turn is None:
                        self._rest(mine)
                    elif self._stands():
                        mine.turn.epoch = self._allowance.epoch  # it begins now
                        return mine.turn
                    else:
                        self._turns.discard(mine.turn)
                        mine.turn = None
                        self._waiting.appendleft(mine)
            except BaseException:
                self._give_up(mine)
                raise

    def _stands(self) -> bool:
        """Whether a turn that was given may still be taken: the API can have refused another call since."""
        is_paused = self._paused_until > self._clock.monotonic()
        return not is_paused and len(self._turns) <= self._allowance.now

    def _rest(self, mine: _Waiter) -> None:
        """The first sleeps until the scope may go on. The others wait, and it does where there is no room."""
        seconds = self._seconds()
        if self._waiting[0] is not mine or not self._has_room() or seconds <= 0:
            mine.woken.wait(_LOOK_SECONDS)
            return
        until = self._paused_until
        self._sleep(mine.stop, seconds)
        if until == self._paused_until and not mine.stop.is_set():
            self._paused_until = float("-inf")  # it was slept, whatever the clock says

    def _give_up(self, mine: _Waiter) -> None:
        if mine.turn is None:
            self._waiting.remove(mine)
        else:
            self._turns.discard(mine.turn)
        self._hand_out()

    def _sleep(self, stop: threading.Event, seconds: float) -> None:
        """The first that waits sleeps until the scope may go on; the lock is free meanwhile."""
        self._lock.release()
        try:
            self._clock.pause(stop, seconds)
        finally:
            self._lock.acquire()

    def _admit(self, stop: threading.Event) -> Turn:
        if self._bucket is not None:
            self._bucket.take(self._clock.monotonic())
        turn = Turn(self._allowance.epoch, stop)
        self._turns.add(turn)
        return turn

    def _has_room(self) -> bool:
        if len(self._turns) >= self._allowance.now:
            self._turns -= {turn for turn in self._turns if self._hangs(turn)}
        return len(self._turns) < self._allowance.now

    def _hangs(self, turn: Turn) -> bool:
        if not turn.stop.is_set():
            return False
        now = self._clock.monotonic()
        if turn.unwanted_at is None:
            turn.unwanted_at = now
        return now - turn.unwanted_at >= _HANGING_SECONDS

    def _seconds(self) -> float:
        """How long until a call may start, were there room."""
        now = self._clock.monotonic()
        paced = 0.0 if self._bucket is None else self._bucket.seconds(now)
        return max(self._paused_until - now, paced)

    def _pause(self, now: float, seconds: float) -> None:
        # No statement waits longer than its retries may: each of its calls then gets the API's own answer.
        if 0 < seconds <= POLICY.total:
            self._paused_until = max(self._paused_until, now + seconds)

    def _hand_out(self) -> None:
        """Gives what room there is to those that came first."""
        while self._waiting and self._has_room() and self._seconds() <= 0:
            first = self._waiting.popleft()
            first.turn = self._admit(first.stop)
            first.woken.notify()
        if self._waiting and self._has_room():
            self._waiting[0].woken.notify()  # it sleeps until the scope may go on


def _asked(outcome: Outcome, pause: float) -> float:
    """Seconds that the scope rests: as the API asks, else as its refusals teach."""
    if outcome.retry_after is not None:
        return outcome.retry_after
    return pause if outcome.status == 429 else 0.0
