"""`read_csv('f')`, `read_jsonl(?)`, `read_parquet(:f)` in table position: which file is meant.

The columns of a table are known before SQLite reads a statement, so a file is a literal or a parameter and no
expression. A table, a CTE or a function of somebody's own by the name comes first.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlprovider.errors import ProgrammingError, UnknownNameError
from sqlprovider.sql.meaning import Meaning
from sqlprovider.sql.outline import Place, Source
from sqlprovider.sql.parameters import Parameters
from sqlprovider.sql.plain import FILE_FUNCTIONS
from sqlprovider.sql.script import Piece
from sqlprovider.sql.statement import Names
from sqlprovider.sql.tokens import Kind, literal_value
from sqlprovider.values import SQLValue


def is_file(source: Source, names: Names, *, ctes: frozenset[str]) -> bool:
    """Whether a source is a call that reads a file. Raises UnknownNameError where it is no call."""
    name = source.parts[0].lower() if len(source.parts) == 1 else ""
    if name not in FILE_FUNCTIONS or source.place not in (Place.FROM, Place.IN):
        return False
    if name in ctes or names.is_local(None, name) or names.has_function(name):
        return False
    if not source.called:
        raise UnknownNameError(
            f"no such table: {source.parts[0]}; {name} reads a file", hint=f"SELECT * FROM {name}('…')"
        )
    return True


def file_meaning(piece: Piece, source: Source, names: Names, parameters: Parameters) -> Meaning:
    """The table that a call is. Raises ProgrammingError, and what reading the file raises."""
    function = source.parts[0].lower()
    arguments = list(_arguments(piece, source, names, parameters))
    return Meaning(names.file_table(function, arguments), function, None)


def _arguments(piece: Piece, source: Source, names: Names, parameters: Parameters) -> Iterator[SQLValue]:
    at, close = source.stop + 1, piece.closing[source.stop]
    while at < close:
        token = piece.tokens[at]
        if token.kind is Kind.PARAMETER:
            yield names.parameter(*parameters.key(piece, at))
        elif token.kind is Kind.STRING:
            yield literal_value(token)
        else:
            raise _no_constant(source)
        if at + 1 < close and not piece.is_text(at + 1, ","):
            raise _no_constant(source)
        at += 2


def _no_constant(source: Source) -> ProgrammingError:
    name = source.parts[0]
    return ProgrammingError(
        f"{name} takes texts in single quotes and parameters: what is known before the statement is run",
        reason="file_argument",
        hint=f"SELECT * FROM {name}('file'), SELECT * FROM {name}(:file)",
    )
