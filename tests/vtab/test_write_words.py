"""The words of a document that shape what is written: each over a small server that shows what they do."""

from __future__ import annotations

import json
from itertools import groupby

import pytest

from sqlprovider.errors import (
    MissingParameterError,
    NotSupportedError,
    ProgrammingError,
    UnknownColumnError,
)
from tests.vtab.jobs import JOBS, ROUTES
from tests.vtab.world import MakeWorld


def rows_sorted(lines: list[str]) -> list[str]:
    """The requests; the rows of a write go out together, so neighbours of one HTTP method are in no order."""
    return [line for _, found in groupby(lines, key=lambda line: line.split()[0]) for line in sorted(found)]


@pytest.mark.parametrize(
    ("sql", "lines"),
    [
        pytest.param(
            "INSERT INTO p.s.jobs (id, name, at) VALUES ('x', 'n', '2026-01-02')",
            ['POST /jobs?id=x {"at":1767312000000,"name":"n"}'],
            id="columns where the document places them",
        ),
        pytest.param(
            "INSERT INTO p.s.jobs (data__name, at, dry) VALUES ('n', 1, TRUE)",
            ['POST /jobs?dry=true {"at":1,"name":"n"}'],
            id="the data__ form and an option",
        ),
        pytest.param(
            "INSERT INTO p.s.jobs (name, at, tags) VALUES ('n', 0, '{\"a\": 1}')",
            ['POST /jobs {"at":0,"name":"n","tags":[{"key":"a","value":"1"}]}'],
            id="a map as a list of keys and values",
        ),
        pytest.param(
            "INSERT INTO p.s.jobs (name, at) SELECT name, size FROM p.s.jobs WHERE size > 1",
            ["GET /jobs", 'POST /jobs {"at":2,"name":"two"}'],
            id="from a SELECT",
        ),
        pytest.param(
            "UPDATE p.s.jobs SET name = 'x' WHERE id = 'a'",
            ['PATCH /jobs/a?mask=job.name {"name":"x"}'],
            id="unread, with a mask",
        ),
        pytest.param(
            "UPDATE p.s.jobs SET name = NULL, size = 3 WHERE id = 'a'",
            ['PATCH /jobs/a?mask=job.name,size {"size":3}'],
            id="NULL by the mask",
        ),
        pytest.param(
            "UPDATE p.s.jobs SET name = 'x' WHERE id = 'a' AND mask = 'm' AND force = 1",
            ['PATCH /jobs/a?mask=m&force=true {"name":"x"}'],
            id="a mask of the statement's own",
        ),
        pytest.param(
            "UPDATE p.s.jobs SET name = 'x' WHERE id = 'a' AND etag = 'e1'",
            ["GET /jobs/a", 'PATCH /jobs/a?mask=job.name {"etag":"e1","name":"x"}'],
            id="a precondition goes along",
        ),
        pytest.param(
            "UPDATE p.s.jobs SET name = 'x' WHERE id = 'a' AND etag = 'old'",
            ["GET /jobs/a"],
            id="a stale one",
        ),
        pytest.param(
            "UPDATE p.s.jobs SET name = name || '!' WHERE size > 1",
            ["GET /jobs", 'PATCH /jobs/b?mask=job.name {"etag":"e2","name":"two!"}'],
            id="read first",
        ),
        pytest.param(
            "UPDATE p.s.jobs SET name = 'x' WHERE id IN ('a', 'b')",
            ['PATCH /jobs/a?mask=job.name {"name":"x"}', 'PATCH /jobs/b?mask=job.name {"name":"x"}'],
            id="unread for each of a set",
        ),
        pytest.param(
            'UPDATE p.s.jobs SET tags = \'{"k": "v", "n": 2}\' WHERE id = \'a\'',
            ["GET /jobs/a", 'POST /jobs/a/tags {"key":"n","value":"2"}'],
            id="only the keys that differ",
        ),
        pytest.param(
            "UPDATE p.s.jobs SET tags = NULL WHERE id = 'a'",
            ["GET /jobs/a", "DELETE /jobs/a/tags?key=k"],
            id="keys that are gone",
        ),
        pytest.param(
            "UPDATE p.s.jobs SET tags = '{\"k\": \"w\"}', size = 5 WHERE id = 'a'",
            [
                "GET /jobs/a",
                'PATCH /jobs/a?mask=size {"etag":"e1","size":5}',
                'POST /jobs/a/tags {"key":"k","value":"w"}',
            ],
            id="a field and a map",
        ),
        pytest.param(
            "UPDATE p.s.jobs SET tags = '{\"k\": \"v\"}' WHERE id = 'a'",
            ["GET /jobs/a"],
            id="nothing differs",
        ),
        pytest.param("DELETE FROM p.s.jobs WHERE id = 'a'", ["DELETE /jobs/a"], id="delete unread"),
        pytest.param(
            "DELETE FROM p.s.jobs WHERE id = 'a' AND force = TRUE",
            ["DELETE /jobs/a?force=true"],
            id="with an option",
        ),
        pytest.param(
            "DELETE FROM p.s.jobs WHERE id = 'a' AND id = 'b'", [], id="two that exclude each other"
        ),
        pytest.param("DELETE FROM p.s.jobs WHERE id = NULL", [], id="NULL names no row"),
        pytest.param(
            "DELETE FROM p.s.jobs WHERE size > 1", ["GET /jobs", "DELETE /jobs/b"], id="delete read first"
        ),
        pytest.param(
            "DELETE FROM p.s.jobs WHERE size = 1 OR name = 'two'",
            ["GET /jobs", "DELETE /jobs/a", "DELETE /jobs/b"],
            id="any WHERE",
        ),
    ],
)
def test_a_write_sends_what_the_document_says(make_world: MakeWorld, sql: str, lines: list[str]) -> None:
    assert rows_sorted(make_world(JOBS, ROUTES).asks(sql)) == lines


