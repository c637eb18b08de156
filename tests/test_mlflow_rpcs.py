"""All 183 RPCs: each is a method, is what the descriptors say, and is made by a test on a real server.

This file has the tracking server's and the registry's; traces, genai and the gateway have files of their own.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from inspect import isfunction
from typing import NamedTuple

import httpx
import pytest

from sqlprovider.values import SQLValue
from tests import test_mlflow_gateway, test_mlflow_genai, test_mlflow_traces
from tests.contracts.mlflow_conformance import NOT_OFFERED, NOT_THE_SAME, UNLIKE_THE_SDK, compare, differences
from tests.mlflow_descriptors import SERVED_ELSEWHERE, ours, rpcs
from tests.mlflow_rpcs import Served, Sql, covers, exec_text, served, sql, unpacked

__all__ = ["served", "sql"]
pytestmark = pytest.mark.slow


TAGS = '{"a": "b", "c": "d"}'


class Refused(NamedTuple):
    """An RPC that this server refuses, the call of it, and why."""

    operation: str
    target: str
    arguments: dict[str, SQLValue]
    status: int
    code: str | None
    why: str


_MODEL = '{"artifact_path": "m", "flavors": {}, "utc_time_created": "2026-01-02 03:04:05", "run_id": "r"}'
_UPLOAD: dict[str, SQLValue] = {"artifact_path": "a", "path": "x"}
_LOCAL = "local files have no such thing: it takes artifacts in a cloud's store"
REFUSED = [
    Refused(
        "MlflowService.searchUnifiedTraceHandler",
        "tracking.traces.search_unified",
        {"model_id": "m", "sql_warehouse_id": "w"},
        404,
        None,
        "Databricks only: the server has no handler, and answers without a body",
    ),
    Refused(
        "MlflowService.getOnlineTraceDetails",
        "tracking.traces.get_online_details",
        {
            "trace_id": "t",
            "sql_warehouse_id": "w",
            "source_inference_table": "s",
            "source_databricks_request_id": "r",
        },
        404,
        None,
        "Databricks only: the server has no handler, and answers without a body",
    ),
    Refused(
        "MlflowService.logModel",
        "tracking.runs.log_model",
        {"run_id": "{run}", "model_json": _MODEL},
        500,
        None,
        "it reads the model with numpy, which a lean installation has not",
    ),
    Refused(
        "MlflowService.createPresignedUploadUrl",
        "tracking.artifacts.create_presigned_upload_url",
        {"run_id": "{run}", "path": "a"},
        400,
        "INVALID_PARAMETER_VALUE",
        "the artifacts are behind the server's own proxy",
    ),
    Refused(
        "MlflowService.createPresignedDownloadUrl",
        "tracking.artifacts.create_presigned_download_url",
        {"run_id": "{run}", "path": "a"},
        400,
        "INVALID_PARAMETER_VALUE",
        "the artifacts are behind the server's own proxy",
    ),
    Refused(
        "MlflowService.createPromptOptimizationJob",
        "genai.prompt_optimization_jobs.create",
        {
            "experiment_id": "{experiment}",
            "source_prompt_uri": "prompts:/p/1",
            "config": '{"optimizer_type": "OPTIMIZER_TYPE_GEPA", "scorers": ["Safety"]}',
        },
        500,
        "INTERNAL_ERROR",
        "it needs a server that runs jobs",
    ),
    Refused(
        "MlflowArtifactsService.createMultipartUpload",
        "server.artifacts.create_multipart_upload",
        {**_UPLOAD, "num_parts": 2},
        501,
        "NOT_IMPLEMENTED",
        _LOCAL,
    ),
    Refused(
        "MlflowArtifactsService.completeMultipartUpload",
        "server.artifacts.complete_multipart_upload",
        {**_UPLOAD, "upload_id": "u", "parts": '[{"part_number": 1, "etag": "e"}]'},
        501,
        "NOT_IMPLEMENTED",
        _LOCAL,
    ),
    Refused(
        "MlflowArtifactsService.abortMultipartUpload",
        "server.artifacts.abort_multipart_upload",
        {**_UPLOAD, "upload_id": "u"},
        501,
        "NOT_IMPLEMENTED",
        _LOCAL,
    ),
    Refused(
        "MlflowArtifactsService.getPresignedDownloadUrl",
        "server.artifacts.get_presigned_download_url",
        {"artifact_path": "a"},
        501,
        "NOT_IMPLEMENTED",
        _LOCAL,
    ),
]
SEVERAL = {
    "MlflowService.logParam": {"runs", "params"},
    "MlflowService.setTag": {"runs", "tags"},
    "MlflowService.deleteTag": {"runs", "tags"},
    "MlflowService.getRun": {"runs", "metrics", "params", "tags"},
    "MlflowService.searchRuns": {"runs", "metrics", "params", "tags"},
    "MlflowService.logBatch": {"runs", "metrics", "params", "tags", "metric_history"},
    "MlflowService.setLoggedModelTags": {"logged_models"},
    "MlflowService.searchTracesV3": {"traces", "assessments"},
    "MlflowService.batchGetTraceInfos": {"traces", "assessments"},
    "MlflowService.deleteScorer": {"scorers", "scorer_versions"},
    "MlflowService.listGatewayEndpoints": {"endpoints", "endpoint_models"},
    "ModelRegistryService.getRegisteredModel": {"registered_models", "aliases"},
    "ModelRegistryService.searchRegisteredModels": {"registered_models", "aliases"},
    "ModelRegistryService.setRegisteredModelAlias": {"registered_models", "aliases"},
    "ModelRegistryService.deleteRegisteredModelAlias": {"registered_models", "aliases"},
}
"""RPCs that more than one method sends, and the resources that these serve."""


def test_every_rpc_is_a_method_and_every_method_an_rpc() -> None:
    assert len(rpcs()) == 183
    assert [operation for operation, rpc in rpcs().items() if not ours(rpc)] == []
    sent = Counter(str(r.name) + m.name for rpc in rpcs().values() for r, m in ours(rpc))
    assert set(sent.values()) == {1}


def test_an_rpc_is_there_twice_only_where_it_serves_several_resources() -> None:
    several = {
        operation: {resource.name.resource for resource, _ in ours(rpc)}
        for operation, rpc in rpcs().items()
        if len(ours(rpc)) > 1
    }
    assert several == SEVERAL


def test_what_is_not_as_described_is_known_and_said_why() -> None:
    compared = compare()
    assert {found.operation for found in compared} == rpcs().keys()
    assert all(found.sql_name and found.reason for found in compared)
    different = {found.operation for found in compared if not found.equal}
    assert different == {*SERVED_ELSEWHERE, *NOT_THE_SAME, *NOT_OFFERED, *UNLIKE_THE_SDK}


def test_a_request_of_another_message_is_told() -> None:
    """The comparison can fail."""
    issue = rpcs()["MlflowService.createIssue"]
    assert list(differences(issue)) == []
    webhook = rpcs()["WebhookService.createWebhook"].message
    assert 'no field named "' in " ".join(differences(replace(issue, message=webhook)))


def test_every_rpc_is_made_by_a_test_or_refused_with_a_reason() -> None:
    made = {operation for test in _tests() for operation in getattr(test, "covers", ())}
    refused = {refusal.operation for refusal in REFUSED}
    assert made | refused == rpcs().keys()
    assert made & refused == set()


def _tests() -> list[object]:
    """The tests of this file and of the three beside it."""
    modules = (globals(), *map(vars, (test_mlflow_gateway, test_mlflow_genai, test_mlflow_traces)))
    return [test for module in modules for test in module.values() if isfunction(test)]


@pytest.mark.parametrize("refusal", [pytest.param(found, id=found.operation) for found in REFUSED])
def test_what_the_server_refuses_comes_through(refusal: Refused, sql: Sql, served: Served) -> None:
    known = {"{run}": served.run, "{experiment}": served.experiment}
    arguments = {name: known.get(str(value), value) for name, value in refusal.arguments.items()}
    error = sql.answered(*exec_text(refusal.target, **arguments))
    assert (error.status, error.code) == (refusal.status, refusal.code), refusal.why
    assert error.context == f"mlflow.{refusal.target}"


@covers(
    "createExperiment",
    "searchExperiments",
    "getExperiment",
    "getExperimentByName",
    "updateExperiment",
    "setExperimentTag",
    "deleteExperimentTag",
    "deleteExperiment",
    "restoreExperiment",
)
def test_experiments_are_made_read_changed_deleted_and_restored(sql: Sql) -> None:
    table = "mlflow.tracking.experiments"
    (id_,) = sql.row(
        f"INSERT INTO {table} (name, tags) VALUES ('one', '{{\"a\": \"b\"}}') RETURNING experiment_id"
    )
    assert sql.value(f"SELECT experiment_id FROM {table} WHERE name = 'one'") == id_
    assert sql.value(f"SELECT name FROM {table} WHERE experiment_id = ?", [id_]) == "one"
    changed = f"""UPDATE {table} SET name = 'two', tags = '{{"c": "d"}}' WHERE experiment_id = ?"""
    assert sql.do(changed, [id_]) == 1
    found = sql.rows(f"SELECT name, tags FROM {table} WHERE tags->>'c' = 'd'")
    assert found == [("two", '{"c":"d"}')]
    assert sql.do(f"DELETE FROM {table} WHERE experiment_id = ?", [id_]) == 1
    assert sql.rows(f"SELECT 1 FROM {table} WHERE experiment_id = ?", [id_]) == []
    sql.do(*exec_text("tracking.experiments.restore", experiment_id=id_))
    assert sql.value(f"SELECT lifecycle_stage FROM {table} WHERE experiment_id = ?", [id_]) == "active"


@covers(
    "createRun",
    "searchRuns",
    "getRun",
    "updateRun",
    "setTag",
    "deleteTag",
    "logBatch",
    "deleteRun",
    "restoreRun",
)
def test_runs_are_made_read_changed_deleted_and_restored(sql: Sql, served: Served) -> None:
    table = "mlflow.tracking.runs"
    made = f"INSERT INTO {table} (experiment_id, run_name) VALUES (?, 'r') RETURNING run_id"
    (id_,) = sql.row(made, [served.experiment])
    metrics = '[{"key": "m", "value": 0.5, "timestamp": 7, "step": 1}]'
    sql.do(
        *exec_text(
            "tracking.runs.log_batch", run_id=id_, metrics=metrics, params='{"p": "v"}', tags='{"t": "u"}'
        )
    )
    changed = f"""UPDATE {table}
        SET status = 'FINISHED', tags = json_set(json_remove(tags, '$.t'), '$.x', 'y') WHERE run_id = ?"""
    assert sql.do(changed, [id_]) == 1
    read = f"""SELECT status, metrics->>'m', params->>'p', tags->>'t', tags->>'x' FROM {table}
        WHERE experiment_id = ? AND status = 'FINISHED'"""
    assert sql.rows(read, [served.experiment]) == [("FINISHED", 0.5, "v", None, "y")]
    assert sql.do(f"DELETE FROM {table} WHERE run_id = ?", [id_]) == 1
    assert sql.rows(f"SELECT 1 FROM {table} WHERE run_id = ?", [id_]) == []
    sql.do(*exec_text("tracking.runs.restore", run_id=id_))
    assert sql.value(f"SELECT run_name FROM {table} WHERE run_id = ?", [id_]) == "r"


@covers(
    "logMetric",
    "logParam",
    "logInputs",
    "getMetricHistory",
    "getMetricHistoryBulkInterval",
    "searchDatasets",
)
def test_what_a_run_logs_is_read_back(sql: Sql, served: Served) -> None:
    run = {"run_id": served.run}
    sql.do(*exec_text("tracking.runs.log_metric", **run, key="loss", value=0.25, timestamp=7, step=3))
    sql.do(*exec_text("tracking.runs.log_parameter", **run, key="lr", value="0.1"))
    dataset = {"name": "d", "digest": "x", "source_type": "local", "source": "{}"}
    context = [{"key": "mlflow.data.context", "value": "train"}]
    inputs = json.dumps([{"dataset": dataset, "tags": context}])
    sql.do(*exec_text("tracking.runs.log_inputs", **run, datasets=inputs))
    history = """SELECT step, timestamp, value FROM mlflow.tracking.metric_history
        WHERE run_id = ? AND metric_key = 'loss'"""
    assert sql.rows(history, [served.run]) == [(3, 7, 0.25)]
    bulk = exec_text(
        "tracking.metric_history.get_history_bulk_interval",
        run_ids=served.run,
        metric_key="loss",
        max_results=5,
    )
    assert [unpacked(metrics) for (metrics,) in sql.rows(*bulk)] == [
        [{"key": "loss", "value": 0.25, "timestamp": 7, "step": 3, "run_id": served.run}]
    ]
    logged = "SELECT params->>'lr' FROM mlflow.tracking.runs WHERE run_id = ?"
    assert sql.value(logged, [served.run]) == "0.1"
    used = "SELECT name, digest, context FROM mlflow.tracking.dataset_summaries WHERE experiment_id = ?"
    assert sql.rows(used, [served.experiment]) == [("d", "x", "train")]


@covers(
    "createLoggedModel",
    "searchLoggedModels",
    "getLoggedModel",
    "finalizeLoggedModel",
    "setLoggedModelTags",
    "deleteLoggedModelTag",
    "LogLoggedModelParams",
    "logOutputs",
    "listLoggedModelArtifacts",
    "deleteLoggedModel",
)
def test_logged_models_are_made_read_changed_and_deleted(sql: Sql, served: Served) -> None:
    table = "mlflow.tracking.logged_models"
    made = f"INSERT INTO {table} (experiment_id, name) VALUES (?, 'tree') RETURNING model_id"
    (id_,) = sql.row(made, [served.experiment])
    model: dict[str, SQLValue] = {"model_id": id_}
    sql.do(*exec_text("tracking.logged_models.log_params", **model, params='{"depth": "3"}'))
    sql.do(f"UPDATE {table} SET tags = ? WHERE model_id = ?", [TAGS, id_])
    sql.do(f"UPDATE {table} SET tags = json_remove(tags, '$.a') WHERE model_id = ?", [id_])
    sql.do(*exec_text("tracking.logged_models.finalize", **model, status="LOGGED_MODEL_READY"))
    outputs = json.dumps([{"model_id": id_, "step": 4}])
    sql.do(*exec_text("tracking.runs.log_outputs", run_id=served.run, models=outputs))
    read = f"SELECT status, params, tags FROM {table} WHERE experiment_id = ? AND name = 'tree'"
    assert sql.rows(read, [served.experiment]) == [("LOGGED_MODEL_READY", '{"depth":"3"}', '{"c":"d"}')]
    made_by = "SELECT outputs->>'$.model_outputs[0].step' FROM mlflow.tracking.runs WHERE run_id = ?"
    assert sql.value(made_by, [served.run]) == 4
    root, *_ = sql.row(*exec_text("tracking.logged_models.list_artifacts", **model))
    assert str(root).endswith(f"{id_!s}/artifacts")
    assert sql.do(f"DELETE FROM {table} WHERE model_id = ?", [id_]) == 1
    assert sql.rows(f"SELECT 1 FROM {table} WHERE model_id = ?", [id_]) == []


@covers(
    "listArtifacts",
    "MlflowArtifactsService.uploadArtifact",
    "MlflowArtifactsService.listArtifacts",
    "MlflowArtifactsService.downloadArtifact",
    "MlflowArtifactsService.deleteArtifact",
)
def test_artifacts_are_written_listed_read_and_deleted(sql: Sql, served: Served) -> None:
    uri = sql.value("SELECT artifact_uri FROM mlflow.tracking.runs WHERE run_id = ?", [served.run])
    root = str(uri).removeprefix("mlflow-artifacts:/")
    file = {"artifact_path": f"{root}/by epoch/ü%.json"}
    sql.do(*exec_text("server.artifacts.upload", **file, content='{"a": [1, "ü"]}'))
    listed = "SELECT path, is_dir, file_size FROM mlflow.server.artifacts WHERE directory = ?"
    assert sql.rows(listed, [root]) == [("by epoch", 1, None)]
    assert sql.rows(listed, [f"{root}/by epoch"]) == [("ü%.json", 0, 14)]
    assert sql.rows(listed, ["../.."]) == sql.rows(listed, ["/etc"]) == sql.rows(listed, ["nowhere"]) == []
    of_run = "SELECT path FROM mlflow.tracking.artifacts WHERE run_id = ? ORDER BY path"
    assert sql.rows(of_run, [served.run]) == [("by epoch",), ("by epoch/ü%.json",)]
    assert sql.rows(*exec_text("server.artifacts.download", **file)) == [('[1,"ü"]',)]
    sql.do(*exec_text("server.artifacts.delete", artifact_path=f"{root}/by epoch"))
    assert sql.rows(listed, [root]) == []


@covers(
    "ModelRegistryService.createRegisteredModel",
    "ModelRegistryService.searchRegisteredModels",
    "ModelRegistryService.getRegisteredModel",
    "ModelRegistryService.updateRegisteredModel",
    "ModelRegistryService.renameRegisteredModel",
    "ModelRegistryService.setRegisteredModelTag",
    "ModelRegistryService.deleteRegisteredModelTag",
    "ModelRegistryService.setRegisteredModelAlias",
    "ModelRegistryService.deleteRegisteredModelAlias",
    "ModelRegistryService.getModelVersionByAlias",
    "ModelRegistryService.getLatestVersions",
    "ModelRegistryService.createModelVersion",
    "ModelRegistryService.searchModelVersions",
    "ModelRegistryService.getModelVersion",
    "ModelRegistryService.updateModelVersion",
    "ModelRegistryService.transitionModelVersionStage",
    "ModelRegistryService.setModelVersionTag",
    "ModelRegistryService.deleteModelVersionTag",
    "ModelRegistryService.getModelVersionDownloadUri",
    "ModelRegistryService.deleteModelVersion",
    "ModelRegistryService.deleteRegisteredModel",
)
def test_models_and_versions_are_made_read_changed_and_deleted(sql: Sql) -> None:
    models, versions = "mlflow.registry.registered_models", "mlflow.registry.model_versions"
    sql.do(f"INSERT INTO {models} (name, description) VALUES ('old', 'd')")
    sql.do(*exec_text("registry.registered_models.rename", name="old", new_name="m"))
    sql.do(f"UPDATE {models} SET description = 'e', tags = ? WHERE name = 'm'", [TAGS])
    sql.do(f"UPDATE {models} SET tags = json_remove(tags, '$.a') WHERE name = 'm'")
    assert sql.rows(f"SELECT name, description, tags FROM {models} WHERE tags->>'c' = 'd'") == [
        ("m", "e", '{"c":"d"}')
    ]

    made = f"INSERT INTO {versions} (name, source) VALUES ('m', 's3://b/1') RETURNING version, status"
    assert sql.row(made) == ("1", "READY")
    one: dict[str, SQLValue] = {"name": "m", "version": "1"}
    sql.do(f"UPDATE {versions} SET description = 'f', tags = ? WHERE name = 'm' AND version = '1'", [TAGS])
    sql.do(f"UPDATE {versions} SET tags = json_remove(tags, '$.a') WHERE name = 'm' AND version = '1'")
    sql.do(*exec_text("registry.model_versions.transition_stage", **one, stage="Production"))
    read = f"SELECT description, tags, current_stage FROM {versions} WHERE name = 'm'"
    assert sql.rows(read) == [("f", '{"c":"d"}', "Production")]
    assert sql.value(*exec_text("registry.model_versions.get_download_uri", **one)) == "s3://b/1"
    newest = sql.rows(
        *exec_text("registry.registered_models.get_latest_versions", name="m", stages="Production")
    )
    assert [unpacked(found)[0]["version"] for (found,) in newest] == ["1"]

    sql.do("INSERT INTO mlflow.registry.aliases (name, alias, version) VALUES ('m', 'best', '1')")
    assert sql.value(f"SELECT version FROM {versions} WHERE name = 'm' AND alias = 'best'") == "1"
    assert sql.do("DELETE FROM mlflow.registry.aliases WHERE name = 'm' AND alias = 'best'") == 1
    assert sql.rows(f"SELECT version FROM {versions} WHERE name = 'm' AND alias = 'best'") == []
    assert sql.do(f"DELETE FROM {versions} WHERE name = 'm' AND version = '1'") == 1
    assert sql.do(f"DELETE FROM {models} WHERE name = 'm'") == 1
    assert sql.rows(f"SELECT name FROM {models}") == []


def test_a_handler_that_falls_over_is_an_error_that_says_so(sql: Sql, served: Served) -> None:
    """Some answers of the server are pages for people; an enum keeps these from being asked for."""
    answer = httpx.post(f"{served.base_url}/api/3.0/mlflow/datasets/create", json={"name": "d", "tags": "{"})
    assert (answer.status_code, answer.headers["content-type"][:9]) == (500, "text/html")
    error = sql.answered("INSERT INTO mlflow.genai.datasets (name, tags) VALUES ('d', '{')")
    assert (error.status, error.code) == (500, None)
