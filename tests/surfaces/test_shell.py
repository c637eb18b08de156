"""The shell, at a terminal and at the end of a pipe."""

from __future__ import annotations

import io
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs
import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from sqlprovider.config import load_config
from sqlprovider.errors import ProgrammingError
from sqlprovider.session import Session
from sqlprovider.surfaces.completion import NameCompleter
from sqlprovider.surfaces.dotcommands import DOT_COMMANDS
from sqlprovider.surfaces.shell import is_complete, run_shell
from tests.surfaces.fake_session import Answer, FakeSession, as_session, request

ONE = Answer(("a",), [(1,)])
LEAVE = "\x04"
CTRL_C = "\x03"


@dataclass(slots=True)
class Talk:
    """What a shell was told and what it said."""

    out: io.StringIO = field(default_factory=io.StringIO)
    err: io.StringIO = field(default_factory=io.StringIO)
    code: int | None = None

    def run(self, fake: FakeSession, stdin: io.StringIO | None, output: str = "csv") -> Talk:
        self.code = run_shell(
            as_session(fake), stdin=stdin, stdout=self.out, stderr=self.err, environ={}, output=output
        )
        return self


def piped(text: str, fake: FakeSession | None = None) -> Talk:
    return Talk().run(fake or FakeSession({"SELECT 1": ONE}), io.StringIO(text))


@contextmanager
def keyboard() -> Iterator[PipeInput]:
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        yield keys


def typed(keys_typed: str, fake: FakeSession | None = None) -> Talk:
    with keyboard() as keys:
        keys.send_text(keys_typed)
        return Talk().run(fake or FakeSession({"SELECT 1": ONE}), None)


@pytest.fixture(autouse=True)
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    return platformdirs.user_state_path("sqlprovider", appauthor=False)


@pytest.fixture
def session() -> Iterator[Session]:
    session = Session(load_config({}, environ={}, providers=("mlflow", "google")))
    yield session
    session.close()


def asked(session: Session, text: str) -> Talk:
    talk = Talk()
    talk.code = run_shell(
        session, stdin=io.StringIO(text), stdout=talk.out, stderr=talk.err, environ={}, output="csv"
    )
    return talk


# ---- at a terminal


def test_a_statement_is_run_when_its_semicolon_is_there() -> None:
    fake = FakeSession()
    typed(f"SELECT\r1;\r{LEAVE}", fake)
    assert fake.ran == [("SELECT\n1", ())]


def test_rows_are_followed_by_what_they_took() -> None:
    fake = FakeSession({"SELECT 1": Answer(("a",), [(1,)], requests=[request()])})
    talk = typed(f"SELECT 1;\r{LEAVE}", fake)
    assert talk.out.getvalue() == "a\n1\n"
    assert "1 row, 1 request, 0.0" in talk.err.getvalue()


def test_a_write_says_its_rows_once() -> None:
    talk = typed(f"DELETE;\r{LEAVE}", FakeSession({"DELETE": Answer(rowcount=2)}))
    assert "2 rows, 0 requests, 0.0" in talk.err.getvalue()


def test_ctrl_d_leaves() -> None:
    assert typed(LEAVE).code == 0


def test_ctrl_c_at_the_prompt_drops_the_line() -> None:
    fake = FakeSession()
    typed(f"SELECT {CTRL_C}SELECT 1;\r{LEAVE}", fake)
    assert fake.ran == [("SELECT 1", ())]


def test_ctrl_c_stops_the_statement_and_not_the_shell() -> None:
    fake = FakeSession({"slow": Answer(("a",), waits=True), "SELECT 1": ONE})

    def press() -> None:
        fake.waiting.wait(5)
        signal.raise_signal(signal.SIGINT)

    with keyboard() as keys:
        keys.send_text(f"slow;\rSELECT 1;\r{LEAVE}")
        thread = threading.Thread(target=press)
        thread.start()
        talk = Talk().run(fake, None)
        thread.join()
    assert "error: StatementInterrupted: interrupted\n" in talk.err.getvalue()
    assert [text for text, _ in fake.ran] == ["slow", "SELECT 1"]


