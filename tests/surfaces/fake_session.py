"""A session that answers from a list: what a surface does with a result is tested without an engine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from sqlprovider.config import Settings
from sqlprovider.errors import StatementInterrupted, Warning
from sqlprovider.session import (
    RequestRecord,
    Result,
    ResultColumn,
    Session,
    WaitProgress,
    WritePlan,
    WriteProgress,
)
from sqlprovider.surfaces.opening import OpenSession
from sqlprovider.values import Row, SQLValue

Event = WriteProgress | WaitProgress
Params = Sequence[SQLValue] | Mapping[str, SQLValue]


@dataclass(slots=True)
class Answer:
    """What a statement gives. `error` is raised after the rows, or at once where there are no columns."""

    columns: tuple[str, ...] | None = None
    rows: Sequence[Row] = ()
    rowcount: int = -1
    notices: Sequence[str] = ()
    warnings: Sequence[Warning] = ()
    requests: Sequence[RequestRecord] = ()
    dry: Sequence[str] = ()
    error: BaseException | None = None
    plan: WritePlan | None = None
    """A write, put to whoever asks before it is sent."""
    progress: Sequence[Event] = ()
    waits: bool = False
    """Goes on until it is interrupted."""


@dataclass(slots=True)
class FakeSession:
    """Statements are told apart by `;` and looked up; each one that is run is written down."""

    staged = 0

    answers: Mapping[str, Answer] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    in_transaction: bool = False
    last_write: tuple[dict[str, SQLValue], ...] = ()
    words: Mapping[tuple[str, ...], list[str]] = field(default_factory=dict)
    ran: list[tuple[str, Params]] = field(default_factory=list)
    is_closed: bool = False
    waiting: threading.Event = field(default_factory=threading.Event)
    interrupted: threading.Event = field(default_factory=threading.Event)
    event: Callable[[RequestRecord], None] | None = None
    dry_run: Callable[[str], None] | None = None
    write: Callable[[WritePlan], bool] | None = None
    progress: Callable[[Event], None] | None = None

    def run(self, text: str, params: Params = ()) -> Iterator[Result]:
        for statement in filter(None, map(str.strip, text.split(";"))):
            self.ran.append((statement, params))
            yield self._answer(self.answers.get(statement, Answer()))

    def on_event(self, hook: Callable[[RequestRecord], None] | None) -> None:
        self.event = hook

    def on_dry_run(self, hook: Callable[[str], None] | None) -> None:
        self.dry_run = hook

    def on_write(self, hook: Callable[[WritePlan], bool] | None) -> None:
        self.write = hook

    def on_progress(self, hook: Callable[[Event], None] | None) -> None:
        self.progress = hook

    def completion_words(self, path: tuple[str, ...]) -> list[str]:
        return self.words.get(path, [])

    def interrupt(self) -> None:
        self.interrupted.set()

    def close(self) -> None:
        self.is_closed = True

    def _answer(self, answer: Answer) -> Result:
        for request in answer.requests:
            if self.event is not None:
                self.event(request)
        for text in answer.dry:
            if self.dry_run is not None:
                self.dry_run(text)
        for event in answer.progress:
            if self.progress is not None:
                self.progress(event)
        if answer.plan is not None and self.write is not None and not self.write(answer.plan):
            declined = StatementInterrupted("nothing was sent", reason="declined")
            declined.rows = self.last_write
            raise declined
        if answer.error is not None and answer.columns is None:
            raise answer.error
        columns = None
        if answer.columns is not None:
            columns = tuple(ResultColumn(name, None) for name in answer.columns)
        return Result(
            columns, self._rows(answer), list(answer.warnings), answer.rowcount, notices=list(answer.notices)
        )

    def _rows(self, answer: Answer) -> Iterator[Row]:
        yield from answer.rows
        if answer.waits:
            self.waiting.set()
            if self.interrupted.wait(10):
                raise StatementInterrupted("interrupted")
        if answer.error is not None:
            raise answer.error


def as_session(fake: FakeSession) -> Session:
    """The fake where a Session is wanted."""
    return cast("Session", fake)


def opening(fake: FakeSession) -> OpenSession:
    """What opens the fake, whatever the configuration says."""
    return cast("OpenSession", lambda source, **options: fake)


def request(
    number: int = 1, *, attempt: int = 1, status: int | None = 200, url: str = "http://h/runs"
) -> RequestRecord:
    """One exchange."""
    return RequestRecord(
        number, "mlflow", "tracking.runs", "search", "GET", url, status, attempt, 12.4, 1, None
    )
