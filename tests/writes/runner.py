"""One script on the engine and on the model, a statement at a time; then three views of the state.

What is compared: rowcount, the rows of RETURNING, the family of an error, which rows of a failed statement
the engine says were written (the model writes just those, and must come to the same state), whether a row
that it calls failed is one that the server refuses, and in the end the state.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from sqlprovider.errors import Error
from sqlprovider.surfaces.dbapi import Connection, connect
from sqlprovider.values import Row, SQLValue
from tests.writes.model import Model, Op, Outcome, Refusal
from tests.writes.state import by_client, by_sql, difference, normal, of_model, time_of
from tests.writes.statements import Call, Insert, Local, Refused, Statement, Transaction, Write

if TYPE_CHECKING:
    from mlflow import MlflowClient

Ran: TypeAlias = Outcome | Error
_NOTES = """
CREATE TEMP TABLE notes(k TEXT PRIMARY KEY, v TEXT);
INSERT INTO notes VALUES ('RUNNING', 'it''s on'), ('FINISHED', 'Ünï 🙂'), ('a', 'first'), ('lr', '0.5');
"""


class Disagreement(AssertionError):
    """Engine and model do not agree; the message is the script and where it happened."""


@dataclass(slots=True)
class Server:
    """A real server, its own client, and how many scripts it has seen."""

    base_url: str
    client: MlflowClient
    scripts: int = 0
    tally: Counter[str] = field(default_factory=Counter)
    """What the statements came to, by kind: a sample that only ever fails proves nothing."""

    def next_prefix(self) -> str:
        """What the names of the next script's objects begin with."""
        self.scripts += 1
        return f"s{self.scripts}-"


