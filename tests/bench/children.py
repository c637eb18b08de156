"""The bench's servers as processes of their own, and what they say of themselves."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from pathlib import Path

import httpx
import orjson

from tests.bench.store import Scale

ROOT = Path(__file__).parents[2]


class Counted:
    """A server that counts its own requests."""

    def __init__(self, base_url: str, control: httpx.Client) -> None:
        self.base_url = base_url
        self._control = control

    def requests(self) -> int:
        """How many there were so far; its own control is not among them."""
        return self.counts().total()

    def counts(self) -> Counter[str]:
        """The requests by their path."""
        return Counter(orjson.loads(self._control.get("/-/counts").content))

    def sent(self) -> int:
        """How many bytes the server of `store.py` has answered with so far."""
        return int(self._control.get("/-/sent").content)

    def answer_after(self, seconds: float) -> None:
        """Sets the latency."""
        self._control.get(f"/-/latency?seconds={seconds}").raise_for_status()


@contextmanager
def child(module: str, *arguments: str) -> Iterator[Counted]:
    """`python -m module` with its port on its stdout, for as long as the block lasts."""
    with subprocess.Popen(
        [sys.executable, "-m", module, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if not (line := process.stdout.readline().strip()).isdigit():
                raise RuntimeError(f"{module} did not start")
            base_url = f"http://127.0.0.1:{int(line)}"
            with httpx.Client(base_url=base_url, timeout=60) as control:
                yield Counted(base_url, control)
        finally:
            process.stdin.close()
            process.terminate()


def page_server(scale: Scale) -> AbstractContextManager[Counted]:
    """The server of `store.py`."""
    return child("tests.bench.server", orjson.dumps(asdict(scale)).decode())
