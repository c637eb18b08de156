"""plan_insert(), plan_update(), plan_delete(): the method that takes the rows, and their operations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlprovider.catalog.model import Column, Method, Parameter, Resource, Role, Verb
from sqlprovider.errors import NotSupportedError, ProgrammingError, UnknownColumnError, did_you_mean
from sqlprovider.plan.model import Candidate, Operation, Refusal
from sqlprovider.plan.refusal import refusal_error
from sqlprovider.plan.wire import default_value, key_text, to_wire
from sqlprovider.values import JSON, SQLValue, cast

Values = Mapping[str, SQLValue]
"""Column → value."""
_DATA = "data__"


@dataclass(frozen=True, slots=True, eq=False)
class Mutation:
    """A planned write of rows of one resource by one method (None: by map keys alone)."""

    verb: Verb
    resource: Resource
    method: Method | None
    columns: tuple[str, ...]
    """INSERT: the columns given, in order. UPDATE: the columns set, in order."""
    defaults: Mapping[str, str]

    @property
    def where(self) -> str:
        """`INSERT into lab.bench.trials`, for messages."""
        if self.verb is Verb.EXEC and self.method is not None:
            return f"EXEC {self.resource.name}.{self.method.name}"
        preposition = {Verb.INSERT: "INSERT into", Verb.UPDATE: "UPDATE of", Verb.DELETE: "DELETE from"}
        return f"{preposition[self.verb]} {self.resource.name}"

    @property
    def maps(self) -> tuple[Column, ...]:
        """The columns set that the API changes key by key."""
        if self.verb is not Verb.UPDATE:
            return ()
        found = (self.resource.column(name) for name in self.columns)
        return tuple(column for column in found if column is not None and column.set_key is not None)


def plan_insert(resource: Resource, given: Sequence[str], defaults: Mapping[str, str]) -> Mutation:
    """The INSERT by the method that takes the columns given (written `name` or `data__name`)."""
    methods = _methods(resource, Verb.INSERT)
    columns = tuple(_insert_column(resource, methods, name) for name in given)
    _refuse_repeated(resource, columns)
    eligible = [m for m in methods if not _untaken(m, columns) and not _lacking(m, columns, defaults)]
    if not eligible:
        raise _no_insert(resource, methods, columns, defaults)
    method = max(eligible, key=lambda m: len(m.required))
    return Mutation(Verb.INSERT, resource, method, columns, defaults)


def plan_update(resource: Resource, given: Sequence[str], defaults: Mapping[str, str]) -> Mutation:
    """The UPDATE by the method that sets the columns given; maps may be set key by key instead."""
    if not resource.verb_methods(Verb.UPDATE) and not any(c.set_key for c in resource.columns):
        _methods(resource, Verb.UPDATE)
    columns = tuple(_settable_column(resource, name) for name in given)
    _refuse_repeated(resource, columns)
    keyed = {c.name for c in resource.columns if c.set_key is not None}
    wanted = {name for name in columns if name not in keyed}
    if not wanted:
        return Mutation(Verb.UPDATE, resource, None, columns, defaults)
    for method in resource.verb_methods(Verb.UPDATE):
        if wanted <= set(method.sets):
            return Mutation(Verb.UPDATE, resource, method, columns, defaults)
    raise NotSupportedError(
        f"UPDATE of {resource.name}: no one method sets {', '.join(sorted(wanted))} together",
        hint=f"SHOW METHODS IN {resource.name}",
    )


def plan_delete(resource: Resource, defaults: Mapping[str, str]) -> Mutation:
    """The DELETE of a resource's rows."""
    methods = _methods(resource, Verb.DELETE)
    return Mutation(Verb.DELETE, resource, methods[0], (), defaults)


def insert_operation(mutation: Mutation, row: Values) -> Operation:
    """The operation that inserts one row."""
    assert mutation.method is not None
    return operation(mutation, mutation.method, row)


def check_values(mutation: Mutation, given: Values) -> None:
    """Refuses a value that SET gives whichever rows match: it is wrong even where none does."""
    if mutation.method is None:
        return
    for parameter in mutation.method.parameters.values():
        if (column := parameter.column or parameter.name) in given:
            to_wire(given[column], parameter, where=mutation.where)


