"""Rows 7 and 12: many requests that do not wait for each other."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tests.bench.bench import LATENCY, Bench
from tests.bench.goals import Faster, Requests
from tests.bench.measure import Work
from tests.bench.peers import first_keys, keyed, keyed_by_threads, numbered, walk
from tests.bench.store import PAGE

_IN_TURN = "one at a time"
_THREADS = 16


def fanout_works(bench: Bench) -> Iterator[Work]:
    """An IN list, a walk, numbered pages."""
    fan = bench.scale.fan
    keys = first_keys(bench.scale.keys)
    yield bench.work(
        7,
        f"IN of {len(keys)} keys",
        _in(keys),
        Faster(12),
        peer=partial(keyed, keys=keys),
        against=_IN_TURN,
    )
    yield bench.work(
        7,
        f"a walk of 3 levels (1 × {fan} × {fan})",
        "SELECT * FROM bench.store.grandchildren",
        Faster(10),
        peer=walk,
        against=_IN_TURN,
    )
    yield bench.work(
        7,
        f"{bench.scale.forty // PAGE} numbered pages",
        "SELECT * FROM bench.store.forty",
        Faster(7),
        peer=numbered,
        against=_IN_TURN,
    )


def small_request_works(bench: Bench) -> Iterator[Work]:
    """What one client can send: with a round trip, which bounds the workers, and with none."""
    keys = first_keys(bench.scale.many_keys)
    bound = f"{_THREADS} workers get {_THREADS / LATENCY:.0f} answers a second and no more"
    for latency, said, note in ((LATENCY, "", bound), (0.0, ", no latency", "")):
        yield bench.work(
            12,
            f"{len(keys):,} small requests, {_THREADS} workers{said}",
            _in(keys),
            Faster(1.3),
            Requests(len(keys)),
            peer=partial(keyed_by_threads, keys=keys, threads=_THREADS),
            against=f"httpx.Client, {_THREADS} threads",
            latency=latency,
            note=note,
        )


def _in(keys: list[str]) -> str:
    listed = ", ".join(f"'{key}'" for key in keys)
    return f"SELECT * FROM bench.store.items WHERE id IN ({listed})"
