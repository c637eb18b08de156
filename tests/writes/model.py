"""The model: a MLflow server's state in plain SQLite, which runs the same SQL text."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import apsw

from sqlprovider.values import JSON, Row, SQLValue
from tests.writes.statements import KEYS, Call, Delete, Insert, Params, Update, Write, on_model
from tests.writes.tables import LIVE, revive, schema

_LARGEST = 1.7976931348623157e308
_ONCE = ("tags", "params", "metrics", "registered_models", "aliases")
"""Tables whose key the client gives: two rows of a statement must not share one."""
_IN_PLACE = {"experiments": "name", "registered_models": "name"}
"""OR REPLACE changes what there is, and makes no new object under the name."""


class Refusal(Exception):
    """The server, or the engine before it, refuses: `family` is the name of the engine's error."""

    def __init__(self, family: str, message: str) -> None:
        super().__init__(f"{family}: {message}")
        self.family = family


@dataclass(frozen=True, slots=True)
class Op:
    """The write of one row: what names and sets it, and the text that does it on the model."""

    target: str
    values: Mapping[str, SQLValue]
    sql: str
    params: Params

    def is_row(self, target: str, given: Mapping[str, JSON]) -> bool:
        """Whether a row of `sqlprovider.last_write` is this one, by its `input_row`."""
        return target == self.target and _same(given) == _same(self.values)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a statement gave."""

    changed: int
    rows: list[Row]


class Model:
    """One script's world."""

    def __init__(self) -> None:
        self.connection = apsw.Connection(":memory:")
        functions: tuple[Callable[..., SQLValue], ...] = (as_map, number, is_nan, finite, text_of)
        for function in functions:
            self.connection.create_scalar_function(function.__name__, function, deterministic=True)
        self.rows(schema())
        self.staged: list[Op | Call] | None = None
        """What a transaction has not sent yet; None outside of one."""
        self.known: dict[str, list[str]] = {"experiments": [], "runs": []}
        """The ids of all that was ever made, in the order in which it was."""
        self._marks: dict[str, int] = {}

    def rows(self, sql: str, params: Sequence[SQLValue] = ()) -> list[Row]:
        """The rows of text on the model's tables. Raises Refusal where a constraint says no."""
        try:
            return [tuple(row) for row in self.connection.execute(sql, tuple(params))]
        except apsw.ConstraintError as error:
            raise _refusal(error) from None

    def run(self, statement: Write) -> Outcome:
        """The statement as SQLite runs it. Raises Refusal; rows before the refused one stay written."""
        sql = on_model(_in_place(statement).sql)
        sets = statement.many if isinstance(statement, Insert) and statement.many else (statement.params,)
        changed, rows = 0, []
        for params in sets:
            rows += self.rows(sql, params)
            changed += self.connection.changes()
        return Outcome(changed, rows)

    def local(self, sql: str, params: Params) -> Outcome:
        """A statement that reads resources, or writes local tables."""
        before = self.connection.total_changes()
        rows = self.rows(on_model(sql), params)
        return Outcome(self.connection.total_changes() - before, rows)

    def check(self, ops: Sequence[Op]) -> None:
        """Raises Refusal where two rows of one INSERT have one key."""
        seen: set[tuple[SQLValue, ...]] = set()
        for op in ops:
            table = op.target.rpartition(".")[2]
            if table not in _ONCE or not op.sql.startswith("INSERT"):
                return
            key = tuple(op.values.get(name) for name in KEYS[op.target])
            if key in seen:
                raise Refusal("IntegrityError", f"two rows have the key {key}")
            seen.add(key)

    def planned(self, statement: Write) -> list[Op]:
        """The rows that the statement writes, found now and not written yet."""
        match statement:
            case Insert():
                return list(_inserts(statement, self._source_rows(statement)))
            case Update():
                return self._updates(statement)
            case Delete():
                keys = KEYS[statement.target]
                found = self._matching(statement.target, (), "", statement.where, statement.params)
                return [_delete(statement.target, dict(zip(keys, row, strict=True))) for row in found]

    def apply(self, op: Op | Call) -> None:
        """Writes one planned row, or makes a call. Raises Refusal."""
        if isinstance(op, Call):
            self.call(op)
        else:
            self.rows(op.sql, op.params)

    def call(self, call: Call) -> None:
        """What an EXEC does. Raises Refusal."""
        given = dict(call.arguments)
        match call.target.rpartition(".")[2], call.method:
            case "experiments", "restore":
                self._restore_experiment(str(given["experiment_id"]))
            case "runs", "restore":
                self._restore_run(str(given["run_id"]))
            case "runs", "set_tag":
                self.rows("INSERT INTO tags(run_id, key, value) VALUES (?, ?, ?)", tuple(given.values()))
            case other:
                raise AssertionError(other)

    def begin(self) -> None:
        """Staged from here on; what is local is SQLite's."""
        self.rows("BEGIN")
        self.staged = []

    def mark(self, name: str) -> None:
        """SAVEPOINT."""
        assert self.staged is not None
        self.rows(f"SAVEPOINT {name}")
        self._marks[name] = len(self.staged)

    def has_mark(self, name: str) -> bool:
        """Whether there is such a SAVEPOINT."""
        return name in self._marks

    def release(self, name: str) -> None:
        """RELEASE."""
        self.rows(f"RELEASE {name}")
        del self._marks[name]

    def back_to(self, name: str) -> None:
        """ROLLBACK TO."""
        assert self.staged is not None
        self.rows(f"ROLLBACK TO {name}")
        del self.staged[self._marks[name] :]

    def end(self, word: str) -> list[Op | Call]:
        """COMMIT or ROLLBACK of what is local; the staged writes, which are not done yet."""
        assert self.staged is not None
        self.rows(word)
        staged, self.staged = self.staged, None
        self._marks.clear()
        return staged

    def new_rows(self, table: str) -> list[tuple[str, dict[str, SQLValue]]]:
        """The objects that have no id of the server's yet: (the id until then, the row by column)."""
        columns = [name.strip() for name in LIVE[table].split(",")]
        id_ = f"{table[:-1]}_id"
        found = self.rows(f"SELECT {LIVE[table]} FROM {table} WHERE {id_} LIKE 'new %' ORDER BY rowid")
        rows = [dict(zip(columns, row, strict=True)) for row in found]
        return [(str(row[id_]), row) for row in rows]

    def name_new(self, table: str, id_: str, given: str) -> None:
        """Gives an object the server's id, wherever it stands."""
        column = f"{table[:-1]}_id"
        tables = [name for name, columns in LIVE.items() if column in columns]
        with self._without_triggers():
            for name in [*tables, *(f"dead_{name}" for name in tables)]:
                self.rows(f"UPDATE {name} SET {column} = ? WHERE {column} = ?", (given, id_))
            if column == "run_id":
                self.rows("UPDATE points SET run_id = ? WHERE run_id = ?", (given, id_))
        self.known[table].append(given)

    def fill_run(self, id_: str, **values: SQLValue) -> None:
        """What the server chose for a run that said nothing of it."""
        with self._without_triggers():
            for name, value in values.items():
                self.rows(f"UPDATE runs SET {name} = ? WHERE run_id = ? AND {name} IS NULL", (value, id_))

    def _source_rows(self, statement: Insert) -> Iterator[Row]:
        for params in statement.many or (statement.params,):
            yield from self.rows(on_model(statement.source), params)

    def _updates(self, statement: Update) -> list[Op]:
        keys = KEYS[statement.target]
        values = tuple(value for _, value in statement.sets)
        found = self._matching(statement.target, values, statement.from_, statement.where, statement.params)
        names = [column for column, _ in statement.sets]
        return [
            _update(
                statement.target,
                dict(zip(keys, row[: len(keys)], strict=True)),
                dict(zip(names, row[len(keys) :], strict=True)),
            )
            for row in found
        ]

    def _matching(
        self, target: str, extra: Sequence[str], from_: str, where: str, params: Params
    ) -> list[Row]:
        table = on_model(target)
        selected = ", ".join([*(f"{table}.{key}" for key in KEYS[target]), *extra])
        tables = f"{table}, {from_}" if from_ else table
        return self.rows(on_model(f"SELECT {selected} FROM {tables} WHERE {where}"), params)

    def _restore_experiment(self, id_: str) -> None:
        """Its runs come back with it, those too that were deleted before it."""
        if not self.rows("SELECT 1 FROM dead_experiments WHERE experiment_id = ?", (id_,)):
            raise Refusal("BackendError", f"no deleted experiment {id_}")
        with self._without_triggers():
            self.rows(revive("experiments", f"experiment_id = '{id_}'"))
            self.rows("UPDATE experiments SET lifecycle_stage = 'active'")
        for (run_id,) in self.rows("SELECT run_id FROM dead_runs WHERE experiment_id = ?", (id_,)):
            self._restore_run(str(run_id))

    def _restore_run(self, id_: str) -> None:
        """Nothing happens to a run that lives."""
        if id_ not in self.known["runs"]:
            raise Refusal("BackendError", f"no run {id_}")
        with self._without_triggers():
            for table in LIVE:
                if table != "experiments":
                    self.rows(revive(table, f"run_id = '{id_}'"))
            self.rows("UPDATE runs SET lifecycle_stage = 'active'")
            for table in ("metrics", "metric_history"):
                self.rows(f"UPDATE {table} SET settled = 1")

    def _without_triggers(self) -> _Quiet:
        return _Quiet(self.connection)


