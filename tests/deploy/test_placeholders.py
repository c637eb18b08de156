"""`{{ … }}`: a name and nothing else, and what a variable brings in is never looked at again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlprovider.surfaces.deploy.model import Reference, Secret, Text
from sqlprovider.surfaces.deploy.placeholders import Placeholder, PlaceholderError, escape, split
from sqlprovider.surfaces.deploy.sqltext import SQLPlaceholderError, bind
from tests.deploy.manifests import Files, entry, values

HOSTILE = st.text(st.sampled_from("{}'\"\\;-/*[]`:@.$ \nabc_0é\x00"))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        pytest.param("", (), id="empty"),
        pytest.param("a }} b { c", ("a }} b { c",), id="no placeholder"),
        pytest.param("{{a}}", (Placeholder("a"),), id="no blanks"),
        pytest.param("{{\n a.b.c\t}}", (Placeholder("a.b.c"),), id="blanks"),
        pytest.param("x{{ a }}{{ b }}y", ("x", Placeholder("a"), Placeholder("b"), "y"), id="side by side"),
        pytest.param("{{ '{{' }} x }}", ("{{ x }}",), id="escaped"),
        pytest.param("{{ a.lr=0.1.b }}", (Placeholder("a.lr=0.1.b"),), id="an item with signs"),
    ],
)
def test_a_text_is_split(text: str, parts: tuple[str | Placeholder, ...]) -> None:
    assert split(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        *("{{", "{{ }}", "{{ a", "{{ a b }}", "{{ a | upper }}", "{{ f(a) }}", "{{{ a }}}", "{{ 'x' }}"),
        *("{{ a..b }}", "{{ .a }}", "{{ a. }}", "x {{% if %}}"),
    ],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(PlaceholderError):
        split(text)


@given(st.text() | HOSTILE)
def test_an_escaped_text_comes_back_as_it_is(text: str) -> None:
    assert split(escape(text)) == ((text,) if text else ())


@given(HOSTILE)
def test_a_text_is_split_or_refused_and_the_parts_are_all_of_it(text: str) -> None:
    try:
        parts = split(text)
    except PlaceholderError:
        assert "{{" in text
        return
    assert all(part != "" for part in parts)
    if "{{" not in text:
        assert parts == ((text,) if text else ())


@given(HOSTILE)
def test_sql_without_placeholders_is_left_alone(text: str) -> None:
    plain = text.replace("{{", "").replace("--", "").replace("/*", "")
    if not any(two in plain for two in ("{{", "--", "/*")):
        assert bind(plain).sql == plain


@given(HOSTILE, HOSTILE)
def test_a_placeholder_in_sql_never_adds_text(before: str, after: str) -> None:
    quoted = "'" + escape(before).replace("'", "''") + "{{ a }}" + escape(after).replace("'", "''") + "'"
    bound = bind(f"SELECT {quoted}")
    assert bound.sql.rstrip("\n") == "SELECT :placeholder_1"
    (slot,) = bound.slots
    assert slot.parts == tuple(part for part in (before, Placeholder("a"), after) if part)


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("SELECT * FROM {{ a }}.b.c", id="before a dot"),
        pytest.param("SELECT * FROM a.{{ b }}", id="after a dot"),
        pytest.param('SELECT "{{ a }}"', id="in a quoted name"),
        pytest.param("SELECT [{{ a }}]", id="in brackets"),
        pytest.param("SELECT {{ a }}b", id="before a letter"),
        pytest.param("SELECT {{ a", id="not closed"),
    ],
)
def test_a_name_in_sql_cannot_come_from_a_placeholder(sql: str) -> None:
    with pytest.raises(SQLPlaceholderError):
        bind(sql)


def test_the_lines_of_sql_stay_and_comments_become_blanks() -> None:
    bound = bind("-- {{ x }}\nSELECT '{{\na }}',\n{{ b }}; /* {{ y */\nSELECT '--'")
    assert bound.sql == " \nSELECT :placeholder_1\n,\n:placeholder_2;  \nSELECT '--'"
    assert [(slot.line, slot.is_text) for slot in bound.slots] == [(2, True), (4, False)]
    assert [bound.sql.count("\n", 0, start) + 1 for start in bound.starts] == [2, 5]


@pytest.mark.parametrize(
    ("sql", "whole"),
    [
        pytest.param("INSERT INTO t VALUES ('{{ a }}')", True, id="VALUES"),
        pytest.param("INSERT INTO t (a, b) VALUES (1, {{ a }}), (2, 3)", True, id="VALUES, bare"),
        pytest.param("INSERT INTO t VALUES (upper('{{ a }}'))", False, id="in a call"),
        pytest.param("INSERT INTO t VALUES ('{{ a }}' || 'x')", False, id="in an expression"),
        pytest.param("INSERT INTO t SELECT '{{ a }}', x FROM u", True, id="SELECT list"),
        pytest.param(
            "INSERT INTO t SELECT 'x' AS y, '{{ a }}' AS a RETURNING x", True, id="SELECT list, named"
        ),
        pytest.param("INSERT INTO t SELECT x FROM u WHERE x = '{{ a }}'", False, id="WHERE"),
        pytest.param("INSERT INTO t SELECT (SELECT '{{ a }}')", False, id="subquery"),
        pytest.param("INSERT INTO t SELECT x FROM u ORDER BY 1, '{{ a }}'", False, id="ORDER BY"),
        pytest.param("EXEC a.b.c.d @x='{{ a }}' --required,\n@y=2", True, id="EXEC"),
        pytest.param("EXEC a.b.c.d @x='{{ a }}' || 'b'", False, id="EXEC, an expression"),
        pytest.param('EXEC a.b.c.d @@json=\'{"k": "{{ a }}"}\'', True, id="@@json"),
        pytest.param("CREATE TEMP TABLE t AS SELECT '{{ a }}'", False, id="CREATE"),
    ],
)
def test_what_is_a_whole_value_of_sql(sql: str, whole: bool) -> None:
    assert [slot.is_whole for slot in bind(sql).slots] == [whole]


STACK = """
use: mlflow.tracking
variables: {count: 3, name: {default: x}, key: {secret: true, default: hush}, map: {default: {a: 1}}}
resources:
  - {name: experiments, id: lab, props: {name: lab}}
  - name: runs
    props:
      experiment_id: "{{ lab.EXPERIMENT_ID }}"
      run_name: %s
