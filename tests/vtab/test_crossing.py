"""The warning for tables that nothing joins."""

from __future__ import annotations

import pytest

from tests.vtab.world import MakeWorld

DOCUMENT = """
  lefts:
    key: [id]
    parameters: {id: {path: id}}
    columns: {size: INTEGER}
    methods:
      list: {verb: SELECT, http: GET /lefts, rows: "rows[]", pages: one}
  rights:
    key: [id]
    parameters: {id: {path: id}}
    columns: {size: INTEGER}
    methods:
      list: {verb: SELECT, http: GET /rights, rows: "rows[]", pages: one}
"""
ROUTES = {
    "GET /lefts": {"rows": [{"id": f"l{number}", "size": number} for number in range(50)]},
    "GET /rights": {"rows": [{"id": f"r{number}", "size": number} for number in range(40)]},
}


def test_tables_that_nothing_joins_are_warned_of_with_their_sizes(make_world: MakeWorld) -> None:
    world = make_world(DOCUMENT, ROUTES)
    assert world.run("SELECT count(*) FROM p.s.lefts AS l, p.s.rights AS r") == [(2000,)]
    (warning,) = world.warnings
    assert "40 rows" in warning or "50 rows" in warning
    assert "nothing joins" in warning
    assert sorted(world.lines) == ["GET /lefts", "GET /rights"]


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("SELECT count(*) FROM p.s.lefts AS l JOIN p.s.rights AS r USING (size)", id="USING"),
        pytest.param("SELECT count(*) FROM p.s.lefts AS l, p.s.rights AS r WHERE l.size < r.size", id="<"),
        pytest.param(
            "SELECT count(*) FROM p.s.lefts AS l, p.s.rights AS r WHERE r.id = 'r1' AND l.size < 3", id="few"
        ),
    ],
)
def test_what_is_joined_or_small_is_not_warned_of(make_world: MakeWorld, sql: str) -> None:
    world = make_world(DOCUMENT, ROUTES)
    world.run(sql)
    assert world.warnings == []
