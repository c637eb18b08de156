"""ACS3-HMAC-SHA256: how Alibaba Cloud's requests are signed.

What is signed is what httpx sends: the path's bytes, the query's pairs, the body's bytes, `host`,
`content-type` and every `x-acs-*` header (the action and the version come with the request).

    METHOD, path, query (sorted, encoded), name:value of each header, "", their names, SHA-256 of the body
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias
from urllib.parse import quote, unquote_to_bytes

import httpx

from sqlprovider.errors import InterfaceError

_ALGORITHM = "ACS3-HMAC-SHA256"
_OF_ONE_ATTEMPT = (
    "authorization",
    "x-acs-accesskey-id",
    "x-acs-bearer-token",
    "x-acs-security-token",
    "x-acs-signature-type",
)
_DOUBTED = (400, 401, 403)
"""The statuses with which services say that a token has expired, among other things."""


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An AccessKey; `token` where it is a temporary one of STS."""

    id: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class BearerToken:
    """A token that is sent as it is; nothing is signed."""

    token: str = field(repr=False)


AliyunCredentials: TypeAlias = AccessKey | BearerToken


def _now() -> datetime:
    return datetime.now(UTC)


def _nonce() -> str:
    return uuid.uuid4().hex


class AliyunAuth(httpx.Auth):
    """Signs each attempt anew: its date and its nonce are its own.

    `reread` gives the credentials as they stand on disk now. Where the API refuses a request and they are no
    longer those that it bore, it is sent once more.
    """

    requires_request_body = True

    def __init__(
        self,
        credentials: AliyunCredentials,
        *,
        reread: Callable[[], AliyunCredentials] | None = None,
        now: Callable[[], datetime] = _now,
        nonce: Callable[[], str] = _nonce,
    ) -> None:
        self._credentials = credentials
        self._reread = reread
        self._now = now
        self._nonce = nonce

    def __repr__(self) -> str:
        return f"AliyunAuth({self._credentials!r})"

    def principal(self) -> str:
        """What tells these credentials from any others, secrets included."""
        match self._credentials:
            case BearerToken(token):
                return repr(("bearer", token))
            case AccessKey(key_id, secret, token):
                return repr(("access key", key_id, secret, token))

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Signs; and once more with other credentials, where there are some now."""
        used = self._credentials
        self._sign(request, used)
        response = yield request
        if response.status_code in _DOUBTED and (fresh := self._other_than(used)) is not None:
            self._sign(request, fresh)
            yield request

    def _other_than(self, used: AliyunCredentials) -> AliyunCredentials | None:
        """The credentials as they stand on disk, where they are no longer those."""
        try:
            fresh = used if self._reread is None else self._reread()
        except InterfaceError:
            # The file is gone or being written: what the API answered says more.
            return None
        self._credentials = fresh
        return None if fresh == used else fresh

    def _sign(self, request: httpx.Request, credentials: AliyunCredentials) -> None:
        headers = request.headers
        for name in _OF_ONE_ATTEMPT:
            headers.pop(name, None)
        headers["x-acs-date"] = self._now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        headers["x-acs-signature-nonce"] = self._nonce()
        headers["x-acs-content-sha256"] = hashlib.sha256(request.content).hexdigest()
        match credentials:
            case BearerToken(token):
                headers["x-acs-bearer-token"] = token
                headers["x-acs-signature-type"] = "BEARERTOKEN"
            case AccessKey(key_id, _, token):
                if token is not None:
                    headers["x-acs-accesskey-id"] = key_id
                    headers["x-acs-security-token"] = token
                headers["authorization"] = authorization(request, credentials)


def authorization(request: httpx.Request, key: AccessKey) -> str:
    """The Authorization header of a request that bears all other headers already."""
    target = request.url.raw_path.decode("ascii")
    path, _, query = target.partition("?")
    signed = sorted(name for name in request.headers if _is_signed(name))
    lines = [
        request.method,
        path,
        canonical_query(query),
        *(f"{name}:{request.headers[name].strip()}" for name in signed),
        "",
        ";".join(signed),
        request.headers["x-acs-content-sha256"],
    ]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    text = f"{_ALGORITHM}\n{digest}"
    signature = hmac.new(key.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return f"{_ALGORITHM} Credential={key.id},SignedHeaders={';'.join(signed)},Signature={signature}"


def canonical_query(query: str) -> str:
    """The query as it is signed: its pairs decoded, sorted, and encoded in the one way that is agreed on.

    >>> canonical_query("b=1+%2B&a=%7e&c")
    'a=~&b=1%20%2B&c='
    """
    # By name first: as one text, `a1=` would stand before `a=`.
    pairs = sorted(
        (_encoded(name), _encoded(value))
        for name, _, value in (part.partition("=") for part in query.split("&") if part)
    )
    return "&".join(f"{name}={value}" for name, value in pairs)


def _encoded(text: str) -> str:
    # On the wire a space is `+` or `%20`.
    return quote(unquote_to_bytes(text.replace("+", " ")), safe="~")


def _is_signed(name: str) -> bool:
    return name in ("host", "content-type") or name.startswith("x-acs-")
