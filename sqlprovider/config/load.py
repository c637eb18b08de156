"""The configuration as a whole: where it is looked for, and what `--set` changes in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlprovider.config.connections import ConnectionConfig, read_connections
from sqlprovider.config.keys import SECRET_KEYS, KeyPath, Origin, secret_error
from sqlprovider.config.settings import SETTINGS, Settings, with_setting
from sqlprovider.errors import ConfigError, did_you_mean


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that was configured. `path` is the file it came from."""

    settings: Settings
    connections: Mapping[str, ConnectionConfig]
    path: Path | None


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
    origin = Origin(str(path) if path is not None else "configuration", document)
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
    return Config(chosen, read_connections(tree.get("connections", {}), providers, origin=origin), path)


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
    import tomllib  # noqa: PLC0415  who has no file does without it

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


def _override(tree: dict[str, object], text: str, *, origin: Origin) -> tuple[dict[str, object], Origin]:
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
        path: KeyPath = parts
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
    import tomllib  # noqa: PLC0415  as above

    try:
        parsed = tomllib.loads(f"value = {raw}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return raw
    return parsed["value"] if len(parsed) == 1 else raw


def _set_at(tree: Mapping[str, object], path: KeyPath, value: object) -> dict[str, object]:
    head, *rest = path
    if not rest:
        return {**tree, head: value}
    below = tree.get(head)
    return {**tree, head: _set_at(below if isinstance(below, Mapping) else {}, tuple(rest), value)}


def _check_setting_name(name: str, value: object, *, origin: Origin) -> None:
    if name in SETTINGS:
        return
    if name.lower() in SECRET_KEYS:
        raise secret_error((name,), origin=origin)
    known = (*SETTINGS, "connections")
    hint = f"[connections.{name}]" if isinstance(value, Mapping) else None
    raise ConfigError(f"{origin.of((name,))}: unknown key {name!r}{did_you_mean(name, known)}", hint=hint)
