"""Engine and oracle run the same statement; what they make of it must be the same."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence

import apsw

from sqlprovider.catalog.model import Resource
from sqlprovider.errors import Error, MissingParameterError, RequestLimitError
from sqlprovider.session import Session
from sqlprovider.values import Row, SQLValue, Type
from tests.oracle import Oracle, difference, typed
from tests.statements import DataColumn, DataTable, Drawn


def data_table(
    oracle: Oracle,
    resource: Resource,
    path: tuple[str, ...],
    *,
    roots: Mapping[str, tuple[str, ...]] | None = None,
) -> DataTable:
    """A resource with the values in it. `path` is what it shares with others, `roots` what must be given."""
    visible = [column for column in resource.columns if not column.hidden]
    rows = oracle.rows(oracle.sql_of(f"SELECT * FROM {resource.name}"))
    columns = []
    for position, column in enumerate(visible):
        values = tuple(dict.fromkeys(row[position] for row in rows))
        keys: tuple[str, ...] = ()
        if column.type is Type.JSON:
            keys, values = _keys_and_values(values)
        columns.append(DataColumn(column.name, column.type, values or (None,), keys))
    return DataTable(str(resource.name), tuple(columns), path, roots or {})


def check_agreement(drawn: Drawn, session: Session, oracle: Oracle, tally: Counter[str]) -> None:
    """Runs a statement on both. Raises AssertionError with the SQL, both row sets and the requests."""
    sql = oracle.sql_of(drawn.sql)
    expected, oracle_error = _expected(oracle, sql, drawn.params)
    tally["all"] += 1
    urls: list[str] = []
    try:
        (result,) = session.run(drawn.sql, drawn.params)
        found = list(result.rows)
        urls = [f"{record.http_method} {record.url}" for record in result.records]
    except Error as error:
        if oracle_error is not None:
            tally["both refuse"] += 1
            tally[f"both: {oracle_error}"] += 1
            return
        if _may_be_refused(error):
            tally["refused"] += 1
            tally[error.reason] += 1
            return
        raise AssertionError(
            _report(drawn, sql, f"{type(error).__name__}: {error}", expected, urls)
        ) from error
    if oracle_error is not None:
        raise AssertionError(_report(drawn, sql, str(found), [], urls) + f"\nSQLite refuses: {oracle_error}")
    problem = _disagreement(drawn, found, expected, oracle)
    if problem is not None:
        raise AssertionError(_report(drawn, sql, problem, expected, urls) + f"\nengine: {found}")


def refused_share(tally: Counter[str]) -> float:
    """Which part of the statements the engine refused."""
    return tally["refused"] / max(1, tally["all"])


def _may_be_refused(error: Error) -> bool:
    """Unbound, too many requests, a time that would compare wrongly, or a key that no URL can hold."""
    if isinstance(error, MissingParameterError | RequestLimitError):
        return True
    return error.reason == "time_form" or "it stands in the URL's path" in error.message


def _expected(oracle: Oracle, sql: str, params: Mapping[str, SQLValue]) -> tuple[list[Row], str | None]:
    try:
        return oracle.rows(sql, params), None
    except apsw.SQLError as error:
        return [], str(error)


def _disagreement(drawn: Drawn, found: list[Row], expected: list[Row], oracle: Oracle) -> str | None:
    if drawn.exact:
        same = [typed(row) for row in found] == [typed(row) for row in expected]
        return None if same else "the rows or their order differ"
    if drawn.unlimited is not None:
        every = oracle.rows(oracle.sql_of(drawn.unlimited), drawn.params)
        if len(found) != len(expected):
            return f"{len(found)} rows instead of {len(expected)}"
        surplus = Counter(map(typed, found)) - Counter(map(typed, every))
        return f"rows that are none: {list(surplus)}" if surplus else None
    if (problem := difference(found, expected)) is not None:
        return problem
    order = [[typed(row)[p] for p in drawn.ordered] for row in found]
    wanted = [[typed(row)[p] for p in drawn.ordered] for row in expected]
    return None if order == wanted else "the order differs"


def _report(drawn: Drawn, sql: str, problem: str, expected: Sequence[Row], urls: Sequence[str]) -> str:
    rows = "\n".join(f"  {row}" for row in expected) or "  no rows"
    requests = "\n".join(f"  {url}" for url in urls) or "  no requests are known"
    return f"{drawn!r}\non the oracle: {sql}\n{problem}\noracle:\n{rows}\nrequests:\n{requests}"


def _keys_and_values(texts: Sequence[SQLValue]) -> tuple[tuple[str, ...], tuple[SQLValue, ...]]:
    """The keys of the objects in a JSON column, and the scalars under them."""
    keys: dict[str, None] = {}
    values: dict[SQLValue, None] = {None: None}
    for text in texts:
        decoded = json.loads(text) if isinstance(text, str) else None
        if isinstance(decoded, dict):
            keys.update(dict.fromkeys(decoded))
            values.update(dict.fromkeys(v for v in decoded.values() if isinstance(v, str | int | float)))
            values[text] = None
    return tuple(keys), tuple(values)
