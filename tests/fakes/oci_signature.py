"""Whether a request bears a good OCI signature (HTTP signatures, rsa-sha256): checked with `cryptography`.

    why = check_oci_signature(environ, body, public_keys={"TENANCY/USER/FINGERPRINT": key.public_key()})

The signature is over the request's target as it was on the wire: the server must give `REQUEST_URI`, as
`Loopback` does.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.request import parse_http_list, parse_keqv_list

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from tests.fakes.wsgi import wire_target

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey as PublicKey

_WINDOW = timedelta(minutes=5)
_ALWAYS = ("date", "(request-target)", "host")
_WITH_BODY = ("content-length", "content-type", "x-content-sha256")


def check_oci_signature(
    environ: WSGIEnvironment,
    body: bytes,
    *,
    public_keys: Mapping[str, PublicKey],
    now: datetime | None = None,
) -> str | None:
    """None where the request is signed well, else what is wrong with it. `public_keys` by keyId.

    The keyId is `TENANCY/USER/FINGERPRINT` of an API key, `ST$TOKEN` of a security token.
    """
    headers = _headers(environ)
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    if scheme != "Signature":
        return "there is no Signature in Authorization"
    fields = parse_keqv_list(parse_http_list(rest))
    if fields.get("algorithm") != "rsa-sha256" or fields.get("version") != "1":
        return "the signature is not of rsa-sha256, version 1"
    if (public_key := public_keys.get(fields.get("keyId", ""))) is None:
        return "the keyId is not known"
    signed = fields.get("headers", "").split(" ")
    why = (
        _check_signed(environ["REQUEST_METHOD"], headers, signed)
        or _check_date(headers["date"], now or datetime.now(UTC))
        or _check_body(headers, signed, body)
    )
    if why is not None:
        return why
    text = signed_text(environ["REQUEST_METHOD"], wire_target(environ), headers, signed)
    try:
        signature = base64.b64decode(fields.get("signature", ""), validate=True)
        public_key.verify(signature, text.encode(), PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error):
        return "the signature is not that of this request"
    return None


def signed_text(method: str, target: str, headers: Mapping[str, str], signed: Sequence[str]) -> str:
    """What is signed: a line for each of the headers that the signature names, in its order."""
    values = {**headers, "(request-target)": f"{method.lower()} {target}"}
    return "\n".join(f"{name}: {values[name]}" for name in signed)


def _headers(environ: WSGIEnvironment) -> dict[str, str]:
    return {
        key.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for key, value in environ.items()
        if key.startswith("HTTP_") or (key in ("CONTENT_TYPE", "CONTENT_LENGTH") and value)
    }


def _check_signed(method: str, headers: Mapping[str, str], signed: Sequence[str]) -> str | None:
    needed = _ALWAYS + (_WITH_BODY if method in ("POST", "PUT", "PATCH") else ())
    if unsigned := [name for name in needed if name not in signed]:
        return f"the headers {', '.join(unsigned)} are not signed"
    if len(set(signed)) != len(signed):
        return "a header is signed twice"
    if missing := [name for name in signed if name != "(request-target)" and name not in headers]:
        return f"the headers {', '.join(missing)} are not there"
    return None


def _check_date(text: str, now: datetime) -> str | None:
    try:
        sent = parsedate_to_datetime(text)
    except ValueError:
        return "Date is no date"
    if sent.tzinfo is None or not text.endswith(" GMT"):
        return "Date is not in GMT"
    if abs(now - sent) > _WINDOW:
        return "Date is more than 5 minutes away"
    return None


def _check_body(headers: Mapping[str, str], signed: Sequence[str], body: bytes) -> str | None:
    if "content-length" in signed and headers["content-length"] != str(len(body)):
        return "Content-Length is not that of the body"
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    if "x-content-sha256" in signed and headers["x-content-sha256"] != digest:
        return "x-content-sha256 is not that of the body"
    return None
