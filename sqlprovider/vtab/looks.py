"""Looks at rows after the fact: what is there now, and whether it is what was sent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from sqlprovider.catalog.model import Column, Resource, Role, Verb, Wire
from sqlprovider.execute.cells import decode_column
from sqlprovider.execute.response import Answer
from sqlprovider.execute.rows import decode_item
from sqlprovider.plan.model import Operation
from sqlprovider.plan.mutation import Mutation, operation
from sqlprovider.values import NOT_FINITE, SQLValue, Type, cast, datetime_from_text
from sqlprovider.vtab.database import quote
from sqlprovider.vtab.engine import Engine
from sqlprovider.vtab.run import Run

Values = dict[str, SQLValue]

_EMPTY = (None, "", "{}", "[]")


class Looks:
    """Reads rows of one resource for a statement that writes them."""

    def __init__(self, resource: Resource, engine: Engine, run: Run) -> None:
        self.resource = resource
        self._engine = engine
        self._run = run

    def rows(self, known: Mapping[str, SQLValue], *, widest: bool = False) -> list[Values]:
        """The live rows (`widest`: deleted ones too) that have these values. Raises what reading raises."""
        return list(self._rows(known, widest))

    def row(self, known: Mapping[str, SQLValue]) -> Values | None:
        """The live row with these values; None where there is none. Raises what reading raises."""
        return next(self._rows(known, False), None)

    def by_key(self, values: Mapping[str, SQLValue]) -> Values | None:
        """The live row that has the key of these values."""
        return self.row({name: values[name] for name in self.resource.key})

    def has_key(self, values: Mapping[str, SQLValue]) -> bool:
        """Whether these values name one row."""
        key = self.resource.key
        return bool(key) and all(values.get(name) is not None for name in key)

    def finds_one(self, values: Mapping[str, SQLValue]) -> bool:
        """Whether a reading method asks for the row of a key alone, be it as a list of one."""
        required = (
            {p.column or p.name for p in method.parameters.values() if p.required}
            for method in self.resource.verb_methods(Verb.SELECT)
        )
        return self.has_key(values) and set(self.resource.key) in list(required)

    def operation(self, mutation: Mutation, values: Mapping[str, SQLValue]) -> Operation | None:
        """The one request that answers with the row of a key, where the API has it."""
        keys = {name: values.get(name) for name in self.resource.key}
        for method in self.resource.verb_methods(Verb.SELECT):
            required = {p.column or p.name for p in method.parameters.values() if p.required}
            one = not any(segment.endswith("[]") for segment in method.rows or ())
            if one and required and required == set(keys) and method.pages is not None:
                return operation(mutation, method, keys)
        return None

    def answered(self, asked: Operation, answer: Answer) -> Values | None:
        """The row that such a request was answered with; None where it is not there, or no live row."""
        if answer.missing or len(answer.items) != 1:
            return None
        echo = dict(asked.echo)
        for column in self.resource.columns:
            if column.header is not None:
                echo[column.name] = decode_column(column, answer.headers.get(column.header.lower()))
        found = echo | decode_item(self.resource, answer.items[0], dict(echo))
        view = self.resource.view
        shown = None if view is None or view.column is None else view.values.get(view.default)
        if view is not None and view.column is not None and shown is not None:
            return found if found.get(view.column) in shown else None
        return found

    def _rows(self, known: Mapping[str, SQLValue], widest: bool) -> Iterator[Values]:
        columns = [
            c.name
            for c in self.resource.columns
            if c.role in (Role.PARAMETER, Role.ITEM) and not c.whole_item
        ]
        table = self._engine.add_resource(self.resource)
        conditions = dict(known)
        view = self.resource.view
        if widest and view is not None:
            conditions[view.option] = view.widest
        test = " AND ".join(f"{quote(name)} = ?" for name in conditions)
        where = f" WHERE {test}" if test else ""
        sql = f"SELECT {', '.join(map(quote, columns))} FROM {quote(table)}{where}"
        for row in self._engine.select(sql, [*conditions.values()], self._run.calls).rows:
            yield dict(zip(columns, row, strict=True))


def holds(
    resource: Resource,
    found: Mapping[str, SQLValue],
    sent: Mapping[str, SQLValue],
    before: Mapping[str, SQLValue] | None = None,
) -> bool:
    """Whether a row holds what was sent; maps may hold more, but no key that the row had `before`."""
    for name, value in sent.items():
        column = resource.column(name)
        if column is None or column.role is Role.OPTION or column.write_only:
            continue
        if column.wire is Wire.NUMBER_TEXT and value not in NOT_FINITE:
            continue  # the number itself is compared: 1 and 1.0 are other texts
        now = found.get(name)
        if not same_value(column, now, value) or _keeps(column, now, value, (before or {}).get(name)):
            return False
    return True


def _keeps(column: Column, found: SQLValue, sent: SQLValue, before: SQLValue) -> bool:
    """Whether a map still has a key that it had and should have lost."""
    theirs, mine, old = _decoded(found), _decoded(sent), _decoded(before)
    if column.type is not Type.JSON or not isinstance(theirs, dict) or not isinstance(old, dict):
        return False
    return any(key in theirs for key in old if not isinstance(mine, dict) or key not in mine)


def moved(
    resource: Resource, before: Mapping[str, SQLValue], now: Mapping[str, SQLValue], names: Sequence[str]
) -> list[str]:
    """The columns of these that have changed between two readings."""
    known = [(name, resource.column(name)) for name in names]
    return [
        name
        for name, column in known
        if column is not None and name in now and not _equal(column, before.get(name), now[name])
    ]


def same_value(column: Column, found: SQLValue, sent: SQLValue) -> bool:
    """Whether a value is what was sent: other forms of it count, and the API's own keys in a map."""
    if _equal(column, found, sent):
        return True
    if column.type is Type.JSON:
        mine, theirs = _decoded(sent), _decoded(found)
        if isinstance(mine, dict) and isinstance(theirs, dict):
            return all(name in theirs and theirs[name] == value for name, value in mine.items())
    return False


def _equal(column: Column, one: SQLValue, other: SQLValue) -> bool:
    if one == other or (one in _EMPTY and other in _EMPTY):
        return True
    if one is None or other is None:
        return False
    if column.type is Type.JSON:
        return _decoded(one) == _decoded(other)
    if column.type is Type.DATETIME and isinstance(one, str) and isinstance(other, str):
        return _instant(one) == _instant(other)
    return cast(one, column.type) == cast(other, column.type)


def _decoded(value: SQLValue) -> object:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _instant(text: str) -> str:
    try:
        return datetime_from_text(text).rstrip("0")
    except ValueError:
        return text
