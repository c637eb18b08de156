from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sqlprovider.catalog.model import Place
from sqlprovider.config import AuthSpec, ConnectionConfig
from sqlprovider.errors import ConfigError, ProgrammingError
from sqlprovider.execute.address import resolve_base_url
from tests.execute.build import make_method, make_operation, make_provider, make_service, parameters

VENDOR = "https://{locationsId}-api.example.com"


def resolved(
    base_url: str | Mapping[str, str] | None = None,
    *,
    vendor: str | None = None,
    variable: str | None = None,
    environ: Mapping[str, str] | None = None,
    arguments: Mapping[str, Any] | None = None,
    service: Mapping[str, Any] | None = None,
    **connection: Any,
) -> str:
    operation = make_operation(make_method(takes=parameters(Place.PATH, "locationsId")), **(arguments or {}))
    return resolve_base_url(
        operation,
        ConnectionConfig("c", "p", base_url=base_url, **connection),
        provider=make_provider(base_url_env=variable),
        service=make_service(base_url=vendor, **(service or {})),
        environ=environ or {},
    )


@pytest.mark.parametrize(
    ("options", "address"),
    [
        pytest.param({"base_url": "https://a/x/"}, "https://a/x", id="configured"),
        pytest.param(
            {"base_url": {"S": "https://a"}, "vendor": "https://v"}, "https://a", id="for the service"
        ),
        pytest.param({"base_url": {"t": "https://a"}, "vendor": "https://v"}, "https://v", id="for another"),
        pytest.param(
            {"variable": "U", "environ": {"U": "https://e"}, "vendor": "https://v"},
            "https://e",
            id="environment",
        ),
        pytest.param(
            {"variable": "U", "environ": {"U": " "}, "vendor": "https://v"}, "https://v", id="empty"
        ),
        pytest.param(
            {"base_url": "https://a", "variable": "U", "environ": {"U": "https://e"}}, "https://a", id="first"
        ),
    ],
)
def test_the_configuration_comes_before_the_environment_and_both_before_the_vendor(
    options: dict[str, Any], address: str
) -> None:
    assert resolved(**options) == address


def test_no_address_names_the_key_to_set() -> None:
    with pytest.raises(ConfigError, match="no base_url for s") as caught:
        resolved()
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("--set c.base_url.s=")


def test_no_address_names_the_variable_that_may_hold_it() -> None:
    with pytest.raises(ConfigError, match="TRACKING_URI is not set") as caught:
        resolved(variable="TRACKING_URI")
    assert caught.value.hint == "--set c.base_url=http://127.0.0.1:5000"


@pytest.mark.parametrize(
    ("arguments", "connection", "host"),
    [
        pytest.param({"locationsId": "us-central1"}, {}, "us-central1", id="argument"),
        pytest.param({}, {"defaults": {"locationsId": "europe-west4"}}, "europe-west4", id="default"),
        pytest.param({"locationsId": "a"}, {"defaults": {"locationsId": "b"}}, "a", id="argument first"),
    ],
)
def test_a_placeholder_is_filled(arguments: dict[str, Any], connection: dict[str, Any], host: str) -> None:
    assert resolved(vendor=VENDOR, arguments=arguments, **connection) == f"https://{host}-api.example.com"


def test_the_region_fills_its_placeholder() -> None:
    assert resolved("https://dlc.{region}.example.com", region="cn-x") == "https://dlc.cn-x.example.com"


@pytest.mark.parametrize(
    "value", ["evil.com/", "a.b", "a@b", "a:80", "", "-a", "a-", "a" * 64, "ä", "a#", "a b", "a\n", 7]
)
def test_a_host_never_comes_from_data(value: object) -> None:
    with pytest.raises(ProgrammingError, match="locationsId"):
        resolved(vendor=VENDOR, arguments={"locationsId": value})


def test_a_placeholder_that_nothing_fills_names_the_key_to_set() -> None:
    with pytest.raises(ConfigError, match=r"nothing gives \{locationsId\}") as caught:
        resolved(vendor=VENDOR)
    assert caught.value.hint == "--set c.defaults.locationsId=…"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:5000", "http://localhost", "http://[::1]:8", "http://127.1.2.3"]
)
def test_plain_http_is_taken_for_loopback(url: str) -> None:
    assert resolved(url) == url


def test_plain_http_elsewhere_needs_insecure() -> None:
    with pytest.raises(ConfigError, match="loopback"):
        resolved("http://mlflow.example.com")
    assert resolved("http://mlflow.example.com", insecure=True) == "http://mlflow.example.com"


def test_plain_http_is_refused_in_the_environment_too() -> None:
    with pytest.raises(ConfigError, match="variable U is plain http"):
        resolved(variable="U", environ={"U": "http://mlflow.example.com"})


@pytest.mark.parametrize(
    "url", ["sqlite:///x", "databricks", "https://user:pa55word@h", "https://h/?a=1", "https://"]
)
def test_what_is_no_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolved(variable="U", environ={"U": url})
    assert "pa55word" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "service", "address"),
    [
        pytest.param(
            {"locationsId": "us"},
            {"endpoints": {"us": "https://us.x"}},
            "https://us.x",
            id="a place of its own",
        ),
        pytest.param(
            {"locationsId": "eu"},
            {"endpoints": {"us": "https://us.x"}},
            "https://eu-api.example.com",
            id="another place",
        ),
        pytest.param(
            {"locationsId": "eu"},
            {"global_url": "https://all.x"},
            "https://eu-api.example.com",
            id="a place is asked",
        ),
    ],
)
def test_a_vendor_may_have_addresses_of_places(
    arguments: dict[str, Any], service: dict[str, Any], address: str
) -> None:
    assert resolved(vendor=VENDOR, arguments=arguments, service=service) == address


def test_a_method_of_no_place_goes_to_the_address_of_none() -> None:
    service = make_service(base_url=VENDOR, global_url="https://all.x")
    operation = make_operation(make_method(takes={}))
    config = ConnectionConfig("c", "p", defaults={"locationsId": "eu"})
    found = resolve_base_url(operation, config, provider=make_provider(), service=service, environ={})
    assert found == "https://all.x"


def test_the_region_is_the_connections_else_the_profiles(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    profile = {"name": "p", "mode": "AK", "access_key_id": "i", "access_key_secret": "s", "region_id": "cn-x"}
    file.write_text(json.dumps({"current": "p", "profiles": [profile]}), encoding="utf-8")
    auth = AuthSpec("profile", {"file": str(file)})
    assert resolved(vendor="https://{region}.x", auth=auth) == "https://cn-x.x"
    assert resolved(vendor="https://{region}.x", auth=auth, region="cn-y") == "https://cn-y.x"
