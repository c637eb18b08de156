"""The journal, with real files and processes: what is on the disk when, and what reading makes of it."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw
import pytest

from sqlprovider.errors import Warning
from sqlprovider.execute import journal as module
from sqlprovider.execute.journal import Journal, JournalRow, StatementJournal
from sqlprovider.execute.journal_file import MAX_BYTES, JournalFile, Place
from sqlprovider.values import SQLValue

AT = 1767323045.678
TEXT = "INSERT INTO a.b.c (k) VALUES ('v')"
ROOT = Path(__file__).parents[2]
SCRIPT = """
import resource, signal, sys, threading, time
from pathlib import Path
from sqlprovider.execute.journal import Journal, JournalRow
from sqlprovider.execute.journal_file import JournalFile

def row(number, state=None, note=None):
    return JournalRow(number, "a.b.c", "create", f"id={number}", state, None, None, None, None, note)

def say(*words):
    print(*words, flush=True)

folder = Path(sys.argv[1])
journal = Journal(folder, environ={}, now=time.time)
journal.on_warning = lambda warning: say(warning.reason, warning)
"""


COLUMNS = (
    *("sequence", "resource", "method", "key", "state", "http_status", "code"),
    *("message", "request_id", "input_row"),
)


def row(number: int = 1, state: str | None = None, **more: str | int) -> JournalRow:
    cells: dict[str, str | int | None] = dict.fromkeys(COLUMNS)
    return JournalRow(**(cells | {"sequence": number, "resource": "a.b.c", "state": state} | more))  # type: ignore[arg-type]  # a cell has its column's type


def make(
    folder: Path, *, masked: bool = False, bodies: bool = False, enabled: bool = True
) -> tuple[Journal, StatementJournal]:
    journal = Journal(folder, environ={}, now=lambda: AT)
    return journal, statement(journal, masked=masked, bodies=bodies, enabled=enabled)


def statement(
    journal: Journal, text: str = TEXT, *, masked: bool = False, bodies: bool = False, enabled: bool = True
) -> StatementJournal:
    return journal.statement(text, masked=masked, bodies=bodies, enabled=enabled)


def lines(folder: Path, name: str = "journal.jsonl") -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / name).read_text("utf-8").splitlines()]


def sequences(journal: Journal) -> list[SQLValue]:
    return [found["sequence"] for found in journal.read()]


@contextmanager
def process(code: str, folder: Path, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """A Python of its own that has run SCRIPT; killed when the block ends."""
    command = [sys.executable, "-c", SCRIPT + code, str(folder)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environ},
    ) as started:
        yield started
        started.kill()


def output(code: str, folder: Path, **environ: str) -> str:
    with process(code, folder, **environ) as started:
        printed, _ = started.communicate(timeout=60)
        assert started.returncode == 0
        return printed


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


def in_threads(count: int, task: Callable[[int], None]) -> None:
    start = threading.Barrier(count)

    def run(number: int) -> None:
        start.wait()
        task(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


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


WRITER = """
file = JournalFile(folder, max_bytes=int(sys.stdin.readline()))
name, count = sys.stdin.readline().split()
say("ready")
sys.stdin.readline()
for number in range(int(count)):
    file.append(lambda place: f"{name} {number} {'x' * (number * 37 % 400)}\\n".encode())
