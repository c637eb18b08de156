"""The file of kept pages, and who is taken for whom; statements are in `test_cache_statements.py`."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sqlprovider.auth import auth_flow
from sqlprovider.config import AuthSpec
from sqlprovider.execute.cache_file import CacheFault, Label, PageFile, Stored
from sqlprovider.execute.principal import principal

LABEL = Label("p", "p.s.boxes", "list", "GET", "http://127.0.0.1/boxes")
MARKS = ("p s.boxes", "p s.shelves/")


def page(body: bytes = b"{}", *, at: float = 0.0, **values: Any) -> Stored:
    kept: dict[str, Any] = {"keep": 0.0, "list": "l", "number": 0, "is_last": True, "total": None, "items": 0}
    return Stored(200, {}, body, None, at, **{**kept, **values})


def put(file: PageFile, key: bytes, stored: Stored, *, until: float = 1e12) -> bool:
    generation = file.find(key, MARKS, stored.asked_at).generation
    return file.store(key, LABEL, stored, MARKS, generation, until=until)


def body(file: PageFile, key: bytes, *, at: float = 0.0) -> bytes | None:
    found = file.find(key, MARKS, at).page
    return None if found is None else found.body


def test_what_is_kept_is_found_as_it_was(tmp_path: Path) -> None:
    stored = page(b'{"a": "\xc3\xa9"}', at=7.0, keep=3.0, total=9, items=2, is_last=False)
    file = PageFile(tmp_path / "f")
    assert put(file, b"k", stored)
    assert PageFile(tmp_path / "f").find(b"k", MARKS, 7.0).page == stored


def test_the_bytes_are_bounded_and_the_least_used_go_first(tmp_path: Path) -> None:
    file = PageFile(tmp_path / "f", max_bytes=100_000)
    for n in range(10):
        put(file, bytes([n]), page(b"x" * 9_000, at=float(n)))
    assert body(file, bytes([0]), at=100.0) is not None
    for n in range(10, 20):
        put(file, bytes([n]), page(b"x" * 9_000, at=100.0 + n))
    held = [n for n in range(20) if body(file, bytes([n]), at=200.0) is not None]
    assert sum(found.bytes for found in file.pages()) <= 100_000
    assert 19 in held
    assert 1 not in held
    assert len(held) >= 8


def test_the_file_does_not_grow_with_what_passes_through_it(tmp_path: Path) -> None:
    file = PageFile(tmp_path / "f", max_bytes=200_000)
    for n in range(300):
        put(file, str(n).encode(), page(os.urandom(20_000), at=float(n)))
    file.close()
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 600_000


def test_the_pages_are_bounded(tmp_path: Path) -> None:
    file = PageFile(tmp_path / "f", max_pages=20)
    for n in range(100):
        put(file, str(n).encode(), page(at=float(n)))
    assert 15 <= len(file.pages()) <= 20
    assert body(file, b"99", at=99.0) == b"{}"


def test_a_page_beyond_the_bound_is_not_kept(tmp_path: Path) -> None:
    file = PageFile(tmp_path / "f", max_bytes=1000)
    assert not put(file, b"k", page(b"x" * 1001))
    assert file.pages() == []


def test_what_nobody_can_use_any_more_is_removed(tmp_path: Path) -> None:
    file = PageFile(tmp_path / "f")
    put(file, b"old", page(at=0.0), until=60.0)
    put(file, b"new", page(at=61.0), until=121.0)
    assert [found.asked_at for found in file.pages()] == [61.0]


def test_a_page_that_was_asked_for_before_a_write_is_not_kept(tmp_path: Path) -> None:
    file, other = PageFile(tmp_path / "f"), PageFile(tmp_path / "f")
    generation = file.find(b"k", MARKS, 0.0).generation
    other.raise_marks(MARKS[:1])
    assert not file.store(b"k", LABEL, page(), MARKS, generation, until=1e12)
    assert body(file, b"k") is None


@pytest.mark.parametrize(("mark", "stays"), [(MARKS[0], False), (MARKS[1], False), ("p s.notes", True)])
def test_a_write_drops_the_pages_that_have_its_mark(tmp_path: Path, mark: str, stays: bool) -> None:
    file, other = PageFile(tmp_path / "f"), PageFile(tmp_path / "f")
    put(file, b"k", page())
    other.raise_marks([mark])
    assert len(file.pages()) == stays
    assert (body(file, b"k") is not None) is stays


def test_a_body_that_has_changed_on_the_disk_is_not_shown(tmp_path: Path) -> None:
    file = PageFile(tmp_path / "f")
    put(file, b"k", page(b'{"a": 1}'))
    file.close()
    with sqlite3.connect(tmp_path / "f") as connection:
        connection.execute("""UPDATE pages SET body = CAST('{"a": 2}' AS BLOB)""")
    connection.close()
    assert body(file, b"k") is None


def test_a_file_of_another_version_is_begun_anew(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "f") as connection:
        connection.execute("CREATE TABLE pages (something TEXT)")
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    file = PageFile(tmp_path / "f")
    assert put(file, b"k", page())


def test_a_file_that_others_could_read_is_made_private(tmp_path: Path) -> None:
    (tmp_path / "f").touch(mode=0o644)
    (tmp_path / "f").chmod(0o644)
    put(PageFile(tmp_path / "f"), b"k", page())
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o600


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").touch()
    (tmp_path / "f").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CacheFault) as caught:
        put(PageFile(tmp_path / "f"), b"k", page())
    assert (caught.value.is_busy, caught.value.is_damaged) == (False, False)


def test_a_file_that_others_write_to_just_now_is_busy(tmp_path: Path) -> None:
    file = PageFile(tmp_path / "f", patience=0.05)
    put(file, b"k", page())
    other = sqlite3.connect(tmp_path / "f", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(CacheFault) as caught:
        file.raise_marks(MARKS)
    assert caught.value.is_busy
    assert body(file, b"k") == b"{}"
    other.close()


def test_a_file_that_is_none_is_damaged_and_removed(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"not SQLite's" * 1000)
    file = PageFile(tmp_path / "f")
    with pytest.raises(CacheFault) as caught:
        put(file, b"k", page())
    assert caught.value.is_damaged
    file.give_up(caught.value)
    assert put(file, b"k", page())


def test_threads_and_files_share_pages(tmp_path: Path) -> None:
    failed: list[BaseException] = []

    def work(number: int) -> None:
        file = PageFile(tmp_path / "f", patience=30.0)
        try:
            for n in range(50):
                key = f"{number % 4}-{n}".encode()
                put(file, key, page(key, at=float(n)))
                assert body(file, key, at=float(n)) in (key, None)
                file.raise_marks([f"p {number}"])
        except BaseException as error:
            failed.append(error)
        finally:
            file.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(PageFile(tmp_path / "f").pages()) == 200


def test_who_opens_a_new_file_waits_for_who_writes_it(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "f", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(CacheFault, match="locked") as raised:
        PageFile(tmp_path / "f", patience=0.0).salt()
    assert raised.value.is_busy
    threading.Timer(0.05, other.commit).start()
    assert PageFile(tmp_path / "f", patience=30.0).salt()
    other.close()


WRITER = """
import sys
from pathlib import Path
from sqlprovider.execute.cache_file import PageFile
file = PageFile(Path(sys.argv[1]), patience=30.0)
for n in range(200):
    file.raise_marks(["p s.counted"])
