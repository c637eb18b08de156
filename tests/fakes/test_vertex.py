"""The stand-in as a bare HTTP server: shapes, refusals, page tokens and faults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sqlprovider.values import JSON
from tests.fakes.vertex import Fault, VertexState, find_method, rows, vertex_app, vertex_large, vertex_small
from tests.fakes.wsgi import RecordedRequest

LOCATION = "/v1/projects/p/locations/l"
BOARD = f"{LOCATION}/tensorboards/t"
EXPERIMENT = f"{BOARD}/experiments/e1"
RUNS = f"{EXPERIMENT}/runs"
RUN = f"{RUNS}/r01"
LOSS = f"{RUN}/timeSeries/loss"


@pytest.fixture
def state() -> VertexState:
    return vertex_small()


@pytest.fixture
def http(state: VertexState) -> Iterator[httpx.Client]:
    with client_of(state) as client:
        yield client


def client_of(state: VertexState, *, token: str | None = None) -> httpx.Client:
    return httpx.Client(transport=httpx.WSGITransport(vertex_app(state, token=token)), base_url="http://fake")


def name(path: str) -> str:
    return path.removeprefix("/v1/")


def error_of(response: httpx.Response) -> tuple[int, str]:
    error = response.json()["error"]
    assert error["code"] == response.status_code
    return response.status_code, error["status"]


def listed(http: httpx.Client, path: str, **params: str | int) -> list[Any]:
    """Every page of a list, joined."""
    found: list[Any] = []
    while True:
        answer = http.get(path, params=params).raise_for_status().json()
        found.extend(item for value in answer.values() if isinstance(value, list) for item in value)
        if not (token := answer.get("nextPageToken")):
            return found
        params["pageToken"] = token


def test_an_empty_list_is_an_empty_object(http: httpx.Client) -> None:
    assert http.get(f"{BOARD}/experiments/e-empty/runs").json() == {}


def test_a_run_is_shown_as_the_wire_has_it(http: httpx.Client) -> None:
    run = http.get(f"{RUNS}/r02").json()
    assert list(run) == ["name", "displayName", "description", "createTime", "updateTime", "labels", "etag"]
    assert run["createTime"].endswith("Z")
    assert "description" not in http.get(f"{RUNS}/r03").json()
    assert http.get(RUN).json()["description"] == ""


def test_whole_numbers_of_64_bits_are_text_and_steps_of_zero_are_left_out(http: httpx.Client) -> None:
    weights = http.get(f"{RUN}/timeSeries/weights").json()
    assert weights["metadata"]["maxStep"] == "12345678901"
    values = http.get(f"{LOSS}:read").json()["timeSeriesData"]["values"]
    assert "step" not in values[0]
    assert (values[1]["step"], values[1]["wallTime"]) == ("1", "2026-01-02T03:04:06.000000007Z")
    assert values[10]["scalar"] == {"value": "NaN"}


def test_the_latest_wall_time_is_found_among_times_of_different_length(state: VertexState) -> None:
    series = name(LOSS)
    state.points[series] = {
        1: {"step": "1", "wallTime": "2026-01-01T00:00:00Z"},
        2: {"step": "2", "wallTime": "2026-01-01T00:00:00.5Z"},
    }
    assert state.view(series)["metadata"] == {"maxStep": "2", "maxWallTime": "2026-01-01T00:00:00.5Z"}


@pytest.mark.parametrize(
    ("alt", "expected"), [("json", "TENSOR"), ("json;enum-encoding=int", 2)], ids=["names", "numbers"]
)
def test_enums_are_names_unless_numbers_are_asked_for(
    alt: str, expected: str | int, http: httpx.Client
) -> None:
    series = {item["displayName"]: item for item in listed(http, f"{RUN}/timeSeries", **{"$alt": alt})}
    assert series["weights/kernel:0"]["valueType"] == expected


@pytest.mark.parametrize("value_type", ["TENSOR", 2])
def test_enums_are_accepted_as_names_and_numbers(
    value_type: str | int, http: httpx.Client, state: VertexState
) -> None:
    body = {"displayName": "x", "valueType": value_type}
    created = http.post(f"{RUN}/timeSeries", json=body).raise_for_status().json()
    assert state.get(created["name"])["valueType"] == "TENSOR"


def test_a_time_series_without_an_id_gets_one(http: httpx.Client, state: VertexState) -> None:
    created = http.post(f"{RUN}/timeSeries", json={"displayName": "x", "valueType": "SCALAR"}).json()
    assert created["name"].rpartition("/")[2].isdecimal()
    assert state.find(created["name"]) is not None


def test_both_versions_are_served(http: httpx.Client) -> None:
    assert http.get(RUN.replace("/v1/", "/v1beta1/")).json() == http.get(RUN).json()
    metadata = http.delete(RUN.replace("/v1/", "/v1beta1/")).json()["metadata"]
    assert metadata["@type"] == "type.googleapis.com/google.cloud.aiplatform.v1beta1.DeleteOperationMetadata"


def test_a_project_number_finds_what_the_id_finds(http: httpx.Client) -> None:
    assert http.get(RUN.replace("/p/", "/123456789012/")).json() == http.get(RUN).json()


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "CREDENTIALS_MISSING"),
        ("Bearer stale", "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
        ("Basic t0ken", "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ],
    ids=["none", "another token", "another scheme"],
)
def test_requests_without_the_bearer_token_are_unauthenticated(
    header: str | None, reason: str, state: VertexState
) -> None:
    with client_of(state, token="t0ken") as http:
        response = http.get(RUN, headers={"Authorization": header} if header else {})
        assert http.get(RUN, headers={"Authorization": "Bearer t0ken"}).status_code == 200
    assert error_of(response) == (401, "UNAUTHENTICATED")
    assert response.json()["error"]["details"][0]["reason"] == reason
    assert "WWW-Authenticate" in response.headers


def test_a_forbidden_project_is_denied_under_its_number_too(http: httpx.Client, state: VertexState) -> None:
    state.forbidden.add("p")
    assert error_of(http.get(RUN)) == (403, "PERMISSION_DENIED")
    assert error_of(http.get(RUN.replace("/p/", "/123456789012/"))) == (403, "PERMISSION_DENIED")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api/2.0/mlflow/runs/search",
        "/v2/projects/p/locations/l/tensorboards",
        f"{LOCATION}/experiments",
        f"{LOCATION}/tensorboards/",
        f"{RUN}:nonsense",
        "/ui/projects/p/locations/l/tensorboards/t",
    ],
)
def test_what_the_api_does_not_have_is_a_page_for_people(path: str, http: httpx.Client) -> None:
    response = http.get(path)
    assert response.status_code == 404
    assert response.headers["content-type"].startswith("text/html")


def test_an_encoded_slash_stays_within_its_segment() -> None:
    request = RecordedRequest("GET", f"{RUNS}/r01%2FtimeSeries", (), {})
    found = find_method(request)
    assert found is not None
    assert (found[0].collection, found[0].item) == ("runs", True)


REFUSED: list[Any] = [
    pytest.param("GET", RUNS, {"page_size": "1"}, None, id="a query parameter that is not there"),
    pytest.param("GET", RUNS, {"pageSize": "-1"}, None, id="negative page size"),
    pytest.param("GET", RUNS, {"pageSize": "many"}, None, id="page size in words"),
    pytest.param("GET", RUNS, {"pageToken": "made up"}, None, id="a token nobody gave"),
    pytest.param("GET", RUNS, {"filter": "displayName"}, None, id="filter without a comparison"),
    pytest.param("GET", RUNS, {"filter": "nothing=1"}, None, id="filter on no field"),
    pytest.param("GET", RUNS, {"orderBy": "nothing"}, None, id="order by no field"),
    pytest.param("GET", RUNS, {"readMask": "nothing"}, None, id="read mask of no field"),
    pytest.param("GET", RUNS, {"fields": "tensorboardRuns("}, None, id="open bracket in fields"),
    pytest.param("GET", f"{LOSS}:read", {"maxDataPoints": "20000"}, None, id="too many points asked for"),
    pytest.param("GET", f"{BOARD}:batchRead", {}, None, id="no series to read"),
    pytest.param("POST", RUNS, {}, {"displayName": "x"}, id="no id"),
    pytest.param("POST", RUNS, {"tensorboardRunId": "x"}, {"displayName": 1}, id="a number as name"),
    pytest.param("POST", RUNS, {"tensorboardRunId": "x"}, {"display": "x"}, id="a field that is not there"),
    pytest.param("POST", RUNS, {"tensorboardRunId": "x"}, ["x"], id="a list as body"),
    pytest.param(
        "POST",
        RUNS,
        {"tensorboardRunId": "x"},
        {"displayName": "x", "labels": {"Upper": "case"}},
        id="label in capitals",
    ),
    pytest.param(
        "POST",
        RUNS,
        {"tensorboardRunId": "x"},
        {"displayName": "x", "labels": {str(number): "" for number in range(65)}},
        id="65 labels",
    ),
    pytest.param("POST", f"{RUNS}:batchCreate", {}, {"requests": []}, id="an empty batch"),
    pytest.param("POST", f"{RUNS}:batchCreate", {}, {"requests": [{}] * 1001}, id="a batch of 1001"),
    pytest.param("POST", f"{RUN}/timeSeries", {}, {"displayName": "x"}, id="series without a type"),
    pytest.param(
        "POST",
        f"{RUN}/timeSeries",
        {},
        {"displayName": "x", "valueType": "HISTOGRAM"},
        id="value outside the enum",
    ),
    pytest.param("PATCH", RUN, {"updateMask": "nothing"}, {}, id="mask of no field"),
    pytest.param("PATCH", RUN, {"updateMask": "displayName"}, {}, id="a required field cleared"),
    pytest.param("POST", f"{RUN}:write", {}, {}, id="nothing to write"),
    pytest.param(
        "POST",
        f"{RUN}:write",
        {},
        {"tensorboardRun": name(f"{RUNS}/r02"), "timeSeriesData": [{"tensorboardTimeSeriesId": "loss"}]},
        id="another run in the body",
    ),
    pytest.param(
        "POST",
        f"{RUN}:write",
        {},
        {"timeSeriesData": [{"tensorboardTimeSeriesId": "loss", "valueType": "TENSOR"}]},
        id="points of another type",
    ),
    pytest.param("DELETE", RUN, {}, {"force": True}, id="a body where none belongs"),
]


@pytest.mark.parametrize(("method", "path", "params", "body"), REFUSED)
def test_wrong_requests_are_invalid_arguments(
    method: str, path: str, params: dict[str, str], body: JSON, http: httpx.Client
) -> None:
    response = http.request(method, path, params=params, json=body)
    assert error_of(response) == (400, "INVALID_ARGUMENT")


def test_a_body_that_is_no_json_is_an_invalid_argument(http: httpx.Client) -> None:
    assert error_of(http.post(f"{RUN}:write", content=b'{"timeSeriesData": NaN}')) == (
        400,
        "INVALID_ARGUMENT",
    )


def test_a_token_is_bound_to_the_other_parameters(http: httpx.Client) -> None:
    token = http.get(RUNS, params={"pageSize": 5}).json()["nextPageToken"]
    same = http.get(RUNS, params={"pageSize": 5, "pageToken": token})
    assert len(same.json()["tensorboardRuns"]) == 5
    for changed in ({"filter": "labels.lr:*"}, {"orderBy": "display_name"}, {"readMask": "name"}):
        response = http.get(RUNS, params={"pageSize": 5, "pageToken": token, **changed})
        assert error_of(response) == (400, "INVALID_ARGUMENT")


def test_deleting_rows_while_paging_skips_no_other(http: httpx.Client, state: VertexState) -> None:
    first = http.get(RUNS, params={"pageSize": 5}).json()
    state.remove(name(RUN))
    rest = listed(http, RUNS, pageSize=5, pageToken=first["nextPageToken"])
    assert [run["name"][-3:] for run in rest] == [f"r{number:02d}" for number in range(6, 13)]


def test_fields_reduce_any_answer(http: httpx.Client) -> None:
    fields = "tensorboardRuns(displayName,labels/team),nextPageToken"
    page = http.get(RUNS, params={"pageSize": 2, "fields": fields}).json()
    assert page["tensorboardRuns"] == [
        {"displayName": "seed 1"},
        {"displayName": "seed 2", "labels": {"team": "text"}},
    ]
    assert page["nextPageToken"]
    assert "nextPageToken" not in http.get(RUNS, params={"pageSize": 2, "fields": "tensorboardRuns"}).json()


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ('display_name="seed 3"', ["r03"]),
        ('displayName = "seed 3" AND labels.team:*', ["r03"]),
        ('labels.lr="0-2"', ["r02"]),
        ('labels.team!="text" AND labels.team!="vision"', ["r01", "r04", "r07", "r10"]),
    ],
)
def test_filters_compare_fields_and_labels(filter_: str, expected: list[str], http: httpx.Client) -> None:
    assert [run["name"][-3:] for run in listed(http, RUNS, filter=filter_)] == expected


def test_a_mask_may_name_one_label(http: httpx.Client, state: VertexState) -> None:
    body = {"labels": {"team": "new", "lr": "ignored"}}
    http.patch(f"{RUNS}/r02", params={"updateMask": "labels.team,labels.größe"}, json=body).raise_for_status()
    assert state.get(name(f"{RUNS}/r02"))["labels"] == {"team": "new", "lr": "0-2"}


def test_an_update_with_the_present_etag_is_carried_out_once(http: httpx.Client) -> None:
    etag = http.get(RUN).json()["etag"]
    body = {"description": "new", "etag": etag}
    assert http.patch(RUN, params={"updateMask": "description"}, json=body).json()["description"] == "new"
    again = http.patch(RUN, params={"updateMask": "description"}, json=body)
    assert error_of(again) == (409, "ABORTED")


def test_only_one_tensorboard_is_the_default(http: httpx.Client, state: VertexState) -> None:
    http.patch(f"{LOCATION}/tensorboards/t2", params={"updateMask": "isDefault"}, json={"isDefault": True})
    assert [row["tensorboardsId"] for row in rows(state, "tensorboards") if row.get("isDefault")] == ["t2"]


def test_a_write_with_one_bad_series_writes_nothing(http: httpx.Client, state: VertexState) -> None:
    point = {"step": 77, "scalar": {"value": 1}}
    data = [{"tensorboardTimeSeriesId": id_, "values": [point]} for id_ in ("loss", "missing")]
    assert error_of(http.post(f"{RUN}:write", json={"timeSeriesData": data})) == (404, "NOT_FOUND")
    assert 77 not in state.points[name(LOSS)]


def test_a_written_blob_can_be_read_back(http: httpx.Client) -> None:
    series = f"{RUN}/timeSeries/samples"
    data = {
        "tensorboardTimeSeriesId": "samples",
        "values": [{"step": 9, "blobs": {"values": [{"data": "aGk"}]}}],
    }
    assert http.post(f"{RUN}:write", json={"timeSeriesData": [data]}).json() == {}
    read = http.get(f"{series}:read").json()["timeSeriesData"]["values"]
    [point] = [value for value in read if value.get("step") == "9"]
    blob = point["blobs"]["values"][0]["id"]
    streamed = http.get(f"{series}:readBlobData", params={"blobIds": blob}).json()
    assert streamed == [{"blobs": [{"data": "aGk=", "id": blob}]}]


def test_an_operation_is_done_after_its_polls(http: httpx.Client, state: VertexState) -> None:
    state.polls = 2
    started = http.delete(RUN).json()
    assert "done" not in started
    polls = [http.get(f"/v1/{started['name']}").json() for _ in range(3)]
    assert [poll.get("done") for poll in polls] == [None, True, True]
    assert polls[1]["response"] == {"@type": "type.googleapis.com/google.protobuf.Empty"}
    assert error_of(http.get(f"/v1/{started['name']}0")) == (404, "NOT_FOUND")


def test_the_log_holds_what_was_sent(http: httpx.Client, state: VertexState) -> None:
    http.post(f"{EXPERIMENT}:write", params={"fields": "*"}, json={"a": 1}, headers={"X-Y": "z"})
    [request] = state.requests
    assert (request.method, request.path) == ("POST", f"{EXPERIMENT}:write")
    assert (request.query, request.json(), request.headers["x-y"]) == ((("fields", "*"),), {"a": 1}, "z")


def test_rows_are_what_the_lists_show(http: httpx.Client, state: VertexState) -> None:
    shown = [
        run
        for board in listed(http, f"{LOCATION}/tensorboards")
        for experiment in listed(http, f"/v1/{board['name']}/experiments")
        for run in listed(http, f"/v1/{experiment['name']}/runs")
    ]
    ids = {"projectsId", "locationsId", "tensorboardsId", "experimentsId", "runsId"}
    true = rows(state, "runs")
    assert len(true) == 37
    assert [{key: value for key, value in row.items() if key not in ids} for row in true] == shown
    assert all(str(row["name"]).endswith(f"{row['experimentsId']}/runs/{row['runsId']}") for row in true)


def test_rows_keep_the_projects_id_where_names_carry_its_number(state: VertexState) -> None:
    state.project_numbers = True
    row = rows(state, "time_series")[0]
    assert row["projectsId"] == "p"
    assert str(row["name"]).startswith("projects/123456789012/")


def test_the_fixture_is_the_same_every_time() -> None:
    for resource in ("tensorboards", "experiments", "runs", "time_series"):
        assert rows(vertex_small(), resource) == rows(vertex_small(), resource)


def test_the_large_fixture_has_as_many_runs_as_asked_for() -> None:
    with client_of(vertex_large(2500)) as http:
        assert len(listed(http, RUNS, pageSize=1000)) == 2500


def test_a_fault_hits_its_page_only_and_lists_go_on_after_it(http: httpx.Client, state: VertexState) -> None:
    state.faults.append(Fault(match="/runs$", page=2, status=503, retry_after="1", times=1))
    page = http.get(RUNS, params={"pageSize": 5}).json()
    params: dict[str, str | int] = {"pageSize": 5, "pageToken": page["nextPageToken"]}
    failed = http.get(RUNS, params=params)
    assert error_of(failed) == (503, "UNAVAILABLE")
    assert failed.headers["Retry-After"] == "1"
    assert http.get(RUNS, params=params).status_code == 200


def test_a_fault_hits_its_page_of_an_export(http: httpx.Client, state: VertexState) -> None:
    state.faults.append(Fault(match="export", page=2, status=500))
    export = f"{LOSS}:exportTensorboardTimeSeries"
    first = http.post(export, json={"pageSize": 5}).json()
    assert http.post(export, json={"pageSize": 5, "pageToken": first["nextPageToken"]}).status_code == 500


def test_a_failed_write_is_not_carried_out_unless_the_fault_says_so(
    http: httpx.Client, state: VertexState
) -> None:
    state.faults.append(Fault(method="POST", status=500, times=1))
    state.faults.append(Fault(method="POST", status=500, applied=True))
    for expected in (False, True):
        assert http.post(RUNS, params={"tensorboardRunId": "x"}, json={"displayName": "x"}).status_code == 500
        assert (state.find(name(f"{RUNS}/x")) is not None) is expected


@pytest.mark.parametrize("rows_", [0, 1])
def test_a_page_cut_short_goes_on_at_the_next(rows_: int, http: httpx.Client, state: VertexState) -> None:
    state.faults.append(Fault(match="/runs$", page=2, rows=rows_))
    pages = []
    params: dict[str, str | int] = {"pageSize": 5}
    while True:
        page = http.get(RUNS, params=params).json()
        pages.append(len(page.get("tensorboardRuns", [])))
        if "nextPageToken" not in page:
            break
        params["pageToken"] = page["nextPageToken"]
    assert pages[:2] == [5, rows_]
    assert sum(pages) == 12


def test_a_spoilt_body_is_html_or_cut_off(http: httpx.Client, state: VertexState) -> None:
    state.faults.append(Fault(spoil="html", times=1))
    assert http.get(RUN).text.startswith("<!DOCTYPE html>")
    state.faults.append(Fault(spoil="truncated", times=1))
    with pytest.raises(json.JSONDecodeError):
        http.get(RUN).json()
    state.faults.append(Fault(spoil="html", status=502, times=1))
    failed = http.get(RUN)
    assert (failed.status_code, failed.headers["content-type"]) == (502, "text/html; charset=UTF-8")


def test_a_spoilt_token_repeats_or_changes_its_type(http: httpx.Client, state: VertexState) -> None:
    state.faults.append(Fault(spoil="repeated_token"))
    first = http.get(RUNS, params={"pageSize": 5}).json()
    token = first["nextPageToken"]
    assert http.get(RUNS, params={"pageSize": 5, "pageToken": token}).json()["nextPageToken"] == token
    state.faults[:] = [Fault(spoil="number_token")]
    assert http.get(RUNS).json()["nextPageToken"] == 12345


def test_spoilt_rows_have_another_shape(http: httpx.Client, state: VertexState) -> None:
    state.faults.extend(Fault(spoil=kind, times=1) for kind in ("rows_object", "rows_scalars", "top_array"))
    assert isinstance(http.get(RUNS).json()["tensorboardRuns"], dict)
    assert http.get(RUNS).json()["tensorboardRuns"] == ["not an object"]
    assert isinstance(http.get(RUNS).json(), list)


def test_a_slow_answer_waits_on_the_clock_of_the_state() -> None:
    waited: list[float] = []
    state = vertex_small()
    state.sleep = waited.append
    state.faults.append(Fault(delay=3.5))
    with client_of(state) as http:
        assert http.get(RUN).status_code == 200
    assert waited == [3.5]
