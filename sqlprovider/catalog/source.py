"""The files of a provider, read: YAML text → documents, and every problem met on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import yaml

from sqlprovider.catalog.document import (
    CompiledServiceDocument,
    Fault,
    ProviderDocument,
    ServiceDocument,
    ServiceHead,
    validate,
)
from sqlprovider.catalog.facts import FactResources, Facts
from sqlprovider.errors import Problem
from sqlprovider.values import JSON

if TYPE_CHECKING:
    from yaml import SafeLoader as Loader
else:
    Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times as quick, where it is there

PROVIDER_FILE = "provider.yaml"
_MERGE_TAG = "tag:yaml.org,2002:merge"
Document = TypeVar("Document", bound=ProviderDocument | ServiceHead)


@dataclass(frozen=True, slots=True)
class Source:
    """A provider's documents with the files they stand in; a document that is no document is not here."""

    folder: Path
    provider: ProviderDocument | None
    services: Mapping[str, ServiceDocument]
    problems: tuple[Problem, ...]

    @property
    def provider_file(self) -> str:
        """The file of the provider document."""
        return str(self.folder / PROVIDER_FILE)

    def service_file(self, service: str) -> str:
        """The file of a service document."""
        return str(self.folder / f"{service}.yaml")


def read_source(folder: Path, versions: Mapping[str, str] | None = None) -> Source:
    """The documents of a provider's folder; `versions` are the versions wanted, if not their own."""
    provider, problems = _read(ProviderDocument, folder / PROVIDER_FILE)
    services: dict[str, ServiceDocument] = {}
    for name in () if provider is None else provider.services:
        service, found = _read_service(folder / f"{name}.yaml", (versions or {}).get(name))
        problems += found
        if service is not None:
            services[name] = service
    return Source(folder, provider, services, problems)


def read_service(file: Path, version: str | None = None) -> Source:
    """One service document, without its provider."""
    service, problems = _read_service(file, version)
    return Source(file.parent, None, {} if service is None else {file.stem: service}, problems)


def problems_of(file: str, faults: tuple[Fault, ...]) -> tuple[Problem, ...]:
    """Faults as problems of a file, in the order found, each once."""
    return tuple(dict.fromkeys(Problem(file, fault.pointer, fault.message) for fault in faults))


def _read(shape: type[Document], file: Path) -> tuple[Document | None, tuple[Problem, ...]]:
    data, problems = _read_yaml(file)
    return (None, problems) if data is None else _validated(shape, data, file, problems)


def _read_service(file: Path, version: str | None) -> tuple[ServiceDocument | None, tuple[Problem, ...]]:
    data, problems = _read_yaml(file)
    if data is None:
        return None, problems
    if not isinstance(data, dict) or "facts" not in data:
        return _validated(ServiceDocument, data, file, problems)
    compiled, problems = _validated(CompiledServiceDocument, data, file, problems)
    if compiled is None:
        return None, problems
    return _over_facts(compiled, file, version or compiled.version, problems)


def _over_facts(
    compiled: CompiledServiceDocument, file: Path, version: str, problems: tuple[Problem, ...]
) -> tuple[ServiceDocument | None, tuple[Problem, ...]]:
    """The service of the facts of one version; of its own, where there are none of that version."""
    name = compiled.facts.get(version) or compiled.facts.get(compiled.version)
    if name is None:
        fault = Fault(("facts",), f"there are none of the version {compiled.version!r}")
        return None, (*problems, *problems_of(str(file), (fault,)))
    try:
        facts = Facts(file.parent / name)
    except OSError as exc:
        fault = Fault(("facts", version), f"{name} cannot be read: {exc.strerror}")
        return None, (*problems, *problems_of(str(file), (fault,)))
    resources = FactResources(facts, compiled.resources, str(file))
    head = {word: getattr(compiled, word) for word in ServiceHead.model_fields}
    head["versions"] = compiled.versions or tuple(compiled.facts)
    return ServiceDocument.model_construct(resources=resources, **head), problems


