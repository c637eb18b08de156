"""One row to write, what became of it, and what `sqlprovider.last_write` says of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields

from sqlprovider.catalog.model import Resource
from sqlprovider.errors import (
    BackendError,
    DataError,
    Error,
    RequestLimitError,
    StatementInterrupted,
    TransportError,
    WaitTimeoutError,
)
from sqlprovider.execute.failure import NOT_SENT, TIMED_OUT
from sqlprovider.execute.journal import JournalRow
from sqlprovider.execute.response import Answer
from sqlprovider.plan.model import Operation
from sqlprovider.plan.mutation import Mutation
from sqlprovider.values import JSON, SQLValue

Values = dict[str, SQLValue]

_MAY_STILL_ACT = (408, 504)
"""Somebody on the way did not wait for the answer; what was asked may still be under way."""


@dataclass(slots=True, eq=False)
class RowWrite:
    """One row to write: its operations, the row that RETURNING starts from, and what became of it."""

    operations: tuple[Operation, ...]
    values: Values
    """Column → value: the row as read, overlaid with what is sent; the API's answer is laid over it."""
    given: Values
    """The input as the statement gave it."""
    sets: Values = field(default_factory=dict)
    """The columns that the write sets, as they would be read."""
    old: Values | None = None
    """The row as read; None where it was not."""
    is_guarded: bool = False
    """The precondition goes along, as the row was read."""
    again: Callable[[Values], tuple[Operation, ...]] | None = None
    """Its operations for the row as it is read once more; None: it is not read again."""
    met: bool = False
    """Whether it met a change once, after which it is not read again."""
    sequence: int = 0
    resent: int = 0
    """How often a look found that it was not done, and it was sent again."""
    state: str = "not_tried"
    is_sent: bool = False
    """Whether a request of it may have left."""
    done: int = 0
    """How many of its operations the API has accepted."""
    is_counted: bool = True
    """False: accepted without having done anything (a row that is there already)."""
    answer: Answer | None = None
    error: Error | None = None

    def fail(self, error: Error, state: str = "failed") -> None:
        """Ends it with an error."""
        self.state, self.error = state, error


@dataclass(frozen=True, slots=True)
class Report:
    """What a write did, row by row."""

    mutation: Mutation
    rows: Sequence[RowWrite]

    def last_write(self) -> tuple[dict[str, SQLValue], ...]:
        """The rows of `sqlprovider.last_write`."""
        shown = [row for row in self.rows if row.state != "missing"]
        return tuple(_as_dict(journal_row(self.mutation, row)) for row in shown)

    def count(self, state: str) -> int:
        """How many rows ended so."""
        return sum(row.state == state for row in self.rows)


def journal_row(mutation: Mutation, row: RowWrite, *, has_input: bool = True) -> JournalRow:
    """A row as `last_write` and the journal say it."""
    outcome: object = row.error or row.answer
    method = row.operations[-1].method.name if row.operations else None
    return JournalRow(
        sequence=row.sequence,
        resource=str(mutation.resource.name),
        method=method,
        key=key_text(mutation.resource, row.values) or None,
        state=row.state,
        http_status=getattr(outcome, "status", None),
        code=getattr(outcome, "code", None),
        message=None if row.error is None else row.error.message,
        request_id=getattr(outcome, "request_id", None),
        input_row=_dump(_plain(row.given)) if has_input else None,
    )


def key_text(resource: Resource, values: Mapping[str, SQLValue]) -> str:
    """`run_id=…, key=…`, as far as it is known."""
    return ", ".join(f"{name}={values[name]!s}" for name in resource.key if values.get(name) is not None)


def is_lost(error: Error) -> bool:
    """Whether it may have been done all the same: the answer is lost, unreadable, or none."""
    match error:
        case TransportError():
            return error.reason != NOT_SENT
        case DataError() | StatementInterrupted() | WaitTimeoutError():
            return True
        case BackendError():
            return error.reason == "wait_failed" or (
                error.status is not None and (error.status >= 500 or error.status in _MAY_STILL_ACT)
            )
        case _:
            return False


def may_still_act(error: Error) -> bool:
    """Whether what was asked may still be under way, so that a look which finds nothing proves nothing."""
    status = getattr(error, "status", None)
    return error.reason == TIMED_OUT or status in _MAY_STILL_ACT or isinstance(error, WaitTimeoutError)


def is_about_rows(error: Error) -> bool:
    """Whether another choice of rows could be accepted where these were refused."""
    refused = isinstance(error, BackendError) or (
        error.sqlstate == "23000" and not isinstance(error, RequestLimitError)
    )
    return refused and not is_lost(error)


_COLUMNS = tuple(f.name for f in fields(JournalRow))
_dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _as_dict(row: JournalRow) -> dict[str, SQLValue]:
    return {name: getattr(row, name) for name in _COLUMNS}


def _plain(given: Mapping[str, SQLValue]) -> dict[str, JSON]:
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in given.items()}
