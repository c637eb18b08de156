"""Row 16: a list of which few columns are read, from an API that can leave out the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlprovider.session import Session
from tests.bench.bench import Bench, rows_of
from tests.bench.goals import Answer, FewerBytes
from tests.bench.measure import Sides, Work

_GOALS = (FewerBytes(2),)


def masked_works(bench: Bench) -> Iterator[Work]:
    """The same statement over two lists that differ in whether the API takes the names of fields."""

    @contextmanager
    def sides() -> Iterator[Sides]:
        with bench.session(latency=0.0) as session:
            ours = _reading(bench, session, "masked")
            yield Sides(ours, _reading(bench, session, "rows"), bench.pages.requests)

    title = f"2 of 8 columns of {bench.scale.rows:,} rows, no latency, an API that takes names of fields"
    yield Work(16, title, "the same without naming them", _GOALS, sides, latency=0.0)


def _reading(bench: Bench, session: Session, table: str) -> Callable[[], Answer]:
    def run() -> Answer:
        before = bench.pages.sent()
        started = time.perf_counter()
        rows = rows_of(session, f"SELECT id, name FROM bench.store.{table}")
        seconds = time.perf_counter() - started
        return Answer(rows, seconds=seconds, megabytes=(bench.pages.sent() - before) / 1e6)

    return run
