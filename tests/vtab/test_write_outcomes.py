"""What becomes of each row of a write."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from sqlprovider.config import Settings
from sqlprovider.errors import (
    BackendError,
    DataError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
    RequestLimitError,
    StatementInterrupted,
    TransportError,
    UnknownColumnError,
)
from sqlprovider.execute.journal import Journal
from sqlprovider.sql.parse import parse
from sqlprovider.sql.statement import Insert
from sqlprovider.vtab.run import Run, WritePlan
from sqlprovider.vtab.writer import Writer
from tests.vtab.jobs import ITEMS, JOBS, ROUTES
from tests.vtab.world import Asked, MakeWorld, World


def test_update_from_writes_each_row_once(make_world: MakeWorld) -> None:
    world = make_world(JOBS, ROUTES)
    world.run("CREATE TABLE w(id TEXT, n TEXT); INSERT INTO w VALUES ('a', 'x'), ('a', 'x'), ('b', 'y')")
    lines = world.asks("UPDATE p.s.jobs SET name = w.n FROM w WHERE w.id = jobs.id")
    assert sorted(line for line in lines if line.startswith("PATCH")) == [
        'PATCH /jobs/a?mask=job.name {"etag":"e1","name":"x"}',
        'PATCH /jobs/b?mask=job.name {"etag":"e2","name":"y"}',
    ]
    world.run("INSERT INTO w VALUES ('a', 'z')")
    with pytest.raises(ProgrammingError, match="matched more than once, with differing values"):
        world.run("UPDATE p.s.jobs SET name = w.n FROM w WHERE w.id = jobs.id")


@pytest.mark.parametrize(
    ("answer", "kind", "state"),
    [
        pytest.param(
            httpx.Response(400, json={"code": "bad", "message": "no"}), BackendError, "failed", id="refused"
        ),
        pytest.param(
            httpx.Response(409, json={"code": "exists", "message": "is"}),
            IntegrityError,
            "failed",
            id="exists",
        ),
        pytest.param(httpx.Response(502, text="lost"), BackendError, "unknown", id="a gateway lost it"),
        pytest.param(httpx.Response(200, text="{"), DataError, "unknown", id="an unreadable answer"),
    ],
)
def test_every_row_says_what_became_of_it(
    make_world: MakeWorld, answer: httpx.Response, kind: type[Exception], state: str
) -> None:
    def create(asked: Asked) -> object:
        return answer if asked.body["name"] == "bad" else {"job": {"id": "j", **asked.body}}

    world = make_world(JOBS, {"POST /jobs": create})
    with pytest.raises(
        kind, match=r"INSERT into p.s.jobs: row 2 of 3, after 2 accepted and with 0 not tried"
    ):
        world.run(
            "INSERT INTO p.s.jobs (name, at) VALUES ('good', 0), ('bad', 0), (x'01', 0)".replace(
                "x'01'", "'last'"
            )
        )
    assert [row["state"] for row in world.last_write] == ["accepted", state, "accepted"]
    assert world.last_write[1]["input_row"] == '{"name":"bad","at":0}'
    assert (world.last_write[0]["key"], world.last_write[0]["http_status"]) == ("id=j", 200)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        pytest.param(httpx.ConnectError("refused"), "failed", id="never sent"),
        pytest.param(httpx.ReadError("cut"), "unknown", id="cut off"),
    ],
)
def test_a_lost_connection_is_unknown_unless_nothing_was_sent(
    make_world: MakeWorld, error: Exception, state: str
) -> None:
    def create(asked: Asked) -> object:
        raise error

    world = make_world(JOBS, {"POST /jobs": create})
    with pytest.raises(TransportError):
        world.run("INSERT INTO p.s.jobs (name) VALUES ('n')")
    assert [row["state"] for row in world.last_write] == [state]


def test_known_requests_above_the_limit_are_refused_before_the_first(make_world: MakeWorld) -> None:
    world = make_world(JOBS, ROUTES, settings=Settings(max_requests=2))
    with pytest.raises(RequestLimitError, match="3 requests are known to be needed") as raised:
        world.run("INSERT INTO p.s.jobs (name) VALUES ('a'), ('b'), ('c')")
    assert (str(raised.value.hint)[:16], world.lines) == ("--max-requests 3", [])


def test_a_session_that_must_not_write_does_not_read_either(make_world: MakeWorld) -> None:
    world = make_world(JOBS, ROUTES, settings=Settings(read_only=True))
    for sql in (
        "INSERT INTO p.s.jobs (name) SELECT name FROM p.s.jobs",
        "UPDATE p.s.jobs SET size = size + 1",
        "DELETE FROM p.s.jobs WHERE size = 1",
        "EXEC p.s.jobs.set_tag @id='a', @key='k', @value='v'",
    ):
        with pytest.raises(NotSupportedError, match="the session is read-only"):
            world.run(sql)
    assert world.lines == []


def test_a_dry_run_sends_nothing_and_tries_no_row(make_world: MakeWorld) -> None:
    world = make_world(JOBS, ROUTES, settings=Settings(dry_run=True))
    assert world.run("INSERT INTO p.s.jobs (name) VALUES ('n') RETURNING id") == []
    assert (world.lines, [row["state"] for row in world.last_write]) == ([], ["not_tried"])


WAITING = """
  trips:
    key: [id]
    parameters: {id: {path: id}}
    columns: {name: TEXT}
    methods:
      list: {verb: SELECT, http: GET /trips, rows: "trips[]", pages: one}
      create: {verb: INSERT, http: POST /trips, body_columns: [name], wait: true, answers: item}
      delete: {verb: DELETE, http: "DELETE /trips/{id}", wait: true, missing: true}
