"""`google.aiplatform`, held against its documentation and against the messages of the official client."""

from __future__ import annotations

from operator import attrgetter

import pytest
from google.cloud.aiplatform_v1.types import tensorboard, tensorboard_experiment, tensorboard_run
from google.cloud.aiplatform_v1.types import tensorboard_time_series as time_series

from sqlprovider.catalog.load import load_provider
from sqlprovider.catalog.model import Place, Resource, Role, Verb
from sqlprovider.values import Type

_ALL = load_provider("google", {}).services["aiplatform"].resources
RESOURCES = {name: _ALL[name] for name in ("tensorboards", "experiments", "runs", "time_series")}
PARENT = ("projectsId", "locationsId", "tensorboardsId", "experimentsId")
ROW = (*PARENT, "runsId")

# The tables of StackQL's page on google.aiplatform.runs.
DOCUMENTED_FIELDS = ("name", "createTime", "description", "displayName", "etag", "labels", "updateTime")
DOCUMENTED_RESPONSE = ("nextPageToken", "tensorboardRuns")
DOCUMENTED_PARAMETERS = {
    **dict.fromkeys(ROW, Type.TEXT),
    **dict.fromkeys(("filter", "orderBy", "pageToken", "readMask"), Type.TEXT),
    **dict.fromkeys(("tensorboardRunId", "updateMask"), Type.TEXT),
    "pageSize": Type.INTEGER,
}
DOCUMENTED_METHODS = {
    "get": ("SELECT", ROW, ()),
    "list": ("SELECT", PARENT, ("filter", "pageSize", "pageToken", "orderBy", "readMask")),
    "create": ("INSERT", PARENT, ("tensorboardRunId",)),
    "batch_create": ("INSERT", PARENT, ()),
    "patch": ("UPDATE", ROW, ("updateMask",)),
    "delete": ("DELETE", ROW, ()),
    "write": ("EXEC", ROW, ()),
}
OUTPUT_ONLY = {
    "tensorboards": {
        *("name", "createTime", "updateTime", "runCount"),
        *("blobStoragePathPrefix", "satisfiesPzi", "satisfiesPzs"),
    },
    "experiments": {"name", "createTime", "updateTime"},
    "runs": {"name", "createTime", "updateTime"},
    "time_series": {"name", "createTime", "updateTime", "metadata"},
}
IMMUTABLE = {"experiments": {"source"}, "time_series": {"valueType", "pluginName"}}
MESSAGES = {
    "tensorboards": tensorboard.Tensorboard,
    "experiments": tensorboard_experiment.TensorboardExperiment,
    "runs": tensorboard_run.TensorboardRun,
    "time_series": time_series.TensorboardTimeSeries,
}


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _names(resource: Resource, role: Role, *, hidden: bool) -> list[str]:
    return [column.name for column in resource.columns if column.role is role and column.hidden is hidden]


def test_every_documented_field_of_runs_is_a_column() -> None:
    assert tuple(_names(RESOURCES["runs"], Role.ITEM, hidden=False)) == DOCUMENTED_FIELDS
    assert tuple(_names(RESOURCES["runs"], Role.RESPONSE, hidden=True)) == DOCUMENTED_RESPONSE
    assert tuple(_names(RESOURCES["runs"], Role.PARAMETER, hidden=False)) == ROW


@pytest.mark.parametrize(("name", "type_"), DOCUMENTED_PARAMETERS.items())
def test_every_documented_parameter_of_runs_is_a_column(name: str, type_: Type) -> None:
    column = RESOURCES["runs"].column(name)
    assert column is not None
    assert (column.name, column.type) == (name, type_)


def test_runs_has_the_documented_methods_and_no_other() -> None:
    assert tuple(RESOURCES["runs"].methods) == tuple(DOCUMENTED_METHODS)


@pytest.mark.parametrize("name", DOCUMENTED_METHODS)
def test_a_method_of_runs_takes_what_is_documented(name: str) -> None:
    verb, required, optional = DOCUMENTED_METHODS[name]
    method = RESOURCES["runs"].methods[name]
    in_query = tuple(p.name for p in method.parameters.values() if p.place is Place.QUERY)
    assert (method.verb, method.required, set(in_query)) == (Verb(verb), required, set(optional))


