"""Oracle's own code beside ours: it signs our requests again, believes them, and is believed by our judge."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sqlprovider.auth.oci import api_key_auth, security_token_auth
from tests.auth.hostile import VALUES, wire_path, wire_query
from tests.auth.oci_home import API_KEY, FINGERPRINT, KEY_ID, TENANCY, USER, Home, api_key_home, pem, rsa_key
from tests.auth.oci_server import Guarded
from tests.fakes.loopback import Loopback

pytestmark = pytest.mark.slow

BODIED = ("POST", "PUT", "PATCH")
METHODS = ("GET", "HEAD", "DELETE", *BODIED)
HOST = "https://datalake.us-phoenix-1.oci.oraclecloud.com"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return api_key_home(tmp_path)


@pytest.fixture
def server() -> Iterator[Loopback]:
    public = rsa_key().public_key()
    with Loopback(Guarded({KEY_ID: public, "ST$t0ken": public})) as server:
        yield server


def sdk(name: str) -> ModuleType:
    """A module of the vendor's, which has no annotations."""
    return import_module(f"oci.{name}")


def sdk_signer() -> Any:
    content = pem(rsa_key()).decode()
    return sdk("signer").Signer(TENANCY, USER, FINGERPRINT, "", private_key_content=content)


def signed_again(request: httpx.Request, signer: Any) -> Any:
    """The request as the vendor's client would send it, with our date and content type."""
    import requests

    given = {name: request.headers[name] for name in ("date", "content-type") if name in request.headers}
    prepared = requests.Request(
        request.method, str(request.url), data=request.content or None, headers=given
    ).prepare()
    assert prepared.path_url.encode() == request.url.raw_path
    return signer(prepared)


def ours(home: Home, method: str, target: str, content: bytes | None = None) -> httpx.Request:
    kind = {"content-type": "application/json"} if content is not None else {}
    request = httpx.Request(method, HOST + target, content=content, headers=kind)
    return next(api_key_auth({}, home.environ).sync_auth_flow(request))


def body_of(method: str, value: str) -> bytes | None:
    return f'{{"name":"{value}"}}'.encode() if method in BODIED else None


@pytest.mark.parametrize("value", [pytest.param(value, id=name) for name, value in VALUES.items()])
@pytest.mark.parametrize("method", METHODS)
def test_our_signature_is_the_one_that_the_vendors_signer_gives(home: Home, method: str, value: str) -> None:
    request = ours(home, method, f"{wire_path(value)}?{wire_query(value)}", body_of(method, value))
    theirs = signed_again(request, sdk_signer())
    assert request.headers["authorization"] == theirs.headers["authorization"]


@pytest.mark.parametrize("method", METHODS)
def test_a_request_without_a_body_is_signed_as_the_vendors_signer_does(home: Home, method: str) -> None:
    request = ours(home, method, "/20260430/x/actions/stop")
    theirs = signed_again(request, sdk_signer())
    # Their DELETE says that it has a length of 0, and does not sign it.
    names = ("content-length", "content-type", "x-content-sha256") if method in BODIED else ()
    for name in ("date", "authorization", *names):
        assert request.headers[name] == theirs.headers[name]


@pytest.mark.parametrize("value", [pytest.param(value, id=name) for name, value in VALUES.items()])
@pytest.mark.parametrize("method", METHODS)
def test_the_vendors_verifier_believes_us(home: Home, method: str, value: str) -> None:
    request = ours(home, method, f"{wire_path(value)}?{wire_query(value)}", body_of(method, value))
    public = rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def believes(target: str) -> bool:
        verifier = sdk("_vendor.httpsig_cffi.verify").HeaderVerifier(
            dict(request.headers),
            public.decode(),
            required_headers=["date", "(request-target)", "host"],
            method=method,
            path=target,
        )
        return bool(verifier.verify())

    target = request.url.raw_path.decode()
    assert believes(target)
    assert not believes(f"{target}x")


def test_a_session_signs_as_the_vendors_session_does(home: Home) -> None:
    home.session("t0ken", rsa_key())
    request = httpx.Request("POST", f"{HOST}/a?b=c+d", json={"a": "é"})
    next(security_token_auth({}, home.environ).sync_auth_flow(request))
    theirs = signed_again(request, sdk("auth.signers").SecurityTokenSigner("t0ken", rsa_key()))
    assert request.headers["authorization"] == theirs.headers["authorization"]


def test_the_vendors_reader_takes_the_same_profile(home: Home) -> None:
    profile = {**API_KEY, "region": "us-phoenix-1", "key_file": f"{home.path}/.oci/key.pem"}
    path = home.config({"DEFAULT": profile})
    signer = sdk("signer").Signer.from_config(sdk("config").from_file(str(path)))
    assert f'keyId="{signer.api_key}"' in ours(home, "GET", "/").headers["authorization"]


def sdk_config(home: Home) -> dict[str, str]:
    return {
        "tenancy": TENANCY,
        "user": USER,
        "fingerprint": FINGERPRINT,
        "key_file": f"{home.path}/.oci/key.pem",
        "region": "us-phoenix-1",
    }


@pytest.mark.parametrize("value", [pytest.param(value, id=name) for name, value in VALUES.items()])
def test_the_judge_believes_the_vendors_client(server: Loopback, home: Home, value: str) -> None:
    platform = sdk("ai_data_platform")
    client = platform.AiDataPlatformClient(sdk_config(home), service_endpoint=server.base_url)
    client.list_ai_data_platforms(compartment_id=value, display_name=value)
    client.get_work_request("w")
    client.update_ai_data_platform("p", platform.models.UpdateAiDataPlatformDetails(display_name=value))
    client.delete_ai_data_platform("p")
    assert [seen.method for seen in server.requests] == ["GET", "GET", "PUT", "DELETE"]


@pytest.mark.parametrize("value", [pytest.param(value, id=name) for name, value in VALUES.items()])
def test_the_judge_believes_the_client_of_the_data_plane(server: Loopback, home: Home, value: str) -> None:
    plane = import_module("aidp_python_client.aidataplatform_dp")
    client = plane.MLOpsClient(sdk_config(home), service_endpoint=server.base_url)
    client.get_model_version("p", value, "1")
    client.create_experiment("p", "w", plane.models.CreateExperimentDetails(name=value))
    assert [seen.method for seen in server.requests] == ["GET", "POST"]


def test_the_judge_believes_the_vendors_client_with_a_session(server: Loopback, home: Home) -> None:
    platform = sdk("ai_data_platform")
    signer = sdk("auth.signers").SecurityTokenSigner("t0ken", rsa_key())
    client = platform.AiDataPlatformClient({}, signer=signer, service_endpoint=server.base_url)
    assert client.list_ai_data_platforms(compartment_id="c").status == 200


def test_the_judge_does_not_believe_the_vendors_client_with_another_key(server: Loopback, home: Home) -> None:
    platform = sdk("ai_data_platform")
    home.file("key.pem", pem(rsa_key("other")))
    client = platform.AiDataPlatformClient(sdk_config(home), service_endpoint=server.base_url)
    with pytest.raises(sdk("exceptions").ServiceError) as caught:
        client.list_ai_data_platforms(compartment_id="c")
    assert (caught.value.status, caught.value.code) == (401, "NotAuthenticated")
