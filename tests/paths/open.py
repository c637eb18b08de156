"""Sessions on the lab, over a transport that answers late and in random order, or over a real socket."""

from __future__ import annotations

import json
import random
import threading
import time
from pathlib import Path

import httpx

from sqlprovider.config import load_config
from sqlprovider.execute.jsontext import SMALL
from sqlprovider.session import Paths, Session
from tests.paths.lab import answer, write_document

EVERY = Paths()
NONE = Paths(direct=False, ahead=False, early=False)
ALONE = {
    "direct": Paths(direct=True, ahead=False, early=False),
    "ahead": Paths(direct=False, ahead=True, early=False),
    "early": Paths(direct=False, ahead=False, early=True),
}
LONGEST = 0.003
"""Seconds that an answer takes at most; most take far less."""


class Jittery(httpx.BaseTransport):
    """The lab in this process: each answer comes after a wait of its own, so in any order."""

    def __init__(self, seed: int, longest: float = LONGEST) -> None:
        self.lines: list[str] = []
        """What was asked for, as `/things?size=4`."""
        self._random = random.Random(seed)
        self._longest = longest
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        with self._lock:
            self.lines.append(f"{path}?{query}")
            wait = self._longest * self._random.random() ** 6
            # Large answers are read in another way.
            blank = b" " * self._random.choice((0, SMALL))
        time.sleep(wait)
        status, body = answer(path, query)
        return httpx.Response(status, content=json.dumps(body).encode() + blank)


def open_lab(
    folder: Path,
    paths: Paths = EVERY,
    *,
    transport: httpx.BaseTransport | None = None,
    base_url: str = "http://127.0.0.1:9",
    max_requests: int = 600,
) -> Session:
    """A session whose connections `p` and `q` are the lab, each with limits of its own."""
    body = {"provider": "lab", "base_url": base_url}
    config = load_config(
        {"connections": {"p": body, "q": body}, "max_requests": max_requests}, environ={}, providers=("lab",)
    )
    return Session(config, environ={}, transport=transport, load=write_document(folder), paths=paths)
