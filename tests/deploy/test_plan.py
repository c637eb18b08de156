"""plan on the stand-in of Vertex AI: what it reads, what it finds, and how it says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.stack import BOARD, VertexStack, sweep, vertex_stack

_SECRET = "hunter2-hunter2"


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[VertexStack]:
    with vertex_stack(tmp_path) as made:
        yield made


def test_a_plan_has_the_keys_of_its_format_and_no_others(stack: VertexStack) -> None:
    plan = stack.plan(stack.write(sweep(1)))
    assert list(plan.json) == ["format", "changes", "summary", "warnings"]
    assert plan.json["format"] == 1
    change = plan.json["changes"][1]
    assert list(change) == ["id", "resource", "action", "key", "reason", "fields"]
    assert (change["id"], change["resource"], change["action"]) == (
        "run.r0",
        "google.aiplatform.runs",
        "create",
    )
    assert list(change["fields"][0]) == ["name", "old", "new", "unknown", "secret"]
    assert plan.json["summary"] == {
        "create": 2,
        "update": 0,
        "replace": 0,
        "restore": 0,
        "delete": 0,
        "exec": 0,
        "nothing": 0,
    }
    assert (plan.code, stack.writes()) == (3, [])


def test_a_plan_reads_a_parents_list_once_for_many_children(stack: VertexStack) -> None:
    file = stack.write(sweep(60))
    assert stack.apply(file).code == 0
    stack.server.requests.clear()
    assert stack.plan(file).code == 0
    assert [seen.path.removeprefix(f"/v1/{BOARD}") for seen in stack.server.requests] == [
        "/experiments/sweep",
        "/experiments/sweep/runs",
    ]


def test_below_what_is_not_there_nothing_is_asked_for(stack: VertexStack) -> None:
    stack.plan(stack.write(sweep(60, points=True)))
    assert len(stack.server.requests) == 1


def test_two_plans_of_one_state_are_the_same_text(stack: VertexStack) -> None:
    file = stack.write(sweep(20, points=True))
    assert stack.run("plan", file) == stack.run("plan", file)


def test_fields_are_shown_from_old_to_new(stack: VertexStack) -> None:
    one_run(stack, description="old", labels={"a": "1", "b": "2"})
    file = stack.write(run("{name: description, value: new}", "{name: labels, value: {b: '3', c: x}}"))
    change = stack.plan(file).changes()["r"]
    assert [(f["name"], f["old"], f["new"]) for f in change["fields"]] == [
        ("description", "old", "new"),
        ("labels", {"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "x"}),
    ]
    shown = stack.run("plan", file).out
    assert '      description: "old" -> "new"\n' in shown
    assert '      labels.b: "2" -> "3"\n      labels.c: null -> "x"\n' in shown
    assert "labels.a" not in shown
    assert shown.endswith("plan: 1 to update\n")


@pytest.mark.parametrize(
    "given",
    [
        pytest.param("{name: labels, value: {n: 1}}", id="a number in labels"),
        pytest.param('{name: labels, value: \'{"n": "1"}\'}', id="labels as a text of JSON"),
        pytest.param("{name: labels, value: {}}", id="no labels of its own"),
        pytest.param("{name: description, value: ''}", id="an empty text for what is absent"),
        pytest.param("{name: description, value: null}", id="null for what is absent"),
        pytest.param("{name: etag, value: anything}", id="an etag is no desired state"),
    ],
)
def test_another_form_of_what_is_there_is_no_change(stack: VertexStack, given: str) -> None:
    one_run(stack, labels={"n": "1", "of_others": "x"})
    assert stack.plan(stack.write(run(given))).actions() == {"r": "nothing"}


def test_an_object_is_found_by_its_name_where_no_id_is_given(stack: VertexStack) -> None:
    one_run(stack, description="old")
    text = run("{name: description, value: new}").replace("  - {name: tensorboardRunId, value: r}\n", "")
    change = stack.plan(stack.write(text)).changes()["r"]
    assert (change["action"], change["key"].rpartition(", ")[2]) == ("update", "runsId=r")


def test_more_than_one_live_match_is_an_error_that_lists_them(stack: VertexStack) -> None:
    one_run(stack)
    stack.state.add(f"{BOARD}/experiments/e/runs/other", {"displayName": "r"})
    text = run().replace("  - {name: tensorboardRunId, value: r}\n", "")
    refused = stack.plan(stack.write(text))
    assert refused.code == 1
    assert "2 live objects" in refused.err
    assert "runsId=r;" in refused.err
    assert "runsId=other" in refused.err


def test_an_entry_that_says_nothing_of_who_it_is_is_a_bad_manifest(stack: VertexStack) -> None:
    text = run("{name: description, value: new}").replace("  - {name: tensorboardRunId, value: r}\n", "")
    refused = stack.plan(stack.write(text.replace("  - {name: displayName, value: r}\n", "")))
    assert (refused.code, stack.server.requests) == (2, [])
    assert "it lacks tensorboardRunId, or displayName" in refused.err


def test_every_entry_that_says_too_little_is_told_at_once(stack: VertexStack) -> None:
    nameless = (
        "\n- name: google.aiplatform.experiments\n  id: {id}\n  props: [{{name: tensorboardsId, value: '7'}}]"
    )
    refused = stack.plan(stack.write(nameless.format(id="one") + nameless.format(id="two")))
    assert refused.code == 2
    assert [f"{id}: nothing says which" in refused.err for id in ("one", "two")] == [True, True]


def test_what_is_protected_is_not_replaced(stack: VertexStack) -> None:
    file = stack.write(sweep(1, points=True))
    assert stack.apply(file).code == 0
    changed = sweep(1, points=True).replace("id: point\n", "id: point\n  protect: true\n")
    changed = changed.replace("value: SCALAR}", "value: SCALAR}\n  - {name: pluginName, value: x}")
    refused = stack.plan(stack.write(changed))
    assert refused.code == 1
    assert (
        "point.r0 (google.aiplatform.time_series_points): is protected and would be replaced" in refused.err
    )


def test_what_is_known_only_after_apply_is_said_to_be(stack: VertexStack) -> None:
    text = sweep(1) + "  when: SELECT 1\n"
    text = text.replace("displayName: Run 0}", "displayName: Run 0, description: 'of {{ exp.createTime }}'}")
    file = stack.write(text)
    (field,) = [f for f in stack.plan(file).changes()["run.r0"]["fields"] if f["name"] == "description"]
    assert (field["new"], field["unknown"]) == (None, True)
    assert "description: (known after apply)" in stack.run("plan", file).out
    assert stack.apply(file).code == 0
    made = stack.state.get(f"{BOARD}/experiments/sweep/runs/run-0")["description"]
    assert str(made).startswith("of 20")
    assert stack.plan(file).code == 0


def test_a_secret_is_in_no_output_and_not_in_a_kept_plan(stack: VertexStack) -> None:
    text = "variables:\n  token: {secret: true}\nresources:" + run(
        "{name: description, value: 'key {{ token }}'}", "{name: labels, value: {k: '{{ env.KEY }}'}}"
    )
    stack.environ["KEY"] = _SECRET
    file, kept = stack.write(text), stack.folder / "PLAN"
    given = (file, "--var", f"token={_SECRET}")
    ran = [
        stack.run("plan", *given, "--out", str(kept)),
        stack.run("plan", *given, "-o", "json"),
        stack.run("plan", *given, "-o", "markdown"),
    ]
    stack.state.add(f"{BOARD}/experiments/e", {"displayName": "e"})
    ran.append(stack.run("apply", "--plan", str(kept), "--yes", "--var", f"token={_SECRET}"))
    assert ran[-1].code == 0
    assert stack.state.get(f"{BOARD}/experiments/e/runs/r")["description"] == f"key {_SECRET}"
    ran.append(stack.plan(*given))
    assert ran[-1].actions() == {"r": "nothing"}
    stack.environ["KEY"] = "another-value"
    ran.append(stack.plan(*given))
    (field,) = ran[-1].changes()["r"]["fields"]
    assert field == {"name": "labels", "old": None, "new": None, "unknown": False, "secret": True}
    ran.append(stack.run("plan", *given))
    assert "labels: (secret) -> (secret)" in ran[-1].out
    texts = [text for one in ran for text in (one.out, one.err)] + [kept.read_text()]
    texts += [
        path.read_text() for path in stack.folder.rglob("*") if path.is_file() and path.suffix != ".yaml"
    ]
    assert not [text for text in texts if _SECRET in text or "another-value" in text]
    assert json.loads(kept.read_text())["variables"] == {}


def test_a_target_takes_what_it_depends_on_along_and_nothing_else(stack: VertexStack) -> None:
    file = stack.write(sweep(3, points=True))
    assert list(stack.plan(file, "--target", "loss.r1").actions()) == ["exp", "run.r1", "loss.r1"]
    assert list(stack.plan(file, "--target", "run").actions()) == ["exp", "run.r0", "run.r1", "run.r2"]
    unknown = stack.plan(file, "--target", "lost")
    assert unknown.code == 2
    assert "did you mean loss" in unknown.err


def test_a_review_is_a_table_with_the_fields_below(stack: VertexStack) -> None:
    one_run(stack, description="a|b")
    shown = stack.run("plan", stack.write(run("{name: description, value: new}")), "-o", "markdown").out
    assert shown.startswith("### Plan: 1 to update\n\n| action | id | resource | key | reason |\n")
    assert '- description: "a|b"\n+ description: "new"\n' in shown


def test_an_entry_whose_when_says_no_is_left_alone(stack: VertexStack) -> None:
    one_run(stack, description="old")
    text = run("{name: description, value: new}").replace("  props:", "  when: SELECT 0 WHERE 1\n  props:")
    change = stack.plan(stack.write(text)).changes()["r"]
    assert (change["action"], change["reason"]) == ("nothing", "its `when` says no")


def test_a_point_of_another_value_is_written_over(stack: VertexStack) -> None:
    file = stack.write(sweep(1, points=True))
    assert stack.apply(file).code == 0
    changed = stack.write(sweep(1, points=True).replace("value: 0.5", "value: 0.25"))
    plan = stack.plan(changed)
    assert plan.actions()["point.r0"] == "update"
    assert stack.apply(changed).code == 0
    assert stack.plan(changed).code == 0


def test_a_sql_file_is_desired_state_too(stack: VertexStack) -> None:
    stack.state.add(f"{BOARD}/experiments/e", {"displayName": "e"})
    file = stack.write(
        "INSERT INTO google.aiplatform.runs (tensorboardsId, experimentsId, tensorboardRunId, displayName)\n"
        "SELECT '7', 'e', 'run-' || value, 'Run ' || value FROM json_each('[1, 2, 3]');\n",
        "stack.sql",
    )
    assert stack.apply(file).json["summary"]["create"] == 3
    assert stack.writes() == ["POST /experiments/e/runs:batchCreate"]
    assert stack.plan(file).code == 0


def one_run(stack: VertexStack, **item: object) -> None:
    """The run of `run()` as it is there before."""
    stack.state.add(f"{BOARD}/experiments/e", {"displayName": "e"})
    stack.state.add(f"{BOARD}/experiments/e/runs/r", json.loads(json.dumps({"displayName": "r", **item})))


def run(*more: str) -> str:
    """An entry of one run, with more properties."""
    lines = [
        "",
        "- name: google.aiplatform.runs",
        "  id: r",
        "  props:",
        "  - {name: tensorboardsId, value: '7'}",
        "  - {name: experimentsId, value: e}",
        "  - {name: tensorboardRunId, value: r}",
        "  - {name: displayName, value: r}",
        *(f"  - {one}" for one in more),
    ]
    return "\n".join(lines) + "\n"
