"""The profiles that Alibaba Cloud's tools keep.

Two forms: the command line's `~/.aliyun/config.json`, and `~/.alibabacloud/credentials`, an INI file. A file
that the options or ALIBABA_CLOUD_CREDENTIALS_FILE name can have either.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlprovider.auth.aliyun_signing import AccessKey, AliyunCredentials, BearerToken
from sqlprovider.auth.vendor_files import Entry, expanded, home_file, read_ini, read_text
from sqlprovider.errors import ConfigError, CredentialsError, did_you_mean

_FILE_VARIABLE = "ALIBABA_CLOUD_CREDENTIALS_FILE"
_NAME_VARIABLE = "ALIBABA_CLOUD_PROFILE"
_JSON_MODES = ("AK", "StsToken")
_INI_TYPES = ("access_key", "sts", "bearer")
_SECRETS = ("access_key_id", "access_key_secret", "sts_token", "security_token", "bearer_token")
_WHAT = "Alibaba Cloud's profiles"
_INSTEAD = 'auth = { type = "access_key", id_env = "…", secret_env = "…", token_env = "…" }'


def read_credentials(entry: Entry) -> AliyunCredentials:
    """Who a profile says it is. Raises ConfigError for a kind of profile that is not supported."""
    key, kinds = ("mode", _JSON_MODES) if "mode" in entry.values else ("type", _INI_TYPES)
    kind = entry.text(key)
    if kind not in kinds:
        raise ConfigError(
            f"{entry} has {key} {kind}, which is not supported; there are: {', '.join(kinds)}", hint=_INSTEAD
        )
    if kind == "bearer":
        return BearerToken(entry.sendable("bearer_token"))
    token = {"StsToken": "sts_token", "sts": "security_token"}.get(kind)
    return AccessKey(
        entry.sendable("access_key_id"),
        entry.text("access_key_secret"),
        None if token is None else entry.sendable(token),
    )


def is_blank(entry: Entry) -> bool:
    """Whether a profile was never filled in: `aliyun configure` writes one, and may be left half-way."""
    kind = entry.values.get("mode") or entry.values.get("type")
    return kind in (*_JSON_MODES, *_INI_TYPES) and not any(entry.values.get(key) for key in _SECRETS)


def find_profile(options: Mapping[str, str], environ: Mapping[str, str]) -> Entry | None:
    """The profile that options `file` and `name`, else the variables, else the files themselves name.

    None where there is no file, or no file says which profile it is and none is called `default`. Raises
    ConfigError or CredentialsError where a file or a profile is named and is not there.
    """
    wanted = options.get("name") or environ.get(_NAME_VARIABLE)
    missing, known, files = wanted, list[str](), list[str]()
    for path in _files(options, environ):
        profiles, current = _read_file(path)
        if (name := wanted or current) in profiles:
            return Entry(path, name, profiles[name])
        known.extend(profiles)
        files.append(str(path))
        missing = missing or (current if "file" in options else None)
    if files and missing is not None:
        raise ConfigError(
            f"{', '.join(files)}: there is no profile {missing!r}{did_you_mean(missing, tuple(known))}"
        )
    return None


def profile(options: Mapping[str, str], environ: Mapping[str, str]) -> Entry:
    """As `find_profile`; none is a CredentialsError."""
    if (entry := find_profile(options, environ)) is not None:
        return entry
    files = ", ".join(str(path) for path in _candidates(options, environ)) or "HOME is not set"
    raise CredentialsError(
        f"there is no profile of Alibaba Cloud (looked in: {files})", hint="aliyun configure"
    )


def _candidates(options: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[Path]:
    if named := options.get("file") or environ.get(_FILE_VARIABLE):
        yield expanded(named, environ)
    if "file" in options:
        return
    places = [(".alibabacloud", "credentials"), (".alibabacloud", "credentials.ini")]
    if environ.get("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "").lower() != "true":
        places.insert(0, (".aliyun", "config.json"))
    for place in places:
        if (path := home_file(environ, *place)) is not None:
            yield path


def _files(options: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[Path]:
    """The files to read; one that is named must be there."""
    is_named = bool(options.get("file") or environ.get(_FILE_VARIABLE))
    for number, path in enumerate(_candidates(options, environ)):
        if (is_named and number == 0) or path.is_file():
            yield path


def _read_file(path: Path) -> tuple[Mapping[str, Mapping[str, str]], str]:
    """The profiles of a file by name, and the name of the current one."""
    if not read_text(path, what=_WHAT).lstrip().startswith("{"):
        return {name: _uncommented(values) for name, values in read_ini(path, what=_WHAT).items()}, "default"
    try:
        document = json.loads(read_text(path, what=_WHAT))
        named = {str(entry["name"]): entry for entry in document["profiles"]}
        profiles = {name: {key: _text(value) for key, value in body.items()} for name, body in named.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ConfigError(
            f"{path} ({_WHAT}) is not a configuration of the aliyun command: "
            '{"current": …, "profiles": [{"name": …, "mode": …}]}'
        ) from None
    return profiles, str(document.get("current") or "default")


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _uncommented(values: Mapping[str, str]) -> Mapping[str, str]:
    # The vendor's reader ends a value at `#`; no key or token has one.
    return {key: value.partition("#")[0].strip() for key, value in values.items()}
