"""The statements of a script, in pieces, so that the model can say which rows each of them writes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from sqlprovider.values import SQLValue

Params: TypeAlias = tuple[SQLValue, ...]

KEYS = {
    "mlflow.tracking.experiments": ("experiment_id",),
    "mlflow.tracking.runs": ("run_id",),
    "mlflow.tracking.tags": ("run_id", "key"),
    "mlflow.tracking.params": ("run_id", "key"),
    "mlflow.tracking.metrics": ("run_id", "key"),
    "mlflow.tracking.metric_history": (),
    "mlflow.registry.registered_models": ("name",),
    "mlflow.registry.model_versions": ("name", "version"),
    "mlflow.registry.aliases": ("name", "alias"),
}
"""What is written, and the columns that name a row of it."""

_RESOURCE = re.compile(r"\bmlflow\.(?:tracking|registry)\.(\w+)")


def on_model(sql: str) -> str:
    """The text with the names of the model's tables."""
    return _RESOURCE.sub(r"\1", sql)


@dataclass(frozen=True, slots=True)
class Insert:
    """`INSERT [OR conflict] INTO target (columns) source [upsert] [RETURNING returning]`."""

    target: str
    columns: tuple[str, ...]
    source: str
    params: Params = ()
    conflict: str = ""
    upsert: str = ""
    returning: str = ""
    many: tuple[Params, ...] = ()
    """The sets of parameters of an `executemany`."""

    @property
    def sql(self) -> str:
        verb = f"INSERT OR {self.conflict}" if self.conflict else "INSERT"
        columns = ", ".join(self.columns)
        return _joined(
            f"{verb} INTO {self.target} ({columns}) {self.source}", self.upsert, _returning(self.returning)
        )


@dataclass(frozen=True, slots=True)
class Update:
    """`UPDATE target SET … [FROM from_] WHERE where [RETURNING returning]`."""

    target: str
    sets: tuple[tuple[str, str], ...]
    where: str
    params: Params = ()
    from_: str = ""
    returning: str = ""

    @property
    def sql(self) -> str:
        sets = ", ".join(f"{column} = {value}" for column, value in self.sets)
        from_ = f"FROM {self.from_}" if self.from_ else ""
        return _joined(
            f"UPDATE {self.target} SET {sets}", from_, f"WHERE {self.where}", _returning(self.returning)
        )


@dataclass(frozen=True, slots=True)
class Delete:
    """`DELETE FROM target WHERE where [RETURNING returning]`."""

    target: str
    where: str
    params: Params = ()
    returning: str = ""

    @property
    def sql(self) -> str:
        return _joined(f"DELETE FROM {self.target} WHERE {self.where}", _returning(self.returning))


@dataclass(frozen=True, slots=True)
class Call:
    """`EXEC target.method @name = value, …` of a method that the model knows."""

    target: str
    method: str
    arguments: tuple[tuple[str, SQLValue], ...]

    @property
    def sql(self) -> str:
        given = ", ".join(f"@{name} = ?" for name, _ in self.arguments)
        return f"EXEC {self.target}.{self.method} {given}"

    @property
    def params(self) -> Params:
        return tuple(value for _, value in self.arguments)


@dataclass(frozen=True, slots=True)
class Transaction:
    """BEGIN, COMMIT, ROLLBACK, SAVEPOINT s, RELEASE s, ROLLBACK TO s."""

    sql: str
    params: Params = ()


@dataclass(frozen=True, slots=True)
class Local:
    """A SELECT, or a statement that changes local tables alone: the text is the same for both."""

    sql: str
    params: Params = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A statement that the engine refuses before it sends anything, whatever there is."""

    sql: str
    family: str
    params: Params = ()


Write: TypeAlias = Insert | Update | Delete
Statement: TypeAlias = Write | Call | Transaction | Local | Refused


def literal(value: SQLValue) -> str:
    """A value as SQL has it."""
    match value:
        case None:
            return "NULL"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case bytes():
            return f"x'{value.hex()}'"
        case _:
            return repr(value)


def _returning(columns: str) -> str:
    return f"RETURNING {columns}" if columns else ""


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)
