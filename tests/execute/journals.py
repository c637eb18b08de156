"""Journals in a folder, and processes of their own that write one."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlprovider.execute.journal import Journal, JournalRow, StatementJournal
from sqlprovider.values import SQLValue

AT = 1767323045.678
TEXT = "INSERT INTO a.b.c (k) VALUES ('v')"
ROOT = Path(__file__).parents[2]
COLUMNS = (
    *("sequence", "resource", "method", "key", "state", "http_status", "code"),
    *("message", "request_id", "input_row"),
)
SCRIPT = """
import resource, signal, sys, threading, time
from pathlib import Path
from sqlprovider.execute.journal import Journal, JournalRow
from sqlprovider.execute.journal_file import JournalFile

def row(number, state=None, note=None):
    return JournalRow(number, "a.b.c", "create", f"id={number}", state, None, None, None, None, note)

def say(*words):
    print(*words, flush=True)

folder = Path(sys.argv[1])
journal = Journal(folder, environ={}, now=time.time)
journal.on_warning = lambda warning: say(warning.reason, warning)
"""


def row(number: int = 1, state: str | None = None, **more: str | int) -> JournalRow:
    cells: dict[str, str | int | None] = dict.fromkeys(COLUMNS)
    return JournalRow(**(cells | {"sequence": number, "resource": "a.b.c", "state": state} | more))  # type: ignore[arg-type]  # a cell has its column's type


def make(
    folder: Path, *, masked: bool = False, bodies: bool = False, enabled: bool = True
) -> tuple[Journal, StatementJournal]:
    journal = Journal(folder, environ={}, now=lambda: AT)
    return journal, statement(journal, masked=masked, bodies=bodies, enabled=enabled)


def statement(
    journal: Journal, text: str = TEXT, *, masked: bool = False, bodies: bool = False, enabled: bool = True
) -> StatementJournal:
    return journal.statement(text, masked=masked, bodies=bodies, enabled=enabled)


def sequences(journal: Journal) -> list[SQLValue]:
    return [found["sequence"] for found in journal.read()]


def in_threads(count: int, task: Callable[[int], None]) -> None:
    start = threading.Barrier(count)

    def run(number: int) -> None:
        start.wait()
        task(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@contextmanager
def process(code: str, folder: Path, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """A Python of its own that has run SCRIPT; killed when the block ends."""
    command = [sys.executable, "-c", SCRIPT + code, str(folder)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environ},
    ) as started:
        yield started
        started.kill()


def output(code: str, folder: Path, **environ: str) -> str:
    with process(code, folder, **environ) as started:
        printed, _ = started.communicate(timeout=60)
        assert started.returncode == 0
        return printed
