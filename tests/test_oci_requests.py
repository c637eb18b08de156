"""What SQL makes Oracle's AI Data Platform be asked: as its SDK asks, and as the documents promise."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

import httpx
import pytest

from sqlprovider.config import load_config
from sqlprovider.errors import BackendError
from sqlprovider.session import Session, provider_names
from sqlprovider.values import Row
from tests.contracts.oci_calls import SERVICES
from tests.contracts.oci_conformance import compare
from tests.contracts.oci_sdk import read_sdk
from tests.vtab.world import STILL, Answer, Server

AS_BYTES = {"upload_file", "create_workspace_object", "update_workspace_object"}
"""Whose body is bytes: the client calls them JSON."""
AT = "/20260430/aiDataPlatforms/p"
IN = f"{AT}/workspaces/w"
MLFLOW = "mlops/api/2.0/mlflow"
JOB = {"key": "j1", "name": "one", "timeCreated": "2026-01-02T03:04:05.678Z", "tasks": [{"taskKey": "t"}]}


@contextmanager
def platform(routes: Mapping[str, Answer]) -> Iterator[tuple[Session, Server]]:
    """A session whose connection knows the platform, and the server it asks."""
    server = Server(routes)
    connection = {
        "base_url": "http://127.0.0.1:9",
        "auth": {"type": "none"},
        "defaults": {"aiDataPlatformId": "p"},
    }
    config = load_config({"connections": {"oci": connection}}, environ={}, providers=provider_names())
    transport = httpx.MockTransport(server)
    with closing(Session(config, transport=transport, environ={}, clock=STILL)) as session:
        yield session, server


def rows(session: Session, sql: str) -> list[Row]:
    return [row for result in session.run(sql) for row in result.rows]


def paged(items: list[object], page: str | None) -> httpx.Response:
    return httpx.Response(200, json={"items": items}, headers={"opc-next-page": page} if page else {})


@pytest.mark.slow
def test_every_operation_is_sent_as_oracle_s_own_sdk_sends_it() -> None:
    compared = compare()
    assert len(compared) == sum(len(read_sdk(source).operations) for source in SERVICES.values())
    assert [c for c in compared if not c.equal] == []
    assert {c.operation.rpartition(".")[2] for c in compared if c.reason} == AS_BYTES


def test_a_file_goes_up_as_it_is_and_head_gives_the_headers() -> None:
    at = f"{IN}/objects/a b"
    routes = {
        f"PUT {at}": {"path": "a b"},
        f"HEAD {at}": httpx.Response(200, headers={"etag": "e7", "x-size": "2"}),
    }
    with platform(routes) as (session, server):
        given = "@workspaceKey = 'w', @objectPath = 'a b'"
        rows(session, f"EXEC oci.aidataplatform.objects.update {given}, @content = X'00FF'")
        (result,) = session.run(f"EXEC oci.aidataplatform.objects.head {given}")
        (found,) = result.rows
        assert result.columns is not None
        names = [column.name for column in result.columns]
        assert dict(zip(names, found, strict=True)) == {"etag": "e7", "x-size": "2"}
        put, head = server.requests
        assert (put.content, put.headers["content-type"]) == (b"\x00\xff", "application/octet-stream")
        assert (head.method, head.content) == ("HEAD", b"")


def test_a_list_goes_on_by_the_header_and_a_workspace_is_found_by_a_walk() -> None:
    def jobs(asked: object) -> httpx.Response:
        page = getattr(asked, "query", {}).get("page")
        return paged([JOB], "2") if page is None else paged([{**JOB, "key": "j2"}], None)

    routes = {f"GET {AT}/workspaces": paged([{"key": "w"}], None), f"GET {IN}/jobs": jobs}
    with platform(routes) as (session, server):
        found = rows(session, "SELECT workspaceKey, jobKey, name, timeCreated FROM oci.aidataplatform.jobs")
        assert found == [("w", key, "one", "2026-01-02 03:04:05.678") for key in ("j1", "j2")]
        assert server.lines[1:] == [f"GET {IN}/jobs", f"GET {IN}/jobs?page=2"]


def test_a_filter_called_as_a_column_is_asked_of_the_api_and_checked_again() -> None:
    runs: list[object] = [{"key": "r1", "jobKey": "j1"}, {"key": "r2", "jobKey": "j2"}]
    with platform({f"GET {IN}/jobRuns": paged(runs, None)}) as (session, server):
        sql = "SELECT jobRunKey FROM oci.aidataplatform.job_runs WHERE workspaceKey = 'w' AND jobKey = 'j1'"
        assert rows(session, sql) == [("r1",)]
        assert server.lines == [f"GET {IN}/jobRuns?jobKey=j1"]


@pytest.mark.parametrize(
    ("sql", "sent"),
    [
        pytest.param("UPDATE {} SET name = 'two' WHERE {}", 'PUT {} {{"name":"two"}}', id="update"),
        pytest.param("DELETE FROM {} WHERE {}", "DELETE {}", id="delete"),
    ],
)
@pytest.mark.parametrize("where", ["jobKey = 'j1'", "name = 'one'"])
def test_a_write_goes_under_the_etag_that_was_read(sql: str, sent: str, where: str) -> None:
    routes = {
        f"GET {IN}/jobs": paged([JOB], None),
        f"GET {IN}/jobs/j1": httpx.Response(200, json=JOB, headers={"etag": "e7"}),
        f"PUT {IN}/jobs/j1": {**JOB, "name": "two"},
        f"DELETE {IN}/jobs/j1": httpx.Response(204),
    }
    with platform(routes) as (session, server):
        rows(session, sql.format("oci.aidataplatform.jobs", f"workspaceKey = 'w' AND {where}"))
        assert server.lines[-1] == sent.format(f"{IN}/jobs/j1")
        assert server.requests[-1].headers["if-match"] == "e7"


def test_a_field_of_the_single_object_alone_is_hidden_and_may_be_set() -> None:
    routes = {f"GET {IN}/jobs/j1": JOB, f"POST {IN}/jobs": {**JOB, "key": "j3"}}
    with platform(routes) as (session, server):
        where = "WHERE workspaceKey = 'w' AND jobKey = 'j1'"
        assert rows(session, f"SELECT tasks FROM oci.aidataplatform.jobs {where}") == [('[{"taskKey":"t"}]',)]
        (row,) = rows(session, f"SELECT * FROM oci.aidataplatform.jobs {where}")
        assert '[{"taskKey":"t"}]' not in row
        sql = "INSERT INTO oci.aidataplatform.jobs (workspaceKey, name, tasks) VALUES ('w', 'one', '[]')"
        assert rows(session, f"{sql} RETURNING jobKey") == [("j3",)]
        assert json.loads(server.requests[-1].content) == {"name": "one", "tasks": []}


def test_a_retry_token_is_the_same_when_a_call_is_sent_again() -> None:
    answers = iter([httpx.Response(503), httpx.Response(429), JOB, JOB])
    with platform({f"POST {IN}/jobs": lambda asked: next(answers)}) as (session, server):
        rows(
            session, "INSERT INTO oci.aidataplatform.jobs (workspaceKey, name) VALUES ('w', 'a'), ('w', 'b')"
        )
        first, again, once_more, second = [r.headers["opc-retry-token"] for r in server.requests]
        assert (first == again == once_more, first != second) == (True, True)
        assert 1 <= len(first) <= 64


def test_a_run_s_batch_is_logged_with_the_headers_of_the_api() -> None:
    with platform({f"POST {IN}/{MLFLOW}/runs/log-batch": {}}) as (session, server):
        session_sql = """
            EXEC oci.aidataplatform.runs.log_batch @workspaceKey = 'w', @run_id = 'r',
              @metrics = '[{"key":"loss","value":0.5,"timestamp":1,"step":0}]', @params = '{"lr":0.1}',
              @tags = '{"a":"b"}', @"opc-retry-token" = 'token-1', @"opc-request-id" = 'request-1',
              @"dh-user-principal" = 'someone'"""
        rows(session, session_sql)
        (request,) = server.requests
        names = ("opc-retry-token", "opc-request-id", "dh-user-principal")
        assert [request.headers[name] for name in names] == ["token-1", "request-1", "someone"]
        assert json.loads(request.content) == {
            "run_id": "r",
            "metrics": [{"key": "loss", "value": 0.5, "timestamp": 1, "step": 0}],
            "params": [{"key": "lr", "value": "0.1"}],
            "tags": [{"key": "a", "value": "b"}],
        }


def test_a_registry_s_filter_takes_one_condition_and_no_like() -> None:
    routes = {
        f"GET {AT}/{MLFLOW}/registered-models/search": {"registered_models": [{"name": "Ab"}, {"name": "b"}]},
        f"GET {AT}/{MLFLOW}/model-versions/search": {
            "model_versions": [{"name": "m", "version": "1", "run_id": "r"}, {"name": "m", "version": "2"}]
        },
    }
    with platform(routes) as (session, server):
        like = "SELECT name FROM oci.aidataplatform.registered_models WHERE name LIKE 'a%'"
        assert rows(session, like) == [("Ab",)]
        versions = "SELECT version FROM oci.aidataplatform.model_versions WHERE name = 'm' AND run_id = 'r'"
        assert rows(session, versions) == [("1",)]
        filters = [request.url.params.get("filter") for request in server.requests]
        assert filters == [None, "name = 'm'"]


def test_the_six_routes_that_mlflow_has_under_another_verb_are_posts() -> None:
    routes = {
        f"GET {AT}/{MLFLOW}/registered-models/get": {"registered_model": {"name": "m", "description": "d"}},
        f"POST {AT}/{MLFLOW}/registered-models/(update|delete|delete-tag|set-tag)": {},
        f"GET {AT}/{MLFLOW}/model-versions/get": {"model_version": {"name": "m", "version": "1"}},
        f"POST {AT}/{MLFLOW}/model-versions/(update|delete|delete-tag)": {},
    }
    with platform(routes) as (session, server):
        for sql in (
            "UPDATE oci.aidataplatform.registered_models SET description = 'x' WHERE name = 'm'",
            "DELETE FROM oci.aidataplatform.registered_models WHERE name = 'm'",
            "EXEC oci.aidataplatform.registered_models.delete_tag @name = 'm', @key = 'k'",
            "UPDATE oci.aidataplatform.model_versions SET description = 'x' WHERE name = 'm' AND version = 1",
            "DELETE FROM oci.aidataplatform.model_versions WHERE name = 'm' AND version = 1",
            "EXEC oci.aidataplatform.model_versions.delete_tag @name = 'm', @version = '1', @key = 'k'",
        ):
            rows(session, sql)
        sent = [
            line.partition(" {")[0].rpartition("/mlflow/")[2] for line in server.lines if line[:4] == "POST"
        ]
        assert sent == [
            *(f"registered-models/{route}" for route in ("update", "delete", "delete-tag")),
            *(f"model-versions/{route}" for route in ("update", "delete", "delete-tag")),
        ]


def test_what_is_not_there_is_no_row_and_an_error_brings_the_request_s_id() -> None:
    missing = httpx.Response(404, json={"code": "NotAuthorizedOrNotFound", "message": "none"})
    refused = httpx.Response(
        400, json={"code": "InvalidParameter", "message": "no"}, headers={"opc-request-id": "A/B/C"}
    )
    with platform({f"GET {IN}/jobs/j9": missing, f"GET {IN}/clusters": refused}) as (session, _):
        jobs = "SELECT * FROM oci.aidataplatform.jobs WHERE workspaceKey = 'w' AND jobKey = 'j9'"
        assert rows(session, jobs) == []
        with pytest.raises(BackendError, match="InvalidParameter: no") as caught:
            rows(session, "SELECT clusterKey FROM oci.aidataplatform.clusters WHERE workspaceKey = 'w'")
        assert caught.value.request_id == "A/B/C"


def test_the_files_of_a_directory_keep_their_own_paths() -> None:
    files: list[object] = [{"path": "/d/a", "type": "FILE"}, {"path": "/d/b", "type": "FOLDER"}]
    with platform({f"GET {AT}/volumes/v/files": paged(files, None)}) as (session, server):
        sql = "SELECT path FROM oci.aidataplatform.volume_files WHERE volumeKey = 'v' AND directory = '/d'"
        assert rows(session, sql) == [("/d/a",), ("/d/b",)]
        assert server.lines == [f"GET {AT}/volumes/v/files?path=/d"]


def test_log_entries_that_the_service_could_not_reach_fail_the_statement() -> None:
    answer = {
        "logs": {"items": [{"recordId": "1"}]},
        "coverage": {"state": "PARTIAL", "reasons": ["LOG_GROUP_UNREACHABLE"]},
    }
    route = f"POST {AT}/mlops/api/2.0/model-deployments/d/monitoring/logs/search"
    with platform({route: answer}) as (session, _), pytest.raises(Exception, match="LOG_GROUP_UNREACHABLE"):
        rows(
            session,
            "SELECT recordId FROM oci.aidataplatform.model_deployment_logs WHERE deploymentId = 'd' "
            "AND timeStart = '2026-01-01 00:00:00.000' AND timeEnd = '2026-01-02 00:00:00.000'",
        )
