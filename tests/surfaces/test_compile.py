"""`sqlprovider providers compile`: what it needs, and what it says it wrote."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from sqlprovider.catalog.discovery_facts import compile_facts
from sqlprovider.errors import CatalogError, InterfaceError
from sqlprovider.surfaces.compile import CompileFacts, run_compile


def load() -> CompileFacts:
    return compile_facts


def test_each_file_written_is_a_line_of_the_output(tmp_path: Path) -> None:
    stdout, stderr, names = io.StringIO(), io.StringIO(), tmp_path / "ml.names.json"
    code = run_compile(
        ["ml.v1"], names=str(names), folder=str(tmp_path), load=load, stdout=stdout, stderr=stderr
    )
    assert code == 0
    assert stdout.getvalue().splitlines() == [str(names), str(tmp_path / "ml.v1.json")]
    assert stderr.getvalue() == "2 files written\n"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["ml.names.json", "ml.v1.json"]


@pytest.mark.parametrize(
    ("documents", "names", "folder"),
    [
        pytest.param([], "n.json", ".", id="no document"),
        pytest.param(["ml.v1"], None, ".", id="no names"),
        pytest.param(["ml.v1"], "n.json", None, id="no folder"),
        pytest.param(["ml.v1"], "n.json", "/nowhere/at/all", id="a folder that is not there"),
    ],
)
def test_what_is_not_given_is_asked_for(documents: list[str], names: str | None, folder: str | None) -> None:
    with pytest.raises(InterfaceError) as caught:
        run_compile(
            documents, names=names, folder=folder, load=load, stdout=io.StringIO(), stderr=io.StringIO()
        )
    assert caught.value.reason == "usage"


def test_a_document_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="no such file"):
        run_compile(
            ["ml.v0"],
            names=str(tmp_path / "n.json"),
            folder=str(tmp_path),
            load=load,
            stdout=io.StringIO(),
            stderr=io.StringIO(),
        )
