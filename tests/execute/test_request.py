from __future__ import annotations

import json
import math
from typing import Any

import httpx
import pytest

from sqlprovider.catalog.model import Method, Parameter, Place
from sqlprovider.errors import InternalError, ProgrammingError
from sqlprovider.execute.request import build_poll, build_request
from sqlprovider.values import JSON, Type
from tests.execute.build import make_method, make_operation, parameters

BASE = "http://127.0.0.1:9"


def built(
    method: Method, *, body: JSON = None, page: dict[str, JSON] | None = None, **arguments: Any
) -> httpx.Request:
    return build_request(
        make_operation(method, body=body, **arguments), base_url=BASE, page=page, version="v1"
    )


def path_of(value: JSON) -> str:
    method = make_method(path="/v1/runs/{runsId}:stop", takes=parameters(Place.PATH, "runsId"))
    return built(method, runsId=value).url.raw_path.decode()


def query_of(value: JSON, **options: Any) -> str:
    return built(make_method(takes=parameters(Place.QUERY, "q", **options)), q=value).url.query.decode()


def body_of(method: Method, *, body: JSON = None, **arguments: Any) -> Any:
    return json.loads(built(method, body=body, **arguments).content)


@pytest.mark.parametrize(
    ("value", "segment"),
    [
        pytest.param("r1", "r1", id="plain"),
        pytest.param("a/b", "a%2Fb", id="slash"),
        pytest.param("a?b#c", "a%3Fb%23c", id="query and fragment"),
        pytest.param("a:cancel", "a%3Acancel", id="custom verb"),
        pytest.param("50%25", "50%2525", id="already encoded"),
        pytest.param("%2e%2e", "%252e%252e", id="encoded dots"),
        pytest.param("a b", "a%20b", id="space"),
        pytest.param("ä", "%C3%A4", id="UTF-8"),
        pytest.param("{runsId}", "%7BrunsId%7D", id="placeholder"),
        pytest.param("a\r\nb", "a%0D%0Ab", id="line end"),
        pytest.param(12, "12", id="integer"),
        pytest.param(True, "true", id="boolean"),
    ],
)
def test_a_path_segment_is_encoded_whole(value: JSON, segment: str) -> None:
    assert path_of(value) == f"/v1/runs/{segment}:stop"


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_a_segment_that_changes_the_path_is_refused(value: str) -> None:
    with pytest.raises(ProgrammingError, match="runsId cannot be"):
        path_of(value)


@pytest.mark.parametrize("value", [None, ["a"], {"a": 1}])
def test_a_segment_must_be_one_value(value: JSON) -> None:
    with pytest.raises(ProgrammingError, match="runsId"):
        path_of(value)


def test_the_version_in_force_stands_in_the_path() -> None:
    assert built(make_method(path="/{version}/runs")).url.path == "/v1/runs"


def test_a_base_url_may_have_a_path_of_its_own() -> None:
    request = build_request(make_operation(make_method()), base_url="https://h/prefix")
    assert str(request.url) == "https://h/prefix/v1/runs"


@pytest.mark.parametrize(
    ("value", "options", "query"),
    [
        pytest.param("a b&c=d", {}, "q=a%20b%26c%3Dd", id="encoded"),
        pytest.param("a+b", {}, "q=a%2Bb", id="plus"),
        pytest.param("", {}, "q=", id="empty text"),
        pytest.param(True, {}, "q=true", id="true"),
        pytest.param(False, {}, "q=false", id="false"),
        pytest.param(7, {}, "q=7", id="integer"),
        pytest.param(0.5, {}, "q=0.5", id="float"),
        pytest.param(math.nan, {}, "q=NaN", id="NaN"),
        pytest.param(["a", "b"], {"repeated": True}, "q=a&q=b", id="repeated"),
        pytest.param("a", {"repeated": True}, "q=a", id="list of one"),
        pytest.param([], {"repeated": True}, "", id="empty list"),
        pytest.param(["a", True], {"repeated": True, "join": "comma"}, "q=a%2Ctrue", id="comma"),
        pytest.param(["a", 1], {"repeated": True, "join": "json"}, "q=%5B%22a%22%2C1%5D", id="json"),
        pytest.param({"k": "ä"}, {"join": "json"}, "q=%7B%22k%22%3A%22%C3%A4%22%7D", id="json object"),
        pytest.param(None, {}, "", id="unset"),
    ],
)
def test_query_parameters_are_serialised_as_the_document_says(
    value: JSON, options: dict[str, Any], query: str
) -> None:
    assert query_of(value, **options) == query