def update_operations(mutation: Mutation, old: Values, new: Values, options: Values) -> Iterator[Operation]:
    """The operations that make a row, as read, what is set: the method's, then the maps' keys that differ."""
    method, maps = mutation.method, mutation.maps
    by_key = {column.name for column in maps}
    plain = {name: value for name, value in new.items() if name not in by_key}
    if method is not None and plain:
        _refuse_null(mutation, method, plain)
        identity = {p.column or p.name: old.get(p.column or p.name) for p in _required(method)}
        mask = _mask(method, plain, options)
        yield operation(
            mutation, method, {**identity, **_precondition(method, old), **options, **mask, **plain}
        )
    for column in maps:
        if column.name in new:
            yield from _map_operations(mutation, column, old, new[column.name])


def delete_operation(mutation: Mutation, old: Values, options: Values) -> Operation:
    """The operation that deletes one row."""
    assert mutation.method is not None
    identity = {p.column or p.name: old.get(p.column or p.name) for p in _required(mutation.method)}
    return operation(
        mutation, mutation.method, {**identity, **_precondition(mutation.method, old), **options}
    )


def operation(mutation: Mutation, method: Method, values: Values) -> Operation:
    """One call of a writing method with values by column."""
    arguments: dict[str, JSON] = {}
    echo: dict[str, SQLValue] = {}
    where = mutation.where
    for parameter in method.parameters.values():
        column = parameter.column or parameter.name
        value = values.get(column)
        if value is None and parameter.required:
            value = mutation.defaults.get(parameter.name)
        wire = to_wire(value, parameter, where=where)
        if wire is None:
            wire = default_value(parameter)
        if wire is None and parameter.required:
            raise ProgrammingError(f"{where}: {column} is NULL", reason="null_parameter")
        if wire is not None:
            arguments[parameter.name] = wire
        _echo(mutation.resource, column, value, echo)
    return Operation(
        mutation.resource.name, method, tuple(sorted(arguments.items())), tuple(sorted(echo.items()))
    )


def secret_columns(mutation: Mutation) -> frozenset[str]:
    """The columns of a write whose values are secret."""
    if mutation.method is None:
        return frozenset()
    parameters = mutation.method.parameters.values()
    return frozenset(parameter.column or parameter.name for parameter in parameters if parameter.secret)


def writes_secret(mutation: Mutation) -> bool:
    """Whether a value that is secret may be written."""
    secret = secret_columns(mutation)
    return bool(secret.intersection(mutation.columns) if mutation.columns else secret)


def option_columns(mutation: Mutation) -> frozenset[str]:
    """The option columns of a write's own methods: in its WHERE they are options, no conditions."""
    if mutation.method is None:
        return frozenset()
    names = {p.column for p in mutation.method.parameters.values() if not p.required}
    return frozenset(
        column.name
        for column in mutation.resource.columns
        if column.name in names and column.role is Role.OPTION
    )


def _echo(resource: Resource, name: str, value: SQLValue, echo: dict[str, SQLValue]) -> None:
    column = resource.column(name)
    if column is not None and value is not None:
        echo[column.name] = cast(value, column.type)


def _methods(resource: Resource, verb: Verb) -> tuple[Method, ...]:
    methods = resource.verb_methods(verb)
    if not methods:
        raise refusal_error(Refusal(resource, verb, (), ()))
    return methods


def _required(method: Method) -> list[Parameter]:
    return [parameter for parameter in method.parameters.values() if parameter.required]


def _insert_column(resource: Resource, methods: tuple[Method, ...], name: str) -> str:
    """The column a written name means: a column, its `data__` form, or a parameter by its wire name."""
    for candidate in (name, name.removeprefix(_DATA)):
        if (column := resource.column(candidate)) is not None:
            return column.name
        for method in methods:
            for parameter in method.parameters.values():
                if candidate.lower() in (parameter.name.lower(), parameter.wire_name.lower()):
                    return parameter.column or parameter.name
    raise _unknown_column(resource, name)


def _settable_column(resource: Resource, name: str) -> str:
    column = resource.column(name) or resource.column(name.removeprefix(_DATA))
    if column is None:
        raise _unknown_column(resource, name)
    settable = {n for method in resource.verb_methods(Verb.UPDATE) for n in method.sets}
    settable |= {c.name for c in resource.columns if c.set_key is not None}
    if column.name not in settable:
        raise ProgrammingError(
            f"UPDATE of {resource.name}: {column.name} cannot be set; what can be is "
            f"{', '.join(c.name for c in resource.columns if c.name in settable) or 'nothing'}",
            reason="not_settable",
        )
    return column.name


def _unknown_column(resource: Resource, name: str) -> UnknownColumnError:
    known = tuple(column.name for column in resource.columns)
    return UnknownColumnError(
        f"no column {name!r} in {resource.name}{did_you_mean(name, known)}",
        hint=f"SHOW COLUMNS IN {resource.name}",
    )


