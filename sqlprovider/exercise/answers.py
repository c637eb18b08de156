"""What a platform answers: pages of rows, items in the objects that they lie in, errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import httpx

from sqlprovider.catalog.model import ErrorShape, Pages
from sqlprovider.exercise.items import Item, put
from sqlprovider.exercise.made import Values
from sqlprovider.exercise.routes import Call
from sqlprovider.values import JSON


@dataclass(slots=True)
class Page:
    """One page: its rows, what the answer says beside them, its headers."""

    rows: list[Values]
    beside: dict[str, JSON] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


def cut(call: Call, pages: Pages | None, found: list[Values], most: int) -> Page:
    """The page that is asked for; `most`: the rows that a page holds, whatever is asked for."""
    if pages is None or pages.style == "one":
        return Page(found)
    said = call.arguments.get(pages.parameter or "")
    asked = call.arguments.get(pages.size or "")
    match pages.style:
        case "cap":
            return Page(found[: int(str(asked or pages.size_max or len(found)))])
        case "number":
            start = (int(str(said if said is not None else pages.first)) - pages.first) * most
            page = Page(found[start : start + most])
            if pages.total:
                put(page.beside, pages.total, len(found))
            return page
        case _:
            size = most if asked is None else min(most, int(str(asked)))
            return _by_token(pages, found, 0 if said is None else _offset(str(said)), size)


def nested(path: Sequence[str], items: Sequence[Item], depth: int = 0) -> JSON:
    """The answer that holds the items at a rows path, each in the objects it lies in."""
    if not path:
        return items[0].body if items else {}
    segment, rest = path[0], path[1:]
    name, lists = segment.removesuffix("[]"), sum(part.endswith("[]") for part in rest)
    if segment == name:
        below = nested(rest, items, depth) if rest or items else None
        if depth == 0 and lists and items:
            below = laid_over(_around(items[0], lists), below)
        return {} if below is None else {name: below}
    if not rest:
        held: list[JSON] = [item.body for item in items]
    else:
        held = [laid_over(_around(item, lists), nested(rest, [item], depth + 1)) for item in items]
    return {name: held} if name else held


def masked(call: Call, item: Item) -> Item:
    """The item without the fields that the request leaves out. What names none of its fields says nothing."""
    spelling, body = call.method.push.fields, item.body
    said = None if spelling is None else call.arguments.get(spelling.parameter)
    if spelling is None or not isinstance(said, str) or not isinstance(body, dict):
        return item
    before, _, after = spelling.template.partition("{names}")
    names = said.removeprefix(before).removesuffix(after).split(spelling.separator)
    kept = {name: value for name, value in body.items() if name in names}
    return replace(item, body=kept) if kept else item


def laid_over(one: JSON, other: JSON) -> JSON:
    """The second over the first: objects key by key."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return other
    return one | {key: laid_over(one[key], value) if key in one else value for key, value in other.items()}


def error(errors: ErrorShape, status: int, code: str, message: str) -> httpx.Response:
    """An error in the API's own shape."""
    body: dict[str, JSON] = {}
    put(body, errors.code, code)
    put(body, errors.message, message)
    return httpx.Response(status, json=body)


def respond(answer: JSON, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """An answer that is no error."""
    return httpx.Response(200, json=answer, headers=dict(headers or {}))


def _by_token(pages: Pages, found: list[Values], start: int, size: int) -> Page:
    page = Page(found[start : start + size])
    if start + size < len(found):
        following = f"token-{start + size}"
        if pages.style == "header":
            page.headers[pages.token[0]] = following
        else:
            put(page.beside, pages.token, following)
    return page


def _offset(token: str) -> int:
    digits = token.removeprefix("token-")
    if digits == token or not digits.isdigit():
        raise ValueError(f"{token!r} is no token that was given")
    return int(digits)


def _around(item: Item, lists: int) -> JSON:
    return dict(item.around[max(0, lists - 1)])
