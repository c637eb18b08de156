"""exercise(): everything that can be tried of a provider without its platform."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from sqlprovider.catalog.load import load_provider
from sqlprovider.errors import Error
from sqlprovider.exercise.calls import calls, missing_keys, refusals
from sqlprovider.exercise.checks import CHECKS, Check
from sqlprovider.exercise.promises import batches, identities, lost_answers, restores
from sqlprovider.exercise.pushes import pushes
from sqlprovider.exercise.trial import Outcome, Stage, Trial
from sqlprovider.exercise.writes import writes

_CHECKS: tuple[Check, ...] = (
    *CHECKS,
    pushes,
    writes,
    batches,
    identities,
    lost_answers,
    restores,
    missing_keys,
    refusals,
    calls,
)


def subjects(folder: Path) -> list[tuple[str, str]]:
    """Each service of the provider in a folder with each version that may be chosen.

    Raises CatalogError for documents that are wrong.
    """
    folder = folder.resolve()
    provider = load_provider(folder.name, {}, directories=(folder.parent,))
    return [
        (service.name, version)
        for service in provider.services.values()
        for version in service.versions or (service.version,)
    ]


def exercise(
    folder: Path, service: str, version: str, *, wanted: Callable[[str], bool] = lambda name: True
) -> Iterator[Outcome]:
    """Each check of each resource of a service in a version; those of an outcome without a message hold.

    `wanted` is given a resource's name. Raises CatalogError for documents that are wrong.
    """
    folder = folder.resolve()
    provider = load_provider(folder.name, {service: version}, directories=(folder.parent,))
    yield from exercise_on(Stage(provider), service, wanted=wanted)


def exercise_on(
    stage: Stage, service: str, *, wanted: Callable[[str], bool] = lambda name: True
) -> Iterator[Outcome]:
    """The same on a stage, which it closes."""
    found = stage.provider.services[service]
    with closing(stage):
        for name in found.resources:
            if wanted(name):
                trial = Trial(stage, found.resources[name], found.version)
                for check in _CHECKS:
                    yield from _tried(trial, check)


def _tried(trial: Trial, check: Check) -> Iterator[Outcome]:
    messages: list[str] = []
    try:
        messages.extend(check(trial))
    except Error as error:
        messages.append(f"{type(error).__name__}: {error.message}")
    for message in dict.fromkeys(messages) or (None,):
        yield Outcome(trial.name, check.__name__.replace("_", " "), message)
