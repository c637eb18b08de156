"""`batch` in a document → the call that takes many rows of a method at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlprovider.catalog.document import MethodDocument
from sqlprovider.catalog.model import Batch, Method, Parameter, Place
from sqlprovider.catalog.parameters import batch_names, identifier, versioned
from sqlprovider.catalog.spelling import placeholders


def batched(method: Method, document: MethodDocument, methods: Mapping[str, Method], version: str) -> Method:
    """The method with its batch, if the document gives it one."""
    batch = document.batch
    if batch is None:
        return method
    template = method if batch.method is None else methods[batch.method]
    if batch.http is not None:
        http_method, _, path = batch.http.partition(" ")
        template = replace(template, http_method=http_method, path=versioned(path, version))
    body = template.body if batch.body is None else batch.body
    call = replace(
        template,
        body=body,
        rows=batch.rows or template.rows,
        parameters=_in_batch(method, template, frozenset(map(identifier, batch_names(body)))),
        verb=method.verb,
        missing=False,
        repeat=method.repeat,
    )
    return replace(
        method,
        batch=Batch(
            call,
            max_rows=batch.max_rows,
            max_bytes=batch.max_bytes,
            atomic=batch.atomic,
            names_row=batch.names_row,
        ),
    )


def _in_batch(method: Method, template: Method, named: frozenset[str]) -> dict[str, Parameter]:
    """The row's parameters where they go in the batch's call: in its path, its body, or as they do alone."""
    in_path = {identifier(name) for name in placeholders(template.path)}
    found: dict[str, Parameter] = {}
    for name, parameter in method.parameters.items():
        if name in in_path:
            found[name] = replace(parameter, place=Place.PATH, at=())
        elif name in named:
            found[name] = replace(parameter, place=Place.BODY, at=())
        else:
            found[name] = parameter
    return found
