"""Compiled facts: one resource a line, opened one by one, under the words of a YAML document."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sqlprovider.catalog.check import check_document
from sqlprovider.catalog.facts import Facts, laid_over, write_facts
from sqlprovider.catalog.load import load_provider
from sqlprovider.catalog.model import Provider, Verb
from sqlprovider.errors import CatalogError, ConfigError
from sqlprovider.values import JSON

GET: dict[str, JSON] = {"verb": "SELECT", "http": "GET /{version}/boxes/{box}", "missing": True}
BOXES: dict[str, JSON] = {
    "title": "Box",
    "key": ["box"],
    "parameters": {"box": {"path": "id"}},
    "columns": {"name": {"type": "TEXT"}, "size": {"type": "INTEGER"}},
    "methods": {"get": GET, "open": {"verb": "EXEC", "http": "POST /{version}/boxes/{box}:open"}},
}
LIDS: dict[str, JSON] = {
    "parents": ["boxes"],
    "parameters": {"box": {}},
    "methods": {"get": {"verb": "SELECT", "http": "GET /{version}/boxes/{box}/lid"}},
}
PROVIDER = (
    "provider: store\nservices: [s]\nbase_url: https://x.example\nerrors: {code: code, message: message}\n"
)
SERVICE = "service: s\nversion: v1\nfacts: {v1: s.v1.json, v2: s.v2.json}\n"


def store(folder: Path, overlay: str = "", *, lids: str | None = None) -> Path:
    """The provider's folder: boxes in both versions, lids in v2."""
    home = folder / "store"
    home.mkdir()
    (home / "provider.yaml").write_text(PROVIDER, encoding="utf-8")
    (home / "s.yaml").write_text(SERVICE + overlay, encoding="utf-8")
    (home / "s.v1.json").write_text(write_facts({"source": "x"}, {"boxes": BOXES}), encoding="utf-8")
    second = write_facts({"source": "x"}, {"boxes": BOXES, "lids": LIDS})
    found, _, instead = (lids or "→").partition("→")
    (home / "s.v2.json").write_text(second.replace(found, instead) if found else second, encoding="utf-8")
    return home


def load(folder: Path, version: str = "v1") -> Provider:
    return load_provider("store", {"s": version}, directories=(folder,))


def test_the_file_is_json_with_one_member_a_line() -> None:
    text = write_facts({"source": "é"}, {"lids": LIDS, "boxes": BOXES})
    assert [line[:8] for line in text.splitlines()] == ["{", '"":{"sou', '"boxes":', '"lids":{', "}"]
    assert list(json.loads(text)) == ["", "boxes", "lids"]
    assert json.loads(text)[""] == {
        "source": "é",
        "resources": {
            "boxes": {"title": "Box", "methods": {"get": "SELECT", "open": "EXEC"}},
            "lids": {"title": "", "methods": {"get": "SELECT"}},
        },
    }


def test_each_version_has_its_resources(tmp_path: Path) -> None:
    store(tmp_path)
    first, second = load(tmp_path).services["s"], load(tmp_path, "v2").services["s"]
    assert ([*first.resources], [*second.resources]) == (["boxes"], ["boxes", "lids"])
    assert second.resources["boxes"].methods["get"].path == "/v2/boxes/{box}"
    assert second.versions == ("v1", "v2")


def test_an_unknown_version_is_refused(tmp_path: Path) -> None:
    store(tmp_path)
    with pytest.raises(ConfigError, match=r"store\.s has no version 'v3'; there are: v1, v2"):
        load(tmp_path, "v3")


def test_a_resource_is_opened_without_the_others(tmp_path: Path) -> None:
    store(tmp_path, lids='"GET /{version}/boxes/{box}/lid"→this is no JSON')
    service = load(tmp_path, "v2").services["s"]
    assert service.resources["boxes"].key == ("box",)
    assert service.resources.summary("lids").verbs == (Verb.SELECT,)
    with pytest.raises(CatalogError, match=r"s\.v2\.json.*the line of 'lids' is no JSON"):
        service.resources["lids"]


