"""The server that other tests stand on."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from tests.execute.build import list_app
from tests.fakes.loopback import Cut, Delay, Html, Loopback, Reset, Stall, Status, Truncated, free_port

ITEMS = [{"name": f"r{n}"} for n in range(5)]


def test_it_serves_the_app_over_one_connection() -> None:
    with Loopback(list_app(ITEMS, 2)) as server, httpx.Client(base_url=server.base_url) as client:
        assert client.get("/runs").json()["runs"] == ITEMS[:2]
        assert client.get("/runs?page_token=4").json() == {"runs": ITEMS[4:]}
        assert server.connections == 1


def test_it_logs_what_it_got() -> None:
    with Loopback(list_app(ITEMS, 2)) as server:
        httpx.post(f"{server.base_url}/a%2Fb?x=1", json={"k": 1}, headers={"X-A": "b"})
        (seen,) = server.requests
    assert (seen.method, seen.path, seen.query, seen.json) == ("POST", "/a%2Fb", "x=1", {"k": 1})
    assert seen.headers["x-a"] == "b"


def test_the_app_gets_what_wsgi_promises() -> None:
    seen: dict[str, Any] = {}

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.update(environ, body=environ["wsgi.input"].read())
        start_response("204 No Content", [])
        return []

    with Loopback(app) as server:
        answer = httpx.patch(f"{server.base_url}/a%20b?x=1", content=b"hi", headers={"If-Match": "e"})
    assert answer.status_code == 204
    assert (seen["PATH_INFO"], seen["REQUEST_URI"], seen["HTTP_IF_MATCH"]) == ("/a b", "/a%20b?x=1", "e")
    assert (seen["REQUEST_METHOD"], seen["QUERY_STRING"], seen["body"]) == ("PATCH", "x=1", b"hi")


def test_faults_come_at_their_turn_and_end() -> None:
    with Loopback(list_app(ITEMS, 2)) as server:
        server.misbehave(Status(503, retry_after=1), nth=2, times=2)
        statuses = [httpx.get(server.base_url).status_code for _ in range(4)]
    assert statuses == [200, 503, 503, 200]


def test_faults_may_be_for_one_path() -> None:
    with Loopback(list_app(ITEMS, 2)) as server:
        server.misbehave(Html(404), path="/b")
        assert httpx.get(f"{server.base_url}/a").status_code == 200
        answer = httpx.get(f"{server.base_url}/b")
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html")


def test_an_error_may_have_a_body_and_ask_for_patience() -> None:
    with Loopback(list_app(ITEMS, 2)) as server:
        server.misbehave(Status(429, retry_after=3, body={"error_code": "X"}))
        answer = httpx.get(server.base_url)
    assert (answer.headers["Retry-After"], answer.json()) == ("3", {"error_code": "X"})


def test_a_truncated_answer_is_whole_for_http() -> None:
    with Loopback(list_app(ITEMS, 2)) as server:
        server.misbehave(Truncated(keep=4))
        assert httpx.get(server.base_url).text == '{"ru'


@pytest.mark.parametrize("fault", [Cut(), Reset()])
def test_a_broken_connection_breaks(fault: Cut | Reset) -> None:
    with Loopback(list_app(ITEMS, 2)) as server:
        server.misbehave(fault)
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            httpx.get(server.base_url)
        assert httpx.get(server.base_url).status_code == 200


@pytest.mark.parametrize("in_body", [False, True])
def test_a_stalled_answer_stalls_until_the_end(in_body: bool) -> None:
    began = time.monotonic()
    with Loopback(list_app(ITEMS, 2)) as server:
        server.misbehave(Stall(in_body=in_body))
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(server.base_url, timeout=0.1)
    assert time.monotonic() - began < 2


def test_a_late_answer_comes() -> None:
    with Loopback(list_app(ITEMS, 2)) as server:
        server.misbehave(Delay(0.05))
        began = time.monotonic()
        assert httpx.get(server.base_url).status_code == 200
    assert time.monotonic() - began >= 0.05


def test_nothing_listens_on_a_free_port() -> None:
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{free_port()}")
