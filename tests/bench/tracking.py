"""Row 15: a real MLflow server, each request 20 ms further away, beside mlflow's own client."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from sqlprovider.surfaces.opening import open_session
from sqlprovider.values import Row
from tests.bench.bench import LATENCY, Bench, rows_of
from tests.bench.goals import Answer, Faster
from tests.bench.measure import Sides, Work

if TYPE_CHECKING:
    from mlflow import MlflowClient

_BEST = (
    "SELECT e.name, (SELECT r.run_id FROM mlflow.tracking.runs AS r WHERE r.experiment_id = e.experiment_id "
    "ORDER BY r.metrics->>'val_acc' DESC LIMIT 1) AS best FROM mlflow.tracking.experiments AS e"
)
_HISTORIES = (
    "SELECT run_id, h.step, h.value FROM mlflow.tracking.runs AS r "
    "JOIN mlflow.tracking.metric_history AS h USING (run_id) WHERE h.metric_key = 'val_acc'"
)


def tracking_works(bench: Bench) -> Iterator[Work]:
    """The best run of each experiment, and all histories of one metric."""
    yield _work(bench, "best run of each experiment", _BEST, _best)
    yield _work(bench, "all histories of one metric", _HISTORIES, _histories)


def _work(bench: Bench, title: str, sql: str, peer: Callable[[MlflowClient], list[Row]]) -> Work:
    @contextmanager
    def sides() -> Iterator[Sides]:
        server = bench.mlflow
        server.answer_after(LATENCY)
        os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
        from mlflow import MlflowClient

        client = MlflowClient(server.base_url)
        connections = {"connections": {"mlflow": {"base_url": server.base_url}}}
        with closing(open_session(connections, environ=bench.environ)) as session:
            yield Sides(lambda: Answer(rows_of(session, sql)), lambda: Answer(peer(client)), server.requests)

    said = (
        f"{title}, MLflow server with {bench.scale.tracked:,} runs in {bench.scale.experiments} experiments"
    )
    return Work(15, said, "mlflow's own client", (Faster(3),), sides)


def _best(client: MlflowClient) -> list[Row]:
    rows: list[Row] = []
    for experiment in client.search_experiments():
        order = ["metrics.val_acc DESC"]
        found = client.search_runs([experiment.experiment_id], order_by=order, max_results=1)
        rows.append((experiment.name, found[0].info.run_id if found else None))
    return rows


def _histories(client: MlflowClient) -> list[Row]:
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    rows: list[Row] = []
    token: str | None = None
    while token != "":
        runs = client.search_runs(ids, max_results=1000, page_token=token)
        for run in runs:
            points = client.get_metric_history(run.info.run_id, "val_acc")
            rows.extend((run.info.run_id, point.step, point.value) for point in points)
        token = runs.token or ""
    return rows
