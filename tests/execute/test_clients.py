from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sqlprovider.config import AuthSpec, ConnectionConfig
from sqlprovider.errors import ConfigError, CredentialsError, StatementInterrupted
from sqlprovider.execute.clients import Clients, connection_auth
from tests.execute.build import json_answer, make_provider
from tests.fakes.loopback import Loopback, free_port


@pytest.fixture
def clients() -> Iterator[Clients]:
    made = Clients(transport=None, environ={})
    yield made
    made.close()


CONNECTION = ConnectionConfig("c", "p")


def test_a_connection_has_one_client(clients: Clients) -> None:
    provider = make_provider()
    first = clients.client(CONNECTION, provider)
    assert clients.client(CONNECTION, provider) is first
    assert clients.client(ConnectionConfig("d", "p"), provider) is not first


@pytest.mark.parametrize(
    ("host", "is_proxied"), [("mlflow.example", True), ("127.0.0.1", False), ("localhost", False)]
)
def test_the_proxy_of_the_environment_is_used_but_for_loopback(
    host: str, is_proxied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"{}"]

    with Loopback(app) as proxy, Loopback(app) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.base_url)
        monkeypatch.setenv("http_proxy", proxy.base_url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        clients = Clients(transport=None, environ={})
        client = clients.client(CONNECTION, make_provider())
        client.send(httpx.Request("GET", f"http://{host}:{server.port}/runs")).read()
        assert (len(proxy.requests), len(server.requests)) == ((1, 0) if is_proxied else (0, 1))
        clients.close()


def test_a_closed_executor_makes_no_clients() -> None:
    clients = Clients(transport=None, environ={})
    clients.close()
    with pytest.raises(StatementInterrupted, match="closed"):
        clients.client(CONNECTION, make_provider())


def test_redirects_are_not_followed() -> None:
    transport = httpx.MockTransport(json_answer({}, 302, {"Location": "http://127.0.0.1/elsewhere"}))
    clients = Clients(transport=transport, environ={})
    client = clients.client(CONNECTION, make_provider())
    assert client.send(httpx.Request("GET", "http://127.0.0.1/")).status_code == 302
    clients.close()


def test_cookies_are_not_sent_back() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert "cookie" not in request.headers
        return httpx.Response(200, headers={"Set-Cookie": "a=b"})

    clients = Clients(transport=httpx.MockTransport(answer), environ={})
    for _ in range(2):
        assert clients.client(CONNECTION, make_provider()).send(httpx.Request("GET", "http://h/")).is_success
    clients.close()


def test_a_failure_names_the_request_that_failed(clients: Clients) -> None:
    request = httpx.Request("GET", f"http://127.0.0.1:{free_port()}/")
    with pytest.raises(httpx.ConnectError) as caught:
        clients.client(CONNECTION, make_provider()).send(request)
    assert caught.value.request is request


def test_without_auth_the_provider_s_default_is_taken() -> None:
    assert connection_auth(CONNECTION, make_provider(auth_default="none"), {}) is None


def test_without_auth_and_default_there_are_no_credentials() -> None:
    provider = make_provider(auth_default=None, auth_types=("none", "token"))
    with pytest.raises(
        CredentialsError, match="'c': there is no auth; The Platform takes: none, token"
    ) as caught:
        connection_auth(CONNECTION, provider, {})
    assert caught.value.hint == "--set c.auth.type=token --set c.auth.env=C_TOKEN"


def test_a_type_of_another_provider_is_refused() -> None:
    connection = ConnectionConfig("c", "p", auth=AuthSpec("basic", {}))
    with pytest.raises(ConfigError, match=r"connection 'c': no auth type 'basic'; there are: none, adc$"):
        connection_auth(connection, make_provider(auth_types=("none", "adc")), {})
