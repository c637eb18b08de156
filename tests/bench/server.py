"""A tracking server that holds nothing but pages: prepared once, so that what is measured is the client."""

from __future__ import annotations

import base64
import json
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection

PAGE = 1000


@contextmanager
def page_server(rows: int, *, latency: float) -> Iterator[str]:
    """A server process with one experiment of so many runs, answering after `latency` seconds."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(sender, rows, latency), daemon=True)
    process.start()
    try:
        if not receiver.poll(timeout=30):
            raise RuntimeError("the bench's server did not start")
        yield f"http://127.0.0.1:{receiver.recv()}"
    finally:
        process.terminate()
        process.join(timeout=5)


def token_of(offset: int) -> str:
    return base64.b64encode(json.dumps({"offset": offset}).encode()).decode()


def _run(number: int) -> dict[str, object]:
    return {
        "info": {
            "run_id": f"{number:032x}",
            "run_name": f"run-{number}",
            "experiment_id": "1",
            "status": "FINISHED",
            "start_time": 1_767_225_600_000 + number,
            "end_time": 1_767_229_200_000 + number,
            "lifecycle_stage": "active",
        },
        "data": {
            "metrics": [{"key": "val_acc", "value": number % 997 / 997, "timestamp": 0, "step": 9}],
            "params": [{"key": "lr", "value": "0.001"}],
        },
    }


def _pages(rows: int) -> dict[str, bytes]:
    """Each page's body by the token that asks for it; the first one's is empty."""
    pages = {}
    for start in range(0, max(rows, 1), PAGE):
        page: dict[str, object] = {"runs": [_run(number) for number in range(start, min(rows, start + PAGE))]}
        if start + PAGE < rows:
            page["next_page_token"] = token_of(start + PAGE)
        pages[token_of(start) if start else ""] = json.dumps(page).encode()
    return pages


def _serve(ready: Connection, rows: int, latency: float) -> None:
    experiment = {"experiment_id": "1", "name": "bench", "lifecycle_stage": "active"}
    pages = _pages(rows)

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
            if self.path.endswith("/runs/search"):
                self._answer(pages[sent.get("page_token") or ""])
            else:
                self._answer(json.dumps({"experiments": [experiment]}).encode())

        def do_GET(self) -> None:
            self._answer(json.dumps({"experiment": experiment}).encode())

        def _answer(self, body: bytes) -> None:
            time.sleep(latency)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    ready.send(server.server_port)
    server.serve_forever()
