from __future__ import annotations

from typing import Any, Literal

import pytest

from sqlprovider.execute.failure import CONNECTION_LOST, NOT_SENT, TIMED_OUT
from sqlprovider.execute.retry import POLICY, Outcome, is_repeatable, retry_after_seconds, retry_delay
from tests.execute.build import make_method


def delay(
    attempt: int, outcome: Outcome, *, repeatable: bool = True, waited: float = 0.0, dice: float = 1.0
) -> float | None:
    return retry_delay(attempt, outcome, repeatable=repeatable, waited=waited, random=lambda: dice)


LOST, TIMEOUT, REFUSED = Outcome(reason=CONNECTION_LOST), Outcome(reason=TIMED_OUT), Outcome(reason=NOT_SENT)


@pytest.mark.parametrize(
    ("outcome", "read", "write"),
    [
        pytest.param(LOST, True, False, id="connection lost"),
        pytest.param(TIMEOUT, True, False, id="timed out"),
        pytest.param(REFUSED, True, True, id="never sent"),
        pytest.param(Outcome(status=429), True, True, id="429"),
        pytest.param(Outcome(status=500), True, False, id="500"),
        pytest.param(Outcome(status=503), True, False, id="503"),
        pytest.param(Outcome(status=200), False, False, id="200"),
        pytest.param(Outcome(status=302), False, False, id="302"),
        pytest.param(Outcome(status=400), False, False, id="400"),
        pytest.param(Outcome(status=404), False, False, id="404"),
        pytest.param(Outcome(status=409), False, False, id="409"),
        pytest.param(Outcome(reason="unreadable"), False, False, id="unreadable"),
        pytest.param(Outcome(reason="interrupted"), False, False, id="interrupted"),
    ],
)
def test_what_is_repeated(outcome: Outcome, read: bool, write: bool) -> None:
    assert (delay(1, outcome) is not None) is read
    assert (delay(1, outcome, repeatable=False) is not None) is write


@pytest.mark.parametrize(
    ("effect", "repeat", "repeatable"),
    [
        ("read", "never", True),
        ("write", "never", False),
        ("write", "always", True),
        ("write", "same_body", True),
    ],
)
def test_reads_and_marked_writes_are_repeatable(
    effect: Literal["read", "write"], repeat: Any, repeatable: bool
) -> None:
    assert is_repeatable(make_method(effect=effect, repeat=repeat)) is repeatable


@pytest.mark.parametrize(
    ("outcome", "attempts"),
    [(LOST, POLICY.attempts), (Outcome(status=429), POLICY.attempts), (TIMEOUT, 2), (REFUSED, 3)],
)
def test_attempts_end(outcome: Outcome, attempts: int) -> None:
    assert delay(attempts - 1, outcome) is not None
    assert delay(attempts, outcome) is None


def test_delays_double_up_to_their_cap() -> None:
    assert [delay(attempt, LOST) for attempt in range(1, 6)] == [0.25, 0.5, 1.0, 2.0, 4.0]


def test_jitter_is_full() -> None:
    assert delay(3, LOST, dice=0.0) == 0.0
    assert delay(3, LOST, dice=0.5) == 0.5


def test_retry_after_is_waited_for_and_jitter_comes_on_top() -> None:
    asked = Outcome(status=429, retry_after=7.0)
    assert (delay(1, asked, dice=0.0), delay(1, asked, dice=1.0)) == (7.0, 7.25)


def test_a_wait_beyond_all_patience_is_not_begun() -> None:
    assert delay(1, Outcome(status=429, retry_after=151.0)) is None
    assert delay(1, Outcome(status=503, retry_after=30.0), waited=121.0) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        pytest.param(None, None, id="absent"),
        pytest.param("0", 0.0, id="zero"),
        pytest.param(" 12 ", 12.0, id="seconds"),
        pytest.param("1.5", 1.5, id="fraction"),
        pytest.param("Thu, 01 Jan 1970 00:02:00 GMT", 20.0, id="date"),
        pytest.param("Thu, 01 Jan 1970 00:00:00 GMT", 0.0, id="past"),
        pytest.param("soon", None, id="words"),
        pytest.param("-1", None, id="negative"),
        pytest.param("inf", None, id="infinite"),
        pytest.param("Thu, 99 Jan 9999 00:00:00 GMT", None, id="no date"),
    ],
)
def test_retry_after_is_read(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, 100.0) == seconds
