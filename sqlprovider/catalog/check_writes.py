"""Checks of what a document says of writes: batches, identities, order, and what restores a row."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlprovider.catalog.check_method import MethodScope
from sqlprovider.catalog.check_resource import ResourceScope, field_names, unknown_name
from sqlprovider.catalog.document import BatchDocument, Fault, MethodDocument
from sqlprovider.catalog.model import Verb
from sqlprovider.catalog.parameters import batch_names, identifier, listed_parameters
from sqlprovider.catalog.spelling import placeholders
from sqlprovider.values import JSON


def identity_faults(scope: ResourceScope) -> Iterator[Fault]:
    """What is wrong with `identity` and `restore`; the places are relative to the resource."""
    document = scope.document
    known = field_names(document)
    if document.identity is not None:
        for place, name in enumerate(document.identity.columns):
            yield from unknown_name(("identity", "columns", place), "column", name, known)
    if document.restore is None:
        return
    if document.restore not in scope.taken:
        yield from unknown_name(("restore",), "method", document.restore, tuple(scope.taken))
        return
    keys = {identifier(name) for name in document.key}
    for parameter in scope.taken[document.restore].values():
        if parameter.required and parameter.name not in keys:
            yield Fault(("restore",), f"{document.restore} needs {parameter.name}, which is not of the key")


def write_faults(scope: MethodScope) -> Iterator[Fault]:
    """What is wrong with the words for writes; the places are relative to the method."""
    method = scope.method
    known = field_names(scope.resource)
    for name, document in method.parameters.items():
        if document.names is None:
            continue
        at = ("parameters", name, "names")
        yield from unknown_name(at, "column", document.names, known)
        if method.verb is not Verb.INSERT:
            yield Fault(at, f"a client chooses an id in an INSERT, and this is {method.verb.value}")
    for place, name in enumerate(method.ordered):
        held = tuple(p.column for p in scope.parameters.values() if p.column is not None)
        yield from unknown_name(("ordered", place), "column among the parameters", name, held)
    if method.overwrites and method.verb is not Verb.INSERT:
        yield Fault(("overwrites",), f"only an INSERT overwrites, and this is {method.verb.value}")
    if method.batch is not None:
        yield from _batch(scope, method.batch)


def _batch(scope: MethodScope, batch: BatchDocument) -> Iterator[Fault]:
    methods = scope.resource.methods
    if batch.method is not None and batch.method not in methods:
        yield from unknown_name(("batch", "method"), "method", batch.method, tuple(methods))
        return
    call: MethodDocument = scope.method if batch.method is None else methods[batch.method]
    body = call.body if batch.body is None else batch.body
    if body in (None, False):
        yield Fault(("batch",), "`body` says where the rows stand in the call")
        return
    taken = tuple(map(identifier, listed_parameters(scope.resource, scope.method)))
    for name in sorted(batch_names(body)):
        yield from unknown_name(("batch", "body"), "parameter", name, taken)
    if batch.names_row is not None and re.compile(batch.names_row).groups < 1:
        yield Fault(("batch", "names_row"), "a group in it is the number of the row: `requests\\[(\\d+)\\]`")
    path = call.path if batch.http is None else batch.http
    for name in placeholders(path):
        if identifier(name) not in (*taken, "version"):
            yield Fault(("batch",), f"its path needs {name}, which a row does not give")
    if not _row_lists(body):
        yield Fault(("batch", "body"), "no list of one element with arguments: the rows stand nowhere")


def _row_lists(template: JSON) -> list[JSON]:
    match template:
        case [element] if batch_names(element):
            return [element]
        case dict():
            return [found for value in template.values() for found in _row_lists(value)]
        case _:
            return []
