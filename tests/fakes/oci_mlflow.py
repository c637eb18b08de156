"""MLflow as Oracle serves it: a real MLflow server behind OCI's paths, verbs and errors.

    with forward_to("http://127.0.0.1:5000") as forward:
        answer_mlops(request, None, forward=forward, is_there=lambda platform, workspace: True)

The routes are those of `MLOpsClient` in aidp-python-client 5.1.1 that MLflow can answer: experiments, runs
and metrics below a workspace, the registry below the platform. What a field or parameter table does not name
is refused, so that nothing goes over the wire that Oracle's own client could not send.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlencode

import httpx

from sqlprovider.values import JSON
from tests.fakes.oci_api import Object, OciError, check_names, code_of, no_such_thing, read_object
from tests.fakes.wsgi import RecordedRequest, Response

Forward = Callable[[RecordedRequest], Response]
"""Sends a request to MLflow and gives its answer as it is."""
IsThere = Callable[[str, str | None], bool]
"""Whether there is such a platform, or such a workspace in it."""


@dataclass(frozen=True, slots=True)
class Route:
    """A route of OCI's: `fields` are those of its query (GET) or body, with `*` after what is required."""

    path: str
    method: str
    fields: str
    to_method: str
    """What MLflow has instead."""
    tags_of: tuple[str, str] | None = None
    """For the routes that MLflow has not, which set and delete tags at once: the two routes that do."""


def _routes(text: str, method: str, to_method: str | None = None) -> dict[str, Route]:
    rows = [line.strip().partition(" ") for line in text.strip().splitlines()]
    return {path: Route(path, method, fields, to_method or method) for path, _, fields in rows}


_BELOW_WORKSPACE = {
    **_routes(
        """
        experiments/create name* artifact_location tags
        experiments/search max_results page_token filter order_by view_type
        experiments/update experiment_id* new_name
        experiments/delete experiment_id* is_permanent
        experiments/restore experiment_id*
        experiments/set-experiment-tag experiment_id* key* value*
        experiments/delete-experiment-tag experiment_id* key*
        runs/create run_name experiment_id start_time tags
        runs/search experiment_ids max_results page_token filter order_by run_view_type
        runs/update run_id* status end_time run_name
        runs/delete run_id* is_permanent
        runs/restore run_id*
        runs/log-batch run_id* metrics params tags
        runs/log-metric run_id* key* value* timestamp* step
        runs/log-parameter run_id* key* value*
        runs/log-inputs run_id* dataset_inputs
        runs/log-model run_id* model_json*
        runs/set-tag run_id* key* value*
        runs/delete-tag run_id* key*
        logged-models/search experiment_ids max_results page_token filter order_by
        model-versions/create name* description source* run_id tags run_link model_id
        """,
        "POST",
    ),
    **_routes(
        """
        experiments/get experiment_id*
        experiments/get-by-name experiment_name*
        runs/get run_id*
        metrics/get-history run_id* metric_key* page_token max_results
        artifacts/list run_id* path page_token
        """,
        "GET",
    ),
    "internal/runs/update-tags": Route(
        "internal/runs/update-tags",
        "POST",
        "run_id* set_tags delete_tags",
        "POST",
        tags_of=("runs/set-tag", "runs/delete-tag"),
    ),
    "internal/experiments/update-experiment-tags": Route(
        "internal/experiments/update-experiment-tags",
        "POST",
        "experiment_id* set_tags delete_tags",
        "POST",
        tags_of=("experiments/set-experiment-tag", "experiments/delete-experiment-tag"),
    ),
}
_BELOW_PLATFORM = {
    **_routes(
        """
        registered-models/create name* description tags deployment_job_id
        registered-models/rename name* new_name
        registered-models/set-tag name* key* value*
        model-versions/create name* description source* run_id tags run_link model_id
        model-versions/transition-stage name* version* stage* archive_existing_versions*
        model-versions/set-tag name* version* key* value*
        """,
        "POST",
    ),
    **_routes(
        """
        registered-models/update name* description deployment_job_id
        model-versions/update name* version* description
        """,
        "POST",
        "PATCH",
    ),
    **_routes(
        """
        registered-models/delete name*
        registered-models/delete-tag name* key*
        model-versions/delete name* version*
        model-versions/delete-tag name* version* key*
        """,
        "POST",
        "DELETE",
    ),
    **_routes(
        """
        registered-models/get name*
        registered-models/search filter max_results page_token order_by is_deployment_summary_enabled
        model-versions/get name* version*
        model-versions/search filter max_results page_token order_by
        """,
        "GET",
    ),
    "internal/registered-models/update-tags": Route(
        "internal/registered-models/update-tags",
        "POST",
        "name* set_tags delete_tags",
        "POST",
        tags_of=("registered-models/set-tag", "registered-models/delete-tag"),
    ),
    "internal/model-versions/update-tags": Route(
        "internal/model-versions/update-tags",
        "POST",
        "name* version* set_tags delete_tags",
        "POST",
        tags_of=("model-versions/set-tag", "model-versions/delete-tag"),
    ),
}
_PREFIX = re.compile(
    r"/20260430/aiDataPlatforms/(?P<platform>[^/]+)(?:/workspaces/(?P<workspace>[^/]+))?"
    r"/mlops/api/2\.0/mlflow/(?P<route>.+)"
)
_ONLY_HERE = ("is_permanent", "is_deployment_summary_enabled")
_MEANS = {
    "RESOURCE_DOES_NOT_EXIST": (404, "NotAuthorizedOrNotFound"),
    "RESOURCE_ALREADY_EXISTS": (409, "Conflict"),
    "INVALID_PARAMETER_VALUE": (400, "InvalidParameter"),
}
"""MLflow's words; any other error keeps its status."""


