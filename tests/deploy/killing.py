"""kill -9 at the n-th request of an apply: what the next apply makes of it, and what the journal says.

`python -m tests.deploy.killing` kills at every request, on both platforms, and prints the counts.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from sqlprovider.surfaces.deploy.flags import add_deploy_commands, deploy_arguments, run_deploy
from sqlprovider.surfaces.opening import open_session
from tests.deploy.stack import BOARD, TOKEN, Stack, sweep, vertex_config
from tests.fakes.loopback import Loopback
from tests.fakes.vertex import VertexState, vertex_app

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass
class Killer:
    """An app in front of another that kills a process at the n-th request: before it acts, or after."""

    app: App
    at: int = 0
    """0: it kills nobody."""
    acts: bool = False
    """The request is carried out, and its answer lost."""
    process: subprocess.Popen[str] | None = None
    count: int = 0
    busy: int = 0
    ready: threading.Event = field(default_factory=threading.Event)
    changed: threading.Condition = field(default_factory=threading.Condition)
    writes: list[str] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with self.changed:
            self.count += 1
            is_last = self.count == self.at
            self.busy += 1
        try:
            if is_last and not self.acts:
                self._kill()
                start_response("500 Killed", [])
                return [b""]
            answer = list(self.app(environ, start_response))
            if is_last:
                self._kill()
            return answer
        finally:
            with self.changed:
                self.busy -= 1
                self.changed.notify_all()

    def settle(self) -> None:
        """Wait until nothing is in the air on the server's side."""
        with self.changed:
            self.changed.wait_for(lambda: self.busy == 0, timeout=30)

    def _kill(self) -> None:
        self.ready.wait(30)
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)


class Forward:
    """An app that hands every request to a server elsewhere."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer = self._client.request(
            environ["REQUEST_METHOD"],
            environ["REQUEST_URI"],
            content=environ["wsgi.input"].read(),
            headers={"Content-Type": environ["CONTENT_TYPE"] or "application/json"},
        )
        kept = [(name, answer.headers[name]) for name in ("Content-Type",) if name in answer.headers]
        start_response(f"{answer.status_code} {answer.reason_phrase}", kept)
        return [answer.content]


@dataclass(frozen=True)
class Aftermath:
    """What is found after a kill at one request."""

    was_killed: bool
    requests: int
    in_the_air: tuple[str, ...]
    """Keys or resources that the journal has sent and not answered."""
    next_code: int
    third_summary: Mapping[str, int]


def apply_and_kill(stack: Stack, killer: Killer, file: str, *argv: str, at: int, acts: bool) -> Aftermath:
    """Applies in a process of its own, which is killed at a request; then twice more, undisturbed."""
    killer.at, killer.acts, killer.count = at, acts, 0
    killer.ready.clear()
    process = _spawn(stack, file, *argv)
    killer.process = process
    killer.ready.set()
    code = process.wait(120)
    killer.settle()
    killer.at, requests = 0, killer.count
    in_the_air = tuple(_in_the_air(stack))
    after = stack.apply(file, *argv)
    third = stack.apply(file, *argv)
    return Aftermath(
        code == -signal.SIGKILL, requests, in_the_air, after.code, third.json["summary"] if third.out else {}
    )


def _spawn(stack: Stack, file: str, *argv: str) -> subprocess.Popen[str]:
    config = stack.folder / "config.json"
    config.write_text(json.dumps(stack.config))
    return subprocess.Popen(
        [sys.executable, "-m", "tests.deploy.killing", "child", str(config), "apply", file, *argv, "--yes"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **stack.environ},
        text=True,
    )


def _in_the_air(stack: Stack) -> Iterator[str]:
    """What was sent and not answered, by the journal's own table."""
    with contextlib.closing(open_session(stack.config, environ=stack.environ)) as session:
        for result in session.run(_IN_THE_AIR):
            for resource, sequence in result.rows:
                yield f"{resource!s} {sequence!s}"