"""


def test_a_long_running_operation_is_waited_for_and_its_result_is_the_row(make_world: MakeWorld) -> None:
    polls = iter([{"name": "o1"}, {"name": "o1", "done": True, "response": {"id": "t", "name": "n"}}])
    world = make_world(WAITING, {"POST /trips": {"name": "o1"}, "GET /ops/o1": lambda asked: next(polls)})
    assert world.run("INSERT INTO p.s.trips (name) VALUES ('n') RETURNING id, name") == [("t", "n")]
    assert world.lines == ['POST /trips {"name":"n"}', "GET /ops/o1", "GET /ops/o1"]


def test_an_operation_that_fails_is_a_failure_and_one_that_finds_nothing_is_no_row(
    make_world: MakeWorld,
) -> None:
    failed = {"name": "o", "done": True, "error": {"code": "bad", "message": "it broke"}}
    gone = {"name": "o", "done": True, "error": {"code": "missing", "message": "not there"}}
    world = make_world(WAITING, {"POST /trips": failed, "DELETE /trips/t": gone})
    with pytest.raises(BackendError):
        world.run("INSERT INTO p.s.trips (name) VALUES ('n')")
    assert [row["state"] for row in world.last_write] == ["failed"]
    world.run("DELETE FROM p.s.trips WHERE id = 't'")
    assert (world.rowcount, world.last_write) == (0, ())


def test_a_row_of_several_requests_says_how_many_were_accepted(make_world: MakeWorld) -> None:
    refused = httpx.Response(400, json={"code": "bad", "message": "no such tag"})
    world = make_world(JOBS, {**ROUTES, "(?:POST|DELETE) /jobs/(.+)/(?:tags|notes)": refused})
    with pytest.raises(BackendError, match=r"row 1 of 1 \(id=a\), 1 of its 2 requests were accepted"):
        world.run("""UPDATE p.s.jobs SET name = 'x', tags = '{"k": "w"}' WHERE id = 'a'""")


def test_returning_has_the_answer_of_every_request_of_a_row(make_world: MakeWorld) -> None:
    world = make_world(JOBS, ROUTES)
    update = """UPDATE p.s.jobs SET name = 'x', tags = '{"k": "w"}' WHERE id = 'a' RETURNING etag, tags"""
    assert world.run(update) == [("e8", '{"k":"w"}')]


def test_returning_knows_the_targets_other_name(make_world: MakeWorld) -> None:
    world = make_world(JOBS, ROUTES)
    assert world.run("UPDATE p.s.jobs AS j SET size = j.size + 1 WHERE j.id = 'a' RETURNING j.size") == [(2,)]


def test_ctrl_c_in_a_write_says_what_became_of_each_row(make_world: MakeWorld) -> None:
    is_over = threading.Event()

    def create(asked: Asked) -> object:
        if asked.body["name"] == "second":
            raise KeyboardInterrupt
        if asked.body["name"] != "first":
            is_over.wait(5)
        return {"job": {"id": "j", **asked.body}}

    world = make_world(JOBS, {"POST /jobs": create})
    with pytest.raises(StatementInterrupted, match=r"row [12] of 60") as raised:
        names = ", ".join(f"('{n}')" for n in ("first", "second", *range(58)))
        world.run(f"INSERT INTO p.s.jobs (name) VALUES {names}")
    is_over.set()
    states = [row["state"] for row in world.last_write]
    assert (states[1], states[-1]) == ("unknown", "not_tried")
    # Whether the first one's answer was taken before is a matter of luck; what is said of it is not.
    accepted, unknown, untried = map(states.count, ("accepted", "unknown", "not_tried"))
    said = f"row {1 + accepted} of 60, after {accepted} accepted and with {untried} not tried, "
    assert f"{said}{unknown - 1} more unknown" in str(raised.value)


def test_explain_of_an_insert_without_columns_takes_the_visible_ones(make_world: MakeWorld) -> None:
    world = make_world(JOBS, ROUTES)
    with pytest.raises(UnknownColumnError, match="create does not take notes, etag"):
        world.run("EXPLAIN INSERT INTO p.s.jobs VALUES ('i', 'n', 'OPEN', 1, '{}', '{}', 0, 'e')")


def test_a_journal_line_before_the_answer_says_that_the_row_is_unknown(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = make_world(JOBS, ROUTES)
    journal = Journal(tmp_path, environ={}, now=lambda: 0.0)
    written(world, "INSERT INTO p.s.jobs (name) VALUES ('n')", journal=journal)
    lines = [(row["phase"], row["state"]) for row in journal.read()]
    assert lines == [("sending", "unknown"), ("answered", "accepted")]


def test_what_is_shown_to_whoever_is_asked_holds_no_secret(make_world: MakeWorld) -> None:
    world = make_world(JOBS.replace("dry: {", "pass: {in: body, secret: true}, dry: {"), ROUTES)
    shown: list[WritePlan] = []

    def confirm(plan: WritePlan) -> bool:
        shown.append(plan)
        return True

    written(world, "INSERT INTO p.s.jobs (name, pass) VALUES ('n', 'hush')", confirm=confirm)
    assert [plan.examples for plan in shown] == [("name=n, pass=***",)]
    assert '"pass":"hush"' in world.lines[0]


def test_a_row_that_only_a_list_gives_gets_a_last_look_too(make_world: MakeWorld) -> None:
    def listed(asked: Asked) -> object:
        if "id" not in asked.query:
            return {"jobs": [*ITEMS.values()]}
        return {"jobs": [{**ITEMS["a"], "size": 7}]} if asked.query["id"] == "a" else {"jobs": [ITEMS["b"]]}

    found = (
        "find: {verb: SELECT, http: GET /jobs, parameters: {id: {in: query, required: true}},"
        ' rows: "jobs[]", pages: one}'
    )
    resources = "\n".join(
        f"      {found}" if line.lstrip().startswith("get:") else line
        for line in JOBS.splitlines()
        if "precondition" not in line
    )
    world = make_world(resources, {**ROUTES, "GET /jobs": listed})
    with pytest.raises(IntegrityError, match="size was 1 when it was read, is 7 now, and was to become 11"):
        world.run("UPDATE p.s.jobs SET size = size + 10 WHERE size > 0")
    patched = [line for line in world.lines if line.startswith("PATCH")]
    assert all(line.startswith("PATCH /jobs/b") for line in patched)


def written(world: World, text: str, **options: Any) -> None:
    """Writes an INSERT under a run of the test's own making."""
    (statement,) = parse(text, world.names)
    assert isinstance(statement, Insert)
    run = Run((), world.calls, world.settings, **options)
    Writer(world.engine, run).write(world.statements.plan(statement, run))
