"""Hypothesis: SELECT statements for which there is a way round, over the lab's tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from hypothesis import strategies as st

from sqlprovider.values import SQLValue
from tests.statements import Drawn, literal

T = TypeVar("T")

LIKE_KINDS: Mapping[str, str] = {"INTEGER": "number", "REAL": "number", "BOOLEAN": "number"}
_TRAPS: tuple[SQLValue, ...] = (
    "1",
    "01",
    "1.0",
    1,
    1.0,
    " 2",
    2,
    "2e0",
    "",
    None,
    2**53 + 1,
    0.5,
    "it's",
    b"1",
)


@dataclass(frozen=True, slots=True)
class LabTable:
    """A table: its columns' kinds and values, its key, what must be given, by what its API sorts."""

    name: str
    kinds: Mapping[str, str]
    samples: Mapping[str, Sequence[SQLValue]]
    key: tuple[str, ...]
    sorts: tuple[str, ...] = ()
    given: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.kinds)


@st.composite
def lab_statements(draw: st.DrawFn, tables: Mapping[str, LabTable]) -> Drawn:
    """Any SELECT of the kinds that a way round is there for."""
    return _Writer(draw, tables).statement()


class _Writer:
    """Writes one statement, choice by choice."""

    def __init__(self, draw: st.DrawFn, tables: Mapping[str, LabTable]) -> None:
        self._draw = draw
        self._tables = tables
        self._params: dict[str, SQLValue] = {}
        self._aliases = 0

    def statement(self) -> Drawn:
        forms: tuple[Callable[[], Drawn], ...] = (
            self._single,
            self._single,
            self._aggregate,
            self._tree,
            self._tree,
            self._tree,
            self._not_by_key,
            self._not_by_key,
            self._looked_up,
            self._looked_up,
            self._correlated,
            self._correlated,
            self._common,
            self._compound,
            self._grouped,
            self._windowed,
            self._nested_limit,
        )
        return self._one(forms)()

    # -- choices

    def _one(self, choices: Sequence[T]) -> T:
        return self._draw(st.sampled_from(choices))

    def _chance(self, one_in: int) -> bool:
        return self._draw(st.integers(1, one_in)) == one_in

    def _alias(self) -> str:
        self._aliases += 1
        return f"a{self._aliases}"

    def _value(self, value: SQLValue) -> str:
        if not self._chance(4):
            return literal(value)
        name = f"p{len(self._params)}"
        self._params[name] = value
        return f":{name}"

    def _near(self, table: LabTable, column: str) -> SQLValue:
        return self._one(_TRAPS) if self._chance(4) else self._one(table.samples[column])

    def _table(self, *names: str) -> LabTable:
        return self._tables[self._one(names)]

    # -- pieces

    def _equality(self, table: LabTable, alias: str, column: str) -> str:
        if self._chance(3):
            count = self._draw(st.integers(1, 4))
            values = ", ".join(self._value(self._near(table, column)) for _ in range(count))
            return f"{alias}.{column} IN ({values})"
        return f"{alias}.{column} = {self._value(self._near(table, column))}"

    def _condition(self, table: LabTable, alias: str) -> str:
        column = self._one(table.columns)
        name = f"{alias}.{column}"
        match self._one(("equal", "equal", "less", "null", "or", "function", "between", "not in")):
            case "equal":
                return self._equality(table, alias, column)
            case "less":
                op = self._one(("<", "<=", ">", ">=", "!="))
                return f"{name} {op} {self._value(self._near(table, column))}"
            case "null":
                return f"{name} IS {self._one(('', 'NOT '))}NULL"
            case "or":
                other = self._one(table.columns)
                return f"({self._equality(table, alias, column)} OR {self._equality(table, alias, other)})"
            case "function":
                return f"length({name}) {self._one(('<', '>', '='))} {self._draw(st.integers(0, 3))}"
            case "between":
                low, high = self._near(table, column), self._near(table, column)
                return f"{name} BETWEEN {self._value(low)} AND {self._value(high)}"
            case _:
                return f"{name} NOT IN ({self._value(self._near(table, column))})"

    def _given(self, table: LabTable, alias: str) -> list[str]:
        return [self._equality(table, alias, column) for column in table.given]

    def _where(self, table: LabTable, alias: str, most: int = 2) -> str:
        conditions = self._given(table, alias)
        conditions += [self._condition(table, alias) for _ in range(self._draw(st.integers(0, most)))]
        return f" WHERE {' AND '.join(conditions)}" if conditions else ""

    def _outputs(self, tables: Mapping[str, LabTable]) -> list[str]:
        found: list[str] = []
        for alias, table in tables.items():
            count = self._draw(st.integers(0 if found else 1, 3))
            # One column may come twice.
            chosen = self._draw(st.lists(st.sampled_from(table.columns), min_size=count, max_size=count))
            found += [f"{alias}.{column}" for column in chosen]
        return found

    # -- forms

    def _single(self) -> Drawn:
        """What one scan may answer alone: equalities, the API's order, LIMIT and OFFSET."""
        table, alias = self._table(*self._tables), self._alias()
        conditions = self._given(table, alias)
        for _ in range(self._draw(st.integers(0, 2))):
            column = self._one(table.columns)
            conditions.append(self._equality(table, alias, column))
        if self._chance(4):
            conditions.append(self._condition(table, alias))
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        columns = ["*"] if self._chance(3) else self._outputs({alias: table})
        sql = f"SELECT {', '.join(columns)} FROM {table.name} AS {alias}{where}"
        unlimited = sql
        ordered = bool(table.sorts) and self._chance(2)
        is_total = False
        if ordered:
            column = self._one(table.sorts)
            sql += f" ORDER BY {alias}.{column}{self._one(('', ' DESC'))}"
            is_total = table.key == (column,)
        limited = self._chance(2)
        if limited:
            sql += f" LIMIT {self._limit()}"
            if self._chance(2):
                sql += f" OFFSET {self._value(self._draw(st.integers(-1, 9)))}"
        if is_total:
            return Drawn(sql, dict(self._params), exact=True)
        return Drawn(sql, dict(self._params), unlimited=unlimited if limited else None)

    def _limit(self) -> str:
        return self._value(self._one((0, 1, 2, 3, 4, 5, 9, 30, -1)))

    def _aggregate(self) -> Drawn:
        table, alias = self._table(*self._tables), self._alias()
        column = f"{alias}.{self._one((*table.sorts, *table.sorts, *table.columns))}"
        said = self._one(
            (
                "count(*)",
                "count(*)",
                f"max({column})",
                f"min({column})",
                f"count({column})",
                f"count(DISTINCT {column})",
            )
        )
        more = f", {self._one(('count(*)', f'min({column})'))}" if self._chance(4) else ""
        where = self._where(table, alias, most=1)
        if table.name == "p.s.numbers" and self._chance(2):
            where = f" WHERE {self._equality(table, alias, 'label')}"
        return Drawn(f"SELECT {said}{more} FROM {table.name} AS {alias}{where}", dict(self._params))

    def _tree(self) -> Drawn:
        """Two or three levels, joined by the keys."""
        t, p, b = self._alias(), self._alias(), self._alias()
        things, parts, bits = (self._tables[name] for name in ("things", "parts", "bits"))
        kinds = ("JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "CROSS JOIN", "RIGHT JOIN", "FULL JOIN")
        tables: dict[str, LabTable] = {}
        deep = self._chance(2)
        if deep and self._chance(4):
            tables = {p: parts, b: bits}
            natural = self._one(("NATURAL JOIN", "NATURAL LEFT JOIN", "JOIN"))
            source = f"{parts.name} AS {p} {natural} {bits.name} AS {b}"
            source += "" if "NATURAL" in natural else " USING (thing, part)"
        else:
            tables = {t: things, p: parts}
            tied = self._tied(f"{p}.thing", f"{t}.id") + self._more(parts, p)
            source = f"{things.name} AS {t} {self._one(kinds)} {parts.name} AS {p} ON {tied}"
            if deep:
                tables[b] = bits
                thing = self._one((f"{p}.thing", f"{t}.id"))
                tied = f"{b}.thing = {thing} AND {b}.part = {p}.part" + self._more(bits, b)
                source += f" {self._one(kinds)} {bits.name} AS {b} ON {tied}"
        conditions = [self._condition(table, alias) for alias, table in tables.items() if self._chance(3)]
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return self._finished(f"FROM {source}{where}", self._outputs(tables))

    def _tied(self, left: str, right: str) -> str:
        return self._one((f"{left} = {right}", f"{right} = {left}", f"{left} IS {right}"))

    def _more(self, table: LabTable, alias: str) -> str:
        return f" AND {self._condition(table, alias)}" if self._chance(4) else ""

    def _not_by_key(self) -> Drawn:
        """Tables joined on columns that are no keys, of types that may differ."""
        names = ("things", "parts", "numbers", "ranked", "marks", "marks", "bits")
        first, second = self._table(*names), self._table(*names)
        a, b = self._alias(), self._alias()
        kind = self._one(("JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN"))
        left, right = self._one(first.columns), self._one(second.columns)
        op = self._one(("=", "=", "=", "IS", "<"))
        shown = self._one(
            (f"{a}.{left}", f"{a}.{left}", f"+{a}.{left}", f"{a}.{left} || ''", f"{a}.{left} + 1")
        )
        on = f"{b}.{right} {op} {shown}"
        if self._chance(3):
            on += f" AND {b}.{self._one(second.columns)} = {a}.{self._one(first.columns)}"
        if self._chance(6):
            on += " COLLATE NOCASE"
        body = f"FROM {first.name} AS {a} {kind} {second.name} AS {b} ON {on}{self._more(second, b)}"
        if self._chance(3):
            body += f" WHERE {self._condition(first, a)}"
        if self._chance(3):
            return self._finished(body, ["count(*)", f"max({b}.{right})"])
        return self._finished(body, self._outputs({a: first, b: second}))

    def _looked_up(self) -> Drawn:
        """Keys that are expressions over other tables, of lists and of single items."""
        outer, a, b = self._table("numbers", "ranked", "marks", "things"), self._alias(), self._alias()
        inner = self._table("items", "items", "parts", "things")
        key = "thing" if inner.name.endswith("parts") else "id"
        column = f"{a}.{self._one(outer.columns)}"
        whole = (
            f"{a}.{self._one([c for c, kind in outer.kinds.items() if kind == 'INTEGER'] or outer.columns)}"
        )
        said = self._one(
            (
                f"'t' || {whole}",
                f"'t' || ({whole} + 1)",
                column,
                f"lower({column})",
                f"coalesce({column}, 't1')",
            )
        )
        kind = self._one(("JOIN", "LEFT JOIN", "CROSS JOIN"))
        body = (
            f"FROM {outer.name} AS {a} {kind} {inner.name} AS {b} ON {b}.{key} = {said}{self._more(inner, b)}"
        )
        if self._chance(3):
            body += f" WHERE {self._condition(outer, a)}"
        return self._finished(body, self._outputs({a: outer, b: inner}))

    def _correlated(self) -> Drawn:
        outer, a, b = self._table("things", "numbers", "ranked", "parts"), self._alias(), self._alias()
        inner = self._table("parts", "parts", "items", "bits", "marks")
        keys = {"p.s.parts": "thing", "p.s.bits": "thing", "p.s.items": "id", "p.s.marks": "a"}
        refers = {"p.s.things": "id", "p.s.numbers": "thing", "p.s.ranked": "name", "p.s.parts": "thing"}
        tied = f"{b}.{keys[inner.name]} = {a}.{refers[outer.name]}" + self._more(inner, b)
        source = f"FROM {inner.name} AS {b} WHERE {tied}"
        column = self._one(inner.columns)
        outputs = self._outputs({a: outer})
        body = f"FROM {outer.name} AS {a}"
        match self._one(("exists", "not exists", "in", "not in", "scalar", "one", "compared")):
            case "exists":
                body += f" WHERE EXISTS (SELECT 1 {source})"
            case "not exists":
                body += f" WHERE NOT EXISTS (SELECT 1 {source})"
            case "in" | "not in" as word:
                free = f"SELECT {b}.{column} FROM {inner.name} AS {b}{self._where(inner, b, most=1)}"
                rows = self._one((f"SELECT {b}.{column} {source}", free))
                body += f" WHERE {a}.{self._one(outer.columns)} {word.upper()} ({rows})"
            case "scalar":
                outputs.append(f"(SELECT {self._one(('count(*)', f'max({b}.{column})'))} {source})")
            case "one":
                outputs.append(f"(SELECT {b}.{column} {source} ORDER BY {b}.{column} LIMIT 1)")
            case _:
                body += f" WHERE {a}.{self._one(outer.columns)} >= (SELECT min({b}.{column}) {source})"
        return self._finished(body, outputs)

    def _common(self) -> Drawn:
        table, alias = self._table("things", "numbers", "ranked", "parts", "marks"), self._alias()
        x, y = self._alias(), self._alias()
        hint = self._one(("", "MATERIALIZED ", "NOT MATERIALIZED "))
        head = f"WITH c AS {hint}(SELECT * FROM {table.name} AS {alias}{self._where(table, alias, most=1)}) "
        if self._chance(3):
            return self._finished(f"FROM c AS {x}", self._outputs({x: table}), head=head)
        left, right = self._one(table.columns), self._one(table.columns)
        other = f"c AS {y}" if self._chance(2) else f"{table.name} AS {y}"
        body = f"FROM c AS {x} {self._one(('JOIN', 'LEFT JOIN'))} {other} ON {y}.{right} = {x}.{left}"
        return self._finished(body, self._outputs({x: table, y: table}), head=head)

    def _compound(self) -> Drawn:
        width = self._draw(st.integers(1, 2))
        kinds = [self._one(("TEXT", "number")) for _ in range(width)]
        arms = []
        first = self._table("things", "numbers", "ranked", "parts", "marks")
        for _ in range(self._draw(st.integers(2, 3))):
            table = first if self._chance(2) else self._table("things", "numbers", "ranked", "marks", "bits")
            alias = self._alias()
            columns = []
            for kind in kinds:
                alike = [c for c, k in table.kinds.items() if LIKE_KINDS.get(k, "TEXT") == kind]
                columns.append(f"{alias}.{self._one(alike or table.columns)}")
            arms.append(
                f"SELECT {', '.join(columns)} FROM {table.name} AS {alias}{self._where(table, alias, 1)}"
            )
        sql = arms[0]
        for arm in arms[1:]:
            sql += f" {self._one(('UNION', 'UNION ALL', 'UNION ALL', 'INTERSECT', 'EXCEPT'))} {arm}"
        return self._ended(sql, width)

    def _grouped(self) -> Drawn:
        table, alias = self._table("things", "numbers", "ranked", "parts", "bits", "marks"), self._alias()
        source = f"{table.name} AS {alias}"
        over = f"{alias}.{self._one(table.columns)}"
        if table.name == "p.s.parts" and self._chance(2):
            thing = self._alias()
            source = f"p.s.things AS {thing} LEFT JOIN {source} ON {alias}.thing = {thing}.id"
        group = f"{alias}.{self._one(table.columns)}"
        said = self._one(
            ("count(*)", f"count({over})", f"max({over})", f"min({over})", f"count(DISTINCT {over})")
        )
        body = f"FROM {source} GROUP BY {group}"
        if self._chance(3):
            body += f" HAVING count(*) {self._one(('>', '='))} {self._draw(st.integers(1, 3))}"
        return self._finished(body, [group, said])

    def _windowed(self) -> Drawn:
        table, alias = self._table("things", "numbers", "ranked", "bits", "parts"), self._alias()
        column = f"{alias}.{self._one(table.columns)}"
        order = ", ".join(f"{alias}.{name}{self._one(('', ' DESC'))}" for name in table.key)
        over = self._one((f"ORDER BY {order}", f"PARTITION BY {column} ORDER BY {order}"))
        other = f"{alias}.{self._one(table.columns)}"
        said = self._one(
            ("row_number()", f"lag({other})", "count(*)", f"max({other})", f"first_value({other})")
        )
        keys = [f"{alias}.{name}" for name in table.key]
        body = f"FROM {table.name} AS {alias}{self._where(table, alias, most=1)}"
        return self._finished(body, [*keys, f"{said} OVER ({over})"])

    def _nested_limit(self) -> Drawn:
        """A part of a list, which its key puts in order, joined or alone."""
        table, x, y = self._table("things", "ranked", "numbers"), self._alias(), self._alias()
        (key,) = table.key
        inner = (
            f"(SELECT * FROM {table.name} ORDER BY {key}{self._one(('', ' DESC'))} LIMIT {self._limit()}"
            f"{self._one(('', ' OFFSET 2'))}) AS {x}"
        )
        if self._chance(3):
            return self._finished(
                f"FROM {inner} WHERE {self._condition(table, x)}", self._outputs({x: table})
            )
        other = self._table("parts", "items") if key == "id" else self._table("parts")
        tied = (
            f"{y}.{'thing' if other.name == 'p.s.parts' else 'id'} = {x}.{'id' if key == 'id' else 'thing'}"
        )
        body = f"FROM {inner} {self._one(('JOIN', 'LEFT JOIN'))} {other.name} AS {y} ON {tied}"
        return self._finished(body, self._outputs({x: table, y: other}))

    # -- the end of a statement

    def _finished(self, body: str, outputs: Sequence[str], *, head: str = "") -> Drawn:
        distinct = "DISTINCT " if self._chance(8) else ""
        return self._ended(f"{head}SELECT {distinct}{', '.join(outputs)} {body}", len(outputs))

    def _ended(self, sql: str, width: int) -> Drawn:
        """ORDER BY and LIMIT; by every output the order is total."""
        limited, ordered = self._chance(3), self._chance(3)
        positions: tuple[int, ...] = ()
        whole = ordered and self._chance(2)
        if whole:
            positions = tuple(range(width))
        elif ordered:
            positions = (self._draw(st.integers(0, width - 1)),)
        unlimited = sql
        if positions:
            sql += f" ORDER BY {', '.join(f'{p + 1}' + self._one(('', ' DESC')) for p in positions)}"
        if limited:
            sql += f" LIMIT {self._limit()}"
            if self._chance(3):
                sql += f" OFFSET {self._draw(st.integers(0, 3))}"
        open_end = unlimited if limited and not whole else None
        return Drawn(sql, dict(self._params), positions, exact=whole, unlimited=open_end)
