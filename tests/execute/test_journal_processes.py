"""The journal's files, shared by processes, some of which are killed, stand still or find the disk full."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from sqlprovider.execute.journal import Journal
from sqlprovider.execute.journal_file import JournalFile
from tests.execute.journals import AT, ROOT, SCRIPT, output, process, row, sequences, statement

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
