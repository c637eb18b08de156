"""The official client drives the stand-in: what it reads and changes is what the state holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from sqlprovider.values import JSON
from tests.fakes.google_api import ApiError
from tests.fakes.recorded import normalise, record_sdk_request, record_sdk_requests, sdk_client
from tests.fakes.sdk_calls import SDK_CALLS
from tests.fakes.vertex import Fault, VertexState, rows, vertex_app, vertex_large, vertex_small
from tests.fakes.wsgi import RecordedRequest

if TYPE_CHECKING:
    from google.cloud.aiplatform_v1.services.tensorboard_service import TensorboardServiceClient

LOCATION = "projects/p/locations/l"
BOARD = f"{LOCATION}/tensorboards/t"
EXPERIMENT = f"{BOARD}/experiments/e1"
RUN = f"{EXPERIMENT}/runs/r01"
LOSS = f"{RUN}/timeSeries/loss"


@pytest.fixture
def state() -> VertexState:
    return vertex_small()


@pytest.fixture
def client(state: VertexState) -> Iterator[TensorboardServiceClient]:
    with sdk_client(vertex_app(state, token="t0ken"), token="t0ken") as client:
        yield client


def finished(operation: Any) -> Any:  # google's operation has no annotations
    """The result of an operation, asked for without the client's usual second between two polls."""
    from google.api_core.future.polling import DEFAULT_POLLING

    return operation.result(polling=DEFAULT_POLLING.with_delay(initial=0.01, maximum=0.01))


def test_list_follows_the_tokens_over_every_page(
    client: TensorboardServiceClient, state: VertexState
) -> None:
    runs = list(client.list_tensorboard_runs(request={"parent": EXPERIMENT, "page_size": 5}))
    assert [run.name for run in runs] == [f"{EXPERIMENT}/runs/r{number:02d}" for number in range(1, 13)]
    assert len(state.requests) == 3


def test_list_without_a_page_size_gives_fifty_runs_a_page() -> None:
    state = vertex_large(120)
    with sdk_client(vertex_app(state)) as client:
        pages = client.list_tensorboard_runs(request={"parent": EXPERIMENT}).pages
        assert [len(page.tensorboard_runs) for page in pages] == [50, 50, 20]


def test_list_coerces_a_page_size_above_the_maximum() -> None:
    state = vertex_large(2500)
    with sdk_client(vertex_app(state)) as client:
        pages = client.list_tensorboard_runs(request={"parent": EXPERIMENT, "page_size": 5000}).pages
        assert [len(page.tensorboard_runs) for page in pages] == [1000, 1000, 500]


def test_list_filters_orders_and_masks(client: TensorboardServiceClient) -> None:
    runs = client.list_tensorboard_runs(
        request={
            "parent": EXPERIMENT,
            "filter": 'labels.team="vision" AND display_name!="seed 3"',
            "order_by": "display_name desc",
            "read_mask": {"paths": ["display_name"]},
        }
    )
    assert [(run.display_name, run.name) for run in runs] == [("seed 9", ""), ("seed 5", ""), ("seed 11", "")]


def test_list_of_a_parent_without_children_is_empty(client: TensorboardServiceClient) -> None:
    assert not list(client.list_tensorboard_runs(parent=f"{BOARD}/experiments/e-empty"))


def test_get_reads_every_field(client: TensorboardServiceClient, state: VertexState) -> None:
    run = client.get_tensorboard_run(name=f"{EXPERIMENT}/runs/r02")
    stored = state.get(f"{EXPERIMENT}/runs/r02")
    assert run.description == "the 2th, “quoted”"
    assert dict(run.labels) == stored["labels"]
    assert run.etag == stored["etag"]
    assert run.create_time.rfc3339() == stored["createTime"]


def test_get_reads_the_odd_names_as_they_are(client: TensorboardServiceClient) -> None:
    listed = client.list_tensorboard_runs(parent=f"{BOARD}/experiments/e-odd")
    names = {run.display_name for run in listed}
    assert names >= {"it's", 'say "hi"', "naïve café ☕ 漢字", "", "two\nlines\tand a tab"}


