"""Virtual tables over rows in memory: the system tables, and the rows that RETURNING is evaluated over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import apsw

from sqlprovider.catalog.model import Column, Role
from sqlprovider.values import Row, SQLValue, Type
from sqlprovider.vtab.table import bind_rows, quote


def column(name: str, type_: Type = Type.TEXT, *, hidden: bool = False) -> Column:
    """A column of a table in memory."""
    return Column(name, type_, Role.ITEM, hidden=hidden)


class RowsModule:
    """A read-only eponymous table whose rows are computed anew for each scan."""

    is_writable = False

    def __init__(self, columns: Sequence[Column], rows: Callable[[], Iterable[Row]]) -> None:
        declared = (f"{quote(c.name)} {c.type.declared}{' HIDDEN' if c.hidden else ''}" for c in columns)
        self._schema = f"CREATE TABLE x({', '.join(declared)})"
        self.table = RowsTable(rows)

    def Connect(self, connection: apsw.Connection, *args: str) -> tuple[str, RowsTable]:
        return self._schema, self.table

    Create = Connect


class RowsTable:
    def __init__(self, rows: Callable[[], Iterable[Row]]) -> None:
        self.rows = rows

    def BestIndexObject(self, info: apsw.IndexInfo) -> bool:
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
        bind_rows(self, ((*row, rowid) for rowid, row in enumerate(self._table.rows())))

    def Close(self) -> None:
        pass
