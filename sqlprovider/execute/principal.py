"""Who a connection's requests come from, as a text that is the same for the same credentials only.

The text holds secrets: it goes into a hash and nowhere else.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import httpx

from sqlprovider.auth import TokenAuth

_NOBODY = "nobody"
_PROBES = ("https://principal.invalid/a", "https://principal.invalid/b")


@runtime_checkable
class KnowsPrincipal(Protocol):
    """An auth flow that says itself who asks."""

    def principal(self) -> str | None:
        """What tells its credentials from any others; None where it cannot say."""


def principal(auth: httpx.Auth | None) -> str | None:
    """Who asks. None: that cannot be said, so what they are answered must not be shown to anybody else."""
    if auth is None:
        return _NOBODY
    if isinstance(auth, KnowsPrincipal):
        return auth.principal()
    # Where a flow only puts headers that are always the same, the headers say who asks. One that asks for
    # tokens must not be tried out: other threads would take that for a failure.
    if isinstance(auth, TokenAuth):
        return None
    one, other = (_headers_of(auth, url) for url in _PROBES)
    return None if one is None or one != other else f"headers {one}"


def _headers_of(auth: httpx.Auth, url: str) -> str | None:
    """The headers that a flow puts on a request; None where it wants to send something else first."""
    request = httpx.Request("GET", url)
    before = dict(request.headers)
    flow = auth.sync_auth_flow(request)
    try:
        if next(flow, None) is not request:
            return None
        return repr(sorted((k, v) for k, v in request.headers.items() if before.get(k) != v))
    finally:
        flow.close()
