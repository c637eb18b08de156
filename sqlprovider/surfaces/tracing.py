"""`trace` and `dry_run`: requests as lines of text beside the rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from sqlprovider.surfaces.visible import visible

if TYPE_CHECKING:
    from sqlprovider.session import RequestRecord, Session


def watch_requests(session: Session, stderr: TextIO, *, on_request: Callable[[], None] | None = None) -> None:
    """Print each request while `trace` is on, and what `dry_run` held back; call `on_request` each time."""

    def on_event(record: RequestRecord) -> None:
        if on_request is not None and record.attempt > 0:
            on_request()
        if session.settings.trace:
            # One call a line: requests end on several threads.
            stderr.write(f"{trace_line(record)}\n")

    def on_dry_run(request: str) -> None:
        stderr.write(f"{visible(request)}\n")

    session.on_event(on_event)
    session.on_dry_run(on_dry_run)


def trace_line(record: RequestRecord) -> str:
    """`GET http://127.0.0.1:5000/api/2.0/mlflow/runs/get?run_id=r1 200 12 ms`."""
    if record.attempt == 0:
        return visible(f"{record.http_method} {record.url} not sent")
    status = "no answer" if record.status is None else str(record.status)
    attempt = f" (attempt {record.attempt})" if record.attempt > 1 else ""
    return visible(f"{record.http_method} {record.url} {status} {record.ms:.0f} ms{attempt}")
