"""`read_csv`: columns, types and what is refused. Python's own writer, and ours, are held against it."""

from __future__ import annotations

import csv
import gzip
import io
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sqlprovider.errors import DataError, Error, OperationalError, ProgrammingError
from sqlprovider.session import ResultColumn
from sqlprovider.surfaces.render import open_printer
from sqlprovider.values import Row, SQLValue
from sqlprovider.vtab.file_numbers import number
from sqlprovider.vtab.file_reader import SAMPLE_ROWS
from tests.vtab.files import opened, selected, typed, written


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        pytest.param("a,b\n1,x\n", [(1, "x")], id="one row"),
        pytest.param("a,b\n", [], id="a header only"),
        pytest.param("a,b\r\n1,x\r\n", [(1, "x")], id="CRLF"),
        pytest.param("a,b\n1,x", [(1, "x")], id="no line break at the end"),
        pytest.param("a,b\n1,x\n\n\n", [(1, "x")], id="blank lines at the end"),
        pytest.param("\ufeffa,b\n1,x\n", [(1, "x")], id="a byte order mark"),
        pytest.param('a,b\n,""\n', [(None, "")], id="nothing is NULL, quoted nothing is empty"),
        pytest.param('a,b\n"",1\n5,\n', [(None, 1), (5, None)], id="quoted nothing in a column of numbers"),
        pytest.param('a,b\nx,"l1\nl2, ""q"""\n', [("x", 'l1\nl2, "q"')], id="quotes, a comma and a break"),
        pytest.param('a,b\n"x,"",y",\n', [('x,",y', None)], id="two quotes inside a field are no empty text"),
        pytest.param('a,b,c\n"""",,""\n', [('"', None, "")], id="one quote alone"),
        pytest.param("a\n1\n\n3\n", [(1,), (None,), (3,)], id="a blank line in a file of one column"),
        pytest.param("a;b\n1;x,y\n", [(1, "x,y")], id="semicolons"),
        pytest.param("a\tb\n1\tx\n", [(1, "x")], id="tabs"),
        pytest.param("a|b\n1|x\n", [(1, "x")], id="bars"),
        pytest.param('"a;b",c\n1,x\n', [(1, "x")], id="a delimiter inside quotes is none"),
        pytest.param("a,b\nä,日本\n", [("ä", "日本")], id="what is not ASCII"),
    ],
)
def test_rows(tmp_path: Path, text: str, rows: list[Row]) -> None:
    assert selected(f"SELECT * FROM read_csv('{written(tmp_path, text)}')") == rows


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        pytest.param("id,id,ID", ["id", "id:1", "ID:2"], id="names that are alike"),
        pytest.param("a,,", ["a", "column2", "column3"], id="names that are missing"),
        pytest.param(" a , b", ["a", "b"], id="blanks around names"),
        pytest.param('"a""b",c d', ['a"b', "c d"], id="odd names"),
        pytest.param("argument_1,rowid", ["argument_1", "rowid"], id="names of ours and of SQLite's"),
        pytest.param('"a\nb",c', ["a\nb", "c"], id="a line break in a name"),
    ],
)
def test_the_header_names_the_columns(tmp_path: Path, header: str, columns: list[str]) -> None:
    path = written(tmp_path, header + "\n")
    with opened() as session:
        (result,) = session.run(f"SELECT * FROM read_csv('{path}')")
        assert result.columns is not None
        assert [column.name for column in result.columns] == columns


