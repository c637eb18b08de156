"""Everything that can go wrong: how it is arranged, the statement that meets it, the error it is."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from sqlprovider import errors
from sqlprovider.config import load_config
from sqlprovider.execute.clock import Clock
from sqlprovider.session import Session, provider_names
from sqlprovider.surfaces.cli import main
from sqlprovider.surfaces.opening import Source
from tests.fakes.loopback import Cut, Fault, Html, Loopback, Reset, Stall, Status, Truncated, free_port
from tests.fakes.vertex import Fault as VertexFault
from tests.fakes.vertex import VertexState, vertex_app

if TYPE_CHECKING:
    from collections.abc import Sequence

TOKEN = "t0ken-that-nobody-may-see"
PASSWORD = "passw0rd-that-nobody-may-see"
ENVIRON = {"SQLPROVIDER_CONFIG": "/dev/null", "GOOGLE_TOKEN": TOKEN, "PASSWORD": PASSWORD}
AUTH = ("--set", "google.auth.type=token", "--set", "google.auth.env=GOOGLE_TOKEN")
KEYS = "projectsId = 'p' AND locationsId = 'l' AND tensorboardsId = 't' AND experimentsId = 'e1'"
RUNS = f"SELECT name FROM google.aiplatform.runs WHERE {KEYS}"
PAGED = f"{RUNS} AND pageSize = 5"
GET = f"{RUNS} AND runsId = 'r01'"
CREATE = (
    "INSERT INTO google.aiplatform.runs (projectsId, locationsId, tensorboardsId, experimentsId,"
    " tensorboardRunId, displayName) VALUES ('p', 'l', 't', 'e1', '{}', '{}')"
)


@dataclass(frozen=True, slots=True)
class Outcome:
    code: int
    out: str
    err: str


@dataclass(slots=True)
class World:
    """The stand-in on a real socket, its faults, and the two ways to ask it. No pause between two tries."""

    server: Loopback
    state: VertexState
    base_url: str
    pauses: list[float]

    def query(self, sql: str, *flags: str, output: str = "json") -> Outcome:
        """What the command line makes of it."""
        stdout, stderr = io.StringIO(), io.StringIO()
        code = main(
            ["query", "-o", output, *AUTH, "--set", f"google.base_url={self.base_url}", *flags, sql],
            stdin=io.StringIO(),
            stdout=stdout,
            stderr=stderr,
            environ=ENVIRON,
            open_session=self._open,
        )
        return Outcome(code, stdout.getvalue(), stderr.getvalue())

    def failure(self, sql: str, **settings: object) -> errors.Error:
        """What a caller of the library gets."""
        auth = {"type": "token", "env": "GOOGLE_TOKEN"}
        source = {"connections": {"google": {"base_url": self.base_url, "auth": auth}}}
        session = self._open(source, environ=ENVIRON, settings=settings)
        with closing(session), pytest.raises(errors.Error) as caught:
            for result in session.run(sql):
                list(result.rows)
        return caught.value

    def _open(
        self,
        source: Source,
        *,
        environ: Mapping[str, str],
        overrides: Sequence[str] = (),
        settings: Mapping[str, object] | None = None,
        database: str = ":memory:",
    ) -> Session:
        config = load_config(
            source, environ=environ, providers=provider_names(), overrides=overrides, settings=settings
        )
        clock = Clock(
            monotonic=lambda: time.monotonic() + sum(self.pauses),  # what was paused for has passed
            pause=lambda stop, seconds: self.pauses.append(seconds),
            random=lambda: 0.0,
        )
        return Session(config, database=database, environ=environ, clock=clock)


@contextmanager
def serving(state: VertexState, *, scheme: str = "http") -> Iterator[World]:
    with Loopback(vertex_app(state, token=TOKEN)) as server:
        yield World(server, state, f"{scheme}://127.0.0.1:{server.port}", [])


def shown(outcome: Outcome) -> Outcome:
    """The outcome, once it is sure that it holds no traceback and no secret."""
    assert "Traceback" not in outcome.err
    assert "InternalError" not in outcome.err
    assert TOKEN not in outcome.out + outcome.err
    assert PASSWORD not in outcome.out + outcome.err
    return outcome


@dataclass(frozen=True, slots=True)
class Case:
    """A fault, the statement that meets it, and the error it is."""

    arrange: Callable[[World], None]
    sql: str
    error: type[errors.Error]
    reason: str
    said: str
    hinted: bool = False
    settings: tuple[tuple[str, object], ...] = ()

    @property
    def flags(self) -> Iterator[str]:
        for name, value in self.settings:
            yield f"--{name.replace('_', '-')}"
            if value is not True:
                yield str(value)


def always(fault: Fault, *, nth: int = 1, path: str = "") -> Callable[[World], None]:
    return lambda world: world.server.misbehave(fault, nth=nth, times=99, path=path)


def spoilt(**fault: object) -> Callable[[World], None]:
    return lambda world: world.state.faults.append(VertexFault(**{"match": "/runs$", **fault}))  # type: ignore[arg-type]  # a Fault's own fields


def nothing(world: World) -> None:
    """The statement itself is at fault."""


def dead(world: World) -> None:
    world.base_url = f"http://127.0.0.1:{free_port()}"


def over_tls(world: World) -> None:
    world.base_url = f"https://127.0.0.1:{world.server.port}"


def forbidden(world: World) -> None:
    world.state.forbidden.add("p")


def other_token(world: World) -> None:
    world.server.app = vertex_app(world.state, token="another")


def answering(body: str, status: int = 200) -> Callable[[World], None]:
    """Every request gets that body."""

    def app(environ: object, start_response: Callable[..., object]) -> list[bytes]:
        start_response(f"{status} X", [("Content-Type", "application/json")])
        return [body.encode()]

    def arrange(world: World) -> None:
        world.server.app = app

    return arrange


QUICK = (("timeout", 0.2),)
WORLD: dict[str, Case] = {
    "a dead port": Case(dead, RUNS, errors.TransportError, "not_sent", "no connection to 127.0.0.1"),
    "a dead port for a write": Case(
        dead, CREATE.format("x", "y"), errors.TransportError, "not_sent", "no connection"
    ),
    "no answer in time": Case(
        always(Stall()), RUNS, errors.TransportError, "timed_out", "in time", settings=QUICK
    ),
    "half an answer in time": Case(
        always(Stall(in_body=True)), RUNS, errors.TransportError, "timed_out", "in time", settings=QUICK
    ),
    "a write without an answer": Case(
        always(Stall()),
        CREATE.format("x", "y"),
        errors.TransportError,
        "timed_out",
        "row 1 of 1",
        settings=QUICK,
    ),
    "a connection cut in the body": Case(
        always(Cut()), RUNS, errors.TransportError, "connection_lost", "cut off"
    ),
    "a connection cut on a later page": Case(
        always(Cut(), nth=2), PAGED, errors.TransportError, "connection_lost", "cut off"
    ),
    "a connection reset": Case(always(Reset()), RUNS, errors.TransportError, "connection_lost", "127.0.0.1"),
    "TLS to a plain port": Case(over_tls, RUNS, errors.TransportError, "not_sent", "SSL"),
    "401": Case(other_token, RUNS, errors.AuthError, "auth", "401 UNAUTHENTICATED"),
    "403": Case(forbidden, RUNS, errors.AuthError, "auth", "403 PERMISSION_DENIED"),
    "409": Case(
        nothing, CREATE.format("r01", "x"), errors.IntegrityError, "already_exists", "409 ALREADY_EXISTS"
    ),
    "412": Case(
        always(Status(412)), CREATE.format("x", "y"), errors.IntegrityError, "precondition_failed", "412"
    ),
    "429 for good": Case(
        always(Status(429, retry_after=1)), RUNS, errors.RateLimitedError, "rate_limited", "429"
    ),
    "400": Case(
        nothing, f"{RUNS} AND filter = 'no ='", errors.BackendError, "backend", "400 INVALID_ARGUMENT"
    ),
    "500 for good": Case(always(Status(500)), RUNS, errors.BackendError, "backend", "500"),
    "500 on a later page": Case(
        spoilt(page=2, status=500), PAGED, errors.BackendError, "backend", "500 INTERNAL"
    ),
    "404 on a later page": Case(
        spoilt(page=2, status=404), PAGED, errors.BackendError, "missing", "404 NOT_FOUND"
    ),
    "404 of another server": Case(
        always(Html(404)), RUNS, errors.BackendError, "backend", "is base_url right?", hinted=True
    ),
    "a page for people": Case(always(Html()), RUNS, errors.DataError, "not_json", "JSON"),
    "JSON that is cut short": Case(always(Truncated()), RUNS, errors.DataError, "cut", "ends in the middle"),
    "JSON that is cut short on a later page": Case(
        always(Truncated(), nth=2), PAGED, errors.DataError, "cut", "ends in the middle"
    ),
    "an empty answer": Case(answering(""), RUNS, errors.DataError, "empty_answer", "is empty"),
    "a list": Case(spoilt(spoil="top_array"), RUNS, errors.DataError, "wrong_shape", "a list"),
    "one value": Case(answering("12"), RUNS, errors.DataError, "wrong_shape", "one value"),
    "rows that are an object": Case(
        spoilt(spoil="rows_object"), RUNS, errors.DataError, "wrong_shape", "/tensorboardRuns"
    ),
    "rows that are scalars": Case(
        spoilt(spoil="rows_scalars"), RUNS, errors.DataError, "wrong_shape", "/tensorboardRuns/0"
    ),
    "a value of another type": Case(
        answering('{"tensorboardRuns": [{"name": {"a": 1}}]}'),
        RUNS,
        errors.DataError,
        "wrong_type",
        "runs.list: name",
    ),
    "a time that is none": Case(
        answering('{"tensorboardRuns": [{"createTime": "soon"}]}'),
        RUNS.replace("name", "createTime"),
        errors.DataError,
        "wrong_type",
        "runs.list: createTime",
    ),
    "a token that repeats": Case(
        spoilt(spoil="repeated_token"), PAGED, errors.DataError, "repeated_token", "page token"
    ),
    "a token that is a number": Case(
        spoilt(spoil="number_token"), PAGED, errors.DataError, "wrong_token", "oken"
    ),
    "too many requests": Case(
        nothing,
        PAGED,
        errors.RequestLimitError,
        "request_limit",
        "2",
        hinted=True,
        settings=(("max_requests", 2),),
    ),
    "a write in a read-only session": Case(
        nothing,
        f"DELETE FROM google.aiplatform.runs WHERE {KEYS} AND runsId = 'r01'",
        errors.NotSupportedError,
        "read_only",
        "read-only",
        settings=(("read_only", True),),
    ),
}
STATEMENTS: dict[str, Case] = {
    "a verb that is not there": Case(
        nothing,
        "DELETE FROM mlflow.tracking.metrics WHERE run_id = 'r'",
        errors.NotSupportedError,
        "not_supported",
        "DELETE on mlflow.tracking.metrics",
    ),
    "a view that would be kept": Case(
        nothing, f"CREATE VIEW v AS {RUNS}", errors.NotSupportedError, "not_supported", "TEMP", hinted=True
    ),
    "a trigger": Case(
        nothing,
        "CREATE TRIGGER t AFTER INSERT ON google.aiplatform.runs BEGIN SELECT 1; END",
        errors.NotSupportedError,
        "not_supported",
        "google.aiplatform.runs",
    ),
    "an index": Case(
        nothing,
        "CREATE INDEX i ON google.aiplatform.runs (name)",
        errors.NotSupportedError,
        "not_supported",
        "google.aiplatform.runs",
    ),
    "ALTER": Case(
        nothing,
        "ALTER TABLE google.aiplatform.runs ADD COLUMN x",
        errors.NotSupportedError,
        "not_supported",
        "google.aiplatform.runs",
    ),
    "DROP": Case(
        nothing,
        "DROP TABLE google.aiplatform.runs",
        errors.NotSupportedError,
        "not_supported",
        "google.aiplatform.runs",
    ),
    "an unknown connection": Case(
        nothing, "SELECT * FROM gogle.aiplatform.runs", errors.UnknownNameError, "unknown_name", "google"
    ),
    "an unknown service": Case(
        nothing, "SELECT * FROM google.aiplatfrom.runs", errors.UnknownNameError, "unknown_name", "aiplatform"
    ),
    "an unknown resource": Case(
        nothing,
        "SELECT * FROM google.aiplatform.rnus",
        errors.UnknownNameError,
        "unknown_name",
        "did you mean runs",
    ),
    "an unknown method": Case(
        nothing,
        "EXEC google.aiplatform.runs.wrtie @projectsId = 'p'",
        errors.UnknownNameError,
        "unknown_name",
        "write",
    ),
    "an unknown column": Case(
        nothing, f"{RUNS} AND displayNaem = 'x'", errors.UnknownColumnError, "unknown_column", "displayName"
    ),
    "an unknown column of a write": Case(
        nothing,
        CREATE.format("x", "y").replace("displayName", "displayNaem"),
        errors.UnknownColumnError,
        "unknown_column",
        "displayName",
    ),
    "an unknown argument": Case(
        nothing,
        "EXEC google.aiplatform.runs.write @projectId = 'p'",
        errors.UnknownColumnError,
        "unknown_parameter",
        "projectsId",
        hinted=True,
    ),
    "a missing parameter": Case(
        nothing,
        "SELECT * FROM google.aiplatform.runs WHERE projectsId = 'p'",
        errors.MissingParameterError,
        "missing_parameter",
        "locationsId",
        hinted=True,
    ),
    "a value outside an enum": Case(
        nothing,
        "INSERT INTO google.aiplatform.time_series (projectsId, locationsId, tensorboardsId, experimentsId,"
        " runsId, valueType) VALUES ('p', 'l', 't', 'e1', 'r01', 'SCALER')",
        errors.ProgrammingError,
        "not_in_enum",
        "SCALAR",
    ),
    "a page size that is none": Case(
        nothing, f"{RUNS} AND pageSize = 'many'", errors.ProgrammingError, "wrong_value", "pageSize"
    ),
    "an unbound parameter": Case(
        nothing, RUNS.replace("'p'", "?"), errors.ProgrammingError, "parameter_count", "1"
    ),
    "a wrong word": Case(nothing, "SELEC 1", errors.SQLSyntaxError, "syntax", "SELEC"),
    "two tables of one name": Case(
        nothing,
        "SELECT * FROM google.aiplatform.runs, mlflow.tracking.runs",
        errors.ProgrammingError,
        "wrong_statement",
        "runs",
        hinted=True,
    ),
    "a call": Case(
        nothing,
        "SELECT * FROM google.aiplatform.runs('p')",
        errors.ProgrammingError,
        "wrong_statement",
        "runs",
        hinted=True,
    ),
}
