"""A small platform whose answers can be kept: its documents, its server, and sessions that share a folder."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

from sqlprovider.catalog.load import load_provider
from sqlprovider.config import load_config
from sqlprovider.session import Result, Session
from tests.execute.build import FakeClock
from tests.fakes.loopback import Loopback

PROVIDER = """
provider: lab
services: [s]
base_url: {env: LAB_URL}
auth: {types: [none, basic, token], default: none}
errors: {code: code, message: message, missing: [missing]}
"""
SERVICE = """
service: s
version: v1
resources:
  shelves:
    key: [shelf]
    parameters: {shelf: {path: shelf}}
    columns: {boxes: INTEGER}
    methods:
      list: {verb: SELECT, http: GET /shelves, rows: "shelves[]", pages: one}
      get: {verb: SELECT, http: "GET /shelves/{shelf}", missing: true}
      tidy: {verb: EXEC, http: "POST /shelves/{shelf}/tidy", effect: write}
  boxes:
    key: [shelf, id]
    parents: [shelves]
    parameters: {shelf: {path: shelf}, id: {path: id}}
    columns: {label: TEXT, state: TEXT}
    finished: {column: state, values: [DONE], keep: 24h}
    methods:
      list:
        verb: SELECT
        http: GET /shelves/{shelf}/boxes
        rows: boxes[]
        parameters: {page: {in: query}, size: {in: query, type: INTEGER}}
        pages: {style: token, parameter: page, token: next, size: size, size_max: 2, offset: true}
      get: {verb: SELECT, http: "GET /shelves/{shelf}/boxes/{id}", missing: true}
      create: {verb: INSERT, http: "POST /shelves/{shelf}/boxes", body_columns: [id, label, state]}
      patch:
        verb: UPDATE
        http: PATCH /shelves/{shelf}/boxes/{id}
        body_columns: [label, state]
        sets: [label, state]
        missing: true
      delete: {verb: DELETE, http: "DELETE /shelves/{shelf}/boxes/{id}", missing: true}
  labels:
    parents: [shelves]
    parameters: {shelf: {path: shelf}}
    columns: {label: TEXT}
    methods:
      list: {verb: SELECT, http: "GET /shelves/{shelf}/labels", rows: "labels[]", pages: one}
  notes:
    columns: {text: TEXT}
    methods:
      list: {verb: SELECT, http: GET /notes, rows: "notes[]", pages: one}
  vaults:
    columns: {name: TEXT, code: {secret: true}}
    methods:
      list: {verb: SELECT, http: GET /vaults, rows: "vaults[]", pages: one}
