"""The MLflow documents: sound, said in the API's own words, and true of a real server."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from sqlprovider.catalog.check import check_document
from sqlprovider.catalog.load import load_provider
from sqlprovider.catalog.model import Method, Place, Provider, Resource, Verb
from sqlprovider.values import JSON
from tests import mlflow_descriptors
from tests.mlflow import CURVE, FILES, NUMBERS, RUN_NAMES, Object, Seed, seeded_server, text_at

DOCUMENTS = Path(__file__).resolve().parents[2] / "schemas" / "mlflow"


@cache
def provider() -> Provider:
    return load_provider("mlflow", {}, directories=[DOCUMENTS.parent])


def resources() -> list[Resource]:
    return [resource for service in provider().services.values() for resource in service.resources.values()]


def methods() -> list[tuple[Resource, Method]]:
    return [(resource, method) for resource in resources() for method in resource.methods.values()]


def test_the_documents_have_no_problem() -> None:
    assert check_document(DOCUMENTS) == ()


@pytest.mark.parametrize(
    ("name", "verbs"),
    [
        ("experiments", {"SELECT", "INSERT", "UPDATE", "DELETE", "EXEC"}),
        ("runs", {"SELECT", "INSERT", "UPDATE", "DELETE", "EXEC"}),
        ("metrics", {"SELECT", "INSERT"}),
        ("params", {"SELECT", "INSERT", "UPDATE"}),
        ("tags", {"SELECT", "INSERT", "UPDATE", "DELETE"}),
        ("metric_history", {"SELECT", "INSERT", "EXEC"}),
        ("artifacts", {"SELECT", "EXEC"}),
        ("logged_models", {"SELECT", "INSERT", "DELETE", "EXEC"}),
        ("registered_models", {"SELECT", "INSERT", "UPDATE", "DELETE", "EXEC"}),
        ("model_versions", {"SELECT", "INSERT", "UPDATE", "DELETE", "EXEC"}),
        ("aliases", {"SELECT", "INSERT", "UPDATE", "DELETE"}),
    ],
)
def test_each_resource_has_the_verbs_of_its_api(name: str, verbs: set[str]) -> None:
    found = next(resource for resource in resources() if resource.name.resource == name)
    assert {verb.value for verb in found.verbs} == verbs


@cache
def rpcs() -> dict[tuple[str, str], frozenset[str]]:
    """(HTTP method, shape of the path) → the fields of its request, as MLflow itself has them."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for rpc in mlflow_descriptors.rpcs().values():
        fields = frozenset(field.name for field in rpc.message.fields)
        found |= {route: found.get(route, frozenset()) | fields for route in rpc.shapes}
    return found


def call(method: Method) -> tuple[str, str]:
    return method.http_method, mlflow_descriptors.shape(method.path)


def body_fields(method: Method) -> Iterator[str]:
    if isinstance(method.body, dict):
        yield from method.body
        return
    for parameter in method.parameters.values():
        if parameter.place in (Place.BODY, Place.QUERY):
            yield parameter.at[0] if parameter.at else parameter.wire_name


@pytest.mark.slow
def test_every_method_is_a_call_of_the_api() -> None:
    assert {call(method) for _, method in methods()} <= rpcs().keys()


@pytest.mark.slow
def test_everything_sent_is_a_field_of_the_request() -> None:
    """The API ignores what it does not know, so a misspelt field would never be noticed."""
    unknown = {
        f"{resource.name}.{method.name}: {name}"
        for resource, method in methods()
        for name in body_fields(method)
        if name not in rpcs()[call(method)]
    }
    # The server reads `mode` itself; an artifact is the request's whole body.
    assert unknown == {"mlflow.server.artifacts.upload: content", "mlflow.server.workspaces.delete: mode"}


@pytest.mark.slow
def test_every_call_of_the_api_is_a_method() -> None:
    """One of its routes is, where it has several."""
    rpcs = mlflow_descriptors.rpcs()
    assert len(rpcs) == 183
    assert [operation for operation, rpc in rpcs.items() if not mlflow_descriptors.ours(rpc)] == []


