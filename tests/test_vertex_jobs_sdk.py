"""The official clients drive the stand-in for jobs, pipelines, metadata, models and studies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import pytest

from sqlprovider.values import JSON
from tests.fakes.faults import Fault
from tests.fakes.loopback import Loopback
from tests.fakes.recorded import service_client
from tests.fakes.vertex_platform import new_platform, platform_app
from tests.fakes.vertex_platform_data import SPEC, STORE, STUDY_SPEC, many_jobs, vertex_jobs
from tests.fakes.vertex_platform_state import PlatformState, object_of

pytestmark = pytest.mark.slow

LOCATION = "projects/p/locations/l"


def client_of(state: PlatformState, service: str) -> AbstractContextManager[Any]:
    return service_client(platform_app(state, token="t0ken"), service)


def finished(answer: Any) -> Any:  # google's operation has no annotations
    """The result of an operation, asked for without the client's usual second between two polls."""
    from google.api_core.future.polling import DEFAULT_POLLING

    if not hasattr(answer, "result"):
        return answer
    return answer.result(polling=DEFAULT_POLLING.with_delay(initial=0.01, maximum=0.01))


def proto(kind: str, value: Mapping[str, JSON]) -> Any:
    """A message of the client, out of JSON."""
    import json

    from google.cloud.aiplatform_v1 import types

    return getattr(types, kind).from_json(json.dumps(value))


@dataclass(frozen=True, slots=True)
class Kind:
    """A collection, the client's words for it, and an item to make."""

    service: str
    word: str
    item: Mapping[str, JSON]
    parent: str = LOCATION
    plural: str = ""
    ids: bool = False
    """Whether the caller gives the id."""
    change: Mapping[str, JSON] = field(default_factory=dict)
    deletes: bool = True

    @property
    def message(self) -> str:
        return "".join(part.capitalize() for part in self.word.split("_"))

    @property
    def many(self) -> str:
        return self.plural or f"{self.word}s"


TASK: Mapping[str, JSON] = {"trainingTaskDefinition": "gs://x/y.yaml", "trainingTaskInputs": {"a": 1}}
TUNING: Mapping[str, JSON] = {
    "studySpec": STUDY_SPEC,
    "maxTrialCount": 3,
    "parallelTrialCount": 1,
    "trialJobSpec": SPEC,
}
PREDICTION: Mapping[str, JSON] = {
    "inputConfig": {"instancesFormat": "jsonl"},
    "outputConfig": {"predictionsFormat": "jsonl"},
}
TUNED: Mapping[str, JSON] = {"baseModel": "b", "supervisedTuningSpec": {"trainingDatasetUri": "gs://x"}}
SCHEDULE: Mapping[str, JSON] = {
    "cron": "0 0 * * *",
    "maxConcurrentRunCount": "1",
    "createPipelineJobRequest": {"parent": LOCATION, "pipelineJob": {"displayName": "n"}},
}
NAMED: Mapping[str, JSON] = {"displayName": "changed"}
KINDS = [
    Kind("Job", "custom_job", {"displayName": "naïve ☕", "jobSpec": SPEC, "labels": {"a": "b"}}),
    Kind("Job", "hyperparameter_tuning_job", {"displayName": "x", **TUNING}),
    Kind("Job", "batch_prediction_job", {"displayName": "x", **PREDICTION}),
    Kind("Pipeline", "pipeline_job", {"displayName": "x", "pipelineSpec": {"root": {"n": 1.5}}}, ids=True),
    Kind("Pipeline", "training_pipeline", {"displayName": "x", **TASK}),
    Kind("GenAiTuning", "tuning_job", {"tunedModelDisplayName": "x", **TUNED}, deletes=False),
    Kind("Schedule", "schedule", {"displayName": "x", **SCHEDULE}, change=NAMED),
    Kind("Metadata", "metadata_store", {"description": "x"}, ids=True),
    Kind("Metadata", "context", {"displayName": "x", "metadata": {"k": 1.5}}, STORE, ids=True, change=NAMED),
    Kind("Metadata", "execution", {"displayName": "x", "state": "RUNNING"}, STORE, ids=True, change=NAMED),
    Kind("Metadata", "artifact", {"displayName": "x", "uri": "gs://x"}, STORE, ids=True, change=NAMED),
    Kind("Endpoint", "endpoint", {"displayName": "x", "labels": {"a": "b"}}, ids=True, change=NAMED),
    Kind("Dataset", "dataset", {"displayName": "x", "metadataSchemaUri": "u", "metadata": {}}, change=NAMED),
    Kind("Vizier", "study", {"displayName": "x", "studySpec": STUDY_SPEC}, plural="studies"),
    Kind("Vizier", "trial", {"parameters": [{"parameterId": "lr", "value": 0.5}]}, f"{LOCATION}/studies/1"),
]


