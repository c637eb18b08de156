"""The platforms' own stand-ins by every way: any SELECT gives what plain SQLite gives over the same data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack, closing

import pytest
from hypothesis import given, settings

from sqlprovider.config import load_config
from sqlprovider.session import Paths, Session, provider_names
from tests.agreement import check_agreement, data_table
from tests.cases import Backend
from tests.oracle import Oracle
from tests.paidlc import paidlc_backend
from tests.paths.agree import WAYS
from tests.statements import DataTable, Drawn, statements
from tests.test_paidlc_oracle import PATHS as PAIDLC
from tests.test_paidlc_oracle import tiny_state as tiny_paidlc
from tests.test_vertex_oracle import ROOTS, TABLES
from tests.test_vertex_oracle import tiny_state as tiny_vertex
from tests.vertex import vertex_backend

pytestmark = pytest.mark.slow
FEW = settings(max_examples=25)


def open_backend(backend: Backend, paths: Paths) -> Session:
    """A session on a stand-in with those ways open."""
    mapping = {"connections": {backend.provider: backend.connection}, "max_requests": 600}
    config = load_config(mapping, environ={}, providers=provider_names())
    return Session(config, transport=backend.transport, environ=backend.environ, paths=paths)


def judge(backend: Backend, service: str, columns: Mapping[str, tuple[str, ...]] | None) -> Counter[str]:
    """A sample by every way; how many were refused."""
    tally: Counter[str] = Counter()
    with ExitStack() as stack:
        ways = [stack.enter_context(closing(open_backend(backend, paths))) for paths in WAYS.values()]
        catalog = ways[0].catalog
        oracle = Oracle(catalog, backend.objects)
        tables: list[DataTable] = []
        for name in columns or TABLES:
            resource = catalog.resource(backend.provider, service, name)
            path = resource.key if columns is None else columns[name]
            tables.append(data_table(oracle, resource, path, roots=ROOTS if columns is None else None))

        @FEW
        @given(statements(tables))
        def agree(drawn: Drawn) -> None:
            for session in ways:
                check_agreement(drawn, session, oracle, tally)

        agree()
    return tally


def test_vertex_by_every_way() -> None:
    tally = judge(vertex_backend(tiny_vertex()), "aiplatform", None)
    assert tally["refused"] < 0.5 * tally["all"], dict(tally)


def test_paidlc_by_every_way() -> None:
    tally = judge(paidlc_backend(tiny_paidlc()), "paidlc", PAIDLC)
    assert tally["refused"] < 0.5 * tally["all"], dict(tally)