"""


@pytest.mark.parametrize(
    ("written", "value"),
    [
        pytest.param("'{{ name }}'", "x", id="a variable"),
        pytest.param("'{{ count }}'", "3", id="a number where text is wanted"),
        pytest.param("'{{ name }}-{{ count }}'", "x-3", id="within a text"),
        pytest.param("'{{ lab.name }}'", Reference("lab", None, "name"), id="a reference"),
        pytest.param(
            "'of {{ lab.name }}!'", Text(("of ", Reference("lab", None, "name"), "!")), id="reference in text"
        ),
        pytest.param("'{{ env.WHO }}'", Secret("env.WHO", "me"), id="the environment"),
        pytest.param("'{{ key }}'", Secret("key", "hush"), id="a secret variable"),
        pytest.param("'k={{ key }}'", Text(("k=", Secret("key", "hush"))), id="a secret in a text"),
        pytest.param("\"{{ '{{' }} name }}\"", "{{ name }}", id="escaped"),
    ],
)
def test_placeholders_are_filled_in(files: Files, written: str, value: object) -> None:
    files.environ["WHO"] = "me"
    manifest = files.read(STACK % written)
    assert values(entry(manifest, "runs"))["run_name"] == value
    assert values(entry(manifest, "runs"))["experiment_id"] == Reference("lab", None, "experiment_id")


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        pytest.param(
            "'{{ cuont }}'",
            "missing variable cuont: give it with --var cuont=…; did you mean count?",
            id="variable",
        ),
        pytest.param("'{{ lba.name }}'", "{{ lba.name }}: there is no such id; did you mean lab?", id="id"),
        pytest.param(
            "'{{ lab.tagz }}'",
            "{{ lab.tagz }}: mlflow.tracking.experiments has no column tagz; did you mean tags?",
            id="column",
        ),
        pytest.param(
            "'{{ lab.x.name }}'", "{{ lab.x.name }}: lab has no items: write {{ lab.name }}", id="item"
        ),
        pytest.param("'{{ env.NO }}'", "the environment has no variable NO", id="environment"),
        pytest.param(
            "'a{{ map }}'",
            "the variable map is a map or list: it cannot stand within a text",
            id="map",
        ),
        pytest.param(
            "{{ name }}", "a key is a text; a placeholder stands in quotes: '{{ … }}'", id="no quotes"
        ),
    ],
)
def test_a_placeholder_that_means_nothing_is_a_problem_with_the_nearest(
    files: Files, written: str, problem: str
) -> None:
    assert f"1.yaml:9: {problem}" in files.problems(lambda: files.read(STACK % written))


@given(HOSTILE)
def test_what_a_variable_brings_in_is_never_looked_at(text: str) -> None:
    from sqlprovider.surfaces.deploy.fill import Filler
    from sqlprovider.surfaces.deploy.model import Place
    from sqlprovider.surfaces.deploy.nodes import Scalar
    from sqlprovider.surfaces.deploy.problems import Problems
    from sqlprovider.surfaces.deploy.references import Ids
    from sqlprovider.surfaces.deploy.variables import Variables

    problems = Problems()
    variables = Variables(problems)
    variables.give({"v": text}, ())
    filler = Filler(variables, Ids(problems), {}, problems)
    for written, value in (("{{ v }}", text), ("<{{ v }}>", f"<{text}>")):
        assert filler.value(Scalar(written, written, Place("f", 1))) == value
    problems.check()
