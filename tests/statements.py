"""Hypothesis: SELECT statements over known data, with literals that are in it and near misses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from hypothesis import strategies as st

from sqlprovider.values import SQLValue, Type

T = TypeVar("T")

_COMPARE = ("=", "!=", "<", "<=", ">", ">=", "IS", "IS NOT", "==", "<>")
_MISSES: tuple[SQLValue, ...] = (None, "", "0", 0, 1, -1, 0.5, 1e20, "NULL", "%", "_", b"", b"r1")
_PARAMETER_SHARE = 4
"""One literal in so many is bound as a parameter."""


@dataclass(frozen=True, slots=True)
class DataColumn:
    """A column and the values that occur in it; for JSON, the keys that do."""

    name: str
    type: Type
    samples: tuple[SQLValue, ...]
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DataTable:
    """A resource. `roots`: what must be given; `path`: the columns it shares with parents and children."""

    name: str
    columns: tuple[DataColumn, ...]
    path: tuple[str, ...]
    roots: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def column(self, name: str) -> DataColumn:
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A statement. `ordered`: the output positions it sorts by; `unlimited`: it without LIMIT."""

    sql: str
    params: Mapping[str, SQLValue]
    ordered: tuple[int, ...] = ()
    exact: bool = False
    """The order leaves nothing open: the rows are the same one by one."""
    unlimited: str | None = None

    def __repr__(self) -> str:
        return f"{self.sql}\n  with {dict(self.params)}"


def literal(value: SQLValue) -> str:
    """A value as SQL text."""
    match value:
        case None:
            return "NULL"
        case bytes():
            return f"x'{value.hex()}'"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case _:
            return repr(value)


@st.composite
def statements(draw: st.DrawFn, tables: Sequence[DataTable]) -> Drawn:
    """Any SELECT over the tables."""
    return _Writer(draw, tables).statement()


