"""Names for chains of collections: the rules, and that no name given is ever taken back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlprovider.catalog.collections import (
    Chain,
    chain_of,
    name_chains,
    read_names,
    snake_case,
    write_names,
)


def chain(text: str) -> Chain:
    return tuple(text.split("."))


def named(*chains: str, first: dict[str, str] | None = None) -> dict[str, str]:
    known = {chain(path): name for path, name in (first or {}).items()}
    return {".".join(path): name for path, name in name_chains(map(chain, chains), known).items()}


@pytest.mark.parametrize(
    ("wire", "name"),
    [
        pytest.param("runs", "runs", id="one word"),
        pytest.param("timeSeries", "time_series", id="a hump"),
        pytest.param("a2aGetReasoningEngine", "a2a_get_reasoning_engine", id="a digit before a hump"),
        pytest.param("v1beta1", "v1beta1", id="digits only"),
        pytest.param("HTTPBody", "http_body", id="an abbreviation"),
        pytest.param("a-b.c", "a_b_c", id="no letters"),
    ],
)
def test_a_wire_name_in_snake_case(wire: str, name: str) -> None:
    assert snake_case(wire) == name


def test_a_chain_takes_its_last_collection() -> None:
    path = "projects.locations.tensorboards.experiments.runs"
    assert named(path) == {path: "runs"}


def test_the_shallowest_takes_a_name_first() -> None:
    found = named("projects.locations.boxes.operations", "projects.locations.operations")
    assert found["projects.locations.operations"] == "operations"
    assert found["projects.locations.boxes.operations"] == "boxes_operations"


def test_two_of_one_depth_each_put_one_more_parent_in_front() -> None:
    found = named("projects.locations.boxes.lids", "projects.locations.jars.lids")
    assert set(found.values()) == {"boxes_lids", "jars_lids"}


def test_parents_are_put_in_front_until_the_names_differ() -> None:
    found = named(
        "projects.locations.a.boxes.lids", "projects.locations.b.boxes.lids", "projects.locations.c.jars.lids"
    )
    assert set(found.values()) == {"a_boxes_lids", "b_boxes_lids", "jars_lids"}


def test_depth_is_counted_without_projects_locations_in_front() -> None:
    found = named("projects.boxes", "projects.locations.boxes")
    assert found == {"projects.locations.boxes": "boxes", "projects.boxes": "projects_boxes"}


def test_projects_and_locations_have_names_of_their_own() -> None:
    assert named("projects", "projects.locations") == {
        "projects": "projects",
        "projects.locations": "locations",
    }


def test_a_chain_outside_projects_is_global_and_its_whole_path() -> None:
    assert named("boxes.lids") == {"boxes.lids": "global_boxes_lids"}


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_the_collection_of_the_version_is_the_root_in_every_version(version: str) -> None:
    root = chain_of([version], version)
    assert name_chains([root], {}) == {root: "global_root"}


def test_only_a_first_collection_is_the_version_s() -> None:
    assert chain_of(["projects", "v1"], "v1") == ("projects", "v1")


def test_a_name_once_given_is_kept_and_not_given_again() -> None:
    first = {"projects.locations.jars.lids": "lids"}
    found = named("projects.locations.lids", "projects.locations.jars.lids", first=first)
    assert list(found.items()) == [*first.items(), ("projects.locations.lids", "locations_lids")]


def test_a_chain_that_is_gone_keeps_its_name() -> None:
    found = named("projects.locations.boxes", first={"projects.locations.crates.boxes": "boxes"})
    assert found["projects.locations.boxes"] == "locations_boxes"


def test_a_name_that_can_not_be_given_is_an_error() -> None:
    first = {"projects.x": "global_boxes"}
    with pytest.raises(ValueError, match="global_boxes"):
        named("boxes", first=first)


def test_the_table_is_written_and_read_in_its_order() -> None:
    table: dict[Chain, str] = {("projects", "b"): "b", ("projects", "a"): "a"}
    text = write_names(table)
    assert text.splitlines() == ["{", '"projects.b": "b",', '"projects.a": "a"', "}"]
    assert list(read_names(text).items()) == list(table.items())


@pytest.mark.parametrize("text", ["[]", '{"a": 1}', "{"])
def test_a_names_file_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_names(text)


COLLECTIONS = st.sampled_from(["boxes", "lids", "jars", "operations"])
CHAINS = st.lists(
    st.tuples(st.lists(COLLECTIONS, min_size=1, max_size=3), st.booleans()).map(
        lambda drawn: ("projects", *(("locations",) if drawn[1] else ()), *drawn[0])
    ),
    max_size=12,
)


@given(CHAINS, CHAINS)
def test_whatever_is_added_nothing_is_renamed_and_no_two_are_one(
    first: list[Chain], more: list[Chain]
) -> None:
    before = name_chains(first, {})
    after = name_chains([*first, *more], before)
    assert list(after.items())[: len(before)] == list(before.items())
    assert set(after) == {*first, *more}
    assert len(set(after.values())) == len(after)


@given(CHAINS)
def test_the_order_in_which_chains_come_does_not_matter(chains: list[Chain]) -> None:
    assert name_chains(chains, {}) == name_chains(reversed(chains), {})
