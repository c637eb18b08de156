"""Oracle's own clients drive the OCI stand-in: what they change is there, and what is unsigned is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.fakes.faults import Fault
from tests.fakes.loopback import Loopback
from tests.fakes.oci import oci_app
from tests.fakes.oci_data import COMPARTMENT, PLATFORM, WORKSPACE
from tests.fakes.oci_state import OciState
from tests.oci import (
    HOSTILE_WORKSPACES,
    OciServer,
    api_key,
    oci_server,
    oci_state,
    oracle,
    sdk_client,
)

pytestmark = pytest.mark.slow
HERE = (PLATFORM, WORKSPACE)


@pytest.fixture
def state() -> OciState:
    return oci_state()


@pytest.fixture
def url(state: OciState) -> Iterator[str]:
    with Loopback(oci_app(state)) as server:
        yield server.base_url


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OciServer]:
    workspaces = (WORKSPACE, *HOSTILE_WORKSPACES)
    with oci_server(tmp_path_factory.mktemp("oci"), workspaces=workspaces) as server:
        yield server


@pytest.fixture
def mlops(real: OciServer) -> Any:
    return sdk_client("MLOpsClient", real.base_url)


def models() -> Any:
    """The messages of the data plane."""
    return oracle("aidp_python_client.aidataplatform_dp.models")


def refused(call: Any, *args: Any, **options: Any) -> tuple[int, str]:
    """Status and code of a call that Oracle's client says was refused; the answer named its request."""
    with pytest.raises(oracle("oci").exceptions.ServiceError) as caught:
        call(*args, **options)
    assert caught.value.request_id
    return caught.value.status, caught.value.code


def test_a_platform_is_created_read_changed_and_deleted(url: str) -> None:
    control = oracle("oci").ai_data_platform.models
    platforms = sdk_client("AiDataPlatformClient", url)
    details = control.CreateAiDataPlatformDetails(
        display_name="ünï 🙂", compartment_id=COMPARTMENT, freeform_tags={"a": "b"}
    )
    created = platforms.create_ai_data_platform(details)
    work = platforms.get_work_request(created.headers["opc-work-request-id"]).data
    assert (work.status, work.operation_type) == ("SUCCEEDED", "CREATE_AI_DATA_PLATFORM")
    key = created.data.id
    read = platforms.get_ai_data_platform(key)
    assert (read.data.display_name, read.data.freeform_tags) == ("ünï 🙂", {"a": "b"})
    assert read.data.time_created.utcoffset() == timedelta(0)
    change = control.UpdateAiDataPlatformDetails(display_name="another")
    platforms.update_ai_data_platform(key, change, if_match=read.headers["etag"])
    changed = platforms.get_ai_data_platform(key)
    assert changed.data.display_name == "another"
    assert changed.headers["etag"] != read.headers["etag"]
    stale = {"if_match": read.headers["etag"]}
    assert refused(platforms.update_ai_data_platform, key, change, **stale) == (412, "NoEtagMatch")
    assert refused(platforms.delete_ai_data_platform, key, **stale) == (412, "NoEtagMatch")
    platforms.delete_ai_data_platform(key, if_match=changed.headers["etag"])
    assert refused(platforms.get_ai_data_platform, key) == (404, "NotAuthorizedOrNotFound")


def test_a_platform_is_not_there_until_its_work_is_done(url: str, state: OciState) -> None:
    control = oracle("oci").ai_data_platform.models
    state.polls = 2
    platforms = sdk_client("AiDataPlatformClient", url)
    created = platforms.create_ai_data_platform(
        control.CreateAiDataPlatformDetails(compartment_id=COMPARTMENT)
    )
    assert created.data.lifecycle_state == "CREATING"
    work = created.headers["opc-work-request-id"]
    assert [platforms.get_work_request(work).data.status for _ in range(3)] == [
        "IN_PROGRESS",
        "SUCCEEDED",
        "SUCCEEDED",
    ]
    assert platforms.get_ai_data_platform(created.data.id).data.lifecycle_state == "ACTIVE"


def test_work_that_fails_says_why(url: str, state: OciState) -> None:
    state.work_error = "no capacity"
    workspaces = sdk_client("WorkspaceClient", url)
    details = models().CreateWorkspaceDetails(display_name="w")
    created = workspaces.create_workspace(PLATFORM, details)
    operation = created.headers["aidp-async-operation-key"]
    found = sdk_client("AsyncOperationsClient", url).get_async_operation(PLATFORM, operation).data
    assert (found.status, found.action_type) == ("FAILED", "CREATE_WORKSPACE")
    assert workspaces.get_workspace(PLATFORM, created.data.key).data.lifecycle_state == "FAILED"


