"""A platform made of a document: it keeps rows, pages and filters them as the document says it does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import httpx

from sqlprovider.catalog.model import Column, Method, Parameter, Place, Provider, Resource, Role, Verb
from sqlprovider.execute.cells import decode_column
from sqlprovider.exercise.answers import Page, cut, error, laid_over, masked, nested, respond
from sqlprovider.exercise.holds import answered, is_of
from sqlprovider.exercise.items import Item, encode, put, take, wire_value
from sqlprovider.exercise.made import (
    Values,
    agreed,
    dump,
    make_value,
    make_values,
    plain_state,
    row_columns,
    spread,
)
from sqlprovider.exercise.routes import Call, keyed_column, read_calls
from sqlprovider.exercise.taken import clashing, restored
from sqlprovider.values import JSON, SQLValue, Type

ABSENT = object()
"""Stands for a field that is left out."""
_MADE = 900
"""Where the numbers of the ids begin that the platform gives itself."""
_OPERATION = "operations/o1"


@dataclass(slots=True)
class Platform:
    """The server. The first of `resources` is tried out, the others are the parents it is found by."""

    provider: Provider
    version: str
    resources: Sequence[Resource]
    tables: dict[str, list[Values]]
    shared: Values = field(default_factory=dict)
    """What a row that is inserted has in common with those that are there, unless it says otherwise."""
    page_size: int = 3
    """The most rows that a page holds, whatever is asked for."""
    spoil: Mapping[str, object] = field(default_factory=dict)
    """Column → what the items of the first resource hold in its place (or ABSENT)."""
    unreachable: bool = False
    """Whether lists say that they could not reach everything."""
    calls: list[Call] = field(default_factory=list)
    readings: list[list[Call]] = field(default_factory=list)
    """What each request can be read as; `calls` has the likeliest."""
    losing: int = 0
    """How many answers of calls that write are lost on their way."""
    faults: list[str] = field(default_factory=list)
    """What was asked that no method of the document says."""
    _seen: dict[tuple[str, bytes, str], httpx.Response] = field(default_factory=dict)
    _result: JSON = None
    _polls: int = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """The answer to a request."""
        if (polled := self._polled(request)) is not None:
            return respond(polled)
        readings = read_calls(request, self.resources)
        if not readings:
            self.faults.append(f"{request.method} {request.url.path} is no route of the document")
            return error(self.provider.errors, 500, "no_route", "no such route")
        call = readings[0]
        self.calls.append(call)
        self.readings.append(readings)
        try:
            return self._delivered(call, self._once(call))
        except ValueError as wrong:
            self.faults.append(f"{call.resource.name}.{call.method.name}: {wrong}")
            return error(self.provider.errors, 400, "invalid", str(wrong))

    def rows(self, resource: Resource) -> list[Values]:
        """The rows of a resource."""
        return self.tables.setdefault(str(resource.name), [])

    def _once(self, call: Call) -> httpx.Response:
        """The answer; a call that acts once, however often it comes with one body and token, acts once."""
        if call.method.repeat != "same_body":
            return self._answer(call)
        headers = ((p.wire_name, p.place) for p in call.method.parameters.values())
        tokens = [call.request.headers.get(name, "") for name, place in headers if place is Place.HEADER]
        same = str(call.request.url), call.request.content, " ".join(tokens)
        if same not in self._seen:
            self._seen[same] = self._answer(call)
        kept = self._seen[same]
        return httpx.Response(kept.status_code, content=kept.content, headers=kept.headers)

    def _delivered(self, call: Call, answer: httpx.Response) -> httpx.Response:
        if self.losing and call.method.effect == "write":
            self.losing -= 1
            raise httpx.ReadError("the answer was lost", request=call.request)
        return answer

    def _answer(self, call: Call) -> httpx.Response:
        if keyed_column(call) is not None:
            return self._set_key(call)
        if call.rows:
            return self._many(call)
        match call.method.verb:
            case Verb.SELECT:
                return self._read(call)
            case Verb.INSERT:
                return self._exists() if self._clashes(call) else self._written(call, self._insert(call))
            case Verb.UPDATE | Verb.DELETE:
                found = [row for row in self.rows(call.resource) if is_of(call, row)]
                return self._written(call, self._change(call, found[0])) if found else self._missing(call)
            case _:
                restored(call, self.rows(call.resource))
                return self._written(call, make_values(call.resource, 1, self.shared))

    def _many(self, call: Call) -> httpx.Response:
        """The rows of a batch, all of them or none."""
        each = [replace(call, arguments=arguments, rows=()) for arguments in call.rows]
        if call.method.verb is Verb.INSERT:
            if any(map(self._clashes, each)):
                return self._exists()
            made = [self._insert(one) for one in each]
        else:
            found = [next((r for r in self.rows(call.resource) if is_of(one, r)), None) for one in each]
            if None in found:
                return self._missing(call)
            made = [self._change(call, row) for row in found if row is not None]
        assert call.method.batch is not None
        batch = call.method.batch.call
        answer: JSON = {}
        if call.method.verb is Verb.INSERT and batch.rows is not None:
            answer = nested(batch.rows, [encode(call.resource, row) for row in made])
        return self._finished(batch, answer if isinstance(answer, dict) else {})

    def _clashes(self, call: Call) -> bool:
        """Whether an INSERT is of a row that is there, and the API says so."""
        given = self.shared | dict(_given(call))
        return bool(self.provider.errors.exists) and clashing(call, given, self.rows(call.resource))

    def _read(self, call: Call) -> httpx.Response:
        method, found = call.method, answered(call, self.rows(call.resource))
        if not is_list(method):
            if not found:
                return self._missing(call)
            headers = {c.header: header_value(c) for c in call.resource.columns if c.header}
            item = masked(call, self._item(call.resource, found[0]))
            return respond(nested(method.rows or (), [item]), headers)
        page = cut(call, method.pages, found, self.page_size)
        if self.unreachable and method.incomplete:
            put(page.beside, method.incomplete, ["somewhere"])
        return self._list(call, page)

    def _list(self, call: Call, page: Page) -> httpx.Response:
        items = [masked(call, self._item(call.resource, row)) for row in page.rows]
        rows = nested(call.method.rows or (), items)
        return respond(laid_over(rows, page.beside) if page.beside else rows, page.headers)

    def _item(self, resource: Resource, row: Values) -> Item:
        item = encode(resource, row)
        if resource is not self.resources[0]:
            return item
        for name, value in self.spoil.items():
            column = resource.column(name)
            if column is not None and column.path and column.path[0] != "^" and isinstance(item.body, dict):
                take(item.body, column.path)
                if value is not ABSENT:
                    put(item.body, column.path, value)  # type: ignore[arg-type]  # whatever is not ABSENT is JSON
        return item

    def _insert(self, call: Call) -> Values:
        resource, given = call.resource, dict(_given(call))
        rows = self.rows(resource)
        key = [name for name in resource.key if name in given]
        same = [row for row in rows if key and all(row.get(name) == given[name] for name in key)]
        if same and len(key) == len(resource.key):
            same[0].update(given)  # the route sets what is there, too
            return same[0]
        made = {
            c.name: self.shared.get(c.name, make_value(resource, c, _MADE + len(rows)))
            for c in row_columns(resource)
            if c.name in resource.key or c.role is Role.PARAMETER
        }
        empty: Values = dict.fromkeys(c.name for c in row_columns(resource))
        empty |= plain_state(resource)
        row = agreed(resource, {**empty, **agreed(resource, {**made, **spread(resource, given)})})
        rows.append(row)
        return row

    def _change(self, call: Call, row: Values) -> Values:
        if call.method.verb is Verb.DELETE:
            self.rows(call.resource).remove(row)
        else:
            sets = {name: value for name, value in _given(call) if name in call.method.sets}
            row.update(spread(call.resource, sets))
        return row

    def _set_key(self, call: Call) -> httpx.Response:
        column = keyed_column(call)
        found = [row for row in self.rows(call.resource) if is_of(call, row)]
        if column is not None and found:
            held = json.loads(str(found[0].get(column.name) or "{}"))
            key = str(call.arguments.get("key"))
            if call.method.name == column.set_key:
                held[key] = call.arguments.get("value")
            else:
                held.pop(key, None)
            found[0][column.name] = dump(dict(sorted(held.items())))
        return respond({})

    def _written(self, call: Call, row: Values) -> httpx.Response:
        method, answer = call.method, dict[str, JSON]()
        if method.verb is not Verb.DELETE:
            if method.rows is not None or method.answer_is_item:
                whole = nested(method.rows or (), [encode(call.resource, row)])
                answer = whole if isinstance(whole, dict) else answer
            for name, path in method.answers.items():
                if (column := call.resource.column(name)) is not None:
                    put(answer, path, wire_value(column, row.get(name)))
        return self._finished(method, answer)

    def _finished(self, method: Method, answer: dict[str, JSON]) -> httpx.Response:
        if not method.wait or self.provider.wait is None:
            return respond(answer)
        started: dict[str, JSON] = {}
        put(started, self.provider.wait.name, _OPERATION)
        self._result, self._polls = answer, 0
        return respond(started)

    def _polled(self, request: httpx.Request) -> dict[str, JSON] | None:
        """The operation under way: it is done when it is asked for the second time."""
        wait = self.provider.wait
        if wait is None or request.method != "GET":
            return None
        if request.url.path != wait.path.replace("{name}", _OPERATION).replace("{version}", self.version):
            return None
        state: dict[str, JSON] = {}
        put(state, wait.name, _OPERATION)
        self._polls += 1
        if self._polls > 1:
            put(state, wait.done, True)
            put(state, wait.result, self._result)
        return state

    def _missing(self, call: Call) -> httpx.Response:
        errors = self.provider.errors
        code = next(iter((*call.method.missing_codes, *errors.missing)), "missing")
        return error(errors, 404, code, "no such thing")

    def _exists(self) -> httpx.Response:
        return error(self.provider.errors, 409, self.provider.errors.exists[0], "there is one already")


def is_list(method: Method) -> bool:
    """Whether a method answers with many items."""
    return any(segment.endswith("[]") for segment in method.rows or ())


def header_value(column: Column) -> str:
    """What an answer has in the header that is a column."""
    return f'"{column.name}"'


def _given(call: Call) -> Iterator[tuple[str, SQLValue]]:
    """The columns of the row that a call's arguments are."""
    for parameter in call.method.parameters.values():
        column = call.resource.column(parameter.column or "")
        is_held = column is not None and column.role in (Role.PARAMETER, Role.ITEM)
        if column is not None and is_held and parameter.name in call.arguments:
            yield column.name, _sql_value(column, parameter, call.arguments[parameter.name])
        if parameter.names is not None and parameter.name in call.arguments:
            yield parameter.names, str(call.arguments[parameter.name])


def _sql_value(column: Column, parameter: Parameter, wire: JSON) -> SQLValue:
    """What an argument says of a column, in the form in which SQL shows it."""
    if isinstance(wire, str):
        match column.type:
            case Type.JSON if parameter.type is Type.JSON:
                wire = json.loads(wire)
            case Type.BOOLEAN:
                wire = wire == "true"
            case Type.REAL:
                wire = float(wire)
    if isinstance(wire, list) and parameter.repeated and column.type is not Type.JSON:
        wire = wire[0] if wire else None
    return decode_column(column, wire)
