"""`read_jsonl`: columns, types and what is refused. Python's own writer, and ours, are held against it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sqlprovider.errors import DataError
from sqlprovider.session import ResultColumn
from sqlprovider.surfaces.render import open_printer
from sqlprovider.values import Row, SQLValue
from sqlprovider.vtab.file_reader import SAMPLE_ROWS
from tests.vtab.files import opened, selected, typed, written


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        pytest.param(
            '{"a": 1}\n{"b": "x"}\n', ["a:INTEGER", "b:TEXT"], [(1, None), (None, "x")], id="a union"
        ),
        pytest.param('{"a": 1}\n\n{"a": 2}', ["a:INTEGER"], [(1,), (2,)], id="a blank line"),
        pytest.param('\ufeff{"a": 1}\r\n', ["a:INTEGER"], [(1,)], id="a mark and CRLF"),
        pytest.param('{"a": 1}\n{"a": 0.5}', ["a:REAL"], [(1.0,), (0.5,)], id="integers among reals"),
        pytest.param('{"a": true}\n{"a": null}', ["a:BOOLEAN"], [(1,), (None,)], id="booleans"),
        pytest.param(
            '{"a": {"k": [1, "é"]}}\n{"a": "s"}\n{"a": null}',
            ["a:JSON"],
            [('{"k":[1,"é"]}',), ('"s"',), (None,)],
            id="objects are JSON, and so is all beside them",
        ),
        pytest.param('{"a": 1}\n{"a": "x"}', ["a:"], [(1,), ("x",)], id="of several types"),
        pytest.param('{"a": null}', ["a:"], [(None,)], id="of no type"),
        pytest.param('{"a": 9223372036854775807}', ["a:INTEGER"], [(2**63 - 1,)], id="the largest integer"),
        pytest.param(
            '{"a": 18446744073709551616}', ["a:TEXT"], [("18446744073709551616",)], id="a larger one"
        ),
        pytest.param(
            '{"a": NaN}\n{"a": -Infinity}', ["a:REAL"], [("NaN",), ("-Infinity",)], id="no JSON numbers"
        ),
        pytest.param(
            '{"a": 1, "A": 2, "": 3}',
            ["a:INTEGER", "A:1:INTEGER", "column3:INTEGER"],
            [(1, 2, 3)],
            id="names",
        ),
    ],
)
def test_columns_and_rows(tmp_path: Path, text: str, columns: list[str], rows: list[Row]) -> None:
    path = written(tmp_path, text, "f.jsonl")
    assert typed(f"SELECT * FROM read_jsonl('{path}')") == columns
    assert selected(f"SELECT * FROM read_jsonl('{path}')") == rows


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "it has no object", id="an empty file"),
        pytest.param("{}\n", "it has no object", id="no key"),
        pytest.param('{"a": 1}\n[1]\n', "line 2: it is a list, not an object", id="a list"),
        pytest.param("null\n", "line 1: it is null, not an object", id="null"),
        pytest.param(
            '{"a": 1}\n\n{"a": }\n', "line 3: it is not JSON: Expecting value at column 7", id="no JSON"
        ),
        pytest.param(
            '{"a": 1} {"a": 2}\n', "line 1: it is not JSON: Extra data at column 10", id="two on a line"
        ),
        pytest.param(
            '{"a": "\\ud800"}\n', "line 1: it holds half of a surrogate pair", id="half a character"
        ),
        pytest.param("[" * 100_000, "line 1: it is nested too deeply", id="too deep"),
        pytest.param(b'{"a": "\xe9"}\n', "it is not UTF-8: byte 0xe9 at offset 7", id="not UTF-8"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str | bytes, message: str) -> None:
    path = written(tmp_path, text, "f.jsonl")
    with pytest.raises(DataError) as caught:
        selected(f"SELECT * FROM read_jsonl('{path}')")
    assert caught.value.message.startswith(f"read_jsonl('{path}'): {message}")


def test_a_key_that_comes_up_late_is_not_lost(tmp_path: Path) -> None:
    lines = ['{"a": 1}'] * (SAMPLE_ROWS + 500) + ['{"a": 1, "it\'s": 2}']
    path = written(tmp_path, "\n".join(lines), "f.jsonl")
    with pytest.raises(DataError) as caught:
        selected(f"SELECT count(*) FROM read_jsonl('{path}')")
    assert f'line {len(lines)} has the key "it\'s", which none of the first' in caught.value.message
    assert caught.value.hint is not None
    assert selected(f"SELECT a FROM read_jsonl('{path}') LIMIT 2") == [(1,), (1,)]
    assert selected(f"SELECT max(late) FROM ({caught.value.hint.replace(' FROM', ' AS late FROM')})") == [
        (2,)
    ]


def test_as_text_a_line_is_one_column(tmp_path: Path) -> None:
    path = written(tmp_path, '{"a": {"b": 1.50}}\n [1, 2]\n', "f.jsonl")
    assert typed(f"SELECT * FROM read_jsonl('{path}', 'text')") == ["item:JSON"]
    assert selected(f"SELECT * FROM read_jsonl('{path}', 'text')") == [('{"a": {"b": 1.50}}',), ("[1, 2]",)]
    assert selected(f"SELECT item->'$.a.b' FROM read_jsonl('{path}', 'text') LIMIT 1") == [("1.50",)]
    with pytest.raises(DataError, match="line 1: it is not JSON"):
        selected(f"SELECT * FROM read_jsonl('{written(tmp_path, '{', 'g')}', 'text')")


def test_what_was_read_is_printed_as_it_stood(tmp_path: Path) -> None:
    text = '{"a": 1, "ok": true, "tags": {"k":[1,null]}, "at": "2026-01-02"}\n'
    path = written(tmp_path, text, "f.jsonl")
    out = io.StringIO()
    with opened() as session:
        (result,) = session.run(f"SELECT * FROM read_jsonl('{path}')")
        assert result.columns is not None
        open_printer("jsonl", out).write(result.columns, result.rows)
    assert out.getvalue() == text


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.none() | TEXTS | st.integers(-(2**63), 2**63 - 1)


@given(st.lists(st.tuples(VALUES, st.none() | st.floats(allow_nan=False, allow_infinity=False)), min_size=1))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_our_own_jsonl_reads_back_as_it_was(tmp_path: Path, rows: list[tuple[SQLValue, SQLValue]]) -> None:
    out = io.StringIO()
    open_printer("jsonl", out).write([ResultColumn("a", None), ResultColumn("b", None)], rows)
    path = written(tmp_path, out.getvalue(), "f.jsonl")
    assert selected(f"SELECT * FROM read_jsonl('{path}')") == rows


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.lists(NESTED, max_size=2), min_size=1, max_size=4))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_nested_values_are_the_same_json(tmp_path: Path, values: list[object]) -> None:
    path = written(tmp_path, "\n".join(json.dumps({"a": value}) for value in values), "f.jsonl")
    found = selected(f"SELECT a FROM read_jsonl('{path}')")
    assert [json.loads(str(text)) for (text,) in found] == values
