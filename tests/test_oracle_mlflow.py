"""Any SELECT over a real MLflow server gives what plain SQLite gives over the same data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest
from hypothesis import given, settings

from sqlprovider.session import Session
from tests.agreement import check_agreement, data_table, refused_share
from tests.cases import Backend, Setup
from tests.mlflow import Seed
from tests.mlflow_objects import mlflow_backend
from tests.oracle import Oracle
from tests.statements import Drawn, statements

TRACKING = {
    "experiments": ("experiment_id",),
    "runs": ("experiment_id", "run_id"),
    "metrics": ("experiment_id", "run_id"),
    "params": ("experiment_id", "run_id"),
    "tags": ("experiment_id", "run_id"),
    "metric_history": ("run_id", "metric_key"),
    "logged_models": ("experiment_id", "model_id"),
    "artifacts": ("run_id",),
}
REGISTRY = {
    "registered_models": ("name",),
    "model_versions": ("name", "version"),
    "aliases": ("name", "version"),
}


@pytest.fixture(scope="module")
def backend(mlflow_server: Seed) -> Iterator[Backend]:
    with httpx.HTTPTransport() as transport:
        yield mlflow_backend(mlflow_server, transport)


@pytest.fixture(scope="module")
def session(backend: Backend) -> Iterator[Session]:
    setup: Setup = {"settings": {"max_requests": 250}}
    with closing(backend.session(setup)) as opened:
        yield opened


@pytest.mark.slow
@pytest.mark.parametrize(
    ("service", "paths"),
    [pytest.param("tracking", TRACKING, id="tracking"), pytest.param("registry", REGISTRY, id="registry")],
)
def test_every_select_gives_what_plain_sqlite_gives(
    service: str, paths: dict[str, tuple[str, ...]], backend: Backend, session: Session
) -> None:
    oracle = Oracle(session.catalog, backend.objects)
    tables = [
        data_table(oracle, session.catalog.resource("mlflow", service, name), path)
        for name, path in paths.items()
    ]
    tally: Counter[str] = Counter()

    # Each statement makes real requests: half as many as on the stand-in.
    @settings(max_examples=settings().max_examples // 2)
    @given(statements(tables))
    def agree(drawn: Drawn) -> None:
        check_agreement(drawn, session, oracle, tally)

    agree()
    assert refused_share(tally) < 0.25, dict(tally)
