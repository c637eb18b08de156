"""A stand-in for Oracle's AI Data Platform without its MLflow: platforms, workspaces, clusters, jobs, runs.

It keeps state, pages, keeps etags and refuses what the service documents as wrong. What is not documented
(the order of a list, how long work takes, when names are equal) is chosen here: do not rely on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from tests.fakes import oci_kinds as kinds
from tests.fakes.oci_api import Object, OciError, check_names, no_such_thing, read_object
from tests.fakes.oci_kinds import Kind
from tests.fakes.oci_lists import list_items
from tests.fakes.oci_state import OciState, Path, Stored
from tests.fakes.wsgi import RecordedRequest, Response

CALLER = "ocid1.user.oc1..caller"
_DATA, _CONTROL = "20260430", "20240831"


@dataclass(frozen=True, slots=True)
class Call:
    """One call: what it is about, and the request."""

    state: OciState
    kind: Kind
    path: Path
    """Of the item; of the collection where there is no id."""
    request: RecordedRequest
    rows: int | None
    """A fault's: at most so many rows on this page."""
    action: str = ""

    @property
    def stored(self) -> Stored:
        """The item. Raises OciError."""
        return self.state.get(self.path)


def answer_platform(state: OciState, request: RecordedRequest, rows: int | None) -> Response:
    """The answer to a request that is not about MLflow. Raises OciError."""
    call = _find(state, request, rows)
    is_item = len(call.path) % 2 == 0
    run = _METHODS.get((request.method, is_item, bool(call.action)))
    if run is None or not _takes(call, is_item):
        raise OciError(405, f"{request.path} takes no {request.method}.")
    with state.lock:
        _check_parent(call, is_item)
        if is_item:
            _check_etag(call)
        return run(call)


def _find(state: OciState, request: RecordedRequest, rows: int | None) -> Call:
    """What the path names. Raises OciError for a path that is none of the service's."""
    root, version, *raw = request.path.split("/")
    parts = [unquote(part) for part in raw]
    action = ""
    if len(parts) > 2 and parts[-2] == "actions":
        action = parts[-1]
        del parts[-2:]
    elif version == _CONTROL and len(parts) == 3 and parts[2] in ("errors", "logs"):
        action = parts.pop()
    kind = _kind(version, parts[0::2])
    if root or kind is None or not all(parts):
        raise OciError(404, f"There is no {request.path} here.", code="NotFound")
    if action and action not in (*kind.actions, *(("errors", "logs") if kind is kinds.WORK_REQUESTS else ())):
        raise OciError(404, f"There is no {request.path} here.", code="NotFound")
    return Call(state, kind, tuple(parts), request, rows, action)


def _kind(version: str, collections: list[str]) -> Kind | None:
    match version, collections:
        case "20240831", ["aiDataPlatforms"]:
            return kinds.PLATFORMS
        case "20240831", ["workRequests"]:
            return kinds.WORK_REQUESTS
        case "20260430", ["aiDataPlatforms", "workspaces"]:
            return kinds.WORKSPACES
        case "20260430", ["aiDataPlatforms", "asyncOperations"]:
            return kinds.OPERATIONS
        case "20260430", ["aiDataPlatforms", "workspaces", below]:
            return kinds.BELOW_WORKSPACE.get(below)
        case _:
            return None


def _takes(call: Call, is_item: bool) -> bool:
    """Whether the resource has that method at all."""
    if call.action:
        return (call.request.method == "GET") == (call.action in ("errors", "logs"))
    match call.request.method:
        case "PUT":
            return bool(call.kind.update)
        case "POST" if not is_item:
            return bool(call.kind.create)
        case "DELETE":
            return bool(call.kind.create)
        case _:
            return True


def _check_parent(call: Call, is_item: bool) -> None:
    parent = call.path[:-2] if is_item else call.path[:-1]
    if parent and call.state.find(parent) is None:
        raise no_such_thing()


def _check_etag(call: Call) -> None:
    """The precondition holds for all that changes something; what is not there is told first."""
    wanted = call.request.headers.get("if-match")
    if call.request.method == "GET" or wanted is None:
        return
    if wanted not in ("*", call.stored.etag):
        raise OciError(412, "The etag that was given is not that of the resource.")


