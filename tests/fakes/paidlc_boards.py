"""What the PAI-DLC stand-in does about TensorBoards, templates, signals and the rest."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlprovider.values import JSON
from tests.fakes.paidlc_call import Call, Handler
from tests.fakes.paidlc_lists import Test, contains, equals, in_window, matching, one_of, ordered, page_of
from tests.fakes.paidlc_state import ApiError, Object, objects, read_time, text_of, time_text

_BOARD_FILTERS: Mapping[str, Test] = {
    **{
        name: equals(name)
        for name in ("Accessibility", "JobId", "QuotaId", "Status", "TensorboardId", "UserId")
    },
    **{name: contains(name) for name in ("DisplayName", "Username")},
    "SourceId": equals("JobId"),
    "WorkspaceId": equals("WorkspaceId"),
}
_SERVER_FILTERS: Mapping[str, Test] = {
    **{name: equals(name) for name in ("ResourceId", "Status", "StoragePath", "WorkspaceId")},
    **{name: contains(name) for name in ("DisplayName", "Username")},
    "IdPrefix": lambda item, value: text_of(item, "RayHistoryServerId").startswith(value),
    "ModifiedAfter": lambda item, value: read_time(text_of(item, "GmtModifyTime")) > read_time(value),
    "UserIdForFilter": equals("UserId"),
}
_SERVER_SORTS = ("DisplayName", "GmtCreateTime", "UserId", "ResourceId", "Status", "GmtModifyTime")
_TEMPLATE_FILTERS: Mapping[str, Test] = {
    **{name: equals(name) for name in ("TemplateId", "UserId", "WorkspaceId")},
    **{name: contains(name) for name in ("Description", "TemplateName")},
}
_TEMPLATE_SORTS = ("GmtCreateTime", "GmtModifyTime", "TemplateName")
_DETAILS = ("TensorboardDataSources", "TensorboardSpec", "Options", "ReasonMessage")


def _list_boards(call: Call) -> JSON:
    found = matching(call.state.tensorboards.values(), call.query, _BOARD_FILTERS)
    found = ordered(in_window(call.state, found, call.query), call.query, ("DisplayName", "GmtCreateTime"))
    if call.query.get("Verbose", "false").lower() != "true":
        found = [{name: value for name, value in board.items() if name not in _DETAILS} for board in found]
    return {"Tensorboards": page_of(call.state, found, call.query, rows=call.rows), "TotalCount": len(found)}


def _get_board(call: Call) -> JSON:
    return dict(call.state.tensorboard(call.ids["TensorboardId"]))


def _create_board(call: Call) -> JSON:
    state, id_, made = call.state, call.state.new_id("tb"), time_text(call.state.now())
    job_id = call.body.get("JobId") or (
        call.body.get("SourceId") if call.body.get("SourceType") == "job" else None
    )
    given = {
        name: value for name, value in call.body.items() if name not in ("SourceType", "DataSources", "Uri")
    }
    board: Object = {
        "TensorboardId": id_,
        "Status": "Creating",
        "GmtCreateTime": made,
        "GmtModifyTime": made,
        "Duration": "0",
        "Accessibility": "PRIVATE",
        **given,
    }
    if job_id is not None:
        state.job(str(job_id))
        board["JobId"] = job_id
    state.tensorboards[id_] = board
    return {name: board[name] for name in ("TensorboardId", "JobId", "DataSourceId") if name in board}


def _update_board(call: Call) -> JSON:
    board = call.state.tensorboard(call.ids["TensorboardId"])
    for name in ("Accessibility", "Priority"):
        if call.query.get(name):
            board[name] = call.query[name]
    if minutes := call.query.get("MaxRunningTimeMinutes"):
        board["MaxRunningTimeMinutes"] = int(minutes)
    board["GmtModifyTime"] = time_text(call.state.now())
    return {"TensorboardId": board["TensorboardId"]}


def _delete_board(call: Call) -> JSON:
    board = call.state.tensorboard(call.ids["TensorboardId"])
    if board["Status"] == "Running":
        raise ApiError(400, "BadRequest", f"Tensorboard {board['TensorboardId']} runs: stop it first.")
    del call.state.tensorboards[call.ids["TensorboardId"]]
    return {"TensorboardId": board["TensorboardId"]}


def _start_board(call: Call) -> JSON:
    return _turn(call, "Running", "Stopped", "Creating")


def _stop_board(call: Call) -> JSON:
    return _turn(call, "Stopped", "Running")


def _turn(call: Call, to: str, *allowed: str) -> JSON:
    board = call.state.tensorboard(call.ids["TensorboardId"])
    if board["Status"] not in allowed:
        raise ApiError(400, "BadRequest", f"Tensorboard {board['TensorboardId']} is {board['Status']}.")
    board.update(Status=to, GmtModifyTime=time_text(call.state.now()))
    return {"TensorboardId": board["TensorboardId"]}


def _shared_url(call: Call) -> JSON:
    board = call.state.tensorboard(call.ids["TensorboardId"])
    lasts = call.query.get("ExpireTimeSeconds") or "604800"
    return {"TensorboardSharedUrl": f"https://tensorboard.example.com/{board['TensorboardId']}?for={lasts}"}


def _list_templates(call: Call) -> JSON:
    found = matching(call.state.templates.values(), call.query, _TEMPLATE_FILTERS)
    found = [template_view(template) for template in ordered(found, call.query, _TEMPLATE_SORTS)]
    page = page_of(call.state, found, call.query, rows=call.rows)
    return {"JobTemplates": page, "TotalCount": len(found), "PageNumber": 1, "PageSize": len(page)}


def template_view(template: Object) -> Object:
    """A template as the list shows it."""
    return {name: value for name, value in template.items() if name != "Versions"}


def _get_template(call: Call) -> JSON:
    template = call.state.template(call.ids["TemplateId"])
    versions = objects(template["Versions"])
    wanted = call.query.get("Version") or str(template["DefaultVersion"])
    shown = [version for version in versions if wanted in ("all", str(version["Version"]))]
    if not shown:
        raise ApiError(404, "NotFound.JobTemplateVersion", f"There is no version {wanted}.")
    return {**template, "Versions": list[JSON](shown), "TotalCount": len(versions)}


def _create_template(call: Call) -> JSON:
    made, id_ = time_text(call.state.now()), call.state.new_id("tpl")
    body = {name: value for name, value in call.body.items() if name not in ("Content", "Constraints")}
    template: Object = {
        "TemplateId": id_,
        **body,
        "DefaultVersion": 1,
        "GmtCreateTime": made,
        "GmtModifyTime": made,
    }
    template["Versions"] = [_version(call, 1)]
    call.state.templates[id_] = template
    return {**template_view(template), "Version": 1}


def _update_template(call: Call) -> JSON:
    template, body = call.state.template(call.ids["TemplateId"]), call.body
    template.update(
        {name: body[name] for name in ("TemplateName", "Description", "Metadata") if name in body}
    )
    template["GmtModifyTime"] = time_text(call.state.now())
    answer: Object = {"VersionCreated": "Content" in body}
    if "Content" in body:
        versions = objects(template["Versions"])
        number = len(versions) + 1
        template["Versions"] = [*versions, _version(call, number)]
        answer["Version"] = number
        if body.get("SetAsDefault"):
            template["DefaultVersion"] = number
    elif "Constraints" in body:
        raise ApiError(400, "InvalidParameter.Constraints", "Constraints come with Content.")
    return {
        **answer,
        "DefaultVersion": template["DefaultVersion"],
        "GmtModifyTime": template["GmtModifyTime"],
    }


def _version(call: Call, number: int) -> Object:
    content = call.body["Content"]
    try:
        json.loads(content if isinstance(content, str) else "")
    except ValueError:
        raise ApiError(400, "InvalidParameter.Content", "Content is no JSON.") from None
    constraints = {"Constraints": call.body["Constraints"]} if "Constraints" in call.body else {}
    made = time_text(call.state.now())
    return {"Version": number, "Content": content, "CreatedBy": "1234", "GmtCreateTime": made, **constraints}


def _delete_template(call: Call) -> JSON:
    template = call.state.template(call.ids["TemplateId"])
    del call.state.templates[call.ids["TemplateId"]]
    return {"TemplateId": template["TemplateId"]}


def _set_default(call: Call) -> JSON:
    template = call.state.template(call.ids["TemplateId"])
    if call.body["Version"] not in [version["Version"] for version in objects(template["Versions"])]:
        raise ApiError(404, "NotFound.JobTemplateVersion", f"There is no version {call.body['Version']}.")
    template.update(DefaultVersion=call.body["Version"], GmtModifyTime=time_text(call.state.now()))
    return {"DefaultVersion": template["DefaultVersion"], "GmtModifyTime": template["GmtModifyTime"]}


def _list_servers(call: Call) -> JSON:
    found = matching(call.state.ray_servers.values(), call.query, _SERVER_FILTERS)
    found = ordered(in_window(call.state, found, call.query), call.query, _SERVER_SORTS)
    page = page_of(call.state, found, call.query, rows=call.rows)
    return {"RayHistoryServers": page, "TotalCount": len(found)}


def _get_server(call: Call) -> JSON:
    return dict(call.state.ray_server(call.ids["RayHistoryServerId"]))


def _create_server(call: Call) -> JSON:
    made, id_ = time_text(call.state.now()), call.state.new_id("ray")
    call.state.ray_servers[id_] = {
        "RayHistoryServerId": id_,
        "Status": "Creating",
        "GmtCreateTime": made,
        "GmtModifyTime": made,
        **call.body,
    }
    return {"RayHistoryServerId": id_}


def _delete_server(call: Call) -> JSON:
    call.state.ray_server(call.ids["RayHistoryServerId"])
    del call.state.ray_servers[call.ids["RayHistoryServerId"]]
    return {}


def _start_server(call: Call) -> JSON:
    call.state.ray_server(call.ids["RayHistoryServerId"])["Status"] = "Running"
    return {}


def _stop_server(call: Call) -> JSON:
    call.state.ray_server(call.ids["RayHistoryServerId"])["Status"] = "Stopped"
    return {}


def _list_signals(call: Call) -> JSON:
    job_id = text_of(call.state.job(call.ids["JobId"]), "JobId")
    kept = call.state.signals.get(job_id, {})
    found = matching(kept.values(), call.query, {"Status": equals("Status")})
    page = page_of(call.state, found, call.query, rows=call.rows)
    return {"JobId": job_id, "Signals": page, "TotalCount": len(found)}


def _get_signal(call: Call) -> JSON:
    job_id = text_of(call.state.job(call.ids["JobId"]), "JobId")
    if (found := call.state.signals.get(job_id, {}).get(call.ids["SignalId"])) is None:
        raise ApiError(404, "NotFound", f"Signal {call.ids['SignalId']} is not found.")
    return {"JobId": job_id, **found}


def _create_signal(call: Call) -> JSON:
    job_id, made = text_of(call.state.job(call.ids["JobId"]), "JobId"), time_text(call.state.now())
    target = call.body.get("Target")
    signal: Object = {
        "SignalId": call.state.new_id("sig"),
        "Signal": call.body.get("Signal"),
        "Status": "Pending",
        "GmtCreated": made,
        "GmtModified": made,
        **(target if isinstance(target, dict) else {}),
    }
    call.state.signals.setdefault(job_id, {})[text_of(signal, "SignalId")] = signal
    return {"JobId": job_id, **{name: signal[name] for name in ("SignalId", "Signal", "Status")}}


def _list_checks(call: Call) -> JSON:
    checks = call.state.checks.get(text_of(call.state.job(call.ids["JobId"]), "JobId"), [])
    shown = checks[::-1] if call.query.get("Order") == "desc" else checks
    return {"SanityCheckResults": list[JSON](shown), "TotalCount": len(checks)}


def _get_check(call: Call) -> JSON:
    job_id = text_of(call.state.job(call.ids["JobId"]), "JobId")
    wanted, phase = call.query["SanityCheckNumber"], call.query.get("SanityCheckPhase")
    items = [item for check in call.state.checks.get(job_id, []) for item in objects(list[JSON](check))]
    found = [
        item for item in items if str(item["CheckNumber"]) == wanted and phase in (None, "", item["Phase"])
    ]
    return {"JobId": job_id, "SanityCheckResult": list[JSON](found)}


def _list_specs(call: Call) -> JSON:
    names = ("AcceleratorType", "ResourceType")
    filters: Mapping[str, Test] = {
        **{name: equals(name) for name in names},
        "InstanceTypes": one_of("InstanceType"),
    }
    found = matching(call.state.specs, call.query, filters)
    page = page_of(call.state, found, call.query, rows=call.rows)
    return {"EcsSpecs": page, "TotalCount": len(found)}


def _get_token(call: Call) -> JSON:
    call.need("TargetId", "TargetType")
    kept = {"job": call.state.job, "tensorboard": call.state.tensorboard}.get(call.query["TargetType"])
    if kept is None:
        raise ApiError(400, "InvalidParameter", "TargetType is job or tensorboard.")
    kept(call.query["TargetId"])
    return {"Token": f"share-{call.query['TargetType']}-{call.query['TargetId']}"}


def _get_metrics(call: Call) -> JSON:
    points = call.state.points.get(call.query.get("JobId", ""), [])
    first, size = int(call.query.get("NextToken") or 0), int(call.query.get("Length") or 1000)
    answer: Object = {"Code": "200", "Message": "Success.", "Success": True, "Period": "60"}
    answer["DataPoints"] = json.dumps(points[first : first + size])
    if first + size < len(points):
        answer["NextToken"] = str(first + size)
    return answer


HANDLERS: Mapping[str, Handler] = {
    "ListTensorboards": _list_boards,
    "GetTensorboard": _get_board,
    "CreateTensorboard": _create_board,
    "UpdateTensorboard": _update_board,
    "DeleteTensorboard": _delete_board,
    "StartTensorboard": _start_board,
    "StopTensorboard": _stop_board,
    "GetTensorboardSharedUrl": _shared_url,
    "ListJobTemplates": _list_templates,
    "GetJobTemplate": _get_template,
    "CreateJobTemplate": _create_template,
    "UpdateJobTemplate": _update_template,
    "DeleteJobTemplate": _delete_template,
    "SetJobTemplateDefaultVersion": _set_default,
    "ListRayHistoryServers": _list_servers,
    "GetRayHistoryServer": _get_server,
    "CreateRayHistoryServer": _create_server,
    "DeleteRayHistoryServer": _delete_server,
    "StartRayHistoryServer": _start_server,
    "StopRayHistoryServer": _stop_server,
    "ListSignals": _list_signals,
    "GetSignal": _get_signal,
    "CreateSignal": _create_signal,
    "ListJobSanityCheckResults": _list_checks,
    "GetJobSanityCheckResult": _get_check,
    "ListEcsSpecs": _list_specs,
    "GetToken": _get_token,
    "GetMetrics": _get_metrics,
}
"""Action → what it does."""
