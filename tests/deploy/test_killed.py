"""An apply that is killed with -9 at a request: the next one converges, and nothing is there twice.

At which requests, is drawn by a seed; `python -m tests.deploy.killing` kills at every one.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.deploy.killing import (
    MLFLOW_EXPECTED,
    apply_and_kill,
    mlflow_objects,
    mlflow_stack,
    mlflow_to_kill,
    vertex_objects,
    vertex_to_kill,
)
from tests.deploy.stack import sweep
from tests.mlflow import Seed

pytestmark = pytest.mark.slow
_SEED = int(os.environ.get("SQLPROVIDER_SEED", "0"))
_VERTEX_REQUESTS, _MLFLOW_REQUESTS = 5, 80


def _drawn(count: int, requests: int) -> list[tuple[int, bool]]:
    source = random.Random(_SEED)
    return [(source.randint(1, requests), source.random() < 0.5) for _ in range(count)]


@pytest.mark.parametrize(("at", "acts"), _drawn(3, _VERTEX_REQUESTS))
def test_vertex_converges_after_a_kill(tmp_path: Path, at: int, acts: bool) -> None:
    with vertex_to_kill(tmp_path) as (stack, killer, state):
        file = stack.write(sweep(20, points=True))
        after = apply_and_kill(stack, killer, file, at=at, acts=acts)
        killed = vertex_objects(state)
    with vertex_to_kill(tmp_path) as (stack, _, state):
        assert stack.apply(file).code == 0
        assert killed == vertex_objects(state)
    assert after.was_killed
    assert after.next_code == 0
    assert after.third_summary["nothing"] == 61
    # The first request reads what is there; every other one writes.
    assert bool(after.in_the_air) is (at > 1)


@pytest.mark.parametrize(("at", "acts"), _drawn(2, _MLFLOW_REQUESTS))
def test_mlflow_converges_after_a_kill(tmp_path: Path, mlflow_server: Seed, at: int, acts: bool) -> None:
    experiment = f"killed-{at}-{acts}"
    with mlflow_to_kill(tmp_path, mlflow_server.base_url) as (stack, killer):
        file = stack.write(mlflow_stack(20))
        after = apply_and_kill(stack, killer, file, "--var", f"experiment={experiment}", at=at, acts=acts)
    assert after.was_killed
    assert after.next_code == 0
    assert after.third_summary["nothing"] == 61
    assert mlflow_objects(mlflow_server.base_url, experiment) == MLFLOW_EXPECTED
