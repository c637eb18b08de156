"""Each output format, value by value."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence

import pytest

from sqlprovider.errors import ConfigError, ProgrammingError
from sqlprovider.session import ResultColumn
from sqlprovider.surfaces.render import open_printer
from sqlprovider.values import Row, SQLValue, Type, distinct_names


def rendered(output: str, names: str, *rows: Row, types: Sequence[Type | None] = ()) -> str:
    stdout = io.StringIO()
    open_printer(output, stdout).write(columns(names, types), iter(rows))
    return stdout.getvalue()


def columns(names: str, types: Sequence[Type | None] = ()) -> tuple[ResultColumn, ...]:
    found = names.split()
    return tuple(map(ResultColumn, found, types or [None] * len(found)))


def cell(output: str, value: SQLValue, of: Type | None = None) -> str:
    """The value's text in a result of one column."""
    return rendered(output, "a", (value,), types=[of])


def failing_rows(*rows: Row) -> Iterator[Row]:
    yield from rows
    raise ProgrammingError("no")


# ---- csv


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(None, "", id="NULL is empty"),
        pytest.param("", '""', id="the empty string is quoted"),
        pytest.param("a,b", '"a,b"', id="comma"),
        pytest.param('a"b', '"a""b"', id="quote"),
        pytest.param("a\nb", '"a\nb"', id="line feed"),
        pytest.param("a\rb", '"a\rb"', id="carriage return"),
        pytest.param(" a ", " a ", id="blanks stay"),
        pytest.param(2**63 - 1, "9223372036854775807", id="integers are whole"),
        pytest.param(0.1 + 0.2, "0.30000000000000004", id="reals keep every digit"),
        pytest.param(1.0, "1.0", id="reals stay reals"),
        pytest.param(float("-inf"), "-Inf", id="infinity as SQLite writes it"),
        pytest.param(b"\x00\xff", "X'00FF'", id="blob as SQLite writes it"),
        pytest.param("é\u2028", "é\u2028", id="other text is itself"),
    ],
)
def test_a_value_in_csv(value: SQLValue, text: str) -> None:
    assert cell("csv", value) == f"a\n{text}\n"


def test_csv_of_no_rows_is_its_header() -> None:
    assert rendered("csv", "a b") == "a,b\n"


def test_a_header_of_csv_is_quoted_as_its_values_are() -> None:
    stdout = io.StringIO()
    open_printer("csv", stdout).write((ResultColumn("count(a, b)", None), ResultColumn("", None)), iter(()))
    assert stdout.getvalue() == '"count(a, b)",""\n'


def test_repeated_names_stay_in_csv() -> None:
    assert rendered("csv", "id id", (1, 2)) == "id,id\n1,2\n"


def test_a_blank_line_stands_between_two_results_of_csv() -> None:
    stdout = io.StringIO()
    printer = open_printer("csv", stdout)
    printer.write(columns("a"), iter([(1,)]))
    printer.write(columns("b"), iter([(2,)]))
    assert stdout.getvalue() == "a\n1\n\nb\n2\n"


@pytest.mark.parametrize("output", ["csv", "jsonl", "json", "markdown", "table"])
def test_a_statement_that_fails_before_its_first_row_prints_nothing(output: str) -> None:
    stdout = io.StringIO()
    with pytest.raises(ProgrammingError):
        open_printer(output, stdout).write(columns("a"), failing_rows())
    assert stdout.getvalue() == ""


def test_rows_of_csv_before_a_failure_stay_printed() -> None:
    stdout = io.StringIO()
    with pytest.raises(ProgrammingError):
        open_printer("csv", stdout).write(columns("a"), failing_rows((1,)))
    assert stdout.getvalue() == "a\n1\n"


def test_csv_is_printed_while_rows_come() -> None:
    stdout = io.StringIO()
    seen: list[str] = []

    def rows() -> Iterator[Row]:
        yield (1,)
        yield (2,)
        seen.append(stdout.getvalue())

    open_printer("csv", stdout).write(columns("a"), rows())
    assert seen == ["a\n1\n2\n"]


def test_printers_count_their_rows() -> None:
    assert open_printer("csv", io.StringIO()).write(columns("a"), iter([(1,), (2,)])) == 2


# ---- json


