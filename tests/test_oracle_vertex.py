"""Any SELECT over the Vertex stand-in gives what plain SQLite gives over the same data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given

from sqlprovider.session import Session
from tests.agreement import check_agreement, data_table, refused_share
from tests.cases import Setup
from tests.fakes.proto_json import Object
from tests.fakes.vertex import VertexState
from tests.oracle import Oracle
from tests.statements import Drawn, statements
from tests.vertex import vertex_backend

TABLES = ("tensorboards", "experiments", "runs", "time_series")
ROOTS = {"projectsId": ("p", "p", "p", "q", "P", "nope"), "locationsId": ("l",)}


def tiny_state() -> VertexState:
    """Few rows, so that a statement takes milliseconds; every one of them awkward."""
    state = VertexState()
    p, q = "projects/p/locations/l/tensorboards", "projects/q/locations/l/tensorboards"
    state.add(
        f"{p}/t1", {"displayName": "main", "isDefault": True, "labels": {"team": "vision", "": "empty"}}
    )
    state.add(f"{p}/t2", {"encryptionSpec": {"kmsKeyName": "k", "nested": {"a.b": [1, 2.5, None, True]}}})
    state.add(f"{q}/t1", {"displayName": "Main", "description": "", "isDefault": False})
    state.add(
        f"{p}/t1/experiments/e1", {"displayName": "it's", "source": "r1", "labels": {"0": "1", "a.b": "2"}}
    )
    state.add(f"{p}/t1/experiments/e2", {"displayName": "r1", "description": "12"})
    state.add(f"{p}/t1/experiments/12", {"displayName": "100%_x", "createTime": "2025-12-31T23:59:59Z"})
    state.add(f"{p}/t2/experiments/e1", {"displayName": "", "labels": {"team": "Vision", "it's": "x"}})
    state.add(f"{q}/t1/experiments/e1", {"displayName": "q's"})
    _add_runs(state, f"{p}/t1/experiments/e1", "r1", "r2", "R1")
    _add_runs(state, f"{p}/t1/experiments/e2", "r1", "12")
    _add_runs(state, f"{p}/t2/experiments/e1", "r1")
    _add_runs(state, f"{q}/t1/experiments/e1", "r1")
    for place in (f"{p}/t1/experiments/e1/runs/r1", f"{p}/t1/experiments/e2/runs/r1"):
        state.add(f"{place}/timeSeries/loss", {"displayName": "loss", "valueType": "SCALAR"})
        state.points[f"{place}/timeSeries/loss"] = {7: {"step": "7", "wallTime": "2026-01-02T03:04:05.5Z"}}
    state.add(f"{p}/t1/experiments/e1/runs/r1/timeSeries/r1", {"displayName": "Loss", "valueType": "TENSOR"})
    state.add(f"{q}/t1/experiments/e1/runs/r1/timeSeries/loss", {"pluginName": "scalars"})
    return state


def _add_runs(state: VertexState, experiment: str, *ids: str) -> None:
    for number, id_ in enumerate(ids):
        run: Object = {
            "displayName": f"{number}",
            "labels": {"lr": f"0.{number}", "team": "vision", "größe": "10"},
        }
        if number == 1:
            run = {"displayName": id_.upper(), "description": "", "createTime": "2026-01-02T00:00:00.5Z"}
        state.add(f"{experiment}/runs/{id_}", run)


STATE = tiny_state()


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    setup: Setup = {"settings": {"max_requests": 600}}
    with closing(vertex_backend(STATE).session(setup)) as opened:
        yield opened


def test_every_select_gives_what_plain_sqlite_gives(session: Session) -> None:
    oracle = Oracle(session.catalog, vertex_backend(STATE).objects)
    resources = [session.catalog.resource("google", "aiplatform", name) for name in TABLES]
    tables = [data_table(oracle, resource, resource.key, roots=ROOTS) for resource in resources]
    tally: Counter[str] = Counter()

    @given(statements(tables))
    def agree(drawn: Drawn) -> None:
        check_agreement(drawn, session, oracle, tally)

    agree()
    assert refused_share(tally) < 0.25, dict(tally)
