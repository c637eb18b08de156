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


STACK = """
use: mlflow.tracking
variables: {who: {default: ada, description: whose it is}}
owner: "team-{{ who }}"
resources:
  - name: experiments
    id: lab
    protect: true
    when: SELECT '{{ who }}' = 'ada' AND {{ env.ON }}
    props: {name: lab, tags: {who: "{{ who }}"}}
  - exec: experiments.set_tag
    id: tag
    props: {experiment_id: "{{ lab.experiment_id }}", key: k, value: 1.10}
outputs:
  count: |
    SELECT count(*) FROM runs WHERE experiment_id = '{{ lab.experiment_id }}'
"""


def test_a_map_holds_use_variables_owner_resources_and_outputs(files: Files) -> None:
    files.environ["ON"] = "1"
    manifest = files.read(STACK, variables={"who": "eve"})
    lab, tag = manifest.entries
    assert (lab.protect, lab.owner, manifest.owner) == (True, "team-eve", "team-eve")
    assert lab.when == "SELECT :placeholder_1 = 'ada' AND :placeholder_2"
    assert lab.when_values == {"placeholder_1": "eve", "placeholder_2": Secret("env.ON", "1")}
    assert values(lab) == {"name": "lab", "tags": {"who": "eve"}}
    assert (tag.resource, tag.method) == ("mlflow.tracking.experiments", "set_tag")
    reference = Reference("lab", None, "experiment_id")
    assert values(tag) == {"experiment_id": reference, "key": "k", "value": "1.10"}
    assert manifest.dependencies == {"lab": (), "tag": ("lab",)}
    assert manifest.outputs["count"].endswith("WHERE experiment_id = :placeholder_1\n")
    assert manifest.output_values == {"count": {"placeholder_1": reference}}
    assert [secret.name for secret in manifest.secrets] == ["env.ON"]
    assert manifest.preparations == ('USE "mlflow"."tracking"',)
    assert "1" not in repr(manifest.secrets)


def test_items_are_objects_of_one_kind_with_the_properties_of_the_entry(files: Files) -> None:
    manifest = files.read(
        f"""
- name: google.aiplatform.runs
  id: r
  props: {{{VERTEX}, experimentsId: e, displayName: common}}
  items:
    lr-0.1: {{tensorboardRunId: a}}
    b:
      - name: tensorboardRunId
        value: b
      - {{name: data__displayName, value: own}}
"""
    )
    assert [(one.label, one.place.line) for one in manifest.entries] == [("r.lr-0.1", 6), ("r.b", 7)]
    assert values(entry(manifest, "r.lr-0.1"))["displayName"] == "common"
    assert values(entry(manifest, "r.b"))["displayName"] == "own"
    assert values(entry(manifest, "r.b"))["tensorboardRunId"] == "b"


def test_the_row_of_an_item_is_referred_to_by_id_and_item(files: Files) -> None:
    manifest = files.read(
        """
- name: mlflow.tracking.experiments
  id: lab
  items: {a.b: {name: one}, c: {name: two}}
- name: mlflow.tracking.runs
  props: {experiment_id: "{{ lab.a.b.experiment_id }}", run_name: x}
- name: google.aiplatform.runs
  props: {experimentsId: e, tensorboardRunId: r}
- exec: google.aiplatform.runs.write
  props: {runsId: "{{ google.aiplatform.runs.tensorboardRunId }}"}
"""
    )
    run = entry(manifest, "mlflow.tracking.runs")
    assert values(run)["experiment_id"] == Reference("lab", "a.b", "experiment_id")
    # The id of the create is the row's own column.
    call = entry(manifest, "google.aiplatform.runs.write")
    assert values(call)["runsId"] == Reference("google.aiplatform.runs", None, "runsId")


