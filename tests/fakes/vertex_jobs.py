"""What jobs, pipelines and schedules do beside the standard methods: cancel, pause, resume, batches."""

from __future__ import annotations

from collections.abc import Callable

from sqlprovider.values import JSON
from tests.fakes.google_api import ApiError
from tests.fakes.google_rest import Call, Handler, changed_item
from tests.fakes.google_standard import check_parent, shown
from tests.fakes.proto_json import Object, timestamp_text
from tests.fakes.vertex_platform_state import texts

MAX_BATCH = 32
_ENDED = ("SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED", "PARTIALLY_SUCCEEDED")
_LOCATION = "projects.locations"


def cancel(call: Call) -> JSON:
    """`jobs/1:cancel`: an ended job cannot be cancelled."""
    _cancel(call, call.name)
    return {}


def _cancel(call: Call, name: str) -> None:
    item = call.state.get(name)
    prefix, _, state = str(item.get("state", "")).partition("_STATE_")
    if state in _ENDED:
        raise ApiError("FAILED_PRECONDITION", f"{name} has ended: its state is {prefix}_STATE_{state}.")
    item["state"] = f"{prefix}_STATE_CANCELLED"
    item["endTime"] = timestamp_text(call.state.clock())
    changed_item(call.api, call.state, name)


def _each_of_batch(call: Call) -> list[str]:
    """The names of a batch, all there and of the path's collection."""
    names = [call.state.stored_name(name) for name in texts(call.body.get("names"))]
    check_parent(call, call.name)
    if not 1 <= len(names) <= MAX_BATCH:
        raise ApiError("INVALID_ARGUMENT", f"{len(names)} names: there must be 1 to {MAX_BATCH}.")
    for name in names:
        if name.rpartition("/")[0] != call.name:
            raise ApiError("INVALID_ARGUMENT", f"{name!r} is not below {call.name}.")
        call.state.get(name)
    return names


def batch_cancel(call: Call) -> JSON:
    """`pipelineJobs:batchCancel`: what has ended is left as it is."""
    names = _each_of_batch(call)

    def effect() -> Object:
        for name in names:
            if str(call.state.get(name).get("state", "")).partition("_STATE_")[2] not in _ENDED:
                _cancel(call, name)
        rows: list[JSON] = [shown(call, name) for name in names]
        return {"pipelineJobs": rows}

    location = call.name.rpartition("/")[0]
    done = call.typed("BatchCancelPipelineJobsResponse", effect)
    return call.start(location, "BatchCancelPipelineJobsOperationMetadata", done)


def batch_delete(call: Call) -> JSON:
    """`pipelineJobs:batchDelete`: all or none."""
    names = _each_of_batch(call)

    def effect() -> Object:
        rows: list[JSON] = [shown(call, name) for name in names]
        for name in names:
            call.state.remove(name)
        return {"pipelineJobs": rows}

    location = call.name.rpartition("/")[0]
    done = call.typed("BatchDeletePipelineJobsResponse", effect)
    return call.start(location, "DeleteOperationMetadata", done)


def _moves(before: str, after: str, time: str) -> Callable[[Call], JSON]:
    def move(call: Call) -> JSON:
        item = call.state.get(call.name)
        if item.get("state") != before:
            raise ApiError("FAILED_PRECONDITION", f"{call.name} is {item.get('state')}, not {before}.")
        item["state"] = after
        item[time] = timestamp_text(call.state.clock())
        if after == "ACTIVE" and "catchUp" in call.body:
            item["catchUp"] = call.body["catchUp"]
        changed_item(call.api, call.state, call.name)
        return {}

    return move


JOB_HANDLERS: dict[str, Handler] = {
    **{
        f"{_LOCATION}.{name}.cancel": cancel
        for name in (
            "customJobs",
            "hyperparameterTuningJobs",
            "nasJobs",
            "batchPredictionJobs",
            "trainingPipelines",
            "pipelineJobs",
            "tuningJobs",
        )
    },
    f"{_LOCATION}.pipelineJobs.batchCancel": batch_cancel,
    f"{_LOCATION}.pipelineJobs.batchDelete": batch_delete,
    f"{_LOCATION}.schedules.pause": _moves("ACTIVE", "PAUSED", "lastPauseTime"),
    f"{_LOCATION}.schedules.resume": _moves("PAUSED", "ACTIVE", "lastResumeTime"),
}
