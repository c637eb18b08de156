"""The writes of Vertex AI's TensorBoards: the four levels of the tree, points, calls that take many."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from sqlprovider.values import JSON
from tests.fakes.google_api import status_of
from tests.fakes.proto_json import Object
from tests.fakes.vertex_platform import new_platform, platform_app
from tests.fakes.vertex_platform_state import PlatformState
from tests.faults.model import Counts, Lab, Platform, Scenario, Stage, markers_of
from tests.faults.statements import Row, condition, delete, execute, insert, update

LOCATION = "projects/p/locations/l"
BOARD = f"{LOCATION}/tensorboards/t"
EXPERIMENT = f"{BOARD}/experiments/e"
RUNS = (f"{EXPERIMENT}/runs/r1", f"{EXPERIMENT}/runs/r2")
SERIES = "s"
WALL_TIME = "2026-01-02T03:04:05Z"
_IDS: Row = {
    "projectsId": "p",
    "locationsId": "l",
    "tensorboardsId": "t",
    "experimentsId": "e",
    "runsId": "r1",
    "timeSeriesId": SERIES,
}
_TABLES = ("tensorboards", "experiments", "runs", "time_series")
_COLLECTIONS = ("tensorboards", "experiments", "runs", "timeSeries")
_ID_COLUMNS = ("", "tensorboardExperimentId", "tensorboardRunId", "tensorboardTimeSeriesId")
_PATHS = tuple(
    f"{parent}/{collection}"
    for parent, collection in zip((LOCATION, BOARD, EXPERIMENT, RUNS[0]), _COLLECTIONS, strict=True)
)


def _refusal(status: int, message: str) -> JSON:
    return {"error": {"code": status, "message": message, "status": status_of(status)}}


GOOGLE = Platform(
    "google", {"auth": {"type": "token", "env": "GOOGLE_TOKEN"}}, {"GOOGLE_TOKEN": "secret"}, _refusal
)


def scenarios() -> Iterator[Scenario]:
    """Every one of the TensorBoards'."""
    for depth in range(4):
        yield from _items(depth)
    points = Scenario(
        GOOGLE,
        "google.aiplatform.time_series_points",
        "write",
        _points,
        "INSERT",
        look=True,
        repeats=True,
        batch="experiments.write",
    )
    yield points
    yield from _calls()


def _boards() -> PlatformState:
    """One TensorBoard with an experiment, two runs and a series in each."""
    state = new_platform()
    state.add(BOARD, {"displayName": "board"})
    state.add(EXPERIMENT, {"displayName": "experiment"})
    for number, run in enumerate(RUNS):
        state.add(run, {"displayName": f"run {number}"})
        state.add(f"{run}/timeSeries/{SERIES}", {"displayName": SERIES, "valueType": "SCALAR"})
    return state


def _stage(
    state: PlatformState,
    sql: str,
    markers: Sequence[str],
    counts: Counts,
    occupy: Callable[[str], None] | None = None,
) -> Stage:
    return Stage(platform_app(state, token="secret"), sql, markers, counts, state, occupy)


def _ids(count: int) -> Row:
    """The first ids of the way down."""
    return dict(list(_IDS.items())[:count])


def _items(depth: int) -> Iterator[Scenario]:
    is_board = depth == 0
    of_table = partial(Scenario, GOOGLE, f"google.aiplatform.{_TABLES[depth]}")
    yield of_table(
        "create",
        partial(_create, depth),
        "INSERT",
        look=not is_board,
        repeats=not is_board,
        keyed=not is_board,
        waits=is_board,
        batch={2: "runs.batch_create", 3: "experiments.batch_create"}.get(depth),
    )
    for note in ("unread", "read first"):
        stage = partial(_patch, depth, note == "read first")
        # With the etag as it was read, it is refused the second time.
        is_guarded = note == "read first"
        yield of_table("patch", stage, "UPDATE", note=note, look=True, repeats=is_guarded, waits=is_board)
    if depth == 2:
        for note, sql in _CUTS.items():
            is_guarded = "json_remove" in sql
            stage = partial(_cut_labels, sql)
            yield of_table("patch", stage, "UPDATE", note=note, look=True, repeats=is_guarded)
    yield of_table("delete", partial(_delete, depth), "DELETE", look=True, repeats=True, waits=True)


def _create(depth: int, lab: Lab, count: int) -> Stage:
    state, markers = _boards(), markers_of(count)
    runs = [f"r{1 + number % 2}" for number in range(count)]
    rows: list[Row] = []
    for marker, run in zip(markers, runs, strict=True):
        row: Row = {**_ids(depth + 2), "displayName": f"name {marker}", "description": "made"}
        if depth:
            row[_ID_COLUMNS[depth]] = marker
        rows.append({**row, "valueType": "SCALAR", "runsId": run} if depth == 3 else row)

    def counts() -> Mapping[str, int]:
        kept = [items for path, items in state.collections.items() if path.endswith(_COLLECTIONS[depth])]
        made = [item for items in kept for item in items.values() if item.get("description") == "made"]
        names = [item.get("displayName") for item in made]
        return {marker: names.count(f"name {marker}") for marker in markers}

    def occupy(marker: str) -> None:
        run = runs[markers.index(marker)]
        path = f"{EXPERIMENT}/runs/{run}/timeSeries" if depth == 3 else _PATHS[depth]
        state.add(f"{path}/{marker}", {"displayName": "somebody else's", "valueType": "SCALAR"})

    return _stage(state, insert(f"google.aiplatform.{_TABLES[depth]}", rows), markers, counts, occupy)


