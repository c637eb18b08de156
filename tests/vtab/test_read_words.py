"""The words of a document that shape what is read: each over a small server that shows what they do."""

from __future__ import annotations

import httpx
import pytest

from sqlprovider.errors import DataError, MissingParameterError, ProgrammingError
from tests.vtab.world import PROVIDER, SERVICE, Asked, MakeWorld

MODELS = """
  models:
    key: [name]
    drop: {path: tags, key: is_prompt, values: ["true"], unless: filter}
    parameters: {name: {path: name}}
    columns:
      extra: {type: JSON, path: extra, keep: [a, b]}
      tags: {type: JSON, wire: key_value, numeric_keys: false}
    methods:
      list:
        verb: SELECT
        http: GET /models
        parameters: {filter: TEXT}
        rows: models[]
        pages: one
      get: {verb: SELECT, http: "GET /models/{name}"}
"""
PROMPT = {"name": "prompt", "tags": [{"key": "is_prompt", "value": "true"}]}
MODEL = {"name": "model", "tags": [{"key": "t", "value": "v"}], "extra": {"a": 1, "z": 2}}


@pytest.mark.parametrize(
    ("where", "names"),
    [
        pytest.param("", ["bare", "model"], id="of a list"),
        pytest.param("WHERE name = 'prompt'", [], id="of a get"),
        pytest.param("WHERE filter = 'x'", ["bare", "model", "prompt"], id="unless the statement says so"),
    ],
)
def test_items_that_are_no_rows_are_dropped_whichever_method_answers(
    make_world: MakeWorld, where: str, names: list[str]
) -> None:
    routes = {"GET /models": {"models": [PROMPT, MODEL, {"name": "bare"}]}, "GET /models/prompt": PROMPT}
    rows = make_world(MODELS, routes).run(f"SELECT name FROM p.s.models {where}")
    assert sorted(rows) == [(name,) for name in names]


def test_a_plain_value_may_tell_that_an_item_is_no_row(make_world: MakeWorld) -> None:
    document = MODELS.replace(
        '{path: tags, key: is_prompt, values: ["true"], unless: filter}', "{path: kind, values: [x]}"
    )
    world = make_world(document, {"GET /models": {"models": [{"name": "a", "kind": "x"}, {"name": "b"}]}})
    assert world.run("SELECT name FROM p.s.models WHERE filter = 'x'") == [("b",)]


def test_only_the_keys_that_are_kept_are_the_columns_value(make_world: MakeWorld) -> None:
    world = make_world(MODELS, {"GET /models": {"models": [MODEL, {"name": "n", "extra": {}}]}})
    assert world.run("SELECT extra, tags FROM p.s.models") == [('{"a":1}', '{"t":"v"}'), ("{}", "{}")]


NUMBERED = """
  jobs:
    key: [id]
    parameters: {id: {path: id, pattern: "[0-9]+"}}
    columns: {state: {enum: [OPEN, SHUT]}, priority: INTEGER}
    methods:
      list:
        verb: SELECT
        http: GET /jobs
        parameters:
          page: INTEGER
          size: INTEGER
          status: TEXT
          rank: INTEGER
          order: {enum: [UP, DOWN], default: UP}
        rows: jobs[]
        pages: {style: number, parameter: page, total: total, size: size, size_max: 2}
        push: {equals: {state: status, priority: rank}}
      get: {verb: SELECT, http: "GET /jobs/{id}", missing: true}
"""


def _jobs(*pages: tuple[str, ...]) -> object:
    total = sum(map(len, pages))

    def answer(asked: Asked) -> object:
        page = int(asked.query["page"])
        return {
            "jobs": [{"id": id_} for id_ in (pages[page - 1] if page <= len(pages) else ())],
            "total": total,
        }

    return answer


@pytest.mark.parametrize(
    ("where", "lines"),
    [
        pytest.param("id = '7'", ["GET /jobs/7"], id="a value that matches"),
        pytest.param("id = 'x7'", [], id="a value that does not"),
        pytest.param("id IN ('x', '8')", ["GET /jobs/8"], id="of a set those that do"),
        pytest.param("id = x'37'", [], id="a BLOB names nothing"),
    ],
)
def test_a_pattern_rules_values_out_without_a_request(
    make_world: MakeWorld, where: str, lines: list[str]
) -> None:
    world = make_world(NUMBERED, {"GET /jobs/(.+)": lambda asked: {"id": asked.groups[0]}})
    assert len(world.run(f"SELECT id FROM p.s.jobs WHERE {where}")) == len(lines)
    assert world.lines == lines


