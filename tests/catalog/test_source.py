"""YAML is read strictly: what PyYAML would pass over is a problem with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from sqlprovider.catalog.check import check_document
from sqlprovider.catalog.document import ServiceDocument, validate
from sqlprovider.catalog.source import parse_yaml
from sqlprovider.values import JSON
from tests.catalog.drafts import BENCH, problems_after, said, write_provider


def _faults(text: str) -> list[tuple[str, str]]:
    _, faults = parse_yaml(text.encode())
    return [(fault.pointer, fault.message) for fault in faults]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("a: {b: [1, x, null]}", {"a": {"b": [1, "x", None]}}, id="plain"),
        pytest.param("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}, id="alias"),
        pytest.param(
            "a: &x {b: 1, d: 2}\nc: {<<: *x, b: 3}",
            {"a": {"b": 1, "d": 2}, "c": {"b": 3, "d": 2}},
            id="merge",
        ),
        pytest.param(
            "x: {<<: [{a: 1}, {a: 2, b: 2}]}", {"x": {"a": 1, "b": 2}}, id="the-first-of-a-merged-list-counts"
        ),
        pytest.param("", None, id="empty"),
    ],
)
def test_yaml_becomes_plain_values(text: str, value: JSON) -> None:
    assert parse_yaml(text.encode()) == (value, ())


def test_a_key_that_stands_twice_is_a_fault_and_not_the_last_one() -> None:
    assert _faults("a:\n  b: 1\n  c: 2\n  b: 3\n") == [("/a/b", "line 4: the key 'b' stands here twice")]


def test_the_pointer_escapes_slashes_and_tildes() -> None:
    assert _faults("a/b~c: {x: 1, x: 2}") == [("/a~1b~0c/x", "line 1: the key 'x' stands here twice")]


def test_a_merged_key_may_be_given_again() -> None:
    assert _faults("a: &x {b: 1}\nc: {<<: *x, b: 2}\nd: {<<: *x, b: 3}") == []


def test_a_key_that_yaml_reads_as_a_truth_value_is_a_fault() -> None:
    (fault,) = _faults("a:\n  on: 1\n")
    assert fault == ("/a", "line 2: a key must be text; YAML reads True: put it in quotes")


def test_an_alias_that_holds_itself_is_a_fault() -> None:
    assert _faults("a: &x [*x]") == [("/a/0", "an alias that holds itself")]


def test_only_a_mapping_can_be_merged() -> None:
    assert _faults("a: {<<: text}") == [("/a", "`<<` takes a mapping")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("a: 1\nb: [1,\nc: 2\n", "line ", id="open-bracket"),
        pytest.param("a: !thing 1\n", "line 1: could not determine a constructor for the tag", id="tag"),
        pytest.param("a: 1\n---\nb: 1\n", "line 2: but found another document", id="two-documents"),
        pytest.param("a: \x07", "control characters are not allowed", id="control-character"),
    ],
)
def test_what_is_no_yaml_is_one_fault_with_its_line(text: str, message: str) -> None:
    ((pointer, said_),) = _faults(text)
    assert pointer == ""
    assert message in said_


def test_a_document_without_text_is_empty(tmp_path: Path) -> None:
    assert said(check_document(write_provider(tmp_path, "# nothing\n"))) == [("", "it is empty")]


def test_a_document_that_is_a_list_is_refused(tmp_path: Path) -> None:
    ((pointer, message),) = said(check_document(write_provider(tmp_path, "[1]")))
    assert (pointer, "valid dictionary" in message) == ("", True)


def test_faults_of_yaml_and_of_the_shape_are_reported_together(tmp_path: Path) -> None:
    text = BENCH.replace("title: Trials", "title: Trials\n    title: Again\n    nonsense: 1")
    found = said(check_document(write_provider(tmp_path, text)))
    assert [pointer for pointer, _ in found] == ["/resources/trials/title", "/resources/trials/nonsense"]


@pytest.mark.parametrize(
    ("place", "value", "pointer", "message"),
    [
        pytest.param(
            "metthods", {}, "metthods", "unknown word 'metthods'; did you mean methods?", id="unknown-word"
        ),
        pytest.param("columns.name", "STRING", "columns/name", "Input should be 'TEXT'", id="type-alone"),
        pytest.param(
            "columns.name", {"pattern": "x"}, "columns/name/pattern", "unknown word 'pattern'", id="pattern"
        ),
        pytest.param("parameters.site.pattern", "[", "parameters/site/pattern", "no regular", id="regex"),
        pytest.param(
            "columns.name", {"type": "STRING"}, "columns/name/type", "Input should be 'TEXT'", id="type"
        ),
        pytest.param("title", 2.0, "title", "YAML reads 2.0: put it in quotes", id="number"),
        pytest.param("columns.status.enum", [True], "columns/status/enum/0", "YAML reads True", id="enum-on"),
        pytest.param("methods.get", {"verb": "SELECT"}, "methods/get", "'http' is missing", id="missing"),
        pytest.param("methods.get.http", "/x", "methods/get/http", "`http` is a verb and a path", id="http"),
        pytest.param("methods.getIt", {}, "methods/getIt", "no snake_case name", id="method-name"),
        pytest.param(
            "methods.get.rows", "a[.b", "methods/get/rows", "with `[]` after a list", id="rows-bracket"
        ),
        pytest.param(
            "methods.get.rows", "a..b", "methods/get/rows", "with `[]` after a list", id="rows-empty"
        ),
        pytest.param(
            "columns.stage.path", "a..b", "columns/stage/path", "none of them empty", id="path-empty"
        ),
        pytest.param("columns.stage.path", "a.^", "columns/stage/path", "stands first", id="outer-inside"),
        pytest.param("columns.stage.path", "a[].b", "columns/stage/path", "only `rows`", id="path-list"),
        pytest.param(
            "methods.search.pages.style",
            "tokn",
            "methods/search/pages/style",
            "Input should be 'token'",
            id="style",
        ),
        pytest.param(
            "methods.search.push.filter.terms.metrics.ops",
            {"~": "~"},
            "methods/search/push/filter/terms/metrics/ops/~0",
            "Input should be '='",
            id="operator",
        ),
    ],
)
def test_a_fault_of_the_shape_is_named_at_its_place(
    tmp_path: Path, place: str, value: object, pointer: str, message: str
) -> None:
    found = said(problems_after(tmp_path, {f"resources.trials.{place}": value}))
    at = f"/resources/trials/{pointer}"
    assert [text for where, text in found if where == at and message in text], found


def test_the_shorthands_mean_what_they_are_short_for() -> None:
    methods: JSON = {
        "list": {"verb": "SELECT", "http": "GET /x", "rows": "[]", "pages": "one", "parameters": {"q": None}}
    }
    document = validate(
        ServiceDocument,
        {
            "service": "s",
            "version": "1",
            "resources": {
                "r": {
                    "parents": ["other"],
                    "columns": {"a": "INTEGER", "b": {"path": ["x.y", "z"]}},
                    "methods": methods,
                }
            },
        },
    )
    assert isinstance(document, ServiceDocument)
    resource = document.resources["r"]
    assert resource.columns["a"].type == "INTEGER"
    assert resource.columns["b"].path == ("x.y", "z")
    assert resource.parents[0].resource == "other"
    assert resource.methods["list"].rows == ("[]",)
    pages = resource.methods["list"].pages
    assert pages is not None
    assert pages.style == "one"
    assert resource.methods["list"].parameters["q"].required is False