@pytest.mark.parametrize(
    ("column", "written", "value"),
    [
        pytest.param("run_name", "0123", "0123", id="TEXT, leading zero"),
        pytest.param("run_name", "1e3", "1e3", id="TEXT, exponent"),
        pytest.param("run_name", "no", "no", id="TEXT, no"),
        pytest.param("run_name", "True", "True", id="TEXT, True"),
        pytest.param("run_name", "2026-01-02", "2026-01-02", id="TEXT, a date"),
        pytest.param("run_name", "12:30:45", "12:30:45", id="TEXT, sexagesimal"),
        pytest.param("run_name", "1_000", "1_000", id="TEXT, underscore"),
        pytest.param("run_name", "'null'", "null", id="TEXT, quoted null"),
        pytest.param("run_name", "", None, id="TEXT, nothing"),
        pytest.param("run_name", "!!str 5", "5", id="TEXT, tag"),
        pytest.param("start_time", "2026-01-02T03:04:05+01:00", "2026-01-02 02:04:05.000", id="DATETIME"),
        pytest.param("start_time", "1767323045678", "2026-01-02 03:04:05.678", id="DATETIME, milliseconds"),
        pytest.param("tags", "{a: 1.10, b: yes, 1: x}", {"a": "1.10", "b": "yes", "1": "x"}, id="tags"),
        pytest.param("tags", "'{\"a\": 1.10}'", {"a": "1.10"}, id="tags as JSON text"),
    ],
)
def test_text_stays_the_text_that_was_written(files: Files, column: str, written: str, value: object) -> None:
    manifest = files.read(f"- name: mlflow.tracking.runs\n  props:\n    {column}: {written}\n")
    assert values(manifest.entries[0]) == {column: value}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        pytest.param(
            "{a: 1.5, b: [1, 0x1f, 1e3], c: null, d: true}",
            {"a": 1.5, "b": [1, 31, 1000.0], "c": None, "d": True},
            id="numbers",
        ),
        pytest.param(
            "{a: yes, b: on, c: 2026-01-02, d: .nan}",
            {"a": "yes", "b": "on", "c": "2026-01-02", "d": "NaN"},
            id="YAML 1.2",
        ),
        pytest.param("'[1, {\"a\": 2}]'", [1, {"a": 2}], id="text that holds JSON"),
        pytest.param("{type: string}", {"type": "string"}, id="the name of a type within"),
        pytest.param("{<<: {a: 1, b: 1}, b: 2}", {"a": 1, "b": 2}, id="merge key"),
    ],
)
def test_maps_and_lists_are_json(files: Files, written: str, value: object) -> None:
    manifest = files.read(f"- name: google.aiplatform.custom_jobs\n  props: {{jobSpec: {written}}}\n")
    assert values(manifest.entries[0]) == {"jobSpec": value}


def test_anchors_are_fine(files: Files) -> None:
    manifest = files.read(
        """
- name: mlflow.tracking.experiments
  id: a
  props: {name: a, tags: &tags {team: x}}
- name: mlflow.tracking.experiments
  id: b
  props: {name: b, tags: *tags}
"""
    )
    assert values(entry(manifest, "b"))["tags"] == {"team": "x"}


def test_merge_false_replaces_a_map(files: Files) -> None:
    (run,) = files.read(
        """
- name: mlflow.tracking.runs
  props:
    - {name: run_name, value: x}
    - {name: tags, value: {a: 1}, merge: false}
"""
    ).entries
    assert {name: one.merge for name, one in run.properties.items()} == {"run_name": True, "tags": False}


