"""What every part of the configuration is read with: keys, where they came from, and how they are refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlprovider.errors import ConfigError, did_you_mean

KeyPath: TypeAlias = tuple[str, ...]

SECRET_KEYS = frozenset(
    ("password", "token", "secret", "api_key", "access_key", "access_key_secret", "secret_key", "key")
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a key came from, for messages: the file, or the `--set` that gave it."""

    file: str
    document: Mapping[str, object]
    overridden: tuple[KeyPath, ...] = ()

    def of(self, path: KeyPath) -> str:
        """The file, or the `--set` that gave what is at the path."""
        for given in self.overridden:
            is_new = given[: len(path)] == path and not holds(self.document, path)
            if is_new or path[: len(given)] == given:
                return f"--set {'.'.join(given[1:] if given[0] == 'connections' else given)}"
        return self.file

    def error(self, path: KeyPath, message: str, *, hint: str | None = None) -> ConfigError:
        """What is wrong with the value at the path."""
        return ConfigError(f"{self.of(path)}: {'.'.join(path)} {message}", hint=hint)


def holds(tree: object, path: KeyPath) -> bool:
    """Whether there is something at the path."""
    for key in path:
        if not isinstance(tree, Mapping) or key not in tree:
            return False
        tree = tree[key]
    return True


def table(value: object, path: KeyPath, *, origin: Origin) -> Mapping[str, object]:
    """A table. Raises ConfigError for anything else."""
    if not isinstance(value, Mapping):
        raise origin.error(path, f"must be a table, not {type(value).__name__}")
    return {str(key): below for key, below in value.items()}


def texts(value: object, path: KeyPath, *, origin: Origin) -> Mapping[str, str]:
    """A table of texts that are not empty; whole numbers are taken as text."""
    found: dict[str, str] = {}
    for name, text in table(value, path, origin=origin).items():
        if isinstance(text, bool) or not isinstance(text, str | int):
            raise origin.error((*path, name), "must be text: put it in quotes")
        if text == "":
            raise origin.error((*path, name), "must not be empty")
        found[name] = str(text)
    return found


def check_keys(body: Iterable[str], known: Sequence[str], path: KeyPath, *, origin: Origin) -> None:
    """Raises ConfigError for a key that is not known, and for one that would hold a secret."""
    for name in body:
        if name in known:
            continue
        if name.lower() in SECRET_KEYS:
            raise secret_error((*path, name), origin=origin)
        full = (*path, name)
        where = f"{origin.of(full)}: {'.'.join(path)}"
        raise ConfigError(f"{where}: unknown key {name!r}{did_you_mean(name, tuple(known))}")


def secret_error(path: KeyPath, *, origin: Origin) -> ConfigError:
    """What a key is refused with that would hold a secret."""
    return origin.error(
        path,
        "would hold a secret: name the environment variable that holds it",
        hint='auth = { type = "basic", username = "…", password_env = "NAME" }'
        if path[-1].lower() == "password"
        else 'auth = { type = "token", env = "NAME" }',
    )
