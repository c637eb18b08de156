"""A session's token: read again before it runs out, and once where the API refuses it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Event, Thread

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from sqlprovider.auth.oci import security_token_auth
from sqlprovider.auth.oci_session import SessionIdentities, TokenFile, expiry
from sqlprovider.auth.oci_signing import OciAuth
from sqlprovider.errors import ConfigError, CredentialsError
from tests.auth.oci_home import SESSION, Home, rsa_key, token_until
from tests.auth.oci_server import Guarded
from tests.fakes.loopback import Loopback

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
OLD, NEW = token_until(NOW + HOUR, "planted-old"), token_until(NOW + 2 * HOUR, "planted-new")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def guarded(home: Home) -> Guarded:
    return Guarded(home.session(OLD, rsa_key("old")))


@pytest.fixture
def server(guarded: Guarded) -> Iterator[Loopback]:
    with Loopback(guarded) as server:
        yield server


def client_of(server: Loopback, home: Home) -> httpx.Client:
    return httpx.Client(base_url=server.base_url, auth=security_token_auth({}, home.environ))


def bearers(server: Loopback) -> list[str]:
    """Which token each request bore."""
    names = {OLD: "old", NEW: "new"}
    keys = (
        seen.headers["authorization"].partition('keyId="ST$')[2].partition('"')[0] for seen in server.requests
    )
    return [names[key] for key in keys]


def test_a_session_signs_with_its_token_for_a_name(server: Loopback, home: Home) -> None:
    with client_of(server, home) as client:
        assert client.post("/api?x=a+b", json={}).status_code == 200
    assert bearers(server) == ["old"]


def test_a_token_that_is_refused_is_read_again_once_with_its_key(
    guarded: Guarded, server: Loopback, home: Home
) -> None:
    with client_of(server, home) as client:
        guarded.known = home.session(NEW, rsa_key("new"))
        assert client.post("/api", json={"a": "é"}).status_code == 200
        assert client.post("/api", json={"a": "é"}).status_code == 200
    assert bearers(server) == ["old", "new", "new"]
    assert {seen.body for seen in server.requests} == {'{"a":"é"}'.encode()}


def test_a_refusal_stands_where_the_file_holds_the_same_token(
    guarded: Guarded, server: Loopback, home: Home
) -> None:
    guarded.known = {}
    with client_of(server, home) as client:
        assert client.get("/api").status_code == 401
    assert bearers(server) == ["old"]


def test_a_refusal_stands_where_the_new_token_is_refused_too(
    guarded: Guarded, server: Loopback, home: Home
) -> None:
    guarded.known = {}
    with client_of(server, home) as client:
        home.session(NEW, rsa_key("new"))
        assert client.get("/api").status_code == 401
    assert bearers(server) == ["old", "new"]


def test_a_refusal_stands_where_the_file_is_gone(guarded: Guarded, server: Loopback, home: Home) -> None:
    guarded.known = {}
    with client_of(server, home) as client:
        (home.path / ".oci/token").unlink()
        assert client.get("/api").status_code == 401
    assert bearers(server) == ["old"]


class Clock:
    """Says what it is told to."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def session(home: Home, token: str, clock: Clock) -> OciAuth:
    home.session(token, rsa_key())
    file = TokenFile(home.path / ".oci/token", named_by="the test", hint="oci session authenticate")
    return OciAuth(SessionIdentities(file, lambda: rsa_key()), now=clock)


def signer(auth: OciAuth) -> str:
    request = next(auth.sync_auth_flow(httpx.Request("GET", "https://h/")))
    return request.headers["authorization"].partition('keyId="ST$')[2].partition('"')[0]


def test_a_token_is_kept_until_a_minute_before_its_end(home: Home) -> None:
    clock = Clock(NOW)
    auth = session(home, OLD, clock)
    home.session(NEW, rsa_key())
    clock.now = NOW + HOUR - timedelta(seconds=61)
    assert signer(auth) == OLD
    clock.now += timedelta(seconds=1)
    assert signer(auth) == NEW


