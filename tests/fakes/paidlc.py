"""A stand-in for Alibaba Cloud PAI-DLC 2020-12-03: one WSGI app over a PaidlcState.

It keeps state, counts pages, checks the ACS3 signature (by the vendor's own code), the action and the
version, refuses names that an operation does not have, and fails on demand. What the service does not
document (how large a page may be, which lines a cap keeps, the codes of most refusals) is chosen here: do
not rely on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from sqlprovider.values import JSON
from tests.fakes.acs3 import check_acs3
from tests.fakes.faults import Fault, first_hit, spoiled
from tests.fakes.paidlc_boards import HANDLERS as _OTHERS
from tests.fakes.paidlc_call import Call
from tests.fakes.paidlc_data import paidlc_small, rows
from tests.fakes.paidlc_jobs import HANDLERS as _JOBS
from tests.fakes.paidlc_lists import page_number
from tests.fakes.paidlc_operations import OPERATIONS, VERSION, Operation, find_operation
from tests.fakes.paidlc_state import ApiError, Object, PaidlcState
from tests.fakes.wsgi import RecordedRequest, Response, give, read_request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["OPERATIONS", "Fault", "PaidlcState", "paidlc_app", "paidlc_small", "rows"]

_HANDLERS = {**_JOBS, **_OTHERS}


def paidlc_app(state: PaidlcState) -> WSGIApplication:
    """The service over that state."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = read_request(environ)
        with state.lock:
            state.requests.append(request)
            fault = first_hit(state.faults, request, page_number(dict(request.query)))
            request_id = str(UUID(int=len(state.requests))).upper()
        if fault is not None and fault.delay:
            state.sleep(fault.delay)
        with state.lock:
            return give(_answer(state, environ, request, fault, request_id), start_response)

    return app


def _answer(
    state: PaidlcState,
    environ: WSGIEnvironment,
    request: RecordedRequest,
    fault: Fault | None,
    request_id: str,
) -> Response:
    if fault is not None and fault.status is not None and not fault.applied:
        return _spoilt(_failure(fault, request_id), fault)
    try:
        _check_signature(state, environ, request)
        answer = _carry_out(state, request, None if fault is None else fault.rows)
        headers = (("x-acs-request-id", request_id),)
        response = Response.of_json(200, {**answer, "RequestId": request_id}, headers=headers)
    except ApiError as error:
        response = error.response(request_id)
    if fault is None:
        return response
    return _spoilt(response if fault.status is None else _failure(fault, request_id), fault)


def _failure(fault: Fault, request_id: str) -> Response:
    status = fault.status or 500
    code = {429: "Throttling", 503: "ServiceUnavailable"}.get(status, "InternalError")
    error = ApiError(status, code, "A fault that was asked for.")
    throttled = fault.retry_after
    # The first is what the vendor's SDK reads.
    headers = () if throttled is None else (("x-acs-retry-after", throttled), ("Retry-After", throttled))
    return error.response(request_id, headers=headers)


def _spoilt(response: Response, fault: Fault) -> Response:
    if fault.spoil is None:
        return response
    return spoiled(response, fault.spoil, token_key="NextToken", sent_token="")


def _check_signature(state: PaidlcState, environ: WSGIEnvironment, request: RecordedRequest) -> None:
    keys = state.keys
    if keys is None:
        return
    why = check_acs3(
        environ, request.body, secret_of=keys.get, token_of=state.tokens.get, nonces=state.nonces, now=None
    )
    if why is not None:
        code, _, message = why.partition(": ")
        raise ApiError(404 if code.startswith("InvalidAccessKeyId") else 400, code, message)


def _carry_out(state: PaidlcState, request: RecordedRequest, rows_at_most: int | None) -> Object:
    found = find_operation(request.method, request.path)
    if found is None:
        raise ApiError(404, "InvalidAction.NotFound", f"There is no {request.method} {request.path}.")
    operation, ids = found
    if request.headers.get("x-acs-version") != VERSION:
        raise ApiError(400, "InvalidVersion", f"x-acs-version is not {VERSION}.")
    if request.headers.get("x-acs-action") != operation.action:
        raise ApiError(400, "InvalidAction", f"x-acs-action is not {operation.action}.")
    call = Call(state, operation, ids, _query(request, operation), _body(request, operation), rows_at_most)
    call.need(
        *(name for name in operation.needed if operation.action != "CreateJob" or name == "DisplayName")
    )
    answer = _HANDLERS[operation.action](call)
    assert isinstance(answer, dict)
    return answer


def _query(request: RecordedRequest, operation: Operation) -> dict[str, str]:
    query = dict(request.query)
    # An object's fields stand apart: TokenSettings.EnableLogDownloadJob.
    if unknown := {name.partition(".")[0] for name in query} - operation.query:
        raise ApiError(400, "InvalidParameter", f"{operation.action} takes no {', '.join(sorted(unknown))}.")
    return query


def _body(request: RecordedRequest, operation: Operation) -> Object:
    try:
        body: JSON = request.json()
    except ValueError:
        body = []
    if body is None:
        return {}
    if not isinstance(body, dict) or body.keys() - operation.body:
        raise ApiError(400, "InvalidParameter", f"{operation.action} does not take such a body.")
    return body
