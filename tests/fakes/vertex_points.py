"""The data points of the Vertex stand-in: write, read, export, blobs."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlprovider.values import JSON
from tests.fakes.google_api import ApiError
from tests.fakes.google_query import fingerprint, page_size
from tests.fakes.proto_json import Object
from tests.fakes.vertex_state import VertexState
from tests.fakes.wsgi import RecordedRequest

MAX_POINTS = 5000
_VALUE_FIELD = {"SCALAR": "scalar", "TENSOR": "tensor", "BLOB_SEQUENCE": "blobs"}
_SAMPLE = {"SCALAR": 1000, "TENSOR": 100, "BLOB_SEQUENCE": 100}


@dataclass(frozen=True, slots=True)
class _Written:
    series: str
    points: list[Object]


def write_run(state: VertexState, run: str, body: Object) -> Object:
    """`runs/{run}:write`: all of it or nothing; a point of a step that is there replaces it."""
    _apply(state, _checked([run], [body], state))
    return {}


def write_experiment(state: VertexState, experiment: str, body: Object) -> Object:
    """`experiments/{experiment}:write`: requests for several runs of the experiment, all or nothing."""
    state.get(experiment)
    requests = objects(body, "writeRunDataRequests")
    runs = [state.stored_name(text(request, "tensorboardRun") or "projects/") for request in requests]
    for run in runs:
        if not run.startswith(f"{experiment}/runs/"):
            raise _invalid(f"tensorboard_run {run!r} is no run of {experiment}.")
    _apply(state, _checked(runs, requests, state))
    return {}


def _checked(runs: list[str], requests: list[Object], state: VertexState) -> list[_Written]:
    written = [
        _checked_series(state, run, data)
        for run, request in zip(runs, requests, strict=True)
        for data in _run_data(state, run, request)
    ]
    if (total := sum(len(part.points) for part in written)) > MAX_POINTS:
        raise _invalid(f"{total} data points are more than the {MAX_POINTS} that one request may hold.")
    return written


def _run_data(state: VertexState, run: str, request: Object) -> list[Object]:
    state.get(run)
    if (named := text(request, "tensorboardRun")) and state.stored_name(named) != run:
        raise _invalid(f"tensorboard_run {named!r} is not the run of the path, {run}.")
    if not (data := objects(request, "timeSeriesData")):
        raise _invalid("time_series_data is required.")
    return data


def _checked_series(state: VertexState, run: str, data: Object) -> _Written:
    series = f"{run}/timeSeries/{text(data, 'tensorboardTimeSeriesId')}"
    value_type = state.get(series)["valueType"]
    if data.get("valueType", value_type) != value_type:
        raise _invalid(f"value_type {data['valueType']} is not that of {series}, {value_type}.")
    points = objects(data, "values")
    for point in points:
        if set(_VALUE_FIELD.values()) & set(point) != {_VALUE_FIELD[str(value_type)]}:
            raise _invalid(f"A point of {series} must hold a value of type {value_type}.")
    return _Written(series, points)


def _apply(state: VertexState, written: list[_Written]) -> None:
    for part in written:
        steps = state.points.setdefault(part.series, {})
        for point in part.points:
            step = int(str(point.get("step", "0")))
            _name_blobs(part.series, step, point)
            steps[step] = point


def _name_blobs(series: str, step: int, point: Object) -> None:
    for position, blob in enumerate(_blobs(point)):
        blob["id"] = hashlib.sha256(f"{series} {step} {position}".encode()).hexdigest()[:16]


def read(state: VertexState, series: str, request: RecordedRequest) -> Object:
    """`:read`: at most 1000 points, sampled at random, unless `maxDataPoints` says how many (-1: all)."""
    item, max_points = state.get(series), request.value("maxDataPoints")
    if request.value("filter"):
        raise _invalid("This stand-in takes no filter here.")
    if not re.fullmatch(r"-1|\d{0,5}", max_points) or (wanted := int(max_points or 0) or 1000) > 10_000:
        raise _invalid("max_data_points must be between 1 and 10000, or -1.")
    points = _points(state, series)
    return {
        "timeSeriesData": _data(item, series, points if wanted == -1 else _sample(series, points, wanted))
    }


def batch_read(state: VertexState, tensorboard: str, names: list[str]) -> Object:
    """`:batchRead`: samples of several series of one TensorBoard."""
    state.get(tensorboard)
    if not names:
        raise _invalid("time_series is required.")
    data: list[JSON] = []
    for series in map(state.stored_name, names):
        if not series.startswith(tensorboard + "/"):
            raise _invalid(f"{series} is not in {tensorboard}.")
        item = state.get(series)
        limit = _SAMPLE[str(item["valueType"])]
        data.append(_data(item, series, _sample(series, _points(state, series), limit)))
    return {"timeSeriesData": data}


def export(state: VertexState, series: str, body: Object, *, rows: int | None) -> Object:
    """`:exportTensorboardTimeSeries`: every point, by pages whose token travels in the body."""
    state.get(series)
    order_by, token = text(body, "orderBy"), text(body, "pageToken")
    if text(body, "filter"):
        raise _invalid("This stand-in takes no filter here.")
    size = page_size(body.get("pageSize"), default=1000, maximum=10_000)
    steps, next_token = state.take_page(
        fingerprint(series, order_by, str(size)),
        token,
        size if rows is None else min(size, rows),
        keys=lambda: _steps(state, series, order_by),
    )
    stored = state.points.get(series, {})
    points: list[JSON] = [without_data(stored[int(step)]) for step in steps if int(step) in stored]
    answer: Object = {"timeSeriesDataPoints": points} if points else {}
    return {**answer, "nextPageToken": next_token} if next_token else answer


def _steps(state: VertexState, series: str, order_by: str) -> list[str]:
    """The documented default is "a pseudo random order"."""
    steps = [str(step) for step in sorted(state.points.get(series, {}))]
    match order_by.split():
        case []:
            random.Random(series).shuffle(steps)
        case ["step"] | ["step", "asc"]:
            pass
        case ["step", "desc"]:
            steps.reverse()
        case _:
            raise _invalid(f"Invalid order by: {order_by!r}.")
    return steps


def read_blobs(state: VertexState, series: str, ids: list[str]) -> JSON:
    """`:readBlobData`: a stream, which is a JSON list of answers."""
    state.get(series)
    blobs = [blob for point in _points(state, series, with_data=True) for blob in _blobs(point)]
    known = {str(blob["id"]): blob for blob in blobs}
    if unknown := [id_ for id_ in ids if id_ not in known]:
        raise ApiError("NOT_FOUND", f"Blobs {unknown} of {series} are not found.")
    return [{"blobs": [known[id_]]} for id_ in ids or known]


def storage_size(state: VertexState, tensorboard: str) -> Object:
    """`:readSize`."""
    state.get(tensorboard)
    held = sum(len(points) for series, points in state.points.items() if series.startswith(tensorboard + "/"))
    return {"storageSizeByte": str(64 * held)} if held else {}


def usage(state: VertexState, tensorboard: str) -> Object:
    """`:readUsage`: one month, one viewer."""
    state.get(tensorboard)
    return {
        "monthlyUsageData": {
            "2026-01": {"userUsageData": [{"username": "ada@example.com", "viewCount": "3"}]}
        }
    }


def _points(state: VertexState, series: str, *, with_data: bool = False) -> list[Object]:
    points = [point for _, point in sorted(state.points.get(series, {}).items())]
    return points if with_data else [without_data(point) for point in points]


def without_data(point: Object) -> Object:
    """A blob's bytes are only given by `:readBlobData`."""
    if "blobs" not in point:
        return point
    ids: list[JSON] = [{"id": blob["id"]} for blob in _blobs(point)]
    return {**point, "blobs": {"values": ids} if ids else {}}


def _sample(series: str, points: list[Object], limit: int) -> list[Object]:
    if len(points) <= limit:
        return points
    chosen = sorted(random.Random(series).sample(range(len(points)), limit))
    return [points[index] for index in chosen]


def _data(item: Object, series: str, points: Iterable[Object]) -> Object:
    values: list[JSON] = list(points)
    data: Object = {"tensorboardTimeSeriesId": series.rpartition("/")[2], "valueType": item["valueType"]}
    return {**data, "values": values} if values else data


def _blobs(point: Object) -> Iterator[Object]:
    sequence = point.get("blobs")
    yield from objects(sequence, "values") if isinstance(sequence, dict) else ()


def text(value: Object, key: str) -> str:
    """A text field of a decoded message; absent is empty."""
    found = value.get(key, "")
    return found if isinstance(found, str) else ""


def objects(value: Object, key: str) -> list[Object]:
    """A list of messages in a decoded message; absent is empty."""
    found = value.get(key, [])
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _invalid(message: str) -> ApiError:
    return ApiError("INVALID_ARGUMENT", message)
