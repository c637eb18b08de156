"""`ORDER BY column->>'key' … LIMIT n` over one resource: what SQLite never tells a table of."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sqlglot import exp

from sqlprovider.sql.literals import unnested
from sqlprovider.sql.predicates import PredicateReader, conjuncts, json_key
from sqlprovider.sql.pushwords import PUSH_FUNCTION, stands_alone
from sqlprovider.sql.scopes import Scopes
from sqlprovider.sql.shape import called, is_one_table, read_bound
from sqlprovider.sql.splice import Edit
from sqlprovider.sql.statement import Top
from sqlprovider.sql.tokens import quoted_if_needed, string_literal
from sqlprovider.sql.tree import TABLE_MARK, Tree
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


def top_edits(tree: Tree, scopes: Scopes, reader: PredicateReader) -> Iterator[Edit]:
    """A word beside a condition of each subquery that wants its first rows by a key, for the table to read.

    `(SELECT … WHERE r.id = e.id ORDER BY r.m->>'k' DESC LIMIT 1)`: the word says key, direction, how many
    rows and how many conditions there are. It is said only where every condition is a plain equality.
    """
    if any(token.text == "+" for token in tree.tokens):
        return
    for select in tree.root.find_all(exp.Select):
        if select is not tree.root and (found := _wanted(tree, scopes, reader, select)) is not None:
            extent, word = found
            span = tree.resolved.piece.span(*extent)
            yield Edit(span.start, span.start, "(")
            yield Edit(span.end, span.end, f" AND {word})")


def _wanted(
    tree: Tree, scopes: Scopes, reader: PredicateReader, select: exp.Select
) -> tuple[tuple[int, int], str] | None:
    present = {name for name, value in select.args.items() if value}
    order, limit, where = (select.args.get(word) for word in ("order", "limit", "where"))
    if order is None or limit is None or where is None or not present <= _PARTS - {"offset"}:
        return None
    rows = tree.literal(unnested(limit.expression))
    if len(order.expressions) != 1 or rows is None or not rows[1].text.isdigit() or limit.args.get("offset"):
        return None
    if any(node is not select for node in select.find_all(*_ELSEWHERE)) or not _is_row_by_row(select):
        return None
    first = order.expressions[0]
    expression = _meant(select, first.this)
    if first.args.get("nulls_first") or not isinstance(expression, exp.JSONExtractScalar):
        return None
    owned, key = scopes.owner(expression.this), json_key(tree, expression)
    source = select.args["from_"].this
    if owned is None or key is None or not owned.fact.numeric_keys:
        return None
    if not isinstance(source, exp.Table) or source.name != f"{TABLE_MARK}{owned.table}":
        return None
    terms = list(conjuncts(where.this))
    extents = [tree.extent(term) for term in terms if _is_equality(reader, owned.table, term)]
    if len(extents) < len(terms) or extents[0] is None or not stands_alone(tree, *extents[0]):
        return None
    direction = "DESC" if first.args.get("desc") else "ASC"
    alias, column = scopes.found[owned.table].alias, owned.fact.name
    said = json.dumps([key, Op.TOP.value, [direction, int(rows[1].text), len(terms)]], ensure_ascii=False)
    named = f"{quoted_if_needed(alias)}.{quoted_if_needed(column)}"
    return extents[0], f"{PUSH_FUNCTION}({named}, {string_literal(said)})"


def _is_equality(reader: PredicateReader, table: int, term: exp.Expr) -> bool:
    """Whether a condition is `column = value` of that table and nothing more."""
    own = [condition.predicate for condition in reader.conditions(term) if condition.table == table]
    return isinstance(term, exp.EQ) and len(own) == 1 and own[0].op is Op.EQ and own[0].key is None


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