PROBLEMS = [
    pytest.param(
        "- name: mlflow.tracking.runs\n  porps: []",
        "2: unknown word porps of an entry; did you mean props?",
        id="entry word",
    ),
    pytest.param(
        "resorces: []", "1: unknown word resorces of a manifest; did you mean resources?", id="manifest word"
    ),
    pytest.param(
        "- name: mlflow.tracking.runs\n  props: [{nmae: a}]",
        "2: unknown word nmae of a property; did you mean name?",
        id="property word",
    ),
    pytest.param(
        "- name: mlflow.tracking.runs\n  props: [{name: run_name}]",
        "2: run_name: the property has no value",
        id="no value",
    ),
    pytest.param("- name: mlflow.tracking.rnus", "1: no resource 'rnus'", id="resource"),
    pytest.param(
        "- name: runs", "1: 'runs' could be mlflow.tracking.runs, google.aiplatform.runs", id="alone"
    ),
    pytest.param(
        "- exec: mlflow.tracking.runs.log_btach",
        "1: mlflow.tracking.runs has no method log_btach; did you mean log_batch",
        id="method",
    ),
    pytest.param(
        "- {name: mlflow.tracking.runs, exec: mlflow.tracking.runs.log_batch}",
        "1: an entry has a name or an exec, not both",
        id="both",
    ),
    pytest.param("- {id: x}", "1: an entry has a name or an exec", id="neither"),
    pytest.param(
        "- {exec: mlflow.tracking.runs.log_batch, protect: true}",
        "1: protect is not for a call",
        id="protect of a call",
    ),
    pytest.param(
        "- {name: mlflow.tracking.runs, protect: maybe}", "1: protect is true or false", id="protect"
    ),
    pytest.param("- {name: mlflow.tracking.runs, id: a b}", "1: 'a b' cannot be an id", id="id"),
    pytest.param("- {name: mlflow.tracking.runs, id: env}", "1: 'env' cannot be an id", id="id env"),
    pytest.param("- {name: '{{ x }}'}", "1: name holds no placeholder", id="name"),
    pytest.param(
        "- {name: mlflow.tracking.runs, id: a}\n- {name: mlflow.tracking.runs, id: a}",
        "2: the id a stands at 1.yaml:1 already",
        id="id twice",
    ),
    pytest.param(
        "- {name: mlflow.tracking.runs, props: {run_nmae: x}}",
        "1: mlflow.tracking.runs has no method that takes run_nmae; did you mean run_name",
        id="property",
    ),
    pytest.param(
        "- {name: mlflow.tracking.runs, props: {artifact_uri: x}}",
        "1: artifact_uri is output only",
        id="output only",
    ),
    pytest.param(
        "- {name: mlflow.tracking.runs, props: {filter: x}}",
        "1: filter is an option of search",
        id="option of a list",
    ),
    pytest.param(
        "- {name: google.aiplatform.runs, props: {requests: []}}",
        "1: requests is the body of a batch: use items",
        id="batch",
    ),
    pytest.param(
        "- {name: google.aiplatform.runs, props: {data__requests: []}}",
        "1: data__requests is the body of a batch: use items",
        id="batch, prefix",
    ),
    pytest.param(
        "- {name: mlflow.tracking.runs, props: {run_name: a, data__run_name: b}}",
        "1: run_name is given twice",
        id="property twice",
    ),
    pytest.param(
        "- {name: mlflow.tracking.runs, props: {run_name: string}}",
        "1: run_name: string is the name of a type",
        id="unfilled",
    ),
    pytest.param(
        "- {name: mlflow.tracking.runs, props: {tags: 'object'}}",
        "1: tags: object is the name of a type",
        id="unfilled, quoted",
    ),
    pytest.param(
        "- {name: mlflow.tracking.runs, props: {run_name: {a: 1}}}",
        "1: run_name: it takes TEXT, not a map",
        id="map for text",
    ),
    pytest.param(
        "- {name: mlflow.tracking.runs, props: {tags: [1]}}",
        "1: tags: it takes a map, not a list",
        id="list for tags",
    ),
    pytest.param(
        "- {name: mlflow.tracking.runs, props: {tags: x}}", "1: tags: it takes a map", id="text for tags"
    ),
    pytest.param(
        "- {name: mlflow.tracking.runs, props: {start_time: soon}}",
        "1: start_time: it takes DATETIME",
        id="no date",
    ),
    pytest.param(
        "- {name: mlflow.tracking.runs, props: {status: FINISHD}}",
        "1: status: it takes one of RUNNING, SCHEDULED, FINISHED, FAILED, KILLED; did you mean FINISHED?",
        id="enum",
    ),
    pytest.param(
        "- {name: google.aiplatform.custom_jobs, props: {jobSpec: {a: 012}}}",
        "1: 012 begins with 0",
        id="octal",
    ),
    pytest.param("- {name: mlflow.tracking.runs, when: DELETE FROM x}", "1: when is one SELECT", id="when"),
    pytest.param(
        "{resources: [], outputs: {a: SELECT 1; SELECT 2}}",
        "1: the output a is one SELECT",
        id="two statements",
    ),
    pytest.param("{use: a.b.c, resources: []}", "1: use is a connection, or connection.service", id="use"),
    pytest.param("a: 1\na: 2", "2: the key 'a' stands here twice (first in line 1)", id="key twice"),
    pytest.param("- [", "did not find expected", id="syntax"),
    pytest.param("--- []\n--- []", "2: a file holds one document", id="two documents"),
    pytest.param("- &a [*a]", "1: the alias *a holds itself", id="alias of itself"),
    pytest.param(
        "- !!python/object:os.system {}",
        "1: the tag tag:yaml.org,2002:python/object:os.system is not understood",
        id="tag",
    ),
    pytest.param("- x", "1: an entry is a map", id="entry"),
    pytest.param("{resources: x}", "1: resources are a list of entries", id="resources"),
    pytest.param("{resources: [], outputs: [x]}", "1: outputs are a map: name → SELECT", id="outputs"),
    pytest.param("{resources: [], outputs: {a: [x]}}", "1: the output a is a SELECT", id="output"),
    pytest.param("{resources: [], outputs: {a: SELECT {{}}", "1: ", id="output, braces"),
    pytest.param("{resources: [], owner: [x]}", "1: owner is a text", id="owner"),
    pytest.param("{use: '{{ x }}', resources: []}", "1: use holds no placeholder", id="use, placeholder"),
    pytest.param("- {exec: log_batch}", "1: exec names a method", id="exec"),
    pytest.param("- {name: [x]}", "1: name is a text", id="name, list"),
    pytest.param(
        "- {name: mlflow.tracking.runs, props: x}",
        "1: properties are a list of {name, value}, or a map",
        id="props",
    ),
    pytest.param(
        "- {name: mlflow.tracking.runs, props: [x]}",
        "1: a property is a map: {name, value}",
        id="property, text",
    ),
    pytest.param(
        "- {name: mlflow.tracking.runs, props: [{value: x}]}",
        "1: a property has a name",
        id="property, no name",
    ),
    pytest.param(
        "- {name: mlflow.tracking.runs, props: [{name: tags, value: {}, merge: x}]}",
        "1: tags: merge is true or false",
        id="merge",
    ),
    pytest.param(
        "- {name: mlflow.tracking.runs, props: [{name: run_name, value: x, merge: true}]}",
        "1: run_name: merge is for maps",
        id="merge of a text",
    ),
    pytest.param(
        "- {name: mlflow.tracking.runs, items: [x]}", "1: items are a map: id → properties", id="items"
    ),
    pytest.param(
        "- {name: mlflow.tracking.runs, items: {a b: {}}}", "1: 'a b' cannot be the id of an item", id="item"
    ),
    pytest.param(
        "- {name: mlflow.tracking.runs, id: a, items: {b: {}}}\n- {name: mlflow.tracking.runs, id: a.b}",
        "2: the id a.b stands at 1.yaml:1 already",
        id="label",
    ),
    pytest.param(
        "- {name: mlflow.tracking.runs, id: a, items: {b: {}}}\n"
        "- {name: mlflow.tracking.runs, id: c, props: {run_name: '{{ a.bb.run_id }}'}}",
        "2: {{ a.bb.run_id }}: a has no item bb; did you mean b?",
        id="no such item",
    ),
    pytest.param(
        "- {name: mlflow.tracking.runs, id: a, items: {b: {}}}\n"
        "- {name: mlflow.tracking.runs, id: c, props: {run_name: '{{ a.run_id }}'}}",
        "2: {{ a.run_id }}: a has items: write {{ a.item.run_id }}",
        id="item left out",
    ),
    pytest.param(
        "- {exec: mlflow.tracking.runs.get, id: a}\n"
        "- {name: mlflow.tracking.runs, id: c, props: {run_name: '{{ a.run_id }}'}}",
        "2: {{ a.run_id }}: a is a call and has no row",
        id="a call's row",
    ),
    pytest.param(
        "- {exec: mlflow.tracking.runs.get, props: {run_idd: x}}",
        "1: mlflow.tracking.runs.get takes no parameter run_idd; did you mean run_id",
        id="parameter",
    ),
    pytest.param(
        "- {name: mlflow.tracking.runs, owner: '{{ env.E }}'}",
        "1: only variables that are not secret may stand here",
        id="owner, secret",
    ),
    pytest.param(
        "- {name: mlflow.tracking.runs, props: {tags: {'{{ x }}': 1}}}",
        "1: a key holds no placeholder",
        id="key",
    ),
    pytest.param("", "1: a manifest is a list of entries", id="empty"),
    pytest.param("text", "1: a manifest is a list of entries", id="text"),
    pytest.param(b"\xff\xfe\x00", "1: this is no YAML", id="bytes"),
]


