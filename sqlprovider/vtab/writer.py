"""Writes: the rows to write come from SQLite, the calls go through execute/, RETURNING is SQLite's again.

Every row is planned before the first request is sent: a wrong value is refused while nothing was done.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlprovider.catalog.model import Column, Method, Resource, Role
from sqlprovider.config import Settings
from sqlprovider.errors import (
    BackendError,
    DataError,
    Error,
    NotSupportedError,
    RequestLimitError,
    StatementInterrupted,
    TransportError,
    WaitTimeoutError,
)
from sqlprovider.execute.executor import StatementCalls
from sqlprovider.execute.items import value_at
from sqlprovider.execute.response import Answer
from sqlprovider.execute.rows import decode_column, decode_item
from sqlprovider.plan.model import Operation
from sqlprovider.plan.mutation import Mutation
from sqlprovider.sql.statement import Returning
from sqlprovider.values import JSON, Row, SQLValue, Type
from sqlprovider.vtab.engine import RETURNING_SUFFIX, Bindings, Engine, Selected
from sqlprovider.vtab.table import quote

_LOST_BEHIND = (502, 504)
"""A gateway that got no answer does not know what happened behind it."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one statement runs under."""

    bindings: Bindings
    calls: StatementCalls
    settings: Settings
    more: tuple[Bindings, ...] = ()
    """The other sets of parameters of an `executemany`."""


@dataclass(slots=True)
class RowWrite:
    """One row to write: its operations, the row that RETURNING starts from, and what became of it."""

    operations: tuple[Operation, ...]
    values: dict[str, SQLValue]
    """Column → value: the row as read, overlaid with what is sent; the API's answer is laid over it."""
    given: dict[str, SQLValue]
    """The input as the statement gave it."""
    state: str = "not_tried"
    done: int = 0
    """How many of its operations the API has accepted."""
    answer: Answer | None = None
    error: Error | None = None


@dataclass(slots=True)
class Written:
    """What a write did: accepted rows, the rows of RETURNING, and last_write."""

    rowcount: int
    returned: Selected | None
    last_write: tuple[dict[str, SQLValue], ...] = field(default_factory=tuple)


class Writer:
    """Sends planned rows one by one, in statement order, and keeps the truth about each."""

    def __init__(self, engine: Engine, run: Run) -> None:
        self._engine = engine
        self._run = run

    def write(
        self, mutation: Mutation, rows: Sequence[RowWrite], returning: Returning | None, *, alias: str
    ) -> Written:
        """Sends every row; a failure stops the rest and carries what happened to each row."""
        self._refuse_known_excess(mutation, rows)
        self._send(mutation, rows)
        accepted = [row for row in rows if row.state == "accepted"]
        returned = None
        if returning is not None:
            returned = self._returning(mutation.resource, accepted, returning, alias)
        return Written(len(accepted), returned, tuple(_last_write(mutation, rows)))

    def _send(self, mutation: Mutation, rows: Sequence[RowWrite]) -> None:
        for position, row in enumerate(rows):
            try:
                self._send_row(mutation, row)
            except Error as error:
                _fail(mutation, rows, position, error)
                raise
            except KeyboardInterrupt:
                interrupted = StatementInterrupted("interrupted")
                _fail(mutation, rows, position, interrupted)
                raise interrupted from None

    def _send_row(self, mutation: Mutation, row: RowWrite) -> None:
        keyed = {column.name for column in mutation.maps}
        found = True
        for operation in row.operations:
            row.answer = self._run.calls.call(operation)
            row.done += 1
            found = found and not row.answer.missing
            answers = answered(operation, row.answer, self._engine.resource(operation.resource))
            # A map changed key by key is as it was set: an answer in between knows only some of its keys.
            row.values |= {name: value for name, value in answers.items() if name not in keyed}
        if not self._run.settings.dry_run:
            row.state = "accepted" if found else "missing"

    def _refuse_known_excess(self, mutation: Mutation, rows: Sequence[RowWrite]) -> None:
        known = len(self._run.calls.records) + sum(len(row.operations) for row in rows)
        if known > self._run.settings.max_requests:
            raise RequestLimitError(
                f"{mutation.where}: {known} requests are known to be needed, max_requests is "
                f"{self._run.settings.max_requests}; nothing was written",
                hint=f"--max-requests {known}, or SET max_requests = {known}",
            )

    def _returning(
        self, resource: Resource, rows: Sequence[RowWrite], returning: Returning, alias: str
    ) -> Selected:
        """RETURNING is evaluated by SQLite over the accepted rows, as columns of the resource."""
        cells: list[Row] = [tuple(row.values.get(c.name) for c in resource.columns) for row in rows]
        table = f"{resource.name}{RETURNING_SUFFIX}"
        self._engine.add_rows(table, resource.columns, lambda given: cells)
        sql = f"SELECT {returning.sql} FROM {quote(table)} AS {quote(alias)}"
        return self._engine.select_piece(sql, self._run.bindings, self._run.calls)


