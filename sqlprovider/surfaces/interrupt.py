"""Ctrl-C while a statement runs: it ends the statement and leaves the process whole."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlprovider.session import Session


class ControlC:
    """Whether Ctrl-C was pressed. The second press raises KeyboardInterrupt, whatever the first one did."""

    def __init__(self) -> None:
        self.pressed = False

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.pressed:
            raise KeyboardInterrupt
        self.pressed = True


@contextmanager
def interrupting(session: Session) -> Iterator[ControlC]:
    """Ctrl-C calls `session.interrupt()` until the block ends.

    Python runs its signal handlers between two byte codes of the main thread, and SQLite may hold that thread
    for minutes. The signal itself writes to the wake-up socket, so a thread that reads it can act at once.
    """
    control = ControlC()
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, None):
        yield control
        return
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    watcher = threading.Thread(target=_watch, args=(reader, session), name="sqlprovider-ctrl-c", daemon=True)
    watcher.start()
    previous_socket = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    previous = signal.signal(signal.SIGINT, control.on_signal)
    try:
        yield control
    finally:
        signal.signal(signal.SIGINT, previous)
        signal.set_wakeup_fd(previous_socket)
        writer.close()
        watcher.join()
        reader.close()


def _watch(reader: socket.socket, session: Session) -> None:
    while signals := reader.recv(16):
        if signal.SIGINT in signals:
            session.interrupt()
