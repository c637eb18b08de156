"""Google's flows over real sockets: tokens are fetched once, kept, replaced in time, and given up rightly."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sqlprovider.auth.google import service_account_auth
from sqlprovider.config import Settings
from sqlprovider.errors import AuthError
from sqlprovider.execute.executor import Executor
from tests.auth.google import bearers, executor_of, read
from tests.execute.build import lists
from tests.fakes.google_tokens import TokenServer
from tests.fakes.loopback import Delay, Loopback, Status


@pytest.fixture
def executor(api: Loopback, key: Path) -> Iterator[Executor]:
    with executor_of(api, key=key) as made:
        yield made


def test_one_token_serves_every_page_and_statement(
    executor: Executor, tokens: TokenServer, api: Loopback
) -> None:
    assert [read(executor), read(executor)] == [7, 7]
    assert (len(tokens.forms), bearers(api)) == (1, ["token-1"] * 8)


def test_threads_that_need_a_token_at_once_fetch_one(
    executor: Executor, tokens: TokenServer, token_server: Loopback, api: Loopback
) -> None:
    token_server.misbehave(Delay(0.1))
    assert read(executor, *map(str, range(16))) == 16 * 7
    assert (len(tokens.forms), set(bearers(api))) == (1, {"token-1"})


def test_a_request_for_a_token_is_counted_and_recorded_nowhere(executor: Executor) -> None:
    calls = executor.begin(Settings(max_requests=4))
    assert len(list(calls.pages(lists("e")))) == 4
    assert [record.status for record in calls.records] == [200] * 4
    assert all("/runs" in record.url for record in calls.records)


def test_a_request_for_a_token_carries_nothing_of_the_api_s(
    executor: Executor, token_server: Loopback
) -> None:
    read(executor)
    (seen,) = token_server.requests
    assert set(seen.headers) == {"host", "content-length", "content-type"}
    assert (seen.method, seen.path, seen.query) == ("POST", "/token", "")


def test_a_token_that_is_refused_in_mid_statement_is_replaced_once(
    executor: Executor, tokens: TokenServer, api: Loopback
) -> None:
    calls = executor.begin(Settings())
    pages = calls.pages(lists("e", page_size=2))
    next(pages)
    tokens.revoke()
    assert sum(len(page.items) for page in pages) == 5
    assert (len(tokens.forms), bearers(api)[-1]) == (2, "token-2")


def test_sixteen_threads_whose_token_is_refused_replace_it_once(
    executor: Executor, tokens: TokenServer, token_server: Loopback
) -> None:
    read(executor)
    tokens.revoke()
    token_server.misbehave(Delay(0.1))
    assert read(executor, *map(str, range(16))) == 16 * 7
    assert len(tokens.forms) == 2


def test_a_token_that_is_refused_twice_is_an_auth_error(
    executor: Executor, tokens: TokenServer, api: Loopback
) -> None:
    read(executor)
    api.misbehave(Status(401, body={"error_code": "UNAUTHENTICATED", "message": "no"}), times=9)
    with pytest.raises(AuthError) as caught:
        read(executor)
    assert caught.value.status == 401
    assert (len(tokens.forms), bearers(api)[4:]) == (2, ["token-1", "token-2"])


def test_a_new_token_that_is_refused_is_an_auth_error_at_once(
    executor: Executor, tokens: TokenServer, api: Loopback
) -> None:
    api.misbehave(Status(401), times=9)
    with pytest.raises(AuthError):
        read(executor)
    assert (len(tokens.forms), bearers(api)) == (1, ["token-1"])


def test_a_403_asks_for_no_new_token(executor: Executor, tokens: TokenServer, api: Loopback) -> None:
    read(executor)
    api.misbehave(Status(403), times=9)
    with pytest.raises(AuthError):
        read(executor)
    assert len(tokens.forms) == 1


@pytest.mark.parametrize(
    ("lifetime", "times", "forms"),
    [
        pytest.param(3600, (0, 3374), 1, id="lasts"),
        pytest.param(3600, (0, 3376), 2, id="replaced before its end"),
        pytest.param("3600", (0, 3374, 3376), 2, id="seconds as text"),
        pytest.param(60, (0, 29), 1, id="a short one lasts half its time"),
        pytest.param(60, (0, 31), 2, id="a short one is replaced halfway"),
        pytest.param(0, (0, 0, 0), 3, id="of no length"),
        pytest.param(None, (0, 999_999), 1, id="of no known length"),
    ],
)
def test_a_token_is_replaced_before_it_ends(
    key: Path, tokens: TokenServer, api: Loopback, lifetime: Any, times: tuple[float, ...], forms: int
) -> None:
    tokens.lifetime = lifetime
    # In the past, so that the assertions of all these times are good ones for a server that lives now.
    began = time.time() - 3500
    moment = began
    auth = service_account_auth({"file": str(key)}, {}, now=lambda: moment)
    with httpx.Client(auth=auth) as client:
        for seconds in times:
            moment = began + seconds
            assert client.get(f"{api.base_url}/runs").status_code == 200
    assert len(tokens.forms) == forms


def test_the_body_goes_out_again_with_the_new_token(key: Path, tokens: TokenServer, api: Loopback) -> None:
    auth = service_account_auth({"file": str(key)}, {})
    with httpx.Client(auth=auth) as client:
        client.get(f"{api.base_url}/runs")
        tokens.revoke()
        assert client.post(f"{api.base_url}/runs", json={"a": 1}).status_code == 200
    assert [seen.body for seen in api.requests[1:]] == [b'{"a":1}'] * 2


def test_the_request_that_was_refused_is_counted_and_recorded(
    executor: Executor, tokens: TokenServer, api: Loopback
) -> None:
    read(executor)
    tokens.revoke()
    calls = executor.begin(Settings())
    assert sum(len(page.items) for page in calls.pages(lists("e"))) == 7
    assert sorted(record.status or 0 for record in calls.records) == [200] * 4 + [401]
    assert sorted(record.sequence for record in calls.records) == [1, 2, 3, 4, 5]
