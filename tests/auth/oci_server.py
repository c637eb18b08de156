"""A server that answers 200 where a request is signed well, else 401 and why."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from sqlprovider.values import JSON
from tests.fakes.oci_signature import check_oci_signature

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


@dataclass
class Guarded:
    """The WSGI app; what it believes can be changed while it serves."""

    known: Mapping[str, RSAPublicKey]
    now: datetime | None = None
    spoil: Callable[[WSGIEnvironment], None] = lambda environ: None
    """What somebody in between did to the request."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        self.spoil(environ)
        why = check_oci_signature(environ, body, public_keys=self.known, now=self.now)
        status = "200 OK" if why is None else "401 Unauthorized"
        start_response(status, [("Content-Type", "application/json")])
        answer: dict[str, JSON] = (
            {"items": []} if why is None else {"code": "NotAuthenticated", "message": why}
        )
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [json.dumps(answer).encode()]


def why_refused(response: httpx.Response) -> str:
    """Empty where the request was believed."""
    message: str = response.json().get("message", "")
    return message
