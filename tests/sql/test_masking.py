"""No value is left in a masked text, and SQLite says what a value is."""

from __future__ import annotations

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlprovider.sql.masking import MASK, mask_literals

PLANTED = "s3cr3t"
FORMS = (
    f"'{PLANTED}'",
    f'"{PLANTED}"',
    f"x'{PLANTED.encode().hex()}'",
    "31415926",
    "0x31415926",
    "3.1415926e1",
)
PIECES = (
    *FORMS,
    *(f"-- {PLANTED}", f"/* {PLANTED} */", f"/*{PLANTED}"),
    *(f"'it''s {PLANTED}'", f"'\\' {PLANTED}'", f"'{PLANTED}\n'"),
    *("'", '"', "--", "\n", "/*", "*/", ",", "||", ".", "-", "(", ")", " ", "NULL ", "+", ";", "é "),
)


def values_of(text: str) -> list[object] | None:
    """What SQLite selects; None where it does not run the text."""
    connection = apsw.Connection(":memory:")
    try:
        return [value for row in connection.execute(f"SELECT {text}") for value in row]
    except apsw.Error:
        return None
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "INSERT INTO a.b.c (k, v) VALUES ('it''s', NULL)",
            "INSERT INTO a.b.c (k, v) VALUES ('***', NULL)",
            id="a quote in a string",
        ),
        pytest.param("SELECT x'00ff', X''", "SELECT '***', '***'", id="blobs"),
        pytest.param("SELECT -1.5e3, 0x1F, .5", "SELECT -'***', '***', '***'", id="numbers"),
        pytest.param("SELECT TRUE, ?1, :v, @a, $b", "SELECT TRUE, ?1, :v, @a, $b", id="parameters"),
        pytest.param('SELECT [a b], `c`, t."d"', 'SELECT [a b], `c`, t."d"', id="names in quotes"),
        pytest.param("SELECT 'ä→🙂\u2028'", "SELECT '***'", id="unicode"),
        pytest.param("SELECT 'a\nb'\n  , 2", "SELECT '***'\n  , '***'", id="line breaks"),
        pytest.param("a -- b\n/* c */ d --e", "a d", id="comments"),
        pytest.param("SELECT 1 /* never closed", "SELECT '***'", id="a comment that is not closed"),
        pytest.param(
            "EXEC a.b.m @k='x', @\"w-x\"=2 @@json='{\"p\": 1}'",
            "EXEC a.b.m @k='***', @\"w-x\"='***' @@json='***'",
            id="EXEC",
        ),
        pytest.param(
            'INSERT INTO "a"."b" ("k") SELECT "v" AS "n" FROM t IS DISTINCT FROM "w"',
            "INSERT INTO \"a\".\"b\" ('***') SELECT '***' AS \"n\" FROM t IS DISTINCT FROM '***'",
            id="what may be a string in double quotes",
        ),
        pytest.param("", "", id="nothing"),
    ],
)
def test_every_value_is_masked(text: str, expected: str) -> None:
    assert mask_literals(text) == expected
    assert mask_literals(expected) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"SELECT '{PLANTED}", id="a string that is not closed"),
        pytest.param(f'SELECT "{PLANTED}', id="a name that is not closed"),
        pytest.param(f"SELECT x'{PLANTED}'", id="a blob that is none"),
        pytest.param(f"SELECT 1{PLANTED}", id="a number with letters"),
        pytest.param(f"SELECT 'a\\'{PLANTED}'", id="another dialect's escape"),
        pytest.param(f"SELECT \0 {PLANTED}", id="a zero"),
    ],
)
def test_a_text_that_sqlite_cannot_read_is_masked_whole(text: str) -> None:
    assert mask_literals(text) == MASK


@given(st.lists(st.sampled_from(FORMS), min_size=1, max_size=6))
def test_sqlite_finds_nothing_but_masks(forms: list[str]) -> None:
    assert values_of(mask_literals(", ".join(forms))) == ["***"] * len(forms)


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_nothing_planted_is_left_of_a_text_that_sqlite_runs(pieces: list[str]) -> None:
    text = "".join(pieces)
    masked = mask_literals(f"SELECT {text}")
    if values_of(text) is not None:
        assert not any(secret in masked for secret in (PLANTED, PLANTED.encode().hex(), "1415926"))
