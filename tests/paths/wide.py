"""Lists of thousands of rows, and parents by the hundred: too many for a window, a page or a shelf."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx

from sqlprovider.catalog.catalog import LoadProvider
from sqlprovider.catalog.load import load_provider
from sqlprovider.config import load_config
from sqlprovider.session import Paths, Session
from tests.paths.lab import MISSING, PROVIDER
from tests.paths.open import EVERY

PARENTS = 300
ROWS = 4000
NOTE = "x" * 2500
SERVICE = """
service: s
title: The only service
version: v1
resources:
  parents:
    key: [id]
    parameters: {id: {path: id}}
    columns: {n: INTEGER, big: INTEGER}
    response: {next: TEXT}
    methods:
      list: &tokens
        verb: SELECT
        http: GET /parents
        parameters: {size: INTEGER, token: TEXT}
        rows: rows[]
        pages: {style: token, parameter: token, token: next, size: size, size_max: 100}
  children:
    key: [id, child]
    parents: [{resource: parents, bind: [id]}]
    parameters: {id: {path: id}, child: {path: child}}
    columns: {n: INTEGER}
    methods:
      list: {verb: SELECT, http: "GET /parents/{id}/children", rows: "rows[]", pages: one, missing: true}
  rows:
    columns: {n: INTEGER, tag: TEXT, note: TEXT}
    response: {next: TEXT}
    methods:
      list: {<<: *tokens, http: GET /rows, pages: {style: token, parameter: token, token: next}}
  numbered:
    key: [num]
    parameters: {num: {type: INTEGER, path: num}}
    columns: {n: INTEGER}
    methods:
      list:
        verb: SELECT
        http: GET /numbered
        parameters: {page: INTEGER, size: INTEGER}
        rows: rows[]
        pages: {style: number, parameter: page, total: total, size: size, size_max: 100}
"""


class Wide:
    """The API. It counts what it is asked for, by path."""

    def __init__(self, numbers: tuple[int, ...] = tuple(range(2000))) -> None:
        self.asked: list[str] = []
        self._numbers = numbers
        self._lock = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        status, body = self.answer(path, query)
        return httpx.Response(status, json=body)

    def wsgi(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        """The API behind a socket."""
        path, _, query = str(environ["RAW_URI"]).partition("?")
        status, body = self.answer(path, query)
        start_response(f"{status} Said", [("Content-Type", "application/json")])
        return [json.dumps(body).encode()]

    def answer(self, path: str, query: str) -> tuple[int, object]:
        """Status and JSON."""
        with self._lock:
            self.asked.append(path)
        asked = dict(parse_qsl(query))
        match path.strip("/").split("/"):
            case ["parents"]:
                return 200, _page([_parent(n) for n in range(PARENTS)], asked)
            case ["parents", id_, "children"]:
                n = int(id_.removeprefix("p"))
                return 200, {"rows": [{"id": id_, "child": f"c{m}", "n": m} for m in range(n % 3)]}
            case ["rows"]:
                return 200, _page([_row(n) for n in range(ROWS)], asked)
            case ["numbered"]:
                start = (int(asked["page"]) - 1) * 100
                rows = [{"num": n, "n": n % 7} for n in self._numbers[start : start + 100]]
                return 200, {"rows": rows, "total": len(self._numbers)}
        return MISSING


def open_wide(
    folder: Path,
    server: Wide | None = None,
    *,
    paths: Paths = EVERY,
    base_url: str = "http://127.0.0.1:9",
) -> Session:
    """A session whose connection `p` is that API: in this process, or behind a socket."""
    body = {"provider": "lab", "base_url": base_url}
    config = load_config({"connections": {"p": body}}, environ={}, providers=("lab",))
    transport = None if server is None else httpx.MockTransport(server)
    return Session(config, environ={}, transport=transport, load=_load(folder), paths=paths)


def rows_of(session: Session, sql: str) -> list[tuple[Any, ...]]:
    """The rows of one statement."""
    (result,) = session.run(sql)
    return [tuple(row) for row in result.rows]


def _load(folder: Path) -> LoadProvider:
    if not (folder / "lab").exists():
        (folder / "lab").mkdir(parents=True)
        (folder / "lab" / "provider.yaml").write_text(PROVIDER, encoding="utf-8")
        (folder / "lab" / "s.yaml").write_text(SERVICE, encoding="utf-8")
    return lambda name, versions: load_provider(name, versions, directories=(folder,))


def _parent(n: int) -> dict[str, object]:
    return {"id": f"p{n}", "n": n % 10, "big": n}


def _row(n: int) -> dict[str, object]:
    return {"n": n, "tag": f"t{n % 400}", "note": NOTE}


def _page(items: list[dict[str, object]], asked: Mapping[str, str]) -> dict[str, object]:
    start, size = int(asked.get("token", 0)), int(asked.get("size", 100))
    page: dict[str, object] = {"rows": items[start : start + size]}
    return page if start + size >= len(items) else {**page, "next": str(start + size)}
