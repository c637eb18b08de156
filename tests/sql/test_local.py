"""Text that touches no resource goes to SQLite as it is."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sqlprovider.sql.parse import parse
from sqlprovider.sql.statement import Query
from tests.sql.names import FakeNames
from tests.sql.reading import parsed

WORDS = """
SELECT FROM WHERE a b t t.a main.t ( ) , * 'x;y' "q;r" [z] 1.5 ? ?2 :n = <> ->> || AS IN NOT NULL WITH INSERT
INTO VALUES JOIN ON USING CREATE TABLE TRIGGER BEGIN END
UNION ORDER BY LIMIT RETURNING CASE x'00' drop view
EXISTS DISTINCT ; /*c*/ 'open # {
"""
PHRASES = st.sampled_from(["UPDATE t SET a =", "-- a comment ;\n", *WORDS.split()])


@given(st.lists(PHRASES, max_size=25).map(" ".join))
@settings(max_examples=400, deadline=None)
def test_no_token_of_a_local_text_is_changed(text: str) -> None:
    at = 0
    for statement in parsed(text):
        assert isinstance(statement, Query)
        assert (statement.sql, statement.tables) == (statement.text, ())
        at = text.index(statement.text, at) + len(statement.text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("SELECT 1", id="select"),
        pytest.param("  SELECT 1 -- why\n", id="blanks and comments"),
        pytest.param("BEGIN IMMEDIATE", id="transaction"),
        pytest.param("PRAGMA table_info(t)", id="pragma"),
        pytest.param("UPDATE t SET a = 1", id="a word of ours that is SQLite's"),
        pytest.param("SELECT main.t.a FROM main.t", id="a name of three parts that is a column"),
        pytest.param("SELECT 'mlflow.tracking.runs'", id="a name in a string"),
        pytest.param('SELECT "mlflow.tracking.runs".x FROM t', id="a name in one pair of quotes"),
        pytest.param("SELECT * FROM t WHERE x IN (SELECT use FROM show)", id="our words as names"),
        pytest.param("SELECT mlflow FROM google", id="connections as names"),
        pytest.param("SELECT 'mlflow.tracking.runs", id="what cannot be tokenized"),
        pytest.param("SELECT a IS NOT DISTINCT FROM mlflow.x.y", id="DISTINCT FROM is no FROM"),
        pytest.param("EXPLAIN QUERY PLAN SELECT 1", id="explain query plan"),
        pytest.param("EXPLAIN", id="explain of nothing"),
    ],
)
def test_a_local_statement_is_unchanged(text: str) -> None:
    assert parsed(text) == [Query(text, text)]


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_nothing_is_no_statement(text: str) -> None:
    assert parsed(text) == []


def test_a_script_gives_one_query_a_statement() -> None:
    assert [s.text for s in parsed("SELECT 1; SELECT ?, ?; -- end")] == ["SELECT 1", "SELECT ?, ?"]


def test_what_cannot_be_tokenized_goes_to_sqlite_with_all_that_follows() -> None:
    last = "SELECT 'open; SELECT * FROM mlflow.tracking.runs"
    assert parsed(f"SELECT 1; {last}")[1] == Query(last, last)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        pytest.param("SELECT 1", 0, id="none"),
        pytest.param("SELECT ?, ?", 2, id="anonymous"),
        pytest.param("SELECT ?5, ?", 6, id="numbered"),
        pytest.param("SELECT :a, ?, :a", 2, id="named"),
        pytest.param("SELECT '?' -- ?", 0, id="in strings and comments"),
    ],
)
def test_a_statement_says_how_many_values_it_takes(text: str, count: int) -> None:
    (statement,) = parsed(text)
    assert isinstance(statement, Query)
    assert statement.parameters == count


def test_each_statement_is_read_when_it_is_asked_for() -> None:
    names = FakeNames()
    statements = parse("USE mlflow.tracking; SELECT * FROM runs", names)
    next(statements)
    names.used = ("mlflow", "tracking")
    assert next(statements) != Query("SELECT * FROM runs", "SELECT * FROM runs")


def test_a_text_of_sqlites_own_does_not_load_sqlglot() -> None:
    program = (
        "import sys; from tests.sql.names import FakeNames; from sqlprovider.sql.parse import parse;"
        "list(parse('SELECT 1; USE mlflow; SHOW PROVIDERS; EXEC mlflow.tracking.runs.get', FakeNames()));"
        "print('sqlglot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
