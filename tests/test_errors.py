"""The exceptions: how they read, what they carry, and the tree they hang in."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from sqlprovider import errors
from sqlprovider.errors import (
    BackendError,
    CatalogError,
    DataError,
    Error,
    IntegrityError,
    OperationalError,
    Problem,
    ProgrammingError,
    RateLimitedError,
    TransportError,
    Warning,
    did_you_mean,
    nearest,
)
from sqlprovider.values import Span


def leaves(kind: type[Error]) -> Iterator[type[Error]]:
    yield kind
    for below in kind.__subclasses__():
        yield from leaves(below)


def test_every_exception_stands_in_the_drawing_with_its_sqlstate() -> None:
    drawn = dict(re.findall(r"(\w+)(?: ([0-9A-Z]{5}))?\s{2,}", errors.__doc__ or ""))
    for kind in set(leaves(Error)):
        if kind.__name__.startswith("_") or kind is Error:
            continue
        assert kind.__name__ in (errors.__doc__ or "")
        assert drawn.get(kind.__name__, kind.sqlstate) in ("", kind.sqlstate)


def test_a_message_has_context_hint_and_the_place_in_the_text() -> None:
    error = ProgrammingError(
        "it is wrong", hint="do this", span=Span(16, 17), text="SELECT *\n  FROM x\nWHERE 1"
    )
    error.context = "c.s.r.list"
    assert str(error).split("\n") == [
        "c.s.r.list: it is wrong",
        "hint: do this",
        "  2 |   FROM x",
        "    |        ^",
    ]


@pytest.mark.parametrize(
    ("span", "marks"),
    [
        pytest.param(Span(0, 6), "^^^^^^", id="a word"),
        pytest.param(Span(7, 7), "       ^", id="nothing"),
        pytest.param(Span(7, 99), "       ^", id="to beyond the line's end"),
    ],
)
def test_the_place_is_marked_within_its_line(span: Span, marks: str) -> None:
    error = ProgrammingError("wrong", span=span, text="SELECT x\nFROM y")
    assert str(error).split("\n")[-1] == f"    | {marks}"


def test_a_reason_is_the_classs_own_unless_given() -> None:
    assert (Error("x").reason, TransportError("x").reason) == ("error", "transport")
    assert ProgrammingError("x", reason="other").reason == "other"


@pytest.mark.parametrize(
    ("kind", "retryable"),
    [
        pytest.param(TransportError, True, id="transport"),
        pytest.param(RateLimitedError, True, id="rate"),
        pytest.param(BackendError, False, id="backend"),
        pytest.param(ProgrammingError, False, id="programming"),
    ],
)
def test_whether_repeating_can_help_is_an_attribute(kind: type[Error], retryable: bool) -> None:
    assert kind("x").retryable is retryable


def test_an_answered_error_carries_what_the_api_said() -> None:
    error = BackendError("500 DOWN: it is", status=500, code="DOWN", request_id="q1", hint="wait")
    assert (error.status, error.code, error.request_id) == (500, "DOWN", "q1")
    assert str(error) == "500 DOWN: it is (request id q1)\nhint: wait"
    assert str(IntegrityError("is there")) == "is there"
    assert issubclass(BackendError, OperationalError)
    assert not issubclass(IntegrityError, OperationalError)


def test_a_data_error_points_into_the_answer() -> None:
    assert DataError("no list", pointer="/runs").pointer == "/runs"


def test_a_catalog_error_holds_every_problem() -> None:
    problems = [Problem("a.yaml", "/x", "is wrong"), Problem("b.yaml", "", "is empty")]
    error = CatalogError(iter(problems))
    assert error.problems == tuple(problems)
    assert str(error) == "a.yaml#/x: is wrong\nb.yaml#: is empty"


def test_a_warning_reads_as_its_message_and_hint() -> None:
    assert str(Warning("look")) == "look"
    warning = Warning("look", reason="seen", hint="there")
    assert (str(warning), warning.reason) == ("look\nhint: there", "seen")


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        pytest.param("RNUS", ["runs", "experiments"], "; did you mean runs?", id="near, whatever the case"),
        pytest.param("zzz", ["runs", "jobs"], "; there are: runs, jobs", id="a short list"),
        pytest.param("zzz", [], "", id="nothing"),
        pytest.param("zzz", [f"name{n}" for n in range(13)], "", id="a long list"),
    ],
)
def test_near_names_are_said(name: str, known: list[str], said: str) -> None:
    assert did_you_mean(name, known) == said


def test_the_nearest_names_keep_their_spelling_best_first() -> None:
    assert nearest("job", ["Jobs", "jab", "experiments"], count=1) == ("Jobs",)
