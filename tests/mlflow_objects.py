"""Every live object of an MLflow server as SQL values, read through plain REST: what the oracle holds."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias, cast

import httpx

from sqlprovider.catalog.model import Resource
from sqlprovider.values import JSON, SQLValue
from tests.cases import Backend
from tests.mlflow import Object, Rest, Seed, text_at
from tests.mlflow_more import MoreObjects, fill
from tests.oracle import compact, time_of_ms

Values: TypeAlias = dict[str, SQLValue]

_LARGEST = 1.7976931348623157e308
"""What the store makes of ±Infinity."""


class MlflowObjects:
    """The objects of each resource, read once."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._experiments = self._search("experiments/search", "experiments", view_type="ALL")
        ids: list[JSON] = [text_at(experiment, "experiment_id") for experiment in self._experiments]
        self._runs = self._search("runs/search", "runs", experiment_ids=ids)
        self._models = self._search("logged-models/search", "models", experiment_ids=ids)
        self._more = MoreObjects(rest, self._experiments)
        self._rows: dict[str, list[Values]] = {}

    def __call__(self, resource: Resource) -> Iterable[Mapping[str, SQLValue]]:
        name = resource.name.resource
        if name not in self._rows:
            own: Callable[[], Iterable[Values]] | None = getattr(self, f"_{name}_rows", None)
            self._rows[name] = self._more.rows(name) if own is None else list(own())
        return self._rows[name]

    def _search(self, path: str, name: str, **body: JSON) -> list[Object]:
        found: list[Object] = []
        token: JSON = None
        while True:
            page: Object = {"page_token": token} if token else {}
            answer = self._rest.post(path, max_results=50, **body, **page)
            found.extend(self._rest.listed(answer, name))
            if not (token := answer.get("next_page_token")):
                return found

    def _experiments_rows(self) -> Iterator[Values]:
        for item in self._experiments:
            if item["lifecycle_stage"] == "active":
                yield {
                    **_texts(item, "experiment_id", "name", "artifact_location", "lifecycle_stage"),
                    **_texts(item, "effective_trace_archival_retention", "workspace"),
                    **_times(item, "last_update_time", "creation_time"),
                    "tags": _pairs(item.get("tags")),
                }

    def _runs_rows(self) -> Iterator[Values]:
        for run in self._runs:
            info, data = _object(run["info"]), _object(run["data"])
            inputs = run.get("inputs")
            kept = (
                None
                if inputs is None
                else {k: v for k, v in _object(inputs).items() if k == "dataset_inputs"}
            )
            yield {
                **_texts(info, "experiment_id", "run_id", "run_name", "user_id", "status"),
                **_texts(info, "artifact_uri", "lifecycle_stage"),
                **_times(info, "start_time", "end_time"),
                "metrics": _pairs(data.get("metrics"), numbers=True),
                "params": _pairs(data.get("params")),
                "tags": _pairs(data.get("tags")),
                "inputs": None if kept is None else compact(kept),
                "outputs": _json(run, "outputs"),
            }

    def _metrics_rows(self) -> Iterator[Values]:
        for ids, item in self._logged("metrics"):
            yield {
                **ids,
                **_texts(item, "key", "model_id", "dataset_name", "dataset_digest"),
                **_point(item),
            }

    def _params_rows(self) -> Iterator[Values]:
        for ids, item in self._logged("params"):
            yield {**ids, **_texts(item, "key", "value")}

    def _tags_rows(self) -> Iterator[Values]:
        for ids, item in self._logged("tags"):
            yield {**ids, **_texts(item, "key", "value")}

    def _metric_history_rows(self) -> Iterator[Values]:
        for ids, item in self._logged("metrics"):
            run_id, key = str(ids["run_id"]), text_at(item, "key")
            answer = self._rest.get("metrics/get-history", run_id=run_id, metric_key=key)
            for point in self._rest.listed(answer, "metrics"):
                yield {"run_id": run_id, "metric_key": key, **_point(point)}

    def _artifacts_rows(self) -> Iterator[Values]:
        for run in self._runs:
            run_id = text_at(run, "info", "run_id")
            directories = [""]
            while directories:
                below = directories.pop()
                query = {"path": below} if below else {}
                for item in self._rest.listed(
                    self._rest.get("artifacts/list", run_id=run_id, **query), "files"
                ):
                    is_dir = item["is_dir"] is True
                    size = item.get("file_size")
                    yield {
                        "run_id": run_id,
                        "path": text_at(item, "path"),
                        "is_dir": int(is_dir),
                        "file_size": None if size is None else int(str(size)),
                    }
                    if is_dir:
                        directories.append(text_at(item, "path"))

    def _logged_models_rows(self) -> Iterator[Values]:
        for model in self._models:
            info, data = _object(model["info"]), _object(model.get("data", {}))
            creator = info.get("creator_id")
            yield {
                **_texts(info, "experiment_id", "model_id", "name", "artifact_uri", "status"),
                **_texts(info, "model_type", "source_run_id", "status_message"),
                **_times(info, "creation_timestamp_ms", "last_updated_timestamp_ms"),
                "creator_id": None if creator is None else int(str(creator)),
                "tags": _pairs(info.get("tags")),
                "registrations": _json(info, "registrations"),
                "params": _pairs(data.get("params")),
                "metrics": _json(data, "metrics"),
            }

    def _registered(self) -> list[Object]:
        answer = self._rest.get("registered-models/search", max_results=1000)
        return self._rest.listed(answer, "registered_models")

    def _registered_models_rows(self) -> Iterator[Values]:
        for item in self._registered():
            yield {
                **_texts(item, "name", "user_id", "description", "deployment_job_id", "deployment_job_state"),
                **_times(item, "creation_timestamp", "last_updated_timestamp"),
                "latest_versions": _sorted_versions(item),
                "aliases": _json(item, "aliases"),
                "tags": _pairs(item.get("tags")),
            }

    def _model_versions_rows(self) -> Iterator[Values]:
        answer = self._rest.get("model-versions/search", max_results=1000)
        for item in self._rest.listed(answer, "model_versions"):
            yield {
                **_texts(item, "name", "version", "user_id", "current_stage", "description", "source"),
                **_texts(item, "run_id", "status", "status_message", "run_link", "model_id"),
                **_times(item, "creation_timestamp", "last_updated_timestamp"),
                "tags": _pairs(item.get("tags")),
                "model_params": _json(item, "model_params"),
                "model_metrics": _json(item, "model_metrics"),
                "deployment_job_state": _json(item, "deployment_job_state"),
            }

    def _aliases_rows(self) -> Iterator[Values]:
        for item in self._registered():
            for alias in self._rest.listed(item, "aliases"):
                yield {**_texts(item, "name"), **_texts(alias, "alias", "version")}

    def _logged(self, name: str) -> Iterator[tuple[Values, Object]]:
        """What runs hold under a name, each with the ids of its run."""
        for run in self._runs:
            ids = _texts(_object(run["info"]), "experiment_id", "run_id")
            for item in self._rest.listed(_object(run["data"]), name):
                yield ids, item


