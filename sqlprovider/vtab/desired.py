"""A text of desired state, evaluated without being sent: the rows its INSERTs would make, its calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sqlprovider.catalog.catalog import Catalog
from sqlprovider.sql.dealer import Dealer
from sqlprovider.sql.parse import parse
from sqlprovider.sql.statement import Delete, Exec, Insert, Query, Statement, TableRef, Update, Use
from sqlprovider.values import Row, SQLValue
from sqlprovider.vtab.engine import Engine
from sqlprovider.vtab.names import SessionNames
from sqlprovider.vtab.run import Run

_TEMPORARY = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*CREATE\s+TEMP(?:ORARY)?\s", re.IGNORECASE | re.DOTALL)

Begin = Callable[[Mapping[str, SQLValue]], Run]


@dataclass(frozen=True, slots=True)
class Desired:
    """One statement of such a text. `kind` is insert, exec, local (it was run) or other (it was not)."""

    kind: str
    text: str
    start: int
    """Where in the text it begins."""
    name: str = ""
    """The full name of the resource."""
    method: str | None = None
    columns: tuple[str, ...] = ()
    """As written; for EXEC the arguments, the body's `@json` last."""
    rows: tuple[Row, ...] = ()
    reads: tuple[str, ...] = ()
    """The full names of the resources that it reads."""
    conflict: str | None = None
    returning: bool = False


def desired(
    text: str,
    values: Mapping[str, SQLValue],
    *,
    names: SessionNames,
    engine: Engine,
    catalog: Catalog,
    begin: Begin,
) -> Iterator[Desired]:
    """The statements of a text, each evaluated when it is asked for. Raises what reading it raises."""
    place = 0
    dealt = Dealer(values)
    for statement in dealt.checked(parse(text, names)):
        start = max(text.find(statement.text.strip(), place), place)
        place = start + len(statement.text.strip())
        yield _evaluated(statement, start, dealt, names=names, engine=engine, catalog=catalog, begin=begin)


def _evaluated(
    statement: Statement,
    start: int,
    dealt: Dealer,
    *,
    names: SessionNames,
    engine: Engine,
    catalog: Catalog,
    begin: Begin,
) -> Desired:
    match statement:
        case Insert():
            run = begin(_named(dealt.deal(statement.parameters)))
            _add(statement.source_tables, engine, catalog)
            rows: tuple[Row, ...] = ((),)
            if statement.source:
                rows = tuple(engine.select_piece(statement.source, run.bindings, run.calls).rows)
            resource = catalog.find(statement.target.name) if statement.target.name is not None else None
            columns = tuple(name for name, _ in statement.columns)
            if resource is not None and statement.source and not columns:
                columns = tuple(column.name for column in resource.columns if not column.hidden)
            return Desired(
                "insert",
                statement.text,
                start,
                str(statement.target.name),
                columns=columns,
                rows=rows,
                reads=_reads(statement.source_tables),
                conflict=statement.conflict,
                returning=statement.returning is not None,
            )
        case Exec():
            run = begin(_named(dealt.deal(statement.parameters)))
            return _exec(statement, start, engine, run)
        case Query() if _makes_temporary(statement.text):
            run = begin(_named(dealt.deal(statement.parameters)))
            _add(statement.tables, engine, catalog)
            for _ in engine.select(statement.sql, run.bindings, run.calls).rows:
                pass
            return Desired("local", statement.text, start, reads=_reads(statement.tables))
        case Use(names=used):
            names.use(used)
            return Desired("local", statement.text, start)
        case Update() | Delete():
            return Desired("other", statement.text, start, str(statement.target.name))
        case _:
            return Desired("other", statement.text, start)


def _exec(statement: Exec, start: int, engine: Engine, run: Run) -> Desired:
    target = statement.target
    given = [(argument.name, argument.sql) for argument in statement.arguments]
    if statement.body is not None:
        given.append(("@json", statement.body.sql))
    rows: tuple[Row, ...] = ((),)
    if given:
        sql = "SELECT " + ", ".join(sql for _, sql in given)
        rows = tuple(engine.select_piece(sql, run.bindings, run.calls).rows)
    name = f"{target.connection}.{target.service}.{target.resource}"
    return Desired("exec", statement.text, start, name, target.method, tuple(name for name, _ in given), rows)


def _makes_temporary(text: str) -> bool:
    return _TEMPORARY.match(text) is not None


def _named(bindings: object) -> Mapping[str, SQLValue]:
    return bindings if isinstance(bindings, Mapping) else {}


def _add(tables: tuple[TableRef, ...], engine: Engine, catalog: Catalog) -> None:
    for table in tables:
        if table.name is not None:
            engine.add_resource(catalog.find(table.name))


def _reads(tables: tuple[TableRef, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(table.name) for table in tables if table.name is not None))
