"""What the auth schemes read: options of the configuration, and the secrets of the environment they name."""

from __future__ import annotations

from collections.abc import Mapping

from sqlprovider.errors import ConfigError, CredentialsError


def read_option(options: Mapping[str, str], name: str, *, auth_type: str) -> str:
    """An option of the auth table. Raises ConfigError if it is not there."""
    if not (value := options.get(name, "")):
        raise ConfigError(f"auth type {auth_type!r} needs {name!r}")
    return value


def read_secret(options: Mapping[str, str], name: str, environ: Mapping[str, str], *, auth_type: str) -> str:
    """The secret in the environment variable that an option names. Raises CredentialsError if it is unset.

    No message holds the secret, not even one that cannot be sent.
    """
    variable = read_option(options, name, auth_type=auth_type)
    # `export TOKEN="$(cat file)\n"` is common, and a line end is never part of a secret.
    secret = environ.get(variable, "").strip()
    if not secret:
        raise CredentialsError(
            f"the environment variable {variable} is not set, which should hold the {_WORDS[name]}",
            hint=f"export {variable}=…",
        )
    if not secret.isprintable():
        raise CredentialsError(f"the environment variable {variable} holds characters that cannot be sent")
    return secret


_WORDS = {
    "env": "token",
    "password_env": "password",
    "id_env": "id of the access key",
    "secret_env": "secret of the access key",
    "token_env": "security token",
}
