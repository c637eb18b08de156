"""The metadata server of a machine at Google: it gives tokens of the machine's own service account.

`GCE_METADATA_HOST` (formerly `_ROOT`) and `GCE_METADATA_IP` say where it is, `NO_GCE_CHECK=true` that there
is none. It speaks plain http on the machine's own link, and is asked past every proxy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from sqlprovider.auth.google_grants import SCOPE, no_answer, read_token
from sqlprovider.auth.google_token import Asking
from sqlprovider.errors import AuthError, ConfigError, CredentialsError, Error

_HOST, _IP = "metadata.google.internal", "169.254.169.254"
_FLAVOR = {"Metadata-Flavor": "Google"}
_PROBE = httpx.Timeout(3.0).as_dict()


@dataclass(slots=True)
class MetadataServer:
    """Asks at `address` whether it is there, once, then at `host` for tokens."""

    host: str
    address: str
    looked_for: Sequence[str]
    """What was looked for before, for the message that nothing was found."""
    is_https: bool = False
    hosts_unproxied: tuple[str, ...] = ()
    _is_there: bool = field(default=False, repr=False)

    def principal(self) -> None:
        """Only the machine knows whose tokens it gives."""

    def ask(self, now: float) -> Asking:
        """Yields the probe, then the request. Raises CredentialsError where it is not there, AuthError."""
        if not self._is_there:
            probe = yield httpx.Request(
                "GET", f"http://{self.address}", headers=_FLAVOR, extensions={"timeout": _PROBE}
            )
            if probe.status_code != httpx.codes.OK or not _is_genuine(probe):
                raise self._not_found()
            self._is_there = True
        response = yield httpx.Request(
            "GET",
            f"http://{self.host}/computeMetadata/v1/instance/service-accounts/default/token",
            params={"scopes": SCOPE},
            headers=_FLAVOR,
        )
        if not _is_genuine(response):
            raise AuthError(f"{self.host} is no metadata server: it answered without Metadata-Flavor: Google")
        return read_token(response, now=now)

    def unreachable(self, request: httpx.Request, why: str, *, reason: str) -> Error:
        """It is not there; or it was, and does not answer any more."""
        if not self._is_there:
            return self._not_found()
        return no_answer(request, why, reason=reason)

    def _not_found(self) -> CredentialsError:
        tried = ", ".join([*self.looked_for, f"the metadata server at {self.address}"])
        return CredentialsError(f"no Google credentials were found; looked for: {tried}")


def metadata_server(environ: Mapping[str, str], looked_for: Sequence[str]) -> MetadataServer | None:
    """The server that the environment names, or the usual one; None where it says that there is none."""
    if environ.get("NO_GCE_CHECK", "").lower() == "true":
        return None
    named = environ.get("GCE_METADATA_HOST") or environ.get("GCE_METADATA_ROOT")
    address = environ.get("GCE_METADATA_IP") or named or _IP
    host = named or _HOST
    unproxied = tuple(_host_of(netloc) for netloc in (host, address))
    return MetadataServer(host, address, looked_for, hosts_unproxied=unproxied)


def _host_of(netloc: str) -> str:
    try:
        url = httpx.URL(f"http://{netloc}/")
    except (httpx.InvalidURL, ValueError):
        url = httpx.URL("http:///")
    is_plain = url.host and not url.userinfo and url.netloc.decode("ascii") == netloc.lower()
    if not is_plain or (url.port or 0) >= 1 << 16:
        raise ConfigError("GCE_METADATA_HOST and GCE_METADATA_IP hold a host, or host:port, and nothing else")
    return f"[{url.host}]" if ":" in url.host else url.host


def _is_genuine(response: httpx.Response) -> bool:
    flavor: str = response.headers.get("Metadata-Flavor", "")
    return flavor == "Google"
