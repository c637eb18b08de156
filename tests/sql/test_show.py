"""SHOW and DESCRIBE are Queries on the system tables, with the columns that are promised."""

from __future__ import annotations

import apsw
import pytest

from sqlprovider.errors import SQLSyntaxError, UnknownNameError
from sqlprovider.sql.statement import Query
from tests.sql.names import FakeNames
from tests.sql.reading import RUNS, parsed, read

TRACKING = FakeNames(used=("mlflow", "tracking"))
TABLES = {
    "connections": "connection",
    "services": "connection, service, version",
    "resources": "connection, service, resource, verbs",
    "methods": "connection, resource, method, verb, effect, required, optional",
    "columns": "connection, resource, position, name, type, role, required_for, writable, hidden, enum",
    "parameters": "resource, method, position, name, type, required, place, enum, default_",
    "inserts": "resource, sql",
}
ROWS: dict[str, list[tuple[str | int | None, ...]]] = {
    "connections": [("mlflow",), ("my-lab",)],
    "services": [("mlflow", "tracking", "2.0"), ("mlflow", "registry", "2.0"), ("my-lab", "tracking", "2.0")],
    "resources": [
        ("mlflow", "tracking", RUNS, '["SELECT"]'),
        ("mlflow", "registry", "mlflow.registry.aliases", "[]"),
    ],
    "methods": [("mlflow", RUNS, "get", "SELECT", "read", '["run_id"]', "[]")],
    "columns": [
        ("mlflow", RUNS, 1, "filter", "TEXT", "option", "[]", 0, 1, "[]"),
        ("mlflow", RUNS, 0, "run_id", "TEXT", "parameter", '["get"]', 0, 0, "[]"),
    ],
    "parameters": [
        (RUNS, "get", 1, "Filter", "TEXT", 0, "query", "[]", None),
        (RUNS, "get", 0, "run_id", "TEXT", 1, "query", "[]", None),
        (RUNS, "get", 2, "extra", "INTEGER", 0, "body", "[]", "7"),
    ],
    "inserts": [(RUNS, "INSERT INTO …")],
}


def shown(text: str, names: FakeNames | None = None) -> tuple[list[str], list[tuple[object, ...]]]:
    """The columns and rows that a SHOW gives on tables of the promised shape."""
    db = apsw.Connection(":memory:")
    for table, columns in TABLES.items():
        db.execute(f'CREATE TABLE "sqlprovider.{table}" ({columns})')
        for row in ROWS[table]:
            db.execute(f'INSERT INTO "sqlprovider.{table}" VALUES ({", ".join("?" * len(row))})', row)
    query = read(text, Query, names)
    assert all(f'"{table.table}"' in query.sql for table in query.tables)
    cursor = db.execute(query.sql)
    return [name for name, *_ in cursor.description], [tuple(row) for row in cursor]


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        pytest.param(
            "SHOW PROVIDERS",
            "name services",
            [("mlflow", '["tracking","registry"]'), ("my-lab", '["tracking"]')],
            id="providers",
        ),
        pytest.param(
            "show services in MLFLOW",
            "name version resources",
            [("tracking", "2.0", '["runs"]'), ("registry", "2.0", '["aliases"]')],
            id="services",
        ),
        pytest.param(
            "SHOW RESOURCES IN mlflow.tracking", "name verbs", [("runs", '["SELECT"]')], id="resources"
        ),
        pytest.param(
            "SHOW METHODS IN mlflow.tracking.runs",
            "name verb required optional effect",
            [("get", "SELECT", '["run_id"]', "[]", "read")],
            id="methods",
        ),
        pytest.param(
            "SHOW COLUMNS IN mlflow.tracking.runs",
            "name type role hidden",
            [("run_id", "TEXT", "parameter", 0), ("filter", "TEXT", "option", 1)],
            id="columns",
        ),
        pytest.param(
            "DESCRIBE mlflow.tracking.runs",
            "name type role hidden",
            [("run_id", "TEXT", "parameter", 0)],
            id="describe",
        ),
        pytest.param(
            "DESCRIBE EXTENDED mlflow.tracking.runs",
            "name type role hidden required_for writable enum",
            [
                ("run_id", "TEXT", "parameter", 0, '["get"]', 0, "[]"),
                ("filter", "TEXT", "option", 1, "[]", 0, "[]"),
            ],
            id="describe extended",
        ),
        pytest.param(
            "DESCRIBE mlflow.tracking.runs.GET",
            "name type role hidden",
            [
                ("run_id", "TEXT", "parameter", 0),
                ("Filter", "TEXT", "option", 1),
                ("extra", "INTEGER", "option", 1),
            ],
            id="describe a method",
        ),
        pytest.param(
            "DESCRIBE EXTENDED mlflow.tracking.runs.get",
            "name type role hidden required place enum default",
            [
                ("run_id", "TEXT", "parameter", 0, 1, "query", "[]", None),
                ("Filter", "TEXT", "option", 1, 0, "query", "[]", None),
                ("extra", "INTEGER", "option", 1, 0, "body", "[]", "7"),
            ],
            id="describe a method extended",
        ),
        pytest.param("SHOW INSERT INTO mlflow.tracking.runs", "sql", [("INSERT INTO …",)], id="insert"),
    ],
)
def test_show_gives_what_is_promised(text: str, columns: str, rows: list[tuple[object, ...]]) -> None:
    assert shown(text) == (columns.split(), rows)


