"""When an exchange is repeated, and after how long. Pure: (attempt, outcome) → delay or stop."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx

from sqlprovider.catalog.model import ErrorShape, Method
from sqlprovider.execute.failure import CONNECTION_LOST, NOT_SENT, TIMED_OUT
from sqlprovider.execute.response import is_of, read_error


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an exchange ended: with a status, or with the reason of a failure."""

    status: int | None = None
    reason: str | None = None
    retry_after: float | None = None
    """Seconds the API asks to wait."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long."""

    attempts: int = 6
    attempts_connecting: int = 3
    """A dead port is most often a wrong one: the user should hear of it soon."""
    attempts_timed_out: int = 2
    """Each one has already taken the whole `timeout`."""
    base: float = 0.25
    cap: float = 8.0
    total: float = 150.0
    """Seconds slept for one page, all its attempts together."""


POLICY = RetryPolicy()


def outcome_of(response: httpx.Response, errors: ErrorShape, now: float) -> Outcome:
    """How an answer ends an exchange: an API may say in its code what others say by 429."""
    status = response.status_code
    if (
        not response.is_success
        and errors.throttled
        and is_of(read_error(response, errors)[0], errors.throttled)
    ):
        status = 429
    said = next((value for name in errors.retry_after if (value := response.headers.get(name))), None)
    return Outcome(status=status, retry_after=retry_after_seconds(said, now))


def is_repeatable(method: Method) -> bool:
    """Whether sending a request twice acts once, wherever the first one was lost."""
    return method.effect == "read" or method.repeat != "never"


def is_unsent(outcome: Outcome) -> bool:
    """Whether an exchange cannot have acted: nothing was sent, or the API had no time for it."""
    return outcome.status == 429 or outcome.reason == NOT_SENT


def retry_delay(
    attempt: int,
    outcome: Outcome,
    *,
    repeatable: bool,
    waited: float,
    random: Callable[[], float],
    policy: RetryPolicy = POLICY,
) -> float | None:
    """Seconds until the next attempt; None: the outcome stands. `attempt` counts from 1."""
    if attempt >= _attempts(outcome, repeatable, policy):
        return None
    # Full jitter: sixteen workers refused together must not come back together.
    delay = random() * min(policy.cap, policy.base * 2.0 ** (attempt - 1))
    if outcome.retry_after is not None:
        delay += outcome.retry_after
    return delay if waited + delay <= policy.total else None


def retry_after_seconds(header: str | None, now: float) -> float | None:
    """What a Retry-After header asks for: seconds, or the time until its date. None where it says neither.

    >>> retry_after_seconds("3", 0.0), retry_after_seconds("Thu, 01 Jan 1970 00:01:00 GMT", 45.0)
    (3.0, 15.0)
    """
    if header is None:
        return None
    text = header.strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", text):
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _attempts(outcome: Outcome, repeatable: bool, policy: RetryPolicy) -> int:
    if outcome.status == 429:
        return policy.attempts
    if outcome.reason == NOT_SENT:
        return policy.attempts_connecting
    if not repeatable:
        return 1
    if outcome.reason == TIMED_OUT:
        return policy.attempts_timed_out
    lost = outcome.reason == CONNECTION_LOST or (outcome.status is not None and outcome.status >= 500)
    return policy.attempts if lost else 1