def _read_yaml(file: Path) -> tuple[JSON, tuple[Problem, ...]]:
    """The plain value of a file; None where there is none to read."""
    try:
        data, faults = parse_yaml(file.read_bytes())
    except OSError as exc:
        return None, (Problem(str(file), "", f"it cannot be read: {exc.strerror}"),)
    if data is None:
        faults = faults or (Fault((), "it is empty"),)
    return data, problems_of(str(file), faults)


def _validated(
    shape: type[Document], data: JSON, file: Path, problems: tuple[Problem, ...]
) -> tuple[Document | None, tuple[Problem, ...]]:
    document = validate(shape, data)
    if isinstance(document, tuple):
        return None, tuple(dict.fromkeys((*problems, *problems_of(str(file), document))))
    return document, problems


def parse_yaml(text: bytes) -> tuple[JSON, tuple[Fault, ...]]:
    """The plain value of a YAML text, and what is wrong with it: no YAML, a key given twice."""
    try:
        loader = Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None, ()
            builder = _Builder(loader)
            return builder.build(node, ()), tuple(builder.faults)
        finally:
            loader.dispose()
    except yaml.YAMLError as exc:
        return None, (Fault((), _syntax_message(exc)),)


def _syntax_message(exc: yaml.YAMLError) -> str:
    if isinstance(exc, yaml.MarkedYAMLError):
        line = "" if exc.problem_mark is None else f"line {exc.problem_mark.line + 1}: "
        return f"{line}{exc.problem or exc.context or 'no YAML'}"
    return " ".join(str(exc).split())


class _Builder:
    """Node → plain value. PyYAML itself would take the last of two equal keys without a word."""

    def __init__(self, loader: Loader) -> None:
        self.faults: list[Fault] = []
        self._loader = loader
        self._open: list[yaml.Node] = []

    def build(self, node: yaml.Node, at: tuple[str | int, ...]) -> JSON:
        """The value of a node; `at` are the keys that lead to it."""
        if isinstance(node, yaml.ScalarNode):
            return cast(JSON, self._loader.construct_object(node))
        if node in self._open:
            self.faults.append(Fault(at, "an alias that holds itself"))
            return None
        self._open.append(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, at)
            return [self.build(item, (*at, place)) for place, item in enumerate(node.value)]
        finally:
            self._open.pop()

    def _mapping(self, node: yaml.MappingNode, at: tuple[str | int, ...]) -> dict[str, JSON]:
        own = [(key, value) for key, value in node.value if key.tag != _MERGE_TAG]
        names = [self._key(key, at) for key, _ in own]
        for place, name in enumerate(names):
            if name in names[:place]:
                line = own[place][0].start_mark.line + 1
                self.faults.append(Fault((*at, name), f"line {line}: the key {name!r} stands here twice"))
        mapping: dict[str, JSON] = {}
        for key, value in node.value:
            if key.tag == _MERGE_TAG:
                mapping |= self._merged(self.build(value, at), at)
        return mapping | {
            name: self.build(value, (*at, name)) for name, (_, value) in zip(names, own, strict=True)
        }

    def _merged(self, value: JSON, at: tuple[str | int, ...]) -> dict[str, JSON]:
        """What `<<` brings: a mapping, or a list of them of which the first counts most."""
        parts = value if isinstance(value, list) else [value]
        merged: dict[str, JSON] = {}
        for part in reversed(parts):
            if isinstance(part, dict):
                merged |= part
            else:
                self.faults.append(Fault(at, "`<<` takes a mapping"))
        return merged

    def _key(self, node: yaml.Node, at: tuple[str | int, ...]) -> str:
        name = self._loader.construct_object(node) if isinstance(node, yaml.ScalarNode) else None
        if isinstance(name, str):
            return name
        line = node.start_mark.line + 1
        self.faults.append(
            Fault(at, f"line {line}: a key must be text; YAML reads {name!r}: put it in quotes")
        )
        return str(getattr(node, "value", ""))
