"""BEGIN … COMMIT over resources and local tables: what is sent, when, and what a failure leaves."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from sqlprovider.config import load_config
from sqlprovider.errors import BackendError, IntegrityError, NotSupportedError, ProgrammingError
from sqlprovider.session import Session, provider_names
from sqlprovider.values import Row
from tests.fakes.vertex import VertexState, vertex_app, vertex_small

HERE = "tensorboardsId = 't' AND experimentsId = 'e2'"
CONFIG = {
    "connections": {
        "google": {
            "base_url": "http://127.0.0.1:9",
            "auth": {"type": "none"},
            "defaults": {"projectsId": "p", "locationsId": "l"},
        }
    }
}


@pytest.fixture
def state() -> VertexState:
    return vertex_small()


@pytest.fixture
def session(state: VertexState) -> Iterator[Session]:
    config = load_config(CONFIG, environ={}, providers=provider_names())
    made = Session(config, transport=httpx.WSGITransport(vertex_app(state)), environ={})
    yield made
    made.close()


def run(session: Session, text: str) -> list[Row]:
    rows: list[Row] = []
    for result in session.run(text):
        rows = list(result.rows)
    return rows


def described(state: VertexState, run_id: str) -> object:
    return state.get(f"projects/p/locations/l/tensorboards/t/experiments/e2/runs/{run_id}").get("description")


def set_to(text: str, run_id: str) -> str:
    return f"UPDATE google.aiplatform.runs SET description = '{text}' WHERE {HERE} AND runsId = '{run_id}'"


def test_writes_are_sent_at_commit_and_not_before(session: Session, state: VertexState) -> None:
    run(session, f"BEGIN; CREATE TABLE t(a); {set_to('x', 'r01')}")
    assert [row["state"] for row in session.last_write] == ["staged"]
    assert described(state, "r01") != "x"
    run(session, "COMMIT")
    assert (described(state, "r01"), [row["state"] for row in session.last_write]) == ("x", ["accepted"])
    assert run(session, "SELECT count(*) FROM t") == [(0,)]


def test_rollback_drops_what_is_staged(session: Session, state: VertexState) -> None:
    run(session, f"BEGIN; {set_to('x', 'r01')}; ROLLBACK; BEGIN; COMMIT")
    assert described(state, "r01") != "x"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param("BEGIN; {a}; SAVEPOINT s; {b}; ROLLBACK TO s; COMMIT", ("a", None), id="rollback to"),
        pytest.param("BEGIN; {a}; SAVEPOINT s; {b}; RELEASE s; COMMIT", ("a", "b"), id="release"),
        pytest.param("SAVEPOINT s; {a}; SAVEPOINT t; {b}; RELEASE t; RELEASE s", ("a", "b"), id="outermost"),
        pytest.param(
            "SAVEPOINT s; {a}; SAVEPOINT S; {b}; ROLLBACK TO s; END", ("a", None), id="the latest of a name"
        ),
        pytest.param(
            "BEGIN; SAVEPOINT s; {a}; ROLLBACK TO s; {b}; COMMIT", (None, "b"), id="and on after it"
        ),
        pytest.param(
            "/* c */ begin immediate; {a}; -- c\n end transaction", ("a", None), id="spelled freely"
        ),
    ],
)
def test_savepoints_work_on_what_is_staged(
    session: Session, state: VertexState, script: str, expected: tuple[object, object]
) -> None:
    before = (described(state, "r01"), described(state, "r02"))
    run(session, script.format(a=set_to("a", "r01"), b=set_to("b", "r02")))
    wanted = tuple(new or old for new, old in zip(expected, before, strict=True))
    assert (described(state, "r01"), described(state, "r02")) == wanted
    assert not session.in_transaction


def test_a_failed_commit_rolls_the_local_part_back_and_says_what_was_sent(
    session: Session, state: VertexState
) -> None:
    run(session, "CREATE TABLE t(a)")
    cancel = "EXEC google.aiplatform.custom_jobs.cancel @customJobsId = 'nosuch'"
    script = f"BEGIN; INSERT INTO t VALUES (1); {set_to('a', 'r01')}; {cancel}; {set_to('b', 'r02')}"
    run(session, script)
    with pytest.raises(BackendError) as raised:
        run(session, "COMMIT")
    assert [row["state"] for row in raised.value.rows] == ["accepted", "failed", "not_tried"]
    assert [row["sequence"] for row in raised.value.rows] == [1, 2, 3]
    assert (described(state, "r01"), session.in_transaction) == ("a", False)
    assert run(session, "SELECT count(*) FROM t") == [(0,)]
    assert run(session, "SELECT state FROM sqlprovider.last_write") == [
        ("accepted",),
        ("failed",),
        ("not_tried",),
    ]


def test_a_later_write_of_the_same_row_goes_by_what_the_earlier_made_of_it(
    session: Session, state: VertexState
) -> None:
    before = described(state, "r01")
    run(session, f"BEGIN; {set_to('between', 'r01')}; {set_to(str(before or ''), 'r01')}; COMMIT")
    assert (described(state, "r01") or "") == (before or "")
    assert [row["state"] for row in session.last_write] == ["accepted", "accepted"]
    run(
        session,
        f"BEGIN; DELETE FROM google.aiplatform.runs WHERE {HERE} AND runsId = 'r02'; "
        f"{set_to('x', 'r02')}; COMMIT",
    )
    assert [row["state"] for row in session.last_write] == ["accepted"]


def test_what_is_refused_is_refused_before_it_is_staged(session: Session) -> None:
    columns = "tensorboardsId, experimentsId, tensorboardRunId, displayName"
    twice = f"INSERT INTO google.aiplatform.runs ({columns}) VALUES ('t','e2','n','a'), ('t','e2','n','b')"
    run(session, f"BEGIN; {set_to('x', 'r01')}")
    with pytest.raises(IntegrityError, match="two rows have the key"):
        run(session, twice)
    run(session, "SET max_rows = 1")
    with pytest.raises(ProgrammingError, match="max_rows is 1"):
        run(session, f"DELETE FROM google.aiplatform.runs WHERE {HERE} AND displayName LIKE 'seed%'")
    run(session, "COMMIT")
    assert [row["state"] for row in session.last_write] == ["accepted"]


def test_returning_and_a_staged_write_do_not_go_together(session: Session) -> None:
    run(session, "BEGIN")
    with pytest.raises(NotSupportedError, match="RETURNING inside a transaction"):
        run(session, set_to("a", "r01") + " RETURNING description")


def test_a_select_shows_the_servers_state(session: Session) -> None:
    run(session, f"BEGIN; {set_to('staged', 'r01')}")
    sql = f"SELECT count(*) FROM google.aiplatform.runs WHERE {HERE} AND description = 'staged'"
    assert run(session, sql) == [(0,)]
