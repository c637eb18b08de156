"""What names mean to a text, as the session sees it now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlprovider.errors import Error, ProgrammingError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlprovider.catalog.catalog import Catalog
    from sqlprovider.sql.dealer import Dealer
    from sqlprovider.sql.statement import ColumnFact, Statement
    from sqlprovider.values import Name, SQLValue
    from sqlprovider.vtab.engine import Engine


class SessionNames:
    """The `Names` of `sql.statement`: the catalog, what USE set, and SQLite's own tables.

    `engine` gives the engine: a text that is SQLite's alone does not ask for it.
    """

    def __init__(self, catalog: Catalog, engine: Callable[[], Engine]) -> None:
        self._catalog = catalog
        self._engine = engine
        self._used: tuple[str, ...] = ()
        self._facts: dict[Name, Mapping[str, ColumnFact]] = {}
        self._dealt: Dealer | None = None

    @property
    def connections(self) -> tuple[str, ...]:
        """The connections' names."""
        return self._catalog.connections

    @property
    def used(self) -> tuple[str, ...]:
        """What USE set."""
        return self._used

    def use(self, names: tuple[str, ...]) -> None:
        """USE p, USE p.s. Raises UnknownNameError."""
        if len(names) == 1:
            self._catalog.provider(names[0])
        else:
            self._catalog.service(names[0], names[1])
        self._used = names

    def resolve(self, connection: str, service: str, resource: str) -> Name:
        """The full name, in the catalog's spelling."""
        return self._catalog.resource(connection, service, resource).name

    def services(self, connection: str) -> tuple[str, ...]:
        """The services of a connection."""
        return tuple(self._catalog.provider(connection).services)

    def resolve_method(self, name: Name) -> Name:
        """The four-part name, its method in the catalog's spelling. Raises UnknownNameError."""
        resource, method = self._catalog.method(name)
        return replace(resource.name, method=method.name)

    def has(self, connection: str, service: str, resource: str) -> bool:
        """Whether there is such a resource."""
        try:
            self._catalog.resource(connection, service, resource)
        except UnknownNameError:
            return False
        return True

    def columns(self, name: Name) -> Mapping[str, ColumnFact]:
        """The columns of a resource by lower-case name."""
        if name not in self._facts:
            from sqlprovider.vtab.facts import column_facts  # noqa: PLC0415  SQLite's own texts do without it

            self._facts[name] = column_facts(self._catalog.find(name))
        return self._facts[name]

    def is_local(self, schema: str | None, table: str) -> bool:
        """Whether SQLite has a table or view of that name."""
        return self._engine().is_local(schema, table)

    def has_function(self, name: str) -> bool:
        """Whether SQLite has a table-valued function of that name."""
        return self._engine().has_module(name)

    def file_table(self, function: str, arguments: Sequence[SQLValue]) -> str:
        """The table that `read_csv(…)` is."""
        return self._engine().files.table(function, arguments)

    def parameter(self, name: str | None, number: int) -> SQLValue:
        """The value of a parameter of the statement that is being read."""
        if self._dealt is None:
            raise ProgrammingError(
                "the name of a file cannot be a parameter here, where one text is run with many sets of them",
                reason="file_argument",
            )
        return self._dealt.peek(name, number)

    def dealing(self, dealt: Dealer, statements: Iterator[Statement]) -> Iterator[Statement]:
        """The statements, each read while its parameters are known: they may name files."""
        while True:
            before, self._dealt = self._dealt, dealt
            try:
                statement = next(statements, None)
            finally:
                self._dealt = before
            if statement is None:
                return
            yield statement


def words_below(catalog: Catalog, path: tuple[str, ...]) -> list[str]:
    """The names below a path: connections, services, resources, and a resource's columns and methods."""
    try:
        match path:
            case ():
                return [*catalog.connections, "sqlprovider"]
            case (connection,):
                return [*catalog.provider(connection).services]
            case (connection, service):
                return [*catalog.service(connection, service).resources]
            case (connection, service, name):
                resource = catalog.resource(connection, service, name)
                return [*(column.name for column in resource.columns), *resource.methods]
            case _:
                return []
    except Error:
        return []