def test_a_list_goes_on_over_every_page(url: str, state: OciState) -> None:
    workspaces = sdk_client("WorkspaceClient", url)
    for number in range(12):
        details = models().CreateWorkspaceDetails(display_name=f"w{number:02d}", description="d")
        workspaces.create_workspace(PLATFORM, details)
    state.requests.clear()
    found = (
        oracle("oci")
        .pagination.list_call_get_all_results(
            workspaces.list_workspaces, PLATFORM, sort_by="displayName", limit=5
        )
        .data
    )
    assert [item.display_name for item in found] == [*(f"w{n:02d}" for n in range(12)), "workspace 0"]
    assert len(state.requests) == 3
    by_name = workspaces.list_workspaces(PLATFORM, display_name="w03").data.items
    assert [item.description for item in by_name] == ["d"]


def test_a_server_that_gives_less_than_was_asked_goes_on(url: str, state: OciState) -> None:
    state.page_cap = 2
    for number in range(5):
        state.put(
            ("workRequests", f"r{number}"), {"id": f"r{number}", "timeAccepted": f"2026-01-0{number + 1}"}
        )
    platforms = sdk_client("AiDataPlatformClient", url)
    found = oracle("oci").pagination.list_call_get_all_results(platforms.list_work_requests, limit=100).data
    assert [item.id for item in found] == ["r4", "r3", "r2", "r1", "r0"]


def test_a_cluster_is_stopped_and_started(url: str) -> None:
    clusters = sdk_client("ClusterClient", url)
    details = models().CreateSparkClusterDetails(
        type="USER", display_name="c", driver_config=models().DriverConfig(driver_shape="small")
    )
    created = clusters.create_cluster(*HERE, details).data
    assert (created.state, created.driver_config.driver_shape) == ("ACTIVE", "small")
    etag = clusters.get_cluster(*HERE, created.key).headers["etag"]
    stopped = clusters.stop_cluster(*HERE, created.key, models().StopClusterDetails(), if_match=etag)
    assert stopped.data.state == "STOPPED"
    again = refused(clusters.start_cluster, *HERE, created.key, models().StartClusterDetails(), if_match=etag)
    assert again == (412, "NoEtagMatch")
    change = models().UpdateSparkClusterDetails(type="USER", display_name="another")
    changed = clusters.update_cluster(*HERE, created.key, change).data
    assert (changed.display_name, changed.state) == ("another", "STOPPED")
    clusters.delete_cluster(*HERE, created.key)
    assert clusters.list_clusters(*HERE).data.items == []


def test_a_job_runs_and_is_cancelled(url: str) -> None:
    workflow = sdk_client("WorkflowClient", url)
    job = workflow.create_job(*HERE, models().CreateJobDetails(name="nightly", path="/jobs")).data
    runs = [
        workflow.create_job_run(*HERE, models().CreateJobRunDetails(job_key=job.key)).data for _ in range(3)
    ]
    assert {run.job_name for run in runs} == {"nightly"}
    cancelled = workflow.cancel_job_run(*HERE, runs[1].key).data
    assert cancelled.state.status == "CANCELED"
    running = workflow.list_job_runs(*HERE, job_key=[job.key], status=["RUNNING", "PENDING"]).data.items
    assert {run.key for run in running} == {runs[0].key, runs[2].key}
    later = workflow.list_job_runs(*HERE, time_created_greater_than_or_equal_to=runs[1].time_created).data
    assert {run.key for run in later.items} == {runs[1].key, runs[2].key}
    workflow.delete_job_run(*HERE, runs[0].key)
    workflow.delete_job(*HERE, job.key)
    assert workflow.list_jobs(*HERE).data.items == []
    missing = refused(workflow.create_job_run, *HERE, models().CreateJobRunDetails(job_key="none"))
    assert missing == (400, "RelatedResourceNotAuthorizedOrNotFound")


