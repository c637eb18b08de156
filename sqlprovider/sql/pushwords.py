"""Predicates on JSON keys: an inert conjunct beside those a method may take, a warning for the wrong ones.

`metrics->>'acc' > 0.9` → `(metrics->>'acc' > 0.9 AND sqlprovider_push(runs.metrics, '["acc",">",0.9]'))`.
SQLite offers a table no comparison of an expression, but it offers it this function, which returns 1: the
predicate itself stays and decides.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from sqlprovider.sql.literals import COMPARISONS, unnested
from sqlprovider.sql.predicates import Compared, comparisons, json_key, selects_conjuncts
from sqlprovider.sql.scopes import Owned, Scopes
from sqlprovider.sql.splice import Edit
from sqlprovider.sql.tokens import Kind, keywords, literal_value, quoted_if_needed, string_literal
from sqlprovider.sql.tree import Tree
from sqlprovider.values import Op

PUSH_FUNCTION = "sqlprovider_push"
PACK_FUNCTION = "sqlprovider_pack"

_PUSHED = frozenset({Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE, Op.LIKE})
_BEFORE = frozenset({"WHERE", "ON", "AND"})
_AFTER = keywords(
    "AND CROSS EXCEPT FULL GROUP HAVING INNER INTERSECT JOIN LEFT LIMIT NATURAL ON ORDER RETURNING RIGHT"
    " UNION WHERE WINDOW"
)


@dataclass(frozen=True, slots=True)
class _Key:
    """`column ->> 'key'` of a resource."""

    owned: Owned
    key: str


def push_edits(tree: Tree, scopes: Scopes) -> Iterator[Edit]:
    """The push-down words of one tree."""
    for conjunct in selects_conjuncts(tree.root):
        words = [word for compared in comparisons(conjunct) if (word := _word(tree, scopes, compared))]
        extent = tree.extent(conjunct)
        if words and extent is not None and stands_alone(tree, *extent):
            span = tree.resolved.piece.span(*extent)
            yield Edit(span.start, span.start, "(")
            yield Edit(span.end, span.end, "".join(f" AND {word}" for word in words) + ")")


def text_key_warnings(tree: Tree, scopes: Scopes) -> Iterator[tuple[str, str]]:
    """(message, hint) for each text-valued JSON key that is compared with a number."""
    for node in tree.root.find_all(*COMPARISONS, exp.Between, exp.In):
        extent = tree.extent(node)
        for side, values in _sides(node):
            known = _json_key(tree, scopes, side)
            if known is None or extent is None or known.owned.fact.numeric_keys:
                continue
            arrow = tree.extent(side)
            if arrow is None or not any(_is_number(tree, value) for value in values):
                continue
            whole, key = tree.resolved.piece.span(*extent), tree.resolved.piece.span(*arrow)
            text = tree.resolved.piece.text
            before, written, after = (
                text[whole.start : key.start],
                text[key.start : key.end],
                text[key.end : whole.end],
            )
            yield (
                f"{before}{written}{after} compares text with a number",
                f"{before}CAST({written} AS REAL){after}",
            )
            break


def _word(tree: Tree, scopes: Scopes, compared: Compared) -> str | None:
    known = _json_key(tree, scopes, compared.column)
    if known is None or not known.owned.fact.keys_pushed or compared.op not in _PUSHED:
        return None
    said = _said(tree, scopes, compared, known)
    if said is None:
        return None
    column = (
        f"{quoted_if_needed(scopes.found[known.owned.table].alias)}.{quoted_if_needed(known.owned.fact.name)}"
    )
    return f"{PUSH_FUNCTION}({column}, {said})"


def _said(tree: Tree, scopes: Scopes, compared: Compared, known: _Key) -> str | None:
    """Key, operator and value as one JSON text: SQLite offers a table functions of two arguments only.

    A value that is only known later is packed by SQLite itself.
    """
    negative = isinstance(compared.value, exp.Neg)
    node = compared.value.this if isinstance(compared.value, exp.Neg) else compared.value
    literal = tree.literal(node) if isinstance(node, exp.Expr) else None
    if literal is not None and literal[1].kind in (Kind.STRING, Kind.NUMBER):
        value = literal_value(literal[1])
        if negative:
            if not isinstance(value, int | float):
                return None
            value = -value
        if isinstance(value, float) and not math.isfinite(value):
            return None
        return string_literal(json.dumps([known.key, compared.op.value, value], ensure_ascii=False))
    text = _value(tree, scopes, compared.value, known.owned)
    if text is None:
        return None
    return f"{PACK_FUNCTION}({string_literal(known.key)}, '{compared.op.value}', {text})"


def _json_key(tree: Tree, scopes: Scopes, node: exp.Expr) -> _Key | None:
    node = unnested(node)
    if not isinstance(node, exp.JSONExtractScalar):
        return None
    owned, key = scopes.owner(node.this), json_key(tree, node)
    return None if owned is None or key is None else _Key(owned, key)


def _value(
    tree: Tree, scopes: Scopes, node: exp.Expr | tuple[exp.Expr, ...] | None, owned: Owned
) -> str | None:
    """The text of a literal, a parameter or a column of another table; None for anything else."""
    sign = ""
    if isinstance(node, exp.Neg):
        sign, node = "-", node.this
    if not isinstance(node, exp.Placeholder) and (sign or not isinstance(node, exp.Column)):
        return None
    if isinstance(node, exp.Column):
        other = scopes.owner(node)
        alias = scopes.alias(node)
        is_own = other is not None and other.table == owned.table
        if is_own or alias is None or alias.lower() == scopes.found[owned.table].alias.lower():
            return None
    extent = tree.extent(node)
    return None if extent is None else sign + tree.resolved.cut(*extent)


def stands_alone(tree: Tree, start: int, stop: int) -> bool:
    """Whether `tokens[start:stop]` is a whole term to SQLite too: parentheses round it change nothing."""
    piece = tree.resolved.piece
    depth = 0
    for token in piece.tokens[start:stop]:
        depth += (token.text == "(") - (token.text == ")")
        if depth < 0:
            return False
    opens = piece.word(start - 1) in _BEFORE or piece.is_text(start - 1, "(")
    ends = stop >= len(piece.tokens) or piece.word(stop) in _AFTER or piece.tokens[stop].text in (")", ",")
    return depth == 0 and opens and ends


def _sides(node: exp.Expr) -> list[tuple[exp.Expr, list[exp.Expr]]]:
    match node:
        case exp.Between():
            return [(node.this, [node.args["low"], node.args["high"]])]
        case exp.In():
            return [(node.this, node.expressions)]
    return [(node.this, [node.expression]), (node.expression, [node.this])]


def _is_number(tree: Tree, node: exp.Expr) -> bool:
    node = unnested(node)
    literal = tree.literal(unnested(node.this) if isinstance(node, exp.Neg) else node)
    return literal is not None and literal[1].kind is Kind.NUMBER
