"""Virtual tables over rows in memory: the system tables, and the rows that RETURNING is evaluated over."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence

import apsw

from sqlprovider.catalog.model import Column, Role
from sqlprovider.values import Row, SQLValue, Type
from sqlprovider.vtab.database import quote
from sqlprovider.vtab.table import bind_rows

Given = Mapping[str, SQLValue]
"""Column → the value that a statement wants it to have; SQLite checks the rows all the same."""
MakeRows = Callable[[Given], Iterable[Row]]


def column(name: str, type_: Type = Type.TEXT, *, hidden: bool = False) -> Column:
    """A column of a table in memory."""
    return Column(name, type_, Role.ITEM, hidden=hidden)


class RowsModule:
    """A read-only eponymous table whose rows are computed anew for each scan."""

    is_writable = False

    def __init__(self, columns: Sequence[Column], rows: MakeRows) -> None:
        declared = (f"{quote(c.name)} {c.type.declared}{' HIDDEN' if c.hidden else ''}" for c in columns)
        self._schema = f"CREATE TABLE x({', '.join(declared)})"
        self.table = RowsTable([c.name for c in columns], rows)

    def Connect(self, connection: apsw.Connection, *args: str) -> tuple[str, RowsTable]:
        return self._schema, self.table

    Create = Connect


class RowsTable:
    def __init__(self, names: Sequence[str], rows: MakeRows) -> None:
        self.rows = rows
        self._names = names

    def BestIndexObject(self, info: apsw.IndexInfo) -> bool:
        """Takes equalities, so that only what is asked for need be made; idxStr names their columns."""
        taken: list[str] = []
        for position in range(info.nConstraint):
            number = info.get_aConstraint_iColumn(position)
            is_equality = info.get_aConstraint_op(position) == apsw.SQLITE_INDEX_CONSTRAINT_EQ
            if is_equality and info.get_aConstraint_usable(position) and number >= 0:
                taken.append(self._names[number])
                info.set_aConstraintUsage_argvIndex(position, len(taken))
        info.idxStr = json.dumps(taken)
        info.estimatedCost = 1e6 / 10 ** len(taken)
        return True

    def Open(self) -> RowsCursor:
        return RowsCursor(self)

    def Disconnect(self) -> None:
        pass

    Destroy = Disconnect


class RowsCursor:
    __slots__ = ("Column", "Eof", "Next", "Rowid", "_table")

    Column: Callable[[int], SQLValue]
    Eof: Callable[[], bool]
    Next: Callable[[], None]
    Rowid: Callable[[], int]

    def __init__(self, table: RowsTable) -> None:
        self._table = table

    def Filter(self, number: int, text: str, arguments: Sequence[SQLValue]) -> None:
        given = dict(zip(json.loads(text), arguments, strict=True))
        bind_rows(self, ((*row, rowid) for rowid, row in enumerate(self._table.rows(given))))

    def Close(self) -> None:
        pass