@pytest.mark.parametrize(("text", "problem"), PROBLEMS)
def test_what_is_wrong_is_said_with_its_place(files: Files, text: str | bytes, problem: str) -> None:
    files.environ["E"] = "hush"
    found = files.problems(lambda: files.read(text))
    assert any(one.startswith("1.yaml:") and problem in one.removeprefix("1.yaml:") for one in found), found


def test_every_problem_is_told_in_the_order_of_the_lines(files: Files) -> None:
    text = """
- name: mlflow.tracking.rnus
- name: mlflow.tracking.runs
  id: a
  props: {run_name: string, filter: "{{ nothing }}"}
  whn: SELECT 1
- name: mlflow.tracking.runs
  id: a
"""
    found = files.problems(lambda: files.read(text, variables={"nobody": "x"}))
    assert [problem.split(": ")[0] for problem in found] == [
        "--var nobody",
        *("1.yaml:2", "1.yaml:5", "1.yaml:5", "1.yaml:5", "1.yaml:6", "1.yaml:7"),
    ]


def test_a_file_that_is_not_there_is_a_problem(files: Files, tmp_path: Path) -> None:
    found = files.problems(lambda: files.read_paths(tmp_path / "no.yaml", tmp_path))
    assert found[0] == "no.yaml:1: it cannot be read: No such file or directory"
    assert found[1].endswith(":1: it cannot be read: Is a directory")


