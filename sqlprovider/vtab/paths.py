"""The ways round the plain one that a SELECT may take. All of them give the same rows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Paths:
    """Which are open; tests close them to compare."""

    direct: bool = True
    """What one scan answers is not handed through SQLite."""
    ahead: bool = True
    """Dependent joins are run ahead."""
    early: bool = True
    """What needs nothing of another table is begun at once."""


EVERY_PATH = Paths()
