"""Google's token endpoint and a machine's metadata server, and an API that takes only their tokens.

    tokens = TokenServer()
    with Loopback(tokens.app) as server:
        path = tokens.key_file(folder, token_uri=f"{server.base_url}/token")
    assert tokens.forms[0]["grant_type"] == …

Assertions are verified by google-auth's own `google.auth.jwt`, against the public key.
"""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from google.auth import jwt

from sqlprovider.values import JSON

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

AUDIENCE = "https://oauth2.googleapis.com/token"
EMAIL = "reader@acme.iam.gserviceaccount.com"
KEY_ID = "0123456789abcdef"
USER = {"client_id": "client-1", "client_secret": "planted-client-secret", "refresh_token": "planted-refresh"}
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOKEN_PATH = "/computeMetadata/v1/instance/service-accounts/default/token"
FLAVOR = ("Metadata-Flavor", "Google")
_STATUS = {
    200: "200 OK",
    400: "400 Bad Request",
    401: "401 Unauthorized",
    403: "403 Forbidden",
    404: "404 Not",
}


@functools.cache
def key_pair(name: str = "first") -> tuple[str, str]:
    """A private key and its public one in PEM form; one a name."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


class TokenServer:
    """Gives `token-1`, `token-2` and so on; what is in `valid` is accepted by `guarded` APIs."""

    def __init__(self, *, lifetime: JSON = 3600, prefix: str = "token-") -> None:
        self.lifetime = lifetime
        self._prefix = prefix
        self.forms: list[dict[str, str]] = []
        self.probes = 0
        self.valid: set[str] = set()
        self.flavors = [FLAVOR]
        self._given = 0
        self._lock = threading.Lock()

    def key_file(self, folder: Path, *, token_uri: str, **changes: JSON) -> Path:
        """A service account's key file; a change to None takes the key away."""
        info: dict[str, JSON] = {
            "type": "service_account",
            "project_id": "acme",
            "private_key_id": KEY_ID,
            "private_key": key_pair()[0],
            "client_email": EMAIL,
            "client_id": "123",
            "token_uri": token_uri,
        }
        return write_json(folder / "key.json", info | changes)

    def user_file(self, folder: Path, *, token_uri: str, **changes: JSON) -> Path:
        """What gcloud's `application-default login` writes, with a token endpoint of its own."""
        return write_json(
            folder / "user.json", {"type": "authorized_user", **USER, "token_uri": token_uri} | changes
        )

    def revoke(self) -> None:
        """From now on no token given so far is valid."""
        self.valid.clear()

    def app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The token endpoint at `/token`, and the metadata server."""
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if (method, path) == ("POST", "/token"):
            form = dict(parse_qsl(environ["wsgi.input"].read().decode(), strict_parsing=True))
            with self._lock:
                self.forms.append(form)
                problem = _problem(form)
                status, answer = (400, problem) if problem is not None else (200, self._give())
            return _json(start_response, status, answer)
        if environ.get("HTTP_METADATA_FLAVOR") != "Google":
            return _json(start_response, 403, {"error": "no flavor"})
        with self._lock:
            if (method, path) == ("GET", "/"):
                self.probes += 1
                return _json(start_response, 200, {}, self.flavors)
            if (method, path) == ("GET", TOKEN_PATH):
                return _json(start_response, 200, self._give(), self.flavors)
        if (method, path) == ("GET", f"{TOKEN_PATH.removesuffix('token')}"):
            return _json(start_response, 200, {"email": EMAIL, "scopes": [], "aliases": []}, self.flavors)
        return _json(start_response, 404, {}, self.flavors)

    def guarded(self, app: WSGIApplication) -> WSGIApplication:
        """The API, for those who bear a valid token."""

        def check(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
            if scheme != "Bearer" or token not in self.valid:
                error: JSON = {"code": 401, "message": "no valid token", "status": "UNAUTHENTICATED"}
                return _json(start_response, 401, {"error": error, "error_code": "UNAUTHENTICATED"})
            return app(environ, start_response)

        return check

    def _give(self) -> dict[str, JSON]:
        self._given += 1
        token = f"{self._prefix}{self._given}"
        self.valid.add(token)
        answer: dict[str, JSON] = {"access_token": token, "token_type": "Bearer"}
        return answer if self.lifetime is None else {**answer, "expires_in": self.lifetime}


def write_json(path: Path, value: Mapping[str, JSON]) -> Path:
    """The file, with those of the value's members that are not None."""
    path.write_text(
        json.dumps({key: item for key, item in value.items() if item is not None}), encoding="utf-8"
    )
    return path


def verified(assertion: str) -> Mapping[str, JSON]:
    """The claims of an assertion that is signed with the first key and not too old or too new."""
    claims: Mapping[str, JSON] = jwt.decode(  # type: ignore[no-untyped-call]  # google-auth has no types
        assertion, certs=key_pair()[1], audience=AUDIENCE, clock_skew_in_seconds=10
    )
    return claims


def _problem(form: Mapping[str, str]) -> dict[str, JSON] | None:
    if form.get("grant_type") == "refresh_token":
        return None if USER.items() <= form.items() else {"error": "invalid_grant"}
    if form.get("grant_type") != JWT_GRANT:
        return {"error": "unsupported_grant_type"}
    try:
        claims = verified(form["assertion"])
    except ValueError as error:
        return {"error": "invalid_grant", "error_description": f"refused: {type(error).__name__}"}
    known = claims["iss"] == EMAIL and claims["scope"] == "https://www.googleapis.com/auth/cloud-platform"
    return None if known else {"error": "invalid_scope"}


def _json(
    start_response: StartResponse, status: int, value: JSON, headers: Iterable[tuple[str, str]] = ()
) -> Iterable[bytes]:
    start_response(_STATUS[status], [("Content-Type", "application/json"), *headers])
    return [json.dumps(value).encode()]
