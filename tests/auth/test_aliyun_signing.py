"""What a signed request bears, attempt for attempt; whether a server believes it: `test_aliyun_wire.py`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import count

import httpx
import pytest

from sqlprovider.auth.aliyun_signing import (
    AccessKey,
    AliyunAuth,
    AliyunCredentials,
    BearerToken,
    canonical_query,
)
from sqlprovider.errors import CredentialsError

NOON = datetime(2026, 11, 5, 12, 0, 0, tzinfo=UTC)
KEY = AccessKey("AKID", "s3cret-planted")
STS = AccessKey("STS.AKID", "s3cret-planted", "t0ken-planted")


class Ticking:
    """A clock that goes on by a second, and nonces that are counted."""

    def __init__(self, start: datetime = NOON) -> None:
        self._now = (start + timedelta(seconds=n) for n in count())
        self._nonces = (f"nonce-{n}" for n in count(1))

    def now(self) -> datetime:
        return next(self._now)

    def nonce(self) -> str:
        return next(self._nonces)


def flow(credentials: AliyunCredentials, clock: Ticking | None = None) -> AliyunAuth:
    clock = clock or Ticking()
    return AliyunAuth(credentials, now=clock.now, nonce=clock.nonce)


def get() -> httpx.Request:
    headers = {"x-acs-action": "GetJob", "x-acs-version": "2020-12-03"}
    return httpx.Request("GET", "https://pai-dlc.cn-hangzhou.aliyuncs.com/api/v1/jobs/j", headers=headers)


def names(request: httpx.Request) -> list[str]:
    return [name.decode().lower() for name, _ in request.headers.raw]


def test_the_published_example_has_its_published_signature() -> None:
    # The example of Alibaba Cloud's description of the signature, with its key that is none.
    request = httpx.Request(
        "POST",
        "https://ecs.cn-shanghai.aliyuncs.com/",
        params={"RegionId": "cn-shanghai", "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"},
        headers={"x-acs-action": "RunInstances", "x-acs-version": "2014-05-26"},
    )
    auth = AliyunAuth(
        AccessKey("YourAccessKeyId", "YourAccessKeySecret"),
        now=lambda: datetime(2023, 10, 26, 18, 22, 32, tzinfo=timezone(timedelta(hours=8))),
        nonce=lambda: "3156853299f313e23d1673dc12e1703d",
    )
    next(auth.sync_auth_flow(request))
    assert request.headers["authorization"] == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;"
        "x-acs-date;x-acs-signature-nonce;x-acs-version,"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        pytest.param("", "", id="none"),
        pytest.param("b=2&a=1", "a=1&b=2", id="sorted"),
        pytest.param("a1=x&a=y&a-b=z", "a=y&a-b=z&a1=x", id="by-name-alone"),
        pytest.param("a=/:,&b=%2F%3A%2C", "a=%2F%3A%2C&b=%2F%3A%2C", id="reserved"),
        pytest.param("a=1+2&b=1%202&c=1%2B2", "a=1%202&b=1%202&c=1%2B2", id="space-and-plus"),
        pytest.param("a=%7e*'&b=%7E%2a%27", "a=~%2A%27&b=~%2A%27", id="one-encoding"),
        pytest.param("a&b=&c==&&", "a=&b=&c=%3D", id="empty"),
        pytest.param("a=2&a=1", "a=1&a=2", id="twice"),
        pytest.param("a=%ff", "a=%FF", id="no-utf-8"),
        pytest.param("T%20g=1&Tag.1=2", "T%20g=1&Tag.1=2", id="name"),
    ],
)
def test_the_query_is_signed_decoded_sorted_and_encoded_anew(query: str, canonical: str) -> None:
    assert canonical_query(query) == canonical


def test_a_request_that_is_sent_again_is_signed_anew_and_no_header_is_doubled() -> None:
    request, auth = get(), flow(STS)
    seen = []
    for _ in range(3):
        next(auth.sync_auth_flow(request))
        assert len(names(request)) == len(set(names(request)))
        seen.append([request.headers[n] for n in ("x-acs-date", "x-acs-signature-nonce", "authorization")])
    assert [date for date, _, _ in seen] == [f"2026-11-05T12:00:0{n}Z" for n in range(3)]
    assert [nonce for _, nonce, _ in seen] == ["nonce-1", "nonce-2", "nonce-3"]
    assert len({signature for _, _, signature in seen}) == 3


def test_the_nonces_of_the_flow_itself_are_32_hexadecimal_digits_and_never_the_same() -> None:
    auth = AliyunAuth(KEY)
    nonces = {next(auth.sync_auth_flow(get())).headers["x-acs-signature-nonce"] for _ in range(50)}
    assert len(nonces) == 50
    assert all(len(nonce) == 32 and int(nonce, 16) >= 0 for nonce in nonces)


def test_a_temporary_key_sends_its_token_and_signs_it() -> None:
    request = next(flow(STS).sync_auth_flow(get()))
    assert request.headers["x-acs-security-token"] == "t0ken-planted"
    assert request.headers["x-acs-accesskey-id"] == "STS.AKID"
    assert "x-acs-accesskey-id;" in request.headers["authorization"]
    assert ";x-acs-security-token;" in request.headers["authorization"]


def test_a_bearer_token_is_sent_and_nothing_is_signed() -> None:
    request = next(flow(BearerToken("t0ken-planted")).sync_auth_flow(get()))
    assert request.headers["x-acs-bearer-token"] == "t0ken-planted"
    assert request.headers["x-acs-signature-type"] == "BEARERTOKEN"
    assert "authorization" not in request.headers


def test_what_one_kind_of_credentials_sent_is_not_left_for_the_next() -> None:
    request = get()
    for credentials in (STS, BearerToken("t0ken-planted"), KEY):
        next(flow(credentials).sync_auth_flow(request))
    assert not {"x-acs-security-token", "x-acs-accesskey-id", "x-acs-bearer-token"} & set(names(request))
    assert "x-acs-signature-type" not in names(request)


def test_the_content_type_is_signed_where_there_is_one() -> None:
    request = httpx.Request("POST", "https://h/api", json={"a": 1})
    assert (
        "SignedHeaders=content-type;host;" in next(flow(KEY).sync_auth_flow(request)).headers["authorization"]
    )


def answered(auth: AliyunAuth, *statuses: int) -> list[str]:
    """Which key each attempt bore, of one call that is answered so."""
    answers: Iterator[int] = iter(statuses)
    keys = []

    def answer(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["authorization"].split("=")[1].split(",")[0])
        return httpx.Response(next(answers))

    with httpx.Client(auth=auth, transport=httpx.MockTransport(answer)) as client:
        client.send(get())
    return keys


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refusal_has_the_file_read_again_and_what_is_new_in_it_is_tried_once(status: int) -> None:
    auth = AliyunAuth(STS, reread=lambda: AccessKey("STS.NEW", "s", "t"))
    assert answered(auth, status, status) == ["STS.AKID", "STS.NEW"]
    assert answered(auth, 200) == ["STS.NEW"]


def test_a_refusal_stands_where_the_file_holds_the_same() -> None:
    assert answered(AliyunAuth(STS, reread=lambda: STS), 403) == ["STS.AKID"]


def test_a_refusal_stands_where_the_file_is_gone() -> None:
    def gone() -> AliyunCredentials:
        raise CredentialsError("there is no file")

    assert answered(AliyunAuth(STS, reread=gone), 403) == ["STS.AKID"]


@pytest.mark.parametrize("status", [200, 404, 429, 500])
def test_any_other_answer_reads_no_file(status: int) -> None:
    auth = AliyunAuth(STS, reread=lambda: pytest.fail("the file was read"))
    assert answered(auth, status) == ["STS.AKID"]


@pytest.mark.parametrize("credentials", [KEY, STS, BearerToken("t0ken-planted")])
def test_no_repr_holds_a_secret(credentials: AliyunCredentials) -> None:
    shown = f"{credentials!r} {flow(credentials)!r} {flow(credentials)}"
    assert "planted" not in shown
