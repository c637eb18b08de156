"""What SQL wrote, changed and deleted is what each platform's own client reads, field by field."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sqlprovider.config import load_config
from sqlprovider.session import Session, provider_names
from sqlprovider.surfaces.dbapi import Connection, connect
from sqlprovider.values import JSON, SQLValue
from tests.contracts.sdk_paidlc import sdk_client as paidlc_client
from tests.contracts.sdk_paidlc import sdk_models as paidlc_models
from tests.fakes.ml import ml_small
from tests.fakes.ml_client import ml_client
from tests.fakes.oci_data import PLATFORM, WORKSPACE
from tests.fakes.paidlc import paidlc_app, paidlc_small
from tests.fakes.recorded import sdk_client as vertex_client
from tests.fakes.vertex import vertex_app, vertex_small
from tests.mlflow import START
from tests.oci import OciServer, api_key, oci_connection, oci_server, oracle, sdk_client
from tests.paidlc import KEY_ID, SECRET, paidlc_backend
from tests.vertex import vertex_backend
from tests.writes.runner import Server

pytestmark = pytest.mark.slow

HOSTILE = (
    "it's",
    'say "hi"',
    "both ' and \"",
    "Ünï 🙂 漢字",
    "two\nlines\tand a tab",
    "back\\slash \\' \\n",
    "",
    " ",
    "; DROP TABLE runs; --",
    "/* no */ -- comment",
    '{"json": ["text", null]}',
    "null",
    "NaN",
    "§ ? :a @b $c",
    "x" * 6000,
)
NUMBERS: dict[str, SQLValue] = {
    "half": 0.5,
    "zero": 0.0,
    "tiny": 1e-300,
    "huge": 1e300,
    "nan": "NaN",
    "plus": "Infinity",
    "minus": "-Infinity",
    "whole": 3,
}
STORED_INFINITY = 1.7976931348623157e308
"""What MLflow's store makes of Infinity."""


def run(session: Session, sql: str, params: Sequence[SQLValue] = ()) -> int:
    """Runs a write, and says how many rows the backend accepted."""
    (result,) = session.run(sql, list(params))
    list(result.rows)
    return result.rowcount


def values(rows: int, columns: int) -> str:
    """`VALUES (?, ?), (?, ?)`."""
    return "VALUES " + ", ".join([f"({', '.join('?' * columns)})"] * rows)


def same_number(value: float, given: SQLValue) -> bool:
    """Whether a client reads the number that was written."""
    wanted = float(str(given))
    if math.isinf(wanted):
        return abs(value) in (math.inf, STORED_INFINITY) and (value > 0) == (wanted > 0)
    return math.isnan(value) if math.isnan(wanted) else value == wanted


@pytest.fixture
def sql(server: Server) -> Iterator[Connection]:
    with closing(connect({"connections": {"mlflow": {"base_url": server.base_url}}})) as connection:
        yield connection


def mlflow_run(sql: Connection, server: Server, name: str) -> str:
    """A run with the hostile texts as params and tags, in an experiment of that name; its id."""
    sql.execute("INSERT INTO mlflow.tracking.experiments(name) VALUES (?)", [name])
    experiment = server.client.get_experiment_by_name(name)
    assert experiment is not None
    made = sql.execute(
        "INSERT INTO mlflow.tracking.runs(experiment_id, run_name) VALUES (?, ?) RETURNING run_id",
        [experiment.experiment_id, "it's"],
    )
    ((run_id,),) = made.fetchall()
    logged = [cell for place, text in enumerate(HOSTILE) for cell in (run_id, f"p{place}", text)]
    for table in ("params", "tags"):
        sql.execute(
            f"INSERT INTO mlflow.tracking.{table}(run_id, key, value) {values(len(HOSTILE), 3)}", logged
        )
    return str(run_id)


