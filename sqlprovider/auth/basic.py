"""`basic`: a user name from the configuration, its password from the environment."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from sqlprovider.auth.secrets import read_option, read_secret
from sqlprovider.errors import ConfigError


def basic_auth(options: Mapping[str, str], environ: Mapping[str, str]) -> httpx.Auth:
    """The flow for `{type = "basic", username = "…", password_env = "VARIABLE"}`."""
    username = read_option(options, "username", auth_type="basic")
    if ":" in username or not username.isprintable():
        raise ConfigError(f"auth type 'basic': username {username!r} must not hold ':' or control characters")
    # httpx's own flow is RFC 7617's: UTF-8, then base64.
    return httpx.BasicAuth(username, read_secret(options, "password_env", environ, auth_type="basic"))
