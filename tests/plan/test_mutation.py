"""plan_insert, plan_update, plan_delete: which method takes a row, and the operations it becomes."""

from __future__ import annotations

import pytest

from sqlprovider.catalog.model import Role, Verb, Wire
from sqlprovider.errors import MissingParameterError, NotSupportedError, ProgrammingError, UnknownColumnError
from sqlprovider.plan.model import Operation
from sqlprovider.plan.mutation import (
    Mutation,
    check_values,
    delete_operation,
    insert_operation,
    map_as_set,
    option_columns,
    plan_delete,
    plan_insert,
    plan_update,
    update_operations,
    writes_secret,
)
from sqlprovider.values import JSON, SQLValue, Type
from tests.plan.build import item, key, method, option, required, resource, takes

JOBS = resource(
    [
        key("site"),
        key("id"),
        item("name"),
        item("state"),
        item("size", Type.INTEGER),
        item("tags", Type.JSON, set_key="set_tag", delete_key="drop_tag"),
        item("notes", Type.JSON, set_key="set_note"),
        item("etag"),
        option("mask"),
        option("dry"),
    ],
    method("create", required("site"), takes("name"), takes("size", type=Type.INTEGER), verb=Verb.INSERT),
    method(
        "place",
        required("site"),
        required("id"),
        required("name"),
        takes("at", default="x"),
        takes("size"),
        verb=Verb.INSERT,
    ),
    method(
        "update",
        required("site"),
        required("id"),
        takes("name"),
        takes("size", type=Type.INTEGER),
        takes("mask"),
        takes("dry", type=Type.BOOLEAN),
        verb=Verb.UPDATE,
        sets=("name", "size", "tags", "notes"),
        mask="mask",
        mask_columns={"name": "job.name"},
    ),
    method("move", required("id"), takes("state", enum=("ON",)), verb=Verb.UPDATE, sets=("state",)),
    method("delete", required("id"), takes("dry"), verb=Verb.DELETE),
    method("set_tag", required("id"), required("key"), required("value"), verb=Verb.EXEC),
    method("drop_tag", required("id"), required("key"), verb=Verb.EXEC),
    method("set_note", required("key"), required("value"), verb=Verb.EXEC),
    key=("id",),
)
OLD: dict[str, SQLValue] = {"site": "s", "id": "i", "name": "n", "tags": '{"a":"1","b":"2"}', "notes": None}


def said(operation: Operation) -> tuple[str, dict[str, JSON]]:
    return operation.method.name, dict(operation.arguments)


def updates(
    new: dict[str, SQLValue], options: dict[str, SQLValue] | None = None
) -> list[tuple[str, dict[str, JSON]]]:
    mutation = plan_update(JOBS, list(new), {})
    return [said(operation) for operation in update_operations(mutation, OLD, new, options or {})]


@pytest.mark.parametrize(
    ("given", "defaults", "method_"),
    [
        pytest.param(["site", "name"], {}, "create", id="the one that lacks nothing"),
        pytest.param(["site", "id", "name"], {}, "place", id="the one that takes all"),
        pytest.param(["name"], {"site": "d"}, "create", id="a default"),
        pytest.param(["data__name", "SITE"], {}, "create", id="other spellings"),
    ],
)
def test_an_insert_goes_by_the_method_that_takes_its_columns(
    given: list[str], defaults: dict[str, str], method_: str
) -> None:
    mutation = plan_insert(JOBS, given, defaults)
    assert mutation.method is JOBS.methods[method_]
    assert set(mutation.columns) <= {"site", "id", "name"}
    assert (mutation.where, mutation.maps) == ("INSERT into c.s.r", ())


def test_the_method_that_needs_most_of_what_is_given_is_taken() -> None:
    assert plan_insert(JOBS, ["site", "id", "name", "size"], {}).method is JOBS.methods["place"]


def test_a_parameter_may_be_written_by_its_wire_name() -> None:
    found = resource(
        [key("id")],
        method(
            "create",
            takes("retry_token", column=None, place=JOBS.methods["create"].parameters["name"].place),
            verb=Verb.INSERT,
        ),
    )
    mutation = plan_insert(found, ["Retry_Token"], {})
    assert mutation.columns == ("retry_token",)
    assert said(insert_operation(mutation, {"retry_token": "t"})) == ("create", {"retry_token": "t"})


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        pytest.param(["nosuch"], UnknownColumnError, "no column 'nosuch' in c.s.r", id="no column"),
        pytest.param(
            ["site", "etag"],
            UnknownColumnError,
            "create does not take etag; it takes site, name, size",
            id="not taken",
        ),
        pytest.param(["name"], MissingParameterError, "INSERT on c.s.r: no method has", id="lacking"),
        pytest.param(["name", "name"], ProgrammingError, "name is given twice", id="twice"),
    ],
)
def test_a_wrong_insert_is_refused(given: list[str], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        plan_insert(JOBS, given, {})


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(lambda found: plan_insert(found, ["id"], {}), id="INSERT"),
        pytest.param(lambda found: plan_update(found, ["id"], {}), id="UPDATE"),
        pytest.param(lambda found: plan_delete(found, {}), id="DELETE"),
    ],
)
def test_a_verb_that_a_resource_has_not_is_refused(plan: object) -> None:
    assert callable(plan)
    with pytest.raises(NotSupportedError, match="it has no such verb; it has SELECT"):
        plan(resource([key("id")], method("list")))


