"""Checks of one resource: its key, columns, parameters, view and parents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sqlprovider.catalog.columns import Taken, clash_faults, option_parameters
from sqlprovider.catalog.document import (
    ColumnDocument,
    Fault,
    ParentDocument,
    ResourceDocument,
    ServiceDocument,
    ViewDocument,
)
from sqlprovider.catalog.model import Parameter, Verb, Wire
from sqlprovider.catalog.parameters import identifier
from sqlprovider.catalog.references import bind_columns, split_reference
from sqlprovider.errors import did_you_mean
from sqlprovider.values import Type

WIRE_TYPES: Mapping[Wire, Type] = {
    Wire.INT64: Type.INTEGER,
    Wire.EPOCH_MS: Type.DATETIME,
    Wire.RFC3339: Type.DATETIME,
    Wire.KEY_VALUE: Type.JSON,
    Wire.NUMBER: Type.REAL,
    Wire.NUMBER_TEXT: Type.TEXT,
}


@dataclass(frozen=True, slots=True)
class ResourceScope:
    """A resource, and what it may speak of."""

    services: Mapping[str, ServiceDocument]
    service: str
    name: str
    document: ResourceDocument
    taken: Taken


def resource_faults(scope: ResourceScope) -> Iterator[Fault]:
    """Everything wrong with a resource, its methods aside; the places are relative to it."""
    for check in _CHECKS:
        yield from check(scope)


def field_names(resource: ResourceDocument) -> tuple[str, ...]:
    """The names of the columns that hold a row: its parameters and the item's fields."""
    return tuple(identifier(name) for name in (*resource.parameters, *resource.columns))


def unknown_name(at: tuple[str | int, ...], what: str, name: str, known: tuple[str, ...]) -> Iterator[Fault]:
    """A fault if a name is not among the known ones."""
    if identifier(name) not in known:
        yield Fault(at, f"no {what} {name!r}{did_you_mean(name, known)}")


def wire_faults(at: tuple[str | int, ...], type_: Type, wire: Wire) -> Iterator[Fault]:
    """Faults of a type that cannot travel so."""
    wanted = WIRE_TYPES.get(wire, type_)
    if wanted is not type_:
        yield Fault(at, f"wire: {wire.value} is for {wanted.value}, and the type is {type_.value}")
    elif type_ is Type.DATETIME and wire is Wire.PLAIN:
        yield Fault(at, "a DATETIME says how it travels: `wire: rfc3339` or `wire: epoch_ms`")


def _key(scope: ResourceScope) -> Iterator[Fault]:
    known = field_names(scope.document)
    for place, name in enumerate(scope.document.key):
        yield from unknown_name(("key", place), "column", name, known)


def _columns(scope: ResourceScope) -> Iterator[Fault]:
    document = scope.document
    tables: tuple[tuple[str, Mapping[str, ColumnDocument]], ...] = (
        ("parameters", document.parameters),
        ("columns", document.columns),
        ("response", document.response),
    )
    for table, columns in tables:
        for name, column in columns.items():
            yield from wire_faults((table, name), column.type, column.wire)
            if column.keep and column.type is not Type.JSON:
                yield Fault(
                    (table, name, "keep"), f"only a JSON object has keys, and {name} is {column.type.value}"
                )
            if table == "parameters" and column.segment is not None and column.path is None:
                yield Fault((table, name, "segment"), "`segment` is of the text at `path`, which is missing")
            if table == "response" and column.path is not None and column.path[0] == "^":
                yield Fault((table, name, "path"), "`^` leads out of an item, and the answer is in none")


def _map_methods(scope: ResourceScope) -> Iterator[Fault]:
    for name, column in scope.document.columns.items():
        for word, method, needed in (
            ("set_key", column.set_key, ("key", "value")),
            ("delete_key", column.delete_key, ("key",)),
        ):
            if method is None:
                continue
            at = ("columns", name, word)
            if column.type is not Type.JSON:
                yield Fault(at, f"only a JSON map is changed key by key, and {name} is {column.type.value}")
            if method not in scope.taken:
                yield from unknown_name(at, "method", method, tuple(scope.taken))
                continue
            for parameter in needed:
                if parameter not in scope.taken[method]:
                    yield Fault(at, f"{method} has no parameter {parameter!r} to give the {parameter} to")


def _row_parameters(scope: ResourceScope) -> Iterator[Fault]:
    """A parameter that is not in the item comes back as it was bound: every reading method must take it."""
    methods = scope.document.methods
    for name, parameter in scope.document.parameters.items():
        column, at = identifier(name), ("parameters", name)
        holders = [m for m, taken in scope.taken.items() if any(p.column == column for p in taken.values())]
        if parameter.path is not None:
            continue
        if not holders:
            yield Fault(
                at, f"{name} is used nowhere: no method takes it, and `path` does not say where it is"
            )
            continue
        for method, shape in methods.items():
            if shape.verb is Verb.SELECT and method not in holders:
                yield Fault(
                    at, f"{method} does not take {name}, and `path` does not say where an item has it"
                )


def _options(scope: ResourceScope) -> Iterator[Fault]:
    seen: dict[str, tuple[str, Parameter]] = {}
    for method, parameter in option_parameters(scope.taken, field_names(scope.document)):
        first, earlier = seen.setdefault(parameter.column or parameter.name, (method, parameter))
        if earlier.type is not parameter.type:
            message = (
                f"it is {parameter.type.value} here and {earlier.type.value} in {first}: one column, one type"
            )
            yield Fault(("methods", method, "parameters", parameter.name), message)


def _clashes(scope: ResourceScope) -> Iterator[Fault]:
    yield from clash_faults(scope.document, scope.taken)


