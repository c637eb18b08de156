"""Things, their parts and the bits of those: the data, a server that filters and sorts it, and the oracle."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any

import httpx

from sqlprovider.values import JSON, Row
from tests.vtab.world import MISSING, Answer, Asked

THINGS: list[dict[str, JSON]] = [
    {
        "id": f"t{n:02}",
        "name": None if n == 7 else f"{'N' if n % 4 == 0 else 'n'}{n % 3}",
        "note": ["Alpha beta", "alpha_1", "gamma", None][n % 4],
        "size": None if n == 9 else (n * 7) % 5,
        "score": None if n == 3 else n % 4 + 0.5,
        "at": None if n == 5 else f"2026-01-{n:02}T03:04:05.{n:03}Z",
        "done": n % 2 == 0,
        "labels": {"n": n},
    }
    for n in range(1, 13)
]
PARTS: list[dict[str, JSON]] = [
    {"thing": f"t{n:02}", "part": f"p{m}", "weight": n * m} for n in range(1, 13) for m in range(1, 1 + n % 4)
]
BITS: list[dict[str, JSON]] = [
    {"thing": part["thing"], "part": part["part"], "bit": f"b{m}"} for part in PARTS for m in range(2)
]

_THINGS = """
  things:
    key: [id]
    parameters: {id: {path: id}}
    columns:
      name: TEXT
      note: TEXT
      size: INTEGER
      score: REAL
      at: {type: DATETIME, wire: rfc3339}
      done: BOOLEAN
      labels: JSON
    response: {next: TEXT}
    methods:
      list:
        verb: SELECT
        http: GET /things
        parameters: {filter: TEXT, order_by: TEXT, page_size: INTEGER, page_token: TEXT}
        rows: things[]
        pages: {style: token, parameter: page_token, token: next, size: page_size, size_max: 5}
"""
_PUSH = """
        push:
          filter:
            parameter: filter
            escape: double
            terms:
              name: {name: name, ops: ["=", "!=", IN], exact: true}
              size: {name: size, value: number, ops: ["=", "<", "<=", ">", ">="], exact: true}
              note: {name: note, ops: {"=": "=", LIKE: LIKE}}
          order:
            parameter: order_by
            columns: {size: size, id: id}
            exact: {size: [ASC, DESC], id: [ASC]}
"""
_GET = """
      get: {verb: SELECT, http: "GET /things/{id}", missing: true}
"""
_BELOW = """
  parts:
    key: [thing, part]
    parents: [{resource: things, bind: {thing: id}}]
    parameters: {thing: {}, part: {path: part}}
    columns: {weight: INTEGER}
    methods:
      list: {verb: SELECT, http: "GET /things/{thing}/parts", rows: "parts[]", pages: one, missing: true}
      get: {verb: SELECT, http: "GET /things/{thing}/parts/{part}", missing: true}
  bits:
    key: [thing, part, bit]
    parents: [{resource: parts, bind: [thing, part]}]
    parameters: {thing: {}, part: {}, bit: {path: bit}}
    methods:
      list:
        verb: SELECT
        http: GET /things/{thing}/parts/{part}/bits
        rows: bits[]
        pages: one
        missing: true
"""
PLAIN = _THINGS + _GET + _BELOW
"""The API can neither filter nor sort."""
PUSHING = _THINGS + _PUSH + _GET + _BELOW
"""It can: `name` and `size` exactly, `note` with more rows than SQLite keeps; it sorts by `size` and `id`."""


def routes() -> Mapping[str, Answer]:
    """The server. Its filter and its order are SQLite's, over the same data."""
    return {
        "GET /things": _list,
        "GET /things/([^/]+)": lambda asked: _get(THINGS, id=asked.groups[0]),
        "GET /things/([^/]+)/parts": _list_parts,
        "GET /things/([^/]+)/parts/([^/]+)": lambda asked: _get(
            PARTS, thing=asked.groups[0], part=asked.groups[1]
        ),
        "GET /things/([^/]+)/parts/([^/]+)/bits": lambda asked: {
            "bits": [b for b in BITS if (b["thing"], b["part"]) == asked.groups]
        },
    }


def oracle(sql: str) -> list[Row]:
    """What SQLite makes of the statement over tables that hold the data."""
    with closing(sqlite3.connect(":memory:")) as connection:
        _fill(connection)
        return connection.execute(sql.replace("p.s.", "")).fetchall()


def _list(asked: Asked) -> JSON:
    query = asked.query
    size, start = min(5, int(query.get("page_size", 5))), int(query.get("page_token", 0))
    order = f" ORDER BY {query['order_by']}" if "order_by" in query else ""
    with closing(sqlite3.connect(":memory:")) as connection:
        _fill(connection)
        # The note is compared without regard to case: more rows than SQLite's `=` keeps.
        where = query.get("filter", "1").replace("note =", "note COLLATE NOCASE =")
        ids = [id_ for (id_,) in connection.execute(f"SELECT id FROM things WHERE {where}{order}")]
    found = [next(t for t in THINGS if t["id"] == id_) for id_ in ids]
    page: dict[str, JSON] = {"things": list[JSON](found[start : start + size])}
    return page if start + size >= len(found) else {**page, "next": str(start + size)}


def _list_parts(asked: Asked) -> JSON | httpx.Response:
    (thing,) = asked.groups
    if all(t["id"] != thing for t in THINGS):
        return MISSING
    return {"parts": [p for p in PARTS if p["thing"] == thing]}


def _get(items: Iterable[dict[str, JSON]], **key: str) -> JSON | httpx.Response:
    return next((i for i in items if all(i[name] == value for name, value in key.items())), MISSING)


def _fill(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE things(id TEXT, name TEXT, note TEXT, size INTEGER, score REAL, at TEXT, done BOOLEAN, "
        "labels TEXT)"
    )
    connection.execute("CREATE TABLE parts(thing TEXT, part TEXT, weight INTEGER)")
    connection.execute("CREATE TABLE bits(thing TEXT, part TEXT, bit TEXT)")
    for table, rows in (("things", THINGS), ("parts", PARTS), ("bits", BITS)):
        marks = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", [_cells(row) for row in rows])


def _cells(row: Mapping[str, JSON]) -> list[Any]:
    cells = dict(row)
    if isinstance(at := cells.get("at"), str):
        cells["at"] = at.replace("T", " ").removesuffix("Z")
    return [
        json.dumps(value, separators=(",", ":")) if isinstance(value, dict) else value
        for value in cells.values()
    ]
