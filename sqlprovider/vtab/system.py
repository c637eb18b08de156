"""The system tables: `SELECT * FROM sqlprovider.methods`. Lists are JSON arrays; nothing is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields

from sqlprovider.catalog.catalog import Catalog
from sqlprovider.catalog.model import Column, Method, Resource, Role, Service, Verb
from sqlprovider.config import ConnectionConfig
from sqlprovider.execute.cache import CacheRecord
from sqlprovider.execute.events import RequestRecord
from sqlprovider.execute.limits import LimitRecord
from sqlprovider.execute.operations import OperationRecord
from sqlprovider.values import Name, Row, SQLValue, Type
from sqlprovider.vtab.rows import Given, MakeRows, column

LAST_WRITE = (
    column("sequence", Type.INTEGER),
    column("resource"),
    column("method"),
    column("key"),
    column("state"),
    column("http_status", Type.INTEGER),
    column("code"),
    column("message"),
    column("request_id"),
    column("input_row", Type.JSON),
)
_INTEGERS = ("sequence", "status", "attempt", "ms", "rows")


def _texts(names: str) -> tuple[Column, ...]:
    return tuple(column(name) for name in names.split())


def _lists(names: str) -> tuple[Column, ...]:
    return tuple(column(name, Type.JSON) for name in names.split())


JOURNAL = (column("at", Type.DATETIME), *_texts("statement_id statement phase"), *LAST_WRITE)
_CONNECTION = column("connection", hidden=True)
_CONNECTIONS = (*_texts("connection provider base_url auth"), *_lists("defaults"))
_SERVICES = (
    *_texts("provider service version title"),
    _CONNECTION,
    column("resources", Type.JSON, hidden=True),
)
_RESOURCES = (*_texts("provider service resource"), *_lists("verbs methods"), column("title"), _CONNECTION)
_METHODS = (
    *_texts("provider service version resource method verb effect http_method path"),
    *_lists("required optional pushed rechecked"),
    _CONNECTION,
)
_COLUMNS = (
    *_texts("provider service resource"),
    column("position", Type.INTEGER),
    *_texts("name type role"),
    *_lists("required_for"),
    column("writable", Type.BOOLEAN),
    column("hidden", Type.BOOLEAN),
    *_lists("enum"),
    _CONNECTION,
)
_OPERATIONS = (
    column("started_at", Type.DATETIME),
    *_texts("connection resource method key name state error"),
    column("checked_at", Type.DATETIME),
)
_CACHE = (
    *_texts("connection resource method http_method url"),
    column("cached_at", Type.DATETIME),
    column("age", Type.REAL),
    column("rows", Type.INTEGER),
    column("bytes", Type.INTEGER),
    column("etag"),
)
_LIMITS = (
    *_texts("connection scope"),
    *(column(name, Type.INTEGER) for name in ("in_flight", "concurrency", "concurrency_max")),
    column("per_minute", Type.REAL),
    *(column(name, Type.INTEGER) for name in ("waiting", "throttled")),
    column("paused_until", Type.DATETIME),
)
_PARAMETERS = (
    *_texts("provider service resource method"),
    column("position", Type.INTEGER),
    *_texts("name type"),
    column("required", Type.BOOLEAN),
    column("place"),
    *_lists("enum default_"),
)


Outcomes = Callable[[], Iterable[Mapping[str, SQLValue]]]
"""What became of rows that were written, by column."""


@dataclass(frozen=True, slots=True)
class SystemTable:
    """One table: its columns and what its rows are now."""

    columns: tuple[Column, ...]
    rows: MakeRows


def system_tables(
    catalog: Catalog,
    connections: Mapping[str, ConnectionConfig],
    requests: Callable[[], Iterable[RequestRecord]],
    last_write: Outcomes,
    operations: Callable[[], Iterable[OperationRecord]] = tuple,
    journal: Outcomes = tuple,
    cache: Callable[[], Iterable[CacheRecord]] = tuple,
    limits: Callable[[], Iterable[LimitRecord]] = tuple,
) -> dict[str, SystemTable]:
    """Every system table by its name in SQLite."""
    facts = _Facts(catalog, connections)
    tables = {
        "connections": SystemTable(_CONNECTIONS, facts.connections),
        "services": SystemTable(_SERVICES, facts.services),
        "resources": SystemTable(_RESOURCES, facts.resources),
        "methods": SystemTable(_METHODS, facts.methods),
        "columns": SystemTable(_COLUMNS, facts.columns),
        "parameters": SystemTable(_PARAMETERS, facts.parameters),
        "inserts": SystemTable(_texts("resource sql"), facts.inserts),
        "requests": SystemTable(
            _requested(), lambda given: (tuple(asdict(record).values()) for record in requests())
        ),
        "last_write": _outcomes(LAST_WRITE, last_write),
        "journal": _outcomes(JOURNAL, journal),
        "operations": SystemTable(
            _OPERATIONS, lambda given: (tuple(asdict(record).values()) for record in operations())
        ),
        "limits": SystemTable(_LIMITS, lambda given: (tuple(asdict(gate).values()) for gate in limits())),
        "cache": SystemTable(_CACHE, lambda given: (tuple(asdict(page).values()) for page in cache())),
    }
    return {f"sqlprovider.{name}": table for name, table in tables.items()}


def _outcomes(columns: tuple[Column, ...], outcomes: Outcomes) -> SystemTable:
    names = [column.name for column in columns]
    return SystemTable(columns, lambda given: (tuple(row[name] for name in names) for row in outcomes()))


def _requested() -> tuple[Column, ...]:
    return tuple(
        column(field.name, Type.INTEGER if field.name in _INTEGERS else Type.TEXT)
        for field in fields(RequestRecord)
    )


class _Facts:
    """The catalog's rows, per connection."""

    def __init__(self, catalog: Catalog, connections: Mapping[str, ConnectionConfig]) -> None:
        self._catalog = catalog
        self._connections = connections

    def connections(self, given: Given) -> Iterator[Row]:
        for name, config in self._connections.items():
            base_url = config.base_url
            shown = base_url if isinstance(base_url, str | None) else _array(base_url)
            auth = None if config.auth is None else config.auth.type
            yield name, config.provider, shown, auth, _array(config.defaults)

    def services(self, given: Given) -> Iterator[Row]:
        for name, service in self._services(given):
            yield (
                self._catalog.provider(name).name,
                service.name,
                service.version,
                service.title,
                name,
                _array([*service.resources]),
            )

    def resources(self, given: Given) -> Iterator[Row]:
        for name, service in self._services(given):
            for resource in _wanted(name, service, given):
                summary = service.resources.summary(resource)
                yield (
                    self._catalog.provider(name).name,
                    service.name,
                    str(Name(name, service.name, resource)),
                    _array([verb.value for verb in summary.verbs]),
                    _array([*summary.methods]),
                    summary.title,
                    name,
                )

    def methods(self, given: Given) -> Iterator[Row]:
        for provider, service, resource in self._resources(given):
            for method in resource.methods.values():
                pushed, rechecked = _pushed(method)
                yield (
                    provider,
                    service.name,
                    service.version,
                    str(resource.name),
                    method.name,
                    method.verb.value,
                    method.effect,
                    method.http_method,
                    method.path,
                    _array(_shown(method, required=True)),
                    _array(_shown(method, required=False)),
                    _array(pushed),
                    _array(rechecked),
                    resource.name.connection,
                )

    def columns(self, given: Given) -> Iterator[Row]:
        for provider, service, resource in self._resources(given):
            for position, found in enumerate(resource.columns):
                yield (
                    provider,
                    service.name,
                    str(resource.name),
                    position,
                    found.name,
                    found.type.value,
                    found.role.value,
                    _array(_required_for(resource, found)),
                    int(_writable(resource, found)),
                    int(found.hidden),
                    _array(found.enum) if found.enum else None,
                    resource.name.connection,
                )

    def parameters(self, given: Given) -> Iterator[Row]:
        for provider, service, resource in self._resources(given):
            for method in resource.methods.values():
                for position, parameter in enumerate(method.parameters.values()):
                    yield (
                        provider,
                        service.name,
                        str(resource.name),
                        method.name,
                        position,
                        parameter.column or parameter.name,
                        parameter.type.value,
                        int(parameter.required),
                        parameter.place.value,
                        _array(parameter.enum) if parameter.enum else None,
                        None if parameter.default is None else json.dumps(parameter.default),
                    )

    def inserts(self, given: Given) -> Iterator[Row]:
        for _, _, resource in self._resources(given):
            for method in resource.verb_methods(Verb.INSERT):
                yield str(resource.name), _insert_template(resource, method)

    def _services(self, given: Given) -> Iterator[tuple[str, Service]]:
        """(connection, service) for those that what is given does not rule out."""
        for name in self._catalog.connections:
            prefix = str(given.get("resource", name)).partition(".")[0]
            if not (_may_be(name, given.get("connection", name)) and _may_be(name, prefix)):
                continue
            for service in self._catalog.provider(name).services.values():
                if _may_be(service.name, given.get("service", service.name)):
                    yield name, service

    def _resources(self, given: Given) -> Iterator[tuple[str, Service, Resource]]:
        for name, service in self._services(given):
            for resource in _wanted(name, service, given):
                found = self._catalog.resource(name, service.name, resource)
                yield self._catalog.provider(name).name, service, found


