"""The one place where a surface opens a session: everything heavy is loaded here and not before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from sqlprovider.session import Session

Source: TypeAlias = "str | Path | Mapping[str, object] | None"
"""A configuration file, a mapping shaped as one, or None for the search order."""


class OpenSession(Protocol):
    """`open_session`, or a test's own."""

    def __call__(
        self,
        source: Source,
        *,
        environ: Mapping[str, str],
        overrides: Sequence[str] = (),
        settings: Mapping[str, object] | None = None,
        database: str = ":memory:",
    ) -> Session: ...


def open_session(
    source: Source,
    *,
    environ: Mapping[str, str],
    overrides: Sequence[str] = (),
    settings: Mapping[str, object] | None = None,
    database: str = ":memory:",
    listed: bool = False,
    autocommit: bool = True,
    transport: httpx.BaseTransport | None = None,
) -> Session:
    """A session on the configuration that `source`, `overrides` and `settings` make."""
    from sqlprovider.config import load_config  # noqa: PLC0415  --help does without it
    from sqlprovider.session import Session, provider_names  # noqa: PLC0415  a session loads the engine

    config = load_config(
        source, environ=environ, providers=provider_names(), overrides=overrides, settings=settings
    )
    return Session(
        config,
        database=database,
        listed=listed,
        autocommit=autocommit,
        transport=transport,
        environ=environ,
    )
