"""Alibaba Cloud's own client drives the stand-in: what it reads and changes is what the state holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest

from tests.contracts.sdk_paidlc import sdk_client, sdk_models
from tests.fakes.paidlc import Fault, PaidlcState, paidlc_app, paidlc_small
from tests.paidlc import KEY_ID, SECRET

pytestmark = pytest.mark.slow


@pytest.fixture
def state() -> PaidlcState:
    state = paidlc_small()
    state.keys = {KEY_ID: SECRET}
    return state


@pytest.fixture
def client(state: PaidlcState) -> Iterator[Any]:
    with sdk_client(paidlc_app(state), key_id=KEY_ID, secret=SECRET) as client:
        yield client


def refusal(call: Callable[[], object]) -> Any:
    """The client's exception for a call that is refused."""
    exceptions = import_module("alibabacloud_tea_openapi.exceptions")
    with pytest.raises(exceptions.AlibabaCloudException) as caught:
        call()
    return caught.value


def jobs_of(client: Any, **given: object) -> list[str]:
    """The ids of every job, page after page."""
    found: list[str] = []
    number, total = 1, 1
    while len(found) < total:
        request = sdk_models().ListJobsRequest(page_number=number, **given)
        body = client.list_jobs(request).body
        assert body.jobs
        found += [job.job_id for job in body.jobs]
        number, total = number + 1, body.total_count
    return found


def test_a_tensorboard_is_made_read_changed_and_deleted(client: Any, state: PaidlcState) -> None:
    models = sdk_models()
    spec = models.TensorboardSpec(ecs_type="ecs.g6.large")
    made = client.create_tensorboard(
        models.CreateTensorboardRequest(
            display_name="naïve ☕", job_id="dlc-01", priority="3", tensorboard_spec=spec
        )
    ).body
    id_ = made.tensorboard_id
    assert made.job_id == "dlc-01"
    request = models.UpdateTensorboardRequest(
        priority="9", max_running_time_minutes=5, accessibility="PUBLIC"
    )
    client.update_tensorboard(id_, request)
    client.start_tensorboard(id_, models.StartTensorboardRequest(workspace_id="268"))
    read = client.get_tensorboard(id_, models.GetTensorboardRequest()).body
    assert (read.status, read.priority, read.display_name) == ("Running", "9", "naïve ☕")
    assert read.tensorboard_spec.ecs_type == "ecs.g6.large"
    client.stop_tensorboard(id_, models.StopTensorboardRequest())
    client.delete_tensorboard(id_, models.DeleteTensorboardRequest())
    assert id_ not in state.tensorboards


def test_a_job_is_made_read_changed_stopped_and_deleted(client: Any, state: PaidlcState) -> None:
    models = sdk_models()
    spec = models.JobSpec(type="Worker", pod_count=2, image="pytorch:2.6")
    request = models.CreateJobRequest(
        display_name="new", job_type="PyTorchJob", job_specs=[spec], user_command="true"
    )
    id_ = client.create_job(request).body.job_id
    client.update_job(id_, models.UpdateJobRequest(priority=7, description="changed"))
    read = client.get_job(id_, models.GetJobRequest()).body
    assert (read.status, read.priority, read.description) == ("Creating", 7, "changed")
    assert read.job_specs[0].pod_count == 2
    assert refusal(lambda: client.delete_job(id_)).code == "BadRequest"
    client.stop_job(id_)
    client.delete_job(id_)
    assert id_ not in state.jobs


def test_lists_begin_seven_days_ago_unless_they_are_told(client: Any) -> None:
    assert jobs_of(client) == [f"dlc-{number:02d}" for number in range(12, 6, -1)]
    assert len(jobs_of(client, start_time="2000-01-01T00:00:00Z")) == 12


@pytest.mark.parametrize("cap", [1, 5, 12, 50])
def test_a_list_is_read_over_its_pages_however_small_they_are(
    client: Any, state: PaidlcState, cap: int
) -> None:
    state.page_cap = cap
    given = {
        "start_time": "2000-01-01T00:00:00Z",
        "sort_by": "GmtCreateTime",
        "order": "asc",
        "page_size": 100,
    }
    assert jobs_of(client, **given) == sorted(state.jobs)


def test_filters_are_the_api_s(client: Any) -> None:
    old = {"start_time": "2000-01-01T00:00:00Z", "order": "asc"}
    assert jobs_of(client, **old, display_name="BERT") == ["dlc-01", "dlc-02", "dlc-03", "dlc-09"]
    assert jobs_of(client, **old, job_ids="dlc-01,dlc-04") == ["dlc-01", "dlc-04"]
    assert jobs_of(client, **old, tags={"team": "text"}, status="Running") == ["dlc-02", "dlc-08"]


def test_tags_are_set_and_taken_off(client: Any, state: PaidlcState) -> None:
    models = sdk_models()
    tag = models.TagResourcesRequestTag(key="k", value="v")
    client.tag_resources(
        models.TagResourcesRequest(region_id="r", resource_type="Job", resource_id=["dlc-01"], tag=[tag])
    )
    assert state.tags == {"dlc-01": {"k": "v"}}
    request = models.UntagResourcesRequest(resource_type="Job", resource_id=["dlc-01"], tag_key=["k"])
    client.untag_resources(request)
    assert state.tags == {"dlc-01": {}}


def test_pods_events_and_logs_are_read(client: Any) -> None:
    models = sdk_models()
    (first, _) = client.get_job("dlc-03", models.GetJobRequest()).body.pods
    request = models.GetPodLogsRequest(start_time="2020-01-01T00:00:00Z", max_lines=3)
    assert len(client.get_pod_logs("dlc-03", first.pod_id, request).body.logs) == 3
    assert client.get_job_events("dlc-03", models.GetJobEventsRequest()).body.events == []


def test_a_template_gets_a_version(client: Any) -> None:
    models = sdk_models()
    request = models.UpdateJobTemplateRequest(content='{"JobType":"RayJob"}', set_as_default=True)
    assert client.update_job_template("tpl-1", request).body.version == 2
    request = models.GetJobTemplateRequest(version="all")
    assert [v.version for v in client.get_job_template("tpl-1", request).body.versions] == [1, 2]


def test_a_missing_object_is_not_found(client: Any) -> None:
    error = refusal(lambda: client.get_tensorboard("tb-99", sdk_models().GetTensorboardRequest()))
    assert (error.status_code, error.code) == (404, "NotFound")
    assert error.request_id


def test_a_wrong_secret_is_refused(state: PaidlcState) -> None:
    with sdk_client(paidlc_app(state), key_id=KEY_ID, secret="another") as client:
        assert refusal(lambda: client.stop_job("dlc-02")).code == "SignatureDoesNotMatch"
    assert state.jobs["dlc-02"]["Status"] == "Running"


def test_throttling_says_how_long(client: Any, state: PaidlcState) -> None:
    state.faults.append(Fault(match="/jobs$", status=429, retry_after="3"))
    error = refusal(lambda: client.list_jobs(sdk_models().ListJobsRequest()))
    assert (type(error).__name__, error.retry_after) == ("ThrottlingException", 3)
