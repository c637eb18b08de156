"""Several clouds in one statement: cases that need a real MLflow server, and one cloud that is down."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx
import pytest

from sqlprovider.errors import BackendError, TransportError
from sqlprovider.session import Session
from sqlprovider.surfaces.cli import main
from sqlprovider.values import Row
from tests.across import (
    WITH_MLFLOW,
    AcrossState,
    across_backend,
    across_mlflow,
    across_mlflow_backend,
)
from tests.cases import ROOT, Backend, Case, check_case, judge_case, read_case
from tests.fakes.faults import Fault
from tests.fakes.loopback import Loopback
from tests.fakes.oci import oci_app
from tests.mlflow import Seed
from tests.oracle import NoOracle

CASES = [read_case(path) for path in sorted((ROOT / "across").glob("*.test"))]
EVERYWHERE = """
SELECT 'google' AS cloud, count(*) AS jobs FROM google.aiplatform.custom_jobs
UNION ALL SELECT 'alibaba', count(*) FROM alibaba.paidlc.jobs
UNION ALL SELECT 'oci', count(*) FROM oci.aidataplatform.job_runs
"""
FAULTS = {
    "google": ("/customJobs$", "google.aiplatform.custom_jobs.list"),
    "alibaba": ("^/api/v1/jobs$", "alibaba.paidlc.jobs.list"),
    "oci": ("/jobRuns$", "oci.aidataplatform.job_runs.list"),
}


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seed]:
    with across_mlflow(tmp_path_factory.mktemp("across")) as seeded:
        yield seeded


def _faults(case: Case) -> list[Fault]:
    faults = case.setup.get("faults", [])
    assert isinstance(faults, list)
    return [Fault(match=str(fault["match"]), status=503) for fault in faults if isinstance(fault, dict)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.path.stem) for case in CASES if case.backend == WITH_MLFLOW]
)
def test_a_case_beside_a_real_server(case: Case, seed: Seed, request: pytest.FixtureRequest) -> None:
    rewrite = bool(request.config.getoption("--rewrite"))
    with across_mlflow_backend(AcrossState(faults=_faults(case)), seed) as backend:
        check_case(case, backend, rewrite=rewrite)


@pytest.mark.slow
def test_the_oracle_judges_every_join_with_mlflow(seed: Seed) -> None:
    for case in CASES:
        if case.backend == WITH_MLFLOW and "error" not in case.sections:
            with across_mlflow_backend(AcrossState(), seed) as backend:
                assert judge_case(case, backend), case.path.stem


def test_the_oracle_judges_nearly_every_join() -> None:
    exempt = []
    for case in CASES:
        if case.backend == WITH_MLFLOW or "error" in case.sections:
            continue
        try:
            assert judge_case(case, across_backend(AcrossState())), case.path.stem
        except NoOracle:
            exempt.append(case.path.stem)
    # It reads options of a list, which are no columns of a table.
    assert exempt == ["boards_by_the_source_that_was_given"]


def test_every_cloud_wants_to_know_who_asks() -> None:
    backend = across_backend(AcrossState())
    assert _rows(backend, EVERYWHERE) == [("google", 5), ("alibaba", 5), ("oci", 4)]
    signed = {request.url.host: request.headers["authorization"] for request in backend.requests}
    schemes = {host: text.partition(" ")[0] for host, text in signed.items()}
    assert schemes == {
        "google.test": "Bearer",
        "alibaba.test": "ACS3-HMAC-SHA256",
        "oci.test": "Signature",
    }


@pytest.mark.parametrize("cloud", FAULTS)
def test_a_cloud_that_is_down_names_itself(cloud: str) -> None:
    match, operation = FAULTS[cloud]
    backend = across_backend(AcrossState(faults=[Fault(match=match, status=503)]))
    with pytest.raises(BackendError, match=f"^{operation}: 503 ") as failure:
        _rows(backend, EVERYWHERE)
    assert failure.value.context == operation


def test_the_others_answer_while_one_is_down() -> None:
    backend = across_backend(AcrossState(faults=[Fault(match="/jobRuns$", status=503)]))
    with closing(backend.session({})) as session:
        with pytest.raises(BackendError):
            _run(session, EVERYWHERE)
        assert _run(session, "SELECT count(*) FROM alibaba.paidlc.jobs") == [(5,)]


def test_nothing_of_a_statement_is_kept_where_a_cloud_is_down() -> None:
    backend = across_backend(AcrossState(faults=[Fault(match="/jobRuns$", status=503)]))
    with closing(backend.session({})) as session:
        _run(session, "CREATE TEMP TABLE seen(cloud TEXT, jobs INTEGER)")
        with pytest.raises(BackendError):
            _run(session, f"INSERT INTO seen {EVERYWHERE}")
        assert _run(session, "SELECT * FROM seen") == []


@pytest.mark.parametrize("output", ["table", "json", "jsonl", "csv"])
@pytest.mark.parametrize("cloud", FAULTS)
def test_the_command_line_prints_no_row_where_a_cloud_is_down(cloud: str, output: str) -> None:
    match, operation = FAULTS[cloud]
    backend = across_backend(AcrossState(faults=[Fault(match=match, status=503)]))
    code, printed, said = _query(backend, f"{EVERYWHERE} ORDER BY cloud", output)
    assert (code, printed) == (1, "")
    assert f"error: BackendError: {operation}: 503 " in said


def test_the_command_line_names_a_cloud_whose_port_is_dead() -> None:
    with _with_a_dead_port() as (backend, host):
        code, printed, said = _query(backend, f"{EVERYWHERE} ORDER BY cloud", "json")
    assert (code, printed) == (1, "")
    said_of = "oci.aidataplatform.job_runs.list"
    assert f"error: TransportError: {said_of}: no connection to {host}" in said


def test_a_port_that_is_dead_may_be_tried_again() -> None:
    with _with_a_dead_port() as (backend, _), pytest.raises(TransportError) as failure:
        _rows(backend, EVERYWHERE)
    error = failure.value
    assert (error.context, error.reason, error.retryable) == (
        "oci.aidataplatform.job_runs.list",
        "not_sent",
        True,
    )


class _Beside(httpx.BaseTransport):
    """Sends what is for one address over the network, and the rest as before."""

    def __init__(self, inner: httpx.BaseTransport, base_url: str, network: httpx.BaseTransport) -> None:
        self._inner = inner
        self._netloc = httpx.URL(base_url).netloc
        self._network = network

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        chosen = self._network if request.url.netloc == self._netloc else self._inner
        return chosen.handle_request(request)


@contextmanager
def _with_a_dead_port() -> Iterator[tuple[Backend, str]]:
    """The clouds, of which `oci` is said to be where nobody listens any more; and where that is."""
    state = AcrossState()
    with Loopback(oci_app(state.oci)) as server:
        dead = server.base_url
    backend = across_backend(state)
    with httpx.HTTPTransport() as network:
        backend.transport = _Beside(backend.transport, dead, network)
        backend.beside = {**backend.beside, "oci": {**backend.beside["oci"], "base_url": dead}}
        yield backend, dead.removeprefix("http://")


def _rows(backend: Backend, sql: str) -> list[Row]:
    """The rows of a statement in a session of its own."""
    with closing(backend.session({})) as session:
        return _run(session, sql)


def _run(session: Session, sql: str) -> list[Row]:
    (result,) = session.run(sql)
    return list(result.rows)


def _query(backend: Backend, sql: str, output: str) -> tuple[int, str, str]:
    """`sqlprovider query`: its exit code, stdout and stderr."""
    stdout, stderr = io.StringIO(), io.StringIO()
    code = main(
        ["query", "-o", output, sql],
        stdin=io.StringIO(),
        stdout=stdout,
        stderr=stderr,
        environ=dict(backend.environ),
        open_session=lambda source, **options: backend.session({}),
    )
    return code, stdout.getvalue(), stderr.getvalue()
