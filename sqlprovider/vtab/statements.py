"""INSERT, UPDATE, DELETE and EXEC of a resource: from the statement's pieces to planned rows."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping

from sqlprovider.catalog.catalog import Catalog
from sqlprovider.catalog.model import Method, Resource, Role, Verb
from sqlprovider.errors import IntegrityError, NotSupportedError, ProgrammingError
from sqlprovider.plan.model import Operation
from sqlprovider.plan.mutation import (
    Mutation,
    check_values,
    delete_operation,
    insert_operation,
    map_as_set,
    option_columns,
    plan_delete,
    plan_insert,
    plan_update,
    update_operations,
)
from sqlprovider.sql.statement import Delete, Insert, Returning, Update, Where
from sqlprovider.values import Const, Listed, Name, Op, Operand, Param, Predicate, SQLValue, cast
from sqlprovider.vtab.answers import answers_column, sent
from sqlprovider.vtab.database import quote
from sqlprovider.vtab.engine import Bindings, Engine
from sqlprovider.vtab.exists import PLAIN, Clause, conflict_clause
from sqlprovider.vtab.looks import moved
from sqlprovider.vtab.rowwrite import RowWrite
from sqlprovider.vtab.run import Run
from sqlprovider.vtab.writer import Planned, refuse_unbounded, refuse_write

Values = dict[str, SQLValue]


class Statements:
    """Plans the writes of one session: the rows they are of, and what is to be sent for each."""

    def __init__(self, catalog: Catalog, engine: Engine) -> None:
        self._catalog = catalog
        self._engine = engine

    def plan(self, statement: Insert | Update | Delete, run: Run) -> Planned:
        """The write with its rows. Raises whatever is refused; what is read for it is read here."""
        match statement:
            case Insert():
                return self.insert(statement, run)
            case Update():
                return self.update(statement, run)
            case Delete():
                return self.delete(statement, run)

    def insert(self, statement: Insert, run: Run) -> Planned:
        """INSERT INTO r …: the source's rows, each a call."""
        resource = self._target(statement.target.name)
        refuse_write(run.settings, f"INSERT into {resource.name}")
        clause = conflict_clause(statement, resource)
        given = _given_columns(statement, resource)
        mutation = plan_insert(resource, given, self._defaults(resource))
        rows = (
            _insert_row(mutation, dict(zip(mutation.columns, values, strict=True)))
            for values in self._source_rows(statement, run, len(given))
        )
        return self._planned(statement, mutation, rows, clause)

    def update(self, statement: Update, run: Run) -> Planned:
        """UPDATE r SET … WHERE …: the matching rows are read first, unless they may be sent unread."""
        resource = self._target(statement.target.name)
        refuse_write(run.settings, f"UPDATE of {resource.name}")
        _refuse_conflict(statement.conflict, resource)
        names = [assignment.column for assignment in statement.assignments]
        mutation = plan_update(resource, names, self._defaults(resource))
        refuse_unbounded(run.settings, mutation.where, has_where=_is_bounded(statement))
        where = statement.where
        options = _options(mutation, where, run.bindings)
        new = self._constants(statement, mutation, run)
        check_values(mutation, new)
        rows: list[RowWrite]
        if self._unread(mutation, statement):
            rows = [
                _update_row(mutation, identity, new, options, was_read=False)
                for identity in self._identities(mutation, where, run.bindings)
            ]
        else:
            rows = list(self._read_update(statement, mutation, run, options))
        return self._planned(statement, mutation, rows)

    def delete(self, statement: Delete, run: Run) -> Planned:
        """DELETE FROM r WHERE …: the matching rows are read first, unless they may be sent unread."""
        resource = self._target(statement.target.name)
        refuse_write(run.settings, f"DELETE from {resource.name}")
        mutation = plan_delete(resource, self._defaults(resource))
        refuse_unbounded(run.settings, mutation.where, has_where=_is_bounded(statement))
        options = _options(mutation, statement.where, run.bindings)
        if self._unread(mutation, statement):
            found = list(self._identities(mutation, statement.where, run.bindings))
        else:
            sql, columns = self._read_sql(statement, mutation.resource, (), "")
            found = [self._looked_up(mutation, columns, row, run) for row in self._read(sql, run)]
        rows = [
            RowWrite(
                (delete_operation(mutation, old, options),),
                dict(old),
                _identity(mutation, old),
                is_guarded=_is_guarded(mutation, old, options),
                again=lambda now: (delete_operation(mutation, now, options),),
            )
            for old in found
        ]
        return self._planned(statement, mutation, rows)

    def _planned(
        self,
        statement: Insert | Update | Delete,
        mutation: Mutation,
        rows: Iterable[RowWrite],
        clause: Clause = PLAIN,
    ) -> Planned:
        alias = statement.target.alias
        return Planned(mutation, rows, statement.text, clause, statement.returning, alias)

    def read_sql(self, statement: Update | Delete) -> str:
        """The SELECT that finds the rows to write, for EXPLAIN."""
        resource = self._target(statement.target.name)
        if isinstance(statement, Update):
            extra = tuple(assignment.sql for assignment in statement.assignments)
            return self._read_sql(statement, resource, extra, statement.from_sql)[0]
        return self._read_sql(statement, resource, (), "")[0]

    def mutation(self, statement: Insert | Update | Delete) -> Mutation:
        """The planned write, for EXPLAIN."""
        resource = self._target(statement.target.name)
        match statement:
            case Insert():
                return plan_insert(resource, _given_columns(statement, resource), self._defaults(resource))
            case Update():
                names = [assignment.column for assignment in statement.assignments]
                return plan_update(resource, names, self._defaults(resource))
            case Delete():
                return plan_delete(resource, self._defaults(resource))

    def is_unread(self, statement: Update | Delete) -> bool:
        """Whether the rows are written without being read first."""
        return self._unread(self.mutation(statement), statement)

    def _target(self, name: Name | None) -> Resource:
        assert name is not None
        return self._catalog.find(name)

    def _defaults(self, resource: Resource) -> Mapping[str, str]:
        return self._catalog.connection(resource.name.connection).defaults

    def _source_rows(self, statement: Insert, run: Run, width: int) -> Iterator[tuple[SQLValue, ...]]:
        for bindings in itertools.chain((run.bindings,), run.more):  # as they come
            if not statement.source:
                yield ()
                continue
            for row in self._engine.select_piece(statement.source, bindings, run.calls).rows:
                if len(row) != width:
                    raise ProgrammingError(
                        f"INSERT into {statement.target.name}: {len(row)} values for {width} columns",
                        reason="column_count",
                    )
                yield row

    def _constants(self, statement: Update, mutation: Mutation, run: Run) -> Values:
        """What SET gives without reading a row."""
        given = zip(mutation.columns, statement.assignments, strict=True)
        constant = {name: assignment.sql for name, assignment in given if assignment.constant}
        if not constant:
            return {}
        sql = "SELECT " + ", ".join(constant.values())
        (row,) = self._engine.select_piece(sql, run.bindings, run.calls).rows
        return dict(zip(constant, row, strict=True))

    def _read_update(
        self,
        statement: Update,
        mutation: Mutation,
        run: Run,
        options: Values,
    ) -> Iterator[RowWrite]:
        extra = tuple(assignment.sql for assignment in statement.assignments)
        sql, columns = self._read_sql(statement, mutation.resource, extra, statement.from_sql)
        seen: dict[tuple[SQLValue, ...], Values] = {}
        for row in self._read(sql, run):
            old = self._looked_up(mutation, columns, row, run)
            new = dict(zip(mutation.columns, row[len(columns) :], strict=True))
            identity = tuple(_identity(mutation, old).values())
            if identity in seen:
                if seen[identity] != new:
                    raise ProgrammingError(
                        f"{mutation.where}: a row is matched more than once, with differing values",
                        reason="ambiguous_update",
                    )
                continue
            seen[identity] = new
            yield _update_row(mutation, old, new, options)

    def _read_sql(
        self, statement: Update | Delete, resource: Resource, extra: tuple[str, ...], from_sql: str
    ) -> tuple[str, list[str]]:
        verb = Verb.UPDATE if isinstance(statement, Update) else Verb.DELETE
        table = self._engine.add_resource(resource, verb=verb)
        alias = quote(statement.target.alias)
        columns = [
            c.name for c in resource.columns if c.role in (Role.PARAMETER, Role.ITEM) and not c.whole_item
        ]
        selected = ", ".join([*(f"{alias}.{quote(name)}" for name in columns), *extra])
        where = "" if statement.where is None else f" WHERE {statement.where.sql}"
        sql = f"{statement.with_sql} SELECT {selected} FROM {quote(table)} AS {alias}{from_sql}{where}"
        return f"{sql} {statement.tail_sql}".strip(), columns

    def _read(self, sql: str, run: Run) -> list[tuple[SQLValue, ...]]:
        """Every matching row, before the first is written."""
        return list(self._engine.select_piece(sql, run.bindings, run.calls).rows)

    def _looked_up(
        self, mutation: Mutation, columns: list[str], row: tuple[SQLValue, ...], run: Run
    ) -> Values:
        """A row as read. A precondition that is a header is known only if the row is asked for by its key.

        Raises IntegrityError where it is no longer the row that the WHERE was held against.
        """
        old: Values = dict(zip(columns, row, strict=False))
        method, resource = mutation.method, mutation.resource
        name = None if method is None else method.precondition
        column = None if name is None else resource.column(name)
        keys = [key for key in resource.key if old.get(key) is not None]
        if column is None or column.header is None or old.get(column.name) is not None or not keys:
            return old
        test = " AND ".join(f"{quote(key)} = ?" for key in keys)
        table = self._engine.add_resource(resource)
        sql = f"SELECT {', '.join(map(quote, columns))} FROM {quote(table)} WHERE {test}"
        found = next(self._engine.select(sql, [old[key] for key in keys], run.calls).rows, None)
        if found is None:
            return old
        now: Values = dict(zip(columns, found, strict=True))
        moved = [known for known in columns if old[known] is not None and now[known] != old[known]]
        if moved:
            which = ", ".join(f"{key}={old[key]!s}" for key in keys)
            raise IntegrityError(
                f"{mutation.where}: {which} changed while it was read ({', '.join(moved)}); "
                "nothing was written",
                reason="changed",
            )
        return {**old, column.name: now[column.name]}

    def _unread(self, mutation: Mutation, statement: Update | Delete) -> bool:
        """Whether the statement names its rows itself, and the API says where one is missing."""
        method, where = mutation.method, statement.where
        if method is None or method.read_first or where is None or mutation.maps or statement.tail_sql:
            return False
        if isinstance(statement, Update) and not _constant(statement):
            return False
        if not where.only_equalities or not method.missing:
            return False
        bound = {predicate.column for predicate in where.predicates}
        own = {p.column or p.name for p in method.parameters.values() if p.required}
        defaults = {p.column or p.name for p in method.parameters.values() if p.name in mutation.defaults}
        if not (bound <= own | option_columns(mutation) and own <= bound | defaults):
            return False
        return self._answers(mutation.resource, method, statement.returning)

    def _answers(self, resource: Resource, method: Method, returning: Returning | None) -> bool:
        if returning is None:
            return True
        if returning.columns is None:
            return False
        found = [resource.column(name) for name in returning.columns]
        return all(column is not None and answers_column(method, column) for column in found)

    def _identities(self, mutation: Mutation, where: Where | None, bindings: Bindings) -> Iterator[Values]:
        """The rows that a WHERE of equalities names, one a combination of IN values."""
        assert where is not None and mutation.method is not None
        names, sets = [], []
        for parameter in mutation.method.parameters.values():
            name = parameter.column or parameter.name
            if not parameter.required:
                continue
            given = [p for p in where.predicates if p.column == name]
            default = mutation.defaults.get(parameter.name)
            names.append(name)
            sets.append(_operand_values(mutation.resource, given, bindings) if given else [default])
        for combination in itertools.product(*sets):
            if None not in combination:
                yield dict(zip(names, combination, strict=True))


