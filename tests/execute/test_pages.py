"""Lists, over a function that answers: which pages, in which order, how many at once."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from sqlprovider.catalog.model import Pages
from sqlprovider.config import Settings
from sqlprovider.errors import (
    AuthError,
    BackendError,
    DataError,
)
from sqlprovider.execute.feed import IN_FLIGHT
from sqlprovider.execute.pool import DaemonPool
from sqlprovider.plan.model import Operation
from tests.execute.build import (
    ITEMS,
    NOT_FOUND,
    Script,
    failed,
    json_answer,
    list_method,
    lists,
    make_executor,
    make_operation,
    names,
    ok,
    pages_of,
)


def test_every_page_of_a_list_is_read_in_order() -> None:
    executor = make_executor(pages_of(ITEMS, 3))
    calls = executor.begin(Settings())
    pages = list(calls.pages(lists("e")))
    assert [names(page.items) for page in pages] == [["r0", "r1", "r2"], ["r3", "r4", "r5"], ["r6"]]
    assert [record.sequence for record in calls.records] == [1, 2, 3]
    executor.close()


def test_pages_come_in_the_order_of_the_operations_whichever_is_answered_first() -> None:
    second_is_answered = threading.Event()

    def answer(request: httpx.Request) -> httpx.Response:
        experiment = request.url.params["experiment"]
        if experiment == "a":
            assert second_is_answered.wait(5)
        else:
            second_is_answered.set()
        return ok({"runs": [{"name": experiment}]})

    calls = make_executor(answer).begin(Settings())
    assert [names(page.items) for page in calls.pages(lists("a", "b", "c"))] == [["a"], ["b"], ["c"]]


def test_sixteen_calls_are_sent_before_the_first_is_answered() -> None:
    asked, answered = threading.Semaphore(0), threading.Event()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.release()
        answered.wait(5)
        return ok()

    calls = make_executor(answer).begin(Settings())
    pool = DaemonPool(1)
    read = pool.submit(lambda: len(list(calls.pages(lists(*map(str, range(40)))))))
    assert all(asked.acquire(timeout=5) for _ in range(16))
    assert not asked.acquire(timeout=0.05)
    answered.set()
    assert read.result(5) == 40
    pool.close()


def test_thirty_two_calls_are_under_way_at_once_and_no_more() -> None:
    under_way, most, came, lock = 0, 0, 0.0, threading.Lock()

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most, came
        with lock:
            under_way += 1
            most = max(most, under_way)
            came = time.monotonic()
        while (left := came + 0.005 - time.monotonic()) > 0:  # until nobody comes any more
            stop.wait(left)
        with lock:
            under_way -= 1
        return ok()

    stop = threading.Event()
    calls = make_executor(answer).begin(Settings())
    assert len(list(calls.pages(lists(*map(str, range(700)))))) == 700
    assert most == IN_FLIGHT == 32


def test_operations_are_pulled_as_room_is_made() -> None:
    pulled = 0

    def operations() -> Iterator[Operation]:
        nonlocal pulled
        for name in range(100):
            pulled += 1
            yield from lists(str(name))

    pages = make_executor(json_answer({"runs": []})).begin(Settings()).pages(operations())
    next(pages)
    assert pulled == IN_FLIGHT
    next(pages)
    assert pulled == IN_FLIGHT + 1
    pages.close()


def test_the_next_page_is_asked_for_before_the_one_in_hand_is_given() -> None:
    asked = threading.Semaphore(0)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.release()
        return pages_of(ITEMS, 3)(request)

    pages = make_executor(answer).begin(Settings()).pages(lists("e"))
    next(pages)
    assert asked.acquire(timeout=5) and asked.acquire(timeout=5)
    assert not asked.acquire(timeout=0.05)
    pages.close()


def test_with_a_page_size_nothing_is_fetched_ahead() -> None:
    script = Script(*[ok({"runs": ITEMS[:2], "next_page_token": str(n)}) for n in range(9)])
    pages = make_executor(script).begin(Settings()).pages(lists("e", page_size=2))
    next(pages)
    assert [request.url.params["max_results"] for request in script.requests] == ["2"]
    next(pages)
    assert len(script.requests) == 2
    pages.close()


def test_with_a_page_size_operations_start_one_by_one_and_then_faster() -> None:
    calls = make_executor(json_answer({"runs": []})).begin(Settings())
    pulled: list[str] = []

    def operations() -> Iterator[Operation]:
        for name in range(100):
            pulled.append(str(name))
            yield from lists(str(name), page_size=1)

    pages = calls.pages(operations())
    seen = []
    for _ in range(7):
        next(pages)
        seen.append(len(pulled))
    assert seen == [1, 3, 6, 11, 20, 5 + IN_FLIGHT, 6 + IN_FLIGHT]
    pages.close()


def test_many_scans_may_be_open_at_once() -> None:
    # More scans than threads, each fed by the one before it: a thread that waited for another would hang.
    calls = make_executor(pages_of(ITEMS, 1)).begin(Settings())

    def scan(depth: int) -> Iterator[str]:
        operations = (
            make_operation(list_method(), experiment=name) for name in (scan(depth - 1) if depth else "x")
        )
        for page in calls.pages(operations):
            yield from (str(name) for name in names(page.items)[:1])
            return

    assert [list(scan(depth)) for depth in range(20)] == [["r0"]] * 20


def test_closing_a_scan_drops_what_is_queued() -> None:
    gate, asked = threading.Event(), itertools.count()

    def answer(request: httpx.Request) -> httpx.Response:
        if next(asked):
            gate.wait(5)  # the only thread that is free has the second one now, and the others are queued
        return ok({"runs": []})

    executor = make_executor(answer)
    hanging = [executor.pool.submit(lambda: gate.wait(5)) for _ in range(executor.pool.size - 1)]
    pages = executor.begin(Settings()).pages(lists(*map(str, range(IN_FLIGHT))))
    next(pages)
    pages.close()
    gate.set()
    for future in [*hanging, executor.pool.submit(lambda: True)]:
        assert future.result(5)
    assert next(asked) <= 2
    executor.close()


@pytest.mark.parametrize(
    ("third", "kind"),
    [
        pytest.param(ok("<html>"), DataError, id="not an object"),
        pytest.param(ok({"runs": 3}), DataError, id="wrong shape"),
        pytest.param(failed(403), AuthError, id="403"),
        pytest.param(failed(404, NOT_FOUND), BackendError, id="not found on a later page"),
    ],
)
def test_a_failure_on_a_later_page_fails_the_list(third: httpx.Response, kind: type[Exception]) -> None:
    before = [ok({"runs": ITEMS[:1], "next_page_token": str(n)}) for n in range(2)]
    calls = make_executor(Script(*before, third)).begin(Settings())
    pages = calls.pages(lists("e", method=list_method(missing=True)))
    assert len([next(pages), next(pages)]) == 2
    with pytest.raises(kind, match=r"^c\.s\.runs\.list: "):
        next(pages)


def test_a_missing_parent_is_a_page_without_rows() -> None:
    calls = make_executor(Script(failed(404, NOT_FOUND))).begin(Settings())
    (page,) = calls.pages(lists("e", method=list_method(missing=True)))
    assert (page.missing, page.items) == (True, [])


def test_an_endless_list_fails_only_if_more_is_asked_for() -> None:
    calls = make_executor(json_answer({"runs": ITEMS[:1], "next_page_token": "a"})).begin(Settings())
    pages = calls.pages(lists("e"))
    assert len([next(pages), next(pages)]) == 2
    with pytest.raises(DataError, match="no end"):
        next(pages)


def test_a_full_answer_at_its_cap_fails_the_list() -> None:
    method = list_method(pages=Pages("cap", size="max_results", size_max=1))
    with pytest.raises(DataError, match="there may be more"):
        list(
            make_executor(json_answer({"runs": ITEMS[:1]})).begin(Settings()).pages(lists("e", method=method))
        )


def test_an_error_of_the_second_operation_comes_after_the_first_ones_pages() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return ok() if request.url.params["experiment"] == "a" else failed(403)

    pages = make_executor(answer).begin(Settings()).pages(lists("a", "b"))
    assert names(next(pages).items) == ["r0"]
    with pytest.raises(AuthError):
        next(pages)


@pytest.mark.parametrize("late", [2, 3], ids=["the second page is late", "the third page is late"])
def test_rows_that_come_while_numbered_pages_are_fetched_together_do_no_harm(late: int) -> None:
    # Each answer finds one row more. Pages two and three are asked for together, and one waits for the other.
    first_of_two, rows, lock = threading.Event(), 11, threading.Lock()

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal rows
        number = int(request.url.params["page_token"])
        if number == late:
            assert first_of_two.wait(5)
        with lock:
            rows += 1
            found = list(range(rows, 0, -1))[5 * (number - 1) : 5 * number]
            total = rows
        if number == 5 - late:
            first_of_two.set()
        return ok({"runs": [{"name": str(name)} for name in found], "total": total})

    pages = Pages("number", parameter="page_token", total=("total",), first=1)
    listed = make_executor(answer).begin(Settings()).pages(lists("e", method=list_method(pages=pages)))
    assert {name for page in listed for name in names(page.items)} >= {str(name) for name in range(1, 13)}
