from __future__ import annotations

from collections.abc import Mapping

import httpx
import pytest

from sqlprovider.auth import AUTH_TYPES, auth_flow
from sqlprovider.config import AUTH_OPTIONS, AuthSpec
from sqlprovider.errors import ConfigError, CredentialsError

TOKEN = AuthSpec("token", {"env": "MY_TOKEN"})
BASIC = AuthSpec("basic", {"username": "ann", "password_env": "MY_PASSWORD"})


def signed(spec: AuthSpec, environ: Mapping[str, str]) -> httpx.Request:
    auth = auth_flow(spec, environ)
    assert auth is not None
    return next(auth.sync_auth_flow(httpx.Request("GET", "http://127.0.0.1/")))


def test_a_token_goes_out_as_a_bearer_header() -> None:
    assert signed(TOKEN, {"MY_TOKEN": "t0ken"}).headers["Authorization"] == "Bearer t0ken"


def test_white_space_round_a_token_is_not_part_of_it() -> None:
    assert signed(TOKEN, {"MY_TOKEN": " t0ken\n"}).headers["Authorization"] == "Bearer t0ken"


def test_basic_sends_user_and_password_as_utf8() -> None:
    # base64 of "ann:pä", as RFC 7617 has it
    assert signed(BASIC, {"MY_PASSWORD": "pä"}).headers["Authorization"] == "Basic YW5uOnDDpA=="


def test_none_signs_nothing() -> None:
    assert auth_flow(AuthSpec("none", {}), {}) is None


@pytest.mark.parametrize("environ", [{}, {"MY_TOKEN": ""}, {"MY_TOKEN": " \n"}])
def test_an_unset_or_empty_variable_is_named(environ: dict[str, str]) -> None:
    with pytest.raises(CredentialsError, match="MY_TOKEN is not set"):
        auth_flow(TOKEN, environ)


def test_an_unset_password_is_named() -> None:
    with pytest.raises(CredentialsError, match="MY_PASSWORD is not set"):
        auth_flow(BASIC, {})


@pytest.mark.parametrize("token", ["se\ncret", "se cret", "sécret"])
def test_a_token_that_cannot_be_sent_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(CredentialsError, match="MY_TOKEN") as caught:
        auth_flow(TOKEN, {"MY_TOKEN": token})
    assert "cret" not in str(caught.value)


def test_another_type_names_the_types_there_are() -> None:
    with pytest.raises(ConfigError, match=f"no auth type 'Token'; there are: {', '.join(AUTH_OPTIONS)}$"):
        auth_flow(AuthSpec("Token", {}), {})


def test_a_type_that_the_provider_does_not_take_names_those_it_takes() -> None:
    with pytest.raises(ConfigError, match=r"no auth type 'basic'; there are: none, token, adc$"):
        auth_flow(BASIC, {"MY_PASSWORD": "x"}, types=("adc", "none", "token"))


@pytest.mark.parametrize(
    ("spec", "option"),
    [
        pytest.param(AuthSpec("token", {}), "env", id="token"),
        pytest.param(AuthSpec("basic", {"password_env": "P"}), "username", id="user"),
        pytest.param(AuthSpec("basic", {"username": "ann"}), "password_env", id="password"),
    ],
)
def test_a_missing_option_is_named(spec: AuthSpec, option: str) -> None:
    with pytest.raises(ConfigError, match=f"'{spec.type}' needs '{option}'"):
        auth_flow(spec, {})


@pytest.mark.parametrize("username", ["a:b", "a\nb"])
def test_a_user_name_that_would_change_the_header_is_refused(username: str) -> None:
    with pytest.raises(ConfigError, match="username"):
        auth_flow(AuthSpec("basic", {"username": username, "password_env": "P"}), {"P": "x"})


def test_the_types_are_those_of_the_configuration() -> None:
    assert tuple(AUTH_OPTIONS) == AUTH_TYPES


@pytest.mark.parametrize("kind", AUTH_OPTIONS)
def test_every_type_has_a_flow(kind: str) -> None:
    """With variables that hold something, and files that are not there."""
    options = {name: "VALUE" if name.endswith("env") else "/nowhere" for name in AUTH_OPTIONS[kind]}
    environ = {"VALUE": "x", "NO_GCE_CHECK": "true"}
    if kind in ("service_account", "adc", "profile", "api_key", "security_token"):
        with pytest.raises(CredentialsError):
            auth_flow(AuthSpec(kind, options), environ)
    else:
        auth_flow(AuthSpec(kind, options), environ)
