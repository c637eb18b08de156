"""What WHERE and ON say of each table."""

from __future__ import annotations

import pytest

from sqlprovider.sql.statement import Query, TableRef
from sqlprovider.values import Const, Listed, Op, Opaque, Operand, Param, Ref
from tests.sql.reading import RUNS, read


def tables(text: str) -> tuple[TableRef, ...]:
    return read(text, Query).tables


def said(table: TableRef) -> list[tuple[str, str, Operand]]:
    return [(p.column, p.op.value, p.operand) for p in table.predicates]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        pytest.param("run_id = 'x'", [("run_id", "=", Const("x"))], id="string"),
        pytest.param("RUN_ID == 5", [("run_id", "=", Const(5))], id="number, other case"),
        pytest.param("run_id = -5", [("run_id", "=", Const(-5))], id="negative number"),
        pytest.param("run_id = x'00'", [("run_id", "=", Const(b"\0"))], id="blob"),
        pytest.param("run_id = NULL", [("run_id", "=", Const(None))], id="NULL"),
        pytest.param("run_id = TRUE", [("run_id", "=", Const(1))], id="TRUE"),
        pytest.param("run_id = ?", [("run_id", "=", Param(1))], id="anonymous parameter"),
        pytest.param("run_id = ?7", [("run_id", "=", Param(7))], id="numbered parameter"),
        pytest.param("run_id = :n", [("run_id", "=", Param("n"))], id="named parameter"),
        pytest.param("run_id = lower('X')", [("run_id", "=", Opaque())], id="expression"),
        pytest.param(
            "run_id = name", [("run_id", "=", Opaque()), ("name", "=", Opaque())], id="another column of it"
        ),
        pytest.param("'x' < name", [("name", ">", Const("x"))], id="the other way round"),
        pytest.param("(run_id) = ('x')", [("run_id", "=", Const("x"))], id="parentheses"),
        pytest.param("name <> 'x'", [("name", "!=", Const("x"))], id="not equal"),
        pytest.param("name IS 'x'", [("name", "IS", Const("x"))], id="IS"),
        pytest.param("name IS NULL", [("name", "IS NULL", Const(None))], id="IS NULL"),
        pytest.param("name NOTNULL", [("name", "IS NOT NULL", Const(None))], id="NOTNULL"),
        pytest.param("name LIKE 'a%'", [("name", "LIKE", Const("a%"))], id="LIKE"),
        pytest.param(
            "name BETWEEN 'a' AND ?", [("name", ">=", Const("a")), ("name", "<=", Param(1))], id="BETWEEN"
        ),
        pytest.param("name IN ('a', 'b')", [("name", "IN", Const(("a", "b")))], id="IN literals"),
        pytest.param(
            "name IN (?, 'b')", [("name", "IN", Listed((Param(1), Const("b"))))], id="IN with a parameter"
        ),
        pytest.param("name IN (lower('A'))", [("name", "IN", Opaque())], id="IN with an expression"),
        pytest.param(
            "filter = 'f' AND key = 'k'",
            [("filter", "=", Const("f")), ("key", "=", Const("k"))],
            id="columns that are keywords",
        ),
        pytest.param(
            "runs.name = 'x' AND (status = 'y' AND run_id = 'z')",
            [("name", "=", Const("x")), ("status", "=", Const("y")), ("run_id", "=", Const("z"))],
            id="nested AND",
        ),
        pytest.param("mlflow.tracking.runs.name = 'x'", [("name", "=", Const("x"))], id="in full"),
        pytest.param(
            "start_time > '2026-01-02T00:00:00Z'",
            [("start_time", ">", Const("2026-01-02 00:00:00.000"))],
            id="a converted time",
        ),
        pytest.param("name = 'x' OR status = 'y'", [], id="OR"),
        pytest.param("NOT name = 'x'", [], id="NOT"),
        pytest.param(
            "name = 'x' COLLATE nocase AND name COLLATE nocase = 'x'", [("name", "=", Opaque())], id="COLLATE"
        ),
        pytest.param("name LIKE 'a' ESCAPE '!'", [], id="ESCAPE"),
        pytest.param("name IS NOT 'x' AND name IS TRUE", [], id="IS NOT and IS TRUE"),
        pytest.param("nothing = 'x' AND other.name = 'x'", [], id="no columns of it"),
        pytest.param("(name, status) = ('x', 'y')", [], id="row values"),
    ],
)
def test_a_conjunct_is_a_predicate(where: str, expected: list[tuple[str, str, Operand]]) -> None:
    (table,) = tables(f"SELECT * FROM {RUNS} WHERE {where}")
    assert said(table) == expected


