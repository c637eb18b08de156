"""`ORDER BY column->>'key' … LIMIT n` over one resource: what SQLite never tells a table of."""

from __future__ import annotations

from sqlglot import exp

from sqlprovider.sql.literals import unnested
from sqlprovider.sql.predicates import PredicateReader, conjuncts, json_key
from sqlprovider.sql.scopes import Scopes
from sqlprovider.sql.shape import called, is_one_table, read_bound
from sqlprovider.sql.statement import Top
from sqlprovider.sql.tree import Tree
from sqlprovider.values import Const, Op

_PARTS = frozenset({"expressions", "from_", "where", "order", "limit", "offset", "kind"})
_OF_ONE_ROW = frozenset(
    (
        *("abs", "coalesce", "concat", "concat_ws", "date", "datetime", "format", "ifnull", "iif", "instr"),
        *("json", "json_array", "json_extract", "json_object", "julianday", "length", "lower", "ltrim"),
        *("nullif", "printf", "replace", "round", "rtrim", "sign", "strftime", "substr", "substring"),
        *("time", "timediff", "trim", "typeof", "unixepoch", "upper"),
    )
)
_ELSEWHERE = (exp.Subquery, exp.Exists, exp.Window, exp.Select)


def read_top(tree: Tree, scopes: Scopes, reader: PredicateReader) -> Top | None:
    """What the first rows by a JSON key are; None where the statement does not ask for that, or for more."""
    root = tree.root
    if not isinstance(root, exp.Select) or not is_one_table(tree, _PARTS):
        return None
    if any(node is not root for node in root.find_all(*_ELSEWHERE)) or not _is_row_by_row(root):
        return None
    order = root.args.get("order")
    limit, offset = (read_bound(tree, root.args.get(word)) for word in ("limit", "offset"))
    if order is None or limit is None or limit == Const(None) or offset is None:
        return None
    first = order.expressions[0]
    expression = _meant(root, first.this)
    if not isinstance(expression, exp.JSONExtractScalar):
        return None
    owned, key = scopes.owner(expression.this), json_key(tree, expression)
    if owned is None or key is None or not owned.fact.numeric_keys:
        return None
    if first.args.get("nulls_first") and not _has_value(root, reader, owned.fact.name, key):
        return None
    return Top(
        column=owned.fact.name,
        key=key,
        direction="DESC" if first.args.get("desc") else "ASC",
        has_more_terms=len(order.expressions) > 1,
        limit=limit,
        offset=offset,
    )


def _is_row_by_row(root: exp.Select) -> bool:
    """Whether every result row is made of one row: any function that is not known may be an aggregate."""
    return all(
        called(call) in _OF_ONE_ROW if isinstance(call, exp.Anonymous) else not isinstance(call, exp.AggFunc)
        for call in root.find_all(exp.Func)
    )


def _meant(root: exp.Select, node: exp.Expr) -> exp.Expr:
    """What a term of ORDER BY orders by: a name may be that of a result column."""
    node = unnested(node)
    if isinstance(node, exp.Column) and not node.table:
        for expression in root.expressions:
            if isinstance(expression, exp.Alias) and expression.alias.lower() == node.name.lower():
                return unnested(expression.this)
    return node


def _has_value(root: exp.Select, reader: PredicateReader, column: str, key: str) -> bool:
    """Whether WHERE keeps only rows that have something under the key: a comparison with NULL never holds."""
    where = root.args.get("where")
    said = (
        condition.predicate
        for conjunct in conjuncts(None if where is None else where.this)
        for condition in reader.conditions(conjunct)
    )
    return any(p.column == column and p.key == key and p.op not in (Op.IS, Op.IS_NULL) for p in said)