def test_an_error_is_shown_and_the_shell_goes_on() -> None:
    fake = FakeSession({"bad": Answer(error=ProgrammingError("no", hint="do")), "SELECT 1": ONE})
    talk = typed(f"bad;\rSELECT 1;\r{LEAVE}", fake)
    assert "error: ProgrammingError: no\nhint: do\n" in talk.err.getvalue()
    assert (talk.code, talk.out.getvalue()) == (0, "a\n1\n")


def test_an_empty_line_runs_nothing() -> None:
    fake = FakeSession()
    typed(f"\r  \r{LEAVE}", fake)
    assert fake.ran == []


def test_history_is_kept_in_the_users_state_folder(state_folder: Path) -> None:
    typed(f"SELECT 1;\r{LEAVE}")
    path = state_folder / "history"
    assert "+SELECT 1;" in path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o077 == 0


def test_the_last_statement_is_one_key_away() -> None:
    fake = FakeSession({"SELECT 1": ONE})
    typed(f"SELECT 1;\r{LEAVE}", fake)
    typed(f"\x10\r{LEAVE}", fake)
    assert [text for text, _ in fake.ran] == ["SELECT 1", "SELECT 1"]


def test_a_state_folder_that_cannot_be_written_is_no_fault(state_folder: Path) -> None:
    state_folder.write_text("not a folder", encoding="utf-8")
    assert typed(f"SELECT 1;\r{LEAVE}").out.getvalue() == "a\n1\n"


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        pytest.param("", True, id="nothing"),
        pytest.param(".help", True, id="command"),
        pytest.param("SELECT 1", False, id="no semicolon"),
        pytest.param("SELECT ';", False, id="semicolon in a text"),
        pytest.param("SELECT 1 -- ;", False, id="semicolon in a comment"),
        pytest.param("CREATE TRIGGER t AFTER INSERT ON x BEGIN SELECT 1;", False, id="trigger's body"),
        pytest.param("SELECT 1; ", True, id="complete"),
    ],
)
def test_enter_ends_the_input_where_a_statement_ends(text: str, complete: bool) -> None:
    assert is_complete(text) == complete


# ---- at the end of a pipe


def test_lines_are_read_without_a_terminal() -> None:
    talk = piped(
        "SELECT\n1;\n-- a remark\n.mode json\nSELECT 1;\n", FakeSession({"SELECT\n1": ONE, "SELECT 1": ONE})
    )
    assert (talk.code, talk.out.getvalue()) == (0, 'a\n1\n[{"a": 1}]\n')


def test_the_last_statement_needs_no_semicolon() -> None:
    assert piped("SELECT 1").out.getvalue() == "a\n1\n"


def test_the_first_failure_ends_the_script() -> None:
    fake = FakeSession({"bad": Answer(error=ProgrammingError("no"))})
    assert piped("bad;\nSELECT 1;\n", fake).code == 1
    assert [text for text, _ in fake.ran] == ["bad"]


# ---- commands


def test_help_lists_every_command() -> None:
    said = piped(".help\n").err.getvalue()
    assert all(f"\n{command.usage} " in f"\n{said}" for command in DOT_COMMANDS.values())


def test_quit_leaves() -> None:
    fake = FakeSession()
    assert piped(".quit\nSELECT 1;\n", fake).code == 0
    assert fake.ran == []


def test_mode_changes_how_rows_are_printed() -> None:
    assert piped(".mode jsonl\nSELECT 1;\n").out.getvalue() == '{"a": 1}\n'


def test_mode_alone_says_the_mode() -> None:
    assert piped(".mode\n").err.getvalue().startswith("csv (there are: table, ")


@pytest.mark.parametrize(
    ("lines", "params"),
    [
        pytest.param(".param x a b\n", {"x": "a b"}, id="text"),
        pytest.param(".param x=1\n", {"x": "1"}, id="as the flag"),
        pytest.param(".param x:=1\n", {"x": 1}, id="typed"),
        pytest.param(".param x 1\n.param x 2\n.param y 3\n", {"x": "2", "y": "3"}, id="several"),
    ],
)
def test_param_binds_names(lines: str, params: dict[str, object]) -> None:
    fake = FakeSession({"SELECT 1": ONE})
    piped(f"{lines}SELECT 1;\n", fake)
    assert fake.ran == [("SELECT 1", params)]


