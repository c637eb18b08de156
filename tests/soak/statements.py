"""`python -m tests.soak.statements --count 50000 --seed N --jobs 2`: random SELECTs by every way.

Each statement goes by the plain way and with every way open, every other one with one way alone, in turn. The
first that gives other rows than plain SQLite is shrunk and printed; the exit code is 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import cycle
from multiprocessing import get_context
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.paths.agree import Disagreement, Ways
from tests.paths.drawn import lab_statements
from tests.paths.open import ALONE
from tests.statements import Drawn, statements

_ROUND = 500
"""Statements between two words of progress; each round has a seed of its own."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    rounds = -(-options.count // _ROUND)
    tally: Counter[str] = Counter()
    started = time.monotonic()
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        seeds = {pool.submit(judge, options.seed * 1_000_003 + n, _ROUND): n for n in range(rounds)}
        for done in as_completed(seeds):
            counted, failure = done.result()
            tally += counted
            if failure is not None:
                pool.shutdown(cancel_futures=True)
                print(f"seed {options.seed}, round {seeds[done]}:\n{failure}", file=sys.stderr)
                return 1
            print(
                f"{tally['statements']:>6} of {options.count}, {time.monotonic() - started:.0f} s", flush=True
            )
    for name, count in sorted(tally.items()):
        print(f"  {name}: {count}")
    return 0


def judge(number: int, count: int) -> tuple[Counter[str], str | None]:
    """So many statements of a seed: what they came to, and the shrunk failure."""
    alone = cycle([more for name in ALONE for more in ((name,), ())])
    with tempfile.TemporaryDirectory() as folder:
        ways = Ways(Path(folder), number)
        lab, data = ways.lab_tables(), ways.data_tables()

        @seed(number)
        @settings(
            max_examples=count,
            phases=(Phase.generate, Phase.shrink),
            database=None,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        )
        @given(st.one_of(lab_statements(lab), lab_statements(lab), statements(data)))
        def agree(drawn: Drawn) -> None:
            ways.check(drawn, ("none", "every", *next(alone)))

        try:
            agree()
        except Disagreement as found:
            return ways.tally, str(found)
        except BaseExceptionGroup as found:  # one that does not come every time: what is under way together
            some = [str(one) for one in found.exceptions if isinstance(one, Disagreement)]
            return ways.tally, "\n".join(some) or repr(found)
        finally:
            ways.close()
    return ways.tally, None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.statements", description=__doc__)
    parser.add_argument("--count", type=int, default=50_000, help="statements (default 50000)")
    parser.add_argument("--seed", type=int, default=0, help="which statements (default 0)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
