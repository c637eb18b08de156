"""What a terminal shows while a statement runs."""

from __future__ import annotations

import io
import threading
import time

import pytest

from sqlprovider.config import Settings
from sqlprovider.surfaces.progress import Progress, counted
from sqlprovider.surfaces.render import open_printer
from sqlprovider.surfaces.statements import Watched
from tests.surfaces.fake_session import Answer, FakeSession, as_session
from tests.surfaces.streams import Terminal


@pytest.fixture(autouse=True)
def a_terminal_that_can_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")


def wait_for(stream: io.StringIO, text: str) -> bool:
    deadline = time.monotonic() + 5
    while text not in stream.getvalue() and time.monotonic() < deadline:
        time.sleep(0.01)
    return text in stream.getvalue()


def test_requests_and_rows_are_shown_after_the_delay() -> None:
    stderr = Terminal()
    with Progress(stderr, shown=True, delay=0) as progress:
        progress.requests, progress.rows = 12, 1
        assert wait_for(stderr, "12 requests, 1 row")


def test_nothing_is_shown_before_the_delay() -> None:
    stderr = Terminal()
    with Progress(stderr, shown=True, delay=60):
        pass
    assert stderr.getvalue() == ""


def test_nothing_is_shown_where_it_is_not_wanted() -> None:
    stderr = Terminal()
    before = threading.active_count()
    with Progress(stderr, shown=False, delay=0):
        assert threading.active_count() == before
    assert stderr.getvalue() == ""


def test_the_line_is_gone_before_the_first_row_where_rows_stream_to_the_terminal() -> None:
    stderr = Terminal()
    with Progress(stderr, shown=True, delay=0) as progress:
        assert wait_for(stderr, "0 rows")
        rows = progress.count(iter([(1,), (2,)]), stop_at_first=True)
        next(rows)
        printed = stderr.getvalue()
        time.sleep(0.25)
        assert stderr.getvalue() == printed


@pytest.mark.parametrize(
    ("settings", "stderr"),
    [
        pytest.param(Settings(), io.StringIO(), id="no terminal"),
        pytest.param(Settings(trace=True), Terminal(), id="trace"),
        pytest.param(Settings(dry_run=True), Terminal(), id="dry run"),
    ],
)
def test_lines_of_text_are_not_mixed_with_progress(settings: Settings, stderr: io.StringIO) -> None:
    names: list[str] = []

    class Watching(FakeSession):
        def _answer(self, answer: Answer) -> object:  # type: ignore[override]  # what it gives is not looked at
            names.extend(thread.name for thread in threading.enumerate())
            return super()._answer(answer)

    session = as_session(Watching({"SELECT 1": Answer(("a",), [(1,)])}, settings=settings))
    stdout = io.StringIO()
    Watched(session, open_printer("csv", stdout), stdout=stdout, stderr=stderr).run("SELECT 1", ())
    assert "sqlprovider-progress" not in names


@pytest.mark.parametrize(("number", "text"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows")])
def test_things_are_counted_in_english(number: int, text: str) -> None:
    assert counted(number, "row") == text
