"""The bench runs, and an answer that is not the peer's is its failure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sqlprovider.errors import DataError
from sqlprovider.values import Row
from tests.bench.goals import (
    Answer,
    AtMost,
    Faster,
    FewerBytes,
    Figures,
    Goal,
    Megabytes,
    Requests,
    RoundTrips,
    SameRequests,
    Side,
    Wasted,
)
from tests.bench.measure import Run, Sides, Work
from tests.bench.run import main
from tests.bench.store import Scale

SMALL = Scale(
    rows=2000,
    million=2500,
    forty=2000,
    pairs=60,
    boards=10,
    fan=2,
    keys=5,
    many_keys=20,
    points=20,
    runs=5,
    experiments=2,
    tracked=6,
)


def work(ours: Run, against: Run | None, *, accepts: bool = True) -> Work:
    @contextmanager
    def sides() -> Iterator[Sides]:
        yield Sides(ours, against, lambda: 0, lambda rows: accepts)

    return Work(99, "nothing", "the same", (AtMost(1000),), sides)


def answering(*rows: Row) -> Run:
    return lambda: Answer(rows)


def failing() -> Answer:
    raise DataError("half a page")


def exit_code(only: Work) -> int:
    return main(["--runs", "1"], works=lambda stack, scale: [only])


def test_rows_run_small_and_are_written_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bench.json"
    assert main(["--runs", "1", "--only", "1,4,8,16", "--json", str(file)], scale=SMALL) == 0
    report = json.loads(file.read_text(encoding="utf-8"))
    assert sorted(report) == ["commit", "machine", "python", "rows"]
    assert [row["id"] for row in report["rows"]] == [1, 4, 8, 8, 8, 8, 16]
    names = ["id", "work", "ours_s", "against_s", "ratio", "requests", "goal", "met"]
    assert {tuple(row) for row in report["rows"]} == {tuple(names)}
    assert [row["requests"] for row in report["rows"]][:2] == [2, 11]
    assert capsys.readouterr().out.count("\n| ") == len(report["rows"])


@pytest.mark.slow
def test_every_row_runs_small(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    assert main(["--runs", "1", "--json", str(file)], scale=SMALL) == 0
    report = json.loads(file.read_text(encoding="utf-8"))
    assert sorted({row["id"] for row in report["rows"]}) == list(range(1, 17))


@pytest.mark.parametrize(
    ("ours", "code"),
    [
        pytest.param(answering((1, "a"), (2, None)), 0, id="the same"),
        pytest.param(answering((2, None), (1, "a")), 0, id="in another order"),
        pytest.param(answering((1, "a")), 1, id="a row less"),
        pytest.param(answering((1, "a"), (2, None), (2, None)), 1, id="a row twice"),
        pytest.param(answering((1, "a"), (2, "")), 1, id="another value"),
        pytest.param(failing, 1, id="an error"),
    ],
)
def test_an_answer_that_is_not_the_peer_s_is_a_failure(ours: Run, code: int) -> None:
    assert exit_code(work(ours, answering((1, "a"), (2, None)))) == code


@pytest.mark.parametrize("accepts", [True, False])
def test_without_a_peer_the_rows_are_held_to_what_is_known(accepts: bool) -> None:
    assert exit_code(work(answering((1,)), None, accepts=accepts)) == (0 if accepts else 1)


OURS = Side(seconds=[0.25, 0.5], requests=[22, 21], megabytes=[30.0, 41.0])
PEER = Side(seconds=[1.0, 2.0], requests=[22], megabytes=[82.0, 83.0])


@pytest.mark.parametrize(
    ("kept", "missed"),
    [
        pytest.param(AtMost(0.25), AtMost(0.24), id="at most"),
        pytest.param(Faster(4), Faster(4.1), id="faster"),
        pytest.param(Requests(22), Requests(21), id="requests"),
        pytest.param(Wasted(21), Wasted(20), id="wasted"),
        pytest.param(RoundTrips(12.5), RoundTrips(12.4), id="round trips"),
        pytest.param(Megabytes(41), Megabytes(40), id="megabytes"),
        pytest.param(FewerBytes(2), FewerBytes(2.01), id="fewer bytes"),
    ],
)
def test_a_goal_is_met_up_to_its_bound(kept: Goal, missed: Goal) -> None:
    figures = Figures(OURS, PEER, latency=0.02)
    assert (kept.is_met(figures), missed.is_met(figures)) == (True, False)


@pytest.mark.parametrize(("requests", "met"), [(22, True), (21, False), (44, False)])
def test_the_same_requests_are_as_many_as_the_peer_s(requests: int, met: bool) -> None:
    figures = Figures(Side(seconds=[1.0], requests=[requests]), PEER, latency=0.02)
    assert SameRequests().is_met(figures) is met
