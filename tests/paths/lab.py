"""A platform made for the ways round: a tree of three levels, numbered and ordered lists, single items.

Pages are small, so that each list has several; values are awkward where SQLite compares text with numbers.
The data, the document, and what answers a request; nothing here sends or serves.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from sqlprovider.catalog.catalog import LoadProvider
from sqlprovider.catalog.load import load_provider
from sqlprovider.catalog.model import Resource
from sqlprovider.values import JSON, SQLValue

Item = dict[str, JSON]
CODES = ("1", "01", "1.0", None, " 2", "2e0", "x", "", "3 ", "0x1")
_BIG = 2**53 + 1
_IDS = ("t1", "t2", "t3", "t4", "t'5", "t ü", "T1", "t11", "x1")


def _thing(place: int, id_: str) -> Item:
    n = place + 1
    return {
        "id": id_,
        "n": None if n == 7 else n % 6,
        "code": CODES[place % len(CODES)],
        "score": None if n == 3 else (n % 4) / 2,
        "name": None if n == 5 else ("N", "n", "it's", "ü", "")[place % 5],
        "at": None if n == 6 else f"2026-01-{n % 4 + 1:02}T03:04:05.{n % 3:03}Z",
        "done": n % 2 == 0,
        "labels": {"n": n % 3, "it's": "x"} if n % 2 else {},
    }


THINGS: list[Item] = [_thing(place, id_) for place, id_ in enumerate(_IDS)]
PARTS: list[Item] = [
    {"thing": id_, "part": f"p{m}", "weight": place * m % 5, "tag": CODES[(place + m) % len(CODES)]}
    for place, id_ in enumerate(_IDS)
    for m in range((0, 1, 3, 0, 1, 2, 1, 0, 1)[place])
]
BITS: list[Item] = [
    {"thing": part["thing"], "part": part["part"], "bit": m, "level": (place + m) % 3, "mark": f"b{m}"}
    for place, part in enumerate(PARTS)
    for m in range((0, 3, 1, 5, 2)[place % 5])
]
NUMBERS: list[Item] = [
    {
        "num": n,
        "label": None if n == 4 else f"{'L' if n % 3 else 'l'}{n % 4}",
        "half": None if n % 7 == 3 else n / 2,
        "big": (str(_BIG), str(_BIG - 1), "1", "-1", None)[n % 5],
        "thing": _IDS[n % 5] if n % 6 else None,
    }
    for n in range(-1, 17)
]
RANKED: list[Item] = [
    {"id": f"r{n}", "rank": None if n % 6 == 5 else n * 5 % 7, "name": "abA'"[n % 4], "score": n % 5 / 4}
    for n in range(11)
]
_ROWS: tuple[tuple[JSON, JSON, JSON, JSON], ...] = (
    ("1", 1, 1.0, {"k": 1}),
    ("01", 1, 1.5, {"k": "1"}),
    ("1", 1, 1.0, {"k": 1}),
    ("1.0", 2, 2.0, []),
    (None, None, None, None),
    (str(_BIG), _BIG, float(_BIG), {"k": None}),
    ("9007199254740992", _BIG - 1, -0.0, {}),
    ("t1", 0, 0.0, [1, "x"]),
    ("it's", -1, -1.0, {"it's": 1}),
    ("ü", 3, 1e20, {"k": "ü"}),
    ("", 4, 0.5, {"k": ""}),
    (" 2", 5, 2.5, None),
)
MARKS: list[Item] = [dict(zip("abcd", row, strict=True)) for row in _ROWS]
ITEMS: list[Item] = [{"id": f"t{n}", "n": n % 3, "label": CODES[n % len(CODES)]} for n in range(1, 10, 2)]
PICKS: list[Item] = [
    {"id": id_, "n": place % 4, "code": CODES[place % len(CODES)]} for place, id_ in enumerate((*_IDS, "t,1"))
]
DATA: Mapping[str, Sequence[Item]] = {
    "things": THINGS,
    "parts": PARTS,
    "bits": BITS,
    "numbers": NUMBERS,
    "ranked": RANKED,
    "marks": MARKS,
    "items": ITEMS,
    "picks": PICKS,
}

PROVIDER = """
provider: lab
title: A lab
services: [s]
base_url: {env: LAB_URL}
auth: {types: [none], default: none}
errors: {code: code, message: message, missing: [missing]}
"""
SERVICE = """
service: s
title: The only service
version: v1
resources:
  things:
    key: [id]
    parameters: {id: {path: id}}
    columns: {n: INTEGER, code: TEXT, score: REAL, name: TEXT, at: {type: DATETIME, wire: rfc3339},
      done: BOOLEAN, labels: JSON}
    response: {next: TEXT}
    methods:
      list: &tokens
        verb: SELECT
        http: GET /things
        parameters: {size: INTEGER, token: TEXT}
        rows: rows[]
        pages: {style: token, parameter: token, token: next, size: size, size_max: 4}
      get: {verb: SELECT, http: "GET /things/{id}", missing: true}
  parts:
    key: [thing, part]
    parents: [{resource: things, bind: {thing: id}}]
    parameters: {thing: {path: thing}, part: {path: part}}
    columns: {weight: INTEGER, tag: TEXT}
    response: {next: TEXT}
    methods:
      list: {<<: *tokens, http: "GET /things/{thing}/parts", missing: true,
        pages: {style: token, parameter: token, token: next, size: size, size_max: 2}}
      get: {verb: SELECT, http: "GET /things/{thing}/parts/{part}", missing: true}
  bits:
    key: [thing, part, bit]
    parents: [{resource: parts, bind: [thing, part]}]
    parameters: {thing: {path: thing}, part: {path: part}, bit: {type: INTEGER, path: bit}}
    columns: {level: INTEGER, mark: TEXT}
    response: {total: INTEGER}
    methods:
      list:
        verb: SELECT
        http: GET /things/{thing}/parts/{part}/bits
        parameters: {size: INTEGER, page: INTEGER}
        rows: rows[]
        missing: true
        pages: {style: number, parameter: page, total: total, size: size, size_max: 2}
  numbers:
    key: [num]
    parameters: {num: {type: INTEGER, path: num}}
    columns: {label: TEXT, half: REAL, big: {type: INTEGER, wire: int64}, thing: TEXT}
    response: {total: INTEGER}
    methods:
      list:
        verb: SELECT
        http: GET /numbers
        parameters: {size: INTEGER, page: INTEGER, label: TEXT}
        rows: rows[]
        pages: {style: number, parameter: page, total: total, size: size, size_max: 7}
        push: {equals: {label: label}}
  ranked:
    key: [id]
    parameters: {id: {path: id}}
    columns: {rank: INTEGER, name: TEXT, score: REAL}
    response: {next: TEXT}
    methods:
      list:
        <<: *tokens
        http: GET /ranked
        parameters: {size: INTEGER, token: TEXT, filter: TEXT, order: TEXT}
        push:
          filter:
            parameter: filter
            escape: double
            terms:
              name: {name: name, ops: ["=", IN], exact: true}
              rank: {name: rank, value: number, ops: ["=", "<", ">="], exact: true}
              score: {name: score, value: number, ops: {">": ">"}}
          order:
            parameter: order
            columns: {rank: rank, score: score, id: id}
            exact: {rank: [ASC, DESC], score: [DESC], id: [ASC]}
  marks:
    columns: {a: TEXT, b: INTEGER, c: REAL, d: JSON}
    methods:
      list: {verb: SELECT, http: GET /marks, rows: "rows[]", pages: one}
  items:
    key: [id]
    parameters: {id: {path: id}}
    columns: {n: INTEGER, label: TEXT}
    methods:
      get: {verb: SELECT, http: "GET /items/{id}", missing: true}
  picks:
    key: [id]
    parameters: {id: {path: id}}
    columns: {n: INTEGER, code: TEXT}
    response: {total: INTEGER}
    methods:
      find:
        verb: SELECT
        http: GET /picks
        parameters: {id: {required: true, several: ids}, ids: TEXT, size: INTEGER, page: INTEGER}
        rows: rows[]
        pages: {style: number, parameter: page, total: total, size: size, size_max: 3}
