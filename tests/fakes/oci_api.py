"""How Oracle's APIs say what went wrong, and the shell of every stand-in for one of them.

The shell checks the signature, keeps retry tokens, gives every answer an `opc-request-id`, fails on demand.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from sqlprovider.values import JSON
from tests.fakes.faults import Fault, first_hit, spoiled
from tests.fakes.oci_signature import check_oci_signature
from tests.fakes.wsgi import RecordedRequest, Response, give, read_request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

Object: TypeAlias = dict[str, JSON]
Dispatch = Callable[[RecordedRequest, int | None], Response]
"""Carries a request out; the number is a fault's: at most so many rows on this page. May raise OciError."""
Clock = Callable[[], datetime]

CODES = {
    400: "InvalidParameter",
    401: "NotAuthenticated",
    403: "NotAllowed",
    404: "NotAuthorizedOrNotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    412: "NoEtagMatch",
    429: "TooManyRequests",
    501: "NotImplemented",
    503: "ServiceUnavailable",
}
"""The code that most often stands behind an HTTP status."""
TOKEN_LIFE = timedelta(hours=24)

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,98}")


class OciError(Exception):
    """A refusal: `{code, message}` under an HTTP status."""

    def __init__(self, status: int, message: str, *, code: str | None = None) -> None:
        self.status = status
        self.code = code or code_of(status)
        self.message = message
        super().__init__(f"{status} {self.code}: {message}")

    @property
    def response(self) -> Response:
        """The error as an HTTP answer."""
        return error_response(self.status, self.code, self.message)


def code_of(status: int) -> str:
    """The code of an HTTP status."""
    return CODES.get(status, "InternalServerError" if status >= 500 else "InvalidParameter")


def error_response(
    status: int, code: str, message: str, *, headers: tuple[tuple[str, str], ...] = ()
) -> Response:
    """`{"code": …, "message": …}`."""
    return Response.of_json(status, {"code": code, "message": message}, headers=headers)


def no_such_thing() -> OciError:
    """One answer for what is not there and for what is not one's own."""
    return OciError(404, "There is no such resource, or it is not yours.")


def real_time() -> datetime:
    """The clock of a server that nobody sets."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Answered:
    at: datetime
    digest: str
    response: Response


@dataclass(slots=True)
class OciShell:
    """What the shell knows. Set `clock` and append to `faults` at any time; `requests` is the log."""

    public_keys: Mapping[str, RSAPublicKey] | None = None
    """By keyId; None: nobody has to sign."""
    clock: Clock = real_time
    """For retry tokens; signatures are dated by the client's clock and held against the real one."""
    sleep: Callable[[float], None] = time.sleep
    faults: list[Fault] = field(default_factory=list)
    requests: list[RecordedRequest] = field(default_factory=list)
    carried_out: list[RecordedRequest] = field(default_factory=list)
    """The requests that came through to the service: not those that a retry token had answered already."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    _answered: dict[str, _Answered] = field(default_factory=dict)
    _pages: dict[tuple[str, str], int] = field(default_factory=dict)
    last_id: int = 0
    """The number in the last `opc-request-id`, which is written in hexadecimal, 32 digits long."""

    def app(self, dispatch: Dispatch) -> WSGIApplication:
        """A service in this shell."""

        def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            request = read_request(environ)
            with self.lock:
                self.requests.append(request)
                page = self._pages.get((request.path, sent_token(request)), 1)
                fault = first_hit(self.faults, request, page)
            if fault is not None and fault.delay:
                self.sleep(fault.delay)
            response = self._answer(environ, dispatch, request, fault)
            with self.lock:
                if token := next_token(response):
                    self._pages[request.path, token] = page + 1
                response = self._with_request_id(request, response)
            return give(response, start_response)

        return app

    def _answer(
        self, environ: WSGIEnvironment, dispatch: Dispatch, request: RecordedRequest, fault: Fault | None
    ) -> Response:
        if fault is not None and fault.status is not None and not fault.applied:
            return _spoilt(_failure(fault, fault.status), fault, request)
        try:
            self._check_signature(environ, request)
            response = self._once(request, lambda: self._carry_out(dispatch, request, fault))
        except OciError as error:
            response = error.response
        if fault is None:
            return response
        return _spoilt(response if fault.status is None else _failure(fault, fault.status), fault, request)

    def _check_signature(self, environ: WSGIEnvironment, request: RecordedRequest) -> None:
        if self.public_keys is None:
            return
        why = check_oci_signature(environ, request.body, public_keys=self.public_keys)
        if why is not None:
            raise OciError(401, f"The request is not signed well: {why}.")

    def _carry_out(self, dispatch: Dispatch, request: RecordedRequest, fault: Fault | None) -> Response:
        with self.lock:
            self.carried_out.append(request)
        return dispatch(request, None if fault is None else fault.rows)

    def _once(self, request: RecordedRequest, carry_out: Callable[[], Response]) -> Response:
        """A token that was answered within a day gives that answer; one of another request is refused."""
        token = request.headers.get("opc-retry-token")
        if token is None:
            return carry_out()
        if not 1 <= len(token) <= 64:
            raise OciError(400, "opc-retry-token must be 1 to 64 characters long.")
        text = "\n".join((request.method, request.path, repr(request.query)))
        digest = hashlib.sha256(text.encode() + b"\n" + request.body).hexdigest()
        with self.lock:
            known = self._answered.get(token)
        if known is not None and self.clock() - known.at < TOKEN_LIFE:
            if known.digest != digest:
                raise OciError(
                    409, "The retry token was used with another request.", code="InvalidatedRetryToken"
                )
            return known.response
        response = carry_out()
        if response.status < 400:
            with self.lock:
                self._answered[token] = _Answered(self.clock(), digest, response)
        return response

    def _with_request_id(self, request: RecordedRequest, response: Response) -> Response:
        """The client's own id stays in front."""
        self.last_id += 1
        own = f"{self.last_id:032X}"
        sent = request.headers.get("opc-request-id", "")
        shown = f"{sent}/{own}" if _REQUEST_ID.fullmatch(sent) else own
        return replace(response, headers=(*response.headers, ("opc-request-id", shown)))


