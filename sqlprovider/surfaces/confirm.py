"""Before the first request of a write is sent: what it will do is shown, and somebody says yes or no."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TextIO

from sqlprovider.errors import Error
from sqlprovider.surfaces.progress import counted
from sqlprovider.surfaces.visible import visible

if TYPE_CHECKING:
    from sqlprovider.session import Session, WritePlan
    from sqlprovider.surfaces.statements import Params

QUESTION = "send it? [y/N/a] "
_LONGEST_EXAMPLE = 240
_STEPS = "step"
"""The first column of EXPLAIN where the text names a resource; SQLite's own EXPLAIN begins with another."""


class Confirm:
    """Shows a write and asks. `ask` puts the question; None is the end of the input, or Ctrl-C."""

    def __init__(self, session: Session, stderr: TextIO, *, ask: Callable[[str], str | None]) -> None:
        self.is_on = True
        """False: whatever is written goes out unasked (`a`, or `.confirm off`)."""
        self.in_transaction = False
        """Whether the last question was put by a COMMIT: its no ends the transaction."""
        self._session = session
        self._stderr = stderr
        self._ask = ask

    def __call__(self, plan: WritePlan, params: Params = ()) -> bool:
        """Whether to send it. What a dry run or nobody's row would send is not asked about."""
        if not self.is_on or not plan.requests or self._session.settings.dry_run:
            return True
        self.in_transaction = self._session.in_transaction
        self._show_steps(plan.statement, params)
        self._stderr.write(f"{visible(summary(plan))}\n")
        self._stderr.flush()
        match (self._ask(QUESTION) or "").strip().lower():
            case "y" | "yes":
                return True
            case "a" | "all" | "always":
                self.is_on = False
                return True
            case _:
                return False

    def _show_steps(self, statement: str, params: Params) -> None:
        """The rows of EXPLAIN, which sends nothing. A plan that cannot be shown is no reason not to ask."""
        from sqlprovider.surfaces.table import TablePrinter  # noqa: PLC0415  rich, for tables alone

        try:
            for result in self._session.run(f"EXPLAIN {statement}", params):
                if result.columns is None or result.columns[0].name != _STEPS:
                    return
                TablePrinter(self._stderr).write(result.columns, result.rows)
        except Error:
            return


def summary(plan: WritePlan) -> str:
    """What will be sent: how many rows and requests, and some of them."""
    head = f"{plan.what}: {counted(plan.rows, 'row')}, {counted(plan.requests, 'request')}"
    lines = [f"  {_short(example)}" for example in plan.examples]
    return "\n".join([head, *lines, *_rest(plan.examples, plan.requests)])


def _rest(examples: Sequence[str], requests: int) -> list[str]:
    left = requests - len(examples)
    return [f"  … and {left} more"] if examples and left > 0 else []


def _short(example: str) -> str:
    line = " ".join(example.split())
    return line if len(line) <= _LONGEST_EXAMPLE else f"{line[: _LONGEST_EXAMPLE - 1]}…"
