"""Any SELECT over the PAI-DLC stand-in gives what plain SQLite gives over the same data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given

from sqlprovider.session import Session
from tests.agreement import check_agreement, data_table, refused_share
from tests.cases import Setup
from tests.fakes.paidlc import PaidlcState, paidlc_small
from tests.oracle import Oracle
from tests.paidlc import paidlc_backend
from tests.statements import Drawn, statements

pytestmark = pytest.mark.slow

PATHS = {
    "tensorboards": ("TensorboardId", "JobId"),
    "jobs": ("JobId",),
    "job_details": ("JobId",),
    "job_events": ("JobId",),
    "pods": ("JobId", "PodId"),
    "pod_logs": ("JobId", "PodId"),
    "signals": ("JobId", "SignalId"),
}
"""Resource → the columns it shares with others."""


def tiny_state() -> PaidlcState:
    """Five jobs of the twelve, on pages of two, so that a statement takes milliseconds."""
    state = paidlc_small()
    state.page_cap = 2
    for job_id in list(state.jobs):
        if job_id not in ("dlc-01", "dlc-03", "dlc-05", "dlc-09", "dlc-12"):
            del state.jobs[job_id]
    for id_ in ("tb-4", "tb-5", "tb-7"):
        del state.tensorboards[id_]
    state.tensorboards["tb-1"]["JobId"] = "dlc-03"
    return state


STATE = tiny_state()


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    setup: Setup = {"settings": {"max_requests": 600}}
    with closing(paidlc_backend(STATE).session(setup)) as opened:
        yield opened


def test_every_select_gives_what_plain_sqlite_gives(session: Session) -> None:
    oracle = Oracle(session.catalog, paidlc_backend(STATE).objects)
    tables = [
        data_table(oracle, session.catalog.resource("alibaba", "paidlc", name), path)
        for name, path in PATHS.items()
    ]
    tally: Counter[str] = Counter()

    @given(statements(tables))
    def agree(drawn: Drawn) -> None:
        check_agreement(drawn, session, oracle, tally)

    agree()
    assert refused_share(tally) < 0.25, dict(tally)
