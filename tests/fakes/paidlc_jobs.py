"""What the PAI-DLC stand-in does about jobs, their pods and what these say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlprovider.values import JSON
from tests.fakes.paidlc_call import Call, Handler, capped
from tests.fakes.paidlc_lists import (
    Test,
    contains,
    equals,
    in_settings,
    in_window,
    matching,
    one_of,
    ordered,
    page_of,
    same_text,
    tagged,
)
from tests.fakes.paidlc_state import (
    ApiError,
    Object,
    PaidlcState,
    objects,
    text_of,
    time_text,
    window,
)

ONLY_OF_GET = ("Description", "CustomEnvs", "RestartRecord", "RoleSystemEnvs")
ONLY_OF_LIST = (
    *("EnablePreemptibleJob", "GmtModifiedTime", "IsDeleted", "JobMaxRunningTimeMinutes", "NodeCount"),
    *("NodeNames", "ResourceName", "ResourceQuotaName", "RetryCount", "SystemEnvs", "TemplateId"),
    *("TemplateName", "UseOversoldResource", "UserScript", "Username", "WorkingDir"),
)
ENDED = ("Succeeded", "Failed", "Stopped")
_SORTS = ("DisplayName", "JobType", "Status", "GmtCreateTime", "GmtFinishTime")
_FILTERS: Mapping[str, Test] = {
    "Accessibility": equals("Accessibility"),
    "BusinessUserId": in_settings("BusinessUserId"),
    "Caller": in_settings("Caller"),
    "Description": contains("Description"),
    "DisplayName": contains("DisplayName"),
    "JobType": equals("JobType"),
    "PipelineId": in_settings("PipelineId"),
    "ReasonSearch": contains("ReasonMessage"),
    "ResourceId": equals("ResourceId"),
    "ResourceIds": one_of("ResourceId"),
    "ResourceQuotaName": contains("ResourceQuotaName"),
    "Status": equals("Status"),
    "TemplateId": equals("TemplateId"),
    "UserCommandSearch": contains("UserCommand"),
    "UserIdForFilter": equals("UserId"),
    "Username": contains("Username"),
    "WorkspaceId": equals("WorkspaceId"),
}


def list_view(job: Object) -> Object:
    """A job as the list shows it: what it requests is in text, memory with its unit."""
    shown = {name: value for name, value in job.items() if name not in ONLY_OF_GET}
    for name, unit in (("RequestGPU", ""), ("RequestMemory", "Gi"), ("NodeCount", "")):
        if shown.get(name) is not None:
            shown[name] = f"{shown[name]}{unit}"
    return shown


def get_view(job: Object) -> Object:
    """A job as GetJob shows it: what it requests are numbers."""
    return {name: value for name, value in job.items() if name not in ONLY_OF_LIST}


def _list_jobs(call: Call) -> JSON:
    state, query = call.state, call.query
    call.shift()
    by_id = "JobId" if query.get("JobId") else "JobIds"
    filters = {**_FILTERS, by_id: same_text("JobId") if by_id == "JobId" else one_of("JobId")}
    found = tagged(state, matching(state.jobs.values(), query, filters), query.get("Tags", ""))
    found = ordered(in_window(state, found, query), query, _SORTS)
    jobs = [list_view(job) for job in found]
    return {"Jobs": page_of(state, jobs, query, rows=call.rows), "TotalCount": len(jobs)}


def _get_job(call: Call) -> JSON:
    job = get_view(call.state.job(call.ids["JobId"]))
    if call.query.get("NeedDetail", "true").lower() == "false":
        job = {name: value for name, value in job.items() if name not in ("Pods", "StatusHistory")}
    return job


def _create_job(call: Call) -> JSON:
    body, state = call.body, call.state
    if "TemplateId" not in body:
        call.need("JobSpecs", "JobType", "UserCommand")
    elif text_of(body, "TemplateId") not in state.templates:
        raise ApiError(404, "NotFound.JobTemplate", f"JobTemplate {body['TemplateId']} is not found.")
    job_id, made = state.new_id("dlc"), time_text(state.now())
    given = {name: value for name, value in body.items() if name not in ("Options", "DebuggerConfigContent")}
    state.jobs[job_id] = {
        "JobId": job_id,
        "Status": "Creating",
        "GmtCreateTime": made,
        "GmtSubmittedTime": made,
        "Priority": 1,
        "Accessibility": "PRIVATE",
        **given,
    }
    return {"JobId": job_id}


def _update_job(call: Call) -> JSON:
    job = call.state.job(call.ids["JobId"])
    job.update(call.body)
    job["GmtModifiedTime"] = time_text(call.state.now())
    return {"JobId": job["JobId"]}


def _delete_job(call: Call) -> JSON:
    job = call.state.job(call.ids["JobId"])
    if job["Status"] not in ENDED:
        raise ApiError(400, "BadRequest", f"Job {job['JobId']} is {job['Status']}: stop it first.")
    del call.state.jobs[call.ids["JobId"]]
    return {"JobId": job["JobId"]}


def _stop_job(call: Call) -> JSON:
    job = call.state.job(call.ids["JobId"])
    if job["Status"] in ENDED:
        raise ApiError(400, "BadRequest", f"Job {job['JobId']} is {job['Status']}.")
    job.update(Status="Stopped", ReasonCode="JobStoppedByUser", GmtStoppedTime=time_text(call.state.now()))
    return {"JobId": job["JobId"]}


def _job_events(call: Call) -> JSON:
    job_id = text_of(call.state.job(call.ids["JobId"]), "JobId")
    return {"JobId": job_id, "Events": capped(call, call.state.events.get(job_id, []), "MaxEventsNum")}


def _pod_events(call: Call) -> JSON:
    return {**_pod_of(call), "Events": capped(call, call.state.events.get(_place(call), []), "MaxEventsNum")}


def _pod_logs(call: Call) -> JSON:
    wanted = call.query.get("Containers", "").split(",") if call.query.get("Containers") else None
    lines = [
        line for line in call.state.logs.get(_place(call), []) if wanted is None or line.container in wanted
    ]
    return {
        **_pod_of(call),
        "ContainerInfo": {"MainContainer": "main", "SidecarContainers": ["sidecar"]},
        "Logs": capped(call, lines, "MaxLines"),
    }


def _web_terminal(call: Call) -> JSON:
    pod = call.state.pod(call.ids["JobId"], call.ids["PodId"])
    if pod.get("Status") != "Running":
        raise ApiError(400, "BadRequest", f"Pod {pod['PodId']} does not run.")
    return {"WebTerminalUrl": f"https://terminal.example.com/{call.ids['JobId']}/{pod['PodId']}"}


def _pod_of(call: Call) -> Object:
    pod = call.state.pod(call.ids["JobId"], call.ids["PodId"])
    if (uid := call.query.get("PodUid")) and uid != pod["PodUid"]:
        raise ApiError(404, "NotFound", f"Pod {uid} is not found.")
    return {"JobId": call.ids["JobId"], "PodId": pod["PodId"], "PodUid": pod["PodUid"]}


def _place(call: Call) -> str:
    return f"{call.ids['JobId']}/{call.ids['PodId']}"


def _job_metrics(call: Call) -> JSON:
    job_id = text_of(call.state.job(call.ids["JobId"]), "JobId")
    hour = timedelta(hours=1)
    start, end = window(
        call.state, call.query.get("StartTime", ""), call.query.get("EndTime", ""), default=hour
    )
    pods = call.state.metrics.get((job_id, call.query["MetricType"]), {})
    shown: list[JSON] = [
        {
            "PodId": pod,
            "Metrics": [
                {"Time": int(at.timestamp() * 1000), "Value": value}
                for at, value in points
                if start <= at <= end
            ],
        }
        for pod, points in pods.items()
    ]
    return {"JobId": job_id, "PodMetrics": shown}


def _dashboard(call: Call) -> JSON:
    job = call.state.job(call.ids["JobId"])
    return {"url": f"https://dashboard.example.com/{job['JobId']}" if job.get("JobType") == "RayJob" else ""}


def _ray_dashboard(call: Call) -> JSON:
    job = call.state.job(call.ids["JobId"])
    if job.get("JobType") != "RayJob":
        raise ApiError(400, "BadRequest", f"Job {job['JobId']} is no RayJob.")
    return {"url": f"https://ray.example.com/{job['JobId']}", "metricsEnabled": "true"}


def _tag(call: Call) -> JSON:
    for job_id in _tagged_jobs(call.state, call.body["ResourceId"]):
        tags = call.state.tags.setdefault(job_id, {})
        tags.update({text_of(tag, "Key"): text_of(tag, "Value") for tag in objects(call.body.get("Tag"))})
    return {}


def _untag(call: Call) -> JSON:
    everything = call.query.get("All", "false").lower() == "true"
    keys = call.json_list("TagKey")
    for job_id in _tagged_jobs(call.state, call.json_list("ResourceId")):
        tags = call.state.tags.get(job_id, {})
        for key in [key for key in tags if everything or key in keys]:
            del tags[key]
    return {}


def _tagged_jobs(state: PaidlcState, ids: object) -> list[str]:
    if not isinstance(ids, list) or not 0 < len(ids) <= 50:
        raise ApiError(400, "InvalidParameter", "ResourceId is a list of 1 to 50 ids.")
    return [text_of(state.job(str(id_)), "JobId") for id_ in ids]


HANDLERS: Mapping[str, Handler] = {
    "ListJobs": _list_jobs,
    "GetJob": _get_job,
    "CreateJob": _create_job,
    "UpdateJob": _update_job,
    "DeleteJob": _delete_job,
    "StopJob": _stop_job,
    "GetJobEvents": _job_events,
    "GetPodEvents": _pod_events,
    "GetPodLogs": _pod_logs,
    "GetWebTerminal": _web_terminal,
    "GetJobMetrics": _job_metrics,
    "GetDashboard": _dashboard,
    "GetRayDashboard": _ray_dashboard,
    "TagResources": _tag,
    "UntagResources": _untag,
}
"""Action → what it does."""
