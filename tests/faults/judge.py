"""Whether what the engine says of each row agrees with the server's state. Knows no platform."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from sqlprovider.errors import Error
from tests.faults.kinds import Kind, Truth
from tests.faults.model import Facts, Outcome, Report, Scenario, Shape, holds, text_of

STATES = ("accepted", "failed", "unknown", "not_tried")


@dataclass(frozen=True, slots=True)
class Wrong:
    """A disagreement: `sort` is lost, doubled or misreported."""

    sort: str
    why: str
    """Without the row's own words, so that alike ones can be counted."""
    marker: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """What a verdict is about."""

    scenario: Scenario
    kind: Kind
    shape: Shape
    markers: tuple[str, ...]
    marked: str
    outcome: Outcome
    facts: Facts


def judge(case: Case) -> list[Wrong]:
    """Every disagreement of a cell; empty where the engine told the truth."""
    found = [wrong for marker in case.markers for wrong in _row(case, marker)]
    return [*found, *_statement(case)]


def state_of(case: Case, marker: str) -> str | None:
    """The state that the engine reports of a row; None where it says nothing."""
    reports = _reports(case, marker)
    if not reports and case.scenario.verb == "EXEC" and case.outcome.error is None:
        return "accepted"
    return str(reports[0]["state"]) if reports else None


def _reports(case: Case, marker: str) -> list[Report]:
    if case.scenario.verb == "EXEC":
        return list(case.outcome.reports)
    return [report for report in case.outcome.reports if _is_about(report, marker)]


def _is_about(report: Report, marker: str) -> bool:
    return any(holds(marker, str(report.get(name) or "")) for name in ("input_row", "key"))


def _row(case: Case, marker: str) -> Iterator[Wrong]:
    count, state = case.facts.counts[marker], state_of(case, marker)
    if len(_reports(case, marker)) > 1:
        yield Wrong("misreported", "a row is reported twice", marker)
    if count > 1:
        yield Wrong("doubled", f"reported {state}, and there {_times(count)}", marker)
        return
    still_on = case.kind.truth is Truth.AIR and marker == case.marked
    if still_on and state != "unknown":
        yield Wrong("misreported", f"reported {state} while the server is still at it", marker)
    yield from _held_against(case, marker, state, count)


def _held_against(case: Case, marker: str, state: str | None, count: int) -> Iterator[Wrong]:
    """What is reported of a row against whether it is there."""
    match state:
        case "accepted" if count == 0:
            yield Wrong("lost", "reported accepted, and not there", marker)
        case "failed" if count:
            yield Wrong("misreported", "reported failed, and there", marker)
        case "not_tried":
            yield from _not_tried(case, marker, count)
        case "unknown" if not may_be_unknown(case, marker):
            there = "there" if count else "not there"
            yield Wrong("misreported", f"reported unknown, and it could be told: {there}", marker)
        case None:
            yield from _untold(case, count, marker)
        case _ if state not in STATES:
            yield Wrong("misreported", f"reported {state}, which is none of the states", marker)


def _times(count: int) -> str:
    return "twice" if count == 2 else f"{min(count, 9)} times"


def _not_tried(case: Case, marker: str, count: int) -> Iterator[Wrong]:
    if count:
        yield Wrong("misreported", "reported not_tried, and there", marker)
    if case.shape is Shape.GOING_ON:
        yield Wrong("misreported", "not tried, though the statement was to go on", marker)
    held = [text for text in map(text_of, case.facts.sent) if holds(marker, text)]
    # In a batch it may have been sent in the company of the bad row, and been refused with it.
    if not all(case.scenario.batch is not None and holds(case.marked, text) for text in held):
        yield Wrong("misreported", "reported not_tried, and its request was sent", marker)


def _untold(case: Case, count: int, marker: str) -> Iterator[Wrong]:
    """No word of a row: only where the API itself said that there is none."""
    gone = case.kind.status == 404 and case.scenario.verb in ("UPDATE", "DELETE") and marker == case.marked
    if not gone:
        yield Wrong("misreported", f"nothing is said of a row that is {'' if count else 'not '}there", marker)
    elif count:
        yield Wrong("misreported", "said to be missing, and written", marker)


def may_be_unknown(case: Case, marker: str) -> bool:
    """Whether nobody could know better, by what is true of the method and of the fault."""
    scenario, kind = case.scenario, case.kind
    met = sum(holds(marker, text_of(seen)) for seen in case.facts.met)
    if case.facts.is_slow:
        return True
    if not met:
        return False
    once_more = scenario.repeats and met == 1 and not kind.always
    match kind.truth:
        case Truth.PASSES | Truth.REFUSED:
            return False
        case Truth.AIR:
            return True
        case Truth.SILENT if not kind.acted:
            return not once_more
        case _:
            return not (scenario.look or once_more)


def _statement(case: Case) -> Iterator[Wrong]:
    """The statement as a whole: an error if and only if a row was not written, and the right count."""
    states = [state_of(case, marker) for marker in case.markers]
    error = case.outcome.error
    if error is not None and not isinstance(error, Error):
        yield Wrong("misreported", f"a crash: {type(error).__name__}: {str(error)[:80]}")
    if case.kind.is_met and not case.facts.met and not case.facts.is_slow:
        yield Wrong("misreported", f"the row was never sent: {str(error)[:120]}")
    fine = all(state in ("accepted", None) for state in states)
    if error is None and not fine:
        yield Wrong("misreported", "rows were not written, and there is no error")
    if error is not None and fine and None not in states:
        yield Wrong("misreported", f"every row is accepted, and there is an error ({type(error).__name__})")
    if case.kind.truth is Truth.PASSES and not all(state == "accepted" for state in states):
        yield Wrong("misreported", "it could be sent again, and was not")
    accepted = states.count("accepted")
    if error is None and case.scenario.verb != "EXEC" and case.outcome.rowcount != accepted:
        yield Wrong(
            "misreported",
            f"rowcount is not that of the accepted rows ({accepted - case.outcome.rowcount:+d})",
        )


def describe(report: Report) -> str:
    """A report in a line, to look at."""
    return json.dumps({name: report.get(name) for name in ("key", "state", "http_status", "code", "message")})