def test_numbered_pages_are_read_to_their_total_and_a_row_that_moved_comes_once(
    make_world: MakeWorld,
) -> None:
    world = make_world(NUMBERED, {"GET /jobs": _jobs(("1", "2"), ("2", "3"), ("4",))})
    assert world.run("SELECT id FROM p.s.jobs") == [("1",), ("2",), ("3",), ("4",)]
    assert world.lines[0] == "GET /jobs?page=1&size=2&order=UP"


@pytest.mark.parametrize(
    ("where", "query"),
    [
        pytest.param("state = 'OPEN'", "status=OPEN", id="equality"),
        pytest.param("state IS 'OPEN'", None, id="not IS"),
        pytest.param("state IN ('OPEN', 'SHUT')", None, id="not a set"),
        pytest.param("state = 'OPEN' AND status = 'SHUT'", "status=SHUT", id="the option wins"),
        pytest.param("priority = 3", "rank=3", id="an integer"),
        pytest.param("priority = '3'", "rank=3", id="of the column's affinity"),
        pytest.param("priority = 'high'", None, id="what cannot be sent is left to SQLite"),
        pytest.param("priority = 2.5", None, id="as is a fraction"),
    ],
)
def test_equals_asks_for_a_value_and_sqlite_checks_it_again(
    make_world: MakeWorld, where: str, query: str | None
) -> None:
    world = make_world(NUMBERED, {"GET /jobs": _jobs(("1",))})
    world.run(f"SELECT id FROM p.s.jobs WHERE {where}")
    asked = {f"{k}={v}" for k, v in world.server.requests[0].url.params.items() if k in ("status", "rank")}
    assert asked == ({query} if query else set())


def test_an_enum_is_checked_in_an_option_and_left_to_sqlite_in_a_predicate(make_world: MakeWorld) -> None:
    world = make_world(NUMBERED, {"GET /jobs": _jobs(("1",))})
    with pytest.raises(ProgrammingError, match=r"order cannot be .SIDEWAYS.; it is one of UP, DOWN"):
        world.run("SELECT id FROM p.s.jobs WHERE \"order\" = 'SIDEWAYS'")
    assert world.lines == []
    assert world.run("SELECT id FROM p.s.jobs WHERE state = 'open'") == []


SHIFTING = """
  runs:
    key: [id]
    parameters: {id: {path: id}}
    columns: {at: INTEGER}
    response: {next: TEXT, runs: JSON}
    methods:
      list:
        verb: SELECT
        http: GET /runs
        parameters: {order: {type: JSON, repeated: true, join: comma}, token: TEXT, size: INTEGER}
        rows: runs[]
        pages: {style: token, parameter: token, token: next, size: size, size_max: 2, offset: true}
        push:
          order: {parameter: order, as_list: true, stable: [at ASC], columns: {at: at}, exact: {at: [ASC]}}
"""


def test_offset_tokens_ask_for_the_stable_order_and_drop_rows_that_shifted(make_world: MakeWorld) -> None:
    pages = {"": ("a", "b"), "2": ("b", "c"), "4": ("d",)}

    def answer(asked: Asked) -> object:
        token = asked.query.get("token", "")
        page: dict[str, object] = {"runs": [{"id": id_} for id_ in pages[token]]}
        return page if token == "4" else {**page, "next": str(int(token or 0) + 2)}

    world = make_world(SHIFTING, {"GET /runs": answer})
    assert world.run("SELECT id FROM p.s.runs") == [("a",), ("b",), ("c",), ("d",)]
    assert world.lines[0] == "GET /runs?order=at ASC&size=2"
    assert world.run("SELECT next FROM p.s.runs") == [("2",), ("4",), (None,)]
    assert world.run("SELECT id FROM p.s.runs WHERE token = '2'") == [("b",), ("c",), ("d",)]


@pytest.mark.parametrize(
    ("tail", "query"),
    [
        pytest.param("ORDER BY at LIMIT 1", "order=at ASC&size=1", id="as the API's"),
        pytest.param("ORDER BY at DESC LIMIT 1", "order=at ASC&size=2", id="a direction that is not"),
        pytest.param("ORDER BY at, id LIMIT 1", "order=at ASC&size=2", id="a column that is not"),
        pytest.param("WHERE \"order\" = 'id' ORDER BY at LIMIT 1", "order=id&size=2", id="one of its own"),
        pytest.param("WHERE size = 7 LIMIT 3", "order=at ASC&size=7", id="a page size of its own"),
    ],
)
def test_an_order_is_the_apis_only_where_it_is_exactly_sqlites(
    make_world: MakeWorld, tail: str, query: str
) -> None:
    world = make_world(SHIFTING, {"GET /runs": {"runs": [{"id": "a", "at": 1}]}})
    assert world.asks(f"SELECT id FROM p.s.runs {tail}") == [f"GET /runs?{query}"]


