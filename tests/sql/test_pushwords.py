"""Push-down words beside predicates on JSON keys: they change no row."""

from __future__ import annotations

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sqlprovider.sql.statement import Query
from tests.sql.reading import RUNS, read, spliced

PREFIX = f'SELECT * FROM "{RUNS}" AS runs WHERE '


def where(text: str) -> str:
    sql = spliced(f"SELECT * FROM {RUNS} WHERE {text}")
    assert sql.startswith(PREFIX)
    return sql.removeprefix(PREFIX)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "metrics->>'a.b' > 0.9",
            "(metrics->>'a.b' > 0.9 AND sqlprovider_push(runs.metrics, '[\"a.b\", \">\", 0.9]'))",
            id="a key with a dot",
        ),
        pytest.param(
            "runs.metrics ->> 'a' == ?",
            "(runs.metrics ->> 'a' == ?1 AND sqlprovider_push(runs.metrics, sqlprovider_pack('a', '=', ?1)))",
            id="a parameter",
        ),
        pytest.param(
            "params->>'''' LIKE ?",
            "(params->>'''' LIKE ?1 AND sqlprovider_push(runs.params, sqlprovider_pack('''', 'LIKE', ?1)))",
            id="LIKE",
        ),
        pytest.param("-1 < metrics->>'a'", "-1 < metrics->>'a'", id="a sign on the left is left alone"),
        pytest.param(
            "1 < metrics->>'a'",
            "(1 < metrics->>'a' AND sqlprovider_push(runs.metrics, '[\"a\", \">\", 1]'))",
            id="the other way round",
        ),
        pytest.param(
            "metrics->>'a' <> -1",
            "(metrics->>'a' <> -1 AND sqlprovider_push(runs.metrics, '[\"a\", \"!=\", -1]'))",
            id="a sign",
        ),
        pytest.param(
            "metrics->>'a' BETWEEN 1 AND 2 AND 1",
            "(metrics->>'a' BETWEEN 1 AND 2 AND sqlprovider_push(runs.metrics, '[\"a\", \">=\", 1]')"
            ' AND sqlprovider_push(runs.metrics, \'["a", "<=", 2]\')) AND 1',
            id="BETWEEN",
        ),
        pytest.param(
            "(metrics->>'a' = 1) GROUP BY 1",
            "((metrics->>'a' = 1 AND sqlprovider_push(runs.metrics, '[\"a\", \"=\", 1]'))) GROUP BY 1",
            id="in parentheses",
        ),
        pytest.param(
            "mlflow.tracking.runs.metrics->>'a' = 1",
            "(runs.metrics->>'a' = 1 AND sqlprovider_push(runs.metrics, '[\"a\", \"=\", 1]'))",
            id="in full",
        ),
    ],
)
def test_a_word_is_set_beside_a_predicate(text: str, expected: str) -> None:
    assert where(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("metrics->>'a' = 1 OR name = 'x'", id="an arm of OR"),
        pytest.param("NOT metrics->>'a' = 1", id="NOT"),
        pytest.param("metrics->>'$.a' = 1", id="a path"),
        pytest.param("metrics->>'[0]' = 1", id="an index in a string"),
        pytest.param("metrics->>0 = 1", id="an index"),
        pytest.param("metrics->'a' = 1", id="JSON, not the value"),
        pytest.param("metrics->>'a' = lower('x')", id="an expression"),
        pytest.param("metrics->>'a' = -'5'", id="a signed text"),
        pytest.param("metrics->>'a' < 9e999", id="infinity"),
        pytest.param("metrics->>'a' = (SELECT 1)", id="a subquery"),
        pytest.param("metrics->>'a' = name", id="a column of its own"),
        pytest.param("metrics->>'a' = 'x' COLLATE nocase", id="COLLATE"),
        pytest.param("metrics->>'a' || 'x' = 'y'", id="more than the key"),
        pytest.param("1 BETWEEN 0 AND metrics->>'a' = 1", id="the end of a BETWEEN"),
        pytest.param("metrics->>'a' = 1 ISNULL", id="inside a wider comparison"),
        pytest.param("tags->>'a' = '1'", id="keys that no method takes"),
        pytest.param("metrics->>'a' IN ('1')", id="IN"),
    ],
)
def test_no_word_is_set_where_it_would_not_be_offered(text: str) -> None:
    assert where(text) == text


def test_a_join_value_is_a_value() -> None:
    sql = spliced(f"SELECT 1 FROM t LEFT JOIN {RUNS} r ON r.metrics->>'a' = t.x WHERE 1")
    assert (
        "ON (r.metrics->>'a' = t.x AND sqlprovider_push(r.metrics, sqlprovider_pack('a', '=', t.x))) WHERE 1"
        in sql
    )


TERMS = st.sampled_from(
    [
        "metrics->>'a' > 1",
        "metrics->>'b' = ?1",
        "2 >= runs.metrics->>'a'",
        "metrics->>'a' BETWEEN 0 AND 2",
        "params->>'p' LIKE 'x%'",
        "params->>'p' <> 'xy'",
        "name = 'n1'",
        "name IS NULL",
        "metrics->>'a' IS NULL",
        "1",
    ]
)
CONDITIONS = st.recursive(
    TERMS,
    lambda inner: (
        st.tuples(inner, st.sampled_from(["AND", "OR", "=", "<", "IS", "+"]), inner).map(" ".join)
        | inner.map("NOT {}".format)
        | inner.map("({})".format)
        | inner.map("1 BETWEEN 0 AND {}".format)
    ),
    max_leaves=6,
)


