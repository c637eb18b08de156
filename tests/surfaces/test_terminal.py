"""The shell in a terminal of its own, against a server: what is asked, what is sent, and what Ctrl-C does."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes.loopback import Loopback, Stall
from tests.fakes.vertex import vertex_app, vertex_small

pytestmark = pytest.mark.slow

KEYS = "projectsId = 'p' AND locationsId = 'l' AND tensorboardsId = 't' AND experimentsId = 'e1'"
UPDATE = f"UPDATE google.aiplatform.runs SET displayName = displayName || '!' WHERE {KEYS};"
PROMPT = "sqlprovider>"
CTRL_C = "\x03"
LONGEST = 20.0
_STEERING = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Terminal:
    """Somebody at a shell. What is on the screen is kept as text, without what steers it."""

    def __init__(self, running: subprocess.Popen[bytes], keyboard: int) -> None:
        self._running = running
        self._keyboard = keyboard
        self._raw = b""
        self._seen = 0

    def type(self, text: str) -> None:
        os.write(self._keyboard, text.encode())

    def wait_for(self, text: str) -> str:
        """What came on the screen since the last wait, up to that text."""
        deadline = time.monotonic() + LONGEST
        while text not in self.screen[self._seen :]:
            assert time.monotonic() < deadline, f"{text!r} never came: {self.screen[self._seen :]}"
            if select.select([self._keyboard], [], [], 0.1)[0]:
                self._raw += os.read(self._keyboard, 65536)
        begun, end = self._seen, self.screen.index(text, self._seen) + len(text)
        self._seen = end
        return self.screen[begun:end]

    @property
    def screen(self) -> str:
        return _STEERING.sub("", self._raw.decode(errors="replace"))


@contextmanager
def shell(server: Loopback, home: Path, *flags: str) -> Iterator[Terminal]:
    """The command as a user runs it, at a terminal of its own."""
    keyboard, terminal = pty.openpty()
    settings = ("auth.type=none", f"base_url={server.base_url}")
    argv = [word for setting in settings for word in ("--set", f"google.{setting}")]
    environ = {
        **os.environ,
        "TERM": "xterm",
        "COLUMNS": "200",
        "PROMPT_TOOLKIT_NO_CPR": "1",
        "SQLPROVIDER_CONFIG": os.devnull,
        "HOME": str(home),
        "XDG_STATE_HOME": str(home),
    }
    command = [sys.executable, "-m", "sqlprovider", "shell", *argv, *flags]
    with subprocess.Popen(
        [sys.executable, "-c", _TAKE_TERMINAL, *command],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=environ,
        start_new_session=True,
    ) as running:
        os.close(terminal)
        try:
            at = Terminal(running, keyboard)
            at.wait_for(PROMPT)
            yield at
        finally:
            running.kill()
            os.close(keyboard)


_TAKE_TERMINAL = """\
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Makes the terminal the one whose Ctrl-C reaches the process."""


def writes(server: Loopback) -> list[str]:
    return [request.method for request in server.requests if request.method != "GET"]


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_write_is_sent_after_the_yes_and_not_before(tmp_path: Path) -> None:
    with Loopback(vertex_app(vertex_small())) as server, shell(server, tmp_path) as at:
        at.type(f"{UPDATE}\r")
        shown = at.wait_for("send it? [y/N/a]")
        assert "│ google.aiplatform.runs" in shown
        assert "UPDATE of google.aiplatform.runs: " in shown
        assert writes(server) == []
        at.type("n\r")
        at.wait_for("nothing was sent")
        at.wait_for(PROMPT)
        assert writes(server) == []
        at.type(f"{UPDATE}\r")
        at.wait_for("send it? [y/N/a]")
        at.type("y\r")
        said = at.wait_for(" s\r\n")
        assert re.search(r"[1-9]\d* rows?, [1-9]\d* requests?, ", said)
        assert writes(server)


def test_ctrl_c_still_ends_a_write_that_was_agreed_to(tmp_path: Path) -> None:
    with Loopback(vertex_app(vertex_small())) as server, shell(server, tmp_path) as at:
        at.type(f"{UPDATE}\r")
        at.wait_for("send it? [y/N/a]")
        before = len(server.requests)
        server.misbehave(Stall(), times=99)
        at.type("y\r")
        until(lambda: len(server.requests) > before)
        at.type(CTRL_C)
        assert "StatementInterrupted" in at.wait_for("interrupted")
        at.wait_for(PROMPT)


def test_a_wait_is_shown_and_ctrl_c_says_how_to_look_at_what_goes_on(tmp_path: Path) -> None:
    state = vertex_small()
    state.polls = 1000
    with Loopback(vertex_app(state)) as server, shell(server, tmp_path) as at:
        at.type(f"DELETE FROM google.aiplatform.runs WHERE {KEYS} AND runsId = 'r01';\r")
        at.wait_for("send it? [y/N/a]")
        at.type("y\r")
        at.wait_for(" s for projects/p/")
        at.type(CTRL_C)
        at.wait_for("goes on at the backend")
        assert "FROM google.aiplatform.runs_operations WHERE" in at.wait_for(PROMPT)
        at.type("SELECT 'it is ' || state AS said FROM sqlprovider.operations;\r")
        at.wait_for("it is running")
