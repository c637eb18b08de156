"""The connections: which provider, at which address, asked by whom, with which defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from sqlprovider.config.auth import AuthSpec, read_auth
from sqlprovider.config.keys import KeyPath, Origin, check_keys, table, texts
from sqlprovider.config.settings import SETTINGS
from sqlprovider.errors import did_you_mean


@dataclass(frozen=True, slots=True)
class ConnectionConfig:
    """A configured instance of a provider."""

    name: str
    provider: str
    base_url: str | Mapping[str, str] | None = None
    """One address for the connection, or one a service."""
    auth: AuthSpec | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    """Service → version wanted."""
    defaults: Mapping[str, str] = field(default_factory=dict)
    """Parameter → the value taken where a statement gives none."""
    insecure: bool = False
    region: str | None = None
    cache: float | None = None
    """Seconds; None: as the setting says."""
    stale: float | None = None


_CONNECTION_KEYS = (
    *("provider", "base_url", "auth", "version", "defaults", "insecure", "region"),
    *("cache", "stale"),
)
_SCHEMAS_OF_OUR_OWN = frozenset(("sqlprovider", "main", "temp"))
_CONNECTION_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_DNS_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_PLACEHOLDER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}")


@lru_cache(64)
def base_url_problem(url: str, *, insecure: bool) -> str | None:
    """Why a base URL cannot be used; None if it can. `{placeholders}` are filled later."""
    from urllib.parse import urlsplit  # noqa: PLC0415  a connection without an address does without it

    plain = _PLACEHOLDER.sub("x", url)
    if any(character in plain for character in "{}") or any(ord(character) <= 32 for character in plain):
        return "is not a URL"
    try:
        parts = urlsplit(plain)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not a URL"
    if parts.scheme not in ("http", "https") or not host:
        return "must begin with https:// or http:// and a host"
    if "@" in parts.netloc:
        return "must not hold a user name or password"
    if parts.query or parts.fragment:
        return "must not hold '?' or '#'"
    if parts.scheme == "http" and not insecure and not _is_loopback(urlsplit(url).hostname or ""):
        return "is plain http, accepted for loopback only unless insecure = true"
    return None


def _is_loopback(host: str) -> bool:
    import ipaddress  # noqa: PLC0415  as above

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def read_connections(
    value: object, providers: Sequence[str], *, origin: Origin
) -> Mapping[str, ConnectionConfig]:
    """Those configured, and one under its own name for every provider that has none."""
    found: dict[str, ConnectionConfig] = {}
    taken: set[str] = set()
    for name, body in table(value, ("connections",), origin=origin).items():
        path = ("connections", name)
        if _CONNECTION_NAME.fullmatch(name) is None or name.lower() in _SCHEMAS_OF_OUR_OWN:
            raise origin.error(path, "cannot be a connection's name: choose another word")
        if name.lower() in taken:
            raise origin.error(path, "is there twice: names differ by more than upper and lower case")
        taken.add(name.lower())
        found[name] = _read_connection(name, table(body, path, origin=origin), providers, origin=origin)
    own = {name: ConnectionConfig(name, name) for name in sorted(providers) if name.lower() not in taken}
    return found | own


def _read_connection(
    name: str, body: Mapping[str, object], providers: Sequence[str], *, origin: Origin
) -> ConnectionConfig:
    path = ("connections", name)
    check_keys(body, _CONNECTION_KEYS, path, origin=origin)
    provider = _read_provider(name, body.get("provider"), providers, origin=origin)
    insecure = body.get("insecure", False)
    if not isinstance(insecure, bool):
        raise origin.error((*path, "insecure"), "must be true or false")
    region = body.get("region")
    if region is not None and not (isinstance(region, str) and _DNS_LABEL.fullmatch(region)):
        raise origin.error((*path, "region"), f"must be a region's name, not {region!r}")
    return ConnectionConfig(
        name=name,
        provider=provider,
        base_url=_read_base_url(body.get("base_url"), path, insecure=insecure, origin=origin),
        auth=read_auth(body.get("auth"), (*path, "auth"), origin=origin),
        versions=texts(body.get("version", {}), (*path, "version"), origin=origin),
        defaults=texts(body.get("defaults", {}), (*path, "defaults"), origin=origin),
        insecure=insecure,
        region=region,
        cache=_read_time(body, "cache", path, origin=origin),
        stale=_read_time(body, "stale", path, origin=origin),
    )


def _read_time(body: Mapping[str, object], name: str, path: KeyPath, *, origin: Origin) -> float | None:
    """A setting that one connection may have for itself, in seconds."""
    if name not in body:
        return None
    setting = SETTINGS[name]
    if not isinstance(seconds := setting.read(body[name]), float):
        raise origin.error((*path, name), f"must be {setting.expected}, not {body[name]!r}")
    return seconds


def _read_provider(name: str, given: object, providers: Sequence[str], *, origin: Origin) -> str:
    path = ("connections", name)
    if given is not None and not isinstance(given, str):
        raise origin.error((*path, "provider"), "must be the name of a provider, as text")
    wanted = name if given is None else given
    for provider in providers:
        if provider.lower() == wanted.lower():
            return provider
    if given is None:
        raise origin.error(
            path,
            f"names no provider, and no provider has its name{did_you_mean(name, tuple(providers))}",
            hint=f'provider = "{providers[0]}"' if providers else None,
        )
    raise origin.error(
        (*path, "provider"), f"names no provider we have: {given!r}{did_you_mean(given, tuple(providers))}"
    )


def _read_base_url(
    value: object, path: KeyPath, *, insecure: bool, origin: Origin
) -> str | Mapping[str, str] | None:
    key = (*path, "base_url")
    match value:
        case None:
            return None
        case str():
            _check_base_url(value, key, insecure=insecure, origin=origin)
            return value
        case Mapping():
            urls = texts(value, key, origin=origin)
            for service, url in urls.items():
                _check_base_url(url, (*key, service), insecure=insecure, origin=origin)
            return urls
        case _:
            raise origin.error(key, "must be text, or a table of one text a service")


def _check_base_url(url: str, path: KeyPath, *, insecure: bool, origin: Origin) -> None:
    if (problem := base_url_problem(url, insecure=insecure)) is not None:
        # The URL itself may hold a password: it is not repeated.
        raise origin.error(path, problem)
