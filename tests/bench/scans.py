"""Rows 1, 2, 3 and 13: a list that is read to its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from sqlprovider.values import Row
from tests.bench.bench import Bench, rows_of
from tests.bench.goals import Answer, AtMost, Faster
from tests.bench.measure import Sides, Work
from tests.bench.peers import grouped, in_tables, scan

_SCAN = "SELECT id, name, owner, status, size, score, done, note FROM {}"
_GROUPED = (
    "SELECT owner, count(*), sum(size), max(score) FROM {} "
    "WHERE score > 0.25 AND status <> 'FAILED' GROUP BY owner"
)
_ROWS = "bench.store.rows"
_JOINED = "SELECT l.id, r.id, l.size + r.size FROM {}lefts AS l JOIN {}rights AS r ON l.tag = r.tag"
_GROUPING = "WHERE and GROUP BY by SQLite"


def scan_works(bench: Bench) -> Iterator[Work]:
    """The scans, and the join of two lists on a column that is no key."""
    title = f"scan {bench.scale.rows:,} × 8, pages of 1000, no latency"
    floor = "httpx.Client + orjson + "
    yield bench.work(
        1,
        f"{title}: SELECT *",
        f"SELECT * FROM {_ROWS}",
        AtMost(1.3),
        peer=scan,
        against=f"{floor}tuples",
        latency=0.0,
    )
    yield bench.work(
        2,
        f"the same with {_GROUPING}",
        _GROUPED.format(_ROWS),
        AtMost(2),
        peer=grouped,
        against=f"{floor}dicts",
        latency=0.0,
    )
    yield _beside_shillelagh(bench, f"{title}: SELECT *", _SCAN, Faster(10))
    yield _beside_shillelagh(bench, f"the same with {_GROUPING}", _GROUPED, Faster(4))
    yield bench.work(
        13,
        f"join of two {bench.scale.pairs:,}-row lists on a column that is no key",
        _JOINED.format(*["bench.store."] * 2),
        AtMost(1.1),
        peer=partial(in_tables, sql=_JOINED.format("", ""), names=("lefts", "rights")),
        against="both loaded into SQLite tables, then joined",
    )


def _beside_shillelagh(bench: Bench, title: str, sql: str, goal: Faster) -> Work:
    @contextmanager
    def sides() -> Iterator[Sides]:
        from shillelagh.adapters.registry import registry
        from shillelagh.backends.apsw.db import connect

        from tests.bench.shillelagh_adapter import PagesAdapter

        registry.add("bench", PagesAdapter)
        connection = connect(":memory:", adapters=["bench"])
        with bench.session(latency=0.0) as session:
            theirs = sql.format(f'"{bench.pages.base_url}/rows"')

            def against() -> Answer:
                rows: list[Row] = connection.cursor().execute(theirs).fetchall()
                return Answer(rows)

            ours = sql.format(_ROWS)
            yield Sides(lambda: Answer(rows_of(session, ours)), against, bench.pages.requests)
        connection.close()

    return Work(3, title, "Shillelagh, an adapter of 27 lines", (goal,), sides, latency=0.0)
