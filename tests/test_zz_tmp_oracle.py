"""Any SELECT over traces, genai's tables and the gateway's gives what plain SQLite gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest
from hypothesis import given, settings

from sqlprovider.session import Session
from tests.agreement import check_agreement, data_table, refused_share
from tests.cases import Backend
from tests.mlflow import Seed
from tests.mlflow_objects import mlflow_backend
from tests.oracle import Oracle
from tests.statements import Drawn, statements

Paths = dict[str, tuple[str, ...]]

TRACKING: Paths = {
    "traces": ("experiment_id", "trace_id"),
    "assessments": ("experiment_id", "trace_id"),
    "dataset_summaries": ("experiment_id",),
}
GENAI: Paths = {
    "datasets": ("dataset_id",),
    "dataset_experiments": ("dataset_id", "experiment_id"),
    "scorers": ("experiment_id", "name"),
    "scorer_versions": ("experiment_id", "name"),
    "label_schemas": ("experiment_id",),
    "review_queues": ("experiment_id", "queue_id"),
    "review_queue_items": ("queue_id",),
    "issues": ("experiment_id", "issue_id"),
}
GATEWAY: Paths = {
    "model_definitions": ("model_definition_id",),
    "endpoint_models": ("endpoint_id", "model_definition_id"),
    "endpoint_bindings": ("endpoint_id",),
    "endpoint_guardrails": ("endpoint_id",),
}


@pytest.fixture(scope="module")
def backend(mlflow_server: Seed) -> Iterator[Backend]:
    with httpx.HTTPTransport() as transport:
        yield mlflow_backend(mlflow_server, transport)


@pytest.fixture(scope="module")
def session(backend: Backend) -> Iterator[Session]:
    with closing(backend.session({"settings": {"max_requests": 250}})) as opened:
        yield opened


@pytest.mark.slow
@pytest.mark.parametrize(
    ("service", "paths"),
    [
        pytest.param("tracking", TRACKING, id="tracking"),
        pytest.param("genai", GENAI, id="genai"),
        pytest.param("gateway", GATEWAY, id="gateway"),
    ],
)
def test_every_select_gives_what_plain_sqlite_gives(
    service: str, paths: Paths, backend: Backend, session: Session
) -> None:
    oracle = Oracle(session.catalog, backend.objects)
    tables = [
        data_table(oracle, session.catalog.resource("mlflow", service, name), path)
        for name, path in paths.items()
    ]
    tally: Counter[str] = Counter()

    # Each statement makes real requests, and walks of these tables make many.
    @settings(max_examples=250, derandomize=False, database=None)
    @given(statements(tables))
    def agree(drawn: Drawn) -> None:
        check_agreement(drawn, session, oracle, tally)

    agree()
    assert refused_share(tally) < 0.25, dict(tally)