def _given_columns(statement: Insert, resource: Resource) -> list[str]:
    """The columns that an INSERT gives: those it names, else every visible one; none for DEFAULT VALUES."""
    if not statement.source:
        return []
    return [name for name, _ in statement.columns] or [c.name for c in resource.columns if not c.hidden]


def _insert_row(mutation: Mutation, row: Values) -> RowWrite:
    operation = insert_operation(mutation, row)
    sets = sent(operation, mutation.resource)
    return RowWrite((operation,), {**row, **dict(operation.echo), **sets}, row, sets)


def _update_row(
    mutation: Mutation, old: Values, new: Values, options: Values, *, was_read: bool = True
) -> RowWrite:
    """What changes a row. Of a row that was read only the columns that differ are sent."""

    def operations_for(row: Values) -> tuple[Operation, ...]:
        return tuple(update_operations(mutation, row, _changed(mutation, row, new), options))

    changed = _changed(mutation, old, new) if was_read else new
    operations = tuple(update_operations(mutation, old, changed, options))
    values = {**old, **_as_read(mutation, new)}
    for operation in operations:
        if operation.method is mutation.method:
            values |= sent(operation, mutation.resource)
    return RowWrite(
        operations,
        values,
        {**_identity(mutation, old), **new},
        sets={name: values[name] for name in changed},
        old=dict(old) if was_read else None,
        is_guarded=_is_guarded(mutation, old, options),
        again=operations_for if was_read else None,
    )


