"""The judge finds what is wrong: a matrix of zeros says nothing if it cannot."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from sqlprovider.errors import BackendError, Error
from tests.fakes.loopback import Seen
from tests.faults.judge import Case, judge
from tests.faults.kinds import KINDS, place_in
from tests.faults.model import Facts, Lab, Outcome, Platform, Report, Scenario, Shape, Stage, holds, writes

ROWS = ("m0000z", "m0001z", "m0002z")
BAD = ROWS[1]


def _no_stage(lab: Lab, count: int) -> Stage:
    raise AssertionError("only judged, never run")


def _scenario(*, verb: str = "INSERT", look: bool = False, repeats: bool = False) -> Scenario:
    platform = Platform("p", {}, {}, lambda status, message: message)
    return Scenario(platform, "p.s.things", "create", _no_stage, verb, look=look, repeats=repeats)


def _seen(marker: str) -> Seen:
    return Seen("POST", "/things", "", {}, f'{{"name":"{marker}"}}'.encode())


def _judged(
    states: Mapping[str, str],
    counts: Mapping[str, int],
    *,
    kind: str = "400",
    shape: Shape = Shape.MIDDLE,
    scenario: Scenario | None = None,
    error: BaseException | None = None,
    rowcount: int = -1,
    sent: tuple[str, ...] = ROWS,
) -> list[tuple[str, str]]:
    """What the judge finds where the second of three rows met a fault."""
    reports: tuple[Report, ...] = tuple(
        {"state": state, "input_row": f'{{"name":"{marker}"}}', "key": None}
        for marker, state in states.items()
    )
    outcome = Outcome(reports, rowcount, error)
    facts = Facts(counts, [_seen(marker) for marker in sent], [_seen(BAD)])
    case = Case(scenario or _scenario(), KINDS[kind], shape, ROWS, BAD, outcome, facts)
    return [(wrong.sort, wrong.why) for wrong in judge(case)]


def _all(first: str, second: str, third: str) -> dict[str, str]:
    return dict(zip(ROWS, (first, second, third), strict=True))


def _there(*counts: int) -> dict[str, int]:
    return dict(zip(ROWS, counts, strict=True))


def test_the_truth_is_not_found_wrong() -> None:
    states = _all("accepted", "failed", "not_tried")
    assert _judged(states, _there(1, 0, 0), error=BackendError("x"), sent=ROWS[:2]) == []


def test_a_row_that_is_accepted_and_not_there_is_lost() -> None:
    states = _all("accepted", "failed", "accepted")
    found = _judged(states, _there(1, 0, 0), error=BackendError("x"))
    assert found == [("lost", "reported accepted, and not there")]


def test_a_row_that_is_there_twice_is_doubled() -> None:
    states = _all("accepted", "failed", "accepted")
    found = _judged(states, _there(1, 0, 2), error=BackendError("x"))
    assert found == [("doubled", "reported accepted, and there twice")]


@pytest.mark.parametrize(
    ("states", "counts", "why"),
    [
        pytest.param(
            _all("accepted", "failed", "accepted"),
            _there(1, 1, 1),
            "reported failed, and there",
            id="failed and there",
        ),
        pytest.param(
            _all("accepted", "failed", "not_tried"),
            _there(1, 0, 0),
            "reported not_tried, and its request was sent",
            id="not tried and sent",
        ),
        pytest.param(
            _all("accepted", "unknown", "accepted"),
            _there(1, 0, 1),
            "reported unknown, and it could be told: not there",
            id="unknown after a refusal",
        ),
        pytest.param(
            _all("accepted", "failed", "done"),
            _there(1, 0, 1),
            "reported done, which is none of the states",
            id="a state of its own",
        ),
        pytest.param(
            {ROWS[0]: "accepted", ROWS[1]: "failed"},
            _there(1, 0, 1),
            "nothing is said of a row that is there",
            id="a row without a word",
        ),
    ],
)
def test_a_report_that_the_state_belies_is_misreported(
    states: Mapping[str, str], counts: Mapping[str, int], why: str
) -> None:
    assert ("misreported", why) in _judged(states, counts, error=BackendError("x"))


@pytest.mark.parametrize(
    ("kind", "scenario", "is_fine"),
    [
        pytest.param("reset before it acted", _scenario(), True, id="lost, and nobody can look"),
        pytest.param("reset before it acted", _scenario(look=True), False, id="lost, and a look tells"),
        pytest.param(
            "reset before it acted", _scenario(repeats=True), False, id="lost, and it can be repeated"
        ),
        pytest.param("reset before it acted always", _scenario(repeats=True), True, id="repeated in vain"),
        pytest.param("time-out before it acted", _scenario(look=True), True, id="it may be under way"),
        pytest.param("time-out after it acted", _scenario(look=True), False, id="done, and a look tells"),
        pytest.param("429 always", _scenario(), False, id="refused"),
    ],
)
def test_unknown_is_only_said_where_nobody_could_know(kind: str, scenario: Scenario, is_fine: bool) -> None:
    states = _all("accepted", "unknown", "accepted")
    found = _judged(states, _there(1, 0, 1), kind=kind, scenario=scenario, error=BackendError("x"))
    assert (found == []) is is_fine


@pytest.mark.parametrize(
    ("states", "error", "rowcount", "why"),
    [
        pytest.param(
            _all("accepted", "failed", "accepted"),
            None,
            2,
            "rows were not written, and there is no error",
            id="no error",
        ),
        pytest.param(
            _all("accepted", "accepted", "accepted"),
            BackendError("x"),
            -1,
            "every row is accepted, and there is an error (BackendError)",
            id="an error for nothing",
        ),
        pytest.param(
            _all("accepted", "accepted", "accepted"),
            None,
            2,
            "rowcount is not that of the accepted rows (+1)",
            id="a wrong count",
        ),
        pytest.param(
            _all("accepted", "failed", "accepted"),
            ValueError("no"),
            -1,
            "a crash: ValueError: no",
            id="a crash",
        ),
    ],
)
def test_the_statement_as_a_whole_is_judged(
    states: Mapping[str, str], error: BaseException | None, rowcount: int, why: str
) -> None:
    counts = {marker: int(state == "accepted") for marker, state in states.items()}
    assert ("misreported", why) in _judged(states, counts, error=error, rowcount=rowcount)


def test_what_can_be_sent_again_must_be() -> None:
    found = _judged(_all("accepted", "failed", "accepted"), _there(1, 0, 1), kind="429", error=Error("x"))
    assert found == [("misreported", "it could be sent again, and was not")]


def test_only_what_the_api_says_is_missing_may_go_without_a_word() -> None:
    states = {ROWS[0]: "accepted", ROWS[2]: "accepted"}
    update = _scenario(verb="UPDATE", look=True)
    assert _judged(states, _there(1, 0, 1), kind="404", scenario=update, rowcount=2) == []
    found = _judged(states, _there(1, 1, 1), kind="404", scenario=update, rowcount=2)
    assert found == [("misreported", "said to be missing, and written")]


def test_a_statement_that_goes_on_leaves_no_row_untried() -> None:
    states = _all("accepted", "failed", "not_tried")
    found = _judged(states, _there(1, 0, 0), error=BackendError("x"), sent=ROWS[:2], shape=Shape.GOING_ON)
    assert found == [("misreported", "not tried, though the statement was to go on")]


def test_a_row_is_at_it_as_long_as_the_server_is() -> None:
    states = _all("accepted", "failed", "accepted")
    found = _judged(states, _there(1, 0, 1), kind="operation never ends", error=BackendError("x"))
    assert ("misreported", "reported failed while the server is still at it") in found


@pytest.mark.parametrize(
    ("text", "is_there"),
    [
        pytest.param('{"id":"m1"}', True, id="a value"),
        pytest.param("/things/m1:cancel", True, id="in a path"),
        pytest.param("names=a,m1", True, id="in a list"),
        pytest.param('{"id":"m12"}', False, id="the beginning of another"),
        pytest.param("x-m1", False, id="the end of another"),
    ],
)
def test_a_marker_is_a_word(text: str, is_there: bool) -> None:
    assert holds("m1", text) is is_there


def test_a_row_has_its_place_in_a_batch() -> None:
    body = {"requests": [{"id": "m0"}, {"id": "m1", "run": {"tags": ["a"]}}], "parent": "p"}
    assert place_in(body, "m1").startswith("requests[1]")
    nested = {"runs": [{"run": "r", "data": [{"values": [{"step": "m0"}, {"step": "m1"}]}]}]}
    assert place_in(nested, "m1") == "runs[0].data[0].values[1]"


@pytest.mark.parametrize(
    ("method", "path", "is_write"),
    [
        pytest.param("GET", "/things", False, id="GET"),
        pytest.param("POST", "/api/2.0/mlflow/runs/search", False, id="a search"),
        pytest.param("POST", "/v1/t/s:exportTensorboardTimeSeries", False, id="an export"),
        pytest.param("POST", "/api/2.0/mlflow/runs/create", True, id="a create"),
        pytest.param("DELETE", "/things/m1", True, id="DELETE"),
    ],
)
def test_a_read_is_never_taken_for_a_write(method: str, path: str, is_write: bool) -> None:
    assert writes(Seen(method, path, "", {}, b"")) is is_write