def test_the_same_retry_token_acts_once(url: str, state: OciState) -> None:
    workspaces = sdk_client("WorkspaceClient", url)
    details = models().CreateWorkspaceDetails(display_name="once")
    state.faults.append(Fault(method="POST", times=1, status=503, applied=True))
    lost = refused(workspaces.create_workspace, PLATFORM, details, opc_retry_token="t1")
    assert lost == (503, "ServiceUnavailable")
    key = workspaces.create_workspace(PLATFORM, details, opc_retry_token="t1").data.key
    again = workspaces.create_workspace(PLATFORM, details, opc_retry_token="t1").data.key
    assert again == key
    other = models().CreateWorkspaceDetails(display_name="twice")
    invalid = refused(workspaces.create_workspace, PLATFORM, other, opc_retry_token="t1")
    assert invalid == (409, "InvalidatedRetryToken")
    assert len(workspaces.list_workspaces(PLATFORM, display_name="once").data.items) == 1
    now = state.clock()
    state.clock = lambda: now + timedelta(hours=25)
    assert workspaces.create_workspace(PLATFORM, details, opc_retry_token="t1").data.key != key


def test_the_callers_request_id_comes_back(url: str) -> None:
    workspaces = sdk_client("WorkspaceClient", url)
    answer = workspaces.get_workspace(*HERE, opc_request_id="mine-1")
    assert answer.headers["opc-request-id"].startswith("mine-1/")
    with pytest.raises(oracle("oci").exceptions.ServiceError) as caught:
        workspaces.get_workspace(PLATFORM, "none", opc_request_id="mine-2")
    assert caught.value.request_id.startswith("mine-2/")


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        pytest.param({"limit": 0}, (400, "InvalidParameter"), id="limit of 0"),
        pytest.param({"page": "made up"}, (400, "InvalidParameter"), id="a token nobody gave"),
    ],
)
def test_a_wrong_query_is_refused(url: str, sent: dict[str, Any], answered: tuple[int, str]) -> None:
    assert refused(sdk_client("WorkspaceClient", url).list_workspaces, PLATFORM, **sent) == answered


def test_an_unknown_field_is_refused(url: str) -> None:
    with httpx.Client(base_url=url, auth=OracleSigner()) as signed:
        answer = signed.post(
            f"/20260430/aiDataPlatforms/{PLATFORM}/workspaces", json={"displayName": "w", "color": "red"}
        )
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidParameter")


def test_what_is_not_signed_is_refused(url: str, state: OciState) -> None:
    answer = httpx.get(f"{url}/20260430/aiDataPlatforms/{PLATFORM}/workspaces")
    assert (answer.status_code, answer.json()["code"]) == (401, "NotAuthenticated")
    assert answer.headers["opc-request-id"]
    assert state.carried_out == []


def test_a_body_changed_on_its_way_is_refused(url: str, state: OciState) -> None:
    path = f"{url}/20260430/aiDataPlatforms/{PLATFORM}/workspaces"
    request = httpx.Request("POST", path, json={"displayName": "mine"})
    signed = next(OracleSigner().auth_flow(request))
    with httpx.Client() as plain:
        good = plain.send(signed)
        body = b'{"displayName":"evil"}'
        assert len(body) == len(signed.content)
        bad = plain.send(httpx.Request("POST", path, headers=signed.headers, content=body))
        elsewhere = plain.send(
            httpx.Request("POST", f"{path}/x/jobs", headers=signed.headers, content=signed.content)
        )
    assert [answer.status_code for answer in (good, bad, elsewhere)] == [200, 401, 401]
    assert len(state.carried_out) == 1


