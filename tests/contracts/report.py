"""`make conformance`: each service's operations, how many SQL reaches, and which it sends as the vendor does.

What a service has is counted in its vendor's own documents: Google's discovery documents, the operations of
Alibaba Cloud's and Oracle's clients, MLflow's protobuf descriptors. What SQL reaches is read from
`sqlprovider.methods`. Whether a request of ours is the vendor's is said by the service's comparison in this
folder.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version as installed
from urllib.parse import unquote

import httpx

from sqlprovider.config import load_config
from sqlprovider.session import Session, provider_names
from sqlprovider.values import JSON
from tests.contracts import google_conformance, mlflow_conformance, oci_conformance, paidlc_conformance
from tests.contracts.comparison import Comparison
from tests.contracts.oci_calls import SERVICES
from tests.contracts.oci_sdk import read_sdk
from tests.contracts.sdk_paidlc import recorded_sdk_requests, sdk_calls
from tests.fakes.google_discovery import discovery_content
from tests.mlflow_descriptors import rpcs, shape
from tests.mlflow_sdk_calls import SDK_CALLS

Route = tuple[str, str]
"""(HTTP method, path with `{}` for each placeholder)."""
Documented = Mapping[str, frozenset[Route]]
"""Operation → its routes: MLflow has operations with two."""
OUT_OF_REACH = frozenset({google_conformance.SHADOWED})
"""Reasons of operations that the vendor's client cannot be made to send: equal to their description only."""
HEADINGS = "service", "version", "judge", "documented", "reachable", "equal", "different", "not in the client"


@dataclass(frozen=True, slots=True)
class Subject:
    """A service in one version, or all of a provider's services where one document describes them."""

    name: str
    """`google.aiplatform`; `mlflow`."""
    version: str
    judge: str
    documented: Callable[[], Documented]
    compare: Callable[[], Sequence[Comparison]]

    def session(self, transport: httpx.BaseTransport) -> Session:
        """A session with this provider in this version. ConfigError where it has none such."""
        provider, _, service = self.name.partition(".")
        connection: dict[str, JSON] = {"base_url": "http://127.0.0.1:9", "auth": {"type": "none"}}
        if service:
            connection["version"] = {service: self.version}
        config = load_config({"connections": {provider: connection}}, environ={}, providers=provider_names())
        return Session(config, transport=transport, environ={})


@dataclass(frozen=True, slots=True)
class Report:
    """How the operations of a subject fare."""

    subject: Subject
    documented: Documented
    methods: Mapping[str, Route]
    """What is in `sqlprovider.methods`, by its four-part name."""
    comparisons: Mapping[str, tuple[Comparison, ...]]
    """Operation → one for each of its methods that was compared."""

    def operations_of(self, name: str) -> list[str]:
        """The operations that a method is: one."""
        return [found for found, routes in self.documented.items() if self.methods[name] in routes]

    @property
    def reachable(self) -> set[str]:
        """The operations that some method is."""
        routes = set(self.methods.values())
        return {operation for operation, own in self.documented.items() if own & routes}

    @property
    def unequal(self) -> dict[str, str]:
        """Operation → why no client's request equals ours."""
        return {operation: why for operation in self.documented if (why := self._why(operation))}

    @property
    def different(self) -> set[str]:
        """The operations that are sent otherwise than their judge has them, or not at all."""
        return {operation for operation, why in self.unequal.items() if why not in OUT_OF_REACH}

    @property
    def cells(self) -> tuple[str, ...]:
        """The row of the table."""
        documented, unequal, different = len(self.documented), len(self.unequal), len(self.different)
        numbers = (documented, len(self.reachable), documented - unequal, different, unequal - different)
        subject = self.subject
        return f"`{subject.name}`", subject.version, subject.judge, *(f"{number:,}" for number in numbers)

    def _why(self, operation: str) -> str:
        """Empty for an operation that was compared and is equal."""
        found = self.comparisons.get(operation, ())
        reasons = [c.reason for c in found if not c.equal or c.reason in OUT_OF_REACH]
        return "; ".join(dict.fromkeys(reasons)) if found else "it was not compared"


@cache
def subjects() -> tuple[Subject, ...]:
    """Everything that is reported on, in the order of the table."""
    return (
        _google("aiplatform", "v1"),
        _google("aiplatform", "v1beta1"),
        _google("ml", "v1"),
        Subject(
            "alibaba.paidlc",
            "2020-12-03",
            _package("alibabacloud_pai_dlc20201203"),
            _paidlc_operations,
            paidlc_conformance.compare,
        ),
        *map(_oci, SERVICES),
        Subject("mlflow", installed("mlflow-skinny"), _mlflow_judge(), _rpcs, mlflow_conformance.compare),
    )


@cache
def report(subject: Subject) -> Report:
    """The report on a subject; takes seconds, once."""
    compared: dict[str, tuple[Comparison, ...]] = {}
    for found in subject.compare():
        compared[found.operation] = (*compared.get(found.operation, ()), found)
    return Report(subject, subject.documented(), _methods(subject), compared)


