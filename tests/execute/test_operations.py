"""The log of long-running operations, and the SQL that looks at one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from sqlprovider.catalog.catalog import Catalog, ConnectionSpec
from sqlprovider.catalog.load import load_provider
from sqlprovider.catalog.model import Place, Resource, Resources, Summary, WaitShape
from sqlprovider.errors import BackendError, DataError, Error, StatementInterrupted, WaitTimeoutError
from sqlprovider.execute.operations import (
    LOOK,
    Ended,
    Following,
    OperationRecord,
    Operations,
    operation_hint,
    operation_key,
)
from sqlprovider.execute.wait import Waiting
from sqlprovider.values import Name
from tests.execute.build import (
    ERRORS,
    FakeClock,
    make_method,
    make_operation,
    make_provider,
    make_service,
    parameters,
    write_method,
)

SHAPE = WaitShape("/{version}/{name}")
RUNNING: dict[str, Any] = {"name": "projects/p/operations/1"}
DONE: dict[str, Any] = {**RUNNING, "done": True, "response": {"name": "r"}}
FAILED: dict[str, Any] = {**RUNNING, "done": True, "error": {"code": 5, "message": "no such run"}}
CREATE = make_operation(
    write_method(wait=True, takes=parameters(Place.BODY, "name", column="name")), name="n"
)
RUNS = Resource(Name("c", "s", "runs"), "", (), {}, key=("name", "id"))
SERVICE = replace(
    make_service(), resources=Resources(("runs",), lambda name: RUNS, lambda name: Summary("", {}))
)
CATALOG = Catalog(
    {"c": ConnectionSpec("c", "p")}, lambda name, versions: make_provider(services={"s": SERVICE})
)
MEMORY = "1970-01-01 00:00:00.000"


class Watched:
    """One call's operation, followed."""

    def __init__(self, *answers: Any) -> None:
        self.clock = FakeClock()
        self.log = Operations(lambda: self.clock.time)
        self.following = Following(self.log, CATALOG)
        self._answers: Iterator[Any] = iter(answers)

    def follow(self, first: dict[str, Any], limit: float = 3600.0) -> Ended:
        def pause(seconds: float) -> None:
            self.clock.time += seconds

        waiting = Waiting(self._ask, pause, lambda: self.clock.time, limit)
        return self.following.follow(CREATE, first, SHAPE, waiting, errors=ERRORS)

    @property
    def record(self) -> OperationRecord:
        (record,) = self.log.records()
        return record

    def _ask(self, name: str) -> dict[str, Any]:
        answer = next(self._answers)
        if isinstance(answer, BaseException):
            raise answer
        found: dict[str, Any] = answer
        return found


def test_an_operation_that_ends_is_done() -> None:
    watched = Watched(RUNNING, DONE)
    ended = watched.follow(RUNNING)
    assert (ended.state, ended.answer, ended.error) == ("done", DONE, None)
    assert watched.record == OperationRecord(
        MEMORY,
        "c",
        "c.s.runs",
        "create",
        "name=n",
        "projects/p/operations/1",
        "done",
        None,
        "1970-01-01 00:00:01.250",
    )


def test_an_operation_that_failed_keeps_its_error() -> None:
    watched = Watched(FAILED)
    ended = watched.follow(RUNNING)
    assert ended.state == watched.record.state == "failed"
    assert ended.error is not None
    assert watched.record.error == ended.error.message == "the operation failed with NOT_FOUND: no such run"


def test_what_is_done_at_once_is_listed_and_not_asked_for() -> None:
    watched = Watched()
    assert watched.follow(DONE) == Ended("projects/p/operations/1", "done", DONE)
    assert watched.record.state == "done"


def test_what_is_done_at_once_needs_no_name() -> None:
    watched = Watched()
    assert watched.follow({"done": True}).name is None
    assert watched.log.records() == ()


def test_without_waiting_the_operation_is_named_and_runs() -> None:
    watched = Watched()
    ended = watched.follow(RUNNING, limit=0)
    assert (ended.name, ended.state) == ("projects/p/operations/1", "running")
    assert (watched.record.state, watched.record.checked_at) == ("running", MEMORY)


@pytest.mark.parametrize(
    ("answers", "limit", "error", "state", "checked_at"),
    [
        pytest.param(
            [RUNNING, StatementInterrupted("x")],
            9.0,
            StatementInterrupted,
            "running",
            "1970-01-01 00:00:00.500",
            id="Ctrl-C leaves it running",
        ),
        pytest.param(
            [RUNNING] * 99,
            0.75,
            WaitTimeoutError,
            "running",
            "1970-01-01 00:00:00.750",
            id="time that is over leaves it running",
        ),
        pytest.param(
            [BackendError("503", status=503)], 9.0, BackendError, "unknown", MEMORY, id="nobody can tell"
        ),
        pytest.param([DataError("html")] * 3, 9.0, DataError, "unknown", MEMORY, id="unreadable"),
    ],
)
def test_a_wait_that_ends_early_says_what_is_known(
    answers: list[Any], limit: float, error: type[Error], state: str, checked_at: str
) -> None:
    watched = Watched(*answers)
    with pytest.raises(error):
        watched.follow(RUNNING, limit=limit)
    assert (watched.record.state, watched.record.checked_at) == (state, checked_at)


