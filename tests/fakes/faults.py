"""Faults on demand: which request is hit, and what becomes of its answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, assert_never

from sqlprovider.values import JSON
from tests.fakes.wsgi import RecordedRequest, Response

Spoil = Literal[
    "html", "truncated", "top_array", "repeated_token", "number_token", "rows_object", "rows_scalars"
]


@dataclass(slots=True)
class Fault:
    """Hits the requests whose path holds `match`, a regular expression: all of them, or the first `times`.

    `Fault(match="/runs$", page=2, status=500)` fails the second page of each list of runs;
    `Fault(match="/runs$", times=2, status=503, retry_after="1")` passes after two.
    """

    match: str = ""
    method: str | None = None
    page: int | None = None
    """Only the n-th page of a list, from 1."""
    times: int | None = None
    status: int | None = None
    """Answer with this error instead of carrying out the request."""
    retry_after: str | None = None
    spoil: Spoil | None = None
    """What the body becomes."""
    rows: int | None = None
    """At most so many rows on the page, whose token goes on from there: 0 is an empty page with a token."""
    delay: float = 0.0
    """Seconds before the request is looked at."""
    applied: bool = False
    """Carry out the request before answering with `status`."""
    hits: int = 0

    def hit(self, request: RecordedRequest, page: int) -> bool:
        """Whether this request is hit; a hit is counted."""
        if self.times is not None and self.hits >= self.times:
            return False
        if self.method not in (None, request.method) or self.page not in (None, page):
            return False
        if re.search(self.match, request.path) is None:
            return False
        self.hits += 1
        return True


def first_hit(faults: Iterable[Fault], request: RecordedRequest, page: int) -> Fault | None:
    """The first fault that hits the request."""
    return next((fault for fault in faults if fault.hit(request, page)), None)


def spoiled(response: Response, kind: Spoil, *, token_key: str, sent_token: str) -> Response:
    """The answer with its body spoilt. `sent_token` is the token that the request carried."""
    if kind == "html":
        return replace(Response.of_html(response.status), headers=response.headers)
    if kind == "truncated":
        return replace(response, body=response.body[: len(response.body) // 2])
    value: JSON = json.loads(response.body)
    if kind == "top_array":
        return Response.of_json(response.status, [value])
    if not isinstance(value, dict):
        raise TypeError(f"{kind} needs an answer that is an object")
    return Response.of_json(response.status, _spoiled_object(value, kind, token_key, sent_token))


def _spoiled_object(
    value: dict[str, JSON],
    kind: Literal["repeated_token", "number_token", "rows_object", "rows_scalars"],
    token_key: str,
    sent_token: str,
) -> dict[str, JSON]:
    rows_key = next((key for key, rows in value.items() if isinstance(rows, list)), "rows")
    match kind:
        case "repeated_token":
            return {**value, token_key: sent_token} if sent_token else value
        case "number_token":
            return {**value, token_key: 12345}
        case "rows_object":
            return {**value, rows_key: {"0": value.get(rows_key)}}
        case "rows_scalars":
            return {**value, rows_key: ["not an object"]}
        case _:
            assert_never(kind)