def is_mlops(request: RecordedRequest) -> bool:
    """Whether the request is about MLflow, whatever comes of it."""
    return re.match(r"/20260430/aiDataPlatforms/[^/]+(/workspaces/[^/]+)?/mlops/", request.path) is not None


def answer_mlops(
    request: RecordedRequest, rows: int | None, *, forward: Forward, is_there: IsThere
) -> Response:
    """The answer to such a request. Raises OciError."""
    found = _PREFIX.fullmatch(request.path)
    routes = _BELOW_PLATFORM if found is None or found["workspace"] is None else _BELOW_WORKSPACE
    route = None if found is None else routes.get(found["route"])
    if found is None or route is None:
        raise OciError(404, f"There is no {request.path} here.", code="NotFound")
    if request.method != route.method:
        raise OciError(405, f"{request.path} takes no {request.method}.")
    workspace = None if found["workspace"] is None else unquote(found["workspace"])
    if not is_there(unquote(found["platform"]), workspace):
        raise no_such_thing()
    return _answered(request, route, rows, forward)


def _answered(request: RecordedRequest, route: Route, rows: int | None, forward: Forward) -> Response:
    if route.method == "GET":
        check_names((name for name, _ in request.query), route.fields, kind="query parameter")
        if len(dict(request.query)) < len(request.query):
            raise OciError(400, "A query parameter is there twice; none of these is a list.")
        return _translated(forward(_rewritten_query(request, route, rows)))
    check_names((name for name, _ in request.query), "", kind="query parameter")
    body = read_object(request)
    check_names(body, route.fields, kind="field")
    if route.tags_of is not None:
        return _tags(request, body, route.tags_of, forward)
    return _translated(forward(_rewritten_body(request, route, body, rows)))


def _rewritten_query(request: RecordedRequest, route: Route, rows: int | None) -> RecordedRequest:
    query = [
        (name, _registry_filter(value) if name == "filter" else value)
        for name, value in request.query
        if name not in _ONLY_HERE
    ]
    if rows is not None:
        query = [pair for pair in query if pair[0] != "max_results"] + [("max_results", str(rows))]
    return replace(request, path=_mlflow(route.path), query=tuple(query))


def _registry_filter(text: str) -> str:
    """The registry takes one condition, and its LIKE on a name means that the name contains it."""
    if re.search(r"\bAND\b", re.sub(r"'[^']*'", "''", text), re.IGNORECASE):
        raise OciError(400, "The filter must be a single condition.")
    return re.sub(r"\A\s*name\s+LIKE\s+'(.*)'\s*\Z", r"name LIKE '%\1%'", text, flags=re.IGNORECASE)


def _rewritten_body(
    request: RecordedRequest, route: Route, body: Object, rows: int | None
) -> RecordedRequest:
    kept = {name: value for name, value in body.items() if name not in _ONLY_HERE}
    if body.get("is_permanent") is True:
        raise OciError(501, "Nothing is deleted for good here.")
    if "dataset_inputs" in kept:
        kept["datasets"] = kept.pop("dataset_inputs")
    if rows is not None:
        kept["max_results"] = rows
    return replace(request, method=route.to_method, path=_mlflow(route.path), body=json.dumps(kept).encode())


def _tags(request: RecordedRequest, body: Object, routes: tuple[str, str], forward: Forward) -> Response:
    """Each tag by MLflow's own routes, in turn; the first that is refused ends it."""
    ids = {name: value for name, value in body.items() if name not in ("set_tags", "delete_tags")}
    known = _BELOW_WORKSPACE | _BELOW_PLATFORM
    for path, tags in ((routes[0], body.get("set_tags")), (routes[1], body.get("delete_tags"))):
        for tag in _objects(tags):
            sent = json.dumps({**ids, **tag}).encode()
            answer = forward(replace(request, method=known[path].to_method, path=_mlflow(path), body=sent))
            if answer.status != httpx.codes.OK:
                return _translated(answer)
    return Response.of_json(200, {})


def _objects(value: JSON) -> list[Object]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise OciError(400, "Tags must be a list.")
    if not all(isinstance(item, dict) for item in value):
        raise OciError(400, "A tag must be an object.")
    return [item for item in value if isinstance(item, dict)]


def _mlflow(path: str) -> str:
    return f"/api/2.0/mlflow/{path}"


def _translated(answer: Response) -> Response:
    """MLflow's answer as OCI's: the body as it is, an error in OCI's shape."""
    if answer.status == httpx.codes.OK:
        return answer
    try:
        error = json.loads(answer.body)
    except ValueError:
        error = {}
    word = str(error.get("error_code", ""))
    status, code = _MEANS.get(word, (answer.status, code_of(answer.status)))
    raise OciError(status, str(error.get("message", "The service failed.")), code=code)


@contextmanager
def forward_to(base_url: str) -> Iterator[Forward]:
    """Sends to an MLflow server that is running."""
    with httpx.Client(base_url=base_url, timeout=60) as client:

        def forward(request: RecordedRequest) -> Response:
            target = f"{request.path}?{urlencode(request.query)}" if request.query else request.path
            answer = client.request(
                request.method,
                target,
                content=request.body,
                headers={"Content-Type": "application/json"} if request.body else {},
            )
            return Response(answer.status_code, answer.content, "application/json")

        yield forward
