"""RSA keys in files: read, and used to sign. `cryptography` is imported here, at the first key."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

from sqlprovider.auth.vendor_files import read_bytes
from sqlprovider.errors import ConfigError, CredentialsError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey


def read_rsa_key(path: Path, pass_phrase: str | None, *, named_by: str) -> RSAPrivateKey:
    """The private key in a PEM file. A pass phrase that the key does not need is no error.

    Raises CredentialsError that names the file and who named it: it is not there, holds no RSA key, or is
    encrypted and the pass phrase is wrong or missing. Raises ConfigError where `cryptography` is missing.
    """
    _require_cryptography()
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  an extra, and 40 ms
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415  the same
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415  the same

    data = read_bytes(path, what=f"key_file of {named_by}").strip()
    is_encrypted = b"ENCRYPTED" in data
    secret = pass_phrase.encode() if pass_phrase and is_encrypted else None
    where = f"{path} (key_file of {named_by})"
    if is_encrypted and secret is None:
        raise CredentialsError(f"{where} needs a pass phrase, and there is no pass_phrase")
    try:
        key = load_pem_private_key(data, secret)
    except UnsupportedAlgorithm:
        raise CredentialsError(f"{where} holds a key of a kind that is not supported") from None
    except (ValueError, TypeError):
        # Whatever the library says of it, no piece of the key gets into a message.
        if secret is not None:
            raise CredentialsError(f"{where} cannot be opened: the pass phrase is wrong") from None
        what = "a public key" if b"PUBLIC KEY-----" in data else "no private key in PEM form"
        raise CredentialsError(f"{where} holds {what}") from None
    if not isinstance(key, RSAPrivateKey):
        raise CredentialsError(f"{where} holds a key that is not an RSA key")
    return key


def sign_rsa_sha256(key: RSAPrivateKey, text: str) -> str:
    """The PKCS #1 v1.5 signature of a text, in base64."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415  an extra
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415  an extra

    return base64.b64encode(key.sign(text.encode(), PKCS1v15(), SHA256())).decode("ascii")


def _require_cryptography() -> None:
    try:
        import cryptography  # noqa: F401, PLC0415  asked for only here: it is an extra
    except ImportError:
        raise ConfigError(
            "signing for OCI needs the package cryptography", hint="pip install 'sqlprovider[oci]'"
        ) from None
