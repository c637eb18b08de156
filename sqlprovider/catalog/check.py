"""What one part of a document says about another, checked: every problem, never only the first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from sqlprovider.catalog.check_method import MethodScope, method_faults
from sqlprovider.catalog.check_resource import ResourceScope, resource_faults
from sqlprovider.catalog.document import Fault, ProviderDocument, ServiceDocument, WaitDocument, placeholders
from sqlprovider.catalog.model import Place
from sqlprovider.catalog.parameters import VERSION, method_parameters
from sqlprovider.catalog.source import PROVIDER_FILE, Source, problems_of, read_service, read_source
from sqlprovider.errors import Problem, did_you_mean

_WAIT_PLACEHOLDERS = ("name", VERSION)
_REGION = "region"


def check_document(path: Path | str) -> tuple[Problem, ...]:
    """Every problem of a provider's folder, of its `provider.yaml`, or of one service document."""
    path = Path(path)
    if path.is_dir():
        return check_source(read_source(path))
    if path.name == PROVIDER_FILE:
        return check_source(read_source(path.parent))
    own = read_service(path)
    if not (path.parent / PROVIDER_FILE).is_file():
        return _check_services(own, own.services)
    beside = read_source(path.parent)
    services = {**beside.services, **own.services}
    return _check_services(replace(own, provider=beside.provider, services=services), own.services)


def check_source(source: Source) -> tuple[Problem, ...]:
    """Every problem of a provider's documents."""
    if source.provider is None:
        return source.problems
    faults = tuple(_provider_faults(source.provider, source))
    return (*problems_of(source.provider_file, faults), *_check_services(source, source.services))


def _check_services(source: Source, checked: Mapping[str, ServiceDocument]) -> tuple[Problem, ...]:
    found = list(source.problems)
    for name, service in checked.items():
        found += problems_of(source.service_file(name), tuple(_service_faults(name, service, source)))
    return tuple(found)


def _provider_faults(provider: ProviderDocument, source: Source) -> Iterator[Fault]:
    folder = source.folder.resolve().name
    if provider.provider != folder:
        yield Fault(("provider",), f"{provider.provider!r} is not the name of its folder, {folder!r}")
    for place, service in enumerate(provider.services):
        if service in provider.services[:place]:
            yield Fault(("services", place), f"{service!r} stands here twice")
    for file in sorted(source.folder.glob("*.yaml")):
        if file.name != PROVIDER_FILE and file.stem not in provider.services:
            yield Fault(("services",), f"{file.name} is in the folder and not in this list")
    if (default := provider.auth.default) is not None and default not in provider.auth.types:
        yield Fault(("auth", "default"), f"{default!r} is none of the types {', '.join(provider.auth.types)}")
    if provider.wait is not None:
        yield from _wait_faults(provider.wait)
    yield from _address_faults(provider.base_url.url)


def _wait_faults(wait: WaitDocument) -> Iterator[Fault]:
    names = placeholders(wait.path)
    if "name" not in names:
        yield Fault(("wait", "path"), "an operation is asked for by its name: `{name}` is missing")
    for unknown in sorted(set(names).difference(_WAIT_PLACEHOLDERS)):
        yield Fault(("wait", "path"), f"{{{unknown}}} is neither {{name}} nor {{version}}")


def _address_faults(url: str | None) -> Iterator[Fault]:
    if url is not None and not url.startswith(("https://", "http://")):
        yield Fault(("base_url",), "an address begins with https:// or http://")


def _service_faults(name: str, service: ServiceDocument, source: Source) -> Iterator[Fault]:
    if service.service != name:
        yield Fault(("service",), f"{service.service!r} is not the name of its file, {name!r}")
    if service.versions and service.version not in service.versions:
        yield Fault(
            ("version",), f"{service.version!r} is none of the versions {', '.join(service.versions)}"
        )
    waits = source.provider is None or source.provider.wait is not None
    for resource, document in service.resources.items():
        taken = {m: method_parameters(document, shape) for m, shape in document.methods.items()}
        at: tuple[str | int, ...] = ("resources", resource)
        scope = ResourceScope(source.services, name, resource, document, taken)
        for fault in resource_faults(scope):
            yield Fault((*at, *fault.at), fault.message)
        for method, shape in document.methods.items():
            here = (*at, "methods", method)
            for fault in method_faults(MethodScope(document, shape, taken[method])):
                yield Fault((*here, *fault.at), fault.message)
            if shape.wait and not waits:
                yield Fault((*here, "wait"), f"{PROVIDER_FILE} does not say how to `wait` for an operation")
    yield from _base_url_faults(service)


def _base_url_faults(service: ServiceDocument) -> Iterator[Fault]:
    yield from _address_faults(service.base_url)
    for name in placeholders(service.base_url or ""):
        for resource, document in service.resources.items():
            for method, shape in document.methods.items():
                taken = method_parameters(document, shape)
                if name != _REGION and (name not in taken or taken[name].place is not Place.PATH):
                    known = tuple(n for n, parameter in taken.items() if parameter.place is Place.PATH)
                    message = f"{{{name}}} is no path parameter of {resource}.{method}"
                    yield Fault(("base_url",), message + did_you_mean(name, known))
