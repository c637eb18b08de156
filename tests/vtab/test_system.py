"""The system tables, EXPLAIN over a document, and what names mean to a text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sqlprovider.config import AuthSpec, ConnectionConfig
from sqlprovider.errors import MissingParameterError, NotSupportedError, UnknownNameError
from sqlprovider.execute import journal
from sqlprovider.execute.events import RequestRecord
from sqlprovider.execute.journal import Journal, JournalRow
from sqlprovider.execute.operations import OperationRecord
from sqlprovider.values import Name
from sqlprovider.vtab.system import JOURNAL, LAST_WRITE, SystemTable, system_tables
from tests.vtab.jobs import JOBS, ROUTES
from tests.vtab.things import PLAIN, PUSHING, routes
from tests.vtab.world import MakeWorld, World

RECORD = RequestRecord(1, "p", "p.s.jobs", "list", "GET", "http://x/jobs", 200, 1, 2.5, 3, "q1")
WRITTEN = {column.name: column.name for column in LAST_WRITE}
AT = "2026-01-02 03:04:05.678"
STARTED = OperationRecord(AT, "p", "p.s.jobs", "create", "id=1", "operations/1", "failed", "no room", AT)
KEPT = {column.name: column.name for column in JOURNAL}


@pytest.fixture
def world(make_world: MakeWorld) -> Iterator[World]:
    made = make_world(JOBS, ROUTES)
    connections = {
        "p": made.connections["p"],
        "q": ConnectionConfig(
            "q", "lab", base_url={"s": "http://y"}, auth=AuthSpec("none", {}), defaults={"d": "1"}
        ),
    }
    tables: dict[str, SystemTable] = system_tables(
        made.catalog,
        connections,
        lambda: [RECORD],
        lambda: [WRITTEN],
        journal=lambda: [KEPT],
        operations=lambda: [STARTED],
    )
    for name, table in tables.items():
        made.engine.add_rows(name, table.columns, table.rows)
    yield made
    assert made.lines == []


def test_connections(world: World) -> None:
    assert world.run("SELECT * FROM sqlprovider.connections") == [
        ("p", "lab", "http://127.0.0.1:9", None, "{}"),
        ("q", "lab", '{"s":"http://y"}', "none", '{"d":"1"}'),
    ]


def test_services_and_resources(world: World) -> None:
    services = world.run("SELECT *, connection, resources FROM sqlprovider.services")
    assert services == [("lab", "s", "v1", "The only service", "p", '["jobs"]')]
    ((*names, verbs, methods, title),) = world.run("SELECT * FROM sqlprovider.resources")
    assert (names, title) == (["lab", "s", "p.s.jobs"], "")
    assert json.loads(str(verbs)) == ["SELECT", "INSERT", "UPDATE", "DELETE", "EXEC"]
    assert len(json.loads(str(methods))) == 9


def test_methods(world: World) -> None:
    sql = (
        "SELECT verb, effect, http_method, path, required, optional FROM sqlprovider.methods "
        "WHERE connection = 'p' AND method = 'update'"
    )
    assert world.run(sql) == [
        ("UPDATE", "write", "PATCH", "/jobs/{id}", '["id"]', '["mask","etag","force","name","size"]')
    ]


def test_columns(world: World) -> None:
    sql = "SELECT position, name, type, role, required_for, writable, hidden, enum FROM sqlprovider.columns"
    rows = world.run(sql)
    needed = '["get","update","rename","delete","set_tag","delete_tag","set_note"]'
    assert rows[0] == (0, "id", "TEXT", "parameter", needed, 1, 0, None)
    assert rows[2] == (2, "state", "TEXT", "item", "[]", 1, 0, '["OPEN","SHUT"]')
    assert [row[1] for row in rows if row[6]] == ["message", "item_", "cached_at", "dry", "mask", "force"]
    assert {row[5] for row in rows if row[6]} == {0}


def test_parameters(world: World) -> None:
    sql = 'SELECT name, type, required, place, enum, default_ FROM "sqlprovider.parameters" '
    sql += "WHERE method = 'create'"
    assert world.run(sql) == [
        ("id", "TEXT", 0, "query", None, None),
        ("at", "DATETIME", 0, "body", None, '"now()"'),
        ("dry", "BOOLEAN", 0, "query", None, None),
        ("name", "TEXT", 0, "body", None, None),
        ("state", "TEXT", 0, "body", '["OPEN","SHUT"]', None),
        ("size", "INTEGER", 0, "body", None, None),
        ("tags", "JSON", 0, "body", None, None),
    ]


def test_a_template_of_each_insert(world: World) -> None:
    ((resource, sql),) = world.run('SELECT * FROM "sqlprovider.inserts"')
    assert resource == "p.s.jobs"
    assert str(sql).startswith(
        "INSERT INTO p.s.jobs (id, at, dry, name, state, size, tags)\nVALUES ('{{ id }}'"
    )


def test_requests_and_the_last_write(world: World) -> None:
    assert world.run("SELECT * FROM sqlprovider.requests") == [
        (1, "p", "p.s.jobs", "list", "GET", "http://x/jobs", 200, 1, 2.5, 3, "q1")
    ]
    assert world.run("SELECT state, input_row FROM sqlprovider.last_write") == [("state", "input_row")]


def test_operations_are_what_was_started(world: World) -> None:
    assert world.run("SELECT * FROM sqlprovider.operations WHERE state = 'failed'") == [
        (AT, "p", "p.s.jobs", "create", "id=1", "operations/1", "failed", "no room", AT)
    ]
    names = ["started_at", "connection", "resource", "method", "key", "name", "state", "error", "checked_at"]
    assert [column.name for column in world.columns or ()] == names


def test_the_journal_is_the_last_writes_with_the_statement_and_the_phase(world: World) -> None:
    before = ("at", "statement_id", "statement", "phase")
    assert world.run('SELECT * FROM "sqlprovider.journal"') == [
        (*before, *(column.name for column in LAST_WRITE))
    ]
    assert [column.name for column in world.columns or ()] == [column.name for column in JOURNAL]


def test_the_journals_own_sql_finds_what_was_in_the_air(make_world: MakeWorld, tmp_path: Path) -> None:
    kept = Journal(tmp_path / "state", environ={}, now=lambda: 0.0)
    first, second = (
        kept.statement(text, masked=False, bodies=False, enabled=True) for text in ("INSERT 1", "INSERT 2")
    )
    rows = [JournalRow(n, "p.s.jobs", "create", f"id={n}", *[None] * 6) for n in range(7)]
    first.sending(rows[1:3])
    second.sending(rows[1:4])
    second.answered(rows[1:2])
    first.answered(rows[1:3])
    first.sending(rows[4:5])
    for _ in range(2):  # Two requests for the one row, and one report of it.
        second.sending(rows[5:6])
    second.answered(rows[5:6])
    second.sending(rows[6:])
    second.answered(rows[6:])
    second.sending(rows[6:])
    made = make_world(JOBS, ROUTES)
    table = system_tables(made.catalog, {}, lambda: [], lambda: [], journal=kept.read)["sqlprovider.journal"]
    made.engine.add_rows("sqlprovider.journal", table.columns, table.rows)
    (sql,) = re.findall(r"^ {4}(SELECT.*?)\n\n", str(journal.__doc__), re.DOTALL | re.MULTILINE)
    found = made.run(sql.replace("sqlprovider.journal", '"sqlprovider.journal"'))
    assert [row[1:] for row in found] == sorted(
        (id_, n, "p.s.jobs", "create", f"id={n}", text)
        for id_, n, text in (
            (first.id, 4, "INSERT 1"),
            *((second.id, n, "INSERT 2") for n in (2, 3, 6)),
        )
    )


def test_what_is_pushed_and_what_of_it_is_checked_again(make_world: MakeWorld) -> None:
    made = make_world(PUSHING, routes())
    tables = system_tables(made.catalog, {}, lambda: [], lambda: [])
    pushed = {(row[3], row[4]): (row[11], row[12]) for row in tables["sqlprovider.methods"].rows({})}
    assert pushed["p.s.things", "list"] == ('["name","note","size"]', '["note"]')
    assert pushed["p.s.things", "get"] == ("[]", "[]")


def test_explain_lists_the_requests_and_sends_nothing(make_world: MakeWorld) -> None:
    world = make_world(PUSHING, routes())
    rows = world.run(
        "EXPLAIN SELECT * FROM p.s.things t JOIN p.s.parts p ON p.thing = t.id WHERE t.name = 'n1'"
    )
    assert [row[1:7] for row in rows] == [
        ("p.s.things", "list", None, None, "name =", None),
        ("p.s.parts", "list", None, "per row of t", "thing =", None),
    ]
    assert world.lines == []


def test_explain_of_a_refused_statement_is_its_refusal(make_world: MakeWorld) -> None:
    document = """
  rooms:
    parameters: {site: {root: true}, room: {path: room}}
    methods:
      list: {verb: SELECT, http: "GET /sites/{site}/rooms", rows: "rooms[]", pages: one}
