"""The first rows by a key for each row of another table: a small request each, where that proves enough."""

from __future__ import annotations

import json
import sqlite3

import pytest

from tests.vtab.world import Asked, MakeWorld

DOCUMENT = """
  groups:
    key: [name]
    parameters: {name: {path: name}}
    columns: {size: INTEGER}
    methods:
      list: {verb: SELECT, http: GET /groups, rows: "groups[]", pages: one}
  runs:
    key: [id]
    parameters: {id: {path: id}, team: {path: team}}
    columns:
      size: INTEGER
      scores: {type: JSON, wire: key_value, infinite: 1.0e+308}
    methods:
      list:
        verb: SELECT
        http: GET /runs
        parameters:
          team: {in: query, required: true}
          order: {in: query}
          page_size: {in: query, type: INTEGER}
          token: {in: query}
        rows: runs[]
        pages: {style: token, parameter: token, token: [next], size: page_size, size_max: 4}
        push:
          order: {parameter: order, keys: {scores: "scores.{key}"}}
"""
TEAMS: dict[str, list[float | None]] = {
    "a": [0.5, 0.9, None, 0.7, -1.0, 0.2],
    "b": [None, None, None, None, None],
    "c": [],
    "d": [1.5e308, 0.1, 0.3, 0.2, 0.05],
    "e": [4.0],
}


def _rows(team: str) -> list[dict[str, object]]:
    return [
        {
            "id": f"{team}{number}",
            "team": team,
            "size": number % 2,
            "scores": [] if score is None else [{"key": "acc", "value": score}],
        }
        for number, score in enumerate(TEAMS[team])
    ]


def _runs(asked: Asked) -> object:
    scores = TEAMS[asked.query["team"]]
    order = list(range(len(scores)))
    if (said := asked.query.get("order")) is not None:
        sign = -1 if said == "scores.acc DESC" else 1
        order.sort(key=lambda n: (scores[n] is None, sign * (scores[n] or 0.0)))
    start, size = int(asked.query.get("token", 0)), int(asked.query.get("page_size", 4))
    rows = _rows(asked.query["team"])
    rest = {} if start + size >= len(rows) else {"next": str(start + size)}
    return {"runs": [rows[n] for n in order[start : start + size]], **rest}


ROUTES = {"GET /groups": {"groups": [{"name": name, "size": 1} for name in TEAMS]}, "GET /runs": _runs}


def _oracle(sql: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(":memory:")
    connection.executescript("CREATE TABLE groups (name, size); CREATE TABLE runs (id, team, size, scores)")
    for team, scores in TEAMS.items():
        connection.execute("INSERT INTO groups VALUES (?, 1)", (team,))
        for row, score in zip(_rows(team), scores, strict=True):
            finite = score is not None and score < 1e308
            text = "{}" if score is None else json.dumps({"acc": score if finite else None})
            connection.execute("INSERT INTO runs VALUES (?, ?, ?, ?)", (row["id"], team, row["size"], text))
    return connection.execute(sql).fetchall()


@pytest.mark.parametrize(
    ("inner", "small"),
    [
        pytest.param(
            "SELECT r.scores->>'acc' FROM {}runs r WHERE r.team = g.name ORDER BY 1 DESC LIMIT 1",
            0,
            id="by number",
        ),
        pytest.param(
            "SELECT r.id FROM {}runs r WHERE r.team = g.name ORDER BY r.scores->>'acc' DESC LIMIT 1",
            5,
            id="best",
        ),
        pytest.param(
            "SELECT r.id FROM {}runs r WHERE team = name ORDER BY scores->>'acc' NULLS LAST LIMIT 1",
            5,
            id="least",
        ),
        pytest.param(
            "SELECT r.scores->>'acc' AS acc FROM {}runs r WHERE r.team = g.name ORDER BY acc DESC LIMIT 1",
            5,
            id="by alias",
        ),
        pytest.param(
            "SELECT r.id FROM {}runs r WHERE r.team = g.name AND r.size = g.size "
            "ORDER BY r.scores->>'acc' DESC LIMIT 1",
            0,
            id="a condition that the API is not told",
        ),
        pytest.param(
            "SELECT r.id FROM {}runs r WHERE r.team = g.name AND lower(r.id) > 'a2' "
            "ORDER BY r.scores->>'acc' DESC LIMIT 1",
            0,
            id="a condition that is no equality",
        ),
        pytest.param(
            "SELECT r.id FROM {}runs r WHERE r.team = g.name AND r.team <> 'a' "
            "ORDER BY r.scores->>'acc' DESC LIMIT 1",
            0,
            id="two conditions on one column",
        ),
        pytest.param(
            "SELECT count(*) FROM {}runs r WHERE r.team = g.name ORDER BY r.scores->>'acc' DESC LIMIT 1",
            0,
            id="an aggregate",
        ),
        pytest.param(
            "SELECT r.id FROM {}runs r WHERE r.team = g.name ORDER BY r.scores->>'acc' LIMIT 1",
            0,
            id="NULLs first",
        ),
    ],
)
def test_the_first_of_each_group_is_that_of_sqlite(make_world: MakeWorld, inner: str, small: int) -> None:
    world = make_world(DOCUMENT, ROUTES)
    sql = f"SELECT g.name, ({inner}) FROM {{}}groups g WHERE g.name <> 'b' ORDER BY 1"
    assert world.run(sql.replace("{}", "p.s.")) == _oracle(sql.replace("{}", ""))
    assert sum("page_size=1" in line for line in world.lines) == min(small, 4)


def test_where_no_row_has_a_number_every_row_is_read(make_world: MakeWorld) -> None:
    world = make_world(DOCUMENT, ROUTES)
    best = "SELECT r.id FROM p.s.runs r WHERE r.team = g.name ORDER BY r.scores->>'acc' DESC LIMIT 1"
    some = "SELECT count(*) > 0 FROM p.s.runs r WHERE r.team = g.name"
    sql = f"SELECT g.name, ({some}), ({best}) IS NULL FROM p.s.groups g"
    assert sorted(world.run(sql)) == [("a", 1, 0), ("b", 1, 0), ("c", 0, 1), ("d", 1, 0), ("e", 1, 0)]
