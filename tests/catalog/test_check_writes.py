"""Faults of what a document says of writes: batches, identities, chosen ids, order, what restores a row."""

from __future__ import annotations

from pathlib import Path

import pytest

from sqlprovider.catalog.model import Place, Verb
from tests.catalog.drafts import REMOVED, lab_resource, problems_after, said

TRIALS = "resources.trials"
EACH = {"trials": [{"group": "$group_id", "name": "$name"}]}

FAULTS = [
    pytest.param(
        {"identity": ["name", "nme"]}, "identity/columns/1", "no column 'nme'; did you mean", id="identity"
    ),
    pytest.param(
        {"identity": {"columns": ["stge"], "unique": True}},
        "identity/columns/0",
        "no column 'stge'; did you mean stage",
        id="identity-in-full",
    ),
    pytest.param({"identity": {"columns": []}}, "identity/columns", "at least 1", id="identity-of-nothing"),
    pytest.param({"identity": {"unique": True}}, "identity", "'columns' is missing", id="identity-unsaid"),
    pytest.param(
        {"identity": {"columns": ["name"], "uniqe": True}},
        "identity/uniqe",
        "unknown word 'uniqe'; did you mean unique",
        id="identity-misspelt",
    ),
    pytest.param(
        {"identity": {"columns": ["name"], "unique": "often"}},
        "identity/unique",
        "valid boolean",
        id="identity-unique-is-a-flag",
    ),
    pytest.param({"restore": "restor"}, "restore", "no method 'restor'", id="restore"),
    pytest.param(
        {"restore": "set_tag"},
        "restore",
        "set_tag needs site, which is not of the key",
        id="restore-needs-more-than-the-key",
    ),
    pytest.param(
        {"methods.create.parameters.trial_tags.names": "trial"},
        "methods/create/parameters/trial_tags/names",
        "no column 'trial'; did you mean trial_id",
        id="names",
    ),
    pytest.param(
        {"methods.update.parameters.mask.names": "trial_id"},
        "methods/update/parameters/mask/names",
        "chooses an id in an INSERT, and this is UPDATE",
        id="names-in-an-update",
    ),
    pytest.param(
        {"methods.set_tag.parameters.key.names": "trial_id"},
        "methods/set_tag/parameters/key/names",
        "and this is EXEC",
        id="names-in-an-exec",
    ),
    pytest.param(
        {"methods.create.ordered": ["group"]},
        "methods/create/ordered/0",
        "no column among the parameters 'group'; did you mean group_id",
        id="ordered",
    ),
    pytest.param(
        {"methods.create.ordered": ["name", "stage"]},
        "methods/create/ordered/1",
        "no column among the parameters 'stage'",
        id="ordered-by-what-is-not-taken",
    ),
    pytest.param(
        {"methods.update.overwrites": True},
        "methods/update/overwrites",
        "only an INSERT overwrites, and this is UPDATE",
        id="overwrites-in-an-update",
    ),
    pytest.param(
        {"methods.create.overwrites": "sometimes"},
        "methods/create/overwrites",
        "valid boolean",
        id="overwrites-is-a-flag",
    ),
    pytest.param({"columns.name": {"secret": "yes?"}}, "columns/name/secret", "valid boolean", id="secret"),
    pytest.param(
        {"columns.name": {"write_only": "maybe"}},
        "columns/name/write_only",
        "valid boolean",
        id="write-only",
    ),
    pytest.param(
        {"columns.name": {"secrt": True}},
        "columns/name/secrt",
        "unknown word 'secrt'; did you mean secret",
        id="secret-misspelt",
    ),
    pytest.param(
        {"methods.create.parameters.requests": {"type": "JSON", "secret": 7}},
        "methods/create/parameters/requests/secret",
        "valid boolean",
        id="secret-parameter",
    ),
    pytest.param(
        {"methods.create.batch.method": "creat"},
        "methods/create/batch/method",
        "no method 'creat'; did you mean create",
        id="batch-method",
    ),
    pytest.param(
        {"methods.create.batch": {"max_rows": 3}},
        "methods/create/batch",
        "`body` says where the rows stand",
        id="batch-without-a-body",
    ),
    pytest.param(
        {"methods.create.batch.body": False},
        "methods/create/batch",
        "`body` says where the rows stand",
        id="batch-whose-body-is-none",
    ),
    pytest.param(
        {"methods.create.batch.body": {"trials": [{"group": "$group", "name": "$name"}]}},
        "methods/create/batch/body",
        "no parameter 'group'; did you mean group_id",
        id="batch-argument",
    ),
    pytest.param(
        {"methods.create.batch.body": {"trials": ["groups/{grup_id}"]}},
        "methods/create/batch/body",
        "no parameter 'grup_id'; did you mean group_id",
        id="batch-argument-in-a-text",
    ),
    pytest.param(
        {"methods.create.batch.body": {"group": "$group_id", "names": ["a", "b"]}},
        "methods/create/batch/body",
        "no list of one element with arguments",
        id="batch-of-no-rows",
    ),
    pytest.param(
        {"methods.create.batch.body": {"group": ["$group_id", "$name"]}},
        "methods/create/batch/body",
        "no list of one element with arguments",
        id="batch-of-a-list-of-two",
    ),
    pytest.param(
        {"methods.create.batch.http": "POST /{version}/sites/{site}/groups/{group}:many"},
        "methods/create/batch",
        "its path needs group, which a row does not give",
        id="batch-path",
    ),
    pytest.param(
        {"methods.create.batch": {"method": "set_tag", "body": EACH, "max_rows": 3}},
        "methods/create/batch",
        "its path needs trial_id, which a row does not give",
        id="batch-method-s-path",
    ),
    pytest.param(
        {"methods.create.batch.http": "/many"},
        "methods/create/batch/http",
        "`http` is a verb and a path",
        id="batch-http",
    ),
    pytest.param(
        {"methods.create.batch.rows": "[]trials"},
        "methods/create/batch/rows",
        "rows are keys joined by dots",
        id="batch-rows",
    ),
    pytest.param(
        {"methods.create.batch.max_rows": REMOVED},
        "methods/create/batch",
        "'max_rows' is missing",
        id="batch-of-any-size",
    ),
    pytest.param(
        {"methods.create.batch.max_rows": 0}, "methods/create/batch/max_rows", "greater than 0", id="max-rows"
    ),
    pytest.param(
        {"methods.create.batch.max_bytes": 0},
        "methods/create/batch/max_bytes",
        "greater than 0",
        id="max-bytes",
    ),
    pytest.param(
        {"methods.create.batch.atomic": "mostly"},
        "methods/create/batch/atomic",
        "valid boolean",
        id="atomic-is-a-flag",
    ),
    pytest.param(
        {"methods.create.batch.names_row": "trials(["},
        "methods/create/batch/names_row",
        "no regular expression",
        id="names-row",
    ),
    pytest.param(
        {"methods.create.batch.max_row": 3},
        "methods/create/batch/max_row",
        "unknown word 'max_row'; did you mean max_rows",
        id="batch-misspelt",
    ),
    pytest.param(
        {"methods.create.repeat": "same_boody"},
        "methods/create/repeat",
        "'never', 'always' or 'same_body'",
        id="repeat",
    ),
]