@pytest.fixture
def state() -> PlatformState:
    """Empty but for the parents of what the tests make; operations take a poll."""
    empty = new_platform()
    empty.add(STORE)
    empty.add(f"{LOCATION}/studies/1", {"displayName": "s", "studySpec": STUDY_SPEC})
    empty.polls = 1
    return empty


def create(client: Any, kind: Kind, number: int = 1) -> Any:
    request: dict[str, object] = {"parent": kind.parent, kind.word: proto(kind.message, kind.item)}
    if kind.ids:
        request[f"{kind.word}_id"] = f"new-{number}"
    return finished(getattr(client, f"create_{kind.word}")(request=request))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.word)
def test_what_is_created_is_read_back(kind: Kind, state: PlatformState) -> None:
    with client_of(state, kind.service) as client:
        made = create(client, kind)
        assert getattr(client, f"get_{kind.word}")(name=made.name) == made
        wanted = proto(kind.message, kind.item)
        assert [name for name in type(made).meta.fields if name in wanted] != []
        for name in type(made).meta.fields:
            if name in wanted:
                assert getattr(made, name) == getattr(wanted, name)
        assert state.find(made.name) is not None


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.word)
def test_a_list_goes_over_its_pages(kind: Kind, state: PlatformState) -> None:
    with client_of(state, kind.service) as client:
        before = {found.name for found in getattr(client, f"list_{kind.many}")(parent=kind.parent)}
        made = {create(client, kind, number).name for number in range(1, 6)}
        state.requests.clear()
        listed = getattr(client, f"list_{kind.many}")(request={"parent": kind.parent, "page_size": 2})
        assert {found.name for found in listed} == made | before
        assert len(state.requests) == (5 + len(before) + 1) // 2


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.change], ids=lambda kind: kind.word)
def test_an_update_changes_what_its_mask_names(kind: Kind, state: PlatformState) -> None:
    with client_of(state, kind.service) as client:
        made = create(client, kind)
        changed = proto(kind.message, {**kind.change, "name": made.name})
        request = {kind.word: changed, "update_mask": {"paths": ["display_name"]}}
        getattr(client, f"update_{kind.word}")(request=request)
        after = getattr(client, f"get_{kind.word}")(name=made.name)
        assert after.display_name == "changed"
        assert after.create_time == made.create_time
        assert after.update_time > made.update_time


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.deletes], ids=lambda kind: kind.word)
def test_what_is_deleted_is_gone(kind: Kind, state: PlatformState) -> None:
    from google.api_core.exceptions import NotFound

    with client_of(state, kind.service) as client:
        made = create(client, kind)
        finished(getattr(client, f"delete_{kind.word}")(name=made.name))
        with pytest.raises(NotFound):
            getattr(client, f"get_{kind.word}")(name=made.name)


def names(found: Iterator[Any]) -> list[str]:
    return [one.name.rpartition("/")[2] for one in found]


