"""How Google's token endpoints are asked: with an assertion signed by a key, or with a refresh token.

As google-auth does it (RFC 7523, RFC 6749 §6), and compared with it in the tests.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from sqlprovider.auth.google_token import Asking, Token
from sqlprovider.errors import AuthError, ConfigError, CredentialsError, Error

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
TOKEN_URI = "https://oauth2.googleapis.com/token"
"""Google's own token endpoint, and the audience of every assertion, wherever it is sent."""

_LIFETIME = 3600
_LONGEST_MESSAGE = 300
_TEMPORARY = frozenset((408, 429, 500, 502, 503, 504))

Signer = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A service account's key: an assertion that it signs is exchanged for a token."""

    email: str
    token_uri: str
    key_id: str | None
    sign: Signer = field(repr=False)
    hosts_unproxied: tuple[str, ...] = ()

    @property
    def is_https(self) -> bool:
        """Whether the endpoint is asked over TLS."""
        return self.token_uri[:6].lower() == "https:"

    def principal(self) -> str:
        """The account, whichever of its keys signs."""
        return f"service account {self.email} at {self.token_uri}"

    def ask(self, now: float) -> Asking:
        """Yields the grant. Raises AuthError."""
        assertion = self._assertion(int(now))
        grant = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
        response = yield httpx.Request("POST", self.token_uri, data=grant)
        hint = "is the key still there, and is the clock of this machine right?"
        return read_token(response, now=now, secrets=(assertion,), hint=hint)

    def unreachable(self, request: httpx.Request, why: str, *, reason: str) -> Error:
        """The endpoint did not answer."""
        return no_answer(request, why, reason=reason)

    def _assertion(self, now: int) -> str:
        header = {"typ": "JWT", "alg": "RS256"} | ({} if self.key_id is None else {"kid": self.key_id})
        claims = {
            "iat": now,
            "exp": now + _LIFETIME,
            "iss": self.email,
            "aud": TOKEN_URI,
            "scope": SCOPE,
        }
        signed = f"{_segment(header)}.{_segment(claims)}"
        return f"{signed}.{_base64url(self.sign(signed.encode()))}"


@dataclass(frozen=True, slots=True)
class AuthorizedUser:
    """What `gcloud auth application-default login` keeps: a refresh token is exchanged for a token."""

    token_uri: str
    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    scopes: tuple[str, ...] = ()
    hosts_unproxied: tuple[str, ...] = ()

    @property
    def is_https(self) -> bool:
        """Whether the endpoint is asked over TLS."""
        return self.token_uri[:6].lower() == "https:"

    def principal(self) -> str:
        """The refresh token: nothing else says who the user is."""
        return repr(("user", self.token_uri, self.client_id, self.refresh_token, self.scopes))

    def ask(self, now: float) -> Asking:
        """Yields the grant. Raises AuthError."""
        grant = {
            "grant_type": "refresh_token",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "refresh_token": self.refresh_token,
        }
        if self.scopes:
            grant["scope"] = " ".join(self.scopes)
        response = yield httpx.Request("POST", self.token_uri, data=grant)
        secrets = (self.client_secret, self.refresh_token)
        return read_token(response, now=now, secrets=secrets, hint="gcloud auth application-default login")

    def unreachable(self, request: httpx.Request, why: str, *, reason: str) -> Error:
        """The endpoint did not answer."""
        return no_answer(request, why, reason=reason)


def rsa_signer(pem: str, *, where: str) -> Signer:
    """Signs with RS256. Raises ConfigError without `cryptography`, CredentialsError for an unusable key."""
    try:
        # Only who signs pays for it, and only who signs needs it.
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  see above
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415  see above
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415  see above
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415  see above
        from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415  see above
            load_pem_private_key,
        )
    except ImportError:
        raise ConfigError(
            "auth type 'service_account' needs the package 'cryptography', which is not installed",
            hint="pip install 'sqlprovider[google]'",
            reason="missing_package",
        ) from None
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise CredentialsError(f"{where}: private_key is no PEM key that can be read") from None
    if not isinstance(key, RSAPrivateKey):
        raise CredentialsError(f"{where}: private_key is no RSA key")
    rsa = key
    return lambda message: rsa.sign(message, PKCS1v15(), SHA256())


def read_token(
    response: httpx.Response, *, now: float, secrets: Sequence[str] = (), hint: str | None = None
) -> Token:
    """The token of an endpoint's answer. Raises AuthError for anything else; `secrets` are never repeated."""
    host = response.request.url.netloc.decode("ascii")
    answer = _read_object(response)
    if response.status_code != httpx.codes.OK:
        raise _refusal(response.status_code, answer, host=host, secrets=secrets, hint=hint)
    value, seconds = answer.get("access_token"), answer.get("expires_in")
    if (
        not isinstance(value, str)
        or not value.isascii()
        or not value.isprintable()
        or " " in value
        or not value
    ):
        raise AuthError(f"{host} answered without an access token", status=200, reason="no_token")
    return Token.lasting(value, _read_seconds(seconds), now=now)


def no_answer(request: httpx.Request, why: str, *, reason: str) -> AuthError:
    """What a token endpoint that does not answer means."""
    host = request.url.netloc.decode("ascii")
    said = f": {why}" if host not in why else f" ({why})"
    return AuthError(f"no access token from {host}{said}", reason=reason)


def _refusal(
    status: int, answer: Mapping[str, object], *, host: str, secrets: Sequence[str], hint: str | None
) -> AuthError:
    code, told = answer.get("error"), answer.get("error_description")
    parts = [str(status), *(_clean(text, secrets) for text in (code, told) if isinstance(text, str))]
    return AuthError(
        f"{host} gave no access token: {' '.join(part for part in parts if part)}",
        status=status,
        code=_clean(code, secrets) if isinstance(code, str) else None,
        # Nothing was sent to the API: the executor asks again after a while.
        reason="not_sent" if status in _TEMPORARY else "no_token",
        hint=hint if code == "invalid_grant" else None,
    )


def _read_object(response: httpx.Response) -> Mapping[str, object]:
    try:
        answer = json.loads(response.content)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _read_seconds(value: object) -> float | None:
    """Seconds; some endpoints send them as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return float(value)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _clean(text: str, secrets: Sequence[str]) -> str:
    """One line of what the endpoint says, without what it was asked with."""
    for secret in filter(None, secrets):
        text = text.replace(secret, "…")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_LONGEST_MESSAGE]


def _segment(value: Mapping[str, object]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")