def test_experiments_and_runs_are_created_read_changed_and_deleted(mlops: Any, real: OciServer) -> None:
    m = models()
    tag = m.ExperimentTag(key="team", value="vision")
    made = mlops.create_experiment(*HERE, m.CreateExperimentDetails(name='it\'s "odd" 🙂', tags=[tag])).data
    experiment = mlops.get_experiment_by_name(*HERE, 'it\'s "odd" 🙂').data.experiment
    assert (experiment.experiment_id, experiment.lifecycle_stage) == (made.experiment_id, "active")
    details = m.CreateExperimentRunDetails(experiment_id=made.experiment_id, run_name="r", start_time=1)
    run = mlops.create_experiment_run(*HERE, details).data.run
    mlops.log_experiment_run_batch(
        *HERE,
        m.LogExperimentRunBatchDetails(
            run_id=run.info.run_id,
            metrics=[m.ExperimentRunMetric(key="acc", value=n / 10, timestamp=n, step=n) for n in range(5)],
            params=[m.ExperimentRunParam(key="lr", value="0.1")],
            tags=[m.ExperimentRunTag(key="a b/c", value="ü")],
        ),
    )
    read = mlops.get_experiment_run_by_id(*HERE, run.info.run_id).data.run
    assert [(metric.key, metric.value) for metric in read.data.metrics] == [("acc", 0.4)]
    assert {tag.key: tag.value for tag in read.data.tags}["a b/c"] == "ü"
    history = mlops.get_experiment_run_metric_history(*HERE, run.info.run_id, "acc").data.metrics
    assert sorted(point.step for point in history) == [0, 1, 2, 3, 4]
    mlops.update_experiment_run(
        *HERE, m.UpdateExperimentRunDetails(run_id=run.info.run_id, status="FINISHED", end_time=9)
    )
    stored = real.mlflow.get("runs/get", run_id=run.info.run_id)["run"]
    assert isinstance(stored, dict)
    assert isinstance(stored["info"], dict)
    assert (stored["info"]["status"], stored["info"]["end_time"]) == ("FINISHED", 9)
    mlops.delete_experiment_run(*HERE, m.DeleteExperimentRunDetails(run_id=run.info.run_id))
    search = m.ListExperimentRunsDetails(experiment_ids=[made.experiment_id])
    assert not mlops.list_experiment_runs(*HERE, search).data.runs


def test_runs_are_listed_over_pages(mlops: Any) -> None:
    m = models()
    made = mlops.create_experiment(*HERE, m.CreateExperimentDetails(name="many")).data.experiment_id
    for number in range(7):
        mlops.create_experiment_run(
            *HERE,
            m.CreateExperimentRunDetails(experiment_id=made, run_name=f"r{number}", start_time=number + 1),
        )
    names, token, pages = [], None, 0
    while token or not pages:
        search = m.ListExperimentRunsDetails(
            experiment_ids=[made], max_results=3, page_token=token, order_by=["attributes.start_time ASC"]
        )
        page = mlops.list_experiment_runs(*HERE, search).data
        names += [run.info.run_name for run in page.runs]
        token, pages = page.next_page_token, pages + 1
    assert (names, pages) == ([f"r{number}" for number in range(7)], 3)


def test_tags_are_set_and_deleted_at_once(mlops: Any, real: OciServer) -> None:
    m = models()
    made = mlops.create_experiment(*HERE, m.CreateExperimentDetails(name="tags")).data.experiment_id
    tags = [m.ExperimentTag(key=key, value=key) for key in ("a", "b")]
    mlops.update_experiment_tags(*HERE, m.UpdateExperimentTagsDetails(experiment_id=made, set_tags=tags))
    gone = [m.ExperimentTagKey(key="a")]
    mlops.update_experiment_tags(*HERE, m.UpdateExperimentTagsDetails(experiment_id=made, delete_tags=gone))
    stored = real.mlflow.get("experiments/get", experiment_id=made)["experiment"]
    assert isinstance(stored, dict)
    assert stored["tags"] == [{"key": "b", "value": "b"}]


def test_the_six_verbs_that_differ_reach_mlflow(mlops: Any, real: OciServer) -> None:
    m = models()
    mlops.create_registered_model(PLATFORM, m.CreateRegisteredModelDetails(name="model"))
    details = m.CreateModelVersionDetails(name="model", source="s3://bucket/1")
    version = mlops.create_workspace_model_version(*HERE, details).data.model_version
    assert version.version == "1"
    changed = mlops.update_registered_model(
        PLATFORM, m.UpdateRegisteredModelDetails(name="model", description="about")
    ).data.registered_model
    assert changed.description == "about"
    mlops.update_model_version(
        PLATFORM, m.UpdateModelVersionDetails(name="model", version="1", description="first")
    )
    mlops.set_registered_model_tag(PLATFORM, m.SetRegisteredModelTagDetails(name="model", key="k", value="v"))
    mlops.set_model_version_tag(
        PLATFORM, m.SetModelVersionTagDetails(name="model", version="1", key="k", value="v")
    )
    mlops.delete_registered_model_tag(PLATFORM, m.DeleteRegisteredModelTagDetails(name="model", key="k"))
    mlops.delete_model_version_tag(
        PLATFORM, m.DeleteModelVersionTagDetails(name="model", version="1", key="k")
    )
    stored = real.mlflow.get("model-versions/get", name="model", version="1")["model_version"]
    assert isinstance(stored, dict)
    assert (stored["description"], stored.get("tags")) == ("first", None)
    mlops.delete_model_version(PLATFORM, m.DeleteModelVersionDetails(name="model", version="1"))
    mlops.delete_registered_model(PLATFORM, m.DeleteRegisteredModelDetails(name="model"))
    assert refused(mlops.get_registered_model, PLATFORM, "model") == (404, "NotAuthorizedOrNotFound")