def test_get_of_a_tensorboard_counts_its_runs(client: TensorboardServiceClient) -> None:
    board = client.get_tensorboard(name=BOARD)
    assert (board.run_count, board.is_default) == (32, True)


def test_get_of_a_time_series_has_the_metadata_of_its_points(client: TensorboardServiceClient) -> None:
    series = client.get_tensorboard_time_series(name=f"{RUN}/timeSeries/weights")
    assert series.value_type.name == "TENSOR"
    assert series.metadata.max_step == 12_345_678_901


def test_create_stores_the_run(client: TensorboardServiceClient, state: VertexState) -> None:
    created = client.create_tensorboard_run(
        parent=EXPERIMENT,
        tensorboard_run={"display_name": "néw", "labels": {"a": "b"}},  # type: ignore[arg-type]  # a dict is taken too
        tensorboard_run_id="new-1",
    )
    stored = state.get(f"{EXPERIMENT}/runs/new-1")
    assert (stored["displayName"], stored["labels"]) == ("néw", {"a": "b"})
    assert (created.name, created.etag) == (f"{EXPERIMENT}/runs/new-1", stored["etag"])


def test_create_of_a_tensorboard_ends_its_operation(
    client: TensorboardServiceClient, state: VertexState
) -> None:
    operation = client.create_tensorboard(
        request={"parent": LOCATION, "tensorboard": {"display_name": "third"}}
    )
    board = finished(operation)
    assert state.get(board.name)["displayName"] == "third"


def test_update_changes_the_masked_fields_only(client: TensorboardServiceClient, state: VertexState) -> None:
    name = f"{EXPERIMENT}/runs/r02"
    before = dict(state.get(name))
    client.update_tensorboard_run(
        request={
            "tensorboard_run": {"name": name, "display_name": "renamed", "labels": {}},
            "update_mask": {"paths": ["display_name"]},
        }
    )
    after = state.get(name)
    assert (after["displayName"], after["labels"]) == ("renamed", before["labels"])
    assert after["etag"] != before["etag"]
    assert after["updateTime"] != before["updateTime"]


def test_update_clears_a_masked_field_that_is_not_given(
    client: TensorboardServiceClient, state: VertexState
) -> None:
    name = f"{EXPERIMENT}/runs/r02"
    client.update_tensorboard_run(
        request={"tensorboard_run": {"name": name}, "update_mask": {"paths": ["description"]}}
    )
    assert "description" not in state.get(name)


def test_batch_create_stores_all_runs(client: TensorboardServiceClient, state: VertexState) -> None:
    SDK_CALLS["runs.batch_create"](client)
    assert {state.get(f"{EXPERIMENT}/runs/{id_}")["displayName"] for id_ in ("new-1", "new-2")} == {
        "new-1",
        "new-2",
    }


def test_batch_create_of_time_series_spans_runs(client: TensorboardServiceClient, state: VertexState) -> None:
    SDK_CALLS["experiments.batch_create"](client)
    for run in ("r01", "r02"):
        assert state.get(f"{EXPERIMENT}/runs/{run}/timeSeries/f1")["valueType"] == "SCALAR"


@pytest.mark.parametrize("call", ["runs.write", "experiments.write"])
def test_write_replaces_points_by_step(
    call: str, client: TensorboardServiceClient, state: VertexState
) -> None:
    SDK_CALLS[call](client)
    points = state.points[LOSS]
    assert len(points) == 12
    assert points[3]["scalar"] == {"value": "NaN"}
    assert points[12_345_678_901] == {
        "wallTime": "2026-01-02T03:04:05.678Z",
        "step": "12345678901",
        "scalar": {"value": 0.25},
    }


def test_export_pages_through_every_point_in_the_body(
    client: TensorboardServiceClient, state: VertexState
) -> None:
    points = list(
        client.export_tensorboard_time_series_data(
            request={"tensorboard_time_series": LOSS, "page_size": 4, "order_by": "step"}
        )
    )
    assert [point.step for point in points] == list(range(11))
    assert len(state.requests) == 3
    assert [request.query for request in state.requests] == [(("$alt", "json;enum-encoding=int"),)] * 3


