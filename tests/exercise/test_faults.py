"""The kit finds what is wrong: a platform as it is, asked through a document that says otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from sqlprovider.exercise.run import exercise, exercise_on, subjects
from sqlprovider.exercise.trial import Stage
from tests.exercise.library import load_library, write_library

pytestmark = pytest.mark.slow


def failed(folder: Path, *, was: str, becomes: str) -> set[str]:
    """The checks that fail where the document is wrong in one place."""
    true = load_library(write_library(folder / "true"))
    claimed = load_library(write_library(folder / "claimed", was=was, becomes=becomes))
    return {outcome.check for outcome in exercise_on(Stage(true, claimed), "books") if outcome.message}


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_document_that_is_right_passes(tmp_path: Path, version: str) -> None:
    outcomes = list(exercise(write_library(tmp_path), "books", version))
    assert [outcome for outcome in outcomes if outcome.message is not None] == []
    resources = {f"library.books.{name}" for name in ("shelves", "volumes", "readers", "scores")}
    assert {outcome.resource for outcome in outcomes} == resources


def test_every_version_of_every_service_is_a_subject(tmp_path: Path) -> None:
    assert subjects(write_library(tmp_path)) == [("books", "v1"), ("books", "v2")]


@pytest.mark.parametrize(
    ("was", "becomes", "check"),
    [
        pytest.param("rows: volumes[]", "rows: items[]", "lists", id="rows elsewhere"),
        pytest.param("token: next,", "token: following,", "lists", id="a token elsewhere"),
        pytest.param("parameter: token,", "parameter: filter,", "lists", id="a token sent elsewhere"),
        pytest.param("total: total,", "total: count,", "lists", id="a total elsewhere"),
        pytest.param(
            "{style: number, parameter: page, total: total, size: size, size_max: 50}",
            "one",
            "lists",
            id="pages that are not asked for",
        ),
        pytest.param(
            "rows: volume\n      create", "rows: book\n      create", "one by one", id="one row elsewhere"
        ),
        pytest.param(
            "volumes/{id}\n        missing", "books/{id}\n        missing", "one by one", id="another path"
        ),
        pytest.param("segment: shelves", "segment: rooms", "lists", id="another part of a name"),
        pytest.param("wire: epoch_ms", "wire: rfc3339", "lists", id="another wire"),
        pytest.param("type: INTEGER, wire: int64", "type: BOOLEAN", "lists", id="another type"),
        pytest.param(", zero_is_null: true", "", "types", id="a zero that means nothing"),
        pytest.param(
            "numeric_keys: false, set_key",
            "key_names: [k, v], numeric_keys: false, set_key",
            "lists",
            id="other key names",
        ),
        pytest.param("    drop: {path: kind, values: [gap]}\n", "", "views", id="items that are no rows"),
        pytest.param("lent: [lent]", "lent: [there]", "views", id="a view that shows others"),
        pytest.param("        incomplete: unreachable\n", "", "lists", id="a list that may not be whole"),
        pytest.param("name: title, ops", "name: heading, ops", "pushes", id="a field that no filter has"),
        pytest.param("LIKE: like", 'LIKE: "="', "pushes", id="an operator marked exact that is not"),
        pytest.param('["<", ">="]', '{"<": ">=", ">=": "<"}', "pushes", id="operators turned round"),
        pytest.param("notes.`{key}`", "tags.`{key}`", "pushes", id="another name of a key"),
        pytest.param(
            "            escape: backslash\n", "            escape: double\n", "pushes", id="another escape"
        ),
        pytest.param(
            "columns: {pages: pages}", "columns: {pages: bought}", "pushes", id="another field's order"
        ),
        pytest.param("    parents: [shelves]\n", "", "walks", id="no parents"),
        pytest.param(
            "body_columns: [title, pages, bought, notes]",
            "body_columns: [title, bought, notes]",
            "writes",
            id="a column that is not sent",
        ),
        pytest.param(
            "delete_key: delete_note", "delete_key: set_note", "writes", id="keys that are not deleted"
        ),
        pytest.param(
            "shelf: {required: true, in: query}",
            "shelf: {in: query}",
            "missing keys",
            id="what is not required",
        ),
        pytest.param(
            "reader: {required: true, at: loan.reader}",
            "reader: {at: loan.reader}",
            "missing keys",
            id="an argument that is not required",
        ),
        pytest.param("at: loan.reader", "at: reader", "calls", id="another place in the body"),
        pytest.param("{id}:lend", "{id}:borrow", "calls", id="another method's path"),
        pytest.param("    refuses:", "    refuses: {} #", "refusals", id="a refusal without its hint"),
        pytest.param("{requests: [{id:", "{people: [{id:", "batches", id="rows elsewhere in a batch"),
        pytest.param(
            "fines: $fines, pin: $pin}}]",
            "fines: $fines, pin: $card}}]",
            "batches",
            id="another value in a batch",
        ),
        pytest.param("readers:expel", "readers:dismiss", "batches", id="another path of a batch"),
        pytest.param(
            'names: ["readers/{reader}"]', 'names: ["{reader}"]', "batches", id="another name in a batch"
        ),
        pytest.param(
            "        batch: {max_rows: 10}\n", "", "batches", id="rows that could go together go alone"
        ),
        pytest.param(
            "max_rows: 10\n          atomic", "max_rows: 2\n          atomic", "batches", id="a smaller batch"
        ),
        pytest.param(
            "required: true, names: reader", "required: true", "lost answers", id="an id nobody chose"
        ),
        pytest.param("{id}:giveBack", "{id}:return", "restores", id="what does not restore"),
    ],
)
def test_a_document_that_is_wrong_fails(tmp_path: Path, was: str, becomes: str, check: str) -> None:
    assert check in failed(tmp_path, was=was, becomes=becomes)