def _changed(mutation: Mutation, old: Values, new: Values) -> Values:
    """What SET gives that the row does not have already."""
    if not mutation.resource.key:
        return new
    names = moved(mutation.resource, old, _as_read(mutation, new), list(new))
    return {name: value for name, value in new.items() if name in names or name not in old}


def _as_read(mutation: Mutation, new: Values) -> Values:
    """What SET gives, in the form in which it would be read."""
    by_key = {column.name for column in mutation.maps}
    found: Values = {}
    for name, value in new.items():
        column = mutation.resource.column(name)
        found[name] = value if column is None else cast(value, column.type)
        if column is not None and name in by_key:
            found[name] = map_as_set(mutation, column, value)
    return found


def _is_guarded(mutation: Mutation, old: Values, options: Values) -> bool:
    """Whether the precondition goes along as it was read; one that the statement gives is the user's."""
    name = None if mutation.method is None else mutation.method.precondition
    return name is not None and old.get(name) is not None and options.get(name) is None


def _is_bounded(statement: Update | Delete) -> bool:
    """Whether a condition says which rows: `WHERE true` does not."""
    return statement.where is not None and statement.where.reads_row


def _identity(mutation: Mutation, old: Mapping[str, SQLValue]) -> Values:
    """The values that name a row: its key, else its parameters."""
    names = mutation.resource.key or tuple(
        column.name for column in mutation.resource.columns if column.role is Role.PARAMETER
    )
    return {name: old[name] for name in names if name in old}