def _existing(depth: int, count: int) -> tuple[PlatformState, list[str]]:
    state, markers = _boards(), markers_of(count)
    for marker in markers:
        item: Object = {"displayName": f"name {marker}", "description": "before"}
        state.add(f"{_PATHS[depth]}/{marker}", {**item, "valueType": "SCALAR"} if depth == 3 else item)
    return state, markers


def _patch(depth: int, is_read: bool, lab: Lab, count: int) -> Stage:
    state, markers = _existing(depth, count)
    where: dict[str, object] = dict(_ids(depth + 2))
    if is_read:
        where["displayName"] = [f"name {marker}" for marker in markers]
    else:
        where[list(_IDS)[depth + 2]] = markers
    sql = update(f"google.aiplatform.{_TABLES[depth]}", {"description": "after"}, where)

    def counts() -> Mapping[str, int]:
        return {m: int(state.get(f"{_PATHS[depth]}/{m}").get("description") == "after") for m in markers}

    return _stage(state, sql, markers, counts)


_CUTS = {
    "a label less": "labels = json_remove(labels, '$.team')",
    "a label less, unread": """labels = '{"kept":"yes"}'""",
}
"""Note → what is set."""


def _cut_labels(sets: str, lab: Lab, count: int) -> Stage:
    """What is to be seen afterwards is that something is not there any more."""
    state, markers = _existing(2, count)
    for marker in markers:
        state.get(f"{_PATHS[2]}/{marker}")["labels"] = {"team": "before", "kept": "yes"}
        state.seal(f"{_PATHS[2]}/{marker}")
    where = condition({**_ids(4), "runsId": markers})
    sql = f"UPDATE google.aiplatform.runs SET {sets} WHERE {where}"

    def counts() -> Mapping[str, int]:
        labels = {marker: state.get(f"{_PATHS[2]}/{marker}").get("labels") for marker in markers}
        return {marker: int(found == {"kept": "yes"}) for marker, found in labels.items()}

    return _stage(state, sql, markers, counts)


def _delete(depth: int, lab: Lab, count: int) -> Stage:
    state, markers = _existing(depth, count)
    where = {**_ids(depth + 2), list(_IDS)[depth + 2]: markers}

    def counts() -> Mapping[str, int]:
        return {marker: int(state.find(f"{_PATHS[depth]}/{marker}") is None) for marker in markers}

    return _stage(state, delete(f"google.aiplatform.{_TABLES[depth]}", where), markers, counts)


def _points(lab: Lab, count: int) -> Stage:
    state = _boards()
    steps = [100_000 + number for number in range(count)]
    rows: list[Row] = [
        {
            **_IDS,
            "runsId": f"r{1 + number % 2}",
            "valueType": "SCALAR",
            "step": step,
            "wallTime": WALL_TIME,
            "value": number + 0.5,
        }
        for number, step in enumerate(steps)
    ]
    sql = insert("google.aiplatform.time_series_points", rows)
    return _stage(state, sql, [str(step) for step in steps], lambda: _written(state, steps))


def _written(state: PlatformState, steps: Sequence[int]) -> Mapping[str, int]:
    return {str(step): sum(step in points for points in state.points.values()) for step in steps}


# The calls.

_MARKER = markers_of(1)[0]
_STEP = 100_000
_DATA: list[JSON] = [
    {
        "tensorboardTimeSeriesId": SERIES,
        "valueType": "SCALAR",
        "values": [{"step": str(_STEP), "wallTime": WALL_TIME, "scalar": {"value": 0.5}}],
    }
]
_NEW_RUN: JSON = {
    "parent": EXPERIMENT,
    "tensorboardRunId": _MARKER,
    "tensorboardRun": {"displayName": _MARKER},
}
_NEW_SERIES: JSON = {
    "parent": RUNS[0],
    "tensorboardTimeSeriesId": _MARKER,
    "tensorboardTimeSeries": {"displayName": _MARKER, "valueType": "SCALAR"},
}
_CALLS: Sequence[tuple[str, str, int, str, JSON]] = (
    (
        "experiments",
        "write",
        4,
        "writeRunDataRequests",
        [{"tensorboardRun": RUNS[0], "timeSeriesData": _DATA}],
    ),
    ("runs", "write", 5, "timeSeriesData", _DATA),
    ("experiments", "batch_create", 4, "requests", [_NEW_SERIES]),
    ("time_series", "experiments_batch_create", 4, "requests", [_NEW_SERIES]),
    ("runs", "batch_create", 4, "requests", [_NEW_RUN]),
)
"""Table, method, how many ids it takes, its argument and that argument's value."""


def _calls() -> Iterator[Scenario]:
    for table, method, depth, name, value in _CALLS:
        name_ = f"google.aiplatform.{table}"
        sql = execute(f"{name_}.{method}", {**_ids(depth), name: json.dumps(value)})
        if method == "write":
            yield Scenario(GOOGLE, name_, method, partial(_write_call, sql), "EXEC", repeats=True)
            continue
        made = f"{_PATHS[2 if table == 'runs' else 3]}/{_MARKER}"
        yield Scenario(GOOGLE, name_, method, partial(_create_call, sql, made), "EXEC")


def _write_call(sql: str, lab: Lab, count: int) -> Stage:
    state = _boards()
    return _stage(state, sql, [str(_STEP)], lambda: _written(state, [_STEP]))


def _create_call(sql: str, made: str, lab: Lab, count: int) -> Stage:
    state = _boards()
    return _stage(state, sql, [_MARKER], lambda: {_MARKER: int(state.find(made) is not None)})
