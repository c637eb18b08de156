"""Who asks: httpx.Auth flows, one scheme a file.

Takes: an `AuthSpec` of the configuration, and the environment that holds the secrets it names; without a
spec, the environment alone (`found.py`). Gives: an `httpx.Auth`, or None where nobody asks. A flow yields the
requests it needs itself, for a token, and sends nothing. May import: config, errors, httpx.
Start reading here, then `bearer.py`: a new scheme is a file, a line in `_FACTORIES`, one in `AUTH_OPTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import httpx

from sqlprovider.auth.basic import basic_auth
from sqlprovider.auth.bearer import bearer_auth
from sqlprovider.auth.found import FOUND, found_auth, places
from sqlprovider.auth.google_token import TokenAuth
from sqlprovider.config import AuthSpec
from sqlprovider.errors import ConfigError

__all__ = ["AUTH_TYPES", "FOUND", "TokenAuth", "auth_flow", "found_auth", "places"]

AuthFactory = Callable[[Mapping[str, str], Mapping[str, str]], httpx.Auth | None]
"""(options, environ) → the flow; None: requests go out as they are."""


def auth_flow(
    spec: AuthSpec, environ: Mapping[str, str], *, types: Iterable[str] | None = None
) -> httpx.Auth | None:
    """The flow that signs a connection's requests. `types` are those its provider takes; None: every one.

    Raises ConfigError for a type there is not, CredentialsError where what a flow needs is not to be found.
    """
    taken = AUTH_TYPES if types is None else tuple(types)
    known = tuple(name for name in AUTH_TYPES if name in taken)
    if spec.type not in known:
        raise ConfigError(
            f"no auth type {spec.type!r}; there are: {', '.join(known)}", reason="unknown_auth_type"
        )
    return _FACTORIES[spec.type](spec.options, environ)


def _no_auth(options: Mapping[str, str], environ: Mapping[str, str]) -> None:
    return None


def _service_account(options: Mapping[str, str], environ: Mapping[str, str]) -> httpx.Auth:
    from sqlprovider.auth.google import service_account_auth  # noqa: PLC0415  see _FACTORIES

    return service_account_auth(options, environ)


def _adc(options: Mapping[str, str], environ: Mapping[str, str]) -> httpx.Auth:
    from sqlprovider.auth.google import adc_auth  # noqa: PLC0415  see _FACTORIES

    return adc_auth(options, environ)


def _access_key(options: Mapping[str, str], environ: Mapping[str, str]) -> httpx.Auth:
    from sqlprovider.auth.aliyun import access_key_auth  # noqa: PLC0415  see _FACTORIES

    return access_key_auth(options, environ)


def _bearer(options: Mapping[str, str], environ: Mapping[str, str]) -> httpx.Auth:
    from sqlprovider.auth.aliyun import aliyun_bearer_auth  # noqa: PLC0415  see _FACTORIES

    return aliyun_bearer_auth(options, environ)


def _profile(options: Mapping[str, str], environ: Mapping[str, str]) -> httpx.Auth:
    from sqlprovider.auth.aliyun import profile_auth  # noqa: PLC0415  see _FACTORIES

    return profile_auth(options, environ)


def _api_key(options: Mapping[str, str], environ: Mapping[str, str]) -> httpx.Auth:
    from sqlprovider.auth.oci import api_key_auth  # noqa: PLC0415  see _FACTORIES

    return api_key_auth(options, environ)


def _security_token(options: Mapping[str, str], environ: Mapping[str, str]) -> httpx.Auth:
    from sqlprovider.auth.oci import security_token_auth  # noqa: PLC0415  see _FACTORIES

    return security_token_auth(options, environ)


_FACTORIES: Mapping[str, AuthFactory] = {
    "none": _no_auth,
    "basic": basic_auth,
    "token": bearer_auth,
    "service_account": _service_account,
    "adc": _adc,
    "access_key": _access_key,
    "bearer": _bearer,
    "profile": _profile,
    "api_key": _api_key,
    "security_token": _security_token,
}
"""A vendor's file is imported when its type is first used: most sessions need one or none of them."""

AUTH_TYPES = tuple(_FACTORIES)
"""Every type there is."""
