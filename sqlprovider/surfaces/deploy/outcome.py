"""What became of one step: the state of its row, the row itself, and why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlprovider.errors import (
    BackendError,
    DataError,
    Error,
    StatementInterrupted,
    TransportError,
    WaitTimeoutError,
)
from sqlprovider.surfaces.deploy.values import LiveRow
from sqlprovider.values import SQLValue

_LOST_BEHIND = (502, 504)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`state` is one of those of `last_write`."""

    state: str
    row: LiveRow | None = None
    error: Error | None = None
    notes: tuple[str, ...] = ()


def of_error(error: Error, *, is_call: bool = False) -> Outcome:
    """The outcome of one statement of one row that failed. A call says nothing of rows."""
    states = {row["state"] for row in error.rows}
    if not states and is_call:
        return Outcome(_after_call(error), error=error)
    return Outcome("unknown" if "unknown" in states else "failed", error=error)


def of_rows(error: Error, count: int) -> list[Outcome]:
    """The outcomes of the rows of one INSERT that failed, in their order; the error stands at the first."""
    by_number: dict[object, Mapping[str, SQLValue]] = {row["sequence"]: row for row in error.rows}
    if not by_number:
        return [
            Outcome("failed" if n == 0 else "not_tried", error=error if n == 0 else None)
            for n in range(count)
        ]
    found: list[Outcome] = []
    is_named = False
    for number in range(1, count + 1):
        state = str(by_number.get(number, {}).get("state") or "not_tried")
        is_first = state in ("failed", "unknown") and not is_named
        is_named = is_named or is_first
        found.append(Outcome(state, error=error if is_first else None))
    if not is_named:
        found[0] = Outcome(found[0].state, error=error)
    return found


def _after_call(error: Error) -> str:
    match error:
        case TransportError():
            return "failed" if error.reason == "not_sent" else "unknown"
        case DataError() | StatementInterrupted() | WaitTimeoutError():
            return "unknown"
        case BackendError():
            return "unknown" if error.status in _LOST_BEHIND or error.reason == "wait_failed" else "failed"
        case _:
            return "failed"
