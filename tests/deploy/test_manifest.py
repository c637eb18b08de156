"""Manifests: what the files ask for, and every problem of them at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from sqlprovider.surfaces.deploy.model import Place, Reference, Secret
from tests.deploy.manifests import Files, entry, values

VERTEX = "projectsId: acme, locationsId: us-central1, tensorboardsId: '7'"

PUBLISHED = """
# Description fields are for documentation purposes
- name: runs
  props:
    - name: projectsId
      value: acme
      description: Required parameter for the runs resource.
    - name: locationsId
      value: us-central1
    - name: tensorboardsId
      value: 7
    - name: experimentsId
      value: exp
    - name: data__displayName
      value: no
      description: >
        Required. The name
        of a run.

    - name: labels
      value: {version: 1.10, on: yes, day: 2026-01-02}
    - name: description
      value: |
        two
        lines
    - name: tensorboardRunId
      value: r1
"""


def test_a_list_of_entries_is_a_manifest(files: Files) -> None:
    manifest = files.read(PUBLISHED, use="google.aiplatform")
    (run,) = manifest.entries
    assert (run.id, run.item, run.label) == ("runs", None, "runs")
    assert (run.resource, run.method, run.protect, run.owner) == ("google.aiplatform.runs", None, False, None)
    assert (run.place.line, Path(run.place.file).name) == (3, "1.yaml")
    assert values(run) == {
        "projectsId": "acme",
        "locationsId": "us-central1",
        "tensorboardsId": "7",
        "experimentsId": "exp",
        "displayName": "no",
        "labels": {"version": "1.10", "on": "yes", "day": "2026-01-02"},
        "description": "two\nlines\n",
        "tensorboardRunId": "r1",
    }
    assert all(property_.merge for property_ in run.properties.values())


def test_a_map_holds_use_variables_owner_resources_and_outputs(files: Files) -> None:
    manifest = files.read(
        """
        use: mlflow.tracking
        variables: {who: {default: ada, description: whose it is}}
        owner: "team-{{ who }}"
        resources:
          - name: experiments
            id: lab
            protect: true
            when: SELECT '{{ who }}' = 'ada' AND {{ env.ON }}
            props: {name: lab, tags: {who: "{{ who }}"}}
          - exec: experiments.setExperimentTag
            id: tag
            props: {experiment_id: "{{ lab.experiment_id }}", key: k, value: 1.10}
        outputs:
          count: |
            SELECT count(*) FROM mlflow.tracking.runs WHERE experiment_id = '{{ lab.experiment_id }}'
        """.replace("\n        ", "\n"),
        variables={"who": "eve"},
    ) if False else _whole(files)
    lab, tag = manifest.entries
    assert (lab.protect, lab.owner, manifest.owner) == (True, "team-eve", "team-eve")
    assert lab.when == "SELECT :placeholder_1 = 'ada' AND :placeholder_2"
    assert lab.when_values == {"placeholder_1": "eve", "placeholder_2": Secret("env.ON", "1")}
    assert values(lab) == {"name": "lab", "tags": {"who": "eve"}}
    assert (tag.resource, tag.method) == ("mlflow.tracking.experiments", "set_tag")
    assert values(tag) == {
        "experiment_id": Reference("lab", None, "experiment_id"),
        "key": "k",
        "value": "1.10",
    }
    assert manifest.dependencies == {"lab": (), "tag": ("lab",)}
    assert manifest.outputs["count"].endswith("WHERE experiment_id = :placeholder_1\n")
    assert manifest.output_values == {"count": {"placeholder_1": Reference("lab", None, "experiment_id")}}
    assert [secret.name for secret in manifest.secrets] == ["env.ON"]
    assert manifest.preparations == ('USE "mlflow"."tracking"',)
