"""What tells a row of a resource from others: its parents' parameters, and an id or columns of its own."""

from __future__ import annotations

from sqlprovider.catalog.model import Resource, Role, Verb


def parent_columns(resource: Resource) -> tuple[str, ...]:
    """The columns that say where a row lies: parameters that its parents give, and roots."""
    bound = {name for parent in resource.parents for name in parent.bind}
    roots = {
        parameter.column or parameter.name
        for method in resource.methods.values()
        for parameter in method.parameters.values()
        if parameter.root
    }
    chosen = chosen_column(resource)
    return tuple(
        column.name
        for column in resource.columns
        if column.role is Role.PARAMETER
        and column.name != chosen
        and (column.name in bound or column.name in roots)
    )


def chosen_column(resource: Resource) -> str | None:
    """The column whose value the client may choose when it makes a row."""
    chosen = chosen_parameter(resource)
    return None if chosen is None else chosen[1]


def chosen_parameter(resource: Resource) -> tuple[str, str] | None:
    """(the parameter of an INSERT, the column that it becomes), where the client may choose an id."""
    for method in resource.verb_methods(Verb.INSERT):
        for parameter in method.parameters.values():
            if parameter.names is not None:
                return parameter.column or parameter.name, parameter.names
    return None


def identity_columns(resource: Resource) -> tuple[str, ...]:
    """The columns that tell a row from others for people, its parents' first; empty where nothing does."""
    if resource.identity is None:
        return ()
    return tuple(dict.fromkeys((*parent_columns(resource), *resource.identity.columns)))
