"""Writes and EXEC, over a function that answers."""

from __future__ import annotations

import json

import pytest

from sqlprovider.config import AuthSpec, Settings
from sqlprovider.errors import (
    IntegrityError,
    InternalError,
    NotSupportedError,
    RequestLimitError,
    StatementInterrupted,
    WaitTimeoutError,
)
from sqlprovider.execute.clock import Clock
from sqlprovider.execute.events import DryRequest
from sqlprovider.execute.executor import StatementCalls
from tests.execute.build import (
    ITEMS,
    NOT_FOUND,
    FakeClock,
    Script,
    failed,
    json_answer,
    list_method,
    lists,
    make_executor,
    make_method,
    make_operation,
    make_provider,
    names,
    ok,
    pages_of,
    refuse_all,
    write_method,
)


def test_a_write_gives_its_answer() -> None:
    script = Script(ok({"run": {"name": "n"}}, **{"X-Request-Id": "q1"}))
    calls = make_executor(script).begin(Settings())
    answer = calls.call(make_operation(write_method(rows=("run",)), name="n", labels={"a": "b"}))
    assert (answer.items, answer.answer, answer.status) == ([{"name": "n"}], {"run": {"name": "n"}}, 200)
    assert (answer.request_id, answer.missing, answer.sent) == ("q1", False, True)
    assert json.loads(script.requests[0].content) == {"name": "n", "labels": {"a": "b"}}


def test_a_refused_write_is_an_error_that_names_the_operation() -> None:
    body = {"error_code": "RESOURCE_ALREADY_EXISTS", "message": "there is one"}
    calls = make_executor(json_answer(body, 400)).begin(Settings())
    with pytest.raises(
        IntegrityError, match=r"^c\.s\.runs\.create: 400 RESOURCE_ALREADY_EXISTS: there is one"
    ):
        calls.call(make_operation(write_method()))


def test_a_write_to_a_row_that_is_not_there() -> None:
    calls = make_executor(json_answer(NOT_FOUND, 404)).begin(Settings())
    answer = calls.call(make_operation(write_method(missing=True)))
    assert (answer.missing, answer.items, answer.status) == (True, [], 404)


def test_exec_of_a_list_reads_it_to_its_end() -> None:
    answer = make_executor(pages_of(ITEMS, 3)).begin(Settings()).call(lists("e")[0])
    assert names(answer.items) == [f"r{n}" for n in range(7)]


def test_exec_of_a_nested_list_keeps_the_items_its_items_lie_in() -> None:
    runs = [{"id": n, "tags": [{"key": "a"}] * n} for n in range(3)]
    method = list_method(rows=("runs[]", "tags[]"))
    answer = make_executor(pages_of(runs, 2)).begin(Settings()).call(lists("e", method=method)[0])
    assert answer.items == [{"key": "a"}] * 3
    assert answer.parents == [(runs[1],), (runs[2],), (runs[2],)]


def test_read_only_refuses_writes_before_anything_is_sent() -> None:
    calls = make_executor(refuse_all, auth=AuthSpec("token", {"env": "NO_SUCH"})).begin(
        Settings(read_only=True)
    )
    with pytest.raises(NotSupportedError, match="read-only"):
        calls.call(make_operation(write_method()))
    with pytest.raises(NotSupportedError, match="read-only"):
        list(calls.pages([make_operation(write_method())]))


def test_read_only_sends_reads_by_any_http_method() -> None:
    calls = make_executor(json_answer({"runs": []})).begin(Settings(read_only=True))
    assert len(list(calls.pages([make_operation(make_method("POST"))]))) == 1


def test_a_dry_run_shows_writes_and_sends_none() -> None:
    shown: list[DryRequest] = []
    executor = make_executor(refuse_all, auth=AuthSpec("token", {"env": "NO_SUCH"}))
    calls = executor.begin(Settings(dry_run=True), on_dry_run=shown.append)
    answer = calls.call(make_operation(write_method(wait=True), name="ä"))
    assert not answer.sent
    assert shown == [DryRequest("c.s.runs.create", "POST", "http://127.0.0.1:9/v1/runs", '{"name":"ä"}')]
    (record,) = calls.records
    assert (record.status, record.attempt, record.http_method) == (None, 0, "POST")


