"""`providers check --exercise`: one line a resource, and what failed of it."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TextIO

from sqlprovider.exercise.run import exercise, subjects
from sqlprovider.exercise.trial import Outcome
from sqlprovider.surfaces.failures import FAILED, OK


def exercise_document(document: Path, *, stdout: TextIO, stderr: TextIO) -> int:
    """Tries what a folder, a provider.yaml or a service's file describes; the exit code."""
    folder = document if document.is_dir() else document.parent
    found = subjects(folder)
    # A service's file is that service alone; any other file of the folder stands for all of them.
    named = [subject for subject in found if not document.is_dir() and subject[0] == document.stem]
    failed = 0
    for service, version in named or found:
        offered = sum(name == service for name, _ in found)
        for _, outcomes in groupby(exercise(folder, service, version), key=lambda outcome: outcome.resource):
            failed += _print(list(outcomes), f" ({version})" if offered > 1 else "", stdout)
            stdout.flush()
    stderr.write(f"{document}: {failed or 'nothing'} failed\n")
    return FAILED if failed else OK


def _print(outcomes: list[Outcome], version: str, stdout: TextIO) -> int:
    """One resource; how much of it failed."""
    failures = [outcome for outcome in outcomes if outcome.message is not None]
    passed = len(outcomes) - len(failures)
    said = f"{passed} checks passed" + (f", {len(failures)} failed" if failures else "")
    stdout.write(f"{outcomes[0].resource}{version}: {said}\n")
    for outcome in failures:
        stdout.write(f"  {outcome.check}: {outcome.message}\n")
    return len(failures)
