"""google-auth and our flows, with the same files, variables and servers: they send the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from google.auth import jwt

from sqlprovider.auth.google import adc_auth, service_account_auth
from tests.fakes.google_tokens import (
    AUDIENCE,
    EMAIL,
    KEY_ID,
    TOKEN_PATH,
    TokenServer,
    key_pair,
    verified,
    write_json,
)
from tests.fakes.loopback import Loopback, Seen

pytestmark = pytest.mark.slow

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
ASK = """
import json, sys, google.auth, google.auth.transport.requests
from google.oauth2 import service_account
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
if len(sys.argv) > 1:
    found = service_account.Credentials.from_service_account_file(sys.argv[1], scopes=SCOPES)
else:
    found, _ = google.auth.default(scopes=SCOPES)
found.refresh(google.auth.transport.requests.Request())
headers = {}
found.apply(headers)
print(json.dumps(headers))
"""
"""google-auth reads where the metadata server is when it is imported: each question has a process."""


@dataclass(frozen=True)
class Asked:
    """What was asked of the token endpoints, and what goes with the API's requests."""

    seen: list[Seen]
    headers: Mapping[str, str]


@pytest.fixture
def tokens() -> TokenServer:
    return TokenServer()


@pytest.fixture
def server(tokens: TokenServer) -> Iterator[Loopback]:
    with Loopback(tokens.app) as server:
        yield server


def by_google_auth(server: Loopback, environ: Mapping[str, str], *key: Path) -> Asked:
    server.requests.clear()
    bare = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    command = [sys.executable, "-W", "ignore", "-c", ASK, *map(str, key)]
    ended = subprocess.run(command, env={**bare, **environ}, capture_output=True, text=True, check=True)
    # It asks for more than it needs: which project this is, which account.
    seen = [one for one in server.requests if one.path in ("/", "/token", TOKEN_PATH)]
    return Asked(seen, json.loads(ended.stdout))


def by_us(server: Loopback, auth: httpx.Auth) -> Asked:
    server.requests.clear()
    sent: list[httpx.Request] = []

    def api(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200)

    with httpx.Client(auth=auth, mounts={"http://api.example": httpx.MockTransport(api)}) as client:
        client.get("http://api.example/")
    added = ("authorization", "x-goog-user-project")
    return Asked(
        [*server.requests], {name: value for name, value in sent[0].headers.items() if name in added}
    )


def form(seen: Seen) -> dict[str, str]:
    assert (seen.method, seen.headers["content-type"]) == ("POST", "application/x-www-form-urlencoded")
    return dict(parse_qsl(seen.body.decode(), strict_parsing=True))


def shown_headers(asked: Asked) -> dict[str, str]:
    """The headers without the token's number: each asks for its own."""
    named = {name.lower(): value for name, value in asked.headers.items()}
    kind, _, _ = named["authorization"].rpartition("-")
    return {**named, "authorization": kind}


def test_the_assertion_is_google_auth_s(tokens: TokenServer, server: Loopback, tmp_path: Path) -> None:
    key = tokens.key_file(tmp_path, token_uri=f"{server.base_url}/token")
    theirs = by_google_auth(server, {}, key)
    ours = by_us(server, service_account_auth({"file": str(key)}, {}))
    forms = [form(one.seen[0]) for one in (theirs, ours)]
    headers = [jwt.decode_header(one["assertion"]) for one in forms]  # type: ignore[no-untyped-call]  # as above
    claims: list[dict[str, Any]] = [dict(verified(one["assertion"])) for one in forms]
    times = [(one.pop("iat"), one.pop("exp")) for one in claims]
    assert headers == [{"typ": "JWT", "alg": "RS256", "kid": KEY_ID}] * 2
    assert claims == [{"iss": EMAIL, "aud": AUDIENCE, "scope": SCOPE}] * 2
    assert [end - start for start, end in times] == [3600, 3600]
    assert abs(times[0][0] - times[1][0]) < 60
    assert [{**one, "assertion": ""} for one in forms] == [{**forms[0], "assertion": ""}] * 2
    assert [one.seen[0].path for one in (theirs, ours)] == ["/token"] * 2
    assert shown_headers(ours) == shown_headers(theirs) == {"authorization": "Bearer token"}


