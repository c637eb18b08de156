"""What SQLite offers, seen in the requests: what is asked of the API, and what is left to SQLite."""

from __future__ import annotations

import pytest

from sqlprovider.errors import ProgrammingError
from tests.vtab.things import PLAIN, PUSHING, routes
from tests.vtab.world import Asked, MakeWorld

SELECT = "SELECT id FROM p.s.things WHERE "


@pytest.mark.parametrize(
    ("where", "filter_"),
    [
        pytest.param("name = 'n1'", "name = 'n1'", id="equality"),
        pytest.param("name <> 'n1'", "name != 'n1'", id="inequality"),
        pytest.param("name IN ('n1', 'n2')", "name IN ('n1', 'n2')", id="IN is one set"),
        pytest.param("name = 'n1' OR name = 'n2'", "name IN ('n1', 'n2')", id="OR of one column is IN"),
        pytest.param("size BETWEEN 1 AND 3", "size >= 1 AND size <= 3", id="BETWEEN"),
        pytest.param("note LIKE 'alpha%'", "note LIKE 'alpha%'", id="LIKE, not its range"),
        pytest.param("name = 'n1' AND size > 2", "name = 'n1' AND size > 2", id="two terms"),
        pytest.param("name = 'it''s'", "name = 'it''s'", id="a quote in the value"),
        pytest.param("name = 'N1' COLLATE NOCASE", None, id="another collation"),
        pytest.param("name IS 'n1'", None, id="an operator without a word"),
        pytest.param("lower(name) = 'n1'", None, id="an expression"),
        pytest.param("NOT name = 'n1'", None, id="a negation SQLite does not offer"),
        pytest.param("rowid = 5", None, id="the rowid"),
        pytest.param("rowid > 0 AND name = 'n1'", "name = 'n1'", id="the rowid beside a filter"),
        pytest.param("name REGEXP 'n' IS NULL AND size = 1", "size = 1", id="an operator without an index"),
        pytest.param("size > 'x'", None, id="a value of another type"),
    ],
)
def test_what_of_a_where_is_asked_of_the_api(make_world: MakeWorld, where: str, filter_: str | None) -> None:
    world = make_world(PUSHING, routes())
    world.engine.connection.create_scalar_function("regexp", lambda *_: None, 2)
    world.run(SELECT + where)
    assert {request.url.params.get("filter") for request in world.server.requests} == {filter_}


def test_the_values_of_a_subquery_are_one_set_and_nothing_is_asked_for_an_empty_one(
    make_world: MakeWorld,
) -> None:
    world = make_world(PUSHING, routes())
    world.run(SELECT + "name IN (SELECT 'n2' UNION SELECT 'n1')")
    assert [request.url.params["filter"] for request in world.server.requests] == ["name IN ('n1', 'n2')"]
    assert world.run(SELECT + "name IN (SELECT 'n1' WHERE 0)") == []
    assert world.asks(SELECT + "id IN (SELECT 't01' WHERE 0)") == []


def test_the_rowid_of_a_row_finds_it_again(make_world: MakeWorld) -> None:
    world = make_world(PUSHING, routes())
    ((rowid,),) = world.run("SELECT rowid FROM p.s.things WHERE id = 't03'")
    assert world.run("SELECT id FROM p.s.things WHERE rowid = ?", (rowid,)) == [("t03",)]
    assert world.run("SELECT id FROM p.s.things WHERE rowid = 5") == []
    assert len(world.run("SELECT id FROM p.s.things ORDER BY rowid")) == 12


def test_a_row_that_two_arms_of_an_or_find_by_different_methods_comes_once(make_world: MakeWorld) -> None:
    world = make_world(PUSHING, routes())
    rows = world.run(SELECT + "id = 't02' OR name = 'n2'")
    assert sorted(rows) == [("t02",), ("t05",), ("t11",)]


