"""Who asks, as it is configured: a type of auth and its options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlprovider.config.keys import KeyPath, Origin, check_keys, table, texts


@dataclass(frozen=True, slots=True)
class AuthSpec:
    """Who asks: a type of auth and its options, which name secrets and never hold them."""

    type: str
    options: Mapping[str, str]


AUTH_OPTIONS: Mapping[str, Mapping[str, bool]] = {
    "none": {},
    "basic": {"username": True, "password_env": True},
    "token": {"env": True},
    "service_account": {"file": True},
    "adc": {},
    "access_key": {"id_env": True, "secret_env": True, "token_env": False},
    "bearer": {"env": True},
    "profile": {"file": False, "name": False},
    "api_key": {"file": False, "profile": False},
    "security_token": {"file": False, "profile": False},
}
"""Auth type → its options, each with whether it is required."""

_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TYPE_NAME = re.compile(r"[A-Za-z][A-Za-z_]{0,24}")
_LONGEST_PATH = 1024


def read_auth(value: object, path: KeyPath, *, origin: Origin) -> AuthSpec | None:
    """The `auth` of a connection, None where it has none. Raises ConfigError; no message repeats a secret."""
    if value is None:
        return None
    body = {"type": value} if isinstance(value, str) else table(value, path, origin=origin)
    kind = _read_type(body.get("type"), path, origin=origin)
    known = AUTH_OPTIONS[kind]
    check_keys(body, ("type", *known), path, origin=origin)
    required = [name for name, is_required in known.items() if is_required]
    if missing := [name for name in required if name not in body]:
        example = ", ".join(f'{name} = "…"' for name in required)
        raise origin.error(
            path,
            f"of type {kind} needs {', '.join(missing)}",
            hint=f'auth = {{ type = "{kind}", {example} }}',
        )
    options = texts({name: body[name] for name in known if name in body}, path, origin=origin)
    for name, text in options.items():
        # What stands there may be the secret itself: it is not repeated.
        if name.endswith("env") and _VARIABLE_NAME.fullmatch(text) is None:
            raise origin.error((*path, name), "must be the name of an environment variable")
        if name == "file" and not _is_path(text):
            raise origin.error((*path, name), "must be the path of a file, not what is in it")
    return AuthSpec(kind, options)


def _read_type(kind: object, path: KeyPath, *, origin: Origin) -> str:
    there_are = f"there are: {', '.join(AUTH_OPTIONS)}"
    if not isinstance(kind, str):
        raise origin.error(path, f"needs a type; {there_are}", hint='auth = { type = "none" }')
    if kind not in AUTH_OPTIONS:
        # `auth = "…"` is where a token is pasted: only what looks like a type is repeated.
        shown = f": {kind!r}" if _TYPE_NAME.fullmatch(kind) else ""
        raise origin.error((*path, "type"), f"is no type of auth{shown}; {there_are}")
    return kind


def _is_path(text: str) -> bool:
    return text.isprintable() and len(text) <= _LONGEST_PATH and not text.lstrip().startswith(("{", "-----"))
