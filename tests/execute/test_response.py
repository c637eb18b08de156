from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from sqlprovider.catalog.model import ErrorShape, Method, Pages
from sqlprovider.errors import (
    AuthError,
    BackendError,
    DataError,
    Error,
    IntegrityError,
    RateLimitedError,
)
from sqlprovider.execute.response import Page, clean, decode_page
from tests.execute.build import ERRORS, NOT_FOUND, list_method, make_method, make_operation, write_method

LIST = list_method(missing=True)
GOOGLE_LIKE = ErrorShape(
    ("error", "status"), ("error", "message"), missing=("NOT_FOUND",), exists=("ALREADY_EXISTS",)
)


def answered(
    content: bytes | str, status: int = 200, *, headers: Mapping[str, str] | None = None, **signed: str
) -> httpx.Response:
    request = httpx.Request("GET", "http://127.0.0.1/", headers=signed)
    return httpx.Response(status, content=content, headers=headers, request=request)


def decoded(body: object, method: Method = LIST, **options: Any) -> Page:
    return decode_page(make_operation(method), answered(json.dumps(body)), errors=ERRORS, **options)


def refused(body: object, status: int, *, errors: ErrorShape = ERRORS, **options: Any) -> Error:
    content = body if isinstance(body, str) else json.dumps(body)
    with pytest.raises(Error) as caught:
        decode_page(make_operation(LIST), answered(content, status, **options), errors=errors)
    return caught.value


def test_a_page_holds_its_items_and_the_whole_answer() -> None:
    page = decoded({"runs": [{"a": 1}], "next_page_token": "t"})
    assert (page.items, page.parents, page.answer) == (
        [{"a": 1}],
        None,
        {"runs": [{"a": 1}], "next_page_token": "t"},
    )


def test_a_page_holds_the_request_id_and_the_headers_that_page() -> None:
    method = make_method(pages=Pages("header", parameter="page", token=("opc-next-page",)))
    headers = {"X-Request-Id": "r1", "Opc-Next-Page": "t", "Other": "o"}
    page = decode_page(make_operation(method), answered("{}", headers=headers), errors=ERRORS, elapsed_ms=1.5)
    assert (page.request_id, page.headers, page.status, page.elapsed_ms) == (
        "r1",
        {"x-request-id": "r1", "opc-next-page": "t", "other": "o", "content-length": "2"},
        200,
        1.5,
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param("<!doctype html><p>Sign in</p>", "not_json", id="HTML"),
        pytest.param("  \n<html></html>", "not_json", id="HTML after blanks"),
        pytest.param('{"runs": [{"a": 1}, {"a"', "cut", id="cut in a list"),
        pytest.param('{"runs": [{"a": "te', "cut", id="cut in a text"),
        pytest.param("hello", "not_json", id="not JSON"),
        pytest.param('{"runs": []} {}', "not_json", id="two values"),
        pytest.param("", "empty_answer", id="empty"),
        pytest.param(" \n", "empty_answer", id="blank"),
        pytest.param("[]", "wrong_shape", id="a list"),
        pytest.param('"runs"', "wrong_shape", id="a text"),
        pytest.param("null", "wrong_shape", id="null"),
        pytest.param(b'{"runs": "\xff"}', "not_unicode", id="not UTF-8"),
        pytest.param(b'{"runs": [{"a": "\xed\xa0\x80"}]}', "not_unicode", id="a raw surrogate"),
        pytest.param('{"runs": [{"a": "\\ud800"}]}', "not_unicode", id="half a surrogate pair"),
        pytest.param("[" * 100_000, "not_json", id="nested without end"),
        pytest.param('{"runs": [{"a": ' + "1" * 5000 + "}]}", "not_json", id="a number without end"),
    ],
)
def test_a_body_that_cannot_be_read_is_a_data_error(content: bytes | str, reason: str) -> None:
    with pytest.raises(DataError) as caught:
        decode_page(make_operation(LIST), answered(content), errors=ERRORS)
    assert caught.value.reason == reason


def test_a_data_error_shows_nothing_of_the_body() -> None:
    with pytest.raises(DataError) as caught:
        decode_page(make_operation(LIST), answered("private!"), errors=ERRORS)
    assert "private" not in str(caught.value)


def test_a_surrogate_pair_is_text() -> None:
    page = decode_page(make_operation(LIST), answered('{"runs": [{"a": "\\ud83d\\ude00"}]}'), errors=ERRORS)
    assert page.items == [{"a": "😀"}]


def test_a_byte_order_mark_is_no_part_of_the_json() -> None:
    assert decode_page(make_operation(LIST), answered(b"\xef\xbb\xbf{}"), errors=ERRORS).items == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        pytest.param({"runs": {}}, "/runs", id="an object for a list"),
        pytest.param({"runs": "x"}, "/runs", id="a text for a list"),
        pytest.param({"runs": [{}, 1]}, "/runs/1", id="a number for an item"),
        pytest.param({"runs": [None]}, "/runs/0", id="null for an item"),
    ],
)
def test_a_rows_path_of_the_wrong_shape_is_named(body: object, pointer: str) -> None:
    with pytest.raises(DataError) as caught:
        decoded(body)
    assert caught.value.pointer == pointer


@pytest.mark.parametrize("content", [b"", b"{}"])
def test_a_write_may_answer_nothing(content: bytes) -> None:
    page = decode_page(make_operation(write_method()), answered(content), errors=ERRORS)
    assert (page.answer, page.items) == ({}, [{}])


