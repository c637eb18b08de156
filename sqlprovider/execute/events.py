"""What is sent and how far it has come, as frozen values: for the system tables and for who watches."""

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


@dataclass(frozen=True, slots=True)
class WriteProgress:
    """How far a write has come."""

    sent: int
    """Rows that were answered, well or badly."""
    known: int | None
    """Rows there are; None while they are still being read."""


@dataclass(frozen=True, slots=True)
class WaitProgress:
    """A long-running operation that is waited for."""

    operation: str
    seconds: float
    """Since when."""
    is_over: bool = False
    """It is not waited for any more, whatever became of it."""


OnProgress: TypeAlias = Callable[[WriteProgress | WaitProgress], None]
"""Called as a write or a wait goes on, in the thread that sees it."""
OnEvent: TypeAlias = Callable[[RequestRecord], None]
"""Called after each exchange, one call at a time, in the thread that made it."""
OnDryRun: TypeAlias = Callable[[DryRequest], None]
