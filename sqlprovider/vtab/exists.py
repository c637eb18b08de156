"""INSERTs of rows that exist already: refused, taken as done, or updated, as the statement says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sqlprovider.catalog.model import Resource, Role, Verb
from sqlprovider.errors import Error, IntegrityError, NotSupportedError, ProgrammingError
from sqlprovider.plan.identity import chosen_column, identity_columns
from sqlprovider.plan.model import Operation
from sqlprovider.plan.mutation import Mutation, plan_update, update_operations
from sqlprovider.sql.statement import Insert, Upsert
from sqlprovider.values import Row, SQLValue, cast
from sqlprovider.vtab.database import quote
from sqlprovider.vtab.engine import Engine
from sqlprovider.vtab.looks import Looks, same_value
from sqlprovider.vtab.rows import Given
from sqlprovider.vtab.rowwrite import RowWrite
from sqlprovider.vtab.run import Run

Values = dict[str, SQLValue]

_ROW, _EXCLUDED = ":ROW", ":EXCLUDED"


@dataclass(frozen=True, slots=True)
class Clause:
    """What an INSERT says of rows that exist. `word` is None, IGNORE, REPLACE or UPDATE."""

    word: str | None
    upsert: Upsert | None = None
    alias: str = ""


PLAIN = Clause(None)


def conflict_clause(statement: Insert, resource: Resource) -> Clause:
    """The clause of a statement. Raises what it is refused for."""
    upsert, alias = statement.upsert, statement.target.alias
    if upsert is not None or statement.conflict in ("OR IGNORE", "OR REPLACE"):
        _refuse_untold(statement.conflict or "ON CONFLICT", resource)
    if upsert is not None:
        _refuse_wrong_target(upsert, resource)
        return Clause("UPDATE" if upsert.assignments else "IGNORE", upsert, alias)
    match statement.conflict:
        case None | "OR ABORT" | "OR FAIL":
            return Clause(None)
        case "OR IGNORE":
            return Clause("IGNORE")
        case "OR REPLACE":
            return Clause("REPLACE")
        case _:
            raise NotSupportedError(
                f"{statement.conflict} on {resource.name}: what the API has accepted cannot be taken back",
                reason="conflict_clause",
                hint="INSERT OR ABORT (the default) stops and says what was accepted",
            )


class Existing:
    """Rows that an INSERT finds there already."""

    def __init__(self, mutation: Mutation, clause: Clause, engine: Engine, run: Run) -> None:
        self._mutation = mutation
        self._clause = clause
        self._engine = engine
        self._run = run
        self._looks = Looks(mutation.resource, engine, run)

    @property
    def looks_first(self) -> bool:
        """Whether the API would not say that a row exists: a look must."""
        return self._clause.word in ("IGNORE", "UPDATE") and not tells_existence(self._mutation.resource)

    def found_first(self, row: RowWrite, error: Error) -> bool:
        """Whether the row is there already, and so what the clause says is to be done with it."""
        return self._found(row) is not None and self.met(row, error)

    def met(self, row: RowWrite, error: Error) -> bool:
        """Whether the row goes on: with the operations of an UPDATE, or done. Raises why it has failed."""
        if self._clause.word is None:
            raise self._named(row, error)
        is_ignored = self._clause.word == "IGNORE"
        # Only where rows can be deleted and still be in the way does IGNORE have to look.
        found = self._found(row) if not is_ignored or self._mutation.resource.restore else {}
        if found is None:
            raise self._named(row, error)
        new = None if is_ignored else self._new_values(row, found)
        if new is None:
            row.done, row.is_counted, row.error = len(row.operations), False, error
            return True
        row.operations, row.done, row.old = self._update(row, found, new), 0, found
        return True

    def sorts(self, error: Error) -> bool:
        """Whether a refused batch is to be parted into the rows that exist and those that do not."""
        return self._clause.word is not None and error.reason == "already_exists"

    def sorted(self, rows: Sequence[RowWrite]) -> tuple[list[RowWrite], list[RowWrite]]:
        """The rows that exist, and the others."""
        there = [row for row in rows if self._found(row) is not None]
        held = {id(row) for row in there}
        return there, [row for row in rows if id(row) not in held]

    def _found(self, row: RowWrite) -> Values | None:
        """The live row that has the key, or else the identity, of the one to insert."""
        resource = self._mutation.resource
        if self._looks.has_key(row.values):
            return self._looks.by_key(row.values)
        names = identity_columns(resource)
        if not names or any(row.values.get(name) is None for name in names):
            return None
        return self._looks.row({name: row.values[name] for name in names})

    def _named(self, row: RowWrite, error: Error) -> Error:
        """The error, with the way out where the row exists as a deleted one."""
        resource = self._mutation.resource
        names = identity_columns(resource)
        view = resource.view
        if resource.restore is None or view is None or view.column is None or not names:
            return error
        if any(row.values.get(name) is None for name in names):
            return error
        shown = view.values.get(view.default) or ()
        wanted = {name: row.values[name] for name in names}
        for found in self._looks.rows(wanted, widest=True):
            if found.get(view.column) in shown:
                return error
            keys = ", ".join(f"@{name} = '{found.get(name)!s}'" for name in resource.key)
            error.message = f"{error.message}; it exists as {found.get(view.column)!s}"
            error.hint = f"EXEC {resource.name}.{resource.restore} {keys}"
        return error

    def _new_values(self, row: RowWrite, found: Values) -> Values | None:
        """What the existing row is to become; None where the clause's own WHERE leaves it alone."""
        if self._clause.word == "REPLACE":
            return self._replaced(row, found)
        upsert = self._clause.upsert
        assert upsert is not None
        resource = self._mutation.resource
        excluded = {**row.values, **row.given}
        for suffix, values in ((_ROW, found), (_EXCLUDED, excluded)):
            cells = tuple(values.get(column.name) for column in resource.columns)
            self._engine.add_rows(f"{resource.name}{suffix}", resource.columns, partial(_one, cells))
        target = f"{quote(f'{resource.name}{_ROW}')} AS {quote(self._clause.alias)}"
        terms = [f"(SELECT {assignment.sql} FROM {target})" for assignment in upsert.assignments]
        sql = f"SELECT {', '.join(terms)} FROM {quote(f'{resource.name}{_EXCLUDED}')} AS excluded"
        if upsert.where is not None:
            sql += f" WHERE (SELECT {upsert.where} FROM {target})"
        answers = list(self._engine.select_piece(sql, self._run.bindings, self._run.calls).rows)
        if not answers:
            return None
        return dict(zip([a.column for a in upsert.assignments], answers[0], strict=True))

    def _replaced(self, row: RowWrite, found: Values) -> Values:
        """The columns given; those that cannot be set must be as they are."""
        resource = self._mutation.resource
        settable = {name for method in resource.verb_methods(Verb.UPDATE) for name in method.sets}
        settable |= {column.name for column in resource.columns if column.set_key is not None}
        new: Values = {}
        for name, given in row.given.items():
            column = resource.column(name)
            value = row.sets.get(name, given)
            if column is None or column.role is Role.OPTION or name in resource.key:
                continue
            if same_value(column, found.get(name), value):
                continue
            if name not in settable:
                raise IntegrityError(
                    f"it exists already, and its {name}, {found.get(name)!r}, cannot become {value!r}",
                    reason="already_exists",
                )
            new[name] = given
        return new

    def _update(self, row: RowWrite, found: Values, new: Mapping[str, SQLValue]) -> tuple[Operation, ...]:
        if not new:
            return ()
        mutation = plan_update(self._mutation.resource, list(new), self._mutation.defaults)
        named = dict(zip(mutation.columns, new.values(), strict=True))
        row.values = {**found, **{name: _typed(mutation, name, value) for name, value in named.items()}}
        row.sets = {name: row.values[name] for name in named}
        return tuple(update_operations(mutation, found, named, {}))


