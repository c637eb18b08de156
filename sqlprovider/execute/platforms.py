"""What the calls of one session share: threads, clients, limits, kept pages, operations that were begun."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from sqlprovider.catalog.catalog import Catalog
from sqlprovider.config import ConnectionConfig
from sqlprovider.execute.address import resolve_base_url
from sqlprovider.execute.cache import Cache
from sqlprovider.execute.clients import Client, Clients
from sqlprovider.execute.clock import Clock
from sqlprovider.execute.exchange import Address
from sqlprovider.execute.feed import IN_FLIGHT
from sqlprovider.execute.limits import Limits
from sqlprovider.execute.operations import Operations
from sqlprovider.execute.pool import DaemonPool
from sqlprovider.plan.model import Operation


class Platforms:
    """The connections of one session: their clients, and the threads that use them."""

    def __init__(
        self,
        connections: Mapping[str, ConnectionConfig],
        catalog: Catalog,
        *,
        transport: httpx.BaseTransport | None,
        environ: Mapping[str, str],
        clock: Clock,
    ) -> None:
        self.clock = clock
        self.pool = DaemonPool(IN_FLIGHT)
        self.limits = Limits(self.clock, self.pool.aside)
        self.catalog = catalog
        self.operations = Operations(self.clock.now)
        self.cache = Cache(connections, catalog, environ=environ, now=self.clock.now)
        self._connections = {name.lower(): connection for name, connection in connections.items()}
        self._environ = environ
        self._clients = Clients(transport=transport, environ=environ)

    def close(self) -> None:
        """Closes the connections and ends what uses them. Waits for nothing."""
        self.pool.close()
        self._clients.close()

    def address(self, operation: Operation) -> Address:
        """Where an operation goes. Raises ConfigError where nothing says so."""
        connection = self._connections[operation.resource.connection.lower()]
        provider = self.catalog.provider(connection.name)
        service = self.catalog.service(connection.name, operation.resource.service)
        base_url = resolve_base_url(
            operation, connection, provider=provider, service=service, environ=self._environ
        )
        return Address(connection, provider, service, base_url)

    def client(self, address: Address) -> Client:
        """What sends there. Raises ConfigError or CredentialsError."""
        return self._clients.client(address.connection, address.provider)