"""


def race(folder: Path, *, max_bytes: int, count: int) -> list[list[str]]:
    """Three processes write at once; the words of all lines of both files."""
    with (
        process(WRITER, folder) as a,
        process(WRITER, folder) as b,
        process(WRITER, folder) as c,
    ):
        running = {"a": a, "b": b, "c": c}
        for name, one in running.items():
            assert one.stdin is not None and one.stdout is not None
            print(max_bytes, f"{name} {count}", sep="\n", file=one.stdin, flush=True)
            assert one.stdout.readline() == "ready\n"
        for one in running.values():
            print(file=one.stdin, flush=True)
        assert [one.wait(60) for one in running.values()] == [0, 0, 0]
    return [line.decode().split() for line in JournalFile(folder).lines()]


@pytest.mark.parametrize(
    "max_bytes", [pytest.param(10_000_000, id="one file"), pytest.param(120_000, id="two")]
)
def test_processes_lose_and_mix_no_line(tmp_path: Path, max_bytes: int) -> None:
    found = race(tmp_path, max_bytes=max_bytes, count=300)
    assert (tmp_path / "journal.1.jsonl").exists() == (max_bytes == 120_000)
    for name in "abc":
        mine = [words for words in found if words[0] == name]
        assert [int(words[1]) for words in mine] == list(range(300))
        assert all(len("".join(words[2:])) == int(words[1]) * 37 % 400 for words in mine)


def test_processes_that_rotate_often_keep_the_last_lines_whole(tmp_path: Path) -> None:
    found = race(tmp_path, max_bytes=5_000, count=300)
    assert all((tmp_path / name).stat().st_size <= 5_000 for name in ("journal.jsonl", "journal.1.jsonl"))
    assert len(found) > 20
    for name in "abc":
        numbers = [int(words[1]) for words in found if words[0] == name]
        assert numbers == list(range(300 - len(numbers), 300))
    assert max(int(words[1]) for words in found) == 299


def test_a_process_that_stands_still_in_a_write_stops_no_other(tmp_path: Path) -> None:
    code = """
import fcntl
held = open(folder / "journal.jsonl", "a")
fcntl.flock(held, fcntl.LOCK_EX)
say("locked")
sys.stdin.readline()
"""
    with process(code, tmp_path) as other:
        assert other.stdout is not None and other.stdout.readline() == "locked\n"
        file = JournalFile(tmp_path, max_bytes=5, patience=0.01)
        for text in (b"one\n", b"two\n"):
            file.append(lambda place, text=text: text)  # type: ignore[misc]  # a default binds it
        assert list(file.lines()) == [b"one\n", b"two\n"]
        assert not (tmp_path / "journal.1.jsonl").exists()


def test_without_locks_lines_are_written_and_rotated(tmp_path: Path) -> None:
    code = """
file = JournalFile(folder, max_bytes=50)
for number in range(10):
    file.append(lambda place: f"{number} {'x' * 20}\\n".encode())
print([int(line.split()[0]) for line in file.lines()])
"""
    command = "import sys; sys.modules['fcntl'] = None\n" + SCRIPT.replace("import resource, ", "import ")
    ended = subprocess.run(
        [sys.executable, "-c", command + code, str(tmp_path)], capture_output=True, text=True, cwd=ROOT
    )
    assert (ended.stdout, ended.stderr) == ("[6, 7, 8, 9]\n", "")


def test_a_killed_process_leaves_what_was_in_the_air(tmp_path: Path) -> None:
    code = """
writes = journal.statement("INSERT", masked=False, bodies=False, enabled=True)
writes.sending([row(1), row(2)])
writes.answered([row(1, "accepted"), row(2, "accepted")])
writes.sending([row(3), row(4)])
say("sent")
sys.stdin.readline()
"""
    with process(code, tmp_path) as running:
        assert running.stdout is not None and running.stdout.readline() == "sent\n"
        running.send_signal(signal.SIGKILL)
        assert running.wait() == -signal.SIGKILL
    journal = Journal(tmp_path, environ={}, now=lambda: AT)
    phases = [(found["sequence"], found["phase"]) for found in journal.read()]
    assert phases == [
        *[(1, "sending"), (2, "sending"), (1, "answered"), (2, "answered")],
        *[(3, "sending"), (4, "sending")],
    ]


def test_whatever_was_about_to_be_sent_when_the_process_was_killed_is_there(tmp_path: Path) -> None:
    code = """
writes = journal.statement("INSERT", masked=False, bodies=True, enabled=True)
lock = threading.Lock()
def send(start):
    for number in range(start, 10**9, 4):
        writes.sending([row(number, note="x" * (number * 37 % 4000))])
        with lock:
            say(number)
for start in range(4):
    threading.Thread(target=send, args=(start,)).start()
