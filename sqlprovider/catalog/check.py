"""What one part of a document says about another, checked: every problem, never only the first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sqlprovider.catalog.check_method import MethodScope, method_faults
from sqlprovider.catalog.check_resource import ResourceScope, resource_faults
from sqlprovider.catalog.check_writes import identity_faults, write_faults
from sqlprovider.catalog.document import Fault, ProviderDocument, ServiceDocument, WaitDocument
from sqlprovider.catalog.facts import FactResources
from sqlprovider.catalog.model import Place
from sqlprovider.catalog.parameters import VERSION, method_parameters
from sqlprovider.catalog.quotas import provider_limit_faults, service_limit_faults
from sqlprovider.catalog.source import PROVIDER_FILE, Source, problems_of, read_service, read_source
from sqlprovider.catalog.spelling import placeholders
from sqlprovider.errors import CatalogError, Problem, did_you_mean

_WAIT_PLACEHOLDERS = ("name", VERSION)
_REGION = "region"


def check_document(path: Path | str) -> tuple[Problem, ...]:
    """Every problem of a provider's folder, of its `provider.yaml`, or of one service document."""
    path = Path(path)
    if path.is_dir() or path.name == PROVIDER_FILE:
        folder = path if path.is_dir() else path.parent
        sources = [read_source(folder, versions) for versions in _versions(folder)]
        return _unique([*map(check_source, sources), _stray_problems(sources)])
    beside = read_source(path.parent) if (path.parent / PROVIDER_FILE).is_file() else None
    found, sources = [], []
    for version in _service_versions(read_service(path)):
        own = read_service(path, version)
        sources.append(own)
        if beside is not None:
            services = {**beside.services, **own.services}
            checked = replace(own, provider=beside.provider, services=services)
            found.append(_check_services(checked, own.services))
        else:
            found.append(_check_services(own, own.services))
    return _unique([*found, _stray_problems(sources)])


def check_source(source: Source) -> tuple[Problem, ...]:
    """Every problem of a provider's documents."""
    return _check(source, source.services)


def check_loaded(source: Source) -> tuple[Problem, ...]:
    """The problems that loading a provider looks for: resources over compiled facts are opened one by one."""
    written = {name: s for name, s in source.services.items() if not isinstance(s.resources, FactResources)}
    return _check(source, written)


def _check(source: Source, checked: Mapping[str, ServiceDocument]) -> tuple[Problem, ...]:
    if source.provider is None:
        return source.problems
    faults = tuple(_provider_faults(source.provider, source))
    return (*problems_of(source.provider_file, faults), *_check_services(source, checked))


def _versions(folder: Path) -> list[dict[str, str]]:
    """The versions to check a provider in, so that each version of each service is met."""
    services = read_source(folder).services
    ways = max((len(service.versions) for service in services.values()), default=1) or 1
    return [
        {
            name: service.versions[min(way, len(service.versions) - 1)]
            for name, service in services.items()
            if isinstance(service.resources, FactResources)
        }
        for way in range(ways)
    ]


def _stray_problems(sources: Sequence[Source]) -> tuple[Problem, ...]:
    """What is said over facts that no version has."""
    found: list[Problem] = []
    for name in sources[0].services if sources else ():
        resources = [source.services[name].resources for source in sources if name in source.services]
        over = [known for known in resources if isinstance(known, FactResources)]
        strays = frozenset.intersection(*(known.strays for known in over)) if over else frozenset()
        for at in sorted(strays):
            known = tuple(dict.fromkeys(n for facts in over for n in facts)) if len(at) == 1 else ()
            message = "no version's facts have it, and it has no `http` of its own"
            fault = Fault(("resources", *at), message + did_you_mean(at[-1], known))
            found += problems_of(sources[0].service_file(name), (fault,))
    return tuple(found)


def _service_versions(source: Source) -> tuple[str | None, ...]:
    versions = (v for service in source.services.values() for v in service.versions)
    return tuple(versions) or (None,)


def _unique(found: Iterable[tuple[Problem, ...]]) -> tuple[Problem, ...]:
    return tuple(dict.fromkeys(problem for problems in found for problem in problems))


def _check_services(source: Source, checked: Mapping[str, ServiceDocument]) -> tuple[Problem, ...]:
    found = list(source.problems)
    for name, service in checked.items():
        opened = _opened(service)
        found += opened
        if opened:
            continue
        found += problems_of(source.service_file(name), tuple(_service_faults(name, service, source)))
    return tuple(found)


def _opened(service: ServiceDocument) -> list[Problem]:
    """The problems of opening each resource over compiled facts."""
    found: list[Problem] = []
    for name in service.resources:
        try:
            service.resources[name]
        except CatalogError as error:
            found += error.problems
    return found


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
    yield from provider_limit_faults(provider)


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
        for fault in (*resource_faults(scope), *identity_faults(scope)):
            yield Fault((*at, *fault.at), fault.message)
        for method, shape in document.methods.items():
            here = (*at, "methods", method)
            method_scope = MethodScope(document, shape, taken[method])
            for fault in (*method_faults(method_scope), *write_faults(method_scope)):
                yield Fault((*here, *fault.at), fault.message)
            if shape.wait and not waits:
                yield Fault((*here, "wait"), f"{PROVIDER_FILE} does not say how to `wait` for an operation")
    yield from _base_url_faults(service)
    yield from service_limit_faults(name, source.services, source.provider)


def _base_url_faults(service: ServiceDocument) -> Iterator[Fault]:
    yield from _address_faults(service.base_url)
    if service.global_url is not None:
        return
    for name in placeholders(service.base_url or ""):
        for resource, document in service.resources.items():
            for method, shape in document.methods.items():
                taken = method_parameters(document, shape)
                if name != _REGION and (name not in taken or taken[name].place is not Place.PATH):
                    known = tuple(n for n, parameter in taken.items() if parameter.place is Place.PATH)
                    message = f"{{{name}}} is no path parameter of {resource}.{method}"
                    yield Fault(("base_url",), message + did_you_mean(name, known))
