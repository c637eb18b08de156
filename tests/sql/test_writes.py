"""INSERT, UPDATE and DELETE of a resource are cut out of the user's text, or refused."""

from __future__ import annotations

import pytest

from sqlprovider.errors import NotSupportedError, SQLSyntaxError
from sqlprovider.sql.statement import Delete, Insert, Query, Update, Where
from sqlprovider.values import Const, Listed, Operand, Param
from tests.sql.names import FakeNames
from tests.sql.reading import RUNS, parsed, read


@pytest.mark.parametrize(
    ("text", "source", "conflict"),
    [
        pytest.param("INSERT INTO {R}(a) VALUES (1), (?)", "VALUES (1), (?1)", None, id="VALUES"),
        pytest.param("INSERT INTO {R}(a) SELECT 1", "SELECT 1", None, id="SELECT"),
        pytest.param("INSERT INTO {R} DEFAULT VALUES", "", None, id="DEFAULT VALUES"),
        pytest.param(
            "INSERT INTO {R} AS r (a) SELECT 1 FROM {R}",
            'SELECT 1 FROM "{R}" AS runs',
            None,
            id="from a resource",
        ),
        pytest.param("REPLACE INTO {R}(a) VALUES (1)", "VALUES (1)", "OR REPLACE", id="REPLACE INTO"),
        pytest.param("INSERT OR ignore INTO {R}(a) VALUES (1)", "VALUES (1)", "OR IGNORE", id="OR x"),
        pytest.param(
            "INSERT INTO {R}(a) SELECT 1 WHERE 1 ON CONFLICT DO NOTHING RETURNING a",
            "SELECT 1 WHERE 1",
            "ON CONFLICT",
            id="upsert",
        ),
        pytest.param(
            "INSERT INTO {R}(a) SELECT 1 FROM t JOIN u ON conflict = 1",
            "SELECT 1 FROM t JOIN u ON conflict = 1",
            None,
            id="a column called conflict",
        ),
        pytest.param(
            "WITH c AS (SELECT 1 x) INSERT INTO {R}(a) SELECT x FROM c",
            "WITH c AS (SELECT 1 x) SELECT x FROM c",
            None,
            id="WITH before",
        ),
        pytest.param(
            "INSERT INTO {R}(a) WITH c AS (SELECT 1 x) SELECT x FROM c",
            "WITH c AS (SELECT 1 x) SELECT x FROM c",
            None,
            id="WITH after",
        ),
        pytest.param(
            "WITH b AS (SELECT 1) INSERT INTO {R}(a) WITH c AS (SELECT 2) SELECT * FROM b, c",
            "WITH RECURSIVE b AS (SELECT 1), c AS (SELECT 2) SELECT * FROM b, c",
            None,
            id="WITH before and after",
        ),
        pytest.param(
            "WITH c AS (SELECT 1) INSERT INTO {R}(a) VALUES ((SELECT * FROM c))",
            "WITH c AS (SELECT 1) VALUES ((SELECT * FROM c))",
            None,
            id="WITH and VALUES",
        ),
        pytest.param(
            "INSERT INTO {R}(a) SELECT 1 UNION SELECT 2 ORDER BY 1 LIMIT 1",
            "SELECT 1 UNION SELECT 2 ORDER BY 1 LIMIT 1",
            None,
            id="compound",
        ),
    ],
)
def test_an_insert_has_its_source(text: str, source: str, conflict: str | None) -> None:
    insert = read(text.replace("{R}", RUNS), Insert)
    assert (insert.source, insert.conflict) == (source.replace("{R}", RUNS), conflict)
    assert insert.target.table == RUNS


def test_the_columns_of_an_insert_are_as_written() -> None:
    text = f'INSERT INTO {RUNS} (data__displayName, "a b") VALUES (1, 2) RETURNING run_id, runs.name'
    insert = read(text, Insert)
    assert [name for name, _ in insert.columns] == ["data__displayName", "a b"]
    assert [text[span.start : span.end] for _, span in insert.columns] == ["data__displayName", '"a b"']
    assert insert.returning is not None
    assert (insert.returning.sql, insert.returning.columns) == ("run_id, runs.name", ("run_id", "name"))


def test_an_insert_knows_the_resources_it_reads() -> None:
    insert = read(f"INSERT INTO {RUNS}(a) SELECT 1 FROM mlflow.tracking.experiments WHERE name = 'x'", Insert)
    (table,) = insert.source_tables
    assert table.table == "mlflow.tracking.experiments"
    assert [p.operand for p in table.predicates] == [Const("x")]


