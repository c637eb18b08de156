"""The official client's calls that sqlprovider's own requests are compared with, and what each is given.

Everything here is data in the API's own words. `parameters` is what a test makes its SQL of: the ids of the
path, the options of the query, the fields of the body. Each call succeeds on a fresh `vertex_jobs()`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlprovider.values import JSON


@dataclass(frozen=True, slots=True)
class SdkCall:
    """One call of the official client: `call(client)` makes it and reads its answer to the end."""

    rpc: str
    """The client's method, `list_tensorboard_runs`; its message is `ListTensorboardRunsRequest`."""
    request: Mapping[str, JSON]
    """That message in proto3 JSON."""
    parameters: Mapping[str, JSON]
    service: str = "Tensorboard"
    """The client is `TensorboardServiceClient`."""

    def __call__(self, client: Any) -> object:  # the clients share no class that has these methods
        from google.cloud.aiplatform_v1 import types

        name = "".join(word.capitalize() for word in self.rpc.split("_")) + "Request"
        message = getattr(types, name).from_json(json.dumps(self.request))
        answer: object = getattr(client, self.rpc)(request=message)
        if hasattr(answer, "result"):
            return answer.result(timeout=10)
        return list(answer) if isinstance(answer, Iterable) else answer


_LOCATION = "projects/p/locations/l"
_TENSORBOARD = f"{_LOCATION}/tensorboards/t"
_EXPERIMENT = f"{_TENSORBOARD}/experiments/e1"
_RUN = f"{_EXPERIMENT}/runs/r01"
_SERIES = f"{_RUN}/timeSeries/loss"

_IN_LOCATION: dict[str, JSON] = {"projectsId": "p", "locationsId": "l"}
_IN_TENSORBOARD: dict[str, JSON] = {**_IN_LOCATION, "tensorboardsId": "t"}
_IN_EXPERIMENT: dict[str, JSON] = {**_IN_TENSORBOARD, "experimentsId": "e1"}
_IN_RUN: dict[str, JSON] = {**_IN_EXPERIMENT, "runsId": "r01"}
_IN_SERIES: dict[str, JSON] = {**_IN_RUN, "timeSeriesId": "loss"}

_PAGE: dict[str, JSON] = {
    "filter": 'display_name!="it\'s"',
    "pageSize": 2,
    "orderBy": "create_time desc",
    "readMask": "name,displayName",
}
_FIELDS: dict[str, JSON] = {
    "displayName": "naïve ☕ 'name'",
    "description": "a/b+c d",
    "labels": {"team": "vision", "größe": "12"},
}
_CHANGES: dict[str, JSON] = {"displayName": "changed", "description": ""}
_MASK = "displayName,description"
_SCALAR_SERIES: dict[str, JSON] = {"displayName": "f1", "valueType": "SCALAR", "pluginName": "scalars"}
_POINTS: list[JSON] = [
    {"step": "0", "wallTime": "2026-01-02T03:04:05Z", "scalar": {"value": 0.0}},
    {"step": "12345678901", "wallTime": "2026-01-02T03:04:05.678Z", "scalar": {"value": 0.25}},
    {"step": "3", "wallTime": "2026-01-02T03:04:05.678901234Z", "scalar": {"value": "NaN"}},
]
_SERIES_DATA: list[JSON] = [{"tensorboardTimeSeriesId": "loss", "valueType": "SCALAR", "values": _POINTS}]
_RUN_WRITES: list[JSON] = [
    {"tensorboardRun": f"{_EXPERIMENT}/runs/{run}", "timeSeriesData": _SERIES_DATA} for run in ("r01", "r02")
]
_NEW_RUNS: list[JSON] = [
    {"parent": _EXPERIMENT, "tensorboardRunId": id_, "tensorboardRun": {**_FIELDS, "displayName": id_}}
    for id_ in ("new-1", "new-2")
]
_NEW_SERIES: list[JSON] = [
    {
        "parent": f"{_EXPERIMENT}/runs/{run}",
        "tensorboardTimeSeriesId": "f1",
        "tensorboardTimeSeries": _SCALAR_SERIES,
    }
    for run in ("r01", "r02")
]