def test_parameters_name_the_rows_of_an_unread_write(make_world: MakeWorld) -> None:
    world = make_world(JOBS, ROUTES)
    assert rows_sorted(world.asks("DELETE FROM p.s.jobs WHERE id IN (?, ?)", ("a", "b"))) == [
        "DELETE /jobs/a",
        "DELETE /jobs/b",
    ]
    assert world.asks("DELETE FROM p.s.jobs WHERE id = :id", {"id": "a"}) == ["DELETE /jobs/a"]
    assert world.asks("UPDATE p.s.jobs SET size = ? WHERE id = ?", (3, "a")) == [
        'PATCH /jobs/a?mask=size {"size":3}'
    ]


def test_default_values_send_what_the_api_would_not_fill_in(make_world: MakeWorld) -> None:
    world = make_world(JOBS, ROUTES)
    world.run("INSERT INTO p.s.jobs DEFAULT VALUES")
    assert json.loads(world.server.requests[0].content)["at"] > 1_700_000_000_000


def test_returning_is_the_row_overlaid_with_what_was_sent_and_answered(make_world: MakeWorld) -> None:
    world = make_world(JOBS, ROUTES)
    sql = "INSERT INTO p.s.jobs (name, size, at) VALUES ('n', '7', 0), ('m', 8, 0) "
    sql += "RETURNING id, name, size + 1, etag"
    assert world.run(sql) == [("new", "n", 8, "e9"), ("new", "m", 9, "e9")]
    assert world.rowcount == 2
    sql = "UPDATE p.s.jobs SET name = 'x' WHERE id = 'a' RETURNING *"
    assert world.run(sql) == [("a", "x", "OPEN", 1, '{"k":"v"}', None, None, "e8")]
    assert world.run("DELETE FROM p.s.jobs WHERE id = 'a' RETURNING name") == [("one",)]
    assert world.run("DELETE FROM p.s.jobs WHERE id = 'a' RETURNING id") == [("a",)]


def test_a_row_that_is_not_there_is_no_row_written(make_world: MakeWorld) -> None:
    world = make_world(JOBS, ROUTES)
    world.run("DELETE FROM p.s.jobs WHERE id IN ('a', 'nosuch')")
    assert (world.rowcount, [row["key"] for row in world.last_write]) == (1, ["id=a"])


