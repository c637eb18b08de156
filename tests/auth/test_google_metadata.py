"""The metadata server: found where it is, never taken for something else, and never asked through a proxy."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sqlprovider.auth.google import adc_auth, well_known_file
from sqlprovider.errors import AuthError, ConfigError, CredentialsError
from tests.auth.google import bearers, executor_of, read
from tests.fakes.google_tokens import TOKEN_PATH, TokenServer
from tests.fakes.loopback import Fault, Html, Loopback, Reset, Stall, Status, free_port


@pytest.fixture
def server(tokens: TokenServer) -> Iterator[Loopback]:
    with Loopback(tokens.app) as server:
        yield server


def at(server: Loopback) -> dict[str, str]:
    host = f"127.0.0.1:{server.port}"
    return {"GCE_METADATA_HOST": host, "GCE_METADATA_IP": host}


def test_a_machine_s_account_asks_where_nothing_else_is_there(
    api: Loopback, server: Loopback, tokens: TokenServer
) -> None:
    with executor_of(api, environ=at(server)) as executor:
        assert (read(executor), bearers(api)) == (7, ["token-1"] * 4)


def test_it_is_looked_for_once(api: Loopback, server: Loopback, tokens: TokenServer) -> None:
    tokens.lifetime = 0
    with executor_of(api, environ=at(server)) as executor:
        assert read(executor) == 7
    assert (tokens.probes, len(server.requests)) == (1, 5)


def test_the_address_of_the_host_is_enough(api: Loopback, server: Loopback) -> None:
    with executor_of(api, environ={"GCE_METADATA_HOST": f"127.0.0.1:{server.port}"}) as executor:
        assert read(executor) == 7


def test_the_quota_project_of_the_environment_goes_along(api: Loopback, server: Loopback) -> None:
    with executor_of(api, environ={**at(server), "GOOGLE_CLOUD_QUOTA_PROJECT": "payer"}) as executor:
        read(executor)
    assert {seen.headers["x-goog-user-project"] for seen in api.requests} == {"payer"}
    assert not [seen for seen in server.requests if "x-goog-user-project" in seen.headers]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Html(), id="a page"),
        pytest.param(Status(200), id="no flavor"),
        pytest.param(Status(404), id="not found"),
        pytest.param(Reset(), id="reset"),
        pytest.param(Stall(), id="hangs"),
    ],
)
def test_what_is_no_metadata_server_means_no_credentials(
    api: Loopback, server: Loopback, tmp_path: Path, fault: Fault
) -> None:
    server.misbehave(fault, times=9)
    environ = {**at(server), "HOME": str(tmp_path)}
    began = time.monotonic()
    with executor_of(api, environ=environ) as executor, pytest.raises(CredentialsError) as caught:
        read(executor, timeout=0.3)
    assert time.monotonic() - began < 2
    assert (len(server.requests), api.requests) == (1, [])
    assert caught.value.message == (
        "connection 'c': no Google credentials were found; looked for: $GOOGLE_APPLICATION_CREDENTIALS, "
        f"{tmp_path}/.config/gcloud/application_default_credentials.json, "
        f"the metadata server at 127.0.0.1:{server.port}"
    )
    assert caught.value.hint == "--set c.auth.type=service_account --set c.auth.file=…"


def test_a_metadata_server_that_is_not_there_means_no_credentials(api: Loopback, server: Loopback) -> None:
    environ = {"GCE_METADATA_HOST": f"127.0.0.1:{free_port()}"}
    with executor_of(api, environ=environ) as executor, pytest.raises(CredentialsError, match="looked for"):
        read(executor)
    assert api.requests == []


def test_a_probe_takes_three_seconds_at_most() -> None:
    auth = adc_auth({}, {"GCE_METADATA_HOST": "127.0.0.1:9"})
    patient = httpx.Request(
        "GET", "http://127.0.0.1/", extensions={"timeout": {"connect": 60.0, "read": 60.0}}
    )
    probe = next(auth.sync_auth_flow(patient))
    assert probe.extensions["timeout"] == {"connect": 3.0, "read": 3.0}


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        pytest.param(Html(), "without Metadata-Flavor: Google", id="a page"),
        pytest.param(Status(200, body={"access_token": "stolen"}), "without Metadata-Flavor", id="a forger"),
        pytest.param(Stall(), "no access token from", id="hangs"),
    ],
)
def test_a_metadata_server_that_gives_no_token_is_an_auth_error(
    api: Loopback, server: Loopback, fault: Fault, said: str
) -> None:
    server.misbehave(fault, times=9, path=TOKEN_PATH)
    with executor_of(api, environ=at(server)) as executor, pytest.raises(AuthError, match=said):
        read(executor, timeout=0.3)
    assert api.requests == []


def test_a_machine_without_an_account_is_an_auth_error(
    api: Loopback, server: Loopback, tokens: TokenServer
) -> None:
    server.misbehave(Status(404), path=TOKEN_PATH)
    with executor_of(api, environ=at(server)) as executor, pytest.raises(AuthError):
        read(executor)


def test_without_the_check_nothing_is_asked(api: Loopback, server: Loopback) -> None:
    environ = {**at(server), "NO_GCE_CHECK": "true"}
    with executor_of(api, environ=environ) as executor, pytest.raises(CredentialsError) as caught:
        read(executor)
    assert "NO_GCE_CHECK" in str(caught.value)
    assert "--set c.auth.type=service_account" in str(caught.value)
    assert server.requests == []


@pytest.mark.parametrize("host", ["/", "a/b", "a b", "user@host", "host:99999", "http://host", "host?x"])
def test_a_host_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(ConfigError, match="GCE_METADATA_HOST"):
        adc_auth({}, {"GCE_METADATA_HOST": host})


def test_no_proxy_is_asked_for_a_machine_s_own_link(
    api: Loopback, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """127.0.0.2 is this machine, and none of the names that are never sent to a proxy anyway."""
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, server.base_url)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    environ = {"GCE_METADATA_HOST": f"127.0.0.2:{free_port()}"}
    with executor_of(api, environ=environ) as executor, pytest.raises(CredentialsError):
        read(executor)
    assert server.requests == []


def test_a_token_endpoint_is_asked_through_the_proxy(
    api: Loopback, server: Loopback, tokens: TokenServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, server.base_url)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    key = tokens.key_file(tmp_path, token_uri="http://127.0.0.2:9/token")
    with executor_of(api, key=key) as executor:
        assert read(executor) == 7
    assert server.requests[0].headers["host"] == "127.0.0.2:9"


@pytest.mark.parametrize(
    ("environ", "is_windows", "path"),
    [
        pytest.param({"HOME": "/h"}, False, "/h/.config/gcloud", id="home"),
        pytest.param({"HOME": "/h", "CLOUDSDK_CONFIG": "/c"}, False, "/c", id="gcloud's own variable"),
        pytest.param({"HOME": "/h", "APPDATA": "/a"}, True, "/a/gcloud", id="Windows"),
        pytest.param({"HOME": "/h", "APPDATA": "/a"}, False, "/h/.config/gcloud", id="APPDATA elsewhere"),
    ],
)
def test_gcloud_s_file_is_where_gcloud_writes_it(
    environ: dict[str, str], is_windows: bool, path: str
) -> None:
    expected = Path(path, "application_default_credentials.json")
    assert well_known_file(environ, is_windows=is_windows) == expected


def test_without_a_home_there_is_no_file_of_gcloud_s() -> None:
    assert well_known_file({}, is_windows=False) is None
