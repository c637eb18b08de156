"""A real MLflow server and what the tests put on it: through plain REST, never through the engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias, cast
from urllib.parse import quote

import httpx

from sqlprovider.surfaces.mlflow_server import start_mlflow_server
from sqlprovider.values import JSON

Object: TypeAlias = dict[str, JSON]

START = 1_767_323_045_678
"""2026-01-02 03:04:05.678 UTC: when the first run started, in ms."""
STATUSES = ("RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED")
RUN_NAMES = (
    "it's",
    'say "hi"',
    "both ' and \"",
    "back\\slash",
    "Ünï 🙂",
    "UPPER",
    "upper",
    "50%_off",
    " pad ",
    "a--b;/*c*/",
)
"""One run each in the first experiment, whose `text` param and tag hold the same."""
NUMBERS: Mapping[str, float | str] = {
    "nan": "NaN",
    "plus": "Infinity",
    "minus": "-Infinity",
    "zero": 0.0,
    "tiny": 1e-7,
    "huge": 1e20,
    "below": -3.5,
}
ODD_TAG_KEYS = ("it's", 'q"q', "back`tick", "(a)", "[0]", "ünï 🙂", "a.b", "", "tab\tin")
CURVE = tuple(
    (step, START + 1000 * ((step * 37) % 100), (100 - step) / 100) for step in [*range(50, 100), *range(50)]
)
"""A learning curve as it is logged: (step, timestamp, value), neither in the order of steps nor of times."""
FILES = ("model.pkl", "plots/loss.png", "plots/by epoch/1.png", "plots/by epoch/ü.png", "data/50%.csv")


class Rest:
    """The REST API as it is: an answer that is no 200 raises."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._client = httpx.Client(base_url=base_url, timeout=30)

    def post(self, path: str, /, **body: JSON) -> Object:
        return self._send("POST", path, json=body)

    def patch(self, path: str, /, **body: JSON) -> Object:
        return self._send("PATCH", path, json=body)

    def delete(self, path: str, /, **body: JSON) -> Object:
        return self._send("DELETE", path, json=body)

    def get(self, path: str, /, **query: str | int | list[str]) -> Object:
        return self._send("GET", path, params=query)

    def error(self, method: str, path: str, body: Object | None = None, /, **query: str) -> tuple[int, str]:
        """Status and error code of a request that is refused."""
        answer = self._client.request(method, f"/api/2.0/mlflow/{path}", json=body, params=query)
        return answer.status_code, str(answer.json()["error_code"])

    def upload(self, run: Object, path: str) -> None:
        """A file among the artifacts of a run."""
        place = str(text_at(run, "info", "artifact_uri")).removeprefix("mlflow-artifacts:/")
        url = f"/api/2.0/mlflow-artifacts/artifacts/{quote(place)}/{quote(path)}"
        self._client.put(url, content=b"content").raise_for_status()

    def listed(self, answer: Object, name: str) -> list[Object]:
        """A list of the answer; an empty one is left out by the API."""
        return cast("list[Object]", answer.get(name, []))

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(
        self,
        method: str,
        path: str,
        json: Object | None = None,
        params: Mapping[str, str | int | list[str]] | None = None,
    ) -> Object:
        answer = self._client.request(method, f"/api/2.0/mlflow/{path}", json=json, params=params)
        if answer.status_code != httpx.codes.OK:
            raise AssertionError(f"{method} {path} answered {answer.status_code}: {answer.text[:500]}")
        return cast(Object, answer.json())


def text_at(value: JSON, *path: str) -> str:
    """The text at a path of keys."""
    for name in path:
        assert isinstance(value, dict)
        value = value[name]
    assert isinstance(value, str)
    return value


@dataclass
class Seed:
    """What is on the server: names of our own → the API's ids."""

    rest: Rest
    experiments: dict[str, str] = field(default_factory=dict)
    """`odd`, `numbers`, `percent`, `empty`; deleted: `gone`, and `half_gone` with an active run in it."""
    runs: dict[str, str] = field(default_factory=dict)
    logged_models: dict[str, str] = field(default_factory=dict)
    registered_models: tuple[str, ...] = ("it's a model", 'model "two"', "50%_🙂")
    prompt: str = "a prompt"

    @property
    def base_url(self) -> str:
        return self.rest.base_url