def test_in_on_an_option_asks_once_a_value_and_gives_a_row_once(make_world: MakeWorld) -> None:
    world = make_world(SHIFTING, {"GET /runs": {"runs": [{"id": "a"}]}})
    assert world.run("SELECT id FROM p.s.runs WHERE size IN (3, 4)") == [("a",)]
    assert sorted(world.lines) == ["GET /runs?order=at ASC&size=3", "GET /runs?order=at ASC&size=4"]


CAPPED = """
  points:
    parameters: {series: {}}
    columns: {value: {type: REAL, wire: number}, word: {path: value, wire: number_text}}
    methods:
      list:
        verb: SELECT
        http: GET /series/{series}
        parameters: {max: INTEGER, since: TEXT, until: TEXT}
        rows: points[]
        pages: {style: cap, size: max, size_max: 3, bounds: [since, until]}
"""


def test_a_capped_answer_is_complete_only_below_its_cap(make_world: MakeWorld) -> None:
    routes = {
        "GET /series/short": {"points": [{"value": 1}, {"value": "NaN"}]},
        "GET /series/full": {"points": [{"value": 1}] * 3},
    }
    world = make_world(CAPPED, routes)
    rows = world.run("SELECT value, word FROM p.s.points WHERE series = 'short'")
    assert rows == [(1.0, "1.0"), (None, "NaN")]
    assert world.lines == ["GET /series/short?max=3"]
    with pytest.raises(DataError, match="3 rows, the most that was asked for") as caught:
        world.run("SELECT value FROM p.s.points WHERE series = 'full'")
    assert caught.value.hint == (
        "AND max = …, a larger number; or less at a time: AND since = '…' AND until = '…'"
    )


HEADED = """
  notes:
    key: [id]
    parameters: {id: {path: id}}
    methods:
      list:
        verb: SELECT
        http: GET /notes
        parameters: {page: TEXT}
        rows: notes[]
        pages: {style: header, parameter: page, token: next-page}
"""


def test_a_token_in_a_header_asks_for_the_next_page(make_world: MakeWorld) -> None:
    def answer(asked: Asked) -> httpx.Response:
        page = asked.query.get("page", "1")
        headers = {"next-page": "2"} if page == "1" else {}
        return httpx.Response(200, json={"notes": [{"id": page}]}, headers=headers)

    world = make_world(HEADED, {"GET /notes": answer})
    assert world.run("SELECT id FROM p.s.notes") == [("1",), ("2",)]


TREE = """
  files:
    key: [run, path]
    parameters: {run: {}}
    columns: {path: TEXT, is_dir: BOOLEAN}
    response: {root: TEXT}
    methods:
      list:
        verb: SELECT
        http: GET /runs/{run}/files
        parameters: {run: {required: true}, path: TEXT, token: TEXT}
        rows: files[]
        pages: {style: token, parameter: token, token: next}
        tree: {flag: is_dir, parameter: path, column: path}
"""


def _files(asked: Asked) -> object:
    below = {"": [("a", True), ("f", False)], "a": [("a/b", True), ("a/g", False)], "a/b": [("a/b/h", False)]}
    found = below[asked.query.get("path", "")]
    return {"files": [{"path": path, "is_dir": is_dir} for path, is_dir in found], "root": "r"}


def test_the_directories_of_a_tree_are_listed_in_turn(make_world: MakeWorld) -> None:
    world = make_world(TREE, {"GET /runs/(.+)/files": _files})
    rows = world.run("SELECT path FROM p.s.files WHERE run = 'r'")
    assert rows == [("a",), ("f",), ("a/b",), ("a/g",), ("a/b/h",)]
    assert world.run("SELECT path FROM p.s.files WHERE run = 'r' AND path_ = 'a'") == [("a/b",), ("a/g",)]


def test_defaults_give_what_the_statement_does_not(make_world: MakeWorld) -> None:
    document = """
  rooms:
    key: [site, room]
    parameters: {site: {root: true}, room: {path: room}}
    methods:
      list: {verb: SELECT, http: "GET /sites/{site}/rooms", rows: "rooms[]", pages: one}
"""
    routes = {"GET /sites/(.+)/rooms": {"rooms": [{"room": "r"}]}}
    world = make_world(document, routes, defaults={"site": "home"})
    assert world.run("SELECT site, room FROM p.s.rooms") == [("home", "r")]
    assert world.run("SELECT site, room FROM p.s.rooms WHERE site = 'away'") == [("away", "r")]


