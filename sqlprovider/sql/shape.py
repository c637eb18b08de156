"""What a SELECT of one resource is made of, where it is no more than columns, conditions, order and LIMIT."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from sqlprovider.sql.literals import unnested
from sqlprovider.sql.predicates import PredicateReader, conjuncts
from sqlprovider.sql.scopes import Scopes
from sqlprovider.sql.statement import ColumnFact, Names, Shape
from sqlprovider.sql.tokens import Kind, literal_value
from sqlprovider.sql.tree import CALL_MARK, Tree
from sqlprovider.values import Const, Listed, Op, Operand, Param, Predicate

_PLAIN = frozenset({"expressions", "from_", "where", "order", "limit", "offset", "kind"})
_NO_STREAM = ("group", "order", "distinct", "having", "windows")
_AGGREGATES = frozenset(
    (
        *("avg", "count", "group_concat", "json_group_array", "json_group_object", "max"),
        *("median", "min", "string_agg", "sum", "total"),
    )
)
_HAVE_VALUES = (Const, Listed, Param)


def read_shape(tree: Tree, scopes: Scopes, reader: PredicateReader, names: Names) -> Shape | None:
    """The shape of a SELECT; None where there is more in it, or what cannot be told."""
    root = tree.root
    if not isinstance(root, exp.Select) or _has_more(tree):
        return None
    columns = _columns_of(scopes, names)
    conditions = _conditions(root, reader)
    if columns is None or conditions is None:
        return None
    limit, offset = read_bound(tree, root.args.get("limit")), read_bound(tree, root.args.get("offset"))
    if limit is None or offset is None:
        return None
    selected = _selected(root, scopes, columns)
    aggregate = _aggregate(root, scopes) if selected is None else None
    if selected is None and aggregate is None:
        return None
    order = root.args.get("order")
    return Shape(
        columns=selected or (),
        aggregate=aggregate,
        conditions=conditions,
        order=len(order.expressions) if order is not None else 0,
        limit=limit,
        offset=offset,
    )


def read_limit(tree: Tree) -> Operand | None:
    """The LIMIT of a SELECT that ends as soon as it has so many rows; None where there is none."""
    root = tree.root
    if not isinstance(root, exp.Select) or any(root.args.get(word) for word in _NO_STREAM):
        return None
    calls = (call for expression in root.expressions for call in expression.find_all(exp.Func))
    if any(called(call) in _AGGREGATES for call in calls):
        return None
    limit = root.args.get("limit")
    return None if limit is None else _value(tree, limit.expression)


def is_one_table(tree: Tree, parts: frozenset[str]) -> bool:
    """Whether a SELECT reads one resource, and has no other parts than these."""
    present = {name for name, value in tree.root.args.items() if value}
    source = tree.root.args.get("from_")
    is_table = source is not None and isinstance(source.this, exp.Table) and not source.this.args.get("joins")
    return present <= parts and is_table and len(tree.resolved.found) == 1


def _has_more(tree: Tree) -> bool:
    """Whether there is more than this reads: a unary plus, which no tree shows, is more too."""
    return not is_one_table(tree, _PLAIN) or any(token.text == "+" for token in tree.tokens)


def _columns_of(scopes: Scopes, names: Names) -> Mapping[str, ColumnFact] | None:
    found = scopes.found[0]
    return None if found.meaning.name is None else names.columns(found.meaning.name)


def _conditions(root: exp.Select, reader: PredicateReader) -> tuple[Predicate, ...] | None:
    """One predicate a conjunct, each of another column and with values in hand."""
    where = root.args.get("where")
    found: list[Predicate] = []
    for conjunct in conjuncts(None if where is None else where.this):
        read = reader.conditions(conjunct)
        if len(read) != 1 or read[0].predicate.key is not None or read[0].predicate.op is Op.IS:
            return None
        if not isinstance(read[0].predicate.operand, _HAVE_VALUES):
            return None
        found.append(read[0].predicate)
    names = [predicate.column for predicate in found]
    return tuple(found) if len(set(names)) == len(names) else None


def _selected(root: exp.Select, scopes: Scopes, columns: Mapping[str, ColumnFact]) -> tuple[str, ...] | None:
    names: list[str] = []
    for expression in root.expressions:
        node = expression.this if isinstance(expression, exp.Alias) else expression
        is_star = isinstance(node, exp.Star) or (
            isinstance(node, exp.Column) and isinstance(node.this, exp.Star)
        )
        if is_star:
            names += [fact.name for fact in columns.values() if not fact.hidden]
        elif (owned := scopes.owner(node)) is not None:
            names.append(owned.fact.name)
        else:
            return None
    return tuple(names)


def _aggregate(root: exp.Select, scopes: Scopes) -> tuple[str, str] | None:
    """`("count", "")`, `("max", column)` or `("min", column)`, where that is all that is selected."""
    if len(root.expressions) != 1 or root.args.get("limit") or root.args.get("order"):
        return None
    (expression,) = root.expressions
    node = expression.this if isinstance(expression, exp.Alias) else expression
    if not isinstance(node, exp.Anonymous) or len(node.expressions) != 1:
        return None
    (argument,) = node.expressions
    match called(node):
        case "count" if isinstance(argument, exp.Star):
            return "count", ""
        case "max" | "min" as name if (owned := scopes.owner(unnested(argument))) is not None:
            return name, owned.fact.name
    return None


def called(node: exp.Func) -> str:
    """The function's name, as the user wrote it."""
    return node.name.removeprefix(CALL_MARK).lower()


def read_bound(tree: Tree, clause: exp.Expr | None) -> Operand | None:
    """LIMIT or OFFSET; Const(None) where there is none, None where it is more than a value."""
    if clause is None:
        return Const(None)
    return None if clause.args.get("offset") else _value(tree, clause.expression)


def _value(tree: Tree, node: exp.Expr) -> Operand | None:
    literal = tree.literal(unnested(node))
    if literal is None:
        return None
    index, token = literal
    if token.kind is Kind.NUMBER:
        return Const(literal_value(token))
    if token.kind is not Kind.PARAMETER:
        return None
    if token.text[0] != "?":
        return Param(token.text[1:])
    numbers = tree.resolved.parameters.numbers
    return Param(numbers[index] if token.text == "?" else int(token.text[1:]))