def test_mlflow_reads_the_experiments_and_runs_that_sql_made(server: Server, sql: Connection) -> None:
    client = server.client
    tags = json.dumps({"hostile": HOSTILE[3], "json": '{"a": [1]}', "empty": ""})
    insert = f"INSERT INTO mlflow.tracking.experiments(name, tags) {values(1, 2)}"
    sql.execute(insert, ['it\'s "odd" 🙂', tags])
    experiment = client.get_experiment_by_name('it\'s "odd" 🙂')
    assert experiment is not None
    assert experiment.tags == json.loads(tags)
    named = [text for text in HOSTILE if text and len(text) < 250]
    made = sql.execute(
        "INSERT INTO mlflow.tracking.runs(experiment_id, run_name, user_id, start_time, tags)"
        f" {values(len(named), 5)} RETURNING run_id",
        [cell for name in named for cell in (experiment.experiment_id, name, "ann", START, tags)],
    ).fetchall()
    for (run_id,), name in zip(made, named, strict=True):
        found = client.get_run(str(run_id))
        assert (found.info.run_name, found.info.user_id, found.info.start_time) == (name, "ann", START)
        assert found.data.tags == {**json.loads(tags), "mlflow.runName": name}
    deleted = sql.execute(
        "DELETE FROM mlflow.tracking.runs WHERE experiment_id = ? AND run_id <> ?",
        [experiment.experiment_id, made[0][0]],
    )
    assert deleted.rowcount == len(named) - 1
    assert [found.info.run_id for found in client.search_runs([experiment.experiment_id])] == [made[0][0]]


def test_mlflow_reads_what_sql_logged(server: Server, sql: Connection) -> None:
    client, run_id = server.client, mlflow_run(sql, server, "logged")
    sql.executemany(
        "INSERT INTO mlflow.tracking.metric_history(run_id, metric_key, value, step, timestamp)"
        f" {values(1, 5)}",
        [(run_id, key, number, step, step) for key, number in NUMBERS.items() for step in (1, 0)],
    )
    data = client.get_run(run_id).data
    wanted = {f"p{place}": text for place, text in enumerate(HOSTILE)}
    assert data.params == wanted
    assert data.tags == {**wanted, "mlflow.runName": "it's"}
    assert all(same_number(data.metrics[key], number) for key, number in NUMBERS.items())
    for key, number in NUMBERS.items():
        history = client.get_metric_history(run_id, key)
        assert sorted(point.step for point in history) == [0, 1]
        assert all(same_number(point.value, number) for point in history)


def test_mlflow_reads_what_sql_changed_and_deleted(server: Server, sql: Connection) -> None:
    client, run_id = server.client, mlflow_run(sql, server, "changed")
    before = client.get_run(run_id).data.tags
    changed = sql.execute(
        "UPDATE mlflow.tracking.runs SET status = 'FINISHED', end_time = '2026-01-02 03:04:05.678',"
        " run_name = upper(run_name), tags = json_set(json_remove(tags, '$.p1'), '$.p2', 'no more')"
        " WHERE run_id = ?",
        [run_id],
    )
    assert changed.rowcount == 1
    sql.execute("DELETE FROM mlflow.tracking.tags WHERE run_id = ? AND length(value) > 1000", [run_id])
    found = client.get_run(run_id)
    assert (found.info.run_name, found.info.status, found.info.end_time) == ("IT'S", "FINISHED", START)
    left = {key: text for key, text in before.items() if key != "p1" and len(text) <= 1000}
    assert found.data.tags == {**left, "p2": "no more", "mlflow.runName": "IT'S"}
    assert found.data.params["p1"] == HOSTILE[1]


