"""A real MLflow server with runs of known figures, behind the proxy that delays and counts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlprovider.surfaces.mlflow_server import start_mlflow_server
from sqlprovider.values import JSON, SQLValue
from tests.bench.children import Counted, child
from tests.bench.store import Scale
from tests.mlflow import Rest, text_at

METRIC = "val_acc"
_POINTS = 5
_START = 1_767_225_600_000

_Cells = dict[str, SQLValue]


@contextmanager
def tracking_server(directory: Path, scale: Scale) -> Iterator[Counted]:
    """The proxy before a server on which `scale.tracked` runs have a metric of five points."""
    with start_mlflow_server(directory) as server:
        with Rest(server.base_url) as rest:
            experiments, first = _begin(rest, scale)
        with closing(sqlite3.connect(directory / "mlflow.db")) as database, database:
            for number in range(1, scale.tracked):
                _copy_run(database, first, number, experiments[number % len(experiments)], scale)
        with child("tests.bench.proxy", f"127.0.0.1:{server.port}") as proxy:
            yield proxy


def _begin(rest: Rest, scale: Scale) -> tuple[list[str], str]:
    """The experiments, and the first run, as a client logs it."""
    names = [f"experiment {number}" for number in range(scale.experiments)]
    ids = [text_at(rest.post("experiments/create", name=name), "experiment_id") for name in names]
    answer = rest.post(
        "runs/create", experiment_id=ids[0], run_name="run-0", start_time=_START, user_id="ann"
    )
    run_id = text_at(answer, "run", "info", "run_id")
    points: list[JSON] = [
        {"key": METRIC, "value": _value(0, step, scale), "timestamp": _START + step, "step": step}
        for step in range(_POINTS)
    ]
    rest.post("runs/log-batch", run_id=run_id, metrics=points)
    return ids, run_id


def _copy_run(database: sqlite3.Connection, first: str, number: int, experiment: str, scale: Scale) -> None:
    """Another run, put beside the first one in the server's database: 3,000 requests would take a minute."""
    run_id, name = f"{number:032x}", f"run-{number}"
    for table in ("runs", "tags", "metrics", "latest_metrics"):
        for cells in _rows(database, table, first):
            changed: _Cells = {"run_uuid": run_id}
            if table == "runs":
                changed |= {"name": name, "experiment_id": int(experiment), "start_time": _START + number}
                changed["artifact_uri"] = str(cells["artifact_uri"]).replace(first, run_id)
            elif table == "tags" and cells["key"] == "mlflow.runName":
                changed["value"] = name
            elif table != "tags":
                changed["value"] = _value(number, int(str(cells["step"])), scale)
            copy = {**cells, **changed}
            marks = ", ".join("?" * len(copy))
            database.execute(f"INSERT INTO {table}({', '.join(copy)}) VALUES ({marks})", list(copy.values()))


def _rows(database: sqlite3.Connection, table: str, run_id: str) -> list[_Cells]:
    found = database.execute(f"SELECT * FROM {table} WHERE run_uuid = ?", (run_id,))
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found]


def _value(number: int, step: int, scale: Scale) -> float:
    """No two runs end at the same."""
    return number * 7919 % scale.tracked / scale.tracked + step - _POINTS