def test_export_without_an_order_is_shuffled_but_complete(client: TensorboardServiceClient) -> None:
    steps = [point.step for point in client.export_tensorboard_time_series_data(tensorboard_time_series=LOSS)]
    assert sorted(steps) == list(range(11))
    assert steps != sorted(steps)


def test_read_samples_a_thousand_points_by_default(
    client: TensorboardServiceClient, state: VertexState
) -> None:
    state.points[LOSS] = {step: {"step": str(step), "scalar": {"value": 1.0}} for step in range(1, 1501)}
    for limit, expected in ((0, 1000), (10, 10), (-1, 1500)):
        answer = client.read_tensorboard_time_series_data(
            request={"tensorboard_time_series": LOSS, "max_data_points": limit}
        )
        assert len(answer.time_series_data.values) == expected


def test_batch_read_gives_each_series_asked_for(client: TensorboardServiceClient) -> None:
    names = [LOSS, f"{RUN}/timeSeries/weights"]
    answer = client.batch_read_tensorboard_time_series_data(
        request={"tensorboard": BOARD, "time_series": names}
    )
    assert [
        (data.tensorboard_time_series_id, data.value_type.name, len(data.values))
        for data in answer.time_series_data
    ] == [("loss", "SCALAR", 11), ("weights", "TENSOR", 3)]


def test_blob_data_comes_from_its_own_call_only(client: TensorboardServiceClient) -> None:
    series = f"{RUN}/timeSeries/samples"
    read = client.read_tensorboard_time_series_data(tensorboard_time_series=series)
    ids = [blob.id for point in read.time_series_data.values for blob in point.blobs.values]
    assert all(blob.data == b"" for point in read.time_series_data.values for blob in point.blobs.values)
    streamed = client.read_tensorboard_blob_data(request={"time_series": series, "blob_ids": ids[:2]})
    assert [blob.data for answer in streamed for blob in answer.blobs] == [b"png 0 0", b"png 0 1"]


def test_size_and_usage_are_given(client: TensorboardServiceClient) -> None:
    assert client.read_tensorboard_size(tensorboard=BOARD).storage_size_byte > 0
    assert list(client.read_tensorboard_usage(tensorboard=BOARD).monthly_usage_data) == ["2026-01"]


def test_delete_takes_everything_below_with_it(client: TensorboardServiceClient, state: VertexState) -> None:
    finished(client.delete_tensorboard_experiment(name=EXPERIMENT))
    left = {row["experimentsId"] for row in rows(state, "runs") if row["tensorboardsId"] == "t"}
    assert left == {"e2", "e-odd"}
    assert not state.points


def test_delete_takes_effect_only_when_its_operation_has_been_polled(
    client: TensorboardServiceClient, state: VertexState
) -> None:
    state.polls = 2
    operation = client.delete_tensorboard_run(name=RUN)
    assert state.find(RUN) is not None
    finished(operation)
    assert state.find(RUN) is None
    assert [request.path.split("/")[1] for request in state.requests] == ["v1", "ui", "ui"]


def test_failed_operation_raises_and_deletes_nothing(
    client: TensorboardServiceClient, state: VertexState
) -> None:
    from google.api_core.exceptions import GoogleAPICallError

    state.operation_error = ApiError("FAILED_PRECONDITION", "The run is in use.")
    with pytest.raises(GoogleAPICallError, match="The run is in use"):
        finished(client.delete_tensorboard_run(name=RUN))
    assert state.find(RUN) is not None


def test_project_numbers_stand_in_names_though_the_request_had_the_id(
    client: TensorboardServiceClient, state: VertexState
) -> None:
    state.project_numbers = True
    run = client.get_tensorboard_run(name=RUN)
    assert run.name == RUN.replace("projects/p/", "projects/123456789012/")
    assert client.get_tensorboard_run(name=run.name).display_name == run.display_name
    finished(client.delete_tensorboard_run(name=run.name))
    assert state.find(RUN) is None


