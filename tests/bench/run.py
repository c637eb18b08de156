"""`make bench`: every work of `works.py`, as a Markdown table and as JSON.

The exit code is 1 where a row's answers differ from what it is compared with; a goal that is missed stays in
the table with its figure.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.bench.measure import Measured, Work, measure
from tests.bench.report import machine, report, table
from tests.bench.store import FULL, Scale
from tests.bench.works import works as all_works

MOST_SECONDS = 8.0
"""A side that has run for so long is run no more: a loop that asks 400 times in turn is as slow each time."""


Works = Callable[[ExitStack, Scale], Iterable[Work]]


def main(arguments: Sequence[str] | None = None, *, scale: Scale = FULL, works: Works = all_works) -> int:
    """Runs the works and prints what they took; the exit code."""
    options = _parser().parse_args(arguments)
    wanted = {int(number) for number in options.only.split(",")} if options.only else None
    measured: list[Measured] = []
    with ExitStack() as stack:
        for work in works(stack, scale):
            if wanted is None or work.id in wanted:
                if sys.stderr.isatty():
                    print(f"{work.id} {work.title} …", file=sys.stderr)
                measured.append(measure(work, runs=options.runs, most_seconds=MOST_SECONDS))
    print(table(measured, runs=options.runs))
    print(f"\n{machine()}; the least of {options.runs} runs, in brackets their median.")
    if options.json:
        Path(options.json).write_text(json.dumps(report(measured), indent=2) + "\n", encoding="utf-8")
    for row in measured:
        if row.problem:
            print(f"\n{row.work.id} {row.work.title}: {row.problem}")
    return 1 if any(row.problem for row in measured) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="runs of each side (default 5)")
    parser.add_argument("--only", metavar="N,N", help="only these rows")
    parser.add_argument("--json", metavar="FILE", help="write the results as JSON too")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
