"""The writes of Vertex AI's TensorBoards, of its pipeline jobs, and of ml v1's jobs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import cast

from sqlprovider.values import JSON
from tests.fakes.google_api import status_of
from tests.fakes.ml import MlState, ml_app
from tests.fakes.proto_json import Object
from tests.fakes.vertex_platform import new_platform, platform_app
from tests.fakes.vertex_platform_state import PlatformState
from tests.faults.model import Lab, Platform, Scenario, Stage, markers_of
from tests.faults.statements import Row, delete, execute, insert, update

LOCATION = "projects/p/locations/l"
BOARD = f"{LOCATION}/tensorboards/t"
EXPERIMENT = f"{BOARD}/experiments/e"
RUNS = (f"{EXPERIMENT}/runs/r1", f"{EXPERIMENT}/runs/r2")
SERIES = "s"
WALL_TIME = "2026-01-02T03:04:05Z"
_PARENTS = ("projectsId", "locationsId", "tensorboardsId", "experimentsId", "runsId", "timeSeriesId")
_IDS = ("p", "l", "t", "e", "r1", SERIES)
_COLLECTIONS = ("tensorboards", "experiments", "runs", "timeSeries")
_TABLES = ("tensorboards", "experiments", "runs", "time_series")


def _refusal(status: int, message: str) -> JSON:
    return {"error": {"code": status, "message": message, "status": status_of(status)}}


GOOGLE = Platform(
    "google",
    {"auth": {"type": "token", "env": "GOOGLE_TOKEN"}},
    {"GOOGLE_TOKEN": "secret"},
    _refusal,
)


def scenarios() -> Iterator[Scenario]:
    """Every one of Google's."""
    for depth in range(4):
        yield from _items(depth)
    yield _points()
    yield from _board_calls()
    yield from _pipelines()
    yield from _ml()


def _scenario(table: str, method: str, stage: Callable[[Lab, int], Stage], verb: str, **facts: object) -> Scenario:
    return Scenario(GOOGLE, f"google.{table}", method, stage, verb, **facts)  # type: ignore[arg-type]  # its own fields


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
    counts: Callable[[], Mapping[str, int]],
    occupy: Callable[[str], None] | None = None,
) -> Stage:
    return Stage(platform_app(state, token="secret"), sql, markers, counts, state, occupy)


# Items: the four levels of the tree.


def _path(depth: int) -> str:
    """The collection at that depth."""
    return ["", f"{BOARD}/experiments", f"{EXPERIMENT}/runs", f"{RUNS[0]}/timeSeries"][depth] or f"{LOCATION}/tensorboards"


def _given(depth: int) -> Row:
    return dict(zip(_PARENTS[: depth + 2], _IDS, strict=False))


def _fresh(depth: int, marker: str) -> Object:
    item: Object = {"displayName": f"name {marker}", "description": "before"}
    return {**item, "valueType": "SCALAR"} if depth == 3 else item


def _items(depth: int) -> Iterator[Scenario]:
    table, collection = f"aiplatform.{_TABLES[depth]}", _COLLECTIONS[depth]
    is_board = depth == 0
    batch = {2: "runs.batch_create", 3: "experiments.batch_create"}.get(depth)
    yield _scenario(
        table,
        "create",
        lambda lab, count: _create(depth, count),
        "INSERT",
        look=not is_board,
        repeats=not is_board,
        keyed=not is_board,
        waits=is_board,
        batch=batch,
    )
    for note, is_read in (("unread", False), ("read first", True)):
        yield _scenario(
            table,
            "patch",
            lambda lab, count, is_read=is_read: _patch(depth, count, is_read=is_read),
            "UPDATE",
            note=note,
            look=True,
            repeats=is_read,
            waits=is_board,
        )
    yield _scenario(
        table, "delete", lambda lab, count: _delete(depth, count), "DELETE", look=True, repeats=True, waits=True
    )
    assert collection in _path(depth)