def test_a_key_without_an_id_is_taken_as_google_auth_takes_it(
    tokens: TokenServer, server: Loopback, tmp_path: Path
) -> None:
    key = tokens.key_file(tmp_path, token_uri=f"{server.base_url}/token", private_key_id=None)
    asked = by_google_auth(server, {}, key), by_us(server, service_account_auth({"file": str(key)}, {}))
    headers = [jwt.decode_header(form(one.seen[0])["assertion"]) for one in asked]  # type: ignore[no-untyped-call]  # as above
    assert headers == [{"typ": "JWT", "alg": "RS256"}] * 2


def test_the_judge_refuses_what_another_key_signed() -> None:
    """What `verified` is worth."""
    from google.auth.crypt import RSASigner

    signer = RSASigner.from_string(key_pair("second")[0])  # type: ignore[no-untyped-call]  # google-auth has no types
    forged = jwt.encode(signer, {"aud": AUDIENCE, "iat": 0, "exp": 2**40})  # type: ignore[no-untyped-call]  # the same
    with pytest.raises(ValueError, match="signature"):
        verified(forged.decode())


@pytest.mark.parametrize(
    ("variables", "quota"),
    [
        pytest.param({}, None, id="no quota project"),
        pytest.param({"GOOGLE_CLOUD_QUOTA_PROJECT": "payer"}, "payer", id="a quota project"),
    ],
)
@pytest.mark.parametrize("where", ["named", "gcloud"])
def test_adc_takes_the_files_that_google_auth_takes(
    tokens: TokenServer,
    server: Loopback,
    tmp_path: Path,
    where: str,
    variables: dict[str, str],
    quota: str | None,
) -> None:
    key = tokens.key_file(tmp_path, token_uri=f"{server.base_url}/token")
    environ = {"HOME": str(tmp_path), **variables}
    if where == "named":
        environ["GOOGLE_APPLICATION_CREDENTIALS"] = str(key)
    else:
        folder = tmp_path / ".config" / "gcloud"
        folder.mkdir(parents=True)
        key.rename(folder / "application_default_credentials.json")
    theirs, ours = by_google_auth(server, environ), by_us(server, adc_auth({}, environ))
    assert [one.path for one in ours.seen] == [one.path for one in theirs.seen] == ["/token"]
    expected = {"authorization": "Bearer token"} | ({} if quota is None else {"x-goog-user-project": quota})
    assert shown_headers(ours) == shown_headers(theirs) == expected


def test_adc_prefers_what_google_auth_prefers(tokens: TokenServer, server: Loopback, tmp_path: Path) -> None:
    """The named file, then gcloud's, then the metadata server; each is taken away in turn."""
    tokens_uri = f"{server.base_url}/token"
    named = tokens.key_file(tmp_path, token_uri=tokens_uri, private_key_id="named")
    gcloud = tmp_path / "cloudsdk"
    gcloud.mkdir()
    well_known = tokens.key_file(gcloud, token_uri=tokens_uri, private_key_id="gcloud")
    well_known = well_known.rename(gcloud / "application_default_credentials.json")
    host = f"127.0.0.1:{server.port}"
    environ = {
        "HOME": str(tmp_path),
        "CLOUDSDK_CONFIG": str(gcloud),
        "GOOGLE_APPLICATION_CREDENTIALS": str(named),
        "GCE_METADATA_HOST": host,
        "GCE_METADATA_IP": host,
    }
    found = []
    for _ in range(3):
        asked = by_google_auth(server, environ), by_us(server, adc_auth({}, environ))
        found.append([who(one) for one in asked])
        if environ.pop("GOOGLE_APPLICATION_CREDENTIALS", None) is None:
            well_known.unlink(missing_ok=True)
    assert found == [["named"] * 2, ["gcloud"] * 2, ["metadata"] * 2]


