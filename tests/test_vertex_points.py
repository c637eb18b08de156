"""`time_series_points` has every point of a series, exact; a sample only where one is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

from sqlprovider.config import load_config
from sqlprovider.session import Session, provider_names
from sqlprovider.values import JSON
from tests.fakes.vertex import VertexState, vertex_small
from tests.vertex import vertex_backend

COUNT = 100_000
STRIDE = 7_919
"""Shares no divisor with COUNT: the points come in an order of their own, each once."""
POINTS = "google.aiplatform.time_series_points"
IN_EXPERIMENT = "projectsId = 'p' AND locationsId = 'l' AND tensorboardsId = 't' AND experimentsId = 'e1'"
IN_RUN = f"{IN_EXPERIMENT} AND runsId = 'r01'"
IN_SERIES = f"{IN_RUN} AND timeSeriesId = 'loss'"


def value_of(step: int) -> float:
    return step / 7 - 1000


def point(step: int) -> dict[str, JSON]:
    """As the service prints it: a step and a value that are 0 are left out."""
    seconds = f"2026-01-02T{step // 3600 % 24:02d}:{step // 60 % 60:02d}:{step % 60:02d}.000000001Z"
    value = value_of(step)
    number: dict[str, JSON] = {"step": str(step)} if step else {}
    return {**number, "wallTime": seconds, "scalar": {"value": value} if value else {}}


class Export(httpx.BaseTransport):
    """Makes the pages of an export up as they are asked for."""

    def __init__(self, largest: int = 10_000) -> None:
        self.largest = largest
        self.sizes: list[int] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert request.method == "POST"
        assert request.url.path.endswith("/timeSeries/loss:exportTensorboardTimeSeries")
        body = json.loads(request.read())
        start = int(body.get("pageToken", "0"))
        end = min(start + min(body.get("pageSize", 1000), self.largest), COUNT)
        self.sizes.append(end - start)
        answer: dict[str, JSON] = {
            "timeSeriesDataPoints": [point(index * STRIDE % COUNT) for index in range(start, end)]
        }
        return httpx.Response(200, json={**answer, **({"nextPageToken": str(end)} if end < COUNT else {})})


def session_on(transport: httpx.BaseTransport) -> Session:
    connection = {"base_url": "http://127.0.0.1:9", "auth": {"type": "none"}}
    config = load_config({"connections": {"google": connection}}, environ={}, providers=provider_names())
    return Session(config, transport=transport, environ={})


@pytest.fixture
def state() -> VertexState:
    return vertex_small()


@pytest.fixture
def session(state: VertexState) -> Iterator[Session]:
    with closing(vertex_backend(state).session({})) as opened:
        yield opened


def rows(session: Session, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row) for result in session.run(sql) for row in result.rows]


@pytest.mark.slow
def test_a_hundred_thousand_points_come_out_exact() -> None:
    export = Export()
    with closing(session_on(export)) as session:
        found = rows(
            session,
            f"SELECT step, wallTime, value FROM {POINTS} WHERE {IN_SERIES}",
        )
    assert export.sizes == [10_000] * 10
    assert [step for step, _, _ in found] == [index * STRIDE % COUNT for index in range(COUNT)]
    assert sorted(found) == [
        (step, str(point(step)["wallTime"]).replace("T", " ").removesuffix("Z"), value_of(step))
        for step in range(COUNT)
    ]


@pytest.mark.slow
def test_a_server_with_smaller_pages_loses_no_point() -> None:
    export = Export(largest=999)
    with closing(session_on(export)) as session:
        (found,) = rows(
            session,
            f"SELECT count(*), count(DISTINCT step), sum(step) FROM {POINTS} WHERE {IN_SERIES}",
        )
    assert found == (COUNT, COUNT, COUNT * (COUNT - 1) // 2)
    assert len(export.sizes) == 101


def test_reading_without_a_sample_s_size_never_samples(session: Session, state: VertexState) -> None:
    rows(session, f"SELECT * FROM {POINTS} WHERE {IN_RUN}")
    assert {request.method for request in state.requests if "timeSeries/" in request.path} == {"POST"}


@pytest.mark.parametrize(("wanted", "given"), [(10, 10), (0, 1000), (-1, 1500)])
def test_a_sample_is_as_large_as_it_is_asked_for(
    session: Session, state: VertexState, wanted: int, given: int
) -> None:
    state.points["projects/p/locations/l/tensorboards/t/experiments/e1/runs/r01/timeSeries/loss"] = {
        step: {"step": str(step), "scalar": {"value": 1.0}} for step in range(1, 1501)
    }
    sql = f"SELECT count(DISTINCT step), count(*) FROM {POINTS}"
    assert rows(session, f"{sql} WHERE {IN_SERIES} AND maxDataPoints = {wanted}") == [(given, given)]
    assert [request.method for request in state.requests] == ["GET"]


def test_points_are_written_one_a_step_and_the_last_one_counts(session: Session, state: VertexState) -> None:
    columns = (
        "projectsId, locationsId, tensorboardsId, experimentsId, runsId, timeSeriesId, valueType, step, value"
    )
    for value in (1.5, 2.5):
        point = f"'p','l','t','e1','r01','loss','SCALAR',7,{value}"
        rows(session, f"INSERT INTO {POINTS} ({columns}) VALUES ({point})")
    series = state.points["projects/p/locations/l/tensorboards/t/experiments/e1/runs/r01/timeSeries/loss"]
    assert series[7]["scalar"] == {"value": 2.5}
    assert str(series[7]["wallTime"]).startswith("20")


def test_tensors_and_blobs_are_written_as_they_are(session: Session, state: VertexState) -> None:
    columns = "projectsId, locationsId, tensorboardsId, experimentsId, runsId, timeSeriesId, valueType, step"
    tensor, blobs = {"value": "dGVuc29y", "versionNumber": 1}, {"values": [{"data": "cG5n"}]}
    rows(
        session,
        f"INSERT INTO {POINTS} ({columns}, tensor) "
        f"VALUES ('p','l','t','e1','r01','weights','TENSOR',7,'{json.dumps(tensor)}');"
        f"INSERT INTO {POINTS} ({columns}, blobs) "
        f"VALUES ('p','l','t','e1','r01','samples','BLOB_SEQUENCE',7,'{json.dumps(blobs)}')",
    )
    run = "projects/p/locations/l/tensorboards/t/experiments/e1/runs/r01"
    assert state.points[f"{run}/timeSeries/weights"][7]["tensor"] == tensor
    stored = state.points[f"{run}/timeSeries/samples"][7]["blobs"]
    assert isinstance(stored, dict)
    assert isinstance(stored["values"], list)
    assert [blob["data"] for blob in stored["values"] if isinstance(blob, dict)] == ["cG5n"]
