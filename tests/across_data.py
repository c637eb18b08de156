"""One company on four clouds: what is the same here and there, what differs, what is in one place only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlprovider.values import JSON
from tests.fakes.oci_data import PLATFORM, WORKSPACE, add_platform, add_workspace
from tests.fakes.oci_state import OciState
from tests.fakes.paidlc_state import NOW, Object, PaidlcState, time_text
from tests.fakes.vertex_platform import new_platform
from tests.fakes.vertex_platform_state import PlatformState
from tests.mlflow import START, Rest, Seed, text_at

_JOBS = (
    ("1", "churn-nightly", "RUNNING", "ann"),
    ("2", "ranker", "SUCCEEDED", "bob"),
    ("3", "churn-nightly", "PENDING", None),
    ("4", "tune's", "RUNNING", "cyd"),
    ("5", "only here", "FAILED", "ann"),
)
"""Custom jobs of Vertex: id, name, state, the label `owner`."""
_RUNS = (
    ("churn", "r1", "lr 0.1", "ann", 0.91),
    ("churn", "r2", "lr 0.01", "bob", 0.5),
    ("churn", "r3", "it's odd", None, None),
    ("churn", "r4", "only vertex", "dan", 0.7),
    ("ranker", "r1", "lr 0.1", "cyd", 0.3),
)
"""Runs of Vertex's TensorBoard: experiment, id, name, the label `owner`, the label `acc`."""
_PAI_JOBS: tuple[tuple[str, str, str, str, dict[str, JSON]], ...] = (
    ("dlc-1", "churn-nightly", "Running", "ann", {"EXPERIMENT": "churn", "RUN": "r1", "OCI_RUN": "o1"}),
    ("dlc-2", "ranker", "Succeeded", "bob", {"EXPERIMENT": "ranker", "RUN": "r1", "OCI_RUN": "o9"}),
    ("dlc-3", "tune's", "Failed", "cyd", {"EXPERIMENT": "churn", "RUN": "r9", "OCI_RUN": "o2"}),
    ("dlc-4", "lr 0.1", "Running", "dan", {"EXPERIMENT": "churn", "RUN": "r2", "OCI_RUN": "o3"}),
    ("dlc-5", "RANKER", "Queuing", "ann", {}),
)
"""Jobs of PAI-DLC: id, name, status, user, and in `Envs` the keys of what belongs to it elsewhere."""
_BOARDS = (
    ("tb-1", "dlc-1", "Running"),
    ("tb-2", "dlc-1", "Stopped"),
    ("tb-3", "dlc-9", "Running"),
    ("tb-4", None, "Stopped"),
    ("tb-5", "dlc-4", "Failed"),
)
"""TensorBoards of PAI-DLC: id, its job, status. The job of one is gone, one never had any."""
_JOB_RUNS = (
    ("o1", "churn-nightly", "RUNNING", "ann"),
    ("o2", "tune's", "FAILED", "cyd"),
    ("o3", "report", "RUNNING", "eve"),
    ("o4", "ranker", "SUCCESS", "bob"),
)
"""Job runs of OCI: key, name of the job, status, who made it."""
_MLFLOW_RUNS = (
    ("churn", "lr 0.1", "FINISHED", "ann", 0.91),
    ("churn", "lr 0.01", "RUNNING", "bob", 0.87),
    ("churn", "it's odd", "FINISHED", "ann", None),
    ("churn", "only mlflow", "FAILED", "cyd", 0.2),
    ("ranker", "lr 0.1", "KILLED", "cyd", 0.3),
    ("draft", "first", "RUNNING", "eve", None),
)
"""Runs of MLflow: experiment, name, status, user, the metric `acc`."""


def google_state() -> PlatformState:
    """Project p, location l: TensorBoard `t` with two experiments and five runs; five custom jobs."""
    state, at = new_platform(), "projects/p/locations/l"
    state.add(f"{at}/tensorboards/t", {"displayName": "main"})
    for experiment in ("churn", "ranker", "no-runs"):
        state.add(f"{at}/tensorboards/t/experiments/{experiment}", {"displayName": experiment})
    for experiment, id_, name, owner, acc in _RUNS:
        labels: Object = {**({"owner": owner} if owner else {}), **({"acc": str(acc)} if acc else {})}
        run: Object = {"displayName": name, **({"labels": labels} if labels else {})}
        state.add(f"{at}/tensorboards/t/experiments/{experiment}/runs/{id_}", run)
    _add_custom_jobs(state, at, _JOBS)
    return state


