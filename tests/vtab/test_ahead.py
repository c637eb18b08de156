"""What is read ahead of a loop, whatever its outer table is."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from tests.vtab.world import Asked, MakeWorld

DOCUMENT = """
  things:
    key: [id]
    parameters: {id: {path: id}}
    columns: {size: INTEGER}
    methods:
      get: {verb: SELECT, http: "GET /things/{id}", missing: true}
"""


class Busy:
    """Answers after a moment, and knows how many were asked at once."""

    def __init__(self) -> None:
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()

    def __call__(self, asked: Asked) -> object:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(0.002)
        with self._lock:
            self._now -= 1
        return {"id": asked.groups[0], "size": int(asked.groups[0][1:])}


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("SELECT t.size FROM mine AS m JOIN p.s.things AS t ON t.id = m.id", id="a join"),
        pytest.param(
            "SELECT t.size FROM mine AS m JOIN p.s.things AS t ON t.id = 't' || m.n", id="expression"
        ),
        pytest.param("SELECT (SELECT size FROM p.s.things WHERE id = m.id) FROM mine AS m", id="correlated"),
        pytest.param(
            "SELECT n FROM mine AS m WHERE EXISTS (SELECT 1 FROM p.s.things WHERE id = m.id)", id="EXISTS"
        ),
        pytest.param(
            "CREATE TABLE copied AS SELECT size FROM mine AS m JOIN p.s.things AS t USING (id)", id="AS"
        ),
        pytest.param(
            "INSERT INTO sizes SELECT size FROM mine AS m JOIN p.s.things AS t USING (id)", id="INSERT"
        ),
    ],
)
def test_a_local_table_leads_to_many_requests_at_once(make_world: MakeWorld, sql: str) -> None:
    busy = Busy()
    world = make_world(DOCUMENT, {"GET /things/(.+)": busy})
    world.engine.connection.execute("CREATE TABLE mine (id, n); CREATE TABLE sizes (size)")
    world.engine.connection.executemany("INSERT INTO mine VALUES (?, ?)", [(f"t{n}", n) for n in range(400)])
    rows = world.run(sql)
    if sql.startswith("SELECT"):
        assert sorted(rows) == [(n,) for n in range(400)]
    else:
        name = "copied" if sql.startswith("CREATE") else "sizes"
        assert world.run(f"SELECT count(*), sum(size) FROM {name}") == [(400, 400 * 399 // 2)]
    assert len(world.lines) == len(set(world.lines)) == 400
    assert busy.most >= 8


def test_a_guess_never_costs_a_request_that_is_needed(make_world: MakeWorld) -> None:
    world = make_world(DOCUMENT, {"GET /things/(.+)": Busy()})
    world.engine.connection.execute(
        "CREATE TABLE mine AS SELECT 't' || value AS id FROM json_each('[1,2,3,4,5,6]')"
    )
    world.settings = replace(world.settings, max_requests=6)
    sql = "SELECT t.id FROM mine JOIN p.s.things AS t USING (id) WHERE t.size < 9 LIMIT 6"
    assert len(world.run(sql)) == 6