@pytest.mark.parametrize(("edits", "pointer", "message"), FAULTS)
def test_a_fault_of_writes_is_named_at_its_place(
    tmp_path: Path, edits: dict[str, object], pointer: str, message: str
) -> None:
    found = said(problems_after(tmp_path, {f"{TRIALS}.{place}": value for place, value in edits.items()}))
    at = f"/resources/trials/{pointer}"
    assert [text for where, text in found if where == at and message in text], found


def test_every_word_for_writes_stands_in_a_document_without_a_problem(tmp_path: Path) -> None:
    words: dict[str, object] = {
        "identity": {"columns": ["name"], "unique": True},
        "restore": "undelete",
        "key": ["site", "trial_id"],
        "methods.undelete": {
            "verb": "EXEC",
            "http": "POST /{version}/sites/{site}/trials:undelete",
            "parameters": {"trial_id": {"required": True}},
        },
        "columns.path": {"secret": True, "write_only": True},
        "methods.create.parameters.trial_tags": {"names": "trial_id", "at": "info.tags", "secret": True},
        "methods.create.ordered": ["group_id"],
        "methods.create.overwrites": True,
        "methods.create.batch.names_row": "trials\\[(\\d+)\\]",
    }
    edits = {f"{TRIALS}.{place}": value for place, value in words.items()}
    assert said(problems_after(tmp_path, edits)) == []
    trials = lab_resource(tmp_path, "trials", edits)
    path, create = trials.column("path"), trials.methods["create"]
    assert trials.identity is not None
    assert path is not None
    assert create.batch is not None
    assert (trials.identity.columns, trials.identity.unique, trials.restore) == (("name",), True, "undelete")
    assert (path.secret, path.write_only) == (True, True)
    assert (create.ordered, create.overwrites) == (("group_id",), True)
    chosen = create.parameters["trial_tags"]
    assert (chosen.names, chosen.secret) == ("trial_id", True)
    assert create.batch.names_row == "trials\\[(\\d+)\\]"


