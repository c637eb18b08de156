"""The SQLite connection: its errors as ours, its texts split, its plans read."""

from __future__ import annotations

from collections.abc import Iterator

import apsw
import pytest

from sqlprovider.catalog.catalog import Catalog
from sqlprovider.config import Settings
from sqlprovider.errors import (
    DataError,
    Error,
    IntegrityError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    SQLSyntaxError,
    StatementInterrupted,
    UnknownColumnError,
    UnknownNameError,
)
from sqlprovider.plan.model import Refusal, Scan
from sqlprovider.values import Row, Type
from sqlprovider.vtab.engine import Bindings, Engine
from sqlprovider.vtab.rows import column
from sqlprovider.vtab.sqlite_errors import map_sqlite_error, sqlite_errors
from tests.execute.build import make_executor
from tests.vtab.things import PUSHING, routes
from tests.vtab.world import MakeWorld


@pytest.fixture
def engine() -> Iterator[Engine]:
    opened = Engine(Catalog({}, lambda name, versions: pytest.fail(name)))
    yield opened
    opened.close()


def run(engine: Engine, sql: str, bindings: Bindings = ()) -> list[Row]:
    executor = make_executor()
    try:
        return list(engine.select(sql, bindings, executor.begin(Settings())).rows)
    finally:
        executor.close()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        pytest.param(apsw.InterruptError("interrupted"), StatementInterrupted, id="interrupted"),
        pytest.param(apsw.ConstraintError("UNIQUE constraint failed"), IntegrityError, id="a constraint"),
        pytest.param(apsw.MismatchError("datatype mismatch"), DataError, id="a wrong type"),
        pytest.param(apsw.SQLError("no such table: x"), UnknownNameError, id="no table"),
        pytest.param(apsw.SQLError("no such column: x"), UnknownColumnError, id="no column"),
        pytest.param(apsw.SQLError('near "x": syntax error'), SQLSyntaxError, id="syntax"),
        pytest.param(apsw.SQLError("incomplete input"), SQLSyntaxError, id="incomplete"),
        pytest.param(apsw.SQLError("ambiguous column name: x"), ProgrammingError, id="wrong"),
        pytest.param(apsw.BindingsError("3 supplied"), ProgrammingError, id="bindings"),
        pytest.param(apsw.CursorClosedError("closed"), ProgrammingError, id="closed"),
        pytest.param(apsw.ThreadingViolationError("busy"), ProgrammingError, id="threads"),
        pytest.param(apsw.InternalError("internal"), InternalError, id="internal"),
        pytest.param(apsw.ReadOnlyError("read-only"), NotSupportedError, id="read-only"),
        pytest.param(apsw.BusyError("locked"), OperationalError, id="the world"),
    ],
)
def test_what_sqlite_raises_is_one_of_ours(error: apsw.Error, kind: type[Error]) -> None:
    assert type(map_sqlite_error(error, "SELECT 1")) is kind


def test_an_interrupt_from_the_keyboard_is_ours() -> None:
    with pytest.raises(StatementInterrupted), sqlite_errors("SELECT 1"):
        raise KeyboardInterrupt


def test_a_local_text_runs_as_in_sqlite(engine: Engine) -> None:
    assert run(engine, "SELECT :a + 1", {"a": 2}) == [(3,)]
    assert run(engine, "SELECT ? || ?", ("a", "b")) == [("ab",)]


@pytest.mark.parametrize("name", [pytest.param("b", id="not given"), pytest.param("bb", id="another")])
def test_a_named_parameter_that_is_not_given_is_named(engine: Engine, name: str) -> None:
    with pytest.raises(ProgrammingError, match=f"no value for the parameter :{name}"):
        run(engine, f"SELECT :{name}", {"a": 1})


def test_a_key_error_of_ones_own_is_not_taken_for_a_parameter(engine: Engine) -> None:
    def broken(*_: object) -> None:
        raise KeyError("mine")

    engine.connection.create_scalar_function("broken", broken, 0)
    with pytest.raises(KeyError, match="mine"):
        run(engine, "SELECT broken()", {"mine": 1})


def test_a_text_is_split_as_its_statements_are_run(engine: Engine) -> None:
    found = []
    for sql, parameters in engine.split(
        "CREATE TABLE t(a); ; INSERT INTO t VALUES (?); SELECT * FROM t -- ;\n"
    ):
        found.append((sql.strip(), parameters))
        run(engine, sql, (7,) * parameters)
    assert found == [
        ("CREATE TABLE t(a); ;", 0),
        ("INSERT INTO t VALUES (?);", 1),
        ("SELECT * FROM t -- ;", 0),
    ]
    assert run(engine, "SELECT * FROM t") == [(7,)]


