"""Proxies: the choice is judged by httpx's own client, the way through them by a proxy."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import httpx
import pytest

from sqlprovider.errors import ConfigError
from sqlprovider.execute.proxies import Proxies
from sqlprovider.execute.transport import Certificates, Transport
from tests.execute.wires import Wire

URLS = [
    f"{scheme}://{host}{port}/"
    for scheme, host, port in itertools.product(
        ("http", "https"),
        (
            "example.com",
            "www.example.com",
            "wwwexample.com",
            "a.internal",
            "localhost",
            "127.0.0.1",
            "10.1.2.3",
            "[::1]",
            "[2001:db8::1]",
        ),
        ("", ":8080"),
    )
]
PROXIES = {"HTTP_PROXY": "http://one:1", "HTTPS_PROXY": "two:2", "ALL_PROXY": "http://all:3"}


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({}, id="none"),
        pytest.param({"HTTP_PROXY": "http://one:1"}, id="http"),
        pytest.param({"https_proxy": "two:2"}, id="lower case, without a scheme"),
        pytest.param({"ALL_PROXY": "http://all:3"}, id="all"),
        pytest.param(PROXIES, id="each"),
        *(
            pytest.param({**PROXIES, "NO_PROXY": hosts}, id=hosts)
            for hosts in (
                "*",
                "example.com",
                ".example.com",
                "www.example.com, a.internal",
                "localhost,127.0.0.1",
                "10.1.2.3",
                "10.0.0.0/8",
                "::1,2001:db8::1",
                "http://example.com",
                "https://example.com:8080",
                "example.com:8080",
            )
        ),
    ],
)
def test_the_proxy_is_the_one_that_httpx_would_take(
    environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    proxies = Proxies(["[::1]"])
    with httpx.Client(verify=False, mounts={"all://[::1]": None}) as client:
        for url in map(httpx.URL, URLS):
            assert proxies.of(url) == _chosen(client, url), url


def _chosen(client: httpx.Client, url: httpx.URL) -> str | None:
    """The proxy of the transport that a client takes."""
    pool = vars(client._transport_for_url(url))["_pool"]
    proxy = vars(pool).get("_proxy_url")
    return None if proxy is None else bytes(proxy).decode().rstrip("/")


@pytest.mark.parametrize(
    "proxy", [pytest.param("ftp://u:s3cret@p/", id="ftp"), pytest.param("socks5://u:s3cret@p", id="socks")]
)
def test_a_proxy_that_cannot_be_used_is_named_without_its_password(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.setenv("http_proxy", proxy)
    with Transport(Certificates()) as transport, pytest.raises(ConfigError, match="proxy") as caught:
        transport.handle_request(httpx.Request("GET", "http://example.com/"))
    assert "s3cret" not in repr(caught.value)


def test_plain_http_goes_to_the_proxy_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    with Wire() as proxy:
        monkeypatch.setenv("http_proxy", f"http://u:p@127.0.0.1:{proxy.port}")
        with Transport(Certificates()) as transport:
            transport.handle_request(httpx.Request("GET", "http://example.com/a%2Fb")).read()
    lines = proxy.requests[0].lower().split(b"\r\n")
    assert lines[0] == b"get http://example.com/a%2fb http/1.1"
    assert b"proxy-authorization: basic dtpw" in lines


def test_https_goes_through_a_tunnel(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(request: bytes) -> bytes:
        return b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"

    with Wire(refuse) as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
        with Transport(Certificates()) as transport, pytest.raises(httpx.ProxyError, match="407"):
            transport.handle_request(httpx.Request("GET", "https://example.com/"))
    assert proxy.requests[0].startswith(b"CONNECT example.com:443 HTTP/1.1\r\n")
