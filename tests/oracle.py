"""The oracle: the same SQL on plain SQLite tables that hold the same data. Push-down must never change rows.

The tables are named like the resources and filled from a server's state by code of its own, never through the
engine: one row an object with all parents' ids, without hidden columns.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import apsw

from sqlprovider.catalog.catalog import Catalog
from sqlprovider.catalog.model import Resource
from sqlprovider.sql.parse import parse
from sqlprovider.sql.statement import Query, Statement, TableRef, Use
from sqlprovider.values import JSON, Name, Row, SQLValue, Type
from sqlprovider.vtab.engine import Engine
from sqlprovider.vtab.names import SessionNames

Params = Sequence[SQLValue] | Mapping[str, SQLValue]
Objects = Callable[[Resource], Iterable[Mapping[str, SQLValue]]]
"""The objects of a resource, as SQL values by column name."""

_HIDDEN = re.compile(r"no such column: (?:.*\.)?(?P<column>[^.]+)$")


class NoOracle(Exception):
    """A statement the oracle cannot judge: it reads hidden columns or system tables, or it writes."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A statement as the oracle ran it, and its rows; None where it has no result set."""

    sql: str
    rows: list[Row] | None


class Oracle:
    """One plain SQLite connection with a table for each resource that a statement names."""

    def __init__(self, catalog: Catalog, objects: Objects) -> None:
        self.connection = apsw.Connection(":memory:")
        self._catalog = catalog
        self._objects = objects
        # Only what the rewritten text calls: the push-down words, which are true, and the names.
        engine = Engine(catalog, connection=self.connection)
        self._names = SessionNames(catalog, lambda: engine)
        self._filled: set[Name] = set()

    def run(self, text: str, params: Params = ()) -> Iterator[Judged]:
        """Each statement's rows. Raises NoOracle, and apsw.Error where SQLite refuses."""
        used = 0
        for statement in parse(text, self._names):
            match statement:
                case Use(names=names):
                    self._names.use(names)
                    yield Judged(statement.text, None)
                case Query(parameters=count):
                    given = params if isinstance(params, Mapping) else params[used : used + count]
                    yield self._query(statement, given)
                    used += count
                case _:
                    raise NoOracle(f"{type(statement).__name__} is nothing SQLite could answer")

    def sql_of(self, text: str) -> str:
        """A SELECT as it is run on the tables, with the tables there."""
        (statement,) = parse(text, self._names)
        return self._prepared(statement)

    def rows(self, sql: str, params: Params = ()) -> list[Row]:
        """The rows of SQLite text."""
        return [tuple(row) for row in self.connection.execute(sql, params)]

    def _query(self, statement: Query, params: Params) -> Judged:
        sql = self._prepared(statement)
        described: list[bool] = []

        def describe(cursor: apsw.Cursor, *_: object) -> bool:
            described.append(bool(cursor.get_description()))
            return True

        cursor = self.connection.cursor()
        cursor.exec_trace = describe
        try:
            rows = [tuple(row) for row in cursor.execute(sql, params)]
        except apsw.SQLError as error:
            if self._is_hidden(str(error), statement.tables):
                raise NoOracle(str(error)) from None
            raise
        return Judged(sql, rows if described and described[-1] else None)

    def _prepared(self, statement: Statement) -> str:
        if not isinstance(statement, Query) or any(table.name is None for table in statement.tables):
            raise NoOracle("a system table")
        for table in statement.tables:
            if table.name is not None and table.name not in self._filled:
                self._filled.add(table.name)
                self._fill(self._catalog.find(table.name))
        return statement.sql

    def _fill(self, resource: Resource) -> None:
        visible = [column for column in resource.columns if not column.hidden]
        declared = ", ".join(f'"{column.name}" {column.type.declared}' for column in visible)
        self.connection.execute(f'CREATE TABLE "{resource.name}"({declared})')
        marks = ", ".join("?" * len(visible))
        rows = [tuple(found.get(column.name) for column in visible) for found in self._objects(resource)]
        self.connection.executemany(f'INSERT INTO "{resource.name}" VALUES ({marks})', rows)

    def _is_hidden(self, message: str, tables: Iterable[TableRef]) -> bool:
        found = _HIDDEN.search(message.removeprefix("SQLError: "))
        names = [table.name for table in tables if table.name is not None]
        columns = [column for name in names for column in self._catalog.find(name).columns]
        return found is not None and any(
            column.hidden and column.name.lower() == found["column"].lower() for column in columns
        )


def difference(engine: Iterable[Row], oracle: Iterable[Row]) -> str | None:
    """What two row sets do not share, as multisets of typed values; None where they are the same."""
    left, right = Counter(map(typed, engine)), Counter(map(typed, oracle))
    if left == right:
        return None
    lines = [f"  engine only ({count}×): {row}" for row, count in (left - right).items()]
    lines += [f"  oracle only ({count}×): {row}" for row, count in (right - left).items()]
    return "\n".join(lines)


def typed(row: Row) -> tuple[tuple[str, SQLValue], ...]:
    """A row in which 1, 1.0 and '1' are three things."""
    return tuple((type(value).__name__, value) for value in row)


def compact(value: JSON) -> str:
    """JSON as the contract has it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def time_of_rfc3339(text: str) -> str:
    """`2026-01-02T03:04:05.1Z` → `2026-01-02 03:04:05.100`."""
    assert text.endswith("Z")
    whole, _, fraction = text.removesuffix("Z").replace("T", " ").partition(".")
    return f"{whole}.{fraction:0<3}"


def time_of_ms(milliseconds: int) -> str:
    """`1767323045678` → `2026-01-02 03:04:05.678`."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{rest:03d}"


def sql_value(value: JSON, type_: Type) -> SQLValue:
    """A JSON value of an API that says times in RFC 3339 and int64 in text."""
    if value is None:
        return None
    match type_:
        case Type.DATETIME:
            return time_of_rfc3339(str(value))
        case Type.JSON:
            return compact(value)
        case Type.BOOLEAN:
            return int(value is True)
        case Type.INTEGER:
            return int(str(value))
        case _:
            assert isinstance(value, str)
            return value
