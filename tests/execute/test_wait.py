from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sqlprovider.catalog.model import WaitShape
from sqlprovider.errors import (
    BackendError,
    DataError,
    IntegrityError,
    StatementInterrupted,
    TransportError,
    WaitTimeoutError,
)
from sqlprovider.execute.events import WaitProgress
from sqlprovider.execute.wait import Waiting, operation_error, operation_result, wait_until_done
from tests.execute.build import ERRORS, FakeClock

SHAPE = WaitShape("/{version}/{name}")
RUNNING: dict[str, Any] = {"name": "projects/p/operations/1"}
DONE: dict[str, Any] = {**RUNNING, "done": True, "response": {"name": "r"}}


def waited(
    first: dict[str, Any],
    answers: Iterator[Any],
    clock: FakeClock,
    limit: float = 3600.0,
    told: list[WaitProgress] | None = None,
) -> dict[str, Any]:
    def ask(name: str) -> dict[str, Any]:
        assert name == RUNNING["name"]
        answer: dict[str, Any] | BaseException = next(answers)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    found: dict[str, Any] = wait_until_done(
        first,
        SHAPE,
        Waiting(
            ask,
            lambda s: clock.clock().pause(None, s),  # type: ignore[arg-type]  # the fake sleeps for nobody
            lambda: clock.time,
            limit,
            tell=([] if told is None else told).append,
            look=lambda name: f"look at {name}",
        ),
    )
    return found


def test_done_at_once_is_not_asked_for() -> None:
    assert waited(DONE, iter(()), FakeClock()) == DONE


@pytest.mark.parametrize("first", [RUNNING, {**RUNNING, "done": False}])
def test_an_operation_is_asked_for_until_it_is_done(first: dict[str, Any]) -> None:
    clock = FakeClock()
    assert waited(first, iter([RUNNING, {**RUNNING, "done": False}, DONE]), clock) == DONE
    assert clock.pauses == [0.5, 0.75, 1.125]


def test_asking_slows_down_to_every_ten_seconds() -> None:
    clock = FakeClock()
    waited(RUNNING, iter([RUNNING] * 20 + [DONE]), clock)
    assert clock.pauses == sorted(clock.pauses)
    assert clock.pauses[-1] == 10.0


def test_an_operation_that_does_not_end_in_time_is_named() -> None:
    clock = FakeClock()
    with pytest.raises(WaitTimeoutError, match="projects/p/operations/1 was not done after 60 s") as caught:
        waited(RUNNING, iter([RUNNING] * 99), clock, limit=60.0)
    assert caught.value.hint == "look at projects/p/operations/1"
    assert clock.time == 60


def test_the_last_look_is_at_the_end_of_the_time() -> None:
    clock = FakeClock()
    assert waited(RUNNING, iter([RUNNING, DONE]), clock, limit=0.6) == DONE
    assert clock.time == 0.6


def test_a_limit_of_nothing_asks_nothing() -> None:
    clock, told = FakeClock(), list[WaitProgress]()
    assert waited(RUNNING, iter(()), clock, limit=0, told=told) == RUNNING
    assert (clock.pauses, told) == ([], [])


def test_what_is_waited_for_is_told() -> None:
    told = list[WaitProgress]()
    waited(RUNNING, iter([RUNNING, DONE]), FakeClock(), told=told)
    name = "projects/p/operations/1"
    assert told == [
        WaitProgress(name, 0.0),
        WaitProgress(name, 0.5),
        WaitProgress(name, 1.25),
        WaitProgress(name, 1.25, is_over=True),
    ]


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        pytest.param(StatementInterrupted("the statement was interrupted"), "interrupted", id="Ctrl-C"),
        pytest.param(KeyboardInterrupt(), "interrupted", id="Ctrl-C in a program"),
        pytest.param(StatementInterrupted("closed", reason="closed"), "closed", id="the session is closed"),
    ],
)
def test_whoever_stops_a_wait_is_told_how_to_look(stop: BaseException, reason: str) -> None:
    told = list[WaitProgress]()
    with pytest.raises(
        StatementInterrupted, match=r"; projects/p/operations/1 goes on at the backend"
    ) as caught:
        waited(RUNNING, iter([stop]), FakeClock(), told=told)
    assert (caught.value.reason, caught.value.hint) == (reason, "look at projects/p/operations/1")
    assert told[-1].is_over


@pytest.mark.parametrize("name", [None, 7, "", "a//b", "../x", "a/./b"])
def test_an_operation_without_a_usable_name_is_an_error(name: object) -> None:
    with pytest.raises(DataError) as caught:
        waited({"name": name}, iter(()), FakeClock())
    assert caught.value.pointer == "/name"


def test_done_must_be_a_truth_value() -> None:
    with pytest.raises(DataError, match="/done is text"):
        waited({**RUNNING, "done": "yes"}, iter(()), FakeClock())


@pytest.mark.parametrize("error", [TransportError("cut"), BackendError("500", status=500)])
def test_an_error_while_waiting_says_that_the_operation_may_go_on(error: Exception) -> None:
    with pytest.raises(type(error), match=r"projects/p/operations/1, which may go on") as caught:
        waited(RUNNING, iter([error]), FakeClock())
    assert vars(caught.value)["reason"] == "wait_failed"


def test_an_answer_that_is_no_json_does_not_end_a_wait() -> None:
    bad = [DataError("the answer is not JSON") for _ in range(4)]
    assert waited(RUNNING, iter([*bad[:2], RUNNING, *bad[2:], DONE]), FakeClock()) == DONE


def test_answers_that_stay_unreadable_end_a_wait() -> None:
    bad = [DataError("the answer is not JSON") for _ in range(3)]
    with pytest.raises(DataError, match=r"projects/p/operations/1, which may go on .*not JSON") as caught:
        waited(RUNNING, iter(bad), FakeClock())
    assert caught.value.reason == "wait_failed"


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        pytest.param({"code": 6, "message": "m"}, IntegrityError, "ALREADY_EXISTS: m", id="exists"),
        pytest.param({"code": 10, "message": "m"}, IntegrityError, "ABORTED: m", id="aborted"),
        pytest.param(
            {"code": "RESOURCE_ALREADY_EXISTS"}, IntegrityError, "no message", id="the document's code"
        ),
        pytest.param({"code": 5, "message": "m"}, BackendError, "NOT_FOUND: m", id="not found"),
        pytest.param({"code": 7, "message": "m\n\x1b"}, BackendError, "PERMISSION_DENIED: m$", id="refused"),
        pytest.param({"code": 99}, BackendError, "99: no message", id="unknown code"),
        pytest.param({"message": "m"}, BackendError, "operation failed: m", id="no code"),
        pytest.param("broken", BackendError, "operation failed: broken", id="text"),
    ],
)
def test_an_operation_that_failed_is_an_error_of_its_kind(
    error: Any, kind: type[Exception], text: str
) -> None:
    found = operation_error({**RUNNING, "done": True, "error": error}, SHAPE, ERRORS)
    assert type(found) is kind
    with pytest.raises(kind, match=text):
        raise found


@pytest.mark.parametrize("answer", [DONE, {**DONE, "error": None}, {**DONE, "error": {}}])
def test_an_operation_that_did_not_fail_has_no_error(answer: dict[str, Any]) -> None:
    assert operation_error(answer, SHAPE, ERRORS) is None


def test_the_result_is_what_the_operation_gave() -> None:
    assert operation_result(DONE, SHAPE) == {"name": "r"}
    assert operation_result({"done": True}, SHAPE) == {}
