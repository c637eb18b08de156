"""What a write sends and what the API answers, as columns of its row."""

from __future__ import annotations

from sqlprovider.catalog.model import Column, Method, Resource, Role, Wire
from sqlprovider.execute.cells import decode_column
from sqlprovider.execute.items import value_at
from sqlprovider.execute.response import Answer
from sqlprovider.execute.rows import decode_item
from sqlprovider.plan.model import Operation
from sqlprovider.values import SQLValue, Type


def sent(operation: Operation, resource: Resource) -> dict[str, SQLValue]:
    """What a call sends of the row, in the form in which it would be read."""
    found: dict[str, SQLValue] = {}
    for name, wire in operation.arguments:
        parameter = operation.method.parameters[name]
        column = resource.column(parameter.column or parameter.name)
        if column is None or column.role not in (Role.PARAMETER, Role.ITEM):
            continue
        if parameter.names not in (None, column.name):
            continue  # it is read as the column that it becomes
        if parameter.repeated and column.type is not Type.JSON and isinstance(wire, list):
            wire = wire[0] if len(wire) == 1 else None
        if parameter.wire is column.wire:
            found[column.name] = decode_column(column, wire)
            if column.wire is Wire.NUMBER:  # what has no number has a text
                twins = (c for c in resource.columns if c.wire is Wire.NUMBER_TEXT and c.path == column.path)
                found |= {twin.name: decode_column(twin, wire) for twin in twins}
    return found | chosen_id(operation)


def chosen_id(operation: Operation) -> dict[str, SQLValue]:
    """The id that the client chose, under the column that it becomes."""
    parameters = operation.method.parameters
    given = ((parameters[name].names, wire) for name, wire in operation.arguments)
    return {column: str(wire) for column, wire in given if column is not None}


def answered(operation: Operation, answer: Answer, resource: Resource) -> dict[str, SQLValue]:
    """What the API's answer says of the row: its item, single values, and the answer's own fields."""
    method = operation.method
    found: dict[str, SQLValue] = {}
    if _holds_item(method) and len(answer.items) == 1:
        found |= decode_item(resource, answer.items[0], dict(operation.echo))
    for name, path in method.answers.items():
        column = resource.column(name)
        value = value_at(answer.answer, path)
        # An API leaves out what is empty: NULL, if the object that would hold it is there.
        if column is not None and (value is not None or value_at(answer.answer, path[:-1])):
            found[column.name] = decode_column(column, value)
    for column in resource.columns:
        if column.role is Role.RESPONSE and (value := value_at(answer.answer, column.path)) is not None:
            found[column.name] = decode_column(column, value)
        if column.header is not None and column.header.lower() in answer.headers:
            found[column.name] = decode_column(column, answer.headers[column.header.lower()])
    return found


def _holds_item(method: Method) -> bool:
    return method.rows is not None or method.answer_is_item


def answers_column(method: Method, column: Column) -> bool:
    """Whether a write's answer holds a column, so that RETURNING need not read the row first."""
    if column.role is Role.RESPONSE or column.name in method.answers:
        return True
    bound = any((p.column or p.name) == column.name and p.required for p in method.parameters.values())
    return bound or (_holds_item(method) and bool(column.path) and column.role is not Role.OPTION)
