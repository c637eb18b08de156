"""How many calls of a scope may be under way at once, and how often one may start. Pure: no locks, no clock.

Measured against a server that takes 10 at a time and 100 workers: the first wave must be small, the step back
exact, and the tries for more must become rare, or more than one call in fifty is refused.
"""

from __future__ import annotations

_START = 16
"""Calls at once before anything is known: what the pool of one statement uses."""
_FAST_UNTIL = 32
"""Up to here every answer makes room for one more call, so each wave is twice the one before."""
_PATIENCE = 50
_LONGEST_PATIENCE = 3200
"""Answers with every place taken before one more call is tried: after the first refusal, and at most."""
_QUIET_SECONDS = 60.0
"""With no refusal for so long, what made the API refuse may be over: most quotas are by the minute."""
_RESTS = 20
"""One more call is tried no sooner than after so many times the seconds that a refusal has cost."""
_PAUSE = 0.25
_LONGEST_PAUSE = 2.0
"""Seconds between tries where not even one call at a time is taken: at first, and at most."""
_BURST_SECONDS = 1.0
_LARGEST_BURST = 9.0
_NEARLY = 1 - 1e-6


class Allowance:
    """How many calls may be under way at once: more while the API takes them, fewer when it refuses."""

    def __init__(self, most: int | None = None) -> None:
        self.now = _START if most is None else min(_START, most)
        """The number in force."""
        self.epoch = 0
        """Counts the steps back. A call that is refused and began before the last one tells nothing new."""
        self._most = most
        self._floor = 1
        self._patience: int | None = None
        """None: nothing was refused so far."""
        self._full = 0
        """Answers since the number last changed, with every place taken."""
        self._held: int | None = None
        """What the number was before one more was tried; None: nothing was tried since the last step back."""
        self._refused_at = 0.0
        self._rests_until = 0.0
        self._in_vain = 0

    def accepted(self, *, in_flight: int, now: float) -> None:
        """An answer came while so many calls were under way, itself among them."""
        self._in_vain = 0
        if in_flight < self.now or self.now == self._most or now < self._rests_until:
            return
        self._full += 1
        if self._full >= self._needed(now):
            if self._patience is not None:
                if self._held is not None:
                    self._patience = max(self.now, self._patience // 2)
                self._held = self.now
            self.now += 1
            self._full = 0

    def refused(self, *, epoch: int, others: int, now: float, rest: float = 0.0) -> float:
        """A call was refused that began at `epoch`, while `others` stay under way. Seconds to leave it alone.

        The number falls to those others, which the API has taken: by the refusals of one wave never below its
        half, nor below what was held before one more was tried. `rest` is what the API asks to wait.
        """
        self._refused_at = now
        self._rests_until = max(self._rests_until, now + _RESTS * rest)
        self._full = 0
        if epoch == self.epoch and others == 0:
            # There were not too many at once: it is too many in a time, or for whoever else asks.
            self._in_vain += 1
            return min(_LONGEST_PAUSE, _PAUSE * 2.0 ** min(self._in_vain - 1, 8))
        if epoch == self.epoch:
            self.epoch += 1
            self._floor = self._held or max(1, self.now // 2)
            self._held = None
            self._patience = min(_LONGEST_PATIENCE, max(_PATIENCE, 2 * (self._patience or 0)))
        self.now = max(self._floor, min(self.now, others))
        return 0.0

    def _needed(self, now: float) -> int:
        """The answers after which one more call is tried."""
        if self._patience is None:
            return 1 if self.now < _FAST_UNTIL else self.now
        if now - self._refused_at > _QUIET_SECONDS:
            return self.now
        return self._patience


class Bucket:
    """Calls a minute, spread evenly: it holds one call and those of one more second, at most ten in all."""

    def __init__(self, per_minute: float, now: float) -> None:
        self.per_minute = per_minute
        self._a_second = per_minute / 60.0
        # What it may hold beyond one call makes up for threads that wake late.
        self._holds = 1.0 + min(_LARGEST_BURST, _BURST_SECONDS * self._a_second)
        self._tokens = self._holds
        self._filled_at = now

    def seconds(self, now: float) -> float:
        """How long until a call may start."""
        self._fill(now)
        return 0.0 if self._tokens >= _NEARLY else (1.0 - self._tokens) / self._a_second

    def take(self, now: float) -> None:
        """A call starts."""
        self._fill(now)
        self._tokens -= 1.0

    def _fill(self, now: float) -> None:
        self._tokens = min(self._holds, self._tokens + max(0.0, now - self._filled_at) * self._a_second)
        self._filled_at = now
