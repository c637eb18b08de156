"""Tables: full width into a file, no wider than the terminal on one."""

from __future__ import annotations

import io
import re

import pytest
from rich.cells import cell_len

from sqlprovider.session import ResultColumn
from sqlprovider.surfaces.table import TablePrinter
from sqlprovider.values import Row
from tests.surfaces.streams import Terminal

STYLE = re.compile(r"\x1b\[\d*m")


def table(stdout: io.StringIO, names: str, *rows: Row) -> str:
    TablePrinter(stdout).write([ResultColumn(name, None) for name in names.split()], iter(rows))
    return STYLE.sub("", stdout.getvalue())


@pytest.fixture
def narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("COLUMNS", "40")
    return Terminal()


def test_numbers_stand_to_the_right_and_null_is_said() -> None:
    assert table(io.StringIO(), "n text", (1, "a"), (1000, None)).splitlines() == [
        "┌──────┬──────┐",
        "│    n │ text │",
        "├──────┼──────┤",
        "│    1 │ a    │",
        "│ 1000 │ NULL │",
        "└──────┴──────┘",
    ]


def test_no_rows_are_a_header() -> None:
    assert "a" in table(io.StringIO(), "a")


def test_a_file_gets_every_row_on_one_line() -> None:
    text = table(io.StringIO(), "a b", ("x" * 5000, 1))
    assert "x" * 5000 in text


def test_a_terminal_gets_no_line_wider_than_it(narrow_terminal: Terminal) -> None:
    text = table(narrow_terminal, "a b", ("学" * 60, "y" * 10))
    assert max(map(cell_len, text.splitlines())) <= 40
    assert text.count("学") == 60


def test_more_columns_than_a_terminal_holds_become_records(narrow_terminal: Terminal) -> None:
    names = " ".join(f"column_{number}" for number in range(8))
    lines = table(narrow_terminal, names, tuple(range(8)), tuple(range(8))).splitlines()
    assert lines[0].strip() == "─── 1 ───"
    assert lines[1].split() == ["column_0", "0"]
    assert len(lines) == 18
    assert max(map(cell_len, lines)) <= 40


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("\x1b[31mred", "\\x1b[31mred", id="escape sequence"),
        pytest.param("\x9b31m", "\\x9b31m", id="one-byte escape"),
        pytest.param("a\rb\x07", "a\\rb\\x07", id="carriage return and bell"),
        pytest.param("a\u202eb", "a\\u202eb", id="right-to-left override"),
        pytest.param("[bold]x[/bold] :smile:", "[bold]x[/bold] :smile:", id="markup is text"),
    ],
)
def test_text_from_a_backend_does_not_steer_the_terminal(text: str, shown: str) -> None:
    assert shown in table(io.StringIO(), "a", (text,))


def test_a_columns_name_does_not_steer_the_terminal_either() -> None:
    assert "\x1b" not in table(io.StringIO(), "\x1b[2J", ("x",))


def test_a_blank_line_stands_between_two_tables() -> None:
    stdout = io.StringIO()
    printer = TablePrinter(stdout)
    for _ in range(2):
        printer.write([ResultColumn("a", None)], iter([(1,)]))
    assert stdout.getvalue().count("┘\n\n┌") == 1