def test_a_list_of_columns_is_an_identity_that_may_come_twice(tmp_path: Path) -> None:
    found = lab_resource(tmp_path, "trials", {f"{TRIALS}.identity": ["stage", "name"]}).identity
    assert found is not None
    assert (found.columns, found.unique) == (("stage", "name"), False)


def test_a_secret_column_s_parameters_are_secret(tmp_path: Path) -> None:
    trials = lab_resource(tmp_path, "trials", {f"{TRIALS}.columns.name": {"secret": True}})
    assert [m.name for m in trials.methods.values() if any(p.secret for p in m.parameters.values())] == [
        "create",
        "update",
    ]


def test_a_batch_of_its_own_route_takes_the_row_s_parameters_in_its_body(tmp_path: Path) -> None:
    create = lab_resource(tmp_path, "trials").methods["create"]
    assert create.batch is not None
    call = create.batch.call
    assert (call.http_method, call.path, call.verb) == ("POST", "/v2/sites/{site}/trials:many", Verb.INSERT)
    assert (create.batch.max_rows, create.batch.max_bytes, create.batch.atomic) == (100, 1000, True)
    places = {name: (parameter.place, parameter.at) for name, parameter in call.parameters.items()}
    assert (places["site"], places["group_id"]) == ((Place.PATH, ()), (Place.BODY, ()))
    assert (call.wait, call.repeat, call.rows) == (True, "same_body", ("trial",))


def test_a_batch_by_a_sibling_is_a_call_of_the_sibling_s_route(tmp_path: Path) -> None:
    edits: dict[str, object] = {
        f"{TRIALS}.methods.fill": {
            "verb": "EXEC",
            "http": "PUT /{version}/sites/{site}/groups/{group_id}/trials",
            "parameters": {"trials": {"type": "JSON"}, "group_id": {"in": "path"}},
            "rows": "trials[]",
        },
        f"{TRIALS}.methods.create.batch": {
            "method": "fill",
            "max_rows": 2,
            "body": {"trials": [{"name": "$name"}]},
        },
    }
    create = lab_resource(tmp_path, "trials", edits).methods["create"]
    assert create.batch is not None
    call = create.batch.call
    assert (call.name, call.http_method, call.path) == (
        "fill",
        "PUT",
        "/v2/sites/{site}/groups/{group_id}/trials",
    )
    assert (call.verb, call.rows, call.wait) == (Verb.INSERT, ("trials[]",), False)
    assert (call.parameters["group_id"].place, call.parameters["name"].place) == (Place.PATH, Place.BODY)
