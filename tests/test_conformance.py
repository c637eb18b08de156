"""Everything that the services have is in SQL, once, can be called, and is sent as its vendor's client does.

Each number stands in the README too, in the table that `make conformance` prints.
"""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from sqlprovider.catalog.model import Parameter
from sqlprovider.errors import Error
from sqlprovider.values import SQLValue, Type
from tests.contracts.comparison import Comparison
from tests.contracts.google_conformance import SHADOWED
from tests.contracts.report import Report, Route, Subject, main, notes, reasons, report, subjects, table
from tests.mlflow_descriptors import shape

pytestmark = pytest.mark.slow

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
EXPECTED = {
    # documented and reachable, equal, different, not in the client
    ("google.aiplatform", "v1"): (1144, 1143, 0, 1),
    ("google.aiplatform", "v1beta1"): (1600, 1583, 0, 17),
    ("google.ml", "v1"): (46, 46, 0, 0),
    ("alibaba.paidlc", "2020-12-03"): (43, 43, 0, 0),
    ("oci.aidataplatform", "20260430"): (299, 299, 0, 0),
    ("oci.aidataplatform_control", "20240831"): (12, 12, 0, 0),
    ("mlflow", "3.17.2"): (183, 168, 15, 0),
}
EACH = pytest.mark.parametrize("wanted", [pytest.param(wanted, id=" ".join(wanted)) for wanted in EXPECTED])


@pytest.fixture
def found(wanted: tuple[str, str]) -> Report:
    """The report on a service in a version; made once."""
    return next(report(subject) for subject in subjects() if (subject.name, subject.version) == wanted)


@pytest.fixture
def reports() -> list[Report]:
    """All of them."""
    return [report(subject) for subject in subjects()]


def test_the_subjects_are_all_that_there_are() -> None:
    assert [(subject.name, subject.version) for subject in subjects()] == list(EXPECTED)


@EACH
def test_every_documented_operation_is_reachable_and_equal_but_those_with_a_reason(
    found: Report, wanted: tuple[str, str]
) -> None:
    unequal, different = len(found.unequal), len(found.different)
    numbers = len(found.documented), len(found.documented) - unequal, different, unequal - different
    assert numbers == EXPECTED[wanted]
    assert found.documented.keys() - found.reachable == set()
    assert found.comparisons.keys() == found.documented.keys()


@EACH
def test_no_two_operations_are_one_method_and_every_method_is_an_operation(found: Report) -> None:
    assert [name for name in found.methods if len(found.operations_of(name)) != 1] == []
    compared = [
        (c.sql_name, operation)
        for operation, own in found.comparisons.items()
        for c in own
        if c.sql_name is not None
    ]
    assert [(n, o) for n, o in compared if n not in found.methods or found.operations_of(n) != [o]] == []


@EACH
def test_every_method_can_be_called(found: Report) -> None:
    with closing(_Caller(found.subject)) as caller:
        wrong = {name: sent for name in found.methods if (sent := caller.call(name)) != found.methods[name]}
    assert wrong == {}


def test_the_readme_has_the_numbers(reports: list[Report]) -> None:
    assert table(reports) in README.split("## Conformance")[1]


def test_the_report_names_each_operation_that_is_not_equal(
    reports: list[Report], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["google.ml", "mlflow"]) == 0
    printed = capsys.readouterr().out
    ml, mlflow = (found for found in reports if found.subject.name in ("google.ml", "mlflow"))
    assert table([ml, mlflow]) in printed
    assert [operation for operation in mlflow.unequal if f"  {operation}\n" not in printed] == []


def test_a_report_counts_what_is_wrong_with_a_service() -> None:
    """Operations that are missing, not compared, not equal or nobody's are counted as such."""
    documented = {name: frozenset({("GET", f"/{name}/{{}}")}) for name in ("a", "b", "c", "d")}
    methods: dict[str, Route] = {"s.a": ("GET", "/a/{}"), "s.b": ("GET", "/b/{}"), "s.e": ("GET", "/e/{}")}
    compared = {
        "a": (Comparison("a", "s.a", equal=True, reason="but for a fraction"),),
        "b": (Comparison("b", "s.b", equal=True, reason=SHADOWED),),
        "c": (Comparison("c", None, equal=False, reason="no method"),),
    }
    found = Report(Subject("s", "v1", "j", lambda: documented, list), documented, methods, compared)
    assert found.cells == ("`s`", "v1", "j", "4", "2", "1", "2", "1")
    assert found.operations_of("s.e") == []
    assert list(reasons(found))[1:4:2] == ["  b", "  c"]
    assert list(notes(found)) == ["s v1, 1: but for a fraction"]
    assert found.unequal["d"] == "it was not compared"


class _Caller(httpx.BaseTransport):
    """EXEC of any method with what it requires, and what that sends first."""

    def __init__(self, subject: Subject) -> None:
        self._sent: list[Route] = []
        self._session = subject.session(self)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._sent.append((request.method, request.url.raw_path.decode().partition("?")[0]))
        return httpx.Response(200, json={})

    def call(self, name: str) -> Route | str:
        """The route of the request; the error where none is made."""
        resource, _, method = name.rpartition(".")
        connection, service, table_name = resource.split(".")
        described = self._session.catalog.service(connection, service).resources[table_name].methods[method]
        required = [p for p in described.parameters.values() if p.required]
        given = ", ".join(f'@"{p.name}" = ?' for p in required)
        self._sent.clear()
        try:
            for result in self._session.run(f"EXEC {name} {given}", tuple(map(_sample, required))):
                list(result.rows)
        except Error as error:
            if not self._sent:
                return str(error)
        return _route(self._sent[0], described.path)

    def close(self) -> None:
        self._session.close()


def _route(sent: Route, template: str) -> Route:
    """The request's route if its path is one of that template."""
    pattern = "[^/]+".join(map(re.escape, shape(template).split("{}")))
    verb, path = sent
    return (verb, shape(template)) if re.fullmatch(pattern, path) else sent


def _sample(parameter: Parameter) -> SQLValue:
    if parameter.enum:
        return parameter.enum[0]
    samples: dict[Type, SQLValue] = {
        Type.INTEGER: 1,
        Type.REAL: 0.5,
        Type.BOOLEAN: 1,
        Type.DATETIME: "2026-01-02 03:04:05.678",
        Type.JSON: '{"k": "v"}',
    }
    return samples.get(parameter.type, "x")