def stopped(watched: Watched, error: BaseException) -> StatementInterrupted:
    with pytest.raises(StatementInterrupted) as caught, watched.following.named_when_stopped():
        raise error
    return caught.value


@pytest.mark.parametrize("kind", [StatementInterrupted, KeyboardInterrupt])
def test_who_is_let_go_at_once_hears_what_goes_on(kind: type[BaseException]) -> None:
    error = kind("interrupted")
    watched = Watched(DONE)
    watched.follow(RUNNING)
    watched.follow({"name": "projects/p/operations/2"}, limit=0)
    said = stopped(watched, error)
    assert said.message == "interrupted; projects/p/operations/2 goes on at the backend"
    assert said.hint == LOOK
    watched.follow({"name": "projects/p/operations/3"}, limit=0)
    again = stopped(watched, StatementInterrupted("row 1: interrupted"))
    assert again.message == "row 1: interrupted; projects/p/operations/2 and 1 more go on at the backend"


def test_what_goes_on_is_said_once_and_the_report_is_kept() -> None:
    watched = Watched()
    watched.follow(RUNNING, limit=0)
    error = StatementInterrupted("interrupted")
    error.rows = ({"state": "unknown"},)
    assert stopped(watched, error) is error
    said = error.message
    assert stopped(watched, error).message == said
    assert error.rows == ({"state": "unknown"},)


def test_nothing_is_added_where_nothing_is_waited_for() -> None:
    watched = Watched(DONE)
    watched.follow(RUNNING)
    assert str(stopped(watched, StatementInterrupted("interrupted"))) == "interrupted"
    with pytest.raises(KeyboardInterrupt), watched.following.named_when_stopped():
        raise KeyboardInterrupt


def test_the_oldest_operations_are_forgotten() -> None:
    log = Operations(lambda: 0.0)
    numbers = [log.started(CREATE, f"o{number}") for number in range(10_003)]
    log.ended(numbers[0], "done")
    records = log.records()
    assert (len(records), records[0].name, records[-1].name) == (10_000, "o3", "o10002")


# ---- the row a call is about


def keyed(*columns: str) -> Resource:
    return replace(RUNS, key=columns)


def test_a_key_is_what_the_call_says_of_it() -> None:
    takes = {
        **parameters(Place.PATH, "project", column="projectsId"),
        **parameters(Place.QUERY, "force", column="force"),
    }
    method = make_method("DELETE", "/v1/{project}", takes=takes)
    assert operation_key(make_operation(method, project="p", force=1), keyed("projectsId", "runsId")) == (
        "projectsId=p"
    )
    assert operation_key(make_operation(method), keyed("projectsId")) is None


# ---- the SQL that looks


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    specs = {name: ConnectionSpec(name, provider) for name, provider in (("g", "google"), ("m", "mlflow"))}
    return Catalog(specs, load_provider)


@pytest.mark.parametrize(
    ("started", "name", "hint"),
    [
        pytest.param(
            "runs",
            "projects/1/locations/l/tensorboards/7/experiments/e/runs/r'1/operations/9",
            "SELECT name, done, error FROM g.aiplatform.runs_operations WHERE projectsId = '1' "
            "AND locationsId = 'l' AND tensorboardsId = '7' AND experimentsId = 'e' AND runsId = 'r''1' "
            f"AND operationsId = '9'; {LOOK}",
            id="an operation below a run",
        ),
        pytest.param(
            "runs",
            "projects/1/locations/l/operations/9",
            "SELECT name, done, error FROM g.aiplatform.operations WHERE projectsId = '1' "
            f"AND locationsId = 'l' AND operationsId = '9'; {LOOK}",
            id="an operation below a location",
        ),
        pytest.param("runs", "nobody/knows/9", LOOK, id="no such resource"),
    ],
)
def test_the_hint_reads_the_operation_where_it_is_a_row(
    catalog: Catalog, started: str, name: str, hint: str
) -> None:
    assert operation_hint(catalog, Name("g", "aiplatform", started), name, SHAPE) == hint


def test_the_hint_goes_without_a_catalog_that_can_be_read(catalog: Catalog) -> None:
    assert operation_hint(catalog, Name("nowhere", "s", "runs"), "o", SHAPE) == LOOK
