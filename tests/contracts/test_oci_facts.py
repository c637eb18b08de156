"""The facts of `schemas/oci` are what Oracle's SDK says now, and every operation of it is a method."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

import pytest

from sqlprovider.catalog.load import load_provider
from sqlprovider.catalog.model import Method, Resource, Verb
from tests.contracts.oci_calls import SERVICES
from tests.contracts.oci_facts import compile_facts
from tests.contracts.oci_places import chain_of, place, resource_name
from tests.contracts.oci_sdk import Operation, read_sdk

SENTENCE = 60
"""Characters: no name, path or word of an enum is as long, but for paths of the API."""


def operations(service: str) -> tuple[Operation, ...]:
    return read_sdk(SERVICES[service]).operations


def methods(service: str) -> Iterator[tuple[Resource, Method]]:
    for resource in load_provider("oci", {}).services[service].resources.values():
        for method in resource.methods.values():
            yield resource, method


@pytest.mark.parametrize("service", SERVICES)
def test_the_facts_are_what_the_sdk_says(service: str) -> None:
    compiled = compile_facts(service)
    assert compiled.file.read_text(encoding="utf-8") == compiled.text, "python -m tests.contracts.oci_facts"


@pytest.mark.parametrize(("service", "count"), [("aidataplatform", 299), ("aidataplatform_control", 12)])
def test_every_operation_is_one_method_by_its_name(service: str, count: int) -> None:
    names = Counter(method.wire_name for _, method in methods(service))
    wanted = {operation.name for operation in operations(service)}
    assert len(operations(service)) == count
    assert {name: names[name] for name in wanted if names[name] != 1} == {}


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_is_the_sdk_s_and_the_other_way_round(service: str) -> None:
    ours = {(method.http_method, method.path) for _, method in methods(service)}
    theirs = {(o.method, o.path) for o in operations(service)}
    assert ours == theirs


@pytest.mark.parametrize(("header", "count"), [("opc-retry-token", 120), ("if-match", 91)])
def test_the_headers_of_writes_are_on_every_operation_that_declares_them(header: str, count: int) -> None:
    declared = {o.name for o in operations("aidataplatform") if o.header(header)}
    has = {m.wire_name for _, m in methods("aidataplatform") if header in wire_names(m)}
    assert len(declared) == count
    assert declared <= has


def test_a_retry_token_is_made_for_every_call_that_takes_one() -> None:
    taking = [m for s in SERVICES for _, m in methods(s) if "opc-retry-token" in wire_names(m)]
    without = [m.wire_name for m in taking if m.parameters["opc_retry_token"].default != "token()"]
    assert (without, [m.wire_name for m in taking if m.repeat == "never"]) == ([], [])


def test_an_update_and_a_delete_go_under_the_etag_that_a_get_shows() -> None:
    missing = [
        f"{resource.name}.{method.name}"
        for service in SERVICES
        for resource, method in methods(service)
        if method.verb in (Verb.UPDATE, Verb.DELETE) and "if-match" in wire_names(method)
        if not (method.precondition == "etag" and method.read_first) and "get" in read_by(resource)
    ]
    assert missing == []


def test_a_list_pages_by_the_header_that_the_api_gives() -> None:
    paged = {o.name for s in SERVICES for o in operations(s) if takes_page(o) and o.method == "GET"}
    found = {m.wire_name for s in SERVICES for _, m in methods(s) if m.pages and m.pages.style == "header"}
    assert paged <= found


@pytest.mark.parametrize("service", SERVICES)
def test_no_sentence_of_the_vendor_s_is_kept(service: str) -> None:
    long = [text for text in texts(json.loads(compile_facts(service).text)) if len(text) > SENTENCE]
    assert [text for text in long if " /{version}/" not in text] == []
    assert [text for text in texts(json.loads(compile_facts(service).text)) if ". " in text] == []


@pytest.mark.parametrize(
    ("path", "name"),
    [
        pytest.param("aiDataPlatforms/{a}/workspaces", "workspaces", id="nothing else follows"),
        pytest.param("aiDataPlatforms/{a}/workspaces/{w}/jobs/{j}", "jobs", id="in a workspace"),
        pytest.param("aiDataPlatforms/{a}/workspaces/{w}/permissions", "workspace_permissions", id="its own"),
        pytest.param("aiDataPlatforms/{a}/jobs/{j}/permissions", "job_permissions", id="of one"),
        pytest.param(
            "aiDataPlatforms/{a}/workspaces/{w}/notebook/api/sessions", "notebook_sessions", id="api"
        ),
        pytest.param("a/{a}/gitRepositories/{g}/gitBranches", "a_git_branches", id="a word said once"),
        pytest.param("aiDataPlatforms/{a}/deployments/actions/deploy", "deployments", id="an action"),
    ],
)
def test_a_resource_is_called_by_its_path(path: str, name: str) -> None:
    assert resource_name(chain_of(f"/1/{path}")[0]) == name


@pytest.mark.parametrize(
    ("service", "operation", "method"),
    [
        pytest.param("aidataplatform", "list_job_runs", "job_runs.list SELECT", id="list"),
        pytest.param("aidataplatform", "get_cluster", "clusters.get SELECT", id="get"),
        pytest.param("aidataplatform", "create_catalog", "catalogs.create INSERT", id="create"),
        pytest.param("aidataplatform", "update_schema", "schemas.update UPDATE", id="put"),
        pytest.param("aidataplatform", "delete_volume", "volumes.delete DELETE", id="delete"),
        pytest.param("aidataplatform", "start_cluster", "clusters.start EXEC", id="action"),
        pytest.param("aidataplatform", "get_workspace_object", "objects.get EXEC", id="bytes"),
        pytest.param(
            "aidataplatform_control", "cancel_work_request", "work_requests.cancel EXEC", id="DELETE"
        ),
    ],
)
def test_a_verb_is_chosen_by_the_shape(service: str, operation: str, method: str) -> None:
    placed = place(next(o for o in operations(service) if o.name == operation))
    assert f"{placed.resource}.{placed.method} {placed.verb}" == method


def wire_names(method: Method) -> set[str]:
    return {parameter.wire_name for parameter in method.parameters.values()}


def read_by(resource: Resource) -> set[str]:
    return {method.name for method in resource.verb_methods(Verb.SELECT)}


def takes_page(operation: Operation) -> bool:
    return any(field.wire_name == "page" for field in operation.query_fields)


def texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from texts(item)
        case dict():
            for key, item in value.items():
                yield key
                yield from texts(item)
