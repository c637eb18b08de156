"""PAI-DLC as documented: every operation is there, regions have addresses, columns are the models' fields."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from importlib import import_module

import httpx
import pytest

from sqlprovider.catalog.load import load_provider
from sqlprovider.catalog.model import Method, Resource, Role
from sqlprovider.config import load_config
from sqlprovider.errors import ConfigError
from sqlprovider.session import Session, provider_names
from sqlprovider.values import JSON
from tests.contracts.sdk_paidlc import model_fields
from tests.fakes.paidlc import OPERATIONS, PaidlcState, paidlc_app, paidlc_small
from tests.paidlc import AUTH, ENVIRON
from tests.vertex import RawTarget

SERVICE = load_provider("alibaba", {}).services["paidlc"]
METHODS: list[tuple[Resource, Method]] = [
    (resource, method) for resource in SERVICE.resources.values() for method in resource.methods.values()
]


def asked(region: str | None, *, auth: JSON = None) -> list[httpx.Request]:
    """The requests that a read of the jobs makes, on a connection in that region."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"Jobs": [], "TotalCount": 0})

    connection: dict[str, JSON] = {"auth": auth or AUTH}
    if region is not None:
        connection["region"] = region
    config = load_config({"connections": {"alibaba": connection}}, environ={}, providers=provider_names())
    with closing(Session(config, transport=httpx.MockTransport(answer), environ=ENVIRON)) as session:
        (result,) = session.run("SELECT count(*) FROM alibaba.paidlc.jobs")
        assert list(result.rows) == [(0,)]
    return requests


def wire_names(resource: Resource, roles: Iterable[Role] = (Role.PARAMETER, Role.ITEM)) -> set[str]:
    """The fields of the item that the columns are."""
    return {column.path[0] for column in resource.columns if column.role in roles and column.path}


def test_every_operation_is_a_method() -> None:
    reached = {method.headers["x-acs-action"] for _, method in METHODS}
    assert reached == OPERATIONS.keys()
    assert len(reached) == 43


@pytest.mark.parametrize(
    ("resource", "method"), METHODS, ids=lambda found: str(getattr(found, "name", found))
)
def test_a_method_is_its_operation(resource: Resource, method: Method) -> None:
    operation = OPERATIONS[method.headers["x-acs-action"]]
    assert (method.http_method, method.path) == (operation.method, operation.path)
    assert method.headers["x-acs-version"] == "2020-12-03"
    for parameter in method.parameters.values():
        name = parameter.wire_name.partition(".")[0]
        known = {"query": operation.query, "body": operation.body, "path": frozenset([name])}
        assert name in known[parameter.place.value] or parameter.at[:1] == ("Target",), parameter.name


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("cn-hangzhou", "pai-dlc.cn-hangzhou.aliyuncs.com"),
        ("ap-southeast-1", "pai-dlc.ap-southeast-1.aliyuncs.com"),
        ("eu-west-1", "pai-dlc.aliyuncs.com"),
        ("cn-chengdu", "pai-dlc.aliyuncs.com"),
    ],
)
def test_the_region_selects_the_address(region: str, host: str) -> None:
    (request,) = asked(region)
    assert (request.url.scheme, request.url.host) == ("https", host)
    assert request.headers["host"] == host


def test_without_a_region_the_line_that_gives_one_is_told() -> None:
    with pytest.raises(ConfigError, match="region") as caught:
        asked(None)
    assert caught.value.hint == "--set alibaba.region=…"


def test_a_region_is_no_way_to_another_host() -> None:
    with pytest.raises(ConfigError, match="must be a region's name"):
        asked("evil.example.com/?")


def test_a_bearer_token_is_sent_as_it_is() -> None:
    (request,) = asked("cn-hangzhou", auth={"type": "bearer", "env": "PAI_SECRET"})
    assert request.headers["x-acs-bearer-token"] == ENVIRON["PAI_SECRET"]
    assert "authorization" not in request.headers


def test_action_and_version_are_signed() -> None:
    (request,) = asked("cn-hangzhou")
    assert (request.headers["x-acs-action"], request.headers["x-acs-version"]) == ("ListJobs", "2020-12-03")
    signed = request.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert {"x-acs-action", "x-acs-version"} <= set(signed)


