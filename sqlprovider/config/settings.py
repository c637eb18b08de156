"""The settings: what a flag, a configuration key, a keyword of `connect()` and SET can each change."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sqlprovider.errors import ConfigError, ProgrammingError, did_you_mean


@dataclass(frozen=True, slots=True)
class Settings:
    """What a flag, a configuration key, a keyword of `connect()` and SET can each change."""

    max_requests: int = 5000
    timeout: float = 30.0
    trace: bool = False
    read_only: bool = False
    dry_run: bool = False
    allow_all: bool = False
    max_rows: int = 1000
    on_error: str = "stop"
    wait: float = 3600.0
    journal: bool = True
    journal_bodies: bool = False
    cache: float = 0.0
    stale: float = 0.0


@dataclass(frozen=True, slots=True)
class Setting:
    """How one setting is read and described."""

    title: str
    expected: str
    read: Callable[[object], object]
    """The value to store; None where the value given is none of this setting's."""
    is_flag: bool = False
    metavar: str = "N"
    """What stands for the value in the command line's help."""


def _read_count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 1 else None


def _read_seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value <= _LONGEST_SECONDS and math.isfinite(value) else None


def _read_flag(value: object) -> bool | None:
    # SQLite has no booleans: SET trace = 1 is TRUE.
    return bool(value) if isinstance(value, int) and value in (0, 1) else None


def _read_duration(value: object) -> float | None:
    """`"1h"`, `"1h30m"`, `"90s"`, or a number of seconds; 0 means not at all."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if 0 <= value <= _LONGEST_SECONDS else None
    if not isinstance(value, str) or (match := _DURATION.fullmatch(value.strip())) is None:
        return None
    if match["alone"] is not None:
        return _read_duration(float(match["alone"]))
    return _read_duration(sum(float(match[unit] or 0) * size for unit, size in _UNITS.items()))


def _read_on_error(value: object) -> str | None:
    return value if value in ("stop", "continue") and isinstance(value, str) else None


_UNITS = {"h": 3600, "m": 60, "s": 1}
_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_DURATION = re.compile(
    rf"(?=[0-9])(?:(?P<alone>{_NUMBER})|"
    + "".join(rf"(?:(?P<{unit}>{_NUMBER}){unit})?" for unit in _UNITS)
    + ")"
)
_LONGEST_SECONDS = 7 * 24 * 3600
_YES_NO = "true or false"

SETTINGS: Mapping[str, Setting] = {
    "max_requests": Setting(
        "HTTP exchanges one statement may make", "a whole number of at least 1", _read_count
    ),
    "timeout": Setting("seconds one HTTP exchange may take", "a number of seconds above 0", _read_seconds),
    "trace": Setting("print each request on stderr", _YES_NO, _read_flag, is_flag=True),
    "read_only": Setting("refuse every method that writes", _YES_NO, _read_flag, is_flag=True),
    "dry_run": Setting(
        "print the requests of methods that write and do not send them", _YES_NO, _read_flag, is_flag=True
    ),
    "allow_all": Setting("allow UPDATE and DELETE without a WHERE", _YES_NO, _read_flag, is_flag=True),
    "max_rows": Setting("rows one UPDATE or DELETE may change", "a whole number of at least 1", _read_count),
    "on_error": Setting(
        "what a write does when a row fails: stop, or continue with the others",
        "'stop' or 'continue'",
        _read_on_error,
        metavar="{stop,continue}",
    ),
    "wait": Setting(
        "how long a long-running operation is waited for (1h, 90s; 0: its name is answered at once)",
        "a duration such as 1h, 30m or 90s of at most 168h, or 0 for not at all",
        _read_duration,
        metavar="TIME",
    ),
    "journal": Setting("keep the journal of writes", _YES_NO, _read_flag, is_flag=True),
    "journal_bodies": Setting(
        "keep the rows that are written in the journal", _YES_NO, _read_flag, is_flag=True
    ),
    "cache": Setting(
        "how long a page that was read may be shown again instead of asking (60s, 10m; 0: not at all)",
        "a duration such as 60s, 10m or 1h of at most 168h, or 0 for no cache",
        _read_duration,
        metavar="TIME",
    ),
    "stale": Setting(
        "how old a page may be that is shown where the API does not answer (10m; 0: an error is shown)",
        "a duration such as 10m or 1h of at most 168h, or 0 for never",
        _read_duration,
        metavar="TIME",
    ),
}


def with_setting(settings: Settings, name: str, value: object, *, where: str = "") -> Settings:
    """`settings` with one value changed. Raises ConfigError for an unknown name or a wrong value."""
    prefix = f"{where}: " if where else ""
    if name not in SETTINGS:
        raise ConfigError(f"{prefix}unknown setting {name!r}{did_you_mean(name, tuple(SETTINGS))}")
    if (stored := SETTINGS[name].read(value)) is None:
        raise ConfigError(f"{prefix}{name} must be {SETTINGS[name].expected}, not {value!r}")
    return replace(settings, **{name: stored})  # type: ignore[arg-type]  # `read` gives the field's type


def apply_set(settings: Settings, name: str, value: object) -> Settings:
    """What `SET name = value` makes of the settings: it cannot turn off what keeps a session from writing.

    The other guards say how much one statement may do, and a script that says `SET allow_all = 1` means it.
    """
    lowered = name.lower()
    try:
        changed = with_setting(settings, lowered, value)
    except ConfigError as error:
        raise ProgrammingError(error.message, reason="wrong_setting") from error
    for guard in ("read_only", "dry_run"):
        if getattr(settings, guard) and not getattr(changed, guard):
            raise ProgrammingError(f"SET cannot turn {guard} off", reason="wrong_setting")
    return changed
