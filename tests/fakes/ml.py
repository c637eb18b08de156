"""A stand-in for AI Platform Training & Prediction (ml v1): jobs, models, versions, studies; one WSGI app.

Jobs are created by an id of their own, change by `labels` and `etag` alone, are cancelled and never deleted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlprovider.values import JSON
from tests.fakes.aip160 import Grammar
from tests.fakes.google_api import ApiError
from tests.fakes.google_rest import (
    Api,
    Call,
    Handler,
    Rules,
    changed_item,
    ids_of,
    new_item,
    rest_app,
    shown_item,
)
from tests.fakes.google_standard import STANDARD, finish, shown
from tests.fakes.google_state import GoogleState
from tests.fakes.proto_json import Object, timestamp_text

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")
_ID = r"[a-zA-Z][a-zA-Z0-9_]{0,127}"


@dataclass(slots=True)
class MlState(GoogleState):
    """The whole state."""

    stale: tuple[int, str] = (412, "FAILED_PRECONDITION")
    """How a wrong etag is refused: it is not documented which of 409 and 412 the service answers."""

    def kind(self, name: str) -> str:
        """What an item of that name is, for messages."""
        return name.split("/")[-2]

    def add(self, name: str, item: Object | None = None) -> Object:
        """Put an item in; id, times and etag are given unless the item has them."""
        return new_item(ML, self, name, item or {})

    def view(self, name: str) -> Object:
        """The item as the API shows it."""
        return shown_item(ML, self, name)


def ml_app(state: MlState, *, token: str | None = None) -> WSGIApplication:
    """The service over that state. With a token, requests must carry it as bearer."""
    jobs = replace(ML.rules["projects.jobs"], stale=state.stale)
    return rest_app(replace(ML, rules={**ML.rules, "projects.jobs": jobs}), state, token=token)


def ml_rows(state: MlState, resource: str) -> list[Object]:
    """The true rows of a resource: each item as on the wire, with the id of every parent and its own."""
    with state.lock:
        return [
            {**ids_of(f"{path}/{id_}"), **state.view(f"{path}/{id_}")}
            for path, items in state.collections.items()
            if path.rpartition("/")[2] == resource
            for id_ in items
        ]


def _job_begins(item: Object, now: str) -> None:
    item.setdefault("state", "QUEUED")


def _cancel(call: Call) -> JSON:
    job = call.state.get(call.name)
    if job.get("state") in _ENDED:
        raise ApiError("FAILED_PRECONDITION", f"{call.name} has ended: its state is {job['state']}.")
    job["state"] = "CANCELLED"
    job["endTime"] = timestamp_text(call.state.clock())
    changed_item(call.api, call.state, call.name)
    return {}


def _set_default(call: Call) -> JSON:
    model = call.state.get(call.name.rpartition("/versions/")[0])
    call.state.get(call.name)
    for version in call.state.items(call.name.rpartition("/")[0]):
        version.pop("isDefault", None)
    call.state.get(call.name)["isDefault"] = True
    model["defaultVersion"] = dict(call.state.get(call.name))
    return shown(call, call.name)


def _create_version(call: Call) -> JSON:
    """The first version of a model is its default."""
    first = not call.state.items(call.name)
    answer = STANDARD["create"](call)
    if first:
        for version in call.state.items(call.name):
            version["isDefault"] = True
    return answer


def _patch_model(call: Call) -> JSON:
    model = call.state.get(call.name)
    default = call.body.get("defaultVersion")

    def effect() -> Object:
        if "description" in call.request.value("updateMask"):
            model["description"] = call.body.get("description", "")
        if isinstance(default, dict):
            model["defaultVersion"] = dict(call.state.get(f"{call.name}/versions/{default['name']}"))
        changed_item(call.api, call.state, call.name)
        return shown(call, call.name)

    return finish(call, call.name, "Update", effect)


def _config(call: Call) -> JSON:
    number = call.state.project_number(call.name.rpartition("/")[2])
    return {"serviceAccount": f"service-{number}@ml.example.com", "serviceAccountProject": number}


_HANDLERS: dict[str, Handler] = {
    "projects.getConfig": _config,
    "projects.jobs.cancel": _cancel,
    "projects.models.patch": _patch_model,
    "projects.models.versions.create": _create_version,
    "projects.models.versions.setDefault": _set_default,
}
_PAGE = Rules(page_default=20, page_max=100, id_pattern=_ID)
ML = Api(
    "ml",
    ("v1",),
    "ml.googleapis.com",
    "google.cloud.ml.{version}",
    {
        "projects.jobs": replace(
            _PAGE,
            id_field="jobId",
            # An example is all that is documented: `jobId:rnn* AND state:FAILED`.
            grammar=Grammar({"jobId": ":", "state": ":"}),
            masks=("labels", "etag"),
            etag_in_mask=True,
            created=_job_begins,
        ),
        "projects.models": replace(_PAGE, id_field="name"),
        "projects.models.versions": replace(_PAGE, id_field="name"),
        "projects.locations": _PAGE,
        "projects.locations.studies": replace(_PAGE, page_max=10**6, page_default=10**6),
        "projects.locations.studies.trials": replace(_PAGE, page_max=10**6, page_default=10**6),
    },
    _HANDLERS,
    operation_owner=lambda name: "/".join(name.split("/")[:2]),
    standard=STANDARD,
)


def ml_small() -> MlState:
    """Project p: 45 jobs in every state, some with labels; models, one with versions. Project q: a job."""
    state = MlState()
    states = ("QUEUED", "PREPARING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLING", "CANCELLED")
    for index in range(1, 46):
        job: Object = {"state": states[index % len(states)]}
        if index % 3:
            job["labels"] = {"owner": "google" if index % 2 else "it's", "color": f"c{index}"}
        if job["state"] == "FAILED":
            job["errorMessage"] = "The replica master 0 exited with a non-zero status of 1."
        if index % 2:
            job["predictionInput"] = {"dataFormat": "JSON", "region": "us-central1", "maxWorkerCount": "10"}
            job["predictionOutput"] = {"predictionCount": "12345678901", "nodeHours": 0.5}
        else:
            job["trainingInput"] = {"scaleTier": "BASIC", "region": "us-central1"}
        state.add(f"projects/p/jobs/train_{index:02d}", job)
    state.add("projects/q/jobs/train_01", {"state": "SUCCEEDED"})
    for name in ("census", "flowers"):
        state.add(
            f"projects/p/models/{name}", {"name": f"projects/p/models/{name}", "regions": ["us-central1"]}
        )
    for name in ("v1", "v2"):
        path = f"projects/p/models/census/versions/{name}"
        state.add(path, {"name": path, "runtimeVersion": "2.11", "isDefault": name == "v1"})
    return state
