"""The columns of a resource: their order, their names, and which parameter is which column."""

from __future__ import annotations

from pathlib import Path

import pytest

from sqlprovider.catalog.model import Place, Role, Wire
from sqlprovider.values import Type
from tests.catalog.drafts import lab_resource

METHODS = "resources.trials.methods"


def test_columns_come_in_the_order_of_the_contract(tmp_path: Path) -> None:
    columns = [
        (column.name, column.role, column.hidden) for column in lab_resource(tmp_path, "trials").columns
    ]
    fields = ["name", "stage", "status", "started", "metrics", "tags", "path", "is_dir"]
    options = [
        "filter",
        "view",
        "order",
        "size",
        "token",
        "path_",
        "fields",
        "lab_retry_token",
        "requests",
        "mask",
    ]
    assert columns == [
        *((name, Role.PARAMETER, False) for name in ("site", "group_id", "trial_id")),
        *((name, Role.ITEM, False) for name in fields),
        ("next_token", Role.RESPONSE, True),
        ("item_", Role.ITEM, True),
        ("cached_at", Role.CACHE, True),
        *((name, Role.OPTION, True) for name in options),
    ]  # fmt: skip


def test_item_is_the_whole_item_as_json(tmp_path: Path) -> None:
    column = lab_resource(tmp_path, "trials").column("item_")
    assert column is not None
    assert (column.whole_item, column.type, column.path) == (True, Type.JSON, ())


@pytest.mark.parametrize(
    ("method", "parameter", "column"),
    [
        pytest.param("search", "group_id", "group_id", id="a-required-parameter-is-the-row's"),
        pytest.param("search", "path", "path_", id="an-option-with-a-field's-name-has-an-underscore"),
        pytest.param("search", "status", "status", id="an-option-pushed-as-equal-is-the-field"),
        pytest.param("search", "lab_retry_token", "lab_retry_token", id="a-header"),
        pytest.param("create", "name", "name", id="a-write's-parameter-is-the-field"),
        pytest.param("create", "trial_tags", "tags", id="is-says-which-field"),
        pytest.param("create", "requests", "requests", id="a-body-parameter-that-is-no-field-is-an-option"),
        pytest.param("update", "mask", "mask", id="a-write's-option"),
        pytest.param("set_tag", "trial_id", "trial_id", id="exec-takes-the-row's-parameter"),
        pytest.param("set_tag", "key", None, id="an-argument-of-exec-only-is-no-column"),
    ],
)
def test_a_parameter_knows_its_column(
    tmp_path: Path, method: str, parameter: str, column: str | None
) -> None:
    assert lab_resource(tmp_path, "trials").methods[method].parameters[parameter].column == column


def test_an_optional_argument_of_a_reading_exec_is_not_the_field_of_its_name(tmp_path: Path) -> None:
    probe = {"verb": "EXEC", "http": "GET /{version}/{site}/{trial_id}:probe", "parameters": {"name": {}}}
    trials = lab_resource(tmp_path, "trials", {f"{METHODS}.probe": probe})
    assert trials.methods["probe"].parameters["name"].column is None


def test_an_option_with_the_name_of_a_response_field_has_an_underscore(tmp_path: Path) -> None:
    trials = lab_resource(tmp_path, "trials", {f"{METHODS}.search.parameters.next_token": {"in": "body"}})
    assert trials.methods["search"].parameters["next_token"].column == "next_token_"


def test_a_wire_name_with_odd_characters_is_kept_beside_the_sql_name(tmp_path: Path) -> None:
    parameter = lab_resource(tmp_path, "trials").methods["search"].parameters["lab_retry_token"]
    assert (parameter.name, parameter.wire_name, parameter.place) == (
        "lab_retry_token",
        "lab-retry-token",
        Place.HEADER,
    )


def test_a_field_with_an_odd_name_is_found_under_that_name(tmp_path: Path) -> None:
    trials = lab_resource(tmp_path, "trials", {"resources.trials.columns.cpu-hours": "REAL"})
    column = trials.column("cpu_hours")
    assert column is not None
    assert column.path == ("cpu-hours",)


def test_wire_that_is_no_encoding_is_the_name_on_the_wire(tmp_path: Path) -> None:
    parameters = {
        "retry": {"in": "header", "wire": "x-retry"},
        "since": {"type": "DATETIME", "wire": "rfc3339"},
    }
    taken = (
        lab_resource(tmp_path, "trials", {f"{METHODS}.get.parameters": parameters}).methods["get"].parameters
    )
    assert (taken["retry"].wire_name, taken["retry"].wire) == ("x-retry", Wire.PLAIN)
    assert (taken["since"].wire_name, taken["since"].wire) == ("since", Wire.RFC3339)


def test_a_parameter_takes_type_and_wire_from_its_column(tmp_path: Path) -> None:
    create = lab_resource(tmp_path, "trials").methods["create"].parameters
    assert (create["started"].type, create["started"].wire) == (Type.DATETIME, Wire.EPOCH_MS)
    assert (create["trial_tags"].wire, create["trial_tags"].key_names) == (Wire.KEY_VALUE, ("k", "v"))
    update = lab_resource(tmp_path, "trials").methods["update"].parameters
    assert update["status"].enum == ("RUNNING", "DONE")


def test_the_path_s_parameters_come_first_and_are_required(tmp_path: Path) -> None:
    search = lab_resource(tmp_path, "trials").methods["search"]
    assert search.required == ("site", "group_id")
    assert next(iter(search.parameters)) == "site"


def test_a_root_is_a_root_in_every_method(tmp_path: Path) -> None:
    methods = lab_resource(tmp_path, "trials").methods.values()
    assert {method.parameters["site"].root for method in methods} == {True}


@pytest.mark.parametrize(
    ("method", "parameter", "at"),
    [
        pytest.param("search", "group_id", ("group_ids",), id="at"),
        pytest.param("create", "trial_tags", ("info", "tags"), id="nested"),
        pytest.param("create", "name", ("name",), id="own-name"),
        pytest.param("set_tag", "key", (), id="template"),
        pytest.param("get", "trial_id", (), id="not-in-the-body"),
    ],
)
def test_a_body_parameter_has_its_place(
    tmp_path: Path, method: str, parameter: str, at: tuple[str, ...]
) -> None:
    assert lab_resource(tmp_path, "trials").methods[method].parameters[parameter].at == at


def test_an_option_of_two_methods_is_one_column_with_both_enums(tmp_path: Path) -> None:
    trials = lab_resource(
        tmp_path,
        "trials",
        {
            f"{METHODS}.get.parameters": {"fields": {"enum": ["few", "all"]}},
            f"{METHODS}.search.parameters.fields.enum": ["some", "all"],
        },
    )
    found = [column for column in trials.columns if column.name == "fields"]
    assert [column.enum for column in found] == [("some", "all", "few")]