SDK_CALLS: dict[str, SdkCall] = {
    "tensorboards.list": SdkCall(
        "list_tensorboards", {"parent": _LOCATION, **_PAGE}, {**_IN_LOCATION, **_PAGE}
    ),
    "tensorboards.get": SdkCall("get_tensorboard", {"name": _TENSORBOARD}, _IN_TENSORBOARD),
    "tensorboards.create": SdkCall(
        "create_tensorboard", {"parent": _LOCATION, "tensorboard": _FIELDS}, {**_IN_LOCATION, **_FIELDS}
    ),
    "tensorboards.patch": SdkCall(
        "update_tensorboard",
        {"tensorboard": {"name": _TENSORBOARD, **_CHANGES}, "updateMask": _MASK},
        {**_IN_TENSORBOARD, **_CHANGES, "updateMask": _MASK},
    ),
    "tensorboards.delete": SdkCall("delete_tensorboard", {"name": _TENSORBOARD}, _IN_TENSORBOARD),
    "tensorboards.batch_read": SdkCall(
        "batch_read_tensorboard_time_series_data",
        {"tensorboard": _TENSORBOARD, "timeSeries": [_SERIES, f"{_RUN}/timeSeries/accuracy"]},
        {**_IN_TENSORBOARD, "timeSeries": [_SERIES, f"{_RUN}/timeSeries/accuracy"]},
    ),
    "tensorboards.read_size": SdkCall(
        "read_tensorboard_size", {"tensorboard": _TENSORBOARD}, _IN_TENSORBOARD
    ),
    "tensorboards.read_usage": SdkCall(
        "read_tensorboard_usage", {"tensorboard": _TENSORBOARD}, _IN_TENSORBOARD
    ),
    "experiments.list": SdkCall(
        "list_tensorboard_experiments", {"parent": _TENSORBOARD, **_PAGE}, {**_IN_TENSORBOARD, **_PAGE}
    ),
    "experiments.get": SdkCall("get_tensorboard_experiment", {"name": _EXPERIMENT}, _IN_EXPERIMENT),
    "experiments.create": SdkCall(
        "create_tensorboard_experiment",
        {
            "parent": _TENSORBOARD,
            "tensorboardExperimentId": "new-1",
            "tensorboardExperiment": {**_FIELDS, "source": "a notebook"},
        },
        {**_IN_TENSORBOARD, "tensorboardExperimentId": "new-1", **_FIELDS, "source": "a notebook"},
    ),
    "experiments.patch": SdkCall(
        "update_tensorboard_experiment",
        {"tensorboardExperiment": {"name": _EXPERIMENT, **_CHANGES}, "updateMask": _MASK},
        {**_IN_EXPERIMENT, **_CHANGES, "updateMask": _MASK},
    ),
    "experiments.delete": SdkCall("delete_tensorboard_experiment", {"name": _EXPERIMENT}, _IN_EXPERIMENT),
    "experiments.batch_create": SdkCall(
        "batch_create_tensorboard_time_series",
        {"parent": _EXPERIMENT, "requests": _NEW_SERIES},
        {**_IN_EXPERIMENT, "requests": _NEW_SERIES},
    ),
    "experiments.write": SdkCall(
        "write_tensorboard_experiment_data",
        {"tensorboardExperiment": _EXPERIMENT, "writeRunDataRequests": _RUN_WRITES},
        {**_IN_EXPERIMENT, "writeRunDataRequests": _RUN_WRITES},
    ),
    "runs.list": SdkCall(
        "list_tensorboard_runs", {"parent": _EXPERIMENT, **_PAGE}, {**_IN_EXPERIMENT, **_PAGE}
    ),
    "runs.get": SdkCall("get_tensorboard_run", {"name": _RUN}, _IN_RUN),
    "runs.create": SdkCall(
        "create_tensorboard_run",
        {"parent": _EXPERIMENT, "tensorboardRunId": "new-1", "tensorboardRun": _FIELDS},
        {**_IN_EXPERIMENT, "tensorboardRunId": "new-1", **_FIELDS},
    ),
    "runs.batch_create": SdkCall(
        "batch_create_tensorboard_runs",
        {"parent": _EXPERIMENT, "requests": _NEW_RUNS},
        {**_IN_EXPERIMENT, "requests": _NEW_RUNS},
    ),
    "runs.patch": SdkCall(
        "update_tensorboard_run",
        {"tensorboardRun": {"name": _RUN, **_CHANGES}, "updateMask": _MASK},
        {**_IN_RUN, **_CHANGES, "updateMask": _MASK},
    ),
    "runs.delete": SdkCall("delete_tensorboard_run", {"name": _RUN}, _IN_RUN),
    "runs.write": SdkCall(
        "write_tensorboard_run_data",
        {"tensorboardRun": _RUN, "timeSeriesData": _SERIES_DATA},
        {**_IN_RUN, "timeSeriesData": _SERIES_DATA},
    ),
    "time_series.list": SdkCall(
        "list_tensorboard_time_series", {"parent": _RUN, **_PAGE}, {**_IN_RUN, **_PAGE}
    ),
    "time_series.get": SdkCall("get_tensorboard_time_series", {"name": _SERIES}, _IN_SERIES),
    "time_series.create": SdkCall(
        "create_tensorboard_time_series",
        {"parent": _RUN, "tensorboardTimeSeriesId": "f1", "tensorboardTimeSeries": _SCALAR_SERIES},
        {**_IN_RUN, "tensorboardTimeSeriesId": "f1", **_SCALAR_SERIES},
    ),
    "time_series.patch": SdkCall(
        "update_tensorboard_time_series",
        {"tensorboardTimeSeries": {"name": _SERIES, **_CHANGES}, "updateMask": _MASK},
        {**_IN_SERIES, **_CHANGES, "updateMask": _MASK},
    ),
    "time_series.delete": SdkCall("delete_tensorboard_time_series", {"name": _SERIES}, _IN_SERIES),
    "time_series.read": SdkCall(
        "read_tensorboard_time_series_data",
        {"tensorboardTimeSeries": _SERIES, "maxDataPoints": 5},
        {**_IN_SERIES, "maxDataPoints": 5},
    ),
    "time_series.read_blob_data": SdkCall(
        "read_tensorboard_blob_data",
        {"timeSeries": f"{_RUN}/timeSeries/samples", "blobIds": ["blob-0-0", "blob-5-1"]},
        {**_IN_RUN, "timeSeriesId": "samples", "blobIds": ["blob-0-0", "blob-5-1"]},
    ),
    "time_series.export_tensorboard_time_series": SdkCall(
        "export_tensorboard_time_series_data",
        {"tensorboardTimeSeries": _SERIES, "pageSize": 4, "orderBy": "step"},
        {**_IN_SERIES, "pageSize": 4, "orderBy": "step"},
    ),
}
"""`resource.method` → the call."""
