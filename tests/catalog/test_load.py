"""Providers are found by folder, read late, and loaded in the version asked for."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from sqlprovider.catalog.catalog import Catalog, ConnectionSpec
from sqlprovider.catalog.load import load_provider, provider_names
from sqlprovider.catalog.model import (
    Drop,
    Pages,
    Parent,
    Role,
    Verb,
    View,
    WaitShape,
)
from sqlprovider.catalog.push import Fields, Term
from sqlprovider.errors import CatalogError, ConfigError
from tests.catalog.drafts import BENCH, edited, lab_resource, write_provider

NAMES_LOAD_NOTHING = """
import sys
from sqlprovider.catalog.load import provider_names
names = provider_names()
print(len(names) > 0, sorted({"yaml", "pydantic"} & sys.modules.keys()))
"""


def test_naming_the_providers_reads_none_of_them() -> None:
    run = subprocess.run(
        [sys.executable, "-c", NAMES_LOAD_NOTHING], capture_output=True, text=True, check=True
    )
    assert run.stdout == "True []\n"


def test_providers_of_a_directory_are_named_beside_the_shipped_ones(tmp_path: Path) -> None:
    write_provider(tmp_path, BENCH)
    (tmp_path / "no_provider").mkdir()
    assert set(provider_names(directories=(tmp_path,))) == {"lab", *provider_names()}


def test_a_provider_of_a_directory_comes_before_a_shipped_one(tmp_path: Path) -> None:
    home = write_provider(tmp_path, BENCH)
    other = tmp_path / "later"
    other.mkdir()
    write_provider(other, edited(BENCH, "title", "another"))
    found = load_provider("lab", {}, directories=(home.parent, other))
    assert found.services["bench"].title == "Benches"


def test_a_provider_is_found_without_regard_to_case(tmp_path: Path) -> None:
    write_provider(tmp_path, BENCH)
    assert load_provider("LAB", {}, directories=(tmp_path,)).name == "lab"


def test_an_unknown_provider_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    write_provider(tmp_path, BENCH)
    with pytest.raises(ConfigError, match="no provider 'lob'; did you mean lab"):
        load_provider("lob", {}, directories=(tmp_path,))


def test_the_version_in_force_stands_in_every_path(tmp_path: Path) -> None:
    write_provider(tmp_path, BENCH)
    own = load_provider("lab", {}, directories=(tmp_path,))
    other = load_provider("lab", {"bench": "v1"}, directories=(tmp_path,))
    paths = [provider.services["bench"].resources["trials"].methods["get"].path for provider in (own, other)]
    assert paths == ["/v2/sites/{site}/trials/{trial_id}", "/v1/sites/{site}/trials/{trial_id}"]
    assert own.wait == other.wait == WaitShape("/{version}/{name}")
    assert [p.services["bench"].version for p in (own, other)] == ["v2", "v1"]


def test_an_unknown_version_is_refused_with_the_versions(tmp_path: Path) -> None:
    write_provider(tmp_path, BENCH)
    with pytest.raises(ConfigError, match=r"lab\.bench has no version 'v3'; there are: v1, v2"):
        load_provider("lab", {"bench": "v3"}, directories=(tmp_path,))


def test_a_version_of_an_unknown_service_is_refused(tmp_path: Path) -> None:
    write_provider(tmp_path, BENCH)
    with pytest.raises(ConfigError, match="lab has no service 'bank'; there are: bench"):
        load_provider("lab", {"bank": "v1"}, directories=(tmp_path,))


def test_a_wrong_document_is_refused_with_all_its_problems(tmp_path: Path) -> None:
    service = edited(BENCH, "resources.trials.key", ["a", "b"])
    write_provider(tmp_path, service)
    with pytest.raises(CatalogError) as caught:
        load_provider("lab", {}, directories=(tmp_path,))
    assert [problem.pointer for problem in caught.value.problems] == [
        "/resources/trials/key/0",
        "/resources/trials/key/1",
    ]


def test_a_provider_document_that_is_none_is_refused(tmp_path: Path) -> None:
    write_provider(tmp_path, BENCH, provider="provider: lab\n")
    with pytest.raises(CatalogError, match="'services' is missing"):
        load_provider("lab", {}, directories=(tmp_path,))


def test_the_catalog_loads_a_connection_s_provider(tmp_path: Path) -> None:
    write_provider(tmp_path, BENCH)
    catalog = Catalog({"l": ConnectionSpec("l", "lab")}, partial(load_provider, directories=(tmp_path,)))
    assert str(catalog.resource("l", "bench", "trials").name) == "l.bench.trials"


def test_the_provider_says_how_it_is_reached(tmp_path: Path) -> None:
    write_provider(tmp_path, BENCH)
    provider = load_provider("lab", {}, directories=(tmp_path,))
    assert (provider.auth_types, provider.auth_default) == (("none", "token"), "none")
    assert provider.base_url_env == "LAB_URL"
    assert provider.services["bench"].base_url == "https://{site}.example.org"
    assert (provider.errors.code, provider.errors.missing) == (("error", "status"), ("NOT_FOUND",))


def test_a_list_keeps_its_pages(tmp_path: Path) -> None:
    search = lab_resource(tmp_path, "trials").methods["search"]
    assert search.pages == Pages("token", "token", ("next_token",), "size", 1000, offset=True)
    assert search.rows == ("trials[]",)


def test_a_select_of_one_object_has_one_page(tmp_path: Path) -> None:
    get = {"verb": "SELECT", "http": "GET /{version}/{site}/{trial_id}"}
    trials = lab_resource(tmp_path, "trials", {"resources.trials.methods.get": get})
    assert trials.methods["get"].pages == Pages("one")


def test_what_is_pushed_is_kept(tmp_path: Path) -> None:
    push = lab_resource(tmp_path, "trials").methods["search"].push
    assert push.filter is not None
    assert push.filter.terms["trial_id"] == Term("info.trial_id", {"=": "=", "!=": "!="}, exact=True)
    assert push.order is not None
    assert (push.order.columns, push.order.exact) == ({"started": "s"}, {"started": ("DESC",)})
    assert (push.equals, push.fields) == ({"status": "status"}, Fields("fields"))


def test_how_fields_are_named_is_kept(tmp_path: Path) -> None:
    spelled = {"parameter": "fields", "template": "trials({names})", "separator": ";", "always": ["info"]}
    trials = lab_resource(tmp_path, "trials", {"resources.trials.methods.search.push.fields": spelled})
    assert trials.methods["search"].push.fields == Fields("fields", "trials({names})", ";", ("info",))


def test_view_and_parents_are_kept(tmp_path: Path) -> None:
    trials = lab_resource(tmp_path, "trials")
    values = {"LIVE": ("active",), "DELETED": ("deleted",), "ALL": None}
    assert trials.view == View("view", "LIVE", ("info", "stage"), values, "stage")
    view = {"LIVE": "LIVE", "DELETED": "ALL", "ALL": "ALL"}
    bind = {"site": "site", "group_id": "group_id"}
    assert trials.parents == (Parent("bench", "groups", bind, view, confirm=True),)


def test_a_parent_without_bind_gives_the_parameters_that_both_have(tmp_path: Path) -> None:
    trials = lab_resource(tmp_path, "trials", {"resources.trials.parents": ["groups"]})
    assert trials.parents == (Parent("bench", "groups", {"site": "site", "group_id": "group_id"}),)


def test_a_parent_may_be_listed_with_one_view_always(tmp_path: Path) -> None:
    trials = lab_resource(tmp_path, "trials", {"resources.trials.parents.0.view": "ALL"})
    assert [(parent.view, parent.fixed_view) for parent in trials.parents] == [({}, "ALL")]


def test_a_view_that_no_method_takes_is_passed_on_to_the_parent(tmp_path: Path) -> None:
    view = {"option": "scope", "default": "LIVE", "values": {"LIVE": ["active"], "ALL": None}}
    same = {"LIVE": "LIVE", "ALL": "ALL"}
    edits = {"resources.trials.view": view, "resources.trials.parents.0.view": same}
    trials = lab_resource(tmp_path, "trials", edits)
    assert trials.view is not None
    assert trials.view.path == ()
    column = trials.column("scope")
    assert column is not None
    assert (column.role, column.hidden, column.enum) == (Role.OPTION, True, ("LIVE", "ALL"))


def test_items_that_are_no_rows_are_kept_apart(tmp_path: Path) -> None:
    drop = {"path": "data.marks", "key": "hidden", "values": ["true"], "unless": "filter"}
    trials = lab_resource(tmp_path, "trials", {"resources.trials.drop": drop})
    assert trials.drop == Drop(("data", "marks"), ("true",), "hidden", "filter")


def test_what_cannot_be_sent_is_kept(tmp_path: Path) -> None:
    edits = {
        "resources.trials.parameters.trial_id.pattern": "[0-9]+",
        "resources.trials.methods.search.push.filter.forbidden": "[",
    }
    methods = lab_resource(tmp_path, "trials", edits).methods
    assert methods["get"].parameters["trial_id"].pattern == "[0-9]+"
    assert methods["get"].parameters["site"].pattern is None
    assert methods["search"].push.filter is not None
    assert methods["search"].push.filter.forbidden == "["


def test_a_method_may_have_codes_of_its_own_for_not_found(tmp_path: Path) -> None:
    methods = lab_resource(tmp_path, "trials", {"resources.trials.methods.get.missing": ["GONE"]}).methods
    found = {
        name: (method.missing, method.missing_codes) for name, method in methods.items() if method.missing
    }
    assert found == {"search": (True, ()), "get": (True, ("GONE",)), "delete": (True, ())}


def test_only_some_keys_of_an_object_may_be_the_value(tmp_path: Path) -> None:
    trials = lab_resource(
        tmp_path, "trials", {"resources.trials.columns.inputs": {"type": "JSON", "keep": ["a"]}}
    )
    column = trials.column("inputs")
    assert column is not None
    assert column.keep == ("a",)


def test_a_view_without_a_path_is_told_by_its_column(tmp_path: Path) -> None:
    view = lab_resource(tmp_path, "groups").view
    assert view is not None
    assert view.path == ("state",)


def test_an_update_keeps_what_it_sets(tmp_path: Path) -> None:
    update = lab_resource(tmp_path, "trials").methods["update"]
    assert (update.sets, update.mask, update.precondition) == (("name", "status", "tags"), "mask", "status")
    assert update.mask_columns == {"name": "info.name"}
    assert update.answers == {"name": ("info", "name")}


def test_an_update_without_sets_sets_the_fields_it_takes(tmp_path: Path) -> None:
    update = {
        "verb": "UPDATE",
        "http": "PATCH /{version}/sites/{site}/trials/{trial_id}",
        "parameters": {"mask": {"in": "query"}},
        "body_columns": ["status", "name"],
        "mask": "mask",
    }
    found = lab_resource(tmp_path, "trials", {"resources.trials.methods.update": update}).methods["update"]
    assert found.sets == ("status", "name")
    assert found.mask_columns == {"status": "status", "name": "name"}


def test_the_rest_of_a_method_is_kept(tmp_path: Path) -> None:
    methods = lab_resource(tmp_path, "trials").methods
    assert (methods["create"].repeat, methods["create"].wait) == ("same_body", True)
    batch = methods["create"].batch
    assert batch is not None
    assert (batch.call.path, batch.max_rows, batch.atomic) == ("/v2/sites/{site}/trials:many", 100, True)
    assert methods["set_tag"].wire_name == "setTag"
    assert methods["set_tag"].body == {"tags": [{"key": "$key", "value": "$value", "by": "lab", "rank": 1}]}
    assert (methods["delete"].verb, methods["delete"].missing) == (Verb.DELETE, True)
    assert {name for name, method in methods.items() if method.effect == "read"} == {"search", "get"}
