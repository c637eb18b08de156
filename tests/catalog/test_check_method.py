"""Faults of one method: its path, parameters, body, rows, pages, what it pushes and sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.catalog.drafts import REMOVED, problems_after, said

FAULTS = [
    pytest.param(
        "search.push.filter.parameter",
        "filtre",
        "search/push/filter/parameter",
        "no parameter 'filtre'; did you mean filter",
        id="filter-parameter",
    ),
    pytest.param(
        "search.push.filter.terms.nme",
        {"name": "n", "ops": ["="]},
        "search/push/filter/terms/nme",
        "no column 'nme'",
        id="filter-column",
    ),
    pytest.param(
        "search.push.filter.terms.metrics.name",
        "metrics",
        "search/push/filter/terms/metrics/name",
        "holds {key}",
        id="filter-json-without-key",
    ),
    pytest.param(
        "search.push.filter.terms.trial_id.name",
        "x.{key}",
        "search/push/filter/terms/trial_id/name",
        "no JSON column",
        id="filter-key-without-json",
    ),
    pytest.param(
        "search.push.order.parameter",
        "ord",
        "search/push/order/parameter",
        "no parameter 'ord'",
        id="order-parameter",
    ),
    pytest.param(
        "search.push.order.columns",
        {"strted": "s"},
        "search/push/order/columns/strted",
        "no column 'strted'",
        id="order-column",
    ),
    pytest.param(
        "search.push.order.exact",
        {"name": ["ASC"]},
        "search/push/order/exact/name",
        "no ordered column 'name'",
        id="order-exact",
    ),
    pytest.param(
        "search.push.equals",
        {"status": "stat"},
        "search/push/equals/status",
        "no parameter 'stat'",
        id="equals-parameter",
    ),
    pytest.param(
        "search.push.equals",
        {"stat": "status"},
        "search/push/equals/stat",
        "no column 'stat'",
        id="equals-column",
    ),
    pytest.param(
        "search.parameters.status.several",
        "stats",
        "search/parameters/status/several",
        "no parameter 'stats'; did you mean status",
        id="several-parameter",
    ),
    pytest.param(
        "search.parameters.size.several",
        "token",
        "search/parameters/size/several",
        "no text outside the path",
        id="several-number",
    ),
    pytest.param(
        "get.parameters",
        {"site": {"several": "site"}},
        "get/parameters/site/several",
        "rows of several values are a list",
        id="several-of-one",
    ),
    pytest.param(
        "search.parameters.fields.several",
        "path",
        "search/parameters/fields/several",
        "no field of the item says of which fields a row is",
        id="several-without-a-field",
    ),
    pytest.param("search.push.fields", "field", "search/push/fields", "no parameter 'field'", id="fields"),
    pytest.param("search.push.fields", "size", "search/push/fields", "takes no text", id="fields-number"),
    pytest.param(
        "search.parameters.fields",
        {"in": "body", "repeated": True},
        "search/push/fields",
        "takes no text",
        id="fields-list",
    ),
    pytest.param(
        "search.push.fields",
        {"parameter": "fields", "template": "trials({name})"},
        "search/push/fields/template",
        "no place for {names}",
        id="fields-template",
    ),
    pytest.param(
        "search.push.fields",
        {"parameter": "fields", "always": ["info", "inof"]},
        "search/push/fields/always/1",
        "no field 'inof' of the item; did you mean info",
        id="fields-always",
    ),
    pytest.param(
        "search.rows", "trials[].data.points[]", "search/push/fields", "further in", id="fields-too-deep"
    ),
    pytest.param("create.push", {"fields": "name"}, "create/push", "only a SELECT", id="push-insert"),
    pytest.param(
        "create.parameters.trial_tags.is",
        "tag",
        "create/parameters/trial_tags/is",
        "no column 'tag'",
        id="is",
    ),
    pytest.param(
        "create.body_columns", ["nme"], "create/body_columns/0", "no column 'nme'", id="body-columns"
    ),
    pytest.param(
        "get.http",
        "GET /{version}/sites/{site}/trials/{trial}",
        "get/http",
        "{trial} is no parameter; did you mean trial_id",
        id="placeholder",
    ),
    pytest.param("get.http", "GET /{site}/{site}/{trial_id}", "get/http", "twice", id="placeholder-twice"),
    pytest.param("get.http", "GET /{site}/{trial_id", "get/http", "a brace without", id="half-placeholder"),
    pytest.param(
        "get.parameters",
        {"name": {"in": "path"}},
        "get/parameters/name",
        "has no {name}",
        id="path-parameter-nowhere",
    ),
    pytest.param(
        "get.parameters",
        {"site": {"in": "query"}},
        "get/parameters/site/in",
        "`in: path`",
        id="placeholder-in-query",
    ),
    pytest.param(
        "get.parameters", {"x": {"in": "body"}}, "get/parameters/x", "a GET has no body", id="get-body"
    ),
    pytest.param(
        "get.parameters", {"x": {"at": "y"}}, "get/parameters/x/at", "`at` is for the body", id="at-in-query"
    ),
    pytest.param(
        "get.parameters",
        {"a-b": {}, "a_b": {}},
        "get/parameters/a_b",
        "two parameters are called a_b",
        id="parameters-of-one-sql-name",
    ),
    pytest.param(
        "search.parameters.view.default",
        "LIV",
        "search/parameters/view/default",
        "'LIV' is none of LIVE, DELETED, ALL",
        id="default-outside-enum",
    ),
    pytest.param(
        "search.parameters.size.default",
        "ten",
        "search/parameters/size/default",
        "'ten' is no INTEGER",
        id="default-of-another-type",
    ),
    pytest.param(
        "search.parameters.size.default",
        True,
        "search/parameters/size/default",
        "True is no INTEGER",
        id="default-true-is-no-number",
    ),
    pytest.param(
        "search.parameters.since",
        {"type": "DATETIME"},
        "search/parameters/since",
        "says how it travels",
        id="parameter-datetime-without-wire",
    ),
    pytest.param(
        "search.parameters.since",
        {"type": "DATETIME", "wire": "epoc_ms"},
        "search/parameters/since/wire",
        "did you mean epoch_ms",
        id="misspelt-wire",
    ),
    pytest.param(
        "get.parameters",
        {"size": "TEXT"},
        "get/parameters/size",
        "INTEGER in search",
        id="one-option-two-types",
    ),
    pytest.param("search.pages", REMOVED, "search", "a list says how it goes on", id="list-without-pages"),
    pytest.param(
        "search.pages.parameter", "tok", "search/pages/parameter", "no parameter 'tok'", id="pages-parameter"
    ),
    pytest.param("search.pages.size", "sze", "search/pages/size", "did you mean size", id="pages-size"),
    pytest.param(
        "search.pages.token", REMOVED, "search/pages", "style token needs 'token'", id="pages-without-token"
    ),
    pytest.param(
        "search.pages",
        {"style": "number", "parameter": "size"},
        "search/pages",
        "style number needs 'total'",
        id="number-without-total",
    ),
    pytest.param("search.pages", {"style": "cap"}, "search/pages", "needs 'size_max'", id="cap-without-size"),
    pytest.param(
        "search.pages.size",
        REMOVED,
        "search/pages/size_max",
        "which parameter takes it",
        id="size-max-without-size",
    ),
    pytest.param(
        "get.pages",
        {"style": "one", "size_max": 5},
        "get/pages",
        "one page has no size_max",
        id="one-page-with-size",
    ),
    pytest.param(
        "get.pages", {"style": "cap", "size_max": 5}, "get/pages", "is one object", id="pages-of-one-object"
    ),
    pytest.param(
        "set_tag.body",
        {"tag": "$kye", "v": "$value", "k": "$key"},
        "set_tag/body",
        "no parameter 'kye'; did you mean key",
        id="template-name",
    ),
    pytest.param(
        "set_tag.body",
        {"key": "$key"},
        "set_tag/parameters/value",
        "used nowhere",
        id="template-without-a-parameter",
    ),
    pytest.param(
        "create.parameters.requests",
        {"type": "JSON", "at": "name"},
        "create/parameters/requests",
        "another parameter goes to name",
        id="one-place-two-parameters",
    ),
    pytest.param("search.effect", REMOVED, "search/effect", "`effect: read`", id="select-that-writes"),
    pytest.param("delete.effect", "read", "delete/effect", "DELETE writes", id="delete-that-reads"),
    pytest.param("update.sets", ["name", "nme"], "update/sets/1", "no column 'nme'", id="sets"),
    pytest.param(
        "update.sets",
        ["name", "stage"],
        "update/sets/1",
        "neither a parameter nor a map",
        id="sets-what-is-not-taken",
    ),
    pytest.param("update.sets", [], "update", "sets nothing", id="sets-nothing"),
    pytest.param("update.mask", "msk", "update/mask", "no parameter 'msk'", id="mask"),
    pytest.param(
        "update.mask", REMOVED, "update/mask_columns", "`mask` does not say", id="mask-columns-without-mask"
    ),
    pytest.param(
        "update.mask_columns",
        {"stage": "s"},
        "update/mask_columns/stage",
        "no column among `sets` 'stage'",
        id="mask-column",
    ),
    pytest.param("update.answers", {"nme": "x"}, "update/answers/nme", "no column 'nme'", id="answers"),
    pytest.param(
        "update.precondition",
        "stage",
        "update/precondition",
        "no column among the parameters",
        id="precondition",
    ),
    pytest.param("create.mask", "x", "create/mask", "'mask' is for UPDATE", id="mask-of-insert"),
    pytest.param("search.tree.flag", "is_folder", "search/tree/flag", "no field 'is_folder'", id="tree-flag"),
    pytest.param(
        "search.tree.parameter", "pth", "search/tree/parameter", "no parameter 'pth'", id="tree-parameter"
    ),
]


@pytest.mark.parametrize(("place", "value", "pointer", "message"), FAULTS)
def test_a_fault_of_a_method_is_named_at_its_place(
    tmp_path: Path, place: str, value: object, pointer: str, message: str
) -> None:
    found = said(problems_after(tmp_path, {f"resources.trials.methods.{place}": value}))
    at = f"/resources/trials/methods/{pointer}"
    assert [text for where, text in found if where == at and message in text], found
