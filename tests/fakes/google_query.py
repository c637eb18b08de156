"""What a Google list takes beside its page: filter, order, read mask; and `fields`, taken by any method."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from sqlprovider.values import JSON
from tests.fakes.google_api import ApiError
from tests.fakes.proto_json import Message, Object, camel, mask_paths

Test = Callable[[Object], bool]

_TERM = re.compile(r'\s*([\w.]+?)\s*(!=|=|:)\s*("(?:[^"\\]|\\.)*"|[^\s"]+)\s*')
_AND = re.compile(r"\bAND\b")


def filter_test(text: str, message: Message) -> Test:
    """`display_name="x" AND labels.team!=a AND labels.lr:*` as a test on items; names in either style.

    The live grammar of the TensorBoard lists is undocumented; this one tells whether a filter arrived.
    """
    tests: list[Test] = []
    position = 0
    while text[position:].strip():
        if tests:
            if (joint := _AND.match(text, position)) is None:
                raise _invalid(f"Invalid filter {text!r}: AND is expected at {position}.")
            position = joint.end()
        if (term := _TERM.match(text, position)) is None:
            raise _invalid(f"Invalid filter {text!r}: no term at {position}.")
        tests.append(_term_test(term[1], term[2], _unquoted(term[3]), message))
        position = term.end()
    return lambda item: all(test(item) for test in tests)


def _term_test(path: str, op: str, wanted: str, message: Message) -> Test:
    field, _, key = path.partition(".")
    if camel(field) not in message.fields:
        raise _invalid(f"Invalid filter: {message.name} has no field {field!r}.")

    def value_of(item: Object) -> JSON:
        value = item.get(camel(field))
        return value.get(key) if key and isinstance(value, dict) else value

    match op:
        case "=":
            return lambda item: (value_of(item) or "") == wanted
        case "!=":
            return lambda item: (value_of(item) or "") != wanted
        case _:
            return lambda item: value_of(item) is not None and wanted in ("*", value_of(item))


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text


def ordered(items: list[Object], order_by: str, message: Message) -> list[Object]:
    """The items in the order asked for, `display_name desc, create_time`; else in order of creation."""
    terms = [part.split() for part in order_by.split(",") if part.strip()]
    for field, *direction in reversed(terms):
        name = camel(field)
        if name not in message.fields or [word.lower() for word in direction] not in ([], ["asc"], ["desc"]):
            raise _invalid(f"Invalid order by: {order_by!r}.")
        items = sorted(items, key=lambda item: str(item.get(name, "")), reverse=direction == ["desc"])
    return items


def page_size(value: JSON, *, default: int, maximum: int) -> int:
    """The size in force: absent or 0 is the default, more than the maximum is the maximum."""
    try:
        size = int(value) if isinstance(value, int | str) and value != "" else 0
    except ValueError:
        raise _invalid(f"Invalid value at 'page_size' (TYPE_INT32), {value!r}") from None
    if size < 0:
        raise _invalid("The page size must not be negative.")
    return min(size or default, maximum)


def read_masked(item: Object, mask: str, message: Message) -> Object:
    """The item with the fields of a read mask; no mask is every field."""
    paths = mask_paths(mask, message)
    if not paths or ("*",) in paths:
        return item
    masked = _selected(item, paths)
    assert isinstance(masked, dict)
    return masked


def partial(value: JSON, fields: str) -> JSON:
    """The answer reduced to `fields`: `tensorboardRuns(name,labels/team),nextPageToken`, `*` for any key."""
    paths, rest = _selectors(fields)
    if rest:
        raise ApiError("INVALID_ARGUMENT", f"Invalid field selection {fields!r}")
    return _selected(value, paths)


def _selectors(text: str) -> tuple[list[tuple[str, ...]], str]:
    """The paths of a comma list and what follows it: nothing, or the bracket that ends an inner list."""
    paths: list[tuple[str, ...]] = []
    while True:
        if (match := re.match(r"\s*([\w*]+(?:/[\w*]+)*)\s*", text)) is None:
            raise ApiError("INVALID_ARGUMENT", f"Invalid field selection at {text!r}")
        head, text = tuple(match[1].split("/")), text[match.end() :]
        if text.startswith("("):
            inner, text = _selectors(text[1:])
            if not text.startswith(")"):
                raise ApiError("INVALID_ARGUMENT", "Invalid field selection: a bracket is not closed.")
            text = text[1:]
            paths.extend((*head, *path) for path in inner)
        else:
            paths.append(head)
        if not text.startswith(","):
            return paths, text
        text = text[1:]


def _selected(value: JSON, paths: Iterable[tuple[str, ...]]) -> JSON:
    if isinstance(value, list):
        return [_selected(item, paths) for item in value]
    if not isinstance(value, dict):
        return value
    below: dict[str, list[tuple[str, ...]]] = {}
    for head, *tail in paths:
        for key in value if head == "*" else [head]:
            below.setdefault(key, []).append(tuple(tail))
    return {
        key: item if () in below[key] else _selected(item, below[key])
        for key, item in value.items()
        if key in below
    }


def fingerprint(*parts: str) -> str:
    """What a page token is bound to."""
    return "\n".join(parts)


def _invalid(message: str) -> ApiError:
    return ApiError("INVALID_ARGUMENT", message)
