"""The OCI stand-in for tests: a key to sign with, Oracle's own clients, a connection of the engine."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlprovider.catalog.model import Resource
from sqlprovider.surfaces.mlflow_server import start_mlflow_server
from sqlprovider.values import JSON, SQLValue
from tests.cases import Backend, Setup
from tests.fakes.loopback import Loopback
from tests.fakes.oci import oci_app
from tests.fakes.oci_data import (
    COMPARTMENT,
    PLATFORM,
    WORKSPACE,
    add_platform,
    add_workspace,
    oci_small,
    rows,
)
from tests.fakes.oci_mlflow import forward_to
from tests.fakes.oci_state import OciState
from tests.mlflow import RUN_NAMES, START, STATUSES, Rest, text_at
from tests.oracle import sql_value
from tests.vertex import RawTarget

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

STATES: Mapping[str, Callable[[], OciState]] = {"oci": oci_small}
"""What a case's `-- backend:` begins with."""
HOSTILE_WORKSPACES = ("ws/../k x", "..x", "%2F", "a+b*c~", "ünï 🙂", "a?b#c&d=e", "workspaces")
_TENANCY, _USER = "ocid1.tenancy.oc1..aaaaaaaa", "ocid1.user.oc1..aaaaaaaa"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key pair and what the service knows of it."""

    private_key: RSAPrivateKey
    fingerprint: str

    @property
    def public_keys(self) -> dict[str, RSAPublicKey]:
        """By keyId, as the stand-in wants them."""
        return {f"{_TENANCY}/{_USER}/{self.fingerprint}": self.private_key.public_key()}

    @property
    def pem(self) -> str:
        """The private key as a file holds it."""
        from cryptography.hazmat.primitives import serialization as s

        return self.private_key.private_bytes(
            s.Encoding.PEM, s.PrivateFormat.TraditionalOpenSSL, s.NoEncryption()
        ).decode()

    @property
    def sdk_config(self) -> dict[str, str]:
        """What Oracle's clients are made of."""
        return {
            "tenancy": _TENANCY,
            "user": _USER,
            "fingerprint": self.fingerprint,
            "key_content": self.pem,
            "region": "us-ashburn-1",
        }

    def write_profile(self, directory: Path) -> Path:
        """A configuration file for this key, as `~/.oci/config` is."""
        key_file, config = directory / "key.pem", directory / "config"
        key_file.write_text(self.pem)
        key_file.chmod(0o600)
        config.write_text(
            f"[DEFAULT]\nuser={_USER}\nfingerprint={self.fingerprint}\ntenancy={_TENANCY}\n"
            f"region=us-ashburn-1\nkey_file={key_file}\n"
        )
        config.chmod(0o600)
        return config


@cache
def api_key() -> ApiKey:
    """One throwaway key for all tests."""
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = generate_private_key(public_exponent=65537, key_size=2048)
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    digest = hashlib.md5(der, usedforsecurity=False).hexdigest()
    return ApiKey(key, ":".join(digest[at : at + 2] for at in range(0, 32, 2)))


def oci_state(*, workspaces: tuple[str, ...] = (WORKSPACE,)) -> OciState:
    """One platform with workspaces of these keys; whoever asks must have signed with `api_key()`."""
    state = OciState(public_keys=api_key().public_keys)
    add_platform(state)
    for number, key in enumerate(workspaces):
        add_workspace(state, key, name=f"workspace {number}")
    return state


def oracle(module: str) -> Any:  # its packages have no annotations
    """A module of Oracle's own packages."""
    return import_module(module)


def oci_backend(state: OciState) -> Backend:
    """The stand-in without its MLflow as a backend of cases; nobody has to sign."""

    def objects(resource: Resource) -> Iterable[Mapping[str, SQLValue]]:
        types = {column.name: column.type for column in resource.columns}
        for row in rows(state, resource.name.resource):
            yield {name: sql_value(value, types[name]) for name, value in row.items() if name in types}

    connection: Setup = {
        "base_url": "http://127.0.0.1:9",
        "auth": {"type": "none"},
        "defaults": {"aiDataPlatformId": PLATFORM, "compartmentId": COMPARTMENT},
    }
    return Backend("oci", connection, RawTarget(oci_app(state)), objects)


