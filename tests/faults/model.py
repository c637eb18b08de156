"""What a cell of the matrix is: a scenario (a write that succeeds undisturbed) × a fault × a shape."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote

from sqlprovider.surfaces.mlflow_server import start_mlflow_server
from sqlprovider.values import JSON, SQLValue
from tests.fakes.google_state import GoogleState
from tests.fakes.loopback import Seen, WSGIApp
from tests.fakes.oci_mlflow import Forward, forward_to
from tests.mlflow import Rest

Report = Mapping[str, SQLValue]
"""A row of `sqlprovider.last_write`."""
Counts = Callable[[], Mapping[str, int]]
"""Marker → how often its effect is in the server's state."""


class Shape(Enum):
    """How many rows the statement writes, and which of them meets the fault."""

    ONE = ("one", 1, 0)
    BATCH = ("batch", 5, 2)
    MIDDLE = ("middle", 50, 24)
    GOING_ON = ("middle, going on", 50, 24)
    """With `on_error = 'continue'`."""

    def __init__(self, label: str, rows: int, marked: int) -> None:
        self.label = label
        self.rows = rows
        self.marked = marked


class Lab:
    """What cells share: a real MLflow server, started for the first who needs one, and numbers."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._numbers = count(1)

    def number(self) -> int:
        """A number of this cell's own."""
        return next(self._numbers)

    @cached_property
    def rest(self) -> Rest:
        """The server itself, past every fault."""
        directory = self._stack.enter_context(TemporaryDirectory(ignore_cleanup_errors=True))
        server = self._stack.enter_context(start_mlflow_server(Path(directory)))
        return self._stack.enter_context(Rest(server.base_url))

    @cached_property
    def forward(self) -> Forward:
        """Sends a request on to the server."""
        return self._stack.enter_context(forward_to(self.rest.base_url))

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


@dataclass(frozen=True, slots=True)
class Platform:
    """One platform as a connection of the engine, and the shape in which it refuses."""

    provider: str
    connection: Mapping[str, JSON]
    environ: Mapping[str, str]
    refusal: Callable[[int, str], JSON]
    """The body of an error of that status and message."""
    patience: float = 1.0
    """Seconds after which an exchange has timed out, where the fault is that it does."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A scenario set up: what serves it, the statement, and the truth about its rows."""

    app: WSGIApp
    sql: str
    markers: Sequence[str]
    """Per row of the statement a word that its requests and its report hold, and no other's."""
    counts: Counts
    state: GoogleState | None = None
    """Where operations are long-running: what runs them."""
    occupy: Callable[[str], None] | None = None
    """Somebody else takes the key of that row for an object of their own."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A write method at work, and what is true of it whatever the engine thinks."""

    platform: Platform
    table: str
    """`google.aiplatform.runs`."""
    method: str
    stage: Callable[[Lab, int], Stage]
    verb: str
    note: str = ""
    look: bool = False
    """A read tells whether a row was written: by the key that the client chose, by what was set or gone."""
    repeats: bool = False
    """Sending it twice does what sending it once does."""
    keyed: bool = False
    """The client chooses the key of a new object, and the server refuses one that is there."""
    waits: bool = False
    """It answers with a long-running operation."""
    batch: str | None = None
    """`resource.method` by which many rows go out."""

    @property
    def name(self) -> str:
        return f"{self.table}.{self.method}" + (f" ({self.note})" if self.note else "")

    @property
    def shapes(self) -> Iterator[Shape]:
        yield Shape.ONE
        if self.verb == "EXEC":
            return
        if self.batch is not None:
            yield Shape.BATCH
        yield Shape.MIDDLE
        yield Shape.GOING_ON

    @property
    def covers(self) -> frozenset[str]:
        """The write methods of the catalog that it tries."""
        service = self.table.rpartition(".")[0]
        batch = () if self.batch is None else (f"{service}.{self.batch}",)
        return frozenset((f"{self.table}.{self.method}", *batch))


@dataclass(slots=True)
class Outcome:
    """What the engine reported."""

    reports: tuple[Report, ...]
    rowcount: int
    error: BaseException | None


@dataclass(slots=True)
class Facts:
    """What really happened."""

    counts: Mapping[str, int]
    sent: Sequence[Seen] = field(default_factory=list)
    """Every request that writes."""
    met: Sequence[Seen] = field(default_factory=list)
    """Those that met the fault, on the way out or at the server; once for each time."""
    is_slow: bool = False
    """A read was not answered in time, which no fault is for: the machine was busy."""


def markers_of(count: int, prefix: str = "m") -> list[str]:
    """So many words, none of which is part of another."""
    return [f"{prefix}{number:04d}z" for number in range(count)]


def holds(marker: str, text: str) -> bool:
    """Whether a text holds a marker as a word of its own."""
    return re.search(rf"(?<![\w.-]){re.escape(marker)}(?![\w-]|\.\d)", text) is not None


def text_of(seen: Seen) -> str:
    """All of a request that can hold a marker."""
    return f"{unquote(seen.path)} {unquote(seen.query)} {seen.body.decode('utf-8', 'replace')}"


_READS = re.compile(r"/search$|/get$|:exportTensorboardTimeSeries$")


def writes(seen: Seen) -> bool:
    """Whether a request may change anything."""
    return seen.method not in ("GET", "HEAD") and _READS.search(seen.path) is None
