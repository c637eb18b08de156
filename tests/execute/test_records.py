"""What a statement says of the requests it made."""

from __future__ import annotations

import threading

import httpx
import pytest

from sqlprovider.config import Settings
from sqlprovider.errors import (
    BackendError,
)
from sqlprovider.execute.events import RequestRecord
from tests.execute.build import (
    DEAD,
    ITEMS,
    FakeClock,
    Script,
    json_answer,
    lists,
    make_executor,
    ok,
)


def test_a_record_says_what_was_sent_and_what_came() -> None:
    events: list[RequestRecord] = []
    executor = make_executor(
        json_answer({"runs": ITEMS}, headers={"X-Request-Id": "q7"}), clock=FakeClock().clock()
    )
    calls = executor.begin(Settings(), on_event=events.append)
    list(calls.pages(lists("e 1")))
    record = RequestRecord(
        sequence=1,
        connection="c",
        resource="c.s.runs",
        method="list",
        http_method="GET",
        url="http://127.0.0.1:9/v1/runs?experiment=e%201&max_results=100",
        status=200,
        attempt=1,
        ms=0.0,
        rows=7,
        request_id="q7",
    )
    assert events == calls.records == [record]


def test_a_lost_exchange_is_recorded_without_a_status() -> None:
    calls = make_executor(Script(httpx.ReadError("reset"), ok()), clock=FakeClock().clock()).begin(Settings())
    list(calls.pages(lists("e")))
    assert [(record.status, record.rows) for record in calls.records] == [(None, None), (200, 1)]


def test_an_error_answer_is_recorded_without_rows() -> None:
    calls = make_executor(json_answer(DEAD, 400)).begin(Settings())
    with pytest.raises(BackendError):
        list(calls.pages(lists("e")))
    assert [(record.status, record.rows) for record in calls.records] == [(400, None)]


def test_listeners_are_called_one_at_a_time() -> None:
    inside, overlaps = threading.Lock(), []

    def listen(record: RequestRecord) -> None:
        if not inside.acquire(blocking=False):
            overlaps.append(record)
            return
        threading.Event().wait(0.001)
        inside.release()

    calls = make_executor(json_answer({"runs": []})).begin(Settings(), on_event=listen)
    list(calls.pages(lists(*map(str, range(30)))))
    assert overlaps == []


def test_statements_keep_their_records_apart() -> None:
    executor = make_executor(json_answer({"runs": []}))
    first, second = executor.begin(Settings()), executor.begin(Settings())
    list(first.pages(lists("a")))
    list(second.pages(lists("b", "c")))
    assert (len(first.records), len(second.records)) == (1, 2)
