"""The writes of MLflow's tracking, by itself and as Oracle serves it: a real server behind the faults."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

from sqlprovider.values import JSON
from tests.fakes.loopback import WSGIApp
from tests.fakes.oci import oci_app
from tests.fakes.oci_api import code_of
from tests.fakes.oci_data import PLATFORM, WORKSPACE, add_platform, add_workspace
from tests.fakes.oci_mlflow import Forward
from tests.fakes.oci_state import OciState
from tests.fakes.wsgi import give, read_request
from tests.faults.model import Counts, Lab, Platform, Scenario, Stage, markers_of
from tests.faults.statements import condition, execute, insert
from tests.faults.tracking_state import Runs, experiments_of, new_experiment, new_runs
from tests.mlflow import Object

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_WORDS = {
    400: "INVALID_PARAMETER_VALUE",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    409: "RESOURCE_CONFLICT",
    412: "INVALID_STATE",
    429: "REQUEST_LIMIT_EXCEEDED",
    500: "INTERNAL_ERROR",
    503: "TEMPORARILY_UNAVAILABLE",
}


Planned = tuple[str, Sequence[str], Counts]
"""The statement, its rows' markers, and what counts them."""


def _forwarding(forward: Forward) -> WSGIApp:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return give(forward(read_request(environ)), start_response)

    return cast(WSGIApp, app)


def _oracle(forward: Forward) -> WSGIApp:
    state = OciState()
    add_platform(state)
    add_workspace(state, WORKSPACE, name="vision")
    return cast(WSGIApp, oci_app(state, mlflow=forward))


@dataclass(frozen=True, slots=True)
class Served:
    """MLflow as one platform serves it."""

    platform: Platform
    service: str
    app: Callable[[Forward], WSGIApp]
    has_token: bool
    """Every write carries a token by which the server knows it again."""

    def table(self, name: str) -> str:
        return f"{self.platform.provider}.{self.service}.{name}"

    def scenario(
        self,
        table: str,
        method: str,
        stage: Callable[[Lab, int], Planned],
        verb: str,
        *,
        note: str = "",
        look: bool = False,
        repeats: bool = False,
        keyed: bool = False,
        batch: str | None = None,
    ) -> Scenario:
        def staged(lab: Lab, count: int) -> Stage:
            sql, markers, counts = stage(lab, count)

            def occupy(marker: str) -> None:
                lab.rest.post("experiments/create", name=marker)

            return Stage(self.app(lab.forward), sql, markers, counts, occupy=occupy if keyed else None)

        return Scenario(
            self.platform,
            self.table(table),
            method,
            staged,
            verb,
            note=note,
            look=look,
            repeats=repeats or self.has_token,
            keyed=keyed,
            batch=batch,
        )


MLFLOW = Served(
    Platform(
        "mlflow", {}, {}, lambda status, message: {"error_code": _WORDS[status], "message": message}, 2.0
    ),
    "tracking",
    _forwarding,
    has_token=False,
)
OCI = Served(
    Platform(
        "oci",
        {"auth": {"type": "none"}, "defaults": {"aiDataPlatformId": PLATFORM, "workspaceKey": WORKSPACE}},
        {},
        lambda status, message: {"code": code_of(status), "message": message},
        2.0,
    ),
    "aidataplatform",
    _oracle,
    has_token=True,
)


def scenarios(served: Served) -> Iterator[Scenario]:
    """Every one of a platform's."""
    yield from _experiments(served)
    yield from _runs(served)
    yield from _values(served)
    yield from _experiment_calls(served)
    yield from _run_calls(served)


# Experiments.


def _experiments(served: Served) -> Iterator[Scenario]:
    table = served.table("experiments")

    def create(lab: Lab, count: int) -> Planned:
        prefix = f"c{lab.number()}m"
        markers = markers_of(count, prefix)
        sql = insert(table, [{"name": marker, "tags": '{"team":"made"}'} for marker in markers])

        def counts() -> Mapping[str, int]:
            made = Counter(
                str(e["name"]) for e in experiments_of(lab.rest, prefix) if "made" in json.dumps(e)
            )
            return {marker: made[marker] for marker in markers}

        return sql, markers, counts

    yield served.scenario("experiments", "create", create, "INSERT", keyed=True)
    for method, note, sql, done in _OF_EXPERIMENTS:
        yield served.scenario(
            "experiments",
            method,
            partial(_on_experiments, sql.format(table=table), done),
            "DELETE" if method == "delete" else "UPDATE",
            note=note,
            look=True,
            repeats=True,
        )


