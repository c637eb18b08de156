"""`token`: a bearer token from the environment."""

from __future__ import annotations

from collections.abc import Generator, Mapping

import httpx

from sqlprovider.auth.secrets import read_option, read_secret
from sqlprovider.errors import CredentialsError


class BearerAuth(httpx.Auth):
    """Sends `Authorization: Bearer …`."""

    def __init__(self, token: str) -> None:
        self._header = f"Bearer {token}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sets the header."""
        request.headers["Authorization"] = self._header
        yield request


def bearer_auth(options: Mapping[str, str], environ: Mapping[str, str]) -> httpx.Auth:
    """The flow for `{type = "token", env = "VARIABLE"}`."""
    token = read_secret(options, "env", environ, auth_type="token")
    if not token.isascii() or " " in token:
        variable = read_option(options, "env", auth_type="token")
        raise CredentialsError(f"the environment variable {variable} holds characters that no token has")
    return BearerAuth(token)
