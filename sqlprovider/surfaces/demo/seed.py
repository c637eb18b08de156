"""What a team's training scripts would have logged: experiments, runs, curves, and the usual accidents.

`plan_runs` makes the same data every time (only the clock moves it); `log_experiments` sends it to a
tracking server as a training script would, through the server's REST API.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

import httpx

from sqlprovider.errors import BackendError
from sqlprovider.values import JSON

_API = "/api/2.0/mlflow"
_HOUR_MS = 3_600_000
_STEPS = 12
_WRITERS = 8

_LEARNING_RATES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03)
_OPTIMIZERS = ("adam", "adamw", "sgd")
_TEAM = (("ana", "a100"), ("bogdan", "a100"), ("chen", "h100"), ("dara", "l4"))
_AWKWARD_RUN_NAMES = ("O'Brien's run", 'the "good" one', "学習 #7", "100%_done", "line\nbreak", "🚀 ship it?")


@dataclass(frozen=True, slots=True)
class Experiment:
    """One experiment to log: `best` is the accuracy that its best settings come near."""

    name: str
    runs: int
    best: float


EXPERIMENTS = (
    Experiment("churn / gradient boosting", 56, 0.87),
    Experiment("churn / logistic regression", 40, 0.81),
    Experiment("sentiment-bert", 72, 0.94),
    Experiment("image-classifier", 64, 0.96),
    Experiment("weekly forecast", 48, 0.78),
    Experiment("fraude détectée 🕵", 48, 0.91),
    Experiment('ranking: 100% "relevance"', 44, 0.84),
    Experiment("Ana's scratchpad", 40, 0.72),
)


@dataclass(frozen=True, slots=True)
class Run:
    """One run to log. `end_time` is None where nobody ever ended it."""

    name: str
    user: str
    status: str
    start_time: int
    end_time: int | None
    params: Mapping[str, str]
    tags: Mapping[str, str]
    curves: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Logged:
    """What the server holds afterwards."""

    experiment_ids: Mapping[str, str]
    runs: int
    points: int


def plan_runs(experiment: Experiment, now_ms: int) -> tuple[Run, ...]:
    """The runs of one experiment, oldest first; the same ones for the same clock."""
    return tuple(_plan_run(experiment, number, now_ms) for number in range(experiment.runs))


def log_experiments(
    base_url: str,
    *,
    now_ms: int,
    experiments: Iterable[Experiment] = EXPERIMENTS,
    progress: Callable[[int, int], None],
    transport: httpx.BaseTransport | None = None,
) -> Logged:
    """Log every run, several at a time. `progress` is told how many of how many runs are there."""
    limits = httpx.Limits(max_connections=_WRITERS, max_keepalive_connections=_WRITERS)
    with (
        httpx.Client(base_url=base_url, timeout=60, limits=limits, transport=transport) as client,
        ThreadPoolExecutor(_WRITERS) as pool,
    ):
        ids = {experiment.name: _create_experiment(client, experiment) for experiment in experiments}
        runs = [
            (ids[experiment.name], run) for experiment in experiments for run in plan_runs(experiment, now_ms)
        ]
        logging = [pool.submit(_log_run, client, experiment_id, run) for experiment_id, run in runs]
        points = 0
        for done, logged in enumerate(as_completed(logging), 1):
            points += logged.result()
            progress(done, len(runs))
    return Logged(ids, len(runs), points)


def _plan_run(experiment: Experiment, number: int, now_ms: int) -> Run:
    chance = random.Random(f"{experiment.name}/{number}")
    lr = _LEARNING_RATES[number % len(_LEARNING_RATES)]
    optimizer = chance.choice(_OPTIMIZERS)
    user, gpu = chance.choice(_TEAM)
    status = _status(experiment, number, diverges=lr >= 0.03 and optimizer == "sgd")
    # The last two days belong to the runs that are still going on.
    age_hours = 2 + 45 * chance.random() if status == "RUNNING" else 48 + 13 * (experiment.runs - number)
    start_time = now_ms - int(age_hours * _HOUR_MS)
    duration = int(chance.uniform(0.2, 6) * _HOUR_MS)
    return Run(
        name=_name(number, optimizer, lr),
        user=user,
        status=status,
        start_time=start_time,
        end_time=None if status == "RUNNING" else start_time + duration,
        params={
            "lr": str(lr),
            "optimizer": optimizer,
            "batch_size": str(chance.choice((16, 32, 64, 128))),
            "seed": str(number),
        },
        tags={"mlflow.user": user, "team": "vision" if user in ("ana", "chen") else "growth", "gpu": gpu},
        curves=_curves(chance, experiment.best, lr, status),
    )


def _name(number: int, optimizer: str, lr: float) -> str:
    if number % 9 == 4:
        return _AWKWARD_RUN_NAMES[number // 9 % len(_AWKWARD_RUN_NAMES)]
    return f"{optimizer}-lr{lr}-{number:02d}"


def _status(experiment: Experiment, number: int, *, diverges: bool) -> str:
    if number >= experiment.runs - 2:
        return "RUNNING"
    if diverges or number % 17 == 11:
        return "FAILED"
    return "KILLED" if number % 23 == 13 else "FINISHED"


def _curves(chance: random.Random, best: float, lr: float, status: str) -> dict[str, tuple[float, ...]]:
    """Accuracy and loss a step: the further from the right learning rate, the lower and the slower."""
    distance = abs(math.log10(lr / 0.001))
    ceiling = best - 0.07 * distance - chance.uniform(0, 0.05)
    pace = 2 + 1.5 * distance
    steps = _STEPS if status == "FINISHED" else chance.randint(3, _STEPS - 3)
    accuracy = [
        round(ceiling * (1 - math.exp(-(step + 1) / pace)) + chance.uniform(-0.008, 0.008), 4)
        for step in range(steps)
    ]
    loss = [round(1.2 * (1 - value) + chance.uniform(0, 0.03), 4) for value in accuracy]
    if status == "FAILED":
        # A diverged run: the loss is no number from some step on.
        loss[-2:] = [math.nan, math.nan]
    return {"val_acc": tuple(accuracy), "val_loss": tuple(loss), "f1 / macro": (round(ceiling * 0.97, 4),)}


def _create_experiment(client: httpx.Client, experiment: Experiment) -> str:
    answer = _post(client, "experiments/create", {"name": experiment.name})
    return str(answer["experiment_id"])


def _log_run(client: httpx.Client, experiment_id: str, run: Run) -> int:
    """Create, log, end: three requests, as a training script makes them. The number of points logged."""
    answer = _post(
        client,
        "runs/create",
        {
            "experiment_id": experiment_id,
            "run_name": run.name,
            "start_time": run.start_time,
            "tags": [{"key": key, "value": value} for key, value in run.tags.items()],
        },
    )
    created = answer["run"]
    assert isinstance(created, dict) and isinstance(created["info"], dict)
    run_id = created["info"]["run_id"]
    metrics = _points(run)
    params: list[JSON] = [{"key": key, "value": value} for key, value in run.params.items()]
    _post(client, "runs/log-batch", {"run_id": run_id, "metrics": metrics, "params": params})
    if run.end_time is not None:
        _post(client, "runs/update", {"run_id": run_id, "status": run.status, "end_time": run.end_time})
    return len(metrics)


def _points(run: Run) -> list[JSON]:
    minute = 60_000
    return [
        {
            "key": key,
            # The API's JSON has no literal for what is no number: it takes the word.
            "value": value if math.isfinite(value) else "NaN",
            "step": step,
            "timestamp": run.start_time + step * minute,
        }
        for key, curve in run.curves.items()
        for step, value in enumerate(curve)
    ]


def _post(client: httpx.Client, path: str, body: dict[str, JSON]) -> dict[str, JSON]:
    response = client.post(f"{_API}/{path}", json=body)
    if response.is_error:
        raise BackendError(f"the demo's server refused {path}", status=response.status_code)
    answer: dict[str, JSON] = response.json()
    return answer
