"""Writes that wait for COMMIT: SAVEPOINT, RELEASE and ROLLBACK TO work on them as on local rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlprovider.config import Settings
from sqlprovider.errors import Error, NotSupportedError
from sqlprovider.sql.transactions import Transaction
from sqlprovider.values import SQLValue
from sqlprovider.vtab.engine import Engine
from sqlprovider.vtab.looks import Looks
from sqlprovider.vtab.rowwrite import Report
from sqlprovider.vtab.run import Run
from sqlprovider.vtab.writer import Planned, Writer, Written, refuse_rows

LastWrite = tuple[dict[str, SQLValue], ...]


@dataclass(frozen=True, slots=True)
class _Savepoint:
    name: str
    staged: int
    """How many writes were staged when it was set."""


class Staging:
    """The writes of the transaction that is open, in order."""

    def __init__(self) -> None:
        self._planned: list[Planned] = []
        self._savepoints: list[_Savepoint] = []
        self._begun = False
        """Whether BEGIN opened the transaction; else its first SAVEPOINT did."""

    @property
    def count(self) -> int:
        """How many rows are staged."""
        return sum(len(list(planned.rows)) for planned in self._planned)

    def stage(self, planned: Planned, settings: Settings) -> Written:
        """Keeps a write for COMMIT. Raises what it is refused for, and where it would have to answer now."""
        if planned.returning is not None:
            raise NotSupportedError(
                f"{planned.mutation.where}: RETURNING inside a transaction: the row is sent at COMMIT",
                reason="returning_staged",
                hint="COMMIT first, or leave RETURNING out",
            )
        rows = list(planned.rows)
        refuse_rows(planned.mutation, rows, settings)
        for sequence, row in enumerate(rows, 1):
            row.sequence, row.state = sequence, "staged"
        self._planned.append(replace(planned, rows=rows))
        return Written(0, None, Report(planned.mutation, rows).last_write(), tuple(rows))

    def is_sent_by(self, statement: Transaction | None) -> bool:
        """Whether a statement ends the transaction, keeps what it did, and something is staged."""
        return bool(self._planned) and statement is not None and self._ends_with(statement)

    def _ends_with(self, statement: Transaction) -> bool:
        if statement.word in ("COMMIT", "END"):
            return True
        if statement.word != "RELEASE" or self._begun or not self._savepoints:
            return False
        names = [savepoint.name for savepoint in self._savepoints]
        return statement.name in names and names[::-1].index(statement.name) == len(names) - 1

    def send(self, engine: Engine, run: Run) -> LastWrite:
        """Sends what is staged, in order. Raises the first failure, with what became of every row of all."""
        writer, done = Writer(engine, run), list[dict[str, SQLValue]]()
        waiting, self._planned = self._planned, []
        touched = set[object]()
        for place, planned in enumerate(waiting):
            for row in planned.rows:
                row.state = "not_tried"
            try:
                _read_again(planned, touched, engine, run)
                done += writer.write(planned).last_write
            except Error as error:
                left = [row for later in waiting[place + 1 :] for row in _not_tried(later)]
                error.rows = _numbered([*done, *error.rows, *left])
                raise
        return _numbered(done)

    def followed(self, statement: Transaction) -> None:
        """Does to what is staged what SQLite has just done to its own rows."""
        match statement.word:
            case "BEGIN":
                self.begun()
            case "SAVEPOINT":
                self._savepoints.append(_Savepoint(statement.name, len(self._planned)))
            case "RELEASE" if (place := self._place(statement.name)) is not None:
                del self._savepoints[place:]
            case "ROLLBACK" if statement.name and (place := self._place(statement.name)) is not None:
                del self._planned[self._savepoints[place].staged :]
                del self._savepoints[place + 1 :]

    def begun(self) -> None:
        """A BEGIN has opened the transaction."""
        self._begun = True

    def clear(self) -> None:
        """The transaction is over."""
        self._planned.clear()
        self._savepoints.clear()
        self._begun = False

    def _place(self, name: str) -> int | None:
        """The latest savepoint of that name."""
        places = [place for place, savepoint in enumerate(self._savepoints) if savepoint.name == name]
        return places[-1] if places else None


def _read_again(planned: Planned, touched: set[object], engine: Engine, run: Run) -> None:
    """Rows that an earlier write of the transaction has changed are not as they were read."""
    resource = planned.mutation.resource
    looks = Looks(resource, engine, run)
    for row in planned.rows:
        known = row.values if row.old is None else row.old
        key = (resource.name, *(known.get(name) for name in resource.key))
        if row.again is not None and key in touched and looks.has_key(known):
            now = looks.by_key(known)
            if now is None:
                row.operations, row.state = (), "missing"
            else:
                row.operations, row.old = row.again(now), now
        touched.add(key)


def _not_tried(planned: Planned) -> Iterator[dict[str, SQLValue]]:
    rows = list(planned.rows)
    for row in rows:
        row.state = "not_tried"
    yield from Report(planned.mutation, rows).last_write()


def _numbered(rows: list[dict[str, SQLValue]]) -> LastWrite:
    return tuple({**row, "sequence": sequence} for sequence, row in enumerate(rows, 1))