class _Quiet:
    """Triggers rest while it is entered."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)

    def __exit__(self, *_: object) -> None:
        self._connection.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 1)


def as_map(text: SQLValue) -> str:
    """A map as the server has it: texts by key."""
    items = json.loads(text) if isinstance(text, str) else {}
    pairs = {key: value if isinstance(value, str) else compact(value) for key, value in items.items()}
    return compact(dict(sorted(pairs.items())))


def compact(value: JSON) -> str:
    """JSON without blanks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def number(value: SQLValue) -> float:
    """What the store holds of a number: 0 for NaN, the largest for Infinity."""
    found = float(str(value))
    return 0.0 if math.isnan(found) else max(-_LARGEST, min(_LARGEST, found))


def is_nan(value: SQLValue) -> int:
    """Whether it is written NaN."""
    return int(math.isnan(float(str(value))))


def finite(stored: float, nan: int) -> float | None:
    """The column `value`."""
    return None if nan or abs(stored) >= _LARGEST else stored


def text_of(stored: float, nan: int) -> str:
    """The column `value_text`."""
    if nan:
        return "NaN"
    if abs(stored) >= _LARGEST:
        return "Infinity" if stored > 0 else "-Infinity"
    return json.dumps(stored)


def _refusal(error: apsw.ConstraintError) -> Refusal:
    said = str(error).rpartition(" ")[2]
    return Refusal(said if said.endswith("Error") else "IntegrityError", str(error))


