"""What is tried of reading: each check a function that says what went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from sqlprovider.catalog.model import Column, Method, Role
from sqlprovider.errors import DataError, Error
from sqlprovider.exercise.holds import shows
from sqlprovider.exercise.made import DROP, VIEW, Values, odd_ids
from sqlprovider.exercise.platform import ABSENT, header_value
from sqlprovider.exercise.trial import Table, Trial
from sqlprovider.exercise.walks import walks
from sqlprovider.values import Row, SQLValue, Type

Check = Callable[[Trial], Iterator[str]]
_COUNTS = (0, 1, 3, 4, 7)
"""Rows, where a page holds three: none, one, a page, a page and one more, several pages."""
_WRONG = {"x": [1]}
"""A value of a type that no column but a JSON one has."""


def lists(trial: Trial) -> Iterator[str]:
    """Every list is whole, over no page, one and several."""
    for method in trial.lists:
        where, params = trial.where(method, trial.shared)
        for count in _COUNTS if trial.has_room() else _COUNTS[:2]:
            rows = trial.rows(count)
            with trial.table(rows) as table:
                found = table.run(select(trial, where), params)
                yield from differences(f"{method.name} of {count} rows", trial.expected(rows), found)
                yield from table.platform.faults
    yield from _incomplete(trial)


def one_by_one(trial: Trial) -> Iterator[str]:
    """A row that is asked for by its key is the row that the list gives; what is a header is read."""
    headers = [column for column in trial.resource.columns if column.header]
    rows = trial.rows(3)
    for method in trial.gets:
        with trial.table(rows) as table:
            for row in rows if trial.has_room() or not trial.lists else rows[:1]:
                where, params = trial.where(method, row)
                found = table.run(select(trial, where), params)
                yield from differences(f"{method.name} beside the list", trial.expected([row]), found)
            yield from table.platform.faults
            for column in headers:
                found = table.run(f'SELECT "{column.name}" FROM {trial.name} WHERE {where}', params)
                yield from differences(f"{method.name}'s {column.name}", [(header_value(column),)], found)


def odd_keys(trial: Trial) -> Iterator[str]:
    """Ids that are hard to send name their row and no other."""
    for method in trial.gets:
        column = _last_key(trial, method)
        if column is None:
            continue
        texts = odd_ids(trial.resource, column)
        rows = [trial.row(1, {column.name: text}) for text in texts]
        where, params = trial.where(method, trial.row(1), but=column.name)
        said = f'{where} AND "{column.name}" IN ({", ".join("?" * len(texts))})'
        with trial.table([*rows, trial.row(2)]) as table:
            sql = f'SELECT "{column.name}" FROM {trial.name} WHERE {said}'
            found = table.run(sql, [*params, *texts])
            yield from differences(f"{method.name} of {column.name}", [(text,) for text in texts], found)
            yield from table.platform.faults


def views(trial: Trial) -> Iterator[str]:
    """A view shows the rows that it says it shows, and by default the live ones; what is no row is none."""
    yield from _dropped(trial)
    view = trial.resource.view
    if view is None or not (view.path or view.column) or not trial.has_room():
        return
    states = {state for allowed in view.values.values() for state in allowed or ()}
    named = VIEW if view.column is None else view.column
    rows = [trial.row(n) | {named: state} for n, state in enumerate(sorted(states), 1)]
    for method in trial.lists:
        for group in trial.groups(method, view.path, rows):
            with trial.table(group) as table:
                for option in (None, *view.values):
                    yield from _viewed(trial, table, method, group, option)


def types(trial: Trial) -> Iterator[str]:
    """What is null or left out is NULL; what has another type is an error that names the column."""
    method = next(iter((*trial.lists, *trial.gets)), None)
    if method is None:
        return
    row = trial.row(1)
    where, params = trial.where(method, row)
    fields = _item_fields(trial, trial.bound(method))
    for what, value, held in _nothings(fields):
        names = ", ".join(f'"{column.name}"' for column in held)
        with trial.table([row], spoil={column.name: value for column in held}) as table:
            found = table.run(f"SELECT {names} FROM {trial.name} WHERE {where}", params)
        yield from differences(f"{names} that are {what}", [(None,) * len(held)], found)
    for column in {(c.type, c.wire, c.zero_is_null): c for c in fields}.values():
        sql = f'SELECT "{column.name}" FROM {trial.name} WHERE {where}'
        with trial.table([row], spoil={column.name: _WRONG}) as table:
            yield from _refused(table, sql, params, column)


def select(trial: Trial, where: str) -> str:
    """The statement that reads every column that is compared."""
    names = ", ".join(f'"{column.name}"' for column in trial.columns) or "1"
    return f"SELECT {names} FROM {trial.name} WHERE {where}"


def differences(what: str, expected: Sequence[Row], found: Sequence[Row]) -> Iterator[str]:
    """What is wrong about rows, whatever their order."""
    lost, more = Counter(expected) - Counter(found), Counter(found) - Counter(expected)
    if lost and not more:
        yield f"{what}: {lost.total()} of {len(expected)} rows are lost, the first {_short(next(iter(lost)))}"
    elif lost:
        pairs = zip(next(iter(lost)), next(iter(more)), strict=True)
        one, other = next((one, other) for one, other in pairs if one != other)
        yield f"{what}: {_short(other)} stands where {_short(one)} should"
    elif more:
        yield f"{what}: {len(found)} rows are shown, and there are {len(expected)}"


def _incomplete(trial: Trial) -> Iterator[str]:
    for method in trial.lists:
        if not method.incomplete:
            continue
        where, params = trial.where(method, trial.shared)
        with trial.table(trial.rows(1), unreachable=True) as table:
            try:
                table.run(select(trial, where), params)
            except Error:
                continue
            if table.platform.calls[-1].method is method:
                yield f"{method.name}: an answer that could not reach everything is taken for whole"


def _dropped(trial: Trial) -> Iterator[str]:
    drop = trial.resource.drop
    if drop is None or not trial.has_room():
        return
    rows = trial.rows(2)
    for method in trial.lists:
        where, params = trial.where(method, trial.shared)
        for group in trial.groups(method, drop.path, [*rows, trial.row(3) | {DROP: drop.values[0]}]):
            with trial.table(group) as table:
                found = table.run(select(trial, where), params)
            left = [row for row in group if DROP not in row]
            yield from differences(
                f"{method.name} beside an item that is no row", trial.expected(left), found
            )


def _viewed(
    trial: Trial, table: Table, method: Method, rows: Sequence[Values], option: str | None
) -> Iterator[str]:
    view = trial.resource.view
    assert view is not None
    where, params = trial.where(method, trial.shared)
    if option is not None:
        where, params = f'{where} AND "{view.option}" = ?', [*params, option]
    live = [row for row in rows if shows(view, option or view.default, row)]
    found = table.run(select(trial, where), params)
    yield from differences(
        f"{method.name} under {view.option} {option or '(none)'}", trial.expected(live), found
    )


def _last_key(trial: Trial, method: Method) -> Column | None:
    """The last parameter of the row that a method is given; None if it is no free text."""
    columns = [trial.resource.column(name) for name in trial.bound(method)]
    named = [column for column in columns if column is not None and column.role is Role.PARAMETER]
    last = named[-1] if named else None
    return last if last is not None and last.type is Type.TEXT and not last.enum else None


def _item_fields(trial: Trial, bound: Sequence[str]) -> list[Column]:
    """The columns that may be spoilt: none that decides whether the item is a row, or names it."""
    view, drop = trial.resource.view, trial.resource.drop
    special = {() if view is None else view.path, () if drop is None else drop.path}
    special |= {column.path for column in trial.columns if column.segment is not None}
    special |= {column.path for column in trial.columns if column.name in (*trial.resource.key, *bound)}
    fields = [c for c in trial.columns if c.role is Role.ITEM and c.path and c.path[0] not in (".", "^")]
    return [c for c in fields if c.path not in special and c.type is not Type.JSON and not c.present]


def _nothings(fields: list[Column]) -> Iterator[tuple[str, object, list[Column]]]:
    """What a field may hold where it holds nothing, and the fields that may."""
    zero = [column for column in fields if column.zero_is_null]
    fields = [column for column in fields if column.absent is None]
    tried: tuple[tuple[str, object, list[Column]], ...] = (
        ("null", None, fields),
        ("missing", ABSENT, fields),
        ("zero", 0, [column for column in zero if column.type is not Type.TEXT]),
        ("empty", "", [column for column in zero if column.type is Type.TEXT]),
    )
    return (entry for entry in tried if entry[2])


def _refused(table: Table, sql: str, params: Sequence[SQLValue], column: Column) -> Iterator[str]:
    try:
        found = table.run(sql, params)
    except DataError as error:
        if column.name not in str(error):
            yield f"{column.name} of another type: the error does not name it: {error.message}"
    else:
        yield f"{column.name} of another type is shown as {found[:1]!r}, and is no error"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:120]}…"


CHECKS: tuple[Check, ...] = (lists, one_by_one, odd_keys, views, walks, types)
