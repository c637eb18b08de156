"""Who asks Oracle Cloud: an API key or a session's security token, both out of `~/.oci/config`.

    auth = { type = "api_key", file = "~/.oci/config", profile = "DEFAULT" }
    auth = { type = "security_token", profile = "session" }

`file` and `profile` can be left out. How a request is signed stands in `oci_signing.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import httpx

from sqlprovider.auth.oci_keys import read_rsa_key
from sqlprovider.auth.oci_profiles import find_profile, profile
from sqlprovider.auth.oci_session import SessionIdentities, TokenFile
from sqlprovider.auth.oci_signing import FixedIdentity, OciAuth, OciIdentity
from sqlprovider.auth.vendor_files import Entry, expanded
from sqlprovider.errors import ConfigError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey


def api_key_auth(options: Mapping[str, str], environ: Mapping[str, str]) -> httpx.Auth:
    """The flow for `api_key`: the profile's user, fingerprint, tenancy, key_file and pass_phrase."""
    return _api_key(profile(options, environ), environ)


def security_token_auth(options: Mapping[str, str], environ: Mapping[str, str]) -> httpx.Auth:
    """The flow for `security_token`: the profile's security_token_file and key_file.

    The token is read again when it has nearly run out, and once where the API answers 401.
    """
    return _security_token(profile(options, environ), environ)


def found_oci(environ: Mapping[str, str]) -> httpx.Auth | None:
    """The flow for the profile that the vendor's own variables and file name; None where there is no file.

    OCI_CLI_CONFIG_FILE, OCI_CONFIG_FILE or `~/.oci/config`; in it OCI_CLI_PROFILE or DEFAULT.
    """
    if (entry := find_profile(environ)) is None:
        return None
    return (_security_token if "security_token_file" in entry.values else _api_key)(entry, environ)


def oci_region(options: Mapping[str, str], environ: Mapping[str, str]) -> str | None:
    """The region of the profile that the flows take, else that of OCI_REGION or OCI_CLI_REGION."""
    entry = profile(options, environ) if "file" in options or "profile" in options else find_profile(environ)
    region = None if entry is None else entry.region("region")
    return region or environ.get("OCI_REGION") or environ.get("OCI_CLI_REGION") or None


def _api_key(entry: Entry, environ: Mapping[str, str]) -> httpx.Auth:
    if kind := entry.values.get("authentication_type"):
        raise ConfigError(f"{entry} has authentication_type {kind!r}, which is not supported")
    is_session = "security_token_file" in entry.values
    hint = f'auth = {{ type = "security_token", profile = "{entry.name}" }}' if is_session else None
    key_id = "/".join(entry.sendable(key, hint=hint) for key in ("tenancy", "user", "fingerprint"))
    return OciAuth(FixedIdentity(OciIdentity(key_id, _key(entry, environ))))


def _security_token(entry: Entry, environ: Mapping[str, str]) -> httpx.Auth:
    file = TokenFile(
        expanded(entry.text("security_token_file"), environ),
        named_by=str(entry),
        hint=f"oci session authenticate --profile-name {entry.name}",
    )
    return OciAuth(SessionIdentities(file, lambda: _key(entry, environ)))


def _key(entry: Entry, environ: Mapping[str, str]) -> RSAPrivateKey:
    # A pass phrase can hold spaces and what no header could.
    pass_phrase = entry.values.get("pass_phrase") or environ.get("OCI_CLI_PASSPHRASE")
    return read_rsa_key(expanded(entry.text("key_file"), environ), pass_phrase, named_by=str(entry))
