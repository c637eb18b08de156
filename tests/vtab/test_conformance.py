"""Every SELECT gives what plain SQLite gives over the same data, whatever the API can do itself."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.vtab.things import PLAIN, PUSHING, oracle, routes
from tests.vtab.world import MakeWorld

ORDERED = [
    # LIMIT must not be consumed where the order is not the API's, or a filter is not exact.
    "SELECT id, score FROM p.s.things ORDER BY score DESC, id LIMIT 3",
    "SELECT id FROM p.s.things ORDER BY name COLLATE NOCASE, id LIMIT 4",
    "SELECT id FROM p.s.things ORDER BY score, id LIMIT 3 OFFSET 5",
    "SELECT id FROM p.s.things WHERE note = 'gamma' ORDER BY id LIMIT 2",
    "SELECT id FROM p.s.things WHERE note LIKE 'ALPHA%' ORDER BY id LIMIT 2 OFFSET 1",
    "SELECT id, size FROM p.s.things WHERE size > 1 ORDER BY size, id LIMIT 2",
    "SELECT id FROM p.s.things WHERE size >= 1 ORDER BY id LIMIT 2 OFFSET 2",
    "SELECT id FROM p.s.things ORDER BY id LIMIT 3 OFFSET 4",
    "SELECT id FROM p.s.things ORDER BY id LIMIT -1",
    "SELECT id FROM p.s.things ORDER BY id LIMIT 0",
    "SELECT id FROM p.s.things ORDER BY id LIMIT 5 OFFSET 100",
    "SELECT id FROM p.s.things ORDER BY id DESC LIMIT 2",
    "SELECT size FROM p.s.things ORDER BY size NULLS LAST LIMIT 4",
    "SELECT size, id FROM p.s.things ORDER BY size DESC, id DESC LIMIT 4",
    "SELECT id FROM p.s.things WHERE size BETWEEN 1 AND 3 AND name <> 'n1' ORDER BY id LIMIT 2",
    "SELECT id FROM p.s.things WHERE name IN ('n0', 'n1') ORDER BY id LIMIT 2",
    "SELECT id FROM p.s.things WHERE id IN ('t02', 't04', 't03') ORDER BY id DESC LIMIT 2",
    "SELECT id FROM p.s.things WHERE size + 0 > 1 ORDER BY id LIMIT 3",
    "SELECT * FROM (SELECT id, size FROM p.s.things ORDER BY size, id LIMIT 4) ORDER BY id LIMIT 2",
    "SELECT * FROM (SELECT id FROM p.s.things WHERE size > 0 ORDER BY id LIMIT 3 OFFSET 1) LIMIT 2",
    "SELECT t.id, p.part FROM p.s.things t JOIN p.s.parts p ON p.thing = t.id ORDER BY t.id, p.part LIMIT 3",
    "SELECT t.id, p.part FROM p.s.things t JOIN p.s.parts p ON p.thing = t.id ORDER BY 1, 2 LIMIT 3 OFFSET 4",
    "SELECT size, count(*) FROM p.s.things GROUP BY size ORDER BY size",
    "SELECT DISTINCT size FROM p.s.things ORDER BY size DESC LIMIT 3",
]
UNORDERED = [
    "SELECT id FROM p.s.things WHERE name = 'n1'",
    "SELECT id FROM p.s.things WHERE name = 'N1' COLLATE NOCASE",
    "SELECT id FROM p.s.things WHERE name COLLATE NOCASE IN ('N1', 'N2')",
    "SELECT id FROM p.s.things WHERE name = 'n1' OR size = 2",
    "SELECT id FROM p.s.things WHERE id = 't02' OR id = 't03' OR size = 2",
    "SELECT id FROM p.s.things WHERE id = 't02' OR name = 'n2'",
    "SELECT id FROM p.s.things WHERE name = 'n1' OR name = 'n2'",
    "SELECT id FROM p.s.things WHERE (name = 'n1' AND size > 1) OR (name = 'n2' AND size < 3)",
    "SELECT id FROM p.s.things WHERE NOT (name = 'n1' OR size = 2)",
    "SELECT id FROM p.s.things WHERE NOT name = 'n1'",
    "SELECT id FROM p.s.things WHERE name <> 'n1'",
    "SELECT id FROM p.s.things WHERE name IN ('n1', 'n2', NULL)",
    "SELECT id FROM p.s.things WHERE name NOT IN ('n1', 'n2')",
    "SELECT id FROM p.s.things WHERE name IN (SELECT name FROM p.s.things WHERE size = 4)",
    "SELECT id FROM p.s.things WHERE (id, name) IN (VALUES ('t01', 'n1'), ('t02', 'n1'), ('t05', 'n2'))",
    "SELECT id FROM p.s.things WHERE (size, name) = (2, 'n1')",
    "SELECT id FROM p.s.things WHERE (size, id) > (2, 't06')",
    "SELECT id FROM p.s.things WHERE id IN ()",
    "SELECT id FROM p.s.things WHERE size BETWEEN 1 AND 3",
    "SELECT id FROM p.s.things WHERE size NOT BETWEEN 1 AND 3",
    "SELECT id FROM p.s.things WHERE size IS 2",
    "SELECT id FROM p.s.things WHERE size IS NULL",
    "SELECT id FROM p.s.things WHERE size IS NOT NULL AND name IS NOT NULL",
    "SELECT id FROM p.s.things WHERE size IS NOT 2",
    "SELECT id FROM p.s.things WHERE size IS NOT DISTINCT FROM NULL",
    "SELECT id FROM p.s.things WHERE size = NULL",
    "SELECT id FROM p.s.things WHERE size = '2'",
    "SELECT id FROM p.s.things WHERE size = 2.0",
    "SELECT id FROM p.s.things WHERE size = 'x' OR size > 'x'",
    "SELECT id FROM p.s.things WHERE size > 1.5",
    "SELECT id FROM p.s.things WHERE name > 1",
    "SELECT id FROM p.s.things WHERE note LIKE 'alpha%'",
    "SELECT id FROM p.s.things WHERE note LIKE '%a\\_1' ESCAPE '\\'",
    "SELECT id FROM p.s.things WHERE note LIKE '%\\_%' ESCAPE '\\'",
    "SELECT id FROM p.s.things WHERE note NOT LIKE 'alpha%'",
    "SELECT id FROM p.s.things WHERE note GLOB 'alpha*'",
    "SELECT id FROM p.s.things WHERE note = 'ALPHA BETA'",
    "SELECT id FROM p.s.things WHERE note = 'Alpha beta'",
    "SELECT id FROM p.s.things WHERE note = ''",
    "SELECT id FROM p.s.things WHERE name = 'o''brien'",
    "SELECT id FROM p.s.things WHERE lower(name) = 'n0'",
    "SELECT id FROM p.s.things WHERE size + 1 = 3",
    "SELECT id FROM p.s.things WHERE done",
    "SELECT id FROM p.s.things WHERE done = 1 AND score > 1",
    "SELECT id FROM p.s.things WHERE done = 'true'",
    "SELECT id FROM p.s.things WHERE at > '2026-01-06' AND at <= '2026-01-10 03:04:05.010'",
    "SELECT id FROM p.s.things WHERE labels->>'n' > 9",
    "SELECT labels FROM p.s.things WHERE labels = '{\"n\":4}'",
    "SELECT id FROM p.s.things WHERE id = 't03' AND size = 1",
    "SELECT id FROM p.s.things WHERE id = 't03' AND id = 't04'",
    "SELECT id FROM p.s.things WHERE id = 't03' AND id IN ('t03', 't04')",
    "SELECT id FROM p.s.things WHERE id = 'nosuch'",
    "SELECT id FROM p.s.things WHERE id > 't10'",
    "SELECT count(*) FROM p.s.things",
    "SELECT count(*) FROM p.s.things WHERE name = 'n1'",
    "SELECT count(*) FROM p.s.things WHERE score > 1 AND size > 1",
    "SELECT count(*), count(name), count(DISTINCT name) FROM p.s.things",
    "SELECT max(size) FROM p.s.things",
    "SELECT min(size) FROM p.s.things",
    "SELECT max(score) FROM p.s.things",
    "SELECT min(id), max(id) FROM p.s.things",
    "SELECT max(size) FROM p.s.things WHERE name = 'n1'",
    "SELECT min(size) FROM p.s.things WHERE name = 'none'",
    "SELECT max(size), id FROM p.s.things WHERE id < 't04'",
    "SELECT DISTINCT name FROM p.s.things",
    "SELECT DISTINCT size, name FROM p.s.things WHERE size > 1",
    "SELECT sum(size), avg(score), total(size) FROM p.s.things GROUP BY name HAVING count(*) > 1",
    "SELECT id, rank() OVER (ORDER BY size, id) FROM p.s.things",
    "SELECT id FROM p.s.things UNION SELECT thing FROM p.s.parts",
    "SELECT id FROM p.s.things EXCEPT SELECT thing FROM p.s.parts",
    "SELECT * FROM p.s.things WHERE size = 2",
    "SELECT * FROM p.s.things",
    "SELECT 1 FROM p.s.things WHERE 0",
]


@pytest.mark.parametrize("document", [pytest.param(PLAIN, id="plain"), pytest.param(PUSHING, id="pushing")])
def test_selects_with_an_order_give_the_same_rows_in_the_same_order(
    make_world: MakeWorld, document: str
) -> None:
    world = make_world(document, routes())
    for sql in ORDERED:
        assert (sql, world.run(sql)) == (sql, oracle(sql))


@pytest.mark.parametrize("document", [pytest.param(PLAIN, id="plain"), pytest.param(PUSHING, id="pushing")])
def test_selects_without_an_order_give_the_same_rows(make_world: MakeWorld, document: str) -> None:
    world = make_world(document, routes())
    for sql in UNORDERED:
        assert (sql, Counter(world.run(sql))) == (sql, Counter(oracle(sql)))


@pytest.mark.parametrize("document", [pytest.param(PLAIN, id="plain"), pytest.param(PUSHING, id="pushing")])
def test_limit_without_an_order_gives_so_many_of_the_rows(make_world: MakeWorld, document: str) -> None:
    world = make_world(document, routes())
    for sql, count in (
        ("SELECT id FROM p.s.things WHERE note = 'gamma'", 3),
        ("SELECT id FROM p.s.things WHERE note LIKE 'alpha%'", 6),
        ("SELECT id FROM p.s.things WHERE name = 'n1'", 2),
        ("SELECT id FROM p.s.things WHERE score > 1", 4),
        ("SELECT id FROM p.s.things WHERE name = 'N1' COLLATE NOCASE", 3),
    ):
        rows, matching = world.run(f"{sql} LIMIT {count}"), oracle(sql)
        assert (sql, len(rows)) == (sql, min(count, len(matching)))
        assert set(rows) <= set(matching)
