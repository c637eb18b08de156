"""The example of "Write a provider", run as the README says: copied into `schemas/`, then queried."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest

from sqlprovider.values import JSON
from tests.fakes.loopback import Loopback

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ROOT = Path(__file__).parents[1]
STATES = ("open", "closed", "open", "open", "closed")


def tickets() -> dict[str, dict[str, JSON]]:
    """Five tickets, the newest first."""
    return {
        f"T-{number}": {
            "id": f"T-{number}",
            "title": f"it's {number} 🙂",
            "state": state,
            "labels": {"team": "a" if number % 2 else "b"},
            "created_at": f"2026-01-0{9 - number}T00:00:00Z",
        }
        for number, state in enumerate(STATES, 1)
    }


def tracker(held: dict[str, dict[str, JSON]]) -> WSGIApplication:
    """A tracker of tickets in pages of two."""

    def listed(query: dict[str, list[str]]) -> JSON:
        found = [t for t in held.values() if t["state"] in query.get("state", STATES)]
        start = int(query.get("page_token", ["0"])[0])
        more = {"next_page_token": str(start + 2)} if start + 2 < len(found) else {}
        return {"tickets": list[JSON](found[start : start + 2]), **more}

    def answer(environ: WSGIEnvironment) -> tuple[str, JSON]:
        path, verb = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if path == "/api/tickets" and verb == "GET":
            return "200 OK", listed(parse_qs(environ.get("QUERY_STRING", "")))
        if path == "/api/tickets":
            body = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
            held["T-9"] = {"id": "T-9", "state": "open", **body}
            return "200 OK", held["T-9"]
        ticket = held.get(path.rpartition("/")[2])
        if ticket is None:
            return "404 Not Found", {"error": {"code": "not_found", "message": "no such ticket"}}
        return "200 OK", held.pop(str(ticket["id"])) if verb == "DELETE" else ticket

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        status, found = answer(environ)
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps(found).encode()]

    return app


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the tracker among its providers."""
    copy = tmp_path_factory.mktemp("checkout")
    for folder in ("sqlprovider", "schemas"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "examples" / "tracker", copy / "schemas" / "tracker")
    return copy


@pytest.fixture
def held() -> dict[str, dict[str, JSON]]:
    return tickets()


@pytest.fixture
def server(held: dict[str, dict[str, JSON]]) -> Iterator[Loopback]:
    with Loopback(tracker(held)) as running:
        yield running


def query(checkout: Path, server: Loopback, sql: str) -> list[dict[str, JSON]]:
    """The rows of one statement, run by the command line."""
    command = (sys.executable, "-m", "sqlprovider", "query", "-o", "jsonl")
    found = subprocess.run(
        [*command, "--set", f"tracker.base_url={server.base_url}", sql],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout), "SQLPROVIDER_CONFIG": os.devnull},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (found.returncode, found.stderr.startswith("error")) == (0, False), found.stderr
    return [json.loads(line) for line in found.stdout.splitlines()]


def test_the_query_of_the_readme_reads_every_page(checkout: Path, server: Loopback) -> None:
    sql = (
        "SELECT id, title, labels->>'team' AS team FROM tracker.work.tickets "
        "WHERE state = 'open' ORDER BY created_at"
    )
    assert query(checkout, server, sql) == [
        {"id": "T-4", "title": "it's 4 🙂", "team": "b"},
        {"id": "T-3", "title": "it's 3 🙂", "team": "a"},
        {"id": "T-1", "title": "it's 1 🙂", "team": "a"},
    ]


def test_the_writes_of_the_readme_do_what_it_says(
    checkout: Path, server: Loopback, held: dict[str, dict[str, JSON]]
) -> None:
    insert = "INSERT INTO tracker.work.tickets (title) VALUES ('new') RETURNING id"
    assert query(checkout, server, insert) == [{"id": "T-9"}]
    query(checkout, server, "DELETE FROM tracker.work.tickets WHERE state = 'closed'")
    assert list(held) == ["T-1", "T-3", "T-4", "T-9"]


def test_a_ticket_that_is_not_there_is_no_row(checkout: Path, server: Loopback) -> None:
    assert query(checkout, server, "SELECT * FROM tracker.work.tickets WHERE id = 'T-77'") == []
