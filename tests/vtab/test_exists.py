"""INSERT OR …, and ON CONFLICT: what becomes of rows that are there already."""

from __future__ import annotations

import pytest

from sqlprovider.errors import IntegrityError, NotSupportedError, ProgrammingError
from tests.vtab.boxes import BOXES, Shelf
from tests.vtab.world import Asked, MakeWorld, World

TWO = "INTO p.s.boxes (shelf, boxId, label, size) VALUES ('s', 'a', 'A', 5), ('s', 'new', 'N', 6)"

NOTES = """
  notes:
    key: [key]
    parameters: {key: {path: key}}
    columns: {value: TEXT}
    methods:
      list: {verb: SELECT, http: GET /notes, rows: "notes[]", pages: one}
      put: {verb: INSERT, http: POST /notes, body_columns: [key, value], overwrites: true, answers: item}
      set: {verb: UPDATE, http: "PUT /notes/{key}", body_columns: [value], answers: item}
  events:
    key: [id]
    parameters: {id: {path: id}}
    columns: {text: TEXT}
    methods:
      list: {verb: SELECT, http: GET /events, rows: "events[]", pages: one}
      add: {verb: INSERT, http: POST /events, body_columns: [text], answers: item}
"""


def states(world: World) -> list[object]:
    return [row["state"] for row in world.last_write]


def shelf_world(make_world: MakeWorld) -> tuple[Shelf, World]:
    shelf = Shelf()
    shelf.put("a", size=1, tags={"k": "v"})
    return shelf, make_world(BOXES, shelf.routes)


@pytest.mark.parametrize("word", ["", "OR ABORT ", "OR FAIL "])
def test_a_row_that_exists_is_an_error(make_world: MakeWorld, word: str) -> None:
    shelf, world = shelf_world(make_world)
    with pytest.raises(IntegrityError, match=r"row 1 of 2 \(shelf=s, id=a\).* a exists"):
        world.run(f"INSERT {word}{TWO}")
    assert (states(world), "new" in shelf.boxes) == (["failed", "not_tried"], False)


@pytest.mark.parametrize("clause", ["OR IGNORE", "DO NOTHING"])
def test_ignore_takes_a_row_that_exists_as_done(make_world: MakeWorld, clause: str) -> None:
    shelf, world = shelf_world(make_world)
    sql = f"INSERT OR IGNORE {TWO}" if clause == "OR IGNORE" else f"INSERT {TWO} ON CONFLICT DO NOTHING"
    assert world.run(f"{sql} RETURNING id") == [("new",)]
    assert (states(world), world.rowcount, shelf.boxes["a"]["size"]) == (["accepted"] * 2, 1, 1)
    assert world.last_write[0]["code"] == "exists"


def test_replace_updates_the_row_that_exists(make_world: MakeWorld) -> None:
    shelf, world = shelf_world(make_world)
    world.run(f"INSERT OR REPLACE {TWO}")
    assert (shelf.boxes["a"]["size"], shelf.boxes["a"]["tags"], shelf.boxes["new"]["size"]) == (
        5,
        {"k": "v"},
        6,
    )
    assert (states(world), world.rowcount) == (["accepted"] * 2, 2)


def test_upsert_sees_the_row_that_is_there_and_the_one_that_was_to_be(make_world: MakeWorld) -> None:
    shelf, world = shelf_world(make_world)
    world.run(
        f"INSERT {TWO} ON CONFLICT (shelf, id) DO UPDATE "
        "SET size = boxes.size + excluded.size, tags = json_set(tags, '$.by', excluded.label)"
    )
    assert (shelf.boxes["a"]["size"], shelf.boxes["a"]["tags"]) == (6, {"k": "v", "by": "A"})
    assert shelf.boxes["new"]["size"] == 6


def test_upsert_leaves_alone_what_its_where_does_not_want(make_world: MakeWorld) -> None:
    shelf, world = shelf_world(make_world)
    world.run(f"INSERT {TWO} ON CONFLICT DO UPDATE SET size = excluded.size WHERE boxes.size > 1")
    assert (shelf.boxes["a"]["size"], world.rowcount) == (1, 1)


@pytest.mark.parametrize(
    ("sql", "error", "said"),
    [
        pytest.param(
            f"INSERT OR ROLLBACK {TWO}", NotSupportedError, "cannot be taken back", id="or rollback"
        ),
        pytest.param(
            f"INSERT {TWO} ON CONFLICT (label, size) DO NOTHING",
            ProgrammingError,
            r"told apart by \(shelf, id\) or \(label\) or \(shelf, label\)",
            id="other columns",
        ),
        pytest.param(
            f"INSERT {TWO} ON CONFLICT DO UPDATE SET id = 'x'",
            ProgrammingError,
            "id cannot be set",
            id="a column that cannot be set",
        ),
        pytest.param(
            f"INSERT {TWO} ON CONFLICT DO WHATEVER", ProgrammingError, "DO NOTHING or DO UPDATE", id="syntax"
        ),
        pytest.param(
            f"INSERT {TWO} ON CONFLICT DO NOTHING ON CONFLICT DO NOTHING",
            ProgrammingError,
            "it is DO NOTHING or DO UPDATE",
            id="twice",
        ),
    ],
)
def test_a_wrong_clause_is_refused(
    make_world: MakeWorld, sql: str, error: type[Exception], said: str
) -> None:
    _, world = shelf_world(make_world)
    with pytest.raises(error, match=said):
        world.run(sql)


def test_a_resource_that_overwrites_is_looked_at_first(make_world: MakeWorld) -> None:
    notes = {"a": {"key": "a", "value": "old"}}

    def put(asked: Asked) -> object:
        return notes.setdefault(asked.body["key"], {}) | asked.body

    def change(asked: Asked) -> object:
        notes[asked.groups[0]]["value"] = asked.body["value"]
        return notes[asked.groups[0]]

    routes = {
        "GET /notes": lambda asked: {"notes": list(notes.values())},
        "POST /notes": put,
        "PUT /notes/(.+)": change,
    }
    world = make_world(NOTES, routes)
    world.run("INSERT OR IGNORE INTO p.s.notes (key, value) VALUES ('a', 'new')")
    assert (notes["a"]["value"], world.rowcount) == ("old", 0)
    world.run(
        "INSERT INTO p.s.notes (key, value) VALUES ('a', 'new') "
        "ON CONFLICT DO UPDATE SET value = value || '+' || excluded.value"
    )
    assert (notes["a"]["value"], world.rowcount) == ("old+new", 1)


def test_rows_that_nothing_tells_apart_have_no_clause(make_world: MakeWorld) -> None:
    world = make_world(NOTES, {})
    with pytest.raises(NotSupportedError, match="nothing tells whether a row exists"):
        world.run("INSERT OR IGNORE INTO p.s.events (text) VALUES ('x')")
    assert world.lines == []
