"""`limits` in documents → the quota that a call is counted against, and what is wrong with them.

The innermost document part that has the word decides: the method, its service, the provider.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from sqlprovider.catalog.document import (
    Fault,
    LimitsDocument,
    MethodDocument,
    ProviderDocument,
    QuotaDocument,
    ServiceDocument,
)
from sqlprovider.catalog.facts import FactResources
from sqlprovider.catalog.quota import Quota
from sqlprovider.values import Name

_Said: TypeAlias = tuple[tuple[str | int, ...], QuotaDocument]


def method_quota(
    at: Name, method: str, shape: MethodDocument, service: ServiceDocument, provider: ProviderDocument
) -> Quota | None:
    """What calls of a method are counted against; `at` is its resource. None where nothing is said of it."""
    if shape.limits is not None:
        return _quota(shape.limits, f"{at.service}.{at.resource}.{method}")
    return service_quota(service, provider, reads=shape.reads)


def service_quota(
    service: ServiceDocument, provider: ProviderDocument, *, reads: bool = True
) -> Quota | None:
    """What reads, or writes, are counted against whose method has no word of its own."""
    limits = service.limits or provider.limits
    if limits is None:
        return None
    apart = limits.read if reads else limits.write
    if apart is not None:
        return _quota(apart, f"{service.service}.{'read' if reads else 'write'}")
    return _quota(limits, service.service)


def provider_limit_faults(provider: ProviderDocument) -> Iterator[Fault]:
    """What is wrong with the `limits` of a provider document."""
    yield from _disagreements({}, _of_limits(provider.limits))


def service_limit_faults(
    name: str, services: Mapping[str, ServiceDocument], provider: ProviderDocument | None
) -> Iterator[Fault]:
    """What is wrong with the `limits` of a service document, also beside the documents named before it."""
    known: dict[str, Quota] = {}
    list(_disagreements(known, _of_limits(None if provider is None else provider.limits)))
    for before, service in services.items():
        if before == name:
            break
        list(_disagreements(known, _of_service(service)))
    yield from _disagreements(known, _of_service(services[name], is_checked=True))


def _quota(limits: QuotaDocument, scope: str) -> Quota:
    return Quota(limits.scope or scope, limits.per_minute, limits.concurrency)


def _of_limits(limits: LimitsDocument | None) -> Iterator[_Said]:
    if limits is not None:
        yield ("limits",), limits
        for word, apart in (("read", limits.read), ("write", limits.write)):
            if apart is not None:
                yield ("limits", word), apart


def _of_service(service: ServiceDocument, *, is_checked: bool = False) -> Iterator[_Said]:
    """Every `limits` of a service; compiled facts are only opened where they are what is checked."""
    yield from _of_limits(service.limits)
    if isinstance(service.resources, FactResources) and not is_checked:
        return
    for name, resource in service.resources.items():
        for method, shape in resource.methods.items():
            if shape.limits is not None:
                yield ("resources", name, "methods", method, "limits"), shape.limits


def _disagreements(known: dict[str, Quota], said: Iterator[_Said]) -> Iterator[Fault]:
    """Scopes that have other numbers in one place than in another; `known` is filled."""
    for at, limits in said:
        if limits.scope is None:
            continue
        quota = _quota(limits, limits.scope)
        if (before := known.setdefault(limits.scope, quota)) != quota:
            yield Fault(
                (*at, "scope"),
                f"the scope {limits.scope!r} has {_numbers(before)} elsewhere, and {_numbers(quota)} here",
            )


def _numbers(quota: Quota) -> str:
    calls = "any calls a minute" if quota.per_minute is None else f"{quota.per_minute:g} calls a minute"
    return f"{calls}, {'any' if quota.concurrency is None else quota.concurrency} at once"
