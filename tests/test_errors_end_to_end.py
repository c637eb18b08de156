"""Everything that can go wrong, over a real socket: what is printed, the exit code, what a program is told.

Each fault of tests/error_cases.py is arranged twice: for the command line, and for a caller of the library.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from sqlprovider import errors
from sqlprovider.surfaces.cli import main
from tests.error_cases import (
    AUTH,
    CREATE,
    GET,
    PAGED,
    RUNS,
    STATEMENTS,
    TOKEN,
    WORLD,
    Case,
    Outcome,
    World,
    answering,
    serving,
    shown,
)
from tests.fakes.loopback import Cut, Fault, Html, Reset, Stall, Status, Truncated
from tests.fakes.vertex import Fault as VertexFault
from tests.fakes.vertex import VertexState, vertex_large, vertex_small

if TYPE_CHECKING:
    from tests.mlflow import Seed

STATES: dict[type[errors.Error], tuple[str, bool]] = {
    errors.TransportError: ("08000", True),
    errors.AuthError: ("28000", False),
    errors.IntegrityError: ("23000", False),
    errors.RateLimitedError: ("53400", True),
    errors.BackendError: ("HV000", False),
    errors.DataError: ("22000", False),
    errors.RequestLimitError: ("54000", False),
    errors.NotSupportedError: ("0A000", False),
    errors.ProgrammingError: ("42000", False),
    errors.SQLSyntaxError: ("42601", False),
    errors.UnknownNameError: ("42P01", False),
    errors.UnknownColumnError: ("42703", False),
    errors.MissingParameterError: ("42P02", False),
}
"""Error → SQLSTATE and whether repeating can help."""
CASES = [pytest.param(case, id=name) for name, case in (WORLD | STATEMENTS).items()]


@pytest.fixture
def world() -> Iterator[World]:
    with serving(vertex_small()) as world:
        yield world


@pytest.mark.parametrize("case", CASES)
def test_the_command_line_fails_with_one_clear_message(case: Case, world: World) -> None:
    case.arrange(world)
    outcome = shown(world.query(case.sql, "--trace", *case.flags))
    assert (outcome.code, outcome.out) == (1, "")
    (message,) = re.findall(r"^error: (\w+): (.*)\Z", outcome.err, flags=re.MULTILINE | re.DOTALL)
    assert message[0] == case.error.__name__
    assert case.said in message[1]


@pytest.mark.parametrize("case", CASES)
def test_a_program_is_told_what_happened(case: Case, world: World) -> None:
    case.arrange(world)
    error = world.failure(case.sql, **dict(case.settings))
    assert type(error) is case.error
    assert (error.reason, error.sqlstate, error.retryable) == (case.reason, *STATES[case.error])
    if case.hinted:
        assert error.hint


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in STATEMENTS.items()])
def test_a_wrong_statement_sends_nothing(case: Case, world: World) -> None:
    world.query(case.sql)
    assert world.server.requests == []


def test_a_missing_parameter_is_named_with_the_line_that_works(world: World) -> None:
    outcome = shown(world.query("SELECT * FROM google.aiplatform.runs WHERE projectsId='p'"))
    assert outcome == Outcome(
        1,
        "",
        """\
error: MissingParameterError: SELECT on google.aiplatform.runs: no method has its required parameters
  list  needs projectsId, locationsId, tensorboardsId, experimentsId           missing: locationsId, tensorboardsId, experimentsId
  get   needs projectsId, locationsId, tensorboardsId, experimentsId, runsId   missing: locationsId, tensorboardsId, experimentsId, runsId
hint: AND locationsId = '…'          see: SHOW METHODS IN google.aiplatform.runs
  1 | SELECT * FROM google.aiplatform.runs WHERE projectsId='p'
    |               ^^^^^^^^^^^^^^^^^^^^^^
