"""Joins whose inner tables take their keys from the outer ones: what comes out, and what is asked."""

from __future__ import annotations

from collections import Counter

import pytest

from sqlprovider.errors import MissingParameterError
from tests.vtab.things import PLAIN, PUSHING, oracle, routes
from tests.vtab.world import MakeWorld

JOINS = [
    pytest.param(
        "SELECT a.part, b.part FROM p.s.parts a JOIN p.s.parts b ON a.thing = b.thing AND a.part < b.part",
        id="self-join on the first key",
    ),
    pytest.param(
        "SELECT a.thing, b.thing FROM p.s.parts a JOIN p.s.parts b USING (part) "
        "WHERE a.thing IN ('t02', 't03')",
        id="self-join on the last key",
    ),
    pytest.param(
        "SELECT a.thing, b.weight FROM p.s.parts a JOIN p.s.parts b USING (thing, part)", id="USING all keys"
    ),
    pytest.param(
        "SELECT * FROM p.s.parts NATURAL JOIN p.s.bits WHERE thing = 't03'", id="NATURAL over all keys"
    ),
    pytest.param(
        "SELECT t.id, p.part FROM p.s.things t JOIN p.s.parts p ON p.thing = t.id AND t.size > 1",
        id="keys from the left side",
    ),
    pytest.param(
        "SELECT t.id, p.part FROM p.s.parts p JOIN p.s.things t ON t.id = p.thing AND t.size > 1",
        id="keys from the right side",
    ),
    pytest.param(
        "SELECT t.id, p.part FROM p.s.things t CROSS JOIN p.s.parts p WHERE t.id = p.thing",
        id="order forced by CROSS JOIN",
    ),
    pytest.param(
        "SELECT t.id, p.part FROM p.s.things t LEFT JOIN p.s.parts p ON p.thing = t.id AND p.weight > 4",
        id="LEFT JOIN to the keyed side",
    ),
    pytest.param(
        "SELECT t.id, p.part FROM p.s.parts p LEFT JOIN p.s.things t ON t.id = p.thing AND t.size = 2 "
        "WHERE p.thing IN ('t02', 't03')",
        id="LEFT JOIN from the keyed side",
    ),
    pytest.param(
        "SELECT t.id, p.part FROM p.s.parts p RIGHT JOIN p.s.things t ON t.id = p.thing", id="RIGHT JOIN"
    ),
    pytest.param(
        "SELECT t.id, p.part FROM p.s.parts p FULL JOIN p.s.things t ON t.id = p.thing AND t.size > 3",
        id="FULL JOIN",
    ),
    pytest.param(
        "SELECT t.name, p.part, b.bit FROM p.s.things t JOIN p.s.parts p ON p.thing = t.id "
        "JOIN p.s.bits b ON b.thing = p.thing AND b.part = p.part WHERE t.size = 2",
        id="three levels",
    ),
    pytest.param(
        "SELECT t.name, p.part, b.bit FROM p.s.bits b JOIN p.s.parts p USING (thing, part) "
        "JOIN p.s.things t ON t.id = b.thing WHERE t.size = 2",
        id="three levels, the lowest first",
    ),
    pytest.param(
        "SELECT t.id, p.part, b.bit FROM p.s.things t LEFT JOIN p.s.parts p ON p.thing = t.id "
        "LEFT JOIN p.s.bits b ON b.thing = t.id AND b.part = p.part WHERE t.id < 't05'",
        id="three levels of LEFT JOIN",
    ),
    pytest.param(
        "SELECT id FROM p.s.things t WHERE EXISTS (SELECT 1 FROM p.s.parts p WHERE p.thing = t.id)",
        id="EXISTS",
    ),
    pytest.param(
        "SELECT id, (SELECT max(weight) FROM p.s.parts p WHERE p.thing = t.id) FROM p.s.things t",
        id="scalar subquery",
    ),
    pytest.param(
        "SELECT part FROM p.s.parts WHERE thing IN (SELECT id FROM p.s.things WHERE size = 2)",
        id="IN of a subquery",
    ),
    pytest.param(
        "WITH t AS (SELECT id FROM p.s.things WHERE size = 2) "
        "SELECT part FROM t JOIN p.s.parts ON thing = id",
        id="key from a CTE",
    ),
    pytest.param(
        "SELECT a.id, b.id FROM p.s.things a, p.s.things b WHERE a.name = 'n1' AND a.size = b.size AND "
        "b.score > 1",
        id="a key and a filter on the other side, in one order",
    ),
    pytest.param(
        "SELECT a.id, b.id FROM p.s.things a, p.s.things b WHERE b.score > 1 AND a.size = b.size AND "
        "a.name = 'n1'",
        id="a key and a filter on the other side, in the other order",
    ),
    pytest.param(
        "SELECT a.id, b.id FROM p.s.things a JOIN p.s.things b ON a.id = b.id OR a.size = b.size",
        id="OR in ON",
    ),
]


@pytest.mark.parametrize("sql", JOINS)
@pytest.mark.parametrize("document", [pytest.param(PLAIN, id="plain"), pytest.param(PUSHING, id="pushing")])
def test_a_join_gives_the_rows_of_plain_sqlite(make_world: MakeWorld, document: str, sql: str) -> None:
    assert Counter(make_world(document, routes()).run(sql)) == Counter(oracle(sql))


