from __future__ import annotations

import io
import json
import math
import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import httpx
import pytest

from sqlprovider.errors import BackendError
from sqlprovider.surfaces.demo import run_demo
from sqlprovider.surfaces.demo.seed import EXPERIMENTS, Experiment, log_experiments, plan_runs
from sqlprovider.surfaces.demo.tour import STOPS

NOW_MS = 1_767_225_600_000
SMALL = Experiment("small", 30, 0.9)


class TrackingServer:
    """Answers what the seeding asks of a tracking server, and remembers it."""

    def __init__(self, *, refuse: str = "") -> None:
        self.refuse = refuse
        self.calls: Counter[str] = Counter()
        self.metrics: list[dict[str, object]] = []
        self._lock = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            path = request.url.path.removeprefix("/api/2.0/mlflow/")
            self.calls[path] += 1
            sent = json.loads(request.content)
            self.metrics += sent.get("metrics", [])
            if path == self.refuse:
                return httpx.Response(500, json={"error_code": "INTERNAL_ERROR"})
            if path == "experiments/create":
                return httpx.Response(200, json={"experiment_id": str(self.calls[path])})
            return httpx.Response(200, json={"run": {"info": {"run_id": f"r{self.calls[path]}"}}})


def _log(server: TrackingServer, *experiments: Experiment) -> None:
    log_experiments(
        "http://127.0.0.1",
        now_ms=NOW_MS,
        experiments=experiments,
        progress=lambda done, planned: None,
        transport=httpx.MockTransport(server),
    )


def test_the_same_clock_gives_the_same_runs() -> None:
    # repr, because NaN does not equal itself
    assert repr(plan_runs(SMALL, NOW_MS)) == repr(plan_runs(SMALL, NOW_MS))


def test_there_are_at_least_8_experiments_and_400_runs() -> None:
    assert len(EXPERIMENTS) >= 8
    assert sum(experiment.runs for experiment in EXPERIMENTS) >= 400


def test_some_runs_finished_some_failed_and_some_go_on() -> None:
    statuses = {run.status for experiment in EXPERIMENTS for run in plan_runs(experiment, NOW_MS)}
    assert statuses == {"FINISHED", "FAILED", "KILLED", "RUNNING"}


def test_a_run_that_goes_on_has_no_end() -> None:
    runs = [run for experiment in EXPERIMENTS for run in plan_runs(experiment, NOW_MS)]
    assert {run.status for run in runs if run.end_time is None} == {"RUNNING"}


def test_every_run_began_before_now() -> None:
    assert all(run.start_time < NOW_MS for run in plan_runs(SMALL, NOW_MS))


def test_a_failed_run_ends_in_nan() -> None:
    failed = [run for run in plan_runs(SMALL, NOW_MS) if run.status == "FAILED"]
    assert failed
    assert all(math.isnan(run.curves["val_loss"][-1]) for run in failed)


@pytest.mark.parametrize("awkward", ["'", '"', "%", "\n", "学"])
def test_some_run_has_an_awkward_name(awkward: str) -> None:
    assert any(awkward in run.name for run in plan_runs(EXPERIMENTS[0], NOW_MS))


def test_a_run_takes_a_create_a_log_and_an_end_unless_it_goes_on() -> None:
    server = TrackingServer()
    _log(server, SMALL)
    going_on = sum(run.status == "RUNNING" for run in plan_runs(SMALL, NOW_MS))
    assert server.calls == {
        "experiments/create": 1,
        "runs/create": SMALL.runs,
        "runs/log-batch": SMALL.runs,
        "runs/update": SMALL.runs - going_on,
    }


def test_nan_is_sent_as_a_word_because_json_has_no_literal_for_it() -> None:
    server = TrackingServer()
    _log(server, SMALL)
    values = [metric["value"] for metric in server.metrics]
    assert {value for value in values if isinstance(value, str)} == {"NaN"}
    assert all(math.isfinite(value) for value in values if isinstance(value, float))


def test_a_server_that_refuses_ends_the_seeding_with_its_status() -> None:
    with pytest.raises(BackendError, match="runs/log-batch") as caught:
        _log(TrackingServer(refuse="runs/log-batch"), SMALL)
    assert caught.value.status == 500


def test_the_tour_has_at_least_14_stops() -> None:
    assert len(STOPS) >= 14


def test_one_stop_shows_a_refusal() -> None:
    assert [stop.title for stop in STOPS if stop.refused] == ["A statement that is refused, and the way out"]


def test_a_stop_uses_only_words_that_are_known_by_then() -> None:
    known = {"sentiment", "image", "churn", "scratchpad"}
    unknown = []
    for stop in STOPS:
        unknown += [word for word in re.findall(r"\{(\w+)\}", stop.sql) if word not in known]
        known |= {stop.remember} if stop.remember else set()
    assert unknown == []


@pytest.fixture(scope="module")
def shown() -> str:
    stdout = io.StringIO()
    assert run_demo(False, stdout=stdout, stderr=io.StringIO()) == 0
    return stdout.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("number", [pytest.param(n, id=stop.title) for n, stop in enumerate(STOPS, 1)])
def test_a_stop_says_what_it_took(shown: str, number: int) -> None:
    parts = re.split(r"^(\d+)/\d+  ", shown, flags=re.MULTILINE)
    part = dict(zip(parts[1::2], parts[2::2], strict=True))[str(number)]
    assert re.search(r"^\d+ rows?, \d+ requests?, \d+\.\d\d s$", part, re.MULTILINE)


@pytest.mark.slow
def test_the_tour_shows_the_best_run_of_each_experiment(shown: str) -> None:
    table = shown.split("The best run of each experiment")[1].split(" rows, ")[0]
    assert [e.name for e in EXPERIMENTS if e.name not in table] == []


@pytest.mark.slow
def test_the_refusal_sends_nothing_and_shows_a_hint(shown: str) -> None:
    part = shown.split("A statement that is refused, and the way out")[1].split("INSERT: a run")[0]
    assert "MissingParameterError" in part
    assert "hint:" in part
    assert "0 rows, 0 requests" in part


@pytest.mark.slow
def test_keep_leaves_the_server_up_until_ctrl_c(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "sqlprovider", "demo", "--keep"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as demo:
        assert demo.stdout is not None
        lines = iter(demo.stdout.readline, "")
        address = next(found[1] for line in lines if (found := re.search(r"MLFLOW_TRACKING_URI=(\S+)", line)))
        assert httpx.get(f"{address}/health").status_code == 200
        demo.send_signal(signal.SIGINT)
        assert demo.wait(timeout=20) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/health")
    assert list(tmp_path.iterdir()) == []