"""
    for stop_after in (1, 50, 333):
        folder = tmp_path / str(stop_after)
        with process(code, folder) as running:
            assert running.stdout is not None
            told = [running.stdout.readline() for _ in range(stop_after)]
            running.kill()
            told += running.stdout.readlines()
        journal = Journal(folder, environ={}, now=lambda: AT)
        there = set(sequences(journal))
        assert {int(number) for number in told if number.endswith("\n")} <= there
        statement(journal).sending([row(10**9)])
        assert set(sequences(journal)) == there | {10**9}


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


@pytest.mark.parametrize("limit", [1000, 50])
def test_a_full_disk_spoils_nothing(tmp_path: Path, limit: int) -> None:
    code = f"""
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))
writes = journal.statement("INSERT", masked=False, bodies=False, enabled=True)
for number in range(20):
    writes.sending([row(number)])
    say(number)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
writes.sending([row(99)])
"""
    before, warning, after = output(code, tmp_path).partition("journal the journal cannot be kept")
    assert (bool(warning), "journal the journal" in after) == (True, False)
    journal = Journal(tmp_path, environ={}, now=lambda: AT)
    assert sequences(journal) == [*map(int, before.split()), 99]
    assert {found["statement"] for found in journal.read()} == {"INSERT"}


def test_a_journal_that_the_user_empties_has_the_statement_again(tmp_path: Path) -> None:
    journal, writes = make(tmp_path)
    writes.sending([row(1)])
    os.truncate(tmp_path / "journal.jsonl", 0)
    writes.answered([row(1)])
    assert [found["statement"] for found in journal.read()] == [TEXT]


def test_a_file_that_another_process_rotates_is_left_for_the_new_one(tmp_path: Path) -> None:
    file, path = JournalFile(tmp_path, patience=60), tmp_path / "journal.jsonl"
    file.append(lambda place: b"one\n")
    with path.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        writing = threading.Thread(target=file.append, args=(lambda place: b"two\n",))
        writing.start()
        while times_open(path) < 2:
            threading.Event().wait(0.001)
        path.rename(tmp_path / "journal.1.jsonl")
    writing.join()
    assert (path.read_bytes(), (tmp_path / "journal.1.jsonl").read_bytes()) == (b"two\n", b"one\n")


def times_open(path: Path) -> int:
    """How often this process has the file open now."""
    count = 0
    for descriptor in Path("/dev/fd").iterdir():
        with suppress(OSError):
            count += os.path.samestat(os.fstat(int(descriptor.name)), path.stat())
    return count


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        pytest.param({"SQLPROVIDER_STATE_DIR": "here"}, "here", id="as it is set"),
        pytest.param({"SQLPROVIDER_STATE_DIR": "~/here"}, "home/here", id="in the home folder"),
        pytest.param({"SQLPROVIDER_STATE_DIR": ""}, "state/sqlprovider", id="the user's own"),
    ],
)
def test_the_folder_is_the_users(tmp_path: Path, environ: dict[str, str], folder: str) -> None:
    code = """
import os
os.chdir(folder)
journal = Journal(environ=os.environ, now=time.time)
journal.statement("INSERT", masked=False, bodies=False, enabled=True).sending([row(1)])
"""
    more = {"HOME": str(tmp_path / "home"), "XDG_STATE_HOME": str(tmp_path / "state")}
    assert output(code, tmp_path, **(more | environ)) == ""
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.jsonl")] == [
        f"{folder}/journal.jsonl"
    ]


def test_without_a_home_nothing_is_kept_and_nothing_is_littered(tmp_path: Path) -> None:
    code = """
import os
os.chdir(folder)
journal = Journal(environ=os.environ, now=time.time)
journal.on_warning = say
journal.statement("INSERT", masked=False, bodies=False, enabled=True).sending([row(1)])
"""
    printed = output(code, tmp_path, SQLPROVIDER_STATE_DIR="~nosuchuser/state")
    assert "there is no home folder" in printed
    assert list(tmp_path.iterdir()) == []


def test_the_columns_are_those_of_the_last_write() -> None:
    assert module._COLUMNS == COLUMNS