@pytest.mark.parametrize(
    ("short", "full"),
    [
        pytest.param("SHOW RESOURCES IN tracking", "SHOW RESOURCES IN mlflow.tracking", id="service"),
        pytest.param("SHOW METHODS IN runs", f"SHOW METHODS IN {RUNS}", id="resource"),
        pytest.param("SHOW METHODS IN tracking.runs", f"SHOW METHODS IN {RUNS}", id="service.resource"),
        pytest.param("DESCRIBE runs", f"DESCRIBE {RUNS}", id="DESCRIBE resource"),
        pytest.param(
            "DESCRIBE registry.aliases", "DESCRIBE mlflow.registry.aliases", id="DESCRIBE service.resource"
        ),
        pytest.param("DESCRIBE runs.get", f"DESCRIBE {RUNS}.get", id="DESCRIBE resource.method"),
        pytest.param(
            "DESCRIBE tracking.runs.get", f"DESCRIBE {RUNS}.get", id="DESCRIBE service.resource.method"
        ),
    ],
)
def test_after_use_shorter_names_are_shown(short: str, full: str) -> None:
    assert read(short, Query, TRACKING).sql == read(full, Query).sql


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("SHOW SERVICES IN mlfow", "did you mean mlflow?", id="connection"),
        pytest.param("SHOW SERVICES IN mlflow.tracking", "no connection 'mlflow.tracking'", id="too much"),
        pytest.param("SHOW RESOURCES IN mlflow.trackin", "did you mean tracking?", id="service"),
        pytest.param("SHOW RESOURCES IN tracking", "not a service's full name", id="a service alone"),
        pytest.param("SHOW METHODS IN mlflow.tracking.rnus", "did you mean runs?", id="resource"),
        pytest.param("DESCRIBE mlflow.tracking.runs.gett", "did you mean get?", id="method"),
        pytest.param("DESCRIBE t", "not a resource's full name", id="a local table"),
    ],
)
def test_a_misspelt_name_gets_the_nearest(text: str, message: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        parsed(text)
    assert message in caught.value.message
    assert caught.value.span is not None


@pytest.mark.parametrize(
    "text",
    [
        "SHOW",
        "SHOW TABLES",
        "SHOW TABLES IN mlflow",
        "SHOW PROVIDERS IN x",
        "SHOW METHODS",
        "SHOW METHODS IN",
        f"SHOW METHODS INTO {RUNS}",
        f"SHOW METHODS IN {RUNS} LIKE 'x'",
        f"SHOW INSERT IN {RUNS}",
        "DESCRIBE",
        f"DESCRIBE {RUNS} x",
    ],
)
def test_what_cannot_be_shown_is_a_syntax_error(text: str) -> None:
    with pytest.raises(SQLSyntaxError) as caught:
        parsed(text)
    assert caught.value.span is not None
