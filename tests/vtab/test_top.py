"""ORDER BY a key of a JSON column with LIMIT: one small page where that proves enough."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Callable

import pytest

from tests.vtab.world import Asked, MakeWorld

DOCUMENT = """
  runs:
    key: [id]
    parameters: {id: {path: id}}
    columns:
      size: INTEGER
      scores: {type: JSON, wire: key_value, infinite: 1.0e+308}
    methods:
      list:
        verb: SELECT
        http: GET /runs
        parameters:
          order: {in: query}
          page_size: {in: query, type: INTEGER}
          token: {in: query}
        rows: runs[]
        pages: {style: token, parameter: token, token: [next], size: page_size, size_max: 4}
        push:
          order: {parameter: order, keys: {scores: "scores.{key}"}, key_forbidden: "`"}
"""
SCORES = [0.5, None, 0.9, 2, 1.5e308, -3.0, 0.9, 0.1, math.nan, 0.25]
FIRST = "scores->>'acc'"


def _answer(*, lies: bool = False) -> Callable[[Asked], object]:
    """A server that orders as trackers do: what has no number last, Infinity as a large number."""

    def rank(run: dict[str, object], *, down: bool) -> tuple[int, float]:
        pairs = run["scores"]
        assert isinstance(pairs, list)
        value = pairs[0]["value"] if pairs else None
        if value is None or value == "NaN":
            return (2 if value is None else 1, 0.0)
        return (0, -value if down else value)

    def answer(asked: Asked) -> object:
        runs = [_run(number, score) for number, score in enumerate(SCORES)]
        if (order := asked.query.get("order")) is not None and not lies:
            assert order.split(" ")[0] == "scores.acc"
            runs.sort(key=lambda run: rank(run, down=order.endswith("DESC")))
        start, size = int(asked.query.get("token", 0)), int(asked.query.get("page_size", 4))
        rest = {} if start + size >= len(runs) else {"next": str(start + size)}
        return {"runs": runs[start : start + size], **rest}

    return answer


def _run(number: int, score: float | None) -> dict[str, object]:
    value = "NaN" if score is not None and math.isnan(score) else score
    return {
        "id": f"r{number}",
        "size": number % 3,
        "scores": [] if value is None else [{"key": "acc", "value": value}],
    }


def _oracle(sql: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE runs (id TEXT, size INTEGER, scores TEXT)")
    for number, score in enumerate(SCORES):
        finite = score is not None and abs(score) < 1e308
        text = "{}" if score is None else json.dumps({"acc": score if finite else None})
        connection.execute("INSERT INTO runs VALUES (?, ?, ?)", (f"r{number}", number % 3, text))
    return connection.execute(sql).fetchall()


@pytest.mark.parametrize(
    ("rest", "requests"),
    [
        pytest.param(f"ORDER BY {FIRST} DESC LIMIT 1", 4, id="Infinity comes first to the API"),
        pytest.param(f"ORDER BY {FIRST} DESC NULLS LAST LIMIT 2 OFFSET 2", 4, id="it falls short by one"),
        pytest.param(f"ORDER BY {FIRST} LIMIT 3", 3, id="NULLs first is another order"),
        pytest.param(f"ORDER BY {FIRST} NULLS LAST LIMIT 3", 1, id="NULLS LAST"),
        pytest.param(f"WHERE {FIRST} > -9 ORDER BY {FIRST} LIMIT 3", 1, id="NULLs that WHERE drops"),
        pytest.param(f"WHERE {FIRST} < 9 ORDER BY 2 LIMIT 2", 3, id="by number, which is not read"),
        pytest.param(f"WHERE size = 1 AND {FIRST} > 0 ORDER BY {FIRST} LIMIT 1", 4, id="too few pass"),
        pytest.param(f"ORDER BY {FIRST} DESC NULLS FIRST LIMIT 2", 3, id="NULLS FIRST"),
        pytest.param(f"ORDER BY {FIRST} DESC LIMIT 20", 3, id="more than there are"),
        pytest.param(f"WHERE {FIRST} < 9 ORDER BY acc, id DESC LIMIT 2", 1, id="a second term"),
        pytest.param(
            f"WHERE {FIRST} > 0.8 ORDER BY acc, id DESC LIMIT 1", 4, id="equal rows behind the page"
        ),
    ],
)
def test_the_first_rows_are_those_of_sqlite(make_world: MakeWorld, rest: str, requests: int) -> None:
    world = make_world(DOCUMENT, {"GET /runs": _answer()})
    sql = f"SELECT id, {FIRST} AS acc FROM {{}} {rest}"
    rows = world.run(sql.format("p.s.runs"))
    assert [row[1] for row in rows] == [row[1] for row in _oracle(sql.format("runs"))]
    if "id" in rest:
        assert rows == _oracle(sql.format("runs"))
    assert len(world.lines) == requests


def test_the_page_is_as_small_as_the_answer(make_world: MakeWorld) -> None:
    world = make_world(DOCUMENT, {"GET /runs": _answer()})
    world.run(f"SELECT id FROM p.s.runs WHERE {FIRST} < 9 ORDER BY {FIRST} LIMIT ?", (2,))
    assert world.lines == ["GET /runs?order=scores.acc ASC&page_size=2"]


def test_a_page_that_is_not_in_order_is_not_believed(make_world: MakeWorld) -> None:
    world = make_world(DOCUMENT, {"GET /runs": _answer(lies=True)})
    rows = world.run(f"SELECT id FROM p.s.runs WHERE {FIRST} < 9 ORDER BY {FIRST} NULLS LAST LIMIT 4")
    assert rows == [("r5",), ("r7",), ("r9",), ("r0",)]


def test_a_key_that_cannot_be_said_is_not_asked_for(make_world: MakeWorld) -> None:
    world = make_world(DOCUMENT, {"GET /runs": _answer()})
    world.run("SELECT id FROM p.s.runs ORDER BY scores->>'a`b' DESC LIMIT 1")
    assert len(world.lines) == 3
    assert not any("order" in line for line in world.lines)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT group_concat(size) FROM {} ORDER BY scores->>'acc' DESC LIMIT 1",
        "SELECT count(*), scores->>'acc' AS acc FROM {} ORDER BY acc DESC LIMIT 1",
        "SELECT id FROM {} WHERE size IN (SELECT max(size) FROM {}) ORDER BY scores->>'acc' DESC LIMIT 1",
        "SELECT DISTINCT size FROM {} ORDER BY scores->>'acc' DESC LIMIT 2",
    ],
)
def test_what_looks_at_every_row_reads_every_row(make_world: MakeWorld, sql: str) -> None:
    world = make_world(DOCUMENT, {"GET /runs": _answer()})
    assert len(world.run(sql.replace("{}", "p.s.runs"))) == len(_oracle(sql.replace("{}", "runs")))
    assert "GET /runs?page_size=4&token=8" in world.lines
    assert not any("order" in line for line in world.lines)
