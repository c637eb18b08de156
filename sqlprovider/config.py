"""Settings and connections, resolved once from arguments, environment and file, then frozen.

A configuration holds no secret: it names the environment variables that do.
"""

from __future__ import annotations

import ipaddress
import math
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from sqlprovider.errors import ConfigError, ProgrammingError, did_you_mean

_KeyPath: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AuthSpec:
    """Who asks: a type of auth and its options, which name secrets and never hold them."""

    type: str
    options: Mapping[str, str]


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


@dataclass(frozen=True, slots=True)
class Settings:
    """What a flag, a configuration key, a keyword of `connect()` and SET can each change."""

    max_requests: int = 5000
    timeout: float = 30.0
    trace: bool = False
    read_only: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that was configured. `path` is the file it came from."""

    settings: Settings
    connections: Mapping[str, ConnectionConfig]
    path: Path | None


@dataclass(frozen=True, slots=True)
class Setting:
    """How one setting is read and described."""

    title: str
    expected: str
    read: Callable[[object], object]
    """The value to store; None where the value given is none of this setting's."""
    is_flag: bool = False


def _read_count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 1 else None


def _read_seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value <= _LONGEST_SECONDS and math.isfinite(value) else None


def _read_flag(value: object) -> bool | None:
    # SQLite has no booleans: SET trace = 1 is TRUE.
    return bool(value) if isinstance(value, int) and value in (0, 1) else None


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
}

AUTH_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "none": (),
    "basic": ("username", "password_env"),
    "token": ("env",),
}
"""Auth type → its options, each of them required."""

_CONNECTION_KEYS = ("provider", "base_url", "auth", "version", "defaults", "insecure", "region")
_SECRET_KEYS = frozenset(
    ("password", "token", "secret", "api_key", "access_key", "access_key_secret", "secret_key", "key")
)
_SCHEMAS_OF_OUR_OWN = frozenset(("sqlprovider", "main", "temp"))
_CONNECTION_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DNS_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_PLACEHOLDER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}")


def load_config(
    source: str | Path | Mapping[str, object] | None,
    *,
    environ: Mapping[str, str],
    providers: Sequence[str],
    overrides: Sequence[str] = (),
    settings: Mapping[str, object] | None = None,
) -> Config:
    """The configuration. `overrides` (`--set`) win over `source`, and `settings` over both."""
    document, path = _read_source(source, environ)
    origin = _Origin(str(path) if path is not None else "configuration", document)
    tree: dict[str, object] = dict(document)
    for override in overrides:
        tree, origin = _override(tree, override, origin=origin)
    chosen = Settings()
    for name, value in tree.items():
        if name != "connections":
            _check_setting_name(name, value, origin=origin)
            chosen = with_setting(chosen, name, value, where=origin.of((name,)))
    for name, value in (settings or {}).items():
        chosen = with_setting(chosen, name, value)
    return Config(chosen, _read_connections(tree.get("connections", {}), providers, origin=origin), path)


def with_setting(settings: Settings, name: str, value: object, *, where: str = "") -> Settings:
    """`settings` with one value changed. Raises ConfigError for an unknown name or a wrong value."""
    prefix = f"{where}: " if where else ""
    if name not in SETTINGS:
        raise ConfigError(f"{prefix}unknown setting {name!r}{did_you_mean(name, tuple(SETTINGS))}")
    if (stored := SETTINGS[name].read(value)) is None:
        raise ConfigError(f"{prefix}{name} must be {SETTINGS[name].expected}, not {value!r}")
    return replace(settings, **{name: stored})  # type: ignore[arg-type]  # `read` gives the field's type


def apply_set(settings: Settings, name: str, value: object) -> Settings:
    """What `SET name = value` makes of the settings: it cannot turn off what keeps a session from writing."""
    lowered = name.lower()
    try:
        changed = with_setting(settings, lowered, value)
    except ConfigError as error:
        raise ProgrammingError(error.message, reason="wrong_setting") from error
    for guard in ("read_only", "dry_run"):
        if getattr(settings, guard) and not getattr(changed, guard):
            raise ProgrammingError(f"SET cannot turn {guard} off", reason="wrong_setting")
    return changed


