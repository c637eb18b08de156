"""The stand-in for the whole of Vertex AI, asked over plain HTTP: what a client hides, or would not send."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import pytest

from sqlprovider.values import JSON
from tests.fakes.faults import Fault
from tests.fakes.ml import ml_app, ml_rows, ml_small
from tests.fakes.vertex_platform import TABLES, platform_app, platform_rows
from tests.fakes.vertex_platform_data import STORE, many_jobs, vertex_jobs
from tests.fakes.vertex_platform_state import PlatformState, object_of

LOCATION = "/v1/projects/p/locations/l"


def ask(
    state: PlatformState,
    path: str,
    *,
    method: str = "GET",
    body: Mapping[str, JSON] | None = None,
    token: str | None = None,
) -> tuple[int, dict[str, JSON]]:
    """The status and the answer of one request."""
    transport = httpx.WSGITransport(platform_app(state, token=token))
    with httpx.Client(transport=transport, base_url="http://127.0.0.1") as client:
        answer = client.request(method, path, json=body)
    shown = answer.headers["content-type"].startswith("application/json")
    return answer.status_code, (answer.json() if shown else {})


def message(answer: Mapping[str, JSON]) -> str:
    return str(object_of(answer["error"])["message"])


@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_table_has_rows_and_lists_them(table: str) -> None:
    state = vertex_jobs()
    rows = platform_rows(state, table)
    assert rows
    parents = {f"/v1/{str(row['name']).rpartition('/')[0]}" for row in rows}
    listed = [ask(state, f"{parent}?pageSize=100") for parent in sorted(parents)]
    found = [
        item
        for _, answer in listed
        for key, items in answer.items()
        if isinstance(items, list)
        for item in items
    ]
    assert sorted(str(object_of(item)["name"]) for item in found) == sorted(str(row["name"]) for row in rows)


def test_both_versions_answer_alike() -> None:
    for path in ("customJobs/1003", "pipelineJobs/nightly-1", "metadataStores/default/contexts/run-01"):
        first, second = (ask(vertex_jobs(), f"/{v}/projects/p/locations/l/{path}") for v in ("v1", "v1beta1"))
        assert first == second
        assert first[0] == 200


def test_tensorboards_are_there_too() -> None:
    status, answer = ask(vertex_jobs(), f"{LOCATION}/tensorboards/t/experiments/e1/runs?pageSize=1")
    assert (status, sorted(answer)) == (200, ["nextPageToken", "tensorboardRuns"])


WRONG = [
    pytest.param("GET", "/customJobs?nothing=1", None, 400, "Unknown name", id="unknown query"),
    pytest.param(
        "POST", "/customJobs", {"displayName": "x", "x": 1}, 400, "Unknown name", id="unknown field"
    ),
    pytest.param(
        "POST", "/customJobs", {"displayName": "x"}, 400, "jobSpec is required", id="required field"
    ),
    pytest.param("POST", "/customJobs", {"displayName": 5, "jobSpec": {}}, 400, "Invalid value", id="type"),
    pytest.param("GET", "/customJobs?filter=colour=red", None, 400, "no field", id="unknown filter field"),
    pytest.param("GET", "/tuningJobs?filter=state=x", None, 400, "no filter here", id="undocumented filter"),
    pytest.param("GET", "/customJobs?pageToken=x", None, 400, "page token", id="made-up token"),
    pytest.param("GET", "/customJobs?pageSize=-1", None, 400, "negative", id="negative page size"),
    pytest.param("GET", "/customJobs/none", None, 404, "not found", id="no such job"),
    pytest.param("GET", "/studies/none/trials", None, 404, "not found", id="no such parent"),
    pytest.param("PATCH", "/schedules/6001", {"cron": "x"}, 400, "update_mask", id="no mask"),
    pytest.param("PATCH", "/endpoints/8001?updateMask=name", {}, 400, "immutable", id="immutable"),
    pytest.param(
        "POST", "/endpoints/8001:predict", {"instances": []}, 501, "no projects", id="not done here"
    ),
    pytest.param("DELETE", "/metadataStores/default", None, 400, "not empty", id="not empty"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "text"), WRONG)
def test_what_is_wrong_is_refused(
    method: str, path: str, body: dict[str, JSON] | None, status: int, text: str
) -> None:
    given, answer = ask(vertex_jobs(), LOCATION + path, method=method, body=body)
    assert given == status
    assert text in message(answer)


@pytest.mark.parametrize("path", ["/tuningJobs/4001", "/nothing", "/customJobs/1/nothing"])
def test_what_the_api_has_not_is_a_page_for_people(path: str) -> None:
    assert ask(vertex_jobs(), LOCATION + path, method="DELETE") == (404, {})


def test_a_token_is_wanted() -> None:
    assert ask(vertex_jobs(), f"{LOCATION}/customJobs", token="secret")[0] == 401


def test_a_closed_project_is_forbidden() -> None:
    state = vertex_jobs()
    state.forbidden.add("p")
    assert ask(state, f"{LOCATION}/customJobs")[0] == 403


def test_an_operation_takes_effect_when_it_has_been_asked_for_often_enough() -> None:
    state = vertex_jobs()
    state.polls = 2
    _, started = ask(state, f"{LOCATION}/customJobs/1003", method="DELETE")
    assert "done" not in started
    path = f"/v1/{started['name']}"
    assert [ask(state, path)[1].get("done") for _ in range(2)] == [None, True]
    assert ask(state, f"{LOCATION}/customJobs/1003")[0] == 404


def test_a_cancelled_operation_has_no_effect() -> None:
    state = vertex_jobs()
    state.polls = 2
    _, started = ask(state, f"{LOCATION}/customJobs/1003", method="DELETE")
    ask(state, f"/v1/{started['name']}:cancel", method="POST", body={})
    assert message(ask(state, f"/v1/{started['name']}")[1]) == "The operation was cancelled."
    assert ask(state, f"{LOCATION}/customJobs/1003")[0] == 200


def test_a_list_shows_what_was_there_when_it_began() -> None:
    state = many_jobs(7)
    _, first = ask(state, f"{LOCATION}/customJobs?pageSize=3")
    state.remove("projects/p/locations/l/customJobs/4")
    state.add("projects/p/locations/l/customJobs/8", {"displayName": "late"})
    _, second = ask(
        state, f"{LOCATION}/customJobs?pageSize=3&pageToken={str(first['nextPageToken']).replace('+', '%2B')}"
    )
    jobs = second["customJobs"]
    assert isinstance(jobs, list)
    assert [str(object_of(job)["name"])[-1] for job in jobs] == ["5", "6"]


def test_metadata_pages_are_never_larger_than_a_hundred() -> None:
    status, answer = ask(vertex_jobs(), f"/v1/{STORE}/contexts?pageSize=101")
    assert (status, message(answer)) == (400, "page_size must be between 1 and 100.")


def test_faults_come_on_demand() -> None:
    state = vertex_jobs()
    state.faults += [
        Fault(match="customJobs$", times=1, spoil="html"),
        Fault(match="customJobs$", times=1, rows=0),
    ]
    assert ask(state, f"{LOCATION}/customJobs") == (200, {})
    assert list(ask(state, f"{LOCATION}/customJobs")[1]) == ["nextPageToken"]


def test_project_numbers_may_stand_in_names() -> None:
    state = vertex_jobs()
    state.project_numbers = True
    _, job = ask(state, f"{LOCATION}/customJobs/1003")
    assert job["name"] == "projects/123456789012/locations/l/customJobs/1003"
    assert ask(state, f"/v1/{job['name']}")[1] == job


def test_rows_of_ml_have_their_ids() -> None:
    state = ml_small()
    first = ml_rows(state, "jobs")[0]
    assert (first["projectsId"], first["jobsId"], first["jobId"]) == ("p", "train_01", "train_01")
    with httpx.Client(transport=httpx.WSGITransport(ml_app(state)), base_url="http://127.0.0.1") as client:
        answer = client.delete("/v1/projects/p/jobs/train_01")
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (404, "text/html")
