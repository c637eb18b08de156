"""The rows of the bench: the same work by the engine and by what it is compared with."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from sqlprovider.session import Session
from sqlprovider.surfaces.opening import open_session
from sqlprovider.values import Row
from tests.bench.server import PAGE

ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What both sides must agree on, and the requests it took."""

    rows: list[Row]
    requests: int


@dataclass(frozen=True, slots=True)
class Work:
    """One row of the table. `goal`: at most so many times the seconds of what it is compared with."""

    id: int
    title: str
    against_title: str
    goal: float
    latency: float
    ours: Callable[[Session], Answer]
    against: Callable[[httpx.Client], Answer]


def open_bench_session(base_url: str) -> Session:
    return open_session({"connections": {"mlflow": {"base_url": base_url}}}, environ={})


def _run_sql(sql: str) -> Callable[[Session], Answer]:
    def run(session: Session) -> Answer:
        (result,) = session.run(sql, ())
        return Answer(list(result.rows), result.requests)

    return run


def _list_runs(client: httpx.Client) -> Answer:
    rows: list[Row] = []
    requests, token = 0, ""
    while True:
        body = {"experiment_ids": ["1"], "max_results": PAGE} | ({"page_token": token} if token else {})
        page = client.post("/api/2.0/mlflow/runs/search", json=body).raise_for_status().json()
        requests += 1
        rows.extend(_row(run) for run in page.get("runs", ()))
        if not (token := page.get("next_page_token", "")):
            return Answer(rows, requests)


def _row(run: dict[str, dict[str, object]]) -> Row:
    info, metrics = run["info"], run["data"]["metrics"]
    assert isinstance(metrics, list)
    by_key = {metric["key"]: metric["value"] for metric in metrics}
    text = json.dumps(by_key, separators=(",", ":"), ensure_ascii=False)
    return (str(info["run_id"]), str(info["run_name"]), str(info["status"]), text)


WORKS = (
    Work(
        1,
        f"list {ROWS:,} runs in pages of {PAGE:,}, no latency",
        "a loop over httpx.Client: JSON to tuples",
        goal=2.5,
        latency=0.0,
        ours=_run_sql(
            "SELECT run_id, run_name, status, metrics FROM mlflow.tracking.runs WHERE experiment_id = '1'"
        ),
        against=_list_runs,
    ),
    Work(
        2,
        "the same, a round trip of 20 ms",
        "the same loop",
        goal=1.5,
        latency=0.02,
        ours=_run_sql(
            "SELECT run_id, run_name, status, metrics FROM mlflow.tracking.runs WHERE experiment_id = '1'"
        ),
        against=_list_runs,
    ),
)
