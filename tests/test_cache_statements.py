"""The cache as statements meet it: a server that counts, sessions that share a folder."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sqlprovider.errors import (
    BackendError,
    ConfigError,
    Error,
    ProgrammingError,
    RateLimitedError,
    TransportError,
)
from sqlprovider.session import check_document
from tests.cached import SERVICE, Lab, Store, ask, in_another_process, results, statuses, write_documents
from tests.fakes.loopback import Acted, Loopback, Reset, Stall, Status, Within


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    store = Store()
    with Loopback(store) as server:
        made = Lab(tmp_path, server, store)
        yield made
        made.close()


NOTES = "SELECT text FROM p.s.notes"
BOXES = "SELECT id, label FROM p.s.boxes WHERE shelf = 'a'"
BOX = "SELECT label FROM p.s.boxes WHERE shelf = 'a' AND id = 'b1'"


def test_a_page_that_is_young_enough_is_shown_without_a_request(lab: Lab) -> None:
    session = lab.session()
    assert lab.asked(session, NOTES) == ["GET /notes"]
    lab.time.time += 59
    rows, result = results(session, NOTES)
    assert rows == [("nobody",)]
    assert (len(lab.server.requests), result.requests) == (1, 0)
    assert ask(session, "SELECT count(*) FROM sqlprovider.requests") == [(0,)]
    lab.time.time += 2
    assert lab.asked(session, NOTES) == ["GET /notes"]


def test_nothing_is_kept_unless_it_is_asked_for(lab: Lab) -> None:
    session = lab.session(cache=0)
    assert len(lab.asked(session, NOTES) + lab.asked(session, NOTES)) == 2
    ask(session, "INSERT INTO p.s.boxes (shelf, id, label) VALUES ('a', 'n', 'x')")
    assert not lab.pages.exists()


def test_another_session_is_shown_the_same_pages(lab: Lab) -> None:
    ask(lab.session(), NOTES)
    assert lab.asked(lab.session(), NOTES) == []


def test_a_connection_can_have_times_of_its_own(lab: Lab) -> None:
    ask(lab.session(), NOTES)
    assert lab.asked(lab.session({"cache": "0"}), NOTES) == ["GET /notes"]
    own = lab.session({"cache": "10m"}, cache=0)
    lab.time.time += 300
    assert lab.asked(own, NOTES) == []


def test_set_turns_it_on_and_off(lab: Lab) -> None:
    session = lab.session(cache=0)
    assert len(lab.asked(session, f"SET cache = '60s'; {NOTES}; {NOTES}")) == 1
    assert len(lab.asked(session, f"SET cache = 0; {NOTES}")) == 1


def test_all_pages_of_a_list_are_shown_or_none(lab: Lab) -> None:
    session = lab.session()
    assert len(lab.asked(session, BOXES)) == 3
    assert lab.asked(session, BOXES) == []
    assert ask(session, BOXES) == [(f"b{n}", f"L{n}") for n in range(5)]


def test_a_list_whose_first_page_is_too_old_is_asked_for_whole(lab: Lab) -> None:
    session = lab.session()
    ask(session, BOXES)
    lab.time.time += 61
    del lab.store.boxes["b1"]
    assert [row[0] for row in ask(session, BOXES)] == ["b0", "b2", "b3", "b4"]
    assert [row[0] for row in ask(session, BOXES)] == ["b0", "b2", "b3", "b4"]


def test_a_list_that_was_not_read_to_its_end_is_read_anew(lab: Lab) -> None:
    session = lab.session()
    lab.server.misbehave(Status(400, body={"code": "bad", "message": "no"}), path="/boxes", nth=3)
    with pytest.raises(BackendError):
        ask(session, BOXES)
    del lab.store.boxes["b0"]
    assert [row[0] for row in ask(session, BOXES)] == ["b1", "b2", "b3", "b4"]


def test_the_first_rows_of_a_list_are_kept_too(lab: Lab) -> None:
    session = lab.session()
    assert len(lab.asked(session, f"{BOXES} LIMIT 2")) == 1
    assert lab.asked(session, f"{BOXES} LIMIT 2") == []


def test_two_tokens_never_see_each_other(lab: Lab) -> None:
    ann, bob, ann_again = lab.session(token="ann-1"), lab.session(token="bob-1"), lab.session(token="ann-1")
    assert ask(ann, NOTES) == [("Bearer ann-1",)]
    assert ask(bob, NOTES) == [("Bearer bob-1",)]
    assert ask(lab.session(token="ann-2"), NOTES) == [("Bearer ann-2",)]
    assert ask(lab.session(), NOTES) == [("nobody",)]
    assert lab.asked(ann_again, NOTES) == []
    assert ask(ann_again, NOTES) == [("Bearer ann-1",)]


def test_what_is_secret_is_not_in_the_file(lab: Lab) -> None:
    lab.store.headers["X-Seen"] = "ann-token-1"
    session = lab.session(token="ann-token-1")
    assert len(lab.asked(session, "SELECT * FROM p.s.vaults") * 2) == 2
    assert lab.asked(session, "SELECT name FROM p.s.vaults") == ["GET /vaults"]
    ask(session, BOXES)
    session.close()
    held = b"".join(path.read_bytes() for path in lab.pages.iterdir())
    assert b"L3" in held
    assert b"ann-token-1" not in held
    assert b"s3cr3t" not in held


def test_the_file_is_for_its_user_alone(lab: Lab) -> None:
    ask(lab.session(), NOTES)
    assert lab.pages.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in lab.pages.iterdir()} == {0o600}


def test_an_answer_that_must_not_be_stored_is_not(lab: Lab) -> None:
    lab.store.headers["Cache-Control"] = "private, no-store"
    session = lab.session()
    assert len(lab.asked(session, NOTES) + lab.asked(session, NOTES)) == 2


def test_an_error_is_not_kept(lab: Lab) -> None:
    session = lab.session()
    lab.server.misbehave(Status(400, body={"code": "bad", "message": "no"}))
    with pytest.raises(BackendError):
        ask(session, NOTES)
    assert ask(session, NOTES) == [("nobody",)]
    assert ask(session, "SELECT label FROM p.s.boxes WHERE shelf = 'a' AND id = 'zz'") == []
    lab.store.boxes["zz"] = {"shelf": "a", "id": "zz", "label": "late", "state": "OPEN"}
    assert ask(session, "SELECT label FROM p.s.boxes WHERE shelf = 'a' AND id = 'zz'") == [("late",)]


WRITES = [
    pytest.param("INSERT INTO p.s.boxes (shelf, id, label) VALUES ('a', 'n', 'x')", id="INSERT"),
    pytest.param("UPDATE p.s.boxes SET label = 'x' WHERE shelf = 'a' AND id = 'b1'", id="UPDATE"),
    pytest.param("DELETE FROM p.s.boxes WHERE shelf = 'a' AND id = 'b1'", id="DELETE"),
    pytest.param("EXEC p.s.boxes.patch @shelf='a', @id='b1', @label='x'", id="EXEC"),
    pytest.param(
        "BEGIN; UPDATE p.s.boxes SET label = 'x' WHERE shelf = 'a' AND id = 'b1'; COMMIT", id="COMMIT"
    ),
]


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("cache", ["60s", 0], ids=["cached", "uncached"])
def test_a_write_drops_the_pages_of_its_resource_its_parents_and_what_lies_beside_it(
    lab: Lab, write: str, cache: str | int
) -> None:
    reader, writer = lab.session(), lab.session(cache=cache)
    shelves, labels = "SELECT boxes FROM p.s.shelves", "SELECT label FROM p.s.labels WHERE shelf = 'a'"
    for sql in (BOXES, BOX, shelves, labels, NOTES):
        ask(reader, sql)
    ask(writer, write)
    for sql in (BOXES, BOX, shelves, labels):
        assert lab.asked(reader, sql) != [], sql
    assert lab.asked(reader, NOTES) == []


def test_a_write_to_the_parent_drops_its_children(lab: Lab) -> None:
    session = lab.session()
    ask(session, f"{BOXES}; {NOTES}; EXEC p.s.shelves.tidy @shelf='a'")
    assert lab.asked(session, BOXES) != []
    assert lab.asked(session, NOTES) == []


def test_a_write_by_another_connection_to_the_same_address_counts(lab: Lab) -> None:
    reader, writer = lab.session(), lab.session(token="x")
    ask(reader, BOX)
    ask(writer, "UPDATE p.s.boxes SET label = 'x' WHERE shelf = 'a' AND id = 'b1'")
    assert ask(reader, BOX) == [("x",)]


def test_a_write_whose_answer_is_lost_drops_pages(lab: Lab) -> None:
    session = lab.session()
    ask(session, BOXES)
    lab.server.misbehave(Acted(Reset()), times=9, when=lambda seen: seen.method == "POST")
    with pytest.raises(TransportError):
        ask(session, "EXEC p.s.boxes.create @shelf='a', @id='n', @label='x'")
    assert ("n", "x") in ask(session, BOXES)


def test_what_is_to_be_written_is_read_anew(lab: Lab) -> None:
    session = lab.session()
    ask(session, BOX)
    lab.store.boxes["b1"]["label"] = "theirs"
    ask(session, "UPDATE p.s.boxes SET state = 'MINE' WHERE shelf = 'a' AND label = 'L1'")
    assert lab.store.boxes["b1"]["state"] == "OPEN"
    ask(session, "UPDATE p.s.boxes SET state = label || '!' WHERE shelf = 'a' AND id = 'b1'")
    assert lab.store.boxes["b1"]["state"] == "theirs!"


def test_a_read_under_way_while_something_is_written_is_not_kept(lab: Lab) -> None:
    session, writer = lab.session(), lab.session()
    ask(writer, NOTES)
    wrote, release = threading.Event(), threading.Event()

    class Between:
        """The server answers the read before the write, and the answer arrives after it."""

        def __enter__(self) -> None: ...

        def __exit__(self, *details: object) -> None:
            wrote.set()
            release.wait(10)

    lab.server.misbehave(Within(Between), path="/boxes/b1")
    reading = threading.Thread(target=ask, args=(session, BOX))
    reading.start()
    assert wrote.wait(10)
    ask(writer, "EXEC p.s.boxes.patch @shelf='a', @id='b1', @label='x'")
    release.set()
    reading.join(10)
    assert ask(writer, BOX) == [("x",)]


def test_an_old_page_is_asked_for_by_its_etag(lab: Lab) -> None:
    lab.store.etags = True
    session = lab.session()
    ask(session, BOX)
    lab.time.time += 61
    assert (ask(session, BOX), statuses(session)) == ([("L1",)], [304])
    assert "if-none-match" in lab.server.requests[-1].headers
    assert lab.asked(session, BOX) == []
    lab.time.time += 61
    lab.store.boxes["b1"]["label"] = "new"
    assert (ask(session, BOX), statuses(session)) == ([("new",)], [200])


def test_a_list_is_asked_for_page_by_page_by_its_etags(lab: Lab) -> None:
    lab.store.etags = True
    session = lab.session()
    ask(session, BOXES)
    lab.time.time += 61
    lab.store.boxes["b4"]["label"] = "new"
    assert ask(session, BOXES)[-1] == ("b4", "new")
    assert statuses(session) == [304, 304, 200]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        pytest.param(Status(429), RateLimitedError, id="429"),
        pytest.param(Reset(), TransportError, id="reset"),
        pytest.param(Stall(), TransportError, id="stall"),
        pytest.param(Status(503), BackendError, id="503"),
    ],
)
def test_an_old_page_is_shown_where_the_api_is_down_and_the_user_allows_it(
    lab: Lab, fault: Any, kind: type[Error]
) -> None:
    session = lab.session(stale="10m", timeout=0.2)
    ask(session, NOTES)
    lab.time.time += 300
    lab.server.misbehave(fault, times=99)
    rows, result = results(session, "SELECT text, cached_at FROM p.s.notes")
    assert rows == [("nobody", "2023-11-14 22:13:20.000")]
    (warning,) = result.warnings
    assert "p.s.notes: rows that were kept are shown, because" in str(warning)
    lab.time.time += 400
    with pytest.raises(kind):
        ask(session, NOTES)


def test_an_old_page_is_not_shown_unless_the_user_allows_it(lab: Lab) -> None:
    session = lab.session()
    ask(session, NOTES)
    lab.time.time += 61
    lab.server.misbehave(Status(429), times=99)
    with pytest.raises(RateLimitedError):
        ask(session, NOTES)


@pytest.mark.parametrize("status", [401, 403, 400, 404, 500])
def test_an_old_page_does_not_hide_what_the_api_says(lab: Lab, status: int) -> None:
    session = lab.session(stale="10m")
    ask(session, NOTES)
    lab.time.time += 61
    lab.server.misbehave(Status(status, body={"code": "bad", "message": "no"}), times=99)
    with pytest.raises(Error):
        ask(session, NOTES)


def test_pages_can_be_kept_for_bad_times_only(lab: Lab) -> None:
    session = lab.session(cache=0, stale="10m")
    assert len(lab.asked(session, NOTES) + lab.asked(session, NOTES)) == 2
    lab.server.misbehave(Status(429), times=99)
    assert ask(session, NOTES) == [("nobody",)]


def test_a_dropped_page_is_not_shown_even_where_the_api_is_down(lab: Lab) -> None:
    session = lab.session(stale="10m")
    ask(session, f"{BOX}; UPDATE p.s.boxes SET label = 'x' WHERE shelf = 'a' AND id = 'b1'")
    lab.server.misbehave(Status(429), times=99)
    with pytest.raises(RateLimitedError):
        ask(session, BOX)


def test_a_finished_object_is_kept_longer_and_a_list_of_them_is_not(lab: Lab) -> None:
    session = lab.session()
    lab.store.boxes["b1"]["state"] = "DONE"
    open_box = BOX.replace("b1", "b2")
    ask(session, f"{BOX}; {open_box}; {BOXES}")
    lab.time.time += 23 * 3600
    assert lab.asked(session, BOX) == []
    assert len(lab.asked(session, open_box)) == 1
    assert len(lab.asked(session, BOXES)) == 3
    lab.time.time += 2 * 3600
    assert len(lab.asked(session, BOX)) == 1


def test_cached_at_says_when_a_row_was_asked_for(lab: Lab) -> None:
    session = lab.session()
    sql = "SELECT label, cached_at FROM p.s.boxes WHERE shelf = 'a' AND id = 'b1'"
    assert ask(session, sql) == [("L1", None)]
    lab.time.time += 7
    assert ask(session, sql) == [("L1", "2023-11-14 22:13:20.000")]
    assert ask(session, f"{sql} AND cached_at IS NULL") == []
    assert "cached_at" not in [
        column.name for column in results(session, "SELECT * FROM p.s.notes")[1].columns or ()
    ]


def test_the_table_shows_what_is_kept(lab: Lab) -> None:
    session = lab.session()
    ask(session, f"{NOTES}; {BOX}")
    lab.time.time += 7
    sql = "SELECT connection, resource, method, url, cached_at, age, rows FROM sqlprovider.cache ORDER BY url"
    assert ask(session, sql) == [
        ("p", "p.s.notes", "list", f"{lab.server.base_url}/notes", "2023-11-14 22:13:20.000", 7.0, 1),
        (
            "p",
            "p.s.boxes",
            "get",
            f"{lab.server.base_url}/shelves/a/boxes/b1",
            "2023-11-14 22:13:20.000",
            7.0,
            1,
        ),
    ]
    ask(session, "UPDATE p.s.boxes SET label = 'x' WHERE shelf = 'a' AND id = 'b1'")
    assert ask(session, "SELECT method FROM sqlprovider.cache") == [("list",)]


def test_explain_says_what_is_kept_and_analyze_what_was_shown(lab: Lab) -> None:
    session = lab.session()

    def explained(sql: str) -> list[dict[str, Any]]:
        rows, result = results(session, sql)
        return [dict(zip([column.name for column in result.columns or ()], row, strict=True)) for row in rows]

    (first,) = explained(f"EXPLAIN ANALYZE {BOXES}")
    lab.time.time += 12
    (plan,) = explained(f"EXPLAIN {BOXES}")
    (second,) = explained(f"EXPLAIN ANALYZE {BOXES}")
    assert plan["note"].endswith("3 pages in the cache, up to 12 s old")
    assert second["note"].endswith("3 pages from the cache")
    assert [first[name] for name in ("sent", "used", "wasted")] == [3, 3, 0]
    assert [second[name] for name in ("sent", "used", "wasted")] == [0, 0, 0]
    assert len(lab.server.requests) == 3


@pytest.mark.parametrize("where", [0, 100, 4096, 5000], ids=lambda place: f"at {place}")
def test_a_damaged_file_is_no_cache_and_one_warning(lab: Lab, where: int) -> None:
    ask(lab.session(), f"{NOTES}; {BOXES}")
    lab.close()
    content = bytearray(lab.file.read_bytes())
    content[where : where + 400] = b"\xff" * 400
    lab.file.write_bytes(content)
    session = lab.session()
    warnings = []
    for sql in (NOTES, BOXES, NOTES, BOXES):
        _, result = results(session, sql)
        warnings += [str(warning) for warning in result.warnings]
    assert ask(session, BOXES) == [(f"b{n}", f"L{n}") for n in range(5)]
    assert len(warnings) <= 1
    assert all("the cache cannot be used" in warning for warning in warnings)
    ask(session, "UPDATE p.s.boxes SET label = 'x' WHERE shelf = 'a' AND id = 'b1'")
    fresh = lab.session()
    assert ask(fresh, BOX) == [("x",)]


def test_a_folder_that_cannot_be_written_is_no_cache_and_one_warning(lab: Lab) -> None:
    lab.pages.write_text("a file, not a folder")
    session = lab.session()
    (_, first), (_, second) = results(session, NOTES), results(session, NOTES)
    assert [str(warning).partition(":")[0] for warning in first.warnings] == [
        "the cache cannot be used, pages are not kept"
    ]
    assert (second.warnings, len(lab.server.requests)) == ([], 2)


def test_a_file_that_is_removed_meanwhile_is_made_again(lab: Lab) -> None:
    session = lab.session()
    ask(session, NOTES)
    for path in lab.pages.iterdir():
        path.unlink()
    assert lab.asked(session, NOTES) == ["GET /notes"]
    assert lab.asked(session, NOTES) == []


def test_ctrl_c_leaves_a_cache_that_works(lab: Lab) -> None:
    session = lab.session()
    lab.server.misbehave(Stall(), path="/boxes", nth=2)
    main = threading.main_thread().ident or 0
    timer = threading.Timer(0.2, lambda: signal.pthread_kill(main, signal.SIGINT))
    timer.start()
    with pytest.raises((KeyboardInterrupt, Error)):
        ask(session, BOXES)
    assert [row[0] for row in ask(session, BOXES)] == [f"b{n}" for n in range(5)]
    assert lab.asked(session, BOXES) == []


@pytest.mark.parametrize("name", ["cache", "stale"])
def test_a_time_that_is_none_is_refused(lab: Lab, name: str) -> None:
    with pytest.raises(ProgrammingError, match=f"{name} must be a duration"):
        ask(lab.session(), f"SET {name} = 'soon'")
    with pytest.raises(ConfigError, match=f"connections.p.{name} must be a duration"):
        lab.session({name: "soon"})


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("{column: stat, values: [DONE], keep: 24h}", "no column 'stat'; did you mean state?"),
        (
            "{column: state, values: [DONE], keep: soon}",
            "a time is a number and its unit: 90s, 30m, 24h or 7d",
        ),
        (
            "{column: state, values: [DONE], keep: 3600}",
            "a time is a number and its unit: 90s, 30m, 24h or 7d",
        ),
    ],
)
def test_a_wrong_word_on_what_is_finished_is_told(tmp_path: Path, word: str, message: str) -> None:
    write_documents(tmp_path, SERVICE.replace("{column: state, values: [DONE], keep: 24h}", word))
    (problem,) = check_document(tmp_path / "lab")
    assert message in problem.message


def test_lists_are_never_kept_longer(tmp_path: Path) -> None:
    word = "    finished: {column: text, values: [x], keep: 24h}\n"
    write_documents(tmp_path, SERVICE.replace("  notes:\n", f"  notes:\n{word}"))
    (problem,) = check_document(tmp_path / "lab")
    assert "no SELECT answers with one object" in problem.message


@pytest.mark.slow
def test_processes_share_pages_and_drop_each_others(lab: Lab) -> None:
    assert in_another_process(lab, BOX) == "L1\n"
    assert in_another_process(lab, BOX) == "L1\n"
    assert len(lab.server.requests) == 1
    in_another_process(lab, "UPDATE p.s.boxes SET label = 'x' WHERE shelf = 'a' AND id = 'b1'")
    assert in_another_process(lab, BOX) == "x\n"
