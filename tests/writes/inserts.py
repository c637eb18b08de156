"""What scripts are drawn from: values, keys and names, and every INSERT … VALUES."""

from __future__ import annotations

import json
from typing import TypeAlias

from hypothesis import strategies as st

from sqlprovider.values import SQLValue
from tests.writes.specs import EXPERIMENTS, RUNS, Cell, Rows, Text

Draw: TypeAlias = st.DrawFn

T = "mlflow.tracking"
R = "mlflow.registry"
TEXTS = (
    *("a", "", "it's", 'say "hi"', "Ünï 🙂", "two\nlines", "tab\there", "1", "0.5", "null", "{}", " pad "),
    *("50%_off", "back\\slash", "x" * 300, "‰", "--", "a;b", "NaN", "?", ":a"),
)
KEYS = ("a", "lr", "odd key: a.b", "ünï", "UP/low-1", "A")
NUMBERS: tuple[SQLValue, ...] = (0.5, 1, 0, -3.25, 1e20, 1e-7, "NaN", "Infinity", "-Infinity", 0.1)
STATUSES = ("RUNNING", "FINISHED", "FAILED", "KILLED", "SCHEDULED")
START = ("2026-01-02 03:04:05.678", "2026-02-03 04:05:06.000", "1999-12-31 23:59:59.999")
CONFLICTS = (
    *(("", ""), ("ABORT", ""), ("FAIL", ""), ("IGNORE", ""), ("REPLACE", "")),
    *(("", "ON CONFLICT(name) DO NOTHING"), ("", "ON CONFLICT DO NOTHING")),
    ("", "ON CONFLICT(name) DO UPDATE SET tags = excluded.tags"),
    ("", "ON CONFLICT(name) DO UPDATE SET tags = json_set(tags, '$.seen', 'yes')"),
    ("", "ON CONFLICT(name) DO UPDATE SET tags = json_set(excluded.tags, '$.was', tags->>'a')"),
)
OF_PAIRS = (
    *(("", ""), ("", ""), ("", ""), ("IGNORE", ""), ("REPLACE", ""), ("", "ON CONFLICT DO NOTHING")),
    ("", "ON CONFLICT(run_id, key) DO UPDATE SET value = value || '+' || excluded.value"),
)

texts, keys, flags = st.sampled_from(TEXTS), st.sampled_from(KEYS), st.booleans()
places = st.integers(0, 5)
indices = st.tuples(places, places)
maps = st.dictionaries(keys, texts, max_size=2).map(lambda found: json.dumps(found, ensure_ascii=False))


def cell(kind: str, value: SQLValue = None) -> st.SearchStrategy[Cell]:
    return places.map(lambda index: Cell(kind, value, index))


def const(values: st.SearchStrategy[SQLValue]) -> st.SearchStrategy[Cell]:
    return values.map(lambda value: Cell("value", value))


def text(*choices: str) -> st.SearchStrategy[Text]:
    return st.sampled_from(choices).map(Text)


@st.composite
def _rows(
    draw: Draw,
    target: str,
    must: dict[str, st.SearchStrategy[Cell]],
    may: dict[str, st.SearchStrategy[Cell]],
    *,
    most: int = 3,
    conflicts: tuple[tuple[str, str], ...] = (("", ""),),
    returning: tuple[str, ...] = (),
) -> Rows:
    """INSERT … VALUES with the columns that it must have and some that it may have."""
    chosen = draw(st.sets(st.sampled_from(sorted(may)))) if may else set()
    conflict, upsert = draw(st.sampled_from(conflicts))
    if "tags" in upsert:
        chosen = chosen | {"tags"}
    columns = {**must, **{name: may[name] for name in sorted(chosen)}}
    rows = draw(st.lists(st.tuples(*columns.values()), min_size=1, max_size=most))
    asked = [name for name in returning if name in columns or name in ("status", "lifecycle_stage")]
    many = draw(flags) and draw(flags)
    return Rows(
        target,
        tuple(columns),
        tuple(rows),
        bound=draw(flags),
        many=many,
        conflict=conflict,
        upsert=upsert,
        returning=", ".join(asked) if asked and not many and draw(flags) else "",
    )


_name_of_experiment = st.one_of(cell("fresh", "e"), cell("fresh", "e"), cell("made", "e"))
_name_of_model = st.one_of(cell("fresh", "m"), cell("made", "m"))
_map = const(st.none() | maps)

experiments = _rows(
    EXPERIMENTS,
    {"name": _name_of_experiment},
    {"tags": _map},
    conflicts=CONFLICTS,
    returning=("name", "name || '!'"),
)
runs = _rows(
    RUNS,
    {"experiment_id": cell("experiment"), "run_name": cell("fresh", "r")},
    {"user_id": const(texts), "start_time": const(st.sampled_from(START)), "tags": _map},
    returning=("run_name", "user_id", "status", "lifecycle_stage", "start_time"),
)
tags = _rows(
    f"{T}.tags",
    {"run_id": cell("run"), "key": const(keys), "value": const(texts)},
    {},
    most=4,
    conflicts=OF_PAIRS,
)
params = _rows(
    f"{T}.params",
    {"run_id": cell("run"), "key": const(keys), "value": const(texts)},
    {},
    most=4,
    returning=("key", "value"),
)
_point = {
    "value": const(st.sampled_from(NUMBERS)),
    "timestamp": const(st.sampled_from((0, 5, 1_767_323_045_678))),
}
_step = {"step": const(st.sampled_from((0, 1, 2, -1, 2**40)))}
metrics = _rows(
    f"{T}.metrics",
    {"run_id": cell("run"), "key": const(st.sampled_from(KEYS[:3])), **_point},
    _step,
    most=4,
)
history = _rows(
    f"{T}.metric_history",
    {"run_id": cell("run"), "metric_key": const(st.sampled_from(KEYS[:3])), **_point},
    _step,
    most=6,
)
models = _rows(
    f"{R}.registered_models",
    {"name": _name_of_model},
    {"description": const(texts), "tags": _map},
    most=2,
    returning=("name",),
)
versions = _rows(
    f"{R}.model_versions",
    {"name": cell("made", "m"), "source": const(st.sampled_from(("s3://b/1", "s3://b/ü 2")))},
    {"description": const(texts), "tags": _map},
    returning=("name", "source"),
)
aliases = _rows(
    f"{R}.aliases",
    {
        "name": cell("made", "m"),
        "alias": const(st.sampled_from(("champion", "Champion", "old"))),
        "version": const(st.sampled_from(("1", "2", "3"))),
    },
    {},
    most=2,
)