def base_url_problem(url: str, *, insecure: bool) -> str | None:
    """Why a base URL cannot be used; None if it can. `{placeholders}` are filled later."""
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
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a key came from, for messages: the file, or the `--set` that gave it."""

    file: str
    document: Mapping[str, object]
    overridden: tuple[_KeyPath, ...] = ()

    def of(self, path: _KeyPath) -> str:
        for given in self.overridden:
            is_new = given[: len(path)] == path and not _holds(self.document, path)
            if is_new or path[: len(given)] == given:
                return f"--set {'.'.join(given[1:] if given[0] == 'connections' else given)}"
        return self.file

    def error(self, path: _KeyPath, message: str, *, hint: str | None = None) -> ConfigError:
        return ConfigError(f"{self.of(path)}: {'.'.join(path)} {message}", hint=hint)


def _read_source(
    source: str | Path | Mapping[str, object] | None, environ: Mapping[str, str]
) -> tuple[Mapping[str, object], Path | None]:
    match source:
        case Mapping():
            return {str(key): value for key, value in source.items()}, None
        case str() | Path():
            return _read_file(Path(source).expanduser(), said_by="")
        case None:
            return _find_file(environ)
        case _:
            raise ConfigError(f"config must be a path, a mapping or None, not {type(source).__name__}")


def _find_file(environ: Mapping[str, str]) -> tuple[Mapping[str, object], Path | None]:
    if named := environ.get("SQLPROVIDER_CONFIG"):
        return _read_file(Path(named).expanduser(), said_by=" (from SQLPROVIDER_CONFIG)")
    for path in (Path("sqlprovider.toml"), _user_file()):
        if path.exists():
            return _read_file(path, said_by="")
    return {}, None


def _user_file() -> Path:
    import platformdirs  # noqa: PLC0415  only a search that gets this far pays for it

    return platformdirs.user_config_path("sqlprovider", appauthor=False) / "sqlprovider.toml"


def _read_file(path: Path, *, said_by: str) -> tuple[Mapping[str, object], Path]:
    try:
        # A byte order mark is what some editors add; TOML itself does not allow it.
        return tomllib.loads(path.read_text(encoding="utf-8-sig")), path
    except FileNotFoundError:
        raise ConfigError(f"no configuration file {str(path)!r}{said_by}") from None
    except OSError as error:
        raise ConfigError(
            f"cannot read configuration file {str(path)!r}{said_by}: {error.strerror}"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}{said_by}: not UTF-8 text (byte {error.start})") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}{said_by}: not TOML: {error}") from error


def _override(tree: dict[str, object], text: str, *, origin: _Origin) -> tuple[dict[str, object], _Origin]:
    """The tree with one `--set KEY=VALUE` laid over it."""
    key, equals, raw = text.partition("=")
    parts = tuple(part.strip() for part in key.split("."))
    if not equals or not all(parts):
        raise ConfigError(
            f"--set {key.strip()!r}: not of the form KEY=VALUE", hint="--set google.defaults.projectsId=acme"
        )
    if len(parts) == 1:
        if parts[0] not in SETTINGS:
            raise ConfigError(f"--set: unknown setting {parts[0]!r}{did_you_mean(parts[0], tuple(SETTINGS))}")
        path: _KeyPath = parts
    else:
        below = parts[1:] if parts[0] == "connections" and len(parts) > 2 else parts
        path = ("connections", _spelling(tree.get("connections"), below[0]), *below[1:])
    value = parse_value(raw)
    if path[0] == "connections" and path[-1] != "insecure" and not isinstance(value, str | dict | list):
        value = (
            raw.strip()
        )  # every other key of a connection is text: `projectsId=0123`, `version.tracking=2.0`
    return _set_at(tree, path, value), replace(origin, overridden=(*origin.overridden, path))


def _spelling(connections: object, name: str) -> str:
    """The connection's name as the file spells it."""
    known = connections if isinstance(connections, Mapping) else {}
    return next((str(given) for given in known if str(given).lower() == name.lower()), name)


def parse_value(raw: str) -> object:
    """A value of `--set` or `-p NAME:=`: TOML where it is TOML, else the text itself."""
    try:
        parsed = tomllib.loads(f"value = {raw}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return raw
    return parsed["value"] if len(parsed) == 1 else raw


def _set_at(tree: Mapping[str, object], path: _KeyPath, value: object) -> dict[str, object]:
    head, *rest = path
    if not rest:
        return {**tree, head: value}
    below = tree.get(head)
    return {**tree, head: _set_at(below if isinstance(below, Mapping) else {}, tuple(rest), value)}


def _holds(tree: object, path: _KeyPath) -> bool:
    for key in path:
        if not isinstance(tree, Mapping) or key not in tree:
            return False
        tree = tree[key]
    return True


def _check_setting_name(name: str, value: object, *, origin: _Origin) -> None:
    if name in SETTINGS:
        return
    if name.lower() in _SECRET_KEYS:
        raise _secret_error((name,), origin=origin)
    known = (*SETTINGS, "connections")
    hint = f"[connections.{name}]" if isinstance(value, Mapping) else None
    raise ConfigError(f"{origin.of((name,))}: unknown key {name!r}{did_you_mean(name, known)}", hint=hint)


def _read_connections(
    value: object, providers: Sequence[str], *, origin: _Origin
) -> Mapping[str, ConnectionConfig]:
    table = _table(value, ("connections",), origin=origin)
    found: dict[str, ConnectionConfig] = {}
    taken: set[str] = set()
    for name, body in table.items():
        path = ("connections", name)
        if _CONNECTION_NAME.fullmatch(name) is None or name.lower() in _SCHEMAS_OF_OUR_OWN:
            raise origin.error(path, "cannot be a connection's name: choose another word")
        if name.lower() in taken:
            raise origin.error(path, "is there twice: names differ by more than upper and lower case")
        taken.add(name.lower())
        found[name] = _read_connection(name, _table(body, path, origin=origin), providers, origin=origin)
    own = {name: ConnectionConfig(name, name) for name in sorted(providers) if name.lower() not in taken}
    return found | own


def _read_connection(
    name: str, body: Mapping[str, object], providers: Sequence[str], *, origin: _Origin
) -> ConnectionConfig:
    path = ("connections", name)
    _check_keys(body, _CONNECTION_KEYS, path, origin=origin)
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
        auth=_read_auth(body.get("auth"), (*path, "auth"), origin=origin),
        versions=_texts(body.get("version", {}), (*path, "version"), origin=origin),
        defaults=_texts(body.get("defaults", {}), (*path, "defaults"), origin=origin),
        insecure=insecure,
        region=region,
    )


