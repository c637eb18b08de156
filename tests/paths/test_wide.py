"""More rows than a page, more parents than a window, more bytes than a shelf holds in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sqlprovider.execute.feed import IN_FLIGHT
from sqlprovider.execute.shelf import KEPT_BYTES, Shelf
from sqlprovider.session import Paths, Session
from sqlprovider.vtab.rehearsal import WINDOW
from tests.paths.agree import WAYS
from tests.paths.wide import NOTE, PARENTS, ROWS, Wide, open_wide, rows_of

EVERY_WAY = pytest.mark.parametrize("paths", [pytest.param(paths, id=name) for name, paths in WAYS.items()])
MakeWide = Callable[..., tuple[Session, Wide]]


@pytest.fixture
def make_wide(tmp_path: Path) -> Iterator[MakeWide]:
    made: list[Session] = []

    def make(paths: Paths, *numbers: int) -> tuple[Session, Wide]:
        server = Wide(numbers) if numbers else Wide()
        made.append(open_wide(tmp_path, server, paths=paths))
        return made[-1], server

    yield make
    for session in made:
        session.close()


CHILDREN = sum(n % 3 for n in range(PARENTS))


@EVERY_WAY
def test_each_parent_is_asked_for_once(make_wide: MakeWide, paths: Paths) -> None:
    session, server = make_wide(paths)
    sql = "SELECT p.big, c.child FROM p.s.parents p JOIN p.s.children c ON c.id = p.id"
    rows = rows_of(session, sql)
    assert Counter(rows) == Counter((n, f"c{m}") for n in range(PARENTS) for m in range(n % 3))
    assert Counter(server.asked).most_common(1) == [("/parents", 3)]
    assert len(server.asked) == 3 + PARENTS


@EVERY_WAY
def test_a_window_bounds_what_a_limit_asks_for_in_vain(make_wide: MakeWide, paths: Paths) -> None:
    session, server = make_wide(paths)
    # 40 children come from the first 40 parents or so; SQLite reads no further.
    sql = "SELECT p.big, c.child FROM p.s.parents p JOIN p.s.children c ON c.id = p.id LIMIT 40"
    assert len(rows_of(session, sql)) == 40
    below = [path for path in server.asked if path != "/parents"]
    assert len(below) <= 42 + min(WINDOW, 40)


@EVERY_WAY
def test_a_filter_that_lets_few_through_wastes_little(make_wide: MakeWide, paths: Paths) -> None:
    session, server = make_wide(paths)
    joined = "p.s.parents p JOIN p.s.children c ON c.id = p.id"
    sql = f"SELECT count(*) FROM {joined} WHERE p.n = 3 AND p.big % 2 = 1"
    wanted = [n for n in range(PARENTS) if n % 10 == 3 and n % 2]
    assert rows_of(session, sql) == [(sum(n % 3 for n in wanted),)]
    assert len(server.asked) == 3 + len(wanted)


@EVERY_WAY
def test_what_ends_early_asks_for_no_more_than_the_window(make_wide: MakeWide, paths: Paths) -> None:
    session, server = make_wide(paths)
    (result,) = session.run(
        "SELECT p.big, c.child FROM p.s.parents p LEFT JOIN p.s.children c ON c.id = p.id"
    )
    first = next(iter(result.rows))
    del result
    assert first == (0, None)
    session.close()
    assert len(server.asked) <= 3 + WINDOW + IN_FLIGHT


@EVERY_WAY
def test_a_list_larger_than_the_shelf_is_read_again_and_again(make_wide: MakeWide, paths: Paths) -> None:
    assert ROWS * len(NOTE) > KEPT_BYTES
    session, server = make_wide(paths)
    # Pages go to the file and come back.
    sql = (
        "SELECT p.big, count(*), sum(length(a.note)), max(b.n) FROM p.s.parents p CROSS JOIN p.s.rows a "
        "LEFT JOIN p.s.rows b ON b.tag = 't' || (p.big + 1) AND b.n > a.n WHERE a.tag = 't' || p.big "
        "AND p.big < 20 GROUP BY p.big"
    )
    rows = rows_of(session, sql)
    # Ten rows a tag, each with the later ones of the next tag.
    assert rows == [(n, 55, 55 * len(NOTE), 3601 + n) for n in range(20)]
    assert Counter(server.asked)["/rows"] == ROWS // 100


def test_a_small_shelf_gives_back_what_it_was_given() -> None:
    shelf = Shelf(limit=10)
    given = [{"page": n, "rows": [(n, "ü", None, b"\x00", 0.5)] * n} for n in range(50)]
    tickets = [shelf.put(value, 4) for value in given]
    for _ in range(2):
        for ticket, value in zip(reversed(tickets), reversed(given), strict=True):
            assert shelf.get(ticket) == value
        shelf.put("more", 4)
    shelf.close()


@EVERY_WAY
def test_every_numbered_page_comes_once(make_wide: MakeWide, paths: Paths) -> None:
    session, server = make_wide(paths)
    assert rows_of(session, "SELECT count(*), sum(n), max(num) FROM p.s.numbered") == [(2000, 5995, 1999)]
    assert server.asked == ["/numbered"] * 20


@EVERY_WAY
def test_two_keys_with_one_hash_are_two_rows(make_wide: MakeWide, paths: Paths) -> None:
    # To Python -1 and -2 hash alike, and so do numbers that are 2^61 - 1 apart.
    numbers = (-2, -1, 0, 1, 2**61 - 1, 2**61)
    session, _ = make_wide(paths, *numbers)
    found = rows_of(session, "SELECT num FROM p.s.numbered")
    assert sorted(found) == [(number,) for number in numbers]
