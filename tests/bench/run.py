"""`make bench`: each row of `work.py`, best of several runs, as a Markdown table and as JSON.

The exit code is 1 where the two sides' answers differ; a goal that is missed stays in the table.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import httpx

from tests.bench.server import page_server
from tests.bench.work import ROWS, WORKS, Answer, Work, open_bench_session

_From = TypeVar("_From")


@dataclass(frozen=True, slots=True)
class Measured:
    """A row of the table: the least seconds of each side, and their medians' ratio."""

    id: int
    work: str
    against: str
    ours_s: float
    against_s: float
    ratio: float
    requests: int
    goal: float
    met: bool
    same: bool


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    wanted = {int(number) for number in options.only.split(",")} if options.only else None
    measured = [_measure(work, runs=options.runs) for work in WORKS if wanted is None or work.id in wanted]
    print(_table(measured))
    if options.json:
        Path(options.json).write_text(json.dumps(_report(measured), indent=2) + "\n", encoding="utf-8")
    different = [row.id for row in measured if not row.same]
    if different:
        print(f"\nrows with differing answers: {different}")
    return 1 if different else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="runs of each side (default 5)")
    parser.add_argument("--only", metavar="N,N", help="only these rows")
    parser.add_argument("--json", metavar="FILE", help="write the results as JSON too")
    return parser


def _measure(work: Work, *, runs: int) -> Measured:
    with (
        page_server(ROWS, latency=work.latency) as base_url,
        closing(open_bench_session(base_url)) as session,
        httpx.Client(base_url=base_url) as client,
    ):
        ours, our_seconds = _timed(work.ours, session, runs=runs)
        theirs, their_seconds = _timed(work.against, client, runs=runs)
    ratio = statistics.median(our_seconds) / statistics.median(their_seconds)
    return Measured(
        id=work.id,
        work=work.title,
        against=work.against_title,
        ours_s=round(min(our_seconds), 3),
        against_s=round(min(their_seconds), 3),
        ratio=round(ratio, 2),
        requests=ours.requests,
        goal=work.goal,
        met=ratio <= work.goal,
        same=sorted(ours.rows, key=repr) == sorted(theirs.rows, key=repr),
    )


def _timed(work: Callable[[_From], Answer], source: _From, *, runs: int) -> tuple[Answer, list[float]]:
    """The answer and the seconds of each run; a first one, which opens connections, is not counted."""
    answer = work(source)
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        answer = work(source)
        seconds.append(time.perf_counter() - started)
    return answer, seconds


def _table(measured: Sequence[Measured]) -> str:
    lines = [
        "| # | work | against | sqlprovider s | against s | ratio | requests | goal | met |",
        "|--:|---|---|--:|--:|--:|--:|--:|---|",
    ]
    lines += [
        f"| {row.id} | {row.work} | {row.against} | {row.ours_s} | {row.against_s} | {row.ratio} × "
        f"| {row.requests} | ≤ {row.goal} × | {'yes' if row.met else 'no'} |"
        for row in measured
    ]
    return "\n".join(lines)


def _report(measured: Sequence[Measured]) -> dict[str, object]:
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return {
        "machine": platform.platform(),
        "python": platform.python_version(),
        "commit": commit.stdout.strip() or None,
        "rows": [asdict(row) for row in measured],
    }


if __name__ == "__main__":
    raise SystemExit(main())