"""
MISSING: tuple[int, JSON] = 404, {"code": "missing", "message": "no such thing"}


def write_document(folder: Path) -> LoadProvider:
    """Puts the document into a folder, if it is not there; what loads it from there."""
    if not (folder / "lab").exists():
        (folder / "lab").mkdir(parents=True)
        (folder / "lab" / "provider.yaml").write_text(PROVIDER, encoding="utf-8")
        (folder / "lab" / "s.yaml").write_text(SERVICE, encoding="utf-8")
    return lambda name, versions: load_provider(name, versions, directories=(folder,))


def objects(resource: Resource) -> Iterable[Mapping[str, SQLValue]]:
    """What the oracle's tables hold."""
    for item in DATA[resource.name.resource]:
        yield {name: _cell(name, value) for name, value in item.items()}


def answer(path: str, query: str) -> tuple[int, JSON]:
    """What the API answers a GET: status and JSON."""
    asked = dict(parse_qsl(query, keep_blank_values=True))
    # Each part by itself: a name may hold an encoded slash.
    match [unquote(part) for part in path.strip("/").split("/")]:
        case ["things"]:
            return 200, _by_token(THINGS, asked, 4)
        case ["ranked"]:
            return 200, _by_token(_ranked(asked), asked, 4)
        case ["numbers"]:
            found = [item for item in NUMBERS if "label" not in asked or item["label"] == asked["label"]]
            return 200, _by_number(found, asked, 7)
        case ["marks"]:
            return 200, {"rows": list[JSON](MARKS)}
        case ["picks"]:
            ids = [asked["id"]] if "id" in asked else asked["ids"].split(",")
            return 200, _by_number([item for item in PICKS if item["id"] in ids], asked, 3)
        case ["items", id_]:
            return _one(ITEMS, id=id_)
        case ["things", id_]:
            return _one(THINGS, id=id_)
        case ["things", thing, *below]:
            return _below(thing, below, asked)
    return MISSING