_IN_THE_AIR = """
SELECT resource, sequence
FROM (SELECT *, max(rowid) FROM sqlprovider.journal GROUP BY statement_id, sequence)
WHERE phase = 'sending'
"""


@contextlib.contextmanager
def vertex_to_kill(folder: Path) -> Iterator[tuple[Stack, Killer, VertexState]]:
    """An empty TensorBoard behind a killer."""
    state = VertexState()
    state.add(BOARD, {"displayName": "main"})
    killer = Killer(vertex_app(state, token=TOKEN))
    with Loopback(killer) as server:
        environ = {"GOOGLE_TOKEN": TOKEN, "SQLPROVIDER_STATE_DIR": str(folder / "state")}
        yield Stack(folder, vertex_config(server.base_url), environ), killer, state


@contextlib.contextmanager
def mlflow_to_kill(folder: Path, base_url: str) -> Iterator[tuple[Stack, Killer]]:
    """A real MLflow server behind a killer."""
    with httpx.Client(base_url=base_url, timeout=30) as client, Loopback(Killer(Forward(client))) as server:
        killer = server.app
        assert isinstance(killer, Killer)
        config = {"connections": {"mlflow": {"base_url": server.base_url}}}
        yield Stack(folder, config, {"SQLPROVIDER_STATE_DIR": str(folder / "state")}), killer


def vertex_objects(state: VertexState) -> list[str]:
    """The names of everything that is there, and the points; ids are chosen, times are left out."""
    names = [
        f"{path}/{id_} {item.get('displayName')}"
        for path, items in state.collections.items()
        for id_, item in items.items()
    ]
    return sorted([*names, *(f"{series} {sorted(points)}" for series, points in state.points.items())])


def mlflow_stack(runs: int) -> str:
    """An experiment, so many runs, and a param and a point of each: no create there has an id of its own."""
    lines = [
        "use: mlflow.tracking",
        "variables: {experiment: {}}",
        "resources:",
        "- name: experiments\n  id: exp\n  props: [{name: name, value: '{{ experiment }}'}]",
        "- name: runs\n  id: run\n  props: [{name: experiment_id, value: '{{ exp.experiment_id }}'}]",
        "  items:",
        *(f"    r{n}: {{run_name: run-{n}, status: FINISHED}}" for n in range(runs)),
        "- name: params\n  id: lr\n  props: [{name: key, value: lr}, {name: value, value: '0.1'}]\n  items:",
        *(f"    r{n}: {{run_id: '{{{{ run.r{n}.run_id }}}}'}}" for n in range(runs)),
        "- name: metric_history\n  id: loss\n  props:",
        "  - {name: metric_key, value: loss}\n  - {name: step, value: 1}\n  - {name: value, value: 0.5}",
        "  items:",
        *(f"    r{n}: {{run_id: '{{{{ run.r{n}.run_id }}}}'}}" for n in range(runs)),
    ]
    return "\n".join(lines) + "\n"


def mlflow_objects(base_url: str, experiment: str) -> list[str]:
    """The runs of an experiment with status, params and points, ids and times aside."""
    with httpx.Client(base_url=f"{base_url}/api/2.0/mlflow", timeout=30) as client:
        found = client.get("experiments/get-by-name", params={"experiment_name": experiment}).json()
        body = {"experiment_ids": [found["experiment"]["experiment_id"]], "max_results": 1000}
        runs = client.post("runs/search", json={**body, "run_view_type": "ALL"}).json().get("runs", [])
        return sorted(_mlflow_run(client, run) for run in runs)


def _mlflow_run(client: httpx.Client, run: Any) -> str:
    asked = {"run_id": run["info"]["run_id"], "metric_key": "loss"}
    points = client.get("metrics/get-history", params=asked).json().get("metrics", [])
    shown = [(point["step"], point["value"]) for point in points]
    params = [(p["key"], p["value"]) for p in run["data"].get("params", [])]
    return f"{run['info']['run_name']} {run['info']['status']} {params} {shown}"