def who(asked: Asked) -> str:
    last = asked.seen[-1]
    if last.path != "/token":
        return "metadata"
    return str(jwt.decode_header(form(last)["assertion"])["kid"])  # type: ignore[no-untyped-call]  # as above


@pytest.mark.parametrize("name", ["GCE_METADATA_HOST", "GCE_METADATA_ROOT"])
def test_the_metadata_server_is_asked_as_google_auth_asks_it(
    tokens: TokenServer, server: Loopback, tmp_path: Path, name: str
) -> None:
    host = f"127.0.0.1:{server.port}"
    environ = {name: host, "GCE_METADATA_IP": host, "HOME": str(tmp_path)}
    theirs, ours = by_google_auth(server, environ), by_us(server, adc_auth({}, environ))
    for one in (theirs, ours):
        lines = [(seen.method, seen.path, dict(parse_qsl(seen.query))) for seen in one.seen]
        assert lines == [("GET", "/", {}), ("GET", TOKEN_PATH, {"scopes": SCOPE})]
        assert all(seen.headers["metadata-flavor"] == "Google" for seen in one.seen)
    assert shown_headers(ours) == shown_headers(theirs)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="plain"),
        pytest.param({"quota_project_id": "payer"}, id="quota project"),
        pytest.param({"scopes": ["a", "b"]}, id="scopes"),
        pytest.param({"scopes": "a b"}, id="scopes as text"),
    ],
)
def test_a_refresh_token_is_exchanged_as_google_auth_does_it(
    tokens: TokenServer, server: Loopback, tmp_path: Path, changes: dict[str, Any]
) -> None:
    """google-auth asks Google's own endpoint whatever the file says: only its request can be compared."""
    from google.oauth2.credentials import Credentials

    asked: list[dict[str, str]] = []

    def request(*, url: str, body: bytes, **options: Any) -> Any:
        assert url == AUDIENCE
        asked.append(dict(parse_qsl(body.decode(), strict_parsing=True)))
        return type("Answer", (), {"status": 200, "data": b'{"access_token": "token-1"}', "headers": {}})

    user = tokens.user_file(tmp_path, token_uri=f"{server.base_url}/token", **changes)
    theirs = Credentials.from_authorized_user_file(str(user))  # type: ignore[no-untyped-call]  # as above
    theirs.refresh(request)
    headers: dict[str, str] = {}
    theirs.apply(headers)
    ours = by_us(server, adc_auth({}, {"GOOGLE_APPLICATION_CREDENTIALS": str(user)}))
    assert form(ours.seen[0]) == asked[0]
    assert ours.headers == {name.lower(): value for name, value in headers.items()}


def test_a_refresh_token_goes_to_google_where_the_file_names_no_endpoint(tmp_path: Path) -> None:
    user = write_json(
        tmp_path / "user.json",
        {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"},
    )
    auth = adc_auth({}, {"GOOGLE_APPLICATION_CREDENTIALS": str(user)})
    asked = next(auth.sync_auth_flow(httpx.Request("GET", "https://example.com/")))
    assert str(asked.url) == AUDIENCE


@pytest.mark.parametrize(
    "kind", ["external_account", "external_account_authorized_user", "impersonated_service_account"]
)
def test_what_google_auth_reads_besides_is_said_to_be_unsupported(tmp_path: Path, kind: str) -> None:
    from sqlprovider.errors import CredentialsError

    path = write_json(tmp_path / "key.json", {"type": kind, "client_secret": "planted"})
    with pytest.raises(CredentialsError, match=f"credentials of type '{kind}' are not supported") as caught:
        adc_auth({}, {"GOOGLE_APPLICATION_CREDENTIALS": str(path)})
    assert caught.value.reason == "unsupported_credentials"
    assert "planted" not in str(caught.value)
