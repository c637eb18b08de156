"""What the tests of Google's flows share: an API, a token endpoint, and an executor between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlprovider.config import AuthSpec, Settings
from sqlprovider.execute.clock import Clock
from sqlprovider.execute.executor import Executor
from tests.execute.build import ITEMS, list_app, lists, make_executor, make_provider
from tests.fakes.google_tokens import TokenServer
from tests.fakes.loopback import Loopback

PROVIDER = make_provider(auth_types=("none", "service_account", "adc"), auth_default=None)
FINDING = make_provider(auth_types=("none", "service_account", "adc"), auth_default=None, auth_found=("adc",))
SOON = Clock(pause=lambda stop, seconds: None, random=lambda: 0.0)
"""Retries at once."""


@contextmanager
def api_of(tokens: TokenServer) -> Iterator[Loopback]:
    """A list of seven runs, two a page, for who bears a valid token."""
    with Loopback(tokens.guarded(list_app(ITEMS, 2))) as server:
        yield server


@contextmanager
def executor_of(
    api: Loopback, *, key: Path | None = None, environ: Mapping[str, str] | None = None
) -> Iterator[Executor]:
    """One connection: as the service account of a key file, else with what the environment offers."""
    auth = None if key is None else AuthSpec("service_account", {"file": str(key)})
    provider = FINDING if key is None else PROVIDER
    made = make_executor(base_url=api.base_url, provider=provider, auth=auth, environ=environ, clock=SOON)
    try:
        yield made
    finally:
        made.close()


def read(executor: Executor, *experiments: str, **settings: float) -> int:
    """How many runs a statement reads."""
    calls = executor.begin(Settings(**settings))  # type: ignore[arg-type]  # the time-out, and numbers
    return sum(len(page.items) for page in calls.pages(lists(*(experiments or ("e",)))))


def bearers(api: Loopback) -> list[str]:
    """The tokens that the API was shown."""
    return [seen.headers["authorization"].removeprefix("Bearer ") for seen in api.requests]