def test_requests_of_batch_create_can_be_inserted() -> None:
    column = RESOURCES["runs"].column("requests")
    assert column is not None
    assert (column.type, column.role, column.hidden) == (Type.JSON, Role.OPTION, True)


@pytest.mark.parametrize("name", MESSAGES)
def test_the_fields_are_those_of_the_official_client_s_message(name: str) -> None:
    fields = {_camel(field) for field in attrgetter("meta.fields")(MESSAGES[name])}
    assert set(_names(RESOURCES[name], Role.ITEM, hidden=False)) == fields


@pytest.mark.parametrize("name", MESSAGES)
def test_what_only_the_server_sets_can_not_be_written(name: str) -> None:
    methods = RESOURCES[name].methods
    fields = set(_names(RESOURCES[name], Role.ITEM, hidden=False))
    created = {p.column for p in methods["create"].parameters.values() if p.column in fields}
    assert created == fields - OUTPUT_ONLY[name]
    assert set(methods["patch"].sets) == fields - OUTPUT_ONLY[name] - IMMUTABLE.get(name, set())
    assert set(methods["patch"].mask_columns) == set(methods["patch"].sets)


@pytest.mark.parametrize(
    ("resource", "methods"),
    [
        ("tensorboards", {"create", "patch", "delete"}),
        ("experiments", {"delete"}),
        ("runs", {"delete"}),
        ("time_series", {"delete"}),
    ],
)
def test_the_methods_that_answer_with_an_operation_are_waited_for(resource: str, methods: set[str]) -> None:
    assert {name for name, method in RESOURCES[resource].methods.items() if method.wait} == methods


def test_a_page_is_as_large_as_the_api_lets_it_be() -> None:
    sizes = {name: resource.methods["list"].pages for name, resource in RESOURCES.items()}
    found = {name: pages.size_max for name, pages in sizes.items() if pages is not None}
    assert found == {"tensorboards": 100, "experiments": 1000, "runs": 1000, "time_series": 1000}


def test_what_samples_or_streams_is_called_and_never_selected() -> None:
    reading = {
        (resource, name): method.effect
        for resource, found in RESOURCES.items()
        for name, method in found.methods.items()
        if method.verb is Verb.EXEC
    }
    assert reading == {
        ("tensorboards", "batch_read"): "read",
        ("tensorboards", "read_size"): "read",
        ("tensorboards", "read_usage"): "read",
        ("experiments", "batch_create"): "write",
        ("experiments", "write"): "write",
        ("runs", "write"): "write",
        ("time_series", "read"): "read",
        ("time_series", "read_blob_data"): "read",
        ("time_series", "export_tensorboard_time_series"): "read",
    }


def test_nothing_is_pushed_where_the_grammar_is_not_documented() -> None:
    lists = [resource.methods["list"] for resource in RESOURCES.values()]
    assert [(m.push.filter, m.push.order, dict(m.push.equals)) for m in lists] == [(None, None, {})] * 4


def test_the_walk_goes_up_to_the_roots() -> None:
    parents = {name: [parent.resource for parent in found.parents] for name, found in RESOURCES.items()}
    assert parents == {
        "tensorboards": [],
        "experiments": ["tensorboards"],
        "runs": ["experiments"],
        "time_series": ["runs"],
    }
    roots = [p.name for p in RESOURCES["time_series"].methods["list"].parameters.values() if p.root]
    assert roots == ["projectsId", "locationsId"]


def test_a_method_is_called_by_its_wire_name_too() -> None:
    method = RESOURCES["runs"].method("batchCreate")
    assert method is not None
    assert method.name == "batch_create"


def test_v1beta1_has_its_own_paths() -> None:
    provider = load_provider("google", {"aiplatform": "v1beta1"})
    write = provider.services["aiplatform"].resources["experiments"].methods["write"]
    prefix = "/v1beta1/projects/{projectsId}/locations/{locationsId}/tensorboards/{tensorboardsId}"
    assert write.path == f"{prefix}/experiments/{{experimentsId}}:write"
    assert provider.wait is not None
    assert provider.wait.path == "/{version}/{name}"
