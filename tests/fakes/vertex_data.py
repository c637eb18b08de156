"""What the Vertex stand-in is filled with, always the same, and the true rows for an oracle."""

from __future__ import annotations

from base64 import b64encode

from tests.fakes.proto_json import Object, timestamp_text
from tests.fakes.vertex_messages import COLLECTIONS
from tests.fakes.vertex_state import START, VertexState, parameters_of

LOCATION = "projects/p/locations/l"

ODD_NAMES = (
    "it's",
    'say "hi"',
    "naïve café ☕ 漢字",
    "",
    "100% _like_ \\ back\\slash",
    "a; DROP TABLE runs -- comment",
    " blanks around ",
    "NULL",
    "0",
    "12",
    "Case",
    "case",
    "two\nlines\tand a tab",
    "{'not': \"json\"}",
)


def vertex_small() -> VertexState:
    """Project p, location l: TensorBoards t and t2, six experiments, 37 runs, series with points.

    - `e1` of t has twelve runs with labels, `e2` six with the same ids, `e-odd` one for each of ODD_NAMES,
      `e-empty` none; t2 has an `e1` and an `e3` of its own, so that ids repeat below other parents.
    - `description` is absent, empty and set in turn; `labels` are absent for every third run.
    - `r01` to `r03` of t's `e1` have time series `loss` and `accuracy`; `r01` also `weights` (tensors),
      `samples` (blobs) and `no-points`.
    """
    state = VertexState()
    add_boards(state)
    return state


def add_boards(state: VertexState) -> None:
    """What `vertex_small` is made of."""
    t, t2 = f"{LOCATION}/tensorboards/t", f"{LOCATION}/tensorboards/t2"
    state.add(
        t,
        {
            "displayName": "main",
            "description": "the one in use",
            "labels": {"team": "vision"},
            "isDefault": True,
        },
    )
    state.add(t2, {"displayName": "old 'board'"})
    _add_experiment(
        state, f"{t}/experiments/e1", "baseline", runs=[f"seed {number}" for number in range(1, 13)]
    )
    _add_experiment(state, f"{t}/experiments/e2", "bert", runs=[f"seed {number}" for number in range(1, 7)])
    state.add(f"{t}/experiments/e-odd", {"description": "", "source": 'a "custom" job'})
    for index, name in enumerate(ODD_NAMES, 1):
        _add_run(state, f"{t}/experiments/e-odd/runs/odd-{index:02d}", name, index)
    state.add(f"{t}/experiments/e-empty", {"displayName": "nothing yet"})
    _add_experiment(state, f"{t2}/experiments/e1", "baseline", runs=["seed 1", "seed 2", "other"])
    _add_experiment(state, f"{t2}/experiments/e3", "ünïcode", runs=["one", "two"])
    for number in (1, 2, 3):
        _add_curves(state, f"{t}/experiments/e1/runs/r{number:02d}", number)
    _add_odd_series(state, f"{t}/experiments/e1/runs/r01")


def _add_experiment(state: VertexState, name: str, display_name: str, *, runs: list[str]) -> None:
    state.add(
        name, {"displayName": display_name, "labels": {"kind": "train", "empty": ""}, "source": "custom job"}
    )
    for index, run in enumerate(runs, 1):
        _add_run(state, f"{name}/runs/r{index:02d}", run, index)


def _add_run(state: VertexState, name: str, display_name: str, index: int) -> None:
    run: Object = {"displayName": display_name} if display_name else {}
    if index % 3 != 0:
        run["description"] = "" if index % 3 == 1 else f"the {index}th, “quoted”"
    if index % 3 != 1:
        run["labels"] = {"team": "vision" if index % 2 else "text", "lr": f"0-{index}", "größe": str(index)}
    if index % 5 == 0:
        run["createTime"] = run["updateTime"] = "2025-12-31T23:59:59Z"
    state.add(name, run)


def _add_curves(state: VertexState, run: str, number: int) -> None:
    for series, start in (("loss", 2.0), ("accuracy", 0.0)):
        name = f"{run}/timeSeries/{series}"
        state.add(name, {"displayName": series, "valueType": "SCALAR", "pluginName": "scalars"})
        state.points[name] = {
            step: _point(step, {"scalar": _scalar(round(start + (0.5 - start) * step / (10 + number), 6))})
            for step in range(10 * number)
        }


def _add_odd_series(state: VertexState, run: str) -> None:
    tensors, blobs, empty = (f"{run}/timeSeries/{id_}" for id_ in ("weights", "samples", "no-points"))
    state.add(
        tensors,
        {
            "displayName": "weights/kernel:0",
            "valueType": "TENSOR",
            "pluginData": b64encode(b"\0\xff{}").decode(),
        },
    )
    state.points[tensors] = {
        step: _point(
            step, {"tensor": {"value": b64encode(f"tensor {step}".encode()).decode(), "versionNumber": 1}}
        )
        for step in (1, 2, 12_345_678_901)
    }
    state.add(blobs, {"displayName": "samples", "valueType": "BLOB_SEQUENCE", "description": "images"})
    state.points[blobs] = {
        step: _point(step, {"blobs": {"values": [_blob(step, 0), _blob(step, 1)]}}) for step in (0, 5)
    }
    state.add(empty, {"displayName": "empty", "valueType": "SCALAR"})
    state.points[f"{run}/timeSeries/loss"][10] = _point(10, {"scalar": {"value": "NaN"}})


def _point(step: int, value: Object) -> Object:
    """As the service prints it: step 0 and value 0 are left out, as every default of proto3."""
    point: Object = {"wallTime": timestamp_text(START + step * 1_000_000_007)}
    return {**point, **({"step": str(step)} if step else {}), **value}


def _scalar(value: float) -> Object:
    return {"value": value} if value else {}


def _blob(step: int, position: int) -> Object:
    return {"id": f"blob-{step}-{position}", "data": b64encode(f"png {step} {position}".encode()).decode()}


def vertex_large(runs: int = 2500) -> VertexState:
    """TensorBoard t with one experiment e1 of so many runs, `run-00000` and on."""
    state = VertexState()
    state.add(f"{LOCATION}/tensorboards/t", {"displayName": "main"})
    state.add(f"{LOCATION}/tensorboards/t/experiments/e1", {"displayName": "sweep"})
    for index in range(runs):
        run: Object = {"displayName": f"run {index}", "labels": {"shard": str(index % 7)}}
        if index % 3:
            run["description"] = f"number {index % 11}"
        state.add(f"{LOCATION}/tensorboards/t/experiments/e1/runs/run-{index:05d}", run)
    return state


def rows(state: VertexState, resource: str) -> list[Object]:
    """The true rows of a resource: each item as on the wire, with the id of every parent and its own."""
    collection = "timeSeries" if resource == "time_series" else resource
    if collection not in COLLECTIONS:
        raise KeyError(f"no resource {resource!r}: tensorboards, experiments, runs or time_series")
    found: list[Object] = []
    with state.lock:
        for path, items in state.collections.items():
            if path.rpartition("/")[2] == collection:
                found.extend(
                    {**parameters_of(f"{path}/{id_}"), **state.view(f"{path}/{id_}")} for id_ in items
                )
    return found
