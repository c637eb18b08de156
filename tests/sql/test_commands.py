"""EXEC, USE, SET, EXPLAIN, and what is not done to a resource."""

from __future__ import annotations

import pytest

from sqlprovider.errors import NotSupportedError, ProgrammingError, SQLSyntaxError, UnknownNameError
from sqlprovider.sql.statement import Delete, Exec, Explain, Query, Set, Use
from tests.sql.names import FakeNames
from tests.sql.reading import RUNS, parsed, read

TRACKING = FakeNames(used=("mlflow", "tracking"))


def arguments(text: str) -> list[tuple[str, str]]:
    return [(a.name, a.sql) for a in read(f"EXEC {RUNS}.write {text}", Exec).arguments]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", [], id="none"),
        pytest.param("@a='x', @b = 1", [("a", "'x'"), ("b", "1")], id="commas"),
        pytest.param("@a='x' -- one,\n @b=1", [("a", "'x'"), ("b", "1")], id="a comment swallows the comma"),
        pytest.param('@"x-y"=1 @[z]=2', [("x-y", "1"), ("z", "2")], id="wire names"),
        pytest.param(
            "@a=? @b=?2 @c=:c @d=@d, @e=$e",
            [("a", "?1"), ("b", "?2"), ("c", ":c"), ("d", "@d"), ("e", "$e")],
            id="parameters",
        ),
        pytest.param(
            "@a=-1.5 @b=+2 @c=NULL @d=true @e=x'00'",
            [("a", "-1.5"), ("b", "+2"), ("c", "NULL"), ("d", "true"), ("e", "x'00'")],
            id="constants",
        ),
        pytest.param(
            "@a=(1 + ?) @b=(SELECT max(run_id) FROM mlflow.tracking.runs)",
            [("a", "(1 + ?1)"), ("b", f'(SELECT max(run_id) FROM "{RUNS}" AS runs)')],
            id="expressions",
        ),
    ],
)
def test_exec_has_its_arguments(text: str, expected: list[tuple[str, str]]) -> None:
    assert arguments(text) == expected


def test_exec_has_a_method_and_a_body() -> None:
    text = f"EXEC {RUNS}.Batch_Create @a=?, @@json='{{}}'"
    call = read(text, Exec)
    assert str(call.target) == f"{RUNS}.batch_create"
    assert call.body is not None
    assert call.body.sql == "'{}'"
    assert text[call.body.span.start : call.body.span.end] == "@@json='{}'"


def test_the_names_of_arguments_are_no_parameters() -> None:
    assert read(f"EXEC {RUNS}.write @a=?, @b=:b", Exec).parameters == 2


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param("EXEC tracking.runs.get", FakeNames(used=("mlflow",)), id="service.resource.method"),
        pytest.param("EXEC runs.get", TRACKING, id="resource.method"),
    ],
)
def test_after_use_exec_takes_shorter_names(text: str, names: FakeNames) -> None:
    assert str(read(text, Exec, names).target) == f"{RUNS}.get"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("EXEC", id="nothing"),
        pytest.param("EXEC {R}.get @a", id="no value"),
        pytest.param("EXEC {R}.get @a=", id="half a value"),
        pytest.param("EXEC {R}.get @a=-", id="a sign"),
        pytest.param("EXEC {R}.get @a=-'x'", id="a sign before a text"),
        pytest.param("EXEC {R}.get @a=(1", id="an open expression"),
        pytest.param("EXEC {R}.get @a=lower('x')", id="a call"),
        pytest.param("EXEC {R}.get a='x'", id="no @"),
        pytest.param("EXEC {R}.get ?1='x'", id="a numbered parameter"),
        pytest.param("EXEC {R}.get @@body='x'", id="another @@"),
        pytest.param("EXEC {R}.get @a=1 @A=2", id="twice"),
        pytest.param("EXEC {R}.get @@json='x' @@json='y'", id="two bodies"),
        pytest.param("EXEC {R}.get @a='x", id="an open string"),
        pytest.param("USE", id="USE"),
        pytest.param("USE mlflow tracking", id="USE two words"),
        pytest.param("USE mlflow.tracking.runs", id="USE a resource"),
        pytest.param("SET", id="SET"),
        pytest.param("SET a 1", id="SET without ="),
        pytest.param("SET a =", id="SET without a value"),
        pytest.param("SET a = on", id="SET a word"),
        pytest.param("SET a = 1 2", id="SET two values"),
        pytest.param("SET a = -'x'", id="SET a signed text"),
        pytest.param("EXPLAIN USE mlflow", id="EXPLAIN USE"),
        pytest.param("EXPLAIN EXPLAIN SELECT 1", id="EXPLAIN EXPLAIN"),
    ],
)
def test_what_cannot_be_read_is_a_syntax_error_with_its_place(text: str) -> None:
    with pytest.raises(SQLSyntaxError) as caught:
        parsed(text.replace("{R}", RUNS))
    assert caught.value.span is not None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("EXEC mlflow.tracking.runs.gett", "did you mean get?", id="method"),
        pytest.param("EXEC mlflow.tracking.rnus.get", "did you mean runs?", id="resource"),
        pytest.param("EXEC mlflow.tracking.runs", "names no method", id="no method"),
        pytest.param("EXEC get", "names no method", id="a method alone"),
        pytest.param("EXEC runs.get", "not a resource's full name", id="without USE"),
        pytest.param("USE mlfow", "did you mean mlflow?", id="USE a connection"),
        pytest.param("USE mlflow.trackin", "did you mean tracking?", id="USE a service"),
    ],
)
def test_an_unknown_name_is_named(text: str, message: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        parsed(text)
    assert message in caught.value.message
    assert caught.value.span is not None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("USE mlflow", ("mlflow",)),
        ("use MLFLOW . [Tracking]", ("mlflow", "tracking")),
        ('USE "my-lab"', ("my-lab",)),
    ],
)
def test_use_names_what_there_is(text: str, names: tuple[str, ...]) -> None:
    assert read(text, Use) == Use(text, names)


