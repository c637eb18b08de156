"""What a text asks for, as frozen values.

Every `sql` here is SQLite text cut out of the user's own text: resource names are spliced in by position
(`lab.bench.trials` → `"lab.bench.trials" AS trials`), anonymous `?` are numbered by their place in the
whole statement (so that pieces can be run apart), and nothing else is printed anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from sqlprovider.sql.query import Query as Query  # all statements can be had here
from sqlprovider.values import Name, Operand, Predicate, Span, SQLValue, Type

NOTHING = "sqlprovider.nothing"
"""A table of one row, a NULL. A set that reads it in SQLite's plan is never empty (`sets.py`)."""


@dataclass(frozen=True, slots=True)
class ColumnFact:
    """What the text needs to know of a column."""

    name: str
    type: Type
    hidden: bool = False
    numeric_keys: bool = True
    """JSON: False where the values under its keys are text."""
    keys_pushed: bool = False
    """JSON: some method can filter by a key of it, so predicates on keys are worth a push-down word."""


class Names(Protocol):
    """What names mean, as the session sees it now."""

    @property
    def connections(self) -> tuple[str, ...]:
        """The connections' names."""

    @property
    def used(self) -> tuple[str, ...]:
        """What USE set: `()`, `(connection,)` or `(connection, service)`."""

    def resolve(self, connection: str, service: str, resource: str) -> Name:
        """The full name, in the catalog's spelling. Raises UnknownNameError."""

    def resolve_method(self, name: Name) -> Name:
        """The four-part name, its method in the catalog's spelling. Raises UnknownNameError."""

    def services(self, connection: str) -> tuple[str, ...]:
        """A connection's services. Raises UnknownNameError."""

    def has(self, connection: str, service: str, resource: str) -> bool:
        """Whether there is such a resource."""

    def columns(self, name: Name) -> Mapping[str, ColumnFact]:
        """The columns of a resource by lower-case name."""

    def is_local(self, schema: str | None, table: str) -> bool:
        """Whether SQLite has a table or view of that name (in that schema)."""

    def has_function(self, name: str) -> bool:
        """Whether SQLite has a table-valued function of that name."""

    def file_table(self, function: str, arguments: Sequence[SQLValue]) -> str:
        """The name in SQLite of the table that one of FILE_FUNCTIONS is.

        Raises ProgrammingError, DataError, OperationalError.
        """

    def parameter(self, name: str | None, number: int) -> SQLValue:
        """A parameter's value: `name` without its sign, None for `?`; `number` counts from 1."""


@dataclass(frozen=True, slots=True)
class TableRef:
    """A resource or system table in table position."""

    table: str
    """Its name in SQLite: `lab.bench.trials`, `sqlprovider.methods`."""
    name: Name | None
    """None for a system table."""
    alias: str
    span: Span
    predicates: tuple[Predicate, ...] = ()
    """Conjuncts of WHERE and ON that name one of its columns on one side; the forecast, never the truth."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A SELECT of one resource that is no more than columns, conditions, order and LIMIT."""

    columns: tuple[str, ...]
    """What is selected, by the columns' names."""
    aggregate: tuple[str, str] | None
    """What is selected instead: `("count", "")`, `("max", column)`, `("min", column)`."""
    conditions: tuple[Predicate, ...]
    """The whole WHERE, each column once."""
    order: int
    """How many terms ORDER BY has."""
    limit: Operand
    """`Const(None)`: none."""
    offset: Operand


@dataclass(frozen=True, slots=True)
class Top:
    """A SELECT of one resource that wants its first rows by the number under a key of a JSON column."""

    column: str
    key: str
    direction: str
    has_more_terms: bool
    """ORDER BY goes on: rows that are equal by the first term are told apart."""
    limit: Operand
    offset: Operand
    """`Const(None)`: none."""


@dataclass(frozen=True, slots=True)
class Where:
    """The WHERE of a write. `only_equalities`: nothing but `column = value` and `column IN (values)`."""

    sql: str
    predicates: tuple[Predicate, ...]
    only_equalities: bool
    tables: tuple[TableRef, ...] = ()
    """Resources in its subqueries."""
    reads_row: bool = True
    """Whether it reads a column: `WHERE true` is no condition."""


@dataclass(frozen=True, slots=True)
class Returning:
    """`sql` is the expression list; `columns` its plain column names, None where it is more than that."""

    sql: str
    columns: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Assignment:
    """One `column = expression` of SET. `constant`: the expression reads no column and no table."""

    column: str
    sql: str
    constant: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Upsert:
    """`ON CONFLICT (columns) DO UPDATE SET … WHERE …`; without assignments it is DO NOTHING."""

    columns: tuple[str, ...]
    assignments: tuple[Assignment, ...]
    where: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Insert:
    """INSERT INTO a resource. `source`: `VALUES …`, `SELECT …` (with its WITH), or "" for DEFAULT VALUES."""

    text: str
    target: TableRef
    columns: tuple[tuple[str, Span], ...]
    """As written, unquoted: `displayName`, `data__displayName`. Empty: none were named."""
    source: str
    source_tables: tuple[TableRef, ...]
    conflict: str | None
    """`OR IGNORE`, `OR REPLACE`, …, `ON CONFLICT`: None for a plain INSERT."""
    returning: Returning | None
    parameters: int = 0
    upsert: Upsert | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """UPDATE of a resource."""

    text: str
    target: TableRef
    assignments: tuple[Assignment, ...]
    from_sql: str
    """`, other AS o` to stand after the target in a SELECT's FROM; "" where there is no FROM."""
    where: Where | None
    conflict: str | None
    returning: Returning | None
    with_sql: str = ""
    tables: tuple[TableRef, ...] = ()
    """Resources in FROM, SET and WITH."""
    parameters: int = 0
    tail_sql: str = ""
    """ORDER BY … LIMIT …, where SQLite would take them."""


@dataclass(frozen=True, slots=True)
class Delete:
    """DELETE FROM a resource."""

    text: str
    target: TableRef
    where: Where | None
    returning: Returning | None
    with_sql: str = ""
    tables: tuple[TableRef, ...] = ()
    parameters: int = 0
    tail_sql: str = ""


@dataclass(frozen=True, slots=True)
class Argument:
    """One `@name=value` of EXEC. `sql` is an expression SQLite can evaluate (`'x'`, `:b`, `?2`)."""

    name: str
    sql: str
    span: Span


@dataclass(frozen=True, slots=True)
class Exec:
    """EXEC of a method. `body` is the text after `@@json=`."""

    text: str
    target: Name
    arguments: tuple[Argument, ...]
    body: Argument | None
    parameters: int = 0


@dataclass(frozen=True, slots=True)
class Use:
    """USE p, USE p.s."""

    text: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Set:
    """SET name = literal."""

    text: str
    name: str
    value: SQLValue | bool


@dataclass(frozen=True, slots=True)
class Explain:
    """EXPLAIN [ANALYZE] of a statement that names a resource, or that may reach one through a view.

    Whether a view leads to a resource only SQLite can tell: where `statement` is a Query without tables and
    its preparation reaches none, a plain EXPLAIN is SQLite's own, and `text` is what to run.
    """

    text: str
    statement: Query | Insert | Update | Delete | Exec
    analyze: bool = False


Command: TypeAlias = Insert | Update | Delete | Exec | Use | Set | Explain
Statement: TypeAlias = Query | Command
