"""A home directory with `~/.oci/config` in it, keys and sessions, as Oracle's tools would leave it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

TENANCY = "ocid1.tenancy.oc1..t"
USER = "ocid1.user.oc1..u"
FINGERPRINT = ":".join(["20"] * 16)
KEY_ID = f"{TENANCY}/{USER}/{FINGERPRINT}"
API_KEY = {"tenancy": TENANCY, "user": USER, "fingerprint": FINGERPRINT, "key_file": "~/.oci/key.pem"}
SESSION = {"key_file": "~/.oci/key.pem", "security_token_file": "~/.oci/token"}


@cache
def rsa_key(name: str = "first") -> RSAPrivateKey:
    """A throwaway key; making one takes 0.1 s."""
    return generate_private_key(65537, 2048)


def pem(
    key: RSAPrivateKey, pass_phrase: str | None = None, form: PrivateFormat = PrivateFormat.PKCS8
) -> bytes:
    how = NoEncryption() if pass_phrase is None else BestAvailableEncryption(pass_phrase.encode())
    return key.private_bytes(Encoding.PEM, form, how)


def token_until(moment: datetime, name: str = "planted") -> str:
    """A JSON web token that expires then; nobody looks at its signature."""
    parts = ({"alg": "RS256"}, {"exp": int(moment.timestamp()), "sub": name}, "signature")
    return ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts)


@dataclass(frozen=True)
class Home:
    """The directory; `environ` is what a process in it has."""

    path: Path

    @property
    def environ(self) -> dict[str, str]:
        return {"HOME": str(self.path)}

    def config(self, profiles: Mapping[str, Mapping[str, str]], name: str = "config") -> Path:
        lines = []
        for profile, values in profiles.items():
            lines += [f"[{profile}]", *(f"{key}={value}" for key, value in values.items())]
        return self.file(name, "\n".join(lines).encode())

    def file(self, name: str, content: bytes) -> Path:
        path = self.path / ".oci" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return path

    def session(self, token: str, key: RSAPrivateKey) -> Mapping[str, RSAPublicKey]:
        """Writes a session; gives what a server knows of it."""
        self.config({"DEFAULT": SESSION})
        self.file("token", f"{token}\n".encode())
        self.file("key.pem", pem(key))
        return {f"ST${token}": key.public_key()}


def api_key_home(path: Path, **more: str) -> Home:
    """A home with an API key in the profile DEFAULT."""
    home = Home(path)
    home.config({"DEFAULT": {**API_KEY, "region": "us-phoenix-1", **more}})
    home.file("key.pem", pem(rsa_key()))
    return home
