"""apply and destroy on the stand-in of Vertex AI: what is sent, what it comes to, and how it is told."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.stack import BOARD, VertexStack, sweep, vertex_stack
from tests.fakes.loopback import Cut, Seen, Stall, Status


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[VertexStack]:
    with vertex_stack(tmp_path) as made:
        yield made


def test_sixty_runs_go_out_as_one_batch_and_a_third_apply_has_nothing_to_do(stack: VertexStack) -> None:
    file = stack.write(sweep(60, points=True))
    first = stack.apply(file)
    assert (first.code, first.json["summary"]["create"]) == (0, 181)
    assert stack.writes() == [
        "POST /experiments",
        "POST /experiments/sweep/runs:batchCreate",
        "POST /experiments/sweep:batchCreate",
        "POST /experiments/sweep:write",
    ]
    assert {change["state"] for change in first.json["changes"]} == {"accepted"}
    for _ in range(2):
        again = stack.apply(file)
        assert (again.code, again.json["summary"]["nothing"]) == (0, 181)
        assert {change["state"] for change in again.json["changes"]} == {"nothing"}
        assert stack.writes() == []


def test_only_what_differs_is_set_and_other_labels_stay(stack: VertexStack) -> None:
    run = one_run(stack, description="old")
    stack.state.get(run)["labels"] = {"a": "1", "b": "2"}
    file = stack.write(RUN.format(more="{name: description, value: new}\n  - {name: labels, value: {b: 3}}"))
    assert stack.apply(file).actions() == {"r": "update"}
    assert [w.partition("?")[0] for w in stack.writes()] == ["PATCH /experiments/e/runs/r"]
    assert stack.state.get(run)["labels"] == {"a": "1", "b": "3"}
    assert stack.state.get(run)["description"] == "new"
    assert stack.plan(file).code == 0


def test_labels_are_replaced_whole_where_merge_is_false(stack: VertexStack) -> None:
    run = one_run(stack)
    stack.state.get(run)["labels"] = {"a": "1", "b": "2"}
    file = stack.write(RUN.format(more="{name: labels, value: {b: '2'}, merge: false}"))
    assert stack.apply(file).code == 0
    assert stack.state.get(run)["labels"] == {"b": "2"}


def test_a_failure_says_where_it_stopped_and_the_next_apply_does_the_rest(stack: VertexStack) -> None:
    file = stack.write(sweep(3, points=True))
    # The batch is refused, and what it is split into.
    for path in ("/sweep:batchCreate", "/timeSeries"):
        stack.server.misbehave(Status(400), path=path, times=99)
    failed = stack.apply(file)
    states = {label: change["state"] for label, change in failed.changes().items()}
    assert failed.code == 1
    assert [states[label] for label in ("exp", "run.r0", "point.r0")] == ["accepted", "accepted", "not_tried"]
    assert {states[f"loss.r{n}"] for n in range(3)} <= {"failed", "not_tried"}
    assert "stopped: 4 of 10 accepted" in failed.err
    stack.server.behave()
    assert stack.apply(file).json["summary"]["create"] == 6
    assert stack.plan(file).code == 0


def test_a_lost_answer_is_settled_by_a_look(stack: VertexStack) -> None:
    file = stack.write(sweep(3))
    stack.server.misbehave(Cut(10), path="/experiments/sweep/runs:batchCreate")
    lost = stack.apply(file)
    states = {change["state"] for change in lost.json["changes"]}
    assert states <= {"accepted", "unknown"}
    stack.server.behave()
    assert stack.apply(file).code == 0
    assert stack.plan(file).code == 0
    assert len(list(stack.state.items(f"{BOARD}/experiments/sweep/runs"))) == 3


def test_someone_who_edits_between_plan_and_write_is_a_conflict_and_nothing_is_lost(
    stack: VertexStack,
) -> None:
    run = one_run(stack, description="old")
    file = stack.write(RUN.format(more="{name: description, value: mine}"))
    stack.answer, stack.meanwhile = "yes", lambda: edit(stack, run, description="theirs")
    conflict = stack.run("apply", file)
    assert conflict.code == 1
    assert "changed by someone else since it was read" in conflict.err
    assert stack.state.get(run)["description"] == "theirs"
    stack.answer = ""
    assert stack.apply(file).code == 0
    assert stack.state.get(run)["description"] == "mine"


def test_someone_who_makes_it_meanwhile_is_a_conflict(stack: VertexStack) -> None:
    stack.state.add(f"{BOARD}/experiments/e", {"displayName": "e"})
    file = stack.write(RUN.format(more="{name: description, value: mine}"))
    stack.answer = "yes"
    stack.meanwhile = lambda: stack.state.add(f"{BOARD}/experiments/e/runs/r", {"displayName": "r"})
    conflict = stack.run("apply", file)
    assert conflict.code == 1
    assert "already exists" in conflict.err
    assert "apply again" in conflict.err


def test_who_answers_no_sends_nothing(stack: VertexStack) -> None:
    file = stack.write(sweep(1))
    stack.answer = "no"
    asked = stack.run("apply", file)
    assert (asked.code, stack.writes()) == (1, [])
    assert "nothing was sent" in asked.err


@pytest.mark.parametrize(
    ("argv", "code", "made"),
    [
        pytest.param(("plan",), 3, 0, id="plan"),
        pytest.param(("apply", "--yes"), 0, 1, id="apply"),
        pytest.param(("apply", "--yes", "-o", "json"), 0, 1, id="apply-json"),
    ],
)
def test_a_reader_that_has_gone_changes_neither_what_is_done_nor_the_exit_code(
    stack: VertexStack, argv: tuple[str, ...], code: int, made: int
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as gone:
        assert stack.command(*argv, stack.write(sweep(1)), stdout=gone) == (code, "")
    assert len(list(stack.state.items(f"{BOARD}/experiments"))) == made


def test_output_that_cannot_be_written_is_an_error_and_told_as_one(stack: VertexStack) -> None:
    with Path("/dev/full").open("w") as full:
        code, err = stack.command("plan", stack.write(sweep(1)), stdout=full)
    assert (code, err) == (1, "error: OperationalError: cannot write the output: No space left on device\n")


@pytest.mark.parametrize("command", ["apply", "destroy"])
def test_without_a_terminal_it_wants_a_yes_before_it_sends_anything(stack: VertexStack, command: str) -> None:
    refused = stack.run(command, stack.write(sweep(1)))
    assert (refused.code, stack.server.requests) == (2, [])
    assert "--yes" in refused.err


def test_a_kept_plan_is_applied_and_refused_once_the_live_state_has_moved(stack: VertexStack) -> None:
    run = one_run(stack, description="old")
    file, kept = stack.write(RUN.format(more="{name: description, value: mine}")), str(stack.folder / "PLAN")
    assert stack.run("plan", file, "--out", kept).code == 3
    assert Path(kept).stat().st_mode & 0o777 == 0o600
    edit(stack, run, displayName="else")
    refused = stack.run("apply", "--plan", kept, "--yes")
    assert refused.code == 1
    assert "the live state has moved since the plan was made: r (changed since)" in refused.err
    assert stack.writes() == []
    assert stack.run("plan", file, "--out", kept).code == 3
    assert stack.run("apply", "--plan", kept, "--yes").code == 0
    assert stack.state.get(run)["description"] == "mine"
    assert "mine" in Path(kept).read_text()
    assert stack.run("apply", "--plan", kept, "--yes").code == 1


def test_a_kept_plan_is_refused_once_its_files_ask_for_something_else(stack: VertexStack) -> None:
    file, kept = stack.write(sweep(1)), str(stack.folder / "PLAN")
    assert stack.run("plan", file, "--out", kept).code == 3
    stack.write(sweep(2))
    refused = stack.run("apply", "--plan", kept, "--yes")
    assert (refused.code, stack.writes()) == (1, [])
    assert "the files ask for something else" in refused.err


def test_destroy_deletes_children_before_parents_and_then_has_nothing_to_do(stack: VertexStack) -> None:
    file = stack.write(sweep(2, points=True))
    assert stack.apply(file).code == 0
    stack.writes()
    gone = stack.destroy(file)
    assert (gone.code, gone.json["summary"]["delete"]) == (0, 7)
    assert {change["state"] for change in gone.json["changes"]} == {"accepted"}
    order = [request.rpartition("/")[0].rpartition("/")[2] for request in stack.writes()]
    assert order == ["timeSeries", "timeSeries", "runs", "runs", "experiments"]
    again = stack.destroy(file)
    assert (again.code, again.json["summary"]["nothing"], stack.writes()) == (0, 7, [])


def test_what_is_not_there_is_not_called_unchanged_and_calls_have_no_part_in_destroy(
    stack: VertexStack,
) -> None:
    file = stack.write(CALL.replace("exec:", "when: SELECT 0\n  exec:"))
    nothing = stack.run("destroy", file, "--yes")
    assert (nothing.code, nothing.out.splitlines()[-1]) == (0, "plan: nothing to do")
    assert "write" not in nothing.out


def test_files_that_read_what_they_write_are_planned_with_a_warning_and_applied_as_one(
    stack: VertexStack,
) -> None:
    head = "tensorboardsId, experimentsId, tensorboardRunId, displayName"
    where = "tensorboardsId = '7' AND experimentsId = 'e'"
    file = stack.write(
        "INSERT INTO google.aiplatform.experiments (tensorboardsId, tensorboardExperimentId)\n"
        "VALUES ('7', 'e');\n"
        f"INSERT INTO google.aiplatform.runs ({head}) SELECT '7', 'e', 'r', 'R';\n"
        f"INSERT INTO google.aiplatform.runs ({head})\n"
        "SELECT '7', 'e', runsId || '-2', 'second' FROM google.aiplatform.runs\n"
        f"WHERE {where} AND runsId = 'r';\n",
        "stack.sql",
    )
    assert "stack.sql:4 reads what these files write" in stack.plan(file).json["warnings"][0]
    applied = stack.apply(file)
    assert (applied.code, applied.json["summary"]["create"]) == (0, 3)
    assert {change["state"] for change in applied.json["changes"]} == {"accepted"}
    assert stack.plan(file).code == 0


@pytest.mark.slow
def test_two_thousand_runs_go_out_in_two_batches_and_in_seconds(stack: VertexStack) -> None:
    file = stack.write(sweep(2000))
    began = time.process_time()
    assert stack.apply(file).code == 0
    assert time.process_time() - began < 8
    assert len(stack.writes()) == 3


def test_what_is_protected_is_not_destroyed_and_nothing_else_is(stack: VertexStack) -> None:
    file = stack.write(sweep(2).replace("  id: exp\n", "  id: exp\n  protect: true\n"))
    assert stack.apply(file).code == 0
    stack.writes()
    refused = stack.destroy(file)
    assert (refused.code, stack.writes()) == (1, [])
    assert "exp (google.aiplatform.experiments): is protected" in refused.err


def test_what_the_owner_no_longer_has_is_listed_and_deleted_with_prune(stack: VertexStack) -> None:
    def owned(runs: int) -> str:
        return stack.write("owner: my-stack\n" + sweep(runs))

    assert stack.apply(owned(3)).code == 0
    stack.state.add(f"{BOARD}/experiments/sweep/runs/other", {"displayName": "of nobody"})
    listed = stack.plan(owned(2))
    assert (listed.code, listed.json["summary"]["delete"]) == (0, 0)
    assert [w for w in listed.json["warnings"] if "--prune" in w and "runsId=run-2" in w]
    assert stack.plan(owned(2), "--prune").code == 3
    stack.writes()
    assert stack.apply(owned(2), "--prune").code == 0
    assert stack.writes() == ["DELETE /experiments/sweep/runs/run-2"]
    assert len(list(stack.state.items(f"{BOARD}/experiments/sweep/runs"))) == 3
    assert stack.plan(owned(2), "--prune").code == 0


def test_replace_deletes_and_makes_again_what_is_below_too(stack: VertexStack) -> None:
    file = stack.write(sweep(1, points=True))
    assert stack.apply(file).code == 0
    stack.writes()
    file = stack.write(
        sweep(1, points=True).replace("value: SCALAR}", "value: SCALAR}\n  - {name: pluginName, value: x}")
    )
    plan = stack.plan(file)
    assert plan.actions() == {
        "exp": "nothing",
        "run.r0": "nothing",
        "loss.r0": "replace",
        "point.r0": "replace",
    }
    assert plan.changes()["loss.r0"]["reason"] == "pluginName cannot be changed"
    assert plan.changes()["point.r0"]["reason"] == "loss.r0, below which it is, is replaced"
    assert stack.apply(file).code == 0
    assert [request.split()[0] for request in stack.writes()] == ["DELETE", "POST", "POST"]
    assert stack.plan(file).code == 0


def test_calls_are_made_at_each_apply_unless_their_when_says_no(stack: VertexStack) -> None:
    file = stack.write(CALL)
    assert stack.apply(file).code == 0
    assert (stack.plan(file).code, stack.run("plan", file, "--strict").code) == (0, 3)
    stack.writes()
    assert stack.apply(file).actions()["write"] == "exec"
    assert stack.writes() == ["POST /experiments/sweep/runs/run-0:write"]
    off = stack.write(CALL.replace("  id: write\n", "  id: write\n  when: SELECT 0\n"))
    assert stack.apply(off).actions()["write"] == "nothing"
    assert stack.writes() == []


def test_outputs_read_what_was_made(stack: VertexStack) -> None:
    outputs = (
        "outputs:\n"
        "  name: SELECT {{ exp.name }}\n"
        "  runs: SELECT runsId, displayName FROM google.aiplatform.runs\n"
        "    WHERE tensorboardsId = '7' AND experimentsId = {{ exp.experimentsId }}\n"
    )
    applied = stack.apply(stack.write(sweep(1) + outputs))
    assert applied.json["outputs"] == {
        "name": f"{BOARD}/experiments/sweep",
        "runs": [{"runsId": "run-0", "displayName": "Run 0"}],
    }


def test_ctrl_c_lets_nothing_more_out_and_says_what_is_unknown(stack: VertexStack) -> None:
    file = stack.write(sweep(3, points=True))

    def press(seen: Seen) -> bool:
        is_batch = seen.path.endswith("/runs:batchCreate")
        if is_batch:
            os.kill(os.getpid(), signal.SIGINT)
        return is_batch

    stack.server.misbehave(Stall(), when=press)
    stopped = stack.apply(file)
    states = {label: change["state"] for label, change in stopped.changes().items()}
    assert stopped.code == 130
    assert [states[label] for label in ("exp", "run.r0", "loss.r0")] == ["accepted", "unknown", "not_tried"]
    stack.server.behave()
    assert stack.apply(file).code == 0


def test_the_session_that_may_not_write_is_refused_before_anything_is_sent(stack: VertexStack) -> None:
    refused = stack.run("apply", stack.write(sweep(1)), "--yes", settings={"read_only": True})
    assert (refused.code, stack.server.requests) == (2, [])


def test_a_replaced_object_that_is_not_made_again_is_told(stack: VertexStack) -> None:
    file = stack.write(sweep(1, points=True))
    assert stack.apply(file).code == 0
    changed = stack.write(
        sweep(1, points=True).replace("value: SCALAR}", "value: SCALAR}\n  - {name: pluginName, value: x}")
    )
    for path in ("/sweep:batchCreate", "/timeSeries"):
        stack.server.misbehave(Status(400), path=path, times=99, when=_makes)
    failed = stack.apply(changed)
    assert failed.code == 1
    assert failed.changes()["loss.r0"]["state"] == "failed"
    stack.server.behave()
    assert stack.apply(changed).code == 0
    assert stack.plan(changed).code == 0


def _makes(seen: Seen) -> bool:
    return seen.method == "POST" and ":export" not in seen.path


def one_run(stack: VertexStack, **item: str) -> str:
    """The run of RUN as it is there before; its name."""
    stack.state.add(f"{BOARD}/experiments/e", {"displayName": "e"})
    run = f"{BOARD}/experiments/e/runs/r"
    stack.state.add(run, {"displayName": "r", **item})
    return run


def edit(stack: VertexStack, name: str, **fields: str) -> None:
    """Someone else's change."""
    stack.state.get(name).update(fields)
    stack.state.touch(name)


RUN = """
- name: google.aiplatform.runs
  id: r
  props:
  - {{name: tensorboardsId, value: '7'}}
  - {{name: experimentsId, value: e}}
  - {{name: tensorboardRunId, value: r}}
  - {{name: displayName, value: r}}
  - {more}
"""
CALL = (
    sweep(1, points=True)
    + """
- exec: google.aiplatform.runs.write
  id: write
  props:
  - {name: tensorboardsId, value: '7'}
  - {name: experimentsId, value: sweep}
  - {name: runsId, value: '{{ loss.r0.runsId }}'}
  - name: timeSeriesData
    value:
    - {tensorboardTimeSeriesId: loss, valueType: SCALAR, values: [{step: 2, scalar: {value: 1}}]}
"""
)