ERRORS = [
    pytest.param("NOT_FOUND", "get_tensorboard_run", {"name": f"{EXPERIMENT}/runs/none"}, id="no such run"),
    pytest.param(
        "NOT_FOUND", "list_tensorboard_runs", {"parent": f"{BOARD}/experiments/none"}, id="no such parent"
    ),
    pytest.param(
        "ALREADY_EXISTS",
        "create_tensorboard_run",
        {"parent": EXPERIMENT, "tensorboard_run_id": "r01", "tensorboard_run": {"display_name": "x"}},
        id="id taken",
    ),
    pytest.param(
        "ALREADY_EXISTS",
        "create_tensorboard_run",
        {"parent": EXPERIMENT, "tensorboard_run_id": "r99", "tensorboard_run": {"display_name": "seed 1"}},
        id="display name taken",
    ),
    pytest.param(
        "INVALID_ARGUMENT",
        "create_tensorboard_run",
        {"parent": EXPERIMENT, "tensorboard_run_id": "Not_Valid", "tensorboard_run": {"display_name": "x"}},
        id="id not valid",
    ),
    pytest.param(
        "INVALID_ARGUMENT",
        "create_tensorboard_run",
        {"parent": EXPERIMENT, "tensorboard_run_id": "r99", "tensorboard_run": {}},
        id="no display name",
    ),
    pytest.param(
        "INVALID_ARGUMENT",
        "update_tensorboard_run",
        {"tensorboard_run": {"name": RUN, "display_name": "x"}},
        id="no mask",
    ),
    pytest.param(
        "ABORTED",
        "update_tensorboard_run",
        {
            "tensorboard_run": {"name": RUN, "display_name": "x", "etag": "old"},
            "update_mask": {"paths": ["display_name"]},
        },
        id="stale etag",
    ),
    pytest.param(
        "INVALID_ARGUMENT",
        "update_tensorboard_time_series",
        {
            "tensorboard_time_series": {"name": LOSS, "value_type": "TENSOR"},
            "update_mask": {"paths": ["value_type"]},
        },
        id="immutable field",
    ),
    pytest.param(
        "INVALID_ARGUMENT",
        "batch_create_tensorboard_runs",
        {
            "parent": EXPERIMENT,
            "requests": [
                {
                    "parent": f"{BOARD}/experiments/e2",
                    "tensorboard_run_id": "x",
                    "tensorboard_run": {"display_name": "x"},
                }
            ],
        },
        id="parent of another experiment in a batch",
    ),
    pytest.param(
        "INVALID_ARGUMENT",
        "write_tensorboard_run_data",
        {
            "tensorboard_run": RUN,
            "time_series_data": [
                {
                    "tensorboard_time_series_id": "loss",
                    "value_type": "SCALAR",
                    "values": [{"step": step, "scalar": {"value": 1}} for step in range(5001)],
                }
            ],
        },
        id="more than 5000 points",
    ),
    pytest.param(
        "NOT_FOUND",
        "write_tensorboard_run_data",
        {
            "tensorboard_run": RUN,
            "time_series_data": [{"tensorboard_time_series_id": "none", "value_type": "SCALAR"}],
        },
        id="points of no series",
    ),
    pytest.param(
        "PERMISSION_DENIED", "list_tensorboards", {"parent": "projects/closed/locations/l"}, id="closed"
    ),
]


EXCEPTIONS = {
    "INVALID_ARGUMENT": "BadRequest",
    "PERMISSION_DENIED": "Forbidden",
    "NOT_FOUND": "NotFound",
    "ALREADY_EXISTS": "Conflict",
    "ABORTED": "Conflict",
}
"""Over REST the client chooses its exception by the HTTP status alone."""