def test_param_alone_lists_them() -> None:
    assert piped(".param\n.param x 5\n.param\n.param y\n").err.getvalue() == (
        "no parameter is set\n:x = '5'\nno parameter 'y' is set\n"
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param(".tabels", "did you mean .tables", id="command"),
        pytest.param(".mode jsn", "did you mean json", id="mode"),
        pytest.param(".param x:=y", "not a TOML value", id="parameter"),
    ],
)
def test_a_wrong_command_is_refused_with_the_nearest(line: str, said: str) -> None:
    talk = piped(f"{line}\n")
    assert talk.code == 2
    assert said in talk.err.getvalue()


def test_tables_lists_resources_and_local_tables(session: Session) -> None:
    talk = asked(session, "CREATE TABLE mine(x);\n.tables\n.tables mlflow.reg\n")
    assert {"mine", "mlflow.tracking.runs", "google.aiplatform.runs"} <= set(talk.out.getvalue().split("\n"))
    assert "mlflow.tracking" not in talk.out.getvalue().split("\n\n")[-1]


def test_schema_of_a_resource_is_its_columns(session: Session) -> None:
    assert "run_id,TEXT" in asked(session, ".schema mlflow.tracking.runs\n").out.getvalue()


def test_schema_of_a_local_table_is_its_statement(session: Session) -> None:
    talk = asked(session, "CREATE TABLE mine(x);\n.schema MINE\n.schema\n")
    assert talk.out.getvalue().count("CREATE TABLE mine(x)") == 2


# ---- completion


WORDS = {
    (): ["mlflow", "google"],
    ("mlflow",): ["tracking", "registry"],
    ("mlflow", "tracking"): ["runs", "experiments"],
    ("mlflow", "tracking", "runs"): ["run_id", "status", "search"],
}


def completed(text: str, cursor: int | None = None, *, asked_for: bool = True) -> list[str]:
    completer = NameCompleter(as_session(FakeSession(words=WORDS)), DOT_COMMANDS)
    event = CompleteEvent(completion_requested=asked_for)
    return [found.text for found in completer.get_completions(Document(text, cursor), event)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("SELECT * FROM ml", ["mlflow"], id="connection"),
        pytest.param("SELECT * FROM mlflow.", ["tracking", "registry"], id="services"),
        pytest.param("SELECT * FROM mlflow.tracking.ru", ["runs"], id="resource"),
        pytest.param('SELECT * FROM "mlflow".tracking.ru', ["runs"], id="quoted"),
        pytest.param("EXEC mlflow.tracking.runs.se", ["search"], id="method"),
        pytest.param("SELECT * FROM mlflow.tracking.runs r WHERE r.st", ["status"], id="column by alias"),
        pytest.param(
            "SELECT * FROM mlflow.tracking.runs WHERE runs.st", ["status"], id="column by last name"
        ),
        pytest.param("SELECT * FROM mlflow.tracking.runs WHERE stat", ["status"], id="column"),
        pytest.param("sel", ["SELECT"], id="keyword"),
        pytest.param("SELECT 1 FROM nowhere.", [], id="nothing known"),
        pytest.param(".sc", [".schema"], id="command"),
    ],
)
def test_names_are_completed(text: str, words: list[str]) -> None:
    assert completed(text) == words


def test_columns_are_known_before_the_from_clause_is_reached() -> None:
    assert completed("SELECT stat FROM mlflow.tracking.runs", len("SELECT stat")) == ["status"]


def test_a_single_letter_offers_nothing_unless_asked() -> None:
    assert completed("SELECT m", asked_for=False) == []


def test_the_real_catalog_completes_without_a_request(session: Session) -> None:
    completer = NameCompleter(session)
    event = CompleteEvent(completion_requested=True)
    found = completer.get_completions(Document("SELECT * FROM mlflow.tracking.metric_"), event)
    assert [completion.text for completion in found] == ["metric_history"]
