"""INSERT, UPDATE and DELETE of a resource, cut out of the user's text."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlglot import exp

from sqlprovider.sql.analysis import Analysis, analyse, target_conditions
from sqlprovider.sql.clauses import Range, WriteClauses, cut_clauses, split_list
from sqlprovider.sql.composed import set_terms, set_values, write_trees
from sqlprovider.sql.rewrite import Found, Resolved
from sqlprovider.sql.script import Piece
from sqlprovider.sql.statement import (
    Assignment,
    Delete,
    Insert,
    Names,
    Returning,
    TableRef,
    Update,
    Upsert,
    Where,
)
from sqlprovider.sql.tokens import Token
from sqlprovider.sql.tree import Tree


def read_write(resolved: Resolved, target: Found, names: Names) -> Insert | Update | Delete:
    """The write of a resource. Raises SQLSyntaxError where it cannot be read: it is never passed on."""
    clauses = cut_clauses(resolved.piece, target.source)
    trees = write_trees(resolved, clauses)
    writer = _Writer(target, clauses, trees, analyse(resolved, trees, names), names)
    match clauses.verb:
        case "INSERT":
            return writer.insert()
        case "UPDATE":
            return writer.update()
    return writer.delete()


@dataclass(frozen=True, slots=True)
class _Writer:
    target: Found
    clauses: WriteClauses
    trees: tuple[Tree, ...]
    analysis: Analysis
    names: Names

    def insert(self) -> Insert:
        listed = [] if self.clauses.columns.is_empty else split_list(self.piece, self.clauses.columns)
        columns = [self.column(part) for part in listed]
        return Insert(
            text=self.piece.text,
            target=self.target.table(),
            columns=tuple((token.name, token.span) for token in columns),
            source=self.source(),
            source_tables=self.analysis.tables(),
            conflict=self.clauses.conflict,
            returning=self.returning(),
            parameters=self.parameters,
            upsert=self.upsert(),
        )

    def upsert(self) -> Upsert | None:
        """What is to be done where a row exists: `(a, b) DO UPDATE SET … WHERE …`, `DO NOTHING`."""
        part, piece = self.clauses.upsert, self.piece
        if part.is_empty:
            return None
        at, columns = part.start, []
        if piece.is_text(at, "("):
            inside = Range(at + 1, piece.closing[at])
            columns = [self.column(listed).name for listed in split_list(piece, inside)]
            at = inside.stop + 1
        if piece.word(at) != "DO":
            raise piece.unexpected(at, "after the columns of ON CONFLICT comes DO")
        if piece.word(at + 1) == "NOTHING" and at + 2 == part.stop:
            return Upsert(tuple(columns), (), None, piece.tokens[part.start].span)
        if piece.word(at + 1) != "UPDATE" or piece.word(at + 2) != "SET":
            raise piece.unexpected(at + 1, "it is DO NOTHING or DO UPDATE SET …")
        begin = end = at + 3
        while end < part.stop and piece.word(end) not in ("WHERE", "ON"):
            end = piece.closing.get(end, end) + 1
        if piece.word(end) == "ON" and end < part.stop:
            raise piece.unexpected(end, "a second ON CONFLICT is not supported")
        where = self.cut(Range(end + 1, part.stop)) if end < part.stop else None
        terms = set_terms(piece, Range(begin, end))
        assignments = [Assignment(t.column.name, self.cut(t.value), False, t.column.span) for t in terms]
        return Upsert(tuple(columns), tuple(assignments), where, piece.tokens[part.start].span)

    def update(self) -> Update:
        where = self.where()
        from_sql = self.cut(self.clauses.from_)
        return Update(
            text=self.piece.text,
            target=self.target_table(where),
            assignments=self.assignments(),
            from_sql=f", {from_sql}" if from_sql else "",
            where=where,
            conflict=self.clauses.conflict,
            returning=self.returning(),
            with_sql=self.cut(self.clauses.with_),
            tables=self.tables_outside_where(),
            parameters=self.parameters,
            tail_sql=self.cut(self.clauses.tail),
        )

    def delete(self) -> Delete:
        where = self.where()
        return Delete(
            text=self.piece.text,
            target=self.target_table(where),
            where=where,
            returning=self.returning(),
            with_sql=self.cut(self.clauses.with_),
            tables=self.tables_outside_where(),
            parameters=self.parameters,
            tail_sql=self.cut(self.clauses.tail),
        )

    @property
    def resolved(self) -> Resolved:
        return self.analysis.resolved

    @property
    def piece(self) -> Piece:
        return self.resolved.piece

    @property
    def parameters(self) -> int:
        return self.resolved.parameters.count

    def cut(self, part: Range) -> str:
        return self.analysis.cut(part.start, part.stop)

    def column(self, part: Range) -> Token:
        if part.stop - part.start != 1 or not self.piece.is_name(part.start):
            raise self.piece.unexpected(part.start, "this should be the name of a column")
        return self.piece.tokens[part.start]

    def source(self) -> str:
        """VALUES or SELECT, with the WITH that leads the INSERT."""
        source, with_ = self.cut(self.clauses.source), self.cut(self.clauses.with_)
        if not with_ or not source:
            return source
        if self.piece.word(self.clauses.source.start) != "WITH":
            return f"{with_} {source}"
        # A SELECT has one WITH: the INSERT's goes before its own.
        ranges = (self.clauses.with_, self.clauses.source)
        lists = [self.cut(Range(self.after_with(part), part.stop)) for part in ranges]
        return f"WITH RECURSIVE {', '.join(lists)}"

    def after_with(self, part: Range) -> int:
        return part.start + (2 if self.piece.word(part.start + 1) == "RECURSIVE" else 1)

    def where(self) -> Where | None:
        part = self.clauses.where
        if part.is_empty:
            return None
        tokens = [token.text for token in self.piece.tokens[part.start : part.stop]]
        found = target_conditions(self.trees[0], self.names, tokens)
        tables = self.analysis.tables(part.start, part.stop)
        condition = self.trees[0].root.args.get("where")
        reads_row = condition is None or condition.find(exp.Column) is not None
        return Where(self.cut(part), found.predicates, found.only_equalities, tables, reads_row)

    def target_table(self, where: Where | None) -> TableRef:
        return replace(self.target.table(), predicates=() if where is None else where.predicates)

    def tables_outside_where(self) -> tuple[TableRef, ...]:
        if self.clauses.where.is_empty:
            return self.analysis.tables()
        before = self.analysis.tables(0, self.clauses.where.start)
        return before + self.analysis.tables(self.clauses.where.stop)

    def assignments(self) -> tuple[Assignment, ...]:
        terms = set_terms(self.piece, self.clauses.set_)
        values = set_values(self.trees[0], len(terms))
        return tuple(
            Assignment(
                column=term.column.name,
                sql=self.cut(term.value),
                constant=next(value.find_all(exp.Column, exp.Query, exp.Table, exp.Star), None) is None,
                span=term.column.span,
            )
            for term, value in zip(terms, values, strict=True)
        )

    def returning(self) -> Returning | None:
        part = self.clauses.returning
        if part.is_empty:
            return None
        columns = [self.plain_column(listed) for listed in split_list(self.piece, part)]
        known = tuple(column for column in columns if column is not None)
        return Returning(self.cut(part), known if len(known) == len(columns) else None)

    def plain_column(self, part: Range) -> str | None:
        """The column that `name` or `alias.name` is; None for anything else."""
        if not self.piece.is_name(part.start) or self.piece.chain(part.start) != part.stop:
            return None
        *table, column = self.piece.parts(part.start, part.stop)
        is_target = len(table) == 1 and table[0].lower() == self.target.alias.lower()
        return column if is_target or not table else None
