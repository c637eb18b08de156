"""The journal of one process: what is on the disk when, and what reading makes of it."""

from __future__ import annotations

import json
import os
import re
import threading
from pathlib import Path

import apsw
import pytest

from sqlprovider.errors import Warning
from sqlprovider.execute import journal as module
from sqlprovider.execute.journal import Journal, JournalRow
from sqlprovider.execute.journal_file import MAX_BYTES, JournalFile, Place
from tests.execute.journals import AT, COLUMNS, TEXT, in_threads, make, row, sequences, statement


def lines(folder: Path, name: str = "journal.jsonl") -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / name).read_text("utf-8").splitlines()]


def test_a_row_is_there_before_its_request_and_after_its_answer(tmp_path: Path) -> None:
    journal, writes = make(tmp_path)
    writes.sending([row(1, method="create", key="id=1"), row(2)])
    assert [found["phase"] for found in journal.read()] == ["sending", "sending"]
    writes.answered([row(1, "failed", http_status=400, code="bad", message="no", request_id="q")])
    *_, last = journal.read()
    assert last == {
        "at": "2026-01-02 03:04:05.678",
        "statement_id": writes.id,
        "statement": TEXT,
        "phase": "answered",
        "sequence": 1,
        "resource": "a.b.c",
        "method": None,
        "key": None,
        "state": "failed",
        "http_status": 400,
        "code": "bad",
        "message": "no",
        "request_id": "q",
        "input_row": None,
    }
    assert tuple(last)[4:] == COLUMNS
    assert re.fullmatch("[0-9a-f]{32}", writes.id)


def test_a_line_is_a_request_and_its_rows_are_compact(tmp_path: Path) -> None:
    _, writes = make(tmp_path)
    writes.sending([row(1), row(2, key="id=2")])
    writes.answered([row(1, "accepted")])
    sent, answered = lines(tmp_path)
    assert sent == {
        "at": "2026-01-02 03:04:05.678",
        "statement_id": writes.id,
        "statement": TEXT,
        "phase": "sending",
        "pid": os.getpid(),
        "rows": [{"sequence": 1, "resource": "a.b.c"}, {"sequence": 2, "resource": "a.b.c", "key": "id=2"}],
    }
    assert "statement" not in answered


@pytest.mark.parametrize(
    ("enabled", "rows"), [pytest.param(False, [row()], id="off"), pytest.param(True, [], id="no rows")]
)
def test_nothing_is_written(tmp_path: Path, enabled: bool, rows: list[JournalRow]) -> None:
    journal, writes = make(tmp_path / "state", enabled=enabled)
    writes.sending(rows)
    writes.answered(rows)
    assert list(journal.read()) == []
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("masked", "bodies", "kept"),
    [
        pytest.param(False, False, {"message": "m"}, id="bodies are not kept"),
        pytest.param(False, True, {"message": "m", "input_row": '{"k":"v"}'}, id="bodies are asked for"),
        pytest.param(True, True, {}, id="what may hold a secret is not kept even then"),
        pytest.param(True, False, {}, id="a secret is written"),
    ],
)
def test_what_is_kept_of_a_row(tmp_path: Path, masked: bool, bodies: bool, kept: dict[str, str]) -> None:
    journal, writes = make(tmp_path, masked=masked, bodies=bodies)
    writes.answered([row(1, message="m", input_row='{"k":"v"}')])
    (found,) = journal.read()
    assert {name: found[name] for name in ("message", "input_row") if found[name] is not None} == kept


def test_a_masked_statement_has_no_value_in_the_file(tmp_path: Path) -> None:
    journal = Journal(tmp_path, environ={}, now=lambda: AT)
    texts = (
        "UPDATE a.b.c SET token = 'hunter2' WHERE id = :id -- hunter2",
        "EXEC a.b.c.m @token='it''s hunter2'",
    )
    for text in (*texts, "INSERT 'hunter2"):
        statement(journal, text, masked=True).sending([row()])
    assert "hunter2" not in (tmp_path / "journal.jsonl").read_text()
    assert [found["statement"] for found in journal.read()] == [
        "UPDATE a.b.c SET token = '***' WHERE id = :id",
        "EXEC a.b.c.m @token='***'",
        "'***'",
    ]


def test_a_long_statement_is_cut_with_a_mark_and_written_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path, environ={}, now=lambda: AT)
    long = statement(journal, "x" * 20_000)
    for _ in range(3):
        long.sending([row()])
    assert {found["statement"] for found in journal.read()} == {"x" * 10_000 + " …"}
    assert (tmp_path / "journal.jsonl").stat().st_size < 11_000
    masked = statement(journal, f"SELECT '{'x' * 9_990}', 'hunter2'", masked=True)
    masked.sending([row()])
    assert [*journal.read()][-1]["statement"] == "SELECT '***', '***'"


