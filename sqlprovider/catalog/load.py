"""Find a provider's documents and load them. Naming the providers costs a folder listing and reads none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlprovider.errors import CatalogError, ConfigError, did_you_mean

if TYPE_CHECKING:
    from sqlprovider.catalog.compiled import Stamp, Versions
    from sqlprovider.catalog.model import Provider

_PACKAGE = Path(__file__).parent.parent
_PROVIDER_FILE = "provider.yaml"


def provider_names(*, directories: Sequence[Path] = ()) -> tuple[str, ...]:
    """The providers there are documents for, sorted: those in `directories` and those that are shipped."""
    return tuple(sorted(_folders(directories)))


def load_provider(name: str, versions: Mapping[str, str], *, directories: Sequence[Path] = ()) -> Provider:
    """The provider of that name, its services in the versions asked for, else in their documents' own.

    A provider in `directories` comes before a shipped one of its name. Raises CatalogError with every
    problem of the documents, ConfigError for a name or a version that there is not.
    """
    from sqlprovider.catalog.compiled import stamp_of  # noqa: PLC0415  naming the providers does without it

    folders = _folders(directories)
    for known, folder in folders.items():
        if known.lower() == name.lower():
            stamp = stamp_of(folder.iterdir())
            return _provider_of(folder.absolute(), tuple(sorted(versions.items())), stamp)
    raise ConfigError(f"no provider {name!r}{did_you_mean(name, tuple(folders))}", reason="unknown_provider")


def _folders(directories: Sequence[Path]) -> dict[str, Path]:
    """Provider → its folder; the first directory that has it counts."""
    found: dict[str, Path] = {}
    for directory in (*directories, _shipped()):
        for file in sorted(directory.glob(f"*/{_PROVIDER_FILE}")):
            found.setdefault(file.parent.name, file.parent)
    return found


def _shipped() -> Path:
    """The documents in the wheel, or beside the package in a checkout."""
    in_wheel = _PACKAGE / "_schemas"
    return in_wheel if in_wheel.is_dir() else _PACKAGE.parent / "schemas"


@lru_cache(maxsize=16)
def _provider_of(folder: Path, versions: Versions, stamp: Stamp) -> Provider:
    """A provider is read once a process: nobody changes it. `stamp` tells when its files were written."""
    from sqlprovider.catalog.compiled import open_compiled  # noqa: PLC0415  as above

    return open_compiled(folder, versions, stamp, partial(build_from, folder, dict(versions)))


def build_from(folder: Path, versions: Mapping[str, str]) -> Provider:
    """The provider, built of its documents. Raises CatalogError, ConfigError."""
    from sqlprovider.catalog.build import build_provider  # noqa: PLC0415  yaml and pydantic
    from sqlprovider.catalog.check import check_loaded  # noqa: PLC0415  yaml and pydantic
    from sqlprovider.catalog.source import read_source  # noqa: PLC0415  yaml and pydantic

    source = read_source(folder, versions)
    problems = check_loaded(source)
    if problems or source.provider is None:
        raise CatalogError(problems)
    for service, version in versions.items():
        if (document := source.services.get(service)) is None:
            known = tuple(source.services)
            raise ConfigError(f"{folder.name} has no service {service!r}{did_you_mean(service, known)}")
        if version not in (known := document.versions or (document.version,)):
            raise ConfigError(
                f"{folder.name}.{service} has no version {version!r}; there are: {', '.join(known)}"
            )
    return build_provider(source.provider, source.services, versions)
