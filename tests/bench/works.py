"""Every work, in the order of the table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

from tests.bench.bench import Bench
from tests.bench.fanout import fanout_works, small_request_works
from tests.bench.few import few_works
from tests.bench.joins import join_works, twice_works
from tests.bench.masked import masked_works
from tests.bench.measure import Work
from tests.bench.memory import memory_works
from tests.bench.scans import scan_works
from tests.bench.start import start_works
from tests.bench.store import Scale
from tests.bench.tracking import tracking_works
from tests.bench.writes import write_works

_GROUPS = (
    scan_works,
    join_works,
    fanout_works,
    few_works,
    twice_works,
    memory_works,
    start_works,
    small_request_works,
    write_works,
    tracking_works,
    masked_works,
)


def works(stack: ExitStack, scale: Scale) -> Iterator[Work]:
    """The works over one bench, whose servers live as long as `stack`."""
    bench = Bench(stack, scale)
    yield from sorted((work for group in _GROUPS for work in group(bench)), key=lambda work: work.id)
