"""Writes: the rows to write come from SQLite, the calls go through execute/, RETURNING is SQLite's again.

Every row is planned before the first request is sent: a wrong value is refused while nothing was done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from sqlprovider.catalog.model import Resource, Verb
from sqlprovider.config import Settings
from sqlprovider.errors import (
    Error,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
    RequestLimitError,
    StatementInterrupted,
    Warning,
)
from sqlprovider.execute.journal import StatementJournal
from sqlprovider.execute.many import run_steps
from sqlprovider.plan.batch import Unit
from sqlprovider.plan.mutation import Mutation, secret_columns, writes_secret
from sqlprovider.sql.statement import Returning
from sqlprovider.values import Row, SQLValue
from sqlprovider.vtab.database import quote
from sqlprovider.vtab.engine import RETURNING_SUFFIX, Engine, Selected
from sqlprovider.vtab.exists import PLAIN, Clause, Existing
from sqlprovider.vtab.rowwrite import Report, RowWrite, key_text
from sqlprovider.vtab.run import Run, WritePlan
from sqlprovider.vtab.sending import Sending

_AT_ONCE = 10_000
"""Rows that are planned before the first of them is sent; a source may have more than memory holds."""
_EXAMPLES = 10


@dataclass(slots=True)
class Planned:
    """A write whose rows are known, or can be asked for."""

    mutation: Mutation
    rows: Iterable[RowWrite]
    statement: str
    clause: Clause = PLAIN
    returning: Returning | None = None
    alias: str = ""


@dataclass(slots=True)
class Written:
    """What a write did: accepted rows, the rows of RETURNING, and last_write."""

    rowcount: int
    returned: Selected | None
    last_write: tuple[dict[str, SQLValue], ...] = ()
    rows: tuple[RowWrite, ...] = ()


class Writer:
    """Sends planned rows, and keeps the truth about each."""

    def __init__(self, engine: Engine, run: Run) -> None:
        self._engine = engine
        self._run = run
        self._journal: StatementJournal | None = None

    def write(self, planned: Planned) -> Written:
        """Sends every row; a failure carries what happened to each."""
        mutation = planned.mutation
        rows: list[RowWrite] = []
        if isinstance(planned.rows, list):
            _refuse_too_many(mutation, len(planned.rows), self._run.settings)
        source, keys, failed = iter(planned.rows), set[object](), list[RowWrite]()
        self._journal = _journal(planned, self._run)
        try:
            while chunk := self._pull(source, rows):
                _refuse_repeated_keys(mutation, chunk, keys)
                sending = self._send(planned, chunk, source, rows)
                failed += sending.failed
                if sending.halted:
                    break
        except Error as error:
            if error.rows or not any(row.is_sent for row in rows):
                raise
            error.message = error.message.removeprefix(f"{mutation.where}: ")
            self._fail(mutation, rows, error, None)  # what was sent before is told
        if (first := _first(failed)) is not None and first.error is not None:
            self._fail(mutation, self._all(source, rows), first.error, first)
        accepted = [row for row in rows if row.state == "accepted" and row.is_counted]
        returned = None
        if planned.returning is not None:
            returned = self._returning(mutation.resource, accepted, planned.returning, planned.alias)
        return Written(len(accepted), returned, Report(mutation, rows).last_write(), tuple(rows))

    def _pull(self, source: Iterator[RowWrite], rows: list[RowWrite]) -> list[RowWrite]:
        """The next rows of the source, added to `rows`; each stands there once it is planned."""
        start = len(rows)
        try:
            for row in islice(source, _AT_ONCE):
                rows.append(row)
                row.sequence = len(rows)
                if not row.operations and row.state != "missing" and not self._run.settings.dry_run:
                    row.state = "accepted"  # it is as it is to be already
        except KeyboardInterrupt:
            raise StatementInterrupted("interrupted") from None
        return rows[start:]

    def _all(self, source: Iterator[RowWrite], rows: list[RowWrite]) -> list[RowWrite]:
        """With the rows that the statement has left; an iterator of the caller's keeps its own."""
        try:
            while self._run.more == () and self._pull(source, rows):
                pass
        except Error as error:
            self._run.calls.warn(
                Warning(f"the rows after row {len(rows)} are not told: {error.message}", reason="untold_rows")
            )
        return rows

    def _send(
        self, planned: Planned, chunk: list[RowWrite], source: Iterator[RowWrite], rows: list[RowWrite]
    ) -> Sending:
        """What became of the rows. Raises StatementInterrupted."""
        mutation = planned.mutation
        existing = Existing(mutation, planned.clause, self._engine, self._run)
        sending = Sending(
            mutation,
            chunk,
            engine=self._engine,
            run=self._run,
            existing=existing,
            journal=self._journal,
            known=len(planned.rows) if isinstance(planned.rows, list) else None,
        )
        units = sending.units()
        self._refuse_known_excess(mutation, units, chunk)
        if units and chunk[0].sequence == 1:
            self._ask(planned, units, chunk)
        try:
            run_steps(self._run.calls, sending.steps(units), halted=lambda: sending.halted)
        except StatementInterrupted as interrupted:
            known = self._all(source, rows) if isinstance(planned.rows, list) else rows
            self._fail(mutation, known, interrupted, _first(sending.failed))
        return sending

    def _ask(self, planned: Planned, units: Sequence[Unit], chunk: list[RowWrite]) -> None:
        if self._run.confirm is None or self._run.settings.dry_run:
            return
        shown = [_example(planned.mutation, row) for row in chunk[:_EXAMPLES]]
        plan = WritePlan(planned.statement, planned.mutation.where, len(chunk), len(units), tuple(shown))
        if not self._run.confirm(plan):
            declined = StatementInterrupted("nothing was sent", reason="declined")
            declined.rows = Report(planned.mutation, chunk).last_write()
            raise declined

    def _fail(self, mutation: Mutation, rows: Sequence[RowWrite], error: Error, row: RowWrite | None) -> None:
        """Raises the error, with what became of every row."""
        report = Report(mutation, rows)
        error.rows = report.last_write()
        if error.context is None or row is not None:
            error.context = _what_failed(report, row)
        raise error

    def _refuse_known_excess(
        self, mutation: Mutation, units: Sequence[Unit], rows: Sequence[RowWrite]
    ) -> None:
        more = sum(len(row.operations) - 1 for row in rows if row.operations)
        known = len(self._run.calls.records) + len(units) + more
        if known > self._run.settings.max_requests:
            raise RequestLimitError(
                f"{mutation.where}: {known} requests are known to be needed, max_requests is "
                f"{self._run.settings.max_requests}; {_none_of_them(rows)}",
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


def _journal(planned: Planned, run: Run) -> StatementJournal | None:
    if run.journal is None or run.settings.dry_run:
        return None
    return run.journal.statement(
        planned.statement,
        masked=run.conceal or writes_secret(planned.mutation),
        bodies=run.settings.journal_bodies,
        enabled=run.settings.journal,
    )


def notices(written: Written) -> Iterator[str]:
    """What is to be told of a write beside its count: what waits, and what goes on."""
    if staged := sum(row.state == "staged" for row in written.rows):
        yield f"{staged} row{'' if staged == 1 else 's'} staged, to be sent at COMMIT"
    going_on = [row.answer.operation for row in written.rows if row.answer and row.answer.operation]
    if going_on:
        more = f" and {len(going_on) - 1} more go on" if len(going_on) > 1 else " goes on"
        yield f"{going_on[0]}{more}: SELECT * FROM sqlprovider.operations"


def refuse_write(settings: Settings, what: str) -> None:
    """Refuses a write that the session does not allow, before anything is read or sent."""
    if settings.read_only:
        raise NotSupportedError(f"{what}: the session is read-only", reason="read_only")


def refuse_unbounded(settings: Settings, what: str, *, has_where: bool) -> None:
    """Refuses an UPDATE or DELETE of everything, unless the user allows it."""
    if not has_where and not settings.allow_all:
        raise ProgrammingError(
            f"{what}: there is no WHERE, so every row would be written",
            reason="no_where",
            hint="add a WHERE; or --allow-all, SET allow_all = 1",
        )


def refuse_rows(mutation: Mutation, rows: Sequence[RowWrite], settings: Settings) -> None:
    """Refuses rows that are too many, or two of one key, before anything is sent."""
    _refuse_too_many(mutation, len(rows), settings)
    _refuse_repeated_keys(mutation, rows, set())


def _refuse_too_many(mutation: Mutation, count: int, settings: Settings) -> None:
    if mutation.verb in (Verb.UPDATE, Verb.DELETE) and count > settings.max_rows:
        raise ProgrammingError(
            f"{mutation.where}: {count} rows match, max_rows is {settings.max_rows}; nothing was written",
            reason="max_rows",
            hint=f"--max-rows {count}, or SET max_rows = {count}",
        )


def _refuse_repeated_keys(mutation: Mutation, chunk: Sequence[RowWrite], keys: set[object]) -> None:
    """Two rows of one key in one INSERT: one of them would be lost."""
    if mutation.verb is not Verb.INSERT or not mutation.resource.key:
        return
    for row in chunk:
        key = tuple(row.values.get(name) for name in mutation.resource.key)
        if None in key:
            continue
        if key in keys:
            raise IntegrityError(
                f"{mutation.where}: two rows have the key {key_text(mutation.resource, row.values)}; "
                f"{_none_of_them(chunk)}",
                reason="repeated_key",
            )
        keys.add(key)


def _example(mutation: Mutation, row: RowWrite) -> str:
    """A row for whoever is asked: its key, else what is given, secrets masked."""
    secret = secret_columns(mutation)
    given = (f"{name}={'***' if name in secret else value!s}" for name, value in row.given.items())
    return key_text(mutation.resource, row.values) or ", ".join(given)


def _none_of_them(chunk: Sequence[RowWrite]) -> str:
    """What a refusal before these rows leaves undone."""
    first = chunk[0].sequence
    return "nothing was written" if first <= 1 else f"nothing was written from row {first} on"


def _first(failed: Sequence[RowWrite]) -> RowWrite | None:
    """The row to be told of: the first in the statement whose failure is not that it was interrupted."""
    ordered = sorted(failed, key=lambda row: row.sequence)
    told = [row for row in ordered if not isinstance(row.error, StatementInterrupted)]
    return next(iter(told or ordered), None)


def _what_failed(report: Report, row: RowWrite | None) -> str:
    mutation, total = report.mutation, len(report.rows)
    text = mutation.where
    if mutation.verb is Verb.EXEC:
        return text.removeprefix("EXEC ")
    if row is not None:
        key = key_text(mutation.resource, row.values)
        text += f": row {row.sequence} of {total}{f' ({key})' if key else ''}"
    if total > 1 or row is None:
        text += f", after {report.count('accepted')} accepted and with {report.count('not_tried')} not tried"
    others = {state: report.count(state) - (row is not None and row.state == state) for state in _BAD}
    text += "".join(f", {count} more {state}" for state, count in others.items() if count)
    if row is not None and row.done:
        text += f", {row.done} of its {len(row.operations)} requests were accepted"
    return text


_BAD = ("failed", "unknown")