class Script:
    """A script under way."""

    def __init__(self, server: Server) -> None:
        self.prefix = server.next_prefix()
        self.model = Model()
        self._server = server
        self._connection: Connection = connect({"connections": {"mlflow": {"base_url": server.base_url}}})
        self._lines: list[str] = []
        for local in (self._connection.execute, self.model.rows):
            local(_NOTES)

    def close(self) -> None:
        """Closes the engine's connection."""
        self._connection.close()

    def step(self, statement: Statement) -> None:
        """Runs a statement on both. Raises Disagreement."""
        self._lines.append(f"{statement.sql};   -- {_shown(statement)}")
        ran = self._engine(statement)
        self._server.tally[self._kind(statement, ran)] += 1
        self._lines[-1] += f"\n   → {_told(ran)}"
        match statement:
            case Refused():
                self._check_family(ran, statement.family)
            case Transaction():
                self._transaction(statement, ran)
            case Local():
                self._agree(ran, self.model.local(statement.sql, statement.params))
            case Call():
                self._call(statement, ran)
            case _:
                self._write(statement, ran)

    def finish(self) -> None:
        """Compares the three states. An open transaction is committed first."""
        if self.model.staged is not None:
            self.step(Transaction("COMMIT"))
        mine, sql = of_model(self.model), by_sql(self._connection, self.prefix)
        told = by_client(self._server.client, self.prefix)
        for left, right, names in (
            (sql, told, ("SELECT", "MlflowClient")),
            (sql, mine, ("the server", "the model")),
        ):
            if (found := difference(left, right, names)) is not None:
                self._fail(f"the states differ:\n{found}")

    def _kind(self, statement: Statement, ran: Ran) -> str:
        """`INSERT done`, `INSERT of no row`, `COMMIT IntegrityError`, `UPDATE staged`."""
        verb = statement.sql.partition(" ")[0]
        if isinstance(ran, Error):
            return f"{verb} {type(ran).__name__}{'' if ran.rows else ' at once'}"
        if isinstance(statement, Write | Call) and self.model.staged is not None:
            return f"{verb} staged"
        return f"{verb} of no row" if isinstance(statement, Write) and not ran.changed else f"{verb} done"

    def _engine(self, statement: Statement) -> Ran:
        try:
            if isinstance(statement, Insert) and statement.many:
                cursor = self._connection.cursor().executemany(statement.sql, statement.many)
            else:
                cursor = self._connection.execute(statement.sql, statement.params)
            rows = cursor.fetchall() if cursor.description is not None else []
            return Outcome(cursor.rowcount, rows)
        except Error as error:
            return error

    def _write(self, statement: Write, ran: Ran) -> None:
        if self.model.staged is not None:
            self._stage(statement, ran)
            return
        ops = self.model.planned(statement)
        try:
            self.model.check(ops)
        except Refusal as refusal:
            self._check_family(ran, refusal.family)
            return
        self.model.rows("SAVEPOINT statement")
        if isinstance(ran, Error):
            self._failed(statement, ops, ran)
        else:
            self._agree_on_write(statement, ran)
        self.model.rows("RELEASE statement")
        self._adopt()

    def _agree_on_write(self, statement: Write, ran: Outcome) -> None:
        try:
            self._agree(ran, self.model.run(statement), counted=True)
        except Refusal as refusal:
            self._fail(f"the engine says it is done; the model refuses: {refusal}")

    def _failed(self, statement: Write, ops: Sequence[Op], error: Error) -> None:
        """The model refuses too; what the engine says is written, the model writes."""
        try:
            self.model.run(statement)
        except Refusal as refusal:
            self._check_family(error, refusal.family)
        else:
            self._fail("the engine refuses what the model does")
        self.model.rows("ROLLBACK TO statement")
        self._replay(ops, error)

    def _replay(self, ops: Sequence[Op | Call], error: Error) -> None:
        """Writes on the model what the report says is accepted, and tries what it says has failed."""
        left = list(ops)
        # The rows of a statement are under way together: which of two was first, only the server knows.
        for state in ("accepted", "failed"):
            for row in error.rows:
                if row["state"] == state:
                    self._try(self._reported(left, row), state == "accepted")
        for row in error.rows:
            if row["state"] not in ("accepted", "failed", "not_tried"):
                self._fail(f"nothing was cut off, and yet a row is {row['state']!s}: {row}")

    def _try(self, op: Op | Call, accepted: bool) -> None:
        self.model.rows("SAVEPOINT one")
        try:
            self.model.apply(op)
        except Refusal as refusal:
            self.model.rows("ROLLBACK TO one")
            if accepted:
                self._fail(f"reported as accepted, refused by the model ({refusal}): {op}")
        else:
            if not accepted:
                self._fail(f"reported as failed, and the model takes it: {op}")
        self.model.rows("RELEASE one")

    def _reported(self, left: list[Op | Call], row: dict[str, SQLValue]) -> Op | Call:
        """The planned row that a row of the report is about."""
        given = json.loads(str(row["input_row"]))
        for op in left:
            target = str(row["resource"])
            is_it = op.is_row(target, given) if isinstance(op, Op) else _is_call(op, target, given)
            if is_it:
                left.remove(op)
                return op
        self._fail(f"the report has a row that nobody planned: {row}")
        raise AssertionError

    def _stage(self, statement: Write, ran: Ran) -> None:
        """In a transaction nothing is sent; RETURNING is refused."""
        assert self.model.staged is not None
        if statement.returning:
            self._check_family(ran, "NotSupportedError")
            return
        ops = self.model.planned(statement)
        try:
            self.model.check(ops)
        except Refusal as refusal:
            self._check_family(ran, refusal.family)
            return
        if isinstance(ran, Error):
            self._fail("the engine does not stage it")
        self.model.staged += ops

    def _call(self, call: Call, ran: Ran) -> None:
        if self.model.staged is not None:
            if isinstance(ran, Error):
                self._fail("the engine does not stage it")
            self.model.staged.append(call)
            return
        try:
            self.model.call(call)
        except Refusal as refusal:
            self._check_family(ran, refusal.family)
        else:
            if isinstance(ran, Error):
                self._fail("the engine refuses what the model does")

    def _transaction(self, statement: Transaction, ran: Ran) -> None:
        word, _, name = statement.sql.partition(" ")
        if statement.sql == "COMMIT":
            self._commit(ran)
            return
        if isinstance(ran, Error):
            self._fail("the engine refuses it")
        match word, name:
            case "BEGIN", _:
                self.model.begin()
            case "ROLLBACK", "":
                self.model.end("ROLLBACK")
            case "ROLLBACK", _:
                self.model.back_to(name.removeprefix("TO "))
            case "SAVEPOINT", _:
                self.model.mark(name)
            case _:
                self.model.release(name)

    def _commit(self, ran: Ran) -> None:
        """What is staged is done in order; where it fails, what is local is not done."""
        if isinstance(ran, Error):
            staged = self.model.end("ROLLBACK")
            self._replay(staged, ran)
            if not any(row["state"] == "failed" for row in ran.rows):
                self._fail("COMMIT fails, and no row has failed")
            self._adopt()
            return
        for op in self.model.end("COMMIT"):
            try:
                self.model.apply(op)
            except Refusal as refusal:
                self._fail(f"the engine says it is done; the model refuses: {refusal}: {op}")
        self._adopt()

    def _agree(self, ran: Ran, model: Outcome, *, counted: bool = False) -> None:
        if isinstance(ran, Error):
            self._fail(f"the engine refuses what the model does: {model}")
            return
        if counted and ran.changed != model.changed:
            self._fail(f"the engine counts {ran.changed} rows, the model {model.changed}")
        if _multiset(ran.rows) != _multiset(model.rows):
            self._fail(f"the engine returns {_multiset(ran.rows)}\nthe model returns {_multiset(model.rows)}")

    def _check_family(self, ran: Ran, family: str) -> None:
        if not isinstance(ran, Error) or family not in _bases(ran):
            self._fail(f"the model raises {family}")

    def _adopt(self) -> None:
        """Gives what is new in the model the ids that the server gave it, as its own client says."""
        new = {table: self.model.new_rows(table) for table in ("experiments", "runs")}
        if new["experiments"]:
            found = self._server.client.search_experiments(filter_string=f"name LIKE '{self.prefix}%'")
            ids = {experiment.name: experiment.experiment_id for experiment in found}
            for id_, row in new["experiments"]:
                if row["name"] in ids:
                    self.model.name_new("experiments", id_, ids[str(row["name"])])
        if new["runs"]:
            self._adopt_runs(self.model.new_rows("runs"))

    def _adopt_runs(self, new: Iterable[tuple[str, dict[str, SQLValue]]]) -> None:
        experiments = sorted({str(row["experiment_id"]) for _, row in new})
        unknown = [
            run
            for run in self._server.client.search_runs(experiments, order_by=["attributes.start_time ASC"])
            if run.info.run_id not in self.model.known["runs"]
        ]
        for id_, row in new:
            named = row["run_name"] is not None
            for run in unknown:
                tags = {k: v for k, v in run.data.tags.items() if named or k != "mlflow.runName"}
                same = (run.info.experiment_id, run.info.user_id or "", tags) == (
                    row["experiment_id"],
                    row["user_id"] or "",
                    json.loads(str(row["tags"])),
                )
                start = time_of(run.info.start_time)
                if same and row["start_time"] in (None, start):
                    unknown.remove(run)
                    self.model.name_new("runs", id_, run.info.run_id)
                    self.model.fill_run(run.info.run_id, start_time=start)
                    break

    def _fail(self, what: str) -> None:
        raise Disagreement("\n".join(["", *self._lines, "", what]))


def _bases(error: Error) -> list[str]:
    return [base.__name__ for base in type(error).__mro__]


def _multiset(rows: Iterable[Row]) -> list[Row]:
    return sorted(map(normal, rows), key=repr)


def _is_call(call: Call, target: str, given: dict[str, SQLValue]) -> bool:
    return call.target == target and dict(call.arguments) == given


def _shown(statement: Statement) -> str:
    many = statement.many if isinstance(statement, Insert) else ()
    return f"{list(many)}" if many else f"{list(statement.params)}"


def _told(ran: Ran) -> str:
    if isinstance(ran, Error):
        states = [f"{row['state']!s} {row['input_row']!s}" for row in ran.rows]
        return f"{type(ran).__name__}: {str(ran)[:400]} {states or ''}"
    return f"{ran.changed} rows {ran.rows or ''}"
