"""What is repeated, what is counted, and what is found out before anything is sent."""

from __future__ import annotations

import contextlib
import itertools
from typing import Any

import httpx
import pytest

from sqlprovider.config import AuthSpec, Settings
from sqlprovider.errors import (
    ConfigError,
    CredentialsError,
    DatabaseError,
    ProgrammingError,
    RateLimitedError,
    RequestLimitError,
)
from tests.execute.build import (
    DEAD,
    ITEMS,
    FakeClock,
    Script,
    failed,
    json_answer,
    lists,
    make_executor,
    make_operation,
    make_provider,
    ok,
    refuse_all,
    write_method,
)


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(failed(503), id="503"),
        pytest.param(failed(500), id="500"),
        pytest.param(failed(429), id="429"),
        pytest.param(httpx.ConnectError("refused"), id="refused"),
        pytest.param(httpx.ReadError("reset"), id="reset"),
        pytest.param(httpx.RemoteProtocolError("cut"), id="cut"),
        pytest.param(httpx.ReadTimeout("slow"), id="timed out"),
    ],
)
def test_a_read_is_repeated(trouble: httpx.Response | Exception) -> None:
    clock = FakeClock()
    calls = make_executor(Script(trouble, ok()), clock=clock.clock()).begin(Settings())
    assert len(list(calls.pages(lists("e")))) == 1
    assert clock.pauses == [0.25]
    assert [(record.sequence, record.attempt, record.rows) for record in calls.records] == [
        (1, 1, None),
        (2, 2, 1),
    ]


@pytest.mark.parametrize(
    ("trouble", "repeat", "sent"),
    [
        pytest.param(failed(429), "never", 2, id="429"),
        pytest.param(httpx.ConnectError("refused"), "never", 2, id="refused"),
        pytest.param(failed(503), "never", 1, id="503"),
        pytest.param(httpx.ReadError("reset"), "never", 1, id="reset"),
        pytest.param(httpx.ReadTimeout("slow"), "never", 1, id="timed out"),
        pytest.param(failed(503), "always", 2, id="503, marked"),
        pytest.param(httpx.ReadError("reset"), "same_body", 2, id="reset, marked"),
    ],
)
def test_a_write_is_repeated_only_where_it_cannot_act_twice(
    trouble: httpx.Response | Exception, repeat: Any, sent: int
) -> None:
    script = Script(trouble, ok({}))
    calls = make_executor(script, clock=FakeClock().clock()).begin(Settings())
    with contextlib.suppress(DatabaseError):
        calls.call(make_operation(write_method(repeat=repeat)))
    assert len(script.requests) == sent


def test_retry_after_is_obeyed() -> None:
    clock = FakeClock()
    script = Script(
        failed(429, Retry_After="7"), failed(503, Retry_After="Thu, 01 Jan 1970 00:01:00 GMT"), ok()
    )
    list(make_executor(script, clock=clock.clock(random=lambda: 0.0)).begin(Settings()).pages(lists("e")))
    assert clock.pauses == [7.0, 53.0]


def test_a_limit_that_does_not_lift_says_how_long_to_wait() -> None:
    calls = make_executor(json_answer(DEAD, 429, {"Retry-After": "200"}), clock=FakeClock().clock()).begin(
        Settings()
    )
    with pytest.raises(RateLimitedError) as caught:
        list(calls.pages(lists("e")))
    assert caught.value.retry_after == 200.0
    assert len(calls.records) == 1


def test_every_exchange_counts_against_the_limit() -> None:
    script = Script(failed(503), ok({"runs": ITEMS[:1], "next_page_token": "a"}), ok(), ok())
    calls = make_executor(script, clock=FakeClock().clock()).begin(Settings(max_requests=2))
    with pytest.raises(RequestLimitError, match="more than 2 requests; 2 were sent") as caught:
        list(calls.pages(lists("e")))
    assert caught.value.hint is not None
    assert "--max-requests 4" in caught.value.hint
    assert len(script.requests) == 2


def test_the_limit_is_each_statements_own() -> None:
    executor = make_executor(json_answer({"runs": []}))
    for _ in range(3):
        list(executor.begin(Settings(max_requests=1)).pages(lists("e")))


def test_the_limit_holds_when_many_ask_at_once() -> None:
    asked = itertools.count()

    def answer(request: httpx.Request) -> httpx.Response:
        next(asked)
        return ok()

    with pytest.raises(RequestLimitError):
        list(make_executor(answer).begin(Settings(max_requests=5)).pages(lists(*map(str, range(16)))))
    assert next(asked) == 5


@pytest.mark.parametrize(
    ("executor", "kind"),
    [
        pytest.param(
            make_executor(refuse_all, auth=AuthSpec("token", {"env": "NO_SUCH"})),
            CredentialsError,
            id="no token",
        ),
        pytest.param(
            make_executor(refuse_all, provider=make_provider(auth_default=None)),
            CredentialsError,
            id="no auth",
        ),
        pytest.param(make_executor(refuse_all, auth=AuthSpec("adc", {})), ConfigError, id="unknown auth"),
        pytest.param(make_executor(refuse_all, base_url="http://example.com"), ConfigError, id="plain http"),
        pytest.param(make_executor(refuse_all, base_url="https://{region}.x"), ConfigError, id="no region"),
    ],
)
def test_what_the_connection_lacks_is_found_before_anything_is_sent(
    executor: Any, kind: type[Exception]
) -> None:
    calls = executor.begin(Settings())
    with pytest.raises(kind, match=r"^c\.s\.runs\.list: "):
        list(calls.pages(lists("e")))
    with pytest.raises(kind):
        calls.call(make_operation(write_method()))
    assert calls.records == []


def test_a_wrong_argument_is_found_before_anything_is_sent() -> None:
    calls = make_executor(refuse_all).begin(Settings())
    with pytest.raises(ProgrammingError, match=r"c\.s\.runs\.list: "):
        list(calls.pages(lists("\ud800")))
    assert calls.records == []


def test_the_token_goes_along_and_into_no_record() -> None:
    script = Script(ok())
    executor = make_executor(script, auth=AuthSpec("token", {"env": "T"}), environ={"T": "s3cret"})
    calls = executor.begin(Settings())
    list(calls.pages(lists("e")))
    assert script.requests[0].headers["Authorization"] == "Bearer s3cret"
    assert "s3cret" not in repr(calls.records)
