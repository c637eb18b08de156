"""What a document promises of writes: rows go out together, are told apart, and come back."""

from __future__ import annotations

from collections.abc import Iterator

from sqlprovider.catalog.model import Method, Role, Verb
from sqlprovider.catalog.parameters import batch_names
from sqlprovider.catalog.spelling import placeholders
from sqlprovider.errors import Error
from sqlprovider.exercise.checks import differences, select
from sqlprovider.exercise.made import VIEW, Values, make_value
from sqlprovider.exercise.trial import Table, Trial
from sqlprovider.exercise.writes import batch_calls, chosen_ids, insert, insert_values
from sqlprovider.plan.identity import chosen_column, identity_columns

_MANY = 3


def batches(trial: Trial) -> Iterator[str]:
    """Rows that go out as one call all arrive; rows that the API numbers arrive in their order."""
    if not trial.reads or not trial.has_room():
        return
    for method in trial.resource.methods.values():
        if method.verb is Verb.INSERT and (method.batch is not None or method.ordered):
            yield from _inserted_together(trial, method)
        elif method.verb is Verb.DELETE and method.batch is not None:
            yield from _deleted_together(trial, method)


def identities(trial: Trial) -> Iterator[str]:
    """A row is found by what tells it from others, and one that is there already is refused or replaced."""
    if not trial.reads:
        return
    yield from _found_by_identity(trial)
    for method in trial.resource.verb_methods(Verb.INSERT):
        if method.name in batch_calls(trial):
            continue
        if method.overwrites:
            yield from _replaced(trial, method)
        elif _is_told(trial, method):
            yield from _refused(trial, method)


def lost_answers(trial: Trial) -> Iterator[str]:
    """What was done though its answer was lost is done once, and accepted, where that can be known."""
    if not trial.reads:
        return
    for method in trial.resource.verb_methods(Verb.INSERT):
        is_known = method.overwrites or method.repeat != "never" or _is_chosen(method)
        if not is_known or method.name in batch_calls(trial):
            continue
        with trial.table() as table:
            table.platform.losing = 1
            try:
                insert(trial, table, [_consistent(trial, method, insert_values(trial, method, 50))])
            except Error as error:
                yield f"{method.name}, whose answer was lost: {error.message}"
            yield from table.platform.faults
            yield from _one_row(trial, method, table)


def _consistent(trial: Trial, method: Method, row: Values) -> Values:
    """The row without a whole resource name, which says what the ids say and is not theirs here."""
    named = {column.path for column in trial.columns if column.segment is not None}
    whole = {c.name for c in trial.columns if c.path in named and c.segment is None}
    needed = {p.column for p in method.parameters.values() if p.required or p.names is not None}
    return {name: value for name, value in row.items() if name not in whole or name in needed}


def _is_chosen(method: Method) -> bool:
    return any(parameter.names is not None for parameter in method.parameters.values())


def restores(trial: Trial) -> Iterator[str]:
    """A row that is deleted is live again after what restores it."""
    resource, view = trial.resource, trial.resource.view
    if resource.restore is None or view is None or not trial.has_room():
        return
    live = view.values.get(view.default) or ()
    others = [state for shown in view.values.values() for state in shown or () if state not in live]
    row = trial.row(1) | {view.column or VIEW: next(iter(others), None)}
    keys = {name: row[name] for name in resource.key}
    with trial.table([row]) as table:
        for method in trial.lists[:1]:
            where, params = trial.where(method, row)
            if table.run(select(trial, where), params):
                yield f"{resource.restore}: the row is shown before it is restored"
            said = ", ".join(f"@{name} = ?" for name in keys)
            table.run(f"EXEC {trial.name}.{resource.restore} {said}", [*keys.values()])
            found = table.run(select(trial, where), params)
            yield from differences(resource.restore, trial.expected(table.platform.rows(resource)), found)


def _inserted_together(trial: Trial, method: Method) -> Iterator[str]:
    rows = [_needed(method, insert_values(trial, method, 50 + n)) for n in range(_MANY)]
    rows = [{**row, **{name: rows[0][name] for name in method.ordered if name in row}} for row in rows]
    with trial.table() as table:
        try:
            insert(trial, table, rows)
        except Error as error:
            yield f"INSERT of {_MANY} rows by {method.name}: {error.message}"
            return
        yield from table.platform.faults
        calls = [call for call in table.platform.calls if call.method.verb is Verb.INSERT]
        if method.batch is not None and [len(call.rows) for call in calls] != [_MANY]:
            yield f"{method.name}: {_MANY} rows went out as {len(calls)} calls, and not as one"
        made = table.platform.rows(trial.resource)
        if len(made) != _MANY:
            yield f"{method.name}: {_MANY} rows became {len(made)}"
            return
        for row, kept in zip(rows, made, strict=True):
            wanted = {**_columns(trial, method, row), **chosen_ids(method, row)}
            for name, value in wanted.items():
                if kept.get(name) != value:
                    yield f"{method.name}: {name} of one row of many was {value!r} and is {kept.get(name)!r}"


