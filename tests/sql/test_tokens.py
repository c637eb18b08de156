"""Tokens and statement borders are SQLite's."""

from __future__ import annotations

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sqlprovider.sql.script import pieces
from sqlprovider.sql.tokens import RESERVED, Kind, Token, literal_value, quoted_if_needed, tokens


def kinds(text: str) -> list[tuple[str, str]]:
    return [(token.kind.value, token.text) for token in tokens(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "?1 ? :a @a $a::b(c)",
            [("parameter", t) for t in ["?1", "?", ":a", "@a", "$a::b(c)"]],
            id="parameters",
        ),
        pytest.param(
            '@@json @"x-y"', [("argument", "@@json"), ("argument", '@"x-y"')], id="EXEC's arguments"
        ),
        pytest.param(
            '"a""b" [c d] `e`', [("quoted", t) for t in ('"a""b"', "[c d]", "`e`")], id="quoted names"
        ),
        pytest.param("x'00ff' X''", [("blob", "x'00ff'"), ("blob", "X''")], id="blobs"),
        pytest.param("'it''s'", [("string", "'it''s'")], id="a quote in a string"),
        pytest.param(
            "1.5 .5 5. 1e-3 0x1F 1_000",
            [("number", t) for t in ["1.5", ".5", "5.", "1e-3", "0x1F", "1_000"]],
            id="numbers",
        ),
        pytest.param(
            "a->>'b'->c",
            [("word", "a"), ("punctuation", "->>"), ("string", "'b'"), ("punctuation", "->"), ("word", "c")],
            id="arrows",
        ),
        pytest.param("a.1", [("word", "a"), ("number", ".1")], id="a dot before a digit"),
        pytest.param("a -- b ; c\n/* d ; */ e", [("word", "a"), ("word", "e")], id="comments"),
        pytest.param("a /* b", [("word", "a")], id="a comment that is not closed"),
        pytest.param("group  by", [("word", "group"), ("word", "by")], id="two words are two tokens"),
        pytest.param(
            "explain select 'x'",
            [("word", "explain"), ("word", "select"), ("string", "'x'")],
            id="after EXPLAIN",
        ),
        pytest.param("a 'b ; c", [("word", "a"), ("illegal", "'b ; c")], id="a string that is not closed"),
        pytest.param("1abc", [("illegal", "1abc")], id="a number with letters"),
        pytest.param("x'0'", [("illegal", "x'0'")], id="half a byte"),
    ],
)
def test_a_text_has_sqlites_tokens(text: str, expected: list[tuple[str, str]]) -> None:
    assert kinds(text) == expected


@given(st.text(alphabet="ab_1.x'\"[]`-/*>\n ?:@$é=!|", max_size=12))
@settings(max_examples=300, deadline=None)
def test_where_sqlite_reads_no_token_we_read_none(text: str) -> None:
    unreadable = [token.text for token in tokens(text) if token.kind in (Kind.ILLEGAL, Kind.ARGUMENT)]
    message = ""
    try:
        apsw.Connection(":memory:").execute("SELECT " + text)
    except (apsw.Error, ValueError) as error:
        message = str(error)
    if "unrecognized token: " in message:
        assert unreadable[0].startswith(message.partition(': "')[2][:-1])
    else:
        assert message or not unreadable


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        pytest.param("a; b;", ["a", "b"], id="plain"),
        pytest.param("; a ;;\n; b", ["a", "b"], id="empty statements"),
        pytest.param("SELECT ';' ; b", ["SELECT ';'", "b"], id="a semicolon in a string"),
        pytest.param("a -- x ; y\n; b", ["a", "b"], id="a semicolon in a comment"),
        pytest.param("a -- x;", ["a"], id="a comment swallows the last semicolon"),
        pytest.param(
            "CREATE TEMP TRIGGER t AFTER INSERT ON x BEGIN SELECT CASE WHEN 1 THEN 2 END; SELECT 3; END; b",
            [
                "CREATE TEMP TRIGGER t AFTER INSERT ON x BEGIN SELECT CASE WHEN 1 THEN 2 END; SELECT 3; END",
                "b",
            ],
            id="a trigger's body",
        ),
        pytest.param("a; 'b ; c", ["a", "'b ; c"], id="what cannot be tokenized is the last"),
    ],
)
def test_a_script_is_split_where_sqlite_splits_it(text: str, statements: list[str]) -> None:
    assert [piece.text for piece in pieces(text)] == statements


def test_tokens_of_a_statement_are_placed_in_its_own_text() -> None:
    *_, last = pieces("SELECT 1;\n  SELECT x")
    assert [last.text[t.start : t.end] for t in last.tokens] == ["SELECT", "x"]


def test_the_reserved_words_are_those_that_sqlite_takes_for_no_alias() -> None:
    db = apsw.Connection(":memory:")
    refused = set()
    for word in apsw.keywords:
        try:
            db.execute(f"SELECT 1 FROM (SELECT 1) {word}")
        except apsw.SQLError:
            refused.add(word)
    assert refused == RESERVED


@pytest.mark.parametrize(
    ("written", "value"),
    [
        pytest.param("'it''s'", "it's", id="string"),
        pytest.param("x'00ff'", b"\x00\xff", id="blob"),
        pytest.param("12", 12, id="integer"),
        pytest.param("0x1F", 31, id="hexadecimal"),
        pytest.param("1_000.5", 1000.5, id="real"),
        pytest.param("9223372036854775808", 9223372036854775808.0, id="beyond 64 bits"),
    ],
)
def test_a_literal_has_the_value_sqlite_gives_it(written: str, value: object) -> None:
    (token,) = tokens(written)
    assert literal_value(token) == value
    assert apsw.Connection(":memory:").execute(f"SELECT {written}").fetchall() == [(value,)]


@pytest.mark.parametrize("name", ["runs", "order", "a b", 'a"b', "cast", "é"])
def test_a_name_is_quoted_where_it_must_be(name: str) -> None:
    written = quoted_if_needed(name)
    rows = (
        apsw.Connection(":memory:")
        .execute(f"SELECT {written}.x FROM (SELECT 1 AS x) AS {written}")
        .fetchall()
    )
    assert rows == [(1,)]
    assert (written == name) == (name == "runs")


def test_a_token_knows_its_place() -> None:
    assert Token(Kind.WORD, "abc", 4).end == 7