@contextmanager
def seeded_server(directory: Path) -> Iterator[Seed]:
    """A running server with everything on it; meant for one fixture of session scope."""
    with start_mlflow_server(directory) as server, Rest(server.base_url) as rest:
        yield seed(rest)


def seed(rest: Rest) -> Seed:
    """Fills an empty server with what is awkward: odd names, every status, NaN, nested files, the deleted."""
    seeded = Seed(rest)
    _experiments(seeded)
    _named_runs(seeded)
    _numbers(seeded)
    _odd_runs(seeded)
    _logged_models(seeded)
    _deleted(seeded)
    _registry(seeded)
    return seeded


def _experiments(seeded: Seed) -> None:
    names = {
        "odd": 'it\'s "odd" \\ 🙂',
        "numbers": "numbers",
        "percent": "100%_done",
        "empty": "Empty",
        "gone": "gone",
        "half_gone": "half gone",
    }
    for label, name in names.items():
        tags: JSON = [{"key": "team", "value": label.upper()}, {"key": "shared", "value": "same"}]
        answer = seeded.rest.post("experiments/create", name=name, tags=tags)
        seeded.experiments[label] = text_at(answer, "experiment_id")


def _run(seeded: Seed, label: str, experiment: str, **fields: JSON) -> Object:
    body: Object = {
        "experiment_id": seeded.experiments[experiment],
        "run_name": label,
        "user_id": "ann",
        **fields,
    }
    run = cast(Object, seeded.rest.post("runs/create", **body)["run"])
    seeded.runs[label] = text_at(run, "info", "run_id")
    return run


def _named_runs(seeded: Seed) -> None:
    """A run a name, in turn in each status; the finished ones have an end."""
    for number, name in enumerate(RUN_NAMES):
        start = START + number * 60_000
        run_id = text_at(_run(seeded, name, "odd", start_time=start), "info", "run_id")
        status = STATUSES[number % len(STATUSES)]
        ended: Object = {"end_time": start + 1500} if status in ("FINISHED", "FAILED") else {}
        seeded.rest.post("runs/update", run_id=run_id, status=status, **ended)
        seeded.rest.post(
            "runs/log-batch",
            run_id=run_id,
            metrics=[
                {"key": "val_acc", "value": number / 10, "timestamp": start, "step": 3},
                {"key": "val acc/top-5", "value": 1 - number / 10, "timestamp": start, "step": 3},
            ],
            params=[{"key": "lr", "value": str(10.0**-number)}, {"key": "text", "value": name}],
            tags=[{"key": "text", "value": name}, {"key": "odd key: a.b", "value": str(number % 2)}],
        )


def _numbers(seeded: Seed) -> None:
    """A run a number, its metric `m`; one run has none."""
    for number, (label, value) in enumerate(NUMBERS.items()):
        run_id = text_at(_run(seeded, label, "numbers", start_time=START + number), "info", "run_id")
        seeded.rest.post(
            "runs/log-batch",
            run_id=run_id,
            metrics=[{"key": "m", "value": value, "timestamp": START, "step": 0}],
        )
    _run(seeded, "without", "numbers", start_time=START + 99)


def _odd_runs(seeded: Seed) -> None:
    rest = seeded.rest
    _run(seeded, "no start", "percent")
    # Only runs/create takes keys of any characters.
    _run(
        seeded,
        "odd tags",
        "percent",
        start_time=START,
        tags=[{"key": key, "value": key or "none"} for key in ODD_TAG_KEYS],
    )
    _run(seeded, "nameless", "percent", start_time=START)
    rest.post("runs/delete-tag", run_id=seeded.runs["nameless"], key="mlflow.runName")
    rest.post("runs/log-batch", run_id=seeded.runs["nameless"], params=[{"key": "empty", "value": ""}])
    curve = _run(seeded, "curve", "percent", start_time=START)
    points: JSON = [
        {"key": "loss", "value": value, "timestamp": at, "step": step} for step, at, value in CURVE
    ]
    rest.post("runs/log-batch", run_id=seeded.runs["curve"], metrics=points)
    odd_times: JSON = [
        {"key": "odd times", "value": "NaN", "timestamp": at, "step": 7} for at in (0, 5, 2**53 + 1)
    ]
    rest.post("runs/log-batch", run_id=seeded.runs["curve"], metrics=odd_times)
    for path in FILES:
        rest.upload(curve, path)


