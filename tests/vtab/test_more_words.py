"""Words for APIs that say things in headers, in plain texts, in lists of what they could not reach."""

from __future__ import annotations

import httpx
import pytest

from sqlprovider.errors import BackendError, DataError, IntegrityError, NotSupportedError, ProgrammingError
from tests.vtab.world import PROVIDER, SERVICE, Asked, MakeWorld

NOTES = """
  notes:
    key: [id]
    refuses: {DELETE: "archive it: EXEC p.s.notes.archive @id = '…'"}
    parameters: {id: {path: id}}
    columns:
      text: TEXT
      etag: {header: ETag, hidden: true}
      kind: {present: {image: PICTURE, sound: SONG}}
    methods:
      list: {verb: SELECT, http: GET /notes, rows: "notes[]", pages: one, incomplete: unreachable}
      get: {verb: SELECT, http: "GET /notes/{id}", missing: true}
      create:
        verb: INSERT
        http: POST /notes
        repeat: same_body
        parameters: {text: {in: body}, retry_token: {in: header, wire: x-retry-token, default: token()}}
        answers: item
      update:
        verb: UPDATE
        http: PUT /notes/{id}
        parameters: {text: {in: body}, if_match: {in: header, wire: if-match, is: etag}}
        sets: [text]
        precondition: etag
      archive:
        verb: EXEC
        http: POST /notes/{id}/archive
        wire_name: ArchiveNote
        headers: {x-action: "{wire_name}", x-version: "2"}
  lines:
    parents: [{resource: notes, bind: [id]}]
    parameters: {id: {}}
    columns: {line: {path: "."}}
    methods:
      list: {verb: SELECT, http: "GET /notes/{id}/lines", rows: "lines[]", pages: one, missing: true}
"""
HEADED = f"{SERVICE.replace('resources:', 'headers: {x-action: none, x-version: one}')}resources:\n"
ONE = {"id": "a", "text": "x", "image": {}}
TWO = {"id": "b", "text": "y", "sound": None, "image": 1}


def _get(asked: Asked) -> httpx.Response:
    return httpx.Response(200, json=ONE, headers={"etag": '"7"'})


ROUTES = {"GET /notes": {"notes": [ONE, TWO]}, "GET /notes/a": _get, "PUT /notes/.": {}}


def test_a_header_is_a_column_of_an_answer_that_is_one_object(make_world: MakeWorld) -> None:
    world = make_world(NOTES, ROUTES)
    assert world.run("SELECT id, etag FROM p.s.notes WHERE id = 'a'") == [("a", '"7"')]
    assert world.run("SELECT id, etag FROM p.s.notes") == [("a", None), ("b", None)]


def test_a_hidden_column_is_not_shown_unless_it_is_named(make_world: MakeWorld) -> None:
    assert make_world(NOTES, ROUTES).run("SELECT * FROM p.s.notes WHERE id = 'a'") == [("a", "x", "PICTURE")]


def test_which_key_an_item_has_may_be_a_column(make_world: MakeWorld) -> None:
    assert make_world(NOTES, ROUTES).run("SELECT kind FROM p.s.notes") == [("PICTURE",), ("PICTURE",)]


@pytest.mark.parametrize(
    "where",
    [pytest.param("id = 'a'", id="read by its key"), pytest.param("text = 'x'", id="found in a list")],
)
def test_the_precondition_that_was_read_goes_along(make_world: MakeWorld, where: str) -> None:
    world = make_world(NOTES, ROUTES)
    world.run(f"UPDATE p.s.notes SET text = 'z' WHERE {where}")
    assert [request.headers.get("if-match") for request in world.server.requests][-1] == '"7"'


def test_a_precondition_of_the_statements_own_goes_as_it_is(make_world: MakeWorld) -> None:
    world = make_world(NOTES, ROUTES)
    world.run("UPDATE p.s.notes SET text = 'z' WHERE id = 'a' AND etag = '\"7\"'")
    assert world.server.requests[-1].headers["if-match"] == '"7"'
    world.run("UPDATE p.s.notes SET text = 'z' WHERE id = 'a' AND etag = '\"6\"'")
    assert world.lines[-1] == "GET /notes/a"


