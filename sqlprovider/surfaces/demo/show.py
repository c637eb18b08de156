"""One stop of the tour on the terminal: its title, the SQL, the rows, what it took."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

from sqlprovider.errors import Error, InternalError, StatementInterrupted
from sqlprovider.surfaces.demo.tour import Stop
from sqlprovider.surfaces.interrupt import interrupting
from sqlprovider.surfaces.progress import counted
from sqlprovider.surfaces.table import PlainConsole, TablePrinter

if TYPE_CHECKING:
    from sqlprovider.session import Session


@dataclass(slots=True)
class _Taken:
    """What a stop took so far."""

    rows: int = 0
    requests: int = 0


def show_tour(session: Session, stops: Sequence[Stop], *, words: Mapping[str, str], stdout: TextIO) -> None:
    """Every stop in order; ends with an error at the first one that does not do what the tour says."""
    console = PlainConsole(file=stdout, highlight=False)
    known = dict(words)
    for number, stop in enumerate(stops, 1):
        sql = _fill(stop.sql, known)
        _print_heading(console, f"{number}/{len(stops)}  {stop.title}", sql)
        started = time.perf_counter()
        with interrupting(session) as control:
            if stop.refused:
                taken = _show_refusal(session, sql, console)
            else:
                taken = _show_results(session, sql, stdout, remember=stop.remember, known=known)
        if control.pressed:
            raise StatementInterrupted("interrupted")
        _print_footing(console, stop.note, taken, seconds=time.perf_counter() - started)


def _fill(sql: str, known: Mapping[str, str]) -> str:
    for word, value in known.items():
        sql = sql.replace(f"{{{word}}}", f"'{value}'")
    return sql


def _show_results(
    session: Session, sql: str, stdout: TextIO, *, remember: str | None, known: dict[str, str]
) -> _Taken:
    printer, taken = TablePrinter(stdout), _Taken()
    for result in session.run(sql, ()):
        rows = list(result.rows)
        taken.requests += result.requests
        if not result.columns:  # nothing to show: a local write, or an EXEC whose answer is empty
            continue
        taken.rows += len(rows)
        printer.write(result.columns, rows)
        if remember is not None and rows:
            position = [column.name for column in result.columns].index(remember)
            known[remember] = str(rows[0][position])
    return taken


def _show_refusal(session: Session, sql: str, console: Console) -> _Taken:
    try:
        for result in session.run(sql, ()):
            list(result.rows)
    except Error as error:
        console.print(Text(f"{type(error).__name__}: {error}", style="yellow"), soft_wrap=True)
        return _Taken()
    raise InternalError("the tour's statement should have been refused")


def _print_heading(console: Console, title: str, sql: str) -> None:
    console.print()
    console.rule(Text(title, style="bold"), align="left")
    if console.is_terminal:
        console.print(Syntax(sql, "sql", background_color="default", word_wrap=True))
    else:
        console.out(sql)
    console.print()


def _print_footing(console: Console, note: str, taken: _Taken, *, seconds: float) -> None:
    if note:
        console.print(Text(note, style="italic"), soft_wrap=True)
    counts = f"{counted(taken.rows, 'row')}, {counted(taken.requests, 'request')}, {seconds:.2f} s"
    console.print(Text(counts, style="dim"))
