"""`read_csv('f')` in table position: which file is meant, and how it is spliced into the text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sqlprovider.errors import ProgrammingError, UnknownNameError
from sqlprovider.sql.dealer import Dealer
from sqlprovider.sql.statement import Exec, Insert, Query, Statement, Update
from sqlprovider.values import SQLValue
from tests.sql.names import FakeNames
from tests.sql.reading import RUNS, read, spliced

FILE = '"read_csv:f"'


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        pytest.param(
            "SELECT * FROM read_csv('f')", f"SELECT * FROM {FILE}('f') AS read_csv ", id="a file alone"
        ),
        pytest.param("SELECT * FROM READ_CSV ( 'f' ) x", f"SELECT * FROM {FILE} ( 'f' )  x", id="an alias"),
        pytest.param(
            "SELECT * FROM read_csv('f')WHERE 1",
            f"SELECT * FROM {FILE}('f') AS read_csv WHERE 1",
            id="no blank",
        ),
        pytest.param("SELECT 1 IN read_csv('f')", f"SELECT 1 IN {FILE}('f') ", id="after IN"),
        pytest.param(
            "SELECT * FROM t, read_csv('f') AS g",
            f"SELECT * FROM t, (SELECT * FROM {FILE}('f') LIMIT -1)  AS g",
            id="beside a table it is read once",
        ),
        pytest.param(
            "SELECT (SELECT a FROM read_csv('f')) FROM t",
            f"SELECT (SELECT a FROM {FILE}('f') AS read_csv ) FROM t",
            id="in a subquery",
        ),
        pytest.param(
            "WITH c AS (SELECT * FROM read_csv('f')) SELECT * FROM c",
            f"WITH c AS (SELECT * FROM {FILE}('f') AS read_csv ) SELECT * FROM c",
            id="in a CTE",
        ),
        pytest.param(
            "CREATE TABLE t AS SELECT * FROM read_csv('f')",
            f"CREATE TABLE t AS SELECT * FROM {FILE}('f') AS read_csv ",
            id="CREATE TABLE AS",
        ),
        pytest.param(
            "INSERT INTO t SELECT * FROM read_csv('f')",
            f"INSERT INTO t SELECT * FROM {FILE}('f') AS read_csv ",
            id="a local INSERT",
        ),
        pytest.param(
            "EXPLAIN QUERY PLAN SELECT * FROM read_csv('f')",
            f"EXPLAIN QUERY PLAN SELECT * FROM {FILE}('f') AS read_csv ",
            id="EXPLAIN QUERY PLAN",
        ),
        pytest.param(
            "SELECT * FROM read_csv('f;g', ';')",
            "SELECT * FROM \"read_csv:f;g,;\"('f;g', ';') AS read_csv ",
            id="more arguments",
        ),
    ],
)
def test_a_call_is_the_table_of_its_file(text: str, sql: str) -> None:
    assert spliced(text) == sql


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param("SELECT * FROM read_csv('f')", FakeNames(local=frozenset({"read_csv"})), id="a table"),
        pytest.param(
            "SELECT * FROM read_csv", FakeNames(local=frozenset({"read_csv"})), id="a table, no call"
        ),
        pytest.param(
            "SELECT * FROM read_csv(1)", FakeNames(functions=frozenset({"read_csv"})), id="a function"
        ),
        pytest.param("WITH read_csv AS (SELECT 1) SELECT * FROM read_csv", FakeNames(), id="a CTE"),
        pytest.param("SELECT read_csv('f')", FakeNames(), id="a scalar function"),
        pytest.param("SELECT * FROM main.read_csv('f')", FakeNames(), id="a name with a schema"),
        pytest.param("SELECT read_csv FROM t AS read_jsonl", FakeNames(), id="a column and an alias"),
        pytest.param("DELETE FROM read_csv", FakeNames(), id="the target of a write"),
    ],
)
def test_what_is_somebody_elses_goes_to_sqlite_as_it_is(text: str, names: FakeNames) -> None:
    assert read(text, Query, names) == Query(text, text)


@pytest.mark.parametrize(
    ("text", "names_a_file"),
    [
        pytest.param("SELECT ?, a FROM read_csv(?) WHERE a = ?", "value of 2", id="anonymous"),
        pytest.param("SELECT ?7, a FROM read_csv(?)", "value of 8", id="after a numbered one"),
        pytest.param("SELECT * FROM read_csv(?3)", "value of 3", id="numbered"),
        pytest.param("SELECT :a, b FROM read_csv(:f)", "value of f", id="named"),
    ],
)
def test_a_file_may_be_a_parameter_which_keeps_its_place(text: str, names_a_file: str) -> None:
    statement = read(text, Query)
    assert f'"read_csv:{names_a_file}"(' in statement.sql
    assert [table.table for table in statement.tables] == [f"read_csv:{names_a_file}"]


def test_anonymous_parameters_are_numbered_in_the_call_too() -> None:
    statement = read("SELECT ? FROM read_csv(?) WHERE a = ?", Query)
    assert (
        statement.sql.replace('"read_csv:value of 2"', "F")
        == "SELECT ?1 FROM F(?2) AS read_csv  WHERE a = ?3"
    )
    assert statement.parameters == 3


@pytest.mark.parametrize(
    "call",
    [
        pytest.param("read_csv('a' || 'b')", id="an expression"),
        pytest.param('read_csv("f")', id="a name"),
        pytest.param("read_csv(t.path)", id="a column"),
        pytest.param("read_csv('a' 'b')", id="no comma"),
        pytest.param("read_csv(1)", id="a number"),
    ],
)
def test_an_argument_that_is_not_known_beforehand_is_refused(call: str) -> None:
    with pytest.raises(ProgrammingError, match="texts in single quotes and parameters") as caught:
        spliced(f"SELECT * FROM t, {call}")
    assert caught.value.span is not None
    assert caught.value.hint == "SELECT * FROM read_csv('file'), SELECT * FROM read_csv(:file)"


def test_a_reader_without_its_file_is_explained() -> None:
    with pytest.raises(UnknownNameError, match="read_jsonl reads a file"):
        spliced("SELECT * FROM Read_Jsonl")


def test_two_files_may_go_without_aliases() -> None:
    sql = spliced("SELECT * FROM read_csv('f') JOIN read_csv('g') USING (a)")
    assert sql.count("AS read_csv") == 2


def test_a_file_is_the_source_of_an_insert_into_a_resource() -> None:
    statement = read(f"INSERT INTO {RUNS}(run_name) SELECT n FROM read_csv('f') WHERE n > ?", Insert)
    assert statement.source == f"SELECT n FROM {FILE}('f') AS read_csv  WHERE n > ?1"
    assert [(table.table, table.name) for table in statement.source_tables] == [("read_csv:f", None)]


def test_a_file_beside_the_target_of_an_update() -> None:
    text = f"UPDATE {RUNS} SET run_name = f.n FROM read_csv('f')f WHERE runs.run_id = f.id"
    statement = read(text, Update)
    assert statement.from_sql == f", (SELECT * FROM {FILE}('f') LIMIT -1) f"
    assert statement.where is not None
    assert statement.where.sql == "runs.run_id = f.id"


def test_predicates_beside_a_file_are_the_resources() -> None:
    text = f"SELECT * FROM {RUNS} r JOIN read_csv('f') f ON r.run_id = f.id WHERE r.status = 'FAILED'"
    statement = read(text, Query)
    assert {predicate.column for predicate in statement.tables[0].predicates} == {"run_id", "status"}


def test_a_file_in_a_value_of_exec() -> None:
    statement = read(f"EXEC {RUNS}.get @run_id = (SELECT id FROM read_csv('f'))", Exec)
    assert statement.arguments[0].sql == f"(SELECT id FROM {FILE}('f') AS read_csv )"


def test_the_dealer_says_what_the_statement_being_read_will_be_given() -> None:
    dealer = Dealer(["a", "b", "c"])
    dealer.deal(1)
    assert [dealer.peek(None, 1), dealer.peek("f", 2)] == ["b", "c"]
    with pytest.raises(ProgrammingError, match="too few parameters"):
        dealer.peek(None, 3)
    assert Dealer({"f": "x"}).peek("f", 1) == "x"
    with pytest.raises(ProgrammingError, match="no value for the parameter :g"):
        Dealer({"f": "x"}).peek("g", 1)


def test_the_dealer_counts_a_write_that_was_read_and_is_not_yet_run() -> None:
    dealer = Dealer(["a", "b"])
    seen: list[SQLValue] = []
    insert = read(f"INSERT INTO {RUNS}(run_name) VALUES (?)", Insert)

    def statements() -> Iterator[Statement]:
        yield insert
        seen.append(dealer.peek(None, 1))
        yield Query("", "", parameters=1)

    for _ in dealer.checked(statements()):
        dealer.deal(1)
    assert seen == ["b"]
