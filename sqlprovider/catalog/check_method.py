"""Checks of one method: its path, parameters, body, rows, pages, and what it pushes and sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sqlprovider.catalog.check_resource import WIRE_TYPES, field_names, unknown_name, wire_faults
from sqlprovider.catalog.document import (
    Fault,
    FieldsDocument,
    FilterDocument,
    MethodDocument,
    OrderDocument,
    PagesDocument,
    ParameterDocument,
    ResourceDocument,
)
from sqlprovider.catalog.model import Parameter, Place, Verb
from sqlprovider.catalog.parameters import VERSION, identifier, listed_parameters, template_names
from sqlprovider.catalog.references import set_columns
from sqlprovider.catalog.spelling import placeholders
from sqlprovider.errors import did_you_mean, nearest
from sqlprovider.values import JSON, Type

_WRITES = (Verb.INSERT, Verb.UPDATE, Verb.DELETE)
_NOW = "now()"
_TOKEN = "token()"
_NEEDED = {
    "token": ("parameter", "token"),
    "number": ("parameter", "total"),
    "header": ("parameter", "token"),
    "cap": ("size_max",),
    "one": (),
}
_DEFAULTS: Mapping[Type, tuple[type, ...]] = {
    Type.TEXT: (str,),
    Type.INTEGER: (int,),
    Type.REAL: (int, float),
    Type.BOOLEAN: (bool,),
    Type.DATETIME: (str, int),
}


@dataclass(frozen=True, slots=True)
class MethodScope:
    """A method, its resource, and its parameters."""

    resource: ResourceDocument
    method: MethodDocument
    parameters: Mapping[str, Parameter]


def method_faults(scope: MethodScope) -> Iterator[Fault]:
    """Everything wrong with a method; the places are relative to it."""
    for check in _CHECKS:
        yield from check(scope)


def _path(scope: MethodScope) -> Iterator[Fault]:
    method = scope.method
    listed = listed_parameters(scope.resource, method)
    names = placeholders(method.path)
    for name, times in Counter(names).items():
        if times > 1:
            yield Fault(("http",), f"{{{name}}} stands in the path twice")
        elif name not in listed and name != VERSION:
            known = tuple(dict.fromkeys((*listed, *scope.resource.parameters)))
            yield Fault(("http",), f"{{{name}}} is no parameter{did_you_mean(name, known)}")
    for name in listed:
        place = scope.parameters[identifier(name)].place
        if place is Place.PATH and name not in names:
            yield Fault(("parameters", name), f"it goes in the path, which has no {{{name}}}")
        if place is not Place.PATH and name in names:
            yield Fault(("parameters", name, "in"), f"{{{name}}} stands in the path, so it is `in: path`")


def _parameters(scope: MethodScope) -> Iterator[Fault]:
    known = field_names(scope.resource)
    listed = listed_parameters(scope.resource, scope.method)
    for name, times in Counter(identifier(name) for name in listed).items():
        if times > 1:
            yield Fault(("parameters", name), f"two parameters are called {name} in SQL")
    for name, document in scope.method.parameters.items():
        at = ("parameters", name)
        parameter = scope.parameters[identifier(name)]
        if document.column is not None:
            yield from unknown_name((*at, "is"), "column", document.column, known)
        if document.at is not None and parameter.place is not Place.BODY:
            yield Fault((*at, "at"), "`at` is for the body; elsewhere `wire_name` says what the API calls it")
        if parameter.place is Place.BODY and scope.method.http_method == "GET":
            yield Fault(at, "a GET has no body")
        yield from _wire(at, document, parameter)
        yield from _default(at, parameter)
        yield from _several(scope, at, parameter)
    for place, name in enumerate(scope.method.body_columns):
        yield from unknown_name(("body_columns", place), "column", name, known)


def _several(scope: MethodScope, at: tuple[str, ...], parameter: Parameter) -> Iterator[Fault]:
    if parameter.several is None:
        return
    at = (*at, "several")
    yield from unknown_name(at, "parameter", parameter.several, tuple(scope.parameters))
    if parameter.type is not Type.TEXT or parameter.place is Place.PATH or parameter.repeated:
        yield Fault(at, f"{parameter.name} is no text outside the path")
    if not scope.method.rows or not scope.method.rows[-1].endswith("[]"):
        yield Fault(at, "rows of several values are a list")
    column = {**scope.resource.parameters, **scope.resource.columns}.get(parameter.column or "")
    if column is None or not column.path:
        yield Fault(at, f"no field of the item says of which {parameter.name} a row is")


def _wire(at: tuple[str, ...], document: ParameterDocument, parameter: Parameter) -> Iterator[Fault]:
    if document.wire is not None and document.encoding is None:
        encodings = [wire.value for wire in WIRE_TYPES]
        if close := nearest(document.wire, encodings, count=1):
            yield Fault((*at, "wire"), f"no way to travel {document.wire!r}; did you mean {close[0]}?")
            return
    yield from wire_faults(at, parameter.type, parameter.wire)


def _default(at: tuple[str, ...], parameter: Parameter) -> Iterator[Fault]:
    default, at = parameter.default, (*at, "default")
    if default is None:
        return
    if (default == _NOW and parameter.type in (Type.DATETIME, Type.INTEGER)) or (
        default == _TOKEN and parameter.type is Type.TEXT
    ):
        return
    values = default if parameter.repeated and isinstance(default, list) else [default]
    for value in values:
        if parameter.enum and value not in parameter.enum:
            yield Fault(at, f"{value!r} is none of {', '.join(parameter.enum)}")
        elif not _fits(value, parameter.type):
            yield Fault(at, f"{value!r} is no {parameter.type.value}")


def _fits(value: JSON, type_: Type) -> bool:
    if type_ is Type.JSON:
        return True
    return isinstance(value, _DEFAULTS[type_]) and (type_ is Type.BOOLEAN or not isinstance(value, bool))


def _body(scope: MethodScope) -> Iterator[Fault]:
    body = {name: p for name, p in scope.parameters.items() if p.place is Place.BODY}
    if (template := scope.method.body) is not None:
        named = template_names(template)
        for name in sorted(named):
            yield from unknown_name(("body",), "parameter", name, tuple(scope.parameters))
        for name, parameter in body.items():
            if name not in named and not parameter.at:
                yield Fault(("parameters", name), f"it is used nowhere: the body's template has no ${name}")
    places = Counter(parameter.at for parameter in body.values() if parameter.at)
    for name, parameter in body.items():
        if places[parameter.at] > 1:
            yield Fault(
                ("parameters", name), f"another parameter goes to {'.'.join(parameter.at)} in the body too"
            )


def _effect(scope: MethodScope) -> Iterator[Fault]:
    method = scope.method
    if method.verb in _WRITES and method.reads:
        yield Fault(("effect",), f"{method.verb.value} writes, so its effect cannot be read")
    if method.verb is Verb.SELECT and not method.reads:
        yield Fault(("effect",), f"SELECT reads: a {method.http_method} that only reads says `effect: read`")


def _pages(scope: MethodScope) -> Iterator[Fault]:
    method, pages = scope.method, scope.method.pages
    lists = any(segment.endswith("[]") for segment in method.rows or ())
    if pages is None:
        if lists and method.verb is Verb.SELECT:
            yield Fault((), "a list says how it goes on: `pages: {style: token, …}`, or `pages: one`")
        return
    for word in ("parameter", "size"):
        name = pages.parameter if word == "parameter" else pages.size
        if name is not None:
            yield from unknown_name(("pages", word), "parameter", name, tuple(scope.parameters))
    for place, name in enumerate(pages.bounds):
        yield from unknown_name(("pages", "bounds", place), "parameter", name, tuple(scope.parameters))
    given = {
        "parameter": pages.parameter,
        "token": pages.token,
        "total": pages.total,
        "size_max": pages.size_max,
    }
    for word in _NEEDED[pages.style]:
        if given[word] is None:
            yield Fault(("pages",), f"style {pages.style} needs {word!r}")
    yield from _unused_page_words(pages)
    if not lists and pages.style != "one":
        yield Fault(("pages",), "`rows` is one object, which has no pages: a list ends in `[]`")


def _unused_page_words(pages: PagesDocument) -> Iterator[Fault]:
    if pages.size_max is not None and pages.size is None and pages.style != "cap":
        yield Fault(("pages", "size_max"), "`size` does not say which parameter takes it")
    if pages.bounds and pages.style != "cap":
        yield Fault(("pages", "bounds"), "`bounds` make a capped answer smaller, and this list goes on")
    if pages.style == "one" and (words := sorted(pages.model_fields_set - {"style"})):
        yield Fault(("pages",), f"one page has no {', '.join(words)}")


def _outer_paths(scope: MethodScope) -> Iterator[Fault]:
    """`^` can lead out of as many lists as the rows are in."""
    if scope.method.verb is not Verb.SELECT:
        return
    lists = sum(segment.endswith("[]") for segment in scope.method.rows or ())
    for name, column in (*scope.resource.parameters.items(), *scope.resource.columns.items()):
        if (outer := (column.path or ()).count("^")) > lists:
            yield Fault(("rows",), f"{name} is {outer} lists further out, and the rows are in {lists}")


def _push(scope: MethodScope) -> Iterator[Fault]:
    push, taken = scope.method.push, tuple(scope.parameters)
    if push.model_fields_set and scope.method.verb is not Verb.SELECT:
        yield Fault(("push",), f"only a SELECT is pushed to the API, and this is {scope.method.verb.value}")
    known = field_names(scope.resource)
    if push.filter is not None:
        yield from unknown_name(("push", "filter", "parameter"), "parameter", push.filter.parameter, taken)
        yield from _terms(scope.resource, push.filter, known)
    if push.order is not None:
        yield from unknown_name(("push", "order", "parameter"), "parameter", push.order.parameter, taken)
        yield from _order(push.order, known, scope.resource)
    for column, parameter in push.equals.items():
        at = ("push", "equals", column)
        yield from unknown_name(at, "column", column, known)
        yield from unknown_name(at, "parameter", parameter, taken)
    if push.fields is not None:
        yield from _fields(scope, push.fields)


def _fields(scope: MethodScope, fields: FieldsDocument) -> Iterator[Fault]:
    at = ("push", "fields")
    yield from unknown_name(at, "parameter", fields.parameter, tuple(scope.parameters))
    parameter = scope.parameters.get(identifier(fields.parameter))
    if parameter is not None and (parameter.type is not Type.TEXT or parameter.repeated):
        yield Fault(at, f"{parameter.name} takes no text, and the names of the fields are one")
    if "{names}" not in fields.template:
        yield Fault((*at, "template"), "it has no place for {names}")
    if len(scope.method.rows or ()) > 1:
        yield Fault(at, "the rows are further in than one level: none of their fields can be named")
    known = _item_fields(scope.resource)
    for place, name in enumerate(fields.always):
        if name not in known:
            yield Fault((*at, "always", place), f"no field {name!r} of the item{did_you_mean(name, known)}")


def _types(resource: ResourceDocument) -> dict[str, Type | None]:
    columns = (*resource.parameters.items(), *resource.columns.items())
    return {identifier(name): column.type for name, column in columns}


def _terms(resource: ResourceDocument, filter_: FilterDocument, known: tuple[str, ...]) -> Iterator[Fault]:
    types = _types(resource)
    for column, term in filter_.terms.items():
        at = ("push", "filter", "terms", column)
        yield from unknown_name(at, "column", column, known)
        keyed = types.get(identifier(column)) is Type.JSON
        if identifier(column) in types and keyed is not ("{key}" in term.name):
            wanted = "a JSON column is filtered by key: its name holds {key}"
            yield Fault((*at, "name"), wanted if keyed else f"{column} is no JSON column: it has no {{key}}")


def _order(order: OrderDocument, known: tuple[str, ...], resource: ResourceDocument) -> Iterator[Fault]:
    types = _types(resource)
    for column, name in order.keys.items():
        at = ("push", "order", "keys", column)
        yield from unknown_name(at, "column", column, known)
        if identifier(column) in types and types[identifier(column)] is not Type.JSON:
            yield Fault(at, f"{column} is no JSON column: it has no keys")
        if "{key}" not in name:
            yield Fault(at, "a JSON column is ordered by key: its name holds {key}")
    for column in order.columns:
        yield from unknown_name(("push", "order", "columns", column), "column", column, known)
    for column in order.exact:
        at = ("push", "order", "exact", column)
        yield from unknown_name(at, "ordered column", column, tuple(map(identifier, order.columns)))


def _tree(scope: MethodScope) -> Iterator[Fault]:
    tree = scope.method.tree
    if tree is None:
        return
    yield from unknown_name(("tree", "parameter"), "parameter", tree.parameter, tuple(scope.parameters))
    fields = _item_fields(scope.resource)
    for word, field in (("flag", tree.flag), ("column", tree.column)):
        if field not in fields:
            yield Fault(("tree", word), f"no field {field!r} of the item{did_you_mean(field, fields)}")


def _item_fields(resource: ResourceDocument) -> tuple[str, ...]:
    """The fields of an item, as the API calls them."""
    columns = (*resource.columns.items(), *resource.parameters.items())
    return tuple(sorted({(column.path or (name,))[0] for name, column in columns}))


def _answers(scope: MethodScope) -> Iterator[Fault]:
    known = field_names(scope.resource)
    named = {} if isinstance(scope.method.answers, str) else scope.method.answers
    for column in named:
        yield from unknown_name(("answers", column), "column", column, known)
    if (name := scope.method.precondition) is not None:
        held = tuple(p.column for p in scope.parameters.values() if p.column in known)
        yield from unknown_name(("precondition",), "column among the parameters", name, held)


def _sets(scope: MethodScope) -> Iterator[Fault]:
    method, known = scope.method, field_names(scope.resource)
    if method.verb is not Verb.UPDATE:
        for word in sorted({"sets", "mask", "mask_columns"} & method.model_fields_set):
            yield Fault((word,), f"{word!r} is for UPDATE, and this is {method.verb.value}")
        return
    sets = set_columns(scope.resource, method, scope.parameters)
    if not sets:
        yield Fault((), "the UPDATE sets nothing: `sets` names the columns it can set")
    held = {parameter.column for parameter in scope.parameters.values()}
    for place, name in enumerate(method.sets or ()):
        yield from unknown_name(("sets", place), "column", name, known)
        field = scope.resource.columns.get(name)
        by_key = field is not None and field.set_key is not None
        if identifier(name) in known and identifier(name) not in held and not by_key:
            yield Fault(("sets", place), f"{name} is neither a parameter nor a map with `set_key`")
    yield from _mask(method, tuple(scope.parameters), tuple(map(identifier, sets)))


def _mask(method: MethodDocument, taken: tuple[str, ...], sets: tuple[str, ...]) -> Iterator[Fault]:
    if method.mask is not None:
        yield from unknown_name(("mask",), "parameter", method.mask, taken)
    elif method.mask_columns is not None:
        yield Fault(("mask_columns",), "`mask` does not say which parameter takes them")
    for column in method.mask_columns or ():
        yield from unknown_name(("mask_columns", column), "column among `sets`", column, sets)


_CHECKS: tuple[Callable[[MethodScope], Iterator[Fault]], ...] = (
    _path,
    _parameters,
    _body,
    _effect,
    _pages,
    _outer_paths,
    _push,
    _tree,
    _answers,
    _sets,
)