def test_the_registry_takes_one_condition_and_its_like_means_contains(mlops: Any) -> None:
    for name in ("my-model-name", "another"):
        mlops.create_registered_model(PLATFORM, models().CreateRegisteredModelDetails(name=name))
    found = mlops.list_registered_models(PLATFORM, filter="name LIKE 'model'").data.registered_models
    assert [model.name for model in found] == ["my-model-name"]
    both = "name LIKE 'a' AND name LIKE 'b'"
    assert refused(mlops.list_registered_models, PLATFORM, filter=both) == (400, "InvalidParameter")


def test_mlflows_errors_come_in_ocis_shape(mlops: Any) -> None:
    m = models()
    details = m.CreateExperimentDetails(name="twice")
    mlops.create_experiment(*HERE, details)
    assert refused(mlops.create_experiment, *HERE, details) == (409, "Conflict")
    assert refused(mlops.get_experiment_run_by_id, *HERE, "none") == (404, "NotAuthorizedOrNotFound")
    search = m.ListExperimentRunsDetails(experiment_ids=["1"], filter="metrics.x LIKE 1")
    assert refused(mlops.list_experiment_runs, *HERE, search) == (400, "InvalidParameter")


def test_mlflow_is_only_where_oracle_has_it(real: OciServer) -> None:
    paths = {
        f"/20260430/aiDataPlatforms/{PLATFORM}/workspaces/{WORKSPACE}/mlops/api/2.0/mlflow/runs/outputs": 404,
        f"/20260430/aiDataPlatforms/{PLATFORM}/mlops/api/2.0/mlflow/runs/get?run_id=1": 404,
        f"/20260430/aiDataPlatforms/{PLATFORM}/workspaces/none/mlops/api/2.0/mlflow/runs/get?run_id=1": 404,
        f"/20260430/aiDataPlatforms/{PLATFORM}/workspaces/{WORKSPACE}/mlops/api/2.0/mlflow/runs/search": 405,
        "/api/2.0/mlflow/experiments/search": 404,
    }
    with httpx.Client(base_url=real.base_url, auth=OracleSigner()) as signed:
        for path, status in paths.items():
            answer = signed.get(path)
            assert (path, answer.status_code) == (path, status)
            assert answer.json().keys() == {"code", "message"}


@pytest.mark.parametrize("key", HOSTILE_WORKSPACES)
def test_a_workspaces_odd_key_stays_one_segment(key: str, real: OciServer) -> None:
    path = f"/20260430/aiDataPlatforms/{PLATFORM}/workspaces/{quote(key, safe='')}"
    with httpx.Client(base_url=real.base_url, auth=OracleSigner()) as signed:
        found = signed.get(path)
        answer = signed.get(f"{path}/mlops/api/2.0/mlflow/experiments/get?experiment_id=0")
    assert found.json()["key"] == key
    assert answer.json()["experiment"]["name"] == "Default"


def test_oracles_client_reaches_an_odd_key_when_it_encodes_strictly(real: OciServer) -> None:
    strict = sdk_client("WorkspaceClient", real.base_url, enable_strict_url_encoding=True)
    assert strict.get_workspace(PLATFORM, "ws/../k x").data.key == "ws/../k x"
    loose = sdk_client("WorkspaceClient", real.base_url)
    assert refused(loose.get_workspace, PLATFORM, "ws/../k x") == (404, "NotAuthorizedOrNotFound")


class OracleSigner(httpx.Auth):
    """Oracle's signer over a request of any shape: its clients could not send some of them."""

    requires_request_body = True

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]  # a generator
        oci = oracle("oci")
        config = api_key().sdk_config
        signer = oci.signer.Signer(
            config["tenancy"],
            config["user"],
            config["fingerprint"],
            private_key_file_location=None,
            private_key_content=config["key_content"],
        )
        prepared = oci._vendor.requests.Request(
            request.method,
            str(request.url),
            data=request.content or None,
            headers={"content-type": "application/json"} if request.content else {},
        ).prepare()
        signer(prepared)
        request.headers.update({name: str(value) for name, value in prepared.headers.items()})
        yield request