def test_the_documents_words_lie_over_the_facts(tmp_path: Path) -> None:
    overlay = """
resources:
  boxes:
    title: Boxes
    columns: {size: {type: REAL}, name: null, colour: TEXT}
    methods: {get: {missing: [gone]}, shut: {verb: EXEC, http: "POST /{version}/boxes/{box}:shut"}}
  lids: {title: Lids}
  rims:
    parameters: {box: {}}
    methods: {get: {verb: SELECT, http: "GET /{version}/boxes/{box}/rim"}}
"""
    store(tmp_path, overlay)
    service = load(tmp_path).services["s"]
    boxes = service.resources["boxes"]
    assert [*service.resources] == ["boxes", "rims"]
    assert [f"{c.name} {c.type.value}" for c in boxes.columns if not c.hidden] == [
        "box TEXT",
        "size REAL",
        "colour TEXT",
    ]
    assert boxes.methods["get"].missing_codes == ("gone",)
    assert [*service.resources.summary("boxes").methods] == ["get", "open", "shut"]
    assert service.resources.summary("boxes").title == "Boxes"
    assert load(tmp_path, "v2").services["s"].resources["lids"].title == "Lids"


def test_what_is_said_of_a_method_of_another_version_is_left_out(tmp_path: Path) -> None:
    home = store(tmp_path, "resources: {boxes: {methods: {lift: {missing: true}}}}\n")
    assert [*load(tmp_path).services["s"].resources["boxes"].methods] == ["get", "open"]
    (problem,) = check_document(home)
    assert (problem.pointer, problem.message) == (
        "/resources/boxes/methods/lift",
        "no version's facts have it, and it has no `http` of its own",
    )


def test_words_over_a_resource_that_no_version_has_are_a_problem(tmp_path: Path) -> None:
    home = store(tmp_path, "resources: {boxs: {title: x}}\n")
    (problem,) = check_document(home)
    assert (problem.pointer, problem.message) == (
        "/resources/boxs",
        "no version's facts have it, and it has no `http` of its own; did you mean boxes?",
    )


def test_every_problem_of_every_version_is_found(tmp_path: Path) -> None:
    home = store(tmp_path, "resources: {boxes: {key: [bax]}, lids: {parents: [bottles]}}\n")
    for target in (home, home / "provider.yaml", home / "s.yaml"):
        problems = check_document(target)
        assert [p.pointer for p in problems] == [
            "/resources/boxes/key/0",
            "/resources/lids/parents/0/resource",
        ]
        assert {Path(p.file).name for p in problems} == {"s.yaml"}


def test_a_wrong_shape_is_a_catalog_error_when_the_resource_is_opened(tmp_path: Path) -> None:
    store(tmp_path, "resources: {boxes: {colums: {}}}\n")
    service = load(tmp_path).services["s"]
    with pytest.raises(CatalogError) as caught:
        service.resources["boxes"]
    (problem,) = caught.value.problems
    assert (problem.pointer, problem.message) == (
        "/resources/boxes/colums",
        "unknown word 'colums'; did you mean columns?",
    )


def test_facts_that_are_not_there(tmp_path: Path) -> None:
    home = store(tmp_path)
    (home / "s.v1.json").unlink()
    with pytest.raises(CatalogError, match=r"s\.v1\.json cannot be read: No such file"):
        load(tmp_path)
    assert [p.pointer for p in check_document(home)] == ["/facts/v1"]


def test_a_name_in_the_file_is_found_whatever_stands_in_its_words(tmp_path: Path) -> None:
    odd: dict[str, JSON] = {**BOXES, "title": '"x":{'}
    (tmp_path / "f.json").write_text(write_facts({}, {"a": odd, "b": LIDS}), encoding="utf-8")
    facts = Facts(tmp_path / "f.json")
    assert ([*facts], facts.resource("a")["title"]) == (["a", "b"], '"x":{')


@pytest.mark.parametrize(
    ("below", "above", "merged"),
    [
        pytest.param({"a": 1}, {}, {"a": 1}, id="nothing said"),
        pytest.param({"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}, id="key by key"),
        pytest.param({"a": [1, 2]}, {"a": [3]}, {"a": [3]}, id="a list is replaced"),
        pytest.param({"a": {"b": 1}}, {"a": "x"}, {"a": "x"}, id="a mapping is replaced by a text"),
        pytest.param({"a": "x"}, {"a": {"b": 1}}, {"a": {"b": 1}}, id="a text by a mapping"),
        pytest.param({"a": 1, "b": 2}, {"a": None}, {"b": 2}, id="null takes away"),
    ],
)
def test_words_over_words(below: JSON, above: JSON, merged: JSON) -> None:
    assert laid_over(below, above) == merged
