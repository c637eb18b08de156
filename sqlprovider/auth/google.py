"""`service_account` and `adc`: Google's credentials, from a file or from where Google's own tools look.

The order of `adc` is google-auth's: the file that `GOOGLE_APPLICATION_CREDENTIALS` names, the file that
`gcloud auth application-default login` writes, the metadata server. `GOOGLE_CLOUD_QUOTA_PROJECT`, or
`quota_project_id` in the file, goes along as `x-goog-user-project`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx

from sqlprovider.auth.google_grants import TOKEN_URI, AuthorizedUser, ServiceAccount, rsa_signer
from sqlprovider.auth.google_metadata import metadata_server
from sqlprovider.auth.google_token import TokenAuth, TokenSource
from sqlprovider.auth.secrets import read_option
from sqlprovider.auth.vendor_files import expanded, home_file, read_text
from sqlprovider.config import base_url_problem
from sqlprovider.errors import CredentialsError

Clock = Callable[[], float]

_OUR_UNIVERSE = "googleapis.com"


def service_account_auth(
    options: Mapping[str, str], environ: Mapping[str, str], *, now: Clock = time.time
) -> httpx.Auth:
    """The flow for `{type = "service_account", file = "…"}`. Raises CredentialsError, ConfigError."""
    path = expanded(read_option(options, "file", auth_type="service_account"), environ)
    return _file_auth(path, environ, what="auth type 'service_account'", only="service_account", now=now)


def adc_auth(options: Mapping[str, str], environ: Mapping[str, str], *, now: Clock = time.time) -> httpx.Auth:
    """The flow for `{type = "adc"}`. Raises CredentialsError where there is nothing, ConfigError."""
    if (auth := found_adc(environ, now=now)) is None:
        raise CredentialsError(f"no Google credentials were found; looked for: {', '.join(places(environ))}")
    return auth


def found_adc(environ: Mapping[str, str], *, now: Clock = time.time) -> httpx.Auth | None:
    """What the environment offers; None: nothing. Whether a metadata server is there shows when it is asked.

    Raises CredentialsError for a file that is there and cannot be used, or is named and is not there.
    """
    if named := environ.get("GOOGLE_APPLICATION_CREDENTIALS"):
        return _file_auth(Path(named), environ, what="GOOGLE_APPLICATION_CREDENTIALS", now=now)
    path = well_known_file(environ)
    if path is not None and path.is_file():
        return _file_auth(path, environ, what="gcloud's credentials", now=now)
    if (server := metadata_server(environ, _files(environ))) is None:
        return None
    return TokenAuth(
        server, headers=_quota(environ.get("GOOGLE_CLOUD_QUOTA_PROJECT"), "the environment"), now=now
    )


def well_known_file(environ: Mapping[str, str], *, is_windows: bool = os.name == "nt") -> Path | None:
    """Where gcloud keeps the credentials of `application-default login`; None: no home directory is named."""
    name = "application_default_credentials.json"
    if folder := environ.get("CLOUDSDK_CONFIG"):
        return Path(folder, name)
    if is_windows and (folder := environ.get("APPDATA")):
        return Path(folder, "gcloud", name)
    return home_file(environ, ".config", "gcloud", name)


def places(environ: Mapping[str, str]) -> tuple[str, ...]:
    """What `adc` looks for, in words, where not even a metadata server may be asked."""
    return (*_files(environ), "the metadata server (NO_GCE_CHECK says that there is none)")


def _files(environ: Mapping[str, str]) -> tuple[str, ...]:
    path = well_known_file(environ)
    return ("$GOOGLE_APPLICATION_CREDENTIALS", *(() if path is None else (str(path),)))


def _file_auth(
    path: Path, environ: Mapping[str, str], *, what: str, only: str | None = None, now: Clock
) -> httpx.Auth:
    info = _read_info(path, what=what)
    kind = info.get("type")
    if only is not None and kind != only:
        raise CredentialsError(f"{path} ({what}) is no key of a service account: its type is not {only!r}")
    where = f"{path} ({what})"
    match kind:
        case "service_account":
            source: TokenSource = _service_account(info, where)
        case "authorized_user":
            source = _authorized_user(info, where)
        case _:
            raise _not_supported(kind, where)
    # An explicit file is google-auth's `from_service_account_file`, which reads no environment.
    quota = None if only is not None else environ.get("GOOGLE_CLOUD_QUOTA_PROJECT")
    return TokenAuth(source, headers=_quota(quota or info.get("quota_project_id"), where), now=now)


def _read_info(path: Path, *, what: str) -> Mapping[str, object]:
    text = read_text(path, what=what)
    try:
        info = json.loads(text)
    except (ValueError, RecursionError):
        # The exception holds the whole text.
        raise CredentialsError(f"{path} ({what}) is not JSON") from None
    if not isinstance(info, dict):
        raise CredentialsError(f"{path} ({what}) is no key file: it holds no JSON object")
    return info


def _service_account(info: Mapping[str, object], where: str) -> ServiceAccount:
    if info.get("universe_domain", _OUR_UNIVERSE) != _OUR_UNIVERSE:
        raise CredentialsError(f"{where}: a universe_domain other than {_OUR_UNIVERSE} is not supported")
    key_id = _text(info, "private_key_id", where) if "private_key_id" in info else None
    return ServiceAccount(
        email=_text(info, "client_email", where),
        token_uri=_uri(_text(info, "token_uri", where), where),
        key_id=key_id,
        sign=rsa_signer(_text(info, "private_key", where), where=where),
    )


def _authorized_user(info: Mapping[str, object], where: str) -> AuthorizedUser:
    scopes = info.get("scopes") or ()
    return AuthorizedUser(
        token_uri=_uri(_text({"token_uri": TOKEN_URI, **info}, "token_uri", where), where),
        client_id=_text(info, "client_id", where),
        client_secret=_text(info, "client_secret", where),
        refresh_token=_text(info, "refresh_token", where),
        scopes=tuple(scopes.split() if isinstance(scopes, str) else map(str, _items(scopes))),
    )


def _items(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, list) else ()


def _text(info: Mapping[str, object], name: str, where: str) -> str:
    value = info.get(name)
    if not isinstance(value, str) or not value:
        raise CredentialsError(f"{where} has no {name}")
    return value


def _uri(uri: str, where: str) -> str:
    # Whoever listens there gets the assertion or the refresh token: https, or this machine's own loopback.
    if (problem := base_url_problem(uri, insecure=False)) is not None or "{" in uri:
        raise CredentialsError(f"{where}: token_uri {problem or 'is not a URL'}")
    return uri


def _quota(project: object, where: str) -> Mapping[str, str]:
    if not project:
        return {}
    if not isinstance(project, str) or not project.isascii() or not project.isprintable():
        raise CredentialsError(f"{where}: the quota project is no project's name")
    return {"x-goog-user-project": project}


def _not_supported(kind: object, where: str) -> CredentialsError:
    known = isinstance(kind, str) and kind in _OTHER_TYPES
    said = f"credentials of type {kind!r} are not supported" if known else "its type is not one that is known"
    return CredentialsError(
        f"{where}: {said}; there are: service_account, authorized_user",
        hint="GOOGLE_TOKEN=$(gcloud auth print-access-token), with auth type 'token'" if known else None,
        reason="unsupported_credentials",
    )


_OTHER_TYPES = (
    "external_account",
    "external_account_authorized_user",
    "impersonated_service_account",
    "gdch_service_account",
)
"""What google-auth reads besides."""
