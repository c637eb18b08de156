"""What there is in the end, in one form: the model, SQL through the engine, and MLflow's own client."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlprovider.surfaces.dbapi import Connection
from sqlprovider.values import Row
from tests.writes.model import Model, as_map, compact, finite, number, text_of

if TYPE_CHECKING:
    from mlflow import MlflowClient

State: TypeAlias = dict[str, list[Row]]
"""Rows by table, in one order."""

_LIKE = "name LIKE '{prefix}%'"
_TABLES = {
    "experiments": "experiment_id, name, lifecycle_stage, tags",
    "runs": "run_id, experiment_id, run_name, coalesce(user_id, ''), status, lifecycle_stage, start_time, "
    "end_time, tags, params, metrics",
    "tags": "experiment_id, run_id, key, value",
    "params": "experiment_id, run_id, key, value",
    "metrics": "experiment_id, run_id, key, value, value_text, step, timestamp",
    "metric_history": "run_id, metric_key, value, value_text, step, timestamp",
    "registered_models": "name, coalesce(description, ''), tags",
    "model_versions": "name, version, source, coalesce(description, ''), tags",
    "aliases": "name, alias, version",
}
_REGISTRY = ("registered_models", "model_versions", "aliases")


def of_model(model: Model) -> State:
    """The model's own tables, with the dead."""
    found: State = {}
    for table, columns in _TABLES.items():
        dead = "" if table in _REGISTRY else f" UNION ALL SELECT {columns} FROM dead_{table}"
        found[table] = _ordered(model.rows(f"SELECT {columns} FROM {table}{dead}"))
    return found


def by_sql(connection: Connection, prefix: str) -> State:
    """Every row of the script's objects that SELECT gives."""
    like = _LIKE.format(prefix=prefix)
    found: State = {}

    def read(table: str, where: str, params: list[str]) -> list[Row]:
        service = "registry" if table in _REGISTRY else "tracking"
        sql = f"SELECT {_TABLES[table]} FROM mlflow.{service}.{table} WHERE {where}"
        found[table] = _ordered(connection.execute(sql, params).fetchall())
        return found[table]

    experiments = [str(row[0]) for row in read("experiments", f"{like} AND view_type = 'ALL'", [])]
    of_experiments = f"experiment_id IN ({_marks(experiments)}) AND run_view_type = 'ALL'"
    for table in ("runs", "tags", "params", "metrics"):
        read(table, of_experiments, experiments)
    logged = sorted({str(row[1]) for row in found["metrics"]})
    read("metric_history", f"run_id IN ({_marks(logged)}) AND run_view_type = 'ALL'", logged)
    for table in _REGISTRY:
        read(table, like, [])
    return found


def by_client(client: MlflowClient, prefix: str) -> State:
    """The same through MLflow's own client, which knows nothing of us."""
    from mlflow.entities import ViewType

    like = _LIKE.format(prefix=prefix)
    experiments = client.search_experiments(ViewType.ALL, filter_string=like)
    ids = [found.experiment_id for found in experiments]
    runs = list(client.search_runs(ids, run_view_type=ViewType.ALL)) if ids else []
    models = list(client.search_registered_models(like))
    versions = list(client.search_model_versions(like)) if models else []
    return {
        "experiments": _ordered(
            (found.experiment_id, found.name, found.lifecycle_stage, _map(found.tags))
            for found in experiments
        ),
        "runs": _ordered(map(_run, runs)),
        "tags": _ordered(_pairs(runs, "tags")),
        "params": _ordered(_pairs(runs, "params")),
        "metric_history": _ordered(row for run in runs for row in _history(client, run)),
        "registered_models": _ordered(
            (found.name, found.description or "", _map(found.tags)) for found in models
        ),
        "model_versions": _ordered(
            (found.name, str(found.version), found.source, found.description or "", _map(found.tags))
            for found in versions
        ),
        "aliases": _ordered(
            (found.name, alias, str(version)) for found in models for alias, version in found.aliases.items()
        ),
    }


def difference(left: State, right: State, names: tuple[str, str]) -> str | None:
    """What two states do not share, in the tables that both know; None where they are the same."""
    lines = []
    for table in left.keys() & right.keys():
        for rows, other, name in ((left, right, names[0]), (right, left, names[1])):
            lines += [f"  {table}, {name} only: {row}" for row in _surplus(rows[table], other[table])]
    return "\n".join(sorted(lines)) or None


def _surplus(rows: list[Row], other: list[Row]) -> list[Row]:
    rest = list(other)
    return [row for row in rows if row not in rest or rest.remove(row)]  # type: ignore[func-returns-value]  # None


def normal(row: Row) -> Row:
    """A row in which maps are sorted by key and hold texts; numbers as they are."""
    return tuple(_cell(value) for value in row)


def time_of(milliseconds: int | None) -> str | None:
    """Epoch ms as SQL has it; 0 is none."""
    if not milliseconds:
        return None
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{milliseconds % 1000:03}"


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("{"):
        try:
            return as_map(value)
        except (ValueError, AttributeError):
            return value
    return value


def _ordered(rows: Any) -> list[Row]:
    return sorted((normal(tuple(row)) for row in rows), key=repr)


def _marks(values: list[str]) -> str:
    return ", ".join("?" * len(values))


def _map(values: dict[str, str]) -> str:
    return compact(dict(sorted(values.items())))


def _run(run: Any) -> Row:
    info, data = run.info, run.data
    metrics = {key: finite(number(value), int(math.isnan(value))) for key, value in data.metrics.items()}
    return (
        *(info.run_id, info.experiment_id, info.run_name, info.user_id or "", info.status),
        *(info.lifecycle_stage, time_of(info.start_time), time_of(info.end_time)),
        *(_map(data.tags), _map(data.params), as_map(json.dumps(metrics))),
    )


def _pairs(runs: list[Any], name: str) -> Iterator[Row]:
    for run in runs:
        for key, value in getattr(run.data, name).items():
            yield run.info.experiment_id, run.info.run_id, key, value


def _history(client: MlflowClient, run: Any) -> Iterator[Row]:
    for key in run.data.metrics:
        for point in client.get_metric_history(run.info.run_id, key):
            stored, nan = number(point.value), int(math.isnan(point.value))
            yield run.info.run_id, key, finite(stored, nan), text_of(stored, nan), point.step, point.timestamp