def test_mlflows_registry_reads_what_sql_wrote(server: Server, sql: Connection) -> None:
    client = server.client
    tags = json.dumps({f"k{place}": text for place, text in enumerate(HOSTILE[:-1]) if text})
    sql.execute(
        f"INSERT INTO mlflow.registry.registered_models(name, description, tags) {values(1, 3)}",
        ['it\'s "odd" 🙂', HOSTILE[4], tags],
    )
    model = client.get_registered_model('it\'s "odd" 🙂')
    assert (model.description, model.tags) == (HOSTILE[4], json.loads(tags))
    texts = [text for text in HOSTILE if len(text) < 5000]
    sql.execute(
        "INSERT INTO mlflow.registry.model_versions(name, source, description, tags)"
        f" {values(len(texts), 4)}",
        [cell for text in texts for cell in (model.name, "s3://b/ü 1", text, json.dumps({"t": text or "-"}))],
    )
    for number, text in enumerate(texts, 1):
        version = client.get_model_version(model.name, str(number))
        assert (version.description or "", version.source) == (text, "s3://b/ü 1")
        assert version.tags == {"t": text or "-"}
    sql.execute(
        f"INSERT INTO mlflow.registry.aliases(name, alias, version) {values(2, 3)}",
        [model.name, "champion", "2", model.name, "old", "1"],
    )
    sql.execute(
        "UPDATE mlflow.registry.aliases SET version = '3' WHERE name = ? AND alias = 'champion'",
        [model.name],
    )
    sql.execute(
        "UPDATE mlflow.registry.registered_models SET description = ?, tags = json_object('only', 'ü')"
        " WHERE name = ?",
        [HOSTILE[1], model.name],
    )
    model = client.get_registered_model(model.name)
    assert model.aliases == {"champion": "3", "old": "1"}
    assert (model.description, model.tags) == (HOSTILE[1], {"only": "ü"})
    sql.execute("DELETE FROM mlflow.registry.model_versions WHERE name = ? AND version <> '3'", [model.name])
    assert [int(found.version) for found in client.search_model_versions()] == [3]


def test_vertexs_client_reads_what_sql_wrote() -> None:
    state = vertex_small()
    parent = "projects/p/locations/l/tensorboards/t/experiments/e-empty"
    setup: dict[str, JSON] = {"defaults": {"projectsId": "p", "locationsId": "l"}}
    texts = [text for text in HOSTILE if 0 < len(text) < 128]
    labels = {"team": "vision", "ünï": "ß"}
    with (
        closing(vertex_backend(state).session(setup)) as session,
        vertex_client(vertex_app(state, token="secret"), token="secret") as client,
    ):
        runs = [
            cell
            for place, text in enumerate(texts)
            for cell in ("t", "e-empty", f"r{place}", text, HOSTILE[4] + text, json.dumps(labels))
        ]
        assert run(
            session,
            "INSERT INTO google.aiplatform.runs(tensorboardsId, experimentsId, tensorboardRunId, displayName,"
            f" description, labels) {values(len(texts), 6)}",
            runs,
        ) == len(texts)
        for place, text in enumerate(texts):
            read = client.get_tensorboard_run(name=f"{parent}/runs/r{place}")
            assert (read.display_name, read.description) == (text, HOSTILE[4] + text)
            assert dict(read.labels) == labels
        assert (
            run(
                session,
                "INSERT INTO google.aiplatform.time_series(tensorboardsId, experimentsId, runsId,"
                " tensorboardTimeSeriesId, displayName, valueType, description)"
                " VALUES ('t', 'e-empty', 'r0', 'loss', ?, 'SCALAR', ?)",
                [HOSTILE[1], HOSTILE[3]],
            )
            == 1
        )
        series = client.get_tensorboard_time_series(name=f"{parent}/runs/r0/timeSeries/loss")
        assert (series.display_name, series.description) == (HOSTILE[1], HOSTILE[3])
        points = [
            cell
            for step, number in enumerate(NUMBERS.values())
            for cell in ("t", "e-empty", "r0", "loss", step, "2026-01-02T03:04:05.678Z", number)
        ]
        assert run(
            session,
            "INSERT INTO google.aiplatform.time_series_points(tensorboardsId, experimentsId, runsId,"
            f" timeSeriesId, step, wallTime, value) {values(len(NUMBERS), 7)}",
            points,
        ) == len(NUMBERS)
        data = client.read_tensorboard_time_series_data(tensorboard_time_series=series.name)
        read_points = {point.step: point for point in data.time_series_data.values}
        for step, number in enumerate(NUMBERS.values()):
            assert same_number(read_points[step].scalar.value, number)
            assert read_points[step].wall_time.rfc3339() == "2026-01-02T03:04:05.678Z"

        where = "tensorboardsId = 't' AND experimentsId = 'e-empty'"
        assert (
            run(
                session,
                "UPDATE google.aiplatform.runs SET displayName = upper(displayName),"
                f" labels = json_set(labels, '$.team', 'ünï') WHERE {where} AND runsId = 'r0'",
            )
            == 1
        )
        read = client.get_tensorboard_run(name=f"{parent}/runs/r0")
        assert (read.display_name, read.description) == (texts[0].upper(), HOSTILE[4] + texts[0])
        assert dict(read.labels) == {**labels, "team": "ünï"}
        assert run(session, f"DELETE FROM google.aiplatform.time_series WHERE {where} AND runsId = 'r0'") == 1
        assert not list(client.list_tensorboard_time_series(parent=f"{parent}/runs/r0"))
        assert (
            run(session, f"DELETE FROM google.aiplatform.runs WHERE {where} AND runsId <> 'r0'")
            == len(texts) - 1
        )
        assert [found.name for found in client.list_tensorboard_runs(parent=parent)] == [f"{parent}/runs/r0"]


