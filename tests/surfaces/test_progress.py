"""What a terminal shows while a statement runs."""

from __future__ import annotations

import io
import threading
import time

import pytest

from sqlprovider.config import Settings
from sqlprovider.session import Result, WaitProgress, WriteProgress
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


NAME = "projects/p/operations/7"


@pytest.mark.parametrize(
    ("events", "text"),
    [
        pytest.param([], "0 requests, 0 rows", id="a statement"),
        pytest.param(
            [WriteProgress(1, 50), WriteProgress(12, 50)], "0 requests, 12 of 50 rows sent", id="a write"
        ),
        pytest.param([WriteProgress(1, None)], "0 requests, 1 row sent", id="a write of unknown length"),
        pytest.param(
            [WaitProgress(NAME, 8.0), WaitProgress(NAME, 8.75)],
            f"0 requests, 0 rows, waiting 8 s for {NAME}",
            id="a wait",
        ),
        pytest.param(
            [WriteProgress(1, 3), *(WaitProgress(f"o{n}", 2.0) for n in range(3))],
            "0 requests, 1 of 3 rows sent, waiting 2 s for o0 and 2 more",
            id="waits of a write",
        ),
        pytest.param(
            [WaitProgress("o1", 9.0), WaitProgress("o2", 5.0), WaitProgress("o1", 9.5, is_over=True)],
            "0 requests, 0 rows, waiting 5 s for o2",
            id="a wait that is over",
        ),
        pytest.param(
            [WaitProgress("\x1b[31mo", 0.0), WaitProgress("never begun", 0.0, is_over=True)],
            "0 requests, 0 rows, waiting 0 s for \\x1b[31mo",
            id="a name that would steer the terminal",
        ),
    ],
)
def test_what_a_write_and_a_wait_have_come_to_is_told(
    events: list[WriteProgress | WaitProgress], text: str
) -> None:
    progress = Progress(Terminal(), shown=False, monotonic=lambda: 100.0)
    for event in events:
        progress.note(event)
    assert progress.text() == text


def test_a_wait_goes_on_between_two_looks() -> None:
    now = [100.0]
    progress = Progress(Terminal(), shown=False, monotonic=lambda: now[0])
    progress.note(WaitProgress("o", 3.0))
    now[0] = 107.0
    assert progress.text().endswith("waiting 10 s for o")


def test_a_name_is_no_markup() -> None:
    stderr = Terminal()
    with Progress(stderr, shown=True, delay=0) as progress:
        progress.note(WaitProgress("[red]o", 0.0))
        assert wait_for(stderr, "[red]o")


def test_the_line_makes_room_and_comes_back() -> None:
    stderr = Terminal()
    now = [0.0]
    with Progress(stderr, shown=True, delay=0, monotonic=lambda: now[0]) as progress:
        assert wait_for(stderr, "0 rows")
        with progress.hidden():
            now[0] = 4.0
            assert not is_drawn()
        progress.rows = 77
        assert wait_for(stderr, "77 rows")
    assert progress.held == 4.0
    assert not is_drawn()


def test_a_line_that_is_gone_for_good_does_not_come_back() -> None:
    with Progress(Terminal(), shown=True, delay=0) as progress:
        progress.stop()
        with progress.hidden():
            pass
        assert not is_drawn()


def test_the_session_tells_how_far_a_write_has_come() -> None:
    shown: list[str] = []

    class Watching(FakeSession):
        def _answer(self, answer: Answer) -> Result:
            given = super()._answer(answer)
            shown.append(watched.progress_text)
            return given

    fake = Watching({"UPDATE": Answer(rowcount=3, progress=[WriteProgress(2, 3)])})
    stdout = io.StringIO()
    watched = Watched(as_session(fake), open_printer("csv", stdout), stdout=stdout, stderr=io.StringIO())
    watched.run("UPDATE", ())
    assert shown == ["0 requests, 2 of 3 rows sent"]


def is_drawn() -> bool:
    return any(thread.name == "sqlprovider-progress" for thread in threading.enumerate())


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
