"""Which proxy a request goes through: the environment's or the system's, by the rules that httpx has.

Takes: what `urllib.request.getproxies` finds (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY in upper or lower
case, else the system's settings). Gives: a proxy's URL, or None.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.request import getproxies

import httpx

from sqlprovider.errors import ConfigError


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a proxy, or none, is for; an empty scheme, host or port is any."""

    scheme: str
    host: str
    """`*example.com` is the domain and all below it, `*.example.com` what is below it."""
    port: int | None
    proxy: str | None

    def matches(self, url: httpx.URL) -> bool:
        """Whether it says something about this URL."""
        return (
            self.scheme in ("", url.scheme)
            and self.port in (None, url.port)
            and (not self.host or re.fullmatch(self._hosts(), url.host) is not None)
        )

    def _hosts(self) -> str:
        if self.host.startswith("*."):
            return r".+\." + re.escape(self.host[2:])
        if self.host.startswith("*"):
            return r"(.+\.)?" + re.escape(self.host[1:])
        return re.escape(self.host)

    def rank(self) -> tuple[bool, int, int]:
        """The most specific first: with a port, then the longer host, then the longer scheme."""
        return self.port is None, -len(self.host), -len(self.scheme)


class Proxies:
    """The proxies as they are now; `direct` are hosts that none can reach for us, as they stand in a URL."""

    def __init__(self, direct: Iterable[str]) -> None:
        # A later rule about the same replaces an earlier one.
        found = {**dict(_environment()), **{f"all://{host}": None for host in direct}}
        self._rules = sorted((_rule(pattern, proxy) for pattern, proxy in found.items()), key=_Rule.rank)

    def of(self, url: httpx.URL) -> str | None:
        """The URL of the proxy for a request; None: it goes straight."""
        return next((rule.proxy for rule in self._rules if rule.matches(url)), None)


def _environment() -> Iterator[tuple[str, str | None]]:
    """(pattern, proxy); None where NO_PROXY says so."""
    found = getproxies()
    unproxied = [host for entry in found.get("no", "").split(",") if (host := entry.strip())]
    if "*" in unproxied:
        return
    for scheme in ("http", "https", "all"):
        if proxy := found.get(scheme):
            yield f"{scheme}://", proxy if "://" in proxy else f"http://{proxy}"
    for host in unproxied:
        yield host if "://" in host else f"all://{_pattern(host)}", None


def _pattern(host: str) -> str:
    """An entry of NO_PROXY as a rule's host: a name stands for what is below it, an address for itself."""
    if host.lower() == "localhost":
        return host
    try:
        version = ipaddress.ip_address(host.split("/")[0]).version
    except ValueError:
        return f"*{host}"
    return host if version == 4 else f"[{host}]"


def _rule(pattern: str, proxy: str | None) -> _Rule:
    try:
        url = httpx.URL(pattern)
    except httpx.InvalidURL:
        raise ConfigError("NO_PROXY holds what is no host", reason="wrong_proxy") from None
    scheme = "" if url.scheme == "all" else url.scheme
    return _Rule(scheme, "" if url.host == "*" else url.host, url.port, proxy)
