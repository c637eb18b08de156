"""Which verb a call becomes, and what its method says: one shape at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from sqlprovider.catalog.collections import snake_case
from sqlprovider.catalog.document import MethodDocument
from sqlprovider.catalog.model import Place, Verb
from sqlprovider.values import JSON, Type
from tests.catalog.discovery_drafts import NAME, Fields, call, compiled

BOXES = "v1/projects/{projectsId}/boxes"
BOX = f"{BOXES}/{{boxesId}}"
GET = call(f"GET {BOX}", response="Box")
PAGED: dict[str, JSON] = {"pageSize": {"type": "integer", "format": "int32"}, "pageToken": {}, "filter": {}}
LIST = call(f"GET {BOXES}", response="ListBoxesResponse", query=PAGED)
WHOLE: dict[str, JSON] = {"projects.boxes.get": GET, "projects.boxes.list": LIST}


def method(
    folder: Path,
    name: str,
    said: Fields,
    *,
    beside: dict[str, JSON] | None = None,
    schemas: dict[str, Fields] | None = None,
) -> MethodDocument:
    """The method of one more call on boxes."""
    calls: dict[str, JSON] = {**(WHOLE if beside is None else beside), f"projects.boxes.{name}": said}
    return compiled(folder, calls, schemas)["boxes"].methods[snake_case(name)]


def verb(folder: Path, name: str, said: Fields, schemas: dict[str, Fields] | None = None) -> Verb:
    return method(folder, name, said, schemas=schemas).verb


def test_get_is_a_select_of_one_row(tmp_path: Path) -> None:
    boxes = compiled(tmp_path, WHOLE)["boxes"]
    assert boxes.methods["get"].http == "GET /{version}/projects/{projectsId}/boxes/{boxesId}"
    assert (boxes.methods["get"].verb, boxes.methods["get"].missing) == (Verb.SELECT, True)
    assert (boxes.title, boxes.key) == ("Box", ("projectsId", "boxesId"))


def test_the_ids_of_a_row_stand_in_its_name(tmp_path: Path) -> None:
    parameters = compiled(tmp_path, WHOLE)["boxes"].parameters
    said = {name: (p.root, p.path, p.segment) for name, p in parameters.items()}
    assert said == {"projectsId": (True, ("name",), "projects"), "boxesId": (False, ("name",), "boxes")}


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        pytest.param({"boxeId": {"type": "string"}, "id": {}}, ("boxeId",), id="an id of its own"),
        pytest.param({"id": {"type": "string"}}, ("id",), id="an id"),
        pytest.param({"name": {"type": "string"}, "id": {}}, ("name",), id="a name"),
        pytest.param({"size": {"type": "string"}}, None, id="nowhere"),
    ],
)
def test_the_id_of_a_row_without_a_resource_name(
    tmp_path: Path, fields: Fields, path: tuple[str, ...] | None
) -> None:
    get = call(f"GET {BOX}", response="Box", taken_apart=None)
    parameters = compiled(tmp_path, {**WHOLE, "projects.boxes.get": get}, {"Box": fields})["boxes"].parameters
    assert (parameters["boxesId"].path, parameters["boxesId"].segment) == (path, None)
    assert parameters["projectsId"].path is None


def test_list_is_a_select_that_pages(tmp_path: Path) -> None:
    found = compiled(tmp_path, WHOLE)["boxes"].methods["list"]
    assert (found.verb, found.rows, found.missing) == (Verb.SELECT, ("boxes[]",), True)
    assert found.pages is not None
    assert (found.pages.style, found.pages.parameter, found.pages.token) == (
        "token",
        "pageToken",
        ("nextPageToken",),
    )
    assert (found.pages.size, found.pages.size_max) == ("pageSize", None)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("The maximum value is 70; values above 70 are coerced to 70.", id="maximum value"),
        pytest.param("The default is 20, and the maximum page size is 70.", id="maximum page size"),
        pytest.param("Must be in range 1-70, inclusive. Defaults to 100.", id="range"),
        pytest.param("The default is 10. Values must be between 1 and 70.", id="between"),
        pytest.param("At most 100 are returned. Values above 70 will be coerced to 70.", id="values above"),
    ],
)
def test_the_longest_page_is_read_off_the_description(tmp_path: Path, text: str) -> None:
    query: dict[str, JSON] = {**PAGED, "pageSize": {"type": "integer", "description": text}}
    said = call(f"GET {BOXES}", response="ListBoxesResponse", query=query)
    found = compiled(tmp_path, {"projects.boxes.list": said})["boxes"].methods["list"].pages
    assert found is not None
    assert found.size_max == 70


def test_a_default_is_no_largest_page(tmp_path: Path) -> None:
    text = "If unspecified, at most 100 are returned."
    query: dict[str, JSON] = {**PAGED, "pageSize": {"type": "integer", "description": text}}
    said = call(f"GET {BOXES}", response="ListBoxesResponse", query=query)
    found = compiled(tmp_path, {"projects.boxes.list": said})["boxes"].methods["list"].pages
    assert found is not None
    assert found.size_max is None


def test_a_list_without_tokens_has_one_page(tmp_path: Path) -> None:
    said = call(f"GET {BOXES}", response="ListBoxesResponse")
    found = compiled(tmp_path, {"projects.boxes.list": said})["boxes"].methods["list"]
    assert found.pages is not None
    assert found.pages.style == "one"


def test_what_a_list_could_not_reach_is_named(tmp_path: Path) -> None:
    schemas: dict[str, Fields] = {
        "ListBoxesResponse": {
            "boxes": {"type": "array", "items": {"$ref": "Box"}},
            "unreachable": {"type": "array", "items": {"type": "string"}},
        }
    }
    boxes = compiled(tmp_path, WHOLE, schemas)["boxes"]
    assert boxes.methods["list"].incomplete == ("unreachable",)
    assert {name: column.type for name, column in boxes.response.items()} == {
        "boxes": Type.JSON,
        "unreachable": Type.JSON,
    }


def test_an_answer_s_field_with_a_column_s_name_gets_another(tmp_path: Path) -> None:
    lists: Fields = {"boxes": {"type": "array", "items": {"$ref": "Box"}}, "etag": {"type": "string"}}
    boxes = compiled(tmp_path, WHOLE, {"ListBoxesResponse": lists})["boxes"]
    assert {name: column.path for name, column in boxes.response.items()} == {
        "boxes": None,
        "etag_": ("etag",),
    }


def test_a_list_of_two_lists_is_no_select(tmp_path: Path) -> None:
    lists: Fields = {name: {"type": "array", "items": {"$ref": name}} for name in ("Box", "Lid")}
    schemas: dict[str, Fields] = {"Lid": {"name": NAME}, "ListBoxesResponse": lists}
    assert compiled(tmp_path, WHOLE, schemas)["boxes"].methods["list"].verb is Verb.EXEC


def test_a_list_of_other_things_is_no_select(tmp_path: Path) -> None:
    lists: Fields = {"lids": {"type": "array", "items": {"$ref": "Lid"}}}
    schemas: dict[str, Fields] = {"Lid": {"name": NAME}, "ListBoxesResponse": lists}
    assert compiled(tmp_path, WHOLE, schemas)["boxes"].methods["list"].verb is Verb.EXEC


def test_a_raw_answer_is_no_row(tmp_path: Path) -> None:
    said = call(f"GET {BOX}", response="HttpBody")
    assert method(tmp_path, "get", said, beside={}).verb is Verb.EXEC


@pytest.mark.parametrize(
    ("name", "http", "beside", "expected"),
    [
        pytest.param("search", f"POST {BOXES}:search", {}, Verb.SELECT, id="a search and no list"),
        pytest.param("search", f"POST {BOXES}:search", WHOLE, Verb.EXEC, id="a search beside a list"),
        pytest.param("listVersions", f"GET {BOX}:listVersions", WHOLE, Verb.EXEC, id="rows below one row"),
        pytest.param("shuffle", f"POST {BOXES}:shuffle", {}, Verb.EXEC, id="no word for it"),
    ],
)
def test_a_look_alike_of_list(
    tmp_path: Path, name: str, http: str, beside: dict[str, JSON], expected: Verb
) -> None:
    said = call(http, response="ListBoxesResponse", query={"pageToken": {}})
    found = method(tmp_path, name, said, beside=beside)
    assert (found.verb, found.reads) == (expected, True)
    assert found.rows == ("boxes[]",)


def test_a_lookup_is_a_select_by_fields_of_the_row(tmp_path: Path) -> None:
    asked: Fields = {"displayName": {"type": "string", "description": "Required. Which one."}}
    said = call(f"POST {BOXES}:lookup", request="LookupRequest", response="Box")
    found = method(tmp_path, "lookup", said, schemas={"LookupRequest": asked})
    assert (found.verb, found.reads, found.missing) == (Verb.SELECT, True, True)
    assert found.parameters["displayName"].required


def test_create_is_an_insert_of_what_the_server_does_not_set(tmp_path: Path) -> None:
    query: dict[str, JSON] = {
        "boxId": {"description": "Required. The id."},
        "validateOnly": {"type": "boolean"},
    }
    found = method(tmp_path, "create", call(f"POST {BOXES}", request="Box", response="Box", query=query))
    assert (found.verb, found.answers, found.wait) == (Verb.INSERT, "item", False)
    assert {name: (p.place, p.required) for name, p in found.parameters.items()} == {
        "boxId": (Place.QUERY, True),
        "validateOnly": (Place.QUERY, False),
        "displayName": (None, True),
    }
    assert found.body_columns == ("etag", "kind", "labels")


def test_a_create_that_answers_with_an_operation_is_waited_for(tmp_path: Path) -> None:
    found = method(tmp_path, "create", call(f"POST {BOXES}", request="Box", response="Operation"))
    assert (found.verb, found.answers, found.wait) == (Verb.INSERT, "item", True)


def test_a_create_that_holds_the_item_puts_its_fields_there(tmp_path: Path) -> None:
    request: Fields = {
        "box": {"$ref": "Box"},
        "boxId": {"type": "string", "description": "Required. The id."},
    }
    said = call(f"POST {BOXES}:create", request="CreateRequest", response="Operation")
    found = method(tmp_path, "create", said, schemas={"CreateRequest": request})
    assert found.verb is Verb.INSERT
    assert {name: (p.at, p.required) for name, p in found.parameters.items()} == {
        "displayName": (("box", "displayName"), True),
        "etag": (("box", "etag"), False),
        "kind": (("box", "kind"), False),
        "labels": (("box", "labels"), False),
        "boxId": (None, True),
    }


def test_a_create_with_the_item_in_the_query(tmp_path: Path) -> None:
    query: dict[str, JSON] = {
        "box.displayName": {"description": "Required. How it is called."},
        "box.a.b": {},
    }
    found = method(tmp_path, "create", call(f"POST {BOXES}:create", response="Operation", query=query))
    assert found.verb is Verb.INSERT
    assert {name: (p.column, p.place) for name, p in found.parameters.items()} == {
        "box.displayName": ("displayName", Place.QUERY),
        "box.a.b": (None, Place.QUERY),
    }


def test_a_create_of_something_else_is_called(tmp_path: Path) -> None:
    assert (
        verb(tmp_path, "create", call(f"POST {BOXES}:create", request="HttpBody", response="Box"))
        is Verb.EXEC
    )


def test_patch_is_an_update_of_what_may_change(tmp_path: Path) -> None:
    query: dict[str, JSON] = {"updateMask": {"format": "google-fieldmask", "description": "Required. What."}}
    said = call(f"PATCH {BOX}", request="Box", response="Operation", query=query)
    found = method(tmp_path, "patch", said)
    assert (found.verb, found.answers, found.wait, found.missing) == (Verb.UPDATE, "item", True, True)
    assert found.body_columns == ("displayName", "etag", "labels")
    assert (found.mask, found.precondition) == ("updateMask", "etag")
    assert not found.parameters["updateMask"].required


def test_a_patch_that_can_set_nothing_is_called(tmp_path: Path) -> None:
    schemas: dict[str, Fields] = {"Box": {"name": NAME, "kind": {"description": "Immutable. What it is."}}}
    assert verb(tmp_path, "patch", call(f"PATCH {BOX}", request="Box", response="Box"), schemas) is Verb.EXEC


def test_delete_sends_the_etag_that_it_takes(tmp_path: Path) -> None:
    found = method(tmp_path, "delete", call(f"DELETE {BOX}", response="Operation", query={"etag": {}}))
    assert (found.verb, found.wait, found.missing, found.precondition) == (Verb.DELETE, True, True, "etag")


def test_a_delete_of_a_part_is_called(tmp_path: Path) -> None:
    assert verb(tmp_path, "deleteVersion", call(f"DELETE {BOX}:deleteVersion")) is Verb.EXEC


BATCH: dict[str, Fields] = {
    "BatchRequest": {
        "requests": {
            "type": "array",
            "items": {"$ref": "OneRequest"},
            "description": "Required. What to create.",
        }
    },
    "OneRequest": {"parent": {"type": "string"}, "box": {"$ref": "Box"}},
    "BatchResponse": {"boxes": {"type": "array", "items": {"$ref": "Box"}}},
}


@pytest.mark.parametrize("response", ["BatchResponse", "Operation"])
def test_a_batch_create_is_an_insert_of_its_own_rows(tmp_path: Path, response: str) -> None:
    said = call(f"POST {BOXES}:batchCreate", request="BatchRequest", response=response)
    found = method(tmp_path, "batchCreate", said, schemas=BATCH)
    assert (found.verb, found.wire_name, found.rows) == (Verb.INSERT, "batchCreate", ("boxes[]",))
    assert (found.parameters["requests"].type, found.parameters["requests"].required) == (Type.JSON, True)


def test_a_batch_create_of_rows_below_stands_in_their_table_too(tmp_path: Path) -> None:
    shelf = "v1/projects/{projectsId}/shelves/{shelvesId}"
    calls: dict[str, JSON] = {
        "projects.shelves.batchCreate": call(
            f"POST {shelf}:batchCreate", request="BatchRequest", response="BatchResponse"
        ),
        "projects.shelves.boxes.get": call(f"GET {shelf}/boxes/{{boxesId}}", response="Box"),
        "projects.shelves.boxes.create": call(f"POST {shelf}/boxes", request="Box", response="Box"),
    }
    found = compiled(tmp_path, calls, BATCH)
    own, theirs = found["shelves"].methods["batch_create"], found["boxes"].methods["shelves_batch_create"]
    assert (own.verb, theirs.verb) == (Verb.EXEC, Verb.INSERT)
    assert own.http == theirs.http
    assert list(found["boxes"].methods) == ["get", "create", "shelves_batch_create"]


def test_a_batch_delete_is_a_delete_beside_delete(tmp_path: Path) -> None:
    names: Fields = {
        "names": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Required. Format: `projects/{project}/boxes/{box}`",
        }
    }
    beside: dict[str, JSON] = {**WHOLE, "projects.boxes.delete": call(f"DELETE {BOX}")}
    said = call(f"POST {BOXES}:batchDelete", request="BatchRequest", response="Operation")
    found = compiled(tmp_path, {**beside, "projects.boxes.batchDelete": said}, {"BatchRequest": names})
    methods = found["boxes"].methods
    assert list(methods) == ["get", "list", "delete", "batch_delete"]
    assert methods["batch_delete"].verb is Verb.DELETE
    assert methods["batch_delete"].parameters["names"].required


@pytest.mark.parametrize(
    ("name", "http", "response", "reads"),
    [
        pytest.param("readSize", f"GET {BOX}:readSize", "Box", True, id="a GET"),
        pytest.param("restore", f"GET {BOX}:restore", "Operation", False, id="a GET that starts something"),
        pytest.param("fetchLid", f"POST {BOX}:fetchLid", "Box", True, id="a POST named as a read"),
        pytest.param("testIamPermissions", f"POST {BOX}:testIamPermissions", "Box", True, id="a test"),
        pytest.param("computeAll", f"POST {BOX}:computeAll", "Operation", False, id="a read that takes long"),
        pytest.param("findAway", f"POST {BOX}:findAway", "Empty", False, id="a read that answers nothing"),
        pytest.param("predict", f"POST {BOX}:predict", "Box", False, id="a POST that may do anything"),
        pytest.param("reader", f"POST {BOX}:reader", "Box", False, id="a word that only begins so"),
    ],
)
def test_a_call_reads_only_where_it_certainly_changes_nothing(
    tmp_path: Path, name: str, http: str, response: str, reads: bool
) -> None:
    found = method(tmp_path, name, call(http, response=response))
    assert (found.verb, found.reads) == (Verb.EXEC, reads)


def test_a_post_with_pages_reads(tmp_path: Path) -> None:
    said = call(f"POST {BOX}:export", request="PageRequest", response="ListBoxesResponse")
    found = method(tmp_path, "export", said, schemas={"PageRequest": {"pageToken": {"type": "string"}}})
    assert (found.reads, found.rows) == (True, ("boxes[]",))
    assert found.pages is not None


def test_an_operation_asked_for_by_name_is_not_waited_for(tmp_path: Path) -> None:
    request: Fields = {"operationName": {"type": "string", "description": "Required. Which."}}
    said = call(f"POST {BOX}:fetchOperation", request="FetchRequest", response="Operation")
    found = method(tmp_path, "fetchOperation", said, schemas={"FetchRequest": request})
    assert (found.wait, found.reads, found.parameters["operationName"].required) == (False, True, True)


def test_operations_are_rows_and_nothing_waits_for_them(tmp_path: Path) -> None:
    place = f"{BOX}/operations/{{operationsId}}"
    calls: dict[str, JSON] = {
        "projects.boxes.operations.get": call(f"GET {place}", response="Operation"),
        "projects.boxes.operations.wait": call(f"POST {place}:wait", response="Operation"),
    }
    methods = compiled(tmp_path, calls)["operations"].methods
    assert {name: (m.verb, m.wait, m.reads) for name, m in methods.items()} == {
        "get": (Verb.SELECT, False, True),
        "wait": (Verb.EXEC, False, True),
    }


@pytest.mark.parametrize(
    ("name", "field", "required"),
    [
        pytest.param("points", {"description": "Required. What."}, True, id="required"),
        pytest.param("parent", {"type": "string", "description": "Required. Where."}, False, id="the parent"),
        pytest.param("name", {"type": "string", "description": "Required. Which."}, False, id="the name"),
        pytest.param(
            "box",
            {"type": "string", "description": "Required. Format: `projects/{project}/boxes/{box}`"},
            False,
            id="the path in other words",
        ),
        pytest.param(
            "lid",
            {"type": "string", "description": "Required. Format: `projects/{project}/lids/{lid}`"},
            True,
            id="the path of something else",
        ),
        pytest.param("points", {"description": "Optional. What."}, False, id="optional"),
    ],
)
def test_a_body_s_field_is_required_unless_it_repeats_the_path(
    tmp_path: Path, name: str, field: Fields, required: bool
) -> None:
    said = call(f"POST {BOX}:write", request="WriteRequest")
    found = method(tmp_path, "write", said, schemas={"WriteRequest": {name: field}})
    held = found.parameters.get(name)
    assert (held is not None and held.required) is required


def test_a_raw_body_has_no_fields_of_its_own(tmp_path: Path) -> None:
    assert not method(tmp_path, "predict", call(f"POST {BOX}:predict", request="HttpBody")).parameters


def test_a_parameter_that_is_a_column_says_only_what_differs(tmp_path: Path) -> None:
    request: Fields = {
        "kind": {"type": "string"},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "etag": {"type": "integer"},
    }
    said = call(f"POST {BOX}:tip", request="TipRequest")
    found = method(tmp_path, "tip", said, schemas={"TipRequest": request})
    assert found.body_columns == ("labels",)
    assert (found.parameters["kind"].enum, found.parameters["etag"].type) == ((), Type.INTEGER)


def test_a_query_that_may_repeat_is_a_list(tmp_path: Path) -> None:
    said = call(f"GET {BOX}:peek", response="Box", query={"paths": {"repeated": True}, "options.deep": {}})
    found = method(tmp_path, "peek", said).parameters
    assert (found["paths"].type, found["paths"].repeated) == (Type.JSON, True)
    assert (found["options.deep"].type, found["options.deep"].api_name) == (None, None)


def test_a_field_in_the_query_and_in_the_body_is_an_error(tmp_path: Path) -> None:
    said = call(f"POST {BOX}:tip", request="TipRequest", query={"angle": {}})
    with pytest.raises(ValueError, match="takes angle in its query and in its body"):
        method(tmp_path, "tip", said, schemas={"TipRequest": {"angle": {"type": "string"}}})


def test_the_parent_is_the_nearest_table_that_gives_what_is_missing(tmp_path: Path) -> None:
    calls: dict[str, JSON] = {
        **WHOLE,
        "projects.boxes.lids.list": call(f"GET {BOX}/lids", response="ListLidsResponse"),
        "projects.boxes.lids.marks.get": call(f"GET {BOX}/lids/{{lidsId}}/marks/{{marksId}}", response="Lid"),
    }
    lids: Fields = {"lids": {"type": "array", "items": {"$ref": "Lid"}}}
    found = compiled(tmp_path, calls, {"Lid": {"name": NAME}, "ListLidsResponse": lids})
    assert [parent.resource for parent in found["lids"].parents] == ["boxes"]
    assert found["boxes"].parents == ()
    assert found["marks"].parents == ()


def test_rows_that_are_only_listed_have_the_id_in_their_name(tmp_path: Path) -> None:
    boxes = compiled(tmp_path, {"projects.boxes.list": LIST})["boxes"]
    assert boxes.key == ("projectsId", "boxesId")
    assert boxes.parameters["boxesId"].segment == "boxes"


def test_a_table_of_calls_alone_has_its_ids_and_no_columns(tmp_path: Path) -> None:
    found = compiled(tmp_path, {"projects.boxes.tip": call(f"POST {BOX}:tip")})["boxes"]
    assert (list(found.parameters), found.columns, found.key) == (["projectsId", "boxesId"], {}, ())