@pytest.mark.parametrize(
    ("sql", "kind", "message"),
    [
        pytest.param(
            "INSERT INTO p.s.jobs (nosuch) VALUES (1)", UnknownColumnError, "no column 'nosuch'", id="column"
        ),
        pytest.param(
            "INSERT INTO p.s.jobs (etag) VALUES (1)",
            UnknownColumnError,
            "create does not take etag",
            id="not taken",
        ),
        pytest.param(
            "INSERT INTO p.s.jobs (name, data__name) VALUES (1, 2)",
            ProgrammingError,
            "given twice",
            id="twice",
        ),
        pytest.param(
            "INSERT INTO p.s.jobs (name, size) VALUES (1)",
            ProgrammingError,
            "1 values for 2 columns",
            id="count",
        ),
        pytest.param(
            "INSERT INTO p.s.jobs (state) VALUES ('X')", ProgrammingError, "one of OPEN, SHUT", id="enum"
        ),
        pytest.param(
            "INSERT OR ROLLBACK INTO p.s.jobs (name) VALUES ('n')",
            NotSupportedError,
            "OR ROLLBACK .* what the API has accepted cannot be taken back",
            id="conflict",
        ),
        pytest.param(
            "UPDATE p.s.jobs SET id = 'x'",
            ProgrammingError,
            "id cannot be set; what can be is name",
            id="key",
        ),
        pytest.param(
            "UPDATE p.s.jobs SET nosuch = 'x'", UnknownColumnError, "no column 'nosuch'", id="set nothing"
        ),
        pytest.param(
            "UPDATE p.s.jobs SET state = 'OPEN', name = 'x'",
            NotSupportedError,
            "no one method sets",
            id="two methods",
        ),
        pytest.param(
            "UPDATE p.s.jobs SET state = NULL WHERE id = 'a'",
            ProgrammingError,
            "cannot be set to NULL",
            id="NULL",
        ),
        pytest.param(
            "UPDATE p.s.jobs SET state = 'X' WHERE id = 'nosuch'",
            ProgrammingError,
            "one of OPEN, SHUT",
            id="no row",
        ),
        pytest.param(
            "UPDATE p.s.jobs SET tags = '[]' WHERE id = 'a'",
            ProgrammingError,
            "tags takes a JSON object",
            id="no map",
        ),
        pytest.param(
            "UPDATE p.s.jobs SET tags = 'x' WHERE id = 'a'",
            ProgrammingError,
            "tags takes a JSON object",
            id="no JSON",
        ),
        pytest.param(
            "UPDATE p.s.jobs SET tags = 1 WHERE id = 'a'",
            ProgrammingError,
            "tags takes a JSON object",
            id="a number",
        ),
        pytest.param(
            "UPDATE p.s.jobs SET notes = '{}' WHERE id = 'b'",
            NotSupportedError,
            "cannot delete the key 'n'",
            id="no delete",
        ),
        pytest.param(
            "UPDATE p.s.jobs SET tags = '{\"long\": 1}' WHERE id = 'a'",
            ProgrammingError,
            "4 characters",
            id="long key",
        ),
        pytest.param(
            "DELETE FROM p.s.jobs WHERE id = 'a' AND force IN (1, 0)",
            ProgrammingError,
            "force takes one value",
            id="set",
        ),
    ],
)
def test_a_wrong_write_is_refused_before_it_is_sent(
    make_world: MakeWorld, sql: str, kind: type[Exception], message: str
) -> None:
    world = make_world(JOBS, ROUTES)
    with pytest.raises(kind, match=message):
        world.run(sql)
    assert [line for line in world.lines if not line.startswith("GET")] == []


BELOW = """
  rooms:
    key: [site, room]
    parents: [{resource: sites, bind: [site]}]
    parameters: {site: {}, room: {path: room}}
    columns: {size: INTEGER}
    methods:
      list: {verb: SELECT, http: "GET /sites/{site}/rooms", rows: "rooms[]", pages: one}
      create:
        verb: INSERT
        http: POST /sites/{site}/rooms
        parameters: {room: {required: true, in: query}}
        body_columns: [size]
      delete: {verb: DELETE, http: "DELETE /sites/{site}/rooms/{room}"}
  sites:
    key: [site]
    parameters: {site: {path: site}}
    columns: {name: TEXT}
    methods:
      list: {verb: SELECT, http: GET /sites, rows: "sites[]", pages: one}
"""


def test_the_rows_to_write_are_never_found_by_a_walk(make_world: MakeWorld) -> None:
    routes = {
        "GET /sites": {"sites": [{"site": "s"}]},
        "GET /sites/s/rooms": {"rooms": [{"room": "r", "size": 1}]},
        "DELETE /sites/s/rooms/r": {},
    }
    world = make_world(BELOW, routes)
    with pytest.raises(MissingParameterError, match="are not looked for in every parent") as raised:
        world.run("DELETE FROM p.s.rooms WHERE size = 1")
    assert (str(raised.value.hint)[:14], world.lines) == ("AND site = '…'", [])
    assert world.asks("DELETE FROM p.s.rooms WHERE size = 1 AND site = 's'") == [
        "GET /sites/s/rooms",
        "DELETE /sites/s/rooms/r",
    ]


def test_an_insert_without_its_keys_says_what_each_method_lacks(make_world: MakeWorld) -> None:
    world = make_world(BELOW, {"POST /sites/home/rooms": {}}, defaults={"site": "home"})
    with pytest.raises(MissingParameterError, match=r"create  needs site, room   missing: room") as raised:
        world.run("INSERT INTO p.s.rooms (size) VALUES (1)")
    assert str(raised.value.hint).startswith("INSERT INTO p.s.rooms (site, room, …)")
    assert world.asks("INSERT INTO p.s.rooms (room, size) VALUES ('r', 1)") == [
        'POST /sites/home/rooms?room=r {"size":1}'
    ]
    with pytest.raises(ProgrammingError, match="room is NULL"):
        world.run("INSERT INTO p.s.rooms (room) VALUES (NULL)")


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        pytest.param(
            "INSERT INTO p.s.sites (site) VALUES ('x')",
            "INSERT on p.s.sites: it has no such verb; it has SELECT",
            id="insert",
        ),
        pytest.param(
            "UPDATE p.s.sites SET name = 'x'",
            "UPDATE on p.s.sites: it has no such verb; it has SELECT",
            id="update",
        ),
        pytest.param(
            "DELETE FROM p.s.sites", "DELETE on p.s.sites: it has no such verb; it has SELECT", id="delete"
        ),
    ],
)
def test_a_verb_that_a_resource_has_not_is_refused(make_world: MakeWorld, sql: str, message: str) -> None:
    with pytest.raises(NotSupportedError, match=message):
        make_world(BELOW, {}).run(sql)