def test_the_wire_name_is_what_is_sent() -> None:
    takes = {"retry_token": Parameter("retry_token", "opc-retry[]", Place.QUERY)}
    assert built(make_method(takes=takes), retry_token="x").url.query == b"opc-retry%5B%5D=x"


def test_page_parameters_replace_the_arguments_of_their_name() -> None:
    method = make_method(takes=parameters(Place.QUERY, "token", "size"))
    assert built(method, page={"token": "2", "size": 9}, token="1").url.query == b"token=2&size=9"


def test_page_parameters_may_stand_in_the_body() -> None:
    method = make_method("POST", takes=parameters(Place.BODY, "token"))
    assert built(method, page={"token": "2"}).content == b'{"token":"2"}'


def test_a_header_parameter_is_a_header() -> None:
    takes = {"if_match": Parameter("if_match", "if-match", Place.HEADER)}
    assert built(make_method(takes=takes), if_match="e1").headers["If-Match"] == "e1"


@pytest.mark.parametrize("value", ["a\r\nX-Admin: 1", "a\nb", "a\0b", "a\x7f"])
def test_a_header_takes_no_control_characters(value: str) -> None:
    with pytest.raises(ProgrammingError, match="if_match"):
        built(make_method(takes=parameters(Place.HEADER, "if_match")), if_match=value)


def test_body_parameters_go_to_their_places() -> None:
    takes = {
        "name": Parameter("name", "displayName", Place.BODY),
        "lr": Parameter("lr", "lr", Place.BODY, at=("spec", "params", "lr")),
        "seed": Parameter("seed", "seed", Place.BODY, at=("spec", "seed")),
        "ids": Parameter("ids", "ids", Place.BODY, repeated=True),
    }
    sent = body_of(make_method("POST", takes=takes), name="n", lr=0.1, seed=1, ids="x")
    assert sent == {"displayName": "n", "spec": {"params": {"lr": 0.1}, "seed": 1}, "ids": ["x"]}


def test_a_template_takes_arguments_and_leaves_out_unset_ones_with_their_keys() -> None:
    template: JSON = {
        "run": {"id": "$id", "tags": "$tags", "kind": "x"},
        "extra": {"note": "$note"},
        "none": None,
    }
    method = make_method("POST", takes=parameters(Place.BODY, "id", "tags", "note"), body=template)
    assert body_of(method, id="r", tags=[{"key": "a"}]) == {
        "run": {"id": "r", "tags": [{"key": "a"}], "kind": "x"},
        "none": None,
    }


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        pytest.param({"key": "k", "value": 0}, {"metrics": [{"key": "k", "value": 0}]}, id="whole"),
        pytest.param({"key": "k"}, {"metrics": [{"key": "k"}]}, id="in part"),
        pytest.param({}, {}, id="nothing given"),
    ],
)
def test_a_list_in_a_template(arguments: dict[str, JSON], sent: JSON) -> None:
    template: JSON = {"metrics": [{"key": "$key", "value": "$value"}]}
    method = make_method("POST", takes=parameters(Place.BODY, "key", "value"), body=template)
    assert body_of(method, **arguments) == sent


def test_a_template_may_be_a_list_itself() -> None:
    method = make_method("POST", takes=parameters(Place.BODY, "a", "b"), body=["$a", "$b", "c"])
    assert body_of(method, a=1) == [1, "c"]


def test_a_template_may_name_a_path_parameter() -> None:
    takes = {**parameters(Place.PATH, "id"), **parameters(Place.BODY, "note")}
    method = make_method("POST", "/v1/{id}", takes=takes, body={"parent": "$id", "cost": "$5"})
    assert body_of(method, id="r", note="n") == {"parent": "r", "cost": "$5", "note": "n"}


