"""MLflow through Oracle's signed paths gives what it gives by its own: one server, asked in both ways."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings

from sqlprovider.catalog.model import Resource
from sqlprovider.config import load_config
from sqlprovider.errors import BackendError, IntegrityError, ProgrammingError
from sqlprovider.execute.clock import Clock
from sqlprovider.session import Session, provider_names
from sqlprovider.values import JSON, Row, SQLValue
from tests.agreement import check_agreement, data_table, refused_share
from tests.fakes.faults import Fault
from tests.fakes.oci_data import PLATFORM, WORKSPACE
from tests.mlflow import Object, seed
from tests.mlflow_objects import MlflowObjects
from tests.oci import (
    HOSTILE_WORKSPACES,
    OciServer,
    api_key,
    oci_connection,
    oci_server,
    seed_many,
)
from tests.oracle import Oracle, difference
from tests.statements import Drawn, statements

pytestmark = pytest.mark.slow

ONLY_MLFLOW: Mapping[str, set[str]] = {
    "tracking.experiments": {"effective_trace_archival_retention", "workspace"},
    "tracking.runs": set(),
    "tracking.metrics": {"model_id", "dataset_name", "dataset_digest"},
    "tracking.params": set(),
    "tracking.tags": set(),
    "tracking.metric_history": set(),
    "tracking.artifacts": set(),
    "tracking.logged_models": {"creator_id", "status_message", "registrations"},
    "registry.registered_models": {"user_id"},
    "registry.model_versions": set(),
    "registry.aliases": set(),
}
"""Resource of MLflow's → its columns that Oracle's messages have not."""
STILL = Clock(monotonic=lambda: 0.0, pause=lambda stop, seconds: None, random=lambda: 0.0)


@dataclass
class Recording(httpx.BaseTransport):
    """Writes requests down on their way."""

    inner: httpx.BaseTransport
    requests: list[httpx.Request] = field(default_factory=list)
    before: Callable[[httpx.Request], None] = lambda request: None
    """What happens before a request arrives."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.before(request)
        return self.inner.handle_request(request)


@dataclass
class Both:
    """One session with both ways to one server."""

    server: OciServer
    session: Session
    sent: Recording

    def rows(self, sql: str, params: Mapping[str, SQLValue] | None = None) -> list[Row]:
        """The rows of one statement."""
        (result,) = self.session.run(sql, params or {})
        return list(result.rows)

    def columns(self, resource: str) -> list[str]:
        """The columns that `SELECT *` shows."""
        (result,) = self.session.run(f"SELECT * FROM {resource} LIMIT 0", {})
        return [column.name for column in result.columns or ()]

    def bodies(self, base_url: str, path: str) -> list[Object]:
        """What was sent to an address since the last `sent.requests.clear()`."""
        return [
            json.loads(request.content)
            for request in self.sent.requests
            if str(request.url).startswith(base_url) and request.url.path.endswith(path)
        ]


