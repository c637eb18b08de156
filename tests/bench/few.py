"""Row 8: a long list of which little is needed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

from sqlprovider.surfaces.rows import let_go
from sqlprovider.values import Row
from tests.bench.bench import LATENCY, Bench
from tests.bench.goals import Answer, Requests, RoundTrips
from tests.bench.measure import Sides, Work
from tests.bench.store import COLUMNS, item, row_of

_GOALS = (Requests(1), RoundTrips(1.5))


def few_works(bench: Bench) -> Iterator[Work]:
    """The first row, the first ten, how many there are, the greatest."""
    count = bench.scale.rows
    size = COLUMNS.index("size")

    def ten(found: Sequence[Row]) -> bool:
        return len(set(found)) == 10 and _all(count).issuperset(found)

    def how_many(found: Sequence[Row]) -> bool:
        return list(found) == [(count,)]

    def greatest(found: Sequence[Row]) -> bool:
        return list(found) == [(max(cell for row in _all(count) if isinstance(cell := row[size], int)),)]

    yield _first_row(bench)
    for said, sql, accepts in (
        ("LIMIT 10", "SELECT * FROM bench.store.rows LIMIT 10", ten),
        ("count(*)", "SELECT count(*) FROM bench.store.numbered", how_many),
        ("max", "SELECT max(size) FROM bench.store.ordered", greatest),
    ):
        yield bench.work(8, f"{said} over {count:,} rows", sql, *_GOALS, accepts=accepts)


def _first_row(bench: Bench) -> Work:
    """The cursor is closed when its first row is there."""

    @contextmanager
    def sides() -> Iterator[Sides]:
        with bench.session(latency=LATENCY) as session:

            def ours() -> Answer:
                started = time.perf_counter()
                (result,) = session.run("SELECT * FROM bench.store.rows")
                first = next(result.rows)
                seconds = time.perf_counter() - started
                let_go(result.rows)
                return Answer([first], seconds=seconds)

            yield Sides(ours, None, bench.pages.requests, _all(bench.scale.rows).issuperset)

    return Work(8, f"first row of {bench.scale.rows:,}", "", _GOALS, sides, LATENCY)


@cache
def _all(count: int) -> frozenset[Row]:
    return frozenset(row_of(item(number)) for number in range(count))