def _logged_models(seeded: Seed) -> None:
    rest = seeded.rest
    for label, experiment in (
        ("ready", "percent"),
        ("Ünï 🙂", "percent"),
        ("deleted", "percent"),
        ("of gone", "gone"),
    ):
        answer = rest.post(
            "logged-models",
            experiment_id=seeded.experiments[experiment],
            name=label,
            model_type="tree",
            source_run_id=seeded.runs["curve"],
            params=[{"key": "depth", "value": "3"}],
            tags=[{"key": "stage", "value": label}],
        )
        seeded.logged_models[label] = text_at(answer, "model", "info", "model_id")
    ready, run_id = seeded.logged_models["ready"], seeded.runs["curve"]
    rest.patch(f"logged-models/{ready}", model_id=ready, status="LOGGED_MODEL_READY")
    rest.delete(f"logged-models/{seeded.logged_models['deleted']}")
    point: Object = {"key": "acc", "value": 0.5, "timestamp": START, "step": 1, "model_id": ready}
    rest.post("runs/log-batch", run_id=run_id, metrics=[point])
    dataset: Object = {"name": "d", "digest": "x", "source_type": "local", "source": "{}"}
    context: JSON = [{"key": "mlflow.data.context", "value": "train"}]
    rest.post(
        "runs/log-inputs",
        run_id=run_id,
        datasets=[{"tags": context, "dataset": dataset}],
        models=[{"model_id": ready}],
    )
    rest.post("runs/outputs", run_id=run_id, models=[{"model_id": ready, "step": 1}])


def _deleted(seeded: Seed) -> None:
    """Deleted runs in a live experiment, a deleted experiment, and one with a run that was restored."""
    rest = seeded.rest
    for label, experiment in (
        ("deleted", "odd"),
        ("of gone", "gone"),
        ("restored", "half_gone"),
        ("buried", "half_gone"),
    ):
        run_id = text_at(_run(seeded, label, experiment, start_time=START), "info", "run_id")
        rest.post(
            "runs/log-batch",
            run_id=run_id,
            metrics=[{"key": "val_acc", "value": 0.99, "timestamp": START, "step": 1}],
            params=[{"key": "lr", "value": "0.5"}],
        )
    rest.upload(cast(Object, rest.get("runs/get", run_id=seeded.runs["deleted"])["run"]), "left.txt")
    rest.post("runs/delete", run_id=seeded.runs["deleted"])
    for label in ("gone", "half_gone"):
        rest.post("experiments/delete", experiment_id=seeded.experiments[label])
    rest.post("runs/restore", run_id=seeded.runs["restored"])


def _registry(seeded: Seed) -> None:
    rest, run_id = seeded.rest, seeded.runs["curve"]
    for name in (*seeded.registered_models, seeded.prompt):
        tags: JSON = [{"key": "mlflow.prompt.is_prompt", "value": "true"}] if name == seeded.prompt else []
        rest.post("registered-models/create", name=name, description=f"about {name}", tags=tags)
        for version in ("1", "2", "3"):
            mine: JSON = [*cast("list[JSON]", tags), {"key": "number", "value": version}]
            source = "dummy-source" if name == seeded.prompt else f"s3://bucket/{version}"
            of_run: Object = {"run_id": run_id} if version == "3" and name != seeded.prompt else {}
            rest.post("model-versions/create", name=name, source=source, tags=mine, **of_run)
    first, second, _ = seeded.registered_models
    for alias, version in (("champion", "2"), ("Champion", "1"), ("old", "1"), ("lost", "3")):
        rest.post("registered-models/alias", name=first, alias=alias, version=version)
    rest.post("registered-models/alias", name=second, alias="champion", version="3")
    rest.post("registered-models/alias", name=seeded.prompt, alias="champion", version="1")
    rest.delete("model-versions/delete", name=first, version="3")  # takes the alias `lost` with it
    rest.post("registered-models/set-tag", name=first, key="team", value="A")
    rest.post(
        "model-versions/transition-stage",
        name=first,
        version="1",
        stage="Production",
        archive_existing_versions=False,
    )
