"""The engine of a session, made when a text first goes beyond what SQLite alone has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from sqlprovider.config import ConnectionConfig
from sqlprovider.execute.events import RequestRecord
from sqlprovider.execute.executor import Executor
from sqlprovider.values import SQLValue
from sqlprovider.vtab.database import Database
from sqlprovider.vtab.engine import Engine
from sqlprovider.vtab.paths import Paths
from sqlprovider.vtab.system import Outcomes, system_tables


def open_engine(
    database: Database,
    executor: Executor,
    connections: Mapping[str, ConnectionConfig],
    *,
    paths: Paths,
    requests: Callable[[], Iterable[RequestRecord]],
    last_write: Callable[[], tuple[dict[str, SQLValue], ...]],
    journal: Outcomes,
) -> Engine:
    """The database with the system tables in it, and every resource at hand as a table."""
    engine = Engine(executor.catalog, opened=database, paths=paths)
    tables = system_tables(
        executor.catalog,
        connections,
        requests,
        last_write,
        operations=executor.operations.records,
        journal=journal,
        cache=executor.cache.records,
        limits=executor.limits.records,
    )
    for name, table in tables.items():
        engine.add_rows(name, table.columns, table.rows)
    return engine