def test_a_row_is_sent_with_defaults_for_what_is_null() -> None:
    mutation = plan_insert(JOBS, ["id", "name", "size"], {"site": "d"})
    operation = insert_operation(mutation, {"id": "i", "name": "n", "size": None})
    assert said(operation) == ("place", {"at": "x", "id": "i", "name": "n", "site": "d"})
    assert operation.echo == (("id", "i"), ("name", "n"), ("site", "d"))


def test_a_required_value_that_is_null_is_refused() -> None:
    mutation = plan_insert(JOBS, ["site", "id", "name"], {})
    with pytest.raises(ProgrammingError, match=r"INSERT into c\.s\.r: id is NULL") as raised:
        insert_operation(mutation, {"site": "s", "id": None, "name": "n"})
    assert raised.value.reason == "null_parameter"


@pytest.mark.parametrize(
    ("new", "options", "sent"),
    [
        pytest.param(
            {"name": "x", "size": None},
            {},
            [("update", {"site": "s", "id": "i", "name": "x", "mask": "job.name,size"})],
            id="mask",
        ),
        pytest.param(
            {"name": "x"},
            {"mask": "own", "dry": 1},
            [("update", {"site": "s", "id": "i", "name": "x", "mask": "own", "dry": True})],
            id="own mask",
        ),
        pytest.param(
            {"state": "ON"}, {}, [("move", {"id": "i", "state": "ON"})], id="the method that sets it"
        ),
        pytest.param(
            {"tags": '{"a":"1","b":3,"c":"x"}'},
            {},
            [
                ("set_tag", {"id": "i", "key": "b", "value": "3"}),
                ("set_tag", {"id": "i", "key": "c", "value": "x"}),
            ],
            id="keys that differ",
        ),
        pytest.param(
            {"tags": None},
            {},
            [("drop_tag", {"id": "i", "key": "a"}), ("drop_tag", {"id": "i", "key": "b"})],
            id="all keys gone",
        ),
        pytest.param(
            {"notes": '{"k":"v"}'}, {}, [("set_note", {"key": "k", "value": "v"})], id="a map that had none"
        ),
        pytest.param(
            {"name": "x", "tags": '{"a":"1","b":"2"}'},
            {},
            [("update", {"site": "s", "id": "i", "name": "x", "mask": "job.name"})],
            id="same keys",
        ),
    ],
)
def test_an_update_sends_what_makes_the_row_so(
    new: dict[str, SQLValue], options: dict[str, SQLValue], sent: list[tuple[str, dict[str, JSON]]]
) -> None:
    assert updates(new, options) == sent