def test_job_lists_take_the_documented_filter() -> None:
    with client_of(vertex_jobs(), "Job") as client:
        for text, expected in (
            ('display_name="it\'s"', ["1001"]),
            ('display_name:"sweep-*"', ["1015", "1016"]),
            ('state="JOB_STATE_FAILED" AND NOT labels.team=vision', []),
            ('state="JOB_STATE_RUNNING" OR create_time<"2026-01-01T00:00:00Z"', ["1002", "1005", "1008"]),
            ('labels."größe":* AND create_time<"2026-01-01T00:00:00Z"', ["1005", "1010"]),
        ):
            found = names(client.list_custom_jobs(request={"parent": LOCATION, "filter": text}))
            assert found[: len(expected)] == expected
            assert bool(found) is bool(expected)


def test_metadata_lists_take_the_documented_filter() -> None:
    with client_of(vertex_jobs(), "Metadata") as client:
        for text, expected in (
            ('schema_title="system.Experiment"', ["baseline", "bert"]),
            ('metadata.optimizer.string_value="adam"', ["run-01"]),
            ("metadata.optimizer.number_value=10.0", ["run-03"]),
            ('metadata."a:b".string_value="x5" AND display_name="run 5"', ["run-05"]),
            (f'parent_contexts:"{STORE}/contexts/baseline" AND metadata.lr.string_value="fast"', ["run-04"]),
        ):
            found = names(client.list_contexts(request={"parent": STORE, "filter": text}))
            assert found[: len(expected)] == expected
        member = f'in_context("{STORE}/contexts/run-01")'
        assert names(client.list_artifacts(request={"parent": STORE, "filter": member})) == ["model-1"]


def test_pipelines_come_in_the_order_asked_for() -> None:
    with client_of(vertex_jobs(), "Pipeline") as client:
        newest_first = names(client.list_pipeline_jobs(parent=LOCATION))
        request = {"parent": LOCATION, "order_by": "create_time", "page_size": 2}
        assert names(client.list_pipeline_jobs(request=request)) == newest_first[::-1]


@pytest.mark.filterwarnings("ignore:The 'warn' method is deprecated")  # the client's own
def test_a_simple_view_of_pipelines_has_the_fields_that_it_masks(state: PlatformState) -> None:
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import aiplatform

    spec: JSON = {"pipelineInfo": {"name": "nightly"}, "root": {"dag": {}}}
    item: dict[str, JSON] = {
        "displayName": "x",
        "pipelineSpec": spec,
        "serviceAccount": "a",
        "network": "n",
        "labels": {"a": "b"},
    }
    state.add("projects/p/locations/us-central1/pipelineJobs/1", item)
    with Loopback(platform_app(state)) as server:
        aiplatform.init(
            project="p",
            location="us-central1",
            credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]  # google-auth has no annotation
            api_endpoint=server.base_url,
            api_transport="rest",
        )
        (whole,) = aiplatform.PipelineJob.list()
        (simple,) = aiplatform.PipelineJob.list(enable_simple_view=True)
    assert (whole.gca_resource.network, whole.to_dict()["pipelineSpec"]) == ("n", spec)
    assert (simple.gca_resource.network, simple.gca_resource.service_account) == ("", "")
    assert simple.to_dict()["pipelineSpec"] == {"pipelineInfo": {"name": "nightly"}}
    assert (simple.name, simple.display_name, simple.labels) == ("1", "x", {"a": "b"})


def test_a_thousand_jobs_are_ten_pages() -> None:
    state = many_jobs(1000)
    with client_of(state, "Job") as client:
        assert len(list(client.list_custom_jobs(parent=LOCATION))) == 1000
    assert len(state.requests) == 10


def test_cancelling_ends_a_job_once() -> None:
    from google.api_core.exceptions import BadRequest

    with client_of(vertex_jobs(), "Job") as client:
        name = f"{LOCATION}/customJobs/1002"
        client.cancel_custom_job(name=name)
        assert client.get_custom_job(name=name).state.name == "JOB_STATE_CANCELLED"
        with pytest.raises(BadRequest, match="has ended"):
            client.cancel_custom_job(name=name)


