"""The rows of one write on their way: what is sent, what a refusal means, and what a lost answer hides.

Each unit (one row, or the rows of a batch) is a step of `execute/many.py`. A lost answer is settled by a look
where the row can be told from others, by sending it again where acting twice is acting once; else the row is
unknown.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace

from sqlprovider.catalog.model import Batch, Verb
from sqlprovider.errors import Error, IntegrityError, InternalError, StatementInterrupted
from sqlprovider.execute.events import WriteProgress
from sqlprovider.execute.journal import JournalRow, StatementJournal
from sqlprovider.execute.many import Reply, Send, Step
from sqlprovider.execute.response import Answer
from sqlprovider.plan.batch import Unit, unit, units
from sqlprovider.plan.model import Operation
from sqlprovider.plan.mutation import Mutation
from sqlprovider.values import SQLValue
from sqlprovider.vtab.answers import answered
from sqlprovider.vtab.engine import Engine
from sqlprovider.vtab.exists import Existing
from sqlprovider.vtab.looks import Looks, moved
from sqlprovider.vtab.rowwrite import RowWrite, is_about_rows, is_lost, journal_row
from sqlprovider.vtab.run import Run
from sqlprovider.vtab.settle import Settler

Values = dict[str, SQLValue]
Exchange = Generator[Send, Reply, Reply]
Work = Generator[Send, Reply, None]
Decision = Generator[Send, Reply, bool]

_ISOLATING = 64
"""Requests spent on finding the bad rows of one batch; then the rest of it has failed."""


class Sending:
    """The rows of one write of one resource."""

    def __init__(
        self,
        mutation: Mutation,
        rows: Sequence[RowWrite],
        *,
        engine: Engine,
        run: Run,
        existing: Existing,
        journal: StatementJournal | None,
        known: int | None = None,
    ) -> None:
        """`known`: how many rows the whole write has, where that is known."""
        self.failed: list[RowWrite] = []
        """Rows that did not end well, in the order in which they ended."""
        self._ended = 0
        self._known = known
        self._mutation = mutation
        self._rows = rows
        self._run = run
        self._engine = engine
        self._existing = existing
        self._journal = journal
        self._looks = Looks(mutation.resource, engine, run)
        self._settler = Settler(mutation, self._looks)
        self._isolations = 0
        self._interrupted = False

    @property
    def halted(self) -> bool:
        """Whether nothing more is begun."""
        return self._interrupted or (bool(self.failed) and self._run.settings.on_error == "stop")

    def units(self) -> list[Unit]:
        """The first request of each row, rows of a batch together."""
        alone: list[Unit] = []
        batched: list[int] = []
        for place, row in enumerate(self._rows):
            if row.operations and not self._is_batched(row):
                alone.append(Unit((place,), row.operations[0]))
            elif row.operations:
                batched.append(place)
        found = alone
        if batched and self._mutation.method is not None:
            first = [self._rows[place].operations[0] for place in batched]
            for part in units(self._mutation.method, first):
                found.append(Unit(tuple(batched[place] for place in part.places), part.operation))
        return sorted(found, key=lambda part: part.places[0])

    def steps(self, planned: Sequence[Unit]) -> Iterator[Step]:
        """One step a unit; units that the API wants in order are one step together."""
        ordered = () if self._mutation.method is None else self._mutation.method.ordered
        chains: dict[object, list[Unit]] = {}
        for part in planned:
            values = self._rows[part.places[0]].values
            key = tuple(values.get(name) for name in ordered) if ordered else part.places
            chains.setdefault(key, []).append(part)
        for chain in chains.values():
            yield self._chain(chain)

    def _is_batched(self, row: RowWrite) -> bool:
        method = self._mutation.method
        if self._existing.looks_first:
            return False
        single = len(row.operations) == 1 and row.operations[0].method is method
        return single and method is not None and method.batch is not None

    def _chain(self, chain: list[Unit]) -> Work:
        for part in chain:
            if self.halted:
                return
            rows = [self._rows[place] for place in part.places]
            if len(rows) > 1:
                yield from self._batch(rows, part.operation)
            else:
                yield from self._single(rows[0])
            self._note_answered(rows)

    def _single(self, row: RowWrite) -> Work:
        if self._existing.looks_first and not self._is_free(row):
            return
        if self._is_looked_at(row) and not (yield from self._is_unmoved(row)):
            return
        while row.done < len(row.operations) and row.state != "missing":
            operation = row.operations[row.done]
            reply = yield from self._exchange([row], operation)
            if isinstance(reply, Answer):
                self._take(row, operation, reply)
            elif not self._recovered(row, reply):
                return
        if row.state != "missing" and not self._run.settings.dry_run:
            row.state = "accepted"

    def _exchange(self, rows: list[RowWrite], operation: Operation) -> Exchange:
        def before() -> None:
            for row in rows:
                row.is_sent = True
            if self._journal is not None:
                # Until the answer's line stands there, it is what a row that is in the air is.
                self._journal.sending([replace(self._line(row), state="unknown") for row in rows])

        return (yield Send(operation, before))

    def _line(self, row: RowWrite) -> JournalRow:
        return journal_row(self._mutation, row, has_input=self._run.settings.journal_bodies)

    def _note_answered(self, rows: list[RowWrite]) -> None:
        self._ended += len(rows)
        self._run.calls.tell(WriteProgress(self._rows[0].sequence - 1 + self._ended, self._known))
        sent = [self._line(row) for row in rows if row.is_sent]
        if sent and self._journal is not None:
            self._journal.answered(sent)

    def _take(self, row: RowWrite, operation: Operation, answer: Answer) -> None:
        """One accepted operation of a row."""
        row.answer = answer
        row.done += 1
        # After a lost answer a DELETE that finds nothing has most likely been done by the first attempt.
        was_tried = answer.repeated or row.resent > 0
        if answer.missing and not (was_tried and self._mutation.verb is Verb.DELETE):
            row.state = "missing"
        keyed = {column.name for column in self._mutation.maps}
        answers = answered(operation, answer, self._engine.resource(operation.resource))
        # A map changed key by key is as it was set: an answer in between knows only some of its keys.
        row.values |= {name: value for name, value in answers.items() if name not in keyed}

    # A row that was refused, or whose answer was lost

    def _recovered(self, row: RowWrite, error: Error) -> bool:
        """Whether the row goes on after an error; else it has ended."""
        if not row.is_sent or isinstance(error, StatementInterrupted | InternalError):
            self._end(row, error, "unknown" if row.is_sent else "not_tried")
            return False
        if not is_lost(error) and self._done_after_all([row], error):
            return True
        if error.reason == "already_exists" and self._mutation.verb is Verb.INSERT:
            return self._exists(row, error)
        if isinstance(error, IntegrityError) and row.is_guarded and self._mutation.verb is not Verb.INSERT:
            return self._met_a_change(row, error)
        if not is_lost(error):
            self._end(row, error)
            return False
        return bool(self._settle([row], error)) or row.state == "accepted"

    def _exists(self, row: RowWrite, error: Error) -> bool:
        try:
            goes_on = self._existing.met(row, error)
        except Error as said:
            self._end(row, said)
            return False
        return goes_on

    def _is_free(self, row: RowWrite) -> bool:
        """Whether the row goes on after a look for one that is there already."""
        there = IntegrityError("the row exists already", reason="already_exists")
        try:
            self._existing.found_first(row, there)
        except Error as said:
            self._end(row, said)
            return False
        return True

    def _met_a_change(self, row: RowWrite, error: Error) -> bool:
        """The row is not as it was read: read again, once, it may still allow what is to be set."""
        resource = self._mutation.resource
        if row.again is None or row.old is None or row.met or self._mutation.verb is not Verb.UPDATE:
            self._end(row, error)
            return False
        try:
            now = self._looks.by_key(row.old)
        except StatementInterrupted as interrupted:
            self._end(row, interrupted)
            raise
        except Error:
            now = None
        if now is None:
            self._end(row, error)
            return False
        if names := moved(resource, row.old, now, list(row.sets)):
            self._end(row, self._clash(row, now, names, error))
            return False
        row.operations, row.old, row.met = row.again(now), now, True
        return True

    def _clash(self, row: RowWrite, now: Values, names: list[str], cause: Error | None) -> Error:
        before = row.old or {}
        said = "; ".join(
            f"{name} was {before.get(name)!r} when it was read, is {now.get(name)!r} now, "
            f"and was to become {row.sets.get(name)!r}"
            for name in names
        )
        return IntegrityError(
            f"the row changed meanwhile: {said}",
            status=getattr(cause, "status", None),
            code=getattr(cause, "code", None),
            request_id=getattr(cause, "request_id", None),
            reason="changed",
        )

    def _is_looked_at(self, row: RowWrite) -> bool:
        """Whether a last look takes the place of the precondition that the API does not have."""
        is_update = self._mutation.verb is Verb.UPDATE and row.old is not None
        return is_update and not row.is_guarded and len(self._rows) > 1 and bool(row.operations)

    def _is_unmoved(self, row: RowWrite) -> Decision:
        asked = self._looks.operation(self._mutation, row.old or {})
        now: Values | Error | None
        if row.old is None or (asked is None and not self._looks.finds_one(row.old)):
            return True
        if asked is None:
            now = self._read_again(row, row.old)
        else:
            reply = yield Send(asked)
            now = reply if isinstance(reply, Error) else self._looks.answered(asked, reply)
        if isinstance(now, Error):
            self._end(row, now, "not_tried" if isinstance(now, StatementInterrupted) else "failed")
            return False
        if now is None:
            row.state = "missing"
            return False
        if names := moved(self._mutation.resource, row.old, now, list(row.sets)):
            self._end(row, self._clash(row, now, names, None))
            return False
        return True

    def _read_again(self, row: RowWrite, old: Values) -> Values | Error | None:
        """The row as it is now, where the API finds it in a list."""
        try:
            return self._looks.by_key(old)
        except StatementInterrupted as interrupted:
            self._end(row, interrupted, "not_tried")
            raise
        except Error as error:
            return error

    def _end(self, row: RowWrite, error: Error, state: str = "failed") -> None:
        self._interrupted = self._interrupted or isinstance(error, StatementInterrupted)
        row.fail(copy.copy(error), state)
        self.failed.append(row)

    def _done_after_all(self, rows: list[RowWrite], error: Error) -> list[RowWrite]:
        """What was refused because an earlier attempt, whose answer was lost, has done it."""
        if not (error.repeated or any(row.resent for row in rows)):
            return []
        done = self._settler.done_after_all(rows)
        self._accept(done)
        return done

    def _accept(self, rows: list[RowWrite]) -> None:
        """Rows that a look found done."""
        for row in rows:
            row.done = len(row.operations)
            if not self._run.settings.dry_run:
                row.state = "accepted"

    def _settle(self, rows: list[RowWrite], error: Error) -> list[RowWrite]:
        """The rows of these that go on after a lost answer: done after all, or to be sent again."""
        try:
            settled = self._settler.settle(rows, error)
        except StatementInterrupted as interrupted:
            for row in rows:
                self._end(row, interrupted, "unknown")
            raise
        self._accept(settled.accepted)
        for row, said, state in settled.ended:
            self._end(row, said, state)
        return settled.again

    # Batches

    def _batch(self, rows: list[RowWrite], operation: Operation) -> Work:
        reply = yield from self._exchange(rows, operation)
        if isinstance(reply, Answer):
            self._take_batch(rows, reply)
        elif not rows[0].is_sent or isinstance(reply, StatementInterrupted | InternalError):
            for row in rows:
                self._end(row, reply, "unknown" if row.is_sent else "not_tried")
        elif is_lost(reply):
            if left := self._settle(rows, reply):
                yield from self._again(left)
        elif done := self._done_after_all(rows, reply):
            yield from self._again([row for row in rows if row not in done])
        elif self._existing.sorts(reply):
            yield from self._sort_out(rows, reply)
        else:
            yield from self._refused(rows, reply)

    def _sort_out(self, rows: list[RowWrite], error: Error) -> Work:
        """Rows that exist go on one by one, as the statement says; the others go out again."""
        there, free = self._existing.sorted(rows)
        if not there:
            yield from self._refused(rows, error)
            return
        for row in there:
            yield from self._single(row)
        yield from self._again(free)

    def _take_batch(self, rows: list[RowWrite], answer: Answer) -> None:
        """Every row is accepted; an answer with an item for each says what became of it."""
        each = answer.items if len(answer.items) == len(rows) else []
        for place, row in enumerate(rows):
            own = replace(answer, items=each[place : place + 1], parents=None, answer={}, missing=False)
            self._take(row, row.operations[0], own)
            if not self._run.settings.dry_run:
                row.state = "accepted"

    def _refused(self, rows: list[RowWrite], error: Error) -> Work:
        """A batch that was refused: which of its rows are to blame, and what became of the others."""
        batch = self._method_batch()
        blamed = _blamed(batch, error, len(rows))
        if not is_about_rows(error) or len(rows) == 1:
            for row in rows:
                self._end(row, error)
        elif batch.atomic or batch.call.repeat != "never":
            yield from self._isolate(rows, error, blamed)
        else:
            if blamed is not None:
                self._end(rows[blamed], error)
            others = [row for place, row in enumerate(rows) if place != blamed]
            if left := self._settle(others, error):
                yield from self._again(left)

    def _isolate(self, rows: list[RowWrite], error: Error, blamed: int | None) -> Work:
        """Nothing of the batch stays twice: its parts are sent again, until the bad rows stand alone."""
        middle = len(rows) // 2
        parts = [rows[:middle], rows[middle:]]
        if blamed is not None:
            parts = [rows[:blamed], rows[blamed : blamed + 1], rows[blamed + 1 :]]
        for place, part in enumerate(parts):
            if self.halted:
                return
            self._isolations += 1
            if (blamed is not None and place == 1) or self._isolations > _ISOLATING:
                for row in part:
                    self._end(row, error)
            elif part:
                yield from self._again(part)

    def _again(self, rows: list[RowWrite]) -> Work:
        """Rows sent once more, together where there are several."""
        if len(rows) == 1:
            yield from self._single(rows[0])
        elif rows:
            operations = [row.operations[0] for row in rows]
            part = unit(self._method_batch(), operations, range(len(rows)))
            yield from self._batch(rows, part.operation)

    def _method_batch(self) -> Batch:
        method = self._mutation.method
        assert method is not None and method.batch is not None
        return method.batch


def _blamed(batch: Batch, error: Error, count: int) -> int | None:
    """The row that an error names."""
    found = None if batch.names_row is None else re.search(batch.names_row, error.message)
    place = None if found is None else int(found[1])
    return place if place is not None and place < count else None