def test_files_are_one_stack(files: Files) -> None:
    manifest = files.read(
        "{variables: {a: one}, use: mlflow.tracking, "
        "resources: [{name: experiments, props: {name: '{{ b }}'}}]}",
        "{variables: {b: two}, use: mlflow, resources: [{name: tracking.runs, props: "
        "{run_name: '{{ a }}', experiment_id: '{{ experiments.experiment_id }}'}}]}",
    )
    assert [one.resource for one in manifest.entries] == [
        "mlflow.tracking.experiments",
        "mlflow.tracking.runs",
    ]
    assert values(manifest.entries[0]) == {"name": "two"}
    assert values(manifest.entries[1])["run_name"] == "one"
    assert manifest.preparations == (), "the files do not agree on a use"


def test_use_of_the_command_line_goes_before_the_file(files: Files) -> None:
    manifest = files.read("{use: mlflow.tracking, resources: [{name: runs}]}", use="google.aiplatform")
    assert manifest.entries[0].resource == "google.aiplatform.runs"


def test_json_is_a_manifest_too(files: Files) -> None:
    manifest = files.read('{"resources": [{"name": "mlflow.tracking.runs", "props": {"run_name": 1.10}}]}')
    assert values(manifest.entries[0]) == {"run_name": "1.10"}
    assert manifest.entries[0].place == Place(manifest.entries[0].place.file, 1)
