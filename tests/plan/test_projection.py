"""Projection: which fields of an item are asked for, and when all of them are."""

from __future__ import annotations

from typing import Any

import pytest

from sqlprovider.catalog.model import Column, Drop, Finished, Method, Parent, Resource, Role, Tree, Verb, View
from sqlprovider.catalog.push import Fields, Push
from sqlprovider.execute.request import build_request
from sqlprovider.plan.bind import bind_scan
from sqlprovider.plan.explain import explain_scan
from sqlprovider.plan.model import Scan
from sqlprovider.plan.projection import fields_text, wanted_fields
from sqlprovider.values import Type
from tests.plan.build import TOKEN, item, key, method, option, required, resource, scan, takes, where

COLUMNS = [
    Column("group", Type.TEXT, Role.PARAMETER, path=("name",), segment="groups"),
    Column("id", Type.TEXT, Role.PARAMETER, path=("name",), segment="things"),
    item("title"),
    Column("size", Type.INTEGER, Role.ITEM, path=("spec", "size")),
    Column("depth", Type.INTEGER, Role.ITEM, path=("spec", "depth")),
    Column("kind", Type.TEXT, Role.ITEM, present={"cpu": "CPU", "gpu": "GPU"}),
    item("secret", write_only=True),
    Column("item_", Type.JSON, Role.ITEM, hidden=True, whole_item=True),
    Column("total", Type.INTEGER, Role.RESPONSE, hidden=True, path=("total",)),
    option("mask"),
]
NAMES = [column.name for column in COLUMNS]
MASK = Fields("mask")


def things(listing: Method | None = None, *, columns: list[Column] = COLUMNS, **options: Any) -> Resource:
    return resource(columns, listing or masked(), key=("group", "id"), **options)


def masked(fields: Fields = MASK, **options: Any) -> Method:
    return method("list", takes("mask"), push=Push(fields=fields), **options)


def using(found: Resource, *names: str, **wish: Any) -> Scan:
    return scan(found, used=frozenset(NAMES.index(name) for name in names), **wish)


@pytest.mark.parametrize(
    ("used", "wanted"),
    [
        pytest.param((), ("name",), id="the key alone"),
        pytest.param(("title",), ("name", "title"), id="a field"),
        pytest.param(("depth", "size"), ("name", "spec"), id="two parts of one field"),
        pytest.param(("kind",), ("name", "cpu", "gpu"), id="which of two fields there is"),
        pytest.param(("group",), ("name",), id="a part of the key"),
        pytest.param(("secret", "mask"), ("name",), id="nothing that an item has"),
        pytest.param(("title", "item_"), (), id="the whole item"),
        pytest.param(("total",), (), id="the answer around the rows"),
        pytest.param(("title", "size", "kind"), (), id="every field"),
    ],
)
def test_what_is_used_and_the_key_are_asked_for(used: tuple[str, ...], wanted: tuple[str, ...]) -> None:
    assert wanted_fields(using(things(), *used)) == wanted


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"view": View("mask", "LIVE", ("stage",), {"LIVE": ("live",)})}, id="a view"),
        pytest.param({"drop": Drop(("stage", "of"), ("gone",))}, id="rows that are none"),
        pytest.param({"finished": Finished(("stage",), ("done",), 60)}, id="how long it is kept"),
    ],
)
def test_what_decides_about_a_row_is_asked_for_too(options: dict[str, Any]) -> None:
    found = things(method("list", takes("mask_"), push=Push(fields=Fields("mask_"))), **options)
    assert wanted_fields(using(found, "title")) == ("name", "title", "stage")


def test_a_view_that_no_field_tells_asks_for_nothing_more() -> None:
    found = things(view=View("shown", "ALL", (), {"ALL": None}))
    assert wanted_fields(using(found, "title")) == ("name", "title")


