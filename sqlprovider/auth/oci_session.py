"""A security token and its key, as `oci session authenticate` writes them: read again when it runs out."""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlprovider.auth.oci_signing import OciIdentity
from sqlprovider.auth.vendor_files import read_text
from sqlprovider.errors import CredentialsError, InterfaceError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_MARGIN = timedelta(seconds=60)
"""What is left of a token's life when the file is looked at for a new one."""


@dataclass(frozen=True, slots=True)
class TokenFile:
    """Where a token is, who names the file, and how a new one is got."""

    path: Path
    named_by: str
    hint: str

    def read(self) -> str:
        """The token. Raises CredentialsError where there is none."""
        what = f"security_token_file of {self.named_by}"
        token = read_text(self.path, what=what).strip()
        if not token or not token.isascii() or not token.isprintable() or any(c in token for c in ' "\\'):
            raise CredentialsError(f"{self.path} ({what}) holds no token", hint=self.hint)
        return token


class SessionIdentities:
    """The identity of a session. `read_key` gives the key as it is on disk: it can change with the token."""

    def __init__(self, file: TokenFile, read_key: Callable[[], RSAPrivateKey]) -> None:
        self._file = file
        self._read_key = read_key
        self._lock = threading.Lock()
        self._take(file.read())

    def current(self, now: datetime) -> OciIdentity:
        """The token in hand, or the file's where that one has run out or nearly so.

        Raises CredentialsError where the file's has run out too.
        """
        with self._lock:
            if self._ends_by(now + _MARGIN):
                self._look_again()
            if self._ends_by(now):
                expired = f"{self._expires:%Y-%m-%d %H:%M:%S} UTC"
                raise CredentialsError(
                    f"the security token in {self._file.path} ({self._file.named_by}) expired at {expired}",
                    reason="expired_credentials",
                    hint=self._file.hint,
                )
            return self._identity

    def after_refusal(self, refused: OciIdentity) -> OciIdentity | None:
        """The file's token where it is no longer the refused one."""
        with self._lock:
            if self._identity.key_id == refused.key_id:
                self._look_again()
            return None if self._identity.key_id == refused.key_id else self._identity

    def _ends_by(self, moment: datetime) -> bool:
        return self._expires is not None and self._expires <= moment

    def _look_again(self) -> None:
        # A file that is gone, or being written, changes nothing: the token in hand may still be good.
        with contextlib.suppress(InterfaceError):
            if (token := self._file.read()) != self._token:
                self._take(token)

    def _take(self, token: str) -> None:
        self._identity = OciIdentity(f"ST${token}", self._read_key())
        self._token, self._expires = token, expiry(token)


def expiry(token: str) -> datetime | None:
    """When a JSON web token expires; None where it does not say or is something else."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return datetime.fromtimestamp(claims["exp"], UTC)
    except (IndexError, KeyError, TypeError, ValueError, OverflowError, OSError, binascii.Error):
        return None