def test_a_base_url_takes_its_region_from_the_row_or_the_connection(make_world: MakeWorld) -> None:
    document = """
  rooms:
    parameters: {site: {root: true}, room: {path: room}}
    methods:
      list: {verb: SELECT, http: "GET /sites/{site}/rooms", rows: "rooms[]", pages: one}
"""
    service = SERVICE.replace("version: v1\n", "version: v1\nbase_url: https://{site}.{region}.example.org\n")
    provider = PROVIDER.replace("base_url: {env: LAB_URL}\n", "")
    routes = {"GET /sites/(.+)/rooms": {"rooms": [{"room": "r"}]}}
    world = make_world(document, routes, service=service, provider=provider, base_url=None, region="eu")
    world.run("SELECT * FROM p.s.rooms WHERE site = 'home'")
    assert world.server.requests[0].url.host == "home.eu.example.org"


def test_the_answers_own_fields_cannot_stand_beside_columns_of_the_rows(make_world: MakeWorld) -> None:
    world = make_world(SHIFTING, {})
    with pytest.raises(ProgrammingError, match="next, of the answer around the rows") as raised:
        world.run("SELECT next, at FROM p.s.runs")
    assert raised.value.hint == "SELECT next FROM p.s.runs …, without at"


def test_a_resource_that_no_method_reads_says_what_it_has(make_world: MakeWorld) -> None:
    document = """
  alarms:
    parameters: {name: {}}
    methods:
      ring: {verb: EXEC, http: "POST /alarms/{name}:ring"}
"""
    with pytest.raises(Exception, match=r"SELECT on p\.s\.alarms: no method reads it; it has EXEC"):
        make_world(document, {}).run("SELECT * FROM p.s.alarms")


OPTIONS = """
  docs:
    key: [id]
    parameters: {id: {path: id}}
    columns: {kind: TEXT}
    methods:
      list:
        verb: SELECT
        http: GET /docs
        parameters: {kind: TEXT, depth: INTEGER}
        rows: docs[]
        pages: one
      get: {verb: SELECT, http: "GET /docs/{id}", parameters: {expand: BOOLEAN}}
"""
DOCS = {"GET /docs": {"docs": [{"id": "a", "kind": "k"}]}, "GET /docs/(.+)": {"id": "a", "kind": "k"}}


def test_an_option_comes_back_as_it_was_given_and_is_no_condition(make_world: MakeWorld) -> None:
    world = make_world(OPTIONS, DOCS)
    assert world.run("SELECT id, depth, kind_, expand FROM p.s.docs WHERE depth = '2'") == [
        ("a", 2, None, None)
    ]
    assert world.run("SELECT id FROM p.s.docs WHERE kind_ = 'other'") == [("a",)]
    assert world.lines == ["GET /docs?depth=2", "GET /docs?kind=other"]


def test_an_option_chooses_the_method_that_takes_it(make_world: MakeWorld) -> None:
    world = make_world(OPTIONS, DOCS)
    assert world.asks("SELECT id FROM p.s.docs WHERE id = 'a'") == ["GET /docs/a"]
    assert world.asks("SELECT id FROM p.s.docs WHERE id = 'a' AND depth = 1") == ["GET /docs?depth=1"]
    with pytest.raises(ProgrammingError, match="no method takes depth, expand together with what is given"):
        world.run("SELECT id FROM p.s.docs WHERE id = 'a' AND depth = 1 AND expand = 1")
    with pytest.raises(MissingParameterError, match=r"parameters\n  get  needs id   missing: id"):
        world.run("SELECT id FROM p.s.docs WHERE expand = 1")


@pytest.mark.parametrize(
    ("where", "hint"),
    [
        pytest.param("at > '2026-01-02T00:00:00Z'", None, id="a literal is converted in the text"),
        pytest.param("at > ?", "at > '2026-01-02 00:00:00.000'", id="a binding is refused"),
        pytest.param("at > 1767312000000", "at > '2026-01-02 00:00:00.000'", id="a number is refused"),
    ],
)
def test_times_compare_only_in_sqlites_own_form(make_world: MakeWorld, where: str, hint: str | None) -> None:
    document = """
  events:
    parameters: {id: {path: id}}
    columns: {at: {type: DATETIME, wire: epoch_ms, zero_is_null: true}}
    methods:
      list: {verb: SELECT, http: GET /events, rows: "events[]", pages: one}
"""
    world = make_world(
        document, {"GET /events": {"events": [{"id": "e", "at": 1767398400000}, {"id": "z", "at": 0}]}}
    )
    params = ("2026-01-02T00:00:00Z",) if "?" in where else ()
    if hint is None:
        assert world.run(f"SELECT id, at FROM p.s.events WHERE {where}", params) == [
            ("e", "2026-01-03 00:00:00.000")
        ]
        return
    with pytest.raises(ProgrammingError, match="would compare wrongly") as raised:
        world.run(f"SELECT id FROM p.s.events WHERE {where}", params)
    assert (raised.value.hint, world.lines) == (hint, [])
