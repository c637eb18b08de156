"""ResourceDocument → Columns in table order: what identifies the row, the item's fields, what is hidden.

Hidden are the answer's own fields, `item_` (the whole item), `cached_at` and the options of all methods.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlprovider.catalog.document import ColumnDocument, Fault, ResourceDocument
from sqlprovider.catalog.model import CACHED_AT, Column, Parameter, Path, Role
from sqlprovider.catalog.parameters import identifier
from sqlprovider.values import Type

Taken = dict[str, dict[str, Parameter]]
"""Method → its parameters by name."""

WHOLE_ITEM = Column("item_", Type.JSON, Role.ITEM, hidden=True, whole_item=True)
_CACHED_AT = Column(CACHED_AT, Type.DATETIME, Role.CACHE, hidden=True)

_TOLD_APART = 63
"""SQLite says of each of the first columns whether it is read, of those beyond only whether any is."""


def build_columns(resource: ResourceDocument, taken: Taken) -> tuple[Column, ...]:
    """The columns of a resource whose methods take these parameters."""
    named = [_field(name, d, Role.PARAMETER, d.path or ()) for name, d in resource.parameters.items()]
    items = [_field(name, d, Role.ITEM, d.path or (name,)) for name, d in resource.columns.items()]
    response = [_field(name, d, Role.RESPONSE, d.path or (name,)) for name, d in resource.response.items()]
    held = {column.name for column in (*named, *items)}
    options = _options(taken, held)
    view = resource.view
    if view is not None and identifier(view.option) not in (column.name for column in options):
        name, values = identifier(view.option), tuple(view.values)
        options.append(
            Column(name, Type.TEXT, Role.OPTION, hidden=True, enum=values)
        )  # passed on to the parent
    # Reading the answer's own fields makes rows of pages: a wide table has them where SQLite tells columns
    # apart.
    is_wide = len(named) + len(items) + len(response) > _TOLD_APART
    fields = (*named, *response, *items) if is_wide else (*named, *items, *response)
    # A field or an option of the API that is called so comes first.
    is_free = all(column.name.lower() != CACHED_AT for column in (*fields, *options))
    return (*fields, WHOLE_ITEM, *((_CACHED_AT,) if is_free else ()), *options)


def option_parameters(taken: Taken, held: Iterable[str]) -> Iterator[tuple[str, Parameter]]:
    """(method, parameter) for every parameter whose column is no field of the row."""
    known = set(held)
    for method, parameters in taken.items():
        for parameter in parameters.values():
            if parameter.column is not None and parameter.column not in known:
                yield method, parameter


def clashes(columns: tuple[Column, ...]) -> Iterator[tuple[Column, Column]]:
    """Columns whose names are the same without regard to case: (the earlier, the later)."""
    seen: dict[str, Column] = {}
    for column in columns:
        if (earlier := seen.setdefault(column.name.lower(), column)) is not column:
            yield earlier, column


def fault_place(column: Column, resource: ResourceDocument, taken: Taken) -> tuple[str, ...]:
    """Where in the resource a column comes from."""
    tables: tuple[tuple[Role, str, Iterable[str]], ...] = (
        (Role.PARAMETER, "parameters", resource.parameters),
        (Role.ITEM, "columns", resource.columns),
        (Role.RESPONSE, "response", resource.response),
    )
    for role, table, names in tables:
        for name in names:
            if column.role is role and identifier(name) == column.name:
                return (table, name)
    for method, parameters in taken.items():
        for parameter in parameters.values():
            if parameter.column == column.name:
                return ("methods", method, "parameters", parameter.name)
    return ()


def clash_faults(resource: ResourceDocument, taken: Taken) -> Iterator[Fault]:
    """A fault for every two columns that SQLite could not tell apart."""
    for earlier, later in clashes(build_columns(resource, taken)):
        message = f"column {later.name!r} clashes with the {earlier.role.value} column {earlier.name!r}"
        way_out = (
            "SQL does not regard case: rename one and say in `path` or `wire_name` what the API calls it"
        )
        yield Fault(fault_place(later, resource, taken), f"{message}; {way_out}")


def _field(name: str, document: ColumnDocument, role: Role, path: Path) -> Column:
    return Column(
        name=identifier(name),
        type=document.type,
        role=role,
        hidden=role is Role.RESPONSE or document.hidden,
        path=() if document.header or document.present else path,
        segment=document.segment,
        wire=document.wire,
        key_names=document.key_names,
        zero_is_null=document.zero_is_null,
        absent=document.absent,
        infinite=document.infinite,
        enum=document.enum,
        sort=document.sort,
        keep=document.keep,
        numeric_keys=document.numeric_keys,
        set_key=document.set_key,
        delete_key=document.delete_key,
        header=document.header,
        present=document.present,
        secret=document.secret,
        write_only=document.write_only,
    )


def _options(taken: Taken, held: Iterable[str]) -> list[Column]:
    """One column an option, whichever methods take it; its enum is what any of them takes."""
    options: dict[str, Column] = {}
    for _, parameter in option_parameters(taken, held):
        name = parameter.column or parameter.name
        earlier = options.get(name)
        enum = parameter.enum if earlier is None else _either(earlier.enum, parameter.enum)
        type_ = parameter.type if earlier is None else earlier.type
        secret = parameter.secret or (earlier is not None and earlier.secret)
        options[name] = Column(
            name, type_, Role.OPTION, hidden=True, wire=parameter.wire, enum=enum, secret=secret
        )
    return list(options.values())


def _either(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """An empty enum takes anything."""
    return tuple(dict.fromkeys((*one, *other))) if one and other else ()