def sent(operation: Operation, resource: Resource) -> dict[str, SQLValue]:
    """What a call sends of the row, in the form in which it would be read."""
    found: dict[str, SQLValue] = {}
    for name, wire in operation.arguments:
        parameter = operation.method.parameters[name]
        column = resource.column(parameter.column or parameter.name)
        if column is None or column.role not in (Role.PARAMETER, Role.ITEM):
            continue
        if parameter.repeated and column.type is not Type.JSON and isinstance(wire, list):
            wire = wire[0] if len(wire) == 1 else None
        if parameter.wire is column.wire:
            found[column.name] = decode_column(column, wire)
    return found


def answered(operation: Operation, answer: Answer, resource: Resource) -> dict[str, SQLValue]:
    """What the API's answer says of the row: its item, single values, and the answer's own fields."""
    method = operation.method
    found: dict[str, SQLValue] = {}
    if _holds_item(method) and len(answer.items) == 1:
        found |= decode_item(resource, answer.items[0], dict(operation.echo))
    for name, path in method.answers.items():
        column = resource.column(name)
        value = value_at(answer.answer, path)
        # An API leaves out what is empty: NULL, if the object that would hold it is there.
        if column is not None and (value is not None or value_at(answer.answer, path[:-1])):
            found[column.name] = decode_column(column, value)
    for column in resource.columns:
        if column.role is Role.RESPONSE and (value := value_at(answer.answer, column.path)) is not None:
            found[column.name] = decode_column(column, value)
        if column.header is not None and column.header.lower() in answer.headers:
            found[column.name] = decode_column(column, answer.headers[column.header.lower()])
    return found


def _holds_item(method: Method) -> bool:
    return method.rows is not None or method.answer_is_item


def answers_column(method: Method, column: Column) -> bool:
    """Whether a write's answer holds a column, so that RETURNING need not read the row first."""
    if column.role is Role.RESPONSE or column.name in method.answers:
        return True
    bound = any((p.column or p.name) == column.name and p.required for p in method.parameters.values())
    return bound or (_holds_item(method) and bool(column.path) and column.role is not Role.OPTION)


def refuse_write(settings: Settings, engine: Engine, what: str) -> None:
    """Refuses a write that the session does not allow, before anything is read or sent."""
    if settings.read_only:
        raise NotSupportedError(f"{what}: the session is read-only", reason="read_only")
    if engine.in_transaction:
        raise NotSupportedError(
            f"{what}: a write to a resource inside a transaction is not supported yet",
            reason="remote_write_in_transaction",
            hint="COMMIT first, or connect with autocommit: outside a transaction rows are written at once",
        )


def _state_after(error: Error) -> str:
    """A refusal is a failure; a request whose answer was lost or cannot be read may have acted."""
    match error:
        case TransportError():
            return "failed" if error.reason == "not_sent" else "unknown"
        case DataError() | StatementInterrupted() | WaitTimeoutError():
            return "unknown"
        case BackendError():
            lost = error.status in _LOST_BEHIND or error.reason == "wait_failed"
            return "unknown" if lost else "failed"
        case _:
            return "failed"


def _fail(mutation: Mutation, rows: Sequence[RowWrite], position: int, error: Error) -> None:
    """Marks the row, and has the error say what became of every one."""
    rows[position].state, rows[position].error = _state_after(error), error
    error.rows = tuple(_last_write(mutation, rows))
    error.context = _failed_row(mutation, rows, position)


def _failed_row(mutation: Mutation, rows: Sequence[RowWrite], position: int) -> str:
    key = _key(mutation.resource, rows[position].values)
    accepted = sum(row.state == "accepted" for row in rows)
    rest = len(rows) - position - 1
    text = f"{mutation.where}: row {position + 1} of {len(rows)}{f' ({key})' if key else ''}"
    if len(rows) > 1:
        text += f", after {accepted} accepted and with {rest} not tried"
    if done := rows[position].done:
        text += f", {done} of its {len(rows[position].operations)} requests were accepted"
    return text


def _last_write(mutation: Mutation, rows: Sequence[RowWrite]) -> Iterator[dict[str, SQLValue]]:
    for sequence, row in enumerate(rows, 1):
        if row.state == "missing":
            continue
        error, operation = row.error, row.operations[-1] if row.operations else None
        outcome: object = error or row.answer
        yield {
            "sequence": sequence,
            "resource": str(mutation.resource.name),
            "method": None if operation is None else operation.method.name,
            "key": _key(mutation.resource, row.values) or None,
            "state": row.state,
            "http_status": getattr(outcome, "status", None),
            "code": getattr(outcome, "code", None),
            "message": None if error is None else error.message,
            "request_id": getattr(outcome, "request_id", None),
            "input_row": json.dumps(_plain(row.given), ensure_ascii=False, separators=(",", ":")),
        }


def _key(resource: Resource, values: Mapping[str, SQLValue]) -> str:
    return ", ".join(f"{name}={values[name]!s}" for name in resource.key if values.get(name) is not None)


def _plain(given: Mapping[str, SQLValue]) -> dict[str, JSON]:
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in given.items()}