@pytest.mark.parametrize(
    ("status", "code", "kind", "reason"),
    [
        pytest.param(401, "UNAUTHENTICATED", AuthError, "auth", id="401"),
        pytest.param(403, "PERMISSION_DENIED", AuthError, "auth", id="403"),
        pytest.param(409, "ABORTED", IntegrityError, "conflict", id="409"),
        pytest.param(412, "ETAG", IntegrityError, "precondition_failed", id="412"),
        pytest.param(
            400, "RESOURCE_ALREADY_EXISTS", IntegrityError, "already_exists", id="exists by its code"
        ),
        pytest.param(429, "RESOURCE_EXHAUSTED", RateLimitedError, "rate_limited", id="429"),
        pytest.param(400, "INVALID", BackendError, "backend", id="400"),
        pytest.param(500, "INTERNAL_ERROR", BackendError, "backend", id="500"),
        pytest.param(503, "UNAVAILABLE", BackendError, "backend", id="503"),
    ],
)
def test_an_error_status_is_an_error_of_its_kind(
    status: int, code: str, kind: type[Error], reason: str
) -> None:
    error = refused({"error_code": code, "message": "why"}, status, headers={"x-request-id": "r9"})
    assert type(error) is kind
    assert error.reason == reason
    assert vars(error).items() >= {"status": status, "code": code, "request_id": "r9"}.items()
    assert str(error) == f"{status} {code}: why (request id r9)"


def test_the_error_shape_may_be_nested() -> None:
    body = {"error": {"code": 409, "status": "ALREADY_EXISTS", "message": "there is one"}}
    error = refused(body, 409, errors=GOOGLE_LIKE)
    assert (str(error), error.reason) == ("409 ALREADY_EXISTS: there is one", "already_exists")


def test_a_rate_limit_says_how_long_to_wait() -> None:
    with pytest.raises(RateLimitedError) as caught:
        decode_page(make_operation(LIST), answered("{}", 429), errors=ERRORS, retry_after=7.0)
    assert caught.value.retry_after == 7.0


@pytest.mark.parametrize(
    "body", ["<html>Bad gateway</html>", "", "[]", {"detail": "secret detail"}, {"error_code": 1.5}]
)
def test_an_error_in_another_shape_shows_its_status_only(body: object) -> None:
    assert str(refused(body, 502)) == "502 Bad Gateway"


@pytest.mark.parametrize("status", [404, 405, 302])
def test_an_answer_of_something_else_asks_about_the_address(status: int) -> None:
    error = refused("<html></html>", status)
    assert "is base_url right?" in str(error)
    assert error.hint == "SELECT * FROM sqlprovider.connections"


def test_a_message_is_one_line_of_printable_text() -> None:
    error = refused({"error_code": "X", "message": "a\x1b[31m\r\nb\u2028c\0" + "y" * 9999}, 400)
    assert error.message.startswith("400 X: a [31m b c yyy")
    assert len(error.message) < 520


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("Bearer s3cret-token", id="token"),
        pytest.param("Basic YW5uOnMzY3JldC10b2tlbg==", id="password"),
    ],
)
def test_a_secret_that_the_api_repeats_is_not_shown(header: str) -> None:
    body = {"error_code": "X", "message": f"{header} means s3cret-token"}
    response = answered(json.dumps(body), 403, Authorization=header)
    with pytest.raises(AuthError) as caught:
        decode_page(make_operation(LIST), response, errors=ERRORS)
    assert "s3cret" not in str(caught.value)
    assert "YW5u" not in str(caught.value)


def test_the_apis_own_not_found_is_no_rows() -> None:
    page = decode_page(make_operation(LIST), answered(json.dumps(NOT_FOUND), 404), errors=ERRORS)
    assert (page.items, page.missing, page.status) == ([], True, 404)


@pytest.mark.parametrize(
    ("content", "options", "missing"),
    [
        pytest.param(json.dumps(NOT_FOUND), {"is_first": False}, True, id="on a later page"),
        pytest.param(json.dumps(NOT_FOUND), {}, False, id="where the document does not say so"),
        pytest.param("<html>404</html>", {}, True, id="in HTML"),
        pytest.param('{"detail": "Not Found"}', {}, True, id="in another shape"),
        pytest.param('{"error_code": "ENDPOINT_NOT_FOUND"}', {}, True, id="with another code"),
    ],
)
def test_another_not_found_is_an_error(content: str, options: dict[str, Any], missing: bool) -> None:
    with pytest.raises(BackendError, match="404"):
        decode_page(
            make_operation(list_method(missing=missing)), answered(content, 404), errors=ERRORS, **options
        )


def test_a_not_found_code_with_a_good_status_is_an_answer() -> None:
    assert not decoded(NOT_FOUND).missing


def test_clean_says_that_it_cut() -> None:
    assert clean("a" * 11, limit=10) == "a" * 10 + "…"


def test_a_status_that_has_no_name_is_shown_by_its_number() -> None:
    assert str(refused("", 599)) == "599 status"


def test_an_answer_to_no_request_has_no_secret_to_hide() -> None:
    response = httpx.Response(400, json={"error_code": "X", "message": "why"})
    with pytest.raises(BackendError, match="400 X: why"):
        decode_page(make_operation(LIST), response, errors=ERRORS)
