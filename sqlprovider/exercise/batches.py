"""A batch's body read back into the arguments of each of its rows: its template, the other way round."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from sqlprovider.values import JSON

Arguments = dict[str, JSON]

_NAME = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_IN_TEXT = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def read_rows(template: JSON, body: JSON) -> list[Arguments]:
    """The rows that a body holds; none where it is not what the template makes.

    >>> read_rows({"run": "$r", "points": [{"key": "$k"}]}, {"run": 1, "points": [{"key": 2}, {"key": 3}]})
    [{'r': 1, 'k': 2}, {'r': 1, 'k': 3}]
    """
    match template:
        case str() if (found := _NAME.fullmatch(template)) is not None:
            return [{} if body is None else {found[1]: body}]
        case str() if _IN_TEXT.search(template) is not None:
            return _in_text(template, body)
        case [element] if _has_names(element):
            held = body if isinstance(body, list) else []
            return [row for item in held for row in read_rows(element, item)]
        case dict():
            return _in_object(template, body)
        case _:
            return [{}]


def _in_object(template: Mapping[str, JSON], body: JSON) -> list[Arguments]:
    """What the fields say, each with each: one of them at most is a list of rows."""
    held = body if isinstance(body, dict) else {}
    rows: list[Arguments] = [{}]
    for key, below in template.items():
        found = read_rows(below, held.get(key))
        rows = [{**row, **more} for row in rows for more in found]
    return rows


def _in_text(template: str, body: JSON) -> list[Arguments]:
    names = _IN_TEXT.findall(template)
    pieces = map(re.escape, re.split(_IN_TEXT.pattern, template)[::2])
    found = re.fullmatch("(.*)".join(pieces), body, re.DOTALL) if isinstance(body, str) else None
    return [] if found is None else [dict(zip(names, found.groups(), strict=True))]


def _has_names(template: JSON) -> bool:
    return any(True for _ in _texts(template))


def _texts(template: JSON) -> Iterator[str]:
    match template:
        case str() if _NAME.fullmatch(template) or _IN_TEXT.search(template):
            yield template
        case list():
            for item in template:
                yield from _texts(item)
        case dict():
            for value in template.values():
                yield from _texts(value)
