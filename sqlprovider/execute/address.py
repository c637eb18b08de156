"""Where requests go: a connection's base URL. Hosts come from documents and configuration only."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlprovider.auth.region import found_region
from sqlprovider.catalog.model import Provider, Service
from sqlprovider.config import ConnectionConfig, base_url_problem
from sqlprovider.errors import ConfigError, ProgrammingError
from sqlprovider.plan.model import Operation

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_DNS_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def resolve_base_url(
    operation: Operation,
    connection: ConnectionConfig,
    *,
    provider: Provider,
    service: Service,
    environ: Mapping[str, str],
) -> str:
    """The address one operation is sent to, its placeholders filled, without a slash at its end."""
    template, origin = _template(operation, connection, provider, service, environ)
    if (problem := base_url_problem(template, insecure=connection.insecure)) is None:
        values = _values(operation, connection, provider, environ, template)
        filled = _PLACEHOLDER.sub(lambda found: _label(found[1], values, connection, template), template)
        problem = base_url_problem(filled, insecure=connection.insecure)
    if problem is not None:
        # The address itself may hold a password: it is not repeated.
        raise ConfigError(f"connection {connection.name!r}: {origin} {problem}", reason="wrong_base_url")
    return filled.rstrip("/")


def _template(
    operation: Operation,
    connection: ConnectionConfig,
    provider: Provider,
    service: Service,
    environ: Mapping[str, str],
) -> tuple[str, str]:
    """The address as configured, else as the environment has it, else the vendor's; and where it is from."""
    configured, variable = connection.base_url, provider.base_url_env
    if isinstance(configured, Mapping):
        by_name = {name.lower(): url for name, url in configured.items()}
        if (url := by_name.get(service.name.lower())) is not None:
            return url, f"base_url.{service.name}"
    elif configured is not None:
        return configured, "base_url"
    if variable is not None and (url := environ.get(variable, "").strip()):
        return url, f"the environment variable {variable}"
    if service.base_url is not None:
        url = _vendors(operation, connection, provider, service, environ)
        return url, f"the document's base_url of {service.name}"
    raise _nowhere(connection, provider, service)


def _vendors(
    operation: Operation,
    connection: ConnectionConfig,
    provider: Provider,
    service: Service,
    environ: Mapping[str, str],
) -> str:
    """The vendor's own address: of the place that is asked, or of none."""
    template = service.base_url or ""
    values = _values(operation, connection, provider, environ, template)
    for name in _PLACEHOLDER.findall(template):
        if (url := service.endpoints.get(str(values.get(name)))) is not None:
            return url
        if service.global_url is not None and name not in operation.method.parameters:
            return service.global_url
    return template


def _nowhere(connection: ConnectionConfig, provider: Provider, service: Service) -> ConfigError:
    variable = provider.base_url_env
    # Where one variable serves the whole connection, one address does.
    key = "base_url" if variable is not None else f"base_url.{service.name}"
    either = "" if variable is None else f", and {variable} is not set"
    return ConfigError(
        f"connection {connection.name!r} has no base_url for {service.name}{either}",
        reason="no_base_url",
        hint=f"--set {connection.name}.{key}=http://127.0.0.1:5000",
    )


def _values(
    operation: Operation,
    connection: ConnectionConfig,
    provider: Provider,
    environ: Mapping[str, str],
    template: str,
) -> dict[str, object]:
    """What may fill a placeholder; the region is the connection's, else that of the vendor's profile."""
    region = connection.region
    if region is None and "{region}" in template:
        region = found_region(connection.auth, provider.auth_found, environ)
    values: dict[str, object] = {**connection.defaults, **dict(operation.echo), **dict(operation.arguments)}
    return values if region is None else {"region": region, **values}


def _label(name: str, values: Mapping[str, object], connection: ConnectionConfig, template: str) -> str:
    value = values.get(name)
    if value is None:
        key = "region" if name == "region" else f"defaults.{name}"
        raise ConfigError(
            f"connection {connection.name!r}: nothing gives {{{name}}} of base_url {template}",
            reason="no_base_url",
            hint=f"--set {connection.name}.{key}=…",
        )
    if not isinstance(value, str) or not _DNS_LABEL.fullmatch(value):
        raise ProgrammingError(
            f"{name} = {value!r} cannot be a part of the host {template}: letters, digits and '-' only",
            reason="wrong_value",
        )
    return value
