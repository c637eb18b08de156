"""Writes as SELECTs, for reading: sqlglot need not know UPDATE OR x, and each clause is checked to be one.

`UPDATE r SET a = x FROM o WHERE p RETURNING b` → `SELECT x, b FROM r, o WHERE p`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from sqlprovider.errors import NotSupportedError, SQLSyntaxError
from sqlprovider.sql.clauses import Range, WriteClauses, split_list
from sqlprovider.sql.rewrite import Resolved
from sqlprovider.sql.script import Piece
from sqlprovider.sql.tokens import Token
from sqlprovider.sql.tree import Tree, TreeText

_EXPECTED = frozenset({"expressions", "from_", "joins", "where", "order", "limit", "offset", "with_", "kind"})


@dataclass(frozen=True, slots=True)
class SetTerm:
    """`column = expression`."""

    column: Token
    value: Range


def set_terms(piece: Piece, whole: Range) -> list[SetTerm]:
    """The assignments of a SET. `(a, b) = (x, y)` is two. Raises SQLSyntaxError, NotSupportedError."""
    return [term for part in split_list(piece, whole) for term in _set_term(piece, part)]


def select_tree(resolved: Resolved, start: int, stop: int) -> Tree:
    """The tree of a SELECT or VALUES. Raises SQLSyntaxError."""
    return _query_text(resolved, Range(0, 0), Range(start, stop)).parse()


def write_trees(resolved: Resolved, clauses: WriteClauses) -> tuple[Tree, ...]:
    """The trees of a write; of UPDATE and DELETE the one SELECT of its rows. Raises SQLSyntaxError."""
    return tuple(
        _insert_trees(resolved, clauses) if clauses.verb == "INSERT" else [_rows_tree(resolved, clauses)]
    )


def set_values(tree: Tree, count: int) -> list[exp.Expr]:
    """The first `count` expressions of a tree: those of SET."""
    return list(tree.root.expressions[:count])


def _insert_trees(resolved: Resolved, clauses: WriteClauses) -> Iterator[Tree]:
    if not clauses.source.is_empty:
        tree = _query_text(resolved, clauses.with_, clauses.source).parse()
        if not isinstance(tree.root, exp.Query | exp.Values):
            raise resolved.piece.unexpected(clauses.source.start, "an INSERT needs VALUES or SELECT")
        yield tree
    if not clauses.returning.is_empty:
        text = TreeText(resolved)
        text.say("SELECT")
        text.add(clauses.returning.start, clauses.returning.stop)
        _add_target(text, clauses)
        yield _checked(text, len(split_list(resolved.piece, clauses.returning)))


def _query_text(resolved: Resolved, with_: Range, query: Range) -> TreeText:
    text = TreeText(resolved)
    text.add(with_.start, with_.stop)
    is_values = resolved.piece.word(query.start) == "VALUES" and not with_.is_empty
    if is_values:
        text.say("SELECT * FROM (")
    text.add(query.start, query.stop)
    if is_values:
        text.say(")")
    return text


def _rows_tree(resolved: Resolved, clauses: WriteClauses) -> Tree:
    text = TreeText(resolved)
    text.add(clauses.with_.start, clauses.with_.stop)
    text.say("SELECT")
    terms = [] if clauses.set_.is_empty else set_terms(resolved.piece, clauses.set_)
    wanted = [term.value for term in terms]
    if not clauses.returning.is_empty:
        wanted += split_list(resolved.piece, clauses.returning)
    for number, part in enumerate(wanted):
        if number:
            text.say(",")
        text.add(part.start, part.stop)
    if not wanted:
        text.say("NULL")
    _add_target(text, clauses)
    if not clauses.from_.is_empty:
        text.say(",")
        text.add(clauses.from_.start, clauses.from_.stop)
    if not clauses.where.is_empty:
        text.say("WHERE")
        text.add(clauses.where.start, clauses.where.stop)
    text.add(clauses.tail.start, clauses.tail.stop)
    tree = _checked(text, len(wanted) or 1)
    for term, value in zip(terms, set_values(tree, len(terms)), strict=True):
        if isinstance(value, exp.Alias):
            raise resolved.piece.unexpected(term.value.stop - 1, "the value of a column has no name")
    return tree


def _add_target(text: TreeText, clauses: WriteClauses) -> None:
    text.say("FROM")
    target = clauses.target
    text.add(target.start, target.stop if target.alias is None else target.stop + 2)


def _checked(text: TreeText, columns: int) -> Tree:
    """The tree, if it is the plain SELECT that the clauses of a write should make and nothing more."""
    tree = text.parse()
    root = tree.root
    present = {name for name, value in root.args.items() if value} if isinstance(root, exp.Select) else None
    if present is None or not present <= _EXPECTED or len(root.expressions) != columns:
        piece = text.resolved.piece
        raise SQLSyntaxError(
            "syntax error: its clauses cannot be told apart",
            span=piece.span(0, len(piece.tokens)),
            text=piece.text,
        )
    return tree


def _set_term(piece: Piece, part: Range) -> list[SetTerm]:
    if piece.is_text(part.start, "("):
        return _row_terms(piece, part)
    if not piece.is_name(part.start):
        raise piece.unexpected(part.start, "SET needs column = value")
    if not piece.is_text(part.start + 1, "=") or part.start + 2 >= part.stop:
        raise piece.unexpected(part.start + 1, "SET needs column = value")
    return [SetTerm(piece.tokens[part.start], Range(part.start + 2, part.stop))]


def _row_terms(piece: Piece, part: Range) -> list[SetTerm]:
    close = piece.closing[part.start]
    columns = split_list(piece, Range(part.start + 1, close))
    opened = close + 2
    is_list = piece.is_text(close + 1, "=") and piece.closing.get(opened) == part.stop - 1
    if is_list and piece.word(opened + 1) not in ("SELECT", "VALUES", "WITH"):
        values = split_list(piece, Range(opened + 1, part.stop - 1))
        if len(values) == len(columns) and all(column.stop - column.start == 1 for column in columns):
            pairs = zip(columns, values, strict=True)
            return [SetTerm(piece.tokens[column.start], value) for column, value in pairs]
        raise piece.unexpected(part.start, f"{len(columns)} columns are set to {len(values)} values")
    raise NotSupportedError(
        "SET (a, b) = (SELECT …) is not done for a resource: set each column",
        hint="SET a = (SELECT …), b = (SELECT …)",
        span=piece.span(part.start, part.stop),
        text=piece.text,
    )