def _needed(method: Method, row: Values) -> Values:
    """What a batch can hold of a row, without what is sent when nothing is given."""
    call = None if method.batch is None else method.batch.call
    held = set(method.parameters) if call is None else {*batch_names(call.body), *placeholders(call.path)}
    given = {p.column or p.name for p in method.parameters.values() if p.name in held and p.default is None}
    return {name: value for name, value in row.items() if name in given}


def _columns(trial: Trial, method: Method, row: Values) -> Values:
    """What a statement gives of a row that is one text or number of it, and no part of its name."""
    named = {column.path for column in trial.columns if column.segment is not None}
    held = {c.name: c for c in trial.columns if c.path and c.path not in named and c.type.name != "JSON"}
    return {name: value for name, value in row.items() if name in held and held[name].role is not Role.OPTION}


def _deleted_together(trial: Trial, method: Method) -> Iterator[str]:
    where, params = trial.where(next(iter((*trial.lists, *trial.gets))), trial.shared)
    with trial.table(trial.rows(_MANY)) as table:
        try:
            table.run(f"DELETE FROM {trial.name} WHERE {where}", params)
        except Error as error:
            yield f"DELETE of {_MANY} rows by {method.name}: {error.message}"
            return
        yield from table.platform.faults
        calls = [call for call in table.platform.calls if call.method.verb is Verb.DELETE]
        if [len(call.rows) for call in calls] != [_MANY]:
            yield f"{method.name}: {_MANY} rows went out as {len(calls)} calls, and not as one"
        if left := len(table.platform.rows(trial.resource)):
            yield f"{method.name}: {left} rows of {_MANY} are left"


def _found_by_identity(trial: Trial) -> Iterator[str]:
    held = {column.name for column in trial.columns if not column.write_only}
    names = [name for name in identity_columns(trial.resource) if name in held]
    method = next(iter(trial.lists), None)
    if trial.resource.identity is None or method is None:
        return
    if lacking := set(trial.resource.identity.columns) - held:
        yield f"no answer holds {', '.join(sorted(lacking))}, by which a row should be found"
        return
    rows = trial.rows(_MANY if trial.has_room() else 1)
    wanted = [row for row in rows if all(row[name] == rows[0][name] for name in names)]
    where, params = trial.where(method, trial.shared)
    said = " AND ".join([where, *(f'"{name}" = ?' for name in names)])
    with trial.table(rows) as table:
        found = table.run(select(trial, said), [*params, *(rows[0][name] for name in names)])
    yield from differences(f"by {', '.join(names)}", trial.expected(wanted), found)


def _is_told(trial: Trial, method: Method) -> bool:
    """Whether the API says of what a method inserts that it is there already."""
    resource = trial.resource
    if not trial.stage.provider.errors.exists:
        return False
    if chosen_column(resource) is not None:
        return _is_chosen(method)
    taken = {p.column for p in method.parameters.values()}
    return (
        resource.identity is not None and resource.identity.unique and set(resource.identity.columns) <= taken
    )


def _refused(trial: Trial, method: Method) -> Iterator[str]:
    row = insert_values(trial, method, 50)
    with trial.table() as table:
        insert(trial, table, [row])
        try:
            insert(trial, table, [row])
        except Error as error:
            if error.reason != "already_exists":
                yield f"{method.name} of a row that is there: {error.message}"
        else:
            yield f"{method.name} of a row that is there is not refused"
        try:
            insert(trial, table, [row], word="INSERT OR IGNORE")
        except Error as error:
            yield f"{method.name} OR IGNORE of a row that is there: {error.message}"
        yield from _one_row(trial, method, table)


def _replaced(trial: Trial, method: Method) -> Iterator[str]:
    row = insert_values(trial, method, 50)
    fixed = {*trial.resource.key, *trial.shared, *_parents(trial)}
    changed = {
        column.name: make_value(trial.resource, column, 51)
        for column in trial.columns
        if column.name in row and column.name not in fixed and column.type.name in ("TEXT", "INTEGER", "REAL")
    }
    with trial.table() as table:
        insert(trial, table, [row])
        insert(trial, table, [{**row, **changed}])
        yield from _one_row(trial, method, table)
        for kept in table.platform.rows(trial.resource)[:1]:
            for name, value in changed.items():
                if kept.get(name) != value:
                    yield f"{method.name} over a row that is there: {name} became {kept.get(name)!r}"


def _parents(trial: Trial) -> set[str]:
    return {name for parent in trial.resource.parents for name in parent.bind}


def _one_row(trial: Trial, method: Method, table: Table) -> Iterator[str]:
    if (count := len(table.platform.rows(trial.resource))) != 1:
        yield f"{method.name} twice of one row made {count}"
