"""Keys that one call takes several of are asked for together, in a list and in a join."""

from __future__ import annotations

import httpx
import pytest

from sqlprovider.errors import BackendError
from tests.vtab.world import Asked, MakeWorld, World

DOCUMENT = """
  things:
    key: [id]
    parameters: {id: {path: id}}
    columns: {size: INTEGER}
    methods:
      find:
        verb: SELECT
        http: GET /things
        parameters: {id: {required: true, several: ids}, ids: TEXT, page: INTEGER, size: INTEGER}
        rows: things[]
        pages: {style: number, parameter: page, total: total, size: size, size_max: 50}
"""


class Things:
    """Finds them by one id or several; a call for one of `bad` is refused whole."""

    def __init__(self, *bad: str) -> None:
        self.bad = bad
        self.calls: list[list[str]] = []

    def __call__(self, asked: Asked) -> object:
        ids = [asked.query["id"]] if "id" in asked.query else asked.query["ids"].split(",")
        self.calls.append(ids)
        if any(id_ in self.bad for id_ in ids):
            return httpx.Response(400, json={"code": "bad", "message": "no id"})
        found = [{"id": id_, "size": int(id_[1:])} for id_ in ids if id_[1:].isdigit()]
        return {"things": found, "total": len(found)}


def open_world(make_world: MakeWorld, things: Things, count: int = 200) -> World:
    """With a local table of keys, each of them twice."""
    world = make_world(DOCUMENT, {"GET /things": things})
    world.engine.connection.execute("CREATE TABLE mine (id, n)")
    keys = [(f"t{n}", n) for n in range(count)]
    world.engine.connection.executemany("INSERT INTO mine VALUES (?, ?)", keys * 2)
    return world


def test_a_list_is_asked_for_as_a_page_holds(make_world: MakeWorld) -> None:
    things = Things()
    world = open_world(make_world, things)
    ids = [f"t{n}" for n in range(120)]
    listed = ", ".join(f"'{id_}'" for id_ in ids)
    rows = world.run(f"SELECT id, size FROM p.s.things WHERE id IN ({listed}, 't1,t2', 't,') AND size > 3")
    assert sorted(rows) == sorted((f"t{n}", n) for n in range(4, 120))
    assert sorted(map(len, things.calls)) == [1, 1, 20, 50, 50]
    assert sorted(id_ for call in things.calls for id_ in call if len(call) > 1) == sorted(ids)


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("SELECT n, size FROM mine JOIN p.s.things USING (id)", id="a join"),
        pytest.param("SELECT n, size FROM mine LEFT JOIN p.s.things USING (id)", id="LEFT JOIN"),
        pytest.param("SELECT n, (SELECT size FROM p.s.things WHERE id = m.id) FROM mine m", id="correlated"),
    ],
)
def test_keys_of_a_loop_go_together(make_world: MakeWorld, sql: str) -> None:
    things = Things()
    rows = open_world(make_world, things).run(sql)
    assert sorted(rows) == sorted([(n, n) for n in range(200)] * 2)
    assert len(things.calls) <= 12
    asked = [id_ for call in things.calls for id_ in call]
    assert len(asked) == len(set(asked)) == 200


def test_one_key_that_is_refused_refuses_no_other(make_world: MakeWorld) -> None:
    things = Things("t7")
    world = open_world(make_world, things, 20)
    sql = "SELECT n, size FROM mine JOIN p.s.things USING (id)"
    assert sorted(world.run(f"{sql} WHERE n <> 7")) == sorted([(n, n) for n in range(20) if n != 7] * 2)
    with pytest.raises(BackendError, match="no id"):
        world.run(sql)
    assert things.calls[-1] == ["t7"]


def test_a_loop_that_ends_early_asks_for_little(make_world: MakeWorld) -> None:
    things = Things()
    rows = open_world(make_world, things).run("SELECT size FROM mine JOIN p.s.things USING (id) LIMIT 3")
    assert len(rows) == 3
    assert sum(map(len, things.calls)) <= 4
