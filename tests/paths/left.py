"""What a process has left open: sockets to a port, threads of the pool at work."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

_ESTABLISHED = "01"


def open_sockets(port: int) -> int:
    """The connections of this process to a port of this machine."""
    own = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = str(entry.readlink())
        except OSError:  # closed meanwhile, as the one that lists the folder is
            continue
        if target.startswith("socket:["):
            own.add(target.removeprefix("socket:[").removesuffix("]"))
    lines = [line.split() for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
    return sum(
        int(words[2].split(":")[1], 16) == port and words[3] == _ESTABLISHED and words[9] in own
        for words in lines
    )


def busy_threads() -> int:
    """Threads of the pool that run a task, or hang in one."""
    frames = sys._current_frames()
    return sum(
        _is_at_work(frames[thread.ident])
        for thread in threading.enumerate()
        if thread.name == "sqlprovider" and thread.ident in frames
    )


def _is_at_work(frame: object) -> bool:
    while frame is not None:
        if frame.f_code.co_name == "_take":  # type: ignore[attr-defined]  # a frame
            return False
        frame = frame.f_back  # type: ignore[attr-defined]  # a frame
    return True


def eventually(holds: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Whether something comes to hold in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True
