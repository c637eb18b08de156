"""Page → rows: the columns a scan reads, decoded by functions chosen once a scan, not once a row."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from sqlprovider.catalog.model import ITSELF, Column, Drop, Path, Resource, Role, View, Wire
from sqlprovider.errors import DataError
from sqlprovider.execute.items import value_at
from sqlprovider.execute.response import Page
from sqlprovider.plan.model import Operation, Scan
from sqlprovider.plan.wire import shorten
from sqlprovider.values import (
    JSON,
    Row,
    SQLValue,
    Type,
    datetime_from_epoch_ms,
    datetime_from_text,
)

Get = Callable[[JSON, Sequence[JSON]], SQLValue]
"""(item, enclosing items, nearest first) → value."""

Test = Callable[[JSON, Sequence[JSON]], bool]

_ROWID_MASK = 2**62 - 1


class RowDecoder:
    """Decodes the pages of one scan. The last cell of a row is its rowid: resource and key, else place."""

    def __init__(self, scan: Scan) -> None:
        self.scan = scan
        self._counts: dict[str, int] = {}

    def rows(self, page: Page) -> Iterator[Row]:
        """The rows of one page that the view shows, in the API's order."""
        if self.scan.pages_as_rows:
            yield self._page_row(page)
            return
        resource, echo = self.scan.resource, dict(page.operation.echo) | self._of_headers(page)
        getters = [
            _getter(column, position in self.scan.used, echo)
            for position, column in enumerate(resource.columns)
        ]
        key = [_getter(column, True, echo) for name in resource.key if (column := resource.column(name))]
        tests = _tests(resource, page.operation)
        place, first = self._place(page)
        for ordinal, item in enumerate(page.items):
            parents = page.parents[ordinal] if page.parents is not None else ()
            if any(not test(item, parents) for test in tests):
                continue
            identity = tuple(get(item, parents) for get in key) or (place, first + ordinal)
            rowid = hash((resource.name, identity)) & _ROWID_MASK
            yield (*[get(item, parents) for get in getters], rowid)

    def _of_headers(self, page: Page) -> dict[str, SQLValue]:
        """The columns that are headers of the answer, where it is one object's."""
        if any(segment.endswith("[]") for segment in page.operation.method.rows or ()):
            return {}
        named = ((c, page.headers.get(c.header.lower())) for c in self.scan.resource.columns if c.header)
        return {column.name: decode_column(column, value) for column, value in named}

    def _place(self, page: Page) -> tuple[str, int]:
        """What tells this page's operation from others, and how many of its items came before."""
        place = f"{page.operation.method.name} {page.operation.arguments!r}"
        first = self._counts.get(place, 0)
        self._counts[place] = first + max(1, len(page.items))
        return place, first

    def _page_row(self, page: Page) -> Row:
        echo = dict(page.operation.echo)
        cells = [
            decode_column(column, value_at(page.answer, column.path))
            if column.role is Role.RESPONSE
            else echo.get(column.name)
            for column in self.scan.resource.columns
        ]
        return (*cells, hash((self.scan.resource.name, self._place(page))) & _ROWID_MASK)


def decode_item(resource: Resource, item: JSON, echo: dict[str, SQLValue]) -> dict[str, SQLValue]:
    """Every parameter and item column that an item holds: what a write's answer says of its row."""
    found: dict[str, SQLValue] = {}
    for column in resource.columns:
        if column.role in (Role.PARAMETER, Role.ITEM) and (
            column.path or column.present or column.name in echo
        ):
            value = _getter(column, True, echo)(item, ())
            if value is not None or (column.path and value_at(item, column.path[:-1]) is not None):
                found[column.name] = value
    return found