@pytest.mark.parametrize(
    ("path", "headers", "code"),
    [
        pytest.param("/api/v1/nothing", {}, "InvalidAction.NotFound", id="no such path"),
        pytest.param("/api/v1/jobs", {"x-acs-version": "2019-01-01"}, "InvalidVersion", id="version"),
        pytest.param("/api/v1/jobs", {"x-acs-action": "ListTensorboards"}, "InvalidAction", id="action"),
        pytest.param("/api/v1/jobs?Colour=red", {}, "InvalidParameter", id="unknown parameter"),
        pytest.param("/api/v1/jobs?PageNumber=0", {}, "InvalidParameter", id="page"),
        pytest.param("/api/v1/jobs?StartTime=2020-01-01", {}, "InvalidParameter", id="time"),
        pytest.param("/api/v1/jobs/dlc-99", {"x-acs-action": "GetJob"}, "NotFound", id="no such job"),
    ],
)
def test_the_stand_in_refuses_what_is_wrong(path: str, headers: dict[str, str], code: str) -> None:
    sent = {"x-acs-version": "2020-12-03", "x-acs-action": "ListJobs", **headers}
    with httpx.Client(transport=RawTarget(paidlc_app(paidlc_small()))) as client:
        answer = client.get(f"http://127.0.0.1:9{path}", headers=sent)
    assert answer.json()["Code"] == code
    assert answer.json()["RequestId"] == answer.headers["x-acs-request-id"]


def test_the_stand_in_refuses_a_nonce_that_was_used() -> None:
    state = PaidlcState(keys={ENVIRON["PAI_ID"]: ENVIRON["PAI_SECRET"]})
    (request,) = asked("cn-hangzhou")
    with httpx.Client(transport=RawTarget(paidlc_app(state))) as client:
        codes = [client.send(request).status_code for _ in range(2)]
    assert codes == [200, 400]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("resource", "model", "left_out"),
    [
        # RequestId is of the call.
        ("tensorboards", "Tensorboard", {"RequestId"}),
        ("jobs", "JobItem", set()),
        ("job_details", "GetJobResponseBody", {"RequestId"}),
        ("pods", "GetJobResponseBodyPods", set()),
        ("job_templates", "ListJobTemplatesResponseBodyJobTemplates", set()),
        ("job_template_versions", "GetJobTemplateResponseBodyVersions", set()),
        ("ray_history_servers", "GetRayHistoryServerResponseBody", set()),
        ("signals", "ListSignalsResponseBodySignals", set()),
        ("ecs_specs", "EcsSpec", set()),
        ("sanity_check_results", "SanityCheckResultItem", set()),
        ("dashboards", "GetDashboardResponseBody", set()),
        ("ray_dashboards", "GetRayDashboardResponseBody", set()),
        ("tokens", "GetTokenResponseBody", {"RequestId"}),
        ("metrics", "GetMetricsResponseBody", {"RequestId", "NextToken"}),
    ],
)
def test_the_columns_are_the_fields_of_the_vendor_s_model(
    resource: str, model: str, left_out: set[str]
) -> None:
    assert wire_names(SERVICE.resources[resource]) == model_fields(model) - left_out


@pytest.mark.slow
def test_every_address_is_the_one_that_the_vendor_s_client_takes() -> None:
    client = import_module("alibabacloud_pai_dlc20201203.client").Client
    models = import_module("alibabacloud_tea_openapi.utils_models")

    def official(region: str) -> str:
        given = models.Config(region_id=region, access_key_id="a", access_key_secret="b")
        return f"https://{client(given)._endpoint}"

    template = SERVICE.base_url or ""
    regions = [*SERVICE.endpoints, "cn-hangzhou", "cn-shanghai", "ap-northeast-1", "us-west-1"]
    ours = {region: SERVICE.endpoints.get(region, template.replace("{region}", region)) for region in regions}
    assert ours == {region: official(region) for region in regions}
    assert (
        SERVICE.endpoints.keys()
        == client(models.Config(region_id="x", access_key_id="a", access_key_secret="b"))._endpoint_map.keys()
    )
