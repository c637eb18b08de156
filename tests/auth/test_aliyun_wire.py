"""Our signed requests over a socket, and the vendor's client beside them, judged by the vendor's own code."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from sqlprovider.auth.aliyun_signing import AccessKey, AliyunAuth, AliyunCredentials, BearerToken
from tests.auth.hostile import QUERY_ONLY, VALUES, wire_path, wire_query
from tests.fakes.acs3 import check_acs3
from tests.fakes.loopback import Loopback, Status

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

pytestmark = pytest.mark.slow

KEY = AccessKey("AKID", "s3cret")
STS = AccessKey("STS.ID", "sts-s3cret", "t0ken")
SECRETS = {"AKID": "s3cret", "STS.ID": "sts-s3cret", "b3arer": ""}
ACTION = {"x-acs-action": "GetJob", "x-acs-version": "2020-12-03"}


@dataclass
class Guarded:
    """A server that answers 200 where a request is signed well, else 403 and why."""

    nonces: set[str] = field(default_factory=set)
    now: datetime | None = None
    spoil: Callable[[WSGIEnvironment], None] = lambda environ: None
    """What somebody in between did to the request."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        self.spoil(environ)
        why = check_acs3(
            environ,
            body,
            secret_of=SECRETS.get,
            token_of={"STS.ID": "t0ken"}.get,
            nonces=self.nonces,
            now=self.now,
        )
        start_response("200 OK" if why is None else "403 Forbidden", [("Content-Type", "application/json")])
        code, _, message = (why or "").partition(": ")
        return [json.dumps({"RequestId": "r", "Code": code, "Message": message, "Jobs": []}).encode()]


@pytest.fixture
def guarded() -> Guarded:
    return Guarded()


@pytest.fixture
def server(guarded: Guarded) -> Iterator[Loopback]:
    with Loopback(guarded) as server:
        yield server


def client_of(server: Loopback, credentials: AliyunCredentials = KEY) -> httpx.Client:
    # The empty context spares the loading of certificates, 20 ms for each of 200 tests.
    return httpx.Client(
        base_url=server.base_url,
        auth=AliyunAuth(credentials),
        headers=ACTION,
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
    )


def code_of(response: httpx.Response) -> str:
    code: str = response.json()["Code"]
    return code


@pytest.mark.parametrize("value", [pytest.param(value, id=name) for name, value in VALUES.items()])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_a_hostile_segment_and_value_are_signed_as_they_are_sent(
    server: Loopback, method: str, value: str
) -> None:
    body = {"DisplayName": value} if method in ("POST", "PUT") else None
    with client_of(server) as client:
        target = f"{wire_path(value)}?{wire_query(value)}"
        answer = client.request(method, target, json=body)
    assert (answer.status_code, code_of(answer)) == (200, "")
    assert server.requests[0].path == wire_path(value)
    assert server.requests[0].query == wire_query(value)


@pytest.mark.parametrize("plus", [pytest.param(True, id="plus"), pytest.param(False, id="percent-20")])
@pytest.mark.parametrize(
    "value", [pytest.param(value, id=name) for name, value in (VALUES | QUERY_ONLY).items()]
)
def test_a_value_is_signed_whichever_way_a_space_is_sent(server: Loopback, value: str, plus: bool) -> None:
    with client_of(server) as client:
        assert client.get(f"/api?{wire_query(value, plus=plus)}").status_code == 200


@pytest.mark.parametrize(
    ("method", "body"),
    [
        pytest.param("POST", b"", id="empty"),
        pytest.param("POST", '{"DisplayName":"🦀"}'.encode(), id="utf-8"),
        pytest.param("PUT", b"\x00\xff", id="binary"),
        pytest.param("DELETE", b"{}", id="delete"),
    ],
)
def test_every_body_is_signed(server: Loopback, method: str, body: bytes) -> None:
    with client_of(server) as client:
        assert client.request(method, "/api", content=body).status_code == 200


@pytest.mark.parametrize("credentials", [KEY, STS, BearerToken("b3arer")])
def test_every_kind_of_credentials_is_believed(server: Loopback, credentials: AliyunCredentials) -> None:
    with client_of(server, credentials) as client:
        assert client.get("/api/v1/jobs").status_code == 200


@pytest.mark.parametrize(
    ("credentials", "code"),
    [
        pytest.param(AccessKey("NOBODY", "s"), "InvalidAccessKeyId.NotFound", id="id"),
        pytest.param(AccessKey("AKID", "wrong"), "SignatureDoesNotMatch", id="secret"),
        pytest.param(AccessKey("STS.ID", "sts-s3cret"), "MissingSecurityToken", id="no-token"),
        pytest.param(
            AccessKey("STS.ID", "sts-s3cret", "old"), "InvalidSecurityToken.Expired", id="old-token"
        ),
        pytest.param(AccessKey("AKID", "s3cret", "any"), "InvalidSecurityToken.Mismatch", id="token-of-none"),
        pytest.param(BearerToken("unknown"), "InvalidBearerToken", id="bearer"),
    ],
)
def test_wrong_credentials_are_not_believed(
    server: Loopback, credentials: AliyunCredentials, code: str
) -> None:
    with client_of(server, credentials) as client:
        assert code_of(client.get("/api/v1/jobs")) == code


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        pytest.param("REQUEST_METHOD", "PUT", "SignatureDoesNotMatch", id="method"),
        pytest.param("REQUEST_URI", "/api/v1/jobs/k?a=1", "SignatureDoesNotMatch", id="path"),
        pytest.param("REQUEST_URI", "/api/v1/jobs/j?a=2", "SignatureDoesNotMatch", id="query"),
        pytest.param("REQUEST_URI", "/api/v1/jobs/j?a=1&a=1", "InvalidParameter", id="query-twice"),
        pytest.param("HTTP_HOST", "other.example", "SignatureDoesNotMatch", id="host"),
        pytest.param("HTTP_X_ACS_ACTION", "DeleteJob", "SignatureDoesNotMatch", id="action"),
        pytest.param("HTTP_X_ACS_CONTENT_SHA256", "00", "SignatureDoesNotMatch", id="digest"),
        pytest.param("HTTP_X_ACS_EXTRA", "1", "IncompleteSignature", id="unsigned-header"),
        pytest.param("CONTENT_TYPE", "text/plain", "IncompleteSignature", id="unsigned-type"),
        pytest.param("HTTP_X_ACS_DATE", "yesterday", "InvalidTimeStamp.Format", id="date"),
        pytest.param("HTTP_AUTHORIZATION", "acs AKID:abc", "IncompleteSignature", id="old-scheme"),
    ],
)
def test_the_judge_refuses_what_was_changed_on_the_way(
    guarded: Guarded, server: Loopback, key: str, value: str, code: str
) -> None:
    guarded.spoil = lambda environ: environ.update({key: value})
    with client_of(server) as client:
        assert code_of(client.get("/api/v1/jobs/j?a=1")) == code


