"""Signed requests, over a socket too, judged by `cryptography` and by the vendor's published examples."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sqlprovider.auth.oci_signing import FixedIdentity, OciAuth, OciIdentity, authorization, sign
from tests.auth.hostile import QUERY_ONLY, VALUES, wire_path, wire_query
from tests.auth.oci_home import rsa_key
from tests.auth.oci_server import Guarded, why_refused
from tests.fakes.loopback import Loopback, Status

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# The examples of Oracle's description of the signature; their key is the one of draft-cavage, appendix C.
PUBLISHED_KEY = b"""-----BEGIN RSA PRIVATE KEY-----
MIICXgIBAAKBgQDCFENGw33yGihy92pDjZQhl0C36rPJj+CvfSC8+q28hxA161QF
NUd13wuCTUcq0Qd2qsBe/2hFyc2DCJJg0h1L78+6Z4UMR7EOcpfdUE9Hf3m/hs+F
UR45uBJeDK1HSFHD8bHKD6kv8FPGfJTotc+2xjJwoYi+1hqp1fIekaxsyQIDAQAB
AoGBAJR8ZkCUvx5kzv+utdl7T5MnordT1TvoXXJGXK7ZZ+UuvMNUCdN2QPc4sBiA
QWvLw1cSKt5DsKZ8UETpYPy8pPYnnDEz2dDYiaew9+xEpubyeW2oH4Zx71wqBtOK
kqwrXa/pzdpiucRRjk6vE6YY7EBBs/g7uanVpGibOVAEsqH1AkEA7DkjVH28WDUg
f1nqvfn2Kj6CT7nIcE3jGJsZZ7zlZmBmHFDONMLUrXR/Zm3pR5m0tCmBqa5RK95u
412jt1dPIwJBANJT3v8pnkth48bQo/fKel6uEYyboRtA5/uHuHkZ6FQF7OUkGogc
mSJluOdc5t6hI1VsLn0QZEjQZMEOWr+wKSMCQQCC4kXJEsHAve77oP6HtG/IiEn7
kpyUXRNvFsDE0czpJJBvL/aRFUJxuRK91jhjC68sA7NsKMGg5OXb5I5Jj36xAkEA
gIT7aFOYBFwGgQAQkWNKLvySgKbAZRTeLBacpHMuQdl1DfdntvAyqpAZ0lY0RKmW
G6aFKaqQfOXKCyWoUiVknQJAXrlgySFci/2ueKlIE1QqIiLSZ8V8OlpFLRnb1pzI
7U1yQXnTAEFYM560yJlzUpOb1V4cScGd365tiSMvxLOvTA==
-----END RSA PRIVATE KEY-----
"""
PUBLISHED_KEY_ID = (
    "ocid1.tenancy.oc1..aaaaaaaaba3pv6wkcr4jqae5f15p2b2m2yt2j6rx32uzr4h25vqstifsfdsq/"
    "ocid1.user.oc1..aaaaaaaat5nvwcna5j6aqzjcaty5eqbb6qt2jvpkanghtgdaqedqw3rynjq/"
    "20:3b:97:13:55:1c:5b:0d:d3:37:d8:50:4e:c5:3a:34"
)
COMPARTMENT = "ocid1.compartment.oc1..aaaaaaaam3we6vgnherjq5q2idnccdflvjsnog7mlr6rtdb25gilchfeyjxa"
VOLUME = "ocid1.volume.oc1.phx.abyhqljrgvttnlx73nmrwfaux7kcvzfs3s66izvxf2h4lgvyndsdsnoiwr5q"
INSTANCE = "ocid1.instance.oc1.phx.abuw4ljrlsfiqw6vzzxb43vyypt4pkodawglp3wqxjqofakrwvou52gb6s5a"

FIRST = OciIdentity("t/u/first", rsa_key("first"))
OTHER = OciIdentity("t/u/other", rsa_key("other"))


def published(request: httpx.Request) -> str:
    """The signature of a request with the published key, on the published date.

    Its day of the week is wrong: 5 January 2014 was a Sunday. So it is put there as it was signed.
    """
    key = load_pem_private_key(PUBLISHED_KEY, None)
    assert isinstance(key, RSAPrivateKey)
    identity = OciIdentity(PUBLISHED_KEY_ID, key)
    sign(request, identity, datetime(2014, 1, 5, 21, 31, 40, tzinfo=UTC))
    assert request.headers["date"] == "Sun, 05 Jan 2014 21:31:40 GMT"
    request.headers["date"] = "Thu, 05 Jan 2014 21:31:40 GMT"
    return authorization(request, identity)


def test_the_published_get_has_its_published_signature() -> None:
    request = httpx.Request(
        "GET",
        "https://iaas.us-phoenix-1.oraclecloud.com/20160918/instances?availabilityDomain=Pjwf%3A%20PHX-AD-1"
        f"&compartmentId={COMPARTMENT}&displayName=TeamXInstances&volumeId={VOLUME}",
    )
    assert published(request) == (
        'Signature algorithm="rsa-sha256",headers="date (request-target) host",'
        f'keyId="{PUBLISHED_KEY_ID}",signature="GBas7grhyrhSKHP6AVIj/h5/Vp8bd/peM79H9Wv8kjoaCivujVXlpbKLjMPe'
        "DUhxkFIWtTtLBj3sUzaFj34XE6YZAHc9r2DmE4pMwOAy/kiITcZxa1oHPOeRheC0jP2dqbTll8fmTZVwKZOKHYPtrLJIJQHJjNvx"
        'FWeHQjMaR7M=",version="1"'
    )


def test_the_published_post_has_its_published_signature() -> None:
    body = (
        f'{{\n    "compartmentId": "{COMPARTMENT}",\n    "instanceId": "{INSTANCE}",\n'
        f'    "volumeId": "{VOLUME}"\n}}'
    )
    request = httpx.Request(
        "POST",
        "https://iaas.us-phoenix-1.oraclecloud.com/20160918/volumeAttachments",
        content=body,
        headers={"content-type": "application/json"},
    )
    signed = published(request)
    assert request.headers["x-content-sha256"] == "V9Z20UJTvkvpJ50flBzKE32+6m2zJjweHpDMX/U4Uy0="
    assert request.headers["content-length"] == "316"
    assert (
        'headers="date (request-target) host content-length content-type x-content-sha256"' in signed
        and 'signature="Mje8vIDPlwIHmD/cTDwRxE7HaAvBg16JnVcsuqaNRim23fFPgQfLoOOxae6WqKb1uPjYEl0qIdazWaBy/Ml8'
        "DRhqlocMwoSXv0fbukP8J5N80LCmzT/FFBvIvTB91XuXI3hYfP9Zt1l7S6ieVadHUfqBedWH0itrtPJBgKmrWso="
        in signed
    )


@pytest.fixture
def guarded() -> Guarded:
    return Guarded({FIRST.key_id: FIRST.key.public_key()})


@pytest.fixture
def server(guarded: Guarded) -> Iterator[Loopback]:
    with Loopback(guarded) as server:
        yield server


def client_of(server: Loopback, identity: OciIdentity = FIRST) -> httpx.Client:
    # The empty context spares the loading of certificates, 20 ms for each of 200 tests.
    return httpx.Client(
        base_url=server.base_url,
        auth=OciAuth(FixedIdentity(identity)),
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
    )


@pytest.mark.parametrize("value", [pytest.param(value, id=name) for name, value in VALUES.items()])
@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "POST", "PUT", "PATCH"])
def test_a_hostile_segment_and_value_are_signed_as_they_are_sent(
    server: Loopback, method: str, value: str
) -> None:
    body = {"name": value} if method in ("POST", "PUT", "PATCH") else None
    with client_of(server) as client:
        answer = client.request(method, f"{wire_path(value)}?{wire_query(value)}", json=body)
    assert answer.status_code == 200
    assert server.requests[0].path == wire_path(value)
    assert server.requests[0].query == wire_query(value)


@pytest.mark.parametrize("plus", [pytest.param(True, id="plus"), pytest.param(False, id="percent-20")])
@pytest.mark.parametrize("value", [pytest.param(v, id=name) for name, v in (VALUES | QUERY_ONLY).items()])
def test_a_value_is_signed_whichever_way_a_space_is_sent(server: Loopback, value: str, plus: bool) -> None:
    with client_of(server) as client:
        assert client.get(f"/api?{wire_query(value, plus=plus)}").status_code == 200


@pytest.mark.parametrize(
    ("method", "body"),
    [
        pytest.param("POST", b"", id="empty-post"),
        pytest.param("PUT", b"", id="empty-put"),
        pytest.param("PATCH", '{"a":"🦀"}'.encode(), id="utf-8"),
        pytest.param("POST", b"\x00\xff", id="binary"),
        pytest.param("DELETE", b"{}", id="delete"),
    ],
)
def test_every_body_is_signed(server: Loopback, method: str, body: bytes) -> None:
    with client_of(server) as client:
        assert client.request(method, "/api", content=body).status_code == 200


def test_a_post_without_a_body_signs_its_length_of_nought(server: Loopback) -> None:
    with client_of(server) as client:
        assert client.post("/api/actions/stop").status_code == 200
    headers = server.requests[0].headers
    assert (headers["content-length"], headers["content-type"]) == ("0", "application/json")


def test_a_body_that_comes_in_pieces_is_sent_whole_with_its_length(server: Loopback) -> None:
    with client_of(server) as client:
        assert client.post("/api", content=iter([b"{", b"}"])).status_code == 200
    assert server.requests[0].body == b"{}"
    assert "transfer-encoding" not in server.requests[0].headers


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        pytest.param("REQUEST_METHOD", "PUT", "not that of this request", id="method"),
        pytest.param("REQUEST_URI", "/a?b=1", "not that of this request", id="path"),
        pytest.param("REQUEST_URI", "/api?b=2", "not that of this request", id="query"),
        pytest.param("HTTP_HOST", "other.example", "not that of this request", id="host"),
        pytest.param("CONTENT_TYPE", "text/plain", "not that of this request", id="type"),
        pytest.param("CONTENT_LENGTH", "7", "Content-Length is not", id="length"),
        pytest.param("HTTP_X_CONTENT_SHA256", "AAAA", "x-content-sha256 is not", id="digest"),
        pytest.param("HTTP_X_CONTENT_SHA256", None, "x-content-sha256 are not there", id="no-digest"),
        pytest.param("HTTP_DATE", "yesterday", "Date is no date", id="no-date"),
        pytest.param("HTTP_DATE", "Sun, 05 Jan 2014 21:31:40 -0000", "not in GMT", id="no-zone"),
        pytest.param("HTTP_DATE", "Sun, 05 Jan 2014 21:31:40 GMT", "5 minutes", id="old-date"),
        pytest.param("HTTP_AUTHORIZATION", "Bearer x", "no Signature", id="bearer"),
    ],
)
def test_the_judge_refuses_what_was_changed_on_the_way(
    guarded: Guarded, server: Loopback, key: str, value: str | None, why: str
) -> None:
    guarded.spoil = lambda environ: environ.pop(key) if value is None else environ.update({key: value})
    with client_of(server) as client:
        assert why in why_refused(client.post("/api?b=1", json={}))


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        pytest.param("rsa-sha256", "hmac-sha256", "not of rsa-sha256, version 1", id="algorithm"),
        pytest.param('version="1"', 'version="2"', "not of rsa-sha256, version 1", id="version"),
        pytest.param('signature="', 'signature="A', "not that of this request", id="signature"),
        pytest.param("t/u/first", "t/u/nobody", "keyId is not known", id="key"),
        pytest.param(
            "date (request-target) host ", "date host ", "(request-target) are not signed", id="less"
        ),
        pytest.param(" x-content-sha256", "", "x-content-sha256 are not signed", id="no-digest"),
        pytest.param('headers="date', 'headers="date date', "signed twice", id="twice"),
    ],
)
def test_the_judge_refuses_another_signature(
    guarded: Guarded, server: Loopback, old: str, new: str, why: str
) -> None:
    def spoil(environ: WSGIEnvironment) -> None:
        assert old in environ["HTTP_AUTHORIZATION"]
        environ["HTTP_AUTHORIZATION"] = environ["HTTP_AUTHORIZATION"].replace(old, new)

    guarded.spoil = spoil
    with client_of(server) as client:
        assert why in why_refused(client.post("/api?b=1", json={}))


def test_a_key_of_somebody_else_is_refused(server: Loopback) -> None:
    with client_of(server, OciIdentity(FIRST.key_id, OTHER.key)) as client:
        assert why_refused(client.get("/")) == "the signature is not that of this request"


@pytest.mark.parametrize(
    ("skew", "status"),
    [
        pytest.param(timedelta(minutes=4), 200, id="little"),
        pytest.param(timedelta(minutes=6), 401, id="slow"),
        pytest.param(timedelta(minutes=-6), 401, id="fast"),
    ],
)
def test_a_clock_that_is_wrong_by_five_minutes_is_told(
    guarded: Guarded, server: Loopback, skew: timedelta, status: int
) -> None:
    guarded.now = datetime.now(UTC) + skew
    with client_of(server) as client:
        assert client.get("/").status_code == status


def test_a_request_that_is_sent_again_has_a_new_date_and_no_header_twice(server: Loopback) -> None:
    server.misbehave(Status(503))
    seconds = count()
    start = datetime.now(UTC)
    auth = OciAuth(FixedIdentity(FIRST), now=lambda: start + timedelta(seconds=next(seconds)))
    with httpx.Client(base_url=server.base_url, auth=auth) as client:
        request = client.build_request("POST", "/api?x=a+b", json={"a": "é"})
        assert [client.send(request).status_code for _ in range(3)] == [503, 200, 200]
        names = [name.lower() for name, _ in request.headers.raw]
    assert len(names) == len(set(names))
    assert len({seen.headers["date"] for seen in server.requests}) == 3
    assert len({seen.headers["authorization"] for seen in server.requests}) == 3


def test_a_refused_api_key_is_not_tried_again(server: Loopback) -> None:
    with client_of(server, OTHER) as client:
        assert client.get("/").status_code == 401
    assert len(server.requests) == 1


def test_no_repr_holds_the_key_or_its_name() -> None:
    shown = f"{FIRST!r} {OciIdentity('ST$planted', rsa_key())!r} {OciAuth(FixedIdentity(FIRST))!r}"
    assert "planted" not in shown
    assert "PRIVATE" not in shown
