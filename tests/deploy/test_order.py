"""What must be done before what: references, parents, and an order that keeps to it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sqlprovider.surfaces.deploy.manifest import read_manifest
from tests.deploy.manifests import Files, open_lab

ROOT = "projectsId: acme, locationsId: us-central1"
TENSORBOARD = f"{ROOT}, tensorboardsId: 7"


def labels(files: Files, text: str) -> list[str]:
    return [entry.label for entry in files.read(text).entries]


def test_entries_without_dependencies_stay_in_file_order(files: Files) -> None:
    text = "".join(
        f"- {{name: mlflow.tracking.experiments, id: {id_}, props: {{name: {id_}}}}}\n" for id_ in "dbca"
    )
    manifest = files.read(text)
    assert [entry.id for entry in manifest.entries] == list("dbca")
    assert manifest.dependencies == dict.fromkeys("dbca", ())


def test_what_is_referred_to_comes_first_and_the_rest_stays(files: Files) -> None:
    text = """
- {name: mlflow.tracking.runs, id: run, props: {run_name: a, tags: {of: "<{{ late.name }}>"}}}
- {name: mlflow.tracking.experiments, id: early, props: {name: early}}
- {name: mlflow.tracking.experiments, id: late, props: {name: late}, when: "SELECT '{{ last.name }}'"}
- {name: mlflow.tracking.experiments, id: last, props: {name: last}}
"""
    assert labels(files, text) == ["early", "last", "late", "run"]
    assert files.read(text).dependencies["run"] == ("late",)
    assert files.read(text).dependencies["late"] == ("last",)


def test_a_child_comes_after_its_parents_by_their_keys(files: Files) -> None:
    manifest = files.read(
        f"""
- name: google.aiplatform.time_series
  id: loss
  props: {{{TENSORBOARD}, experimentsId: e, runsId: r, displayName: loss}}
- name: google.aiplatform.runs
  id: run
  props: {{{TENSORBOARD}, experimentsId: e, tensorboardRunId: r, displayName: r}}
- name: google.aiplatform.runs
  id: other
  props: {{{TENSORBOARD}, experimentsId: f, tensorboardRunId: r, displayName: r}}
- name: google.aiplatform.experiments
  id: exp
  props: {{{TENSORBOARD}, tensorboardExperimentId: e}}
- exec: google.aiplatform.runs.write
  id: points
  props: {{{TENSORBOARD}, experimentsId: e, runsId: r, timeSeriesData: []}}
"""
    )
    assert manifest.dependencies == {
        "loss": ("run", "exp"),
        "run": ("exp",),
        "other": (),
        "exp": (),
        "points": ("run", "exp"),
    }
    assert [entry.label for entry in manifest.entries] == ["other", "exp", "run", "loss", "points"]


def test_a_child_whose_key_begins_with_the_parents_comes_after_it(files: Files) -> None:
    manifest = files.read(
        """
- {name: mlflow.registry.model_versions, id: v, props: {name: m, source: s}}
- {name: mlflow.registry.aliases, id: a, props: {name: m, alias: x, version: "{{ v.version }}"}}
- {name: mlflow.registry.registered_models, id: m, props: {name: m}}
"""
    )
    assert manifest.dependencies == {"v": ("m",), "a": ("v", "m"), "m": ()}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            '- {name: mlflow.tracking.runs, id: a, props: {run_name: "{{ a.run_id }}"}}',
            "1.yaml:1: a cycle, each needs the next: a (1.yaml:1) → a (1.yaml:1)",
            id="itself",
        ),
        pytest.param(
            "\n".join(
                f'- {{name: mlflow.tracking.runs, id: {a}, props: {{run_name: "{{{{ {b}.run_id }}}}"}}}}'
                for a, b in (("x", "a"), ("a", "b"), ("b", "c"), ("c", "a"))
            ),
            "a cycle, each needs the next: a (1.yaml:2) → b (1.yaml:3) → c (1.yaml:4) → a (1.yaml:2)",
            id="three",
        ),
    ],
)
def test_a_cycle_is_a_problem_that_shows_it(files: Files, text: str, problem: str) -> None:
    (found,) = files.problems(lambda: files.read(text))
    assert problem in found


def test_one_object_cannot_be_asked_for_twice(files: Files) -> None:
    text = """
- {name: mlflow.tracking.experiments, id: a, props: {name: same}}
- {name: mlflow.tracking.experiments, id: b, props: {name: same}}
"""
    (found,) = files.problems(lambda: files.read(text))
    assert found == "1.yaml:3: b is the same object as a (1.yaml:2): equal in name"
    manifest = files.read(text.replace("id: b", "id: b, when: SELECT 0"))
    assert len(manifest.entries) == 2


graphs = st.integers(1, 12).flatmap(
    lambda size: st.lists(
        st.lists(st.integers(0, size - 1), max_size=3, unique=True), min_size=size, max_size=size
    )
)


@settings(deadline=None, max_examples=60)
@given(graphs)
def test_every_entry_comes_after_what_it_needs(
    tmp_path_factory: pytest.TempPathFactory, graph: list[list[int]]
) -> None:
    """Edges go to smaller numbers, so there is no cycle; in the file the entries stand backwards."""
    edges = {number: [to for to in targets if to < number] for number, targets in enumerate(graph)}
    text = ""
    for number in reversed(edges):
        needs = " ".join(f"{{{{ n{to}.name }}}}" for to in edges[number])
        text += (
            f"- {{name: mlflow.tracking.experiments, id: n{number}, props: {{name: '{number} {needs}'}}}}\n"
        )
    path = tmp_path_factory.mktemp("graph") / "stack.yaml"
    path.write_text(text)
    session = open_lab()
    manifest = read_manifest([path], session, variables={}, environ={})
    session.close()
    place = {entry.id: number for number, entry in enumerate(manifest.entries)}
    assert len(place) == len(edges)
    for number, needed in edges.items():
        assert set(manifest.dependencies[f"n{number}"]) == {f"n{to}" for to in needed}
        assert all(place[f"n{to}"] < place[f"n{number}"] for to in needed)