def tells_existence(resource: Resource) -> bool:
    """Whether the API says that a row exists: by the id that the client chose, or a unique identity."""
    if any(method.overwrites for method in resource.verb_methods(Verb.INSERT)):
        return False
    unique = resource.identity is not None and resource.identity.unique
    return unique or chosen_column(resource) is not None


def _refuse_untold(word: str, resource: Resource) -> None:
    """A clause for rows that exist needs something that tells them."""
    taken = {p.column or p.name for m in resource.verb_methods(Verb.INSERT) for p in m.parameters.values()}
    if not tells_existence(resource) and not (resource.key and set(resource.key) <= taken):
        raise NotSupportedError(
            f"{word} on {resource.name}: nothing tells whether a row exists, its key is the API's to give",
            reason="conflict_clause",
        )


def _one(cells: Row, given: Given) -> list[Row]:
    return [cells]


def _typed(mutation: Mutation, name: str, value: SQLValue) -> SQLValue:
    column = mutation.resource.column(name)
    return value if column is None else cast(value, column.type)


def _refuse_wrong_target(upsert: Upsert, resource: Resource) -> None:
    """ON CONFLICT (columns) must name what the API tells rows apart by."""
    if not upsert.columns:
        return
    named = {name.lower() for name in upsert.columns}
    identity = resource.identity
    ways = [resource.key]
    if identity is not None and identity.unique:
        ways += [identity.columns, identity_columns(resource)]
    if not any(way and named == {name.lower() for name in way} for way in ways):
        choices = " or ".join(f"({', '.join(way)})" for way in dict.fromkeys(ways) if way)
        raise ProgrammingError(
            f"ON CONFLICT ({', '.join(upsert.columns)}): rows of {resource.name} are told apart by "
            f"{choices or 'nothing'}",
            reason="conflict_target",
            hint="ON CONFLICT DO …, without columns",
        )