def test_a_failed_precondition_is_an_integrity_error(make_world: MakeWorld) -> None:
    refused = httpx.Response(412, json={"code": "changed", "message": "it changed"})
    world = make_world(
        NOTES, {"PUT /notes/a": refused, **{k: v for k, v in ROUTES.items() if k[:3] == "GET"}}
    )
    with pytest.raises(IntegrityError, match="412 changed"):
        world.run("UPDATE p.s.notes SET text = 'z' WHERE id = 'a'")


def test_a_token_is_the_same_on_a_retry_and_another_for_the_next_call(make_world: MakeWorld) -> None:
    answers = iter([httpx.Response(503), ONE, ONE])
    world = make_world(NOTES, {"POST /notes": lambda asked: next(answers)})
    world.run("INSERT INTO p.s.notes (text) VALUES ('one'), ('two')")
    first, again, second = [request.headers["x-retry-token"] for request in world.server.requests]
    assert (first == again, first != second, len(first)) == (True, True, 32)


def test_headers_of_the_service_and_of_a_method(make_world: MakeWorld) -> None:
    world = make_world(NOTES, {**ROUTES, "POST /notes/a/archive": {}}, service=HEADED)
    world.run("SELECT id FROM p.s.notes")
    world.run("EXEC p.s.notes.archive @id = 'a'")
    sent = [(r.headers["x-action"], r.headers["x-version"]) for r in world.server.requests]
    assert sent == [("none", "one"), ("ArchiveNote", "2")]


def test_an_answer_that_lists_what_it_could_not_reach_is_not_complete(make_world: MakeWorld) -> None:
    world = make_world(NOTES, {"GET /notes": {"notes": [ONE], "unreachable": ["eu/1", "eu/2"]}})
    with pytest.raises(DataError, match="could not reach eu/1, eu/2"):
        world.run("SELECT id FROM p.s.notes")


def test_an_answer_that_reached_everything_is_complete(make_world: MakeWorld) -> None:
    world = make_world(NOTES, {"GET /notes": {"notes": [ONE], "unreachable": []}})
    assert world.run("SELECT id FROM p.s.notes") == [("a",)]


def test_rows_may_be_plain_texts(make_world: MakeWorld) -> None:
    routes = {"GET /notes": {"notes": [ONE, TWO]}, "GET /notes/(.)/lines": {"lines": ["1", "2 é", 3]}}
    world = make_world(NOTES, routes)
    assert world.run("SELECT line FROM p.s.lines WHERE id = 'a'") == [("1",), ("2 é",), ("3",)]
    assert world.run("SELECT id, count(*) FROM p.s.lines GROUP BY id") == [("a", 3), ("b", 3)]


def test_a_list_where_a_text_should_be_is_an_error(make_world: MakeWorld) -> None:
    world = make_world(NOTES, {"GET /notes/a/lines": {"lines": [["x"]]}})
    with pytest.raises(DataError, match="it is an object or a list"):
        world.run("SELECT line FROM p.s.lines WHERE id = 'a'")


def test_a_verb_that_the_api_has_not_says_what_to_do_instead(make_world: MakeWorld) -> None:
    with pytest.raises(NotSupportedError) as caught:
        make_world(NOTES, ROUTES).run("DELETE FROM p.s.notes WHERE id = 'a'")
    assert caught.value.hint == "archive it: EXEC p.s.notes.archive @id = '…'"


@pytest.mark.parametrize(
    ("region", "host"),
    [pytest.param("old", "legacy.example", id="named"), pytest.param("new", "new.x.example", id="not named")],
)
def test_an_endpoint_of_a_region_comes_before_the_pattern(
    make_world: MakeWorld, region: str, host: str
) -> None:
    service = SERVICE.replace(
        "resources:",
        "base_url: https://{region}.x.example\nendpoints: {old: https://legacy.example/}\nresources:",
    )
    world = make_world(NOTES, ROUTES, service=service, base_url=None, region=region)
    world.run("SELECT id FROM p.s.notes")
    assert world.server.requests[-1].url.host == host


