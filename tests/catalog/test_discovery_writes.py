"""What the compiler says of writes: ids that clients choose, names, secrets, what is never answered."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path

import pytest

from sqlprovider.catalog.discovery_secrets import is_secret
from sqlprovider.catalog.document import MethodDocument, ResourceDocument
from sqlprovider.catalog.model import Verb
from sqlprovider.values import JSON
from tests.catalog.discovery_drafts import NAME, SCHEMAS, Fields, call, compiled

GOOGLE = Path(__file__).parents[2] / "schemas" / "google"
BOXES = "v1/projects/{projectsId}/boxes"
TEXT: JSON = {"type": "string"}


def resource(
    folder: Path,
    fields: Fields,
    *,
    collection: str = "boxes",
    query: dict[str, JSON] | None = None,
    beside: Fields | None = None,
) -> ResourceDocument:
    """A collection of boxes with these fields more, which can be listed, made, changed and deleted."""
    place, id_ = f"v1/projects/{{projectsId}}/{collection}", f"{{{collection}Id}}"
    request = "Box" if beside is None else "CreateBoxRequest"
    schemas: dict[str, Fields] = {"Box": {**SCHEMAS["Box"], **fields}}
    if beside is not None:
        schemas["CreateBoxRequest"] = {"box": {"$ref": "Box"}, **beside}
    calls: dict[str, JSON] = {
        f"projects.{collection}.get": call(f"GET {place}/{id_}", response="Box"),
        f"projects.{collection}.list": call(f"GET {place}", response="ListBoxesResponse"),
        f"projects.{collection}.create": call(f"POST {place}", request=request, response="Box", query=query),
        f"projects.{collection}.patch": call(f"PATCH {place}/{id_}", request="Box", response="Box"),
        f"projects.{collection}.delete": call(f"DELETE {place}/{id_}"),
    }
    (found,) = compiled(folder, calls, schemas).values()
    return found


def create(found: ResourceDocument) -> MethodDocument:
    return found.methods["create"]


def chosen(found: ResourceDocument) -> dict[str, str]:
    """Parameter → the column that it names, of every method."""
    methods = found.methods.values()
    return {name: p.names for m in methods for name, p in m.parameters.items() if p.names is not None}


@pytest.mark.parametrize(
    ("collection", "parameter"),
    [
        pytest.param("boxes", "boxeId", id="an s less"),
        pytest.param("runs", "tensorboardRunId", id="the vendor's word before it"),
        pytest.param("memories", "memoryId", id="ies"),
        pytest.param("timeSeries", "tensorboardTimeSeriesId", id="no other plural"),
        pytest.param("metadata", "ragMetadataId", id="no plural"),
    ],
)
def test_the_id_that_the_client_chooses_names_the_new_row(
    tmp_path: Path, collection: str, parameter: str
) -> None:
    found = resource(tmp_path, {}, collection=collection, query={parameter: {}})
    assert chosen(found) == {parameter: f"{collection}Id"}


@pytest.mark.parametrize(
    "parameter", ["shelfId", "rerunId", "run", "runsId", "runIds"], ids=lambda name: f"{name}"
)
def test_another_parameter_names_nothing(tmp_path: Path, parameter: str) -> None:
    assert chosen(resource(tmp_path, {}, collection="runs", query={parameter: {}})) == {}


def test_an_id_beside_the_item_in_the_body_names_the_row(tmp_path: Path) -> None:
    found = resource(tmp_path, {}, collection="pools", beside={"poolId": TEXT, "parent": TEXT})
    assert chosen(found) == {"poolId": "poolsId"}


@pytest.mark.parametrize("name", ["jobId", "id"])
def test_an_id_in_the_item_names_the_row_unless_the_server_gives_it(tmp_path: Path, name: str) -> None:
    assert chosen(resource(tmp_path, {name: TEXT}, collection="jobs")) == {name: "jobsId"}
    given: JSON = {"type": "string", "description": "Output only. Which one it is."}
    assert chosen(resource(tmp_path, {name: given}, collection="jobs")) == {}


def test_a_display_name_that_a_create_takes_tells_rows_apart_for_people(tmp_path: Path) -> None:
    found = resource(tmp_path, {}).identity
    assert found is not None
    assert (found.columns, found.unique) == (("displayName",), False)
    assert resource(tmp_path, {"displayName": NAME}).identity is None


def test_what_the_server_only_takes_is_never_answered(tmp_path: Path) -> None:
    ttl: JSON = {"type": "string", "description": "Optional. Input only. How long it stays."}
    columns = resource(tmp_path, {"ttl": ttl}).columns
    assert {name for name, column in columns.items() if column.write_only} == {"ttl"}


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "adminPassword",
        "privateKey",
        "clientSecret",
        "apiKey",
        "apiKeyString",
        "accessToken",
        "vmToken",
    ],
)
def test_a_credential_is_a_secret(tmp_path: Path, name: str) -> None:
    columns = resource(tmp_path, {name: TEXT}).columns
    assert {name for name, column in columns.items() if column.secret} == {name}


@pytest.mark.parametrize(
    "name",
    ["pageToken", "nextPageToken", "continuationToken", "tokenCount", "secretRef", "keyName", "inputTokens"],
)
def test_what_only_sounds_like_a_credential_is_none(name: str) -> None:
    assert not is_secret(name, {"type": "string"})


def test_what_says_where_a_secret_is_kept_is_none(tmp_path: Path) -> None:
    kept: JSON = {"type": "string", "description": "The name of the SecretManager secret version."}
    assert not is_secret("apiKey", {"type": "string", "description": "In Secret Manager."})
    assert not any(c.secret for c in resource(tmp_path, {"apiKey": kept}).columns.values())


def test_what_holds_a_secret_however_deep_is_one(tmp_path: Path) -> None:
    schemas: dict[str, Fields] = {
        "Box": {
            **SCHEMAS["Box"],
            "auths": {"type": "array", "items": {"$ref": "Auth"}},
            "kept": {"$ref": "Kept"},
        },
        "Auth": {"basic": {"type": "object", "properties": {"password": TEXT}}, "next": {"$ref": "Auth"}},
        "Kept": {"version": TEXT, "around": {"$ref": "Box"}},
        "Plain": {"size": TEXT},
    }
    calls: dict[str, JSON] = {
        "projects.boxes.get": call(f"GET {BOXES}/{{boxesId}}", response="Box"),
        "projects.boxes.open": call(f"POST {BOXES}/{{boxesId}}:open", request="Auth"),
        "projects.boxes.move": call(f"POST {BOXES}/{{boxesId}}:move", request="Plain"),
    }
    found = compiled(tmp_path, calls, schemas)["boxes"]
    assert {name for name, column in found.columns.items() if column.secret} == {"auths", "kept"}
    secret = {
        (m, name) for m, said in found.methods.items() for name, p in said.parameters.items() if p.secret
    }
    assert secret == {("open", "basic"), ("open", "next")}


def test_what_the_server_alone_sets_is_no_secret_of_ours_for_what_it_holds(tmp_path: Path) -> None:
    schemas: dict[str, Fields] = {
        "Box": {
            "name": NAME,
            "token": {"$ref": "Auth", "readOnly": True},
            "apiKey": {**NAME, "type": "string"},  # type: ignore[dict-item]  # an object of JSON
        },
        "Auth": {"password": TEXT},
    }
    calls: dict[str, JSON] = {"projects.boxes.get": call(f"GET {BOXES}/{{boxesId}}", response="Box")}
    columns = compiled(tmp_path, calls, schemas)["boxes"].columns
    assert {name for name, column in columns.items() if column.secret} == {"apiKey"}


def test_a_create_with_a_token_of_its_own_may_be_repeated(tmp_path: Path) -> None:
    query: dict[str, JSON] = {"onceToken": {"description": "Optional. An idempotency token."}, "view": {}}
    said = create(resource(tmp_path, {}, query=query))
    assert (said.repeat, said.parameters["onceToken"].default) == ("same_body", "token()")
    assert said.parameters["view"].default is None
    assert create(resource(tmp_path, {}, query={"view": {}})).repeat == "never"


def facts(version: str) -> dict[str, dict[str, dict[str, dict[str, dict[str, JSON]]]]]:
    found = json.loads((GOOGLE / f"aiplatform.{version}.json").read_text(encoding="utf-8"))
    return {name: words for name, words in found.items() if name}


@pytest.mark.slow
@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_every_id_that_the_vendor_s_client_takes_in_a_create_names_a_row(version: str) -> None:
    types = import_module(f"google.cloud.aiplatform_{version}.types")
    requests = [name for name in dir(types) if re.fullmatch(r"Create\w+Request", name)]
    theirs = {
        re.sub(r"_(\w)", lambda found: found[1].upper(), field)
        for name in requests
        for field in getattr(types, name).meta.fields
        if field.endswith("_id")
    }
    ours = {
        parameter
        for words in facts(version).values()
        for method in words["methods"].values()
        for parameter, said in method.get("parameters", {}).items()
        if isinstance(said, dict) and "names" in said
    }
    assert len(theirs) > 15
    assert theirs - ours == set()


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_create_without_a_chosen_id_takes_no_id_at_all(version: str) -> None:
    """Where the rule finds none, the server gives the id: no parameter of the query is called an id."""
    left = {
        f"{name}.{parameter}"
        for name, words in facts(version).items()
        for method, said in words["methods"].items()
        if method == "create" and "names" not in json.dumps(said.get("parameters", {}))
        for parameter, place in said.get("parameters", {}).items()
        if isinstance(place, dict) and place.get("in") == "query" and parameter.endswith("Id")
    }
    assert left == set()


def test_the_shapes_have_the_verbs_that_they_are_tried_with(tmp_path: Path) -> None:
    verbs = {name: said.verb for name, said in resource(tmp_path, {}).methods.items()}
    assert verbs["create"] is Verb.INSERT
