"""How Oracle Cloud's requests are signed: HTTP signatures (draft-cavage) with rsa-sha256.

What is signed is what httpx sends: the target's bytes as they are, the Host header, and of a request that can
have a body its length, its type and its SHA-256, also where it is empty.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Protocol

import httpx

from sqlprovider.auth.oci_keys import sign_rsa_sha256
from sqlprovider.errors import CredentialsError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_ALWAYS = ("date", "(request-target)", "host")
_OF_A_BODY = ("content-length", "content-type", "x-content-sha256")
_WITH_BODY = ("POST", "PUT", "PATCH")


@dataclass(frozen=True, slots=True)
class OciIdentity:
    """Who signs: the name of the key at Oracle's, which can be a session's token, and the key."""

    key_id: str = field(repr=False)
    key: RSAPrivateKey = field(repr=False)


class OciIdentities(Protocol):
    """Where the identity of a request comes from."""

    def current(self, now: datetime) -> OciIdentity:
        """The identity to sign with. Raises CredentialsError where there is none that is valid."""

    def after_refusal(self, refused: OciIdentity) -> OciIdentity | None:
        """Another one than the one that was refused; None where there is none to be had."""


class FixedIdentity:
    """An API key: it stays as it is."""

    def __init__(self, identity: OciIdentity) -> None:
        self._identity = identity

    def current(self, now: datetime) -> OciIdentity:
        """The key."""
        return self._identity

    def after_refusal(self, refused: OciIdentity) -> None:
        """There is no other."""


def _now() -> datetime:
    return datetime.now(UTC)


class OciAuth(httpx.Auth):
    """Signs each attempt anew, with a date of its own."""

    requires_request_body = True

    def __init__(self, identities: OciIdentities, *, now: Callable[[], datetime] = _now) -> None:
        self._identities = identities
        self._now = now

    def __repr__(self) -> str:
        return "OciAuth()"

    def principal(self) -> str | None:
        """The key's name, which for a session is its token; None where there is no valid one."""
        try:
            return self._identities.current(self._now()).key_id
        except CredentialsError:
            return None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Signs; and once more, where the API does not know the identity and there is another one."""
        identity = self._identities.current(self._now())
        sign(request, identity, self._now())
        response = yield request
        if response.status_code != 401:
            return
        if (other := self._identities.after_refusal(identity)) is not None:
            sign(request, other, self._now())
            yield request


def sign(request: httpx.Request, identity: OciIdentity, now: datetime) -> None:
    """Puts date, digest and signature into a request's headers, in place of those it has."""
    headers = request.headers
    headers["date"] = format_datetime(now.astimezone(UTC), usegmt=True)
    if request.method in _WITH_BODY:
        body = request.content
        headers.pop("transfer-encoding", None)
        headers["content-length"] = str(len(body))
        headers.setdefault("content-type", "application/json")
        headers["x-content-sha256"] = base64.b64encode(hashlib.sha256(body).digest()).decode("ascii")
    headers["authorization"] = authorization(request, identity)


def authorization(request: httpx.Request, identity: OciIdentity) -> str:
    """The Authorization header of a request that bears all other headers already."""
    target = f"{request.method.lower()} {request.url.raw_path.decode('ascii')}"
    signed = _ALWAYS + (_OF_A_BODY if request.method in _WITH_BODY else ())
    text = "\n".join(
        f"{name}: {target if name == '(request-target)' else request.headers[name]}" for name in signed
    )
    return (
        f'Signature algorithm="rsa-sha256",headers="{" ".join(signed)}",keyId="{identity.key_id}",'
        f'signature="{sign_rsa_sha256(identity.key, text)}",version="1"'
    )