def test_a_changing_call_is_never_marked_read() -> None:
    reading = {f"{resource.name.resource}.{m.name}" for resource, m in methods() if m.effect == "read"}
    assert {
        name for name in reading if name.split(".")[1].split("_")[0] not in ("search", "get", "list")
    } == {
        "artifacts.create_presigned_download_url",
        "artifacts.download",
        "traces.batch_get",
        "traces.calculate_filter_correlation",
        "traces.query_metrics",
    }


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seed]:
    with seeded_server(tmp_path_factory.mktemp("mlflow-document")) as found:
        yield found


def found_runs(seeded: Seed, experiment: str, filter_: str = "", **body: JSON) -> list[str]:
    """Our own names of the runs that a search finds."""
    answer = seeded.rest.post(
        "runs/search", experiment_ids=[seeded.experiments[experiment]], filter=filter_, **body
    )
    names = {run_id: name for name, run_id in seeded.runs.items()}
    return [names[text_at(run, "info", "run_id")] for run in seeded.rest.listed(answer, "runs")]


def run_of(seeded: Seed, name: str) -> Object:
    run = seeded.rest.get("runs/get", run_id=seeded.runs[name])["run"]
    assert isinstance(run, dict)
    return run


on_server = pytest.mark.slow


@on_server
@pytest.mark.parametrize("name", RUN_NAMES)
@pytest.mark.parametrize("column", ["params", "tags"])
def test_a_text_in_the_quotes_it_lacks_finds_its_run(seeded: Seed, column: str, name: str) -> None:
    quotes = [quote for quote in ("'", '"') if quote not in name]
    found = [found_runs(seeded, "odd", f"{column}.`text` = {quote}{name}{quote}") for quote in quotes]
    assert found == [[name]] * len(quotes)


@on_server
def test_a_text_that_ends_in_a_backslash_breaks_the_text_after_it(seeded: Seed) -> None:
    query: Object = {
        "experiment_ids": [seeded.experiments["odd"]],
        "filter": "params.`a` = 'x\\' AND params.`b` = 'y'",
    }
    assert seeded.rest.error("POST", "runs/search", query) == (400, "INVALID_PARAMETER_VALUE")


@on_server
def test_like_regards_case_and_ilike_does_not(seeded: Seed) -> None:
    assert found_runs(seeded, "odd", "params.`text` LIKE 'upp%'") == ["upper"]
    assert sorted(found_runs(seeded, "odd", "params.`text` ILIKE 'upp%'")) == ["UPPER", "upper"]


@on_server
@pytest.mark.parametrize(
    ("bound", "found"),
    [
        pytest.param("> 0.5", {"plus", "huge"}, id="infinity-is-the-largest-number"),
        pytest.param("< -1", {"minus", "below"}, id="minus-infinity-the-smallest"),
        pytest.param("= 0", {"zero"}, id="nan-is-not-the-0-it-is-stored-as"),
        pytest.param("!= 0", NUMBERS.keys() - {"zero"}, id="nan-differs-and-a-missing-key-does-not"),
        pytest.param(">= 1e20", {"plus", "huge"}, id="exponent-without-plus"),
        pytest.param("<= 1e-07", {"minus", "below", "zero", "tiny"}, id="negative-exponent"),
    ],
)
def test_a_metric_filter_keeps_every_run_that_sql_keeps(seeded: Seed, bound: str, found: set[str]) -> None:
    assert set(found_runs(seeded, "numbers", f"metrics.`m` {bound}")) == found


@on_server
def test_a_plus_in_an_exponent_is_refused(seeded: Seed) -> None:
    query: Object = {"experiment_ids": [seeded.experiments["numbers"]], "filter": "metrics.`m` > 1e+20"}
    assert seeded.rest.error("POST", "runs/search", query) == (400, "INVALID_PARAMETER_VALUE")


@on_server
def test_the_name_of_a_run_is_not_found_once_its_tag_is_deleted(seeded: Seed) -> None:
    """Why `run_name` is not pushed."""
    assert run_of(seeded, "nameless")["info"]["run_name"] == "nameless"  # type: ignore[index, call-overload]
    assert found_runs(seeded, "percent", "attributes.run_name = 'nameless'") == []


