"""`sqlprovider providers check --exercise`: what it prints, and its exit code."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from sqlprovider.surfaces.cli import main
from tests.exercise.library import write_library

pytestmark = pytest.mark.slow


def check(*argv: str) -> tuple[int, str, str]:
    """The exit code, and what was printed on stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    code = main(("providers", "check", *argv), stdin=io.StringIO(), stdout=out, stderr=err, environ={})
    return code, out.getvalue(), err.getvalue()


@pytest.mark.parametrize("file", ["", "provider.yaml", "books.yaml"])
def test_a_line_a_resource_and_version_says_how_many_checks_passed(tmp_path: Path, file: str) -> None:
    code, out, err = check("--exercise", str(write_library(tmp_path) / file))
    assert (code, err.splitlines()[-1].endswith("nothing failed")) == (0, True)
    assert out.splitlines() == [
        f"library.books.{name} ({version}): 15 checks passed"
        for version in ("v1", "v2")
        for name in ("shelves", "volumes", "readers", "scores")
    ]


def test_what_fails_is_printed_below_its_resource_with_what_was_expected(tmp_path: Path) -> None:
    folder = write_library(tmp_path, was="LIKE: like", becomes='LIKE: "="')
    code, out, _ = check("--exercise", str(folder))
    at = out.splitlines().index("library.books.volumes (v1): 14 checks passed, 2 failed")
    assert code == 1
    assert "  pushes: list WHERE \"title\" LIKE ? ['50%%']: 0 rows, SQLite has 1" in out.splitlines()[at + 1]


def test_a_document_with_problems_is_not_exercised(tmp_path: Path) -> None:
    code, out, _ = check("--exercise", str(write_library(tmp_path, was="title: Volumes", becomes="titel: x")))
    assert (code, "unknown word 'titel'" in out, "passed" in out) == (1, True, False)


def test_without_the_flag_nothing_is_tried(tmp_path: Path) -> None:
    code, out, _ = check(str(write_library(tmp_path)))
    assert (code, out) == (0, "")
