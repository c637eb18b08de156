"""Rows 4, 5, 6 and 9: what SQLite asks for row by row, and what it asks for twice."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tests.bench.bench import Bench
from tests.bench.goals import Faster, Goal, Requests, SameRequests, Wasted
from tests.bench.measure import Work
from tests.bench.peers import boards_with_cards, in_tables, three_levels
from tests.bench.store import BOARD_PAGE, PAGE, ROOT, board, board_size, cards

_BOARDS = "bench.store.boards AS b"
_CARDS = "bench.store.cards AS c USING (board)"
_JOIN = f"SELECT b.name, c.title, c.points FROM {_BOARDS} JOIN {_CARDS}"
_LEVELS = (
    "SELECT p.name, c.name, g.name FROM bench.store.parents AS p "
    "JOIN bench.store.children AS c USING (root, parent) "
    f"JOIN bench.store.grandchildren AS g USING (root, parent, child) WHERE p.root = '{ROOT}'"
)
_IN_TURN = "one at a time"
_MIDDLE = 200
"""Half of 400 boards have this size or a greater one."""


def join_works(bench: Bench) -> Iterator[Work]:
    """The dependent joins."""
    boards, fan = bench.scale.boards, bench.scale.fan
    pages = -(-boards // BOARD_PAGE)
    whole = pages + boards
    kept = sum(board_size(number) >= _MIDDLE for number in range(boards))
    fast: tuple[Goal, ...] = (Faster(10),)
    yield bench.work(
        4,
        f"join of {boards} parents with their children",
        _JOIN,
        Faster(13),
        Requests(whole),
        peer=boards_with_cards,
        against=_IN_TURN,
    )
    yield bench.work(
        5,
        f"join of 3 levels ({fan} × {fan})",
        _LEVELS,
        *fast,
        Wasted(1 + fan + fan * fan),
        peer=three_levels,
        against=_IN_TURN,
    )
    yield bench.work(
        5,
        f"LEFT JOIN of {boards} parents with their children",
        _JOIN.replace(" JOIN", " LEFT JOIN"),
        *fast,
        Wasted(whole),
        peer=partial(boards_with_cards, outer=True),
        against=_IN_TURN,
    )
    yield bench.work(
        5,
        f"join with a filter that keeps {kept} of {boards} parents",
        f"{_JOIN} WHERE b.size >= {_MIDDLE}",
        *fast,
        Wasted(pages + kept),
        peer=partial(boards_with_cards, at_least=_MIDDLE),
        against=_IN_TURN,
    )
    truth = {
        (board(number)["name"], card["title"], card["points"])
        for number in range(boards)
        for card in cards(number)
    }
    yield bench.work(
        6,
        f"join of {boards} parents with their children, LIMIT 10",
        f"{_JOIN} LIMIT 10",
        Requests(24),
        accepts=lambda rows: len(rows) == len(set(rows)) == 10 and truth.issuperset(rows),
    )


def twice_works(bench: Bench) -> Iterator[Work]:
    """One list, named twice in a statement. (PAGE rows a request: its pages are asked for once.)"""
    list_ = "{}lefts"
    statements = {
        "self-join of one list": f"SELECT a.id, b.id FROM {list_} AS a JOIN {list_} AS b ON a.tag = b.tag",
        "a CTE used twice": (
            f"WITH l AS (SELECT id, tag, size FROM {list_}) "
            "SELECT a.id, b.size FROM l AS a JOIN l AS b ON a.tag = b.tag WHERE a.id < b.id"
        ),
        "UNION of one list": (
            f"SELECT id FROM {list_} WHERE size < 500000 UNION SELECT id FROM {list_} WHERE size > 400000"
        ),
    }
    for title, sql in statements.items():
        yield bench.work(
            9,
            f"{title} of {bench.scale.pairs // PAGE} pages",
            sql.replace("{}", "bench.store."),
            SameRequests(),
            peer=partial(in_tables, sql=sql.replace("{}", ""), names=("lefts",)),
            against="the list loaded once, the same SQL",
        )
