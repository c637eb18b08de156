"""`python -m tests.bench.naming`: what it costs to name a resource, each time in a process of its own.

Nothing is sent: it is the time of the imports, of the provider, from its documents or from its compiled file,
and of the resources that are opened.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile

_STATEMENTS = (
    ("a resource of MLflow", "EXPLAIN SELECT * FROM mlflow.tracking.runs"),
    (
        "a resource of Vertex AI",
        "EXPLAIN SELECT * FROM google.aiplatform.runs WHERE projectsId = 'p' AND locationsId = 'l'",
    ),
    ("a resource of PAI-DLC", "EXPLAIN SELECT * FROM alibaba.paidlc.jobs"),
    ("a resource of OCI", "EXPLAIN SELECT * FROM oci.aidataplatform.runs WHERE aiDataPlatformId = 'x'"),
    ("SHOW RESOURCES IN google.aiplatform", "SHOW RESOURCES IN google.aiplatform"),
    ("SHOW RESOURCES IN mlflow.tracking", "SHOW RESOURCES IN mlflow.tracking"),
)
_PROGRAM = """
import sys, time
from sqlprovider.catalog.load import provider_names
from sqlprovider.config import load_config
from sqlprovider.session import Session
session = Session(load_config({}, environ={}, providers=provider_names()), environ={})
for _ in range(2):
    started = time.perf_counter()
    for result in session.run(sys.argv[1]):
        list(result.rows)
    print((time.perf_counter() - started) * 1000)
"""


def main(runs: int = 7) -> None:
    """Prints the median ms of a session's first statement, its imports included, and of it once more."""
    print("| statement | first of all, ms | first, compiled, ms | again, ms |\n|---|--:|--:|--:|")
    for title, sql in _STATEMENTS:
        fresh = statistics.median(_run_fresh(sql) for _ in range(runs))
        with tempfile.TemporaryDirectory() as cache:
            _run(sql, cache)
            timed = [_run(sql, cache) for _ in range(runs)]
        first, again = (statistics.median(column) for column in zip(*timed, strict=True))
        print(f"| {title} | {fresh:.0f} | {first:.0f} | {again:.1f} |")


def _run_fresh(sql: str) -> float:
    """The first statement where no provider was ever compiled: it reads the documents and compiles them."""
    with tempfile.TemporaryDirectory() as cache:
        return _run(sql, cache)[0]


def _run(sql: str, cache: str) -> tuple[float, float]:
    finished = subprocess.run(
        [sys.executable, "-c", _PROGRAM, sql],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "SQLPROVIDER_CACHE_DIR": cache},
    )
    first, again = map(float, finished.stdout.split())
    return first, again


if __name__ == "__main__":
    main()
