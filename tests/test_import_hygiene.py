"""What a start loads: heavy libraries only where they are used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fakes.loopback import Loopback

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

HEAVY = {"apsw", "httpx", "prompt_toolkit", "pydantic", "rich", "sqlglot", "yaml"}
TABLES = "sqlprovider.surfaces.table"
"""The one module of ours that loads rich with itself; httpx loads it too, where click is installed."""


READS_DOCUMENTS = {"pydantic", "yaml", "sqlprovider.catalog.document", "sqlprovider.catalog.build"}
NO_STATEMENT = {
    "sqlprovider.session",
    "sqlprovider.values",
    "sqlprovider.catalog",
    "sqlprovider.surfaces.render",
}
REACHES_PLATFORMS = {
    "sqlprovider.catalog.model",
    "sqlprovider.execute.calling",
    "sqlprovider.execute.platforms",
    "sqlprovider.plan",
    "sqlprovider.sql.reading",
    "sqlprovider.sql.statement",
    "sqlprovider.values",
    "sqlprovider.vtab.engine",
}
WRITES = {"sqlprovider.execute.journal", "sqlprovider.vtab.commands", "sqlprovider.vtab.writer"}
LOCAL = "SELECT 1"
READ = "SELECT name FROM mlflow.tracking.experiments LIMIT 1"
NAMED = "EXPLAIN SELECT * FROM mlflow.tracking.runs"


def modules(code: str, **environ: str) -> set[str]:
    """What a fresh Python has loaded after the code."""
    ended = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules, file=sys.stderr)"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "SQLPROVIDER_CONFIG": os.devnull, **environ},
    )
    return set(ended.stderr.split())


def loaded(code: str) -> set[str]:
    """The heavy libraries that a fresh Python has loaded after the code."""
    return {*HEAVY, TABLES} & modules(code)


def command(*argv: str) -> str:
    return f"from sqlprovider.surfaces.cli import main\nmain({list(argv)!r}, stdout=open('/dev/null', 'w'))"


def test_the_version_loads_one_module_of_ours() -> None:
    assert modules(command("--version")) - modules("pass") == {
        "__future__",
        "gc",
        "sqlprovider",
        "sqlprovider.surfaces",
        "sqlprovider.surfaces.cli",
    }


@pytest.mark.parametrize(
    "argv",
    [["--help"], ["query", "--help"], ["shell", "--help"], ["plan", "--help"], ["providers", "--help"]],
)
def test_help_loads_words_and_nothing_that_runs_a_statement(argv: list[str]) -> None:
    found = modules(command(*argv))
    assert "sqlprovider.surfaces.flags" in found
    assert not {*HEAVY, *NO_STATEMENT, "json", "tomllib", "platformdirs"} & found


def test_a_local_query_loads_what_sqlite_needs() -> None:
    found = modules(command("query", LOCAL))
    assert {*HEAVY, TABLES} & found == {"apsw"}
    assert not {*READS_DOCUMENTS, *REACHES_PLATFORMS} & found
    assert not {
        name for name in found if name.startswith(("sqlprovider.exercise", "sqlprovider.surfaces.demo"))
    }


def test_a_statement_on_a_compiled_provider_reads_no_documents(tmp_path: Path) -> None:
    first, second = (modules(command("query", NAMED), SQLPROVIDER_CACHE_DIR=str(tmp_path)) for _ in range(2))
    assert first >= READS_DOCUMENTS
    assert "sqlprovider.catalog.compiled" in second
    assert not READS_DOCUMENTS & second


def one_experiment(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "application/json")])
    return [b'{"experiments": [{"experiment_id": "1", "name": "first"}]}']


def test_a_read_loads_no_more_than_reading_needs(tmp_path: Path) -> None:
    with Loopback(one_experiment) as server:
        environ = {"SQLPROVIDER_CACHE_DIR": str(tmp_path), "MLFLOW_TRACKING_URI": server.base_url}
        _, found = (modules(command("query", "-o", "csv", READ), **environ) for _ in range(2))
    assert found >= {"apsw", "sqlprovider.execute.calling", "sqlprovider.vtab.engine"}
    assert not {*READS_DOCUMENTS, *WRITES, "prompt_toolkit", TABLES} & found
    # httpx itself loads rich where click is installed, for a command line of its own.
    assert "rich" not in found or "click" in found


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import sqlprovider", id="import"),
        pytest.param("from sqlprovider import connect, Error, STRING, __version__", id="the public names"),
        pytest.param(command("--help"), id="--help"),
        pytest.param(command("query", "--help"), id="query --help"),
        pytest.param(command("shell", "--help"), id="shell --help"),
        pytest.param(command("--version"), id="--version"),
    ],
)
def test_nothing_heavy_is_loaded_by(code: str) -> None:
    assert loaded(code) == set()


@pytest.mark.parametrize("output", ["csv", "json", "jsonl", "markdown"])
def test_a_query_loads_no_tables_and_no_prompts(output: str) -> None:
    found = loaded(command("query", "-o", output, "SELECT 1"))
    assert "apsw" in found
    assert not {"prompt_toolkit", TABLES} & found


def test_a_shell_at_the_end_of_a_pipe_loads_no_prompts() -> None:
    code = "import io\nfrom sqlprovider.surfaces.cli import main\nmain(['shell'], stdin=io.StringIO(''))"
    assert "prompt_toolkit" not in loaded(code)
