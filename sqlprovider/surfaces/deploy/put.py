"""put_all(): makes, changes, restores or calls what one step is about, with one session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from sqlprovider.errors import DataError, Error, IntegrityError, ProgrammingError
from sqlprovider.surfaces.deploy.change import Action, Change
from sqlprovider.surfaces.deploy.diff import Field
from sqlprovider.surfaces.deploy.outcome import Outcome, of_error, of_rows
from sqlprovider.surfaces.deploy.steps import Statements, fields_to_set, key_columns
from sqlprovider.surfaces.deploy.values import LiveRow, bound, type_of
from sqlprovider.surfaces.deploy.wanted import Wanted
from sqlprovider.values import SQLValue

_Pair = tuple[Change, Wanted]
_Referenced = Mapping[str, Set[str]]
"""Label → the columns of its row that something else refers to."""


def put_all(pairs: Sequence[_Pair], referenced: _Referenced, statements: Statements) -> list[Outcome]:
    """The outcome of each. More than one are rows to be made by one statement."""
    if any(wanted.secrets for _, wanted in pairs):
        with statements.without_bodies():
            return _put_all(pairs, referenced, statements)
    return _put_all(pairs, referenced, statements)


def _put_all(pairs: Sequence[_Pair], referenced: _Referenced, statements: Statements) -> list[Outcome]:
    change, wanted = pairs[0]
    if wanted.is_unknown:
        return [_unknown(change, wanted)]
    if change.action in (Action.CREATE, Action.REPLACE):
        return _make(statements, pairs, referenced)
    is_call = change.action is Action.EXEC
    try:
        row = _put(statements, change, wanted)
    except Error as error:
        return [of_error(_explained(error, "changed"), is_call=is_call)]
    return [Outcome("accepted", row, notes=tuple(statements.notes))]


def _put(statements: Statements, change: Change, wanted: Wanted) -> LiveRow | None:
    assert change.entry is not None
    if change.entry.method is not None:
        types = change.facts.methods[change.entry.method].types
        arguments = {name: bound(known.value, types.get(name)) for name, known in wanted.values.items()}
        statements.call(change.facts, change.entry.method, arguments)
        return None
    assert change.row is not None
    row = change.row
    if change.action is Action.RESTORE:
        row = statements.restore(change, row)
    return _set(statements, change, wanted, row, fields_to_set(change, wanted, row))


def _set(
    statements: Statements, change: Change, wanted: Wanted, row: LiveRow, fields: Sequence[Field]
) -> LiveRow:
    """Sets fields of a row that is there: by an UPDATE, or by an INSERT that overwrites."""
    columns = change.facts.columns
    set_ = [field for field in fields if columns[field.name].settable]
    if set_:
        row = {**row, **_first(statements.update(change, wanted, row, set_))}
    if len(set_) < len(fields):
        row = {**row, **_first(statements.insert(change.facts, [wanted.inserted()]))}
    return row


def _make(statements: Statements, pairs: Sequence[_Pair], referenced: _Referenced) -> list[Outcome]:
    change, _ = pairs[0]
    try:
        rows = statements.insert(change.facts, [wanted.inserted() for _, wanted in pairs])
    except Error as error:
        return of_rows(_explained(error, "made"), len(pairs))
    if len(rows) != len(pairs):
        lost = DataError(f"{change.facts.name}: {len(rows)} rows came back of {len(pairs)} made")
        return [Outcome("unknown", error=lost if n == 0 else None) for n in range(len(pairs))]
    found = [
        _made(statements, one, wanted, row, referenced)
        for (one, wanted), row in zip(pairs, rows, strict=True)
    ]
    return [
        Outcome(o.state, o.row, o.error, tuple(statements.notes)) if n == 0 else o
        for n, o in enumerate(found)
    ]


def _made(
    statements: Statements, change: Change, wanted: Wanted, row: LiveRow, referenced: _Referenced
) -> Outcome:
    """What is left to do for a row that was made: what only an UPDATE takes, and what others refer to."""
    later = wanted.set_later()
    needed = {*referenced.get(change.id, ()), *(key_columns(change) if later else ())}
    try:
        if any(row.get(name) is None for name in needed):
            row = _read_back(statements, change, wanted, row)
        if later:
            keys = {name: row[name] for name in key_columns(change)}
            fields = [Field(name) for name in later]
            row = {**row, **_first(statements.update(change, wanted, keys, fields))}
    except Error as error:
        return of_error(error)
    return Outcome("accepted", row)


def _read_back(statements: Statements, change: Change, wanted: Wanted, row: LiveRow) -> LiveRow:
    """The row as it is there: by its key, else by what identifies it."""
    known: Mapping[str, SQLValue] = row
    if any(row.get(name) is None for name in key_columns(change)):
        known = _identified(change, wanted)
        read = statements.find(change.facts, known)
    else:
        read = statements.read(change, row)
    return row if read is None else {**row, **read}


def _identified(change: Change, wanted: Wanted) -> dict[str, SQLValue]:
    assert change.identity is not None
    found: dict[str, SQLValue] = {}
    for name in change.identity.columns:
        known = wanted.values.get(name)
        found[name] = (
            change.identity.known.get(name)
            if known is None
            else bound(known.value, type_of(change.facts, name))
        )
    return found


def _unknown(change: Change, wanted: Wanted) -> Outcome:
    names = ", ".join(name for name, known in wanted.values.items() if known.unknown)
    return Outcome(
        "failed", error=ProgrammingError(f"{names} refers to what is not there", reason="unknown_value")
    )


def _explained(error: Error, what: str) -> Error:
    if isinstance(error, IntegrityError) and error.hint is None:
        error.hint = f"someone else has {what} it since it was looked for: apply again"
    return error


def _first(rows: Sequence[LiveRow]) -> LiveRow:
    return dict(rows[0]) if rows else {}