def _view(scope: ResourceScope) -> Iterator[Fault]:
    view = scope.document.view
    if view is None:
        return
    options = [
        parameters[identifier(view.option)]
        for method, parameters in scope.taken.items()
        if scope.document.methods[method].verb is Verb.SELECT and identifier(view.option) in parameters
    ]
    if not options and (view.path is not None or view.column is not None):
        known = tuple(sorted({name for taken in scope.taken.values() for name in taken}))
        yield Fault(("view", "option"), f"no SELECT takes {view.option!r}{did_you_mean(view.option, known)}")
    for value in view.values:
        if any(option.enum and value not in option.enum for option in options):
            yield Fault(("view", "values", value), f"{view.option} takes no {value!r}")
    if view.default not in view.values:
        message = f"{view.default!r} is none of the values {', '.join(view.values)}"
        yield Fault(("view", "default"), message)
    yield from _view_field(view, scope)


def _view_field(view: ViewDocument, scope: ResourceScope) -> Iterator[Fault]:
    if view.column is not None:
        known = tuple(identifier(name) for name in scope.document.columns)
        yield from unknown_name(("view", "column"), "column", view.column, known)
    elif view.path is None and not any(parent.view for parent in scope.document.parents):
        yield Fault(
            ("view",), "`path` or `column` says where an item tells whether it is live, or a parent's `view`"
        )


def _drop(scope: ResourceScope) -> Iterator[Fault]:
    drop = scope.document.drop
    if drop is not None and drop.unless is not None:
        taken = tuple(dict.fromkeys(name for names in scope.taken.values() for name in names))
        yield from unknown_name(("drop", "unless"), "parameter", drop.unless, taken)


def _finished(scope: ResourceScope) -> Iterator[Fault]:
    """Only a method that answers with one object tells of it alone whether it is finished."""
    finished = scope.document.finished
    if finished is None:
        return
    at = ("finished", "column")
    if (column := scope.document.columns.get(finished.column)) is None:
        yield from unknown_name(at, "column", finished.column, tuple(scope.document.columns))
        return
    for value in finished.values:
        if column.enum and value not in column.enum:
            yield Fault(
                ("finished", "values"), f"{finished.column} is no {value!r}{did_you_mean(value, column.enum)}"
            )
    reading = [method for method in scope.document.methods.values() if method.verb is Verb.SELECT]
    if all(any(segment.endswith("[]") for segment in method.rows or ()) for method in reading):
        yield Fault(("finished",), "no SELECT answers with one object, and lists are not kept longer")


def _parents(scope: ResourceScope) -> Iterator[Fault]:
    known = tuple(
        dict.fromkeys(
            (*scope.document.parameters, *(name for taken in scope.taken.values() for name in taken))
        )
    )
    for place, parent in enumerate(scope.document.parents):
        at = ("parents", place)
        found = find_parent(scope.services, scope.service, parent)
        if found is None:
            resources = tuple(
                f"{s}.{r}" for s, document in scope.services.items() for r in document.resources
            )
            yield Fault(
                (*at, "resource"),
                f"no resource {parent.resource!r}{did_you_mean(parent.resource, resources)}",
            )
            continue
        bind = bind_columns(parent, scope.document, found)
        if not bind:
            yield Fault(at, f"{parent.resource} gives no parameter: `bind` is missing")
        for parameter, column in bind.items():
            yield from unknown_name((*at, "bind", parameter), "parameter", parameter, known)
            yield from unknown_name(
                (*at, "bind", parameter), f"column of {parent.resource}", column, field_names(found)
            )
        yield from _parent_view((*at, "view"), parent, scope.document, found)
    if (circle := walk_circle(scope.services, scope.service, scope.name)) is not None:
        yield Fault(("parents",), f"the walk goes in a circle: {' → '.join(circle)}")


def _parent_view(
    at: tuple[str | int, ...], parent: ParentDocument, child: ResourceDocument, found: ResourceDocument
) -> Iterator[Fault]:
    own = () if child.view is None else tuple(child.view.values)
    theirs = () if found.view is None else tuple(found.view.values)
    if isinstance(parent.view, str):
        if parent.view not in theirs:
            yield Fault(
                at,
                f"{parent.view!r} is no value of {parent.resource}'s view{did_you_mean(parent.view, theirs)}",
            )
        return
    for mine, value in parent.view.items():
        if mine not in own:
            yield Fault((*at, mine), f"{mine!r} is no value of this resource's view{did_you_mean(mine, own)}")
        if value not in theirs:
            yield Fault(
                (*at, mine), f"{value!r} is no value of {parent.resource}'s view{did_you_mean(value, theirs)}"
            )


def find_parent(
    services: Mapping[str, ServiceDocument], service: str, parent: ParentDocument
) -> ResourceDocument | None:
    """The resource that a parent names."""
    service, name = split_reference(parent.resource, service)
    return services[service].resources.get(name) if service in services else None


def walk_circle(
    services: Mapping[str, ServiceDocument], service: str, resource: str
) -> tuple[str, ...] | None:
    """The resources that lead from a resource over its parents back to itself."""
    start, reached = (service, resource), set[tuple[str, str]]()
    paths: list[tuple[tuple[str, str], ...]] = [(start,)]
    while paths:
        path = paths.pop()
        for parent in services[path[-1][0]].resources[path[-1][1]].parents:
            above = split_reference(parent.resource, path[-1][0])
            if above == start:
                return tuple(name for _, name in (*path, start))
            if above not in reached and find_parent(services, path[-1][0], parent) is not None:
                reached.add(above)
                paths.append((*path, above))
    return None


_CHECKS: tuple[Callable[[ResourceScope], Iterator[Fault]], ...] = (
    _key,
    _columns,
    _map_methods,
    _row_parameters,
    _options,
    _clashes,
    _view,
    _drop,
    _finished,
    _parents,
)
