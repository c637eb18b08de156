"""`python -m tests.faults.run`: the fault matrix, or a sample of it, with a table of its counts.

Exit 1 if a cell is wrong. `--only` takes part of a cell's name (`google`, `runs.create`, `429`), repeatable.
"""

from __future__ import annotations

import argparse
import random
import sys
import time

from tests.faults.cell import Cell
from tests.faults.judge import Wrong
from tests.faults.matrix import all_cells, all_scenarios, run_cells, sample
from tests.faults.model import Lab


def main() -> int:
    options = _options()
    cells = list(all_cells(all_scenarios()))
    cells = [cell for cell in cells if all(word in cell.name for word in options.only)]
    if options.list:
        print("\n".join(cell.name for cell in cells))
        return 0
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    if not options.all:
        cells = sample(cells, min(options.count, len(cells)), seed=seed)
        print(f"{len(cells)} cells, --seed {seed}")
    began = time.monotonic()
    with Lab() as lab:
        each = _say if options.verbose else None
        counts = run_cells(cells, lab, threads=options.threads, each=each)
    print(counts.table())
    print(f"{time.monotonic() - began:.0f} s")
    if counts.found:
        print(counts.reasons())
    return 1 if counts.found else 0


def _say(cell: Cell, wrongs: list[Wrong]) -> None:
    """The first of what is wrong in a cell."""
    for wrong in wrongs[:3]:
        print(f"{cell.name}: {wrong.sort}: {wrong.why} [{wrong.marker}]", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.run", description=__doc__)
    parser.add_argument("--all", action="store_true", help="every cell")
    parser.add_argument("--count", type=int, default=300, help="otherwise so many")
    parser.add_argument("--seed", type=int, help="which ones; by default others each time")
    parser.add_argument(
        "--only", action="append", default=[], metavar="WORD", help="cells whose name holds it"
    )
    parser.add_argument("--threads", type=int, default=4, help="cells under way at once")
    parser.add_argument("--verbose", action="store_true", help="each wrong cell as it is found")
    parser.add_argument("--list", action="store_true", help="the cells' names, and nothing else")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
