"""The command line: what goes to stdout, what to stderr, and the exit code."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from sqlprovider.config import Settings
from sqlprovider.errors import (
    BackendError,
    CredentialsError,
    ProgrammingError,
    StatementInterrupted,
    Warning,
)
from sqlprovider.surfaces.cli import main
from tests.surfaces.fake_session import Answer, FakeSession, opening, request
from tests.surfaces.streams import ClosedPipe, FullDisk, Terminal

NO_FILE = {"SQLPROVIDER_CONFIG": os.devnull}
ONE = Answer(("a",), [(1,)])


@dataclass(frozen=True, slots=True)
class Outcome:
    code: int
    out: str
    err: str


def run(
    *argv: str,
    fake: FakeSession | None = None,
    stdin: io.StringIO | None = None,
    stdout: io.StringIO | None = None,
    stderr: io.StringIO | None = None,
    environ: Mapping[str, str] = NO_FILE,
) -> Outcome:
    out, err = stdout or io.StringIO(), stderr or io.StringIO()
    code = main(
        argv,
        stdin=stdin or Terminal(),
        stdout=out,
        stderr=err,
        environ=environ,
        open_session=opening(fake or FakeSession({"SELECT 1": ONE})),
    )
    return Outcome(code, out.getvalue(), err.getvalue())


def run_for_real(*argv: str, stdin: str = "", environ: Mapping[str, str] = NO_FILE) -> Outcome:
    out, err = io.StringIO(), io.StringIO()
    code = main(argv, stdin=io.StringIO(stdin), stdout=out, stderr=err, environ=environ)
    return Outcome(code, out.getvalue(), err.getvalue())


def answering(answer: Answer, **more: Answer) -> FakeSession:
    return FakeSession({"SELECT 1": answer, **more})


# ---- where SQL comes from


def test_sql_is_the_argument() -> None:
    assert run("query", "SELECT 1") == Outcome(0, "a\n1\n", "")


def test_sql_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "x.sql"
    path.write_text("\ufeffSELECT 1", encoding="utf-8")
    assert run("query", "-f", str(path)).out == "a\n1\n"


@pytest.mark.parametrize("argv", [pytest.param((), id="nothing"), pytest.param(("-f", "-"), id="a dash")])
def test_sql_is_read_from_stdin(argv: Sequence[str]) -> None:
    assert run("query", *argv, stdin=io.StringIO("SELECT 1")).out == "a\n1\n"


def test_sql_that_begins_with_a_comment_is_no_flag() -> None:
    fake = FakeSession({"-- first\nSELECT 1": ONE})
    assert run("query", "-- first\nSELECT 1", fake=fake).code == 0


def test_a_session_is_closed_at_the_end() -> None:
    fake = answering(Answer(error=ProgrammingError("no")))
    run("query", "SELECT 1", fake=fake)
    assert fake.is_closed


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        pytest.param((), "no command", id="no command"),
        pytest.param(("quary", "SELECT 1"), "invalid choice", id="command"),
        pytest.param(("query", "--sett", "x=1", "SELECT 1"), "--sett", id="no abbreviations"),
        pytest.param(("query",), "no SQL", id="no SQL on a terminal"),
        pytest.param(("query", "-f", "/nowhere.sql"), "No such file", id="no file"),
        pytest.param(("query", "-f", "/"), "directory", id="a folder"),
        pytest.param(("query", "-f", "x.sql", "SELECT 1"), "give one of them", id="SQL twice"),
        pytest.param(("query", "-o", "xml", "SELECT 1"), "invalid choice", id="format"),
        pytest.param(("query", "-p", "x", "SELECT 1"), "NAME=VALUE", id="parameter"),
        pytest.param(("query", "-p", "x:=y", "SELECT 1"), "not a TOML value", id="typed parameter"),
        pytest.param(("providers", "check", "/nowhere.yaml"), "no document", id="no document"),
        pytest.param(("providers", "chek", "x"), "invalid choice", id="providers' action"),
    ],
)
def test_a_wrong_command_line_is_code_2_and_says_why(argv: Sequence[str], said: str) -> None:
    outcome = run(*argv)
    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err
    assert "Traceback" not in outcome.err


def test_a_file_that_is_no_text_is_code_2(tmp_path: Path) -> None:
    path = tmp_path / "x.sql"
    path.write_bytes(b"SELECT '\xff'")
    assert run("query", "-f", str(path)).code == 2


# ---- what is printed


def test_the_default_format_is_table_on_a_terminal() -> None:
    assert "│ 1 │" in run("query", "SELECT 1", stdout=Terminal()).out


def test_the_format_is_chosen() -> None:
    assert run("query", "-o", "json", "SELECT 1").out == '[{"a": 1}]\n'


def test_parameters_are_bound_by_name() -> None:
    fake = answering(ONE)
    run("query", "-p", "x=1", "-p", "y:=2", "SELECT 1", fake=fake)
    assert fake.ran == [("SELECT 1", {"x": "1", "y": 2})]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(Answer(rowcount=1), "1 row\n", id="one row"),
        pytest.param(Answer(rowcount=0), "0 rows\n", id="no row"),
        pytest.param(Answer(rowcount=3, notices=["INSERT: 3 rows"]), "INSERT: 3 rows\n", id="notice"),
        pytest.param(Answer(rowcount=-1), "", id="nothing to count"),
    ],
)
def test_a_statement_without_a_result_says_its_rows_on_stderr(answer: Answer, said: str) -> None:
    assert run("query", "SELECT 1", fake=answering(answer)) == Outcome(0, "", said)


def test_warnings_go_to_stderr_with_their_hint() -> None:
    answer = Answer(("a",), [(1,)], warnings=[Warning("text against a number", hint="CAST(a AS REAL)")])
    outcome = run("query", "SELECT 1", fake=answering(answer))
    assert outcome == Outcome(0, "a\n1\n", "warning: text against a number\nhint: CAST(a AS REAL)\n")


def test_warnings_of_a_failing_statement_are_shown_before_the_error() -> None:
    answer = Answer(("a",), warnings=[Warning("odd")], error=BackendError("broken", status=500))
    outcome = run("query", "SELECT 1", fake=answering(answer))
    assert outcome == Outcome(1, "", "warning: odd\nerror: BackendError: broken\n")


def test_trace_prints_each_request() -> None:
    answer = Answer(("a",), requests=[request(), request(2, attempt=2, status=None, url="http://h/\x1b[2J")])
    fake = FakeSession({"SELECT 1": answer}, settings=Settings(trace=True))
    assert run("query", "SELECT 1", fake=fake).err == (
        "GET http://h/runs 200 12 ms\nGET http://h/\\x1b[2J no answer 12 ms (attempt 2)\n"
    )


def test_requests_are_not_printed_without_trace() -> None:
    assert run("query", "SELECT 1", fake=answering(Answer(("a",), requests=[request()]))).err == ""


def test_what_a_dry_run_holds_back_goes_to_stderr() -> None:
    outcome = run("query", "SELECT 1", fake=answering(Answer(dry=["POST http://h/runs\n{}"])))
    assert (outcome.out, outcome.err) == ("", "POST http://h/runs\n{}\n")


# ---- how it ends


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        pytest.param(
            ProgrammingError("no", hint="do"), 1, "error: ProgrammingError: no\nhint: do\n", id="failed"
        ),
        pytest.param(CredentialsError("none"), 2, "error: CredentialsError: none\n", id="no credentials"),
        pytest.param(
            StatementInterrupted("interrupted"),
            130,
            "error: StatementInterrupted: interrupted\n",
            id="Ctrl-C",
        ),
        pytest.param(
            KeyboardInterrupt(), 130, "error: StatementInterrupted: interrupted\n", id="Ctrl-C twice"
        ),
        pytest.param(
            BackendError("\x1b[2Jx"), 1, "error: BackendError: \\x1b[2Jx\n", id="what a server says"
        ),
    ],
)
def test_a_failure_is_an_exit_code_and_a_message(error: BaseException, code: int, said: str) -> None:
    assert run("query", "SELECT 1", fake=answering(Answer(error=error))) == Outcome(code, "", said)


def test_the_statements_after_a_failing_one_are_not_run() -> None:
    fake = FakeSession({"SELECT 1": ONE, "bad": Answer(error=ProgrammingError("no"))})
    outcome = run("query", "SELECT 1; bad; SELECT 1", fake=fake)
    assert (outcome.code, outcome.out) == (1, "a\n1\n")
    assert [text for text, _ in fake.ran] == ["SELECT 1", "bad"]


def test_our_own_fault_asks_for_a_report_and_shows_no_traceback() -> None:
    outcome = run("query", "SELECT 1", fake=answering(Answer(error=ValueError("odd"))))
    assert outcome.code == 1
    assert outcome.err.startswith("error: InternalError: ValueError: odd\nhint: please report this")


def test_a_traceback_is_shown_where_it_is_asked_for() -> None:
    fake = answering(Answer(error=ValueError("odd")))
    environ = {**NO_FILE, "SQLPROVIDER_DEBUG": "1"}
    assert run("query", "SELECT 1", fake=fake, environ=environ).err.startswith("Traceback")


def test_a_closed_stdout_ends_quietly() -> None:
    assert run("query", "SELECT 1", stdout=ClosedPipe()) == Outcome(0, "", "")


def test_a_full_disk_is_an_error() -> None:
    outcome = run("query", "SELECT 1", stdout=FullDisk())
    assert outcome.code == 1
    assert "No space left on device" in outcome.err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        pytest.param(("--set", "max_request=1"), "did you mean max_requests", id="--set"),
        pytest.param(("--max-requests", "many"), "max_requests must be a whole number", id="setting"),
        pytest.param(("--timeout", "0"), "timeout must be a number of seconds above 0", id="time-out"),
        pytest.param(("--config", "/nowhere.toml"), "no configuration file", id="no file"),
        pytest.param(("--db", "/nowhere/x.db"), "/nowhere/x.db", id="local database"),
    ],
)
def test_a_wrong_configuration_is_code_2(argv: Sequence[str], said: str) -> None:
    outcome = run_for_real("query", *argv, "SELECT 1")
    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err


# ---- with the engine behind it


def test_help_goes_to_stdout() -> None:
    outcome = run("query", "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert "--max-requests" in outcome.out


def test_version_is_one_line() -> None:
    assert run("--version").out.startswith("sqlprovider ")


def test_a_script_prints_its_results_in_order() -> None:
    sql = "CREATE TABLE t(x); INSERT INTO t VALUES (1), (NULL); SELECT x FROM t; SELECT :who AS who"
    outcome = run_for_real("query", "-o", "jsonl", "-p", "who=ana", sql)
    assert (outcome.code, outcome.out) == (0, '{"x": 1}\n{"x": null}\n{"who": "ana"}\n')
    assert "2 rows" in outcome.err


def test_a_local_database_is_a_file(tmp_path: Path) -> None:
    path = str(tmp_path / "x.db")
    run_for_real("query", "--db", path, "CREATE TABLE t AS SELECT 5 AS x")
    assert run_for_real("query", "--db", path, "SELECT x FROM t").out == "x\n5\n"


def test_a_wrong_statement_prints_nothing_on_stdout() -> None:
    outcome = run_for_real("query", "-o", "json", "SELECT nope")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("error: ")


def test_a_missing_parameter_is_refused_with_nothing_on_stdout() -> None:
    outcome = run_for_real("query", "SELECT * FROM google.aiplatform.runs WHERE projectsId = 'p'")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("error: MissingParameterError: ")
    assert "hint: " in outcome.err


def test_the_shell_reads_a_pipe_and_takes_the_same_flags() -> None:
    outcome = run_for_real(
        "shell", "-p", "x=ana", "-o", "jsonl", stdin="SELECT :x AS x;\nSELEC;\nSELECT 2;\n"
    )
    assert (outcome.code, outcome.out) == (1, '{"x": "ana"}\n')


def test_providers_lists_what_is_there() -> None:
    outcome = run_for_real("providers")
    assert outcome.code == 0
    assert {"google", "mlflow"} <= {line.split(",")[0] for line in outcome.out.splitlines()}


def test_check_prints_the_problems_of_a_document(tmp_path: Path) -> None:
    path = tmp_path / "provider.yaml"
    path.write_text("provider: 5\nnope: 1\n", encoding="utf-8")
    outcome = run_for_real("providers", "check", str(path))
    assert outcome.code == 1
    assert outcome.out.count("provider.yaml") >= 2


def test_the_command_runs_as_a_module() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "sqlprovider", "query", "-o", "csv", "SELECT 'é' AS a, '' AS b"],
        capture_output=True,
        env={**os.environ, **NO_FILE, "LC_ALL": "C", "PYTHONIOENCODING": "latin-1"},
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (0, 'a,b\né,""\n'.encode())


def test_a_reader_that_goes_away_ends_a_stream_quietly() -> None:
    endless = "WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t) SELECT x FROM t"
    with subprocess.Popen(
        [sys.executable, "-m", "sqlprovider", "query", endless],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **NO_FILE},
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"x\n"
        running.stdout.close()
        assert running.stderr is not None
        assert (running.wait(10), running.stderr.read()) == (0, b"")