def test_googles_ml_client_reads_what_sql_wrote() -> None:
    state = ml_small()
    labels = {"owner": "it's", "größe": 'say "hi" 🙂'}
    job = {"dataFormat": "JSON", "inputPaths": ["gs://a/b c", HOSTILE[3]], "maxWorkerCount": "12345678901"}
    with closing(vertex_backend(state).session({})) as session, ml_client(state) as client:
        jobs = client.projects().jobs()
        insert = f"INSERT INTO google.ml.jobs(projectsId, jobId, labels, predictionInput) {values(1, 4)}"
        assert run(session, insert, ["p", "by_sql", json.dumps(labels), json.dumps(job)]) == 1
        read = jobs.get(name="projects/p/jobs/by_sql").execute()
        assert (read["labels"], read["predictionInput"], read["state"]) == (labels, job, "QUEUED")
        set_one = (
            "UPDATE google.ml.jobs SET labels = json_set(labels, '$.owner', ?)"
            " WHERE projectsId = 'p' AND jobsId = 'by_sql'"
        )
        assert run(session, set_one, ["Ünï 🙂"]) == 1
        assert jobs.get(name="projects/p/jobs/by_sql").execute()["labels"] == {**labels, "owner": "Ünï 🙂"}


def test_alibabas_client_reads_what_sql_wrote() -> None:
    state = paidlc_small()
    with (
        closing(paidlc_backend(state).session({})) as session,
        paidlc_client(paidlc_app(state), key_id=KEY_ID, secret=SECRET) as client,
    ):
        models = paidlc_models()
        texts = [text for text in HOSTILE if text.strip() and len(text) < 200]
        spec = {"EcsType": "ecs.g6.large"}
        insert = (
            "INSERT INTO alibaba.paidlc.tensorboards(DisplayName, WorkspaceId, JobId, SummaryPath, Priority,"
            f" MaxRunningTimeMinutes, TensorboardSpec) {values(len(texts), 7)} RETURNING TensorboardId"
        )
        cells: list[SQLValue] = []
        for text in texts:
            cells += [text, "268", "dlc-01", f"/root/{text}", 9, 240, json.dumps(spec)]
        (result,) = session.run(insert, cells)
        made = [str(row[0]) for row in result.rows]
        assert result.rowcount == len(texts)

        def read(id_: str) -> Any:
            return client.get_tensorboard(id_, models.GetTensorboardRequest()).body

        for id_, text in zip(made, texts, strict=True):
            found = read(id_)
            assert (found.display_name, found.summary_path) == (text, f"/root/{text}")
            assert (found.priority, found.max_running_time_minutes, found.job_id) == ("9", 240, "dlc-01")
            assert found.tensorboard_spec.ecs_type == spec["EcsType"]
        update = (
            "UPDATE alibaba.paidlc.tensorboards SET Priority = 3, Accessibility = 'PUBLIC'"
            " WHERE TensorboardId = ?"
        )
        assert run(session, update, [made[0]]) == 1
        assert (read(made[0]).priority, read(made[0]).accessibility) == ("3", "PUBLIC")
        assert read(made[1]).priority == "9"
        client.start_tensorboard(made[0], models.StartTensorboardRequest(workspace_id="268"))
        client.stop_tensorboard(made[0], models.StopTensorboardRequest())
        assert run(session, "DELETE FROM alibaba.paidlc.tensorboards WHERE TensorboardId = ?", [made[0]]) == 1
        assert made[0] not in state.tensorboards
        assert made[1] in state.tensorboards


