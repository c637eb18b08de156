"""Token endpoints and key files that do not do what they should: a clear error, in time, without a secret."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from sqlprovider.auth.google import adc_auth, service_account_auth
from sqlprovider.config import AuthSpec, ConnectionConfig, Settings
from sqlprovider.errors import AuthError, CredentialsError, Error
from sqlprovider.execute.clients import Clients
from tests.auth.google import PROVIDER, api_of, executor_of, read
from tests.execute.build import make_operation, write_method
from tests.execute.test_sockets import Dripping
from tests.fakes.google_tokens import USER, TokenServer, key_pair
from tests.fakes.loopback import Fault, Html, Loopback, Reset, Stall, Status, Truncated, free_port

pytestmark = pytest.mark.slow


def failure(api: Loopback, key: Path, **settings: float) -> Error:
    """What a statement fails with; it fails before the API is asked."""
    with executor_of(api, key=key) as executor, pytest.raises((AuthError, CredentialsError)) as caught:
        read(executor, **settings)
    assert api.requests == []
    assert "connection 'c': " in str(caught.value)
    assert "BEGIN PRIVATE KEY" not in str(caught.value)
    return caught.value


# ---- what the endpoint answers


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        pytest.param(Status(400, body={"error": "invalid_grant"}), "400 invalid_grant", id="refused"),
        pytest.param(
            Status(401, body={"error": "invalid_client", "error_description": "gone\r\nfor good"}),
            "gave no access token: 401 invalid_client gone for good",
            id="refused in words",
        ),
        pytest.param(
            Status(403, body={"error": {"code": 403}}), "gave no access token: 403", id="other shape"
        ),
        pytest.param(Status(404), "gave no access token: 404", id="no body"),
        pytest.param(Html(502), "gave no access token: 502", id="a page with an error"),
        pytest.param(Html(), "answered without an access token", id="a page"),
        pytest.param(Truncated(), "answered without an access token", id="cut short"),
        pytest.param(Status(200, body=[]), "answered without an access token", id="a list"),
        pytest.param(Status(200, body={"expires_in": 9}), "answered without an access token", id="no token"),
        pytest.param(Status(200, body={"access_token": 1}), "without an access token", id="a number"),
        pytest.param(Status(200, body={"access_token": ""}), "without an access token", id="empty"),
        pytest.param(Status(200, body={"access_token": "a\nb"}), "without an access token", id="two lines"),
        pytest.param(Status(302), "gave no access token: 302", id="a redirect"),
    ],
)
def test_an_endpoint_that_gives_no_token_is_named(
    api: Loopback, key: Path, token_server: Loopback, fault: Fault, said: str
) -> None:
    token_server.misbehave(fault, times=9)
    error = failure(api, key)
    assert isinstance(error, AuthError)
    assert said in error.message
    assert f"127.0.0.1:{token_server.port}" in error.message


@pytest.mark.parametrize("fault", [Status(503), Status(429), Reset()], ids=["503", "429", "reset"])
def test_an_endpoint_that_fails_for_a_moment_is_asked_again(
    api: Loopback, key: Path, token_server: Loopback, fault: Fault
) -> None:
    token_server.misbehave(fault)
    with executor_of(api, key=key) as executor:
        assert read(executor) == 7
    assert len(token_server.requests) == 2


@pytest.mark.parametrize("fault", [Status(503), Reset()], ids=["503", "reset"])
def test_a_write_waits_for_its_token_too(
    api: Loopback, key: Path, token_server: Loopback, fault: Fault
) -> None:
    """It is repeated: nothing was sent to the API before there was a token."""
    token_server.misbehave(fault)
    with executor_of(api, key=key) as executor:
        executor.begin(Settings()).call(make_operation(write_method(), name="n"))
    assert (len(token_server.requests), len(api.requests)) == (2, 1)


def test_a_refusal_is_final(api: Loopback, key: Path, token_server: Loopback) -> None:
    token_server.misbehave(Status(400, body={"error": "invalid_grant"}), times=9)
    assert "is the key still there" in str(failure(api, key).hint)
    assert len(token_server.requests) == 1


def test_a_refused_refresh_token_gives_gcloud_s_line(
    api: Loopback, tokens: TokenServer, token_server: Loopback, tmp_path: Path
) -> None:
    token_server.misbehave(Status(400, body={"error": "invalid_grant"}))
    user = tokens.user_file(tmp_path, token_uri=f"{token_server.base_url}/token")
    environ = {"GOOGLE_APPLICATION_CREDENTIALS": str(user)}
    with executor_of(api, environ=environ) as executor, pytest.raises(AuthError) as caught:
        read(executor)
    assert caught.value.hint == "gcloud auth application-default login"


@pytest.mark.parametrize("kind", ["service_account", "authorized_user"])
def test_an_endpoint_that_repeats_what_it_was_asked_gives_no_secret_away(
    tokens: TokenServer, tmp_path: Path, kind: str
) -> None:
    sent: list[str] = []

    def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        form = dict(httpx.QueryParams(environ["wsgi.input"].read().decode()))
        sent.extend(form[name] for name in ("assertion", *USER) if name in form and name != "client_id")
        start_response("400 Bad", [])
        return [httpx.Response(400, json={"error": "bad", "error_description": str(form)}).content]

    with Loopback(echo) as server, api_of(tokens) as api:
        make = tokens.key_file if kind == "service_account" else tokens.user_file
        environ = {"GOOGLE_APPLICATION_CREDENTIALS": str(make(tmp_path, token_uri=f"{server.base_url}/"))}
        with executor_of(api, environ=environ) as executor, pytest.raises(AuthError) as caught:
            read(executor)
    assert sent
    assert "grant_type" in str(caught.value)
    assert not [secret for secret in sent if secret in str(caught.value)]


# ---- an endpoint that is not there, or has no end


def test_an_endpoint_that_is_not_there_is_named(api: Loopback, tokens: TokenServer, tmp_path: Path) -> None:
    port = free_port()
    error = failure(api, tokens.key_file(tmp_path, token_uri=f"http://127.0.0.1:{port}/token"))
    assert isinstance(error, AuthError)
    assert f"no access token from 127.0.0.1:{port} (no connection to" in error.message


@pytest.mark.parametrize("fault", [Stall(), Stall(in_body=True)], ids=["no answer", "half an answer"])
def test_an_endpoint_that_hangs_is_given_up_in_time(
    api: Loopback, key: Path, token_server: Loopback, fault: Fault
) -> None:
    token_server.misbehave(fault, times=9)
    began = time.monotonic()
    error = failure(api, key, timeout=0.2)
    assert isinstance(error, AuthError)
    assert error.reason == "timed_out"
    assert time.monotonic() - began < 2


def test_an_answer_that_drips_is_given_up_in_time(api: Loopback, tokens: TokenServer, tmp_path: Path) -> None:
    with Dripping() as port:
        began = time.monotonic()
        error = failure(api, tokens.key_file(tmp_path, token_uri=f"http://127.0.0.1:{port}/"), timeout=0.2)
        assert (error.reason, time.monotonic() - began < 2) == ("timed_out", True)


def test_an_answer_without_end_is_given_up(api: Loopback, tokens: TokenServer, tmp_path: Path) -> None:
    def endless(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [])
        return [b" " * (2 << 20)]

    with Loopback(endless) as server:
        error = failure(api, tokens.key_file(tmp_path, token_uri=f"{server.base_url}/"))
    assert "the answer has no end" in error.message


def test_sixteen_threads_hear_of_one_endpoint_that_hangs(
    api: Loopback, key: Path, token_server: Loopback
) -> None:
    token_server.misbehave(Stall(), times=99)
    began = time.monotonic()
    with executor_of(api, key=key) as executor, pytest.raises(AuthError):
        read(executor, *map(str, range(16)), timeout=0.3)
    assert time.monotonic() - began < 3
    assert len(token_server.requests) <= 4


def test_a_refused_token_whose_answer_drips_ends_at_the_timeout(key: Path) -> None:
    """The 401 is read before the next try, and no longer than the request may take."""
    auth = service_account_auth({"file": str(key)}, {})
    request = httpx.Request("GET", "http://127.0.0.1/", extensions={"timeout": {"read": 0.2}})
    flow = auth.sync_auth_flow(request)
    asked = next(flow)
    flow.send(httpx.Response(200, json={"access_token": "t"}, request=asked))
    again = auth.sync_auth_flow(request)
    assert next(again) is request
    with Dripping() as port, httpx.stream("GET", f"http://127.0.0.1:{port}/") as dripping:
        dripping.status_code = 401
        with pytest.raises(httpx.ReadTimeout):
            again.send(dripping)


# ---- keys, clocks, files


def test_a_key_that_is_not_the_account_s_is_refused(
    api: Loopback, tokens: TokenServer, token_server: Loopback, tmp_path: Path
) -> None:
    other = key_pair("second")[0]
    key = tokens.key_file(tmp_path, token_uri=f"{token_server.base_url}/token", private_key=other)
    assert "400 invalid_grant" in failure(api, key).message


@pytest.mark.parametrize("hours", [-2, 2])
def test_a_clock_that_is_wrong_is_refused_with_a_hint(key: Path, hours: int) -> None:
    auth = service_account_auth({"file": str(key)}, {}, now=lambda: time.time() + hours * 3600)
    with httpx.Client(auth=auth) as client, pytest.raises(AuthError, match="invalid_grant") as caught:
        client.get("http://127.0.0.1:9/")
    assert "clock" in str(caught.value.hint)


def test_a_clock_that_is_a_little_wrong_is_no_matter(key: Path, api: Loopback) -> None:
    auth = service_account_auth({"file": str(key)}, {}, now=lambda: time.time() - 600)
    with httpx.Client(auth=auth) as client:
        assert client.get(f"{api.base_url}/runs").status_code == 200


def ec_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def encrypted_key() -> str:
    key = load_pem_private_key(key_pair()[0].encode(), password=None)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")).decode()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"type": "authorized_user"}, "its type is not 'service_account'", id="another type"),
        pytest.param({"type": None}, "its type is not 'service_account'", id="no type"),
        pytest.param({"private_key": None}, "has no private_key", id="no key"),
        pytest.param({"private_key": 5}, "has no private_key", id="a number as key"),
        pytest.param({"client_email": None}, "has no client_email", id="no account"),
        pytest.param({"token_uri": None}, "has no token_uri", id="no endpoint"),
        pytest.param({"private_key": "planted"}, "private_key is no PEM key", id="no PEM"),
        pytest.param({"private_key": key_pair()[0][:400]}, "private_key is no PEM key", id="half a key"),
        pytest.param({"private_key": key_pair()[1]}, "private_key is no PEM key", id="a public key"),
        pytest.param({"private_key": ec_key()}, "private_key is no RSA key", id="an elliptic key"),
        pytest.param({"private_key": encrypted_key()}, "private_key is no PEM key", id="an encrypted key"),
        pytest.param({"token_uri": "http://example.com/token"}, "plain http", id="plain http"),
        pytest.param({"token_uri": "ftp://example.com/"}, "token_uri must begin with", id="other scheme"),
        pytest.param({"token_uri": "https://{region}.x/"}, "token_uri is not a URL", id="placeholder"),
        pytest.param({"universe_domain": "example.com"}, "universe_domain", id="another universe"),
        pytest.param({"quota_project_id": "a\nb"}, "quota project", id="quota project"),
    ],
)
def test_a_key_file_that_cannot_be_used_is_refused_before_anything_is_sent(
    api: Loopback, tokens: TokenServer, token_server: Loopback, tmp_path: Path, changes: Any, said: str
) -> None:
    key = tokens.key_file(tmp_path, **{"token_uri": f"{token_server.base_url}/token", **changes})
    error = failure(api, key)
    assert isinstance(error, CredentialsError)
    assert str(key) in error.message
    assert said in error.message
    assert "planted" not in str(error)
    assert token_server.requests == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, "there is no file", id="missing"),
        pytest.param(b"{'planted'}", "is not JSON", id="no JSON"),
        pytest.param(b"", "is not JSON", id="empty"),
        pytest.param(b"[" * 100_000, "is not JSON", id="too deep"),
        pytest.param(b'["planted"]', "holds no JSON object", id="a list"),
        pytest.param(b"\xff\xfe\x00planted", "is not UTF-8", id="binary"),
    ],
)
@pytest.mark.parametrize("kind", ["service_account", "adc"])
def test_a_file_that_is_no_key_file_is_named(
    tmp_path: Path, kind: str, content: bytes | None, said: str
) -> None:
    path = tmp_path / "key.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CredentialsError) as caught:
        if kind == "adc":
            adc_auth({}, {"GOOGLE_APPLICATION_CREDENTIALS": str(path)})
        else:
            service_account_auth({"file": str(path)}, {})
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert "planted" not in str(caught.value)


def test_a_folder_is_no_key_file(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="cannot read"):
        service_account_auth({"file": str(tmp_path)}, {})


def test_without_cryptography_the_line_that_installs_it_is_given(key: Path) -> None:
    code = (
        "import sys; sys.modules['cryptography'] = None\n"
        "from sqlprovider.auth.google import service_account_auth\n"
        f"service_account_auth({{'file': {str(key)!r}}}, {{}})"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ConfigError: auth type 'service_account' needs the package 'cryptography'" in ended.stderr
    assert "hint: pip install 'sqlprovider[google]'" in ended.stderr


def test_threads_that_wait_for_a_token_fail_with_the_one_that_asked(
    tokens: TokenServer, tmp_path: Path
) -> None:
    def refuse(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        server.ended.wait(0.4)
        start_response("400 Bad Request", [])
        return [b'{"error": "invalid_grant"}']

    def ask(number: int) -> str:
        with pytest.raises(AuthError) as caught:
            client.send(httpx.Request("GET", f"http://127.0.0.1:9/{number}"))
        return caught.value.message

    with Loopback(refuse) as server, ThreadPoolExecutor(8) as pool:
        key = tokens.key_file(tmp_path, token_uri=f"{server.base_url}/")
        connection = ConnectionConfig("c", "p", auth=AuthSpec("service_account", {"file": str(key)}))
        clients = Clients(transport=None, environ={})
        client = clients.client(connection, PROVIDER)
        said = set(pool.map(ask, range(8)))
        clients.close()
    assert said == {f"connection 'c': 127.0.0.1:{server.port} gave no access token: 400 invalid_grant"}
    assert len(server.requests) == 1
