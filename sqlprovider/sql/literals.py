"""DATETIME literals in SQLite's own form."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp

from sqlprovider.sql.scopes import Scopes
from sqlprovider.sql.splice import Edit
from sqlprovider.sql.tokens import Kind, string_literal, unquoted
from sqlprovider.sql.tree import Tree
from sqlprovider.values import Type, datetime_from_text

_FOREIGN_FORM = re.compile(
    r"\d{4}-\d\d-\d\d(?:[Tt]\d\d:\d\d(?::\d\d(?:\.\d+)?)?\s*(?:[Zz]|[+-]\d\d:?\d\d)?"
    r"|(?: \d\d:\d\d(?::\d\d(?:\.\d+)?)?)?\s*(?:[Zz]|[+-]\d\d:?\d\d))"
)
COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.NullSafeEQ, exp.NullSafeNEQ)


def unnested(node: exp.Expr) -> exp.Expr:
    """What stands in parentheses."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def datetime_edits(tree: Tree, scopes: Scopes) -> dict[int, Edit]:
    """`start_time > '2026-01-02T00:00:00Z'` → `… '2026-01-02 00:00:00.000'`, by index of the token.

    Only a literal directly beside a DATETIME column of a resource, and only in a form with T, Z or an offset:
    a shorter text in SQLite's own form compares as SQLite compares it.
    """
    edits: dict[int, Edit] = {}
    for column, operand in _compared(tree.root):
        literal = tree.literal(unnested(operand))
        if literal is None or literal[1].kind is not Kind.STRING:
            continue
        index, token = literal
        text = unquoted(token.text)
        if _FOREIGN_FORM.fullmatch(text.strip()) is None:
            continue
        owned = scopes.owner(unnested(column))
        if owned is None or owned.fact.type is not Type.DATETIME:
            continue
        try:
            edits[index] = Edit(token.start, token.end, string_literal(datetime_from_text(text.upper())))
        except ValueError:
            continue  # No date at all: the table refuses it, with its name.
    return edits


def _compared(root: exp.Expr) -> Iterator[tuple[exp.Expr, exp.Expr]]:
    """Every pair of operands that are compared with each other, both ways round."""
    for node in root.find_all(*COMPARISONS, exp.Between, exp.In):
        match node:
            case exp.Between():
                pairs = [(node.this, node.args["low"]), (node.this, node.args["high"])]
            case exp.In():
                pairs = [(node.this, item) for item in node.expressions]
            case _:
                pairs = [(node.this, node.expression), (node.expression, node.this)]
        yield from pairs
