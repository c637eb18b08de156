"""SHOW and DESCRIBE, as Queries on the system tables.

`SHOW METHODS IN a.b.c` → `SELECT … FROM "sqlprovider.methods" WHERE resource = 'a.b.c'`.
The tables' hidden column `connection` is the connection's name. `sqlprovider.parameters` (what methods take)
and `sqlprovider.inserts` (a statement to fill in) serve this file alone.
"""

from __future__ import annotations

from sqlprovider.errors import UnknownNameError
from sqlprovider.sql.execs import method_of
from sqlprovider.sql.meaning import connection_of, is_connection, resource_of, service_of
from sqlprovider.sql.rewrite import located
from sqlprovider.sql.script import Piece
from sqlprovider.sql.statement import Names, Query, TableRef
from sqlprovider.sql.tokens import string_literal
from sqlprovider.values import Name

_FORMS = (
    "SHOW PROVIDERS | SHOW SERVICES IN p | SHOW RESOURCES IN p.s | SHOW METHODS IN r | SHOW COLUMNS IN r"
    " | SHOW INSERT INTO r"
)
_PROVIDERS = """\
SELECT p.connection AS name,
  (SELECT json_group_array(s.service)
   FROM "sqlprovider.services" AS s WHERE s.connection = p.connection) AS services
FROM "sqlprovider.connections" AS p"""
_SERVICES = """\
SELECT s.service AS name, s.version,
  (SELECT json_group_array(substr(r.resource, length(r.connection || '.' || r.service) + 2))
   FROM "sqlprovider.resources" AS r WHERE r.connection = s.connection AND r.service = s.service) AS resources
FROM "sqlprovider.services" AS s WHERE s.connection = {connection}"""
_RESOURCES = """\
SELECT substr(resource, length(connection || '.' || service) + 2) AS name, verbs
FROM "sqlprovider.resources" WHERE connection = {connection} AND service = {service}"""
_METHODS = """\
SELECT method AS name, verb, required, optional, effect
FROM "sqlprovider.methods" WHERE resource = {resource}"""
_COLUMNS = """\
SELECT name, type, role, hidden FROM "sqlprovider.columns" WHERE resource = {resource} ORDER BY position"""
_DESCRIBE = """\
SELECT name, type, role, hidden FROM "sqlprovider.columns" WHERE resource = {resource} AND NOT hidden
ORDER BY position"""
_DESCRIBE_EXTENDED = """\
SELECT name, type, role, hidden, required_for, writable, enum
FROM "sqlprovider.columns" WHERE resource = {resource} ORDER BY position"""
_PARAMETERS = """\
SELECT p.name, p.type, CASE WHEN p.required THEN 'parameter' ELSE coalesce(c.role, 'option') END AS role,
  coalesce(c.hidden, 1) AS hidden{more}
FROM "sqlprovider.parameters" AS p
LEFT JOIN "sqlprovider.columns" AS c ON c.resource = p.resource AND c.name = p.name COLLATE NOCASE
WHERE p.resource = {resource} AND p.method = {method} ORDER BY p.position"""
_MORE_OF_PARAMETERS = ', p.required, p.place, p.enum, p.default_ AS "default"'
_INSERT = 'SELECT sql FROM "sqlprovider.inserts" WHERE resource = {resource}'


def read_show(piece: Piece, names: Names) -> Query:
    """SHOW. Raises SQLSyntaxError, UnknownNameError."""
    what = piece.word(1)
    if what == "PROVIDERS":
        _ends(piece, 2)
        return _query(piece, _PROVIDERS, "connections", "services")
    if piece.word(2) != ("INTO" if what == "INSERT" else "IN") or not piece.is_name(3):
        raise piece.unexpected(2 if what in _NEEDS_NAME else 1, _FORMS)
    stop = piece.chain(3)
    _ends(piece, stop)
    parts = piece.parts(3, stop)
    with located(piece, 3, stop):
        match what:
            case "SERVICES":
                connection = _connection(parts, names)
                sql = _SERVICES.format(connection=string_literal(connection))
                return _query(piece, sql, "services", "resources")
            case "RESOURCES":
                connection, service = _service(parts, names)
                sql = _RESOURCES.format(
                    connection=string_literal(connection), service=string_literal(service)
                )
                return _query(piece, sql, "resources")
            case "METHODS":
                return _of_resource(piece, _METHODS, resource_of(parts, names), "methods")
            case "COLUMNS":
                return _of_resource(piece, _COLUMNS, resource_of(parts, names), "columns")
            case "INSERT":
                return _of_resource(piece, _INSERT, resource_of(parts, names), "inserts")
    raise piece.unexpected(1, _FORMS)


def read_describe(piece: Piece, names: Names) -> Query:
    """DESCRIBE. Raises SQLSyntaxError, UnknownNameError."""
    is_extended = piece.word(1) == "EXTENDED" and piece.is_name(2)
    start = 2 if is_extended else 1
    if not piece.is_name(start):
        raise piece.unexpected(start, "DESCRIBE [EXTENDED] connection.service.resource[.method]")
    stop = piece.chain(start)
    _ends(piece, stop)
    with located(piece, start, stop):
        name = _resource_or_method(piece.parts(start, stop), names)
    if name.method is None:
        return _of_resource(piece, _DESCRIBE_EXTENDED if is_extended else _DESCRIBE, name, "columns")
    more = _MORE_OF_PARAMETERS if is_extended else ""
    sql = _PARAMETERS.format(
        resource=string_literal(_resource_text(name)), method=string_literal(name.method), more=more
    )
    return _query(piece, sql, "parameters", "columns")


_NEEDS_NAME = frozenset({"SERVICES", "RESOURCES", "METHODS", "COLUMNS", "INSERT"})


def _resource_or_method(parts: tuple[str, ...], names: Names) -> Name:
    match parts, names.used:
        case (_, _, _, _), _:
            return method_of(parts, names)
        case (first, _, _), (_, *_) if not is_connection(first, names):
            return method_of(parts, names)
        case (first, second), (connection, service) if not names.has(connection, first, second):
            if names.has(connection, service, first):
                return method_of(parts, names)
    return resource_of(parts, names)


def _connection(parts: tuple[str, ...], names: Names) -> str:
    if len(parts) != 1:
        raise UnknownNameError(f"no connection {'.'.join(parts)!r}", hint="SHOW PROVIDERS")
    return connection_of(parts[0], names)


def _service(parts: tuple[str, ...], names: Names) -> tuple[str, str]:
    match parts, names.used:
        case (connection, service), _:
            known = connection_of(connection, names)
        case (service,), (known, *_):
            pass
        case _:
            raise UnknownNameError(
                f"{'.'.join(parts)!r} is not a service's full name: write connection.service",
                hint="SHOW PROVIDERS",
            )
    return known, service_of(known, service, names)


def _of_resource(piece: Piece, template: str, name: Name, table: str) -> Query:
    return _query(piece, template.format(resource=string_literal(_resource_text(name))), table)


def _resource_text(name: Name) -> str:
    return f"{name.connection}.{name.service}.{name.resource}"


def _query(piece: Piece, sql: str, *tables: str) -> Query:
    span = piece.span(0, len(piece.tokens))
    refs = tuple(TableRef(f"sqlprovider.{table}", None, table, span) for table in tables)
    return Query(piece.text, sql, refs)


def _ends(piece: Piece, at: int) -> None:
    if at < len(piece.tokens):
        raise piece.unexpected(at, "the statement should have ended here")