def test_a_predicate_on_a_json_key_says_the_key() -> None:
    (table,) = tables(f"SELECT * FROM {RUNS} WHERE metrics->>'a.b' > 0.5")
    (predicate,) = table.predicates
    assert (predicate.column, predicate.key, predicate.op, predicate.operand) == (
        "metrics",
        "a.b",
        Op.GT,
        Const(0.5),
    )


def test_a_join_binds_each_side_to_the_other() -> None:
    runs, experiments = tables(
        f"SELECT * FROM {RUNS} r JOIN mlflow.tracking.experiments e"
        " ON r.experiment_id = e.experiment_id AND e.name = 'x'"
    )
    assert said(runs) == [("experiment_id", "=", Ref("e", "experiment_id"))]
    assert said(experiments) == [("experiment_id", "=", Ref("r", "experiment_id")), ("name", "=", Const("x"))]


def test_a_local_table_is_a_reference_where_it_is_qualified() -> None:
    (table,) = tables(f"SELECT * FROM t JOIN {RUNS} r ON r.run_id = t.id")
    assert said(table) == [("run_id", "=", Ref("t", "id"))]


def test_each_select_speaks_of_its_own_tables() -> None:
    first, second = tables(
        f"SELECT 1 FROM {RUNS} WHERE name = 'a' UNION SELECT 1 FROM {RUNS} WHERE name = 'b'"
    )
    assert (said(first), said(second)) == ([("name", "=", Const("a"))], [("name", "=", Const("b"))])


def test_a_subquery_can_speak_of_an_outer_table() -> None:
    outer, inner = tables(
        f"SELECT 1 FROM {RUNS} r WHERE EXISTS"
        " (SELECT 1 FROM mlflow.tracking.experiments e WHERE e.experiment_id = r.experiment_id)"
    )
    assert said(inner) == [("experiment_id", "=", Ref("r", "experiment_id"))]
    assert said(outer) == [("experiment_id", "=", Ref("e", "experiment_id"))]


def test_a_column_that_a_local_table_may_have_is_taken_for_the_resources() -> None:
    (table,) = tables(f"SELECT * FROM t, {RUNS} WHERE name = 'x' AND nothing = 'y'")
    assert said(table) == [("name", "=", Const("x"))]


def test_a_column_that_an_inner_local_table_may_have_is_not_the_outer_resources() -> None:
    (table,) = tables(f"SELECT * FROM {RUNS} WHERE EXISTS (SELECT 1 FROM t WHERE name = 'x')")
    assert table.predicates == ()


def test_a_predicate_says_where_it_stands() -> None:
    text = f"SELECT * FROM {RUNS} WHERE name = 'x' AND 1"
    (table,) = tables(text)
    span = table.predicates[0].span
    assert span is not None
    assert text[span.start : span.end] == "name = 'x'"


def test_what_sqlglot_cannot_parse_has_no_predicates() -> None:
    (table,) = tables(f"SELECT 1 'x' 'y' FROM {RUNS} WHERE name = 'x'")
    assert table.predicates == ()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("CREATE TEMP VIEW v AS SELECT 1 FROM {R} WHERE name = 'x'", id="a view"),
        pytest.param("INSERT INTO t SELECT 1 FROM {R} WHERE name = 'x'", id="INSERT"),
        pytest.param("WITH c AS (SELECT 1 FROM {R} WHERE name = 'x') DELETE FROM t", id="DELETE with a CTE"),
        pytest.param("UPDATE t SET a = 1 FROM {R} WHERE name = 'x'", id="UPDATE FROM"),
        pytest.param("EXPLAIN QUERY PLAN SELECT 1 FROM {R} WHERE name = 'x'", id="EXPLAIN QUERY PLAN"),
        pytest.param(
            "SELECT CAST(1 AS DECIMAL(10, 2)), glob('a', 'b'), count(*) FILTER (WHERE 1) OVER ()"
            " FROM {R} WHERE name = 'x'",
            id="words that are calls",
        ),
        pytest.param(
            "SELECT 1 AS 'one', [a b] FROM ({R} JOIN t) WHERE name = 'x'",
            id="a string as alias, a nested join",
        ),
    ],
)
def test_predicates_are_found_in_every_statement(text: str) -> None:
    (table,) = tables(text.replace("{R}", RUNS))
    assert said(table) == [("name", "=", Const("x"))]