TIMES = """
  jobs:
    key: [id]
    parameters: {id: {path: id}}
    columns: {at: {type: DATETIME, wire: rfc3339}}
    methods:
      list:
        verb: SELECT
        http: GET /jobs
        parameters: {filter: TEXT}
        rows: jobs[]
        pages: one
        push:
          filter: {parameter: filter, quotes: ['"'], terms: {at: {name: made, ops: ["<=", ">="]}}}
"""


def test_a_bound_on_a_time_is_sent_as_text_and_widened(make_world: MakeWorld) -> None:
    world = make_world(TIMES, {"GET /jobs": {"jobs": []}})
    lines = world.asks("SELECT id FROM p.s.jobs WHERE at > '2026-01-02 03:04:05.678'")
    assert lines == ['GET /jobs?filter=made >= "2026-01-02T03:04:05.677Z"']


def test_an_error_of_the_look_for_a_precondition_is_the_statements(make_world: MakeWorld) -> None:
    broken = httpx.Response(403, json={"code": "no", "message": "not yours"})
    world = make_world(
        NOTES, {**ROUTES, "GET /notes/a": broken, "GET /notes/b": httpx.Response(400, json={})}
    )
    with pytest.raises(Exception, match="403 no: not yours") as caught:
        world.run("UPDATE p.s.notes SET text = 'z' WHERE text = 'x'")
    assert not isinstance(caught.value, BackendError)


def test_explain_shows_what_is_sent_though_nobody_gave_it(make_world: MakeWorld) -> None:
    document = TIMES.replace("{filter: TEXT}", "{filter: TEXT, since: {default: '1970-01-01'}}")
    world = make_world(document, {"GET /jobs.*": {"jobs": []}})
    assert world.run("EXPLAIN SELECT id FROM p.s.jobs")[0][-1] == "since = '1970-01-01'"
    assert world.run("EXPLAIN SELECT id FROM p.s.jobs WHERE since = 'x'")[0][-1] is None
    assert world.asks("SELECT id FROM p.s.jobs") == ["GET /jobs?since=1970-01-01"]


def test_a_row_that_changed_between_the_list_and_its_precondition_is_not_written(
    make_world: MakeWorld,
) -> None:
    changed = httpx.Response(200, json={**ONE, "text": "other"}, headers={"etag": "8"})
    world = make_world(NOTES, {**ROUTES, "GET /notes/a": changed})
    with pytest.raises(IntegrityError, match=r"id=a changed while it was read \(text\); nothing was written"):
        world.run("UPDATE p.s.notes SET text = 'z' WHERE text = 'x'")
    assert not any(line.startswith("PUT") for line in world.lines)


def test_returning_has_the_header_of_the_answer(make_world: MakeWorld) -> None:
    made = httpx.Response(200, json={"id": "n", "text": "t"}, headers={"ETag": "e1"})
    world = make_world(NOTES, {"POST /notes": made})
    assert world.run("INSERT INTO p.s.notes (text) VALUES ('t') RETURNING id, etag") == [("n", "e1")]


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("SELECT id FROM p.s.notes WHERE etag = '\"7\"'", id="SELECT"),
        pytest.param("UPDATE p.s.notes SET text = 'z' WHERE text = 'x' AND etag = '\"7\"'", id="UPDATE"),
    ],
)
def test_a_list_is_not_asked_about_a_header_it_does_not_say(make_world: MakeWorld, sql: str) -> None:
    world = make_world(NOTES, ROUTES)
    with pytest.raises(
        ProgrammingError, match="a list does not say etag; ask for the row by its key"
    ) as caught:
        world.run(sql)
    assert (caught.value.hint, world.lines) == ("id = '…'", [])


def test_a_code_may_say_what_others_say_by_429_and_the_record_keeps_the_status(make_world: MakeWorld) -> None:
    slow_down = httpx.Response(400, json={"code": "Busy.User", "message": "slow down"})
    answers = iter([slow_down, {"notes": [ONE]}])
    provider = PROVIDER.replace("errors: {", "errors: {throttled: [Busy], ")
    world = make_world(NOTES, {"GET /notes": lambda asked: next(answers)}, provider=provider)
    assert world.run("SELECT id FROM p.s.notes") == [("a",)]
    assert [record.status for record in world.calls.records] == [400, 200]
