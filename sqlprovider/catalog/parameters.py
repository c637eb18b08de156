"""MethodDocument → Parameters: where each goes in the request, and which column it is."""

from __future__ import annotations

import re

from sqlprovider.catalog.document import (
    ColumnDocument,
    MethodDocument,
    ParameterDocument,
    ResourceDocument,
    RowParameterDocument,
)
from sqlprovider.catalog.model import Parameter, Path, Place, Verb
from sqlprovider.catalog.spelling import placeholders
from sqlprovider.values import JSON, Type

VERSION = "version"
"""The placeholder that stands for the version in force."""

_NO_IDENTIFIER = re.compile(r"[^A-Za-z0-9_\u0080-\uffff]")
_TEMPLATE_NAME = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_TEXT_NAME = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def identifier(name: str) -> str:
    """A wire name as an SQL name.

    >>> identifier("opc-retry-token"), identifier("2fa")
    ('opc_retry_token', '_2fa')
    """
    plain = _NO_IDENTIFIER.sub("_", name)
    return f"_{plain}" if plain[:1].isdigit() else plain


def versioned(path: str, version: str) -> str:
    """A path with the version in force in it, its placeholders as SQL names."""
    return _PLACEHOLDER.sub(
        lambda found: version if found[1] == VERSION else f"{{{identifier(found[1])}}}", path
    )


def listed_parameters(resource: ResourceDocument, method: MethodDocument) -> dict[str, ParameterDocument]:
    """Everything a method takes, as the document writes it: the path's parameters come first, in its order.

    A placeholder that is a parameter of the resource need not be listed, nor a column of `body_columns`.
    """
    known = {**resource.parameters, **method.parameters}
    in_path = [name for name in placeholders(method.path) if name in known]
    in_body = ParameterDocument.model_validate({"in": "body"})
    return {
        **{name: method.parameters.get(name, ParameterDocument()) for name in in_path},
        **method.parameters,
        **{name: in_body for name in method.body_columns if name not in method.parameters},
    }


def method_parameters(resource: ResourceDocument, method: MethodDocument) -> dict[str, Parameter]:
    """Everything a method takes, by SQL name."""
    listed = listed_parameters(resource, method)
    built = [_parameter(resource, method, name, document) for name, document in listed.items()]
    return {parameter.name: parameter for parameter in built}


def parameter_column(
    resource: ResourceDocument, method: MethodDocument, name: str, document: ParameterDocument
) -> str | None:
    """The column that holds a parameter, by its SQL name; None where it is an argument of EXEC only.

    A write's parameter with an item field's name is the field. A read's is the field if it is required or
    pushed as `equals`; else the two only share a name, and the option's column is `name_`.
    """
    if document.column is not None:
        return identifier(document.column)
    column = identifier(name)
    calls = method.verb is Verb.EXEC
    if name in resource.parameters:
        return column
    if name in resource.columns:
        writes = method.verb is not Verb.SELECT and not (calls and method.reads)
        if writes or document.required or method.push.equals.get(name) == name:
            return column
    if calls:
        return None
    return f"{column}_" if name in resource.columns or name in resource.response else column


def template_names(template: JSON) -> frozenset[str]:
    """The arguments that a body template names.

    >>> sorted(template_names({"metrics": [{"key": "$key", "value": "$value"}]}))
    ['key', 'value']
    """
    match template:
        case str():
            found = _TEMPLATE_NAME.fullmatch(template)
            return frozenset([found[1]] if found else [])
        case list():
            return frozenset().union(*(template_names(item) for item in template))
        case dict():
            return frozenset().union(*(template_names(item) for item in template.values()))
        case _:
            return frozenset()


def batch_names(template: JSON) -> frozenset[str]:
    """The arguments that a batch's template names: `$name`, and `{name}` inside a text.

    >>> sorted(batch_names({"requests": [{"parent": "runs/{runsId}", "id": "$id"}]}))
    ['id', 'runsId']
    """
    match template:
        case str():
            return template_names(template) or frozenset(_TEXT_NAME.findall(template))
        case list():
            return frozenset().union(*(batch_names(item) for item in template))
        case dict():
            return frozenset().union(*(batch_names(item) for item in template.values()))
        case _:
            return frozenset()


def _parameter(
    resource: ResourceDocument, method: MethodDocument, name: str, document: ParameterDocument
) -> Parameter:
    place = _place(method, name, document)
    column = parameter_column(resource, method, name, document)
    meaning = _meaning(resource, column)
    type_ = document.type or (Type.TEXT if meaning is None else meaning.type)
    like = meaning if meaning is not None and meaning.type is type_ else ColumnDocument()
    own = resource.parameters.get(name)
    return Parameter(
        name=identifier(name),
        wire_name=document.api_name or name,
        place=place,
        type=type_,
        required=document.required or place is Place.PATH,
        column=column,
        at=_at(method, name, document) if place is Place.BODY else (),
        default=document.default,
        enum=like.enum if document.enum is None else document.enum,
        wire=document.encoding or like.wire,
        key_names=document.key_names or like.key_names,
        repeated=document.repeated,
        join=document.join,
        slashes=document.slashes,
        root=own is not None and own.root,
        min_chars=document.min_chars,
        max_chars=document.max_chars,
        pattern=document.pattern or (meaning.pattern if isinstance(meaning, RowParameterDocument) else None),
        several=None if document.several is None else identifier(document.several),
        names=None if document.names is None else identifier(document.names),
        secret=document.secret or (meaning is not None and meaning.secret),
    )


def _place(method: MethodDocument, name: str, document: ParameterDocument) -> Place:
    if document.place is not None:
        return document.place
    if name in placeholders(method.path):
        return Place.PATH
    return Place.QUERY if method.http_method in ("GET", "DELETE") else Place.BODY


def _at(method: MethodDocument, name: str, document: ParameterDocument) -> Path:
    if document.at is not None:
        return document.at
    if method.body is not None:
        return ()
    return tuple((document.api_name or name).split("."))


def _meaning(resource: ResourceDocument, column: str | None) -> ColumnDocument | None:
    """The row parameter or item field that a column is; None for an option."""
    for name, document in (*resource.parameters.items(), *resource.columns.items()):
        if identifier(name) == column:
            return document
    return None