def _on_experiments(sql: str, done: Callable[[Object], bool], lab: Lab, count: int) -> Planned:
    prefix = f"c{lab.number()}m"
    ids = [new_experiment(lab.rest, name) for name in markers_of(count, prefix)]

    def counts() -> Mapping[str, int]:
        found = {str(e["experiment_id"]): e for e in experiments_of(lab.rest, prefix)}
        return {id_: int(done(found[id_])) for id_ in ids}

    return f"{sql} WHERE {condition({'experiment_id': ids})}", ids, counts


_OF_EXPERIMENTS: Sequence[tuple[str, str, str, Callable[[Object], bool]]] = (
    ("update", "", "UPDATE {table} SET name = name || '-new'", lambda e: str(e["name"]).endswith("-new")),
    (
        "set_tag",
        "tags",
        "UPDATE {table} SET tags = json_set(tags, '$.team', 'after')",
        lambda e: "after" in json.dumps(e),
    ),
    ("delete", "", "DELETE FROM {table}", lambda e: e["lifecycle_stage"] == "deleted"),
)
"""Method, note, the statement without its WHERE, whether an experiment shows it."""


def _experiment_calls(served: Served) -> Iterator[Scenario]:
    calls: list[tuple[str, dict[str, str], Callable[[Object], bool], bool]] = [
        ("restore", {}, lambda e: e["lifecycle_stage"] == "active", False),
        ("set_tag", {"key": "team", "value": "after"}, lambda e: "after" in json.dumps(e), True),
        ("delete_tag", {"key": "team"}, lambda e: "before" not in json.dumps(e), False),
    ]
    if served.has_token:
        calls.append(
            ("update_tags", {"set_tags": '{"team":"after"}'}, lambda e: "after" in json.dumps(e), True)
        )
    for method, given, done, repeats in calls:

        def stage(
            lab: Lab,
            count: int,
            method: str = method,
            given: Mapping[str, str] = given,
            done: Callable[[Object], bool] = done,
        ) -> Planned:
            prefix = f"c{lab.number()}m"
            id_ = new_experiment(lab.rest, prefix)
            if method == "restore":
                lab.rest.post("experiments/delete", experiment_id=id_)
            sql = execute(f"{served.table('experiments')}.{method}", {"experiment_id": id_, **given})
            return sql, [id_], lambda: {id_: int(done(experiments_of(lab.rest, prefix)[0]))}

        yield served.scenario("experiments", method, stage, "EXEC", note="call", repeats=repeats)


# Runs.


def _runs(served: Served) -> Iterator[Scenario]:
    table = served.table("runs")

    def create(lab: Lab, count: int) -> Planned:
        number = lab.number()
        experiment = new_experiment(lab.rest, f"c{number}")
        markers = markers_of(count, f"c{number}m")
        sql = insert(table, [{"experiment_id": experiment, "run_name": marker} for marker in markers])

        def counts() -> Mapping[str, int]:
            names = Counter(run.name for run in Runs(lab.rest, experiment))
            return {marker: names[marker] for marker in markers}

        return sql, markers, counts

    yield served.scenario("runs", "create", create, "INSERT")
    setting: list[tuple[str, str, str, str]] = [
        ("update", "", "UPDATE {table} SET status = 'FINISHED'", "FINISHED"),
        ("set_tag", "tags", "UPDATE {table} SET tags = json_set(tags, '$.team', 'after')", "after"),
        ("delete_tag", "tags", "UPDATE {table} SET tags = json_remove(tags, '$.team')", "-before"),
        ("delete", "", "DELETE FROM {table}", "deleted"),
    ]
    for method, note, sql, sign in setting:

        def stage(lab: Lab, count: int, sql: str = sql, sign: str = sign) -> Planned:
            experiment = new_experiment(lab.rest, f"c{lab.number()}")
            ids = new_runs(lab.rest, experiment, count)
            text = f"{sql.format(table=table)} WHERE experiment_id = '{experiment}'"
            return text, ids, lambda: {run.id: int(run.shows(sign)) for run in Runs(lab.rest, experiment)}

        yield served.scenario(
            "runs",
            method,
            stage,
            "DELETE" if method == "delete" else "UPDATE",
            note=note,
            look=True,
            # The second time there is no such tag, which is refused.
            repeats=method != "delete_tag",
        )