""",  # noqa: E501  as it is printed
    )
    assert world.server.requests == []


def test_the_line_that_a_refusal_gives_works(world: World) -> None:
    line = "AND locationsId = 'l'"
    outcome = shown(
        world.query(f"SELECT count(*) AS n FROM google.aiplatform.runs WHERE projectsId='p' {line}")
    )
    assert json.loads(outcome.out) == [{"n": 37}]


def test_without_credentials_nothing_is_sent(world: World) -> None:
    stdout, stderr = io.StringIO(), io.StringIO()
    argv = ["query", *AUTH, "--set", f"google.base_url={world.base_url}", RUNS]
    code = main(argv, stdin=io.StringIO(), stdout=stdout, stderr=stderr, environ={})
    assert (code, stdout.getvalue()) == (2, "")
    assert stderr.getvalue().startswith("error: CredentialsError: ")
    assert "GOOGLE_TOKEN" in stderr.getvalue()
    assert world.server.requests == []


def test_a_dry_run_shows_what_it_does_not_send(world: World) -> None:
    outcome = shown(world.query(CREATE.format("new-1", "x"), "--dry-run"))
    assert (outcome.code, outcome.out) == (0, "")
    path = "/v1/projects/p/locations/l/tensorboards/t/experiments/e1/runs?tensorboardRunId=new-1"
    assert f'POST {world.base_url}{path}\n{{"displayName":"x"}}\n' in outcome.err
    assert world.server.requests == []


def test_the_statements_after_a_failing_one_are_not_sent(world: World) -> None:
    outcome = shown(world.query(f"{GET}; {CREATE.format('r01', 'x')}; {CREATE.format('r99', 'y')}"))
    assert outcome.code == 1
    assert outcome.out.count("\n") == 1
    assert [request.method for request in world.server.requests] == ["GET", "POST"]


def test_rows_printed_before_a_failure_are_no_success(world: World) -> None:
    world.state.faults.append(VertexFault(match="/runs$", page=2, status=400))
    outcome = shown(world.query(PAGED, output="csv"))
    assert outcome.code == 1
    assert outcome.out.count("\n") <= 6


# ---- what passes when it is tried again


PASSING = [
    pytest.param(Status(503), id="503"),
    pytest.param(Status(500), id="500"),
    pytest.param(Status(429), id="429"),
    pytest.param(Html(502), id="502 of a proxy"),
    pytest.param(Reset(), id="reset"),
    pytest.param(Cut(), id="cut in the body"),
]


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_is_not_seen(fault: Fault, world: World) -> None:
    world.server.misbehave(fault, times=2)
    outcome = shown(world.query(RUNS))
    assert (outcome.code, len(json.loads(outcome.out))) == (0, 12)
    assert len(world.server.requests) == 3


@pytest.mark.parametrize("fault", PASSING)
def test_a_create_of_a_chosen_id_is_made_once_whatever_becomes_of_its_first_answer(
    fault: Fault, world: World
) -> None:
    world.server.misbehave(fault)
    assert shown(world.query(CREATE.format("new-1", "x"))).code == 0
    looked = "GET" in [request.method for request in world.server.requests]
    assert looked == (fault != Status(429))


@pytest.mark.parametrize("fault", PASSING)
def test_a_write_that_may_have_acted_and_cannot_be_looked_for_is_not_sent_again(
    fault: Fault, world: World
) -> None:
    world.server.misbehave(fault)
    cancel = "EXEC google.aiplatform.custom_jobs.cancel @projectsId='p', @locationsId='l', @customJobsId='1'"
    outcome = shown(world.query(cancel))
    assert outcome.code == 1
    assert len(world.server.requests) == (2 if fault == Status(429) else 1)


def test_retry_after_is_obeyed(world: World) -> None:
    world.server.misbehave(Status(429, retry_after=7), times=2)
    assert shown(world.query(RUNS)).code == 0
    assert world.pauses == [7.0, 7.0]


def test_a_rate_limit_that_stays_says_when_to_come_back(world: World) -> None:
    world.server.misbehave(Status(429, retry_after=3), times=99)
    error = world.failure(RUNS)
    assert isinstance(error, errors.RateLimitedError)
    assert error.retry_after == 3.0


def test_every_try_is_traced(world: World) -> None:
    world.server.misbehave(Status(503), times=2)
    lines = shown(world.query(RUNS, "--trace")).err.splitlines()
    assert [re.sub(r"^GET http://\S+ (\d+) \d+ ms", r"\1", line) for line in lines] == [
        "503",
        "503 (attempt 2)",
        "200 (attempt 3)",
    ]


def test_tries_count_as_requests(world: World) -> None:
    world.server.misbehave(Status(503), times=2)
    assert isinstance(world.failure(RUNS, max_requests=2), errors.RequestLimitError)
    assert len(world.server.requests) == 2


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        pytest.param(Status(400), "failed", id="refused"),
        pytest.param(Status(504), "unknown", id="a gateway gave up"),
        pytest.param(Cut(), "unknown", id="cut"),
        pytest.param(Html(), "failed", id="unreadable, and a look finds nothing"),
    ],
)
def test_what_became_of_a_write_is_told_apart(fault: Fault, state: str, world: World) -> None:
    world.server.misbehave(fault)
    error = world.failure(
        "INSERT INTO google.aiplatform.tensorboards(projectsId, locationsId, displayName) "
        "VALUES ('p', 'l', 'new')"
    )
    assert [row["state"] for row in error.rows] == [state]


# ---- a list is complete or fails


LARGE = f"{RUNS} AND pageSize = 500"
LARGE_FAULTS: dict[str, Fault] = {
    "503": Status(503),
    "429": Status(429, retry_after=1),
    "html": Html(),
    "cut": Cut(after=1000),
    "truncated": Truncated(keep=1000),
    "reset": Reset(),
}


@pytest.fixture(scope="module")
def large() -> VertexState:
    return vertex_large(2500)


@pytest.mark.parametrize("fault", [Status(503), Status(429, retry_after=1)], ids=["503", "429"])
def test_2500_runs_are_complete_under_passing_faults(fault: Fault, large: VertexState) -> None:
    with serving(large) as world:
        for nth in range(1, 20, 2):
            world.server.misbehave(fault, nth=nth)
        outcome = shown(world.query(LARGE))
    names = [row["name"] for row in json.loads(outcome.out)]
    assert (len(names), len(set(names))) == (2500, 2500)


@pytest.mark.slow
@pytest.mark.parametrize("output", ["json", "csv"])
@pytest.mark.parametrize("nth", [1, 3, 5])
@pytest.mark.parametrize("kind", LARGE_FAULTS)
def test_2500_runs_are_never_fewer(kind: str, nth: int, output: str, large: VertexState) -> None:
    with serving(large) as world:
        world.server.misbehave(LARGE_FAULTS[kind], nth=nth, times=99)
        outcome = shown(world.query(LARGE, output=output))
    assert outcome.code == 1
    assert output == "csv" or outcome.out == ""


@pytest.mark.parametrize("rows", [0, 1, 7])
def test_a_short_page_is_not_the_end(rows: int, world: World) -> None:
    world.state.faults.append(VertexFault(match="/runs$", page=2, rows=rows))
    assert len(json.loads(shown(world.query(PAGED)).out)) == 12


def test_a_limit_ends_a_list_before_a_page_that_would_fail(world: World) -> None:
    world.state.faults.append(VertexFault(match="/runs$", page=3, status=500))
    assert len(json.loads(shown(world.query(f"{PAGED} LIMIT 4")).out)) == 4


# ---- secrets


def test_a_server_that_repeats_the_token_does_not_make_it_known(world: World) -> None:
    body = {"error": {"code": 401, "status": "UNAUTHENTICATED", "message": f"Bearer {TOKEN} is no good"}}
    answering(json.dumps(body), 401)(world)
    outcome = shown(world.query(RUNS, "--trace"))
    assert "UNAUTHENTICATED" in outcome.err


@pytest.mark.parametrize(
    "fault",
    [Status(401), Status(500), Html(403), Stall(), Reset()],
    ids=["401", "500", "html", "stall", "reset"],
)
def test_a_password_is_never_shown(fault: Fault, world: World) -> None:
    world.server.misbehave(fault, times=99)
    basic = (
        "auth.type=basic",
        "auth.username=ann",
        "auth.password_env=PASSWORD",
        f"base_url={world.base_url}",
    )
    flags = [word for setting in basic for word in ("--set", f"mlflow.{setting}")]
    outcome = shown(
        world.query("SELECT * FROM mlflow.tracking.experiments", "--trace", "--timeout", "0.2", *flags)
    )
    assert (outcome.code, outcome.out) == (1, "")
    assert world.server.requests[0].headers["authorization"].startswith("Basic ")


# ---- MLflow says "exists already" with a 400


@pytest.mark.slow
def test_mlflow_s_400_for_what_exists_is_an_integrity_error(mlflow_server: Seed, world: World) -> None:
    flags = ("--set", f"mlflow.base_url={mlflow_server.base_url}")
    outcome = shown(world.query("INSERT INTO mlflow.tracking.experiments (name) VALUES ('numbers')", *flags))
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("error: IntegrityError: ")
    assert "RESOURCE_ALREADY_EXISTS" in outcome.err