@pytest.mark.parametrize(
    ("cells", "type_", "values"),
    [
        pytest.param(["1", "-20", "0"], "INTEGER", [1, -20, 0], id="integers"),
        pytest.param(["0.50", "1", "1e3", "-.5"], "REAL", [0.5, 1.0, 1000.0, -0.5], id="reals"),
        pytest.param(["01234", "94110"], "TEXT", ["01234", "94110"], id="leading zeros"),
        pytest.param(["+49", "1"], "TEXT", ["+49", "1"], id="a plus sign"),
        pytest.param(["9223372036854775807"], "INTEGER", [2**63 - 1], id="the largest integer"),
        pytest.param(["9223372036854775808", "1"], "TEXT", ["9223372036854775808", "1"], id="20 digits"),
        pytest.param(["9" * 5000], "TEXT", ["9" * 5000], id="more digits than Python reads"),
        pytest.param(["0.5", "9007199254740993"], "REAL", [0.5, 2**53 + 1], id="an integer no REAL can be"),
        pytest.param(
            ["0.5", "NaN", "inf", "-Infinity"], "REAL", [0.5, "NaN", math.inf, -math.inf], id="words"
        ),
        pytest.param(["nan", "inf"], "TEXT", ["nan", "inf"], id="words alone"),
        pytest.param(["2026-01-02", "2026"], "TEXT", ["2026-01-02", "2026"], id="dates"),
        pytest.param(["1_000", "2"], "TEXT", ["1_000", "2"], id="what only Python takes for a number"),
        pytest.param(["٣", "3"], "TEXT", ["٣", "3"], id="digits of other scripts"),
        pytest.param(["0x1F"], "TEXT", ["0x1F"], id="hexadecimal"),
        pytest.param([" 7", "8 "], "INTEGER", [7, 8], id="blanks around numbers"),
        pytest.param(['"1\n2"', "3"], "TEXT", ["1\n2", "3"], id="two numbers in one cell"),
        pytest.param(["", "1"], "INTEGER", [None, 1], id="nothing and an integer"),
        pytest.param(["true", "false"], "TEXT", ["true", "false"], id="booleans"),
    ],
)
def test_a_column_of_numbers_is_one(
    tmp_path: Path, cells: list[str], type_: str, values: list[SQLValue]
) -> None:
    path = written(tmp_path, "".join(f"{line}\n" for line in ["a,b", *(f"{cell},-" for cell in cells)]))
    assert typed(f"SELECT a FROM read_csv('{path}')") == [f"a:{type_}"]
    assert selected(f"SELECT a FROM read_csv('{path}')") == [(value,) for value in values]
    given = [cell.strip('"') for cell in cells]
    assert selected(f"SELECT a FROM read_csv('{path}', 'text')") == [(cell or None,) for cell in given]


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_reads_back_as_itself(value: float) -> None:
    if isinstance(value, float) or -(2**63) <= value < 2**63:
        assert number(repr(value)) == value
    else:
        assert number(repr(value)) is None


def test_numbers_compare_sort_and_divide_as_numbers(tmp_path: Path) -> None:
    path = written(tmp_path, "step,loss\n9,1\n10,0.25\n100,3\n")
    sql = f"SELECT step, loss / 2 FROM read_csv('{path}') WHERE step > 9 OR loss = 1 ORDER BY step DESC"
    assert selected(sql) == [(100, 1.5), (10, 0.125), (9, 0.5)]


@pytest.mark.parametrize(
    ("text", "call", "message"),
    [
        pytest.param("", "", "it is empty", id="an empty file"),
        pytest.param("\n1\n", "", "line 1 is blank", id="no header"),
        pytest.param("a,b\n1,2\n3\n", "", "line 3 has 1 field; the header has 2 fields", id="too few"),
        pytest.param(
            'a,b\n"x\ny",2\n3,4,5\n', "", "line 4 has 3 fields; the header has 2 fields", id="too many"
        ),
        pytest.param("a,b\n1,2\n\n3,4\n", "", "line 3 is blank, and more lines follow", id="a gap"),
        pytest.param('a,b\n1,"x\n', "", "line 2: unexpected end of data", id="an open quote"),
        pytest.param('a,b\n1,"x"y\n', "", "line 2: ',' expected after '\"'", id="text after a quote"),
        pytest.param(b"a,b\n1,\xff\n", "", "not UTF-8: byte 0xff at offset 6", id="not UTF-8"),
        pytest.param("a,b\n1,2\n".encode("utf-16"), "", "not UTF-8: byte 0xff at offset 0", id="UTF-16"),
        pytest.param("a,b\n1,x\0\n", "", "line 2 holds a NUL", id="a NUL"),
        pytest.param(b"a,b\r1,2\r", "", "line 1: new-line character seen in unquoted field", id="CR alone"),
    ],
)
def test_a_file_that_is_no_table_is_refused(
    tmp_path: Path, text: str | bytes, call: str, message: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(DataError) as caught:
        selected(f"SELECT * FROM read_csv('{path}'{call})")
    assert caught.value.message.startswith(f"read_csv('{path}'): ")
    assert message in caught.value.message
    assert caught.value.text is not None, "it shows where in the statement"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        pytest.param(
            "read_csv('none.csv')", ProgrammingError, "read_csv('none.csv'): there is no such file", id="none"
        ),
        pytest.param("read_csv('/')", ProgrammingError, "it is a directory", id="a directory"),
        pytest.param("read_csv('/dev/null/x')", OperationalError, "Not a directory", id="no folder"),
        pytest.param("read_csv()", ProgrammingError, "read_csv takes a file's name", id="nothing"),
        pytest.param("read_csv('')", ProgrammingError, "names no file", id="an empty name"),
        pytest.param("read_csv('f', 'xy')", ProgrammingError, "'xy' is not one of these", id="too much"),
        pytest.param("read_csv('f', '\"')", ProgrammingError, "cannot be a delimiter", id="a quote"),
        pytest.param(
            "read_jsonl('f', ';')", ProgrammingError, "read_jsonl takes a file's name", id="of another"
        ),
        pytest.param(
            "read_parquet('f', 'text')", ProgrammingError, "read_parquet takes a file's name", id="Parquet"
        ),
    ],
)
def test_a_call_that_names_no_file_is_refused(call: str, error: type[Error], message: str) -> None:
    with pytest.raises(error) as caught:
        selected(f"SELECT * FROM {call}")
    assert message in caught.value.message


