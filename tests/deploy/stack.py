"""A stack of files and where it is deployed: a stand-in on loopback or a real server."""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from sqlprovider.surfaces.deploy.flags import add_deploy_commands, deploy_arguments, run_deploy
from sqlprovider.surfaces.opening import open_session
from tests.fakes.loopback import Loopback
from tests.fakes.vertex import VertexState, vertex_app

BOARD = "projects/acme/locations/us-central1/tensorboards/7"
TOKEN = "vertex-token"


@dataclass(frozen=True)
class Ran:
    """What a command gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def changes(self) -> dict[str, Any]:
        """The changes by id."""
        return {change["id"]: change for change in self.json["changes"]}

    def actions(self) -> dict[str, str]:
        """Id → action."""
        return {change["id"]: change["action"] for change in self.json["changes"]}


@dataclass
class Stack:
    """Files in a folder, and the configuration of what they are deployed to."""

    folder: Path
    config: Mapping[str, object]
    environ: dict[str, str] = field(default_factory=dict)
    answer: str = ""
    """What is typed when it asks; without it there is no terminal."""
    meanwhile: Callable[[], object] = dict
    """What happens before it is typed."""

    def write(self, text: str, name: str = "stack.yaml") -> str:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def run(self, *argv: str, settings: Mapping[str, object] | None = None) -> Ran:
        parser = argparse.ArgumentParser()
        add_deploy_commands(parser.add_subparsers(dest="command"))
        arguments = deploy_arguments(parser.parse_args(list(argv)))
        stdout, stderr = io.StringIO(), io.StringIO()
        stdin = _Terminal(self.answer, self.meanwhile) if self.answer else io.StringIO()
        with closing(open_session(self.config, environ=self.environ, settings=settings)) as session:
            code = run_deploy(
                arguments, session, stdin=stdin, stdout=stdout, stderr=stderr, environ=self.environ
            )
        return Ran(code, stdout.getvalue(), stderr.getvalue())

    def command(self, *argv: str, stdout: TextIO) -> tuple[int, str]:
        """The command line in a process of its own: its exit code, and what it says on stderr."""
        keys = [word for key in _keys(self.config["connections"]) for word in ("--set", key)]
        ran = subprocess.run(
            [sys.executable, "-m", "sqlprovider", *argv, *keys],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            env={**os.environ, **self.environ},
            text=True,
            check=False,
        )
        return ran.returncode, ran.stderr

    def plan(self, *argv: str) -> Ran:
        """A plan as JSON."""
        return self.run("plan", *argv, "-o", "json")

    def apply(self, *argv: str) -> Ran:
        """An apply without a question, as JSON."""
        return self.run("apply", *argv, "--yes", "-o", "json")

    def destroy(self, *argv: str) -> Ran:
        """A destroy without a question, as JSON."""
        return self.run("destroy", *argv, "--yes", "-o", "json")


def _keys(value: object, path: str = "") -> Iterator[str]:
    """A configuration as `--set` takes it: `google.base_url=…`"""
    if not isinstance(value, Mapping):
        yield f"{path}={value}"
        return
    for key, inner in value.items():
        yield from _keys(inner, f"{path}.{key}" if path else str(key))


class _Terminal(io.StringIO):
    def __init__(self, answer: str, meanwhile: Callable[[], object]) -> None:
        super().__init__(f"{answer}\n")
        self._meanwhile = meanwhile

    def isatty(self) -> bool:
        return True

    def readline(self, *size: int) -> str:  # type: ignore[override]  # the base says bytes
        self._meanwhile()
        return super().readline(*size)


@dataclass
class VertexStack(Stack):
    """A stack on the stand-in of Vertex AI's TensorBoards."""

    state: VertexState = field(default_factory=VertexState)
    server: Loopback = field(default_factory=lambda: Loopback(vertex_app(VertexState())))

    def writes(self) -> list[str]:
        """The writing requests since the last time, as `POST …/runs:batchCreate`."""
        found = [
            f"{seen.method} {seen.path.removeprefix('/v1/' + BOARD)}"
            for seen in self.server.requests
            if seen.method != "GET" and not seen.path.endswith(":exportTensorboardTimeSeries")
        ]
        self.server.requests.clear()
        return found


@contextmanager
def vertex_stack(folder: Path) -> Iterator[VertexStack]:
    """TensorBoard 7, empty, and a configuration for it."""
    state = VertexState()
    state.add(BOARD, {"displayName": "main"})
    with Loopback(vertex_app(state, token=TOKEN)) as server:
        yield VertexStack(
            folder,
            vertex_config(server.base_url),
            {"GOOGLE_TOKEN": TOKEN, "XDG_STATE_HOME": str(folder), "HOME": str(folder)},
            state=state,
            server=server,
        )


def vertex_config(base_url: str) -> dict[str, object]:
    """The connection of the stand-in."""
    return {
        "connections": {
            "google": {
                "base_url": base_url,
                "auth": {"type": "token", "env": "GOOGLE_TOKEN"},
                "defaults": {"projectsId": "acme", "locationsId": "us-central1"},
            }
        }
    }


def sweep(runs: int, *, points: bool = False) -> str:
    """An experiment with so many runs, and with points a time series and a point of each."""
    lines = [
        "use: google.aiplatform",
        "resources:",
        "- name: experiments",
        "  id: exp",
        "  props:",
        "  - {name: tensorboardsId, value: '7'}",
        "  - {name: tensorboardExperimentId, value: sweep}",
        "  - {name: displayName, value: Sweep}",
        "- name: runs",
        "  id: run",
        "  props:",
        "  - {name: tensorboardsId, value: '7'}",
        "  - {name: experimentsId, value: '{{ exp.experimentsId }}'}",
        "  items:",
        *(f"    r{n}: {{tensorboardRunId: run-{n}, displayName: Run {n}}}" for n in range(runs)),
    ]
    if points:
        of_run = "  - {name: tensorboardsId, value: '7'}\n  - {name: experimentsId, value: sweep}"
        lines += [
            f"- name: time_series\n  id: loss\n  props:\n{of_run}",
            "  - {name: tensorboardTimeSeriesId, value: loss}\n  - {name: displayName, value: loss}",
            "  - {name: valueType, value: SCALAR}\n  items:",
            *(f"    r{n}: {{runsId: '{{{{ run.r{n}.runsId }}}}'}}" for n in range(runs)),
            f"- name: time_series_points\n  id: point\n  props:\n{of_run}",
            "  - {name: timeSeriesId, value: loss}\n  - {name: step, value: 1}",
            "  - {name: value, value: 0.5}",
            "  items:",
            *(f"    r{n}: {{runsId: '{{{{ loss.r{n}.runsId }}}}'}}" for n in range(runs)),
        ]
    return "\n".join(lines) + "\n"