def test_any_text_comes_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path, environ={}, now=lambda: AT)
    text = "a\n\"b\" 'ä' 🙂 \u2028 \x00 \x85 \\ \ud800"
    statement(journal, text).answered([row(1, message=text)])
    (found,) = journal.read()
    assert found["statement"] == found["message"] == text.replace("\ud800", "?")


def test_files_and_folder_are_the_users_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "state"
    before = os.umask(0)
    try:
        _, writes = make(folder)
        writes.sending([row()])
    finally:
        os.umask(before)
    path = folder / "journal.jsonl"
    assert (folder.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)
    path.chmod(0o644)
    writes.answered([row()])
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o750)
    before = (tmp_path / "state").stat().st_mode
    make(tmp_path / "state")[1].sending([row()])
    assert (tmp_path / "state").stat().st_mode == before


def test_the_journal_is_rotated_between_lines(tmp_path: Path) -> None:
    journal, writes = make(tmp_path, bodies=True)
    for number in range(1, 51):
        writes.sending([row(number, input_row="x" * 500_000)])
    old, new = lines(tmp_path, "journal.1.jsonl"), lines(tmp_path)
    assert all((tmp_path / name).stat().st_size <= MAX_BYTES for name in ("journal.jsonl", "journal.1.jsonl"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["journal.1.jsonl", "journal.jsonl"]
    assert len(old) == 19
    assert sequences(journal) == list(range(51 - len(old) - len(new), 51))
    assert {found["statement"] for found in journal.read()} == {TEXT}
    assert ["statement" in line for line in (*old[:2], *new[:2])] == [True, False, True, False]


def test_a_line_beyond_the_bound_is_written_whole(tmp_path: Path) -> None:
    file = JournalFile(tmp_path, max_bytes=100)
    for size in (10, 300, 300, 20):
        file.append(lambda place, size=size: b"x" * size + b"\n")  # type: ignore[misc]  # a default binds it
    assert [len(line) for line in file.lines()] == [301, 21]


def test_a_torn_line_is_skipped_and_spoils_no_other(tmp_path: Path) -> None:
    journal, writes = make(tmp_path)
    writes.sending([row(1)])
    path = tmp_path / "journal.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:-20])
    assert sequences(journal) == [1]
    statement(journal).sending([row(2)])
    assert sequences(journal) == [1, 2]
    assert {found["statement"] for found in journal.read()} == {TEXT}


def test_a_line_that_lacks_only_its_end_is_read(tmp_path: Path) -> None:
    journal, writes = make(tmp_path)
    writes.sending([row(1)])
    path = tmp_path / "journal.jsonl"
    path.write_bytes(path.read_bytes().rstrip())
    writes.answered([row(1)])
    assert [found["phase"] for found in journal.read()] == ["sending", "answered"]


LINE = '{"at": "2026-01-02 03:04:05.678", "statement_id": "i", "phase": "sending", "rows": %s}'


@pytest.mark.parametrize(
    ("line", "count"),
    [
        pytest.param(b"\n", 0, id="empty"),
        pytest.param(b"\xff\xfe{}", 0, id="not UTF-8"),
        pytest.param(b"hello", 0, id="not JSON"),
        pytest.param(b"[1]", 0, id="a list"),
        pytest.param(b'{"at": 1}', 0, id="another object"),
        pytest.param(b"[" * 100_000, 0, id="deep"),
        pytest.param(b"1" * 10_000, 0, id="a long number"),
        pytest.param(LINE.replace("sending", "other").encode() % b'[{"sequence": 1}]', 0, id="another phase"),
        pytest.param(LINE.encode() % b'"rows"', 0, id="rows that are a text"),
        pytest.param(LINE.encode() % b"[1, null, []]", 0, id="rows that are none"),
        pytest.param(LINE.encode() % b"[{}]", 1, id="a row of nothing"),
        pytest.param(LINE.encode() % b'[{"sequence": 1e999, "http_status": NaN}]', 1, id="no numbers"),
        pytest.param(LINE.encode() % b'[{"sequence": 9223372036854775808, "key": {}}]', 1, id="too large"),
        pytest.param(LINE.encode() % b'[{"key": "\\ud800"}]', 1, id="half a character"),
    ],
)
def test_a_foreign_line_never_fails_a_statement(tmp_path: Path, line: bytes, count: int) -> None:
    journal, writes = make(tmp_path)
    (tmp_path / "journal.1.jsonl").write_bytes(line + b"\n")
    writes.sending([row(7)])
    found = list(journal.read())
    assert len(found) == count + 1
    assert found[-1]["sequence"] == 7
    connection = apsw.Connection(":memory:")
    marks = ",".join("?" * len(found[0]))
    for one in found:
        assert connection.execute(f"SELECT {marks}", tuple(one.values())).fetchall()


def test_lines_that_come_while_they_are_read_are_for_the_next_reader(tmp_path: Path) -> None:
    journal, writes = make(tmp_path)
    writes.sending([row(1)])
    writes.sending([row(2)])
    for found in (reader := journal.read()):
        writes.answered([row(int(str(found["sequence"])))])
    assert list(reader) == []
    assert sequences(journal) == [1, 2, 1, 2]


def test_a_file_that_is_rotated_while_it_is_opened_is_read_once(tmp_path: Path) -> None:
    journal, writes = make(tmp_path)
    writes.sending([row(1)])
    (tmp_path / "journal.1.jsonl").hardlink_to(tmp_path / "journal.jsonl")
    assert sequences(journal) == [1]


def test_threads_write_whole_lines_and_each_finds_its_own_when_it_is_told_so(tmp_path: Path) -> None:
    journal, writes = make(tmp_path)
    missing: list[int] = []

    def task(thread: int) -> None:
        for number in range(thread * 100, thread * 100 + 20):
            writes.sending([row(number)])
            if f'"sequence":{number},' not in (tmp_path / "journal.jsonl").read_text():
                missing.append(number)

    in_threads(16, task)
    assert missing == []
    numbers = [thread * 100 + number for thread in range(16) for number in range(20)]
    assert sorted(int(str(number)) for number in sequences(journal)) == numbers
    assert sum("statement" in line for line in lines(tmp_path)) == 1


def test_lines_that_wait_are_written_together(tmp_path: Path) -> None:
    file = JournalFile(tmp_path)
    is_under_way, go_on, sizes = threading.Event(), threading.Event(), list[int]()

    def first(place: Place) -> bytes:
        is_under_way.set()
        go_on.wait()
        return b"first\n"

    def waiting(place: Place) -> bytes:
        sizes.append((tmp_path / "journal.jsonl").stat().st_size)
        return b"next\n"

    leader = threading.Thread(target=file.append, args=(first,))
    leader.start()
    is_under_way.wait()
    others = [threading.Thread(target=file.append, args=(waiting,)) for _ in range(8)]
    for thread in others:
        thread.start()
    while len(file._group.lines) < 8:
        threading.Event().wait(0.001)
    go_on.set()
    for thread in (leader, *others):
        thread.join()
    assert list(file.lines()) == [b"first\n", *[b"next\n"] * 8]
    assert sizes == [len(b"first\n")] * 8


def test_where_it_cannot_be_kept_there_is_one_warning_and_writes_go_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    journal, writes = make(tmp_path / "file" / "state")
    writes.sending([row()])  # Nobody listens yet.
    told: list[Warning] = []
    journal.on_warning = told.append
    in_threads(8, lambda number: writes.sending([row(number)]))
    statement(journal).answered([row()])
    assert list(journal.read()) == []
    ((warning, *others),) = [told]
    assert (warning.reason, others) == ("journal", [])
    assert "writes go on without it: Not a directory" in warning.message
    assert "SET journal = false" in str(warning.hint)


@pytest.mark.parametrize("kind", ["a folder", "a pipe"])
def test_what_is_no_file_is_not_written(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "journal.jsonl"
    path.mkdir() if kind == "a folder" else os.mkfifo(path)
    before = path.stat().st_mode
    journal, writes = make(tmp_path)
    told: list[Warning] = []
    journal.on_warning = told.append
    writes.sending([row()])
    assert list(journal.read()) == []
    assert [warning.reason for warning in told] == ["journal"]
    assert path.stat().st_mode == before


def test_a_journal_that_cannot_be_read_is_empty_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / "journal.1.jsonl").mkdir()
    journal, _ = make(tmp_path)
    told: list[Warning] = []
    journal.on_warning = told.append
    assert list(journal.read()) == []
    assert "cannot be read" in told[0].message


def test_a_journal_that_the_user_empties_has_the_statement_again(tmp_path: Path) -> None:
    journal, writes = make(tmp_path)
    writes.sending([row(1)])
    os.truncate(tmp_path / "journal.jsonl", 0)
    writes.answered([row(1)])
    assert [found["statement"] for found in journal.read()] == [TEXT]


def test_the_columns_are_those_of_the_last_write() -> None:
    assert module._COLUMNS == COLUMNS


def test_the_folder_is_the_one_that_the_sessions_environment_names(tmp_path: Path) -> None:
    journal = Journal(environ={"SQLPROVIDER_STATE_DIR": str(tmp_path)}, now=lambda: AT)
    statement(journal).sending([row()])
    assert [line["statement"] for line in lines(tmp_path)] == [TEXT]
    told: list[Warning] = []
    journal = Journal(environ={"SQLPROVIDER_STATE_DIR": "~nosuchuser/state"}, now=lambda: AT)
    journal.on_warning = told.append
    statement(journal).sending([row()])
    assert [warning.message.rpartition(": ")[2] for warning in told] == ["there is no home folder"]