def test_a_schedule_is_paused_and_resumed() -> None:
    with client_of(vertex_jobs(), "Schedule") as client:
        name = f"{LOCATION}/schedules/6001"
        client.pause_schedule(name=name)
        assert client.get_schedule(name=name).state.name == "PAUSED"
        client.resume_schedule(request={"name": name, "catch_up": True})
        assert client.get_schedule(name=name).state.name == "ACTIVE"


def test_pipelines_are_cancelled_and_deleted_in_batches() -> None:
    from google.api_core.exceptions import BadRequest, NotFound

    state = vertex_jobs()
    state.polls = 1
    with client_of(state, "Pipeline") as client:
        wanted = [f"{LOCATION}/pipelineJobs/nightly-{number}" for number in (2, 3)]
        request = {"parent": LOCATION, "names": wanted}
        cancelled = finished(client.batch_cancel_pipeline_jobs(request=request))
        assert {job.state.name for job in cancelled.pipeline_jobs} == {"PIPELINE_STATE_CANCELLED"}
        finished(client.batch_delete_pipeline_jobs(request=request))
        assert set(names(client.list_pipeline_jobs(parent=LOCATION))) == {
            "nightly-1",
            "nightly-4",
            "nightly-5",
        }
        with pytest.raises(NotFound):
            client.batch_delete_pipeline_jobs(request=request)
        with pytest.raises(BadRequest, match="33 names"):
            client.batch_delete_pipeline_jobs(request={"parent": LOCATION, "names": wanted[:1] * 33})


def test_an_etag_that_is_not_the_present_one_is_refused() -> None:
    from google.api_core.exceptions import Conflict

    with client_of(vertex_jobs(), "Metadata") as client:
        context = client.get_context(name=f"{STORE}/contexts/bert")
        request = {"context": context, "update_mask": {"paths": ["description"]}}
        client.update_context(request=request)
        with pytest.raises(Conflict, match="etag"):
            client.update_context(request=request)
        with pytest.raises(Conflict, match="etag"):
            client.delete_context(request={"name": context.name, "etag": context.etag})


def test_an_update_may_create_what_is_missing() -> None:
    with client_of(vertex_jobs(), "Metadata") as client:
        context = proto("Context", {"name": f"{STORE}/contexts/new", "displayName": "n"})
        mask = {"paths": ["display_name"]}
        client.update_context(request={"context": context, "update_mask": mask, "allow_missing": True})
        assert client.get_context(name=context.name).display_name == "n"


def test_lineage_follows_the_events() -> None:
    with client_of(vertex_jobs(), "Metadata") as client:
        events = [proto("Event", {"artifact": f"{STORE}/artifacts/model-2", "type": "INPUT"})]
        execution = f"{STORE}/executions/train-2"
        client.add_execution_events(request={"execution": execution, "events": events})
        near = client.query_execution_inputs_and_outputs(execution=execution)
        assert names(near.artifacts) == ["model-2"]
        far = client.query_artifact_lineage_subgraph(artifact=f"{STORE}/artifacts/model-1")
        assert (names(far.artifacts), names(far.executions)) == (
            ["model-1", "model-2"],
            ["train-1", "train-2"],
        )


def test_purge_deletes_only_when_forced() -> None:
    with client_of(vertex_jobs(), "Metadata") as client:
        request: dict[str, object] = {"parent": STORE, "filter": 'schema_title="system.ExperimentRun"'}
        dry = finished(client.purge_contexts(request=request))
        assert (dry.purge_count, len(dry.purge_sample)) == (0, 14)
        assert finished(client.purge_contexts(request={**request, "force": True})).purge_count == 14
        assert names(client.list_contexts(parent=STORE)) == ["baseline", "bert"]


