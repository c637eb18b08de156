"""The fault matrix: after every fault the server's state and the report of each row agree.

Here a sample by seed; `make faults` runs every cell. FAULTS_SEED chooses another sample.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import pytest

from tests.faults.cell import Cell
from tests.faults.coverage import EXEMPT, tried, write_methods
from tests.faults.kinds import KINDS
from tests.faults.matrix import Counts, all_cells, all_scenarios, run_cells, sample
from tests.faults.model import Lab, Scenario, Shape

SEED = int(os.environ.get("FAULTS_SEED", "1"))
_SERVERS = ("mlflow", "oci")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


def _cells(*platforms: str) -> list[Cell]:
    return [cell for cell in all_cells(all_scenarios()) if cell.platform in platforms]


def _check(cells: Sequence[Cell], lab: Lab) -> Counts:
    counts = run_cells(cells, lab, threads=4)
    print(f"seed {SEED}", counts.table(), sep="\n")
    assert not counts.found, f"seed {SEED}\n{counts.table()}\n{counts.reasons()}"
    return counts


def test_every_write_method_has_a_scenario_or_a_reason() -> None:
    methods, scenarios = write_methods(), tried(all_scenarios())
    assert methods - scenarios == set(EXEMPT)
    assert scenarios <= methods, "a scenario tries what is not there"


def test_every_scenario_meets_every_fault_that_fits_it() -> None:
    cells = list(all_cells(all_scenarios()))
    assert len({cell.name for cell in cells}) == len(cells)
    assert {cell.kind.name for cell in cells} == set(KINDS)
    assert {cell.shape for cell in cells} == set(Shape)


def test_a_sample_is_the_same_for_the_same_seed_and_leaves_out_no_fault() -> None:
    cells = _cells("google", "alibaba")
    chosen = sample(cells, 200, seed=7)
    assert [cell.name for cell in chosen] == [cell.name for cell in sample(cells, 200, seed=7)]
    assert [cell.name for cell in chosen] != [cell.name for cell in sample(cells, 200, seed=8)]
    assert {cell.kind.name for cell in chosen} == {cell.kind.name for cell in cells}


def _of(cells: Sequence[Cell], *shapes: Shape) -> list[Cell]:
    return [cell for cell in cells if cell.shape in shapes and not cell.kind.is_timed]


def test_rows_are_reported_as_they_are_on_the_stand_ins(lab: Lab) -> None:
    cells = _of(_cells("google", "alibaba"), Shape.ONE, Shape.BATCH)
    _check(sample(cells, 80, seed=SEED), lab)


@pytest.mark.slow
def test_the_matrix_loses_nothing_on_the_stand_ins(lab: Lab) -> None:
    _check(sample(_cells("google", "alibaba"), 150, seed=SEED), lab)


@pytest.mark.slow
def test_the_matrix_loses_nothing_on_a_real_server(lab: Lab) -> None:
    # Fifty rows at once and little time to answer: on a busy machine others than the marked one are late.
    cells = [c for c in _cells(*_SERVERS) if not (c.kind.is_timed and c.shape is Shape.MIDDLE)]
    _check(sample(cells, 80, seed=SEED), lab)


@pytest.mark.slow
def test_undisturbed_every_scenario_is_done(lab: Lab) -> None:
    cells = [Cell(scenario, KINDS["no fault"], Shape.ONE) for scenario in all_scenarios()]
    _check(cells, lab)


def test_a_scenario_says_what_is_true_of_it() -> None:
    def name(scenario: Scenario) -> str:
        return scenario.name

    # What is deleted is gone, and what was set can be read.
    settled = [s for s in all_scenarios() if s.verb in ("UPDATE", "DELETE")]
    assert [name(s) for s in settled if not s.look] == []
    assert [name(s) for s in all_scenarios() if s.keyed and s.verb != "INSERT"] == []
