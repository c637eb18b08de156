"""httpx.Response → Page, or the error it stands for. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx

from sqlprovider.catalog.model import ErrorShape, Method, Path
from sqlprovider.errors import AuthError, BackendError, DataError, Error, IntegrityError, RateLimitedError
from sqlprovider.execute.items import items_at, pointer, value_at
from sqlprovider.execute.jsontext import SMALL, load_json
from sqlprovider.plan.model import Operation
from sqlprovider.values import JSON

if TYPE_CHECKING:
    from sqlprovider.execute.layout import Layout

_LONGEST_MESSAGE = 500
_SHORTEST_SECRET = 4
_SHOW_ADDRESS = "SELECT * FROM sqlprovider.connections"


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of one exchange."""

    operation: Operation
    items: list[Any]
    """JSON values; what `layout` has made of them where there is one."""
    parents: list[tuple[JSON, ...]] | None
    """For each item the items it lies in, nearest first; None where the rows path has one level."""
    answer: dict[str, JSON]
    """The whole answer; where there is a layout, what is beside the items."""
    status: int
    request_id: str | None
    headers: Mapping[str, str]
    """Those of the answer, by lower-case name."""
    elapsed_ms: float
    missing: bool = False
    """The API knows no such row, or no such parent."""
    repeated: bool = False
    """The answer to an earlier attempt was lost: that attempt may have acted too."""
    size: int = 0
    """Bytes of the body."""
    layout: Layout | None = None
    """How the items were read; None: they are as they came."""
    cached_at: str | None = None
    """When it was asked for, as a DATETIME, where it was kept from an earlier statement."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one write or EXEC gave."""

    items: list[JSON]
    parents: list[tuple[JSON, ...]] | None
    answer: dict[str, JSON]
    status: int | None
    request_id: str | None
    missing: bool = False
    sent: bool = True
    """False: a dry run."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name."""
    repeated: bool = False
    """As for a page."""
    operation: str | None = None
    """The name of the long-running operation that goes on, where it is not waited for."""


def decode_page(
    operation: Operation,
    response: httpx.Response,
    *,
    errors: ErrorShape,
    is_first: bool = True,
    elapsed_ms: float = 0.0,
    retry_after: float | None = None,
) -> Page:
    """The page that a response holds. Raises what an error answer or an unreadable one stands for."""
    identity = request_id(response, errors)
    missing = False
    items: list[Any] = []
    parents: list[tuple[JSON, ...]] | None = None
    layout: Layout | None = None
    if response.is_success and (laid := _laid(operation, response.content)) is not None:
        layout, items, answer = laid
        _check_complete(answer, operation.method)
    elif response.is_success:
        answer = _answer(response, operation.method)
        _check_complete(answer, operation.method)
        items, parents = items_at(answer, operation.method)
    elif operation.method.missing and is_first and _means_missing(response, operation.method, errors):
        answer, missing = {}, True
    else:
        raise error_of(response, errors, retry_after=retry_after)
    return Page(
        operation=operation,
        items=items,
        parents=parents,
        answer=answer,
        status=response.status_code,
        request_id=identity,
        headers={name.lower(): value for name, value in response.headers.items()},
        elapsed_ms=elapsed_ms,
        missing=missing,
        size=len(response.content),
        layout=layout,
    )


def _laid(operation: Operation, body: bytes) -> tuple[Layout, list[Any], dict[str, JSON]] | None:
    """What of a large answer is looked at; None for a small one, and where it must be read whole."""
    if operation.reads is None or len(body) <= SMALL:
        return None
    from sqlprovider.execute.layout import layout_of  # noqa: PLC0415  loads msgspec

    layout = layout_of(operation)
    found = None if layout is None else layout.read(body)
    return None if layout is None or found is None else (layout, *found)


def _answer(response: httpx.Response, method: Method) -> dict[str, JSON]:
    if method.http_method == "HEAD":
        return {name.lower(): value for name, value in response.headers.items()}
    is_list = method.rows is not None and method.rows[0] == "[]"
    return decode_answer(response, may_be_empty=method.effect == "write", is_list=is_list)


def _check_complete(answer: dict[str, JSON], method: Method) -> None:
    """An answer that lists what it could not reach is short of rows."""
    lacking = value_at(answer, method.incomplete) if method.incomplete else None
    if lacking:
        named = ", ".join(map(str, lacking)) if isinstance(lacking, list) else str(lacking)
        raise DataError(
            f"the answer is not complete: it could not reach {clean(named)}",
            reason="incomplete",
            pointer=pointer(method.incomplete),
        )


def decode_answer(
    response: httpx.Response, *, may_be_empty: bool = False, is_list: bool = False
) -> dict[str, JSON]:
    """The body as a JSON object, a list (where the document says so) under the empty key.

    Raises DataError for any other.
    """
    if not response.content or response.content.isspace():
        if may_be_empty:
            return {}
        raise DataError(f"the answer ({response.status_code}) is empty", reason="empty_answer", pointer="")
    decoded = _decode(response)
    if is_list and isinstance(decoded, list):
        return {"": decoded}
    if not isinstance(decoded, dict):
        kind = "a list" if isinstance(decoded, list) else "one value"
        raise DataError(f"the answer is {kind}, not a JSON object", reason="wrong_shape", pointer="")
    return decoded