def read_object(request: RecordedRequest) -> Object:
    """The body, which must be a JSON object. Raises OciError."""
    try:
        value = request.json()
    except ValueError:
        raise OciError(400, "The request body is no JSON.", code="CannotParseRequest") from None
    if not isinstance(value, dict):
        raise OciError(400, "The request body is no JSON object.", code="CannotParseRequest")
    return value


def check_names(given: Iterable[str], fields: str, *, kind: str) -> None:
    """Refuse names that are not among the fields (`name* tags`), and required ones (`*`) that are missing."""
    known = {name.rstrip("*"): name.endswith("*") for name in fields.split()}
    names = set(given)
    if unknown := sorted(names - known.keys()):
        raise OciError(400, f"There is no {kind} {', '.join(unknown)}.")
    if missing := sorted(name for name, required in known.items() if required and name not in names):
        raise OciError(400, f"The {kind} {', '.join(missing)} must be given.", code="MissingParameter")


def sent_token(request: RecordedRequest) -> str:
    """The page token of a request: `page` or `page_token`, in the query or in the body."""
    if token := request.value("page") or request.value("page_token"):
        return token
    value = _loaded(request.body)
    in_body = value.get("page_token") if isinstance(value, dict) else None
    return in_body if isinstance(in_body, str) else ""


def next_token(response: Response) -> str:
    """The token of the next page: a header, or `next_page_token` in the body."""
    if header := dict(response.headers).get("opc-next-page"):
        return header
    value = _loaded(response.body)
    token = value.get("next_page_token") if isinstance(value, dict) else None
    return token if isinstance(token, str) else ""


def _loaded(body: bytes) -> JSON:
    try:
        value: JSON = json.loads(body)
    except ValueError:
        return None
    return value


def _failure(fault: Fault, status: int) -> Response:
    headers = () if fault.retry_after is None else (("Retry-After", fault.retry_after),)
    return error_response(status, code_of(status), "A fault that was asked for.", headers=headers)


def _spoilt(response: Response, fault: Fault, request: RecordedRequest) -> Response:
    if fault.spoil is None:
        return response
    sent = sent_token(request)
    in_header = "opc-next-page" in dict(response.headers)
    if fault.spoil == "repeated_token" and in_header:
        kept = tuple(pair for pair in response.headers if pair[0] != "opc-next-page")
        return replace(response, headers=(*kept, ("opc-next-page", sent))) if sent else response
    spoilt = spoiled(response, fault.spoil, token_key="next_page_token", sent_token=sent)
    return replace(spoilt, headers=response.headers)
