"""Which resource a column of a tree belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from sqlprovider.sql.rewrite import Found
from sqlprovider.sql.statement import ColumnFact, Names
from sqlprovider.sql.tree import TABLE_MARK, Tree


@dataclass(frozen=True, slots=True)
class Owned:
    """A column of a resource: `table` is its place among the statement's `found`."""

    table: int
    fact: ColumnFact


@dataclass(frozen=True, slots=True)
class _Known:
    """One table of a FROM: `found` is None for one whose columns only SQLite knows."""

    alias: str
    found: int | None


class Scopes:
    """Looks columns up in the SELECTs of one tree, from the inside out as SQLite does."""

    def __init__(self, tree: Tree, names: Names) -> None:
        self.found: tuple[Found, ...] = tree.resolved.found
        self._names = names
        self._tables: dict[int, tuple[_Known, ...]] = {}

    def owner(self, column: exp.Expr | None) -> Owned | None:
        """The resource's column that this is; None if it is another's or cannot be told."""
        if not isinstance(column, exp.Column) or column.args.get("db") or isinstance(column.this, exp.Star):
            return None
        qualifier = column.table.lower()
        select = column.parent_select
        while select is not None:
            for known in self._sources(select):
                if qualifier and known.alias.lower() != qualifier:
                    continue
                if known.found is None:
                    if qualifier or not self._elsewhere(select, column.name):
                        return None
                    continue
                if (fact := self._fact(known.found, column.name)) is not None:
                    return Owned(known.found, fact)
                if qualifier:
                    return None
            select = select.parent_select
        return None

    def alias(self, column: exp.Column) -> str | None:
        """The alias of the table that a column is qualified with or belongs to; None if it cannot be told."""
        owned = self.owner(column)
        return self.found[owned.table].alias if owned is not None else column.table or None

    def _elsewhere(self, select: exp.Expr, name: str) -> bool:
        """Whether a resource of this FROM has the column: then the statement is right only if it is meant."""
        tables = (known.found for known in self._sources(select))
        return any(table is not None and self._fact(table, name) is not None for table in tables)

    def _fact(self, table: int, column: str) -> ColumnFact | None:
        name = self.found[table].meaning.name
        return None if name is None else self._names.columns(name).get(column.lower())

    def _sources(self, select: exp.Expr) -> tuple[_Known, ...]:
        if id(select) not in self._tables:
            self._tables[id(select)] = tuple(self._read_sources(select))
        return self._tables[id(select)]

    def _read_sources(self, select: exp.Expr) -> Iterator[_Known]:
        heads = [select.args.get("from_"), *(select.args.get("joins") or ())]
        for head in heads:
            if head is not None:
                yield from self._read_table(head.this)

    def _read_table(self, node: exp.Expr) -> Iterator[_Known]:
        """A table, a subquery, or a join in parentheses."""
        if isinstance(node, exp.Table):
            is_ours = node.name.startswith(TABLE_MARK) and node.name[1:].isdigit()
            number = int(node.name[1:]) if is_ours else None
            if number is not None and self.found[number].meaning.name is None:
                number = None
            yield _Known(node.alias_or_name, number)
        elif isinstance(node, exp.Subquery | exp.Paren) and isinstance(node.this, exp.Table):
            yield from self._read_table(node.this)
        else:
            yield _Known(node.alias_or_name, None)
        for join in node.args.get("joins") or ():
            yield from self._read_table(join.this)
