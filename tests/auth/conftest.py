"""Google's token endpoint and an API that wants its tokens, for the tests of Google's flows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.auth.google import api_of
from tests.fakes.google_tokens import TokenServer
from tests.fakes.loopback import Loopback


@pytest.fixture
def tokens() -> TokenServer:
    return TokenServer()


@pytest.fixture
def token_server(tokens: TokenServer) -> Iterator[Loopback]:
    with Loopback(tokens.app) as server:
        yield server


@pytest.fixture
def api(tokens: TokenServer) -> Iterator[Loopback]:
    with api_of(tokens) as server:
        yield server


@pytest.fixture
def key(tokens: TokenServer, token_server: Loopback, tmp_path: Path) -> Path:
    return tokens.key_file(tmp_path, token_uri=f"{token_server.base_url}/token")