_ID_COLUMNS = ("", "tensorboardExperimentId", "tensorboardRunId", "tensorboardTimeSeriesId")


def _create(depth: int, count: int) -> Stage:
    state, markers = _boards(), markers_of(count)
    rows: list[Row] = []
    for number, marker in enumerate(markers):
        row: Row = {**_given(depth), "displayName": f"name {marker}", "description": "made"}
        if depth:
            row[_ID_COLUMNS[depth]] = marker
        if depth == 3:
            row |= {"valueType": "SCALAR", "runsId": f"r{1 + number % 2}"}
        rows.append(row)

    def counts() -> Mapping[str, int]:
        made = [item for path, items in state.collections.items() if path.rpartition("/")[2] == _COLLECTIONS[depth] for item in items.values()]
        names = [item.get("displayName") for item in made if item.get("description") == "made"]
        return {marker: names.count(f"name {marker}") for marker in markers}

    def occupy(marker: str) -> None:
        row = rows[markers.index(marker)]
        parent = _path(depth) if depth < 3 else f"{EXPERIMENT}/runs/{row['runsId']}/timeSeries"
        state.add(f"{parent}/{marker}", {**_fresh(depth, marker), "displayName": "somebody else's"})

    return _stage(state, insert(f"google.aiplatform.{_TABLES[depth]}", rows), markers, counts, occupy)


def _existing(depth: int, count: int) -> tuple[PlatformState, list[str]]:
    state, markers = _boards(), markers_of(count)
    for marker in markers:
        state.add(f"{_path(depth)}/{marker}", _fresh(depth, marker))
    return state, markers


def _patch(depth: int, count: int, *, is_read: bool) -> Stage:
    state, markers = _existing(depth, count)
    where = {"displayName": [f"name {marker}" for marker in markers]} if is_read else {_PARENTS[depth + 2]: markers}
    sql = update(f"google.aiplatform.{_TABLES[depth]}", {"description": "after"}, {**_given(depth), **where})

    def counts() -> Mapping[str, int]:
        return {m: int(state.get(f"{_path(depth)}/{m}").get("description") == "after") for m in markers}

    return _stage(state, sql, markers, counts)


def _delete(depth: int, count: int) -> Stage:
    state, markers = _existing(depth, count)
    sql = delete(f"google.aiplatform.{_TABLES[depth]}", {**_given(depth), _PARENTS[depth + 2]: markers})

    def counts() -> Mapping[str, int]:
        return {marker: int(state.find(f"{_path(depth)}/{marker}") is None) for marker in markers}

    return _stage(state, sql, markers, counts)


# Points, and the calls that take many at once.


