"""All that is read from the trees of one statement: predicates, edits and warnings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from sqlprovider.errors import NotSupportedError, SQLSyntaxError
from sqlprovider.sql.clauses import cut_clauses
from sqlprovider.sql.composed import select_tree, write_trees
from sqlprovider.sql.literals import datetime_edits
from sqlprovider.sql.predicates import Condition, PredicateReader, by_table, conjuncts, selects_conjuncts
from sqlprovider.sql.pushwords import push_edits, text_key_warnings
from sqlprovider.sql.rewrite import Resolved
from sqlprovider.sql.scopes import Scopes
from sqlprovider.sql.sets import set_edits
from sqlprovider.sql.shape import read_limit, read_shape
from sqlprovider.sql.splice import Edit, Edits
from sqlprovider.sql.statement import Names, Shape, TableRef, Top
from sqlprovider.sql.top import read_top, top_edits
from sqlprovider.sql.tree import Tree
from sqlprovider.values import Const, Listed, Op, Operand, Param, Predicate

_EQUALITIES = frozenset({Op.EQ, Op.IN})
_HAS_VALUES = (Const, Listed, Param)


@dataclass(frozen=True, slots=True)
class Analysis:
    """What was found. `predicates`: by place among the statement's `found`."""

    resolved: Resolved
    edits: Edits
    predicates: dict[int, tuple[Predicate, ...]]
    warnings: tuple[tuple[str, str], ...] = ()
    shape: Shape | None = None
    top: Top | None = None
    limit: Operand | None = None

    def cut(self, start: int, stop: int) -> str:
        """`tokens[start:stop]` as SQLite is to run them."""
        span = self.resolved.piece.span(start, stop)
        return self.edits.cut(span.start, span.end) if start < stop else ""

    def tables(self, start: int = 0, stop: int | None = None) -> tuple[TableRef, ...]:
        """What is ours in table position in `tokens[start:stop]`, the target of a write left out."""
        end = len(self.resolved.piece.tokens) if stop is None else stop
        return tuple(
            self.table(number)
            for number, found in enumerate(self.resolved.found)
            if start <= found.source.start < end and found is not self.resolved.target
        )

    def table(self, number: int) -> TableRef:
        """One of the statement's tables with its predicates."""
        return replace(self.resolved.found[number].table(), predicates=self.predicates.get(number, ()))


@dataclass(frozen=True, slots=True)
class Conditions:
    """The WHERE of a write, as far as it speaks of the target."""

    predicates: tuple[Predicate, ...]
    only_equalities: bool


def analyse_query(resolved: Resolved, names: Names) -> Analysis:
    """The analysis of what SQLite runs; empty where sqlglot cannot read what SQLite can."""
    piece, start = resolved.piece, resolved.start
    target = resolved.written
    try:
        if target is None:
            trees: tuple[Tree, ...] = (select_tree(resolved, start, len(piece.tokens)),)
        else:
            trees = write_trees(resolved, cut_clauses(piece, target, start))
    except (SQLSyntaxError, NotSupportedError):
        return Analysis(resolved, resolved.edits, {})
    return analyse(resolved, trees, names)


def analyse(resolved: Resolved, trees: Iterable[Tree], names: Names) -> Analysis:
    """Read the trees of a statement."""
    edits: list[Edit] = []
    conditions: list[Condition] = []
    shape, top, limit = None, None, None
    warnings: dict[tuple[str, str], None] = {}
    for tree in trees:
        scopes = Scopes(tree, names)
        converted = datetime_edits(tree, scopes)
        edits += [*converted.values(), *push_edits(tree, scopes), *set_edits(tree, scopes)]
        reader = PredicateReader(tree, scopes, converted)
        edits += top_edits(tree, scopes, reader)
        for conjunct in selects_conjuncts(tree.root):
            conditions += reader.conditions(conjunct)
        warnings |= dict.fromkeys(text_key_warnings(tree, scopes))
        if resolved.start == 0 and resolved.written is None:
            shape, limit = read_shape(tree, scopes, reader, names), read_limit(tree)
            top = read_top(tree, scopes, reader)
    every = resolved.edits.with_more(edits)
    return Analysis(resolved, every, by_table(conditions), tuple(warnings), shape, top, limit)


def target_conditions(tree: Tree, names: Names, where: Sequence[str]) -> Conditions:
    """What the WHERE of an UPDATE or DELETE asks of its target. `where`: the texts of its tokens."""
    scopes = Scopes(tree, names)
    reader = PredicateReader(tree, scopes, datetime_edits(tree, scopes))
    target = next(n for n, found in enumerate(scopes.found) if found is tree.resolved.target)
    clause = tree.root.args.get("where")
    predicates: list[Predicate] = []
    # A unary plus takes a column's affinity away, and no tree shows it.
    only_equalities = "+" not in where
    for conjunct in conjuncts(clause.this if isinstance(clause, exp.Where) else None):
        own = [c.predicate for c in reader.conditions(conjunct) if c.table == target]
        predicates += own
        only_equalities = only_equalities and len(own) == 1 and _is_equality(own[0])
    return Conditions(tuple(dict.fromkeys(predicates)), only_equalities)


def _is_equality(predicate: Predicate) -> bool:
    return (
        predicate.op in _EQUALITIES and predicate.key is None and isinstance(predicate.operand, _HAS_VALUES)
    )