def _list(call: Call) -> Response:
    return list_items(call.state, call.kind, call.path, call.request, rows=call.rows)


def _get(call: Call) -> Response:
    check_names((name for name, _ in call.request.query), call.kind.get_query, kind="query parameter")
    if call.kind in (kinds.WORK_REQUESTS, kinds.OPERATIONS):
        call.state.advance(call.path)
    return _shown(call.stored)


def _shown(stored: Stored, *headers: tuple[str, str]) -> Response:
    return Response.of_json(200, stored.item, headers=(("etag", stored.etag), *headers))


def _create(call: Call) -> Response:
    _no_query(call)
    body = read_object(call.request)
    check_names(body, call.kind.create, kind="field")
    state, kind = call.state, call.kind
    key = _new_id(call, body)
    path = (*call.path, key)
    stored = state.put(path, _new_item(call, key, body))
    return (
        _worked(
            call, path, "CREATE", stored, during="CREATING", effect=lambda: _set_state(call, path, "ACTIVE")
        )
        if kind.state_field
        else _shown(stored)
    )


def _new_id(call: Call, body: Object) -> str:
    if call.kind is kinds.PLATFORMS:
        return f"ocid1.aidataplatform.oc1.iad.{next(call.state.ids):060d}"
    if (
        call.kind is kinds.JOB_RUNS
        and call.state.find((*call.path[:-1], "jobs", str(body["jobKey"]))) is None
    ):
        raise OciError(400, "There is no such job.", code="RelatedResourceNotAuthorizedOrNotFound")
    return call.state.new_key()


def _new_item(call: Call, key: str, body: Object) -> Object:
    """The item as it is stored: what was given, and what the service adds."""
    now = call.state.now()
    item: Object = {
        call.kind.id_field: key,
        **body,
        "createdBy": CALLER,
        "timeCreated": now,
        "timeUpdated": now,
    }
    if call.kind is kinds.PLATFORMS:
        item = {"displayName": f"platform {key[-4:]}", "aiDataPlatformType": "", **item}
        item = {"freeformTags": {}, "definedTags": {}, **item}
        for secret in ("vectorDbAdminCred", "vectorDbAdminSecretId", "vectorDbId", "isEnableAiFeature"):
            item.pop(secret, None)
    elif call.kind is kinds.WORKSPACES:
        item |= {"type": "USER", "isPrivateNetworkEnabled": "networkConfigurationDetails" in body}
    elif call.kind is kinds.CLUSTERS:
        item["sourceApi"] = "CLUSTER_API"
    elif call.kind is kinds.JOB_RUNS:
        job = call.state.get((*call.path[:-1], "jobs", str(body["jobKey"]))).item
        item |= {"name": job["name"], "jobName": job["name"], "launched": "MANUAL"}
        item |= {"state": {"status": "RUNNING"}, "startTime": 1_767_323_045_678}
    return item


def _update(call: Call) -> Response:
    _no_query(call)
    body = read_object(call.request)
    check_names(body, call.kind.update, kind="field")
    stored = call.stored
    now = call.state.now()
    before = str(stored.item.get(call.kind.state_field))

    def effect() -> None:
        stored.item.update(body)
        stored.item["timeUpdated"] = now
        _set_state(call, call.path, before)
        call.state.seal(stored)

    if call.kind.state_field:
        return _worked(call, call.path, "UPDATE", stored, during="UPDATING", effect=effect)
    effect()
    return _shown(stored)


def _delete(call: Call) -> Response:
    check_names((name for name, _ in call.request.query), call.kind.delete_query, kind="query parameter")
    stored = call.stored
    state = call.state

    def effect() -> None:
        if state.tombstones and call.kind.state_field:
            _set_state(call, call.path, "DELETED")
        else:
            state.remove(call.path)

    if not call.kind.state_field:
        effect()
        return Response(204, b"")
    answer = _worked(call, call.path, "DELETE", stored, during="DELETING", effect=effect)
    return Response(202, b"", headers=answer.headers)