def test_models_are_uploaded_by_version_and_deployed() -> None:
    from google.api_core.exceptions import BadRequest

    state = vertex_jobs()
    state.polls = 1
    model = proto("Model", {"displayName": "new", "versionAliases": ["best"]})
    with client_of(state, "Model") as client:
        first = finished(client.upload_model(parent=LOCATION, model=model))
        request = {"parent": LOCATION, "parent_model": first.model, "model": model}
        second = finished(client.upload_model(request=request))
        assert (second.model, second.model_version_id) == (first.model, "2")
        versions = client.list_model_versions(request={"name": first.model, "page_size": 1})
        assert [(one.version_id, list(one.version_aliases)) for one in versions] == [
            ("1", []),
            ("2", ["best"]),
        ]
        assert client.get_model(name=f"{first.model}@best").version_id == "2"
    with client_of(state, "Endpoint") as client:
        endpoint = f"{LOCATION}/endpoints/8002"
        deployed = proto("DeployedModel", {"model": first.model})
        request = {"endpoint": endpoint, "deployed_model": deployed, "traffic_split": {"0": 100}}
        id_ = finished(client.deploy_model(request=request)).deployed_model.id
        assert dict(client.get_endpoint(name=endpoint).traffic_split) == {id_: 100}
        with pytest.raises(BadRequest, match="models deployed"):
            client.delete_endpoint(name=endpoint)
        finished(client.undeploy_model(request={"endpoint": endpoint, "deployed_model_id": id_}))
        finished(client.delete_endpoint(name=endpoint))
    assert state.find(endpoint) is None


def test_trials_are_suggested_measured_and_completed() -> None:
    state = vertex_jobs()
    state.polls = 1
    study = f"{LOCATION}/studies/9002"
    with client_of(state, "Vizier") as client:
        request = {"parent": study, "suggestion_count": 2, "client_id": "c"}
        suggested = finished(client.suggest_trials(request=request))
        assert [trial.id for trial in suggested.trials] == ["4", "5"]
        name = suggested.trials[0].name
        measured = proto(
            "Measurement", {"stepCount": "1", "metrics": [{"metricId": "accuracy", "value": 2.0}]}
        )
        client.add_trial_measurement(request={"trial_name": name, "measurement": measured})
        assert client.complete_trial(request={"name": name}).state.name == "SUCCEEDED"
        assert [trial.id for trial in client.list_optimal_trials(parent=study).optimal_trials] == ["4"]
        assert client.lookup_study(request={"parent": LOCATION, "display_name": "study 2"}).name == study
        assert client.stop_trial(request={"name": f"{study}/trials/5"}).state.name == "STOPPING"


def test_policies_and_permissions_are_kept() -> None:
    state = vertex_jobs()
    with client_of(state, "Model") as client:
        name = f"{LOCATION}/models/ranker"
        bindings = [{"role": "roles/viewer", "members": ["user:ada@example.com"]}]
        client.set_iam_policy({"resource": name, "policy": {"bindings": bindings}})
        assert client.get_iam_policy({"resource": name}).bindings[0].role == "roles/viewer"
    assert object_of(state.policies[name])["bindings"] == bindings


def test_a_token_is_wanted() -> None:
    from google.api_core.exceptions import Unauthorized

    app = platform_app(vertex_jobs(), token="another")
    with service_client(app, "Job") as client, pytest.raises(Unauthorized):
        client.list_custom_jobs(parent=LOCATION)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        pytest.param(Fault(match="customJobs$", status=429, retry_after="1"), "TooManyRequests", id="429"),
        pytest.param(
            Fault(match="customJobs$", page=2, status=500), "InternalServerError", id="500 on page 2"
        ),
    ],
)
def test_faults_come_on_demand(fault: Fault, error: str) -> None:
    from google.api_core import exceptions

    state = vertex_jobs()
    state.faults.append(fault)
    with client_of(state, "Job") as client, pytest.raises(getattr(exceptions, error)):
        list(client.list_custom_jobs(request={"parent": LOCATION, "page_size": 5}))