"""


@pytest.mark.slow
def test_processes_that_write_at_once_are_all_counted(tmp_path: Path) -> None:
    path = tmp_path / "f"
    command = [sys.executable, "-c", WRITER, str(path)]
    for process in [subprocess.Popen(command) for _ in range(3)]:
        assert process.wait(60) == 0
    assert PageFile(path).find(b"k", ("p s.counted",), 0.0).generation == 600


def flow(kind: str, environ: dict[str, str], **options: str) -> httpx.Auth | None:
    return auth_flow(AuthSpec(kind, options), environ)


def test_the_same_credentials_are_the_same_principal_and_others_are_not() -> None:
    who = [
        principal(flow("none", {})),
        principal(flow("token", {"T": "one"}, env="T")),
        principal(flow("token", {"T": "two"}, env="T")),
        principal(flow("basic", {"P": "pw"}, username="ann", password_env="P")),
        principal(flow("basic", {"P": "pw"}, username="bob", password_env="P")),
        principal(flow("basic", {"P": "other"}, username="ann", password_env="P")),
    ]
    assert None not in who
    assert len(set(who)) == len(who)
    assert principal(flow("token", {"X": "one"}, env="X")) == who[1]


def test_a_principal_that_cannot_be_told_is_none() -> None:
    class Signs(httpx.Auth):
        """Signs what is sent: no two requests bear the same header."""

        def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
            request.headers["Authorization"] = f"Signature {request.url.path}"
            yield request

    class Asks(httpx.Auth):
        """Asks for a token first."""

        def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
            yield httpx.Request("POST", "http://127.0.0.1/token")
            yield request

    assert principal(Signs()) is None
    assert principal(Asks()) is None


def test_a_flow_may_say_itself_who_asks() -> None:
    class Knows(httpx.Auth):
        def principal(self) -> str | None:
            return "ann"

    assert principal(Knows()) == "ann"