@pytest.mark.parametrize(
    ("returning", "columns"),
    [
        pytest.param("name", ("name",), id="a column"),
        pytest.param("RUNS.name, [status]", ("name", "status"), id="qualified and quoted"),
        pytest.param("mlflow.tracking.runs.name", None, id="in full"),
        pytest.param("*", None, id="star"),
        pytest.param("name AS n", None, id="alias"),
        pytest.param("name, lower(name)", None, id="expression"),
    ],
)
def test_returning_tells_plain_columns(returning: str, columns: tuple[str, ...] | None) -> None:
    delete = read(f"DELETE FROM {RUNS} RETURNING {returning}", Delete)
    assert delete.returning is not None
    assert delete.returning.columns == columns


def test_an_update_has_its_clauses() -> None:
    update = read(
        "WITH c AS (SELECT ? AS x) UPDATE OR FAIL mlflow.tracking.runs AS r"
        " SET name = c.x, (status, key) = ('a', ?) FROM c, mlflow.tracking.experiments"
        " WHERE r.run_id = ? AND status IN (SELECT 1 FROM mlflow.registry.aliases)"
        " RETURNING run_id ORDER BY name LIMIT 3",
        Update,
    )
    assert [(a.column, a.sql, a.constant) for a in update.assignments] == [
        ("name", "c.x", False),
        ("status", "'a'", True),
        ("key", "?2", True),
    ]
    assert update.with_sql == "WITH c AS (SELECT ?1 AS x)"
    assert update.from_sql == ', c, "mlflow.tracking.experiments" AS experiments'
    assert update.where is not None
    assert update.where.sql == (
        'r.run_id = ?3 AND status IN (SELECT NULL FROM "sqlprovider.nothing" UNION ALL SELECT * FROM '
        '(SELECT 1 FROM "mlflow.registry.aliases" AS aliases))'
    )
    assert [t.table for t in update.where.tables] == ["mlflow.registry.aliases"]
    assert [t.table for t in update.tables] == ["mlflow.tracking.experiments"]
    assert (update.conflict, update.tail_sql, update.target.alias) == (
        "OR FAIL",
        "ORDER BY name LIMIT 3",
        "r",
    )
    assert update.parameters == 3


@pytest.mark.parametrize(
    ("expression", "constant"),
    [
        pytest.param("'x'", True, id="literal"),
        pytest.param("lower(?) || CURRENT_TIMESTAMP", True, id="an expression without columns"),
        pytest.param("CASE WHEN 1 THEN NULL ELSE TRUE END", True, id="CASE"),
        pytest.param("name", False, id="column"),
        pytest.param('"x"', False, id="what may be a column"),
        pytest.param("(SELECT 1)", False, id="subquery"),
        pytest.param("1 IN mlflow.tracking.runs", False, id="a table"),
    ],
)
def test_an_assignment_tells_whether_it_reads_anything(expression: str, constant: bool) -> None:
    (assignment,) = read(f"UPDATE {RUNS} SET name = {expression}", Update).assignments
    assert assignment.constant is constant


def where_of(condition: str) -> Where:
    where = read(f"DELETE FROM {RUNS} WHERE {condition}", Delete).where
    assert where is not None
    return where


@pytest.mark.parametrize(
    ("condition", "only_equalities", "operands"),
    [
        pytest.param("run_id = 'x'", True, [Const("x")], id="literal"),
        pytest.param("runs.run_id = ? AND (filter = :f)", True, [Param(1), Param("f")], id="parameters"),
        pytest.param("run_id IN ('x', 'y')", True, [Const(("x", "y"))], id="IN"),
        pytest.param("run_id IN (?, 'y')", True, [Listed((Param(1), Const("y")))], id="IN with a parameter"),
        pytest.param("mlflow.tracking.runs.run_id = -1", True, [Const(-1)], id="in full, negative"),
        pytest.param("+run_id = 1", False, [Const(1)], id="unary plus takes the affinity away"),
        pytest.param("run_id = 'x' AND start_time > 1", False, None, id="another operator"),
        pytest.param("run_id = 'x' OR run_id = 'y'", False, [], id="OR"),
        pytest.param("run_id = name", False, None, id="a column"),
        pytest.param("run_id = 'x' COLLATE nocase", False, None, id="COLLATE"),
        pytest.param("run_id = 'x' AND nothing = 1", False, [Const("x")], id="no column of it"),
        pytest.param("metrics->>'a' = 1", False, [Const(1)], id="a JSON key"),
        pytest.param("run_id IN (SELECT 1)", False, [], id="subquery"),
        pytest.param("run_id = 'x' AND 1", False, [Const("x")], id="a constant"),
        pytest.param("(run_id, name) = ('x', 'y')", False, [], id="row values"),
    ],
)
def test_where_tells_whether_it_is_nothing_but_equalities(
    condition: str, only_equalities: bool, operands: list[Operand] | None
) -> None:
    where = where_of(condition)
    assert where.only_equalities is only_equalities
    if operands is not None:
        assert [p.operand for p in where.predicates] == operands