def _run_calls(served: Served) -> Iterator[Scenario]:
    for method, given, place, repeats in _CALLS:
        if method == ("log_outputs" if served.has_token else "update_tags"):
            continue

        def stage(
            lab: Lab,
            count: int,
            method: str = method,
            given: Mapping[str, object] = given,
            place: str = place,
        ) -> Planned:
            experiment = new_experiment(lab.rest, f"c{lab.number()}")
            (id_,) = new_runs(lab.rest, experiment, 1)
            if method == "restore":
                lab.rest.post("runs/delete", run_id=id_)
            model = cast(Object, lab.rest.post("logged-models", experiment_id=experiment, name="m")["model"])
            model_id = str(cast(Object, model["info"])["model_id"])
            arguments = {
                _named(served, name): (value if isinstance(value, str) else json.dumps(value)).replace(
                    "{model}", model_id
                )
                for name, value in given.items()
            }
            sql = execute(f"{served.table('runs')}.{method}", {"run_id": id_, **arguments})
            return sql, [id_], lambda: {id_: next(iter(Runs(lab.rest, experiment))).times(place)}

        yield served.scenario("runs", method, stage, "EXEC", note="call", repeats=repeats)


def _named(served: Served, name: str) -> str:
    return "dataset_inputs" if name == "datasets" and served.has_token else name


_POINT = {"key": "loss", "value": 0.5, "timestamp": 1_767_323_045_678, "step": 3}
_DATASET = {
    "tags": [{"key": "mlflow.data.context", "value": "train"}],
    "dataset": {"name": "data", "digest": "x", "source_type": "local", "source": "{}"},
}
_CALLS: Sequence[tuple[str, Mapping[str, object], str, bool]] = (
    ("restore", {}, "active", True),
    ("log_batch", {"metrics": [_POINT], "params": {"lr": "1"}}, "metric loss", True),
    (
        "log_metric",
        {"key": "loss", "value": "0.5", "timestamp": "1767323045678", "step": "3"},
        "metric loss",
        True,
    ),
    ("log_parameter", {"key": "lr", "value": "1"}, "param lr", True),
    ("log_inputs", {"datasets": [_DATASET]}, "inputs", True),
    ("log_outputs", {"models": [{"model_id": "{model}", "step": 1}]}, "outputs", False),
    ("set_tag", {"key": "team", "value": "after"}, "after", True),
    ("delete_tag", {"key": "team"}, "-before", False),
    ("update_tags", {"set_tags": {"team": "after"}}, "after", True),
)
"""Method, arguments, where its effect is to be seen, whether twice is once."""


# What a run logged: metrics, params, tags.


def _values(served: Served) -> Iterator[Scenario]:
    for table, kind in (("metrics", "metric"), ("params", "param"), ("tags", "tag")):

        def write(lab: Lab, count: int, table: str = table, kind: str = kind) -> Planned:
            experiment = new_experiment(lab.rest, f"c{lab.number()}")
            (run,) = new_runs(lab.rest, experiment, 1)
            markers = markers_of(count)
            more = {"timestamp": 1_767_323_045_678, "step": 3} if table == "metrics" else {}
            sql = insert(
                served.table(table),
                [
                    {"run_id": run, "key": marker, "value": number, **more}
                    for number, marker in enumerate(markers)
                ],
            )

            def counts() -> Mapping[str, int]:
                (found,) = Runs(lab.rest, experiment)
                return {marker: found.times(f"{kind} {marker}") for marker in markers}

            return sql, markers, counts

        yield served.scenario(
            table, "log_batch", write, "INSERT", look=True, repeats=True, batch=f"{table}.log_batch"
        )
    for method, sql, sign in (
        ("set_tag", "UPDATE {table} SET value = 'after'", "after"),
        ("delete_tag", "DELETE FROM {table}", ""),
    ):

        def change(lab: Lab, count: int, sql: str = sql, sign: str = sign) -> Planned:
            experiment, markers = new_experiment(lab.rest, f"c{lab.number()}"), markers_of(count)
            (run,) = new_runs(lab.rest, experiment, 1)
            tags: list[JSON] = [{"key": marker, "value": "before"} for marker in markers]
            lab.rest.post("runs/log-batch", run_id=run, tags=tags)
            text = f"{sql.format(table=served.table('tags'))} WHERE run_id = '{run}' AND key LIKE 'm0%'"

            def counts() -> Mapping[str, int]:
                (found,) = Runs(lab.rest, experiment)
                return {marker: int(found.tags.get(marker, "") == sign) for marker in markers}

            return text, markers, counts

        yield served.scenario(
            "tags",
            method,
            change,
            "UPDATE" if sign else "DELETE",
            look=True,
            repeats=True,
        )