def _object(value: JSON) -> Object:
    assert isinstance(value, dict)
    return value


def _texts(item: Object, *names: str) -> Values:
    return {name: cast("str | None", item.get(name)) for name in names}


def _times(item: Object, *names: str) -> Values:
    """Times in ms, of which 0 is none."""
    given = {name: int(str(item.get(name) or 0)) for name in names}
    return {name: time_of_ms(value) if value else None for name, value in given.items()}


def _json(item: Object, name: str) -> str | None:
    return compact(_finite(item[name])) if item.get(name) is not None else None


def _sorted_versions(item: Object) -> str | None:
    """`get` and `search` answer in different orders: the column is in the order of the version."""
    versions = item.get("latest_versions")
    if not isinstance(versions, list):
        return None
    return compact(_finite(sorted(versions, key=lambda version: text_at(version, "version"))))


def _pairs(entries: JSON, *, numbers: bool = False) -> str:
    """A key/value list as an object, sorted by key; the API leaves out the empty one."""
    assert entries is None or isinstance(entries, list)
    pairs: dict[str, JSON] = {}
    for entry in entries or ():
        value = _object(entry).get("value")
        pairs[text_at(entry, "key")] = _finite_or_null(value) if numbers else value
    return compact(dict(sorted(pairs.items())))


def _point(item: Object) -> Values:
    """Value and place of a point; what is not finite is NULL, and told in `value_text`."""
    number = float(str(item["value"]))
    finite = math.isfinite(number) and abs(number) < _LARGEST
    sign = "" if number > 0 else "-"
    word = "NaN" if math.isnan(number) else f"{sign}Infinity"
    return {
        "value": number if finite else None,
        "value_text": json.dumps(number) if finite else word,
        "step": int(str(item.get("step", 0))),
        "timestamp": int(str(item.get("timestamp", 0))),
    }


def _finite_or_null(value: JSON) -> JSON:
    number = float(str(value))
    return value if math.isfinite(number) and abs(number) < _LARGEST else None


def _finite(value: JSON) -> JSON:
    match value:
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {name: _finite(item) for name, item in value.items()}
        case list():
            return [_finite(item) for item in value]
        case _:
            return value


_FILLED: set[str] = set()
"""The servers that hold what the newer APIs hold, by address."""


def mlflow_backend(seed: Seed, transport: httpx.BaseTransport) -> Backend:
    """The real server as a backend of cases: runs and models go by the names they were given."""
    if seed.base_url not in _FILLED:
        _FILLED.add(seed.base_url)
        fill(seed.base_url, seed.experiments)
    names = {f"run {label}": id_ for label, id_ in seed.runs.items()}
    names |= {f"model {label}": id_ for label, id_ in seed.logged_models.items()}
    return Backend("mlflow", {"base_url": seed.base_url}, transport, MlflowObjects(seed.rest), names=names)