ROOTED = """
  rooms:
    key: [site, room]
    parameters: {site: {root: true}, room: {path: room}}
    columns: {size: INTEGER}
    methods:
      list: {verb: SELECT, http: "GET /sites/{site}/rooms", rows: "rooms[]", pages: one}
"""
ROOMS = {"GET /sites/(.+)/rooms": lambda asked: {"rooms": [{"room": f"{asked.groups[0]}1", "size": 3}]}}


@pytest.mark.parametrize(
    ("sql", "count"),
    [
        pytest.param("SELECT * FROM p.s.rooms WHERE site = 'a'", 1, id="equality"),
        pytest.param("SELECT * FROM p.s.rooms WHERE site IS 'a'", 1, id="IS"),
        pytest.param("SELECT * FROM p.s.rooms WHERE site IN ('a', 'b')", 2, id="IN"),
        pytest.param("SELECT * FROM p.s.rooms WHERE site = 'a' OR site = 'b'", 2, id="OR of one key"),
        pytest.param("SELECT * FROM p.s.rooms WHERE site IN (SELECT 'a' UNION SELECT 'b')", 2, id="subquery"),
        pytest.param(
            "SELECT * FROM p.s.rooms WHERE (site, size) IN (VALUES ('a', 3), ('b', 4))", 1, id="row"
        ),
        pytest.param("SELECT * FROM p.s.rooms WHERE (site, room) = ('a', 'a1')", 1, id="row value"),
        pytest.param("SELECT * FROM p.s.rooms JOIN (SELECT 'a' AS site) USING (site)", 1, id="join"),
        pytest.param("SELECT * FROM (SELECT 'a' AS s) JOIN p.s.rooms ON site = s", 1, id="join, other side"),
        pytest.param("SELECT * FROM (SELECT 'a' AS s) LEFT JOIN p.s.rooms ON site = s", 1, id="LEFT JOIN"),
        pytest.param(
            "SELECT * FROM p.s.rooms a JOIN p.s.rooms b USING (site) WHERE site = 'a'", 1, id="self"
        ),
        pytest.param("SELECT * FROM p.s.rooms WHERE site = NULL", 0, id="NULL"),
        pytest.param("SELECT * FROM p.s.rooms WHERE site = 'a' AND site = 'b'", 0, id="both of two"),
        pytest.param(
            "SELECT * FROM p.s.rooms WHERE (site='a' AND size=3) OR (site='b' AND size=4)", 1, id="arms"
        ),
    ],
)
def test_a_required_key_may_be_given_in_any_way(make_world: MakeWorld, sql: str, count: int) -> None:
    assert len(make_world(ROOTED, ROOMS).run(sql)) == count


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("SELECT * FROM p.s.rooms", id="no key"),
        pytest.param("SELECT * FROM p.s.rooms WHERE size = 3", id="another column"),
        pytest.param("SELECT * FROM p.s.rooms WHERE site = 'a' OR size = 3", id="an arm without it"),
        pytest.param("SELECT * FROM p.s.rooms WHERE site > 'a'", id="no equality"),
        pytest.param("SELECT * FROM p.s.rooms WHERE site = 'A' COLLATE NOCASE", id="another collation"),
        pytest.param(
            "SELECT * FROM p.s.rooms LEFT JOIN (SELECT 'a' AS s) ON site = s", id="LEFT JOIN from it"
        ),
        pytest.param(
            "SELECT * FROM p.s.rooms a JOIN p.s.rooms b ON a.site = b.site", id="each from the other"
        ),
    ],
)
def test_a_key_that_nothing_gives_is_named_and_nothing_is_sent(make_world: MakeWorld, sql: str) -> None:
    world = make_world(ROOTED, ROOMS)
    with pytest.raises(MissingParameterError, match=r"list  needs site   missing: site") as raised:
        world.run(sql)
    assert "site = '…'" in str(raised.value.hint)
    assert world.lines == []


def test_a_key_from_the_other_table_serves_in_whichever_order_the_tables_stand(make_world: MakeWorld) -> None:
    world = make_world(ROOTED, ROOMS)
    sql = "SELECT b.site FROM p.s.rooms a JOIN p.s.rooms b ON a.site = b.site WHERE a.site = 'x'"
    assert world.run(sql) == [("x",)]
    assert set(world.lines) == {"GET /sites/x/rooms"}


def test_a_three_level_join_asks_only_below_what_the_level_above_gave(make_world: MakeWorld) -> None:
    world = make_world(PUSHING, routes())
    lines = world.asks(
        "SELECT b.bit FROM p.s.things t JOIN p.s.parts p ON p.thing = t.id JOIN p.s.bits b "
        "ON b.thing = p.thing AND b.part = p.part WHERE t.name = 'n1' AND t.size = 2"
    )
    assert lines == [
        "GET /things?filter=name = 'n1' AND size = 2&page_size=5",
        "GET /things/t01/parts",
        "GET /things/t01/parts/p1/bits",
    ]
