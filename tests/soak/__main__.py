"""`python -m tests.soak [--seed N] [--count N] [--minutes N] [--scripts N]`: the long runs in turn."""

from __future__ import annotations

import argparse
import sys

from tests.soak import mixed, statements
from tests.writes import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seed", default="0", help="which work (default 0)")
    parser.add_argument("--count", default="50000", help="SELECTs by every way (default 50000)")
    parser.add_argument("--minutes", default="10", help="of mixed work (default 10)")
    parser.add_argument("--scripts", default="1000", help="scripts of writes (default 1000)")
    options = parser.parse_args()
    seed = ("--seed", options.seed)
    print("== SELECTs by every way", flush=True)
    failed = statements.main([*seed, "--count", options.count])
    print("== mixed work", flush=True)
    failed += mixed.main([*seed, "--minutes", options.minutes])
    print("== scripts of writes", flush=True)
    failed += run.main([*seed, "--scripts", options.scripts])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
