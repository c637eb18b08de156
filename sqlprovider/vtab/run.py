"""What one statement runs under."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlprovider.config import Settings
    from sqlprovider.execute.executor import StatementCalls
    from sqlprovider.execute.journal import Journal
    from sqlprovider.vtab.database import Bindings


@dataclass(frozen=True, slots=True)
class WritePlan:
    """A write about to be sent, for whoever is asked whether it may be."""

    statement: str
    what: str
    """`UPDATE of lab.bench.trials`."""
    rows: int
    requests: int
    """As many as are known to be needed."""
    examples: tuple[str, ...]
    """The keys, or what is given, of the first rows."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one statement runs under."""

    bindings: Bindings
    calls: StatementCalls
    settings: Settings
    more: Iterable[Bindings] = ()
    """The other sets of parameters of an `executemany`."""
    journal: Journal | None = None
    confirm: Callable[[WritePlan], bool] | None = None
    """Asked before the first request of a write; False: nothing is sent."""
    conceal: bool = False
    """The journal keeps nothing that could quote a value."""