@pytest.mark.parametrize(
    ("skew", "code"),
    [
        pytest.param(timedelta(minutes=14), "", id="little"),
        pytest.param(timedelta(minutes=16), "InvalidTimeStamp.Expired", id="slow"),
        pytest.param(timedelta(minutes=-16), "InvalidTimeStamp.Expired", id="fast"),
    ],
)
def test_a_clock_that_is_wrong_by_a_quarter_of_an_hour_is_told(
    guarded: Guarded, server: Loopback, skew: timedelta, code: str
) -> None:
    guarded.now = datetime.now(UTC) + skew
    with client_of(server) as client:
        assert code_of(client.get("/api/v1/jobs")) == code


def test_one_request_object_that_is_sent_again_is_no_replay(server: Loopback) -> None:
    server.misbehave(Status(503))
    with client_of(server, STS) as client:
        request = client.build_request("POST", "/api/v1/jobs?x=a+b", json={"a": "é"})
        assert [client.send(request).status_code for _ in range(4)] == [503, 200, 200, 200]
    assert len({seen.headers["x-acs-signature-nonce"] for seen in server.requests}) == 4
    assert not [seen for seen in server.requests if "," in seen.headers["x-acs-date"]]


def test_the_judge_refuses_a_replay(guarded: Guarded, server: Loopback) -> None:
    auth = AliyunAuth(KEY, nonce=lambda: "once")
    with httpx.Client(base_url=server.base_url, auth=auth, headers=ACTION) as client:
        assert [code_of(client.get("/api")) for _ in range(2)] == ["", "SignatureNonceUsed"]


def sdk(name: str) -> ModuleType:
    """A module of the vendor's, which has no annotations."""
    return import_module(f"alibabacloud_{name}")


def sdk_client(server: Loopback, **credentials: str) -> Any:
    config = sdk("tea_openapi.models").Config(
        protocol="http", endpoint=f"127.0.0.1:{server.port}", **credentials
    )
    return sdk("pai_dlc20201203.client").Client(config)


@pytest.mark.parametrize("value", [pytest.param(value, id=name) for name, value in VALUES.items()])
def test_the_judge_believes_the_vendors_client(server: Loopback, value: str) -> None:
    models = sdk("pai_dlc20201203.models")
    client = sdk_client(server, access_key_id="AKID", access_key_secret="s3cret")
    client.list_jobs(models.ListJobsRequest(display_name=value, page_number=1, show_own=True))
    client.create_tensorboard(models.CreateTensorboardRequest(display_name=value, summary_path=value))
    client.delete_job(value)
    assert [seen.method for seen in server.requests] == ["GET", "POST", "DELETE"]


def test_the_judge_believes_the_vendors_client_with_a_temporary_key_and_a_bearer_token(
    server: Loopback,
) -> None:
    sts = {"access_key_id": "STS.ID", "access_key_secret": "sts-s3cret", "security_token": "t0ken"}
    sdk_client(server, **sts).delete_job("j")
    sdk_client(server, bearer_token="b3arer").delete_job("j")
    ours = [("x-acs-security-token", "t0ken"), ("x-acs-accesskey-id", "STS.ID")]
    assert [(name, server.requests[0].headers[name]) for name, _ in ours] == ours
    assert "authorization" not in server.requests[1].headers


def test_the_judge_does_not_believe_the_vendors_client_with_a_wrong_secret(server: Loopback) -> None:
    with pytest.raises(sdk("tea_openapi.exceptions").ClientException) as caught:
        sdk_client(server, access_key_id="AKID", access_key_secret="wrong").delete_job("j")
    assert caught.value.code == "SignatureDoesNotMatch"


@pytest.mark.parametrize("credentials", [KEY, STS, BearerToken("b3arer")])
def test_we_send_every_signing_header_that_the_vendors_client_sends(
    server: Loopback, credentials: AliyunCredentials
) -> None:
    match credentials:
        case AccessKey(key_id, secret, token):
            given = {"access_key_id": key_id, "access_key_secret": secret, "security_token": token or ""}
        case BearerToken(token):
            given = {"bearer_token": token}
    sdk_client(server, **given).delete_job("j")
    with client_of(server, credentials) as client:
        client.delete("/api/v1/jobs/j")
    theirs, ours = ({n for n in seen.headers if _signs(n)} for seen in server.requests)
    # The vendor's client names where it found the credentials, which is its own business.
    assert theirs - {"x-acs-credentials-provider"} == ours


def _signs(name: str) -> bool:
    return name.startswith("x-acs-") or name == "authorization"
