"""The files in which vendors' tools keep credentials: where they are, and what is in them.

Every message names the file and the place in it, and none repeats what stands there.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlprovider.errors import ConfigError, CredentialsError

_REGION = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Entry:
    """One profile of a file. Values can be secret."""

    file: Path
    name: str
    values: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Entry({str(self)!r})"

    def __str__(self) -> str:
        return f"{self.file}: profile {self.name!r}"

    def text(self, key: str, *, hint: str | None = None) -> str:
        """What is at a key. Raises ConfigError where it is not there."""
        if not (value := self.values.get(key, "").strip()):
            raise ConfigError(f"{self} has no {key}", hint=hint)
        return value

    def sendable(self, key: str, *, hint: str | None = None) -> str:
        """As `text`, for what goes into a header. Raises ConfigError where it cannot."""
        value = self.text(key, hint=hint)
        if not value.isascii() or not value.isprintable() or '"' in value:
            raise ConfigError(f"{self}: {key} holds characters that cannot be sent")
        return value

    def region(self, key: str) -> str | None:
        """The region, which goes into a host's name; None where there is none."""
        if not (value := self.values.get(key, "").strip()):
            return None
        if _REGION.fullmatch(value) is None:
            raise ConfigError(f"{self}: {key} is no region's name: {value!r}")
        return value


def home_file(environ: Mapping[str, str], *parts: str) -> Path | None:
    """A file under the home directory that the environment names; None where it names none."""
    home = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(home, *parts) if home else None


def expanded(text: str, environ: Mapping[str, str]) -> Path:
    """A path with `~` for the home directory."""
    if text != "~" and not text.startswith("~/"):
        return Path(text)
    if (path := home_file(environ, text[2:])) is None:
        raise CredentialsError(f"{text}: HOME is not set")
    return path


def read_bytes(path: Path, *, what: str) -> bytes:
    """What is in a file. Raises CredentialsError where it cannot be read; `what` is why it is read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise CredentialsError(f"there is no file {path} ({what})") from None
    except OSError as error:
        raise CredentialsError(f"cannot read {path} ({what}): {error.strerror}") from None


def read_text(path: Path, *, what: str) -> str:
    """As `read_bytes`, as text."""
    try:
        # A byte order mark is what some editors add.
        return read_bytes(path, what=what).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CredentialsError(f"{path} ({what}) is not UTF-8 text (byte {error.start})") from None


def read_ini(path: Path, *, what: str) -> dict[str, dict[str, str]]:
    """The sections of an INI file; what `DEFAULT` holds is in every other one too."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(read_text(path, what=what))
    except configparser.Error as error:
        # The exception's own text repeats the line, which can be the one with the secret.
        raise ConfigError(f"{path} ({what}) cannot be read{_line(error)}: it is not in INI form") from None
    sections = {name: dict(parser[name]) for name in parser.sections()}
    return {**({"DEFAULT": dict(parser.defaults())} if parser.defaults() else {}), **sections}


def _line(error: configparser.Error) -> str:
    # One of them has `lineno`, another a list of (number, line), by its class and Python's version.
    errors = getattr(error, "errors", None)
    number = errors[0][0] if errors else getattr(error, "lineno", None)
    return f" at line {number}" if number else ""
