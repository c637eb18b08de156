"""The RPCs that databricks-sdk has under MLflow's path: each called by it and by EXEC, both recorded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple, get_args, get_type_hints
from urllib.parse import parse_qsl

from sqlprovider.config import load_config
from sqlprovider.errors import DataError
from sqlprovider.session import Session, provider_names
from sqlprovider.values import JSON, SQLValue
from tests.fakes.loopback import Loopback, Seen

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

Request = tuple[str, str, tuple[tuple[str, str], ...], JSON]
"""(method, path, sorted query, body); no body is an empty object."""

TAGS: JSON = [{"key": "k", "value": "v"}]
DATASET: JSON = {"name": "d", "digest": "x", "source_type": "local", "source": "{}"}
PAIR: dict[str, JSON] = {"key": "k", "value": "v"}
SEARCH: dict[str, JSON] = {"filter": "name = 'n'", "max_results": 7, "order_by": ["name ASC"]}
RUNS: dict[str, JSON] = {**SEARCH, "experiment_ids": ["1"], "run_view_type": "ALL"}
METRIC: dict[str, JSON] = {"key": "m", "value": 0.5, "timestamp": 7, "step": 1}
NEW_MODEL: dict[str, JSON] = {"name": "n", "model_type": "t", "source_run_id": "r", "params": TAGS}
VERSION: dict[str, JSON] = {"name": "n", "version": "1"}
OF_VERSION: dict[str, JSON] = {"description": "d", "run_id": "r", "run_link": "l", "tags": TAGS}
MODELS: dict[str, JSON] = {
    "experiment_ids": ["1"],
    "filter": "name = 'n'",
    "datasets": [{"dataset_name": "d", "dataset_digest": "x"}],
    "order_by": [{"field_name": "name", "ascending": True}],
    "max_results": 7,
}


class SdkCall(NamedTuple):
    """One RPC: the SDK's method, ours, and the arguments of both by the SDK's names."""

    sdk: str
    target: str
    arguments: Mapping[str, JSON]


RENAMED = {"experiment_ids": "experiment_id", "tag_key": "key"}
"""Arguments that go by another name in SQL."""

_E: dict[str, JSON] = {"experiment_id": "1"}
_R: dict[str, JSON] = {"run_id": "r"}
_M: dict[str, JSON] = {"model_id": "m-1"}
_N: dict[str, JSON] = {"name": "n"}
_TRACKING: Mapping[str, tuple[str, str, Mapping[str, JSON]]] = {
    "createExperiment": (
        "create_experiment",
        "experiments.create",
        {**_N, "artifact_location": "s3://b", "tags": TAGS},
    ),
    "searchExperiments": ("search_experiments", "experiments.search", {**SEARCH, "view_type": "ALL"}),
    "getExperiment": ("get_experiment", "experiments.get", _E),
    "getExperimentByName": ("get_by_name", "experiments.get_by_name", {"experiment_name": "a b/ü"}),
    "updateExperiment": ("update_experiment", "experiments.update", {**_E, "new_name": "m"}),
    "deleteExperiment": ("delete_experiment", "experiments.delete", _E),
    "restoreExperiment": ("restore_experiment", "experiments.restore", _E),
    "setExperimentTag": ("set_experiment_tag", "experiments.set_tag", {**_E, **PAIR}),
    "createRun": (
        "create_run",
        "runs.create",
        {**_E, "run_name": "n", "user_id": "u", "start_time": 7, "tags": TAGS},
    ),
    "updateRun": ("update_run", "runs.update", {**_R, "status": "KILLED", "end_time": 7, "run_name": "n"}),
    "getRun": ("get_run", "runs.get", _R),
    "searchRuns": ("search_runs", "runs.search", RUNS),
    "deleteRun": ("delete_run", "runs.delete", _R),
    "restoreRun": ("restore_run", "runs.restore", _R),
    "logBatch": ("log_batch", "runs.log_batch", {**_R, "metrics": [METRIC], "params": TAGS, "tags": TAGS}),
    "logMetric": ("log_metric", "runs.log_metric", {**_R, **METRIC}),
    "logParam": ("log_param", "runs.log_parameter", {**_R, **PAIR}),
    "logInputs": (
        "log_inputs",
        "runs.log_inputs",
        {**_R, "datasets": [{"dataset": DATASET, "tags": TAGS}], "models": [{"model_id": "m"}]},
    ),
    "logOutputs": ("log_outputs", "runs.log_outputs", {**_R, "models": [{"model_id": "m", "step": 1}]}),
    "logModel": ("log_model", "runs.log_model", {**_R, "model_json": "{}"}),
    "setTag": ("set_tag", "runs.set_tag", {**_R, **PAIR}),
    "deleteTag": ("delete_tag", "runs.delete_tag", {**_R, "key": "k"}),
    "getMetricHistory": (
        "get_history",
        "metric_history.get_history",
        {**_R, "metric_key": "m", "max_results": 7},
    ),
    "listArtifacts": ("list_artifacts", "artifacts.list", {**_R, "path": "a/b"}),
    "createLoggedModel": ("create_logged_model", "logged_models.create", {**_E, **NEW_MODEL, "tags": TAGS}),
    "getLoggedModel": ("get_logged_model", "logged_models.get", _M),
    "finalizeLoggedModel": (
        "finalize_logged_model",
        "logged_models.finalize",
        {**_M, "status": "LOGGED_MODEL_READY"},
    ),
    "deleteLoggedModel": ("delete_logged_model", "logged_models.delete", _M),
    "searchLoggedModels": ("search_logged_models", "logged_models.search", MODELS),
    "setLoggedModelTags": ("set_logged_model_tags", "logged_models.set_tags", {**_M, "tags": TAGS}),
    "deleteLoggedModelTag": ("delete_logged_model_tag", "logged_models.delete_tag", {**_M, "tag_key": "a b"}),
    "LogLoggedModelParams": ("log_logged_model_params", "logged_models.log_params", {**_M, "params": TAGS}),
}
_REGISTRY: Mapping[str, tuple[str, str, Mapping[str, JSON]]] = {
    "createRegisteredModel": (
        "create_model",
        "registered_models.create",
        {**_N, "description": "d", "tags": TAGS},
    ),
    "renameRegisteredModel": ("rename_model", "registered_models.rename", {**_N, "new_name": "m"}),
    "updateRegisteredModel": ("update_model", "registered_models.update", {**_N, "description": "d"}),
    "deleteRegisteredModel": ("delete_model", "registered_models.delete", _N),
    "searchRegisteredModels": ("search_models", "registered_models.search", SEARCH),
    "getLatestVersions": (
        "get_latest_versions",
        "registered_models.get_latest_versions",
        {**_N, "stages": ["None"]},
    ),
    "setRegisteredModelTag": ("set_model_tag", "registered_models.set_tag", {**_N, **PAIR}),
    "deleteRegisteredModelTag": ("delete_model_tag", "registered_models.delete_tag", {**_N, "key": "k"}),
    "createModelVersion": (
        "create_model_version",
        "model_versions.create",
        {**_N, "source": "s3://b", **OF_VERSION},
    ),
    "updateModelVersion": ("update_model_version", "model_versions.update", {**VERSION, "description": "d"}),
    "deleteModelVersion": ("delete_model_version", "model_versions.delete", VERSION),
    "getModelVersion": ("get_model_version", "model_versions.get", VERSION),
    "searchModelVersions": ("search_model_versions", "model_versions.search", SEARCH),
    "getModelVersionDownloadUri": (
        "get_model_version_download_uri",
        "model_versions.get_download_uri",
        VERSION,
    ),
    "setModelVersionTag": ("set_model_version_tag", "model_versions.set_tag", {**VERSION, **PAIR}),
    "deleteModelVersionTag": (
        "delete_model_version_tag",
        "model_versions.delete_tag",
        {**VERSION, "key": "k"},
    ),
}
SDK_CALLS: Mapping[str, SdkCall] = {
    f"MlflowService.{name}": SdkCall(f"experiments.{sdk}", f"mlflow.tracking.{target}", arguments)
    for name, (sdk, target, arguments) in _TRACKING.items()
} | {
    f"ModelRegistryService.{name}": SdkCall(f"model_registry.{sdk}", f"mlflow.registry.{target}", arguments)
    for name, (sdk, target, arguments) in _REGISTRY.items()
}


def recorded(calls: Mapping[str, SdkCall]) -> dict[str, tuple[list[Request], list[Request]]]:
    """Operation → (the SDK's requests, ours), all made to a server that answers `{}`."""
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.config import Config

    found = {}
    with Loopback(_nothing) as server:
        client = WorkspaceClient(config=Config(host=server.base_url, token="t"))
        setting = {"connections": {"mlflow": {"base_url": server.base_url}}}
        config = load_config(setting, environ={}, providers=provider_names())
        with closing(Session(config, environ={})) as session:
            for operation, call in calls.items():
                _by_sdk(client, call)
                theirs = _taken(server.requests)
                _by_sql(session, call)
                found[operation] = (theirs, _taken(server.requests))
    return found


def _by_sdk(client: WorkspaceClient, call: SdkCall) -> None:
    """Calls the SDK's method with its own types; what it gives is read to the end."""
    api, _, name = call.sdk.partition(".")
    method = getattr(getattr(client, api), name)
    hints = get_type_hints(method)
    result = method(**{name: _typed(value, hints[name]) for name, value in call.arguments.items()})
    if isinstance(result, Iterable):
        list(result)


def _typed(value: JSON, hint: Any) -> object:
    """JSON as the SDK's hint has it: an enum, or dataclasses with `from_dict`."""
    inner = next((found for found in get_args(hint) if found is not type(None)), hint)
    if isinstance(value, list):
        return [_typed(item, inner) for item in value]
    if isinstance(inner, type) and issubclass(inner, Enum):
        return inner(value)
    item = get_args(inner)[0] if get_args(inner) else inner
    return item.from_dict(value) if hasattr(item, "from_dict") else value


def _by_sql(session: Session, call: SdkCall) -> None:
    """Runs the EXEC to its end. An answer of `{}` lacks the object that most answers hold."""
    given = {RENAMED.get(name, name): _sql(name, value) for name, value in call.arguments.items()}
    arguments = ", ".join(f"@{name} = :{name}" for name in given)
    try:
        for result in session.run(f"EXEC {call.target} {arguments}", given):
            list(result.rows)
    except DataError as error:
        if error.reason != "missing_rows":
            raise


def _sql(name: str, value: JSON) -> SQLValue:
    if name == "experiment_ids" and isinstance(value, list):
        (value,) = value
    return json.dumps(value) if isinstance(value, list | dict) else value


def _taken(seen: list[Seen]) -> list[Request]:
    """The requests so far, which are forgotten; the SDK asks for its own configuration too."""
    requests = [
        (found.method, found.path, tuple(sorted(parse_qsl(found.query))), json.loads(found.body or b"{}"))
        for found in seen
        if "/mlflow/" in found.path
    ]
    seen.clear()
    return requests


def _nothing(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", "2")])
    return [b"{}"]