def _read_provider(name: str, given: object, providers: Sequence[str], *, origin: _Origin) -> str:
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
    value: object, path: _KeyPath, *, insecure: bool, origin: _Origin
) -> str | Mapping[str, str] | None:
    key = (*path, "base_url")
    match value:
        case None:
            return None
        case str():
            _check_base_url(value, key, insecure=insecure, origin=origin)
            return value
        case Mapping():
            urls = _texts(value, key, origin=origin)
            for service, url in urls.items():
                _check_base_url(url, (*key, service), insecure=insecure, origin=origin)
            return urls
        case _:
            raise origin.error(key, "must be text, or a table of one text a service")


def _check_base_url(url: str, path: _KeyPath, *, insecure: bool, origin: _Origin) -> None:
    if (problem := base_url_problem(url, insecure=insecure)) is not None:
        # The URL itself may hold a password: it is not repeated.
        raise origin.error(path, problem)


def _read_auth(value: object, path: _KeyPath, *, origin: _Origin) -> AuthSpec | None:
    if value is None:
        return None
    body = {"type": value} if isinstance(value, str) else _table(value, path, origin=origin)
    kind = body.get("type")
    if not isinstance(kind, str):
        raise origin.error(
            path, f"needs a type; there are: {', '.join(AUTH_OPTIONS)}", hint='auth = { type = "none" }'
        )
    if kind not in AUTH_OPTIONS:
        raise origin.error(
            (*path, "type"), f"is no type of auth: {kind!r}; there are: {', '.join(AUTH_OPTIONS)}"
        )
    wanted = AUTH_OPTIONS[kind]
    _check_keys(body, ("type", *wanted), path, origin=origin)
    if missing := [name for name in wanted if name not in body]:
        example = ", ".join(f'{name} = "…"' for name in wanted)
        raise origin.error(
            path,
            f"of type {kind} needs {', '.join(missing)}",
            hint=f'auth = {{ type = "{kind}", {example} }}',
        )
    options = _texts({name: body[name] for name in wanted}, path, origin=origin)
    for name, text in options.items():
        if name.endswith("env") and _VARIABLE_NAME.fullmatch(text) is None:
            # What stands there may be the secret itself: it is not repeated.
            raise origin.error((*path, name), "must be the name of an environment variable")
    return AuthSpec(kind, options)


def _table(value: object, path: _KeyPath, *, origin: _Origin) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise origin.error(path, f"must be a table, not {type(value).__name__}")
    return {str(key): below for key, below in value.items()}


def _texts(value: object, path: _KeyPath, *, origin: _Origin) -> Mapping[str, str]:
    texts: dict[str, str] = {}
    for name, text in _table(value, path, origin=origin).items():
        if isinstance(text, bool) or not isinstance(text, str | int):
            raise origin.error((*path, name), "must be text: put it in quotes")
        if text == "":
            raise origin.error((*path, name), "must not be empty")
        texts[name] = str(text)
    return texts


def _check_keys(body: Iterable[str], known: Sequence[str], path: _KeyPath, *, origin: _Origin) -> None:
    for name in body:
        if name in known:
            continue
        if name.lower() in _SECRET_KEYS:
            raise _secret_error((*path, name), origin=origin)
        full = (*path, name)
        where = f"{origin.of(full)}: {'.'.join(path)}"
        raise ConfigError(f"{where}: unknown key {name!r}{did_you_mean(name, tuple(known))}")


def _secret_error(path: _KeyPath, *, origin: _Origin) -> ConfigError:
    return origin.error(
        path,
        "would hold a secret: name the environment variable that holds it",
        hint='auth = { type = "basic", username = "…", password_env = "NAME" }'
        if path[-1].lower() == "password"
        else 'auth = { type = "token", env = "NAME" }',
    )
