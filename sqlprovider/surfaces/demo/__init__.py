"""The demo: a real MLflow server on loopback, filled as a team would have, and a tour of statements.

`tour.py` holds the statements, `seed.py` the data, `show.py` what is printed of each.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TextIO

from sqlprovider.surfaces.demo.seed import Logged, log_experiments
from sqlprovider.surfaces.demo.show import show_tour
from sqlprovider.surfaces.demo.tour import STOPS
from sqlprovider.surfaces.mlflow_server import start_mlflow_server
from sqlprovider.surfaces.opening import open_session


def run_demo(keep: bool, *, stdout: TextIO, stderr: TextIO) -> int:
    """Start the server, fill it, give the tour; the exit code. `keep` leaves the server up until Ctrl-C.

    Raises ConfigError, with the pip line as hint, if the `demo` extra is not installed.
    """
    with tempfile.TemporaryDirectory(prefix="sqlprovider-demo-", ignore_cleanup_errors=True) as folder:
        stderr.write("starting an MLflow server on a free port of 127.0.0.1 …\n")
        stderr.flush()
        with start_mlflow_server(Path(folder), port=0) as server:
            logged = _fill(server.base_url, stderr)
            _give_tour(server.base_url, logged, stdout)
            if keep:
                _wait_for_interrupt(server.base_url, stdout)
            else:
                stdout.write(
                    "\nStatements of your own: `demo --keep` leaves the server up and says how to connect.\n"
                )
    return 0


def _fill(base_url: str, stderr: TextIO) -> Logged:
    started = time.perf_counter()

    def report(done: int, planned: int) -> None:
        if stderr.isatty() or done == planned:
            stderr.write(f"\rlogging runs: {done} of {planned}")
            stderr.flush()

    logged = log_experiments(base_url, now_ms=int(time.time() * 1000), progress=report)
    took = time.perf_counter() - started
    counts = f"{len(logged.experiment_ids)} experiments, {logged.runs} runs, {logged.points} points"
    stderr.write(f"\n{counts} in {took:.1f} s\n")
    stderr.flush()
    return logged


def _give_tour(base_url: str, logged: Logged, stdout: TextIO) -> None:
    with closing(open_session(_configuration(base_url), environ=os.environ)) as session:
        show_tour(session, STOPS, words=_words(logged), stdout=stdout)


def _configuration(base_url: str) -> dict[str, object]:
    return {"connections": {"mlflow": {"base_url": base_url, "auth": {"type": "none"}}}}


def _words(logged: Logged) -> dict[str, str]:
    """What the statements' placeholders stand for: the ids of the experiments that they name."""
    ids = logged.experiment_ids
    return {
        "sentiment": ids["sentiment-bert"],
        "image": ids["image-classifier"],
        "churn": ids["churn / gradient boosting"],
        "scratchpad": ids["Ana's scratchpad"],
    }


def _wait_for_interrupt(base_url: str, stdout: TextIO) -> None:
    program = sys.argv[0] if Path(sys.argv[0]).name == "sqlprovider" else "sqlprovider"
    stdout.write(
        f"""
The server stays up until Ctrl-C. In another terminal:

  export MLFLOW_TRACKING_URI={base_url}
  {program} shell
  {program} query "SELECT name FROM mlflow.tracking.experiments"

or in sqlprovider.toml:

  [connections.mlflow]
  base_url = "{base_url}"
"""
    )
    stdout.flush()
    with suppress(KeyboardInterrupt):
        threading.Event().wait()