@pytest.mark.parametrize(
    "listing",
    [
        pytest.param(method("list", takes("mask")), id="the API cannot"),
        pytest.param(masked(tree=Tree("is_dir", "mask", "path")), id="directories are listed in turn"),
        pytest.param(masked(rows=("runs[]", "metrics[]")), id="the items lie in others"),
    ],
)
def test_a_method_that_needs_whole_items_gets_them(listing: Method) -> None:
    assert wanted_fields(using(things(listing), "title")) == ()


@pytest.mark.parametrize("path", [("^", "name"), (".",)], ids=["an outer item", "the item itself"])
def test_what_is_no_field_of_the_item_s_own_cannot_be_named(path: tuple[str, ...]) -> None:
    found = things(columns=[*COLUMNS[:2], Column("title", Type.TEXT, Role.ITEM, path=path), *COLUMNS[3:]])
    assert wanted_fields(using(found, "title")) == ()
    assert wanted_fields(using(found, "size")) == ("name", "spec")


def test_nothing_is_named_where_nothing_of_an_item_is_needed() -> None:
    assert wanted_fields(scan(resource(COLUMNS, masked()), used=frozenset())) == ()


def test_one_object_is_asked_for_its_fields_too() -> None:
    get = method("get", takes("mask"), push=Push(fields=MASK))
    assert wanted_fields(using(things(get), "title")) == ("name", "title")


def test_a_mask_that_the_statement_gives_is_the_statement_s() -> None:
    given = scan(things(), where("mask", "=", "title"), used=frozenset({NAMES.index("title")}))
    assert wanted_fields(given) == ()
    (operation,) = bind_scan(given, ())
    assert (operation.arguments, operation.fields) == ((("mask", "title"),), None)


@pytest.mark.parametrize("verb", [Verb.UPDATE, Verb.DELETE])
def test_rows_that_are_found_to_be_written_are_whole(verb: Verb) -> None:
    assert wanted_fields(using(things(), "title", verb=verb)) == ()


def test_the_names_are_spelled_as_the_document_says() -> None:
    spelling = Fields("mask", "items({names}),next", ";", always=("etag", "title"))
    planned = using(things(masked(spelling)), "size")
    assert wanted_fields(planned) == ("etag", "title", "name", "spec")
    assert fields_text(planned) == "items(etag;title;name;spec),next"
    assert fields_text(using(things(), "item_")) is None
    assert fields_text(using(things(method("list", takes("mask"))), "title")) is None


def test_the_request_names_the_fields() -> None:
    (operation,) = bind_scan(using(things(masked(pages=TOKEN)), "title"), ())
    assert operation.fields == "name,title"
    assert build_request(operation, base_url="https://x").url.query == b"mask=name%2Ctitle"


def test_a_default_of_the_parameter_is_for_whole_items() -> None:
    listing = method("list", takes("mask", default="*"), push=Push(fields=MASK))
    urls = [
        build_request(operation, base_url="https://x").url.params["mask"]
        for used in (("title",), ("item_",))
        for operation in bind_scan(using(things(listing), *used), ())
    ]
    assert urls == ["name,title", "*"]


def test_the_parents_of_a_walk_have_a_projection_of_their_own() -> None:
    groups = resource([key("group"), item("title")], masked(), key=("group",), name="groups")
    listing = method("list", required("group"), takes("mask"), push=Push(fields=MASK))
    parents = (Parent("s", "groups", {"group": "group"}),)
    planned = scan(things(listing, parents=parents), used=frozenset({2}), parents={"groups": groups})
    assert planned.walk is not None
    assert fields_text(planned.walk.parent) == "group"
    notes = [step.note or "" for step in explain_scan(planned)]
    assert [note.rpartition("; ")[2] for note in notes] == ["fields: group", "fields: name, title"]


def test_explain_is_silent_where_a_resource_is_read_more_than_once() -> None:
    (step,) = explain_scan(using(things(), "title"), again={"c.s.r"})
    assert step.note is None
