"""Row 10: resident memory over the start, each time in a process of its own, which is the command line's.

`python -m tests.bench.memory URL OUTPUT SQL` is that process. When it has printed one row, so that every
library is loaded, its start is over; what it says at the end is the megabytes between then and its peak.
"""

from __future__ import annotations

import csv
import hashlib
import os
import resource
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlprovider.errors import OperationalError
from sqlprovider.session import Session
from sqlprovider.surfaces.cli import main as run_command
from sqlprovider.surfaces.opening import Source
from sqlprovider.values import Row
from tests.bench.bench import Bench, open_bench_session
from tests.bench.children import ROOT
from tests.bench.goals import Answer, Goal, Megabytes
from tests.bench.measure import Sides, Work
from tests.bench.store import COLUMNS, PAGE, item, row_of

_GROUPED = (
    "SELECT owner, count(*) AS n, sum(size) AS total, max(score) AS best "
    "FROM bench.store.million GROUP BY owner ORDER BY owner"
)
_SCAN = "SELECT * FROM bench.store.million"
_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")


def memory_works(bench: Bench) -> Iterator[Work]:
    """An aggregate, and all rows to CSV."""
    count = bench.scale.million
    grouped = (("owner", "n", "total", "best"), _grouped(count))
    yield _work(bench, f"{count:,} rows aggregated, no latency", _GROUPED, grouped, Megabytes(40))
    yield _work(bench, f"{count:,} rows to CSV, no latency", _SCAN, (COLUMNS, _rows(count)), Megabytes(60))


def _work(
    bench: Bench, title: str, sql: str, expected: tuple[Sequence[str], Iterator[Row]], goal: Goal
) -> Work:
    @contextmanager
    def sides() -> Iterator[Sides]:
        bench.pages.answer_after(0.0)
        wanted, output = bench.home / "wanted.csv", bench.home / "output.csv"
        with wanted.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows((expected[0], *expected[1]))

        def ours() -> Answer:
            command = [sys.executable, "-m", "tests.bench.memory", bench.pages.base_url, str(output), sql]
            environ = {**os.environ, **bench.environ}
            done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
            if done.returncode:
                raise OperationalError(done.stderr)
            return Answer([(_digest(output),)], megabytes=float(done.stdout))

        yield Sides(ours, None, bench.pages.requests, lambda rows: list(rows) == [(_digest(wanted),)])

    return Work(10, title, "resident memory over the start", (goal,), sides, latency=0.0)


def _rows(count: int) -> Iterator[Row]:
    """What `million` has: a page's items, each with an id of its own; BOOLEAN is 0 or 1."""
    held = [
        tuple(int(cell) if isinstance(cell, bool) else cell for cell in row_of(item(number)))[1:]
        for number in range(PAGE)
    ]
    for number in range(count):
        yield (f"r{number:07}", *held[number % PAGE])


def _grouped(count: int) -> Iterator[Row]:
    groups: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for _, _, owner, _, size, score, _, _ in _rows(count):
        assert isinstance(owner, str)
        assert isinstance(size, int)
        assert isinstance(score, float)
        groups[owner].append((size, score))
    for owner, found in sorted(groups.items()):
        yield owner, len(found), sum(size for size, _ in found), max(score for _, score in found)


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def main() -> None:
    """The process that is measured."""
    base_url, output, sql = sys.argv[1:]

    def open_session(
        source: Source,
        *,
        environ: Mapping[str, str],
        overrides: Sequence[str] = (),
        settings: Mapping[str, object] | None = None,
        database: str = ":memory:",
    ) -> Session:
        return open_bench_session(base_url)

    def query(text: str, file: str) -> None:
        with Path(file).open("w", encoding="utf-8") as stdout:
            if code := run_command(["query", "-o", "csv", text], stdout=stdout, open_session=open_session):
                raise SystemExit(code)

    query(f"{_SCAN} LIMIT 1", os.devnull)
    start = _resident()
    query(sql, output)
    print((_peak() - start) / 1e6)


def _resident() -> int:
    """The bytes that are resident now; the peak is counted from here on."""
    if not _RESET.exists():
        return _peak()
    _RESET.write_text("5", encoding="ascii")
    return _status("VmRSS")


def _peak() -> int:
    """The most bytes that were resident. (Without /proc: since the process began.)"""
    if _STATUS.exists():
        return _status("VmHWM")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _status(name: str) -> int:
    lines = _STATUS.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    main()
