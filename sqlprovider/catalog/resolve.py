"""Short names outside SQL: `runs`, `tracking.runs`, `mlflow.tracking.runs` → the full name."""

from __future__ import annotations

from sqlprovider.catalog.catalog import Catalog
from sqlprovider.errors import ProgrammingError, UnknownNameError, did_you_mean


def resolve_name(catalog: Catalog, name: str, use: tuple[str, ...] = ()) -> str:
    """The full name. Raises UnknownNameError, or ProgrammingError where it could be several."""
    parts = tuple(part.strip() for part in name.split("."))
    whole = (*use, *parts)
    if len(parts) == 3 or len(whole) == 3:
        return str(catalog.resource(*(parts if len(parts) == 3 else whole)).name)
    if not 0 < len(parts) < 3 or not all(parts):
        raise UnknownNameError(f"{name!r} is no name of a resource: connection.service.resource")
    found, known = [], set[str]()
    for connection in catalog.connections:
        if use and connection.lower() != use[0].lower():
            continue
        for service in catalog.provider(connection).services.values():
            if len(parts) == 2 and service.name.lower() != parts[0].lower():
                continue
            known.update(service.resources)
            found += [
                f"{connection}.{service.name}.{resource}"
                for resource in service.resources
                if resource.lower() == parts[-1].lower()
            ]
    if not found:
        raise UnknownNameError(f"no resource {name!r}{did_you_mean(parts[-1], sorted(known))}")
    if len(found) > 1:
        raise ProgrammingError(
            f"{name!r} could be {', '.join(found)}",
            reason="ambiguous_name",
            hint="write the full name, or say in `use` which connection and service",
        )
    return found[0]
