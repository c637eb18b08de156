"""What the environment offers to a connection without `auth`: the vendors' own variables and files.

A provider document's `auth.found` names the types that are looked for, in its order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import httpx

from sqlprovider.auth.basic import basic_auth
from sqlprovider.auth.bearer import bearer_auth
from sqlprovider.errors import ConfigError

Environ = Mapping[str, str]
Finder = Callable[[Environ], httpx.Auth | None]


@dataclass(frozen=True, slots=True)
class Found:
    """How one type's credentials are looked for. `find` raises CredentialsError for what cannot be used."""

    find: Finder
    looked_for: Callable[[Environ], tuple[str, ...]]
    """In words, for the message that nothing was found."""


def found_auth(types: Iterable[str], environ: Environ) -> httpx.Auth | None:
    """The first flow that the environment offers; None: nothing of these types is there.

    Raises ConfigError for a type that cannot be looked for, CredentialsError for credentials that are there
    and cannot be used.
    """
    for kind in types:
        if kind not in FOUND:
            raise ConfigError(f"auth type {kind!r} cannot be looked for; there are: {', '.join(FOUND)}")
        if (auth := FOUND[kind].find(environ)) is not None:
            return auth
    return None


def places(types: Iterable[str], environ: Environ) -> tuple[str, ...]:
    """Everything that is looked for, each once."""
    return tuple(dict.fromkeys(place for kind in types for place in FOUND[kind].looked_for(environ)))


def _token(environ: Environ) -> httpx.Auth | None:
    if not environ.get(_TOKEN, "").strip():
        return None
    return bearer_auth({"env": _TOKEN}, environ)


def _basic(environ: Environ) -> httpx.Auth | None:
    # As MLflow's own client: one without the other is nothing.
    username = environ.get(_USERNAME, "")
    if not username or not environ.get(_PASSWORD, "").strip():
        return None
    return basic_auth({"username": username, "password_env": _PASSWORD}, environ)


def _adc(environ: Environ) -> httpx.Auth | None:
    from sqlprovider.auth.google import found_adc  # noqa: PLC0415  only who uses it pays for it

    return found_adc(environ)


def _adc_places(environ: Environ) -> tuple[str, ...]:
    from sqlprovider.auth.google import places  # noqa: PLC0415  only who uses it pays for it

    return places(environ)


def _aliyun(environ: Environ) -> httpx.Auth | None:
    from sqlprovider.auth.aliyun import found_aliyun  # noqa: PLC0415  only who uses it pays for it

    return found_aliyun(environ)


def _oci(environ: Environ) -> httpx.Auth | None:
    from sqlprovider.auth.oci import found_oci  # noqa: PLC0415  only who uses it pays for it

    return found_oci(environ)


_TOKEN = "MLFLOW_TRACKING_TOKEN"
_USERNAME, _PASSWORD = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"
_ALIYUN = (
    "$ALIBABA_CLOUD_ACCESS_KEY_ID and $ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    "$ALIBABA_CLOUD_CREDENTIALS_FILE",
    "~/.aliyun/config.json",
    "~/.alibabacloud/credentials",
)
_OCI = ("$OCI_CLI_CONFIG_FILE", "$OCI_CONFIG_FILE", "~/.oci/config")

FOUND: Mapping[str, Found] = {
    "token": Found(_token, lambda _: (f"${_TOKEN}",)),
    "basic": Found(_basic, lambda _: (f"${_USERNAME} and ${_PASSWORD}",)),
    "adc": Found(_adc, _adc_places),
    # One search finds both: the variables first, then the profile files.
    "access_key": Found(_aliyun, lambda _: _ALIYUN),
    "profile": Found(_aliyun, lambda _: _ALIYUN),
    # One search again: the profile says which of them it is.
    "api_key": Found(_oci, lambda _: _OCI),
    "security_token": Found(_oci, lambda _: _OCI),
}