def _below(thing: str, below: list[str], asked: Mapping[str, str]) -> tuple[int, JSON]:
    if all(item["id"] != thing for item in THINGS):
        return MISSING
    parts = [item for item in PARTS if item["thing"] == thing]
    match below:
        case ["parts"]:
            return 200, _by_token(parts, asked, 2)
        case ["parts", part]:
            return _one(parts, part=part)
        case ["parts", part, "bits"] if any(item["part"] == part for item in parts):
            bits = [item for item in BITS if (item["thing"], item["part"]) == (thing, part)]
            return 200, _by_number(bits, asked, 2)
    return MISSING


def _one(items: Iterable[Item], **key: str) -> tuple[int, JSON]:
    found = (item for item in items if all(item[name] == value for name, value in key.items()))
    return next(((200, item) for item in found), MISSING)


def _by_token(items: Sequence[Item], asked: Mapping[str, str], most: int) -> Item:
    start, size = int(asked.get("token", 0)), min(most, int(asked.get("size", most)))
    page: Item = {"rows": list[JSON](items[start : start + size])}
    return page if start + size >= len(items) else {**page, "next": str(start + size)}


def _by_number(items: Sequence[Item], asked: Mapping[str, str], most: int) -> Item:
    number, size = int(asked.get("page", 1)), min(most, int(asked.get("size", most)))
    start = (number - 1) * size
    return {"rows": list[JSON](items[start : start + size]), "total": len(items)}


class _Sorted:
    """SQLite filters and sorts for the API, so that its order is SQLite's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(":memory:", check_same_thread=False)
        self._connection.execute("CREATE TABLE ranked(id TEXT, rank INTEGER, name TEXT, score REAL)")
        rows = [tuple(item.values()) for item in RANKED]
        self._connection.executemany("INSERT INTO ranked VALUES (?, ?, ?, ?)", rows)

    def ids(self, where: str, order: str) -> list[str]:
        with self._lock:
            sql = f"SELECT id FROM ranked WHERE {where} ORDER BY {order}"
            return [id_ for (id_,) in self._connection.execute(sql)]


_SORTED = _Sorted()


def _ranked(asked: Mapping[str, str]) -> list[Item]:
    by_id = {item["id"]: item for item in RANKED}
    return [by_id[id_] for id_ in _SORTED.ids(asked.get("filter", "1"), asked.get("order", "rowid"))]


def _cell(name: str, value: JSON) -> SQLValue:
    match value:
        case bool():
            return int(value)
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        case str() if name == "at":
            return value.replace("T", " ").removesuffix("Z")
        case str() if name == "big":
            return int(value)
    return value


def wsgi_app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """The API behind a socket."""
    path, _, query = str(environ["RAW_URI"]).partition("?")
    status, body = answer(path, query)
    start_response(f"{status} Said", [("Content-Type", "application/json")])
    return [json.dumps(body).encode()]
