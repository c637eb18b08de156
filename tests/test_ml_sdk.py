"""Google's API client, built from the discovery document of ml v1, drives the stand-in."""

from __future__ import annotations

from typing import Any

import pytest

from sqlprovider.values import JSON
from tests.fakes.faults import Fault
from tests.fakes.ml import ml_rows, ml_small
from tests.fakes.ml_client import http_error, ml_client

pytestmark = pytest.mark.slow

JOB: dict[str, JSON] = {
    "jobId": "new_1",
    "labels": {"owner": "google", "größe": "1"},
    "predictionInput": {
        "dataFormat": "JSON",
        "inputPaths": ["gs://a/b c"],
        "maxWorkerCount": "12345678901",
        "outputPath": "gs://a/out",
        "region": "us-central1",
    },
}


def pages(resource: Any, answer_key: str, **arguments: object) -> list[list[Any]]:
    """Every page of a list, followed as the client follows it."""
    found, request = [], resource.list(**arguments)
    while request is not None:
        answer = request.execute()
        found.append(answer.get(answer_key, []))
        request = resource.list_next(request, answer)
    return found


def test_a_list_goes_over_its_pages() -> None:
    state = ml_small()
    with ml_client(state) as client:
        found = pages(client.projects().jobs(), "jobs", parent="projects/p")
        assert [len(page) for page in found] == [20, 20, 5]
        assert [job["jobId"] for page in found for job in page] == [
            job["jobsId"] for job in ml_rows(state, "jobs") if job["projectsId"] == "p"
        ]
        assert [
            len(page) for page in pages(client.projects().jobs(), "jobs", parent="projects/p", pageSize=500)
        ] == [45]


def test_a_job_is_created_and_read_back() -> None:
    state = ml_small()
    with ml_client(state) as client:
        jobs = client.projects().jobs()
        made = jobs.create(parent="projects/p", body=JOB).execute()
        read = jobs.get(name="projects/p/jobs/new_1").execute()
        assert made == read == state.view("projects/p/jobs/new_1")
        assert (read["state"], read["predictionInput"], bool(read["etag"])) == (
            "QUEUED",
            JOB["predictionInput"],
            True,
        )


@pytest.mark.parametrize("stale", [(409, "ABORTED"), (412, "FAILED_PRECONDITION")])
def test_labels_change_under_the_etag(stale: tuple[int, str]) -> None:
    state = ml_small()
    state.stale = stale
    with ml_client(state) as client:
        jobs, name = client.projects().jobs(), "projects/p/jobs/train_01"
        read = jobs.get(name=name).execute()
        body = {"labels": {"a": "b"}, "etag": read["etag"]}
        changed = jobs.patch(name=name, updateMask="labels,etag", body=body).execute()
        assert changed["labels"] == {"a": "b"}
        assert changed["etag"] != read["etag"]
        with pytest.raises(http_error()) as refused:
            jobs.patch(name=name, updateMask="labels,etag", body=body).execute()
        assert refused.value.status_code == stale[0]
        jobs.patch(name=name, updateMask="labels", body=body).execute()


@pytest.mark.parametrize("mask", ["", "state", "predictionInput", "nothing"])
def test_nothing_but_labels_changes(mask: str) -> None:
    with ml_client(ml_small()) as client, pytest.raises(http_error()) as refused:
        client.projects().jobs().patch(name="projects/p/jobs/train_01", updateMask=mask, body={}).execute()
    assert refused.value.status_code == 400


def test_a_job_is_cancelled_once_and_never_deleted() -> None:
    with ml_client(ml_small()) as client:
        jobs, name = client.projects().jobs(), "projects/p/jobs/train_02"
        assert not hasattr(jobs, "delete")
        assert jobs.cancel(name=name, body={}).execute() == {}
        assert jobs.get(name=name).execute()["state"] == "CANCELLED"
        with pytest.raises(http_error(), match="has ended"):
            jobs.cancel(name=name, body={}).execute()


def test_jobs_are_filtered() -> None:
    with ml_client(ml_small()) as client:
        found = pages(
            client.projects().jobs(), "jobs", parent="projects/p", filter="jobId:train_0* AND state:FAILED"
        )
        assert [job["jobId"] for page in found for job in page] == ["train_04"]


def test_policies_and_permissions_are_kept() -> None:
    with ml_client(ml_small()) as client:
        jobs, name = client.projects().jobs(), "projects/p/jobs/train_01"
        policy = jobs.getIamPolicy(resource=name).execute()
        policy["bindings"] = [{"role": "roles/viewer", "members": ["user:ada@example.com"]}]
        jobs.setIamPolicy(resource=name, body={"policy": policy}).execute()
        assert (
            jobs.getIamPolicy(resource=name, options_requestedPolicyVersion=3).execute()["bindings"]
            == policy["bindings"]
        )
        asked = {"permissions": ["ml.jobs.get", "ml.jobs.delete"]}
        assert jobs.testIamPermissions(resource=name, body=asked).execute() == {
            "permissions": ["ml.jobs.get"]
        }


def test_models_and_versions_come_and_go_by_operations() -> None:
    state = ml_small()
    state.polls = 2
    with ml_client(state) as client:
        models, versions = client.projects().models(), client.projects().models().versions()
        operations = client.projects().operations()

        def wait(operation: Any) -> Any:
            while not operation.get("done"):
                operation = operations.get(name=operation["name"]).execute()
            return operation

        made = models.create(parent="projects/p", body={"name": "new", "regions": ["us-east1"]}).execute()
        assert made["name"] == "projects/p/models/new"
        ended = wait(
            versions.create(
                parent=made["name"], body={"name": "v1", "runtimeVersion": "2.11", "pythonVersion": "3.7"}
            ).execute()
        )
        assert ended["response"]["name"] == "projects/p/models/new/versions/v1"
        assert versions.setDefault(name=f"{made['name']}/versions/v1", body={}).execute()["isDefault"]
        assert models.get(name=made["name"]).execute()["defaultVersion"]["runtimeVersion"] == "2.11"
        wait(models.delete(name=made["name"]).execute())
        with pytest.raises(http_error()) as missing:
            versions.get(name=f"{made['name']}/versions/v1").execute()
        assert missing.value.status_code == 404


ERRORS = [
    pytest.param(404, lambda p: p.jobs().get(name="projects/p/jobs/none"), id="no such job"),
    pytest.param(
        409, lambda p: p.jobs().create(parent="projects/p", body={"jobId": "train_01"}), id="id taken"
    ),
    pytest.param(400, lambda p: p.jobs().create(parent="projects/p", body={}), id="no id"),
    pytest.param(
        400, lambda p: p.jobs().create(parent="projects/p", body={"jobId": "1 x"}), id="id not valid"
    ),
    pytest.param(403, lambda p: p.jobs().list(parent="projects/closed"), id="closed"),
]


@pytest.mark.parametrize(("status", "call"), ERRORS)
def test_what_is_wrong_is_refused(status: int, call: Any) -> None:
    state = ml_small()
    state.forbidden.add("closed")
    with ml_client(state) as client, pytest.raises(http_error()) as refused:
        call(client.projects()).execute()
    assert refused.value.status_code == status


def test_faults_come_on_demand() -> None:
    state = ml_small()
    state.faults.append(Fault(match="/jobs$", page=2, status=503))
    with ml_client(state) as client, pytest.raises(http_error()) as refused:
        pages(client.projects().jobs(), "jobs", parent="projects/p")
    assert refused.value.status_code == 503