def test_a_piece_takes_the_parameters_it_needs(engine: Engine) -> None:
    executor = make_executor()
    calls = executor.begin(Settings())
    assert list(engine.select_piece("SELECT ?2", (1, 2, 3), calls).rows) == [(2,)]
    assert list(engine.select_piece("SELECT :a", {"a": 1, "b": 2}, calls).rows) == [(1,)]
    executor.close()


def test_local_names_are_found_in_every_schema(engine: Engine) -> None:
    run(engine, "CREATE TABLE Things(a)")
    run(engine, "CREATE TEMP VIEW seen AS SELECT 1")
    assert engine.is_local(None, "things")
    assert engine.is_local("temp", "SEEN")
    assert not engine.is_local("main", "seen")
    assert not engine.is_local("nosuch", "things")


def test_rows_in_memory_are_a_table_and_are_replaced(engine: Engine) -> None:
    columns = (column("a"), column("b", Type.INTEGER, hidden=True))
    engine.add_rows("mem", columns, lambda given: [("x", 1)])
    assert run(engine, "SELECT *, b FROM mem") == [("x", 1)]
    engine.add_rows("mem", columns, lambda given: [("y", 2), ("z", 3)])
    assert run(engine, "SELECT a FROM mem WHERE b > 2") == [("z",)]


def test_a_transaction_is_seen(engine: Engine) -> None:
    assert not engine.in_transaction
    engine.begin()
    assert engine.in_transaction
    with pytest.raises(ProgrammingError):
        engine.begin()


def test_a_resource_read_outside_a_statement_is_our_fault(engine: Engine) -> None:
    with pytest.raises(InternalError, match="outside a statement"):
        engine.reading  # noqa: B018  # the property raises


def test_the_columns_of_a_resource_have_their_types(make_world: MakeWorld) -> None:
    world = make_world(PUSHING, routes())
    world.run("SELECT id, at AS t, labels, done, size + 1 AS n FROM p.s.things LIMIT 1")
    assert world.columns is not None
    assert [(found.name, found.type) for found in world.columns] == [
        ("id", Type.TEXT),
        ("t", Type.DATETIME),
        ("labels", Type.JSON),
        ("done", Type.BOOLEAN),
        ("n", None),
    ]


def test_the_plans_of_a_text_are_in_join_order_and_nothing_is_sent(make_world: MakeWorld) -> None:
    world = make_world(PUSHING, routes())
    for name in ("things", "parts"):
        world.engine.add_resource(world.catalog.resource("p", "s", name))
    first, second = world.engine.plans(
        'SELECT 1 FROM "p.s.things" t JOIN "p.s.parts" AS p ON p.thing = t.id JOIN (SELECT 1) '
        "WHERE t.name = ?"
    )
    assert (first.alias, second.alias, world.lines) == ("t", "p", [])
    assert isinstance(first.plan, Scan)
    assert isinstance(second.plan, Scan)
    assert (first.plan.method.name, second.plan.method.name) == ("list", "list")


def test_every_resource_is_listed_in_the_schema_where_asked(make_world: MakeWorld) -> None:
    world = make_world(PUSHING, routes())
    world.engine.list_resources(temporary=True)
    names = world.run("SELECT name FROM temp.sqlite_schema ORDER BY 1")
    assert names == [("p.s.bits",), ("p.s.parts",), ("p.s.things",)]
    assert world.run('SELECT count(*) FROM "p.s.things"') == [(12,)]


def test_a_statement_can_be_interrupted(make_world: MakeWorld) -> None:
    world = make_world(PUSHING, routes())

    def stop(*_: object) -> None:
        world.engine.interrupt()

    world.engine.connection.create_scalar_function("stop", stop, 0)
    with pytest.raises(StatementInterrupted):
        world.run("SELECT stop(), id FROM p.s.things")


def test_a_refused_plan_is_kept_for_what_sqlite_cannot_solve(make_world: MakeWorld) -> None:
    document = """
  rooms:
    parameters: {site: {root: true}, room: {path: room}}
    methods:
      list: {verb: SELECT, http: "GET /sites/{site}/rooms", rows: "rooms[]", pages: one}
"""
    world = make_world(document, {})
    with pytest.raises(ProgrammingError, match="no method has its required parameters"):
        world.run("SELECT 1 FROM p.s.rooms a JOIN p.s.rooms b ON a.site = b.site")
    assert isinstance(world.engine.refusal, Refusal)
