"""Every shipped document, tried out on a platform made of it: all that it says holds together in SQL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from zlib import crc32

import pytest

import sqlprovider
from sqlprovider.catalog.load import load_provider, provider_names
from sqlprovider.exercise.run import exercise, subjects

pytestmark = pytest.mark.slow

ROOT = Path(sqlprovider.__file__).parent.parent
SCHEMAS = ROOT / "schemas"
MANY, SHARE = 60, 12
"""Of a service with so many resources one in twelve is tried at once, and all of them in the slow tests."""


def has_many(folder: Path, service: str, version: str) -> bool:
    """Whether a service is one that takes long."""
    return len(load_provider(folder.name, {service: version}).services[service].resources) > MANY


SUBJECTS = [
    pytest.param(SCHEMAS / provider, service, version, id=f"{provider}.{service}-{version}")
    for provider in provider_names()
    for service, version in subjects(SCHEMAS / provider)
]
LARGE = [
    pytest.param(folder, service, version, id=f"{folder.name}.{service}-{version}")
    for folder in map(SCHEMAS.joinpath, provider_names())
    for service, version in subjects(folder)
    if has_many(folder, service, version)
]


def is_sampled(name: str) -> bool:
    """Whether a resource is among the one in twelve, whatever the others are."""
    return crc32(name.encode()) % SHARE == 0


def failures(folder: Path, service: str, version: str, wanted: Callable[[str], bool]) -> list[str]:
    """What fails, and something was tried."""
    outcomes = list(exercise(folder, service, version, wanted=wanted))
    assert outcomes
    return [
        f"{outcome.resource} {outcome.check}: {outcome.message}"
        for outcome in outcomes
        if outcome.message is not None
    ]


@pytest.mark.parametrize(("folder", "service", "version"), SUBJECTS)
def test_a_shipped_document_passes_the_kit(folder: Path, service: str, version: str) -> None:
    wanted = is_sampled if has_many(folder, service, version) else lambda name: True
    assert failures(folder, service, version, wanted) == []


@pytest.mark.slow
@pytest.mark.parametrize(("folder", "service", "version"), LARGE)
def test_every_resource_of_a_large_service_passes_the_kit(folder: Path, service: str, version: str) -> None:
    assert failures(folder, service, version, lambda name: not is_sampled(name)) == []


def test_the_example_passes_the_kit() -> None:
    assert failures(ROOT / "examples" / "tracker", "work", "1", lambda name: True) == []