def decode_column(column: Column, value: JSON) -> SQLValue:
    """One JSON value as a column's SQL value. Raises DataError that names the column."""
    if value is None and column.wire is Wire.KEY_VALUE and column.type is Type.JSON:
        return "{}"  # an API leaves empty lists out of its answers
    if value is None or (column.zero_is_null and value in (0, "", "0")):
        return None
    try:
        return _DECODERS[column.type](column, value)
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(
            f"{column.name} is {shorten(value)}, which is no {column.type.value}: {error}",
            pointer="/" + "/".join(column.path),
            reason="wrong_type",
        ) from None


def dump_json(value: JSON) -> str:
    """Compact JSON in raw UTF-8, in the order given; NaN and ±Infinity are null."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _getter(column: Column, used: bool, echo: dict[str, SQLValue]) -> Get:
    if not used:
        return _nothing
    if column.role in (Role.OPTION, Role.RESPONSE):
        return _constant(echo.get(column.name) if column.role is Role.OPTION else None)
    if column.whole_item:
        return lambda item, parents: dump_json(item)
    if column.name in echo and (not column.path or column.segment is not None):
        return _constant(echo[column.name])
    if column.present:
        return partial(_present, column.present)
    if not column.path:
        return _nothing
    return _item_getter(column)


def _item_getter(column: Column) -> Get:
    path, decode = column.path, decode_column
    if path == ITSELF:
        return lambda item, parents: decode(column, item)
    if column.absent is not None:
        return partial(_or_absent, column)
    if column.segment is not None:
        segment = column.segment
        return lambda item, parents: _segment(_up(item, parents, path), segment)
    if len(path) == 1 and path[0] != "^":
        name = path[0]
        return lambda item, parents: decode(column, item.get(name)) if isinstance(item, dict) else None
    return lambda item, parents: decode(column, _up(item, parents, path))


def _present(texts: Mapping[str, str], item: JSON, parents: Sequence[JSON]) -> SQLValue:
    """The text of the first key that the item has."""
    return next((text for key, text in texts.items() if isinstance(item, dict) and key in item), None)


def _or_absent(column: Column, item: JSON, parents: Sequence[JSON]) -> SQLValue:
    """The value, or what its absence means where the object that would hold it is there."""
    found = _up(item, parents, column.path)
    if found is None and isinstance(_up(item, parents, column.path[:-1]), dict):
        found = column.absent
    return decode_column(column, found)


def _nothing(item: JSON, parents: Sequence[JSON]) -> SQLValue:
    return None


def _constant(value: SQLValue) -> Get:
    return lambda item, parents: value


def _up(item: JSON, parents: Sequence[JSON], path: Path) -> JSON:
    """The value at a path whose leading `^` each step to the enclosing item."""
    level = 0
    while level < len(path) and path[level] == "^":
        level += 1
    if level > len(parents):
        return None
    return value_at(parents[level - 1] if level else item, path[level:])


def _segment(text: JSON, segment: str) -> SQLValue:
    """`r1` for segment `runs` of `…/runs/r1`."""
    if not isinstance(text, str):
        return None
    parts = text.split("/")
    for position in range(0, len(parts) - 1, 2):
        if parts[position] == segment:
            return parts[position + 1]
    return None


def _tests(resource: Resource, operation: Operation) -> list[Test]:
    """What an item must pass to be a row, whichever method answered with it."""
    tests = [_shown(resource.view, operation.view), _kept(resource.drop, dict(operation.echo))]
    return [test for test in tests if test is not None]


def _kept(drop: Drop | None, echo: dict[str, SQLValue]) -> Test | None:
    """Whether an item is none of those that are no rows; None where the statement asks for them."""
    if drop is None or (drop.unless is not None and drop.unless in echo):
        return None
    path, values, key = drop.path, drop.values, drop.key

    def test(item: JSON, parents: Sequence[JSON]) -> bool:
        found = _up(item, parents, path)
        if key is not None and isinstance(found, list):
            pairs = (pair for pair in found if isinstance(pair, dict) and pair.get("key") == key)
            found = next((pair.get("value") for pair in pairs), None)
        return found not in values

    return test


def _shown(view: View | None, value: str | None) -> Test | None:
    """Whether the view shows an item; None where it shows all."""
    if view is None or value is None or not view.path:
        return None
    allowed, path = view.values.get(value), view.path
    if allowed is None:
        return None
    return lambda item, parents: _up(item, parents, path) in allowed


def _text(column: Column, value: JSON) -> SQLValue:
    if column.wire is Wire.NUMBER_TEXT:
        return _number_word(column, value)
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return json.dumps(value)
        case _:
            raise ValueError("it is an object or a list")


def _integer(column: Column, value: JSON) -> SQLValue:
    match value:
        case bool():
            raise ValueError("it is a truth value")
        case int():
            number = value
        case float() if value.is_integer():
            number = int(value)
        case str():
            number = int(value)
        case _:
            raise ValueError("it is no whole number")
    if not -(2**63) <= number < 2**63:
        raise ValueError("it does not fit 64 bits")
    return number


def _real(column: Column, value: JSON) -> SQLValue:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("it is no number")
    number = float(value)
    beyond = column.infinite is not None and abs(number) >= column.infinite
    return number if math.isfinite(number) and not beyond else None


def _number_word(column: Column, value: JSON) -> SQLValue:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("it is no number")
    number = float(value)
    if math.isnan(number):
        return "NaN"
    if math.isinf(number) or (column.infinite is not None and abs(number) >= column.infinite):
        return "Infinity" if number > 0 else "-Infinity"
    return json.dumps(number)


def _boolean(column: Column, value: JSON) -> SQLValue:
    match value:
        case bool():
            return int(value)
        case 0 | 1:
            return value
        case "true" | "True":
            return 1
        case "false" | "False":
            return 0
        case _:
            raise ValueError("it is neither true nor false")


def _datetime(column: Column, value: JSON) -> SQLValue:
    if column.wire is Wire.EPOCH_MS:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError("it is no number of milliseconds")
        return datetime_from_epoch_ms(int(value))
    if not isinstance(value, str):
        raise ValueError("it is no text")
    return datetime_from_text(value)


def _json(column: Column, value: JSON) -> SQLValue:
    if column.wire is not Wire.KEY_VALUE:
        if column.keep and isinstance(value, dict):
            value = {name: value[name] for name in column.keep if name in value}
        if column.sort is not None and isinstance(value, list):
            value = sorted(value, key=lambda item: str(value_at(item, (column.sort or "",))))
        return dump_json(value)
    if not isinstance(value, list):
        raise ValueError("it is no list of keys and values")
    key_name, value_name = column.key_names
    pairs: dict[str, JSON] = {}
    for entry in value:
        if not isinstance(entry, dict) or not isinstance(key := entry.get(key_name), str):
            raise ValueError(f"one of its entries has no {key_name!r}")
        held = entry.get(value_name)
        pairs[key] = _finite_number(column, held) if column.numeric_keys else held
    return dump_json(dict(sorted(pairs.items())))


def _finite_number(column: Column, value: JSON) -> JSON:
    """A number under a key; NaN and ±Infinity, however they travel, are null."""
    if isinstance(value, str) and value.strip("+-").lower() in ("nan", "infinity", "inf"):
        return None
    if isinstance(value, float | int) and column.infinite is not None and abs(value) >= column.infinite:
        return None
    return value


def _finite(value: JSON) -> JSON:
    match value:
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {name: _finite(item) for name, item in value.items()}
        case list():
            return [_finite(item) for item in value]
        case _:
            return value


_DECODERS: dict[Type, Callable[[Column, JSON], SQLValue]] = {
    Type.TEXT: _text,
    Type.INTEGER: _integer,
    Type.REAL: _real,
    Type.BOOLEAN: _boolean,
    Type.DATETIME: _datetime,
    Type.JSON: _json,
}
