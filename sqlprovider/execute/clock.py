"""Time and chance, given to the executor so that tests need not wait."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


def _pause(stop: threading.Event, seconds: float) -> None:
    stop.wait(seconds)


@dataclass(frozen=True, slots=True)
class Clock:
    """The clocks, the pause and the dice."""

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    """Seconds since 1970, to read a Retry-After that is a date."""
    pause: Callable[[threading.Event, float], None] = _pause
    """Sleeps that many seconds, or until the event is set."""
    random: Callable[[], float] = random.random
    """0 ≤ x < 1."""
