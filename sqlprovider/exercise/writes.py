"""Writes on trial: what is inserted is read, what is updated is changed, what is deleted is gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlprovider.catalog.model import Column, Method, Parameter, Verb
from sqlprovider.errors import Error
from sqlprovider.exercise.made import Values, argument, make_value, row_columns, spread
from sqlprovider.exercise.platform import header_value
from sqlprovider.exercise.trial import Table, Trial, written_columns
from sqlprovider.values import SQLValue, Type


def writes(trial: Trial) -> Iterator[str]:
    """INSERT, read, UPDATE, DELETE, where the resource has them."""
    if not trial.reads:
        return
    for method in trial.resource.verb_methods(Verb.INSERT):
        if method.name not in batch_calls(trial):
            yield from _inserted(trial, method)
    for name in _settable(trial):
        yield from _updated(trial, name)
    if trial.resource.verb_methods(Verb.DELETE):
        yield from _deleted(trial)


def batch_calls(trial: Trial) -> set[str]:
    """The methods that take the rows of others, many at once: their own parameter is no row."""
    calls = {(m.name, m.batch.call.name) for m in trial.resource.methods.values() if m.batch is not None}
    return {call for name, call in calls if call != name}


def _inserted(trial: Trial, method: Method) -> Iterator[str]:
    held = {column.name: column for column in written_columns(trial.resource, method)}
    given = insert_values(trial, method, 50)
    with trial.table() as table:
        try:
            insert(trial, table, [given])
        except Error as error:
            yield f"INSERT by {method.name}: {error.message}"
            return
        yield from table.platform.faults
        made = table.platform.rows(trial.resource)
        if len(made) != 1:
            yield f"INSERT by {method.name} made {len(made)} rows"
            return
        named = {column.path for column in trial.columns if column.segment is not None}
        compared = [c for c in trial.columns if c.name in given and c.path and c.name in held]
        compared = [c for c in compared if c.segment is not None or c.path not in named]
        compared = [c for c in compared if not c.write_only]
        texts = {p.column for p in method.parameters.values() if p.type is Type.TEXT}
        wanted = {c.name: given[c.name] for c in compared if c.type is not Type.JSON or c.name not in texts}
        yield from _read_back(trial, table, method, made[0], {**wanted, **chosen_ids(method, given)})


def insert_values(trial: Trial, method: Method, n: int) -> Values:
    """The n-th row that an INSERT by a method gives: everything that it takes."""
    held = {column.name: column for column in written_columns(trial.resource, method)}
    given: Values = {}
    for parameter in method.parameters.values():
        if parameter.name != method.mask:
            name = parameter.column or parameter.name
            given[name] = given.get(name, _value(trial, held.get(name), parameter, n))
            given = {**given, **{n: v for n, v in spread(trial.resource, given).items() if n in held}}
    return {name: value for name, value in given.items() if _is_taken(method, name)}


def insert(trial: Trial, table: Table, rows: Sequence[Values], *, word: str = "INSERT") -> None:
    """One statement that inserts rows of the same columns."""
    names, marks = ", ".join(f'"{name}"' for name in rows[0]), ", ".join("?" * len(rows[0]))
    said = ", ".join([f"({marks})"] * len(rows))
    table.run(f"{word} INTO {trial.name} ({names}) VALUES {said}", [v for row in rows for v in row.values()])


def chosen_ids(method: Method, given: Values) -> Values:
    """The id that a row is given, under the column that it becomes."""
    named = ((p.names, p.column or p.name) for p in method.parameters.values())
    return {column: str(given[name]) for column, name in named if column is not None and name in given}


def _is_taken(method: Method, name: str) -> bool:
    return any((p.column or p.name) == name for p in method.parameters.values())


def _value(trial: Trial, column: Column | None, parameter: Parameter, n: int) -> SQLValue:
    if parameter.names is not None:
        column = trial.resource.column(parameter.names) if parameter.type is Type.TEXT else None
    if column is None:
        return argument(parameter, n)
    if column.name in trial.shared:
        return trial.shared[column.name]
    if parameter.enum and column.type is Type.TEXT:
        return parameter.enum[0]
    return make_value(trial.resource, column, n)


def _read_back(
    trial: Trial, table: Table, method: Method, row: Values, expected: dict[str, SQLValue]
) -> Iterator[str]:
    if not expected:
        return
    reading = next(iter((*trial.gets, *trial.lists)))
    common = {name: value for name, value in trial.shared.items() if row.get(name) is None}
    where, params = trial.where(reading, {**row, **common})
    names = ", ".join(f'"{name}"' for name in expected)
    found = table.run(f"SELECT {names} FROM {trial.name} WHERE {where}", params)
    if len(found) != 1:
        yield f"{method.name}: the new row is read as {len(found)} rows"
        return
    for (name, value), cell in zip(expected.items(), found[0], strict=True):
        if cell != value:
            yield f"{method.name}: {name} was written as {value!r} and reads {cell!r}"


def _settable(trial: Trial) -> list[str]:
    by_method = [name for method in trial.resource.verb_methods(Verb.UPDATE) for name in method.sets]
    by_key = [column.name for column in trial.resource.columns if column.set_key and column.delete_key]
    held = {column.name for column in row_columns(trial.resource)} - set(trial.shared)
    held -= {method.precondition for method in trial.resource.methods.values() if method.precondition}
    return [name for name in dict.fromkeys((*by_method, *by_key)) if name in held]


def _updated(trial: Trial, name: str) -> Iterator[str]:
    column = trial.resource.column(name)
    assert column is not None
    rows, value = trial.rows(2 if trial.has_room() else 1), make_value(trial.resource, column, 61)
    if column.set_key and column.delete_key:
        value = '{"k":"v61"}'  # one key is set and the other one deleted
    where, params = _identity(trial, rows[0])
    with trial.table(rows) as table:
        try:
            table.run(f'UPDATE {trial.name} SET "{name}" = ? WHERE {where}', [value, *params])
        except Error as error:
            yield f"UPDATE of {name}: {error.message}"
            return
        yield from table.platform.faults
        held = [row.get(name) for row in table.platform.rows(trial.resource)]
        if held[0] != value or held[1:] != [row.get(name) for row in rows[1:]]:
            yield f"UPDATE of {name} to {value!r} left {held!r}"
        yield from _preconditions(trial, table, rows[0])


def _deleted(trial: Trial) -> Iterator[str]:
    rows = trial.rows(2 if trial.has_room() else 1)
    where, params = _identity(trial, rows[0])
    with trial.table(rows) as table:
        try:
            table.run(f"DELETE FROM {trial.name} WHERE {where}", params)
        except Error as error:
            yield f"DELETE: {error.message}"
            return
        yield from table.platform.faults
        if (left := len(table.platform.rows(trial.resource))) != len(rows) - 1:
            yield f"DELETE of one row of {len(rows)} left {left}"
        yield from _preconditions(trial, table, rows[0])


def _preconditions(trial: Trial, table: Table, row: Values) -> Iterator[str]:
    """Where rows are read first, what was read goes along with the write."""
    for call in table.platform.calls:
        column = trial.resource.column(call.method.precondition or "")
        if not call.method.read_first or column is None or call.method.verb is Verb.SELECT:
            continue
        taken = [p.name for p in call.method.parameters.values() if p.column == column.name]
        sent = [call.arguments.get(name) for name in taken]
        wanted = header_value(column) if column.header else row.get(column.name)
        if trial.gets and sent != [wanted]:
            yield f"{call.method.name}: the {column.name} {wanted!r} that was read was sent as {sent!r}"


def _identity(trial: Trial, row: Values) -> tuple[str, list[SQLValue]]:
    """The condition on everything that names the row, by its key and by what a reading method needs."""
    names = dict.fromkeys((*trial.resource.key, *trial.shared))
    names |= dict.fromkeys(n for method in trial.gets[:1] for n in trial.bound(method))
    held = {column.name for column in row_columns(trial.resource)}
    known = [name for name in names if name in held]
    return " AND ".join(f'"{name}" = ?' for name in known) or "1", [row.get(name) for name in known]
