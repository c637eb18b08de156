"""The architecture as tests: who imports whom, what the engine may not know, and how long things may be."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "sqlprovider"
ENGINE_FOLDERS = ("sql", "plan", "execute", "vtab")
LAYER_FOLDERS = ("catalog", "sql", "plan", "auth", "execute", "vtab", "exercise", "surfaces")
PROVIDER_NAMES = re.compile(
    r"mlflow|google|aiplatform|vertex|alibaba|paidlc|aidataplatform|(?<![a-z])oci(?![a-z])", re.IGNORECASE
)
SUPPRESSION = re.compile(r"#\s*(noqa|type:\s*ignore|pragma:\s*no cover)(?P<rest>.*)")
CODE = re.compile(r"(: [A-Z]+\d+(, ?[A-Z]+\d+)*|\[[a-z-]+(, ?[a-z-]+)*\]|(?=\s))")

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


def _sources(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def _code_of(path: Path) -> str:
    """The code without comments and docstrings."""

    class WithoutStrings(ast.NodeTransformer):
        def visit_Expr(self, node: ast.Expr) -> ast.Expr:
            is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
            return ast.Expr(ast.Constant(value=...)) if is_text else node

    return ast.unparse(WithoutStrings().visit(ast.parse(path.read_text(encoding="utf-8"))))


def _long_functions(path: Path, limit: int) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, FunctionNode):
            # A docstring costs nothing: only what has to be understood is counted.
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            length = (node.end_lineno or node.lineno) - first.lineno + 1
            if length > limit:
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name} has {length} lines"


def _unexplained(path: Path) -> Iterator[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, (above, line) in enumerate(zip(["", *lines], lines, strict=False), 1):
        if (found := SUPPRESSION.search(line)) is None:
            continue
        code = CODE.match(found["rest"])
        # The reason stands behind the code, or in a comment line above.
        reason = found["rest"][code.end() :].strip(" #") if code else ""
        if code is None or not (reason or above.lstrip().startswith("# ")):
            yield f"{path.relative_to(ROOT)}:{number} {line.strip()}"


def test_imports_go_one_way() -> None:
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert status == EXIT_STATUS_SUCCESS


@pytest.mark.parametrize("folder", ENGINE_FOLDERS)
def test_the_engine_names_no_provider(folder: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in _sources(PACKAGE / folder)
        for match in PROVIDER_NAMES.finditer(_code_of(path))
    ]
    assert found == []


def test_every_provider_is_among_the_names_the_engine_may_not_know() -> None:
    providers = [folder.name for folder in (ROOT / "schemas").iterdir() if folder.is_dir()]
    assert [name for name in providers if not PROVIDER_NAMES.fullmatch(name)] == []


def test_no_file_is_longer_than_500_lines() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in _sources(PACKAGE, ROOT / "tests")
    }
    assert {name: length for name, length in lengths.items() if length > 500} == {}


def test_no_function_is_longer_than_40_lines() -> None:
    assert [line for path in _sources(PACKAGE) for line in _long_functions(path, 40)] == []


def test_a_suppression_names_its_code_and_its_reason() -> None:
    unexplained = [line for path in _sources(PACKAGE) for line in _unexplained(path)]
    assert unexplained == []


@pytest.mark.parametrize("folder", LAYER_FOLDERS)
def test_a_folder_says_what_it_takes_and_gives(folder: str) -> None:
    docstring = (
        ast.get_docstring(ast.parse((PACKAGE / folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    )
    words = ("Takes:", "Gives:", "May import:", "Start reading")
    assert [word for word in words if word not in docstring] == []