def _child(config: str, argv: list[str]) -> int:
    parser = argparse.ArgumentParser()
    add_deploy_commands(parser.add_subparsers(dest="command"))
    arguments = deploy_arguments(parser.parse_args(argv))
    with contextlib.closing(open_session(config_of(config), environ=os.environ)) as session:
        return run_deploy(
            arguments, session, stdin=sys.stdin, stdout=sys.stdout, stderr=sys.stderr, environ=os.environ
        )


def config_of(path: str) -> Mapping[str, object]:
    """The configuration that the parent wrote."""
    found: Mapping[str, object] = json.loads(Path(path).read_text())
    return found


def _kill_vertex(folder: Path, at: int, *, acts: bool) -> tuple[Aftermath, bool]:
    folder.mkdir()
    with vertex_to_kill(folder) as (stack, killer, state):
        file = stack.write(sweep(20, points=True))
        after = apply_and_kill(stack, killer, file, at=at, acts=acts)
        return after, vertex_objects(state) == _vertex_expected(folder)


def _vertex_expected(folder: Path) -> list[str]:
    with vertex_to_kill(folder / "twin") as (stack, _, state):
        stack.folder.mkdir()
        assert stack.apply(stack.write(sweep(20, points=True))).code == 0
        return vertex_objects(state)


def _kill_mlflow(folder: Path, base_url: str, at: int, *, acts: bool) -> tuple[Aftermath, bool]:
    folder.mkdir()
    experiment = f"killed-{at}-{acts}"
    with mlflow_to_kill(folder, base_url) as (stack, killer):
        file = stack.write(mlflow_stack(20))
        after = apply_and_kill(stack, killer, file, "--var", f"experiment={experiment}", at=at, acts=acts)
    return after, mlflow_objects(base_url, experiment) == MLFLOW_EXPECTED


MLFLOW_EXPECTED = sorted(f"run-{n} FINISHED [('lr', '0.1')] [(1, 0.5)]" for n in range(20))


def _every(kill: Callable[[Path, int, bool], tuple[Aftermath, bool]], name: str, step: int) -> int:
    """Kills at each request, before and after it acts; prints the counts. How many did not converge."""
    kills = wrong = named = 0
    for acts in (False, True):
        for at in range(1, 10_000, step):
            with tempfile.TemporaryDirectory() as folder:
                after, is_same = kill(Path(folder) / "run", at, acts)
            if after.requests < at:
                break
            kills += 1
            named += bool(after.in_the_air)
            is_idle = sum(after.third_summary.values()) == after.third_summary.get("nothing")
            if not (after.was_killed and is_same and after.next_code == 0 and is_idle):
                wrong += 1
                print(f"{name}: killed at request {at}, acts {acts}: {after}, same state {is_same}")
    print(f"{name}: {kills} kills, {kills - wrong} converged, in {named} the journal names it")
    return wrong


def main(argv: list[str]) -> int:
    """`child …` applies; else every n-th request is killed at. 1 if an apply after it did not converge."""
    if argv[:1] == ["child"]:
        return _child(argv[1], argv[2:])
    from sqlprovider.surfaces.mlflow_server import start_mlflow_server

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--platform", action="append", choices=("vertex", "mlflow"))
    parser.add_argument("--step", type=int, default=1, help="every n-th request only")
    given = parser.parse_args(argv)
    wrong = 0
    if "vertex" in (platforms := given.platform or ("vertex", "mlflow")):
        wrong += _every(lambda folder, at, acts: _kill_vertex(folder, at, acts=acts), "vertex", given.step)
    if "mlflow" in platforms:
        with tempfile.TemporaryDirectory() as store, start_mlflow_server(Path(store)) as server:
            url = server.base_url
            wrong += _every(
                lambda folder, at, acts: _kill_mlflow(folder, url, at, acts=acts), "mlflow", given.step
            )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