@pytest.mark.parametrize(
    ("sql", "query"),
    [
        pytest.param("SELECT id FROM p.s.things LIMIT 2", {"page_size": "2"}, id="no order"),
        pytest.param("SELECT id FROM p.s.things LIMIT 1 OFFSET 2", {"page_size": "3"}, id="with an offset"),
        pytest.param(
            "SELECT id FROM p.s.things ORDER BY size DESC LIMIT 2",
            {"page_size": "2", "order_by": "size DESC"},
            id="the API's order",
        ),
        pytest.param(
            "SELECT id FROM p.s.things WHERE name = 'n1' LIMIT 2",
            {"page_size": "2", "filter": "name = 'n1'"},
            id="an exact filter",
        ),
        pytest.param(
            "SELECT id FROM (SELECT id FROM p.s.things ORDER BY id LIMIT 3)",
            {"page_size": "3", "order_by": "id ASC"},
            id="in a subquery",
        ),
        pytest.param("SELECT id FROM p.s.things LIMIT -1", {"page_size": "5"}, id="a negative one is none"),
        pytest.param(
            "SELECT id FROM p.s.things ORDER BY score LIMIT 2", {"page_size": "5"}, id="no order of it"
        ),
        pytest.param(
            "SELECT id FROM p.s.things WHERE note = 'gamma' LIMIT 2",
            {"page_size": "5", "filter": "note = 'gamma'"},
            id="an inexact filter",
        ),
        pytest.param(
            "SELECT id FROM p.s.things WHERE name = 'N1' COLLATE NOCASE LIMIT 2",
            {"page_size": "5"},
            id="another collation",
        ),
        pytest.param("SELECT id FROM p.s.things WHERE rowid > 0 LIMIT 2", {"page_size": "5"}, id="the rowid"),
        pytest.param("SELECT DISTINCT name FROM p.s.things LIMIT 2", {"page_size": "5"}, id="DISTINCT"),
        pytest.param("SELECT count(*) FROM p.s.things LIMIT 1", {"page_size": "5"}, id="an aggregate"),
    ],
)
def test_limit_becomes_the_page_size_only_where_it_cannot_lose_a_row(
    make_world: MakeWorld, sql: str, query: dict[str, str]
) -> None:
    world = make_world(PUSHING, routes())
    world.run(sql)
    assert dict(world.server.requests[0].url.params) == query


def test_limit_by_a_parameter_is_known_when_the_scan_starts(make_world: MakeWorld) -> None:
    world = make_world(PUSHING, routes())
    assert world.asks("SELECT id FROM p.s.things LIMIT ? OFFSET ?", (2, 1)) == ["GET /things?page_size=3"]


def test_max_reads_one_row_where_the_order_is_the_apis(make_world: MakeWorld) -> None:
    world = make_world(PUSHING, routes())
    assert world.run("SELECT max(size) FROM p.s.things") == [(4,)]
    assert world.lines == ["GET /things?order_by=size DESC&page_size=1"]
    assert not world.calls.limited  # the answer is whole, and no LIMIT ended it


def test_a_scan_that_is_read_to_its_end_is_not_limited(make_world: MakeWorld) -> None:
    world = make_world(PUSHING, routes())
    world.run("SELECT id FROM p.s.things")
    assert not world.calls.limited


def test_in_on_a_key_asks_once_for_each_value_sorted_and_without_null(make_world: MakeWorld) -> None:
    world = make_world(PLAIN, routes())
    sql = "SELECT id FROM p.s.things WHERE id IN ('t03', 't01', NULL, 't03')"
    assert sorted(world.run(sql)) == [("t01",), ("t03",)]
    assert sorted(world.lines) == ["GET /things/t01", "GET /things/t03"]


WIDE = """
  wide:
    key: [id]
    parameters: {id: {path: id}}
    columns: {COLUMNS}
    response: {total: INTEGER}
    methods:
      list: {verb: SELECT, http: "GET /wide", rows: "wide[]", pages: one}
""".replace("{COLUMNS}", "{" + ", ".join(f"c{n}: INTEGER" for n in range(70)) + "}")


def test_columns_beyond_the_63rd_are_read(make_world: MakeWorld) -> None:
    item = {"id": "w", **{f"c{n}": n for n in range(70)}}
    world = make_world(WIDE, {"GET /wide": {"wide": [item]}})
    assert world.run("SELECT c61, c62, c63, c69 FROM p.s.wide") == [(61, 62, 63, 69)]
    assert world.run("SELECT c69 FROM p.s.wide WHERE c64 = 64 AND c65 > 64") == [(69,)]
    assert world.run("SELECT c1 FROM p.s.wide WHERE c68 = 0") == []
    assert world.run("SELECT count(*) FROM p.s.wide") == [(1,)]
    assert world.run("SELECT * FROM p.s.wide") == [("w", *range(70))]


def test_a_column_that_is_not_read_is_not_decoded(make_world: MakeWorld) -> None:
    item = {"id": "w", "c0": "no number", "c69": 1}
    world = make_world(WIDE, {"GET /wide": {"wide": [item]}})
    assert world.run("SELECT id FROM p.s.wide") == [("w",)]


