"""The Catalog: the configured connections and what lies below each, found by name without regard to case."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from sqlprovider.errors import UnknownNameError, did_you_mean

if TYPE_CHECKING:
    from sqlprovider.catalog.model import Method, Provider, Resource, Service
    from sqlprovider.values import Name

LoadProvider: TypeAlias = "Callable[[str, Mapping[str, str]], Provider]"
"""(provider's name, service → version wanted) → Provider."""


@dataclass(frozen=True, slots=True)
class ConnectionSpec:
    """What the catalog needs of a configured connection."""

    name: str
    provider: str
    versions: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)


class Catalog:
    """Every connection's provider, loaded at first use. Lookups raise UnknownNameError with near names."""

    def __init__(self, connections: Mapping[str, ConnectionSpec], load: LoadProvider) -> None:
        self._connections = {name.lower(): spec for name, spec in connections.items()}
        self._load = load
        self._providers: dict[str, Provider] = {}
        self._resources: dict[tuple[str, str, str], Resource] = {}

    @property
    def connections(self) -> tuple[str, ...]:
        """The connections' names, in the order of the configuration."""
        return tuple(spec.name for spec in self._connections.values())

    def connection(self, name: str) -> ConnectionSpec:
        """The connection of that name."""
        if (spec := self._connections.get(name.lower())) is None:
            raise UnknownNameError(f"no connection {name!r}{did_you_mean(name, self.connections)}")
        return spec

    def provider(self, connection: str) -> Provider:
        """The provider of a connection."""
        spec = self.connection(connection)
        key = spec.name.lower()
        if key not in self._providers:
            self._providers[key] = self._load(spec.provider, spec.versions)
        return self._providers[key]

    def service(self, connection: str, service: str) -> Service:
        """A service of a connection."""
        services = self.provider(connection).services
        for name, found in services.items():
            if name.lower() == service.lower():
                return found
        known = tuple(services)
        raise UnknownNameError(f"no service {service!r} in {connection}{did_you_mean(service, known)}")

    def resource(self, connection: str, service: str, resource: str) -> Resource:
        """A resource, its name beginning with the connection's."""
        key = (connection.lower(), service.lower(), resource.lower())
        if key not in self._resources:
            from sqlprovider.values import Name  # noqa: PLC0415  a local database does without it

            spec, found = self.connection(connection), self.service(connection, service)
            for name in found.resources:
                if name.lower() == key[2]:  # only this one is opened
                    self._resources[key] = replace(
                        found.resources[name], name=Name(spec.name, found.name, name)
                    )
                    break
            else:
                known = tuple(found.resources)
                raise UnknownNameError(
                    f"no resource {resource!r} in {spec.name}.{found.name}{did_you_mean(resource, known)}",
                    hint=f"SHOW RESOURCES IN {spec.name}.{found.name}",
                )
        return self._resources[key]

    def resources(self) -> Iterator[Resource]:
        """Every resource of every connection."""
        for connection in self.connections:
            for service in self.provider(connection).services.values():
                for resource in service.resources:
                    yield self.resource(connection, service.name, resource)

    def find(self, name: Name) -> Resource:
        """The resource of a name."""
        return self.resource(name.connection, name.service, name.resource)

    def method(self, name: Name) -> tuple[Resource, Method]:
        """The resource and method of a four-part name."""
        resource = self.find(name)
        wanted = name.method or ""
        if (method := resource.method(wanted)) is None:
            known = tuple(resource.methods)
            raise UnknownNameError(
                f"no method {wanted!r} in {resource.name}{did_you_mean(wanted, known)}",
                hint=f"SHOW METHODS IN {resource.name}",
            )
        return resource, method