@pytest.mark.parametrize(
    ("value", "of", "text"),
    [
        pytest.param(None, None, "null", id="NULL"),
        pytest.param(2**63 - 1, None, "9223372036854775807", id="integers are whole"),
        pytest.param(1.5, None, "1.5", id="real"),
        pytest.param(float("inf"), Type.REAL, "null", id="Infinity"),
        pytest.param(float("nan"), None, "null", id="NaN"),
        pytest.param(b"\x00A", None, '"AEE="', id="blob"),
        pytest.param('é"\n', None, '"é\\"\\n"', id="text"),
        pytest.param(1, Type.BOOLEAN, "true", id="BOOLEAN 1"),
        pytest.param(0, Type.BOOLEAN, "false", id="BOOLEAN 0"),
        pytest.param(2, Type.BOOLEAN, "2", id="BOOLEAN that is none"),
        pytest.param(None, Type.BOOLEAN, "null", id="BOOLEAN NULL"),
        pytest.param(1, None, "1", id="1 of an expression"),
        pytest.param('{"b": 1,"a":[]}', Type.JSON, '{"b": 1,"a":[]}', id="JSON in its own order"),
        pytest.param("[1e400, 1.10]", Type.JSON, "[1e400, 1.10]", id="JSON keeps its numbers"),
        pytest.param('{"a":\n1}', Type.JSON, '{"a": 1}', id="JSON stays on its line"),
        pytest.param("[NaN]", Type.JSON, '"[NaN]"', id="JSON that is none"),
        pytest.param("{", Type.JSON, '"{"', id="JSON that is broken"),
        pytest.param("[" * 100_000, Type.JSON, '"' + "[" * 100_000 + '"', id="JSON that is too deep"),
        pytest.param("[1]", None, '"[1]"', id="JSON of an expression is text"),
        pytest.param("12", Type.TEXT, '"12"', id="text that looks like a number"),
    ],
)
@pytest.mark.parametrize("output", ["json", "jsonl"])
def test_a_value_in_json(output: str, value: SQLValue, of: Type | None, text: str) -> None:
    expected = f'{{"a": {text}}}'
    assert cell(output, value, of) == (f"[{expected}]\n" if output == "json" else f"{expected}\n")


def test_json_is_one_array_a_line() -> None:
    stdout = io.StringIO()
    printer = open_printer("json", stdout)
    printer.write(columns("b a"), iter([(1, 2), (3, 4)]))
    printer.write(columns("c"), iter(()))
    first, second = stdout.getvalue().splitlines()
    assert [list(row.items()) for row in json.loads(first)] == [[("b", 1), ("a", 2)], [("b", 3), ("a", 4)]]
    assert second == "[]"


def test_json_prints_no_partial_array() -> None:
    stdout = io.StringIO()
    with pytest.raises(ProgrammingError):
        open_printer("json", stdout).write(columns("a"), failing_rows((1,)))
    assert stdout.getvalue() == ""


def test_jsonl_of_no_rows_is_empty() -> None:
    assert rendered("jsonl", "a") == ""


@pytest.mark.parametrize(
    ("names", "distinct"),
    [
        pytest.param("id id", "id id:1", id="twice"),
        pytest.param("id ID id", "id ID:1 id:2", id="without regard to case"),
        pytest.param("id id:1 id", "id id:1 id:2", id="a name that is taken"),
        pytest.param("id:x id:x", "id:x id:x:1", id="a colon without a number"),
        pytest.param("a b", "a b", id="none"),
    ],
)
def test_repeated_names_are_told_apart_as_create_table_as_does(names: str, distinct: str) -> None:
    assert distinct_names(names.split()) == distinct.split()


# ---- markdown and the others


def test_markdown_escapes_what_would_end_a_cell() -> None:
    text = rendered("markdown", "a|b c", ("x|y\\", "l1\r\nl2"), (None, "\x1b[2J"))
    assert text == ("| a\\|b | c |\n| --- | --- |\n| x\\|y\\\\ | l1<br>l2 |\n| NULL | \\x1b[2J |\n")


def test_an_unknown_format_is_refused_with_the_formats() -> None:
    with pytest.raises(ConfigError, match="jsonl"):
        open_printer("jsn", io.StringIO())
