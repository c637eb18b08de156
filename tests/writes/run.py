"""`python -m tests.writes.run --seed N --scripts M`: the property test for as long as one likes.

Prints what the statements came to. The first script that disagrees is shrunk and printed; the exit code is 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.writes.play import play, scripts_server, told
from tests.writes.runner import Disagreement, Server
from tests.writes.scripts import Script, scripts


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory() as directory, scripts_server(Path(directory)) as server:
        failures = _search(server, options)
        print(told(server))
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.writes.run", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="which scripts (default 0)")
    parser.add_argument("--scripts", type=int, default=1000, help="how many (default 1000)")
    parser.add_argument("--statements", type=int, default=8, help="at most in each (default 8)")
    parser.add_argument("--no-shrink", action="store_true", help="print a failing script as it was drawn")
    return parser


def _search(server: Server, options: argparse.Namespace) -> list[str]:
    """The disagreements that were found, at most a few."""
    phases = (Phase.generate,) if options.no_shrink else (Phase.generate, Phase.shrink)

    @seed(options.seed)
    @settings(
        max_examples=options.scripts,
        phases=phases,
        database=None,
        deadline=None,
        derandomize=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(scripts(options.statements))
    def agree(drawn: Script) -> None:
        play(drawn, server)

    try:
        agree()
    except Disagreement as found:
        return [str(found)]
    except BaseExceptionGroup as found:  # one that does not come every time: what is under way together
        some = [str(one) for one in found.exceptions if isinstance(one, Disagreement)]
        if not some:
            raise
        return some
    return []


if __name__ == "__main__":
    sys.exit(main())
