"""Every method on trial: what it must be given, and where each argument goes."""

from __future__ import annotations

from collections.abc import Iterator

from sqlprovider.catalog.model import Method, Verb
from sqlprovider.errors import Error, MissingParameterError, NotSupportedError
from sqlprovider.exercise.made import argument, dump
from sqlprovider.exercise.trial import Table, Trial
from sqlprovider.plan.wire import to_wire
from sqlprovider.values import JSON, SQLValue

_STATEMENTS = {
    Verb.SELECT: "SELECT 1 FROM {name}",
    Verb.INSERT: "INSERT INTO {name} DEFAULT VALUES",
    Verb.UPDATE: 'UPDATE {name} SET "{column}" = 1 WHERE 0 = 1',
    Verb.DELETE: "DELETE FROM {name}",
}


def missing_keys(trial: Trial) -> Iterator[str]:
    """A call that lacks what it must be given is refused before it is made, and says what it lacks."""
    with trial.table() as table:
        for method in trial.resource.methods.values():
            yield from _called_bare(trial, table, method)
        for verb in (Verb.SELECT, Verb.DELETE):
            yield from _stated_bare(trial, table, verb)


def refusals(trial: Trial) -> Iterator[str]:
    """A verb that the API has not is refused with what the document says to do instead."""
    for verb, hint in trial.resource.refuses.items():
        column = trial.columns[0].name if trial.columns else "item_"
        with trial.table() as table:
            try:
                table.run(_STATEMENTS[verb].format(name=trial.name, column=column))
            except NotSupportedError as error:
                if hint not in str(error):
                    yield f"{verb.value} is refused without {hint!r}: {error.message}"
            except Error as error:
                yield f"{verb.value} is refused as {type(error).__name__}: {error.message}"
            else:
                yield f"{verb.value} is not refused"


def calls(trial: Trial) -> Iterator[str]:
    """Every method is called with each of its arguments where it belongs."""
    for method in trial.resource.methods.values():
        given = {p.name: argument(p, 2) for p in method.parameters.values() if p.name not in _paging(method)}
        said = ", ".join(f"@{name} = ?" for name in given)
        with trial.table([trial.row(1)]) as table:
            try:
                table.run(f"EXEC {trial.name}.{method.name} {said}", [*given.values()])
            except Error as error:
                # That no row has these ids is an answer, too.
                if not table.platform.calls or method.verb is Verb.EXEC:
                    yield f"EXEC {method.name}: {error.message}"
            if not table.platform.calls:
                yield from table.platform.faults
            yield from _arrived(table, method, given)


def _paging(method: Method) -> tuple[str | None, ...]:
    return () if method.pages is None else (method.pages.parameter, method.pages.size)


def _called_bare(trial: Trial, table: Table, method: Method) -> Iterator[str]:
    needed = [p.name for p in method.parameters.values() if p.required and p.default is None]
    if not needed:
        return
    try:
        table.run(f"EXEC {trial.name}.{method.name}")
    except MissingParameterError as error:
        unnamed = [name for name in needed if name not in str(error)]
        if unnamed:
            yield f"{method.name}: the refusal does not name {', '.join(unnamed)}"
    if table.platform.calls:
        yield f"{method.name} was called without {', '.join(needed)}"
        table.platform.calls.clear()


def _stated_bare(trial: Trial, table: Table, verb: Verb) -> Iterator[str]:
    """A statement that gives nothing: it is refused, or it needs nothing (parents are asked for the rest)."""
    if not trial.resource.verb_methods(verb) or not trial.reads:
        return
    try:
        table.run(_STATEMENTS[verb].format(name=trial.name))
    except MissingParameterError as error:
        needed = {name for method in trial.reads for name in method.required}
        if unnamed := sorted(name for name in needed if name not in str(error)):
            yield f"{verb.value}: the refusal does not name {', '.join(unnamed)}"
    except Error as error:
        yield f"{verb.value} of everything: {error.message}"
    if any(call.method.verb is verb is Verb.DELETE for call in table.platform.calls):
        yield "DELETE of an empty table was sent"


def _arrived(table: Table, method: Method, given: dict[str, SQLValue]) -> Iterator[str]:
    if not table.platform.readings:
        yield f"EXEC {method.name}: no request was made"
        return
    readings = table.platform.readings[0]
    call = next((call for call in readings if call.method is method), None)
    if call is None:
        yield f"EXEC {method.name} arrived as {readings[0].method.name}"
        return
    for name, value in given.items():
        wanted = to_wire(value, method.parameters[name], where=method.name)
        arrived = call.arguments.get(name)
        if not _same(wanted, arrived):
            yield f"EXEC {method.name}: {name} {wanted!r} arrived as {arrived!r}"
    for name, text in method.headers.items():
        if call.request.headers.get(name) != text:
            yield f"EXEC {method.name}: the header {name} is not {text!r}"


def _same(wanted: JSON, arrived: JSON) -> bool:
    """Whether an argument came through; other arguments may lie in the same object."""
    if isinstance(wanted, dict) and isinstance(arrived, str):
        return dump(wanted) == arrived  # an object in the query
    if isinstance(wanted, dict) and isinstance(arrived, dict):
        return all(_same(value, arrived.get(key)) for key, value in wanted.items())
    return _plain(wanted) == _plain(arrived)


def _plain(value: JSON) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and len(value) == 1:
        return _plain(value[0])
    return str(value).replace("'", '"').replace(" ", "") if isinstance(value, dict | list) else str(value)
