"""A script run for someone who watches: rows on stdout as they come, everything else on stderr."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TextIO, TypeAlias

from sqlprovider.errors import StatementInterrupted
from sqlprovider.surfaces.interrupt import interrupting
from sqlprovider.surfaces.progress import Progress, counted
from sqlprovider.surfaces.rows import exhaust, let_go
from sqlprovider.surfaces.tracing import watch_requests
from sqlprovider.surfaces.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlprovider.session import Result, Session, WaitProgress, WritePlan, WriteProgress
    from sqlprovider.surfaces.confirm import Confirm
    from sqlprovider.surfaces.render import Printer
    from sqlprovider.values import SQLValue

Params: TypeAlias = "Sequence[SQLValue] | Mapping[str, SQLValue]"


class Watched:
    """A session whose statements are printed."""

    def __init__(self, session: Session, printer: Printer, *, stdout: TextIO, stderr: TextIO) -> None:
        self.session = session
        self.printer = printer
        self.stderr = stderr
        self._stdout = stdout
        self._progress = Progress(stderr, shown=False)
        self._params: Params = ()
        watch_requests(session, stderr, on_request=self._count_request)
        session.on_progress(self._note)

    def ask_before_writes(self, confirm: Confirm) -> None:
        """Put each write to `confirm` before it is sent."""

        def on_write(plan: WritePlan) -> bool:
            with self._progress.hidden():
                return confirm(plan, self._params)

        self.session.on_write(on_write)

    @property
    def progress_text(self) -> str:
        """What the statement that runs has come to."""
        return self._progress.text()

    def run(self, text: str, params: Params, *, timed: bool = False) -> None:
        """Run the statements one after the other. Raises what the first failing one raises."""
        self._params = params
        with interrupting(self.session) as control:
            results = self.session.run(text, params)
            try:
                while self._run_next(results, timed=timed):
                    if control.pressed:
                        raise StatementInterrupted("interrupted")
            finally:
                let_go(results)

    def _run_next(self, results: Iterator[Result], *, timed: bool) -> bool:
        started = time.monotonic()
        with Progress(self.stderr, shown=self._shows_progress()) as progress:
            self._progress = progress
            if (result := next(results, None)) is None:
                return False
            try:
                self._print_rows(result, progress)
            finally:
                progress.stop()
                let_go(result.rows)
                for warning in result.warnings:
                    self._say(f"warning: {warning}")
        seconds = time.monotonic() - started - progress.held
        self._show_count(result, progress, seconds=seconds if timed else None)
        return True

    def _print_rows(self, result: Result, progress: Progress) -> None:
        # Rows that stream onto the terminal would run into the line that shows the progress.
        collides = self.printer.streams and self._stdout.isatty()
        rows = progress.count(result.rows, stop_at_first=collides)
        if result.columns is not None:
            self.printer.write(result.columns, rows)
        else:
            exhaust(rows)

    def _show_count(self, result: Result, progress: Progress, *, seconds: float | None) -> None:
        lines = list(result.notices)
        if result.columns is None and not lines and result.rowcount >= 0:
            lines = [counted(result.rowcount, "row")]
        if seconds is not None:
            rows = [counted(progress.rows, "row")] if result.columns is not None else lines
            lines = [", ".join([*rows, counted(progress.requests, "request"), f"{seconds:.2f} s"])]
        for line in lines:
            self._say(line)

    def _shows_progress(self) -> bool:
        settings = self.session.settings
        return self.stderr.isatty() and not settings.trace and not settings.dry_run

    def _count_request(self) -> None:
        self._progress.requests += 1

    def _note(self, event: WriteProgress | WaitProgress) -> None:
        self._progress.note(event)

    def _say(self, text: str) -> None:
        self.stderr.write(f"{visible(text)}\n")