def test_the_predicates_of_a_delete_are_on_its_target() -> None:
    delete = read(
        f"DELETE FROM {RUNS} AS r WHERE r.name = 'x' AND EXISTS"
        " (SELECT 1 FROM mlflow.tracking.experiments WHERE name = 'y')",
        Delete,
    )
    assert delete.where is not None
    assert [p.operand for p in delete.where.predicates] == [Const("x")]
    assert delete.target.predicates == delete.where.predicates


def test_a_where_is_rewritten_as_a_selects() -> None:
    where = where_of("metrics->>'a' > 1 AND start_time < '2026-01-02T00:00:00Z'")
    assert where.sql == (
        "(metrics->>'a' > 1 AND sqlprovider_push(runs.metrics, '[\"a\", \">\", 1]'))"
        " AND start_time < '2026-01-02 00:00:00.000'"
    )


@pytest.mark.parametrize("text", [f"DELETE FROM {RUNS}", f"UPDATE {RUNS} SET name = 1"])
def test_a_write_needs_no_where(text: str) -> None:
    (statement,) = parsed(text)
    assert isinstance(statement, Update | Delete)
    assert statement.where is None


def test_after_use_a_shorter_target_is_a_resource() -> None:
    delete = read("DELETE FROM runs WHERE run_id = 'x'", Delete, FakeNames(used=("mlflow", "tracking")))
    assert delete.target.table == RUNS


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("INSERT INTO {R}", id="INSERT of nothing"),
        pytest.param("INSERT INTO {R}(a VALUES (1)", id="an open list"),
        pytest.param("INSERT INTO {R}(a, ) VALUES (1)", id="an empty place"),
        pytest.param("INSERT INTO {R}(a.b) VALUES (1)", id="a column with a dot"),
        pytest.param("INSERT INTO {R}(a) SELECT FROM", id="half a SELECT"),
        pytest.param("INSERT INTO {R} DEFAULT VALUES, 1", id="after DEFAULT VALUES"),
        pytest.param("INSERT INTO {R}(a) VALUES (1) RETURNING", id="RETURNING nothing"),
        pytest.param("INSERT INTO {R}(a) VALUES (1) RETURNING a FROM t", id="RETURNING FROM"),
        pytest.param("INSERT INTO {R} r (a) VALUES (1)", id="an alias without AS"),
        pytest.param("UPDATE {R}", id="no SET"),
        pytest.param("UPDATE {R} SET", id="SET nothing"),
        pytest.param("UPDATE {R} SET name", id="SET without a value"),
        pytest.param("UPDATE {R} SET name =", id="SET with half a value"),
        pytest.param("UPDATE {R} SET runs.name = 1", id="SET of a qualified column"),
        pytest.param("UPDATE {R} SET (a, b) = (1, 2, 3)", id="too many values"),
        pytest.param("UPDATE {R} SET name = 1 AS n", id="SET with an alias"),
        pytest.param("UPDATE {R} SET name = 1 WHERE 1 SET name = 2", id="SET twice"),
        pytest.param("UPDATE {R} r SET name = 1", id="UPDATE alias without AS"),
        pytest.param("DELETE FROM {R} WHERE", id="WHERE nothing"),
        pytest.param("DELETE FROM {R} WHERE a = = 1", id="nonsense"),
        pytest.param("DELETE FROM {R} WHERE a = 1 GROUP BY a", id="GROUP BY"),
        pytest.param("DELETE FROM {R} WHERE a = 1 UNION SELECT 1", id="UNION"),
        pytest.param("DELETE FROM {R} FROM t", id="FROM twice"),
        pytest.param("DELETE FROM {R} INDEXED BY i", id="INDEXED BY"),
        pytest.param("DELETE FROM {R} LIMIT 1 WHERE 1", id="WHERE after LIMIT"),
    ],
)
def test_a_write_that_cannot_be_read_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(SQLSyntaxError) as caught:
        parsed(text.replace("{R}", RUNS))
    assert caught.value.span is not None
    assert caught.value.text == text.replace("{R}", RUNS)


def test_a_row_value_from_a_subquery_is_refused() -> None:
    with pytest.raises(NotSupportedError, match="set each column"):
        parsed(f"UPDATE {RUNS} SET (a, b) = (SELECT 1, 2)")


def test_the_place_of_a_syntax_error_is_the_users() -> None:
    text = f"DELETE FROM {RUNS} WHERE name = 'x' AND = 'y'"
    with pytest.raises(SQLSyntaxError) as caught:
        parsed(text)
    span = caught.value.span
    assert span is not None
    assert text[span.start : span.end] == "'y'"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("INSERT INTO {R} VALUES (1) ON CONFLICT DO NOTHING", id="a system table"),
        pytest.param("DELETE FROM {R} WHERE 1", id="DELETE of one"),
    ],
)
def test_a_write_to_a_system_table_is_left_to_sqlite(text: str) -> None:
    query = read(text.replace("{R}", "sqlprovider.methods"), Query)
    assert '"sqlprovider.methods"' in query.sql
