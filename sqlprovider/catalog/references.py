"""What a document leaves out, filled in: the names one part of it means by another."""

from __future__ import annotations

from collections.abc import Mapping

from sqlprovider.catalog.document import MethodDocument, ParentDocument, ResourceDocument, ViewDocument
from sqlprovider.catalog.model import Parameter, Path, Place
from sqlprovider.catalog.parameters import identifier


def split_reference(reference: str, service: str) -> tuple[str, str]:
    """`experiments` and `tracking.experiments` as (service, resource).

    >>> split_reference("experiments", "tracking"), split_reference("registry.models", "tracking")
    (('tracking', 'experiments'), ('registry', 'models'))
    """
    before, dot, name = reference.rpartition(".")
    return (before, name) if dot else (service, reference)


def bind_columns(parent: ParentDocument, child: ResourceDocument, found: ResourceDocument) -> dict[str, str]:
    """Parameter → the parent's column: what `bind` says, else the parameters that both have."""
    if parent.bind is not None:
        return parent.bind
    return {name: name for name in child.parameters if name in found.parameters}


def view_path(view: ViewDocument, resource: ResourceDocument) -> Path:
    """Where in the item the field is that tells which rows are live."""
    if view.path is not None:
        return view.path
    column = None if view.column is None else resource.columns.get(view.column)
    return (column.path or (view.column or "",)) if column is not None else ()


def set_columns(
    resource: ResourceDocument, method: MethodDocument, parameters: Mapping[str, Parameter]
) -> tuple[str, ...]:
    """The columns an UPDATE sets: what `sets` says, else each item field that is an optional parameter."""
    if method.sets is not None:
        return method.sets
    fields = {identifier(name): name for name in resource.columns}
    optional = [p.column for p in parameters.values() if not p.required and p.place is not Place.PATH]
    return tuple(fields[column] for column in optional if column in fields)
