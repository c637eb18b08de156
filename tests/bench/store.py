"""What the bench's server has: the items, as the peers and the checks make them, and their bodies, prepared.

Every figure is a function of an item's number, so that a check needs no request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import orjson

from sqlprovider.values import Row, SQLValue

Item = dict[str, SQLValue]

COLUMNS = ("id", "name", "owner", "status", "size", "score", "done", "note")
PAGE = 1000
BOARD_PAGE = 100
CARDS = 5
LEAVES = 3
ROOT = "root-0"
_STATUSES = ("FINISHED", "RUNNING", "FAILED", "KILLED")
_PRIME = 1_000_003
"""More than there are rows: a number times anything, modulo it, never repeats."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of everything there is."""

    rows: int = 100_000
    million: int = 1_000_000
    forty: int = 40_000
    pairs: int = 20_000
    boards: int = 400
    fan: int = 20
    """Parents of the root, and children of each parent."""
    keys: int = 100
    many_keys: int = 2000
    points: int = 10_000
    runs: int = 1000
    experiments: int = 30
    tracked: int = 1500
    """Runs of the MLflow server."""


FULL = Scale()


def item(number: int, prefix: str = "r") -> Item:
    """One of `rows` and of the lists like it: eight fields of mixed types, in the order of COLUMNS."""
    return {
        "id": f"{prefix}{number:07}",
        "name": f"row-{number}",
        "owner": f"user-{number * 7 % 97}",
        "status": _STATUSES[number * 3 % 4],
        "size": number * 7919 % _PRIME,
        "score": number * 31 % 1000 / 1000,
        "done": number % 3 == 0,
        "note": None if number % 5 else f"note {number % 11}",
    }


def pair(number: int, prefix: str, of: int) -> Item:
    """One of so many `lefts` or `rights`: each tag stands in two rows of either, far apart."""
    step = 7919 if prefix == "l" else 104_729
    return {
        "id": f"{prefix}{number:07}",
        "tag": f"tag-{number * step % of // 2}",
        "size": number * 7919 % _PRIME,
    }


def key_of(number: int) -> str:
    """The key of one of `items`."""
    return f"i{number:07}"


def board(number: int) -> Item:
    return {"id": f"board-{number}", "name": f"Board {number}", "size": board_size(number)}


def board_size(number: int) -> int:
    """Of 400 boards, each has one of its own."""
    return number * 7919 % 400


def cards(number: int) -> list[Item]:
    """The cards of a board; every eighth has none."""
    if number % 8 == 7:
        return []
    return [{"id": f"card-{n}", "title": f"Card {n} of {number}", "points": n * number} for n in range(CARDS)]


def branch(name: str, number: int) -> Item:
    """A root, a parent, a child or a grandchild."""
    return {"id": f"{name}-{number}", "name": f"{name.title()} {number}", "size": number * 13 % 100}


def row_of(found: Item) -> Row:
    """An item of `rows` as SQL shows it."""
    return tuple(found[name] for name in COLUMNS)


class Pages:
    """A list, cut into pages as they are asked for; whole pages are made once."""

    def __init__(self, items: Sequence[bytes], *, cap: int = PAGE, keep: bool = True) -> None:
        self._items = items
        self._cap = cap
        self._keep = keep
        self._kept: dict[tuple[int, int], bytes] = {}

    def prepare(self) -> None:
        """Makes every page of the largest size."""
        for start in range(0, len(self._items), self._cap):
            self._cut(start, self._cap)

    def by_token(self, size: str, token: str) -> bytes:
        """The page at a token, and the next one's."""
        start, most = int(token or 0), self._size(size)
        more = b',"next":"%d"' % (start + most) if start + most < len(self._items) else b""
        return b'{"rows":[%b]%b}' % (self._cut(start, most), more)

    def by_number(self, size: str, number: str) -> bytes:
        """The page of a number, from 1, and how many rows there are."""
        most = self._size(size)
        start = (int(number or 1) - 1) * most
        return b'{"rows":[%b],"total":%d}' % (self._cut(start, most), len(self._items))

    def _size(self, asked: str) -> int:
        return max(1, min(int(asked or self._cap), self._cap))

    def _cut(self, start: int, size: int) -> bytes:
        body = self._kept.get((start, size))
        if body is None:
            body = b",".join(self._items[start : start + size])
            if self._keep and size == self._cap:
                self._kept[start, size] = body
        return body


