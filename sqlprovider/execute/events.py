"""What was sent, as frozen values: for `sqlprovider.requests`, --trace, progress and --dry-run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One HTTP exchange: a row of `sqlprovider.requests`."""

    sequence: int
    connection: str
    resource: str
    method: str
    http_method: str
    url: str
    status: int | None
    """None: no answer came, or (attempt 0) a dry run did not send it."""
    attempt: int
    ms: float
    rows: int | None
    """Items of the page; None where the answer was an error."""
    request_id: str | None


@dataclass(frozen=True, slots=True)
class DryRequest:
    """A request that a dry run would have sent."""

    operation: str
    http_method: str
    url: str
    body: str
    """"" where it has none."""


OnEvent: TypeAlias = Callable[[RequestRecord], None]
"""Called after each exchange, one call at a time, in the thread that made it."""
OnDryRun: TypeAlias = Callable[[DryRequest], None]
