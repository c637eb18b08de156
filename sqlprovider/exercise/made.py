"""Generated rows: a value for each column that an item holds or a statement gives, in SQL's form."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from sqlprovider.catalog.model import ITSELF, Column, Parameter, Path, Resource, Role, Wire
from sqlprovider.values import JSON, SQLValue, Type

Values = dict[str, SQLValue]
VIEW = "(view)"
"""Beside the columns of a row: the value of the field that tells whether it is live."""
DROP = "(drop)"
"""… and the value that makes it an item that is no row."""
LONG = 1000
"""Characters of the longest id."""
_ODD = ("é 😀", "a+b~c", "50%25", 'it\'s "q"', "x&y=z?#", "tab-1")
"""What ids and texts may hold, and URLs, filters and SQL must not trip over."""
_CANDIDATES = ("1{n}", "a{n}", "a-{n}", "A_{n}", "tb{n}", "2026-01-{n:02}", "x{n}.y", "{n}")


def make_values(resource: Resource, n: int, shared: Mapping[str, SQLValue]) -> Values:
    """The n-th row; `shared` holds the values that it has in common with others."""
    shared = spread(resource, shared)
    values: Values = {
        column.name: shared[column.name] if column.name in shared else make_value(resource, column, n)
        for column in row_columns(resource)
    }
    return agreed(resource, {**values, **plain_state(resource)})


def row_columns(resource: Resource) -> list[Column]:
    """The columns that a generated row has a value for."""
    return [c for c in resource.columns if c.role in (Role.PARAMETER, Role.ITEM) and not is_derived(c)]


def is_derived(column: Column) -> bool:
    """Whether the value follows from others: it is not made, and compared by a rule or not at all."""
    return bool(column.present or column.header or column.whole_item or column.wire is Wire.NUMBER_TEXT)


def make_value(resource: Resource, column: Column, n: int) -> SQLValue:
    """The n-th value of a column, in the form in which SQL shows it."""
    if column.enum:
        return column.enum[n % len(column.enum)]
    match column.type:
        case Type.INTEGER:
            return 1000 + n
        case Type.REAL:
            return n + 0.5
        case Type.BOOLEAN:
            return n % 2
        case Type.DATETIME:
            return f"2026-01-{1 + n % 28:02} 03:04:05.{n % 1000:03}"
        case Type.JSON:
            return dump(_json(resource, column, n))
        case _:
            return _text(resource, column, n)


def agreed(resource: Resource, values: Mapping[str, SQLValue]) -> Values:
    """The values, those of columns that are one field of the item (or parts of its name) brought to agree."""
    found, names = dict(values), names_at(resource, values)
    by_path: dict[Path, list[Column]] = {}
    for column in row_columns(resource):
        if column.path and column.segment is None and column.name in values:
            by_path.setdefault(column.path, []).append(column)
    for path, columns in by_path.items():
        known = (found[c.name] for c in columns if found[c.name] is not None)
        value = names[path] if path in names else next(known, None)
        found |= {column.name: value for column in columns if path in names or column.type is columns[0].type}
    return found


def spread(resource: Resource, given: Mapping[str, SQLValue]) -> Values:
    """The values, and those of the other columns that are the same field."""
    plain = [c for c in row_columns(resource) if c.path and c.segment is None]
    at = {column.path: given[column.name] for column in plain if column.name in given}
    return {column.name: at[column.path] for column in plain if column.path in at} | dict(given)


def names_at(resource: Resource, values: Mapping[str, SQLValue]) -> dict[Path, str]:
    """Where resource names are: `projects/p/runs/r`, of the columns that each take a segment of them."""
    parts: dict[Path, list[str]] = {}
    for column in row_columns(resource):
        if column.segment is not None:
            parts.setdefault(column.path, []).append(f"{column.segment}/{values.get(column.name)!s}")
    return {path: "/".join(said) for path, said in parts.items()}


def odd_ids(resource: Resource, column: Column) -> list[str]:
    """Ids that are hard to send; those that the document's patterns and lengths allow."""
    texts = [f"{odd} {n}" for n, odd in enumerate(_ODD)]
    texts += ["a..b", "%2F", "*", "~", "ключ", "l" + "o" * (LONG - 3) + "ng"]
    if column.segment is None:
        texts += ["a/b", "../x", "a//b"]
    taken = [p for p in _parameters(resource) if p.column == column.name]
    pattern, longest = pattern_of(resource, column), min((p.max_chars or LONG for p in taken), default=LONG)
    return [t for t in texts if len(t) <= longest and (pattern is None or re.fullmatch(pattern, t))]


def pattern_of(resource: Resource, column: Column) -> str | None:
    """The pattern of the parameters that are this column."""
    found = (p.pattern for p in _parameters(resource) if p.column == column.name and p.pattern is not None)
    return next(found, None)


def argument(parameter: Parameter, n: int) -> SQLValue:
    """A value that a parameter takes."""
    if parameter.enum:
        return parameter.enum[n % len(parameter.enum)]
    match parameter.type:
        case Type.INTEGER:
            return 10 + n
        case Type.REAL:
            return n + 0.25
        case Type.BOOLEAN:
            return 1
        case Type.DATETIME:
            return "2026-02-03 04:05:06.789"
        case Type.JSON if parameter.wire is Wire.KEY_VALUE:
            return '{"a":"b"}'
        case Type.JSON:
            return '["a"]' if parameter.repeated else '{"a":"b c"}'
        case _:
            return f"{parameter.name[:20]} é+/{n}"[: parameter.max_chars]


def dump(value: JSON) -> str:
    """Compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _parameters(resource: Resource) -> Iterator[Parameter]:
    return (parameter for method in resource.methods.values() for parameter in method.parameters.values())


def _text(resource: Resource, column: Column, n: int) -> str:
    if (pattern := pattern_of(resource, column)) is not None:
        fitting = (text for c in _CANDIDATES if re.fullmatch(pattern, text := c.format(n=n)))
        return next(fitting, f"v{n}")
    return f"{column.name.lower()}-{n}" if column.role is Role.PARAMETER else f"{_ODD[n % len(_ODD)]} {n}"


def _json(resource: Resource, column: Column, n: int) -> JSON:
    if column.sort is not None:
        return [{column.sort: f"{n}-{part}"} for part in "ab"]
    if column.keep:
        return {key: [n] for key in column.keep}
    if column.wire is Wire.KEY_VALUE:
        return {"k": n + 0.5, "odd `key`": n} if column.numeric_keys else {"k": f"v{n}", "é.x": "y"}
    value: JSON = {"k": n} if column.numeric_keys else {"k": f"v{n}", "é": "y"}
    is_list = any(p.repeated and p.column == column.name for p in _parameters(resource))
    return [value] if is_list and column.path != ITSELF else value


def plain_state(resource: Resource) -> Values:
    """What makes a row live, and no directory."""
    return {**_live(resource), **_leaves(resource)}


def _live(resource: Resource) -> Values:
    """What makes a row live: what the view shows by default."""
    view = resource.view
    allowed = None if view is None else view.values.get(view.default)
    if view is None or not allowed:
        return {}
    return {name: allowed[0] for name in (VIEW, view.column) if name is not None}


def _leaves(resource: Resource) -> Values:
    """No row is a directory, whose own rows would be listed in turn."""
    flags = {method.tree.flag for method in resource.methods.values() if method.tree is not None}
    return {column.name: 0 for column in resource.columns if column.path and column.path[0] in flags}
