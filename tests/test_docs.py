"""The README says what there is: folders, flags, forms, tables, errors, configuration."""

from __future__ import annotations

import inspect
import io
import re
import tomllib
from pathlib import Path

import pytest

from sqlprovider import errors
from sqlprovider.config import AUTH_OPTIONS, SETTINGS, load_config
from sqlprovider.session import provider_names
from sqlprovider.surfaces.demo.tour import STOPS
from sqlprovider.surfaces.flags import read_arguments
from sqlprovider.surfaces.formats import FORMATS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOW_FORMS = (
    "SHOW PROVIDERS",
    "SHOW SERVICES IN",
    "SHOW RESOURCES IN",
    "SHOW METHODS IN",
    "SHOW COLUMNS IN",
    "SHOW INSERT INTO",
    "DESCRIBE mlflow",
    "DESCRIBE EXTENDED",
)
SYSTEM_TABLES = (
    "connections",
    "services",
    "resources",
    "methods",
    "columns",
    "requests",
    "last_write",
    "journal",
    "operations",
    "limits",
    "cache",
)


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def _first_cells(heading: str) -> list[str]:
    """The code in the first cells of the table whose first column has that heading."""
    _, rows = README.split(f"| {heading} |", 1)
    table = rows.split("\n\n", 1)[0].splitlines()[2:]
    return [code for row in table for code in re.findall(r"`([^`]+)`", row.split("|")[1])]


def _flags_of(*command: str) -> set[str]:
    printed = io.StringIO()
    assert read_arguments([*command, "--help"], stdout=printed) is None
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", printed.getvalue()))


def _error_names() -> set[str]:
    found = inspect.getmembers(errors, inspect.isclass)
    return {name for name, kind in found if issubclass(kind, Exception) and not name.startswith("_")}


def test_the_folder_table_names_every_folder_and_no_other() -> None:
    folders = {
        f"sqlprovider/{path.name}/"
        for path in (ROOT / "sqlprovider").iterdir()
        if path.is_dir() and path.name != "__pycache__"
    }
    assert set(_first_cells("folder")) == folders


def test_the_folder_table_is_in_the_order_of_the_layers() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = [c for c in pyproject["tool"]["importlinter"]["contracts"] if c["type"] == "layers"]
    level = {
        name.strip(): number for number, names in enumerate(contract["layers"]) for name in names.split("|")
    }
    levels = [level[cell.split("/")[1]] for cell in _first_cells("folder")]
    assert levels == sorted(levels)


def test_the_layout_names_folders_that_are_there() -> None:
    assert [path for path in _first_cells("path") if not (ROOT / path).is_dir()] == []


@pytest.mark.parametrize("command", [("query",), ("shell",), ("demo",), ("providers",), ()])
def test_every_flag_is_in_the_readme(command: tuple[str, ...]) -> None:
    documented = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", README))
    assert _flags_of(*command) - documented - {"-h"} == set()


def test_the_option_table_names_no_flag_that_is_not_there() -> None:
    documented = {flag.split()[0] for flag in _first_cells("option")}
    assert documented - _flags_of("query") - _flags_of() == set()


@pytest.mark.parametrize("form", SHOW_FORMS)
def test_every_show_form_is_in_the_readme(form: str) -> None:
    assert [cell for cell in _first_cells("to see") + README.splitlines() if form in cell]


@pytest.mark.parametrize("name", sorted(_error_names()))
def test_every_error_is_in_the_readme(name: str) -> None:
    assert f"`{name}`" in README


def test_the_error_table_names_no_error_that_is_not_there() -> None:
    assert set(_first_cells("error")) - _error_names() - {"max_requests"} == set()


def test_the_system_tables_are_those_of_the_readme() -> None:
    assert _first_cells("table") == [f"sqlprovider.{name}" for name in SYSTEM_TABLES]


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_is_in_the_readme(setting: str) -> None:
    assert f"`{setting}`" in README.split("## Configuration")[1]


@pytest.mark.parametrize("auth", AUTH_OPTIONS)
def test_every_auth_type_is_in_the_readme_with_its_options(auth: str) -> None:
    configuration = README.split("## Configuration")[1]
    assert all(f"`{word}`" in configuration for word in (auth, *AUTH_OPTIONS[auth]))


@pytest.mark.parametrize("name", FORMATS)
def test_every_output_format_is_in_the_readme(name: str) -> None:
    assert f"`{name}`" in README


@pytest.mark.parametrize("text", [*_blocks("toml"), (ROOT / "examples/sqlprovider.toml").read_text()])
def test_a_configuration_that_is_shown_can_be_loaded(text: str) -> None:
    assert load_config(tomllib.loads(text), environ={}, providers=provider_names()).connections


def test_there_are_ten_queries() -> None:
    section = README.split("## Ten queries")[1].split("\n## ")[0]
    assert section.count("```sql") == 10


def test_the_length_of_the_tour_is_the_demo_s() -> None:
    assert f"{len(STOPS)} stops" in README


def test_every_anchor_leads_somewhere() -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", line.lstrip("# ")).lower().replace(" ", "-")
        for line in README.splitlines()
        if line.startswith("#")
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) - headings == set()