@pytest.mark.parametrize(
    ("new", "kind", "message"),
    [
        pytest.param(
            {"state": None},
            ProgrammingError,
            "state cannot be set to NULL; move leaves a field",
            id="NULL without a mask",
        ),
        pytest.param(
            {"id": "x"},
            ProgrammingError,
            "id cannot be set; what can be is name, state, size, tags, notes",
            id="a key",
        ),
        pytest.param({"nosuch": "x"}, UnknownColumnError, "no column 'nosuch'", id="no column"),
        pytest.param(
            {"name": "x", "state": "ON"},
            NotSupportedError,
            "no one method sets name, state together",
            id="two methods",
        ),
        pytest.param({"tags": "[1]"}, ProgrammingError, "tags takes a JSON object", id="a list for a map"),
        pytest.param({"tags": b"x"}, ProgrammingError, "tags takes a JSON object", id="a BLOB for a map"),
        pytest.param({"tags": "{"}, ProgrammingError, "tags takes a JSON object", id="no JSON for a map"),
    ],
)
def test_a_wrong_update_is_refused(new: dict[str, SQLValue], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        updates(new)


def test_a_key_that_the_api_cannot_delete_is_named() -> None:
    mutation = plan_update(JOBS, ["notes"], {})
    with pytest.raises(NotSupportedError, match=r"UPDATE of c\.s\.r: the API cannot delete the key 'k'"):
        list(update_operations(mutation, {**OLD, "notes": '{"k":"v"}'}, {"notes": "{}"}, {}))


def test_a_column_set_twice_is_refused() -> None:
    with pytest.raises(ProgrammingError, match="name is given twice"):
        plan_update(JOBS, ["name", "data__name"], {})


def test_maps_alone_can_be_set_without_a_method_of_update() -> None:
    found = resource(
        [key("id"), item("tags", Type.JSON, set_key="set_tag")], JOBS.methods["set_tag"], key=("id",)
    )
    mutation = plan_update(found, ["tags"], {})
    assert (mutation.method, mutation.where, option_columns(mutation)) == (
        None,
        "UPDATE of c.s.r",
        frozenset(),
    )
    assert [column.name for column in mutation.maps] == ["tags"]
    check_values(mutation, {"tags": "no JSON, which only the row's own keys show"})


def test_nothing_can_be_set_where_nothing_is_said_to_be() -> None:
    found = resource([key("id"), item("name")], method("touch", required("id"), verb=Verb.UPDATE))
    with pytest.raises(ProgrammingError, match="name cannot be set; what can be is nothing"):
        plan_update(found, ["name"], {})


def test_values_of_set_are_checked_whichever_rows_match() -> None:
    mutation = plan_update(JOBS, ["state"], {})
    check_values(mutation, {"state": "ON"})
    with pytest.raises(ProgrammingError, match="state cannot be 'OFF'; it is one of ON"):
        check_values(mutation, {"state": "OFF"})


def test_a_delete_sends_the_key_and_the_options() -> None:
    mutation = plan_delete(JOBS, {})
    assert said(delete_operation(mutation, OLD, {"dry": "1"})) == ("delete", {"id": "i", "dry": "1"})
    assert (mutation.where, option_columns(mutation)) == ("DELETE from c.s.r", frozenset({"dry"}))


def test_the_options_of_a_write_are_its_own_methods() -> None:
    assert option_columns(plan_update(JOBS, ["name"], {})) == {"mask", "dry"}
    assert option_columns(plan_update(JOBS, ["state"], {})) == frozenset()
    assert all(column.role is Role.OPTION for column in JOBS.columns if column.name in ("mask", "dry"))


def test_a_map_of_keys_and_values_is_compared_as_text() -> None:
    found = resource(
        [key("id"), item("tags", Type.JSON, wire=Wire.KEY_VALUE, set_key="set_tag", delete_key="drop_tag")],
        JOBS.methods["set_tag"],
        JOBS.methods["drop_tag"],
    )
    mutation = plan_update(found, ["tags"], {})
    new: dict[str, SQLValue] = {"tags": '{"n": 1, "o": {"p": [true]}}'}
    operations = update_operations(mutation, {"id": "i", "tags": '{"n":"1","o":"{\\"p\\":[true]}"}'}, new, {})
    assert list(operations) == []


@pytest.mark.parametrize(
    ("given", "hides"),
    [
        pytest.param(["name", "password"], True, id="given"),
        pytest.param(["name"], False, id="not given"),
        pytest.param([], True, id="whatever the statement gives"),
        pytest.param(["other"], False, id="what the method does not take"),
    ],
)
def test_a_write_hides_its_values_where_one_of_them_is_secret(given: list[str], hides: bool) -> None:
    create = method("create", takes("name"), takes("password", secret=True), verb=Verb.INSERT)
    found = resource([item("name"), item("password"), item("other")], create)
    assert writes_secret(Mutation(Verb.INSERT, found, create, tuple(given), {})) is hides


def test_keys_of_a_map_are_no_secret() -> None:
    assert not writes_secret(plan_update(JOBS, ["tags"], {}))


def test_a_call_is_called_by_its_method() -> None:
    assert Mutation(Verb.EXEC, JOBS, JOBS.methods["set_tag"], (), {}).where == "EXEC c.s.r.set_tag"


def test_a_map_reads_as_it_was_set() -> None:
    mutation = plan_update(JOBS, ["tags"], {})
    column = JOBS.column("tags")
    assert column is not None
    assert map_as_set(mutation, column, '{"b": 2, "a": "ü", "c": true}') == '{"a":"ü","b":"2","c":"true"}'
    assert map_as_set(mutation, column, None) == "{}"


def test_a_map_that_a_row_does_not_set_stays_as_it_is() -> None:
    mutation = plan_update(JOBS, ["tags", "notes"], {})
    made = [said(operation) for operation in update_operations(mutation, OLD, {"tags": '{"a":"1"}'}, {})]
    assert made == [("drop_tag", {"id": "i", "key": "b"})]
