"""What surfaces are told of a resource: its columns, its methods, and what tells its rows apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlprovider.catalog.model import Column, Method, Place, Resource, Role, Verb
from sqlprovider.plan.identity import chosen_parameter, parent_columns
from sqlprovider.values import Type


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """One column."""

    name: str
    type: Type
    hidden: bool
    role: str
    """`parameter`, `item`, `response` or `option`."""
    insertable: bool
    settable: bool
    is_map: bool
    """Its keys can be set one by one without touching the others."""
    secret: bool
    write_only: bool
    """The API takes it and never answers with it."""
    enum: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MethodFacts:
    """One method."""

    name: str
    wire_name: str
    verb: str
    effect: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    types: Mapping[str, Type]
    secrets: frozenset[str]
    has_batch_body: bool
    """It takes the rows of another method, many at once."""


@dataclass(frozen=True, slots=True)
class ResourceFacts:
    """One resource."""

    name: str
    key: tuple[str, ...]
    parents: tuple[str, ...]
    """The columns that say where a row lies."""
    roots: tuple[str, ...]
    identity: tuple[str, ...]
    """The columns that tell a row from others beside its parents, where it has no id chosen by the client."""
    identity_unique: bool
    chosen_id: tuple[str, str] | None
    """(the column of an INSERT, the column that it becomes)."""
    overwrites: bool
    """An INSERT of a row that is there replaces it."""
    columns: Mapping[str, ColumnFacts]
    methods: Mapping[str, MethodFacts]
    restore: str | None
    defaults: Mapping[str, str]
    """Of the connection."""
    view: tuple[str, str] | None
    """(the option that widens the view, its widest value)."""
    state_column: tuple[str, tuple[str, ...]] | None
    """(the column that tells, its values of live rows)."""
    precondition: str | None
    """The column that goes along so that a row which changed meanwhile is refused."""


def resource_facts(resource: Resource, defaults: Mapping[str, str]) -> ResourceFacts:
    """What a surface needs to know of a resource."""
    view, identity = resource.view, resource.identity
    live = None if view is None else view.values.get(view.default)
    guards = [m.precondition for m in resource.verb_methods(Verb.UPDATE) if m.precondition is not None]
    return ResourceFacts(
        name=str(resource.name),
        key=resource.key,
        parents=parent_columns(resource),
        roots=_roots(resource),
        identity=() if identity is None else identity.columns,
        identity_unique=identity is not None and identity.unique,
        chosen_id=chosen_parameter(resource),
        overwrites=any(method.overwrites for method in resource.verb_methods(Verb.INSERT)),
        columns={column.name: _column(resource, column) for column in resource.columns},
        methods={name: _method(resource, method) for name, method in resource.methods.items()},
        restore=resource.restore,
        defaults=defaults,
        view=None if view is None else (view.option, view.widest),
        state_column=(view.column, live) if view is not None and view.column and live is not None else None,
        precondition=guards[0] if guards else None,
    )


def _column(resource: Resource, column: Column) -> ColumnFacts:
    row_methods = [m for m in resource.verb_methods(Verb.INSERT) if not _is_batch_call(resource, m)]
    taken = {p.column or p.name for m in row_methods for p in m.parameters.values()}
    written = {
        p.column or p.name
        for verb in (Verb.INSERT, Verb.UPDATE)
        for m in resource.verb_methods(verb)
        for p in m.parameters.values()
        if p.place is Place.BODY and p.column is not None
    }
    settable = {name for m in resource.verb_methods(Verb.UPDATE) for name in m.sets}
    return ColumnFacts(
        name=column.name,
        type=column.type,
        hidden=column.hidden,
        role=column.role.value,
        insertable=column.name in taken,
        settable=column.name in settable or column.set_key is not None,
        is_map=column.set_key is not None,
        secret=column.secret,
        write_only=column.write_only or (column.role is Role.OPTION and column.name in written),
        enum=column.enum,
    )


def _method(resource: Resource, method: Method) -> MethodFacts:
    parameters = method.parameters.values()
    return MethodFacts(
        name=method.name,
        wire_name=method.wire_name,
        verb=method.verb.value,
        effect=method.effect,
        required=method.required,
        optional=method.optional,
        types={p.name: p.type for p in parameters},
        secrets=frozenset(p.name for p in parameters if p.secret),
        has_batch_body=_is_batch_call(resource, method),
    )


def _is_batch_call(resource: Resource, method: Method) -> bool:
    calls = {m.batch.call.name for m in resource.methods.values() if m.batch is not None and m is not method}
    return method.name in calls


def _roots(resource: Resource) -> tuple[str, ...]:
    found = {p.column or p.name for m in resource.methods.values() for p in m.parameters.values() if p.root}
    return tuple(column.name for column in resource.columns if column.name in found)
