"""The gates before the sockets: as many calls at once, and as often, as the API takes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from dataclasses import astuple, fields, replace
from functools import partial
from typing import Any

import pytest

from sqlprovider.catalog.catalog import Catalog
from sqlprovider.catalog.quota import Quota
from sqlprovider.config import Settings
from sqlprovider.errors import BackendError, StatementInterrupted
from sqlprovider.execute.clock import Clock
from sqlprovider.execute.limits import Gate, LimitRecord, Limits
from sqlprovider.execute.pace import Allowance
from sqlprovider.execute.pool import DaemonPool, Tasks
from sqlprovider.execute.retry import Outcome
from sqlprovider.vtab.system import system_tables
from tests.execute.build import (
    FakeClock,
    Script,
    failed,
    list_method,
    lists,
    make_executor,
    make_method,
    make_operation,
    make_provider,
    make_service,
    ok,
    write_method,
)
from tests.fakes.loopback import Loopback

OK = Outcome(status=200)
FULL = Outcome(status=429)
NOBODY = threading.Event()
"""A statement that is not stopped."""


class Narrow:
    """A WSGI app that works at `places` requests at a time and refuses the others.

    It answers once nobody has come for `seconds`: however slow the machine, calls that may be under way
    together meet here.
    """

    def __init__(self, places: int, *, seconds: float, retry_after: str | None = None) -> None:
        self.seen = 0
        self.refused = 0
        self.most = 0
        self._places = places
        self._seconds = seconds
        self._headers = [] if retry_after is None else [("Retry-After", retry_after)]
        self._busy = 0
        self._came = 0.0
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        with self._lock:
            self.seen += 1
            if self._busy >= self._places:
                self.refused += 1
                start_response("429 Too Many Requests", self._headers)
                return [b"{}"]
            self._busy += 1
            self.most = max(self.most, self._busy)
            self._came = time.monotonic()
        while (left := self._came + self._seconds - time.monotonic()) > 0:
            NOBODY.wait(left)
        with self._lock:
            self._busy -= 1
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps({"runs": [{"name": "r"}]}).encode()]


@pytest.mark.parametrize(
    ("places", "retry_after"),
    [
        pytest.param(10, None, id="ten at a time"),
        pytest.param(10, "0.2", id="ten at a time, which says when to come back"),
        pytest.param(24, None, id="more than the calls of the first wave"),
    ],
)
def test_a_hundred_workers_are_hardly_ever_refused(places: int, retry_after: str | None) -> None:
    app = Narrow(places, seconds=0.005, retry_after=retry_after)
    with Loopback(app) as server:
        executor = make_executor(base_url=server.base_url)
        calls = executor.begin(Settings(max_requests=5000))
        with Tasks(DaemonPool(100)) as tasks:
            found = [calls.start(operation, tasks) for operation in lists(*map(str, range(1500)))]
            answers = [tasks.result(future) for future in found]
        executor.close()
    assert len(answers) == 1500
    assert app.seen == 1500 + app.refused
    assert app.refused < 0.02 * app.seen
    assert app.most == places
    (gate,) = executor.limits.records()
    assert (gate.throttled, gate.in_flight, gate.waiting) == (app.refused, 0, 0)


def test_nobody_waits_at_a_gate_where_nothing_was_refused() -> None:
    gate = Gate("c", Quota("s"), Clock())
    turns = [gate.enter(NOBODY) for _ in range(16)]
    for turn in turns:
        gate.leave(turn, OK)
    assert gate.record().concurrency == 17
    """The first answer, with all places taken, makes room; the others came when there was room."""


def grown(allowance: Allowance, answers: int, now: float = 0.0) -> list[int]:
    """The number in force after each of so many answers, every place being taken."""
    found = []
    for _ in range(answers):
        allowance.accepted(in_flight=allowance.now, now=now)
        found.append(allowance.now)
    return found


def refuse_wave(allowance: Allowance, accepted: int, now: float = 0.0) -> None:
    """All calls under way beyond so many are refused, one after the other."""
    epoch = allowance.epoch
    for others in range(allowance.now - 1, accepted - 1, -1):
        allowance.refused(epoch=epoch, others=others, now=now)


def test_it_starts_quickly_and_goes_on_slowly() -> None:
    steps = grown(Allowance(), 16 + 32 + 33)
    assert (steps[15], steps[15 + 32], steps[-1]) == (32, 33, 34)


def test_a_refused_wave_leaves_what_was_taken() -> None:
    allowance = Allowance()
    refuse_wave(allowance, accepted=10)
    assert allowance.now == 10


def test_a_wave_takes_half_at_most() -> None:
    allowance = Allowance()
    refuse_wave(allowance, accepted=1)
    assert allowance.now == 8
    refuse_wave(allowance, accepted=1)
    assert allowance.now == 4


def test_one_more_is_tried_ever_more_rarely() -> None:
    allowance, tried = Allowance(), []
    refuse_wave(allowance, accepted=10)
    for _ in range(4):
        answers = 0
        while allowance.now == 10:
            answers += 1
            grown(allowance, 1)
        tried.append(answers)
        refuse_wave(allowance, accepted=10)
        assert allowance.now == 10
    assert tried == [50, 100, 200, 400]


def test_a_try_that_is_taken_leads_to_the_next_one_sooner() -> None:
    allowance = Allowance()
    refuse_wave(allowance, accepted=8)
    steps = grown(allowance, 50 + 50 + 25)
    assert [steps.index(number) + 1 for number in (9, 10, 11)] == [50, 100, 125]


def test_a_failed_try_falls_back_to_what_was_held_even_if_two_are_refused() -> None:
    allowance = Allowance()
    refuse_wave(allowance, accepted=10)
    grown(allowance, 50)
    refuse_wave(allowance, accepted=8)
    assert allowance.now == 10


def test_a_minute_without_refusals_makes_it_try_with_every_wave() -> None:
    allowance = Allowance()
    refuse_wave(allowance, accepted=8)
    assert grown(allowance, 8 + 9, now=61.0)[-1] == 10


def test_no_more_is_tried_while_the_last_refusal_is_dear() -> None:
    allowance = Allowance()
    allowance.refused(epoch=0, others=10, now=0.0, rest=2.0)
    assert grown(allowance, 500, now=39.0)[-1] == 10
    assert grown(allowance, 50, now=41.0)[-1] == 11


def test_a_document_s_concurrency_is_never_exceeded() -> None:
    assert max(grown(Allowance(3), 500)) == 3
    assert grown(Allowance(20), 500)[-1] == 20


def test_refusals_of_the_only_call_space_the_calls_instead() -> None:
    allowance = Allowance()
    rests = [allowance.refused(epoch=0, others=0, now=0.0) for _ in range(5)]
    assert (rests, allowance.now) == ([0.25, 0.5, 1.0, 2.0, 2.0], 16)
    allowance.accepted(in_flight=1, now=0.0)
    assert allowance.refused(epoch=0, others=0, now=0.0) == 0.25


def test_one_that_is_told_to_wait_makes_all_wait() -> None:
    clock = FakeClock()
    gate = Gate("c", Quota("s"), clock.clock())
    first, second = gate.enter(NOBODY), gate.enter(NOBODY)
    gate.leave(first, Outcome(status=429, retry_after=3.0))
    gate.leave(second, OK)
    assert gate.record().paused_until == "1970-01-01 00:00:03.000"
    for _ in range(5):
        gate.enter(NOBODY)
    assert (clock.time, clock.pauses) == (3.0, [3.0])
    assert gate.record().paused_until is None


def test_another_statement_waits_too_and_its_waiting_costs_nothing() -> None:
    clock = FakeClock()
    server = Script(failed(503, retry_after="120"), failed(503, retry_after="120"), ok(), ok())
    executor = make_executor(server, clock=clock.clock(random=lambda: 0.0))
    with pytest.raises(BackendError):  # a write is not repeated
        executor.begin(Settings()).call(make_operation(write_method()))
    assert clock.time == 0.0
    calls = executor.begin(Settings(timeout=30))
    assert len(list(calls.pages(lists("e")))) == 1
    # 120 s at the gate and 120 s for its own refusal, of the 150 that its retries may take.
    assert clock.time == 240.0
    assert [(record.attempt, record.ms) for record in calls.records] == [(1, 0.0), (2, 0.0)]


def test_nobody_is_held_for_longer_than_retries_may_take() -> None:
    clock = FakeClock()
    gate = Gate("c", Quota("s"), clock.clock())
    gate.leave(gate.enter(NOBODY), Outcome(status=429, retry_after=3600.0))
    gate.enter(NOBODY)
    assert clock.pauses == []


@pytest.mark.parametrize("per_minute", [0.5, 7, 60, 90, 600, 6000])
def test_calls_a_minute_are_spread_evenly_and_all_used(per_minute: float) -> None:
    clock = FakeClock()
    gate = Gate("c", Quota("s", per_minute=per_minute), clock.clock())
    starts = []
    for _ in range(250):
        turn = gate.enter(NOBODY)
        starts.append(clock.time)
        gate.leave(turn, OK)
    a_second = per_minute / 60
    burst = 1 + min(9, a_second)
    for place, began in enumerate(starts):
        allowed = burst + a_second * began
        assert place + 1 <= allowed + 0.001
        assert place + 1 >= allowed - burst - 0.001


def test_a_thread_that_wakes_late_makes_up_for_it() -> None:
    clock = FakeClock()
    exact = clock.clock()
    late = replace(exact, pause=lambda stop, seconds: exact.pause(stop, seconds + 0.3))
    gate = Gate("c", Quota("s", per_minute=60), late)
    for _ in range(101):
        gate.leave(gate.enter(NOBODY), OK)
    assert clock.time < 100.5


def test_a_document_s_calls_a_minute_reach_the_wire() -> None:
    clock = FakeClock()
    method = list_method(quota=Quota("slow", per_minute=1))
    executor = make_executor(lambda request: ok(), clock=clock.clock())
    calls = executor.begin(Settings(timeout=5))
    operations = lists("a", "b", "c", method=method)
    assert len([page for operation in operations for page in calls.pages([operation])]) == 3
    assert clock.time == pytest.approx(119, abs=1)
    assert [record.ms for record in calls.records] == [0.0, 0.0, 0.0]
    assert [(gate.scope, gate.per_minute) for gate in executor.limits.records()] == [("slow", 1)]


def test_polls_are_counted_as_reads() -> None:
    service = make_service(quota=Quota("reads"))
    server = Script(ok({"name": "o", "done": False}), ok({"name": "o", "done": True, "response": {}}))
    executor = make_executor(
        server, provider=make_provider(services={"s": service}), clock=FakeClock().clock()
    )
    method = write_method(wait=True, quota=Quota("jobs", per_minute=1))
    executor.begin(Settings()).call(make_operation(method))
    assert [gate.scope for gate in executor.limits.records()] == ["jobs", "reads"]


def test_a_scope_that_rests_disturbs_no_other() -> None:
    clock = FakeClock()
    limits = Limits(clock.clock())
    jobs = limits.gate("c", Quota("jobs", concurrency=1))
    jobs.leave(jobs.enter(NOBODY), Outcome(status=429, retry_after=60.0))
    for connection, scope in (("c", "reads"), ("d", "jobs")):
        limits.gate(connection, Quota(scope)).enter(NOBODY)
    assert clock.pauses == []
    assert limits.gate("c", Quota("jobs")) is jobs
    found = [(gate.connection, gate.scope, gate.throttled) for gate in limits.records()]
    assert found == [("c", "jobs", 1), ("c", "reads", 0), ("d", "jobs", 0)]


@contextmanager
def waiting(gate: Gate, *stops: threading.Event) -> Iterator[list[Future[str]]]:
    """One thread a stop, each waiting at the gate, in that order; each gives what came of it."""
    pool, found = DaemonPool(len(stops)), []
    for place, stop in enumerate(stops):
        found.append(pool.submit(partial(_entered, gate, stop)))
        while gate.record().waiting <= place:
            time.sleep(0.001)
    yield found
    pool.close()


def _entered(gate: Gate, stop: threading.Event) -> str:
    try:
        gate.leave(gate.enter(stop), OK)
    except StatementInterrupted:
        return "stopped"
    return "entered"


def test_who_waits_for_a_place_stops_with_its_statement() -> None:
    gate = Gate("c", Quota("s", concurrency=1), Clock())
    turn, stop = gate.enter(NOBODY), threading.Event()
    with waiting(gate, stop, NOBODY) as (stopped, other):
        stop.set()
        assert stopped.result(0.5) == "stopped"
        assert not other.done()
        gate.leave(turn, OK)
        assert other.result(0.5) == "entered"
    assert (gate.record().in_flight, gate.record().waiting) == (0, 0)


def test_who_waits_for_a_resting_scope_stops_with_its_statement() -> None:
    gate = Gate("c", Quota("s"), Clock())
    gate.leave(gate.enter(NOBODY), Outcome(status=503, retry_after=60.0))
    first, second = threading.Event(), threading.Event()
    with waiting(gate, first, second) as stopped:
        first.set()
        assert stopped[0].result(5) == "stopped"
        assert (gate.record().waiting, gate.record().paused_until is None) == (1, False)
        second.set()
        assert stopped[1].result(5) == "stopped"
    assert gate.record().waiting == 0


def test_calls_go_in_the_order_in_which_they_came() -> None:
    gate = Gate("c", Quota("s", concurrency=1), Clock())
    turn, order = gate.enter(NOBODY), list[int]()
    pool, done = DaemonPool(20), []

    def pass_through(number: int) -> None:
        mine = gate.enter(NOBODY)
        order.append(number)
        gate.leave(mine, OK)

    for number in range(20):
        done.append(pool.submit(partial(pass_through, number)))
        while gate.record().waiting <= number:
            time.sleep(0.001)
    gate.leave(turn, OK)
    for future in done:
        future.result(2)
    assert order == list(range(20))


def test_a_thread_is_lent_only_while_it_waits() -> None:
    clock, lent = FakeClock(), list[float]()

    def aside() -> nullcontext[None]:
        lent.append(clock.time)
        return nullcontext()

    gate = Limits(clock.clock(), aside).gate("c", Quota("s", per_minute=1))
    gate.leave(gate.enter(NOBODY), OK)
    assert lent == []
    gate.enter(NOBODY)
    assert lent == [0.0]


def test_an_exchange_that_fails_gives_its_place_back() -> None:
    executor = make_executor(Script(ConnectionResetError("x"), ok()))
    method = make_method(quota=Quota("one", concurrency=1))
    with pytest.raises(ConnectionResetError):
        list(executor.begin(Settings()).pages([make_operation(method)]))
    assert len(list(executor.begin(Settings()).pages([make_operation(method)]))) == 1


def test_the_table_of_limits_has_a_row_a_gate() -> None:
    limits = Limits(FakeClock().clock())
    gate = limits.gate("c", Quota("jobs", per_minute=60, concurrency=4))
    gate.enter(NOBODY)
    gate.leave(gate.enter(NOBODY), FULL)
    catalog = Catalog({}, lambda name, versions: make_provider())
    tables = system_tables(catalog, {}, list, list, limits=limits.records)
    table = tables["sqlprovider.limits"]
    assert [column.name for column in table.columns] == [field.name for field in fields(LimitRecord)]
    assert list(table.rows({})) == [("c", "jobs", 1, 2, 4, 60, 0, 1, None)]
    assert astuple(limits.records()[0]) == ("c", "jobs", 1, 2, 4, 60, 0, 1, None)


def test_a_scope_that_rests_leaves_the_threads_to_others() -> None:
    pool = DaemonPool(2)
    limits = Limits(Clock(), pool.aside)
    resting, other = limits.gate("c", Quota("a")), limits.gate("c", Quota("b"))
    resting.leave(resting.enter(NOBODY), Outcome(status=429, retry_after=60.0))
    with Tasks(pool) as tasks:
        for _ in range(5):
            tasks.submit(partial(_entered, resting, tasks.stop))
        assert tasks.submit(partial(_entered, other, tasks.stop)).result(1) == "entered"
    pool.close()
