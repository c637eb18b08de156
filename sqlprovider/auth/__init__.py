"""Who asks: httpx.Auth flows, one scheme a file.

Takes: an `AuthSpec` of the configuration, and the environment that holds the secrets it names.
Gives: an `httpx.Auth`, or None where nobody asks. May import: config, errors, httpx.
Start reading here, then `bearer.py`: a new scheme is a file and a line in `_FACTORIES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import httpx

from sqlprovider.auth.basic import basic_auth
from sqlprovider.auth.bearer import bearer_auth
from sqlprovider.config import AuthSpec
from sqlprovider.errors import ConfigError

AuthFactory = Callable[[Mapping[str, str], Mapping[str, str]], httpx.Auth | None]
"""(options, environ) → the flow; None: requests go out as they are."""


def auth_flow(
    spec: AuthSpec, environ: Mapping[str, str], *, types: Iterable[str] | None = None
) -> httpx.Auth | None:
    """The flow that signs a connection's requests. `types` are those its provider takes; None: every one.

    Raises ConfigError for a type there is not, CredentialsError where the environment lacks a secret.
    """
    known = tuple(name for name in _FACTORIES if types is None or name in types)
    if spec.type not in known:
        raise ConfigError(
            f"no auth type {spec.type!r}; there are: {', '.join(known)}", reason="unknown_auth_type"
        )
    return _FACTORIES[spec.type](spec.options, environ)


def _no_auth(options: Mapping[str, str], environ: Mapping[str, str]) -> None:
    return None


_FACTORIES: Mapping[str, AuthFactory] = {"none": _no_auth, "basic": basic_auth, "token": bearer_auth}
