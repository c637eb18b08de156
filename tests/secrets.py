"""One planted secret or more for every auth type, and everything it takes to use them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from sqlprovider.config import AuthSpec
from tests.fakes.google_tokens import USER, TokenServer, key_pair
from tests.fakes.loopback import Loopback

ACCESS_TOKEN = "planted-access-token-"


@dataclass(frozen=True)
class Planted:
    """How a connection is configured, and the texts that must be seen nowhere."""

    secrets: tuple[str, ...]
    spec: AuthSpec | None
    """None: it is found."""
    environ: Mapping[str, str] = field(default_factory=dict)


Plant = Callable[[Path, str], Planted]
"""(folder for files, address of Google's token endpoints) → what is planted."""


@contextmanager
def planted(name: str, folder: Path) -> Iterator[Planted]:
    """A scheme ready for use."""
    with Loopback(TokenServer(prefix=ACCESS_TOKEN).app) as server:
        found = SCHEMES[name](folder, server.base_url)
        yield Planted(found.secrets, found.spec, {"HOME": str(folder), **found.environ})


def _basic(folder: Path, address: str) -> Planted:
    spec = AuthSpec("basic", {"username": "ana", "password_env": "PW"})
    # In the header it stands in base64, which is as good as the password.
    encoded = base64.b64encode(b"ana:planted-password").decode()
    return Planted(("planted-password", encoded), spec, {"PW": "planted-password"})


def _token(folder: Path, address: str) -> Planted:
    return Planted(("planted-token",), AuthSpec("token", {"env": "T"}), {"T": "planted-token"})


def _found_token(folder: Path, address: str) -> Planted:
    return Planted(("planted-token",), None, {"MLFLOW_TRACKING_TOKEN": "planted-token"})


def _service_account(folder: Path, address: str) -> Planted:
    key = TokenServer().key_file(folder, token_uri=f"{address}/token")
    # `eyJ` is how the assertion's two JSON objects begin in base64.
    return Planted((*_key_lines(), ACCESS_TOKEN, "eyJ"), AuthSpec("service_account", {"file": str(key)}))


def _adc(folder: Path, address: str) -> Planted:
    user = TokenServer().user_file(folder, token_uri=f"{address}/token")
    secrets = (USER["client_secret"], USER["refresh_token"], ACCESS_TOKEN)
    return Planted(secrets, AuthSpec("adc", {}), {"GOOGLE_APPLICATION_CREDENTIALS": str(user)})


def _metadata(folder: Path, address: str) -> Planted:
    host = address.removeprefix("http://")
    environ = {"GCE_METADATA_HOST": host, "GCE_METADATA_IP": host}
    return Planted((ACCESS_TOKEN,), AuthSpec("adc", {}), environ)


def _access_key(folder: Path, address: str) -> Planted:
    environ = {"ID": "AKID", "SECRET": "planted-key-secret", "STS": "planted-sts-token"}
    options = {"id_env": "ID", "secret_env": "SECRET", "token_env": "STS"}
    return Planted(("planted-key-secret", "planted-sts-token"), AuthSpec("access_key", options), environ)


def _bearer(folder: Path, address: str) -> Planted:
    return Planted(("planted-bearer",), AuthSpec("bearer", {"env": "B"}), {"B": "planted-bearer"})


def _profile(folder: Path, address: str) -> Planted:
    entry = {"name": "lab", "mode": "AK", "access_key_id": "AKID", "access_key_secret": "planted-key-secret"}
    path = folder / "config.json"
    path.write_text(json.dumps({"current": "lab", "profiles": [entry]}), encoding="utf-8")
    return Planted(("planted-key-secret",), AuthSpec("profile", {"file": str(path), "name": "lab"}))


def _api_key(folder: Path, address: str) -> Planted:
    lines = {
        "user": "ocid1.user.oc1..u",
        "fingerprint": "aa:bb",
        "tenancy": "ocid1.tenancy.oc1..t",
        "pass_phrase": "planted-pass-phrase",
        "key_file": str(_encrypted_key(folder, "planted-pass-phrase")),
    }
    secrets = ("planted-pass-phrase", *_key_lines(), *_lines(folder / "key.pem"))
    return Planted(secrets, AuthSpec("api_key", {"file": str(_oci_config(folder, lines))}))


def _security_token(folder: Path, address: str) -> Planted:
    token = folder / "token"
    token.write_text("planted-security-token", encoding="utf-8")
    lines = {
        "security_token_file": str(token),
        "pass_phrase": "planted-pass-phrase",
        "key_file": str(_encrypted_key(folder, "planted-pass-phrase")),
    }
    secrets = ("planted-security-token", "planted-pass-phrase", *_key_lines(), *_lines(folder / "key.pem"))
    return Planted(secrets, AuthSpec("security_token", {"file": str(_oci_config(folder, lines))}))


def _oci_config(folder: Path, lines: Mapping[str, str]) -> Path:
    path = folder / "oci_config"
    text = "".join(f"{key}={value}\n" for key, value in {**lines, "region": "us-ashburn-1"}.items())
    path.write_text(f"[DEFAULT]\n{text}", encoding="utf-8")
    return path


def _encrypted_key(folder: Path, pass_phrase: str) -> Path:
    key = load_pem_private_key(key_pair()[0].encode(), password=None)
    encryption = BestAvailableEncryption(pass_phrase.encode())
    path = folder / "key.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    return path


def _key_lines() -> tuple[str, ...]:
    return tuple(line for line in key_pair()[0].splitlines() if not line.startswith("-----"))


def _lines(path: Path) -> tuple[str, ...]:
    return tuple(line for line in path.read_text().splitlines() if not line.startswith("-----"))


SCHEMES: Mapping[str, Plant] = {
    "basic": _basic,
    "token": _token,
    "found token": _found_token,
    "service_account": _service_account,
    "adc": _adc,
    "metadata server": _metadata,
    "access_key": _access_key,
    "bearer": _bearer,
    "profile": _profile,
    "api_key": _api_key,
    "security_token": _security_token,
}