def table(reports: Sequence[Report]) -> str:
    """The numbers, as Markdown."""
    head, *rows = (f"| {' | '.join(cells)} |" for cells in (HEADINGS, *(found.cells for found in reports)))
    return "\n".join([head, f"|{'---|' * 3}{'--:|' * 5}", *rows])


def reasons(found: Report) -> Iterator[str]:
    """The lines on what is not equal, by reason."""
    by_reason: dict[str, list[str]] = {}
    for operation, why in found.unequal.items():
        by_reason.setdefault(why, []).append(operation)
    for why, operations in by_reason.items():
        yield f"{found.subject.name} {found.subject.version}, {len(operations)}: {why}"
        yield from (f"  {operation}" for operation in operations)


def notes(found: Report) -> Iterator[str]:
    """The lines on what is equal with something to be said: what it was held against, what is let pass."""
    said = (c.reason for o, own in found.comparisons.items() if o not in found.unequal for c in own)
    for why, count in Counter(filter(None, said)).items():
        yield f"{found.subject.name} {found.subject.version}, {count}: {why}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the report; 1 where SQL does not reach something."""
    names = tuple(dict.fromkeys(subject.name for subject in subjects()))
    parser = argparse.ArgumentParser(prog="make conformance", description=__doc__)
    parser.add_argument("service", nargs="*", help=f"only these: {', '.join(names)}")
    wanted = parser.parse_args(arguments).service
    if unknown := set(wanted).difference(names):
        parser.error(f"{', '.join(sorted(unknown))}: there are {', '.join(names)}")
    found = [report(subject) for subject in subjects() if not wanted or subject.name in wanted]
    print(table(found))
    for heading, say in (("not equal", reasons), ("equal", notes)):
        print("\n".join([f"\n{heading}:", *(line for one in found for line in say(one))]))
    return int(any(len(one.reachable) < len(one.documented) for one in found))


def _methods(subject: Subject) -> dict[str, Route]:
    provider, _, service = subject.name.partition(".")
    where = f"connection = '{provider}'" + (f" AND service = '{service}'" if service else "")
    transport = httpx.MockTransport(lambda request: httpx.Response(500))
    with closing(subject.session(transport)) as session:
        (result,) = session.run(
            f"SELECT resource, method, http_method, path FROM sqlprovider.methods WHERE {where}"
        )
        rows = [tuple(map(str, row)) for row in result.rows]
    return {f"{resource}.{method}": (verb, shape(path)) for resource, method, verb, path in rows}


def _google(service: str, version: str) -> Subject:
    def documented() -> Documented:
        return dict(_discovered(discovery_content(service, version)))

    def compare() -> Sequence[Comparison]:
        return google_conformance.compare(service, version)

    judge = _package("google-api-python-client")
    return Subject(f"google.{service}", version, judge, documented, compare)


def _discovered(below: JSON) -> Iterator[tuple[str, frozenset[Route]]]:
    """The methods of a discovery document, or of a resource in it, and of those in it."""
    for said in _objects(below, "methods"):
        path = f"/{said.get('flatPath', said['path'])}"
        yield str(said["id"]), frozenset({(str(said["httpMethod"]), shape(path))})
    for resource in _objects(below, "resources"):
        yield from _discovered(resource)


def _objects(below: JSON, name: str) -> Iterator[dict[str, JSON]]:
    members = below.get(name) if isinstance(below, dict) else None
    for member in members.values() if isinstance(members, dict) else ():
        if isinstance(member, dict):
            yield member


def _paidlc_operations() -> Documented:
    """The client's operations; where its paths have ids is seen in what it sends."""
    found = {}
    for call in sdk_calls():
        request = recorded_sdk_requests()[call.operation]
        parts = ("{}" if unquote(part) in call.ids else part for part in request.path.split("/"))
        found[call.operation] = frozenset({(request.method, "/".join(parts))})
    return found


def _oci(service: str) -> Subject:
    sdk = read_sdk(SERVICES[service])

    def documented() -> Documented:
        return {
            f"{service}.{o.client}.{o.name}": frozenset({(o.method, shape(o.path))}) for o in sdk.operations
        }

    def compare() -> Sequence[Comparison]:
        return [found for found in _oci_comparisons() if found.operation.startswith(f"{service}.")]

    (version,) = {operation.path.split("/")[1] for operation in sdk.operations}
    return Subject(f"oci.{service}", version, _package(sdk.distribution), documented, compare)


@cache
def _oci_comparisons() -> Sequence[Comparison]:
    return oci_conformance.compare()


def _rpcs() -> Documented:
    return {operation: frozenset(rpc.shapes) for operation, rpc in rpcs().items()}


def _mlflow_judge() -> str:
    return f"its protobuf descriptors; {_package('databricks-sdk')} for the {len(SDK_CALLS)} that it has"


def _package(name: str) -> str:
    return f"{name} {installed(name)}"


if __name__ == "__main__":
    raise SystemExit(main())