def lab_state() -> PlatformState:
    """Project q, location l: two custom jobs, one of the name of one in project p."""
    state = new_platform()
    _add_custom_jobs(state, "projects/q/locations/l", (_JOBS[0], ("7", "only in the lab", "RUNNING", "zoe")))
    return state


def _add_custom_jobs(
    state: PlatformState, at: str, jobs: tuple[tuple[str, str, str, str | None], ...]
) -> None:
    spec: Object = {"workerPoolSpecs": [{"replicaCount": "1"}]}
    for id_, name, status, owner in jobs:
        job: Object = {"displayName": name, "jobSpec": spec, "state": f"JOB_STATE_{status}"}
        if owner is not None:
            job["labels"] = {"owner": owner}
        if status != "PENDING":
            job["startTime"] = f"2026-01-02T04:0{id_}:00Z"
        state.add(f"{at}/customJobs/{id_}", job)


def alibaba_state() -> PaidlcState:
    """Five jobs, the oldest of 2020, and five TensorBoards."""
    state = PaidlcState()
    for number, (id_, name, status, user, envs) in enumerate(_PAI_JOBS):
        made = datetime(2020, 12, 3, 8, tzinfo=UTC) if number == 0 else NOW - timedelta(hours=9 - number)
        state.jobs[id_] = {
            "JobId": id_,
            "DisplayName": name,
            "JobType": "PyTorchJob",
            "Status": status,
            "WorkspaceId": "268",
            "Username": user,
            "GmtCreateTime": time_text(made),
            **({"GmtRunningTime": time_text(made + timedelta(minutes=1))} if status == "Running" else {}),
            "RequestGPU": number,
            "Duration": 3600 * number,
            "Envs": envs,
        }
    for number, (id_, job, status) in enumerate(_BOARDS):
        state.tensorboards[id_] = {
            "TensorboardId": id_,
            "DisplayName": f"board {number}",
            "Status": status,
            "WorkspaceId": "268",
            "GmtCreateTime": time_text(NOW - timedelta(hours=9 - number)),
            **({} if job is None else {"JobId": job}),
        }
    return state


def oci_state() -> OciState:
    """One platform, one workspace, four runs of jobs."""
    state = OciState()
    add_platform(state)
    workspace = add_workspace(state, WORKSPACE, name="vision")
    for key, name, status, who in _JOB_RUNS:
        now = state.now()
        times: Object = {"timeCreated": now, "timeUpdated": now, "startTime": START, "launched": "MANUAL"}
        run: Object = {"key": key, "name": key, "jobKey": f"j-{key}", "jobName": name, **times}
        state.put((*workspace, "jobRuns", key), {**run, "createdByName": who, "state": {"status": status}})
    return state


OCI_IDS = {"aiDataPlatformId": PLATFORM, "workspaceKey": WORKSPACE}


def seed_mlflow(rest: Rest) -> Seed:
    """Fills an empty server with three experiments and six runs."""
    seeded = Seed(rest)
    for experiment in ("churn", "ranker", "draft"):
        answer = rest.post("experiments/create", name=experiment)
        seeded.experiments[experiment] = text_at(answer, "experiment_id")
    for number, (experiment, name, status, user, acc) in enumerate(_MLFLOW_RUNS):
        start = START + number * 60_000
        answer = rest.post(
            "runs/create",
            experiment_id=seeded.experiments[experiment],
            run_name=name,
            user_id=user,
            start_time=start,
        )
        run_id = text_at(answer, "run", "info", "run_id")
        seeded.runs[f"{experiment} {name}"] = run_id
        if acc is not None:
            metric: JSON = {"key": "acc", "value": acc, "timestamp": start, "step": 1}
            rest.post("runs/log-batch", run_id=run_id, metrics=[metric])
        ended: Object = {} if status == "RUNNING" else {"end_time": start + 1500}
        rest.post("runs/update", run_id=run_id, status=status, **ended)
    return seeded
