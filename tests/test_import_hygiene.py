"""What a start loads: heavy libraries only where they are used."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

HEAVY = {"apsw", "httpx", "prompt_toolkit", "pydantic", "rich", "sqlglot", "yaml"}
TABLES = "sqlprovider.surfaces.table"
"""The one module of ours that loads rich with itself; httpx loads it too, where click is installed."""


def loaded(code: str) -> set[str]:
    """The heavy libraries that a fresh Python has loaded after the code."""
    ended = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules, file=sys.stderr)"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "SQLPROVIDER_CONFIG": os.devnull},
    )
    return {*HEAVY, TABLES} & set(ended.stderr.split())


def command(*argv: str) -> str:
    return f"from sqlprovider.surfaces.cli import main\nmain({list(argv)!r}, stdout=open('/dev/null', 'w'))"


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
