"""Several clouds in one session as a backend of cases and of the oracle; each is asked as itself wants it."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import httpx

from sqlprovider.catalog.model import Resource
from sqlprovider.surfaces.mlflow_server import start_mlflow_server
from sqlprovider.values import SQLValue
from tests import across_data
from tests.cases import Backend, Setup
from tests.fakes.faults import Fault
from tests.fakes.oci import oci_app
from tests.fakes.oci_data import COMPARTMENT
from tests.fakes.oci_mlflow import Forward, forward_to
from tests.fakes.oci_state import OciState
from tests.fakes.paidlc_state import PaidlcState
from tests.fakes.vertex_platform_state import PlatformState
from tests.mlflow import Rest, Seed
from tests.mlflow_objects import MlflowObjects
from tests.oci import api_key, oci_backend
from tests.oracle import Objects
from tests.paidlc import KEY_ID, SECRET, paidlc_backend
from tests.vertex import RawTarget, vertex_backend


@dataclass(slots=True)
class AcrossState:
    """Four connections' states. `faults` hits all of them: their paths have nothing in common."""

    google: PlatformState = field(default_factory=across_data.google_state)
    lab: PlatformState = field(default_factory=across_data.lab_state)
    alibaba: PaidlcState = field(default_factory=across_data.alibaba_state)
    oci: OciState = field(default_factory=across_data.oci_state)
    faults: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.google.faults = self.lab.faults = self.alibaba.faults = self.oci.faults = self.faults
        self.oci.public_keys = api_key().public_keys


STATES: Mapping[str, Callable[[], AcrossState]] = {"across": AcrossState}
"""What a case's `-- backend:` begins with."""
WITH_MLFLOW = "across_mlflow"
"""The backend that has a real MLflow server beside them, and behind OCI's paths."""


def across_backend(state: AcrossState) -> Backend:
    """`google` (token), `lab` (another project of it), `alibaba` (ACS3), `oci` (API key)."""
    return _joined(_parts(state, None))


@contextmanager
def across_mlflow(directory: Path) -> Iterator[Seed]:
    """A real MLflow server of its own, filled."""
    with start_mlflow_server(directory) as server, Rest(server.base_url) as rest:
        yield across_data.seed_mlflow(rest)


@contextmanager
def across_mlflow_backend(state: AcrossState, seed: Seed) -> Iterator[Backend]:
    """The four, and `mlflow`, which `oci` serves too."""
    with forward_to(seed.base_url) as forward, httpx.HTTPTransport() as transport:
        objects = MlflowObjects(seed.rest)
        mlflow = Backend("mlflow", {"base_url": seed.base_url}, transport, objects)
        parts = {"mlflow": mlflow, **_parts(state, forward)}
        parts["oci"].objects = _with_mlflow(parts["oci"], objects)
        yield replace(_joined(parts), names={f"run {label}": id_ for label, id_ in seed.runs.items()})


def vendors_environ() -> dict[str, str]:
    """The same keys where the vendors' own tools look for them."""
    return {
        "GOOGLE_TOKEN": "secret",
        "ALIBABA_CLOUD_ACCESS_KEY_ID": KEY_ID,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET,
        "OCI_CLI_CONFIG_FILE": str(_profile()),
    }


class ByHost(httpx.BaseTransport):
    """Gives each request to the transport of its host. Raises KeyError for a host that is none of them."""

    def __init__(self, transports: Mapping[str, httpx.BaseTransport]) -> None:
        self._transports = transports

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._transports[request.url.netloc.decode()].handle_request(request)


def _parts(state: AcrossState, mlflow: Forward | None) -> dict[str, Backend]:
    google, lab = vertex_backend(state.google), vertex_backend(state.lab)
    google.connection["defaults"] = {"projectsId": "p", "locationsId": "l"}
    lab.connection.update(provider="google", defaults={"projectsId": "q", "locationsId": "l"})
    oci = oci_backend(state.oci)
    oci.transport = RawTarget(oci_app(state.oci, mlflow=mlflow))
    oci.connection["auth"] = {"type": "api_key", "file": str(_profile())}
    oci.connection["defaults"] = {**across_data.OCI_IDS, "compartmentId": COMPARTMENT}
    return {"google": google, "lab": lab, "alibaba": paidlc_backend(state.alibaba), "oci": oci}


def _joined(parts: Mapping[str, Backend]) -> Backend:
    """One backend with all their connections, each at an address of its own."""
    connections: dict[str, Setup] = {}
    transports: dict[str, httpx.BaseTransport] = {}
    for name, part in parts.items():
        base_url = part.connection["base_url"] if name == "mlflow" else f"https://{name}.test"
        connections[name] = {**part.connection, "base_url": base_url}
        transports[httpx.URL(str(base_url)).netloc.decode()] = part.transport
    first, *others = connections

    def objects(resource: Resource) -> Iterable[Mapping[str, SQLValue]]:
        return parts[resource.name.connection].objects(resource)

    return Backend(
        first,
        connections[first],
        ByHost(transports),
        objects,
        environ={name: value for part in parts.values() for name, value in part.environ.items()},
        beside={name: connections[name] for name in others},
    )


def _with_mlflow(oci: Backend, mlflow: Objects) -> Objects:
    """OCI's own objects, and MLflow's with the ids of their workspace."""
    own = oci.objects

    def objects(resource: Resource) -> Iterable[Mapping[str, SQLValue]]:
        if resource.name.resource not in ("experiments", "runs", "metrics"):
            return own(resource)
        return ({**across_data.OCI_IDS, **row} for row in mlflow(resource))

    return objects


@cache
def _profile() -> Path:
    """A configuration file for the tests' key, gone when the process ends."""
    directory = Path(tempfile.mkdtemp(prefix="oci-profile-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return api_key().write_profile(directory)