class _Repeated(Sequence[bytes]):
    """As many items as wanted, each with an id of its own, made of the few that are held."""

    def __init__(self, count: int, items: Sequence[bytes]) -> None:
        self._count = count
        self._tails = [text[text.index(b",") :] for text in items]

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, at: int | slice) -> list[bytes]:  # type: ignore[override]  # only slices are asked for
        assert isinstance(at, slice)
        held = len(self._tails)
        return [b'{"id":"r%07d"%b' % (n, self._tails[n % held]) for n in range(*at.indices(self._count))]


class Store:
    """Every answer: by its path alone, or by path and page."""

    def __init__(self, scale: Scale) -> None:
        rows = [orjson.dumps(item(number)) for number in range(scale.rows)]
        ascending = sorted(range(scale.rows), key=lambda number: number * 7919 % _PRIME)
        plain = Pages(rows)
        self._sorted = {
            "size": Pages([rows[number] for number in ascending], keep=False),
            "size ASC": Pages([rows[number] for number in ascending], keep=False),
            "size DESC": Pages([rows[number] for number in reversed(ascending)], keep=False),
        }
        self._tokens = {
            "/rows": plain,
            "/ordered": plain,
            "/masked": plain,
            "/million": Pages(_Repeated(scale.million, rows[:PAGE]), keep=False),
            "/lefts": Pages([orjson.dumps(pair(n, "l", scale.pairs)) for n in range(scale.pairs)]),
            "/rights": Pages([orjson.dumps(pair(n, "r", scale.pairs)) for n in range(scale.pairs)]),
            "/boards": Pages([orjson.dumps(board(n)) for n in range(scale.boards)], cap=BOARD_PAGE),
        }
        self._numbers = {"/numbered": plain, "/forty": Pages(rows[: scale.forty])}
        for pages in (*self._tokens.values(), *self._numbers.values()):
            if pages is not self._tokens["/million"]:
                pages.prepare()
        self._fixed = dict(_fixed(scale))
        self._rows = scale.rows
        self._masked: dict[str, Pages] = {}

    def answer(self, path: str, query: Callable[[str], str]) -> bytes | None:
        """The body; None where there is nothing. `query` gives a parameter's value, or an empty text."""
        if (fixed := self._fixed.get(path)) is not None:
            return fixed
        size = query("page_size")
        if (pages := self._numbers.get(path)) is not None:
            return pages.by_number(size, query("page"))
        if (pages := self._tokens.get(path)) is None:
            return None
        if path == "/masked" and (fields := query("fields")):
            return self._of_fields(fields).by_token(size, query("page_token"))
        order = query("order_by")
        return (self._sorted[order] if order else pages).by_token(size, query("page_token"))

    def _of_fields(self, fields: str) -> Pages:
        """The rows with no more than these fields, made when they are first asked for."""
        if fields not in self._masked:
            names = fields.split(",")
            found = map(item, range(self._rows))
            self._masked[fields] = Pages([orjson.dumps({name: one[name] for name in names}) for one in found])
        return self._masked[fields]


def _fixed(scale: Scale) -> Iterator[tuple[str, bytes]]:
    for number in range(scale.many_keys):
        yield f"/items/{key_of(number)}", orjson.dumps({**item(number), "id": key_of(number)})
    for number in range(scale.boards):
        yield f"/boards/board-{number}/cards", _whole(cards(number))
    yield "/roots", _whole([branch("root", 0)])
    parents = f"/roots/{ROOT}/parents"
    yield parents, _whole(branch("parent", n) for n in range(scale.fan))
    for parent in range(scale.fan):
        children = f"{parents}/parent-{parent}/children"
        yield children, _whole(branch("child", n) for n in range(scale.fan))
        for child in range(scale.fan):
            leaves = (branch("grandchild", n) for n in range(LEAVES))
            yield f"{children}/child-{child}/grandchildren", _whole(leaves)
    experiment = {"experiment_id": "1", "name": "bench", "lifecycle_stage": "active"}
    yield "/api/2.0/mlflow/experiments/search", orjson.dumps({"experiments": [experiment]})


def _whole(items: Iterator[Item] | list[Item]) -> bytes:
    return orjson.dumps({"rows": list(items)})