def request_id(response: httpx.Response, errors: ErrorShape) -> str | None:
    """What the API calls this exchange, for its support."""
    found = next((value for name in errors.request_id if (value := response.headers.get(name))), None)
    if found is None and errors.request_id_at and not response.is_success:
        found = _in_body(response, errors.request_id_at)
    return None if found is None else clean(found, limit=200)


def error_of(response: httpx.Response, errors: ErrorShape, *, retry_after: float | None = None) -> Error:
    """The error that an answer with an error status stands for."""
    code, message = read_error(response, errors)
    hint = None
    if (code is None and response.status_code in (404, 405)) or response.is_redirect:
        message, hint = "not an answer of this API; is base_url right?", _SHOW_ADDRESS
    elif message is not None:
        message = clean(_without_secrets(message, response))
    status = f"{response.status_code} {_phrase(response.status_code)}"
    head = status if code is None else f"{response.status_code} {code}"
    return classify(
        f"{head}: {message}" if message else head,
        status=response.status_code,
        code=code,
        identity=request_id(response, errors),
        errors=errors,
        retry_after=retry_after,
        hint=hint,
    )


def classify(
    text: str,
    *,
    status: int | None,
    code: str | None,
    identity: str | None,
    errors: ErrorShape,
    retry_after: float | None = None,
    hint: str | None = None,
) -> Error:
    """The class of error for a status and a code."""
    if status in (401, 403) or is_of(code, errors.denied):
        return AuthError(text, status=status, code=code, request_id=identity, hint=hint)
    if status in (409, 412) or code in errors.exists:
        conflict = "precondition_failed" if status == 412 else "conflict"
        reason = "already_exists" if code in errors.exists else conflict
        return IntegrityError(text, status=status, code=code, request_id=identity, reason=reason, hint=hint)
    if status == 429 or is_of(code, errors.throttled):
        error = RateLimitedError(text, status=status, code=code, request_id=identity, hint=hint)
        error.retry_after = retry_after
        return error
    unknown = "missing" if code in errors.missing else None
    return BackendError(text, status=status, code=code, request_id=identity, reason=unknown, hint=hint)


def read_error(response: httpx.Response, errors: ErrorShape) -> tuple[str | None, str | None]:
    """The API's own (code, message); (None, None) where the body is not in its error shape."""
    try:
        body = _decode(response)
    except DataError:
        return None, None
    for code_at, message_at in ((errors.code, errors.message), *errors.others):
        code, message = value_at(body, code_at), value_at(body, message_at)
        if isinstance(code, str | int) and not isinstance(code, bool) and code != "":
            return clean(str(code), limit=100), message if isinstance(message, str) else None
    return None, None


def is_of(code: str | None, families: tuple[str, ...]) -> bool:
    """Whether a code is one of these, or below one (`Throttling.User` is below `Throttling`)."""
    return code is not None and any(code == name or code.startswith(f"{name}.") for name in families)


def _in_body(response: httpx.Response, paths: tuple[Path, ...]) -> str | None:
    try:
        body = _decode(response)
    except DataError:
        return None
    return next((str(found) for path in paths if (found := value_at(body, path))), None)


def clean(text: str, limit: int = _LONGEST_MESSAGE) -> str:
    """One line of printable text, not longer than `limit`."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * limit]).split())
    return line if len(line) <= limit else f"{line[:limit]}…"


def _means_missing(response: httpx.Response, method: Method, errors: ErrorShape) -> bool:
    code, _ = read_error(response, errors)
    return code is not None and code in (*errors.missing, *method.missing_codes)


def _decode(response: httpx.Response) -> JSON:
    body = response.content
    if body[:200].lstrip().startswith(b"<"):
        raise DataError(
            f"the answer ({response.status_code}) is HTML or XML, not JSON; is base_url right?",
            reason="not_json",
            pointer="",
            hint=_SHOW_ADDRESS,
        )
    try:
        return load_json(body)
    except UnicodeError:
        raise DataError(
            "the answer holds text that is not Unicode", reason="not_unicode", pointer=""
        ) from None
    except json.JSONDecodeError as error:
        cut = error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated")
        what = "ends in the middle" if cut else f"is not JSON (at character {error.pos})"
        raise DataError(f"the answer {what}", reason="cut" if cut else "not_json", pointer="") from None
    except (ValueError, RecursionError):
        raise DataError("the answer is JSON beyond all measure", reason="not_json", pointer="") from None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "status"


def _without_secrets(message: str, response: httpx.Response) -> str:
    """The message, should the API repeat in it what we signed in with."""
    for secret in _secrets(response):
        if len(secret) >= _SHORTEST_SECRET:
            message = message.replace(secret, "***")
    return message


def _secrets(response: httpx.Response) -> list[str]:
    try:
        header: str = response.request.headers.get("Authorization", "")
    except RuntimeError:  # a response that answers no request
        return []
    _, _, credentials = header.partition(" ")
    try:
        _, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except ValueError:
        return [credentials]
    return [credentials, password]
