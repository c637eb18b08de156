"""A real MLflow server with workspaces and webhooks to loopback; and SQL on it that knows which RPCs it made.

A test that says `@covers("createIssue", …)` is held to it: its statements must have made these calls.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from sqlprovider.config import load_config
from sqlprovider.errors import BackendError, Error
from sqlprovider.execute.clock import Clock
from sqlprovider.session import Session, provider_names
from sqlprovider.values import SQLValue
from tests.mlflow import Rest
from tests.mlflow_descriptors import operation_of

Params = Sequence[SQLValue] | Mapping[str, SQLValue]
Test = TypeVar("Test", bound=Callable[..., None])
Running = tuple[Rest, str]

REQUEST_TIME = "2026-01-02 03:04:05.678"
_STILL = Clock(monotonic=lambda: 0.0, pause=lambda stop, seconds: None, random=lambda: 0.0)
_SERVER = "sqlprovider.surfaces.mlflow_server"
_RUNNING = pytest.StashKey[Running]()
_SWITCHES = {
    "MLFLOW_ENABLE_WORKSPACES": "true",
    "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
    "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http",
}


def covers(*operations: str) -> Callable[[Test], Test]:
    """Says which RPCs a test makes; without a service they are MlflowService's."""

    def mark(test: Test) -> Test:
        test.covers = frozenset(map(_qualified, operations))  # type: ignore[attr-defined]  # read by `sql` below
        return test

    return mark


def _qualified(operation: str) -> str:
    return operation if "." in operation else f"MlflowService.{operation}"


@dataclass
class Served:
    """A running server, and what is on it."""

    base_url: str
    database: str
    """The URL of its store, for what no RPC can put there."""
    rest: Rest
    experiment: str
    """The id of an experiment."""
    run: str
    """The id of a run in it."""


@contextmanager
def rpc_server(directory: Path) -> Iterator[Running]:
    """A server in a subprocess that ends with the block, and the URL of its store."""
    from sqlprovider.surfaces.mlflow_server import _environment

    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", _SERVER, str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=_environment(directory) | _SWITCHES,
        )
    with process:
        assert process.stdout is not None
        assert process.stdin is not None
        port = process.stdout.readline().decode().strip()
        assert port, (directory / "log").read_text()
        with Rest(f"http://127.0.0.1:{port}") as rest:
            yield rest, f"sqlite:///{directory / 'mlflow.db'}"
        process.stdin.close()


@pytest.fixture(scope="module")
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Served:
    """One server for all files, started for the first who asks; an experiment and a run for each file."""
    running = request.config.stash.get(_RUNNING, None)
    if running is None:
        stack = ExitStack()
        request.config.add_cleanup(stack.close)
        running = stack.enter_context(rpc_server(tmp_path_factory.mktemp("mlflow-rpcs")))
        request.config.stash[_RUNNING] = running
    rest, database = running
    experiment = str(rest.post("experiments/create", name=request.module.__name__)["experiment_id"])
    run: Any = rest.post("runs/create", experiment_id=experiment, run_name="a run", start_time=1)["run"]
    return Served(rest.base_url, database, rest, experiment, str(run["info"]["run_id"]))


@pytest.fixture
def sql(served: Served, request: pytest.FixtureRequest) -> Iterator[Sql]:
    """Statements on the server; afterwards the test must have made the RPCs that it says it covers."""
    with httpx.HTTPTransport() as inner:
        asked = Sql(_Recorder(inner), served.base_url)
        with closing(asked.session):
            yield asked
    claimed: frozenset[str] = getattr(request.function, "covers", frozenset())
    missing = claimed - {operation_of(method, path) for method, path in asked.recorder.made}
    assert not missing, f"the test says that it makes {sorted(missing)}, and did not"


@dataclass
class _Recorder(httpx.BaseTransport):
    """Passes requests on and keeps their method and raw path."""

    inner: httpx.BaseTransport
    made: list[tuple[str, str]] = field(default_factory=list)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.made.append((request.method, request.url.raw_path.decode().partition("?")[0]))
        return self.inner.handle_request(request)


class Sql:
    """A session whose answers are read whole."""

    def __init__(self, recorder: _Recorder, base_url: str) -> None:
        self.recorder = recorder
        config = load_config(
            {"connections": {"mlflow": {"base_url": base_url}}}, environ={}, providers=provider_names()
        )
        self.session = Session(config, transport=recorder, environ={}, clock=_STILL)

    def rows(self, text: str, params: Params = ()) -> list[tuple[SQLValue, ...]]:
        """The rows of one statement."""
        (result,) = self.session.run(text, params)
        return [tuple(row) for row in result.rows]

    def row(self, text: str, params: Params = ()) -> tuple[SQLValue, ...]:
        """The only row."""
        (row,) = self.rows(text, params)
        return row

    def value(self, text: str, params: Params = ()) -> SQLValue:
        """The only cell of the only row."""
        (value,) = self.row(text, params)
        return value

    def do(self, text: str, params: Params = ()) -> int:
        """How many rows a write changed; -1 for an EXEC."""
        (result,) = self.session.run(text, params)
        list(result.rows)
        return result.rowcount

    def refused(self, text: str, params: Params = ()) -> Error:
        """The error that a statement ends with."""
        with pytest.raises(Error) as found:
            self.rows(text, params)
        return found.value

    def answered(self, text: str, params: Params = ()) -> BackendError:
        """The error that the server's answer stands for."""
        error = self.refused(text, params)
        assert isinstance(error, BackendError), error
        return error


def exec_text(method: str, **arguments: SQLValue) -> tuple[str, dict[str, SQLValue]]:
    """`EXEC mlflow.… @a = :a, …` and its parameters."""
    given = ", ".join(f"@{name} = :{name}" for name in arguments)
    return f"EXEC mlflow.{method} {given}", arguments


def unpacked(value: SQLValue) -> Any:
    """What a JSON column holds."""
    assert isinstance(value, str)
    return json.loads(value)
