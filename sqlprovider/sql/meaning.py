"""What a dotted name means to the session: a resource, a system table, or SQLite's business."""

from __future__ import annotations

from dataclasses import dataclass

from sqlprovider.errors import ProgrammingError, UnknownNameError, did_you_mean
from sqlprovider.sql.statement import Names
from sqlprovider.values import Name

SYSTEM = "sqlprovider"
SYSTEM_TABLES = (
    "connections",
    "services",
    "resources",
    "methods",
    "columns",
    "requests",
    "last_write",
    "journal",
    "cache",
    "operations",
    "limits",
)

_FULL_NAME = "connection.service.resource"


@dataclass(frozen=True, slots=True)
class Meaning:
    """A table that is not SQLite's own."""

    table: str
    """Its name in SQLite."""
    last: str
    """Its last part, the alias it has where none is written."""
    name: Name | None
    """None for a system table."""


def table_meaning(parts: tuple[str, ...], names: Names, *, ctes: frozenset[str]) -> Meaning | None:
    """What a name in table position means; None: leave it to SQLite. Raises UnknownNameError."""
    match parts:
        case (one,):
            return _short(one, names, ctes)
        case (first, second) if first.lower() == SYSTEM:
            return _system(second)
        case (first, second):
            return _pair(first, second, names)
        case (first, second, third):
            return _full(first, second, third, names)
        case (first, second, third, method, *_) if is_connection(first, names):
            _full(first, second, third, names)
            raise ProgrammingError(
                f"{'.'.join(parts)} is no table",
                hint=f"SELECT … FROM {first}.{second}.{third}, or EXEC {first}.{second}.{third}.{method}",
            )
    return None


def column_meaning(parts: tuple[str, ...], names: Names) -> Meaning | None:
    """What stands before the column in `a.b.c.col`; None: leave it to SQLite."""
    match parts:
        case (first, second) if first.lower() == SYSTEM:
            return _system(second)
        case (first, second):
            return _pair(first, second, names)
        case (first, second, third) if is_connection(first, names):
            return _full(first, second, third, names)
    return None


def resource_of(parts: tuple[str, ...], names: Names) -> Name:
    """The resource that a SHOW, DESCRIBE or EXEC names, in full or shorter after USE."""
    match parts, names.used:
        case (first, second, third), _:
            return names.resolve(first, second, third)
        case (second, third), (connection, *_):
            return names.resolve(connection, second, third)
        case (third,), (connection, service):
            return names.resolve(connection, service, third)
    raise UnknownNameError(f"{'.'.join(parts)!r} is not a resource's full name: write {_FULL_NAME}")


def is_connection(name: str, names: Names) -> bool:
    """Whether there is a connection of that name."""
    return name.lower() in (known.lower() for known in names.connections)


def connection_of(name: str, names: Names) -> str:
    """The connection of that name, as it is configured. Raises UnknownNameError."""
    for known in names.connections:
        if known.lower() == name.lower():
            return known
    raise UnknownNameError(f"no connection {name!r}{did_you_mean(name, names.connections)}")


def service_of(connection: str, name: str, names: Names) -> str:
    """The service of that name. Raises UnknownNameError."""
    services = names.services(connection)
    for known in services:
        if known.lower() == name.lower():
            return known
    raise UnknownNameError(f"no service {name!r} in {connection}{did_you_mean(name, services)}")


def _short(table: str, names: Names, ctes: frozenset[str]) -> Meaning | None:
    if len(names.used) < 2 or table.lower() in ctes or names.is_local(None, table):
        return None
    connection, service = names.used
    return _full(connection, service, table, names) if names.has(connection, service, table) else None


def _pair(first: str, second: str, names: Names) -> Meaning | None:
    if not names.used or names.is_local(first, second):
        return None
    connection = names.used[0]
    is_service = first.lower() in (service.lower() for service in names.services(connection))
    return _full(connection, first, second, names) if is_service else None


def _full(connection: str, service: str, resource: str, names: Names) -> Meaning:
    name = names.resolve(connection_of(connection, names), service, resource)
    return Meaning(str(name), name.resource, name)


def _system(table: str) -> Meaning:
    if (known := table.lower()) not in SYSTEM_TABLES:
        raise UnknownNameError(f"no system table {SYSTEM}.{table}{did_you_mean(table, SYSTEM_TABLES)}")
    return Meaning(f"{SYSTEM}.{known}", known, None)