def test_a_dry_run_sends_reads() -> None:
    calls = make_executor(json_answer({"runs": ITEMS})).begin(Settings(dry_run=True))
    assert len(list(calls.pages(lists("e")))) == 1


STARTED = {"name": "projects/p/operations/1"}
WAITS = write_method(wait=True, missing=True)


def test_a_long_running_operation_is_waited_for() -> None:
    clock, done = FakeClock(), {**STARTED, "done": True, "response": {"name": "r"}}
    script = Script(ok(STARTED), ok(STARTED), failed(503), ok(done))
    calls = make_executor(script, clock=clock.clock()).begin(Settings())
    answer = calls.call(make_operation(WAITS))
    assert (answer.items, answer.answer) == ([{"name": "r"}], {"name": "r"})
    polls = [f"{request.method} {request.url.path}" for request in script.requests[1:]]
    assert polls == ["GET /v1/projects/p/operations/1"] * 3
    assert clock.pauses == [0.5, 0.75, 0.25]
    assert [record.status for record in calls.records] == [200, 200, 503, 200]


def test_an_operation_done_at_once_is_not_polled() -> None:
    script = Script(ok({**STARTED, "done": True}))
    answer = make_executor(script).begin(Settings()).call(make_operation(WAITS))
    assert (answer.answer, len(script.requests)) == ({}, 1)


def test_an_operation_that_failed_is_an_error() -> None:
    script = Script(ok({**STARTED, "done": True, "error": {"code": 6, "message": "there is one"}}))
    with pytest.raises(IntegrityError, match=r"c\.s\.runs\.create: the operation failed with ALREADY_EXISTS"):
        make_executor(script).begin(Settings()).call(make_operation(WAITS))


def test_an_operation_that_found_no_row_says_so() -> None:
    provider_code = {"code": "RESOURCE_DOES_NOT_EXIST", "message": "gone"}
    script = Script(ok({**STARTED, "done": True, "error": provider_code}))
    assert make_executor(script).begin(Settings()).call(make_operation(WAITS)).missing


def test_an_operation_that_never_ends_is_named() -> None:
    calls = make_executor(json_answer(STARTED), clock=FakeClock().clock()).begin(Settings())
    with pytest.raises(WaitTimeoutError, match=r"projects/p/operations/1 was not done after 3600 s"):
        calls.call(make_operation(WAITS))


def test_polls_count_against_the_limit() -> None:
    calls = make_executor(json_answer(STARTED), clock=FakeClock().clock()).begin(Settings(max_requests=3))
    with pytest.raises(RequestLimitError):
        calls.call(make_operation(WAITS))
    assert len(calls.records) == 3


def test_a_dry_run_passes_over_writes_among_operations() -> None:
    calls = make_executor(json_answer({"runs": ITEMS})).begin(Settings(dry_run=True))
    pages = list(calls.pages([make_operation(write_method()), *lists("e")]))
    assert [page.operation.method.name for page in pages] == ["list"]
    assert [record.attempt for record in calls.records] == [0, 1]


def test_a_platform_that_does_not_say_how_to_wait_is_our_fault() -> None:
    executor = make_executor(json_answer(STARTED), provider=make_provider(wait=None))
    with pytest.raises(InternalError, match="does not say how"):
        executor.begin(Settings()).call(make_operation(WAITS))


def test_cancelling_ends_the_wait_between_two_polls() -> None:
    calls: list[StatementCalls] = []
    clock = Clock(pause=lambda stop, seconds: calls[0].cancel())
    calls.append(make_executor(json_answer(STARTED), clock=clock).begin(Settings()))
    with pytest.raises(StatementInterrupted):
        calls[0].call(make_operation(WAITS))
    assert len(calls[0].records) == 1


def test_an_interrupted_retry_is_not_sent_again() -> None:
    calls: list[StatementCalls] = []
    clock = Clock(pause=lambda stop, seconds: calls[0].cancel())
    script = Script(failed(429), ok({}))
    calls.append(make_executor(script, clock=clock).begin(Settings()))
    with pytest.raises(StatementInterrupted):
        calls[0].call(make_operation(write_method()))
    assert len(script.requests) == 1
