"""Row 11: processes, from nothing to their first answer."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlprovider.errors import OperationalError
from tests.bench.bench import LATENCY, Bench
from tests.bench.children import ROOT
from tests.bench.goals import Answer, AtMost
from tests.bench.measure import Sides, Work

_APSW = "import apsw; print(*apsw.Connection(':memory:').execute('SELECT 1').fetchone())"
_HTTPX = (
    "import sys, httpx; "
    "url = sys.argv[1] + '/api/2.0/mlflow/experiments/search'; "
    "found = httpx.get(url, params={'max_results': 1}).json(); "
    "print(found['experiments'][0]['name'])"
)
_FIRST_ROW = "SELECT name FROM mlflow.tracking.experiments LIMIT 1"


def start_works(bench: Bench) -> Iterator[Work]:
    """Each command beside the least that a script could do; where both print a row, it must be the same."""
    bare = ("bare Python", "pass")
    yield _work(bench, "sqlprovider --version", ["--version"], *bare, 1.5)
    yield _work(bench, "sqlprovider --help", ["--help"], *bare, 4)
    yield _work(bench, 'sqlprovider query "SELECT 1"', ["query", "SELECT 1"], "bare apsw script", _APSW, 5)
    yield _work(
        bench, "first MLflow row", ["query", _FIRST_ROW], "a script that calls httpx.get", _HTTPX, 1.7
    )


def _work(
    bench: Bench, title: str, arguments: Sequence[str], against: str, script: str, times: float
) -> Work:
    @contextmanager
    def sides() -> Iterator[Sides]:
        bench.pages.answer_after(LATENCY)
        base_url = bench.pages.base_url
        environ = {
            **os.environ,
            **bench.environ,
            "MLFLOW_TRACKING_URI": base_url,
            "PYTHONPATH": str(ROOT),
            # An installed package has its bytecode: it is kept here, whatever the caller's Python does.
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": str(bench.home / "bytecode"),
        }
        prints_a_row = script != "pass"

        def run(command: Sequence[str]) -> Answer:
            done = subprocess.run(
                command, cwd=bench.home, env=environ, capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise OperationalError(done.stderr)
            return Answer([(done.stdout.splitlines()[-1],)] if prints_a_row else [])

        yield Sides(
            lambda: run([*_command(), *arguments]),
            lambda: run([sys.executable, "-c", script, base_url]),
            bench.pages.requests,
        )

    return Work(11, title, against, (AtMost(times),), sides)


def _command() -> list[str]:
    """The installed command; without one, what it runs."""
    installed = Path(sys.executable).with_name("sqlprovider")
    return [str(installed)] if installed.exists() else [sys.executable, "-m", "sqlprovider"]
