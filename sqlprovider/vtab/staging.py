"""Writes that wait for COMMIT: SAVEPOINT, RELEASE and ROLLBACK TO work on them as on local rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sqlprovider.sql.transactions import Transaction
    from sqlprovider.vtab.writer import Planned


class _Savepoint(NamedTuple):
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

    def add(self, planned: Planned) -> None:
        """Keeps a write for COMMIT."""
        self._planned.append(planned)

    def take(self) -> list[Planned]:
        """What is to be sent now; nothing is staged any more."""
        waiting, self._planned = self._planned, []
        return waiting

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
