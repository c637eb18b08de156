"""Manifests from texts, read with a real session that has no server behind it but one experiment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import pytest

from sqlprovider.config import load_config
from sqlprovider.errors import ManifestError
from sqlprovider.session import Session, provider_names
from sqlprovider.surfaces.deploy.manifest import read_manifest
from sqlprovider.surfaces.deploy.model import Entry, Manifest, Value

DOCUMENT = {
    "connections": {
        "mlflow": {"base_url": "http://127.0.0.1:9"},
        "google": {"auth": {"type": "none"}, "base_url": {"aiplatform": "http://127.0.0.1:9"}},
    }
}
EXPERIMENT = {"experiment_id": "7", "name": "lab", "lifecycle_stage": "active"}


def lab(request: httpx.Request) -> httpx.Response:
    assert request.url.params["experiment_name"] == "lab", request.url
    return httpx.Response(200, json={"experiment": EXPERIMENT})


def open_lab() -> Session:
    config = load_config(DOCUMENT, environ={}, providers=provider_names())
    return Session(config, transport=httpx.MockTransport(lab), environ={})


class Files:
    """A folder with a stack's files in it."""

    def __init__(self, folder: Path, session: Session) -> None:
        self._folder = folder
        self._session = session
        self.environ: dict[str, str] = {}

    def write(self, name: str, text: str | bytes) -> Path:
        path = self._folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def read(
        self,
        *texts: str | bytes,
        variables: Mapping[str, str] | None = None,
        variable_files: tuple[Path, ...] = (),
        use: str | None = None,
        suffix: str = "yaml",
    ) -> Manifest:
        """The manifest of texts, each a file: `1.yaml`, `2.yaml`, …"""
        paths = [self.write(f"{number}.{suffix}", text) for number, text in enumerate(texts, 1)]
        return self.read_paths(*paths, variables=variables, variable_files=variable_files, use=use)

    def read_paths(
        self,
        *paths: Path,
        variables: Mapping[str, str] | None = None,
        variable_files: tuple[Path, ...] = (),
        use: str | None = None,
    ) -> Manifest:
        return read_manifest(
            paths,
            self._session,
            variables=variables or {},
            variable_files=variable_files,
            use=use,
            environ=self.environ,
        )

    def problems(self, read: Callable[[], Manifest]) -> list[str]:
        """What is wrong, without the folder's name."""
        with pytest.raises(ManifestError) as caught:
            read()
        return [problem.replace(f"{self._folder}/", "") for problem in caught.value.problems]


def entry(manifest: Manifest, label: str) -> Entry:
    (found,) = [one for one in manifest.entries if one.label == label]
    return found


def values(entry: Entry) -> dict[str, Value]:
    return {name: property_.value for name, property_ in entry.properties.items()}
