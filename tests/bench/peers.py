"""What somebody would write without the engine: httpx.Client, orjson, tuples, one request at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from operator import itemgetter
from typing import Any

import httpx
import orjson

from sqlprovider.values import Row
from tests.bench.store import COLUMNS, PAGE, ROOT, key_of

_CELLS = itemgetter(*COLUMNS)
_NAMED = itemgetter("id", "name", "size")

_Found = dict[str, Any]
"""An item as orjson gives it."""


def pages(client: httpx.Client, path: str, *, size: int = PAGE) -> Iterator[list[_Found]]:
    """The items of each page, by its token."""
    token = ""
    while True:
        page = _get(client, path, {"page_size": size, **({"page_token": token} if token else {})})
        yield page["rows"]
        if not (token := page.get("next", "")):
            return


def scan(client: httpx.Client) -> list[Row]:
    """The floor: every row as a tuple."""
    rows: list[Row] = []
    for page in pages(client, "/rows"):
        rows.extend(map(_CELLS, page))
    return rows


def grouped(client: httpx.Client) -> list[Row]:
    """Count, sum of sizes and best score by owner, of the rows above a score that have not failed."""
    groups: dict[str, list[Any]] = {}
    for page in pages(client, "/rows"):
        for found in page:
            score = found["score"]
            if score > 0.25 and found["status"] != "FAILED":
                group = groups.get(owner := found["owner"])
                if group is None:
                    groups[owner] = [1, found["size"], score]
                else:
                    group[0] += 1
                    group[1] += found["size"]
                    if score > group[2]:
                        group[2] = score
    return [(owner, *group) for owner, group in groups.items()]


def numbered(client: httpx.Client) -> list[Row]:
    """Forty numbered pages, one after the other."""
    rows: list[Row] = []
    number = 1
    while True:
        page = _get(client, "/forty", {"page": number, "page_size": PAGE})
        rows.extend(map(_CELLS, page["rows"]))
        if len(rows) >= page["total"]:
            return rows
        number += 1


def keyed(client: httpx.Client, keys: Iterable[str]) -> list[Row]:
    """One item after the other."""
    return [_CELLS(_get(client, f"/items/{key}")) for key in keys]


def keyed_by_threads(client: httpx.Client, keys: Iterable[str], *, threads: int) -> list[Row]:
    """The same by so many threads, and as many connections."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda key: _CELLS(_get(client, f"/items/{key}")), keys))


def boards_with_cards(client: httpx.Client, *, at_least: int = 0, outer: bool = False) -> list[Row]:
    """Each board's name and its cards' titles and points; `outer`: a board without cards too."""
    rows: list[Row] = []
    for page in pages(client, "/boards", size=100):
        for board in page:
            if board["size"] < at_least:
                continue
            found = _get(client, f"/boards/{board['id']}/cards")["rows"]
            rows.extend((board["name"], card["title"], card["points"]) for card in found)
            if outer and not found:
                rows.append((board["name"], None, None))
    return rows


def three_levels(client: httpx.Client) -> list[Row]:
    """The names of parent, child and grandchild below the root."""
    rows: list[Row] = []
    parents = f"/roots/{ROOT}/parents"
    for parent in _get(client, parents)["rows"]:
        children = f"{parents}/{parent['id']}/children"
        for child in _get(client, children)["rows"]:
            found = _get(client, f"{children}/{child['id']}/grandchildren")["rows"]
            rows.extend((parent["name"], child["name"], leaf["name"]) for leaf in found)
    return rows


def walk(client: httpx.Client) -> list[Row]:
    """Every grandchild there is, from the roots down."""
    rows: list[Row] = []
    for root in _get(client, "/roots")["rows"]:
        parents = f"/roots/{root['id']}/parents"
        for parent in _get(client, parents)["rows"]:
            children = f"{parents}/{parent['id']}/children"
            for child in _get(client, children)["rows"]:
                above = (root["id"], parent["id"], child["id"])
                found = _get(client, f"{children}/{child['id']}/grandchildren")["rows"]
                rows.extend((*above, *_NAMED(leaf)) for leaf in found)
    return rows


def in_tables(client: httpx.Client, sql: str, names: Iterable[str]) -> list[Row]:
    """The SQL over tables of SQLite that the lists are loaded into first."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for name in names:
            connection.execute(f"CREATE TABLE {name}(id TEXT, tag TEXT, size INTEGER)")
            for page in pages(client, f"/{name}"):
                cells = map(itemgetter("id", "tag", "size"), page)
                connection.executemany(f"INSERT INTO {name} VALUES (?, ?, ?)", cells)
        return connection.execute(sql).fetchall()


def first_keys(count: int) -> list[str]:
    """The keys of the first so many items."""
    return [key_of(number) for number in range(count)]


def _get(client: httpx.Client, path: str, params: Mapping[str, int | str] | None = None) -> _Found:
    response = client.get(path, params=params)
    response.raise_for_status()
    found: _Found = orjson.loads(response.content)
    return found