JSON_KEYS = """
  runs:
    key: [id]
    parameters: {id: {path: id}}
    columns:
      metrics: {type: JSON, wire: key_value, path: metrics}
      params: {type: JSON, wire: key_value, path: params, numeric_keys: false}
    methods:
      search:
        verb: SELECT
        http: POST /runs
        effect: read
        parameters: {filter: {in: body}}
        rows: runs[]
        pages: one
        push:
          filter:
            parameter: filter
            quotes: ["'", '"']
            forbidden: "\\\\["
            terms:
              metrics: {name: "m.`{key}`", key_forbidden: "`", value: number, ops: [">", "<", "="]}
              params: {name: "p.`{key}`", ops: {"=": "=", LIKE: ILIKE, IS NULL: IS NULL}}
"""


def _runs(asked: Asked) -> object:
    entries = [{"key": "acc", "value": 0.5}, {"key": "a`b", "value": 2}, {"key": "x.y", "value": 3}]
    return {"runs": [{"id": "r", "metrics": entries, "params": [{"key": "lr", "value": "0.1"}]}]}


@pytest.mark.parametrize(
    ("where", "filter_", "count"),
    [
        pytest.param("metrics->>'acc' > 0.1", "m.`acc` > 0.1", 1, id="a literal"),
        pytest.param("metrics->>'x.y' < 9", "m.`x.y` < 9", 1, id="a key with a dot is one key"),
        pytest.param("metrics->>'a`b' > 1", None, 1, id="a key the API cannot take"),
        pytest.param("metrics->>'acc' > 1 OR id = 'r'", None, 1, id="in an arm of OR it is not offered"),
        pytest.param("params->>'lr' = '0.1'", "p.`lr` = '0.1'", 1, id="a text"),
        pytest.param("params->>'lr' LIKE '0%'", "p.`lr` ILIKE '0%'", 1, id="LIKE as the API says it"),
        pytest.param("params->>'lr' = 'a[b'", None, 0, id="a character the API must not see"),
        pytest.param("params->>'lr' = 'it''s'", 'p.`lr` = "it\'s"', 0, id="the other quote"),
        pytest.param(
            "metrics->>'acc' > 0.1 AND metrics->>'acc' < 1", "m.`acc` < 1 AND m.`acc` > 0.1", 1, id="two"
        ),
    ],
)
def test_predicates_on_json_keys_go_along_where_the_api_can_say_them(
    make_world: MakeWorld, where: str, filter_: str | None, count: int
) -> None:
    world = make_world(JSON_KEYS, {"POST /runs": _runs})
    assert len(world.run(f"SELECT id FROM p.s.runs WHERE {where}")) == count
    body = world.server.requests[0].content.decode()
    assert (body == "{}") if filter_ is None else (filter_ in body.replace('\\"', '"'))


def test_a_json_key_beside_a_parameter_is_read_when_the_scan_starts(make_world: MakeWorld) -> None:
    world = make_world(JSON_KEYS, {"POST /runs": _runs})
    assert len(world.run("SELECT id FROM p.s.runs WHERE metrics->>'acc' > ?", (0.25,))) == 1
    assert world.lines == ['POST /runs {"filter":"m.`acc` > 0.25"}']


@pytest.mark.parametrize(
    "value", [pytest.param(b"x", id="a BLOB"), pytest.param(float("inf"), id="infinity")]
)
def test_a_parameter_that_json_cannot_say_is_left_to_sqlite(
    make_world: MakeWorld, value: bytes | float
) -> None:
    world = make_world(JSON_KEYS, {"POST /runs": _runs})
    assert len(world.run("SELECT id FROM p.s.runs WHERE metrics->>'acc' < ?", (value,))) == 1
    assert world.lines == ["POST /runs"]


def test_a_json_key_compared_with_another_tables_column_is_asked_for_each_row(make_world: MakeWorld) -> None:
    world = make_world(JSON_KEYS, {"POST /runs": _runs})
    sql = "SELECT x FROM (SELECT 0.1 AS x UNION SELECT 0.9) o LEFT JOIN p.s.runs ON metrics->>'acc' > o.x"
    assert sorted(world.run(sql)) == [(0.1,), (0.9,)]
    assert sorted(world.lines) == [
        'POST /runs {"filter":"m.`acc` > 0.1"}',
        'POST /runs {"filter":"m.`acc` > 0.9"}',
    ]


def test_the_answers_own_field_of_a_wide_table_makes_a_row_a_page(make_world: MakeWorld) -> None:
    world = make_world(WIDE, {"GET /wide": {"wide": [{"id": "w"}, {"id": "x"}], "total": 2}})
    assert world.run("SELECT total FROM p.s.wide") == [(2,)]
    with pytest.raises(ProgrammingError, match="total, of the answer around the rows"):
        world.run("SELECT total, c69 FROM p.s.wide")
