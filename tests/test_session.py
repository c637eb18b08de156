"""One user's engine: the life of a statement from its text to its result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import apsw
import httpx
import pytest

from sqlprovider.config import Config, load_config
from sqlprovider.errors import (
    BackendError,
    MissingParameterError,
    NotSupportedError,
    ProgrammingError,
    StatementInterrupted,
    UnknownColumnError,
    UnknownNameError,
)
from sqlprovider.session import Session, check_document, provider_names, register
from sqlprovider.values import Row

EXPERIMENTS = [
    {"experiment_id": str(n), "name": f"e{n}", "lifecycle_stage": "active", "tags": []} for n in range(3)
]


class MakeSession(Protocol):
    def __call__(
        self, answer: Callable[[httpx.Request], httpx.Response] = ..., **options: Any
    ) -> Session: ...


def lab(request: httpx.Request) -> httpx.Response:
    """Three experiments; creating one is refused for the name `taken`."""
    if request.url.path.endswith("/experiments/search"):
        return httpx.Response(200, json={"experiments": EXPERIMENTS})
    if request.url.path.endswith("/experiments/create") and b"taken" in request.content:
        return httpx.Response(400, json={"error_code": "BAD", "message": "no"})
    return httpx.Response(200, json={"experiment_id": "9"})


def config(**settings: Any) -> Config:
    document = {"connections": {"m": {"provider": "mlflow", "base_url": "http://127.0.0.1:9"}}, **settings}
    return load_config(document, environ={}, providers=provider_names())


@pytest.fixture
def make_session() -> Iterator[MakeSession]:
    made: list[Session] = []

    def make(answer: Callable[[httpx.Request], httpx.Response] = lab, **options: Any) -> Session:
        settings = options.pop("settings", {})
        made.append(Session(config(**settings), transport=httpx.MockTransport(answer), environ={}, **options))
        return made[-1]

    yield make
    for session in made:
        session.close()


def rows(session: Session, text: str, params: Any = ()) -> list[list[Row]]:
    return [list(result.rows) for result in session.run(text, params)]


def test_each_statement_of_a_text_has_a_result(make_session: MakeSession) -> None:
    session = make_session()
    assert rows(
        session, "CREATE TABLE t(a); INSERT INTO t VALUES (1), (2); SELECT sum(a) FROM t; -- end"
    ) == [
        [],
        [],
        [(3,)],
    ]


def test_a_statement_runs_when_its_result_is_asked_for(make_session: MakeSession) -> None:
    session = make_session()
    results = session.run("CREATE TABLE t(a); CREATE TABLE u(a)")
    next(results)
    assert rows(session, "SELECT name FROM sqlite_schema") == [[("t",)]]


def test_the_first_failure_ends_the_text(make_session: MakeSession) -> None:
    session = make_session()
    with pytest.raises(UnknownNameError):
        rows(session, "CREATE TABLE t(a); SELECT * FROM nosuch; CREATE TABLE u(a)")
    assert rows(session, "SELECT name FROM sqlite_schema") == [[("t",)]]


def test_a_result_says_its_columns_requests_and_state(make_session: MakeSession) -> None:
    session = make_session()
    (result,) = session.run("SELECT name AS n FROM m.tracking.experiments LIMIT 1")
    assert result.columns is not None
    assert ([column.name for column in result.columns], list(result.rows)) == (["n"], [("e0",)])
    assert (result.requests, result.state, result.rowcount) == (1, "LIMITED", -1)
    (result,) = session.run("SELECT count(*) FROM m.tracking.experiments")
    assert (list(result.rows), result.state) == ([(3,)], "COMPLETE")


def test_rows_changed_are_counted(make_session: MakeSession) -> None:
    session = make_session()
    counts = [result.rowcount for result in session.run("CREATE TABLE t(a); INSERT INTO t VALUES (1), (2)")]
    assert counts == [0, 2]
    (result,) = session.run("INSERT INTO m.tracking.experiments (name) VALUES ('a'), ('b')")
    assert result.rowcount == 2


def test_parameters_are_dealt_to_each_statement(make_session: MakeSession) -> None:
    session = make_session()
    assert rows(session, "SELECT ?; SELECT ?, ?", (1, 2, 3)) == [[(1,)], [(2, 3)]]
    assert rows(session, "SELECT :a; SELECT :b", {"a": 1, "b": 2}) == [[(1,)], [(2,)]]


@pytest.mark.parametrize(
    ("text", "params"),
    [
        pytest.param("SELECT ?, ?", (1,), id="too few"),
        pytest.param("SELECT ?", (1, 2), id="too many"),
        pytest.param(
            "INSERT INTO m.tracking.experiments (name) VALUES (?)", ("a", "b"), id="too many for a write"
        ),
    ],
)
def test_a_wrong_number_of_parameters_is_refused(
    make_session: MakeSession, text: str, params: tuple[Any, ...]
) -> None:
    session = make_session(lambda request: pytest.fail(f"{request.url} was sent"))
    with pytest.raises(ProgrammingError) as raised:
        rows(session, text, params)
    assert raised.value.reason == "parameter_count"


def test_use_and_set_hold_for_what_follows(make_session: MakeSession) -> None:
    session = make_session()
    assert rows(session, "USE m.tracking; SELECT count(*) FROM experiments") == [[], [(3,)]]
    rows(session, "SET read_only = TRUE")
    assert session.settings.read_only
    with pytest.raises(NotSupportedError, match="the session is read-only"):
        rows(session, "DELETE FROM experiments WHERE experiment_id = '1'")


def test_the_last_write_says_what_became_of_each_row(make_session: MakeSession) -> None:
    session = make_session()
    with pytest.raises(BackendError):
        rows(session, "INSERT INTO m.tracking.experiments (name) VALUES ('a'), ('taken'), ('c')")
    sql = "SELECT state FROM sqlprovider.last_write"
    assert rows(session, sql) == [[("accepted",), ("failed",), ("accepted",)]]
    rows(session, "INSERT INTO m.tracking.experiments (name) VALUES ('a')")
    assert rows(session, sql) == [[("accepted",)]]


def test_the_requests_are_those_of_the_last_statement_that_named_a_resource(
    make_session: MakeSession,
) -> None:
    session = make_session()
    rows(session, "SELECT * FROM m.tracking.experiments; SELECT 1")
    assert rows(
        session, "SELECT method, status FROM sqlprovider.requests; SELECT count(*) FROM sqlprovider.requests"
    ) == [
        [("search", 200)],
        [(1,)],
    ]


def test_every_exchange_is_told(make_session: MakeSession) -> None:
    session = make_session()
    seen: list[str] = []
    session.on_event(lambda record: seen.append(record.method))
    rows(session, "SELECT * FROM m.tracking.experiments")
    session.on_event(None)
    rows(session, "SELECT * FROM m.tracking.experiments")
    assert seen == ["search"]


def test_a_dry_run_is_shown_and_not_sent(make_session: MakeSession) -> None:
    session = make_session(settings={"dry_run": True})
    shown: list[str] = []
    rows(session, "DELETE FROM m.tracking.experiments WHERE experiment_id = '1'")
    session.on_dry_run(shown.append)
    rows(session, "INSERT INTO m.tracking.experiments (name) VALUES ('a')")
    assert shown == ['POST http://127.0.0.1:9/api/2.0/mlflow/experiments/create\n{"name":"a"}']


def test_a_comparison_that_means_something_else_warns(make_session: MakeSession) -> None:
    session = make_session()
    (result,) = session.run("SELECT * FROM m.tracking.experiments WHERE tags->>'n' > 5")
    assert list(result.rows) == []
    assert "CAST(" in str(result.warnings[0].hint)


def test_a_refusal_shows_where_the_resource_is_named(make_session: MakeSession) -> None:
    text = "SELECT 1;\nDELETE FROM m.tracking.runs WHERE status = 'FAILED'"
    with pytest.raises(MissingParameterError) as raised:
        rows(make_session(), text)
    assert "m.tracking.runs" in str(raised.value).split("\n")[-2]
    assert str(raised.value).split("\n")[-1].strip(" |") == "^" * len("m.tracking.runs")


def test_an_unknown_column_brings_the_nearest(make_session: MakeSession) -> None:
    with pytest.raises(UnknownColumnError, match="did you mean name"):
        rows(make_session(), "SELECT nmae FROM m.tracking.experiments")


def test_explain_and_exec_have_results(make_session: MakeSession) -> None:
    session = make_session()
    ((step,),) = rows(session, "EXPLAIN SELECT * FROM m.tracking.experiments")
    assert step[1:3] == ("m.tracking.experiments", "search")
    ((explained,),) = rows(session, "EXPLAIN EXEC m.tracking.experiments.restore @experiment_id='1'")
    assert explained[2] == "restore"
    assert rows(session, "EXEC m.tracking.experiments.restore @experiment_id='1'") == [[("9",)]]
    (steps,) = rows(session, "EXPLAIN UPDATE m.tracking.experiments SET name = 'x' WHERE experiment_id = '1'")
    assert [step[2] for step in steps] == ["get", "update"]
    assert len(rows(session, "EXPLAIN SELECT 1")[0]) > 1


def test_without_autocommit_a_transaction_is_opened(make_session: MakeSession) -> None:
    session = make_session(autocommit=False)
    assert not session.in_transaction
    rows(session, "CREATE TABLE t(a)")
    assert session.in_transaction
    rows(session, "ROLLBACK; SELECT 1")
    assert rows(session, "SELECT name FROM sqlite_schema") == [[]]


def test_words_to_complete_a_name_with(make_session: MakeSession) -> None:
    session = make_session()
    assert {"m", "mlflow", "sqlprovider"} <= set(session.completion_words(()))
    assert session.completion_words(("m",))[:2] == ["tracking", "registry"]
    assert "runs" in session.completion_words(("m", "tracking"))
    assert {"run_id", "log_batch"} <= set(session.completion_words(("m", "tracking", "runs")))
    assert session.completion_words(("m", "x")) == session.completion_words(("a", "b", "c", "d")) == []


def test_a_statement_is_interrupted_from_another_place(make_session: MakeSession) -> None:
    session: Session

    def answer(request: httpx.Request) -> httpx.Response:
        session.interrupt()
        return lab(request)

    session = make_session(answer)
    with pytest.raises(StatementInterrupted):
        rows(session, "SELECT * FROM m.tracking.experiments")
    session.interrupt()


@pytest.mark.parametrize(
    "database", [pytest.param(":memory:", id="memory"), pytest.param("local.db", id="file")]
)
def test_listed_resources_are_in_the_schema_and_never_in_the_file(
    make_session: MakeSession, tmp_path: Path, database: str
) -> None:
    file = database if database == ":memory:" else str(tmp_path / database)
    session = make_session(database=file, listed=True)
    schema = "sqlite_schema" if database == ":memory:" else "temp.sqlite_schema"
    ((found,),) = rows(session, f"SELECT count(*) FROM {schema} WHERE name = 'm.tracking.runs'")
    assert found == (1,)
    assert database == ":memory:" or rows(session, "SELECT count(*) FROM main.sqlite_schema") == [[(0,)]]


def test_resources_are_registered_on_someone_elses_connection() -> None:
    connection = apsw.Connection(":memory:")
    try:
        register(connection, config(), transport=httpx.MockTransport(lab), environ={})
        assert connection.execute('SELECT count(*) FROM "m.tracking.experiments"').fetchall() == [(3,)]
    finally:
        connection.close(True)


def test_a_document_is_checked() -> None:
    assert check_document(Path(__file__).parent.parent / "examples" / "tracker") == ()
