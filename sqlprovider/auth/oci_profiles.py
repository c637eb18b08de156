"""The profiles of `~/.oci/config`, the INI file that Oracle's tools share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sqlprovider.auth.vendor_files import Entry, expanded, home_file, read_ini
from sqlprovider.errors import ConfigError, CredentialsError, did_you_mean

_FILE_VARIABLES = ("OCI_CLI_CONFIG_FILE", "OCI_CONFIG_FILE")
_NAME_VARIABLE = "OCI_CLI_PROFILE"
_DEFAULT = "DEFAULT"
_WHAT = "OCI's configuration"


def profile(options: Mapping[str, str], environ: Mapping[str, str]) -> Entry:
    """The profile that options `file` and `profile`, else the variables, else `DEFAULT` name.

    Raises CredentialsError where the file is not there, ConfigError where the profile is not in it.
    """
    if (path := _named_file(options, environ) or home_file(environ, ".oci", "config")) is None:
        raise CredentialsError(f"there is no file ~/.oci/config ({_WHAT}): HOME is not set")
    profiles = read_ini(path, what=_WHAT)
    name = options.get("profile") or environ.get(_NAME_VARIABLE) or _DEFAULT
    if name not in profiles:
        raise ConfigError(f"{path}: there is no profile {name!r}{did_you_mean(name, tuple(profiles))}")
    return Entry(path, name, profiles[name])


def find_profile(environ: Mapping[str, str]) -> Entry | None:
    """As `profile`; None where no variable names a file and there is none in its usual place."""
    if _named_file({}, environ) is None:
        usual = home_file(environ, ".oci", "config")
        if usual is None or not usual.is_file():
            return None
    return profile({}, environ)


def _named_file(options: Mapping[str, str], environ: Mapping[str, str]) -> Path | None:
    named = options.get("file") or next(filter(None, map(environ.get, _FILE_VARIABLES)), None)
    return expanded(named, environ) if named else None