"""


NOT_FOUND = 404, {"code": "missing", "message": "no such thing"}


@dataclass
class Store:
    """The server: shelf `a` with five boxes; whoever asks is the owner of the notes."""

    boxes: dict[str, dict[str, str]] = field(default_factory=dict)
    etags: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for n in range(5):
            self.boxes[f"b{n}"] = {"shelf": "a", "id": f"b{n}", "label": f"L{n}", "state": "OPEN"}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        content = environ["wsgi.input"].read()
        status, answer = self._answer(environ, json.loads(content) if content else {})
        body = json.dumps(answer).encode()
        headers = {"Content-Type": "application/json", **self.headers}
        if self.etags and status == 200:
            headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:8]}"'
            if environ.get("HTTP_IF_NONE_MATCH") == headers["ETag"]:
                status, body = 304, b""
        start_response(f"{status} {HTTPStatus(status).phrase}", [*headers.items()])
        return [body]

    def _answer(self, environ: dict[str, Any], sent: dict[str, Any]) -> tuple[int, Any]:
        match environ["REQUEST_METHOD"], *environ["PATH_INFO"].strip("/").split("/"):
            case "GET", "notes":
                return 200, {"notes": [{"text": environ.get("HTTP_AUTHORIZATION", "nobody")}]}
            case "GET", "vaults":
                return 200, {"vaults": [{"name": "v", "code": "s3cr3t-code"}]}
            case "GET", "shelves":
                return 200, {"shelves": [self._shelf()]}
            case "GET", "shelves", "a":
                return 200, self._shelf()
            case "GET", "shelves", "a", "labels":
                return 200, {"labels": [{"label": box["label"]} for box in self.boxes.values()]}
            case "GET", "shelves", "a", "boxes":
                return 200, self._page(environ["QUERY_STRING"])
            case method, "shelves", "a", *below:
                return self._box(method, below, sent)
        return NOT_FOUND

    def _shelf(self) -> dict[str, Any]:
        return {"shelf": "a", "boxes": len(self.boxes)}

    def _box(self, method: str, below: list[str], sent: dict[str, Any]) -> tuple[int, Any]:
        match method, *below:
            case "POST", "tidy":
                return 200, {}
            case "POST", "boxes":
                self.boxes[sent["id"]] = {"shelf": "a", "label": "new", "state": "OPEN", **sent}
                return 200, {}
            case "PATCH", "boxes", name if name in self.boxes:
                self.boxes[name] |= sent
                return 200, self.boxes[name]
            case "DELETE", "boxes", name if name in self.boxes:
                return 200, self.boxes.pop(name)
            case "GET", "boxes", name if name in self.boxes:
                return 200, self.boxes[name]
        return NOT_FOUND

    def _page(self, query: str) -> dict[str, Any]:
        given = dict(pair.split("=") for pair in query.split("&") if pair)
        start, size = int(given.get("page", 0)), min(2, int(given.get("size", 2)))
        found: dict[str, Any] = {"boxes": list(self.boxes.values())[start : start + size]}
        if start + size < len(self.boxes):
            found["next"] = str(start + size)
        return found


def write_documents(folder: Path, service: str) -> None:
    (folder / "lab").mkdir()
    (folder / "lab" / "provider.yaml").write_text(PROVIDER, encoding="utf-8")
    (folder / "lab" / "s.yaml").write_text(service, encoding="utf-8")


class Lab:
    """A server, a clock, a folder for pages, and the sessions on them."""

    def __init__(self, folder: Path, server: Loopback, store: Store) -> None:
        self.server, self.store, self.pages = server, store, folder / "pages"
        self.time = FakeClock(time=1_700_000_000.0)
        self.documents = folder
        self._open: list[Session] = []
        write_documents(folder, SERVICE)

    @property
    def file(self) -> Path:
        return self.pages / "pages.sqlite3"

    def session(
        self, connection: dict[str, Any] | None = None, /, *, token: str = "", **settings: Any
    ) -> Session:
        """One that caches for 60 s, unless told otherwise."""
        auth = {"auth": {"type": "token", "env": "T"}} if token else {}
        body = {"provider": "lab", "base_url": self.server.base_url, **auth, **(connection or {})}
        config = load_config(
            {"connections": {"p": body}, **{"cache": "60s", **settings}}, environ={}, providers=("lab",)
        )
        session = Session(
            config,
            environ={"SQLPROVIDER_CACHE_DIR": str(self.pages), "T": token},
            clock=self.time.clock(),
            load=lambda name, versions: load_provider(name, versions, directories=(self.documents,)),
        )
        self._open.append(session)
        return session

    def asked(self, session: Session, sql: str) -> list[str]:
        """The requests that the server got for a statement."""
        before = len(self.server.requests)
        ask(session, sql)
        return [f"{seen.method} {seen.path}" for seen in self.server.requests[before:]]

    def close(self) -> None:
        for session in self._open:
            session.close()


def ask(session: Session, sql: str) -> list[tuple[Any, ...]]:
    """The rows of the last statement."""
    rows: list[tuple[Any, ...]] = []
    for result in session.run(sql):
        rows = [tuple(row) for row in result.rows]
    return rows


def statuses(session: Session) -> list[Any]:
    """How the last statement's requests were answered."""
    return [row[0] for row in ask(session, "SELECT status FROM sqlprovider.requests")]


def results(session: Session, sql: str) -> tuple[list[tuple[Any, ...]], Result]:
    """The rows of one statement, and its result."""
    ((result, rows),) = [(result, [tuple(row) for row in result.rows]) for result in session.run(sql)]
    return rows, result


PROCESS = """
import sys
from pathlib import Path
from sqlprovider.catalog.load import load_provider
from sqlprovider.config import load_config
from sqlprovider.session import Session
url, folder, documents, *texts = sys.argv[1:]
connections = {"p": {"provider": "lab", "base_url": url}}
config = load_config({"cache": "60s", "connections": connections}, environ={}, providers=("lab",))
session = Session(
    config,
    environ={"SQLPROVIDER_CACHE_DIR": folder},
    load=lambda name, versions: load_provider(name, versions, directories=(Path(documents),)),
)
for text in texts:
    for result in session.run(text):
        for row in result.rows:
            print(*row)
session.close()
"""


def in_another_process(lab: Lab, *texts: str) -> str:
    """What the statements give in a process of their own, a line a row."""
    arguments = [lab.server.base_url, str(lab.pages), str(lab.documents), *texts]
    done = subprocess.run(
        [sys.executable, "-c", PROCESS, *arguments], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stderr == ""
    return done.stdout
