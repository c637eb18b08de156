"""The stacks of examples/: applied, planned again, destroyed and brought back; two applies at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.deploy.killing import MLFLOW_EXPECTED, mlflow_objects, mlflow_stack
from tests.deploy.stack import BOARD, Stack, VertexStack, sweep, vertex_stack
from tests.mlflow import Rest, Seed, text_at

_EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def vertex(tmp_path: Path) -> Iterator[VertexStack]:
    with vertex_stack(tmp_path) as made:
        yield made


@pytest.fixture
def mlflow(tmp_path: Path, mlflow_server: Seed) -> Stack:
    config = {"connections": {"mlflow": {"base_url": mlflow_server.base_url}}}
    return Stack(tmp_path, config, {"SQLPROVIDER_STATE_DIR": str(tmp_path)})


def test_the_vertex_stack_is_made_kept_and_destroyed(vertex: VertexStack) -> None:
    given = (str(_EXAMPLES / "vertex_stack.yaml"), "--var", "project=acme", "--var", "tensorboard=7")
    assert vertex.plan(*given).code == 3
    made = vertex.apply(*given)
    assert (made.code, made.json["summary"]["create"]) == (0, 10)
    assert [run["runsId"] for run in made.json["outputs"]["runs"]] == ["lr-high", "lr-low", "lr-mid"]
    assert vertex.plan(*given).code == 0
    assert vertex.destroy(*given).code == 0
    assert not list(vertex.state.items(f"{BOARD}/experiments"))


def test_two_applies_at_once_make_everything_once(vertex: VertexStack) -> None:
    file = vertex.write(sweep(30, points=True))
    with ThreadPoolExecutor(2) as pool:
        ran = list(pool.map(lambda _: vertex.apply(file), range(2)))
    assert {one.code for one in ran} <= {0, 1}
    assert all("already exists" in one.err for one in ran if one.code == 1)
    assert vertex.apply(file).code == 0
    assert vertex.plan(file).code == 0
    assert len(list(vertex.state.items(f"{BOARD}/experiments/sweep/runs"))) == 30


@pytest.mark.slow
def test_the_mlflow_stack_is_made_kept_destroyed_and_restored(mlflow: Stack) -> None:
    given = (str(_EXAMPLES / "mlflow_stack.yaml"),)
    made = mlflow.apply(*given)
    assert (made.code, made.json["summary"]["create"]) == (0, 10)
    assert [run["run_name"] for run in made.json["outputs"]["runs"]] == ["lr-high", "lr-low", "lr-mid"]
    assert mlflow.plan(*given).code == 0
    assert mlflow.destroy(*given).code == 0
    again = mlflow.apply(*given)
    assert (again.code, again.json["summary"]["restore"], again.json["summary"]["create"]) == (0, 4, 0)
    assert mlflow.plan(*given).code == 0
    runs = {run["run_id"] for run in made.json["outputs"]["runs"]}
    assert {run["run_id"] for run in again.json["outputs"]["runs"]} == runs
    assert mlflow.destroy(*given).code == 0


@pytest.mark.slow
def test_what_an_insert_does_not_take_is_set_after_it(mlflow: Stack, mlflow_server: Seed) -> None:
    file = mlflow.write(mlflow_stack(20))
    assert mlflow.apply(file, "--var", "experiment=later").code == 0
    assert mlflow_objects(mlflow_server.base_url, "later") == MLFLOW_EXPECTED
    assert mlflow.plan(file, "--var", "experiment=later").code == 0


@pytest.mark.slow
def test_a_tag_of_others_stays_and_an_edit_meanwhile_is_a_conflict(
    mlflow: Stack, mlflow_server: Seed
) -> None:
    text = (
        "- name: mlflow.tracking.experiments\n  id: e\n  props:\n"
        "  - {name: name, value: edited}\n  - {name: tags, value: {team: %s}}\n"
    )
    assert mlflow.apply(mlflow.write(text % "a")).code == 0
    with Rest(mlflow_server.base_url) as rest:
        id_ = text_at(
            rest.get("experiments/get-by-name", experiment_name="edited"), "experiment", "experiment_id"
        )

        def tag(key: str, value: str) -> None:
            rest.post("experiments/set-experiment-tag", experiment_id=id_, key=key, value=value)

        tag("other", "x")
        mlflow.answer, mlflow.meanwhile = "yes", lambda: tag("team", "theirs")
        conflict = mlflow.run("apply", mlflow.write(text % "b"))
        assert conflict.code == 1
        assert "changed by someone else" in conflict.err
        mlflow.answer = ""
        assert mlflow.apply(mlflow.write(text % "b")).code == 0
        found = rest.get("experiments/get", experiment_id=id_)["experiment"]
    assert isinstance(found, dict)
    assert {"key": "other", "value": "x"} in found["tags"]  # type: ignore[operator]  # a list, as the API says
    assert {"key": "team", "value": "b"} in found["tags"]  # type: ignore[operator]  # as above


@pytest.mark.slow
def test_runs_of_one_name_that_two_make_at_once_are_told(mlflow: Stack, mlflow_server: Seed) -> None:
    text = (
        "- name: mlflow.tracking.experiments\n  id: e\n  props: [{name: name, value: raced}]\n"
        "- name: mlflow.tracking.runs\n  id: r\n  props:\n"
        "  - {name: experiment_id, value: '{{ e.experiment_id }}'}\n  - {name: run_name, value: one}\n"
    )
    only = text.partition("- name: mlflow.tracking.runs")[0]
    made = mlflow.apply(mlflow.write(only))
    assert made.code == 0
    with Rest(mlflow_server.base_url) as rest:
        id_ = text_at(
            rest.get("experiments/get-by-name", experiment_name="raced"), "experiment", "experiment_id"
        )
        mlflow.answer = "yes"
        mlflow.meanwhile = lambda: rest.post("runs/create", experiment_id=id_, run_name="one")
        raced = mlflow.run("apply", mlflow.write(text))
    assert raced.code == 1
    assert "someone else made one of the same name meanwhile" in raced.err
    assert "2 live objects" in mlflow.plan(mlflow.write(text)).err