@pytest.mark.parametrize(
    ("written", "value"),
    [("1", 1), ("-1.5", -1.5), ("+2", 2), ("'x'", "x"), ("TRUE", True), ("false", False), ("NULL", None)],
)
def test_set_has_a_literal(written: str, value: object) -> None:
    statement = read(f"SET max_requests = {written}", Set)
    assert (statement.name, statement.value) == ("max_requests", value)


@pytest.mark.parametrize(
    ("text", "analyze", "kind"),
    [
        pytest.param("EXPLAIN SELECT * FROM {R}", False, Query, id="a SELECT"),
        pytest.param("EXPLAIN ANALYZE SELECT * FROM {R}", True, Query, id="ANALYZE"),
        pytest.param("EXPLAIN DELETE FROM {R}", False, Delete, id="a write"),
        pytest.param("EXPLAIN EXEC {R}.get", False, Exec, id="EXEC"),
        pytest.param("EXPLAIN SELECT * FROM some_view", False, Query, id="what may reach a resource"),
        pytest.param("EXPLAIN ANALYZE t", False, Query, id="SQLite's own ANALYZE"),
    ],
)
def test_explain_holds_its_statement(text: str, analyze: bool, kind: type) -> None:
    explain = read(text.replace("{R}", RUNS), Explain)
    assert explain.analyze is analyze
    assert isinstance(explain.statement, kind)


def test_a_statement_in_explain_has_its_own_text() -> None:
    statement = read(f"EXPLAIN ANALYZE SELECT * FROM {RUNS}", Explain).statement
    assert isinstance(statement, Query)
    span = statement.tables[0].span
    assert statement.text[span.start : span.end] == RUNS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("CREATE VIEW v AS SELECT * FROM {R}", "must be TEMP", id="view"),
        pytest.param(
            "CREATE VIEW v AS SELECT * FROM sqlprovider.methods", "must be TEMP", id="view of a system table"
        ),
        pytest.param(
            "CREATE TRIGGER t AFTER INSERT ON {R} BEGIN SELECT 1; END", "CREATE TRIGGER", id="trigger"
        ),
        pytest.param(
            "CREATE TEMP TRIGGER t AFTER INSERT ON x BEGIN DELETE FROM {R}; END",
            "CREATE TRIGGER",
            id="trigger's body",
        ),
        pytest.param("CREATE UNIQUE INDEX i ON {R}(name)", "CREATE INDEX", id="index"),
        pytest.param("CREATE TABLE {R} (a)", "CREATE TABLE", id="table of the name"),
        pytest.param("CREATE TABLE {R} AS SELECT 1", "CREATE TABLE", id="table of the name, from a query"),
        pytest.param("ALTER TABLE {R} ADD COLUMN a", "ALTER TABLE", id="alter"),
        pytest.param("DROP TABLE IF EXISTS {R}", "DROP TABLE", id="drop"),
    ],
)
def test_what_is_not_done_to_a_resource_is_refused(text: str, message: str) -> None:
    with pytest.raises(NotSupportedError, match=message) as caught:
        parsed(text.replace("{R}", RUNS))
    assert caught.value.span is not None


def test_a_lasting_view_is_refused_with_the_line_that_works() -> None:
    with pytest.raises(NotSupportedError) as caught:
        parsed(f"CREATE VIEW v AS SELECT * FROM {RUNS}")
    assert caught.value.hint == f"CREATE TEMP VIEW v AS SELECT * FROM {RUNS}"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("DROP TABLE runs", id="DROP"),
        pytest.param("ALTER TABLE tracking.runs RENAME TO x", id="ALTER"),
        pytest.param("CREATE INDEX i ON runs(name)", id="INDEX"),
    ],
)
def test_after_use_a_shorter_name_is_refused_too(text: str) -> None:
    with pytest.raises(NotSupportedError):
        parsed(text, TRACKING)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("CREATE TABLE runs (a)", id="a new table"),
        pytest.param("CREATE INDEX runs ON t(a)", id="a new index"),
        pytest.param("DROP INDEX runs", id="an index"),
        pytest.param("CREATE TRIGGER runs AFTER UPDATE OF a ON t BEGIN SELECT 1; END", id="a trigger"),
    ],
)
def test_after_use_a_new_local_name_is_sqlites(text: str) -> None:
    assert parsed(text, TRACKING) == [Query(text, text)]


def test_deep_nesting_of_conditions_is_an_error_and_no_crash() -> None:
    condition = "NOT (" * 1500 + "1" + ")" * 1500
    with pytest.raises(ProgrammingError, match="nested too deeply"):
        parsed(f"DELETE FROM {RUNS} WHERE {condition}")


def test_a_long_chain_of_conditions_is_read() -> None:
    delete = read(f"DELETE FROM {RUNS} WHERE {' AND '.join(['1'] * 3000)} AND name = 'x'", Delete)
    assert delete.where is not None
    assert len(delete.where.predicates) == 1