def test_the_body_of_exec_is_merged_with_arguments_of_the_body() -> None:
    takes = {"a": Parameter("a", "a", Place.BODY, at=("x", "a")), **parameters(Place.BODY, "list")}
    body: JSON = {"x": {"a": 0, "b": 2}, "list": [1, 2], "kept": None}
    assert body_of(make_method("POST", takes=takes), body=body, a=1, list=[3]) == {
        "x": {"a": 1, "b": 2},
        "list": [3],
        "kept": None,
    }


def test_the_body_of_exec_is_sent_as_it_is_where_nothing_is_added() -> None:
    method = make_method("POST", takes=parameters(Place.BODY, "a"), body={"a": "$a"})
    assert body_of(method, body=[1, {"b": None}]) == [1, {"b": None}]


def test_arguments_cannot_be_added_to_a_body_that_is_a_list() -> None:
    with pytest.raises(ProgrammingError, match="no JSON object"):
        built(make_method("POST", takes=parameters(Place.BODY, "a")), body=[1], a=1)


def test_bodies_are_compact_and_raw_utf8() -> None:
    request = built(make_method("POST", takes=parameters(Place.BODY, "a", "b")), a="ä☃", b=[1, 2])
    assert request.content == '{"a":"ä☃","b":[1,2]}'.encode()
    assert request.headers["Content-Type"] == "application/json"


def test_numbers_that_json_lacks_go_out_as_text() -> None:
    method = make_method("POST", takes=parameters(Place.BODY, "v", type=Type.JSON))
    values: JSON = [math.nan, math.inf, {"x": -math.inf}, 1.5]
    assert built(method, v=values).content == b'{"v":["NaN","Infinity",{"x":"-Infinity"},1.5]}'


@pytest.mark.parametrize(
    ("http_method", "place", "sent"),
    [
        pytest.param("POST", Place.QUERY, b"{}", id="a question by POST"),
        pytest.param("PATCH", Place.BODY, b"{}", id="a PATCH that takes a body"),
        pytest.param("PATCH", Place.QUERY, b"", id="a PATCH that takes none"),
        pytest.param("GET", Place.QUERY, b"", id="GET"),
        pytest.param("DELETE", Place.BODY, b"", id="DELETE"),
    ],
)
def test_a_request_with_nothing_to_say_in_its_body(http_method: str, place: Place, sent: bytes) -> None:
    assert built(make_method(http_method, takes=parameters(place, "a"))).content == sent


@pytest.mark.parametrize("place", [Place.PATH, Place.QUERY, Place.HEADER, Place.BODY])
def test_text_that_is_not_unicode_is_refused(place: Place) -> None:
    with pytest.raises(ProgrammingError, match="not valid Unicode"):
        built(
            make_method("POST", "/v1/{a}" if place is Place.PATH else "/v1", takes=parameters(place, "a")),
            a="\ud800",
        )


def test_a_url_beyond_all_measure_is_refused_before_sending() -> None:
    with pytest.raises(ProgrammingError, match="URL would have 70018 characters"):
        query_of("x" * 69_989)


def test_the_poll_quotes_each_segment_of_the_name() -> None:
    request = build_poll("/{version}/{name}", base_url=BASE, name="projects/p/operations/1?a b", version="v1")
    assert str(request.url) == f"{BASE}/v1/projects/p/operations/1%3Fa%20b"


def test_the_poll_never_leaves_its_path() -> None:
    with pytest.raises(ProgrammingError):
        build_poll("/{version}/{name}", base_url=BASE, name="../../admin", version="v1")


def test_an_argument_may_go_by_its_wire_name() -> None:
    takes = {"retry_token": Parameter("retry_token", "opc-retry", Place.QUERY)}
    arguments: dict[str, Any] = {"opc-retry": "x"}
    assert built(make_method(takes=takes), **arguments).url.query == b"opc-retry=x"


def test_an_argument_that_the_method_does_not_take_is_our_fault() -> None:
    with pytest.raises(InternalError, match="list has no parameter 'nope'"):
        built(make_method(), nope=1)
