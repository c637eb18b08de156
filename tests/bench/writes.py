"""Row 14: many rows written as the API's own batches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial

import httpx
import orjson

from sqlprovider.session import Session
from sqlprovider.surfaces.opening import open_session
from sqlprovider.surfaces.rows import exhaust
from sqlprovider.values import SQLValue
from tests.bench.bench import Bench
from tests.bench.goals import Answer, Requests
from tests.bench.measure import Sides, Work
from tests.bench.vertex_server import EMPTY_EXPERIMENT

_EXPERIMENTS = "/v1/projects/p/locations/l/tensorboards/t/experiments"
_AT = "2026-02-03T04:05:06Z"
_BATCH = 5000

_Rows = list[list[SQLValue]]
_Post = Callable[[httpx.Client, Sequence[SQLValue]], httpx.Response]


def write_works(bench: Bench) -> Iterator[Work]:
    """Points of one series, and runs of one experiment."""
    points: _Rows = [[step, "2026-02-03 04:05:06", step / 8] for step in range(100, 100 + bench.scale.points)]
    runs: _Rows = [[f"run-{number}", f"Run {number}"] for number in range(bench.scale.runs)]
    yield _work(
        bench,
        f"{len(points):,} points into google.aiplatform, no latency",
        -(-len(points) // _BATCH),
        "INSERT INTO google.aiplatform.time_series_points (projectsId, locationsId, tensorboardsId, "
        "experimentsId, runsId, timeSeriesId, valueType, step, wallTime, value) "
        "VALUES ('p', 'l', 't', 'e1', 'r01', 'loss', 'SCALAR', ?, ?, ?)",
        points,
        _post_point,
        "points",
    )
    yield _work(
        bench,
        f"{len(runs):,} runs into google.aiplatform, no latency",
        1,
        "INSERT INTO google.aiplatform.runs (projectsId, locationsId, tensorboardsId, experimentsId, "
        f"tensorboardRunId, displayName) VALUES ('p', 'l', 't', '{EMPTY_EXPERIMENT}', ?, ?)",
        runs,
        _post_run,
        "runs",
    )


def _work(bench: Bench, title: str, requests: int, sql: str, rows: _Rows, post: _Post, kind: str) -> Work:
    """`kind`: what the server is asked for afterwards, so that both sides are held to what it holds."""

    @contextmanager
    def sides() -> Iterator[Sides]:
        server = bench.vertex
        with closing(_session(bench)) as session, httpx.Client(base_url=server.base_url) as client:

            def ours() -> None:
                for result in session.run_many(sql, rows):
                    exhaust(result.rows)

            def against() -> None:
                for row in rows:
                    post(client, row).raise_for_status()

            yield Sides(
                partial(_written, client, kind, ours),
                partial(_written, client, kind, against),
                server.requests,
            )

    return Work(14, title, "one request a row", (Requests(requests),), sides, latency=0.0)


def _written(client: httpx.Client, kind: str, write: Callable[[], None]) -> Answer:
    """What the server holds after a write into a state that was begun anew."""
    client.get("/-/new").raise_for_status()
    started = time.perf_counter()
    write()
    seconds = time.perf_counter() - started
    held = orjson.loads(client.get(f"/-/{kind}").content)
    return Answer([tuple(row) for row in held], seconds=seconds)


def _post_point(client: httpx.Client, row: Sequence[SQLValue]) -> httpx.Response:
    step, _, value = row
    point = {"step": str(step), "wallTime": _AT, "scalar": {"value": value}}
    data = {"tensorboardTimeSeriesId": "loss", "valueType": "SCALAR", "values": [point]}
    return client.post(f"{_EXPERIMENTS}/e1/runs/r01:write", json={"timeSeriesData": [data]})


def _post_run(client: httpx.Client, row: Sequence[SQLValue]) -> httpx.Response:
    run, name = row
    path = f"{_EXPERIMENTS}/{EMPTY_EXPERIMENT}/runs"
    return client.post(path, params={"tensorboardRunId": str(run)}, json={"displayName": name})


def _session(bench: Bench) -> Session:
    connection = {"base_url": bench.vertex.base_url, "auth": {"type": "none"}}
    return open_session({"connections": {"google": connection}}, environ=bench.environ)