def _points() -> Scenario:
    def stage(lab: Lab, count: int) -> Stage:
        state = _boards()
        steps = [100_000 + number for number in range(count)]
        rows: list[Row] = [
            {
                **dict(zip(_PARENTS, _IDS, strict=True)),
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

    return _scenario(
        "aiplatform.time_series_points",
        "write",
        stage,
        "INSERT",
        look=True,
        repeats=True,
        batch="experiments.write",
    )


def _written(state: PlatformState, steps: Sequence[int]) -> Mapping[str, int]:
    held = [points for points in state.points.values()]
    return {str(step): sum(step in points for points in held) for step in steps}


def _point(number: int) -> Object:
    return {"step": str(100_000 + number), "wallTime": WALL_TIME, "scalar": {"value": number + 0.5}}


def _board_calls() -> Iterator[Scenario]:
    data: list[JSON] = [{"tensorboardTimeSeriesId": SERIES, "valueType": "SCALAR", "values": [_point(0)]}]
    writing: list[JSON] = [{"tensorboardRun": RUNS[0], "timeSeriesData": data}]
    experiment, run = dict(zip(_PARENTS[:4], _IDS, strict=False)), dict(zip(_PARENTS[:5], _IDS, strict=False))
    marker = markers_of(1)[0]
    new_run: list[JSON] = [
        {"parent": EXPERIMENT, "tensorboardRunId": marker, "tensorboardRun": {"displayName": marker}}
    ]
    new_series: list[JSON] = [
        {
            "parent": RUNS[0],
            "tensorboardTimeSeriesId": marker,
            "tensorboardTimeSeries": {"displayName": marker, "valueType": "SCALAR"},
        }
    ]
    calls: list[tuple[str, str, Row, str, str]] = [
        ("experiments", "write", experiment, "writeRunDataRequests", json.dumps(writing)),
        ("runs", "write", run, "timeSeriesData", json.dumps(data)),
        ("experiments", "batch_create", experiment, "requests", json.dumps(new_series)),
        ("time_series", "experiments_batch_create", experiment, "requests", json.dumps(new_series)),
        ("runs", "batch_create", experiment, "requests", json.dumps(new_run)),
    ]
    for table, method, ids, name, value in calls:
        is_point = method == "write"
        path = f"{EXPERIMENT}/runs/{marker}" if table == "runs" else f"{RUNS[0]}/timeSeries/{marker}"

        def stage(
            lab: Lab,
            count: int,
            call: tuple[str, Row] = (f"google.aiplatform.{table}.{method}", {**ids, name: value}),
            is_point: bool = is_point,
            path: str = path,
        ) -> Stage:
            state = _boards()
            if is_point:
                return _stage(state, execute(*call), ["100000"], lambda: _written(state, [100_000]))
            return _stage(
                state, execute(*call), [marker], lambda: {marker: int(state.find(path) is not None)}
            )

        yield _scenario(f"aiplatform.{table}", method, stage, "EXEC", repeats=is_point)


# Pipeline jobs.

_PIPELINES = f"{LOCATION}/pipelineJobs"
_PLACE: Row = {"projectsId": "p", "locationsId": "l"}


def _pipelines() -> Iterator[Scenario]:
    table = "aiplatform.pipeline_jobs"
    yield _scenario(
        table, "create", _create_pipelines, "INSERT", look=True, repeats=True, keyed=True
    )
    yield _scenario(
        table,
        "delete",
        _delete_pipelines,
        "DELETE",
        look=True,
        repeats=True,
        waits=True,
        batch="pipeline_jobs.batch_delete",
    )
    names = json.dumps([f"{_PIPELINES}/{markers_of(1)[0]}"])
    for method, given, gone in (
        ("batch_delete", {"names": names}, True),
        ("batch_cancel", {"names": names}, False),
        ("cancel", {"pipelineJobsId": markers_of(1)[0]}, False),
    ):

        def stage(
            lab: Lab, count: int, method: str = method, given: Mapping[str, str] = given, gone: bool = gone
        ) -> Stage:
            state, (marker,) = _with_pipelines(1)

            def counts() -> Mapping[str, int]:
                item = state.find(f"{_PIPELINES}/{marker}")
                ended = item is not None and item.get("state") == "PIPELINE_STATE_CANCELLED"
                return {marker: int(item is None if gone else ended)}

            sql = execute(f"google.{table}.{method}", {**_PLACE, **given})
            return _stage(state, sql, [marker], counts)

        yield _scenario(table, method, stage, "EXEC", waits=method != "cancel")


def _with_pipelines(count: int) -> tuple[PlatformState, list[str]]:
    state, markers = new_platform(), markers_of(count)
    for marker in markers:
        state.add(f"{_PIPELINES}/{marker}", {"displayName": marker, "state": "PIPELINE_STATE_RUNNING"})
    return state, markers


def _create_pipelines(lab: Lab, count: int) -> Stage:
    state, markers = new_platform(), markers_of(count)
    rows: list[Row] = [
        {**_PLACE, "pipelineJobId": marker, "displayName": f"name {marker}"} for marker in markers
    ]

    def counts() -> Mapping[str, int]:
        names = [item.get("displayName") for item in state.items(_PIPELINES)]
        return {marker: names.count(f"name {marker}") for marker in markers}

    def occupy(marker: str) -> None:
        state.add(f"{_PIPELINES}/{marker}", {"displayName": "somebody else's"})

    return _stage(state, insert("google.aiplatform.pipeline_jobs", rows), markers, counts, occupy)


def _delete_pipelines(lab: Lab, count: int) -> Stage:
    state, markers = _with_pipelines(count)
    sql = delete("google.aiplatform.pipeline_jobs", {**_PLACE, "pipelineJobsId": markers})
    return _stage(
        state, sql, markers, lambda: {m: int(state.find(f"{_PIPELINES}/{m}") is None) for m in markers}
    )


# ml v1.


def _ml() -> Iterator[Scenario]:
    yield _scenario("ml.jobs", "create", _create_ml, "INSERT", look=True, repeats=True, keyed=True)
    for note, is_read in (("unread", False), ("read first", True)):
        yield _scenario(
            "ml.jobs",
            "patch",
            lambda lab, count, is_read=is_read: _patch_ml(count, is_read=is_read),
            "UPDATE",
            note=note,
            look=True,
            repeats=is_read,
        )
    policy = json.dumps({"bindings": [{"role": "roles/viewer", "members": ["user:ann@example.com"]}]})
    for method, given in (("cancel", {}), ("set_iam_policy", {"policy": policy})):

        def stage(lab: Lab, count: int, method: str = method, given: Mapping[str, str] = given) -> Stage:
            state, (marker,) = _ml_jobs(1)

            def counts() -> Mapping[str, int]:
                if method == "cancel":
                    return {marker: int(state.get(f"projects/p/jobs/{marker}").get("state") == "CANCELLED")}
                return {marker: int(f"projects/p/jobs/{marker}" in state.policies)}

            sql = execute(f"google.ml.jobs.{method}", {"projectsId": "p", "jobsId": marker, **given})
            return Stage(ml_app(state, token="secret"), sql, [marker], counts, state)

        yield _scenario("ml.jobs", method, stage, "EXEC")


def _ml_jobs(count: int) -> tuple[MlState, list[str]]:
    state, markers = MlState(), markers_of(count)
    for marker in markers:
        state.add(f"projects/p/jobs/{marker}", {"labels": {"team": "before"}, "state": "RUNNING"})
    return state, markers


def _create_ml(lab: Lab, count: int) -> Stage:
    state, markers = MlState(), markers_of(count)
    rows: list[Row] = [
        {"projectsId": "p", "jobId": marker, "labels": json.dumps({"team": "made"})} for marker in markers
    ]

    def counts() -> Mapping[str, int]:
        found = {marker: state.find(f"projects/p/jobs/{marker}") for marker in markers}
        return {m: int(item is not None and item.get("labels") == {"team": "made"}) for m, item in found.items()}

    def occupy(marker: str) -> None:
        state.add(f"projects/p/jobs/{marker}", {"labels": {"team": "somebody-else"}})

    return Stage(ml_app(state, token="secret"), insert("google.ml.jobs", rows), markers, counts, state, occupy)


def _patch_ml(count: int, *, is_read: bool) -> Stage:
    state, markers = _ml_jobs(count)
    where: dict[str, object] = {"projectsId": "p"}
    where |= {"state": "RUNNING"} if is_read else {"jobsId": markers}
    sql = update("google.ml.jobs", {"labels": json.dumps({"team": "after"})}, where)

    def counts() -> Mapping[str, int]:
        labels = {m: cast(Object, state.get(f"projects/p/jobs/{m}")["labels"]) for m in markers}
        return {marker: int(value == {"team": "after"}) for marker, value in labels.items()}

    return Stage(ml_app(state, token="secret"), sql, markers, counts, state)