def both(server: OciServer, profile: Path, **defaults: str) -> Iterator[Both]:
    """A session on the server; `defaults` replace those of the connection."""
    oci = oci_connection(server.base_url, profile)
    if defaults:
        oci["defaults"] = dict[str, JSON](defaults)
    mapping: Object = {"connections": {"oci": oci, "mlflow": {"base_url": server.mlflow.base_url}}}
    config = load_config(mapping, environ={}, providers=provider_names())
    with httpx.HTTPTransport() as transport:
        sent = Recording(transport)
        with closing(Session(config, transport=sent, environ={}, clock=STILL)) as session:
            yield Both(server, session, sent)


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return api_key().write_profile(tmp_path_factory.mktemp("profile"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OciServer]:
    """Everything that is awkward, and 125 runs."""
    workspaces = (WORKSPACE, *HOSTILE_WORKSPACES)
    with oci_server(tmp_path_factory.mktemp("oci"), workspaces=workspaces) as running:
        seed(running.mlflow)
        seed_many(running.mlflow, 125)
        yield running


@pytest.fixture(scope="module")
def opened(server: OciServer, profile: Path) -> Iterator[Both]:
    yield from both(server, profile)


@pytest.fixture
def ways(opened: Both) -> Both:
    """The session with nothing left of the test before."""
    opened.sent.requests.clear()
    opened.sent.before = lambda request: None
    for log in (opened.server.state.requests, opened.server.state.carried_out, opened.server.state.faults):
        log.clear()
    return opened


def many(ways: Both) -> str:
    """The experiment of the 125 runs."""
    (row,) = ways.rows("SELECT experiment_id FROM mlflow.tracking.experiments WHERE name = 'many'")
    return str(row[0])


@pytest.mark.parametrize("resource", ONLY_MLFLOW)
def test_a_resource_has_the_rows_that_mlflow_has(resource: str, ways: Both) -> None:
    ours = f"oci.aidataplatform.{resource.partition('.')[2]}"
    wanted = ways.columns(f"mlflow.{resource}")
    shared = [name for name in wanted if name in ways.columns(ours)]
    assert set(wanted) - set(shared) == ONLY_MLFLOW[resource]
    names = ", ".join(f'"{name}"' for name in shared)
    found = ways.rows(f"SELECT {names} FROM {ours}")
    expected = ways.rows(f"SELECT {names} FROM mlflow.{resource}")
    assert expected
    assert difference(found, expected) is None
    ids = ways.rows(f"SELECT DISTINCT aiDataPlatformId FROM {ours}")
    assert ids == [(PLATFORM,)]


@pytest.mark.parametrize("view", ["ALL", "DELETED_ONLY"])
@pytest.mark.parametrize("name", ["runs", "metrics", "params"])
def test_the_deleted_are_shown_where_they_are_asked_for(name: str, view: str, ways: Both) -> None:
    ours, theirs = f"oci.aidataplatform.{name}", f"mlflow.tracking.{name}"
    shared = [column for column in ways.columns(theirs) if column in ways.columns(ours)]
    names = ", ".join(f'"{column}"' for column in shared)
    found = ways.rows(f"SELECT {names} FROM {ours} WHERE run_view_type = '{view}'")
    expected = ways.rows(f"SELECT {names} FROM {theirs} WHERE run_view_type = '{view}'")
    assert expected
    assert difference(found, expected) is None


def test_125_runs_come_over_three_pages(ways: Both) -> None:
    experiment = many(ways)
    ways.server.state.requests.clear()
    found = ways.rows(
        "SELECT run_id FROM oci.aidataplatform.runs WHERE experiment_id = :e AND max_results = 50",
        {"e": experiment},
    )
    assert len(found) == len(set(found)) == 125
    paths = [request.path for request in ways.server.state.requests]
    assert [path.rpartition("/mlops/")[2] for path in paths] == ["api/2.0/mlflow/runs/search"] * 3


PUSHED = {
    "a metric": "metrics->>'val_acc' > 0.5",
    "a metric of an odd key": "metrics->>'val acc/top-5' <= 0.25",
    "a metric that may be NaN": "metrics->>'loss' != 3",
    "a param": "params->>'lr' = '0.1'",
    "a param like": "params->>'text' LIKE '%it''s 1%'",
    "a tag of an odd key": "tags->>'odd key: a.b' = '1'",
    "a tag that is not there": "tags->>'none' IS NULL",
    "a status": "status = 'FINISHED'",
    "a time": "start_time >= '2026-01-02 03:50:00.000'",
    "two at once": "status != 'FAILED' AND params->>'lr' != '0.1' AND end_time IS NULL",
    "or": "status = 'FAILED' OR metrics->>'val_acc' > 0.9",
    "a name": "run_name = 'run 7'",
    "a quote": "tags->>'text' = 'it''s 3'",
    "both quotes": "tags->>'text' = 'both '' and \"'",
    "an order": "status = 'RUNNING' ORDER BY start_time DESC LIMIT 7",
}


@pytest.mark.parametrize("where", [pytest.param(where, id=name) for name, where in PUSHED.items()])
def test_what_is_pushed_is_what_is_pushed_to_mlflow(where: str, ways: Both) -> None:
    params = {"e": many(ways)}
    ways.sent.requests.clear()
    select = "SELECT run_id, run_name, status, start_time, metrics, params, tags FROM"
    found = ways.rows(
        f"{select} oci.aidataplatform.runs WHERE experiment_id = :e AND ({_split(where)}", params
    )
    expected = ways.rows(
        f"{select} mlflow.tracking.runs WHERE experiment_id = :e AND ({_split(where)}", params
    )
    assert found == expected
    bodies = ways.bodies(ways.server.base_url, "runs/search")
    assert bodies == ways.bodies(ways.server.mlflow.base_url, "runs/search")
    assert bodies


def _split(where: str) -> str:
    """The condition in its parenthesis, the order behind it."""
    condition, order, rest = where.partition(" ORDER BY ")
    return f"{condition}){order}{rest}"


def test_an_aggregate_over_a_join_is_the_same(ways: Both) -> None:
    sql = (
        "SELECT e.name, count(*), max(h.value), sum(h.step) FROM {0}.experiments AS e "
        "JOIN {0}.runs AS r USING (experiment_id) JOIN {0}.metric_history AS h USING (run_id) "
        "WHERE h.metric_key = 'val_acc' AND e.name = 'many' GROUP BY e.name"
    )
    found = ways.rows(sql.format("oci.aidataplatform"))
    assert found == ways.rows(sql.format("mlflow.tracking"))
    assert found[0][1] == 125


def test_writes_through_the_signed_path_are_read_back_through_mlflow(ways: Both) -> None:
    (made,) = ways.rows(
        "INSERT INTO oci.aidataplatform.experiments (name, tags) "
        "VALUES ('by OCI 🙂', '{\"team\":\"a\"}') RETURNING experiment_id"
    )
    experiment = {"e": made[0]}
    runs = ways.rows(
        "INSERT INTO oci.aidataplatform.runs (experiment_id, run_name) VALUES (:e, 'one'), (:e, 'two'), "
        "(:e, 'it''s') RETURNING run_id, run_name, status",
        experiment,
    )
    assert [row[1:] for row in runs] == [("one", "RUNNING"), ("two", "RUNNING"), ("it's", "RUNNING")]
    one = {"r": runs[0][0]}
    ways.rows(
        "EXEC oci.aidataplatform.runs.log_batch @run_id = :r, "
        """@metrics = '[{"key": "acc", "value": "NaN", "timestamp": 5, "step": 0},"""
        """ {"key": "acc", "value": 0.5, "timestamp": 6, "step": 1}]', """
        """@params = '{"lr": "0.1"}', @tags = '{"a b/c": "ü"}'""",
        one,
    )
    where = "WHERE experiment_id = :e AND run_name = 'one'"
    ways.rows(
        "UPDATE oci.aidataplatform.runs SET status = 'FINISHED', tags = json_set(tags, '$.team', 'b') "
        f"{where}",
        experiment,
    )
    ways.rows("DELETE FROM oci.aidataplatform.runs WHERE experiment_id = :e AND run_name = 'two'", experiment)
    read = ways.rows(
        "SELECT run_name, status, metrics->>'acc', params, tags->>'team', tags->>'a b/c' "
        "FROM mlflow.tracking.runs WHERE experiment_id = :e ORDER BY run_name",
        experiment,
    )
    assert read == [
        ("it's", "RUNNING", None, "{}", None, None),
        ("one", "FINISHED", 0.5, '{"lr":"0.1"}', "b", "ü"),
    ]
    history = ways.rows(
        "SELECT step, value_text FROM mlflow.tracking.metric_history "
        "WHERE run_id = :r AND metric_key = 'acc' ORDER BY step",
        one,
    )
    assert history == [(0, "NaN"), (1, "0.5")]
    ways.rows("DELETE FROM oci.aidataplatform.experiments WHERE experiment_id = :e", experiment)
    assert ways.rows("SELECT 1 FROM mlflow.tracking.experiments WHERE experiment_id = :e", experiment) == []


def test_the_registry_is_written_through_the_signed_path(ways: Both) -> None:
    ways.rows("INSERT INTO oci.aidataplatform.registered_models (name, description) VALUES ('m', 'first')")
    ways.rows("INSERT INTO oci.aidataplatform.model_versions (name, source) VALUES ('m', 's3://bucket/m')")
    ways.rows("UPDATE oci.aidataplatform.registered_models SET description = 'second' WHERE name = 'm'")
    ways.rows("UPDATE oci.aidataplatform.registered_models SET tags = '{\"k\": \"v\"}' WHERE name = 'm'")
    ways.rows("UPDATE oci.aidataplatform.model_versions SET description = 'v1' WHERE name = 'm'")
    read = "SELECT description, tags FROM mlflow.registry.registered_models WHERE name = 'm'"
    assert ways.rows(read) == [("second", '{"k":"v"}')]
    versions = "SELECT version, description, source FROM mlflow.registry.model_versions WHERE name = 'm'"
    assert ways.rows(versions) == [("1", "v1", "s3://bucket/m")]
    ways.rows("UPDATE oci.aidataplatform.registered_models SET tags = '{}' WHERE name = 'm'")
    assert ways.rows(read) == [("second", "{}")]
    ways.rows("DELETE FROM oci.aidataplatform.model_versions WHERE name = 'm' AND version = '1'")
    assert ways.rows(versions) == []
    ways.rows("DELETE FROM oci.aidataplatform.registered_models WHERE name = 'm'")
    assert ways.rows(read) == []


def tokens(ways: Both) -> list[str | None]:
    """The retry tokens of the requests since the last `state.requests.clear()`."""
    return [request.headers.get("opc-retry-token") for request in ways.server.state.requests]


def test_a_retry_carries_the_token_of_its_call_and_acts_once(ways: Both) -> None:
    state = ways.server.state
    run = {"e": many(ways)}
    state.requests.clear()
    state.carried_out.clear()
    state.faults.append(Fault(match="runs/create$", times=1, status=503, applied=True))
    insert = "INSERT INTO oci.aidataplatform.runs (experiment_id, run_name) VALUES (:e, :n)"
    ways.rows(insert, run | {"n": "retried"})
    ways.rows(insert, run | {"n": "another"})
    first, again, other = tokens(ways)
    assert first
    assert first == again
    assert other not in (None, first)
    assert len(state.carried_out) == 2
    names = ways.rows(
        "SELECT run_name FROM mlflow.tracking.runs WHERE experiment_id = :e AND run_name IN "
        "('retried', 'another')",
        run,
    )
    assert sorted(names) == [("another",), ("retried",)]
    where = "WHERE experiment_id = :e AND run_name IN ('retried', 'another')"
    ways.rows(f"DELETE FROM oci.aidataplatform.runs {where}", run)


def test_each_row_of_a_statement_has_a_token_of_its_own_and_reads_have_none(ways: Both) -> None:
    ways.rows("EXEC oci.aidataplatform.runs.search @experiment_id = :e, @max_results = 1", {"e": many(ways)})
    assert set(tokens(ways)) == {None}
    ways.server.state.requests.clear()
    ways.rows(
        "INSERT INTO oci.aidataplatform.tags (run_id, key, value) "
        "SELECT run_id, 'many', '1' FROM mlflow.tracking.runs WHERE experiment_id = :e LIMIT 5",
        {"e": many(ways)},
    )
    sent = tokens(ways)
    assert None not in sent
    assert len(sent) == len(set(sent)) == 5


WORKSPACE_PATH = ("aiDataPlatforms", PLATFORM, "workspaces", WORKSPACE)
HERE = f"WHERE aiDataPlatformId = '{PLATFORM}'"
CHANGES = {
    "a workspace": (WORKSPACE_PATH, "UPDATE oci.aidataplatform.workspaces SET description = 'new'"),
    "a platform": (
        WORKSPACE_PATH[:2],
        "UPDATE oci.aidataplatform_control.ai_data_platforms SET displayName = 'new'",
    ),
}


@pytest.mark.parametrize(("path", "update"), CHANGES.values(), ids=CHANGES)
def test_a_change_carries_the_etag_that_was_read(path: tuple[str, ...], update: str, ways: Both) -> None:
    etag = ways.server.state.get(path).etag
    ways.rows(f"{update} {HERE}")
    read, *_, changed = ways.server.state.requests
    assert (read.method, changed.method) == ("GET", "PUT")
    assert changed.headers["if-match"] == etag != ways.server.state.get(path).etag


def test_what_somebody_else_set_in_between_is_an_error_with_both_values(ways: Both) -> None:
    stored = _theirs_in_between(ways, WORKSPACE_PATH[:2])
    with pytest.raises(IntegrityError, match="is 'theirs' now, and was to become 'mine'"):
        ways.rows(f"UPDATE oci.aidataplatform_control.ai_data_platforms SET displayName = 'mine' {HERE}")
    assert stored["displayName"] == "theirs"
    assert [row["state"] for row in ways.session.last_write] == ["failed"]


def test_what_somebody_else_set_in_another_column_stays(ways: Both) -> None:
    stored = _theirs_in_between(ways, WORKSPACE_PATH)
    ways.rows(f"UPDATE oci.aidataplatform.workspaces SET description = 'mine' {HERE}")
    assert (stored["displayName"], stored["description"]) == ("theirs", "mine")


def _theirs_in_between(ways: Both, path: tuple[str, ...]) -> Object:
    """The object, which somebody else renames right before it is written."""
    stored = ways.server.state.get(path)

    def somebody_else(request: httpx.Request) -> None:
        if request.method == "PUT" and stored.item["displayName"] != "theirs":
            stored.item["displayName"] = "theirs"
            ways.server.state.seal(stored)

    ways.sent.before = somebody_else
    return stored.item


def test_an_error_names_its_request(ways: Both) -> None:
    with pytest.raises(IntegrityError, match="409 Conflict") as caught:
        ways.rows("INSERT INTO oci.aidataplatform.experiments (name) VALUES ('many')")
    assert _last_request_id(ways) in str(caught.value)
    (written,) = ways.session.last_write
    assert (written["state"], written["code"]) == ("failed", "Conflict")
    assert written["request_id"] == _last_request_id(ways)


def _last_request_id(ways: Both) -> str:
    return f"{ways.server.state.last_id:032X}"


def test_an_error_in_a_read_names_its_request(ways: Both) -> None:
    ways.server.state.faults.append(Fault(match="runs/search$", page=2, status=500))
    with pytest.raises(BackendError, match="InternalServerError") as caught:
        ways.rows(
            "SELECT run_id FROM oci.aidataplatform.runs WHERE experiment_id = :e AND max_results = 50",
            {"e": many(ways)},
        )
    assert _last_request_id(ways) in str(caught.value)


@pytest.mark.parametrize("key", HOSTILE_WORKSPACES)
def test_a_workspaces_odd_key_is_one_segment_and_signed_as_sent(key: str, ways: Both) -> None:
    sql = (
        "SELECT w.workspaceKey, count(*) FROM oci.aidataplatform.workspaces AS w "
        "JOIN oci.aidataplatform.experiments AS e USING (aiDataPlatformId, workspaceKey) "
        "WHERE w.workspaceKey = :k GROUP BY 1"
    )
    (row,) = ways.rows(sql, {"k": key})
    assert row[0] == key
    assert row[1] == len(ways.rows("SELECT 1 FROM mlflow.tracking.experiments"))


@pytest.mark.parametrize("key", ["..", "."])
def test_a_dot_segment_is_refused_before_anything_is_sent(key: str, ways: Both) -> None:
    with pytest.raises(ProgrammingError):
        ways.rows("SELECT * FROM oci.aidataplatform.experiments WHERE workspaceKey = :k", {"k": key})
    assert ways.server.state.requests == []


def test_a_workspace_that_is_not_there_has_no_rows(ways: Both) -> None:
    (result,) = ways.session.run("SELECT * FROM oci.aidataplatform.experiments WHERE workspaceKey = 'x'", {})
    assert list(result.rows) == []
    (warning,) = result.warnings
    assert "workspaceKey = 'x'" in str(warning)


def test_all_workspaces_are_walked(server: OciServer, profile: Path) -> None:
    server.state.faults.clear()
    for ways in both(server, profile, aiDataPlatformId=PLATFORM):
        found = ways.rows("SELECT workspaceKey, count(*) FROM oci.aidataplatform.experiments GROUP BY 1")
        (expected,) = ways.rows("SELECT count(*) FROM mlflow.tracking.experiments")
    assert {key for key, _ in found} == {WORKSPACE, *HOSTILE_WORKSPACES}
    assert {count for _, count in found} == {expected[0]}


TABLES = {
    "experiments": ("experiment_id",),
    "runs": ("experiment_id", "run_id"),
    "metrics": ("experiment_id", "run_id"),
    "params": ("experiment_id", "run_id"),
    "tags": ("experiment_id", "run_id"),
    "metric_history": ("run_id", "metric_key"),
    "logged_models": ("experiment_id", "model_id"),
    "artifacts": ("run_id",),
    "registered_models": ("name",),
    "model_versions": ("name", "version"),
    "aliases": ("name", "version"),
}


def test_every_select_gives_what_plain_sqlite_gives(
    tmp_path_factory: pytest.TempPathFactory, profile: Path
) -> None:
    with oci_server(tmp_path_factory.mktemp("odd")) as running:
        seed(running.mlflow)
        for ways in both(running, profile):
            _check_selects(ways)


def _check_selects(ways: Both) -> None:
    objects = MlflowObjects(ways.server.mlflow)
    ids = {"aiDataPlatformId": PLATFORM, "workspaceKey": WORKSPACE}

    def with_ids(resource: Resource) -> Iterable[Mapping[str, SQLValue]]:
        for row in objects(resource):
            yield {**ids, **row}

    session = ways.session
    list(session.run("SET max_requests = 250", {}))
    oracle = Oracle(session.catalog, with_ids)
    tables = [
        data_table(oracle, session.catalog.resource("oci", "aidataplatform", name), path)
        for name, path in TABLES.items()
    ]
    tally: Counter[str] = Counter()

    # Each statement makes real requests through two servers.
    @settings(max_examples=settings().max_examples // 4)
    @given(statements(tables))
    def agree(drawn: Drawn) -> None:
        check_agreement(drawn, session, oracle, tally)

    agree()
    assert refused_share(tally) < 0.25, dict(tally)
