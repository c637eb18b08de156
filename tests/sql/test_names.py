"""Names in table position are spliced in by position; nothing else of the text changes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sqlprovider.errors import Error, ProgrammingError, UnknownNameError
from sqlprovider.sql.statement import Query
from tests.sql.names import FakeNames
from tests.sql.reading import RUNS, parsed, read, spliced

TRACKING = FakeNames(used=("mlflow", "tracking"))
TABLE = f'"{RUNS}"'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("FROM {R}", "FROM {T} AS runs", id="alone"),
        pytest.param("FROM {R} r", "FROM {T} r", id="alias"),
        pytest.param("FROM {R} AS r", "FROM {T} AS r", id="AS alias"),
        pytest.param("FROM {R} 'r'", "FROM {T} 'r'", id="a string as alias"),
        pytest.param("FROM {R} window", "FROM {T} window", id="a word as alias that is a keyword elsewhere"),
        pytest.param("FROM MLflow.Tracking.RUNS", "FROM {T} AS runs", id="case"),
        pytest.param(
            'FROM [mlflow] . /* x */ `tracking`."runs"', "FROM {T} AS runs", id="quotes, blanks, comments"
        ),
        pytest.param("FROM t, {R}", "FROM t, {T} AS runs", id="after a comma"),
        pytest.param("FROM t JOIN {R} ON 1, t2", "FROM t JOIN {T} AS runs ON 1, t2", id="JOIN"),
        pytest.param(
            "FROM {R} NATURAL LEFT JOIN t", "FROM {T} AS runs NATURAL LEFT JOIN t", id="before a join"
        ),
        pytest.param("FROM (t, ({R}))", "FROM (t, ({T} AS runs))", id="in parentheses"),
        pytest.param(
            "FROM (SELECT 1 FROM {R}) x", "FROM (SELECT 1 FROM {T} AS runs) x", id="subquery in FROM"
        ),
        pytest.param(
            "FROM t JOIN u ON f(a, b) IN {R}, {R}",
            "FROM t JOIN u ON f(a, b) IN {T}, {T} AS runs",
            id="commas in ON",
        ),
        pytest.param("WHERE x IN {R}", "WHERE x IN {T}", id="IN"),
        pytest.param("WHERE (x, y) NOT IN {R} AND 1", "WHERE (x, y) NOT IN {T} AND 1", id="row value IN"),
        pytest.param(
            "WHERE EXISTS (SELECT 1 FROM {R} WHERE 1)",
            "WHERE EXISTS (SELECT 1 FROM {T} AS runs WHERE 1)",
            id="EXISTS",
        ),
        pytest.param(
            "FROM {R} UNION ALL SELECT 2 FROM {R}",
            "FROM {T} AS runs UNION ALL SELECT 2 FROM {T} AS runs",
            id="both arms",
        ),
        pytest.param(
            "FROM json_each('[1]'), {R}", "FROM json_each('[1]'), {T} AS runs", id="beside a function"
        ),
        pytest.param(
            "FROM {R} WINDOW w AS (PARTITION BY a), v AS (w)",
            "FROM {T} AS runs WINDOW w AS (PARTITION BY a), v AS (w)",
            id="WINDOW",
        ),
        pytest.param(
            "FROM {R} ORDER BY a, b LIMIT 1, 2",
            "FROM {T} AS runs ORDER BY a, b LIMIT 1, 2",
            id="commas after FROM",
        ),
        pytest.param(
            'FROM "my-lab".tracking.runs',
            'FROM "my-lab.tracking.runs" AS runs',
            id="a connection with a dash",
        ),
        pytest.param("FROM sqlprovider.Methods", 'FROM "sqlprovider.methods" AS methods', id="system table"),
        pytest.param(", {R}.* FROM {R}", ", runs.* FROM {T} AS runs", id="a.b.c.*"),
        pytest.param(", {R}.run_id FROM {R}", ", runs.run_id FROM {T} AS runs", id="a.b.c.col"),
        pytest.param(
            ', mlflow . tracking . runs . "run_id" FROM {R}',
            ', runs."run_id" FROM {T} AS runs',
            id="a.b.c.col with blanks",
        ),
        pytest.param(
            "FROM {R} WHERE EXISTS (SELECT {R}.run_id)",
            "FROM {T} AS runs WHERE EXISTS (SELECT runs.run_id)",
            id="from inside",
        ),
        pytest.param(
            ", sqlprovider.methods.method FROM sqlprovider.methods",
            ', methods.method FROM "sqlprovider.methods" AS methods',
            id="system column",
        ),
    ],
)
def test_a_name_becomes_its_table(text: str, expected: str) -> None:
    assert spliced("SELECT 1 " + text.replace("{R}", RUNS)) == "SELECT 1 " + expected.replace("{T}", TABLE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "WITH c AS (SELECT * FROM {R}) SELECT * FROM c",
            "WITH c AS (SELECT * FROM {T} AS runs) SELECT * FROM c",
            id="CTE",
        ),
        pytest.param(
            "WITH RECURSIVE c(a, b) AS NOT MATERIALIZED (SELECT 1, 2 FROM {R}), d AS (SELECT 3)"
            " SELECT * FROM c, d",
            "WITH RECURSIVE c(a, b) AS NOT MATERIALIZED (SELECT 1, 2 FROM {T} AS runs), d AS (SELECT 3)"
            " SELECT * FROM c, d",
            id="CTEs with all that can be written",
        ),
        pytest.param(
            "SELECT * FROM t INDEXED BY i, u NOT INDEXED, {R}",
            "SELECT * FROM t INDEXED BY i, u NOT INDEXED, {T} AS runs",
            id="INDEXED BY",
        ),
        pytest.param(
            "WITH runs AS (SELECT 1) SELECT * FROM runs, {R} r",
            "WITH runs AS (SELECT 1) SELECT * FROM runs, {T} r",
            id="a CTE of the name",
        ),
        pytest.param(
            "INSERT INTO t SELECT * FROM {R} RETURNING a",
            "INSERT INTO t SELECT * FROM {T} AS runs RETURNING a",
            id="local INSERT",
        ),
        pytest.param(
            "INSERT INTO t(a) SELECT 1 FROM {R} WHERE 1 ON CONFLICT(a) DO UPDATE SET a = 2",
            "INSERT INTO t(a) SELECT 1 FROM {T} AS runs WHERE 1 ON CONFLICT(a) DO UPDATE SET a = 2",
            id="local upsert",
        ),
        pytest.param(
            "UPDATE t SET a = (SELECT 1 FROM {R}) FROM {R} x WHERE 1",
            "UPDATE t SET a = (SELECT 1 FROM {T} AS runs) FROM {T} x WHERE 1",
            id="local UPDATE",
        ),
        pytest.param(
            "DELETE FROM t WHERE a IN (SELECT 1 FROM {R})",
            "DELETE FROM t WHERE a IN (SELECT 1 FROM {T} AS runs)",
            id="local DELETE",
        ),
        pytest.param(
            "CREATE TABLE t AS SELECT * FROM {R}",
            "CREATE TABLE t AS SELECT * FROM {T} AS runs",
            id="CREATE TABLE AS",
        ),
        pytest.param(
            "CREATE TEMP VIEW v(a) AS SELECT 1 FROM {R}",
            "CREATE TEMP VIEW v(a) AS SELECT 1 FROM {T} AS runs",
            id="TEMP VIEW",
        ),
        pytest.param(
            "CREATE VIEW IF NOT EXISTS temp.v AS SELECT 1 FROM {R}",
            "CREATE VIEW IF NOT EXISTS temp.v AS SELECT 1 FROM {T} AS runs",
            id="a view in temp",
        ),
        pytest.param(
            "EXPLAIN QUERY PLAN SELECT * FROM {R}",
            "EXPLAIN QUERY PLAN SELECT * FROM {T} AS runs",
            id="EXPLAIN QUERY PLAN",
        ),
        pytest.param("VALUES ((SELECT 1 FROM {R}))", "VALUES ((SELECT 1 FROM {T} AS runs))", id="VALUES"),
        pytest.param(
            "SELECT 1 FROM {R} WHERE",
            "SELECT 1 FROM {T} AS runs WHERE",
            id="what sqlglot cannot parse still goes to SQLite",
        ),
    ],
)
def test_a_name_is_found_in_every_statement(text: str, expected: str) -> None:
    assert spliced(text.replace("{R}", RUNS)) == expected.replace("{T}", TABLE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "SELECT runs.run_id FROM runs", f"SELECT runs.run_id FROM {TABLE} AS runs", id="one part"
        ),
        pytest.param(
            "SELECT tracking.runs.run_id FROM tracking.runs",
            f"SELECT runs.run_id FROM {TABLE} AS runs",
            id="two parts",
        ),
        pytest.param(
            "SELECT * FROM registry.aliases",
            'SELECT * FROM "mlflow.registry.aliases" AS aliases',
            id="another service",
        ),
        pytest.param(
            "WITH runs AS (SELECT 1) SELECT * FROM runs",
            "WITH runs AS (SELECT 1) SELECT * FROM runs",
            id="a CTE comes first",
        ),
        pytest.param(
            "WITH c AS (SELECT * FROM runs), runs AS (SELECT 1) SELECT * FROM c",
            "WITH c AS (SELECT * FROM runs), runs AS (SELECT 1) SELECT * FROM c",
            id="a later CTE too",
        ),
        pytest.param(
            "SELECT (WITH runs AS (SELECT 1) SELECT 2) FROM runs",
            f"SELECT (WITH runs AS (SELECT 1) SELECT 2) FROM {TABLE} AS runs",
            id="a CTE out of scope does not",
        ),
        pytest.param("SELECT * FROM nothing", "SELECT * FROM nothing", id="no such name"),
        pytest.param(
            "CREATE TABLE runs AS SELECT * FROM runs",
            f"CREATE TABLE runs AS SELECT * FROM {TABLE} AS runs",
            id="a new local table",
        ),
    ],
)
def test_after_use_shorter_names_are_read(text: str, expected: str) -> None:
    assert spliced(text, TRACKING) == expected


def test_a_shorter_name_yields_to_a_local_table() -> None:
    names = FakeNames(used=("mlflow", "tracking"), local=frozenset({"runs", "tracking.runs"}))
    text = "SELECT * FROM runs, tracking.runs AS r"
    assert spliced(text, names) == text


def test_after_use_of_a_connection_one_part_is_local() -> None:
    text = "SELECT * FROM runs"
    assert spliced(text, FakeNames(used=("mlflow",))) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("SELECT * FROM mlflow.tracking.rnus", "did you mean runs?", id="resource"),
        pytest.param(
            "SELECT * FROM mlfow.tracking.runs",
            "no connection 'mlfow'; did you mean mlflow?",
            id="connection",
        ),
        pytest.param("SELECT mlflow.tracking.rnus.x FROM t", "did you mean runs?", id="before a column"),
        pytest.param(
            "SELECT * FROM sqlprovider.method",
            "no system table sqlprovider.method; did you mean methods?",
            id="system table",
        ),
        pytest.param("SELECT * FROM sqlprovider.parameters", "no system table", id="our own table"),
    ],
)
def test_an_unknown_name_is_named_with_its_place(text: str, message: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        parsed(text)
    assert message in caught.value.message
    assert caught.value.text == text
    assert caught.value.span is not None


def test_after_use_a_misspelt_resource_of_a_service_is_named() -> None:
    with pytest.raises(UnknownNameError, match="did you mean runs"):
        parsed("SELECT * FROM tracking.rnus", TRACKING)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        pytest.param(
            "SELECT * FROM mlflow.tracking.runs('1', ?)",
            "is a table, not a function",
            f"SELECT * FROM {RUNS} WHERE experiment_id = '1' AND run_id = ?",
            id="a call",
        ),
        pytest.param(
            "SELECT 1 IN mlflow.tracking.runs()",
            "is a table, not a function",
            f"SELECT * FROM {RUNS}",
            id="a call after IN",
        ),
        pytest.param(
            "SELECT * FROM sqlprovider.methods(1)",
            "is a table, not a function",
            "SELECT * FROM sqlprovider.methods",
            id="a call of a system table",
        ),
        pytest.param(
            "SELECT * FROM mlflow.tracking.runs, google.aiplatform.runs",
            "are called 'runs'",
            "google.aiplatform.runs AS runs_2",
            id="two of one name",
        ),
        pytest.param(
            "SELECT * FROM runs JOIN mlflow.tracking.runs",
            "are called 'runs'",
            f"{RUNS} AS runs_2",
            id="a local one of the name",
        ),
        pytest.param(
            "UPDATE mlflow.tracking.runs SET name = 1 FROM google.aiplatform.runs",
            "are called 'runs'",
            "google.aiplatform.runs AS runs_2",
            id="the target of an UPDATE",
        ),
        pytest.param(
            "SELECT * FROM mlflow.tracking.runs.search",
            "is no table",
            f"SELECT … FROM {RUNS}, or EXEC {RUNS}.search",
            id="a method",
        ),
        pytest.param(
            "SELECT 1 FROM mlflow.tracking.runs"
            " WHERE EXISTS (SELECT mlflow.tracking.runs.name FROM google.aiplatform.runs)",
            "would be read as a column of google.aiplatform.runs",
            f"FROM {RUNS} AS runs_2 … runs_2.name",
            id="captured by an inner table",
        ),
        pytest.param(
            "SELECT mlflow.tracking.runs.name FROM t AS runs",
            "would be read as a column of runs",
            f"FROM {RUNS} AS runs_2 … runs_2.name",
            id="captured by a local table",
        ),
    ],
)
def test_what_could_be_misread_is_refused_with_a_way_out(text: str, message: str, hint: str) -> None:
    with pytest.raises(ProgrammingError) as caught:
        parsed(text)
    assert message in caught.value.message
    assert caught.value.hint == hint
    assert caught.value.span is not None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("SELECT 1 FROM {R} UNION SELECT 1 FROM google.aiplatform.runs", id="arms"),
        pytest.param("WITH c AS (SELECT 1 FROM {R}) SELECT 1 FROM google.aiplatform.runs, c", id="CTE"),
        pytest.param("SELECT 1 FROM {R} WHERE EXISTS (SELECT 1 FROM google.aiplatform.runs)", id="subquery"),
        pytest.param("SELECT 1 FROM {R}, google.aiplatform.runs r", id="alias"),
        pytest.param(
            "INSERT INTO {R}(name) SELECT google.aiplatform.runs.name FROM google.aiplatform.runs"
            " RETURNING {R}.name",
            id="a target and its SELECT",
        ),
    ],
)
def test_a_last_name_may_be_repeated_elsewhere(text: str) -> None:
    assert len(parsed(text.replace("{R}", RUNS))) == 1


def test_anonymous_parameters_are_numbered_in_a_statement_that_names_a_resource() -> None:
    query = read(f"SELECT ?, ?3, :n, ? FROM {RUNS}", Query)
    assert query.sql == f"SELECT ?1, ?3, :n, ?5 FROM {TABLE} AS runs"
    assert query.parameters == 5


def test_the_tables_of_a_query_say_where_they_stand() -> None:
    (table,) = read(f"SELECT * FROM {RUNS} AS r", Query).tables
    assert (table.table, str(table.name), table.alias) == (RUNS, RUNS, "r")
    assert (table.span.start, table.span.end) == (14, 34)


def test_deep_nesting_is_an_error_and_no_crash() -> None:
    with pytest.raises(Error, match="nested too deeply"):
        parsed("SELECT " + "(" * 2000 + ")" * 2000 + f" FROM {RUNS}")


NOISE = """
a b f(a,b) (a) , * 'x' "q" 1 ? = AND OR NOT NULL CASE WHEN THEN END || ->> 'k' COLLATE IS BETWEEN
"""
PHRASES = st.sampled_from(NOISE.split())


@given(st.lists(PHRASES, max_size=12), st.lists(PHRASES, max_size=12))
@settings(max_examples=300, deadline=None)
def test_all_but_the_names_stays_as_it_was(before: list[str], after: list[str]) -> None:
    template = f"SELECT {' '.join(before)} FROM @@@ WHERE {' '.join(after)} -"
    sql = spliced(template.replace("@@@", RUNS)).replace(f"{TABLE} AS runs", "@@@")
    numbers = iter(range(1, 99))
    expected = "".join(f"?{next(numbers)}" if char == "?" else char for char in template)
    assert sql in (expected, expected.replace("@@@", f"{TABLE}"))


RESOURCE_NOISE = """
SELECT FROM WHERE a runs mlflow.tracking.runs mlflow.tracking.runs.name mlflow.tracking.runs.* ( ) ,
* 'x' sqlprovider.methods '2026-01-01T00:00:00Z' metrics ->> 'k' > = 1 ? :n @a= @@json= AS IN NOT
NULL WITH UPDATE SET INSERT INTO OR DELETE VALUES DEFAULT JOIN ON CONFLICT USING CREATE TEMP VIEW
TABLE BEGIN END UNION ORDER BY LIMIT RETURNING ; EXPLAIN QUERY PLAN EXEC USE SHOW METHODS DESCRIBE
CAST INDEXED WINDOW OVER FILTER BETWEEN AND IS LIKE
"""
HEADS = st.sampled_from(
    [
        f"SELECT * FROM {RUNS} WHERE",
        f"UPDATE {RUNS} SET name =",
        f"INSERT INTO {RUNS} (a)",
        f"DELETE FROM {RUNS} WHERE",
        f"EXEC {RUNS}.get",
        "WITH c AS (",
        "",
    ]
)


@given(
    HEADS,
    st.lists(st.sampled_from(RESOURCE_NOISE.split()), max_size=12),
    st.sampled_from([(), TRACKING.used]),
)
@settings(max_examples=400, deadline=None)
def test_any_text_is_read_or_refused_with_a_place(head: str, words: list[str], used: tuple[str, ...]) -> None:
    try:
        parsed(f"{head} {' '.join(words)}", FakeNames(used=used))
    except Error as error:
        assert error.span is not None
        assert error.text is not None