def test_what_fits_no_longer_after_the_sample_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    lines = [*(f"{n},x" for n in range(SAMPLE_ROWS + 500)), "00501,x"]
    path = written(tmp_path, "\n".join(["zip,b", *lines]))
    with pytest.raises(DataError) as caught:
        selected(f"SELECT zip FROM read_csv('{path}')")
    assert f"line {len(lines) + 1}: '00501' is no number" in caught.value.message
    assert caught.value.hint == f"SELECT … FROM read_csv('{path}', 'text')"
    assert selected(f"SELECT count(*), max(b) FROM read_csv('{path}')") == [(len(lines), "x")]
    last = f"SELECT zip FROM read_csv('{path}', 'text') ORDER BY rowid DESC LIMIT 1"
    assert selected(last) == [("00501",)]


def test_a_limit_stops_the_reading(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b\n" + "1,x\n" * (SAMPLE_ROWS + 5000) + "too,many,fields\n")
    assert selected(f"SELECT * FROM read_csv('{path}') LIMIT 3") == [(1, "x")] * 3
    with pytest.raises(DataError, match="has 3 fields"):
        selected(f"SELECT * FROM read_csv('{path}')")


def test_a_delimiter_can_be_given(tmp_path: Path) -> None:
    path = written(tmp_path, "a:b,c\n1:2,3\n")
    assert selected(f"SELECT * FROM read_csv('{path}', ':')") == [(1, "2,3")]
    assert selected(f"SELECT * FROM read_csv('{path}', ':', 'text')") == [("1", "2,3")]


def test_a_large_field(tmp_path: Path) -> None:
    path = written(tmp_path, f"a,b\n1,{'x' * 300_000}\n")
    assert selected(f"SELECT length(b) FROM read_csv('{path}')") == [(300_000,)]


def test_many_columns(tmp_path: Path) -> None:
    header = ",".join(f"c{n}" for n in range(1990))
    path = written(tmp_path, f"{header}\n{','.join(map(str, range(1990)))}\n")
    assert selected(f"SELECT c0, c70, c1989 FROM read_csv('{path}')") == [(0, 70, 1989)]
    with pytest.raises(ProgrammingError, match="it has 1991 columns; a table has at most 1990"):
        selected(f"SELECT 1 FROM read_csv('{written(tmp_path, header + ',x', 'g.csv')}')")


def test_a_gzip_file(tmp_path: Path) -> None:
    packed = gzip.compress(b"a,b\n" + b"1,x\n" * 20_000)
    path = written(tmp_path, packed, "f.csv.gz")
    assert selected(f"SELECT count(*), sum(a) FROM read_csv('{path}')") == [(20_000, 20_000)]
    cut = written(tmp_path, packed[:-20], "g.csv.GZ")
    with pytest.raises(DataError, match="no whole gzip file"):
        selected(f"SELECT count(*) FROM read_csv('{cut}')")
    with pytest.raises(DataError, match="no whole gzip file"):
        selected(f"SELECT count(*) FROM read_csv('{written(tmp_path, 'a,b', 'h.csv.gz')}')")


CELLS = st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n), min_size=1)))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_our_own_csv_reads_back_as_it_was(tmp_path: Path, rows: list[list[SQLValue]]) -> None:
    columns = [ResultColumn(f"c{n}", None) for n in range(len(rows[0]))]
    out = io.StringIO()
    open_printer("csv", out).write(columns, list(map(tuple, rows)))
    path = written(tmp_path, out.getvalue())
    assert selected(f"SELECT * FROM read_csv('{path}', ',', 'text')") == list(map(tuple, rows))


@given(
    st.lists(
        st.tuples(st.integers(-(2**63), 2**63 - 1) | st.none(), CELLS.map(lambda c: c or None)), min_size=1
    )
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_what_pythons_writer_wrote_reads_back(
    tmp_path: Path, rows: list[tuple[int | None, str | None]]
) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["n", "t"])
    writer.writerows(rows)
    path = written(tmp_path, out.getvalue())
    assert selected(f"SELECT t FROM read_csv('{path}', ',', 'text')") == [(text,) for _, text in rows]
    assert selected(f"SELECT n FROM read_csv('{path}', ',')") == [(n,) for n, _ in rows]
