"""A real MLflow server in a subprocess on loopback, for the demonstration and for the tests.

The child is this module run with `-m`: it makes an empty store, binds a port, says on its stdout which one,
and serves until its stdin ends, so that it never outlives the process that started it.
"""

from __future__ import annotations

import argparse
import gc
import http.client
import importlib.util
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlprovider.errors import ConfigError, OperationalError

_MODULES = ("mlflow", "flask", "flask_cors", "sqlalchemy", "alembic", "graphene", "waitress")
_LOOPBACK = "127.0.0.1"
_START_SECONDS = 60.0
_STOP_SECONDS = 5.0
_THREADS = 16
_LOG_LINES = 20


class MlflowServer:
    """A running server. `stop()`, or the end of a `with`, ends it; so does the end of this process."""

    def __init__(self, process: subprocess.Popen[bytes], *, port: int, log: Path) -> None:
        self._process = process
        self.port = port
        self.log = log
        """Where the server writes what it has to say."""

    @property
    def base_url(self) -> str:
        return f"http://{_LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        """End the server; harmless if it has ended already."""
        _end(self._process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start_mlflow_server(directory: Path, *, port: int = 0) -> MlflowServer:
    """Start a server whose database, artifacts and log live in `directory`; it answers when this returns.

    With port 0 the server takes a free one. Raises ConfigError if the `demo` extra is not installed.
    """
    _require_demo_extra()
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    log = directory / "mlflow-server.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "sqlprovider.surfaces.mlflow_server", str(directory), "--port", str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            env=_environment(directory),
            # Ctrl-C in the terminal must reach the statement that runs, not the server under it.
            start_new_session=True,
        )
    try:
        server = MlflowServer(process, port=_announced_port(process, log), log=log)
        _await_health(server)
    except BaseException:
        _end(process)
        raise
    return server


def _require_demo_extra() -> None:
    missing = [name for name in _MODULES if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"an MLflow server needs {', '.join(missing)}, which is not installed",
            reason="no_demo_extra",
            hint="pip install 'sqlprovider[demo]'",
        )


def _environment(directory: Path) -> dict[str, str]:
    """Ours, without the MLflow settings of whoever calls, and with the server's own."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "_MLFLOW_"))}
    root = str(Path(__file__).resolve().parents[2])
    store = f"sqlite:///{directory / 'mlflow.db'}"
    return inherited | {
        "PYTHONPATH": os.pathsep.join(filter(None, [root, inherited.get("PYTHONPATH")])),
        "_MLFLOW_SERVER_FILE_STORE": store,
        "_MLFLOW_SERVER_REGISTRY_STORE": store,
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(directory / "artifacts"),
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


def _announced_port(process: subprocess.Popen[bytes], log: Path) -> int:
    """The port, as the child says it; a child that ends or hangs instead is an error with its last words."""
    assert process.stdout is not None
    timer = threading.Timer(_START_SECONDS, process.kill)
    timer.start()
    try:
        line = process.stdout.readline()
    finally:
        timer.cancel()
    if not line.strip().isdigit():
        raise _not_up(log)
    return int(line)


def _await_health(server: MlflowServer) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection(_LOOPBACK, server.port, timeout=5)
        try:
            connection.request("GET", "/health")
            if connection.getresponse().status == http.client.OK:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.05)
    raise _not_up(server.log)


def _not_up(log: Path) -> OperationalError:
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-_LOG_LINES:])
    return OperationalError(
        f"the MLflow server did not come up; the end of {log}:\n{tail}", reason="server_not_up"
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _serve(directory: Path, *, port: int) -> None:
    """The child: never returns while its parent lives."""
    announce = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else is printed is for the log
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    gc.disable()  # thousands of modules are about to be loaded; nothing of it is garbage
    import waitress  # type: ignore[import-untyped]  # noqa: PLC0415  the demo extra, only in the child
    from mlflow.server import app  # noqa: PLC0415  reads the environment while it is imported

    gc.enable()
    (directory / "artifacts").mkdir(exist_ok=True)  # without it artifacts/list answers 500
    listener = waitress.create_server(
        app, host=_LOOPBACK, port=port, threads=_THREADS, connection_limit=1000, channel_timeout=600
    )
    warm = app.test_client()  # the first request of each kind makes its store: 1 s
    for path in ("experiments/search", "registered-models/search"):
        answer = warm.get(f"/api/2.0/mlflow/{path}?max_results=1")
        if answer.status_code != http.client.OK:
            sys.exit(f"{path} answered {answer.status_code}: {answer.text}")
    announce.write(f"{listener.effective_port}\n")
    announce.close()
    listener.run()


def _exit_with_parent() -> None:
    """The parent's end of the pipe closes when it dies, however it dies."""
    sys.stdin.buffer.read()
    os._exit(0)


def _main() -> None:
    parser = argparse.ArgumentParser(description="Serve an MLflow store on loopback.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    _serve(arguments.directory, port=arguments.port)


if __name__ == "__main__":
    _main()