def _refuse_repeated(resource: Resource, columns: tuple[str, ...]) -> None:
    for name in columns:
        if columns.count(name) > 1:
            raise ProgrammingError(f"{resource.name}: {name} is given twice", reason="repeated_column")


def _untaken(method: Method, columns: tuple[str, ...]) -> list[str]:
    taken = {p.column or p.name for p in method.parameters.values()}
    return [name for name in columns if name not in taken]


def _lacking(method: Method, columns: tuple[str, ...], defaults: Mapping[str, str]) -> list[str]:
    return [
        parameter.name
        for parameter in _required(method)
        if (parameter.column or parameter.name) not in columns
        and parameter.name not in defaults
        and parameter.default is None
    ]


def _no_insert(
    resource: Resource, methods: tuple[Method, ...], columns: tuple[str, ...], defaults: Mapping[str, str]
) -> Exception:
    taking = [method for method in methods if not _untaken(method, columns)]
    if taking:
        candidates = tuple(Candidate(m, tuple(_lacking(m, columns, defaults))) for m in taking)
        return refusal_error(Refusal(resource, Verb.INSERT, (), candidates, walks=False))
    best = min(methods, key=lambda method: len(_untaken(method, columns)))
    taken = [p.column or p.name for p in best.parameters.values()]
    return UnknownColumnError(
        f"INSERT into {resource.name}: {best.name} does not take {', '.join(_untaken(best, columns))}; "
        f"it takes {', '.join(taken)}",
        reason="column_not_taken",
        hint=f"SHOW INSERT INTO {resource.name}",
    )


def _precondition(method: Method, old: Values) -> Values:
    """The precondition as the row was read."""
    name = method.precondition
    return {name: old[name]} if name is not None and old.get(name) is not None else {}


def _refuse_null(mutation: Mutation, method: Method, plain: Values) -> None:
    """Without a mask an absent field is left as it is: the write would be lost without a word."""
    if method.mask is not None:
        return
    for name, value in plain.items():
        if value is None:
            raise ProgrammingError(
                f"{mutation.where}: {name} cannot be set to NULL; {method.name} leaves a field that is not "
                "sent as it is",
                reason="null_not_settable",
            )


def _mask(method: Method, plain: Values, options: Values) -> dict[str, SQLValue]:
    """The mask of the columns that are set, unless the statement gives its own."""
    if method.mask is None:
        return {}
    parameter = method.parameters[method.mask]
    column = parameter.column or parameter.name
    if options.get(column) is not None:
        return {}
    named = [method.mask_columns.get(name, name) for name in plain if name in method.sets]
    return {column: ",".join(named)}


def _map_operations(mutation: Mutation, column: Column, old: Values, value: SQLValue) -> Iterator[Operation]:
    """Sets the keys that differ and deletes the ones that are gone."""
    before = _object(mutation, column, old.get(column.name))
    after = _object(mutation, column, value)
    for key, item in after.items():
        if key not in before or key_text(before[key]) != key_text(item):
            yield _key_operation(mutation, column.set_key, old, {"key": key, "value": key_text(item)})
    for key in before:
        if key not in after:
            yield _key_operation(mutation, column.delete_key, old, {"key": key})


def map_as_set(mutation: Mutation, column: Column, value: SQLValue) -> str:
    """The map that SET makes of a column, in the form in which it would be read."""
    pairs = {key: key_text(item) for key, item in _object(mutation, column, value).items()}
    return json.dumps(dict(sorted(pairs.items())), ensure_ascii=False, separators=(",", ":"))


def _key_operation(mutation: Mutation, name: str | None, old: Values, key: Values) -> Operation:
    method = None if name is None else mutation.resource.methods.get(name)
    if method is None:
        raise NotSupportedError(f"{mutation.where}: the API cannot delete the key {key['key']!r}")
    identity = {
        parameter.column or parameter.name: old.get(parameter.column or parameter.name)
        for parameter in _required(method)
        if parameter.name not in key
    }
    return operation(mutation, method, {**identity, **key})


def _object(mutation: Mutation, column: Column, value: SQLValue) -> dict[str, JSON]:
    if value is None:
        return {}
    try:
        decoded = json.loads(value) if isinstance(value, str) else None
    except ValueError:
        decoded = None
    if not isinstance(decoded, dict):
        raise ProgrammingError(
            f'{mutation.where}: {column.name} takes a JSON object, for example \'{{"key": "value"}}\'',
            reason="wrong_value",
        )
    return decoded