def _wanted(connection: str, service: Service, given: Given) -> list[str]:
    """The names of the resources that what is given does not rule out."""
    wanted = given.get("resource")
    return [
        name
        for name in service.resources
        if wanted is None or _may_be(str(Name(connection, service.name, name)), wanted)
    ]


def _may_be(name: str, wanted: SQLValue) -> bool:
    """Whether a name could be the one wanted, in whichever of SQLite's collations."""
    return name.lower() == str(wanted).rstrip().lower()


def _array(values: Mapping[str, str] | Iterable[str]) -> str:
    plain = dict(values) if isinstance(values, Mapping) else list(values)
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def _shown(method: Method, *, required: bool) -> list[str]:
    return [p.column or p.name for p in method.parameters.values() if p.required is required]


def _pushed(method: Method) -> tuple[list[str], list[str]]:
    terms = {} if method.push.filter is None else method.push.filter.terms
    pushed = sorted({*terms, *method.push.equals})
    return pushed, [name for name in pushed if name not in terms or not terms[name].exact]


def _required_for(resource: Resource, found: Column) -> list[str]:
    return [
        method.name
        for method in resource.methods.values()
        if any(p.required and p.column == found.name for p in method.parameters.values())
    ]


def _writable(resource: Resource, found: Column) -> bool:
    if found.role not in (Role.PARAMETER, Role.ITEM):
        return False
    inserts = resource.verb_methods(Verb.INSERT)
    taken = {p.column for method in inserts for p in method.parameters.values()}
    set_ = {name for method in resource.verb_methods(Verb.UPDATE) for name in method.sets}
    return found.name in taken | set_


def _insert_template(resource: Resource, method: Method) -> str:
    names = [p.column or p.name for p in method.parameters.values()]
    values = [f"'{{{{ {name} }}}}'" for name in names]
    return f"INSERT INTO {resource.name} ({', '.join(names)})\nVALUES ({', '.join(values)})"