@on_server
@pytest.mark.parametrize("column", ["start_time", "end_time"])
def test_times_that_are_missing_come_last_in_both_directions(seeded: Seed, column: str) -> None:
    without = {name for name in RUN_NAMES if column not in run_of(seeded, name)["info"]}  # type: ignore[operator]
    for direction in ("ASC", "DESC"):
        found = found_runs(seeded, "odd", order_by=[f"attributes.{column} {direction}"])
        assert set(found[len(found) - len(without) :]) == without


@on_server
def test_get_answers_for_a_deleted_run_and_search_does_not(seeded: Seed) -> None:
    assert text_at(run_of(seeded, "deleted"), "info", "lifecycle_stage") == "deleted"
    assert "deleted" not in found_runs(seeded, "odd")
    assert "deleted" in found_runs(seeded, "odd", run_view_type="ALL")


@on_server
def test_a_run_restored_inside_a_deleted_experiment_is_active(seeded: Seed) -> None:
    """Why a walk over the active runs asks the deleted experiments too."""
    assert found_runs(seeded, "half_gone", run_view_type="ACTIVE_ONLY") == ["restored"]


@on_server
def test_history_and_artifacts_of_a_deleted_run_are_answered(seeded: Seed) -> None:
    """Why both confirm their run."""
    run_id = seeded.runs["deleted"]
    assert seeded.rest.get("metrics/get-history", run_id=run_id, metric_key="val_acc")["metrics"]
    assert seeded.rest.get("artifacts/list", run_id=run_id)["files"]
    assert seeded.rest.get("metrics/get-history", run_id="0" * 32, metric_key="val_acc") == {}


@on_server
def test_history_goes_on_by_pages_in_the_order_of_time(seeded: Seed) -> None:
    seen: list[JSON] = []
    token = ""
    while True:
        answer = seeded.rest.get(
            "metrics/get-history",
            run_id=seeded.runs["curve"],
            metric_key="loss",
            max_results=30,
            page_token=token,
        )
        seen += [point["step"] for point in seeded.rest.listed(answer, "metrics")]
        if "next_page_token" not in answer:
            break
        token = text_at(answer, "next_page_token")
    assert seen == [step for step, _, _ in sorted(CURVE, key=lambda point: point[1])]


@on_server
def test_search_and_get_differ_in_the_model_inputs_of_a_run_alone(seeded: Seed) -> None:
    answer = seeded.rest.post("runs/search", experiment_ids=[seeded.experiments["percent"]])
    searched = {text_at(run, "info", "run_id"): run for run in seeded.rest.listed(answer, "runs")}
    for run_id, run in searched.items():
        got = seeded.rest.get("runs/get", run_id=run_id)["run"]
        assert isinstance(got, dict)
        inputs = got.pop("inputs")
        assert isinstance(inputs, dict)
        inputs.pop("model_inputs", None)
        assert run == {**got, "inputs": inputs}


@on_server
def test_search_of_model_versions_lacks_the_aliases_that_get_has(seeded: Seed) -> None:
    """Why `aliases` is no column of model_versions."""
    name = seeded.registered_models[0]
    got = seeded.rest.get("model-versions/get", name=name, version="2")["model_version"]
    answer = seeded.rest.get("model-versions/search", filter=f'name = "{name}"')
    searched = [v for v in seeded.rest.listed(answer, "model_versions") if v["version"] == "2"]
    assert isinstance(got, dict)
    assert got.pop("aliases") == ["champion"]
    assert searched == [got]


@on_server
def test_search_hides_a_prompt_and_get_does_not(seeded: Seed) -> None:
    """Why the registry's resources drop prompts."""
    models = seeded.rest.listed(seeded.rest.get("registered-models/search"), "registered_models")
    assert sorted(text_at(model, "name") for model in models) == sorted(seeded.registered_models)
    assert seeded.rest.get("registered-models/get", name=seeded.prompt)
    assert seeded.rest.get("model-versions/search", filter=f"name = '{seeded.prompt}'") == {}
    assert seeded.rest.get("model-versions/get", name=seeded.prompt, version="1")


@on_server
def test_logged_models_of_a_deleted_experiment_are_there_and_deleted_ones_are_not(seeded: Seed) -> None:
    """Why logged models are walked under every experiment."""
    gone = seeded.rest.post("logged-models/search", experiment_ids=[seeded.experiments["gone"]])
    assert len(seeded.rest.listed(gone, "models")) == 1
    assert seeded.rest.get(f"logged-models/{seeded.logged_models['of gone']}")
    deleted = f"logged-models/{seeded.logged_models['deleted']}"
    assert seeded.rest.error("GET", deleted) == (404, "RESOURCE_DOES_NOT_EXIST")


