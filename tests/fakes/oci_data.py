"""What the OCI stand-in begins with in the tests, and its items as rows."""

from __future__ import annotations

from collections.abc import Iterator

from sqlprovider.values import JSON
from tests.fakes.oci_api import Object
from tests.fakes.oci_state import OciState, Path

PLATFORM = "ocid1.aidataplatform.oc1.iad.amaaaaaa"
WORKSPACE = "5b1e7a9c-0c1a-4000-8000-2f0000000001"
COMPARTMENT = "ocid1.compartment.oc1..aaaaaaaa"
ODD_WORKSPACE = "ws/../k x"

_KEYS = {
    "workspaces": ("aiDataPlatformId", "workspaceKey"),
    "async_operations": ("aiDataPlatformId", "asyncOperationKey"),
    "clusters": ("aiDataPlatformId", "workspaceKey", "clusterKey"),
    "jobs": ("aiDataPlatformId", "workspaceKey", "jobKey"),
    "job_runs": ("aiDataPlatformId", "workspaceKey", "jobRunKey"),
    "ai_data_platforms": ("aiDataPlatformId",),
    "work_requests": ("workRequestId",),
}
"""Resource → its columns that stand in the path."""
_COLLECTIONS = {
    "async_operations": "asyncOperations",
    "job_runs": "jobRuns",
    "ai_data_platforms": "aiDataPlatforms",
    "work_requests": "workRequests",
}


def add_platform(state: OciState, id_: str = PLATFORM, *, name: str = "the platform") -> Path:
    """A platform that is active."""
    path = ("aiDataPlatforms", id_)
    fields: Object = {"compartmentId": COMPARTMENT, "aiDataPlatformType": "", "definedTags": {}}
    return _add(state, path, "id", {"displayName": name, "freeformTags": {"team": "vision"}, **fields})


def add_workspace(state: OciState, key: str, *, name: str, **fields: JSON) -> Path:
    """A workspace of the platform that is active."""
    path = ("aiDataPlatforms", PLATFORM, "workspaces", key)
    return _add(
        state, path, "key", {"displayName": name, "type": "USER", "isPrivateNetworkEnabled": False, **fields}
    )


def oci_small() -> OciState:
    """One platform; three workspaces, one of an odd key and one empty; clusters, jobs and their runs."""
    state = OciState()
    add_platform(state)
    first = add_workspace(state, WORKSPACE, name="vision", description="it's ünï 🙂")
    odd = add_workspace(state, ODD_WORKSPACE, name="Vision", defaultCatalogKey="c/1")
    add_workspace(state, "w-empty", name="empty", type="DEFAULT", isPrivateNetworkEnabled=True)
    for number, name in enumerate(("small", "large", "off")):
        fields: Object = {"type": "USER", "driverConfig": {"driverShape": name}, "displayName": name}
        stopped: Object = {"state": "STOPPED"} if name == "off" else {}
        _add(state, (*first, "clusters", f"c{number}"), "key", fields | stopped, state_field="state")
    for number in range(1, 8):
        where = odd if number == 7 else first
        job: Object = {"name": f"job {number}", "path": f"/jobs/{number % 2}", "createdBy": "ann"}
        _add(state, (*where, "jobs", f"j{number}"), "key", job, state_field="")
        for run in range(number % 3):
            _add_run(state, where, f"j{number}r{run}", job=f"j{number}", failed=run == 1)
    return state


def rows(state: OciState, resource: str) -> Iterator[Object]:
    """The items of a resource, with the ids of their parents."""
    names = _KEYS[resource]
    collection = _COLLECTIONS.get(resource, resource)
    for path, items in state.collections.items():
        if path[-1] == collection:
            for key, stored in items.items():
                yield {**stored.item, **dict(zip(names, (*path[1::2], key), strict=True))}


def _add(
    state: OciState, path: Path, id_field: str, fields: Object, *, state_field: str = "lifecycleState"
) -> Path:
    now = state.now()
    life: Object = {state_field: "ACTIVE"} if state_field else {}
    state.put(path, {id_field: path[-1], "timeCreated": now, "timeUpdated": now, **life, **fields})
    return path


def _add_run(state: OciState, workspace: Path, key: str, *, job: str, failed: bool) -> None:
    fields: Object = {
        "jobKey": job,
        "name": key,
        "state": {"status": "FAILED" if failed else "SUCCESS"},
        "launched": "SCHEDULED",
        "startTime": 1_767_323_045_678,
        "endTime": 1_767_323_945_678,
        "executionDuration": 900_000,
    }
    _add(state, (*workspace, "jobRuns", key), "key", fields, state_field="")
