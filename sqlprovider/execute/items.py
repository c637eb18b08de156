"""The items of an answer: what a method's rows path leads to, and the items they lie in. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat

from sqlprovider.catalog.model import Method, Path
from sqlprovider.errors import DataError
from sqlprovider.values import JSON

Step = str | int


def items_at(answer: dict[str, JSON], method: Method) -> tuple[list[JSON], list[tuple[JSON, ...]] | None]:
    """The items and, where the path has more than one level, for each the items it lies in, nearest first.

    An item of `runs[].data.metrics[]` lies in a run; so does one of `run.data.metrics[]`, whose path begins
    with one object.
    """
    path = method.rows
    if path is None:
        return [answer], None
    if len(path) == 1 and path[0].endswith("[]"):
        return _list_at(answer, path[0][:-2], (), method), None
    found: list[JSON] = []
    around: list[tuple[JSON, ...]] = []
    for items, enclosing in _walk(answer, path, method=method, where=(), enclosing=()):
        found += items
        around += repeat(enclosing, len(items))
    return found, around if any(around) else None


def value_at(value: JSON, path: Path) -> JSON:
    """The value at a path of keys; None where there is none."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def pointer(steps: Iterable[Step]) -> str:
    """A JSON pointer.

    >>> pointer(["runs", 0, "a/b"])
    '/runs/0/a~1b'
    """
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


def kind_of(value: JSON) -> str:
    """What a JSON value is, for messages."""
    match value:
        case None:
            return "null"
        case bool():
            return "a truth value"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "an object"


def _walk(
    value: JSON, path: Path, *, method: Method, where: tuple[Step, ...], enclosing: tuple[JSON, ...]
) -> Iterator[tuple[list[JSON], tuple[JSON, ...]]]:
    """Items, with what those lie in."""
    segment, rest = path[0], path[1:]
    if not isinstance(value, dict):
        raise _wrong(value, "an object", where)
    if segment.endswith("[]"):
        key = segment[:-2]
        items = _list_at(value, key, where, method)
        if not rest:
            yield items, enclosing
            return
        for ordinal, item in enumerate(items):
            inside = (*where, key, ordinal)
            yield from _walk(item, rest, method=method, where=inside, enclosing=(item, *enclosing))
        return
    below = value.get(segment)
    if below is None:
        _check_absent(path, method, (*where, segment))
    elif not isinstance(below, dict):
        raise _wrong(below, "an object", (*where, segment))
    elif not rest:
        yield [below], enclosing
    else:
        around = (below,) if not where and _has_list(rest) else enclosing
        yield from _walk(below, rest, method=method, where=(*where, segment), enclosing=around)


def _list_at(value: dict[str, JSON], key: str, where: tuple[Step, ...], method: Method) -> list[JSON]:
    items = value.get(key)
    if items is None:
        _check_absent((f"{key}[]",), method, (*where, key))
        return []
    if not isinstance(items, list):
        raise _wrong(items, "a list", (*where, key))
    if not method.plain_rows and list(map(type, items)).count(dict) < len(items):
        ordinal, item = next((n, item) for n, item in enumerate(items) if not isinstance(item, dict))
        raise _wrong(item, "an object", (*where, key, ordinal))
    return items


def _check_absent(path: Path, method: Method, where: tuple[Step, ...]) -> None:
    """Absent is empty where the API leaves out empty lists, and in the answer to a write, for it is done."""
    if method.effect == "write" or (_has_list(path) and method.optional_rows):
        return
    raise DataError(
        f"the answer has no {pointer(where)}, where its rows should be",
        reason="missing_rows",
        pointer=pointer(where),
    )


def _has_list(path: Path) -> bool:
    return any(segment.endswith("[]") for segment in path)


def _wrong(value: JSON, wanted: str, where: tuple[Step, ...]) -> DataError:
    at = pointer(where)
    return DataError(
        f"{at or 'the answer'} is {kind_of(value)}, not {wanted}", reason="wrong_shape", pointer=at
    )
