"""WHERE and ON as predicates per table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from sqlprovider.sql.literals import unnested
from sqlprovider.sql.scopes import Owned, Scopes
from sqlprovider.sql.splice import Edit
from sqlprovider.sql.tokens import Kind, Token, literal_value, unquoted
from sqlprovider.sql.tree import Tree
from sqlprovider.values import Const, Listed, Op, Opaque, Operand, Param, Predicate, Ref, Span, SQLValue

OPS: dict[type[exp.Expr], Op] = {
    exp.EQ: Op.EQ,
    exp.NEQ: Op.NE,
    exp.LT: Op.LT,
    exp.LTE: Op.LE,
    exp.GT: Op.GT,
    exp.GTE: Op.GE,
    exp.Like: Op.LIKE,
    exp.Is: Op.IS,
    exp.NullSafeEQ: Op.IS,
}
FLIPPED = {Op.LT: Op.GT, Op.LE: Op.GE, Op.GT: Op.LT, Op.GE: Op.LE, Op.EQ: Op.EQ, Op.NE: Op.NE, Op.IS: Op.IS}


@dataclass(frozen=True, slots=True)
class Condition:
    """A predicate, and to which of the statement's `found` its column belongs."""

    table: int
    predicate: Predicate


@dataclass(frozen=True, slots=True)
class Compared:
    """One comparison of a conjunct: `column op value` as nodes. `node` is the whole, BETWEEN included."""

    node: exp.Expr
    column: exp.Expr
    op: Op
    value: exp.Expr | tuple[exp.Expr, ...] | None


class PredicateReader:
    """Reads conjuncts of one tree. `converted`: literals that another pass has rewritten, by token."""

    def __init__(self, tree: Tree, scopes: Scopes, converted: dict[int, Edit]) -> None:
        self._tree = tree
        self._scopes = scopes
        self._numbers = tree.resolved.parameters.numbers
        self._converted = converted

    def conditions(self, conjunct: exp.Expr) -> tuple[Condition, ...]:
        """What one conjunct says of resources' columns."""
        return tuple(
            condition for compared in comparisons(conjunct) for condition in self._condition(compared)
        )

    def _condition(self, compared: Compared) -> Iterator[Condition]:
        column = unnested(compared.column)
        key: str | None = None
        if isinstance(column, exp.JSONExtractScalar):
            if (key := json_key(self._tree, column)) is None:
                return
            column = column.this
        if (owned := self._scopes.owner(column)) is None:
            return
        operand = self._operand(compared.value, owned)
        op = compared.op
        if op is Op.IS and operand == Const(None):
            op = Op.IS_NULL
        predicate = Predicate(owned.fact.name, op, operand, key, self._span(compared.node))
        yield Condition(owned.table, predicate)

    def _span(self, node: exp.Expr) -> Span | None:
        extent = self._tree.extent(node)
        return None if extent is None else self._tree.resolved.piece.span(*extent)

    def _operand(self, value: exp.Expr | tuple[exp.Expr, ...] | None, owned: Owned) -> Operand:
        if value is None:
            return Const(None)
        if not isinstance(value, tuple):
            return self._one(unnested(value), owned)
        return _listed([self._one(unnested(item), owned) for item in value])

    def _one(self, node: exp.Expr, owned: Owned) -> Operand:
        match node:
            case exp.Null():
                return Const(None)
            case exp.Boolean():
                return Const(int(node.this))
            case exp.Neg() if (literal := self._tree.literal(unnested(node.this))) is not None:
                value = literal_value(literal[1]) if literal[1].kind is Kind.NUMBER else None
                return Const(-value) if isinstance(value, int | float) else Opaque()
            case exp.Placeholder() if (literal := self._tree.literal(node)) is not None:
                return self._literal(*literal)
            case exp.Column():
                other = self._scopes.owner(node)
                if other is not None and other.table == owned.table:
                    return Opaque()
                alias = self._scopes.alias(node)
                return Opaque() if alias is None else Ref(alias, other.fact.name if other else node.name)
        return Opaque()

    def _literal(self, index: int, token: Token) -> Operand:
        if token.kind is not Kind.PARAMETER:
            edit = self._converted.get(index)
            return Const(literal_value(token) if edit is None else unquoted(edit.new))
        if token.text[0] != "?":
            return Param(token.text[1:])
        return Param(self._numbers[index] if token.text == "?" else int(token.text[1:]))


def _listed(items: list[Operand]) -> Operand:
    values: list[SQLValue] = []
    known: list[Const | Param] = []
    for item in items:
        match item:
            case Const(value) if not isinstance(value, tuple):
                values.append(value)
                known.append(item)
            case Param():
                known.append(item)
            case _:
                return Opaque()
    return Const(tuple(values)) if len(values) == len(known) else Listed(tuple(known))


def conjuncts(node: exp.Expr | None) -> Iterator[exp.Expr]:
    """The terms of the top-level ANDs."""
    waiting = [] if node is None else [node]
    while waiting:
        term = unnested(waiting.pop())
        if isinstance(term, exp.And):
            waiting += (term.expression, term.this)
        else:
            yield term


def selects_conjuncts(root: exp.Expr) -> Iterator[exp.Expr]:
    """The conjuncts of every WHERE and ON in a tree."""
    for select in root.find_all(exp.Select):
        where = select.args.get("where")
        if where is not None:
            yield from conjuncts(where.this)
    for join in root.find_all(exp.Join):
        yield from conjuncts(join.args.get("on"))


def comparisons(node: exp.Expr) -> Iterator[Compared]:
    """`column op value` of a conjunct, both ways round where it has two sides; BETWEEN is two."""
    match node:
        case exp.Between():
            yield Compared(node, node.this, Op.GE, node.args["low"])
            yield Compared(node, node.this, Op.LE, node.args["high"])
        case exp.In() if node.args.get("field") is None and node.args.get("query") is None:
            yield Compared(node, node.this, Op.IN, tuple(node.expressions))
        case exp.Not():
            inner = unnested(node.this)
            if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
                yield Compared(node, inner.this, Op.NOT_NULL, None)
        case exp.Is() if isinstance(unnested(node.expression), exp.Boolean):
            return  # `x IS TRUE` asks whether x is true, not whether it is 1
        case exp.Binary() if (op := OPS.get(type(node))) is not None:
            yield Compared(node, node.this, op, node.expression)
            if op in FLIPPED:
                yield Compared(node, node.expression, FLIPPED[op], node.this)


def json_key(tree: Tree, node: exp.JSONExtractScalar) -> str | None:
    """The key of `column ->> 'key'`; None for a path, an index or a key that SQLite reads in another way."""
    literal = tree.literal(node.expression)
    if literal is None or literal[1].kind is not Kind.STRING:
        return None
    key = unquoted(literal[1].text)
    return None if not key or key[0] in "$[" or '"' in key else key


def by_table(conditions: Iterable[Condition]) -> dict[int, tuple[Predicate, ...]]:
    """The predicates of each table, each once."""
    tables: dict[int, dict[Predicate, None]] = {}
    for condition in conditions:
        tables.setdefault(condition.table, {})[condition.predicate] = None
    return {table: tuple(predicates) for table, predicates in tables.items()}
