"""What the PAI-DLC stand-in is filled with, always the same, and the true objects for an oracle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from sqlprovider.values import JSON
from tests.fakes.paidlc_boards import template_view
from tests.fakes.paidlc_jobs import get_view, list_view
from tests.fakes.paidlc_lists import pods_of
from tests.fakes.paidlc_state import NOW, Object, PaidlcState, Stamped, objects, text_of, time_text

_NAMES = (
    "bert",
    "bert-large",
    "BERT",
    "resnet 50",
    "100%_x",
    "it's",
    "",
    "训练 ☕",
    "bert",
    "r",
    "late-bloomer",
    "x",
)
_STATUSES = ("Succeeded", "Failed", "Running", "Stopped", "Queuing", "Succeeded")
_MONTHS = (
    datetime(2020, 12, 3, 8, tzinfo=UTC),
    datetime(2021, 6, 1, tzinfo=UTC),
    datetime(2022, 2, 28, 23, 59, 59, tzinfo=UTC),
    datetime(2023, 8, 15, tzinfo=UTC),
    datetime(2024, 2, 29, tzinfo=UTC),
    datetime(2025, 4, 16, 7, 25, 34, tzinfo=UTC),
)
"""When the oldest jobs were made; the others are of the last days."""


def paidlc_small() -> PaidlcState:
    """Twelve jobs, six of them older than seven days, with pods, events, logs, metrics; seven TensorBoards.

    - The names of the jobs contain one another, in several cases; two are the same.
    - `dlc-03` runs on two pods; `dlc-05` waits and has none; `dlc-10` is a RayJob.
    - TensorBoards `tb-1` to `tb-7` are of jobs, but for `tb-6`; the first four are older than seven days.
    - `dlc-03` has had five events since 2022 and `dlc-03-worker-0` has written ten lines.
    """
    state = PaidlcState()
    for number, name in enumerate(_NAMES, 1):
        _add_job(state, number, name)
    for number in range(1, 8):
        _add_board(state, number)
    _add_sayings(state)
    _add_measures(state)
    _add_templates(state)
    _add_rest(state)
    return state


def _created(number: int) -> datetime:
    return _MONTHS[number - 1] if number <= len(_MONTHS) else NOW - timedelta(hours=13 - number)


def _add_job(state: PaidlcState, number: int, name: str) -> None:
    made, status = _created(number), _STATUSES[number % len(_STATUSES)]
    job: Object = {
        "JobId": f"dlc-{number:02d}",
        "DisplayName": name,
        "JobType": "RayJob" if number == 10 else ("PyTorchJob" if number % 2 else "TFJob"),
        "Status": status,
        "SubStatus": "",
        "WorkspaceId": "268" if number % 3 else "380",
        "WorkspaceName": "vision" if number % 3 else "text",
        "UserId": "1234" if number % 4 else "5678",
        "Username": "pai-dlc-role" if number % 4 else "somebody",
        "GmtCreateTime": time_text(made),
        "GmtModifiedTime": time_text(made + timedelta(minutes=5)),
        "GmtFinishTime": time_text(made + timedelta(hours=1)) if status in ("Succeeded", "Failed") else "",
        "Duration": 3600 if status in ("Succeeded", "Failed") else 0,
        "Priority": number % 9 + 1,
        "Accessibility": "PUBLIC" if number % 2 else "PRIVATE",
        "RequestCPU": 4 * number,
        "RequestGPU": number % 3,
        "RequestMemory": 16 * number,
        "NodeCount": 1 + number % 2,
        "JobSpecs": [
            {"Type": "Worker", "PodCount": 1 + number % 2, "Image": "pytorch:2.6", "IsCheif": False}
        ],
        "UserCommand": "python train.py",
        "Envs": {"LR": f"0.{number}", "größe": "1"},
        "Settings": {"Tags": {"team": "vision" if number % 2 else "text"}, "EnableRDMA": False},
        "IsDeleted": False,
        "RestartTimes": "1/10" if number == 3 else "0",
        "TenantId": "93955616",
        "supportedProfilingTypes": "",
        "Description": f"the {number}th",
        "CustomEnvs": [{"Key": "SEED", "Value": str(number), "Visible": "private"}],
    }
    if number % 5:
        job["ResourceId"], job["ResourceQuotaName"] = "quota-1", "Lingjun One"
    job["Pods"] = [] if number == 5 else [_pod(job, made, place) for place in range(1 + number % 2)]
    state.jobs[text_of(job, "JobId")] = job


def _pod(job: Object, made: datetime, place: int) -> Object:
    pod_id = f"{job['JobId']}-worker-{place}"
    return {
        "PodId": pod_id,
        "PodUid": f"uid-{pod_id}",
        "Type": "worker",
        "Status": "Running" if job["Status"] == "Running" else "Succeeded",
        "Ip": f"10.0.{place}.1",
        "PodIps": [{"InterfaceName": "eth0", "Ip": f"10.0.{place}.1"}],
        "NodeName": f"node-{place}",
        "GmtCreateTime": time_text(made),
        "GmtStartTime": time_text(made + timedelta(minutes=1)),
        "GmtFinishTime": "",
        "Duration": 60.5,
        "HistoryPods": [],
    }


def _add_board(state: PaidlcState, number: int) -> None:
    made = _created(number if number < 5 else number + 5)
    board: Object = {
        "TensorboardId": f"tb-{number}",
        "DisplayName": _NAMES[number - 1],
        "Status": ("Stopped", "Running", "Failed")[number % 3],
        "WorkspaceId": "268" if number % 2 else "380",
        "GmtCreateTime": time_text(made),
        "GmtModifyTime": time_text(made),
        "Duration": str(number * 1000),
        "Priority": str(number),
        "MaxRunningTimeMinutes": 240,
        "Accessibility": "PRIVATE",
        "SummaryPath": "/root/data/",
        "TensorboardDataSources": [{"Id": f"d-{number}", "DataSourceType": "OSS", "Uri": "oss://b/p/"}],
        "TensorboardSpec": {"EcsType": "ecs.g6.large"},
        "Options": '{"mountpath":"/root/data/"}',
        "Cpu": 1,
        "Memory": 1000,
        "UserId": "1234",
        "Username": "somebody",
    }
    if number != 6:
        board["JobId"] = f"dlc-{number:02d}"
    state.tensorboards[text_of(board, "TensorboardId")] = board


def _add_sayings(state: PaidlcState) -> None:
    made = _created(3)
    state.events["dlc-03"] = [Stamped(made + timedelta(days=300 * n), f"Event {n}") for n in range(5)]
    state.events["dlc-12"] = [Stamped(NOW - timedelta(minutes=1), "Created"), Stamped(NOW, "Created")]
    state.events["dlc-03/dlc-03-worker-0"] = [Stamped(made, "Pulled"), Stamped(made, "Started")]
    state.logs["dlc-03/dlc-03-worker-0"] = [
        Stamped(
            made + timedelta(seconds=n), f"step {n}\tloss {1 / (n + 1):.3f}", "main" if n % 2 else "sidecar"
        )
        for n in range(10)
    ]
    state.logs["dlc-12/dlc-12-worker-0"] = [Stamped(NOW, '{"loss": 0.5}'), Stamped(NOW, "")]


def _add_measures(state: PaidlcState) -> None:
    for job, start in (("dlc-03", _created(3)), ("dlc-12", NOW - timedelta(minutes=30))):
        for kind, scale in (("GpuCoreUsage", 0.25), ("MemoryUsage", 1024.0)):
            state.metrics[job, kind] = {
                text_of(pod, "PodId"): [(start + timedelta(minutes=5 * n), scale * (n + 1)) for n in range(4)]
                for pod in pods_of(state.jobs[job])
            }
    state.points["dlc-03"] = [{"timestamp": 1000 * n, "Average": n / 4} for n in range(5)]


def _add_templates(state: PaidlcState) -> None:
    for number, workspace in ((1, "268"), (2, "268"), (3, "380")):
        made = time_text(_created(number))
        versions: list[JSON] = [
            {"Version": 1, "Content": '{"JobType":"TFJob"}', "CreatedBy": "1234", "GmtCreateTime": made},
            {
                "Version": 2,
                "Content": {"JobType": "PyTorchJob"},
                "Constraints": {"JobType": "locked"},
                "GmtCreateTime": made,
            },
        ]
        state.templates[f"tpl-{number}"] = {
            "TemplateId": f"tpl-{number}",
            "TemplateName": f"template {number}",
            "WorkspaceId": workspace,
            "DefaultVersion": 1,
            "GmtCreateTime": made,
            "GmtModifyTime": made,
            "LastUsedTime": "",
            "Metadata": {"owner": "me", "n": number},
            "UserId": "1234",
            "Versions": versions[:number],
        }


def _add_rest(state: PaidlcState) -> None:
    for number in (1, 2):
        made = time_text(_created(number))
        state.ray_servers[f"ray-{number}"] = {
            "RayHistoryServerId": f"ray-{number}",
            "DisplayName": f"history {number}",
            "Status": "Stopped",
            "WorkspaceId": "268",
            "StoragePath": "oss://b/ray/",
            "MaxRuntimeMinutes": 60,
            "GmtCreateTime": made,
            "GmtModifyTime": made,
        }
    state.specs = [
        {
            "InstanceType": f"ecs.g{size}.large",
            "ResourceType": "ECS",
            "AcceleratorType": "GPU" if size > 6 else "CPU",
            "Cpu": size,
            "Memory": 4 * size,
            "Gpu": int(size > 6),
            "IsAvailable": size != 7,
            "PaymentTypes": ["PostPaid", "Spot"],
            "NonProtectSpotDiscount": 0.1 * size,
        }
        for size in range(5, 9)
    ]
    state.checks["dlc-03"] = [
        [_check(number, phase) for phase in ("CheckInit", "DeviceCheck")] for number in (1, 2)
    ]
    state.signals["dlc-03"] = {
        f"sig-{number}": {
            "SignalId": f"sig-{number}",
            "Signal": "SIGUSR1",
            "Scope": "Role",
            "Roles": ["worker"],
            "Status": "Succeeded" if number < 3 else "Pending",
            "GmtCreated": time_text(_created(3) + timedelta(minutes=number)),
        }
        for number in (1, 2, 3)
    }


def _check(number: int, phase: str) -> Object:
    return {
        "CheckNumber": number,
        "Phase": phase,
        "Status": "Succeeded",
        "StartedAt": "2022-03-01T00:00:00Z",
        "FinishedAt": "2022-03-01T00:01:00Z",
    }


def rows(state: PaidlcState, resource: str) -> Iterator[Mapping[str, JSON]]:
    """The true objects of a resource, each with the parameters that no field of it holds."""
    flat: Mapping[str, Iterable[Mapping[str, JSON]]] = {
        "tensorboards": state.tensorboards.values(),
        "jobs": map(list_view, state.jobs.values()),
        "job_details": map(get_view, state.jobs.values()),
        "job_templates": map(template_view, state.templates.values()),
        "ray_history_servers": state.ray_servers.values(),
        "ecs_specs": state.specs,
    }
    yield from flat[resource] if resource in flat else _below(state, resource)


def _below(state: PaidlcState, resource: str) -> Iterator[Mapping[str, JSON]]:
    if resource == "job_template_versions":
        for template in state.templates.values():
            for version in objects(template["Versions"]):
                yield {**version, "TemplateId": template["TemplateId"]}
        return
    for job_id, job in state.jobs.items():
        for found in _of_job(state, job, resource):
            yield {**found, "JobId": job_id}


def _of_job(state: PaidlcState, job: Object, resource: str) -> Iterable[Mapping[str, JSON]]:
    job_id = text_of(job, "JobId")
    match resource:
        case "pods":
            return pods_of(job)
        case "job_events":
            return [{"Event": text} for text in _texts(state.events.get(job_id))]
        case "pod_events" | "pod_logs":
            return _of_pods(state, job, resource)
        case "signals":
            return state.signals.get(job_id, {}).values()
        case "sanity_checks":
            return [{"Results": list[JSON](check)} for check in state.checks.get(job_id, [])]
        case "job_metrics":
            return _metrics(state, job_id)
        case "sanity_check_results":
            return _phases(state, job_id)
        case _:
            return ()


def _of_pods(state: PaidlcState, job: Object, resource: str) -> Iterator[Mapping[str, JSON]]:
    kept, column = (state.events, "Event") if resource == "pod_events" else (state.logs, "Line")
    for pod in pods_of(job):
        for text in _texts(kept.get(f"{job['JobId']}/{pod['PodId']}")):
            yield {"PodId": pod["PodId"], column: text}


def _metrics(state: PaidlcState, job_id: str) -> Iterator[Mapping[str, JSON]]:
    for (job, kind), pods in state.metrics.items():
        for pod, points in pods.items() if job == job_id else ():
            for at, value in points:
                yield {"MetricType": kind, "PodId": pod, "Time": time_text(at), "Value": value}


def _phases(state: PaidlcState, job_id: str) -> Iterator[Mapping[str, JSON]]:
    for check in state.checks.get(job_id, []):
        for item in objects(list[JSON](check)):
            yield {**item, "SanityCheckNumber": item["CheckNumber"]}


def _texts(lines: list[Stamped] | None) -> list[str]:
    return [f"{time_text(line.at)} {line.text}" for line in lines or []]
