"""What was measured, as a Markdown table and as JSON."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.bench.goals import Faster, Side
from tests.bench.measure import Measured

_HEAD = (
    "| # | work | against | sqlprovider s | against s | ratio | requests | goal | met | note |",
    "|--:|---|---|--:|--:|--:|--:|---|---|---|",
)


def machine() -> str:
    """The processor, how many of it, and the system."""
    return f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


def table(measured: Sequence[Measured], *, runs: int) -> str:
    """The rows in Markdown: the least seconds of each side, and the median of them in brackets."""
    return "\n".join([*_HEAD, *(_line(row, runs) for row in measured)])


def report(measured: Sequence[Measured]) -> dict[str, object]:
    """The same as JSON. `ratio` is ours over the peer's; the other way round where the goal is "faster"."""
    return {
        "machine": machine(),
        "python": platform.python_version(),
        "commit": _commit(),
        "rows": [
            {
                "id": row.work.id,
                "work": row.work.title,
                "ours_s": _rounded(row.figures.ours.least, 4),
                "against_s": _rounded(row.figures.against.least, 4),
                "ratio": _rounded(_ratio(row), 3),
                "requests": row.figures.ours.most_requests,
                "goal": "; ".join(filter(None, (_goal(row), _seen(row)))),
                "met": row.met,
            }
            for row in measured
        ],
    }


def _line(row: Measured, runs: int) -> str:
    ratio = _ratio(row)
    unit = "× faster" if _is_faster(row) else "×"
    cells = (
        str(row.work.id),
        row.work.title,
        row.work.against or "–",
        _seconds(row.figures.ours),
        _seconds(row.figures.against),
        "–" if ratio is None else f"{ratio:.2f} {unit}",
        str(row.figures.ours.most_requests),
        _goal(row),
        "yes" if row.met else "**no**",
        _note(row, runs),
    )
    return f"| {' | '.join(cells)} |"


def _note(row: Measured, runs: int) -> str:
    """The figure that no column has, the runs where they were fewer, what holds a missed goal back."""
    sides = {"ours": row.figures.ours, "against": row.figures.against}
    fewer = [
        f"runs {name}: {len(side.seconds)}" for name, side in sides.items() if 0 < len(side.seconds) < runs
    ]
    parts = [_seen(row), ", ".join(fewer), "" if row.met else row.work.note, row.problem.replace("\n", " ")]
    return "; ".join(filter(None, parts))


def _goal(row: Measured) -> str:
    return ", ".join(goal.text for goal in row.work.goals)


def _seen(row: Measured) -> str:
    return ", ".join(filter(None, (goal.seen(row.figures) for goal in row.work.goals)))


def _is_faster(row: Measured) -> bool:
    return any(isinstance(goal, Faster) for goal in row.work.goals)


def _ratio(row: Measured) -> float | None:
    slowdown = row.figures.slowdown
    return 1 / slowdown if slowdown is not None and _is_faster(row) else slowdown


def _seconds(side: Side) -> str:
    if side.least is None or side.median is None:
        return "–"
    return f"{side.least:.3f} ({side.median:.3f})"


def _rounded(number: float | None, places: int) -> float | None:
    return None if number is None else round(number, places)


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"


def _commit() -> str | None:
    asked = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return asked.stdout.strip() or None