class _Writer:
    """Writes one statement, choice by choice."""

    def __init__(self, draw: st.DrawFn, tables: Sequence[DataTable]) -> None:
        self._draw = draw
        self._tables = tables
        self._params: dict[str, SQLValue] = {}
        self._aliases = 0

    def statement(self) -> Drawn:
        forms: tuple[Callable[[], Drawn], ...] = (
            self._plain,
            self._plain,
            self._joined,
            self._joined,
            self._joined,
            self._grouped,
            self._compound,
            self._common_table,
        )
        return self._one(forms)()

    def _one(self, choices: Sequence[T]) -> T:
        return self._draw(st.sampled_from(choices))

    def _chance(self, one_in: int) -> bool:
        return self._draw(st.integers(1, one_in)) == one_in

    def _alias(self) -> str:
        self._aliases += 1
        return f"a{self._aliases}"

    # -- forms

    def _plain(self) -> Drawn:
        table, alias = self._one(self._tables), self._alias()
        where = self._where(table, alias, nested=True)
        return self._finished(f"FROM {table.name} AS {alias} {where}", self._outputs({alias: table}))

    def _joined(self) -> Drawn:
        source, where, tables = self._join_tree(self._draw(st.integers(2, 3)))
        return self._finished(f"FROM {source} {where}", self._outputs(tables))

    def _grouped(self) -> Drawn:
        if self._chance(2):
            table, alias = self._one(self._tables), self._alias()
            tables = {alias: table}
            body = f"FROM {table.name} AS {alias} {self._where(table, alias)}"
        else:
            source, where, tables = self._join_tree(2)
            body = f"FROM {source} {where}"
        groups = self._columns(tables, self._draw(st.integers(0, 2)))
        over = self._columns(tables, 1)[0]
        aggregates = ["count(*)", f"count({over})", f"count(DISTINCT {over})", f"min({over})", f"max({over})"]
        chosen = self._draw(st.lists(st.sampled_from(aggregates), min_size=1, max_size=3, unique=True))
        if groups:
            body += f" GROUP BY {', '.join(groups)}"
        if groups and self._chance(3):
            body += f" HAVING count(*) {self._one(('>', '=', '<='))} {self._draw(st.integers(0, 3))}"
        return self._finished(body, [*groups, *chosen])

    def _compound(self) -> Drawn:
        width = self._draw(st.integers(1, 3))
        arms = []
        for _ in range(self._draw(st.integers(2, 3))):
            table, alias = self._one(self._tables), self._alias()
            columns = [f"{alias}.{self._one(table.columns).name}" for _ in range(width)]
            arms.append(
                f"SELECT {', '.join(columns)} FROM {table.name} AS {alias} {self._where(table, alias)}"
            )
        sql = arms[0]
        for arm in arms[1:]:
            sql += f" {self._one(('UNION', 'UNION ALL', 'INTERSECT', 'EXCEPT'))} {arm}"
        return self._ended(sql, width)

    def _common_table(self) -> Drawn:
        """A CTE, used once or joined with itself."""
        table, alias = self._one(self._tables), self._alias()
        hint = self._one(("", "MATERIALIZED ", "NOT MATERIALIZED "))
        inner = f"SELECT * FROM {table.name} AS {alias} {self._where(table, alias)}"
        outer = self._alias()
        body = f"FROM c AS {outer} WHERE {self._predicate(table, outer, depth=1)}"
        if self._chance(3):
            other, key = self._alias(), table.path[-1]
            body = (
                f"FROM c AS {outer} JOIN c AS {other} ON {outer}.{key} = {other}.{key} "
                f"WHERE {self._predicate(table, other, depth=1)}"
            )
        columns = self._outputs({outer: table})
        return self._finished(body, columns, head=f"WITH c AS {hint}({inner}) ")

    # -- joins

    def _join_tree(self, count: int) -> tuple[str, str, dict[str, DataTable]]:
        """FROM's text, WHERE, and the tables by alias. The first table is bound, later ones by their keys."""
        first, alias = self._one(self._tables), self._alias()
        tables, source = {alias: first}, f"{first.name} AS {alias}"
        for _ in range(count - 1):
            partner, other = self._one(tuple(tables)), self._alias()
            table = self._relative(tables[partner])
            source = f"{source} {self._join(tables, partner, table, other)}"
            tables[other] = table
        bound = self._bound(first, alias)
        predicates = [self._predicate(tables[a], a, depth=1) for a in tables if self._chance(3)]
        conditions = [*bound, *(f"({predicate})" for predicate in predicates)]
        return source, f"WHERE {' AND '.join(conditions)}" if conditions else "", tables

    def _join(self, tables: Mapping[str, DataTable], partner: str, table: DataTable, alias: str) -> str:
        kind = self._one(("JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "CROSS JOIN", "RIGHT JOIN", "FULL JOIN"))
        shared = [name for name in table.path if name in tables[partner].path]
        # Mostly what must be given is joined, and of the other keys all, some or none.
        used = [name for name in shared if name in table.roots or self._chance(2)]
        if self._chance(16):
            used = shared[-1:]
        used = used or [self._one(shared)]
        if len(tables) == 1 and kind != "CROSS JOIN" and self._chance(3):
            return f"{kind} {table.name} AS {alias} USING ({', '.join(used)})"
        conditions = [self._key_equality(partner, alias, name) for name in used]
        if self._chance(3):
            conditions.append(f"({self._predicate(table, alias, depth=1)})")
        if self._chance(4):
            left = f"{partner}.{self._one(tables[partner].columns).name}"
            conditions.append(f"{alias}.{self._one(table.columns).name} {self._one(_COMPARE)} {left}")
        return f"{kind} {table.name} AS {alias} ON {' AND '.join(conditions)}"

    def _relative(self, table: DataTable) -> DataTable:
        """A table that shares columns of its path with this one."""
        return self._one([other for other in self._tables if {*other.path} & {*table.path}])

    def _key_equality(self, partner: str, alias: str, name: str) -> str:
        left, right = f"{partner}.{name}", f"{alias}.{name}"
        return f"{left} = {right}" if self._chance(2) else f"{right} = {left}"

    # -- predicates

    def _where(self, table: DataTable, alias: str, *, nested: bool = False) -> str:
        conditions = list(self._bound(table, alias))
        if self._chance(2) or not conditions:
            conditions.append(f"({self._predicate(table, alias, depth=2, nested=nested)})")
        return f"WHERE {' AND '.join(self._draw(st.permutations(conditions)))}"

    def _bound(self, table: DataTable, alias: str) -> list[str]:
        """The roots, most of the time, and some keys of the path."""
        conditions = []
        if not self._chance(20):
            for name, values in table.roots.items():
                conditions.append(self._equality(f"{alias}.{name}", values))
        for name in table.path:
            if name not in table.roots and self._chance(3):
                samples = [str(value) for value in table.column(name).samples]
                conditions.append(self._equality(f"{alias}.{name}", samples))
        return conditions

    def _equality(self, column: str, values: Sequence[str]) -> str:
        if self._chance(4):
            items = self._draw(st.lists(st.sampled_from(values), min_size=1, max_size=3))
            return f"{column} IN ({', '.join(self._value(item) for item in items)})"
        value = self._value(self._one(values))
        return f"{value} = {column}" if self._chance(5) else f"{column} = {value}"

    def _predicate(self, table: DataTable, alias: str, *, depth: int, nested: bool = False) -> str:
        if depth > 0 and self._chance(2):
            parts = [self._predicate(table, alias, depth=depth - 1, nested=nested) for _ in range(2)]
            word = self._one(("AND", "OR"))
            text = f"({parts[0]} {word} {parts[1]})"
            return f"NOT {text}" if self._chance(4) else text
        if nested and self._chance(4):
            return self._subquery(table, alias)
        return self._leaf(self._one(table.columns), alias)

    def _subquery(self, table: DataTable, alias: str) -> str:
        """Correlated EXISTS, IN (SELECT …), or a scalar subquery."""
        inner, other = self._relative(table), self._alias()
        shared = [name for name in inner.path if name in table.path]
        where = self._where(inner, other)
        match self._one(("exists", "in", "scalar")):
            case "exists":
                tied = " AND ".join(self._key_equality(alias, other, name) for name in shared)
                negation = "NOT " if self._chance(3) else ""
                return f"{negation}EXISTS (SELECT 1 FROM {inner.name} AS {other} WHERE {tied})"
            case "in":
                name = self._one(shared)
                negation = "NOT " if self._chance(4) else ""
                values = f"SELECT {other}.{name} FROM {inner.name} AS {other} {where}"
                return f"{alias}.{name} {negation}IN ({values})"
            case _:
                name = self._one(shared)
                return f"{alias}.{name} = (SELECT max({other}.{name}) FROM {inner.name} AS {other} {where})"

    def _leaf(self, column: DataColumn, alias: str) -> str:
        name = f"{alias}.{column.name}"
        if column.type is Type.JSON and not self._chance(4):
            return self._json_leaf(column, name)
        near = self._near(column)
        match self._one(
            ("compare", "compare", "between", "in", "null", "like", "glob", "nocase", "function")
        ):
            case "compare":
                op = self._one(_COMPARE)
                value = self._value(near)
                return f"{value} {op} {name}" if self._chance(6) else f"{name} {op} {value}"
            case "between":
                return f"{name} BETWEEN {self._value(near)} AND {self._value(self._near(column))}"
            case "in":
                items = [self._value(self._near(column)) for _ in range(self._draw(st.integers(0, 3)))]
                return f"{name} {self._one(('IN', 'NOT IN'))} ({', '.join(items)})"
            case "null":
                return f"{name} {self._one(('IS NULL', 'IS NOT NULL', 'NOTNULL', 'ISNULL'))}"
            case "like":
                return (
                    f"{name} {self._one(('LIKE', 'NOT LIKE'))} {self._value(self._pattern(near, '%', '_'))}"
                )
            case "glob":
                return (
                    f"{name} {self._one(('GLOB', 'NOT GLOB'))} {self._value(self._pattern(near, '*', '?'))}"
                )
            case "nocase":
                return f"{name} {self._one(_COMPARE)} {self._value(near)} COLLATE NOCASE"
            case _:
                return self._function(name, near)

    def _function(self, name: str, near: SQLValue) -> str:
        texts = (
            f"lower({name}) = lower({self._value(near)})",
            f"length({name}) > {self._draw(st.integers(0, 12))}",
            f"coalesce({name}, 'none') != {self._value(near)}",
            f"+{name} = {self._value(near)}",
            f"{name} || '' = {self._value(near)}",
            f"CASE WHEN {name} > {self._value(near)} THEN 1 END",
            f"({name}, 1) = ({self._value(near)}, 1)",
            f"{name} = {name}",
        )
        return self._one(texts)

    def _json_leaf(self, column: DataColumn, name: str) -> str:
        known = [key for key in column.keys if key]  # SQLite takes '' for a wrong path
        key = self._one((*known, *known, "missing", "a.b", "0", "'"))
        read = f"{name} {self._one(('->>', '->>', '->'))} {literal(key)}"
        samples = [sample for sample in column.samples if sample is not None]
        value = self._value(self._one((*samples, *_MISSES)))
        match self._one(("compare", "compare", "in", "null", "like", "cast")):
            case "compare":
                return f"{read} {self._one(_COMPARE)} {value}"
            case "in":
                return f"{read} IN ({value}, {self._value(self._one(_MISSES))})"
            case "null":
                return f"{read} {self._one(('IS NULL', 'IS NOT NULL'))}"
            case "like":
                return f"{read} LIKE {self._value(self._pattern(self._one((*samples, 'x')), '%', '_'))}"
            case _:
                return f"CAST({read} AS REAL) {self._one(_COMPARE)} {self._draw(st.integers(-1, 3))}"

    # -- values

    def _value(self, value: SQLValue) -> str:
        """A literal, or a parameter that is bound to it."""
        if not self._chance(_PARAMETER_SHARE):
            return literal(value)
        name = f"p{len(self._params)}"
        self._params[name] = value
        return f":{name}"

    def _near(self, column: DataColumn) -> SQLValue:
        """A value of the column, or one that is almost it."""
        samples = [sample for sample in column.samples if sample is not None] or ["x"]
        value = self._one(samples)
        if self._chance(2):
            return value
        if column.type is Type.DATETIME:
            return self._one(near_times(str(value)))
        return self._one((*near_values(value), *_MISSES))

    def _pattern(self, value: SQLValue, many: str, one: str) -> str:
        text = str(value)
        cut = self._draw(st.integers(0, len(text)))
        return self._one(
            (text, text[:cut] + many, many + text[cut:], text[:cut] + one + text[cut + 1 :], text.swapcase())
        )

    # -- the end of a statement

    def _columns(self, tables: Mapping[str, DataTable], count: int) -> list[str]:
        chosen = [(alias, self._one(tables[alias].columns)) for alias in self._some(tuple(tables), count)]
        return list(dict.fromkeys(f"{alias}.{column.name}" for alias, column in chosen))

    def _some(self, choices: Sequence[T], count: int) -> list[T]:
        return self._draw(st.lists(st.sampled_from(choices), min_size=count, max_size=count))

    def _outputs(self, tables: Mapping[str, DataTable]) -> list[str]:
        if self._chance(5):
            return [f"{alias}.{column.name}" for alias, table in tables.items() for column in table.columns]
        return self._columns(tables, self._draw(st.integers(1, 4)))

    def _finished(self, body: str, outputs: Sequence[str], *, head: str = "") -> Drawn:
        distinct = "DISTINCT " if self._chance(6) else ""
        return self._ended(f"{head}SELECT {distinct}{', '.join(outputs)} {body}", len(outputs))

    def _ended(self, sql: str, width: int) -> Drawn:
        """ORDER BY and LIMIT; with LIMIT mostly by every output, so that the rows are told."""
        limited, ordered = self._chance(3), self._chance(2)
        positions: tuple[int, ...] = ()
        whole = limited and not self._chance(4)
        if whole:
            positions = tuple(self._draw(st.permutations(range(width))))
        elif ordered:
            positions = tuple(self._some(range(width), 1))
        terms = [
            f"{p + 1}{self._one(('', ' ASC', ' DESC', ' NULLS LAST', ' DESC NULLS FIRST'))}"
            for p in positions
        ]
        unlimited = sql
        if terms:
            sql += f" ORDER BY {', '.join(terms)}"
        if limited:
            sql += f" LIMIT {self._draw(st.integers(-1, 5))}"
            if self._chance(2):
                sql += f" OFFSET {self._draw(st.integers(-1, 3))}"
        open_end = unlimited if limited and not whole else None
        return Drawn(sql, dict(self._params), positions, exact=whole, unlimited=open_end)


def near_values(value: SQLValue) -> tuple[SQLValue, ...]:
    """Values that are almost the one given: another case, another type, one character more."""
    match value:
        case str():
            number: tuple[SQLValue, ...] = (int(value), float(value)) if value.isdecimal() else ()
            return (value.swapcase(), value + " ", value[:-1], f"0{value}", value.encode(), *number)
        case int() | float():
            return (str(value), float(value), -value, value + 1, f"{value}.0", f" {value}")
        case _:
            return (value,)


def near_times(text: str) -> tuple[SQLValue, ...]:
    """A time in other forms, some of which SQLite would compare wrongly."""
    zoned = text.replace(" ", "T") + "Z"
    return (text[:10], text[:19], text[:4], zoned, text.replace(" ", "T"), f"{text}+00:00", 1767323045678, "")
