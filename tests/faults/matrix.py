"""Every cell there is, a sample of them, and the table of what came of them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.faults import alibaba, google_boards, google_jobs, tracking
from tests.faults.cell import Cell, run_cell
from tests.faults.judge import Wrong
from tests.faults.kinds import KINDS
from tests.faults.model import Lab, Scenario

SORTS = ("lost", "doubled", "misreported")


def all_scenarios() -> list[Scenario]:
    """The scenarios of every platform."""
    return [
        *google_boards.scenarios(),
        *google_jobs.scenarios(),
        *alibaba.scenarios(),
        *tracking.scenarios(tracking.OCI),
        *tracking.scenarios(tracking.MLFLOW),
    ]


def all_cells(scenarios: Iterable[Scenario]) -> Iterator[Cell]:
    """Every cell that makes sense."""
    for scenario in scenarios:
        for shape in scenario.shapes:
            for kind in KINDS.values():
                if kind.suits(scenario, shape):
                    yield Cell(scenario, kind, shape)


def sample(cells: Sequence[Cell], count: int, *, seed: int) -> list[Cell]:
    """So many of the cells, every scenario and every fault among them where the count allows it."""
    dice = random.Random(seed)
    shuffled = dice.sample(cells, len(cells))
    chosen: dict[str, Cell] = {}
    seen: set[str] = set()
    for cell in shuffled:
        if not {cell.kind.name, cell.scenario.name} <= seen:
            seen |= {cell.kind.name, cell.scenario.name}
            chosen[cell.name] = cell
    for cell in shuffled:
        if len(chosen) >= count:
            break
        chosen.setdefault(cell.name, cell)
    return list(chosen.values())


@dataclass(slots=True)
class Counts:
    """What came of cells."""

    cells: Counter[str] = field(default_factory=Counter)
    """Platform → cells."""
    rows: Counter[str] = field(default_factory=Counter)
    wrong: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(platform, sort) → rows, or statements, that are wrong."""
    found: list[tuple[Cell, list[Wrong]]] = field(default_factory=list)

    def add(self, cell: Cell, rows: int, wrongs: list[Wrong]) -> None:
        self.cells[cell.platform] += 1
        self.rows[cell.platform] += rows
        for wrong in wrongs:
            self.wrong[cell.platform, wrong.sort] += 1
        if wrongs:
            self.found.append((cell, wrongs))

    def table(self) -> str:
        """The counts, a line a platform."""
        head = f"{'platform':<12}{'cells':>8}{'rows':>8}" + "".join(f"{sort:>13}" for sort in SORTS)
        lines = [head]
        for name in (*sorted(self.cells), "all"):
            cells = self.cells.total() if name == "all" else self.cells[name]
            rows = self.rows.total() if name == "all" else self.rows[name]
            wrong = [
                sum(
                    n
                    for (platform, kind), n in self.wrong.items()
                    if kind == sort and name in (platform, "all")
                )
                for sort in SORTS
            ]
            lines.append(f"{name:<12}{cells:>8}{rows:>8}" + "".join(f"{count:>13}" for count in wrong))
        return "\n".join(lines)

    def reasons(self, limit: int = 60) -> str:
        """What is wrong, the most frequent first, each with the cells it was seen in."""
        seen: dict[tuple[str, str], list[Cell]] = {}
        for cell, wrongs in self.found:
            for wrong in {(wrong.sort, wrong.why): wrong for wrong in wrongs}.values():
                seen.setdefault((wrong.sort, wrong.why), []).append(cell)
        ordered = sorted(seen.items(), key=lambda pair: -len(pair[1]))
        return "\n".join(
            f"{len(cells):>5} {sort}: {why}\n      " + "; ".join(cell.name for cell in cells[:3])
            for (sort, why), cells in ordered[:limit]
        )


def run_cells(
    cells: Sequence[Cell],
    lab: Lab,
    *,
    threads: int = 1,
    each: Callable[[Cell, list[Wrong]], None] | None = None,
) -> Counts:
    """Runs cells, several at once, and counts."""
    counts = Counts()

    def run(cell: Cell) -> tuple[Cell, int, list[Wrong]]:
        try:
            case, wrongs = run_cell(cell, lab)
        except Exception as error:
            raise AssertionError(f"{cell.name}: the harness failed") from error
        return cell, len(case.markers), wrongs

    with ThreadPoolExecutor(threads) as pool:
        for cell, rows, wrongs in pool.map(run, cells):
            counts.add(cell, rows, wrongs)
            if each is not None:
                each(cell, wrongs)
    return counts
