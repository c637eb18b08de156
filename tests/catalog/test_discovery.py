"""Discovery documents, read: calls, schemas, and the parts that fields play."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sqlprovider.catalog.collections import read_names
from sqlprovider.catalog.discovery import find_document, read_discovery
from sqlprovider.catalog.discovery_facts import compile_facts
from sqlprovider.catalog.discovery_fields import column_words, named_collections, parts
from sqlprovider.catalog.facts import Facts
from sqlprovider.errors import CatalogError
from sqlprovider.values import JSON
from tests.catalog.discovery_drafts import Fields, call, discovered, document

BOX = "v1/projects/{projectsId}/boxes/{boxesId}"


def test_a_call_is_read_with_its_chain_path_and_query(tmp_path: Path) -> None:
    said = call(f"GET {BOX}:weigh", query={"unit": {}}, response="Box")
    (found,) = discovered(tmp_path, {"projects.boxes.weigh": said}).calls
    assert found.chain == ("projects", "boxes")
    assert found.path == "/{version}/projects/{projectsId}/boxes/{boxesId}:weigh"
    assert found.place == "/{version}/projects/{projectsId}/boxes/{boxesId}"
    assert (found.path_names, list(found.query)) == (("projectsId", "boxesId"), ["unit"])
    assert (found.request, found.response, found.on_collection) == (None, "Box", False)


def test_a_call_of_the_version_itself_is_of_the_root(tmp_path: Path) -> None:
    (found,) = discovered(tmp_path, {"v1.weigh": call("POST v1:weigh")}).calls
    assert (found.chain, found.path, found.on_collection) == (("root",), "/{version}:weigh", True)


def test_an_operation_and_a_raw_body_are_known_by_their_fields(tmp_path: Path) -> None:
    found = discovered(tmp_path, {})
    assert [found.is_operation(name) for name in ("Operation", "Box", None)] == [True, False, False]
    assert [found.is_raw(name) for name in ("HttpBody", "Box", "Nowhere")] == [True, False, False]
    assert [found.is_object(name) for name in ("Box", "HttpBody", "Empty")] == [True, False, False]


def test_name_is_the_first_field(tmp_path: Path) -> None:
    schemas: dict[str, Fields] = {"Jar": {"a": {}, "name": {}, "z": {}}}
    assert list(discovered(tmp_path, {}, schemas).fields("Jar")) == ["name", "a", "z"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("Required. The name.", {"required"}, id="one part"),
        pytest.param("Output only. Identifier. A name.", {"output only", "identifier"}, id="two parts"),
        pytest.param("REQUIRED: the name.", {"required"}, id="shouted"),
        pytest.param("Required if the box is open.", set(), id="a condition"),
        pytest.param("The name. Required.", set(), id="not in front"),
        pytest.param("Immutability is a virtue.", set(), id="another word"),
    ],
)
def test_the_part_of_a_field_stands_in_front_of_its_description(text: str, found: set[str]) -> None:
    assert parts({"description": text}) == found


def test_read_only_says_output_only() -> None:
    assert parts({"readOnly": True}) == {"output only"}


def test_the_form_of_a_resource_name_is_read_off_a_description() -> None:
    text = "The box. Format: `projects/{project}/boxes/{box}` or `publishers/{p}/boxes/{box}`."
    assert named_collections({"description": text}) == (("projects", "boxes"), ("publishers", "boxes"))


@pytest.mark.parametrize(
    ("field", "words"),
    [
        pytest.param({"type": "string"}, {}, id="text"),
        pytest.param({"type": "string", "format": "byte"}, {}, id="bytes"),
        pytest.param({"type": "string", "format": "google-duration"}, {}, id="a duration"),
        pytest.param({"type": "string", "enum": ["A", "B"]}, {"enum": ["A", "B"]}, id="an enum"),
        pytest.param(
            {"type": "string", "format": "int64"}, {"type": "INTEGER", "wire": "int64"}, id="an int64"
        ),
        pytest.param({"type": "integer", "format": "int32"}, {"type": "INTEGER"}, id="an int32"),
        pytest.param(
            {"type": "number", "format": "double"}, {"type": "REAL", "wire": "number"}, id="a double"
        ),
        pytest.param({"type": "boolean"}, {"type": "BOOLEAN"}, id="a boolean"),
        pytest.param(
            {"type": "string", "format": "google-datetime"},
            {"type": "DATETIME", "wire": "rfc3339"},
            id="a time",
        ),
        pytest.param({"type": "any"}, {"type": "JSON"}, id="anything"),
        pytest.param({"type": "array", "items": {"type": "string"}}, {"type": "JSON"}, id="a list"),
        pytest.param(
            {"type": "object", "additionalProperties": {"type": "string"}},
            {"type": "JSON", "numeric_keys": False},
            id="a map of texts",
        ),
        pytest.param(
            {"type": "object", "additionalProperties": {"type": "number"}},
            {"type": "JSON"},
            id="a map of numbers",
        ),
        pytest.param({"$ref": "Empty"}, {"type": "JSON"}, id="an object without known fields"),
        pytest.param({"$ref": "Lid"}, {"type": "JSON", "numeric_keys": False}, id="an object of texts"),
    ],
)
def test_a_field_as_a_column(tmp_path: Path, field: dict[str, JSON], words: dict[str, JSON]) -> None:
    schemas: dict[str, Fields] = {"Lid": {"colour": {"type": "string"}, "age": {"type": "string"}}}
    assert column_words(field, discovered(tmp_path, {}, schemas)) == words


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("{", "it is no JSON", id="no JSON"),
        pytest.param("[]", "it is no discovery document", id="another document"),
    ],
)
def test_a_file_that_is_no_discovery_document_is_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogError, match=message):
        read_discovery(file)


def test_a_file_that_can_not_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="it cannot be read"):
        read_discovery(tmp_path)


def test_a_document_is_found_by_its_name_in_the_client() -> None:
    assert find_document("ml.v1").name == "ml.v1.json"


@pytest.mark.parametrize("name", ["ml.v0", "../ml.v1"])
def test_a_document_that_is_nowhere_is_refused(name: str) -> None:
    with pytest.raises(CatalogError, match="no such file"):
        find_document(name)


def drafts(folder: Path, *versions: str) -> list[Path]:
    """A document a version; each version has one collection more."""
    files = []
    for place, version in enumerate(versions):
        calls: dict[str, JSON] = {}
        for name in ["boxes", "lids", "jars"][: place + 1]:
            calls[f"projects.{name}.get"] = call(f"GET {version}/projects/{{projectsId}}/{name}/{{id}}")
        said = {**document(calls), "version": version}
        file = folder / f"in.{version}.json"
        file.write_text(json.dumps(said), encoding="utf-8")
        files.append(file)
    return files


def test_compiling_writes_a_file_a_version_and_the_names(tmp_path: Path) -> None:
    names = tmp_path / "store.names.json"
    written = compile_facts(drafts(tmp_path, "v1", "v1beta1"), names=names, folder=tmp_path)
    assert [file.name for file in written] == ["store.names.json", "store.v1.json", "store.v1beta1.json"]
    assert list(Facts(tmp_path / "store.v1beta1.json")) == ["boxes", "lids"]
    assert list(read_names(names.read_text(encoding="utf-8")).values()) == ["boxes", "lids"]


def test_versions_are_named_in_their_order_however_they_are_given(tmp_path: Path) -> None:
    names = tmp_path / "store.names.json"
    compile_facts(drafts(tmp_path, "v1", "v1beta1")[::-1], names=names, folder=tmp_path)
    assert list(read_names(names.read_text(encoding="utf-8")).values()) == ["boxes", "lids"]


def test_compiling_again_keeps_every_name_and_adds_the_new_ones_below(tmp_path: Path) -> None:
    names = tmp_path / "store.names.json"
    names.write_text('{\n"projects.old": "lids",\n"projects.boxes": "crates"\n}\n', encoding="utf-8")
    compile_facts(drafts(tmp_path, "v1", "v2"), names=names, folder=tmp_path)
    found = {".".join(c): name for c, name in read_names(names.read_text(encoding="utf-8")).items()}
    assert list(found.items()) == [
        ("projects.old", "lids"),
        ("projects.boxes", "crates"),
        ("projects.lids", "projects_lids"),
    ]


def test_two_services_do_not_share_a_names_file(tmp_path: Path) -> None:
    names = tmp_path / "names.json"
    with pytest.raises(CatalogError, match="ml, store"):
        compile_facts([*drafts(tmp_path, "v1"), "ml.v1"], names=names, folder=tmp_path)
    assert not names.exists()


def test_two_methods_of_one_name_are_an_error_and_nothing_is_written(tmp_path: Path) -> None:
    calls: dict[str, JSON] = {
        "projects.boxes.openLid": call("POST v1/projects/{projectsId}/boxes:openLid"),
        "projects.boxes.open_lid": call("POST v1/projects/{projectsId}/boxes:open_lid"),
    }
    discovered(tmp_path, calls)
    with pytest.raises(CatalogError, match="open_lid"):
        compile_facts([tmp_path / "store.v1.json"], names=tmp_path / "n.json", folder=tmp_path)
    assert not (tmp_path / "n.json").exists()


def test_a_spoiled_names_file_is_refused(tmp_path: Path) -> None:
    names = tmp_path / "names.json"
    names.write_text("[]", encoding="utf-8")
    with pytest.raises(CatalogError, match="a names file is a JSON object"):
        compile_facts(drafts(tmp_path, "v1"), names=names, folder=tmp_path)
