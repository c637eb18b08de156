"""MLflow's RPCs as the protobuf descriptors of the installed package have them: routes and messages."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from sqlprovider.catalog.load import load_provider
from sqlprovider.catalog.model import Method, Resource

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor  # type: ignore[import-untyped]  # it has no stubs here

_PLACEHOLDER = re.compile(r"\{[^{}]*\}|<[^<>]*>")
SERVED_ELSEWHERE = {
    "MlflowService.searchDatasets": ("POST", "/ajax-api/2.0/mlflow/experiments/search-datasets"),
}
"""The descriptor's path has no slash before it, so /api/2.0 and it make a route that no handler answers."""


@dataclass(frozen=True, slots=True)
class Rpc:
    """One RPC."""

    service: str
    name: str
    routes: tuple[tuple[str, str], ...]
    """(HTTP method, path with placeholders), as the server serves them."""
    message: Descriptor

    @property
    def operation(self) -> str:
        """`MlflowService.getRun`; two services have a `listArtifacts`."""
        return f"{self.service}.{self.name}"

    @property
    def shapes(self) -> tuple[tuple[str, str], ...]:
        """Its routes with `{}` for each placeholder, and where it is served if that is elsewhere."""
        routes = SERVED_ELSEWHERE.get(self.operation)
        return tuple((method, shape(path)) for method, path in ((routes,) if routes else self.routes))


def shape(path: str) -> str:
    """A path with `{}` for each placeholder.

    >>> shape("/traces/{assessment.trace_id}/assessments"), shape("/artifacts/<path:artifact_path>")
    ('/traces/{}/assessments', '/artifacts/{}')
    """
    return _PLACEHOLDER.sub("{}", path)


@cache
def rpcs() -> Mapping[str, Rpc]:
    """Every RPC by its operation."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow.protos import (
            databricks_pb2,
            mlflow_artifacts_pb2,
            model_registry_pb2,
            service_pb2,
            webhooks_pb2,
        )
    found = {}
    for module in (service_pb2, model_registry_pb2, mlflow_artifacts_pb2, webhooks_pb2):
        for service in module.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                endpoints = method.GetOptions().Extensions[databricks_pb2.rpc].endpoints
                routes = tuple((e.method, f"/api/{e.since.major}.0{e.path}") for e in endpoints)
                rpc = Rpc(service.name, method.name, routes, method.input_type)
                found[rpc.operation] = rpc
    return found


@cache
def methods() -> Mapping[tuple[str, str], tuple[tuple[Resource, Method], ...]]:
    """(HTTP method, shape of the path) → our methods that send it."""
    found: dict[tuple[str, str], list[tuple[Resource, Method]]] = {}
    for service in load_provider("mlflow", {}).services.values():
        for resource in service.resources.values():
            for method in resource.methods.values():
                found.setdefault((method.http_method, shape(method.path)), []).append((resource, method))
    return {route: tuple(ours) for route, ours in found.items()}


def ours(rpc: Rpc) -> tuple[tuple[Resource, Method], ...]:
    """Our methods that are an RPC: more than one where it serves more than one resource."""
    return tuple(pair for route in rpc.shapes for pair in methods().get(route, ()))


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str], str], ...]:
    """(HTTP method, regular expression, operation), the most literal paths first."""
    shapes = [(m, path, rpc.operation) for rpc in rpcs().values() for m, path in rpc.shapes]
    shapes.sort(key=lambda found: found[1].count("{}"))
    return tuple(
        (m, re.compile("[^/]+".join(map(re.escape, path.split("{}")))), operation)
        for m, path, operation in shapes
    )


def operation_of(http_method: str, raw_path: str) -> str | None:
    """The RPC that a request is: its path as it is on the wire, so that a quoted slash is no slash."""
    for method, pattern, operation in _patterns():
        if method == http_method and pattern.fullmatch(raw_path):
            return operation
    return None
