"""The writes of Vertex AI's pipeline jobs and of ml v1's jobs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial

from tests.fakes.ml import MlState, ml_app
from tests.fakes.vertex_platform import new_platform, platform_app
from tests.fakes.vertex_platform_state import PlatformState
from tests.faults.google_boards import GOOGLE, LOCATION
from tests.faults.model import Counts, Lab, Scenario, Stage, markers_of
from tests.faults.statements import Row, delete, execute, insert, update

_PIPELINES = f"{LOCATION}/pipelineJobs"
_PLACE: Row = {"projectsId": "p", "locationsId": "l"}
_PIPELINE_JOBS = "google.aiplatform.pipeline_jobs"
_ML_JOBS = "google.ml.jobs"
_MARKER = markers_of(1)[0]


def scenarios() -> Iterator[Scenario]:
    """Every one of these jobs'."""
    pipelines, ml = partial(Scenario, GOOGLE, _PIPELINE_JOBS), partial(Scenario, GOOGLE, _ML_JOBS)
    yield pipelines("create", _create, "INSERT", look=True, repeats=True, keyed=True)
    batch = "pipeline_jobs.batch_delete"
    yield pipelines("delete", _delete, "DELETE", look=True, repeats=True, waits=True, batch=batch)
    names = {"names": json.dumps([f"{_PIPELINES}/{_MARKER}"])}
    yield pipelines("batch_delete", partial(_call, "batch_delete", names), "EXEC", waits=True)
    yield pipelines("batch_cancel", partial(_call, "batch_cancel", names), "EXEC", waits=True)
    yield pipelines("cancel", partial(_call, "cancel", {"pipelineJobsId": _MARKER}), "EXEC")
    yield ml("create", _create_ml, "INSERT", look=True, repeats=True, keyed=True)
    # With the etag as it was read, it is refused the second time.
    yield ml("patch", partial(_patch_ml, False), "UPDATE", note="unread", look=True)
    yield ml("patch", partial(_patch_ml, True), "UPDATE", note="read first", look=True, repeats=True)
    policy = json.dumps({"bindings": [{"role": "roles/viewer", "members": ["user:ann@example.com"]}]})
    yield ml("cancel", partial(_call_ml, "cancel", {}), "EXEC")
    yield ml("set_iam_policy", partial(_call_ml, "set_iam_policy", {"policy": policy}), "EXEC")


def _with_pipelines(count: int) -> tuple[PlatformState, list[str]]:
    state, markers = new_platform(), markers_of(count)
    for marker in markers:
        state.add(f"{_PIPELINES}/{marker}", {"displayName": marker, "state": "PIPELINE_STATE_RUNNING"})
    return state, markers


def _create(lab: Lab, count: int) -> Stage:
    state, markers = new_platform(), markers_of(count)
    rows: list[Row] = [
        {**_PLACE, "pipelineJobId": marker, "displayName": f"name {marker}"} for marker in markers
    ]

    def counts() -> Mapping[str, int]:
        names = [item.get("displayName") for item in state.items(_PIPELINES)]
        return {marker: names.count(f"name {marker}") for marker in markers}

    def occupy(marker: str) -> None:
        state.add(f"{_PIPELINES}/{marker}", {"displayName": "somebody else's"})

    app = platform_app(state, token="secret")
    return Stage(app, insert(_PIPELINE_JOBS, rows), markers, counts, state, occupy)


def _delete(lab: Lab, count: int) -> Stage:
    state, markers = _with_pipelines(count)

    def counts() -> Mapping[str, int]:
        return {marker: int(state.find(f"{_PIPELINES}/{marker}") is None) for marker in markers}

    sql = delete(_PIPELINE_JOBS, {**_PLACE, "pipelineJobsId": markers})
    return Stage(platform_app(state, token="secret"), sql, markers, counts, state)


def _call(method: str, given: Mapping[str, str], lab: Lab, count: int) -> Stage:
    state, (marker,) = _with_pipelines(1)

    def counts() -> Mapping[str, int]:
        item = state.find(f"{_PIPELINES}/{marker}")
        if method == "batch_delete":
            return {marker: int(item is None)}
        return {marker: int(item is not None and item["state"] == "PIPELINE_STATE_CANCELLED")}

    sql = execute(f"{_PIPELINE_JOBS}.{method}", {**_PLACE, **given})
    return Stage(platform_app(state, token="secret"), sql, [marker], counts, state)


# ml v1.


def _with_ml_jobs(count: int) -> tuple[MlState, list[str]]:
    state, markers = MlState(), markers_of(count)
    for marker in markers:
        state.add(f"projects/p/jobs/{marker}", {"labels": {"team": "before"}, "state": "RUNNING"})
    return state, markers


def _labelled(state: MlState, markers: list[str], team: str) -> Counts:
    def counts() -> Mapping[str, int]:
        found = {marker: state.find(f"projects/p/jobs/{marker}") for marker in markers}
        return {m: int(job is not None and job.get("labels") == {"team": team}) for m, job in found.items()}

    return counts


def _create_ml(lab: Lab, count: int) -> Stage:
    state, markers = MlState(), markers_of(count)
    labels = json.dumps({"team": "made"})
    rows: list[Row] = [{"projectsId": "p", "jobId": marker, "labels": labels} for marker in markers]

    def occupy(marker: str) -> None:
        state.add(f"projects/p/jobs/{marker}", {"labels": {"team": "somebody-else"}})

    app, sql = ml_app(state, token="secret"), insert(_ML_JOBS, rows)
    return Stage(app, sql, markers, _labelled(state, markers, "made"), state, occupy)


def _patch_ml(is_read: bool, lab: Lab, count: int) -> Stage:
    state, markers = _with_ml_jobs(count)
    where: dict[str, object] = {"state": "RUNNING"} if is_read else {"jobsId": markers}
    sql = update(_ML_JOBS, {"labels": json.dumps({"team": "after"})}, {"projectsId": "p", **where})
    return Stage(ml_app(state, token="secret"), sql, markers, _labelled(state, markers, "after"), state)


def _call_ml(method: str, given: Mapping[str, str], lab: Lab, count: int) -> Stage:
    state, (marker,) = _with_ml_jobs(1)
    name = f"projects/p/jobs/{marker}"

    def counts() -> Mapping[str, int]:
        if method == "cancel":
            return {marker: int(state.get(name)["state"] == "CANCELLED")}
        return {marker: int(name in state.policies)}

    sql = execute(f"{_ML_JOBS}.{method}", {"projectsId": "p", "jobsId": marker, **given})
    return Stage(ml_app(state, token="secret"), sql, [marker], counts, state)