def _constant(statement: Update) -> bool:
    return all(assignment.constant for assignment in statement.assignments) and not statement.from_sql


def _options(mutation: Mutation, where: Where | None, bindings: Bindings) -> Values:
    """The options (and the precondition) that a write's WHERE gives."""
    if where is None or mutation.method is None:
        return {}
    names = option_columns(mutation)
    if mutation.method.precondition is not None:
        names |= {mutation.method.precondition}
    found: Values = {}
    for name in sorted(names):
        values = _operand_values(
            mutation.resource, [p for p in where.predicates if p.column == name], bindings
        )
        if len(values) > 1:
            raise ProgrammingError(
                f"{mutation.where}: the option {name} takes one value", reason="option_set"
            )
        if values:
            found[name] = values[0]
    return found


def _operand_values(resource: Resource, predicates: list[Predicate], bindings: Bindings) -> list[SQLValue]:
    """The values of `column = value` and `column IN (values)`; two predicates leave what both allow."""
    found: list[list[SQLValue]] = []
    for predicate in predicates:
        column = resource.column(predicate.column)
        values = [
            value if column is None else cast(value, column.type)
            for value in _operand(predicate, bindings)
            if value is not None
        ]
        found.append(list(dict.fromkeys(values)))
    if not found:
        return []
    return [value for value in found[0] if all(value in other for other in found[1:])]


def _operand(predicate: Predicate, bindings: Bindings) -> list[SQLValue]:
    if predicate.op not in (Op.EQ, Op.IN, Op.IS):
        return []
    match predicate.operand:
        case Listed(items):
            return [value for item in items for value in _given(item, bindings)]
        case operand:
            return _given(operand, bindings)


def _given(operand: Operand, bindings: Bindings) -> list[SQLValue]:
    match operand:
        case Const(value):
            return list(value) if isinstance(value, tuple) else [value]
        case Param(key):
            if isinstance(bindings, Mapping):
                return [bindings.get(str(key))]
            return [bindings[key - 1]] if isinstance(key, int) and key <= len(bindings) else []
        case _:
            return []


def _refuse_conflict(conflict: str | None, resource: Resource) -> None:
    if conflict not in (None, "OR ABORT", "OR FAIL"):
        raise NotSupportedError(
            f"UPDATE {conflict} on {resource.name}: an UPDATE that meets another row is an error",
            reason="conflict_clause",
            hint="UPDATE OR ABORT, the default",
        )