def _act(call: Call) -> Response:
    _no_query(call)
    stored = call.stored
    match call.action:
        case "changeCompartment":
            body = read_object(call.request)
            check_names(body, "compartmentId*", kind="field")
            stored.item.update(body)
        case "enableAiFeature":
            stored.item["aiFeatureStatus"] = "READY"
        case "cancel" | "cancelJobRuns":
            return _cancel(call)
        case action:
            state, path = call.kind.actions[action], call.path
            return _worked(
                call,
                path,
                action.upper(),
                stored,
                during={"start": "STARTING", "stop": "STOPPING"}.get(action, "RESTARTING"),
                effect=lambda: _set_state(call, path, state),
            )
    call.state.seal(stored)
    return Response(202, b"", headers=(("etag", stored.etag),))


def _cancel(call: Call) -> Response:
    if call.action == "cancel":
        runs = [call.stored]
    else:
        below = call.state.items((*call.path[:-2], "jobRuns"))
        runs = [run for run in below if run.item["jobKey"] == call.path[-1]]
    for run in runs:
        run.item["state"] = {"status": "CANCELED"}
        call.state.seal(run)
    return _shown(call.stored) if call.action == "cancel" else Response(202, b"")


def _set_state(call: Call, path: Path, word: str) -> None:
    if (stored := call.state.find(path)) is not None and call.kind.state_field:
        stored.item[call.kind.state_field] = word
        call.state.seal(stored)


def _worked(
    call: Call, path: Path, verb: str, stored: Stored, *, during: str, effect: Callable[[], None]
) -> Response:
    """Begin work on an item: the item as it is meanwhile, and a header that names the work."""
    state, kind = call.state, call.kind
    _set_state(call, path, during)
    key, now = state.new_key(), state.now()
    of_control = kind is kinds.PLATFORMS
    if of_control:
        shown, work_path, header = _work_request(path, verb, stored, key, now)
    else:
        shown, work_path, header = _operation(kind, path, verb, stored, key, now)
    state.begin(work_path, shown, effect, lambda: _set_state(call, path, "FAILED"))
    if of_control and verb == "UPDATE":
        return Response(202, b"", headers=((header, key),))
    return _shown(stored, (header, key))


def _work_request(path: Path, verb: str, stored: Stored, key: str, now: str) -> tuple[Object, Path, str]:
    shown: Object = {
        "operationType": f"{verb}_AI_DATA_PLATFORM",
        "status": "IN_PROGRESS",
        "id": key,
        "compartmentId": stored.item["compartmentId"],
        "resources": [{"entityType": "aidataplatform", "actionType": f"{verb}D", "identifier": path[-1]}],
        "percentComplete": 0.0,
        "timeAccepted": now,
        "timeStarted": now,
    }
    return shown, ("workRequests", key), "opc-work-request-id"


def _operation(
    kind: Kind, path: Path, verb: str, stored: Stored, key: str, now: str
) -> tuple[Object, Path, str]:
    shown: Object = {
        "key": key,
        "resourceType": kind.word,
        "actionType": f"{verb}_{kind.word}",
        "resourceName": path[-1],
        "resourceDisplayName": stored.item["displayName"],
        "createdBy": CALLER,
        "timeStarted": now,
        "status": "IN_PROGRESS",
    }
    return shown, (*path[:2], "asyncOperations", key), "aidp-async-operation-key"


def _notes(call: Call) -> Response:
    """The errors or log of a work request."""
    work = call.stored.item
    noted = {"timestamp": work["timeAccepted"], "message": "Accepted."}
    if call.action == "logs":
        return Response.of_json(200, {"items": [noted]})
    failed = work["status"] == "FAILED"
    error: Object = {**noted, "code": "InternalError", "message": call.state.work_error or ""}
    return Response.of_json(200, {"items": [error] if failed else []})


def _no_query(call: Call) -> None:
    check_names((name for name, _ in call.request.query), "", kind="query parameter")


_METHODS: dict[tuple[str, bool, bool], Callable[[Call], Response]] = {
    ("GET", False, False): _list,
    ("POST", False, False): _create,
    ("GET", True, False): _get,
    ("PUT", True, False): _update,
    ("DELETE", True, False): _delete,
    ("POST", True, True): _act,
    ("GET", True, True): _notes,
}
"""HTTP method, whether it is about one item, whether it is an action."""