@on_server
def test_artifacts_are_listed_one_directory_at_a_time(seeded: Seed) -> None:
    def walk(path: str) -> Iterator[str]:
        answer = seeded.rest.get("artifacts/list", run_id=seeded.runs["curve"], path=path)
        for file in seeded.rest.listed(answer, "files"):
            if file["is_dir"]:
                yield from walk(text_at(file, "path"))
            else:
                yield text_at(file, "path")

    assert sorted(walk("")) == sorted(FILES)
    assert "files" not in seeded.rest.get("artifacts/list", run_id=seeded.runs["curve"], path=FILES[0])


@on_server
@pytest.mark.parametrize(
    ("method", "path", "body", "query"),
    [
        pytest.param("GET", "experiments/get", None, {"experiment_id": "abc"}, id="id-that-is-no-number"),
        pytest.param("POST", "runs/search", {"experiment_ids": [""]}, {}, id="experiment-without-id"),
        pytest.param("GET", "runs/get", None, {"run_id": ""}, id="run-without-id"),
        pytest.param("GET", "registered-models/get", None, {"name": "a/b"}, id="model-name-with-slash"),
        pytest.param("GET", "model-versions/get", None, {"name": "m", "version": "x"}, id="version-x"),
        pytest.param("DELETE", "registered-models/delete", None, {"name": "m"}, id="delete-by-query"),
        pytest.param(
            "PATCH", "logged-models/m-1", {"status": "LOGGED_MODEL_READY"}, {}, id="finalize-by-path-alone"
        ),
        pytest.param("POST", "experiments/search", {}, {}, id="experiments-without-max-results"),
    ],
)
def test_what_the_documents_avoid_is_refused(
    seeded: Seed, method: str, path: str, body: Object | None, query: dict[str, str]
) -> None:
    assert seeded.rest.error(method, path, body, **query) == (400, "INVALID_PARAMETER_VALUE")


@on_server
def test_an_alias_that_is_not_there_is_an_invalid_parameter(seeded: Seed) -> None:
    """Why get_by_alias has a missing-code of its own."""
    name = seeded.registered_models[0]
    answered = seeded.rest.error("GET", "registered-models/alias", name=name, alias="nobody")
    assert answered == (400, "INVALID_PARAMETER_VALUE")


@on_server
def test_what_is_too_long_is_cut_off_without_a_word(seeded: Seed) -> None:
    """Why params and tags have a `max_chars`; each limit is the document's own."""
    run = seeded.rest.post("runs/create", experiment_id=seeded.experiments["empty"])["run"]
    run_id = text_at(run, "info", "run_id")
    seeded.rest.post("runs/log-parameter", run_id=run_id, key="long", value="x" * 9000)
    seeded.rest.post("runs/set-tag", run_id=run_id, key="long", value="x" * 9000)
    data = seeded.rest.get("runs/get", run_id=run_id)["run"]["data"]  # type: ignore[index, call-overload]
    kept = [
        len(text_at(entry, "value"))
        for name in ("params", "tags")
        for entry in data[name]  # type: ignore[index, call-overload, union-attr]
        if text_at(entry, "key") == "long"
    ]
    tracking = provider().services["tracking"].resources
    limits = [
        tracking[name].methods["log_batch"].parameters["value"].max_chars for name in ("params", "tags")
    ]
    assert kept == limits


@on_server
def test_a_word_that_is_no_status_is_answered_200_and_forgotten(seeded: Seed) -> None:
    """Why `status` has an enum, which is the API's own."""
    run_id = seeded.runs["without"]
    seeded.rest.post("runs/update", run_id=run_id, status="DONE")
    assert text_at(run_of(seeded, "without"), "info", "status") == "RUNNING"


def test_verbs_that_write_say_where_every_column_goes() -> None:
    """A required column that an INSERT cannot take would make the resource unwritable."""
    for resource, method in methods():
        if method.verb is Verb.INSERT:
            assert all(parameter.column is not None for parameter in method.parameters.values()), (
                resource.name
            )
