"""What the environment offers to a connection without `auth`, and what is said where it offers nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from sqlprovider.auth import found_auth
from sqlprovider.auth.found import FOUND, places
from sqlprovider.config import AUTH_OPTIONS, AuthSpec, ConnectionConfig
from sqlprovider.errors import ConfigError, CredentialsError
from sqlprovider.execute.clients import connection_auth
from tests.execute.build import list_app, make_provider
from tests.fakes.google_tokens import TokenServer
from tests.fakes.loopback import Loopback

NOTHING = {"NO_GCE_CHECK": "true"}
BASIC = {"MLFLOW_TRACKING_USERNAME": "ana", "MLFLOW_TRACKING_PASSWORD": "pw"}
TOKEN = {"MLFLOW_TRACKING_TOKEN": "t0ken"}
KEY = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "planted"}


def authorization(auth: httpx.Auth | None) -> str | None:
    if auth is None:
        return None
    request = next(auth.sync_auth_flow(httpx.Request("GET", "http://127.0.0.1/")))
    return str(request.headers["Authorization"])


@pytest.mark.parametrize(
    ("environ", "sent"),
    [
        pytest.param(TOKEN, "Bearer t0ken", id="token"),
        pytest.param(BASIC, "Basic YW5hOnB3", id="user and password"),
        pytest.param({**TOKEN, **BASIC}, "Basic YW5hOnB3", id="both: as MLflow's client has it"),
        pytest.param({"MLFLOW_TRACKING_TOKEN": " \n"}, None, id="blank"),
        pytest.param({"MLFLOW_TRACKING_USERNAME": "ana"}, None, id="a user without a password"),
        pytest.param({"MLFLOW_TRACKING_PASSWORD": "pw"}, None, id="a password without a user"),
        pytest.param({}, None, id="nothing"),
    ],
)
def test_what_mlflow_s_variables_hold_is_taken(environ: Mapping[str, str], sent: str | None) -> None:
    assert authorization(found_auth(("basic", "token"), environ)) == sent


def test_mlflow_s_own_client_prefers_the_same() -> None:
    from mlflow.utils.rest_utils import MlflowHostCreds, http_request

    with Loopback(list_app([], 1)) as server:
        known = MlflowHostCreds(  # type: ignore[no-untyped-call]  # mlflow has no types
            server.base_url, username="ana", password="pw", token="t0ken"
        )
        http_request(known, "/x", "GET")  # type: ignore[no-untyped-call]  # the same
        (seen,) = server.requests
    assert seen.headers["authorization"] == authorization(found_auth(("basic", "token"), {**TOKEN, **BASIC}))


def test_the_order_is_the_document_s() -> None:
    assert authorization(found_auth(("token", "basic"), {**TOKEN, **BASIC})) == "Bearer t0ken"


def test_google_s_file_is_found(tmp_path: Path) -> None:
    key = TokenServer().key_file(tmp_path, token_uri="http://127.0.0.1:9/token")
    assert found_auth(("adc",), {"GOOGLE_APPLICATION_CREDENTIALS": str(key)}) is not None


@pytest.mark.parametrize("kind", ["access_key", "profile"])
def test_an_access_key_is_found(kind: str, tmp_path: Path) -> None:
    assert found_auth((kind,), {"HOME": str(tmp_path)}) is None
    assert found_auth((kind,), {"HOME": str(tmp_path), **KEY}) is not None


def test_a_profile_of_alibaba_cloud_is_found(tmp_path: Path) -> None:
    profile = {"name": "default", "mode": "AK", "access_key_id": "id", "access_key_secret": "planted"}
    folder = tmp_path / ".aliyun"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"current": "default", "profiles": [profile]}))
    assert found_auth(("access_key", "profile"), {"HOME": str(tmp_path)}) is not None


@pytest.mark.parametrize("kind", ["api_key", "security_token"])
def test_oracle_s_file_is_looked_for(kind: str, tmp_path: Path) -> None:
    assert found_auth((kind,), {"HOME": str(tmp_path)}) is None
    with pytest.raises(CredentialsError, match="there is no file"):
        found_auth((kind,), {"OCI_CONFIG_FILE": str(tmp_path / "none")})


def test_a_named_file_that_is_not_there_is_no_reason_to_look_further(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="there is no file"):
        found_auth(("adc", "token"), {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "x"), **TOKEN})


def test_a_type_that_cannot_be_looked_for_is_named() -> None:
    with pytest.raises(ConfigError, match="'service_account' cannot be looked for; there are: token, basic"):
        found_auth(("service_account",), {})


def test_every_type_that_is_looked_for_is_one_of_the_configuration() -> None:
    assert set(FOUND) <= set(AUTH_OPTIONS)


def test_each_place_is_named_once() -> None:
    assert places(("access_key", "profile", "token"), {}) == (
        "$ALIBABA_CLOUD_ACCESS_KEY_ID and $ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        "$ALIBABA_CLOUD_CREDENTIALS_FILE",
        "~/.aliyun/config.json",
        "~/.alibabacloud/credentials",
        "$MLFLOW_TRACKING_TOKEN",
    )


# ---- a connection without auth

CONNECTION = ConnectionConfig("prod-1", "p")


def test_what_is_configured_wins_over_what_is_found() -> None:
    connection = ConnectionConfig("c", "p", auth=AuthSpec("none", {}))
    assert connection_auth(connection, make_provider(auth_found=("token",)), TOKEN) is None


def test_what_is_found_wins_over_the_default() -> None:
    provider = make_provider(auth_default="none", auth_found=("basic", "token"))
    assert authorization(connection_auth(CONNECTION, provider, TOKEN)) == "Bearer t0ken"
    assert connection_auth(CONNECTION, provider, {}) is None


@pytest.mark.parametrize(
    ("types", "found", "looked_for", "line"),
    [
        pytest.param(
            ("none", "token", "service_account", "adc"),
            ("adc",),
            "$GOOGLE_APPLICATION_CREDENTIALS, the metadata server",
            "--set prod-1.auth.type=token --set prod-1.auth.env=PROD_1_TOKEN",
            id="a token can be brought",
        ),
        pytest.param(
            ("none", "access_key", "bearer", "profile"),
            ("access_key", "profile"),
            "$ALIBABA_CLOUD_ACCESS_KEY_ID and $ALIBABA_CLOUD_ACCESS_KEY_SECRET, ",
            "--set prod-1.auth.type=access_key --set prod-1.auth.id_env=PROD_1_ACCESS_KEY_ID "
            "--set prod-1.auth.secret_env=PROD_1_ACCESS_KEY_SECRET",
            id="an access key",
        ),
        pytest.param(
            ("none", "api_key", "security_token"),
            ("api_key",),
            "$OCI_CLI_CONFIG_FILE, $OCI_CONFIG_FILE, ~/.oci/config",
            "--set prod-1.auth.type=api_key",
            id="a config file",
        ),
    ],
)
def test_where_nothing_is_found_the_places_and_a_line_are_given(
    types: tuple[str, ...], found: tuple[str, ...], looked_for: str, line: str
) -> None:
    provider = make_provider(auth_types=types, auth_default=None, auth_found=found)
    with pytest.raises(CredentialsError) as caught:
        connection_auth(CONNECTION, provider, NOTHING)
    assert (
        f"connection 'prod-1': there is no auth, and no credentials were found; looked for: {looked_for}"
        in (caught.value.message)
    )
    assert caught.value.hint == line
