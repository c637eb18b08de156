"""The statements of a text that may name resources, one after the other; `parse.py` keeps SQLite's own away.

pieces (script.py) → outline (outline.py: where names stand) → resolve (rewrite.py: names spliced in)
→ trees (tree.py, analysis.py: predicates; writes.py: clauses) → Statement (statement.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlprovider.errors import ProgrammingError, SQLSyntaxError
from sqlprovider.sql.clauses import cut_clauses
from sqlprovider.sql.ddl import outline_ddl, query_start, refuse_lasting_view
from sqlprovider.sql.execs import read_exec
from sqlprovider.sql.outline import Outline, Place, outline_statement
from sqlprovider.sql.parameters import read_parameters
from sqlprovider.sql.plain import is_plain
from sqlprovider.sql.rewrite import Resolved, resolve
from sqlprovider.sql.script import Piece, pieces
from sqlprovider.sql.settings import read_set, read_use
from sqlprovider.sql.show import read_describe, read_show
from sqlprovider.sql.statement import Explain, Names, Query, Set, Statement, Use

if TYPE_CHECKING:
    from sqlprovider.sql.analysis import Analysis

_DML = frozenset({"SELECT", "VALUES", "WITH", "INSERT", "REPLACE", "UPDATE", "DELETE"})
_DDL = frozenset({"CREATE", "ALTER", "DROP"})
_OURS = frozenset({"EXEC", "USE", "SET", "SHOW", "DESCRIBE"})


def read_pieces(text: str, names: Names) -> Iterator[Statement]:
    """What `parse` gives, for a text that is not plain as a whole."""
    for piece in pieces(text):
        yield _local(piece) if is_plain(piece.text, names) else _read(piece, names)


def _read(piece: Piece, names: Names) -> Statement:
    word = piece.word(0)
    if piece.illegal is not None:
        if word not in _OURS:
            return _local(piece)
        raise SQLSyntaxError(
            f"unrecognized token: {piece.illegal.text[:40]!r}", span=piece.illegal.span, text=piece.text
        )
    match word:
        case "EXEC":
            return read_exec(piece, names)
        case "USE":
            return read_use(piece, names)
        case "SET":
            return read_set(piece)
        case "SHOW":
            return read_show(piece, names)
        case "DESCRIBE":
            return read_describe(piece, names)
        case "EXPLAIN":
            return _explain(piece, names)
    return _read_sql(piece, names)


def _explain(piece: Piece, names: Names) -> Statement:
    if piece.word(1) == "QUERY" and piece.word(2) == "PLAN":
        return _query(_resolved(piece, names, start=3), names)
    is_ours = piece.word(1) == "ANALYZE" and piece.word(2) in _DML | _OURS
    start = 2 if is_ours else 1
    if start >= len(piece.tokens):
        return _local(piece)
    inner = _read(piece.after(start), names)
    if isinstance(inner, Explain | Set | Use):
        raise piece.unexpected(start, "EXPLAIN takes a SELECT, a write or an EXEC")
    return Explain(piece.text, inner, analyze=is_ours)


def _read_sql(piece: Piece, names: Names) -> Statement:
    resolved = _resolved(piece, names)
    target = resolved.target
    if target is None or target.meaning.name is None:
        return _query(resolved, names)
    from sqlprovider.sql.writes import read_write  # noqa: PLC0415  loads sqlglot

    return read_write(resolved, target, names)


def _resolved(piece: Piece, names: Names, *, start: int = 0) -> Resolved:
    word = piece.word(start)
    try:
        if word in _DML:
            outline = outline_statement(piece, start)
        elif word in _DDL:
            start = query_start(piece)
            outline = outline_ddl(piece, start, names)
        else:
            outline = Outline()
    except RecursionError as error:
        raise ProgrammingError("the statement is nested too deeply") from error
    return resolve(piece, outline, names, start=start)


def _query(resolved: Resolved, names: Names) -> Query:
    """What SQLite runs itself. The forecast is left out where sqlglot cannot read what SQLite can."""
    piece = resolved.piece
    if resolved.is_local:
        return _local(piece)
    if resolved.found:
        refuse_lasting_view(piece, resolved.found[0].meaning.table)
    if not any(found.meaning.name for found in resolved.found):
        tables = tuple(found.table() for found in resolved.found)
        return Query(piece.text, resolved.cut(0, len(piece.tokens)), tables, resolved.parameters.count)
    from sqlprovider.sql.analysis import analyse_query  # noqa: PLC0415  loads sqlglot

    analysis = analyse_query(resolved, names)
    return Query(
        text=piece.text,
        sql=analysis.cut(0, len(piece.tokens)),
        tables=tuple(analysis.table(number) for number in range(len(resolved.found))),
        parameters=resolved.parameters.count,
        warnings=analysis.warnings,
        source=_source(resolved, analysis),
        shape=analysis.shape,
        top=analysis.top,
        limit=analysis.limit,
    )


def _source(resolved: Resolved, analysis: Analysis) -> str | None:
    """The SELECT of `CREATE TABLE … AS SELECT` and of `INSERT INTO local … SELECT`."""
    piece, start = resolved.piece, resolved.start
    if piece.word(0) == "CREATE":
        return analysis.cut(start, len(piece.tokens))
    if resolved.written is None or resolved.written.place is not Place.INTO:
        return None
    try:
        source = cut_clauses(piece, resolved.written, start).source
    except SQLSyntaxError:
        return None
    return analysis.cut(source.start, source.stop) or None


def _local(piece: Piece) -> Query:
    return Query(piece.text, piece.text, parameters=read_parameters(piece.tokens).count)
