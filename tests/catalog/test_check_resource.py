"""Faults of one resource: its key, columns, parameters, view and parents."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.catalog.drafts import problems_after, said

FAULTS = [
    pytest.param(
        "methods.get.parameters",
        {"Filter": {}},
        "methods/get/parameters/Filter",
        "'Filter' clashes with the option column 'filter'",
        id="option-clash",
    ),
    pytest.param(
        "response.Next_Token",
        "TEXT",
        "response/Next_Token",
        "clashes with the response column",
        id="response-clash",
    ),
    pytest.param(
        "columns.name", {"path": 5}, "columns/name/path", "Input should be a valid tuple", id="path-number"
    ),
    pytest.param(
        "methods.get.rows", 5, "methods/get/rows", "Input should be a valid tuple", id="rows-number"
    ),
    pytest.param("columns.name", {"keep": ["a"]}, "columns/name/keep", "only a JSON object", id="keep"),
    pytest.param(
        "drop",
        {"path": "x", "values": ["1"], "unless": "fltr"},
        "drop/unless",
        "did you mean filter",
        id="drop",
    ),
    pytest.param(
        "parents.0.view", "OLD", "parents/0/view", "'OLD' is no value of groups's view", id="fixed-view"
    ),
    pytest.param(
        "view",
        {"option": "view", "default": "LIVE", "values": {"LIVE": ["x"]}, "column": "x"},
        "view/column",
        "no column 'x'",
        id="view-column-alone",
    ),
    pytest.param("key", ["trial_i"], "key/0", "no column 'trial_i'; did you mean trial_id", id="key"),
    pytest.param(
        "columns.started",
        {"type": "DATETIME"},
        "columns/started",
        "says how it travels",
        id="datetime-without-wire",
    ),
    pytest.param(
        "columns.started",
        {"type": "TEXT", "wire": "epoch_ms"},
        "columns/started",
        "is for DATETIME",
        id="wire-of-another-type",
    ),
    pytest.param(
        "columns.Status",
        "TEXT",
        "columns/Status",
        "'Status' clashes with the item column 'status'",
        id="case-clash",
    ),
    pytest.param(
        "columns.item_", "TEXT", "columns/item_", "clashes with the item column 'item_'", id="item-clash"
    ),
    pytest.param(
        "parameters.site",
        {"segment": "sites"},
        "parameters/site/segment",
        "`path`, which is missing",
        id="segment-without-path",
    ),
    pytest.param("parameters.lost", {}, "parameters/lost", "lost is used nowhere", id="parameter-nowhere"),
    pytest.param(
        "parameters.group_id",
        {},
        "parameters/group_id",
        "get does not take group_id",
        id="echo-that-a-method-lacks",
    ),
    pytest.param(
        "columns.tags.set_key",
        "set_tags",
        "columns/tags/set_key",
        "no method 'set_tags'; did you mean set_tag",
        id="set-key",
    ),
    pytest.param(
        "columns.tags.delete_key", "delete_tag", "columns/tags/delete_key", "no method", id="delete-key"
    ),
    pytest.param(
        "columns.tags.set_key",
        "drop_tag",
        "columns/tags/set_key",
        "no parameter 'value'",
        id="set-key-without-value",
    ),
    pytest.param(
        "columns.name",
        {"set_key": "set_tag"},
        "columns/name/set_key",
        "only a JSON map",
        id="set-key-of-text",
    ),
    pytest.param(
        "response.x", {"path": "^.x"}, "response/x/path", "leads out of an item", id="response-outside"
    ),
    pytest.param(
        "columns.name", {"path": "^.^.name"}, "methods/search/rows", "2 lists further out", id="too-far-out"
    ),
    pytest.param(
        "view.option", "vieww", "view/option", "no SELECT takes 'vieww'; did you mean view", id="view-option"
    ),
    pytest.param("view.default", "ACTIVE", "view/default", "'ACTIVE' is none of", id="view-default"),
    pytest.param("view.column", "stge", "view/column", "no column 'stge'", id="view-column"),
    pytest.param("view.values.GONE", ["gone"], "view/values/GONE", "view takes no 'GONE'", id="view-value"),
    pytest.param("parents.0.resource", "groupps", "parents/0/resource", "no resource 'groupps'", id="parent"),
    pytest.param(
        "parents.0.bind",
        {"group": "group_id"},
        "parents/0/bind/group",
        "no parameter 'group'; did you mean group_id",
        id="parent-parameter",
    ),
    pytest.param(
        "parents.0.bind",
        {"group_id": "id"},
        "parents/0/bind/group_id",
        "no column of groups 'id'",
        id="parent-column",
    ),
    pytest.param("parents.0.bind", {}, "parents/0", "gives no parameter", id="parent-without-bind"),
    pytest.param(
        "parents.0.view",
        {"LIV": "LIVE"},
        "parents/0/view/LIV",
        "no value of this resource's view",
        id="own-view",
    ),
    pytest.param(
        "parents.0.view",
        {"LIVE": "OLD"},
        "parents/0/view/LIVE",
        "no value of groups's view",
        id="parent-view",
    ),
]


@pytest.mark.parametrize(("place", "value", "pointer", "message"), FAULTS)
def test_a_fault_of_a_resource_is_named_at_its_place(
    tmp_path: Path, place: str, value: object, pointer: str, message: str
) -> None:
    found = said(problems_after(tmp_path, {f"resources.trials.{place}": value}))
    at = f"/resources/trials/{pointer}"
    assert [text for where, text in found if where == at and message in text], found
