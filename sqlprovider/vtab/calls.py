"""EXEC: a method called by its own name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from sqlprovider.catalog.catalog import Catalog
from sqlprovider.catalog.model import Method, Parameter, Place, Resource, Verb
from sqlprovider.errors import ProgrammingError, UnknownColumnError, did_you_mean
from sqlprovider.execute.jsontext import dump_json
from sqlprovider.execute.response import Answer
from sqlprovider.plan.model import Candidate, Operation, Refusal
from sqlprovider.plan.mutation import Mutation
from sqlprovider.plan.refusal import refusal_error
from sqlprovider.plan.wire import default_value, to_wire
from sqlprovider.sql.statement import Exec
from sqlprovider.values import JSON, Row, SQLValue, Type
from sqlprovider.vtab.engine import Engine, ResultColumn, Selected
from sqlprovider.vtab.rowwrite import RowWrite
from sqlprovider.vtab.run import Run
from sqlprovider.vtab.writer import Planned, refuse_write


def plan_exec(statement: Exec, catalog: Catalog, engine: Engine, run: Run) -> Planned | Operation:
    """The call: a write of one row where the method writes, else what is to be read."""
    resource, method = catalog.method(statement.target)
    if method.effect == "write":
        refuse_write(run.settings, f"EXEC {resource.name}.{method.name}")
    defaults = _defaults(catalog, resource)
    given = dict(_arguments(statement, resource, method, engine, run))
    operation = exec_operation(
        statement, resource, method, given, _body(statement, method, engine, run), defaults
    )
    if method.effect == "read":
        return operation
    mutation = Mutation(Verb.EXEC, resource, operation.method, (), defaults)
    return Planned(mutation, [RowWrite((operation,), dict(given), given)], statement.text)


def run_read(operation: Operation, run: Run) -> Selected:
    """What a reading method answers."""
    method = operation.method
    if method.pages is not None:
        return _result([item for page in run.calls.pages([operation]) for item in page.items])
    return exec_result(operation, run.calls.call(operation))


def exec_result(operation: Operation, answer: Answer | None) -> Selected:
    """Rows where the document gives a rows path, else the answer's fields as one row."""
    if answer is None:
        return _result([])
    if operation.method.rows is not None and answer.operation is None:
        return _result(answer.items)
    return _result([answer.answer] if answer.answer else [])


def exec_operation(
    statement: Exec,
    resource: Resource,
    method: Method,
    given: Mapping[str, SQLValue],
    body: JSON,
    defaults: Mapping[str, str],
) -> Operation:
    """The call that an EXEC asks for. Raises what an argument or its absence is refused for."""
    where = f"EXEC {resource.name}.{method.name}"
    arguments: dict[str, JSON] = {}
    missing = []
    for parameter in method.parameters.values():
        value = to_wire(given.get(parameter.name, defaults.get(parameter.name)), parameter, where=where)
        if value is None:
            value = default_value(parameter)
        if value is not None:
            arguments[parameter.name] = value
        elif parameter.required and not (parameter.place is Place.BODY and body is not None):
            missing.append(parameter.name)
    if missing:
        candidates = (Candidate(method, tuple(missing)),)
        refusal = refusal_error(Refusal(resource, Verb.EXEC, (), candidates, walks=False))
        refusal.hint = f"EXEC {statement.target} " + ", ".join(f"@{name} = '…'" for name in missing)
        raise refusal
    # What is called by name and is not there is an error, whatever it means to a row set.
    called = replace(method, missing=False)
    return Operation(resource.name, called, tuple(sorted(arguments.items())), body=body)


def _arguments(
    statement: Exec, resource: Resource, method: Method, engine: Engine, run: Run
) -> Iterator[tuple[str, SQLValue]]:
    if not statement.arguments:
        return
    parameters = [_parameter(statement, method, argument.name) for argument in statement.arguments]
    names = [parameter.name for parameter in parameters]
    for name in names:
        if names.count(name) > 1:
            raise ProgrammingError(
                f"EXEC {statement.target}: @{name} is given twice", reason="repeated_argument"
            )
    sql = "SELECT " + ", ".join(argument.sql for argument in statement.arguments)
    (row,) = engine.select_piece(sql, run.bindings, run.calls).rows
    yield from zip(names, row, strict=True)


def _parameter(statement: Exec, method: Method, name: str) -> Parameter:
    lowered = name.lower()
    for parameter in method.parameters.values():
        if lowered in (parameter.name.lower(), parameter.wire_name.lower(), (parameter.column or "").lower()):
            return parameter
    known = tuple(method.parameters)
    raise UnknownColumnError(
        f"EXEC {statement.target}: no parameter @{name}{did_you_mean(name, known)}",
        reason="unknown_parameter",
        hint=f"DESCRIBE {statement.target}",
    )


def _body(statement: Exec, method: Method, engine: Engine, run: Run) -> JSON:
    """`@@json`: text that holds JSON goes out as JSON where the field is an object or a list."""
    if statement.body is None:
        return None
    where = f"EXEC {statement.target}"
    (row,) = engine.select_piece(f"SELECT {statement.body.sql}", run.bindings, run.calls).rows
    try:
        decoded: JSON = json.loads(str(row[0]), parse_constant=str)
    except ValueError as error:
        raise ProgrammingError(f"{where}: @@json is no JSON: {error}", reason="wrong_json") from None
    if not isinstance(decoded, dict):
        raise ProgrammingError(f"{where}: @@json is no JSON object", reason="wrong_json")
    structured = {
        parameter.wire_name
        for parameter in method.parameters.values()
        if parameter.place is Place.BODY and (parameter.type is Type.JSON or parameter.repeated)
    }
    return {name: _unpacked(value) if name in structured else value for name, value in decoded.items()}


def _unpacked(value: JSON) -> JSON:
    if not isinstance(value, str):
        return value
    try:
        decoded: JSON = json.loads(value, parse_constant=str)
    except ValueError:
        return value
    return decoded if isinstance(decoded, dict | list) else value


def _defaults(catalog: Catalog, resource: Resource) -> Mapping[str, str]:
    return catalog.connection(resource.name.connection).defaults


def _result(items: Iterable[JSON]) -> Selected:
    """Objects as rows: a column for each field any of them has, in the order they appear."""
    objects = [item if isinstance(item, dict) else {"value": item} for item in items]
    names = list(dict.fromkeys(name for item in objects for name in item))
    kinds = {name: _kind([item.get(name) for item in objects]) for name in names}
    columns = tuple(ResultColumn(name, kinds[name]) for name in names)
    rows: list[Row] = [tuple(_cell(item.get(name)) for name in names) for item in objects]
    return Selected(columns, iter(rows), lambda: 0)


def _kind(values: list[JSON]) -> Type | None:
    if any(isinstance(value, dict | list) for value in values):
        return Type.JSON
    return Type.BOOLEAN if any(isinstance(value, bool) for value in values) else None


def _cell(value: JSON) -> SQLValue:
    if isinstance(value, bool):
        return int(value)
    return dump_json(value) if isinstance(value, dict | list) else value