def sdk_client(name: str, base_url: str, **options: Any) -> Any:
    """One of Oracle's own clients, speaking to that address, which asks once and does not try again."""
    oci = oracle("oci")
    data_plane = oracle("aidp_python_client.aidataplatform_dp")
    home = oci.ai_data_platform if name == "AiDataPlatformClient" else data_plane
    return getattr(home, name)(
        api_key().sdk_config,
        service_endpoint=base_url,
        retry_strategy=oci.retry.NoneRetryStrategy(),
        circuit_breaker_strategy=oci.circuit_breaker.NoCircuitBreakerStrategy(),
        timeout=30,
        **options,
    )


def oci_connection(base_url: str, profile: Path) -> Setup:
    """The settings of a connection to the stand-in, asking with the key of that file."""
    return {
        "base_url": base_url,
        "auth": {"type": "api_key", "file": str(profile)},
        "defaults": {"aiDataPlatformId": PLATFORM, "workspaceKey": WORKSPACE},
    }


@dataclass(frozen=True, slots=True)
class OciServer:
    """The stand-in in front of an MLflow server, and that server itself."""

    server: Loopback
    state: OciState
    mlflow: Rest

    @property
    def base_url(self) -> str:
        return self.server.base_url


def seed_many(rest: Rest, count: int) -> str:
    """An experiment `many` with so many runs, and a tenth as many that are deleted; returns its id."""
    experiment = text_at(rest.post("experiments/create", name="many"), "experiment_id")
    for number in range(count + count // 10):
        _run_of_many(rest, experiment, number, is_deleted=number >= count)
    return experiment


def _run_of_many(rest: Rest, experiment: str, number: int, *, is_deleted: bool) -> None:
    start = START + number * 60_000
    answer = rest.post(
        "runs/create", experiment_id=experiment, run_name=f"run {number}", start_time=start, user_id="ann"
    )
    run_id = text_at(answer, "run", "info", "run_id")
    values = {"val_acc": number / 125, "val acc/top-5": 1 - number / 125, "a b:c": -number}
    metrics: list[JSON] = [
        {"key": key, "value": value, "timestamp": start, "step": number} for key, value in values.items()
    ]
    odd = ("NaN", "Infinity", "-Infinity", 3)[number % 4]
    metrics.append({"key": "loss", "value": odd, "timestamp": start, "step": 0})
    text = RUN_NAMES[number % len(RUN_NAMES)] + f" {number}"
    rest.post(
        "runs/log-batch",
        run_id=run_id,
        metrics=metrics,
        params=[{"key": "lr", "value": str(10.0 ** -(number % 3))}, {"key": "text", "value": text}],
        tags=[{"key": "text", "value": text}, {"key": "odd key: a.b", "value": str(number % 2)}],
    )
    status = STATUSES[number % len(STATUSES)]
    ended: dict[str, JSON] = {"end_time": start + 1500} if status in ("FINISHED", "FAILED") else {}
    if status != "RUNNING":
        rest.post("runs/update", run_id=run_id, status=status, **ended)
    if is_deleted:
        rest.post("runs/delete", run_id=run_id)


@contextmanager
def oci_server(directory: Path, *, workspaces: tuple[str, ...] = (WORKSPACE,)) -> Iterator[OciServer]:
    """The stand-in over a real MLflow server of its own, which lives in that directory."""
    state = oci_state(workspaces=workspaces)
    with (
        start_mlflow_server(directory) as mlflow,
        Rest(mlflow.base_url) as rest,
        forward_to(mlflow.base_url) as forward,
        Loopback(oci_app(state, mlflow=forward)) as server,
    ):
        yield OciServer(server, state, rest)
