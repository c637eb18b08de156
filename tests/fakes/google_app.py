"""The shell of every stand-in for one of Google's APIs: log, faults, bearer token, projects, errors."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from tests.fakes.faults import Fault, first_hit, spoiled
from tests.fakes.google_api import ApiError, error_response, status_of
from tests.fakes.google_state import GoogleState
from tests.fakes.wsgi import RecordedRequest, Response, give, read_request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SYSTEM_PARAMETERS = frozenset(
    {"$.xgafv", "$alt", "$prettyPrint", "access_token", "alt", "callback", "fields", "key", "oauth_token"}
    | {"prettyPrint", "quotaUser", "uploadType", "upload_protocol"}
)
Dispatch = Callable[[RecordedRequest, int | None], Response]
"""Carries a request out; the number is a fault's: at most so many rows on this page. May raise ApiError."""


def google_app(state: GoogleState, dispatch: Dispatch, *, token: str | None = None) -> WSGIApplication:
    """A service over that state. With a token, requests must carry it as bearer."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = read_request(environ)
        with state.lock:
            state.requests.append(request)
            fault = first_hit(state.faults, request, state.page_number(_sent_token(request)))
        if fault is not None and fault.delay:
            state.sleep(fault.delay)
        with state.lock:
            return give(_answer(dispatch, request, token, fault), start_response)

    return app


def check_permission(state: GoogleState, name: str, *, host: str) -> None:
    """Refuse the projects that are closed to this caller. `name` begins with `projects/{id}`."""
    root, _, rest = name.partition("/")
    project = rest.partition("/")[0]
    if root == "projects" and project in state.forbidden:
        raise ApiError(
            "PERMISSION_DENIED",
            f"Permission denied on '//{host}/projects/{project}' (or it may not exist).",
            reason="IAM_PERMISSION_DENIED",
        )


def check_query(request: RecordedRequest, known: frozenset[str]) -> None:
    """Refuse a query parameter that the method does not have."""
    for key, _ in request.query:
        if key not in known | SYSTEM_PARAMETERS:
            raise ApiError(
                "INVALID_ARGUMENT",
                f'Invalid JSON payload received. Unknown name "{key}": Cannot bind query parameter. '
                "Field could not be found in request message.",
            )


def _answer(dispatch: Dispatch, request: RecordedRequest, token: str | None, fault: Fault | None) -> Response:
    if fault is not None and fault.status is not None and not fault.applied:
        return _spoilt(_failure(fault, fault.status), fault, request)
    try:
        _check_token(request, token)
        response = dispatch(request, None if fault is None else fault.rows)
    except ApiError as error:
        response = error.response
    if fault is None:
        return response
    return _spoilt(response if fault.status is None else _failure(fault, fault.status), fault, request)


def _failure(fault: Fault, status: int) -> Response:
    headers = () if fault.retry_after is None else (("Retry-After", fault.retry_after),)
    return error_response(status, status_of(status), "A fault that was asked for.", headers=headers)


def _spoilt(response: Response, fault: Fault, request: RecordedRequest) -> Response:
    if fault.spoil is None:
        return response
    return spoiled(response, fault.spoil, token_key="nextPageToken", sent_token=_sent_token(request))


def _sent_token(request: RecordedRequest) -> str:
    """A list's token is in the query; that of an export or a search is in the body."""
    if request.method != "POST":
        return request.value("pageToken")
    try:
        body = request.json()
    except ValueError:
        return ""
    token = body.get("pageToken") if isinstance(body, dict) else None
    return token if isinstance(token, str) else ""


def _check_token(request: RecordedRequest, token: str | None) -> None:
    if token is None:
        return
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.encode(), token.encode()):
        raise ApiError(
            "UNAUTHENTICATED",
            "Request had invalid authentication credentials. Expected OAuth 2 access token.",
            reason="ACCESS_TOKEN_TYPE_UNSUPPORTED" if given else "CREDENTIALS_MISSING",
        )