def test_a_token_in_its_last_minute_is_used_where_there_is_no_newer_one(home: Home) -> None:
    clock = Clock(NOW + HOUR - timedelta(seconds=1))
    auth = session(home, OLD, clock)
    assert signer(auth) == OLD
    (home.path / ".oci/token").unlink()
    assert signer(auth) == OLD


def test_a_token_that_has_expired_is_not_sent(home: Home) -> None:
    auth = session(home, OLD, Clock(NOW + HOUR))
    with pytest.raises(CredentialsError) as caught:
        signer(auth)
    expected = f"{NOW + HOUR:%Y-%m-%d %H:%M:%S} UTC"
    assert str(caught.value) == (
        f"the security token in {home.path}/.oci/token (the test) expired at {expected}\n"
        "hint: oci session authenticate"
    )
    assert caught.value.reason == "expired_credentials"


def test_the_way_out_of_an_expired_session_names_its_profile(home: Home) -> None:
    home.session(token_until(NOW - HOUR), rsa_key())
    home.config({"DEFAULT": {}, "team": SESSION})
    auth = security_token_auth({"profile": "team"}, home.environ)
    with pytest.raises(CredentialsError, match="expired at") as caught:
        next(auth.sync_auth_flow(httpx.Request("GET", "https://h/")))
    assert caught.value.hint == "oci session authenticate --profile-name team"


def test_sixteen_threads_read_a_new_token_once(home: Home) -> None:
    clock, reads, second = Clock(NOW), list[str](), Event()

    def read_key() -> RSAPrivateKey:
        reads.append("key")
        if len(reads) == 2:
            # Whoever does not wait for this one comes here as well, now.
            second.wait(0.2)
        elif len(reads) > 2:
            second.set()
        return rsa_key()

    home.session(OLD, rsa_key())
    file = TokenFile(home.path / ".oci/token", named_by="the test", hint="")
    auth = OciAuth(SessionIdentities(file, read_key), now=clock)
    home.session(NEW, rsa_key())
    clock.now = NOW + HOUR
    barrier, seen = Barrier(16), list[str]()

    def ask() -> None:
        barrier.wait()
        seen.append(signer(auth))

    threads = [Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [NEW] * 16
    assert len(reads) == 2


@pytest.mark.parametrize(
    "token", ["opaque", "a.b.c", "a.e30.c", "a.eyJleHAiOiJ4In0.c", "a.eyJleHAiOjFlOTl9.c", "a.W10.c", "a.é.c"]
)
def test_a_token_that_does_not_say_when_it_ends_never_does(token: str) -> None:
    assert expiry(token) is None


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b" \n", id="blank"),
        pytest.param(b"plan ted", id="space"),
        pytest.param(b'plan"ted', id="quote"),
        pytest.param("plantéd".encode(), id="accent"),
        pytest.param(b"plan\nted", id="lines"),
    ],
)
def test_a_file_that_holds_no_token_is_told_without_showing_it(home: Home, content: bytes) -> None:
    home.session(OLD, rsa_key())
    path = home.file("token", content)
    with pytest.raises(CredentialsError, match="holds no token") as caught:
        security_token_auth({}, home.environ)
    assert str(path) in str(caught.value)
    assert "plan" not in str(caught.value)


@pytest.mark.parametrize("key", ["security_token_file", "key_file"])
def test_a_missing_key_is_named(home: Home, key: str) -> None:
    home.session(OLD, rsa_key())
    home.config({"DEFAULT": {**SESSION, key: ""}})
    with pytest.raises(ConfigError, match=f"profile 'DEFAULT' has no {key}$"):
        security_token_auth({}, home.environ)


def test_no_repr_holds_the_token(home: Home) -> None:
    home.session(OLD, rsa_key())
    assert OLD not in repr(security_token_auth({}, home.environ))
