"""Files that are meant to harm: each ends as a problem."""

from __future__ import annotations

import pytest

from tests.deploy.manifests import Files


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * 200_000, id="nested lists"),
        pytest.param("- " * 200_000, id="nested blocks"),
        pytest.param("{a: " * 200_000, id="nested maps"),
        pytest.param(
            "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
            + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)),
            id="a bomb of aliases",
        ),
        pytest.param(
            "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 5000)),
            id="aliases that nest",
        ),
        pytest.param("x: " + "a" * 11_000_000, id="a huge file"),
        pytest.param(
            "- {name: mlflow.tracking.runs, props: {run_name: " + "{{" * 100_000 + "}}", id="braces"
        ),
    ],
)
def test_a_hostile_file_ends_as_a_problem(files: Files, text: str) -> None:
    assert files.problems(lambda: files.read(text))
