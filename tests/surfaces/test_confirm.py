"""A write shows its plan in the shell and is sent only after a yes; a script is never asked."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import platformdirs
import pytest

from sqlprovider.config import Settings
from sqlprovider.errors import ProgrammingError
from sqlprovider.session import WritePlan
from sqlprovider.surfaces.cli import main
from sqlprovider.surfaces.confirm import QUESTION, Confirm, summary
from tests.surfaces.fake_session import Answer, FakeSession, as_session, opening
from tests.surfaces.streams import Terminal
from tests.surfaces.test_shell import CTRL_C, LEAVE, piped, typed

BARE = WritePlan("UPDATE", "UPDATE of mlflow.tracking.runs", 2, 3, ())
PLAN = replace(BARE, examples=('POST https://h/runs/update {"run_id":"r1"}', "GET https://h/a\nb"))
STEPS = Answer(("step", "resource", "method"), [(1, "mlflow.tracking.runs", "update")])


@pytest.fixture(autouse=True)
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    return platformdirs.user_state_path("sqlprovider", appauthor=False)


def writing(plan: WritePlan = PLAN, **options: object) -> FakeSession:
    answers = {
        "UPDATE": Answer(rowcount=2, plan=plan),
        "COMMIT": Answer(rowcount=2, plan=replace(plan, statement="COMMIT")),
        "EXPLAIN UPDATE": STEPS,
        "EXPLAIN COMMIT": Answer(("addr", "opcode"), [(0, "Init")]),
        "SELECT 1": Answer(("a",), [(1,)]),
    }
    fake = FakeSession(answers)
    for name, value in options.items():
        setattr(fake, name, value)
    return fake


def ran(fake: FakeSession) -> list[str]:
    return [text for text, _ in fake.ran if not text.startswith("EXPLAIN")]


# ---- what is shown


def test_the_summary_counts_and_shows_some_requests() -> None:
    assert summary(replace(PLAN, requests=5)) == (
        "UPDATE of mlflow.tracking.runs: 2 rows, 5 requests\n"
        '  POST https://h/runs/update {"run_id":"r1"}\n'
        "  GET https://h/a b\n"
        "  … and 3 more"
    )


def test_the_summary_of_one_request_is_one_line_more() -> None:
    assert summary(replace(BARE, rows=1, requests=1, examples=("DELETE x",))) == (
        "UPDATE of mlflow.tracking.runs: 1 row, 1 request\n  DELETE x"
    )


def test_the_summary_without_examples_claims_no_more_of_them() -> None:
    assert summary(BARE) == "UPDATE of mlflow.tracking.runs: 2 rows, 3 requests"


def test_a_long_request_is_cut() -> None:
    line = summary(replace(BARE, examples=("x" * 500,))).split("\n")[1]
    assert (len(line), line[-1]) == (242, "…")


def asked(fake: FakeSession, answer: str | None, plan: WritePlan = PLAN) -> tuple[bool, str, list[str]]:
    """Whether it is sent, what was shown, and what was asked."""
    questions: list[str] = []

    def ask(question: str) -> str | None:
        questions.append(question)
        return answer

    stderr = io.StringIO()
    sent = Confirm(as_session(fake), stderr, ask=ask)(plan)
    return sent, stderr.getvalue(), questions


def test_the_plan_is_shown_before_the_question() -> None:
    sent, shown, questions = asked(writing(), "y")
    assert (sent, questions) == (True, [QUESTION])
    assert shown.index("mlflow.tracking.runs │ update") < shown.index("2 rows, 3 requests")


def test_what_sqlite_would_do_for_a_commit_is_not_shown() -> None:
    _, shown, _ = asked(writing(), "y", replace(PLAN, statement="COMMIT"))
    assert shown.startswith("UPDATE of mlflow.tracking.runs: 2 rows")


def test_a_plan_that_cannot_be_shown_is_asked_about_all_the_same() -> None:
    fake = FakeSession({"EXPLAIN UPDATE": Answer(error=ProgrammingError("no"))})
    assert asked(fake, "n") == (False, f"{summary(PLAN)}\n", [QUESTION])


def test_a_text_of_the_backend_does_not_steer_the_terminal() -> None:
    _, shown, _ = asked(writing(), "y", replace(BARE, examples=("\x1b[2J",)))
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("answer", "sent"),
    [
        pytest.param("y", True, id="y"),
        pytest.param(" YES ", True, id="yes"),
        pytest.param("a", True, id="always"),
        pytest.param("n", False, id="n"),
        pytest.param("", False, id="Enter"),
        pytest.param("yse", False, id="misspelt"),
        pytest.param("SELECT 1;", False, id="a statement"),
        pytest.param(None, False, id="Ctrl-D"),
    ],
)
def test_only_a_yes_sends(answer: str | None, sent: bool) -> None:
    assert asked(writing(), answer)[0] is sent


@pytest.mark.parametrize(
    ("fake", "plan"),
    [
        pytest.param(writing(settings=Settings(dry_run=True)), PLAN, id="a dry run"),
        pytest.param(writing(), replace(BARE, rows=0, requests=0), id="no row"),
    ],
)
def test_what_sends_nothing_is_not_asked_about(fake: FakeSession, plan: WritePlan) -> None:
    assert asked(fake, "n", plan) == (True, "", [])


# ---- at a terminal


def test_a_yes_sends() -> None:
    fake = writing()
    talk = typed(f"UPDATE;\ry\r{LEAVE}", fake)
    assert ran(fake) == ["UPDATE"]
    assert "2 rows, 0 requests, 0.0" in talk.err.getvalue()


@pytest.mark.parametrize("no", ["n\r", "\r", CTRL_C, LEAVE], ids=["n", "Enter", "Ctrl-C", "Ctrl-D"])
def test_a_no_sends_nothing_and_the_shell_goes_on(no: str) -> None:
    fake = writing()
    talk = typed(f"UPDATE;\r{no}SELECT 1;\r{LEAVE}", fake)
    assert ran(fake) == ["UPDATE", "SELECT 1"]
    said = talk.err.getvalue()
    assert "nothing was sent\n" in said
    assert "error" not in said


def test_a_no_ends_what_was_typed_with_it() -> None:
    fake = writing()
    typed(f"UPDATE; SELECT 1;\rn\r{LEAVE}", fake)
    assert ran(fake) == ["UPDATE"]


def test_always_is_asked_once() -> None:
    fake = writing()
    typed(f"UPDATE;\ra\rUPDATE;\rSELECT 1;\r{LEAVE}", fake)
    assert ran(fake) == ["UPDATE", "UPDATE", "SELECT 1"]


def test_asking_can_be_turned_on_again() -> None:
    fake = writing()
    talk = typed(f"UPDATE;\ra\r.confirm\r.confirm on\r.confirm\rUPDATE;\rn\r{LEAVE}", fake)
    said = talk.err.getvalue()
    assert said.index("\noff\n") < said.index("\non\n") < said.index("\nnothing was sent\n")


def test_asking_can_be_turned_off() -> None:
    fake = writing()
    typed(f".confirm off\rUPDATE;\rSELECT 1;\r{LEAVE}", fake)
    assert ran(fake) == ["UPDATE", "SELECT 1"]


def test_the_plan_is_made_with_the_parameters_that_are_set() -> None:
    fake = writing()
    typed(f".param x 5\rUPDATE;\ry\r{LEAVE}", fake)
    assert fake.ran == [("UPDATE", {"x": "5"}), ("EXPLAIN UPDATE", {"x": "5"})]


def test_a_no_at_commit_says_that_the_transaction_is_over() -> None:
    said = typed(f"COMMIT;\rn\r{LEAVE}", writing(in_transaction=True)).err.getvalue()
    assert "nothing was sent; the transaction is over, and what it did here was undone\n" in said


def test_a_no_at_commit_says_what_went_out_before_it() -> None:
    states = ("accepted", "unknown", "not_tried", "staged")
    rows = tuple({"state": state} for state in states)
    fake = writing(in_transaction=True, last_write=rows)
    said = typed(f"COMMIT;\rn\r{LEAVE}", fake).err.getvalue()
    assert "not sent; 2 rows before it went out, see sqlprovider.last_write; the transaction is over" in said
    assert "nothing was sent" not in said


def test_the_answer_is_not_kept_in_the_history(state_folder: Path) -> None:
    typed(f"UPDATE;\ry\r{LEAVE}", writing())
    kept = (state_folder / "history").read_text(encoding="utf-8").splitlines()
    assert [line for line in kept if line.startswith("+")] == ["+UPDATE;"]


# ---- a script


def test_a_script_is_never_asked() -> None:
    fake = writing()
    talk = piped("UPDATE;\nSELECT 1;\n", fake)
    assert (talk.code, fake.write, ran(fake)) == (0, None, ["UPDATE", "SELECT 1"])


def test_a_query_is_never_asked() -> None:
    fake = writing()
    code = main(
        ["query", "UPDATE"],
        stdin=Terminal(),
        stdout=Terminal(),
        stderr=Terminal(),
        environ={},
        open_session=opening(fake),
    )
    assert (code, fake.write) == (0, None)


def test_a_script_hears_that_it_is_never_asked() -> None:
    assert piped(".confirm\n").err.getvalue() == "a script is never asked\n"


def test_a_wrong_word_after_confirm_is_refused() -> None:
    talk = typed(f".confirm maybe\r{LEAVE}", writing())
    assert ".confirm takes on or off, not 'maybe'" in talk.err.getvalue()