@pytest.fixture(scope="module")
def oci(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[OciServer, Path]]:
    directory = tmp_path_factory.mktemp("oci")
    with oci_server(directory) as started:
        yield started, api_key().write_profile(directory)


def test_oracles_client_reads_what_sql_wrote(oci: tuple[OciServer, Path]) -> None:
    served, profile = oci
    here = (PLATFORM, WORKSPACE)
    m = oracle("aidp_python_client.aidataplatform_dp.models")
    client = sdk_client("MLOpsClient", served.base_url)
    mapping: dict[str, JSON] = {"connections": {"oci": oci_connection(served.base_url, profile)}}
    config = load_config(mapping, environ={}, providers=provider_names())
    with closing(Session(config, environ={})) as session:
        insert = (
            f"INSERT INTO oci.aidataplatform.experiments(name, tags) {values(1, 2)} RETURNING experiment_id"
        )
        (result,) = session.run(insert, ['it\'s "odd" 🙂', json.dumps({"team": HOSTILE[3]})])
        ((experiment_id,),) = list(result.rows)
        read = client.get_experiment_by_name(*here, 'it\'s "odd" 🙂').data.experiment
        assert (read.experiment_id, read.tags[0].value) == (experiment_id, HOSTILE[3])
        insert = (
            f"INSERT INTO oci.aidataplatform.runs(experiment_id, run_name) {values(1, 2)} RETURNING run_id"
        )
        (result,) = session.run(insert, [experiment_id, HOSTILE[2]])
        ((run_id,),) = list(result.rows)
        pairs = [cell for place, text in enumerate(HOSTILE) for cell in (run_id, f"p{place}", text)]
        for table in ("params", "tags"):
            insert = f"INSERT INTO oci.aidataplatform.{table}(run_id, key, value) {values(len(HOSTILE), 3)}"
            assert run(session, insert, pairs) == len(HOSTILE)
        points = [cell for key, number in NUMBERS.items() for cell in (run_id, key, number, 7, 5)]
        insert = "INSERT INTO oci.aidataplatform.metrics(run_id, key, value, step, timestamp) "
        assert run(session, insert + values(len(NUMBERS), 5), points) == len(NUMBERS)
        wanted = {f"p{place}": text for place, text in enumerate(HOSTILE)}
        stored = client.get_experiment_run_by_id(*here, run_id).data.run
        assert {pair.key: pair.value for pair in stored.data.params} == wanted
        assert wanted.items() <= {pair.key: pair.value for pair in stored.data.tags}.items()
        metrics = {metric.key: metric for metric in stored.data.metrics}
        assert all(same_number(float(metrics[key].value), number) for key, number in NUMBERS.items())
        assert {(metric.step, metric.timestamp) for metric in metrics.values()} == {(7, 5)}
        update = "UPDATE oci.aidataplatform.runs SET status = 'FINISHED', run_name = ? WHERE run_id = ?"
        assert run(session, update, [HOSTILE[3], run_id]) == 1
        info = client.get_experiment_run_by_id(*here, run_id).data.run.info
        assert (info.status, info.run_name) == ("FINISHED", HOSTILE[3])
        assert run(session, "DELETE FROM oci.aidataplatform.runs WHERE run_id = ?", [run_id]) == 1
        search = m.ListExperimentRunsDetails(experiment_ids=[experiment_id])
        assert not client.list_experiment_runs(*here, search).data.runs
