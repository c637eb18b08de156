"""How Google's APIs say what went wrong."""

from __future__ import annotations

from sqlprovider.values import JSON
from tests.fakes.wsgi import Response

HTTP_STATUS = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "CANCELLED": 499,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
    "UNIMPLEMENTED": 501,
}
GRPC_CODE = {
    "CANCELLED": 1,
    "INVALID_ARGUMENT": 3,
    "NOT_FOUND": 5,
    "ALREADY_EXISTS": 6,
    "PERMISSION_DENIED": 7,
    "RESOURCE_EXHAUSTED": 8,
    "FAILED_PRECONDITION": 9,
    "ABORTED": 10,
    "UNIMPLEMENTED": 12,
    "INTERNAL": 13,
    "UNAVAILABLE": 14,
    "UNAUTHENTICATED": 16,
}


class ApiError(Exception):
    """A refusal in Google's shape: `status` is the canonical code's name, `reason` that of its ErrorInfo."""

    def __init__(self, status: str, message: str, *, reason: str | None = None) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message
        self.reason = reason

    @property
    def response(self) -> Response:
        """The error as an HTTP answer."""
        code = HTTP_STATUS[self.status]
        headers = (
            (("WWW-Authenticate", 'Bearer realm="https://accounts.google.com/"'),) if code == 401 else ()
        )
        return error_response(code, self.status, self.message, reason=self.reason, headers=headers)


def error_response(
    code: int,
    status: str,
    message: str,
    *,
    reason: str | None = None,
    headers: tuple[tuple[str, str], ...] = (),
) -> Response:
    """`{"error": {"code", "message", "status", "details"}}`."""
    error: dict[str, JSON] = {"code": code, "message": message, "status": status}
    if reason is not None:
        info: dict[str, JSON] = {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": reason,
            "domain": "googleapis.com",
        }
        error["details"] = [info]
    return Response.of_json(code, {"error": error}, headers=headers)


def status_of(code: int) -> str:
    """The canonical code that most often stands behind an HTTP status."""
    named = {code: status for status, code in reversed(HTTP_STATUS.items())}
    return named.get(code, "UNKNOWN")