def database() -> apsw.Connection:
    db = apsw.Connection(":memory:")
    db.create_scalar_function("sqlprovider_push", lambda *_: 1, 2)
    db.create_scalar_function("sqlprovider_pack", lambda *_: "[]", 3)
    db.execute(f'CREATE TABLE "{RUNS}" (name TEXT, metrics JSON TEXT, params JSON TEXT)')
    for number, a in enumerate(("null", "0", "1", "2.5", '"x"')):
        metrics, params = f'{{"a":{a},"b":1}}', '{"p":"xy"}' if number % 2 else "{}"
        name = None if number == 3 else f"n{number}"
        db.execute(f'INSERT INTO "{RUNS}" VALUES (?, ?, ?)', (name, metrics, params))
    return db


@given(CONDITIONS)
@settings(max_examples=300, deadline=None)
def test_the_words_change_no_row(condition: str) -> None:
    db = database()
    plain = db.execute(PREFIX + condition, (1,) if "?1" in condition else ()).fetchall()
    ours = db.execute(PREFIX + where(condition), (1,) if "?1" in condition else ()).fetchall()
    assert ours == plain


@pytest.mark.parametrize(
    ("text", "warnings"),
    [
        pytest.param(
            "params->>'lr' > 0.01",
            (("params->>'lr' > 0.01 compares text with a number", "CAST(params->>'lr' AS REAL) > 0.01"),),
            id="greater",
        ),
        pytest.param(
            "1 = runs.tags->>'n' OR 0",
            (("1 = runs.tags->>'n' compares text with a number", "1 = CAST(runs.tags->>'n' AS REAL)"),),
            id="the other way round, in OR",
        ),
        pytest.param(
            "params->>'n' BETWEEN 1 AND 2",
            (
                (
                    "params->>'n' BETWEEN 1 AND 2 compares text with a number",
                    "CAST(params->>'n' AS REAL) BETWEEN 1 AND 2",
                ),
            ),
            id="BETWEEN",
        ),
        pytest.param(
            "params->>'n' = -1",
            (("params->>'n' = -1 compares text with a number", "CAST(params->>'n' AS REAL) = -1"),),
            id="negative",
        ),
        pytest.param("metrics->>'acc' > 0.9", (), id="a key whose values are numbers"),
        pytest.param("params->>'lr' > '0.01'", (), id="text with text"),
        pytest.param("CAST(params->>'lr' AS REAL) > 0.01", (), id="what the hint says"),
    ],
)
def test_text_that_is_compared_with_a_number_warns(text: str, warnings: tuple[tuple[str, str], ...]) -> None:
    assert read(f"SELECT * FROM {RUNS} WHERE {text}", Query).warnings == warnings


def test_a_warning_in_the_select_list_counts_too() -> None:
    assert len(read(f"SELECT params->>'lr' > 1 FROM {RUNS}", Query).warnings) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("start_time > '2026-01-02T03:04:05Z'", "start_time > '2026-01-02 03:04:05.000'", id="Z"),
        pytest.param(
            "'2026-01-02T03:04:05.1234+02:00' = start_time",
            "'2026-01-02 01:04:05.1234' = start_time",
            id="an offset, more digits",
        ),
        pytest.param(
            "start_time BETWEEN '2026-01-02T00:00' AND '2026-01-03 00:00:00Z'",
            "start_time BETWEEN '2026-01-02 00:00:00.000' AND '2026-01-03 00:00:00.000'",
            id="BETWEEN",
        ),
        pytest.param(
            "NOT (start_time IN ('x', '2026-01-02t00:00:00z') OR 0)",
            "NOT (start_time IN ('x', '2026-01-02 00:00:00.000') OR 0)",
            id="IN, in NOT and OR",
        ),
        pytest.param(
            "runs.start_time IS '2026-01-02T00:00:00Z'",
            "runs.start_time IS '2026-01-02 00:00:00.000'",
            id="IS",
        ),
    ],
)
def test_a_time_beside_a_datetime_column_is_converted(text: str, expected: str) -> None:
    assert where(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("start_time > '2026-01-02'", id="a date"),
        pytest.param("start_time > '2026-01-02 03:04:05'", id="SQLite's own form"),
        pytest.param("start_time > '2026-13-02T03:04:05Z'", id="no date"),
        pytest.param("start_time > 'Tuesday'", id="another text"),
        pytest.param("start_time > 1767323045678", id="a number"),
        pytest.param("start_time > :t", id="a parameter"),
        pytest.param("name = '2026-01-02T03:04:05Z'", id="a column of another type"),
        pytest.param("start_time || '' = '2026-01-02T03:04:05Z'", id="not directly beside it"),
        pytest.param("other.start_time = '2026-01-02T03:04:05Z'", id="another table's column"),
    ],
)
def test_no_other_literal_is_converted(text: str) -> None:
    assert where(text) == text