def _in_place(statement: Write) -> Write:
    """OR REPLACE as it is meant: it updates what is there."""
    table = statement.target.rpartition(".")[2]
    if not isinstance(statement, Insert) or statement.conflict != "REPLACE" or table not in _IN_PLACE:
        return statement
    key = _IN_PLACE[table]
    sets = ", ".join(f"{name} = excluded.{name}" for name in statement.columns)
    upsert = f"ON CONFLICT({key}) DO UPDATE SET {sets}"
    source = f"{statement.source} WHERE true" if _needs_where(statement.source) else statement.source
    return Insert(
        statement.target,
        statement.columns,
        source,
        statement.params,
        upsert=upsert,
        returning=statement.returning,
        many=statement.many,
    )


def _needs_where(source: str) -> bool:
    """SQLite would read ON CONFLICT as a join's ON."""
    return source.startswith("SELECT") and " WHERE " not in source


def _inserts(statement: Insert, rows: Iterable[Row]) -> Iterator[Op]:
    target, columns = statement.target, statement.columns
    marks = ", ".join("?" * len(columns))
    for row in rows:
        one = Insert(
            target, columns, f"VALUES ({marks})", conflict=statement.conflict, upsert=statement.upsert
        )
        yield Op(target, dict(zip(columns, row, strict=True)), on_model(_in_place(one).sql), row)


def _update(target: str, key: dict[str, SQLValue], new: dict[str, SQLValue]) -> Op:
    sets = ", ".join(f"{name} = ?" for name in new)
    sql = f"UPDATE {on_model(target)} SET {sets} WHERE {_test(key)}"
    return Op(target, {**key, **new}, sql, (*new.values(), *key.values()))


def _delete(target: str, key: dict[str, SQLValue]) -> Op:
    return Op(target, key, f"DELETE FROM {on_model(target)} WHERE {_test(key)}", tuple(key.values()))


def _test(key: Mapping[str, SQLValue]) -> str:
    return " AND ".join(f"{name} = ?" for name in key)


def _same(values: Mapping[str, SQLValue] | Mapping[str, JSON]) -> dict[str, str]:
    """A row in which a map's keys may stand in any order, and numbers in any form."""
    return {name: _plain(value) for name, value in values.items() if value is not None}


def _plain(value: SQLValue | JSON) -> str:
    text = value if isinstance(value, str) else str(value)
    if text.startswith("{"):
        try:
            return as_map(text)
        except ValueError:
            return text
    return text