"""
    with pytest.raises(MissingParameterError, match="list  needs site   missing: site"):
        make_world(document, {}).run("EXPLAIN SELECT * FROM p.s.rooms")


def test_explain_of_a_write_and_of_exec(make_world: MakeWorld) -> None:
    world = make_world(JOBS, ROUTES)
    rows = world.run("EXPLAIN UPDATE p.s.jobs SET name = 'x' WHERE size = 1")
    assert [(row[2], row[3], row[4]) for row in rows] == [
        ("list", None, None),
        ("update", 1, "per row of jobs"),
    ]
    rows = world.run("EXPLAIN DELETE FROM p.s.jobs WHERE id = 'a'")
    assert [(row[2], row[3], row[7]) for row in rows] == [("delete", 1, "the rows are not read first")]
    rows = world.run("EXPLAIN INSERT INTO p.s.jobs (name) SELECT name FROM p.s.jobs WHERE id = 'a'")
    assert [row[2] for row in rows] == ["get", "create"]
    assert [row[2] for row in world.run("EXPLAIN INSERT INTO p.s.jobs DEFAULT VALUES")] == ["create"]
    rows = world.run("EXPLAIN EXEC p.s.jobs.set_tag @id='a', @key='k', @value='v'")
    assert [row[2:8] for row in rows] == [("set_tag", 1, None, None, None, "effect: write")]
    assert world.lines == []


def test_explain_analyze_adds_what_the_requests_were(make_world: MakeWorld) -> None:
    world = make_world(PLAIN, routes())
    (row,) = world.run("EXPLAIN ANALYZE SELECT id FROM p.s.things")
    assert (row[2], *row[8:12], row[13]) == ("list", 3, 3, 0, 12, "COMPLETE")
    first, second = world.run("EXPLAIN ANALYZE SELECT 1 FROM p.s.things a, p.s.things b LIMIT 1")
    assert (first[13], second[8:12]) == ("LIMITED", (0, 0, 0, 0))
    with pytest.raises(NotSupportedError, match="it takes a SELECT only"):
        world.run("EXPLAIN ANALYZE DELETE FROM p.s.things")


def test_names_are_the_catalogs_and_what_use_set(make_world: MakeWorld) -> None:
    names = make_world(JOBS, ROUTES).names
    assert (names.connections, names.services("P"), names.used) == (("p",), ("s",), ())
    assert names.resolve("P", "S", "Jobs") == Name("p", "s", "jobs")
    assert names.resolve_method(Name("p", "s", "jobs", "SET_TAG")) == Name("p", "s", "jobs", "set_tag")
    assert names.has("p", "s", "jobs")
    assert not names.has("p", "s", "nosuch")
    names.use(("p",))
    names.use(("p", "s"))
    assert names.used == ("p", "s")
    with pytest.raises(UnknownNameError, match="no service 'x' in p"):
        names.use(("p", "x"))
    facts = names.columns(Name("p", "s", "jobs"))
    assert (facts["tags"].numeric_keys, facts["tags"].keys_pushed, facts["dry"].hidden) == (
        False,
        False,
        True,
    )
    assert names.columns(Name("p", "s", "jobs")) is facts
