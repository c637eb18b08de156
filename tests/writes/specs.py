"""What a script may do, said without ids: an index means an object that there is when its turn comes.

So a statement can be left out of a script, and the rest still means something: scripts shrink.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from sqlprovider.values import SQLValue
from tests.writes.model import Model
from tests.writes.statements import (
    Call,
    Delete,
    Insert,
    Local,
    Refused,
    Statement,
    Transaction,
    Update,
    literal,
)

EXPERIMENTS, RUNS = "mlflow.tracking.experiments", "mlflow.tracking.runs"
NO_EXPERIMENT, NO_RUN = "999999999", "0" * 32
NAMES = ("", " it's", ' "q"', " Ünï 🙂", " 50%_off", " back\\slash", " a--b;/*c*/")


@dataclass(slots=True)
class World:
    """Where a statement's indices lead."""

    prefix: str
    model: Model
    made: dict[str, list[str]] = field(default_factory=lambda: {"e": [], "m": [], "r": []})

    def fresh(self, kind: str, odd: int) -> str:
        """A name that no other object of the script was made under."""
        name = f"{self.prefix}{kind}{len(self.made[kind])}{NAMES[odd % len(NAMES)]}"
        self.made[kind].append(name)
        return name

    def made_name(self, kind: str, index: int) -> str:
        """A name under which something was made, or should have been."""
        names = self.made[kind]
        return names[index % len(names)] if names else f"{self.prefix}none"

    def experiment(self, index: int) -> str:
        """The id of an experiment, live or deleted."""
        return _at(self.model.known["experiments"], index, NO_EXPERIMENT)

    def run(self, index: int) -> str:
        """The id of a run, live or deleted."""
        return _at(self.model.known["runs"], index, NO_RUN)


class Spec(Protocol):
    """A statement to be."""

    def render(self, world: World) -> Statement | None:
        """The statement; None where it makes no sense now."""


class Sql:
    """Values as literals or as parameters, in the order in which they are asked for."""

    def __init__(self, bound: bool) -> None:
        self._bound = bound
        self.params: list[SQLValue] = []

    def value(self, value: SQLValue) -> str:
        if not self._bound:
            return literal(value)
        self.params.append(value)
        return "?"


@dataclass(frozen=True)
class Rows:
    """INSERT … VALUES of any resource. A cell that is a function of the world is called."""

    target: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    bound: bool = False
    many: bool = False
    conflict: str = ""
    upsert: str = ""
    returning: str = ""

    def render(self, world: World) -> Statement:
        rows = [tuple(cell.of(world) for cell in row) for row in self.rows]
        marks = ", ".join("?" * len(self.columns))
        sql = Sql(self.bound)
        values = ", ".join(f"({', '.join(sql.value(cell) for cell in row)})" for row in rows)
        return Insert(
            self.target,
            self.columns,
            f"VALUES ({marks})" if self.many else f"VALUES {values}",
            () if self.many else tuple(sql.params),
            conflict=self.conflict,
            upsert=self.upsert,
            returning=self.returning,
            many=tuple(rows) if self.many else (),
        )


@dataclass(frozen=True)
class Cell:
    """A value, or the id or name that an index leads to."""

    kind: str
    value: SQLValue = None
    index: int = 0

    def of(self, world: World) -> SQLValue:
        match self.kind:
            case "experiment":
                return world.experiment(self.index)
            case "run":
                return world.run(self.index)
            case "fresh":
                return world.fresh(str(self.value), self.index)
            case "made":
                return world.made_name(str(self.value), self.index)
            case _:
                return self.value


@dataclass(frozen=True)
class Text:
    """A text with `§e0§`, the id of the experiment that the first index leads to.

    `§r1§` is a run's id by the second index, `§E0§` an experiment's name, `§M0§` a registered model's,
    `§P0§` what every name of the script begins with.
    """

    text: str

    def fill(self, world: World, sql: Sql, indices: tuple[int, ...]) -> str:
        parts = self.text.split("§")
        for place in range(1, len(parts), 2):
            kind, number = parts[place][0], int(parts[place][1:])
            index = indices[number % len(indices)]
            parts[place] = sql.value(_named(world, kind, index))
        return "".join(parts)


@dataclass(frozen=True)
class Select:
    """INSERT … SELECT."""

    target: str
    columns: tuple[str, ...]
    source: Text
    indices: tuple[int, ...]
    bound: bool = False
    returning: str = ""

    def render(self, world: World) -> Statement:
        sql = Sql(self.bound)
        source = self.source.fill(world, sql, self.indices)
        return Insert(self.target, self.columns, source, tuple(sql.params), returning=self.returning)


@dataclass(frozen=True)
class Set:
    """UPDATE."""

    target: str
    sets: tuple[tuple[str, Text], ...]
    where: tuple[Text, ...]
    indices: tuple[int, ...]
    from_: str = ""
    bound: bool = False
    returning: str = ""

    def render(self, world: World) -> Statement:
        sql = Sql(self.bound)
        sets = tuple((column, value.fill(world, sql, self.indices)) for column, value in self.sets)
        where = " AND ".join(part.fill(world, sql, self.indices) for part in self.where)
        return Update(self.target, sets, where, tuple(sql.params), self.from_, self.returning)


@dataclass(frozen=True)
class Remove:
    """DELETE."""

    target: str
    where: tuple[Text, ...]
    indices: tuple[int, ...]
    bound: bool = False
    returning: str = ""

    def render(self, world: World) -> Statement:
        sql = Sql(self.bound)
        where = " AND ".join(part.fill(world, sql, self.indices) for part in self.where)
        return Delete(self.target, where, tuple(sql.params), self.returning)


@dataclass(frozen=True)
class Beside:
    """A SELECT, or a write of local tables."""

    text: Text
    indices: tuple[int, ...]

    def render(self, world: World) -> Statement:
        sql = Sql(bound=False)
        return Local(self.text.fill(world, sql, self.indices))


@dataclass(frozen=True)
class Never:
    """What is refused whatever there is."""

    text: Text
    family: str
    indices: tuple[int, ...]

    def render(self, world: World) -> Statement:
        return Refused(self.text.fill(world, Sql(bound=False), self.indices), self.family)


@dataclass(frozen=True)
class Exec:
    """EXEC of a method that the model knows."""

    target: str
    method: str
    arguments: tuple[tuple[str, Cell], ...]

    def render(self, world: World) -> Statement:
        given = tuple((name, cell.of(world)) for name, cell in self.arguments)
        return Call(self.target, self.method, given)


@dataclass(frozen=True)
class Control:
    """A word of a transaction, where it fits."""

    word: str

    def render(self, world: World) -> Statement | None:
        model = world.model
        is_open = model.staged is not None
        if self.word == "BEGIN":
            return None if is_open else Transaction("BEGIN")
        is_marked = model.has_mark("s") or self.word in ("SAVEPOINT s", "COMMIT", "ROLLBACK")
        if not is_open or not is_marked:
            return None
        return Transaction(self.word)


def _at(ids: list[str], index: int, none: str) -> str:
    return ids[index % len(ids)] if ids else none


def _named(world: World, kind: str, index: int) -> str:
    match kind:
        case "e":
            return world.experiment(index)
        case "r":
            return world.run(index)
        case "E":
            return world.made_name("e", index)
        case "M":
            return world.made_name("m", index)
        case _:
            return world.prefix
