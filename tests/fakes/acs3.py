"""Whether a request bears a good Alibaba Cloud signature (ACS3-HMAC-SHA256): the vendor's code signs again.

    why = check_acs3(environ, body, secret_of={"AKID": "secret"}.get)
    if why is not None:
        code, _, message = why.partition(": ")

The signature is over the request's target as it was on the wire: the server must give `REQUEST_URI`, as
`Loopback` does.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from tests.fakes.wsgi import wire_target

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_WINDOW = timedelta(minutes=15)
_AUTHORIZATION = re.compile(
    r"ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})"
)
_NEEDED = (
    "host",
    "x-acs-action",
    "x-acs-version",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-content-sha256",
)


def check_acs3(
    environ: WSGIEnvironment,
    body: bytes,
    *,
    secret_of: Callable[[str], str | None],
    token_of: Callable[[str], str | None] | None = None,
    nonces: set[str] | None = None,
    now: datetime | None = None,
) -> str | None:
    """None where the request is signed well; else `Code: what is wrong`, with the API's own error code.

    `secret_of` gives the secret of an AccessKey id; asked for a bearer token, any text where that is good.
    `token_of` gives the STS token that belongs to an id, None where it is a plain key. `nonces` holds those
    that were used: pass one set for the life of a server to have replays refused.
    """
    headers = _headers(environ)
    if headers.get("x-acs-signature-type") == "BEARERTOKEN":
        return _check_bearer(headers, secret_of)
    found = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if found is None:
        return "IncompleteSignature: there is no ACS3-HMAC-SHA256 signature in Authorization"
    key_id, signed, signature = found[1], found[2].split(";"), found[3]
    if (secret := secret_of(key_id)) is None:
        return "InvalidAccessKeyId.NotFound: there is no such AccessKey"
    why = (
        _check_signed(headers, signed)
        or _check_time(headers["x-acs-date"], now or datetime.now(UTC))
        or _check_token(headers, key_id, token_of)
        or _check_body(headers, body)
    )
    if why is not None:
        return why
    expected = signature_of(environ, {name: headers[name] for name in signed}, key_id, secret)
    if expected is None:
        return "InvalidParameter: a query parameter is there twice"
    if not hmac.compare_digest(expected, signature):
        return "SignatureDoesNotMatch: the signature is not that of this request"
    return _check_nonce(headers["x-acs-signature-nonce"], nonces)


def signature_of(
    environ: WSGIEnvironment, headers: Mapping[str, str], key_id: str, secret: str
) -> str | None:
    """The signature that the vendor's code gives for a request's method and target, with these headers.

    None where a query parameter is there twice: that code takes one value a name. It takes names as they are,
    encoded here as the API's description wants them; its services have none that needs it.
    """
    # Imported at the first request: 0.4 s, which no test should pay that checks no signature.
    from alibabacloud_tea_openapi.utils import (  # type: ignore[import-untyped]  # it has no annotations
        Utils,
    )

    path, _, query = wire_target(environ).partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    request = SimpleNamespace(
        method=environ["REQUEST_METHOD"],
        pathname=path,
        query={quote(name, safe="~"): value for name, value in pairs},
        headers=dict(headers),
    )
    if len(request.query) != len(pairs):
        return None
    authorization: str = Utils.get_authorization(
        request, "ACS3-HMAC-SHA256", headers["x-acs-content-sha256"], key_id, secret
    )
    return authorization.rpartition("=")[2]


def _headers(environ: WSGIEnvironment) -> dict[str, str]:
    """By lower-case name; WSGI gives bytes as Latin-1, the API reads UTF-8."""
    named = {
        key.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for key, value in environ.items()
        if key.startswith("HTTP_") or (key == "CONTENT_TYPE" and value)
    }
    return {name: value.encode("latin-1").decode("utf-8", "replace") for name, value in named.items()}


def _check_bearer(headers: Mapping[str, str], secret_of: Callable[[str], str | None]) -> str | None:
    if "authorization" in headers:
        return "IncompleteSignature: a request with a bearer token has no Authorization"
    if secret_of(headers.get("x-acs-bearer-token", "")) is None:
        return "InvalidBearerToken: the bearer token is not known"
    return None


def _check_signed(headers: Mapping[str, str], signed: list[str]) -> str | None:
    if signed != sorted(set(signed)):
        return "IncompleteSignature: SignedHeaders is not sorted"
    if missing := [name for name in (*_NEEDED, *signed) if name not in headers]:
        return f"IncompleteSignature: the headers {', '.join(missing)} are not there"
    must = {name for name in headers if name.startswith("x-acs-") or name in ("host", "content-type")}
    if unsigned := sorted(must - set(signed)):
        return f"IncompleteSignature: the headers {', '.join(unsigned)} are not signed"
    return None


def _check_time(text: str, now: datetime) -> str | None:
    try:
        sent = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return "InvalidTimeStamp.Format: x-acs-date is not of the form YYYY-MM-DDTHH:MM:SSZ"
    if abs(now - sent) > _WINDOW:
        return "InvalidTimeStamp.Expired: x-acs-date is more than 15 minutes away"
    return None


def _check_token(
    headers: Mapping[str, str], key_id: str, token_of: Callable[[str], str | None] | None
) -> str | None:
    sent = headers.get("x-acs-security-token")
    if token_of is None:
        return None
    if (token := token_of(key_id)) is None:
        return None if sent is None else "InvalidSecurityToken.Mismatch: the AccessKey has no token"
    if sent is None:
        return "MissingSecurityToken: the AccessKey is one of STS, and its token is not there"
    if sent != token:
        return "InvalidSecurityToken.Expired: the token is not the one that is valid now"
    return None


def _check_body(headers: Mapping[str, str], body: bytes) -> str | None:
    if headers["x-acs-content-sha256"] != hashlib.sha256(body).hexdigest():
        return "SignatureDoesNotMatch: x-acs-content-sha256 is not that of the body"
    return None


def _check_nonce(nonce: str, nonces: set[str] | None) -> str | None:
    if nonces is None:
        return None
    if nonce in nonces:
        return "SignatureNonceUsed: the nonce was used before"
    nonces.add(nonce)
    return None