@pytest.mark.parametrize(("status", "rpc", "request_"), ERRORS)
def test_refusals_reach_the_client_as_its_own_exceptions(
    status: str, rpc: str, request_: JSON, client: TensorboardServiceClient, state: VertexState
) -> None:
    from google.api_core import exceptions

    state.forbidden.add("closed")
    with pytest.raises(exceptions.GoogleAPICallError) as raised:
        getattr(client, rpc)(request=request_)
    assert type(raised.value).__name__ == EXCEPTIONS[status]
    assert raised.value.response.json()["error"]["status"] == status


def test_a_refused_batch_creates_nothing(client: TensorboardServiceClient, state: VertexState) -> None:
    from google.api_core.exceptions import Conflict

    before = len(rows(state, "runs"))
    requests = [
        {"parent": EXPERIMENT, "tensorboard_run_id": id_, "tensorboard_run": {"display_name": id_}}
        for id_ in ("new-1", "r01")
    ]
    with pytest.raises(Conflict):
        client.batch_create_tensorboard_runs(request={"parent": EXPERIMENT, "requests": requests})
    assert len(rows(state, "runs")) == before


def test_a_wrong_token_is_unauthenticated(state: VertexState) -> None:
    from google.api_core.exceptions import Unauthorized

    with (
        sdk_client(vertex_app(state, token="t0ken"), token="stale") as client,
        pytest.raises(Unauthorized),
    ):
        client.get_tensorboard(name=BOARD)


def test_a_fault_on_a_later_page_ends_the_clients_list(
    client: TensorboardServiceClient, state: VertexState
) -> None:
    from google.api_core.exceptions import InternalServerError

    state.faults.append(Fault(match="/runs$", page=2, status=500))
    seen: list[object] = []
    with pytest.raises(InternalServerError):
        seen.extend(client.list_tensorboard_runs(request={"parent": EXPERIMENT, "page_size": 5}))
    assert len(state.requests) == 2


@pytest.mark.parametrize("name", SDK_CALLS)
def test_each_named_call_of_the_client_is_answered(name: str) -> None:
    recorded = record_sdk_request(SDK_CALLS[name])
    method, path, *_ = normalise(recorded)
    assert recorded.headers["authorization"] == "Bearer t0ken"
    assert path.startswith("/v1/projects/p/locations/l")
    assert method in ("GET", "POST", "PATCH", "DELETE")


def test_normalised_body_names_enums_and_drops_what_the_path_gives() -> None:
    recorded = record_sdk_request(SDK_CALLS["time_series.create"])
    assert recorded.json() == {"displayName": "f1", "valueType": 1, "pluginName": "scalars"}
    assert normalise(recorded).body == {"displayName": "f1", "valueType": "SCALAR", "pluginName": "scalars"}


def test_normalised_requests_of_two_styles_are_equal() -> None:
    theirs = record_sdk_request(SDK_CALLS["runs.patch"])
    ours = RecordedRequest(
        "PATCH",
        theirs.path.replace("r01", "r%301"),
        (("updateMask", "description,display_name"),),
        {"authorization": "Bearer t0ken", "content-type": "application/json", "user-agent": "another"},
        b'{"name": "projects/p", "display_name": "changed", "description": "", "labels": {}}',
    )
    assert normalise(ours) == normalise(theirs)


def test_normalised_requests_of_different_meaning_differ() -> None:
    theirs = record_sdk_request(SDK_CALLS["runs.write"])
    other = replace(theirs, body=theirs.body.replace(b'"12345678901"', b"12345678902"))
    assert normalise(other) != normalise(theirs)
    unsigned = replace(theirs, headers={**theirs.headers, "authorization": ""})
    assert normalise(unsigned) != normalise(theirs)
    same = replace(theirs, body=theirs.body.replace(b'"12345678901"', b"12345678901"))
    assert normalise(same) == normalise(theirs)


def test_recorded_pages_repeat_every_parameter_beside_the_token() -> None:
    first, second, *_ = (normalise(each) for each in record_sdk_requests(SDK_CALLS["runs.list"]))
    assert set(first.query) < set(second.query)
    assert {key for key, _ in set(second.query) - set(first.query)} == {"pageToken"}
