"""Sets that queries give to a resource's column: they get a NULL, and are never empty."""

from __future__ import annotations

import pytest

from sqlprovider.sql.statement import Query
from tests.sql.reading import read

NULL = 'SELECT NULL FROM "sqlprovider.nothing" UNION ALL SELECT * FROM '


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        pytest.param("run_id IN (SELECT id FROM t)", f"run_id IN ({NULL}(SELECT id FROM t))", id="a query"),
        pytest.param(
            "(run_id) IN (SELECT id FROM t)", f"(run_id) IN ({NULL}(SELECT id FROM t))", id="parentheses"
        ),
        pytest.param(
            "run_id IN (WITH c AS (SELECT 1 AS x) SELECT x FROM c ORDER BY x LIMIT 1)",
            f"run_id IN ({NULL}(WITH c AS (SELECT 1 AS x) SELECT x FROM c ORDER BY x LIMIT 1))",
            id="with, order and limit",
        ),
    ],
)
def test_a_set_of_a_conjunct_gets_a_null(where: str, expected: str) -> None:
    query = read(f"SELECT 1 FROM mlflow.tracking.runs WHERE {where}", Query)
    assert query.sql == f'SELECT 1 FROM "mlflow.tracking.runs" AS runs WHERE {expected}'


@pytest.mark.parametrize(
    "where",
    [
        pytest.param("run_id NOT IN (SELECT id FROM t)", id="not in: a NULL would lose rows"),
        pytest.param("run_id IN (SELECT id FROM t) OR status = 'x'", id="an arm of an OR"),
        pytest.param("(run_id IN (SELECT id FROM t)) IS FALSE", id="its falsehood is asked for"),
        pytest.param("run_id IN ('a', 'b')", id="a list"),
        pytest.param("run_id IN (VALUES ('a'))", id="values: never empty, and taken one by one"),
        pytest.param("(run_id, status) IN (SELECT id, s FROM t)", id="row values"),
        pytest.param("lower(run_id) IN (SELECT id FROM t)", id="an expression"),
    ],
)
def test_any_other_set_is_left_as_it_is(where: str) -> None:
    query = read(f"SELECT 1 FROM mlflow.tracking.runs WHERE {where}", Query)
    assert query.sql == f'SELECT 1 FROM "mlflow.tracking.runs" AS runs WHERE {where}'
