"""A session's names, small enough to read: two connections and what the tests ask of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlprovider.errors import UnknownNameError, did_you_mean
from sqlprovider.sql.statement import ColumnFact
from sqlprovider.values import Name, SQLValue, Type

_TEXT = ("experiment_id", "run_id", "run_name", "status", "name", "key")
COLUMNS = {column: ColumnFact(column, Type.TEXT) for column in _TEXT} | {
    "start_time": ColumnFact("start_time", Type.DATETIME),
    "metrics": ColumnFact("metrics", Type.JSON, keys_pushed=True),
    "params": ColumnFact("params", Type.JSON, numeric_keys=False, keys_pushed=True),
    "tags": ColumnFact("tags", Type.JSON, numeric_keys=False),
    "filter": ColumnFact("filter", Type.TEXT, hidden=True),
}
GOOGLE = {
    name.lower(): ColumnFact(name, Type.TEXT)
    for name in [
        "projectsId",
        "locationsId",
        "tensorboardsId",
        "experimentsId",
        "runsId",
        "name",
        "createTime",
        "displayName",
        "description",
        "labels",
        "etag",
        "filter",
        "pageSize",
        "pageToken",
        "orderBy",
        "readMask",
        "updateMask",
        "nextPageToken",
        "tensorboardRuns",
    ]
}
RESOURCES = {
    "mlflow.tracking.runs": COLUMNS,
    "mlflow.tracking.experiments": COLUMNS,
    "mlflow.registry.aliases": COLUMNS,
    "google.aiplatform.runs": GOOGLE,
    "google.aiplatform.experiments": GOOGLE,
    "my-lab.tracking.runs": COLUMNS,
}
METHODS = ("search", "get", "create", "write", "batch_create")


@dataclass
class FakeNames:
    """`local` holds tables that SQLite has (`t`, `main.t`), `functions` its table-valued functions."""

    used: tuple[str, ...] = ()
    local: frozenset[str] = field(default_factory=frozenset)
    functions: frozenset[str] = field(default_factory=frozenset)

    @property
    def connections(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name.split(".")[0] for name in RESOURCES))

    def services(self, connection: str) -> tuple[str, ...]:
        names = (name.split(".") for name in RESOURCES)
        return tuple(dict.fromkeys(parts[1] for parts in names if parts[0] == connection.lower()))

    def has(self, connection: str, service: str, resource: str) -> bool:
        return f"{connection}.{service}.{resource}".lower() in RESOURCES

    def resolve(self, connection: str, service: str, resource: str) -> Name:
        if not self.has(connection, service, resource):
            known = [name.split(".")[2] for name in RESOURCES]
            raise UnknownNameError(
                f"no resource {resource!r} in {connection}.{service}{did_you_mean(resource, known)}"
            )
        return Name(connection.lower(), service.lower(), resource.lower())

    def resolve_method(self, name: Name) -> Name:
        method = (name.method or "").lower()
        if method not in METHODS:
            raise UnknownNameError(f"no method {name.method!r}{did_you_mean(method, METHODS)}")
        return Name(name.connection, name.service, name.resource, method)

    def columns(self, name: Name) -> Mapping[str, ColumnFact]:
        return RESOURCES[str(name)]

    def is_local(self, schema: str | None, table: str) -> bool:
        return (table if schema is None else f"{schema}.{table}").lower() in self.local

    def has_function(self, name: str) -> bool:
        return name.lower() in self.functions

    def file_table(self, function: str, arguments: Sequence[SQLValue]) -> str:
        return f"{function.lower()}:{','.join(map(str, arguments))}"

    def parameter(self, name: str | None, number: int) -> SQLValue:
        return f"value of {name or number}"
