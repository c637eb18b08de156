"""Who asks Alibaba Cloud: an AccessKey, a bearer token, or a profile of its command line.

    auth = { type = "access_key", id_env = "VARIABLE", secret_env = "VARIABLE", token_env = "VARIABLE" }
    auth = { type = "bearer", env = "VARIABLE" }
    auth = { type = "profile", file = "~/.aliyun/config.json", name = "staging" }

`token_env` is for a temporary key of STS. `file` and `name` can be left out. How a request is signed stands
in `aliyun_signing.py`, what the files hold in `aliyun_profiles.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from sqlprovider.auth.aliyun_profiles import find_profile, is_blank, profile, read_credentials
from sqlprovider.auth.aliyun_signing import AccessKey, AliyunAuth, BearerToken
from sqlprovider.auth.secrets import read_secret
from sqlprovider.errors import CredentialsError

_ID, _SECRET, _TOKEN = (
    "ALIBABA_CLOUD_ACCESS_KEY_ID",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    "ALIBABA_CLOUD_SECURITY_TOKEN",
)


def access_key_auth(options: Mapping[str, str], environ: Mapping[str, str]) -> httpx.Auth:
    """The flow for `access_key`: signed with the key that the variables hold."""
    return AliyunAuth(
        AccessKey(
            _sendable(options, "id_env", environ, auth_type="access_key"),
            read_secret(options, "secret_env", environ, auth_type="access_key"),
            _sendable(options, "token_env", environ, auth_type="access_key")
            if "token_env" in options
            else None,
        )
    )


def aliyun_bearer_auth(options: Mapping[str, str], environ: Mapping[str, str]) -> httpx.Auth:
    """The flow for `bearer`: the token in a header of its own, and nothing signed."""
    return AliyunAuth(BearerToken(_sendable(options, "env", environ, auth_type="bearer")))


def profile_auth(options: Mapping[str, str], environ: Mapping[str, str]) -> httpx.Auth:
    """The flow for `profile`. Its file is read again where the API refuses what it held."""
    return AliyunAuth(
        read_credentials(profile(options, environ)),
        reread=lambda: read_credentials(profile(options, environ)),
    )


def found_aliyun(environ: Mapping[str, str]) -> httpx.Auth | None:
    """The flow for what the vendor's own variables and files hold; None where they hold nothing.

    In this order: ALIBABA_CLOUD_ACCESS_KEY_ID and its siblings, ALIBABA_CLOUD_CREDENTIALS_FILE,
    `~/.aliyun/config.json`, `~/.alibabacloud/credentials`.
    """
    if environ.get(_ID) or environ.get(_SECRET):
        named = {"id_env": _ID, "secret_env": _SECRET}
        return access_key_auth({**named, **({"token_env": _TOKEN} if environ.get(_TOKEN) else {})}, environ)
    entry = find_profile({}, environ)
    return None if entry is None or is_blank(entry) else profile_auth({}, environ)


def aliyun_region(options: Mapping[str, str], environ: Mapping[str, str]) -> str | None:
    """The region of the profile that `profile_auth` takes, else that of ALIBABA_CLOUD_REGION_ID."""
    entry = find_profile(options, environ)
    region = None if entry is None else entry.region("region_id")
    return region or environ.get("ALIBABA_CLOUD_REGION_ID") or None


def _sendable(options: Mapping[str, str], name: str, environ: Mapping[str, str], *, auth_type: str) -> str:
    """A secret that goes into a header."""
    secret = read_secret(options, name, environ, auth_type=auth_type)
    if not secret.isascii() or any(character in secret for character in ' ,"'):
        raise CredentialsError(
            f"the environment variable {options[name]} holds characters that no key or token has"
        )
    return secret
