"""EXPLAIN: the plans SQLite chose, as rows. ANALYZE runs the SELECT, discards its rows and adds the cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlprovider.catalog.catalog import Catalog
from sqlprovider.errors import NotSupportedError
from sqlprovider.plan.explain import ANALYZED, COLUMNS, Step, explain_mutation, explain_scan
from sqlprovider.plan.model import Refusal
from sqlprovider.plan.refusal import refusal_error
from sqlprovider.sql.statement import Delete, Exec, Explain, Insert, Query, TableRef, Update
from sqlprovider.values import Predicate, Row, SQLValue
from sqlprovider.vtab.engine import Engine, ResultColumn, Selected
from sqlprovider.vtab.queryplan import read_again
from sqlprovider.vtab.run import Run
from sqlprovider.vtab.statements import Statements


def explain(
    statement: Explain, catalog: Catalog, engine: Engine, statements: Statements, run: Run
) -> Selected:
    """The steps of a statement; SQLite's own EXPLAIN where it reaches no resource."""
    inner = statement.statement
    if statement.analyze and not (isinstance(inner, Query) and engine.only_reads(inner.sql)):
        raise NotSupportedError(
            "EXPLAIN ANALYZE runs its statement, so it takes a SELECT only", hint="EXPLAIN without ANALYZE"
        )
    steps = [_with_cache(step, run) for step in _steps(inner, catalog, engine, statements)]
    if not steps and isinstance(inner, Query):
        return engine.select(f"EXPLAIN {inner.sql}", run.bindings, run.calls)
    if statement.analyze and isinstance(inner, Query):
        return _analyzed(steps, inner, engine, run)
    return _selected(COLUMNS, [step.row(number) for number, step in enumerate(steps, 1)])


def _with_cache(step: Step, run: Run) -> Step:
    """The step, with what the cache has of its method before it runs."""
    if (known := run.calls.cache.known(step.resource, step.method)) is None:
        return step
    count, oldest = known
    return _noted(step, f"{count} page{'s' if count > 1 else ''} in the cache, up to {oldest:.0f} s old")


def _noted(step: Step, note: str) -> Step:
    return replace(step, note="; ".join(filter(None, (step.note, note))))


def _steps(
    inner: Query | Insert | Update | Delete | Exec, catalog: Catalog, engine: Engine, statements: Statements
) -> Iterator[Step]:
    match inner:
        case Query():
            yield from _read_steps(inner.sql, inner.tables, engine)
        case Insert():
            if inner.source:
                yield from _read_steps(inner.source, inner.source_tables, engine)
            yield from explain_mutation(statements.mutation(inner), alias="the source", unread=False)
        case Update() | Delete():
            unread = statements.is_unread(inner)
            if not unread:
                yield from _read_steps(statements.read_sql(inner), (inner.target, *inner.tables), engine)
            yield from explain_mutation(statements.mutation(inner), alias=inner.target.alias, unread=unread)
        case Exec():
            resource, method = catalog.method(inner.target)
            known = None if method.pages is not None and method.pages.style != "one" else 1
            yield Step(str(resource.name), method.name, known, None, None, None, f"effect: {method.effect}")


def _read_steps(sql: str, tables: tuple[TableRef, ...], engine: Engine) -> Iterator[Step]:
    by_alias: dict[str, tuple[Predicate, ...]] = {}
    for table in tables:
        by_alias.setdefault(table.alias.lower(), table.predicates)
    outer: str | None = None
    scans = engine.plans(sql)
    again = read_again(scans)
    for planned in scans:
        if isinstance(planned.plan, Refusal):
            raise refusal_error(planned.plan)
        predicates = by_alias.get(planned.alias.lower(), ())
        yield from explain_scan(planned.plan, predicates, outer=outer, again=again)
        outer = planned.alias


def _analyzed(steps: list[Step], query: Query, engine: Engine, run: Run) -> Selected:
    for _ in engine.query(query, run.bindings, run.calls).rows:
        pass
    rows, seen = [], set[tuple[str, str]]()
    for number, step in enumerate(steps, 1):
        called = (step.resource, step.method)
        if (hits := run.calls.cache.hits[called]) and called not in seen:
            step = _noted(step, f"{hits} page{'s' if hits > 1 else ''} from the cache")
        rows.append((*step.row(number), *_measured(called, run, is_first=called not in seen)))
        seen.add(called)
    return _selected((*COLUMNS, *ANALYZED), rows)


def _measured(called: tuple[str, str], run: Run, *, is_first: bool) -> Row:
    """What the requests of a method were; steps by one method share them, counted with the first."""
    state = "LIMITED" if run.calls.limited else "COMPLETE"
    if not is_first:
        return (0, 0, 0, 0, 0.0, state)
    records = [record for record in run.calls.records if (record.resource, record.method) == called]
    answered = sum(record.rows is not None for record in records)
    # Pages from the cache are used too, and are no requests.
    wasted = max(0, answered - max(0, run.calls.pages_used[called] - run.calls.cache.hits[called]))
    rows, sent = sum(record.rows or 0 for record in records), len(records)
    return (sent, sent - wasted, wasted, rows, round(sum(record.ms for record in records), 1), state)


def _selected(names: tuple[str, ...], rows: list[tuple[SQLValue, ...]]) -> Selected:
    return Selected(tuple(ResultColumn(name, None) for name in names), iter(rows), lambda: 0)
