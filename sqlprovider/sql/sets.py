"""`x IN (SELECT …)` whose values a table may take as one set: it is given a NULL, so that it is never empty.

`WHERE run_id IN (SELECT id FROM t)` →
`WHERE run_id IN (SELECT NULL FROM "sqlprovider.nothing" UNION ALL SELECT * FROM (SELECT id FROM t))`.
Of a conjunct only the rows on which it is true are kept, and a NULL in the set makes no more of them true. It
stands first because SQLite takes a set's affinity from its last part. apsw 3.54 crashes on an empty set.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from sqlprovider.sql.literals import unnested
from sqlprovider.sql.predicates import selects_conjuncts
from sqlprovider.sql.scopes import Scopes
from sqlprovider.sql.splice import Edit
from sqlprovider.sql.statement import NOTHING
from sqlprovider.sql.tree import Tree

_QUERY = frozenset({"SELECT", "WITH"})


def set_edits(tree: Tree, scopes: Scopes) -> Iterator[Edit]:
    """The NULLs of one tree's sets."""
    piece = tree.resolved.piece
    for conjunct in selects_conjuncts(tree.root):
        if (opened := _set_of(tree, scopes, unnested(conjunct))) is None:
            continue
        start, end = piece.tokens[opened].end, piece.tokens[piece.closing[opened]].start
        yield Edit(start, start, f'SELECT NULL FROM "{NOTHING}" UNION ALL SELECT * FROM (')
        yield Edit(end, end, ")")


def _set_of(tree: Tree, scopes: Scopes, node: exp.Expr) -> int | None:
    """The index of the `(` of a set that a query gives to a resource's column."""
    if not isinstance(node, exp.In) or node.args.get("query") is None:
        return None
    extent, piece = tree.extent(node.this), tree.resolved.piece
    if extent is None or scopes.owner(unnested(node.this)) is None:
        return None
    at = extent[1]
    while piece.is_text(at, ")"):
        at += 1
    is_set = piece.word(at) == "IN" and piece.is_text(at + 1, "(") and piece.word(at + 2) in _QUERY
    return at + 1 if is_set else None
